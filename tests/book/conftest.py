"""The Sphinx extensions of the book are no package: their folder is put on the path, as Jupyter Book does."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))


@pytest.fixture
def root():
    return ROOT
