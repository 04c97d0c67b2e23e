"""align, compare and paired differences: what they say must be what happens."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import consilience as cs
from consilience.core import Orders
from consilience.metrics import neighborhood
from consilience.metrics.kernel import kernel_relation
from consilience.pairings import permuted_scores


def world(seed, n=80, shared=1.0):
    """Two noisy views of the same four hidden causes."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4))
    return tuple(shared * z @ rng.standard_normal((4, d)) + rng.standard_normal((n, d)) for d in (10, 14))


@pytest.mark.parametrize("metric", ["cka", "mutual_knn"])
def test_align_finds_what_is_shared_and_nothing_after_shuffling(metric):
    X, Y = world(0)
    true = cs.align(X, Y, metric=metric)
    shuffled = cs.align(X, Y[np.random.default_rng(1).permutation(len(Y))], metric=metric)
    assert true.p <= 1e-3
    assert true.calibrated > 0.1
    assert abs(shuffled.z) < 4
    assert shuffled.calibrated < 0.05
    assert "above chance" in str(true)
    assert true.score == pytest.approx(getattr(cs, metric)(X, Y))


def test_identical_representations_calibrate_to_one():
    X, _ = world(2)
    assert cs.align(X, X).calibrated == pytest.approx(1)
    assert cs.align(X, X, metric="mutual_knn", k=5).calibrated == pytest.approx(1)


def test_calibration_is_the_rank_rule_of_groeger():
    X, Y = world(3)
    found = cs.align(X, Y, method="permutations", draws=199, seed=7)
    chance = permuted_scores([kernel_relation(X)], [kernel_relation(Y)], Orders(80, 199, 7)).ravel()
    tau = np.sort(np.append(chance, found.score))[int(np.ceil(0.95 * 200)) - 1]
    assert found.calibrated == pytest.approx(max((found.score - tau) / (1 - tau), 0))
    assert found.p == (1 + (chance >= found.score).sum()) / 200


def test_compare_scores_every_pair_and_corrects_for_the_search():
    X, Y = world(4)
    rng = np.random.default_rng(5)
    a = {"noise": rng.standard_normal((80, 6)), "view": X}
    b = {"view": Y, "noise": rng.standard_normal((80, 6))}
    table = cs.compare(a, b, metrics=["cka", "mutual_knn"], draws=199, k=8)
    assert len(table) == 8
    best = table.sort_values("z").groupby("metric").tail(1)
    assert (best.layer_a + best.layer_b == "viewview").all()
    assert (best.p_max <= 0.01).all()
    assert (table.p_max >= table.p).all()
    row = table.query("metric == 'mutual_knn' and layer_a == 'view' and layer_b == 'view'").iloc[0]
    assert row.score == pytest.approx(cs.mutual_knn(X, Y, k=8))


def test_features_are_matched_by_the_ids_of_their_stimuli():
    X, Y = world(3)
    names, order = [f"s{i}" for i in range(len(X))], np.random.default_rng(0).permutation(len(X))
    features = cs.features.Features.of({"x": X}, {"model": "a"}, names)
    moved = cs.features.Features.of({"y": Y[order]}, {"model": "b"}, [names[i] for i in order])
    table = cs.compare(features, moved, draws=19)
    np.testing.assert_allclose(table.score, cs.compare({"x": X}, {"y": Y}, draws=19).score, rtol=1e-9)
    assert table.from_b[0].startswith("b")
    other = cs.features.Features.of({"y": Y}, {"model": "b"}, ["another", *names[1:]])
    with pytest.raises(cs.InputError, match="layers_a and layers_b do not name the same stimuli"):
        cs.compare(features, other, draws=19)


def test_the_maximum_over_many_independent_layers_is_not_significant_too_often():
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, b = ({str(i): rng.standard_normal((30, 5)) for i in range(5)} for _ in range(2))
        table = cs.compare(a, b, metrics=["cka"], draws=99, seed=seed)
        hits += table.p_max.min() <= 0.05
    assert hits <= 7  # the 0.999 quantile of a binomial with 40 tries at 0.05


@pytest.mark.parametrize("metric", ["cka", "mutual_knn"])
def test_intervals_cover_the_score_of_other_samples(metric):
    target = np.mean([cs.catalogue()[metric].score(*world_fixed(s)) for s in range(200, 300)])
    covered = 0
    for seed in range(40):
        X, Y = world_fixed(seed)
        low, high = cs.Resampled({"X": X, "Y": Y}, [("X", "Y")], metric, draws=60, seed=seed).interval("X", "Y")
        covered += low <= target <= high
    assert covered >= 34  # nominal 38 of 40; 34 is its 0.05 quantile minus one


