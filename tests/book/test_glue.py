"""A number has a name: printed outside the book, handed to myst_nb inside it."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from consilience.book.glue import glue


@pytest.fixture
def in_the_book(monkeypatch):
    glued = {}
    monkeypatch.setenv("CONSILIENCE_BOOK", "1")
    fake = SimpleNamespace(glue=lambda name, value, display: glued.update({name: value}))
    monkeypatch.setitem(sys.modules, "myst_nb", fake)
    return glued


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1 / 3, "score = 0.333333"), (np.float64(0.25), "score = 0.25"), (498, "score = 498"), ("holds", "score = holds")],
)
def test_elsewhere_the_reader_sees_name_and_value(monkeypatch, capsys, value, shown):
    monkeypatch.delenv("CONSILIENCE_BOOK", raising=False)
    monkeypatch.setitem(sys.modules, "myst_nb", None)  # not installed
    glue("score", value)
    assert capsys.readouterr().out == shown + "\n"


def test_elsewhere_a_table_is_displayed(monkeypatch, capsys):
    monkeypatch.delenv("CONSILIENCE_BOOK", raising=False)
    glue("table", pd.DataFrame({"score": [0.5]}))
    assert "table =" in capsys.readouterr().out


def test_in_the_book_a_numpy_number_becomes_plain(in_the_book, capsys):
    glue("score", np.float64(0.25))
    glue("count", np.int64(3))
    assert in_the_book == {"score": 0.25, "count": 3}
    assert type(in_the_book["score"]) is float and type(in_the_book["count"]) is int
    assert capsys.readouterr().out == ""
