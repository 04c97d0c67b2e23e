"""A Colab twin runs the same code as its chapter and shows no MyST."""

import json
import re
import subprocess
import sys

import jupytext
import pytest

from consilience.book import colab
from consilience.book.plain import Book, PlainError, citations, plain

MYST = [
    re.compile(r"\{[a-z][a-z:-]*\}`[^`\s]"),  # a role
    re.compile(r"^(:{3,}|`{3,})\{", re.M),  # a directive
    re.compile(r"^\([\w:.-]+\)=\s*$", re.M),  # a target
    re.compile(r"^:[\w-]+: ", re.M),  # an option
    re.compile(r"\$\$ *\([\w:-]+\)\s*$", re.M),  # the label of an equation
    re.compile(r"^\+\+\+", re.M),
]

CHAPTER = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

(ch-toy)=
# Toy

{cite:t}`huh2024` say so {cite:p}`huh2024,two2020`. See {ref}`ch-toy`, {eq}`eq-m`, {numref}`fig-m` and
{term}`Null`; the score is {glue:text}`score:.3f`. A literal `{role}` stays. [Cards](../book/metrics.md#metric-cka),
[here](#ch-toy).

$$
m = 1
$$ (eq-m)

% a comment

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-m
    caption: The score is {glue:text}`score:.2f`.
  image:
    alt: One dot.
tags: [hide-input]
---
score = 1 / 3
```

:::{note}
Mind the *null*.
:::

```{exercise-start} How much?
:label: ex-a
```
Compute it.

```{code-cell} ipython3
answer = None
```

```{exercise-end}
```

```{solution-start} ex-a
:class: dropdown
```

```{code-cell} ipython3
answer = 2
```

```{solution-end}
```

```python
{"not": "run"}
```

Term
: Its meaning.
"""

BIB = """
@misc{huh2024, author = {Huh, Minyoung and Cheung, Brian and Isola, Phillip}, title = {A}, year = {2024}}
@misc{two2020, author = {de Vries, Jan and Berg, Ida}, title = {B}, year = {2020}}
"""
PROJECT = """
[project]
name = "consilience"
version = "0.1.0"
[project.urls]
Repository = "https://github.com/some/where"
Book = "https://some.example/book/"
"""


@pytest.fixture
def repository(tmp_path):
    for folder in ("book", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_config.yml").touch()
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "book" / "references.bib").write_text(BIB)
    (tmp_path / "book" / "metrics.md").write_text("(metrics)=\n# Cards\n")
    (tmp_path / "notebooks" / "toy.md").write_text(CHAPTER)
    return tmp_path


@pytest.fixture
def book(repository):
    return Book.read(repository, colab.addresses(repository))


def texts(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.fixture
def toy(repository, book):
    return json.loads(colab.twin(repository / "notebooks" / "toy.md", book))


def test_code_is_the_chapter_s_after_the_install_cell(toy, repository):
    source = jupytext.reads(CHAPTER, fmt="md:myst")
    code = [cell.source for cell in source.cells if cell.cell_type == "code"]
    assert texts(toy, "code")[1:] == code
    assert "git+https://github.com/some/where" in texts(toy, "code")[0]


def test_no_myst_is_left(toy):
    for text in texts(toy, "markdown"):
        outside = re.sub(r"`{3}.*?`{3}", "", text, flags=re.S)
        assert not [pattern.pattern for pattern in MYST if pattern.search(outside)], text


def test_what_the_roles_become(toy):
    text = "\n".join(texts(toy, "markdown"))
    page = "https://some.example/book"
    assert f"[Huh et al. (2024)]({page}/book/references.html)" in text
    assert "de Vries and Berg, 2020" in text
    assert f"({page}/notebooks/toy.html#equation-eq-m)" in text
    assert f"({page}/notebooks/toy.html#fig-m)" in text
    assert f"[Cards]({page}/book/metrics.html#metric-cka)" in text
    assert f"[here]({page}/notebooks/toy.html#ch-toy)" in text
    assert "the score is `score`" in text
    assert "A literal `{role}` stays" in text
    assert '```python\n{"not": "run"}\n```' in text
    assert "a comment" not in text
    assert "> **Note.** Mind the *null*." in text
    assert "**Exercise (How much?).**" in text


def test_a_figure_keeps_its_caption_and_its_alternative_text(toy):
    text = "\n".join(texts(toy, "markdown"))
    assert "**Figure.** The score is `score`." in text and "One dot." in text


def test_solutions_and_hidden_cells_start_folded(toy):
    folded = [cell["metadata"] != {} for cell in toy["cells"] if cell["cell_type"] == "code"]
    assert folded == [True, True, False, True]  # install, hide-input, the exercise, its solution


def test_bytes_depend_on_the_sources_alone(repository, book):
    chapter = repository / "notebooks" / "toy.md"
    assert colab.twin(chapter, book) == colab.twin(chapter, Book.read(repository, colab.addresses(repository)))
    identities = [cell["id"] for cell in json.loads(colab.twin(chapter, book))["cells"]]
    assert len(set(identities)) == len(identities)


def test_check_fails_until_the_twin_is_written(repository, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    assert colab.main(["--check"]) == 1 and "toy.ipynb" in capsys.readouterr().out
    assert colab.main([]) == 0 and colab.main(["--check"]) == 0
    (repository / "notebooks" / "toy.md").write_text(CHAPTER.replace("1 / 3", "1 / 4"))
    assert colab.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{unknown}`x`", "unknown"),
        ("```{unknown}\nx\n```", "unknown"),
        ("{ref}`nowhere`", "nowhere"),
        ("{cite:t}`nobody`", "nobody"),
        ("```{note}\nnever closed", "never closed"),
        ("[a file](data.csv)", "data.csv"),
    ],
)
def test_what_has_no_plain_form_is_refused_by_name(book, text, named):
    with pytest.raises(PlainError, match=named):
        plain(text, book, "toy.md, cell 1")


