"""The evidence page and the metric cards, made from recorded data, in a book built for the purpose."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"
CHAPTER = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Toy

```{code-cell} ipython3
from IPython.display import display
claim = CLAIM
html = f'<div class="claim" id="claim-{claim["id"]}">{claim["verdict"]}</div>'
display({"application/vnd.consilience.claim+json": claim, "text/html": html}, raw=True)
```
"""
CLAIM = {
    "id": "toy-neighbours",
    "chapter": "toy",
    "statement": "Two encoders share neighbours at $k = 10$.",
    "study": ["huh2024"],
    "statistic": "mutual k-NN",
    "stimuli": "498 <stamps>",
    "n": 1498,
    "k": 10,
    "seed": None,
    "tests": [
        {
            "case": "a and b",
            "scale": "local",
            "name": "chance",
            "value": 0.2154,
            "low": None,
            "high": None,
            "p": 1e-9,
            "passed": True,
        },
        {
            "case": "a and b",
            "scale": "local",
            "name": "pixels",
            "value": -0.02,
            "low": -0.04,
            "high": 0.001,
            "p": None,
            "passed": False,
        },
    ],
    "verdict": "holds locally",
    "why": "one of two tests passed",
}
PACKAGE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Card:
    name: str = "toy"
    title: str = "A toy metric"
    formula: str = r"m = \\frac{1}{n}"
    source: str = "huh2024"
    value_range: str = "[0, 1]"
    direction: str = "similarity"
    scale: str = "local"
    invariances: tuple = ("rotation", "scale")
    not_invariant: tuple = ()
    null: str = "$k/(n-1)$"
    cost: str = "$O(n^2)$"
    misleads: str = "never"
    symmetric: bool = False
    does_not_find: tuple = ("layers",)

def catalogue():
    return {"toy": Card()}
"""
CLAIMS = (EXTENSIONS.parents[1] / "src" / "consilience" / "book" / "claims.py").read_text()  # the real one
CONFIG = """\
title: Toy
only_build_toc_files: true
execute: {execute_notebooks: cache, raise_on_error: true}
bibtex_bibfiles: [book/references.bib]
sphinx:
  local_extensions: {evidence: EXT, cards: EXT, fresh: EXT}
  config:
    exclude_patterns: [_build, src]
    suppress_warnings: [myst.domains, mystnb.unknown_mime_type]
"""
BIB = "@misc{huh2024, author = {Huh, Minyoung and Cheung, Brian and Wang, Tongzhou}, title = {A}, year = {2024}}\n"
TOC = """\
format: jb-book
root: book/page
chapters:
- file: notebooks/toy
- file: book/evidence
- file: book/metrics
"""
PAGES = {
    "book/page.md": "# Page\n\n{ref}`metric-toy`\n\n```{bibliography}\n```\n",
    "book/evidence.md": "# Evidence\n\n```{evidence}\n```\n",
    "book/metrics.md": "# Cards\n\n```{metric-cards}\n```\n",
    "book/_toc.yml": TOC,
    "book/references.bib": BIB,
    "src/consilience/__init__.py": PACKAGE,
    "src/consilience/book/__init__.py": "",
    "src/consilience/book/claims.py": CLAIMS,
    "src/consilience/conventions.py": "CONVENTIONS = {}\n",
    "src/consilience/metrics.py": "def catalogue():\n    return {}\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build with a claim; the pages as text, or what the build said."""

    def build(claim=CLAIM):
        folder = tmp_path_factory.mktemp("toy")
        config = CONFIG.replace("EXT", str(EXTENSIONS))
        chapter = CHAPTER.replace("CLAIM", repr(claim), 1)
        for name, text in {**PAGES, "_config.yml": config, "notebooks/toy.md": chapter}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
        arguments = ["build", ".", "--toc", "book/_toc.yml", "-W", "-n", "--keep-going"]
        environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", run, *arguments], cwd=folder, env=environment, capture_output=True, text=True
        )
        html = folder / "_build" / "html"
        pages = {path.relative_to(html).as_posix(): path.read_text() for path in html.rglob("*.html")}
        return done.returncode, done.stdout + done.stderr, pages

    return build


@pytest.fixture(scope="module")
def pages(built):
    status, said, pages = built()
    assert status == 0, said
    return pages


def test_evidence_shows_the_claim_with_its_numbers(pages):
    page = pages["book/evidence.html"]
    for words in (
        "Toy: neighbours",
        '<span class="verdict verdict-holds-locally"><span class="mark">◐ </span>holds locally</span>',
        "0.215",
        "≤ 0.0001",
        "[−0.040, 0.001]",
        "n = 1,498",
        "498 &lt;stamps&gt;",
        "One of two tests passed.",
        "1 of 2 tests passed",
    ):
        assert words in page, words
    assert "seed" not in page


def test_evidence_links_to_the_study_and_to_the_output(pages):
    assert 'href="../notebooks/toy.html#claim-toy-neighbours"' in pages["book/evidence.html"]
    assert 'id="claim-toy-neighbours"' in pages["notebooks/toy.html"]
    assert "Huh" in pages["book/evidence.html"] and "page.html#id" in pages["book/evidence.html"]


def test_formulas_in_statements_are_formulas(pages):
    assert r"\(k = 10\)" in pages["book/evidence.html"]


@pytest.mark.parametrize(
    ("claim", "named"),
    [({**CLAIM, "verdict": "true"}, "no known verdict"), ({"id": "half", "verdict": "holds locally"}, "lacks")],
)
def test_a_malformed_claim_fails_the_build(built, claim, named):
    status, said, _ = built(claim)
    assert status == 1 and named in said


def test_a_card_is_a_section_that_others_can_point_at(pages):
    page = pages["book/metrics.html"]
    assert 'id="metric-toy"' in page and "A toy metric" in page
    for words in (
        "consilience.toy(X,",
        "[0, 1]",
        "rotation; scale",
        "higher is more alike",
        r"\frac{1}{n}",
        "change places",
        "which layer",
    ):
        assert words in page, words
    assert "metrics.html#metric-toy" in pages["book/page.html"]
