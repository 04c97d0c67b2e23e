"""Citations as the field writes them: Huh et al. (2024) in a sentence, (Huh et al., 2024) after one."""

from dataclasses import dataclass, field

from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle


def round_brackets():
    return field(default_factory=lambda: BracketStyle(left="(", right=")"))


@dataclass
class RoundBrackets(AuthorYearReferenceStyle):
    bracket_parenthetical: BracketStyle = round_brackets()
    bracket_textual: BracketStyle = round_brackets()
    bracket_author: BracketStyle = round_brackets()
    bracket_label: BracketStyle = round_brackets()
    bracket_year: BracketStyle = round_brackets()


def setup(app):
    register_plugin("sphinxcontrib.bibtex.style.referencing", "author_year_round", RoundBrackets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
