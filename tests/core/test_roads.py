"""The core as a guest in somebody's process: roads, interruption, forks, threads, memory."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from consilience.core import facts, neighbors, roads, show_versions

compiled = pytest.mark.skipif(not roads.compiled, reason="no compiled core")


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )


def normal(n, d):
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


def test_an_unknown_road_is_refused(monkeypatch):
    monkeypatch.setenv(roads.VARIABLE, "sse9")
    with pytest.raises(RuntimeError, match=r"CONSILIENCE_CORE is 'sse9'.*twin"):
        neighbors(normal(20, 3), 2)


def test_without_a_compiled_core_the_twin_says_so_once(monkeypatch):
    expected = neighbors(normal(40, 3), 2)
    monkeypatch.delenv(roads.VARIABLE, raising=False)
    monkeypatch.setattr(roads, "compiled", None)
    monkeypatch.setattr(roads, "_told", False)
    with pytest.warns(UserWarning, match="compiled core is missing") as told:
        for _ in range(2):
            np.testing.assert_array_equal(neighbors(normal(40, 3), 2)[0], expected[0])
    assert len(told) == 1
    assert told[0].filename == __file__


def test_facts_name_the_road_taken(monkeypatch, capsys):
    monkeypatch.setenv(roads.VARIABLE, "twin")
    assert facts()["road taken"] == "twin"
    show_versions()
    assert "NumPy" in capsys.readouterr().out
    monkeypatch.setattr(roads, "compiled", None)
    assert facts()["compiled core"].startswith("no")
    assert facts()["CUDA"].startswith("not compiled")


def test_the_core_is_the_door_to_no_other_library():
    """Importing the core loads neither PyTorch nor scikit-learn."""
    found = run("import sys, consilience.core; print({'torch', 'sklearn'} & set(sys.modules))")
    assert found.stdout.strip() == "set()", found.stderr


@compiled
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_survives_a_fork():
    X = normal(500, 20)
    expected = neighbors(X, 5, threads=3)[0]
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if (neighbors(X, 5, threads=3)[0] == expected).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@compiled
def test_can_be_called_from_several_threads():
    sets = [normal(400, d) for d in (3, 8, 20, 50)]
    expected = [neighbors(X, 6)[0] for X in sets]
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda X: neighbors(X, 6, threads=2)[0], sets * 5)
        for found, indices in zip(results, expected * 5, strict=True):
            np.testing.assert_array_equal(found, indices)


@compiled
@pytest.mark.parametrize(
    "call",
    [
        "neighbors(X, 5, threads=1)",
        "kernel_sums(X, X, 'rbf', threads=1)",
        "dissimilarities(X[:20_000], threads=1)",
        "kendall(X[:30_000].ravel(), X[1:30_001].ravel(), threads=1)",
        "layer_sums([X, X], kernel='rbf', threads=1)",
        "cross_correlation(X.T, X.T, thresholds=[.1], threads=1)",
        "relation_sums(X, threads=1)",
    ],
)
def test_an_interrupt_stops_it(call):
    """Many seconds of work on one thread; the alarm rings after half a second."""
    found = run(f"""
        import signal, time, numpy as np
        from consilience.core import cross_correlation, dissimilarities, kendall, kernel_sums, layer_sums, neighbors
        from consilience.core import relation_sums
        def ring(*_): raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, ring)
        X = np.random.default_rng(0).random((100_000, 512), np.float32)
        signal.setitimer(signal.ITIMER_REAL, .5)
        start = time.perf_counter()
        try:
            {call}
        except KeyboardInterrupt:
            print("stopped" if time.perf_counter() - start < 10 else "too late")
    """)
    assert found.stdout.strip() == "stopped", found.stderr


@compiled
@pytest.mark.parametrize(
    "call",
    [
        "neighbors(X, 10)",
        "kernel_sums(X, X, 'rbf')",
        "layer_sums([X, X], kernel='rbf')",
        "cross_correlation(X.T, X.T)",
        "relation_sums(X)",
    ],
)
def test_memory_grows_with_n_not_with_its_square(call):
    """At n = 16,000 the matrix of float32 would be a gigabyte."""
    found = run(f"""
        import resource, numpy as np
        from consilience.core import cross_correlation, kernel_sums, layer_sums, neighbors, relation_sums
        whole = np.random.default_rng(0).standard_normal((16_000, 16), np.float32)
        X = whole[:100]
        {call}
        X = whole
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        {call}
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    """)
    assert float(found.stdout) < 60, found.stderr
