"""The Sphinx extensions of the book are no package: their folder is put on the path, as Jupyter Book does."""

import sys
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from consilience.book.claims import MIME

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))


@pytest.fixture
def root():
    return ROOT


@pytest.fixture(scope="session")
def claims_of():
    """A function: the claims that a run of a chapter records, by id; with code put in after its features were made."""

    def run(chapter, inserted=None):
        notebook = jupytext.read(ROOT / "notebooks" / f"{chapter}.md")
        if inserted:
            (place,) = (i for i, cell in enumerate(notebook.cells) if "features" in cell.metadata.get("tags", []))
            notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(inserted))
        nbclient.NotebookClient(notebook, timeout=1800, kernel_name="python3").execute()
        outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
        found = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
        return {claim["id"]: claim for claim in found}

    return run
