"""Memory is asked for before it is taken."""

import numpy as np
import pytest

from consilience.check import InputError
from consilience.core import cross_correlation, kernel_sums, layer_sums, memory, neighbors


def test_what_fits_passes_and_what_does_not_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 3 * 2**30)
    memory.need(3 * 2**30, "This")
    with pytest.raises(InputError, match=r"This would take 4.5 GB of memory, and 3.0 GB are free"):
        memory.need(4.5 * 2**30, "This")
    memory.need(4.5 * 2**30, "This", free=5 * 2**30)  # elsewhere


def test_nothing_is_refused_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: None)
    memory.need(2**60, "This")


def test_the_machine_says_what_is_available(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  100 kB\nMemFree:  1 kB\nMemAvailable:  20 kB\n")
    assert memory.machine(meminfo) == 20 * 1024


def test_a_container_has_what_it_does_not_hold(tmp_path):
    for name, text in (("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", "inactive_file 50\n")):
        (tmp_path / name).write_text(text)
    assert memory.container(tmp_path) == 350
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.container(tmp_path) is None


@pytest.mark.parametrize(
    "compute",
    [
        lambda X: neighbors(X, 3),
        lambda X: kernel_sums(X, X, "rbf"),
        lambda X: layer_sums([X]),
        lambda X: layer_sums([X], kernel="rbf"),
        lambda X: cross_correlation(X, X),
    ],
    ids=["neighbors", "kernel_sums", "layer_sums by units", "layer_sums by tiles", "cross_correlation"],
)
def test_operations_ask(monkeypatch, compute):
    X = np.random.default_rng(0).standard_normal((50, 4))
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(InputError, match="of memory"):
        compute(X)
