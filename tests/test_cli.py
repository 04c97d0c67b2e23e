"""The command line: what it prints, and that errors are one line and a status."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from consilience.cli import app
from consilience.features import Features
from consilience.features.origin import Origin

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


def two_models(tmp_path, ids=True):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 5))
    order = rng.permutation(40)
    named = {"ids": np.arange(40)} if ids else {}
    np.savez(tmp_path / "a.npz", early=rng.standard_normal((40, 4)), late=X, **named)
    shuffled = {"ids": order} if ids else {}
    np.savez(tmp_path / "b.npz", last=(X @ rng.standard_normal((5, 6)))[order], **shuffled)
    return [str(tmp_path / "a.npz"), str(tmp_path / "b.npz")]


def test_compare_matches_rows_by_id_and_prints_json(tmp_path):
    found = run(app, ["compare", *two_models(tmp_path), "--json", "--metric", "cka", "mutual_knn"])
    assert found.exit_code == 0, found.output
    rows = json.loads(found.output)
    assert {(row["metric"], row["layer_a"], row["layer_b"]) for row in rows} == {
        (metric, layer, "last") for metric in ("cka", "mutual_knn") for layer in ("early", "late")
    }
    late = next(row for row in rows if row["metric"] == "cka" and row["layer_a"] == "late")
    assert late["p"] <= 1e-3
    assert late["score"] > 0.5


def test_compare_takes_features_matched_by_id_and_says_where_they_come_from(tmp_path):
    rng = np.random.default_rng(0)
    X, order, names = rng.standard_normal((40, 5)), rng.permutation(40), np.array([f"picture {i}" for i in range(40)])
    Features.of({"late": X}, {"model": "vit"}, names).save(tmp_path / "a.safetensors")
    Features.of({"last": X[order]}, {"model": "bert"}, names[order]).save(tmp_path / "b.safetensors")
    found = run(app, ["compare", str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors"), "--json"])
    for row in json.loads(found.output):
        assert row["score"] == pytest.approx(1, abs=1e-6)
        assert row["from_a"] == Origin({"model": "vit"}).label and row["from_b"].startswith("bert ")


def test_compare_says_what_stands_out(tmp_path):
    found = run(app, ["compare", *two_models(tmp_path), "--metric", "mutual_knn", "--k", "5"])
    assert "most of all late and last" in found.output


def test_compare_refuses_in_one_line(tmp_path):
    found = run(app, ["compare", *two_models(tmp_path), "--metric", "ckka"])
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "choose one of" in found.stderr


def test_align_takes_labels_from_a_file(tmp_path):
    X = np.random.default_rng(0).standard_normal((40, 5))
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "groups.txt").write_text("\n".join("ab"[i % 2] for i in range(40)))
    x = str(tmp_path / "x.npy")
    found = run(app, ["align", x, x, "--groups", str(tmp_path / "groups.txt")])
    assert "within 2 groups" in found.output


def test_encode_writes_a_file_that_compare_takes(tmp_path, monkeypatch):
    Image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("CONSILIENCE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    (tmp_path / "seen").mkdir()
    for i in range(5):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / f"seen/{i}.png")
    out = str(tmp_path / "pixels.safetensors")
    found = run(app, ["encode", "pixels", str(tmp_path / "seen"), "-o", out])
    assert found.exit_code == 0, found.output
    assert "5 stimuli, 1 layers" in found.output and "pixels, on 5 stimuli of seen" in found.output
    features = Features.load(out)
    assert features.ids == tuple("01234")
    picture = np.asarray(Image.open(tmp_path / "seen/3.png")) / 255
    np.testing.assert_allclose(features["pixels"][3], picture.transpose(2, 0, 1).ravel(), atol=1e-6)
    again = run(app, ["compare", out, out, "--metric", "cka", "--json"])
    assert json.loads(again.output)[0]["score"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "folder", "out", "words"),
    [
        ("pixels", "empty", "x.safetensors", "holds no pictures"),
        ("pixels", "both", "x.safetensors", "the image of 'a' cannot be used"),
        ("pixels", "latin", "x.safetensors", "latin/c.txt is not in UTF-8"),
        ("pixels", "texts", "x.npz", "must end in .safetensors"),
        ("no-such-model", "texts", "x.safetensors", "no-such-model"),
        ("pixels", "no-such-data", "x.safetensors", "no-such-data"),
    ],
)
def test_encode_refuses_in_one_line(tmp_path, model, folder, out, words):
    for name, files in {"empty": [], "both": ["a.png", "b.txt"], "texts": ["b.txt"]}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_text("a word")
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin/c.txt").write_bytes("déjà vu".encode("latin-1"))
    place = str(tmp_path / folder) if (tmp_path / folder).is_dir() else folder
    found = run(app, ["encode", model, place, "-o", str(tmp_path / out)])
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1 and words in found.stderr
    assert not (tmp_path / out).exists()
