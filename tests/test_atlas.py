"""Many models: the same table however it was run, and nothing lost by whoever is interrupted."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.core import Orders
from consilience.features import Features
from consilience.pieces import Pieces

METRICS = ["cka", "mutual_knn"]


def views(n=40, seed=0):
    """Four models that saw one world and one that saw another, two layers each."""
    rng = np.random.default_rng(seed)
    world, other = rng.standard_normal((2, n, 4))
    causes = {"a": world, "b": world, "c": world, "d": world, "alone": other}

    def layer(z):
        return z @ rng.standard_normal((4, 12)) + 0.2 * rng.standard_normal((n, 12))

    return {name: {"early": layer(z), "late": layer(z)} for name, z in causes.items()}


@pytest.fixture(scope="module")
def models():
    return views()


@pytest.fixture(scope="module")
def undisturbed(models):
    return cs.atlas(models, METRICS, draws=99, k=5, progress=False)


def test_each_pair_is_what_compare_finds(models, undisturbed):
    shared = ["metric", "layer_a", "layer_b", "score", "null_mean", "null_sd", "z", "p", "p_max", "calibrated"]
    for a, b in itertools.combinations(models, 2):
        table = cs.compare(models[a], models[b], METRICS, draws=99, k=5)
        part = undisturbed[(undisturbed.model_a == a) & (undisturbed.model_b == b)].reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.DataFrame(part[shared]), pd.DataFrame(table[shared]))


def test_the_whole_search_is_judged_by_its_own_maximum(models, undisturbed):
    largest = np.max([cs.compare(models[a], models[b], METRICS, draws=99, k=5).largest
                      for a, b in itertools.combinations(models, 2)], axis=0)  # fmt: skip
    expected = [(1 + (largest >= z - 1e-9).sum()) / 100 for z in undisturbed.z]
    assert undisturbed.p_atlas.tolist() == expected
    assert (undisturbed.p_atlas >= undisturbed.p_max - 1e-12).all()


def test_who_is_alike_and_who_is_not(undisturbed):
    wide = undisturbed.matrix("cka")
    assert wide.loc[[*"abcd"], [*"abcd"]].stack().min() > 0.5 > wide["alone"].max()
    pd.testing.assert_frame_equal(wide, wide.T)
    best = undisturbed.best()
    assert len(best) == 20
    together = ~best.model_b.eq("alone")
    assert (best.p_atlas[together] <= 0.01).all() and (best.p_atlas[~together] > 0.05).all()
    assert "of 10 pairs of models" in repr(undisturbed)
    agreement = undisturbed.agreement()
    assert list(agreement) == METRICS
    assert agreement.loc["cka", "mutual_knn"] > 0.5


def test_a_distance_is_judged_by_its_lower_tail(models):
    table = cs.atlas(models, "procrustes", draws=99, progress=False)
    wide = table.matrix("procrustes", "score")
    assert wide.loc["a", "b"] < wide.loc["a", "alone"]
    assert table.agreement("score").loc["procrustes", "procrustes"] == 1


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_joblib_backend_gives_the_same_table(models, undisturbed, backend):
    with joblib.parallel_config(backend):
        found = cs.atlas(models, METRICS, draws=99, k=5, n_jobs=2, progress=False)
    pd.testing.assert_frame_equal(found, undisturbed)


def test_a_dask_cluster_gives_the_same_table(models, undisturbed):
    distributed = pytest.importorskip("distributed")
    local = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    with local as cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        found = cs.atlas(models, METRICS, draws=99, k=5, n_jobs=2, progress=False)
    pd.testing.assert_frame_equal(found, undisturbed)


def test_what_is_kept_is_not_computed_again_and_names_are_but_names(models, undisturbed, tmp_path, monkeypatch):
    options = {"metrics": METRICS, "draws": 99, "k": 5, "keep": tmp_path, "progress": False}
    cs.atlas({name: models[name] for name in ("a", "b")}, **options)
    assert len(list(tmp_path.glob("*.json"))) == 1
    pd.testing.assert_frame_equal(cs.atlas(models, **options), undisturbed)
    monkeypatch.setattr(sys.modules["consilience.atlas"], "compared", None)
    pd.testing.assert_frame_equal(cs.atlas(models, **options), undisturbed)
    renamed = cs.atlas({f"new {name}": layers for name, layers in models.items()}, **options)
    assert renamed.score.tolist() == undisturbed.score.tolist()


def test_other_numbers_or_settings_are_other_pieces(models, tmp_path):
    two = {name: models[name] for name in ("a", "b")}
    options = {"draws": 99, "keep": tmp_path, "progress": False}
    cs.atlas(two, "cka", **options)
    cs.atlas(two, "cka", seed=1, **options)
    moved = two | {"b": {"early": two["b"]["early"] + np.eye(40, 12), "late": two["b"]["late"]}}
    first, last = (cs.atlas(models, "cka", **options).score for models in (two, moved))
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert first.tolist() != last.tolist()


@pytest.mark.parametrize("harm", [lambda text: text[:-20], lambda text: text.replace("0.", "1.", 1), lambda text: ""])
def test_a_harmed_piece_is_computed_again(models, tmp_path, harm):
    two = {name: models[name] for name in ("a", "b")}
    options = {"metrics": "cka", "draws": 99, "keep": tmp_path, "progress": False}
    expected = cs.atlas(two, **options)
    (file,) = tmp_path.glob("*.json")
    file.write_text(harm(file.read_text()))
    pd.testing.assert_frame_equal(cs.atlas(two, **options), expected)


def test_pieces_come_back_to_the_last_bit(tmp_path):
    numbers = [*np.random.default_rng(0).standard_normal(50).tolist(), 1e-310, 5, float("nan"), float("inf")]
    Pieces(tmp_path).write("key", numbers)
    np.testing.assert_array_equal(Pieces(tmp_path).read("key"), numbers)
    assert Pieces(tmp_path).read("other") is None
    assert Pieces().read("key") is None


def test_files_are_read_where_the_work_is_done_and_rows_are_matched_by_id(models, undisturbed, tmp_path):
    ids, rng = np.array([f"s{i:02}" for i in range(40)]), np.random.default_rng(0)
    paths = {}
    for name, layers in models.items():
        order = np.arange(40) if name == "a" else rng.permutation(40)
        paths[name] = tmp_path / f"{name}.npz"
        np.savez(paths[name], ids=ids[order], **{layer: X[order] for layer, X in layers.items()})
    found = cs.atlas(paths, METRICS, draws=99, k=5, n_jobs=2, progress=False)
    np.testing.assert_allclose(found.score, undisturbed.score, rtol=1e-12)
    np.testing.assert_allclose(found.p_atlas, undisturbed.p_atlas)


DIRECTED = ["pwcca", "cka", "information_imbalance"]


@pytest.fixture(scope="module")
def both_orders(models):
    return cs.atlas({name: models[name] for name in ("a", "b", "alone")}, DIRECTED, draws=29, k=3, progress=False)


def test_a_metric_that_is_not_symmetric_is_computed_in_both_orders(models, both_orders):
    assert both_orders.groupby("metric").size().to_dict() == {"cka": 12, "information_imbalance": 24, "pwcca": 24}
    for row in both_orders.itertuples():
        options = {"k": 3} if row.metric == "information_imbalance" else {}
        X, Y = models[row.model_a][row.layer_a], models[row.model_b][row.layer_b]
        assert row.score == pytest.approx(cs.catalogue()[row.metric].score(X, Y, **options))
    wide, cka = both_orders.matrix("pwcca", "score"), both_orders.matrix("cka")
    assert (wide.loc["a", "b"], wide.loc["b", "a"]) == tuple(
        both_orders.best().query("metric == 'pwcca'").set_index(["model_a", "model_b"]).score[[("a", "b"), ("b", "a")]]
    )
    assert wide.loc["a", "b"] != wide.loc["b", "a"]
    pd.testing.assert_frame_equal(cka, cka.T)
    mean = both_orders.mean_matrix("pwcca", "score")
    assert mean.loc["a", "b"] == mean.loc["b", "a"] == pytest.approx((wide.loc["a", "b"] + wide.loc["b", "a"]) / 2)
    assert "of 6 ordered pairs of models" in both_orders.sentence()
    assert "of 3 pairs of models" in both_orders.sentence()


def test_both_orders_are_in_the_search_under_the_same_pairings(models, both_orders):
    """Each pairing of stimuli applied by hand to every metric, every pair, both orders: the largest z of all."""
    cards, largest = cs.catalogue(), []
    rows = list(both_orders.itertuples())
    place = list(both_orders.models)
    for order in Orders(40, 29, 0):
        z = []
        for row in rows:
            X, Y = models[row.model_a][row.layer_a], models[row.model_b][row.layer_b]
            moved = (X, Y[order]) if place.index(row.model_a) < place.index(row.model_b) else (X[order], Y)
            options, sign = ({"k": 3}, -1) if row.metric == "information_imbalance" else ({}, 1)
            z.append(sign * (cards[row.metric].score(*moved, **options) - row.null_mean) / row.null_sd)
        largest.append(max(z))
    sign = np.where(both_orders.metric == "information_imbalance", -1, 1)
    expected = [(1 + (np.array(largest) >= z - 1e-9).sum()) / 30 for z in sign * both_orders.z]
    assert both_orders.p_atlas.tolist() == expected


def test_scores_do_not_hang_on_the_order_of_the_models(models, both_orders):
    turned = cs.atlas({name: models[name] for name in ("alone", "b", "a")}, DIRECTED, draws=29, k=3, progress=False)
    by = ["metric", "model_a", "model_b", "layer_a", "layer_b"]
    for metric in ("pwcca", "information_imbalance"):
        ours, theirs = (table.of(metric).set_index(by).score.sort_index() for table in (both_orders, turned))
        pd.testing.assert_series_equal(ours, theirs)


def test_each_order_is_a_piece_and_what_is_kept_is_taken(models, both_orders, tmp_path, monkeypatch):
    three = {name: models[name] for name in ("a", "b", "alone")}
    options = {"draws": 29, "k": 3, "keep": tmp_path, "progress": False}
    cs.atlas({name: three[name] for name in ("b", "alone")}, DIRECTED, **options)
    assert len(list(tmp_path.glob("*.json"))) == 2
    pd.testing.assert_frame_equal(cs.atlas(three, DIRECTED, **options), both_orders)
    kept = sorted(tmp_path.glob("*.json"))
    assert len(kept) == 6
    kept[2].unlink()
    pd.testing.assert_frame_equal(cs.atlas(three, DIRECTED, **options), both_orders)
    monkeypatch.setattr(sys.modules["consilience.atlas"], "compared", None)
    pd.testing.assert_frame_equal(cs.atlas(three, DIRECTED, **options), both_orders)


def test_an_option_that_only_symmetric_metrics_know_does_not_stop_the_other_order(models):
    found = cs.atlas({name: models[name] for name in "ab"}, ["pwcca", "mutual_knn"], draws=19, k=3, progress=False)
    assert found.groupby("metric").size().to_dict() == {"mutual_knn": 4, "pwcca": 8}


def test_features_tell_where_they_come_from(models, undisturbed, tmp_path):
    """At hand or in a file, beside models that do not know; and a kept piece brings no origin of another run."""
    origin = {"model": "vit", "weights": "trained"}
    a = Features.of({layer: X.astype(np.float32) for layer, X in models["a"].items()}, origin)
    Features.of(a.arrays, origin | {"model": "bert"}).save(tmp_path / "b.safetensors")
    options = {"metrics": "cka", "draws": 99, "keep": tmp_path / "kept", "progress": False}
    assert "from_a" not in cs.atlas({"a": dict(a), "c": models["c"]}, **options)
    found = cs.atlas({"a": a, "c": models["c"], "b": tmp_path / "b.safetensors"}, **options)
    bert = Features.load(tmp_path / "b.safetensors").origin
    assert found.origins == {"a": a.origin, "b": bert} and found.best().origins == found.origins
    said = found.drop_duplicates(["model_a", "model_b"]).set_index(["model_a", "model_b"])
    assert said.from_a["a", "c"] == a.origin.label and pd.isna(said.from_b["a", "c"])
    assert said.from_b["c", "b"] == bert.label and pd.isna(said.from_a["c", "b"])
    compared = cs.compare(a, Features.load(tmp_path / "b.safetensors"), "cka", draws=99)
    assert (said.from_a["a", "b"], said.from_b["a", "b"]) == (compared.from_a[0], compared.from_b[0])
    assert "from_a" not in undisturbed and undisturbed.origins == {}


def test_rows_of_features_are_matched_by_their_ids(models):
    ids, order = [f"s{i:02}" for i in range(40)], np.random.default_rng(1).permutation(40)
    a = Features.of(models["a"], {"model": "a"}, ids)
    b = Features.of({layer: X[order] for layer, X in models["b"].items()}, {"model": "b"}, [ids[i] for i in order])
    found = cs.atlas({"a": a, "b": b}, "cka", draws=19, progress=False)
    expected = cs.atlas({"a": models["a"], "b": models["b"]}, "cka", draws=19, progress=False)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-12)
    with pytest.raises(cs.InputError, match="do not name the same stimuli"):
        cs.atlas({"a": a, "b": Features.of(models["b"], {}, [*ids[1:], "other"])}, "cka", draws=19, progress=False)


def test_what_is_refused(models, tmp_path):
    with pytest.raises(cs.InputError, match="at least two models"):
        cs.atlas({"a": models["a"]})
    with pytest.raises(cs.InputError, match="is not there"):
        cs.atlas({"a": models["a"], "b": tmp_path / "b.npy"})
    with pytest.raises(cs.InputError, match="no option 'kk'"):
        cs.atlas(models, METRICS, kk=3)
    with pytest.raises(cs.InputError, match="name one metric"):
        cs.atlas(models, METRICS, draws=99, progress=False).matrix()


PROGRAM = """
    import sys, time
    import numpy as np
    sys.path.insert(0, {here!r})
    import consilience as cs
    from test_atlas import METRICS, views
    cs.atlas(views(), METRICS, draws=99, k=5, keep={keep!r}, progress=False)