def test_citations_count_the_authors():
    one = "@misc{a, author = {Mantel, Nathan}, title = {T}, year = {1967}}"
    others = "@misc{b, author = {Song, Le and others}, title = {T}, year = {2007}}"
    group = "@misc{c, author = {{The Tux Paint developers}}, title = {T}, year = {2002}}"
    assert citations(one)["a"] == ("Mantel", "1967")
    assert citations(others)["b"] == ("Song et al.", "2007")
    assert citations(group)["c"] == ("The Tux Paint developers", "2002")


def test_the_install_cell_does_nothing_where_the_version_is_there(toy, tmp_path):
    """Run it beside a package of that name and version, with a pip that would fail."""
    info = tmp_path / "site" / "consilience-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: consilience\nVersion: 0.1.0\n")
    spy = "import subprocess\nsubprocess.check_call = lambda command: print(command)\n"
    for version, source, expected in [
        ("0.1.0", "unused", ""),
        ("0.0.1", "git+https://some.example/x", "consilience[chapters] @ git+https://some.example/x"),
        ("0.0.1", str(tmp_path), f"{tmp_path}[chapters]"),
    ]:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: consilience\nVersion: {version}\n")
        ran = subprocess.run(
            [sys.executable, "-c", spy + texts(toy, "code")[0]],
            env={"PYTHONPATH": str(tmp_path / "site"), "CONSILIENCE_SOURCE": source},
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in ran.stdout and bool(expected) == bool(ran.stdout)


def test_the_committed_twins_are_current(root):
    book = Book.read(root, colab.addresses(root))
    chapters = sorted((root / "notebooks").glob("*.md"))
    assert chapters, "notebooks/ holds no chapter"
    for chapter in chapters:
        committed = chapter.with_suffix(".ipynb").read_bytes()
        assert committed == colab.twin(chapter, book), f"{chapter.name}: run python -m consilience.book.colab"
        for text in texts(json.loads(committed), "markdown"):
            outside = re.sub(r"`{3}.*?`{3}", "", text, flags=re.S)
            assert not [pattern.pattern for pattern in MYST if pattern.search(outside)], text
