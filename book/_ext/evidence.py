"""The evidence page, made from what the chapters recorded, never typed.

A chapter records a claim as an output of type ``application/vnd.consilience.claim+json``. When Sphinx has read a
chapter, the cache holds its executed notebook, the same that the page was made from; the claims are taken from there,
so they agree with the page to the letter. ``{evidence}`` sets them: a table of all verdicts, then a card for each claim
with its tests.
"""

import html
from collections import Counter
from pathlib import Path

from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

FIELDS = {"id", "chapter", "statement", "study", "statistic", "stimuli", "n", "k", "seed", "tests", "verdict", "why"}
OPEN = 9  # tests that are shown without a click
logger = logging.getLogger(__name__)


def claims():
    """The package's room for claims; imported late, so that a build without the package can say so in a line."""
    from consilience.book import claims

    return claims


def recorded(notebook):
    """The claims in the outputs of an executed notebook, in order."""
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", []))
    mime = claims().MIME
    return [output["data"][mime] for output in outputs if mime in output.get("data", {})]


def executed(env, docname):
    """The notebook of a page with its outputs, as the cache has it; None for a page that runs nothing.

    myst-nb writes an executed notebook of its own beside the pages, but one without outputs if they were cached.
    """
    path = env.doc2path(docname)
    text = Path(path).read_text()
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    if reader is None:
        return None
    cache = get_cache(env.mystnb_config.execution_cache_path)
    return cache.get_cache_bundle(cache.match_cache_notebook(reader.read(text)).pk).nb


def collect(app, doctree):
    """After a chapter is read: keep its claims with the page."""
    env = app.env
    notebook = executed(env, env.docname)
    for claim in recorded(notebook) if notebook else []:
        if missing := FIELDS - claim.keys():
            logger.warning(f"claim {claim.get('id')!r} lacks {', '.join(sorted(missing))}", location=env.docname)
        elif claim["verdict"] not in claims().VERDICTS:
            logger.warning(f"claim {claim['id']!r} has no known verdict: {claim['verdict']!r}", location=env.docname)
        elif any(claim["id"] == other["id"] for others in claims_of(env).values() for other in others):
            logger.warning(f"claim {claim['id']!r} is recorded twice", location=env.docname)
        else:
            claims_of(env).setdefault(env.docname, []).append(claim)


def claims_of(env):
    if not hasattr(env, "consilience_claims"):
        env.consilience_claims = {}
    return env.consilience_claims


def forget(app, env, docname):
    claims_of(env).pop(docname, None)


def table(head, rows, css):
    """A table in raw HTML: its cells hold badges and links that Markdown's tables cannot."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    content = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll" tabindex="0"><table class="{css}">{content}</table></div>'


def title_of(claim):
    """The claim's id as words: vision-neighbours of the chapter vision is "Vision: neighbours"."""
    chapter, name = claim["chapter"], claim["id"].removeprefix(f"{claim['chapter']}-")
    return f"{chapter.capitalize()}: {name.replace('-', ' ').replace('_', ' ')}"


def facts(claim):
    """What the number was measured on, in one line."""
    known = [claim["statistic"].rstrip("."), claim["stimuli"]]
    known += [f"{name} = {claim[name]:,}" for name in ("n", "k") if claim[name] is not None]
    known += [f"seed {claim['seed']}"] if claim["seed"] is not None else []
    return " · ".join(html.escape(str(fact)) for fact in known if fact)


def sentence(words):
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


class Evidence(SphinxDirective):
    """``{evidence}``: every recorded claim, with its verdict, its numbers, its study and the place that made it."""

    def run(self):
        found = [(name, claim) for name, made in sorted(claims_of(self.env).items()) for claim in made]
        if not found:
            logger.warning("no chapter has recorded a claim", location=self.get_location())
            return []
        return [self.overview(found), self.key(found), *(self.card(name, claim) for name, claim in found)]

    def overview(self, found):
        """All claims at a glance: verdict, and the claim in its own words, linked to its card."""
        lines = [":::{list-table}", ":class: claims", ":widths: auto", ":header-rows: 1", ""]
        lines += ["* - Verdict", "  - Claim", "  - More"]
        for _, claim in found:
            named = html.escape(f"numbers of {title_of(claim)}")
            more = f'<a href="#evidence-{claim["id"]}" aria-label="{named}">numbers</a>'
            lines += [
                f"* - {claims().badge(claim['verdict'])}",
                f"  - {' '.join(claim['statement'].split())}",
                f"  - {more}",
            ]
        return self.markdown("\n".join([*lines, ":::"]), "claims-overview")

    def key(self, found):
        counts = Counter(claim["verdict"] for _, claim in found)
        rows = [[claims().badge(verdict), meaning, counts[verdict]] for verdict, meaning in claims().VERDICTS.items()]
        summary = "<summary>What the verdicts mean, and how many claims have each</summary>"
        content = table(["Verdict", "Means", "Claims"], rows, "verdicts")
        return nodes.raw("", f'<details class="verdict-key">{summary}{content}</details>', format="html")

    def card(self, docname, claim):
        """A section, so that each claim has an address and stands in the page's contents."""
        section = nodes.section(ids=[f"evidence-{claim['id']}"], classes=["claim-card"])
        section += nodes.title("", title_of(claim))
        section += nodes.raw("", f'<p class="claim-verdict">{claims().badge(claim["verdict"])}</p>', format="html")
        section += self.markdown(claim["statement"], "claim-statement")
        section += self.markdown(sentence(claim["why"]), "claim-why")
        section += nodes.raw("", claims().tests_table(claim["tests"], len(claim["tests"]) <= OPEN), format="html")
        section += nodes.raw("", f'<p class="claim-facts">{facts(claim)}</p>', format="html")
        cited = ", ".join(f"{{cite:t}}`{key}`" for key in claim["study"])
        section += self.markdown(f"Claimed by {cited}." if cited else "Our own claim.", "claim-study")
        section += self.where(docname, claim)
        return section

    def where(self, docname, claim):
        """A link to the output, in its chapter, that recorded the claim."""
        address = f"{self.env.app.builder.get_relative_uri(self.env.docname, docname)}#claim-{claim['id']}"
        title = self.env.titles[docname].astext()
        link = nodes.reference("", f"Where it is tested: {title}", refuri=address, internal=True)
        return nodes.paragraph("", "", link, classes=["claim-where"])

    def markdown(self, text, css):
        """`text` read as the book's own Markdown, so that formulas and citations work in it."""
        box = nodes.container(classes=[css])
        self.state.nested_parse(text.splitlines(), self.content_offset, box)
        return box


def setup(app):
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.add_directive("evidence", Evidence)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
