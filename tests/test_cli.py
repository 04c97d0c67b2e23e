"""The command line: what it prints, and that errors are one line and a status."""

import numpy as np
import pytest
from typer.testing import CliRunner

from consilience.cli import app

run = CliRunner().invoke


def test_doctor_tells_which_path_computes_and_why():
    found = run(app, ["doctor"])
    assert found.exit_code == 0
    for word in ("consilience", "NumPy", "road taken", "CUDA"):
        assert word in found.output


def test_metrics_lists_every_card():
    found = run(app, ["metrics"], env={"COLUMNS": "200"})
    assert found.exit_code == 0
    assert "cka" in found.output
    assert "mutual_knn" in found.output


def test_align_scores_two_files(tmp_path):
    X = np.random.default_rng(0).standard_normal((40, 5))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", X @ np.ones((5, 2)) + X[:, :2])
    found = run(app, ["align", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--metric", "mutual_knn"])
    assert found.exit_code == 0
    assert "above chance" in found.output


@pytest.mark.parametrize("rows", [39, None])
def test_align_refuses_in_one_line(tmp_path, rows):
    X = np.random.default_rng(0).standard_normal((40, 5))
    np.save(tmp_path / "x.npy", X)
    if rows:
        np.save(tmp_path / "y.npy", X[:rows])
    found = run(app, ["align", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")])
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert found.stderr.startswith("consilience align: ")


def test_align_refuses_what_is_no_array(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"")
    found = run(app, ["align", str(tmp_path / "x.npy"), str(tmp_path / "x.npy")])
    assert found.exit_code == 2
    assert "x.npy" in found.stderr


def test_kit_refuses_a_name_that_is_none():
    found = run(app, ["kit", "no-such-model"])
    assert found.exit_code == 2
    assert "no-such-model" in found.stderr
    assert "efficientnet-lite0" in found.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "typed", "fetches"),
    [(["a"], [], "y\n", True), (["a"], [], "n\n", False), (["a"], ["--yes"], "", True), ([], [], "", True)],
)
def test_kit_shows_first_and_asks_before_it_fetches(monkeypatch, missing, arguments, typed, fetches):
    done = []
    monkeypatch.setattr("consilience.kit.show_plan", lambda names: done.append("shown") or missing)
    monkeypatch.setattr("consilience.kit.fetch", lambda names: done.append("fetched"))
    assert run(app, ["kit", *arguments], input=typed).exit_code == 0
    assert done == ["shown", "fetched"] if fetches else done == ["shown"]