def world_fixed(seed, n=80):
    """New stimuli, the same two models."""
    model = np.random.default_rng(99)
    A, B = model.standard_normal((4, 10)), model.standard_normal((4, 14))
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4))
    return z @ A + rng.standard_normal((n, 10)), z @ B + rng.standard_normal((n, 14))


@pytest.mark.parametrize(("metric", "k"), [("cka", None), ("mutual_knn", 10)])
@pytest.mark.parametrize("more", [0, 50])  # units: the matrix of relations is larger, or smaller, than they are
def test_a_subset_is_scored_as_if_it_were_all_there_is(metric, k, more):
    X, Y = (np.hstack([A, np.random.default_rng(1).standard_normal((len(A), more))]) for A in world(7))
    options = {"k": k} if k else {}
    scores = cs.Resampled({"X": X, "Y": Y}, [("X", "Y")], metric, draws=20, seed=5, **options)
    rng = np.random.default_rng(5)
    for found in scores.jackknife.draws[:, 0]:
        rows = np.sort(rng.choice(80, 64, replace=False))
        fewer = {"k": 8} if k else {}
        assert found == pytest.approx(cs.catalogue()[metric].score(X[rows], Y[rows], **fewer), rel=1e-9)


def test_galleries_are_scored_one_by_one_and_their_mean_is_taken():
    X, Y = world(8)
    galleries = [np.arange(30), np.arange(20, 70)]
    scores = cs.Resampled({"X": X, "Y": Y}, [("X", "Y")], "mutual_knn", draws=20, galleries=galleries, k=6)
    assert scores.scores["X", "Y"] == pytest.approx(np.mean([cs.mutual_knn(X[g], Y[g], k=6) for g in galleries]))


def test_a_difference_of_pairs_is_positive_when_one_shares_more():
    X, Y = world_fixed(1)
    noise = np.random.default_rng(2).standard_normal((80, 14))
    scores = cs.Resampled({"X": X, "Y": Y, "noise": noise}, [("X", "Y"), ("X", "noise")], "mutual_knn")
    value, low, high = scores.difference(("X", "Y"), ("X", "noise"))
    assert low < value < high
    assert low > 0
    assert scores.difference(("X", "Y"), ("X", "Y")) == (0, 0, 0)


def test_align_gives_an_interval_when_asked():
    X, Y = world(6)
    wide, narrow = (cs.align(X, Y, ci=level) for level in (0.99, 0.8))
    assert wide.ci[0] < narrow.ci[0] < cs.cka(X, Y) < narrow.ci[1] < wide.ci[1]
    assert "99 % interval" in str(wide)


SLOW, UNPAIRED = (
    "linear_predictivity",
    "gromov_wasserstein",
)  # what seeks the pairing itself loses little by a wrong one


@pytest.mark.parametrize("metric", sorted(set(cs.catalogue()) - {SLOW, UNPAIRED}))
def test_every_metric_finds_what_is_shared_and_nothing_in_noise(metric):
    X, Y = world(9, n=60, shared=2.0)
    noise = np.random.default_rng(10).standard_normal(Y.shape)
    true, chance = (cs.align(X, other, metric, draws=199) for other in (Y, noise))
    assert true.p <= 0.01
    assert true.calibrated > 0.05 or cs.catalogue()[metric].best is None
    assert chance.p > 0.005
    assert abs(chance.z) < 4
    assert "above chance" in str(true)


def test_a_distance_is_alike_where_it_is_small():
    X, Y = world(11, n=40)
    found = cs.align(X, Y, "procrustes", draws=199)
    chance = np.array([cs.procrustes(X, Y[order]) for order in Orders(40, 199, 0)])
    assert found.score < found.null_mean
    assert found.p == (1 + (chance <= found.score).sum()) / 200
    assert found.chance.quantile(0.95) < found.null_mean
    assert cs.align(X, X, "procrustes", draws=99).calibrated == pytest.approx(1)


@pytest.mark.parametrize("metric", ["rsa", "distance_correlation"])
def test_moments_of_other_relations_agree_with_permutations(metric):
    X, Y = world(12, n=40)
    exact, drawn = (cs.align(X, Y, metric, method=m, draws=3000) for m in ("moments", "permutations"))
    assert exact.null_mean == pytest.approx(drawn.null_mean, abs=5 * drawn.null_sd / 3000**0.5)
    assert exact.null_sd == pytest.approx(drawn.null_sd, rel=0.07)
    assert exact.null_skew == pytest.approx(drawn.null_skew, abs=0.25)