"""


def test_killed_at_random_ten_times_it_ends_in_the_same_table(models, undisturbed, tmp_path):
    program = textwrap.dedent(PROGRAM.format(here=os.path.dirname(__file__), keep=str(tmp_path)))
    rng = np.random.default_rng(0)
    for _ in range(10):  # each is killed some time after its first piece, but for two that have not come so far
        done, patience = len(list(tmp_path.glob("[!.]*"))), rng.choice([1, 1, 1, 1, 0])
        running = subprocess.Popen([sys.executable, "-c", program])
        while running.poll() is None and patience and len(list(tmp_path.glob("[!.]*"))) == done:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.2))
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert len(list(tmp_path.glob("[!.]*"))) > 0
    found = cs.atlas(models, METRICS, draws=99, k=5, keep=tmp_path, progress=False)
    pd.testing.assert_frame_equal(found, undisturbed)


def test_the_command_line_runs_what_a_file_says(models, undisturbed, tmp_path):
    for name, layers in models.items():
        np.savez(tmp_path / f"{name}.npz", **layers)
    (tmp_path / "atlas.yaml").write_text(
        "models:\n" + "".join(f"  {name}: {name}.npz\n" for name in models) +
        "metrics: [cka, mutual_knn]\ndraws: 99\nk: 5\nkeep: kept\n"
    )  # fmt: skip
    table = tmp_path / "table.csv"
    done = run("atlas", tmp_path / "atlas.yaml", "-o", table)
    assert "cka:" in done.stdout
    np.testing.assert_allclose(pd.read_csv(table).score, undisturbed.score, rtol=1e-12)
    assert len(list((tmp_path / "kept").glob("*.json"))) == 10
    (tmp_path / "atlas.yaml").write_text("models: {a: a.npz, b: b.npz}\nmetric: cka\n")
    wrong = run("atlas", tmp_path / "atlas.yaml")
    assert wrong.returncode == 2 and "metric" in wrong.stderr


def run(*arguments):
    command = [sys.executable, "-m", "consilience.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)
