"""The same work on many things: all of it, in order, and no longer than somebody wants it."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from consilience.core import progress, roads
from consilience.core.each import each
from consilience.metrics.once import once, shared


def test_results_come_in_the_order_of_the_items():
    assert each(lambda i: i * i, range(50), "squares") == [i * i for i in range(50)]


def test_blas_takes_one_thread_within_and_as_many_as_before_after():
    def threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    assert all(set(seen) <= {1} for seen in each(lambda _: threads(), range(3), "looking"))
    assert threads() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_first_error_ends_the_work(error, monkeypatch):
    monkeypatch.setattr(roads, "thread_count", lambda: 1)
    done = []

    def work(i):
        if i == 2:
            raise error
        done.append(i)

    with pytest.raises(error):
        each(work, range(5_000), "work")
    assert len(done) < 5_000


def test_what_is_shared_is_shared_by_all_threads():
    computed = []
    X = np.zeros((3, 2))

    @once
    def total(X, power):
        computed.append(threading.get_ident())
        return (X**power).sum()

    with shared():
        assert total(X, 1) == 0
        each(lambda _: total(X, 1), range(5), "totals")
        total(X, 2)
        total(X + 1, 1)
    assert len(computed) == 3
    X += 1
    assert total(X, 1) == 6


def test_work_within_work_shows_no_bar_of_its_own(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with progress.progress("outside") as tell:
        assert tell
        with progress.progress("inside") as silent:
            assert silent is None
    with progress.progress("afterwards") as tell:
        assert tell