def test_compare_has_the_null_of_all_metrics_and_layers():
    X, Y = world(13)
    rng = np.random.default_rng(14)
    a, b = {"noise": rng.standard_normal((80, 6)), "view": X}, {"view": Y}
    metrics = ["cka", "procrustes", "rsa", "cca"]
    table = cs.compare(a, b, metrics, draws=99, ci=0.9)
    assert list(table.metric.unique()) == metrics
    assert {"null_skew", "p_all", "p_fdr", "rank_a", "width_b", "seconds", "low"} <= set(table.columns)
    assert (table.p_fdr >= table.p - 1e-12).all()
    assert (table.low < table.score).all() and (table.score < table.high).all()
    true, noise = table[table.layer_a == "view"], table[table.layer_a == "noise"]
    assert (true.p_all <= 0.02).all()
    assert (noise.p_all > 0.02).all()
    assert "most of all view and view" in repr(table)
    assert table.set_index("metric").method["cca"].iloc[0] == "permutations"
    assert table.set_index("metric").method["cka"].iloc[0] == "moments"


def test_the_maximum_over_metrics_is_not_significant_too_often():
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, b = ({str(i): rng.standard_normal((30, 5)) for i in range(3)} for _ in range(2))
        hits += cs.compare(a, b, ["cka", "mutual_knn", "rsa"], draws=99, seed=seed, k=4).p_all.min() <= 0.05
    assert hits <= 7


def test_neighbours_and_singular_vectors_are_computed_once_a_layer(monkeypatch):
    X, Y = world(18)
    Z = np.random.default_rng(19).standard_normal((80, 5))
    neighbours, vectors = [], []
    search, svd = neighborhood.neighbor_weights, np.linalg.svd

    def svd_of(A, **options):
        if len(A) == 80:  # of all stimuli; those of pairs are small
            vectors.append(A)
        return svd(A, **options)

    monkeypatch.setattr(neighborhood, "neighbor_weights", lambda X, *rest: neighbours.append(X) or search(X, *rest))
    monkeypatch.setattr(np.linalg, "svd", svd_of)
    metrics = ["mutual_knn", "cycle_knn", "cknna", "cca", "pwcca", "svcca"]
    cs.compare({"x": X, "z": Z}, {"y": Y}, metrics, draws=19, k=4)
    assert len(neighbours) == len(vectors) == 3


@pytest.mark.parametrize("size", [1e-6, 1e5])
def test_the_units_of_hsic_change_its_size_and_nothing_else(size):
    X, Y = world(17, shared=0.5)
    one, other = (cs.align(f * X, f * Y, "hsic") for f in (1, size))
    assert other.score == pytest.approx(size**4 * one.score)
    assert (other.p, other.z, other.null_skew) == pytest.approx((one.p, one.z, one.null_skew))
    noise = np.random.default_rng(18).standard_normal(Y.shape)
    small, same = (cs.compare({"x": f * X}, {"y": f * Y, "n": f * noise}, "hsic") for f in (size, 1))
    np.testing.assert_allclose(small[["p", "p_max", "p_all"]], same[["p", "p_max", "p_all"]])


def test_neighbours_say_how_many_of_how_many():
    X, Y = world(15)
    table = cs.compare({"x": X}, {"y": Y}, "mutual_knn", draws=99)
    assert table.k.item() == 10
    assert table.k_over_n.item() == 10 / 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"metrics": "ckaa"}, "metric"),
        ({"kk": 3}, "There is no option 'kk'"),
        ({"draws": 19, "alpha": 0.01}, "at least 99"),
        ({"exchange": "swap"}, "exchange"),
    ],
)
def test_compare_refuses(arguments, words):
    X, Y = world(16)
    with pytest.raises(cs.InputError, match=words):
        cs.compare({"x": X}, {"y": Y}, **arguments)
    with pytest.raises(cs.InputError, match="layers_b"):
        cs.compare({"x": X}, {"y": Y[:50]})


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak of memory")
def test_linear_cka_and_its_exact_null_store_no_matrix():
    """At n = 8,000 one matrix of float64 would be 512 MB."""
    code = """
        import resource, numpy as np, consilience as cs
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        whole = np.random.default_rng(0).standard_normal((8_000, 16), np.float32)
        for X in (whole[:100], whole):
            before = peak()
            found = cs.align(X, X[:, ::2], "cka", "moments", ci=0.95)
            assert "exact moments" in found.why, found.why
        print(peak() - before)
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert float(found.stdout) < 60
