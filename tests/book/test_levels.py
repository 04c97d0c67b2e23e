"""The table of what chance is called, from a record as `benchmarks/level.py` writes it."""

import levels


def row(metric, method, sets, pairings, called):
    return {"n": 40, "metric": metric, "world": "Gaussian", "method": method, "sets": sets, "pairings": pairings} | {
        "called_alike": dict(zip(("0.05", "0.01"), called, strict=True))
    }


def test_sets_count_alike_however_many_pairings_each_was_given():
    rows = [
        row("cka", "moments", 30, 30_000, (1_500, 300)),
        row("cka", "permutations", 10, 50, (4, 1)),
        row("rsa", "permutations", 40, 200, (10, 2)),
        row("hsic", "moments", 40, 40_000, (2_000, 404)),
    ]
    table = levels.markdown({"rows": rows}, 40)
    assert "* - Gaussian" in table
    assert "  - 5.8 · 1.2 (°)" in table  # three quarters of 5 and one of 8; of 1 and 2
    assert "  - 5 · 1 °" in table
    assert "  - 5 · 1" in table
