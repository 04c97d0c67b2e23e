"""Long work tells how far it is, and stops when whoever listens has had enough."""

import sys

import numpy as np
import pytest

from consilience.core import progress, roads


@pytest.fixture
def heard(monkeypatch):
    """What a listener hears of a computation that takes a few tenths of a second."""
    if not roads.compiled:
        pytest.skip("no compiled core")
    X = np.random.default_rng(0).standard_normal((6000, 200)).astype(np.float32)
    indices, similarities = np.empty((6000, 3), np.int64), np.empty((6000, 3))

    def run(tell):
        roads.compiled.neighbors(
            X, None, "dot", indices, similarities, want_ties=False, isa="generic", threads=2, tell=tell
        )

    return run


def test_shares_of_the_work_are_told(heard):
    shares = []
    heard(shares.append)
    assert len(set(shares)) > 1
    assert all(0 < share <= 1 for share in shares)


def test_a_listener_can_stop_the_work(heard):
    def enough(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(enough)


def test_no_bar_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with progress.progress("anything") as tell:
        assert tell is None


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.progress("counting stars") as tell:
        tell(0.25)
    assert "counting stars" in capsys.readouterr().err
