"""A benchmark's record, of a task that takes no time."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import one_run
import side_by_side

TASK = """
import os, sys, time
sys.path.insert(0, {benchmarks!r})
from side_by_side import Task, main

def stuck(n):
    time.sleep(60 if n > 200 else 0)

def greedy(n):
    if n > 200:
        raise MemoryError
    return n

TASK = Task(
    file=__file__,
    title="counting to {{n:,}} by {{step}}",
    options={{"n": 1000, "step": 2, "threads": 1, "repeats": 3}},
    contenders={{
        "consilience": lambda n: n,
        "consilience, otherwise": lambda n: n,
        "numpy": lambda n: n + 0.25,
        "scipy": greedy,
        "pip": stuck,
        "no-such-thing": None,
    }},
    data=lambda options: options["n"],
    run=lambda contender, data, options: contender(data),
    score=lambda result, options: float(result),
    score_name="count",
    digits=1,
    flops=lambda options: 4e9,
    truth=lambda data, options: data,
)

if __name__ == "__main__":
    main(TASK, __doc__)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    file = folder / "counting.py"
    file.write_text(TASK.format(benchmarks=str(Path(side_by_side.__file__).parent)))
    space = {"__name__": "counting", "__file__": str(file)}
    exec(file.read_text(), space)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side_by_side, "RESULTS", folder)
        patch.setattr(side_by_side, "settings", lambda: ([], {"stock": {}}))
        patch.setattr(side_by_side, "peaks", lambda: {"wide": 100.0, "narrow": 50.0})
        patch.setattr(sys, "argv", [str(file), "--n", "3000", "1000", "--repeats", "1", "--patience", "6"])
        side_by_side.main(space["TASK"], "")
    return json.loads((folder / "counting.json").read_text())


def test_a_record_is_flat_and_says_who_was_stopped_and_why(recorded):
    assert recorded["task"] == "counting to n by 2" and recorded["options"] == {"step": 2, "repeats": 1}
    assert "no-such-thing" not in recorded["versions"]
    rows = {(run["n"], run["contender"], run["setting"]): run for run in recorded["runs"]}
    assert [run["n"] for run in recorded["runs"]] == sorted(run["n"] for run in recorded["runs"])
    assert rows[1000, "scipy", "stock"]["stopped"] == one_run.NO_MEMORY
    assert rows[1000, "pip", "stock"]["stopped"] == "after 6 s"
    assert (3000, "scipy", "stock") not in rows and (3000, "pip", "stock") not in rows
    theirs = rows[3000, "numpy", "stock"]
    assert theirs["score"] == 3000.25 and theirs["error"] == 0.25
    assert theirs["share_of_peak"] == pytest.approx(4 / (100 * theirs["cpu_seconds"]))
    assert theirs["cpu_seconds_min"] <= theirs["cpu_seconds"] <= theirs["cpu_seconds_max"]


def test_ours_runs_with_narrower_instructions_at_the_benchmarks_own_size(recorded):
    roads = pytest.importorskip("consilience.core.roads")
    settings = {
        n: {r["setting"] for r in recorded["runs"] if (r["n"], r["contender"]) == (n, "consilience")}
        for n in (1000, 3000)
    }
    isas = roads.isas() or ["twin"]
    assert settings == {1000: set(isas), 3000: {isas[0]}}
    assert {r["n"] for r in recorded["runs"] if r["contender"] == "consilience, otherwise"} == {1000, 3000}
