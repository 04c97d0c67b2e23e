"""A changed metric can never show an old output: shown on a book of one chapter and a package of one function."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fresh
import pytest

CHAPTER = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Toy

```{code-cell} ipython3
import consilience
from consilience.book.glue import glue

glue("score", consilience.metric())
assert consilience.metric() > 0, "the claim of this chapter"
```

It is {glue:text}`score`.
"""
CONFIG = """\
title: Toy
only_build_toc_files: true
execute: {execute_notebooks: cache, raise_on_error: true}
sphinx:
  local_extensions: {fresh: EXT}
  config: {exclude_patterns: [_build, src]}
"""
PAGE = "# Page\n\nThe chapter says {glue:text}`../notebooks/toy.md::score:.2f`.\n"
TOC = "format: jb-book\nroot: book/page\nchapters:\n- file: notebooks/toy\n"


@pytest.fixture
def repository(tmp_path, root):
    for name, text in {
        "_config.yml": CONFIG.replace("EXT", str(root / "book" / "_ext")),
        "book/_toc.yml": TOC,
        "book/page.md": PAGE,
        "notebooks/toy.md": CHAPTER,
        "src/consilience/__init__.py": "def metric():\n    return 1.25\n",
        "src/consilience/book/__init__.py": "",
        "constraints.txt": "numpy\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(root / "src/consilience/book/glue.py", tmp_path / "src/consilience/book/glue.py")
    return tmp_path


def build(repository, package=None):
    """A bare `jupyter-book build` against the package in a folder; its exit status and what it said."""
    run = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    arguments = ["build", ".", "--toc", "book/_toc.yml", "-W", "-n", "--keep-going"]
    built = subprocess.run(
        [sys.executable, "-c", run, *arguments],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(package or repository / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    return built.returncode, built.stdout + built.stderr


def page(repository, name):
    return (repository / "_build" / "html" / f"{name}.html").read_text()


def test_a_changed_metric_reaches_every_page_or_fails_the_build(repository):
    metric = repository / "src/consilience/__init__.py"
    status, said = build(repository)
    assert status == 0, said
    assert "1.25" in page(repository, "notebooks/toy") and "1.25" in page(repository, "book/page")

    metric.write_text("def metric():\n    return 7.75\n")
    status, said = build(repository)
    assert status == 0, said
    for name in ("notebooks/toy", "book/page"):
        assert "7.75" in page(repository, name) and "1.25" not in page(repository, name)

    metric.write_text("def metric():\n    return -1\n")
    status, said = build(repository)
    assert status != 0 and "the claim of this chapter" in said
    assert build(repository)[0] != 0, "a failed build must fail again"


def test_a_warning_comes_again_until_its_cause_is_gone(repository):
    (repository / "book/page.md").write_text(PAGE + "\n{ref}`nowhere`\n")
    for _ in range(2):
        status, said = build(repository)
        assert status == 1 and "nowhere" in said
    (repository / "book/page.md").write_text(PAGE)
    assert build(repository)[0] == 0


def test_the_build_stops_when_the_installed_package_is_another(repository):
    installed = repository / "_site" / "consilience"
    shutil.copytree(repository / "src/consilience", installed)
    (repository / "src/consilience/__init__.py").write_text("def metric():\n    return 2\n")
    status, said = build(repository, installed.parent)
    assert status != 0 and "consilience/__init__.py differs" in said and "make book" in said


@pytest.mark.parametrize(
    "changed", ["src/consilience/__init__.py", "src/core/knn.cpp", "data/models.yaml", "constraints.txt"]
)
def test_the_fingerprint_follows_code_and_data(repository, changed):
    path = repository / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("one")
    before = fresh.fingerprint(repository)
    assert fresh.fingerprint(repository) == before
    path.write_text("two")
    assert fresh.fingerprint(repository) != before


def test_differences_name_the_file(repository):
    source, installed = repository / "src/consilience", repository / "_site/consilience"
    shutil.copytree(source, installed)
    assert fresh.differences(repository, installed) == []
    assert fresh.differences(repository, source) == []
    (installed / "core").mkdir()
    (installed / fresh.GENERATED).write_text("COMPILED = True")
    assert fresh.differences(repository, installed) == []
    (installed / "left_over.py").touch()
    (source / "new.py").touch()
    (repository / "data").mkdir()
    (repository / "data" / "models.yaml").write_text("a: 1")
    found = " ".join(fresh.differences(repository, installed))
    assert "left_over.py" in found and "new.py" in found and "models.yaml" in found


def test_chapters_are_read_before_the_pages_that_report_on_them():
    names = ["book/evidence", "book/how-to-use", "book/preface", "notebooks/vision"]
    fresh.chapters_first(None, None, names)
    assert names == ["notebooks/vision", "book/how-to-use", "book/evidence", "book/preface"]


def test_one_page_read_is_all_pages_read():
    env = type("Env", (), {"found_docs": {"a", "b"}})
    assert fresh.read_all_or_none(None, env, set(), {"a"}, set()) == {"a", "b"}
    assert fresh.read_all_or_none(None, env, set(), set(), set()) == []


def test_the_paths_that_name_chapters_exist(root):
    assert all((root / f"{name}.md").is_file() for name in fresh.REPORTS)
    assert Path(root / fresh.CHAPTERS).is_dir()
