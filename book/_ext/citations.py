"""Citations as the field writes them: Huh et al. (2024) in a sentence, (Huh et al., 2024) after one."""

from dataclasses import dataclass, field
from functools import partial

from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

ROUND = partial(BracketStyle, left="(", right=")")


@dataclass
class RoundBrackets(AuthorYearReferenceStyle):
    bracket_parenthetical: BracketStyle = field(default_factory=ROUND)
    bracket_textual: BracketStyle = field(default_factory=ROUND)
    bracket_author: BracketStyle = field(default_factory=ROUND)
    bracket_label: BracketStyle = field(default_factory=ROUND)
    bracket_year: BracketStyle = field(default_factory=ROUND)


def setup(app):
    register_plugin("sphinxcontrib.bibtex.style.referencing", "author_year_round", RoundBrackets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
