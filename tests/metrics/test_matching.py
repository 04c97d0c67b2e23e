"""Retrieval of held-out pairs against plain loops over scikit-learn and SciPy."""

import numpy as np
import pytest
import sklearn.linear_model
from scipy.linalg import orthogonal_procrustes
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import KFold

import consilience as cs
from consilience.metrics.maps import PENALTIES, WAYS, Ridge
from consilience.metrics.matching import hits


def arrays(seed, n=48, dx=6, dy=6, noise=1.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + noise * rng.standard_normal((n, dy)) + 2


def by_anchors(x_train, y_train, x_test, y_test):
    return cosine_similarity(cosine_similarity(x_test, x_train), cosine_similarity(y_test, y_train))


def by_angles(x_train, y_train, x_test, y_test):
    turn = lambda a, b: np.arccos(cosine_similarity(a, b))  # noqa: E731
    return cosine_similarity(turn(x_test, x_train), turn(y_test, y_train))


def ridge(x_train, y_train, x_test):
    """One penalty by generalised cross-validation, with the hat matrix written out."""
    n, gram = len(x_train), x_train @ x_train.T
    best = np.inf, None
    for alpha in PENALTIES * np.trace(gram) / n:
        hat = np.ones((n, n)) / n + gram @ np.linalg.inv(gram + alpha * np.eye(n))
        error = n * np.square(y_train - hat @ y_train).sum() / np.trace(np.eye(n) - hat) ** 2
        best = min(best, (error, alpha))
    return sklearn.linear_model.Ridge(best[1]).fit(x_train, y_train).predict(x_test)


def by_ridge(x_train, y_train, x_test, y_test):
    return cosine_similarity(ridge(x_train, y_train, x_test), y_test)


def by_rotation(x_train, y_train, x_test, y_test):
    return cosine_similarity(x_test @ orthogonal_procrustes(x_train, y_train)[0], y_test)


def by_local_cka(x_train, y_train, x_test, y_test):
    with_one_more = lambda x, y: cs.cka(np.vstack([x_train, x]), np.vstack([y_train, y]), estimator="biased")  # noqa: E731
    return np.array([[with_one_more(x, y) for y in y_test] for x in x_test])


PLAIN = {
    "anchors": by_anchors,
    "indra": by_angles,
    "linear": by_ridge,
    "orthogonal": by_rotation,
    "local_cka": by_local_cka,
}


def found_among(X, Y, ks, how, folds, seed):
    """Share of mates among the k most similar, from X to Y: sort and look."""
    counts = np.zeros(len(ks))
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(X):
        A, B = X - X[train].mean(0), Y - Y[train].mean(0)
        table = how(A[train], B[train], A[test], B[test])
        for i, row in enumerate(table):
            counts += [i in np.argsort(-row)[:k] for k in ks]
    return counts / len(X)


@pytest.mark.parametrize("through", WAYS)
@pytest.mark.parametrize("seed", [0, 1])
def test_is_a_search_among_those_held_out(through, seed):
    X, Y = arrays(seed)
    ks, how = (1, 3), PLAIN[through]
    there, back = (found_among(A, B, ks, how, 4, seed) for A, B in ((X, Y), (Y, X)))
    table = cs.retrieval(X, Y, ks, through, folds=4, seed=seed, draws=19)
    assert table.score.to_numpy() == pytest.approx([*there, *back])
    for i, k in enumerate(ks):
        assert cs.recall(X, Y, k, through, folds=4, seed=seed) == pytest.approx((there[i] + back[i]) / 2)


@pytest.mark.parametrize("d", [2, 12, 40])
@pytest.mark.parametrize("noise", [0.01, 1, 10])
def test_the_penalty_is_that_of_generalised_cross_validation(d, noise):
    X, Y = (A - A[:16].mean(0) for A in arrays(7, n=20, dx=d, noise=noise))
    found = Ridge(X[:16], X[16:]).predict(Y[:16])
    assert found == pytest.approx(ridge(X[:16], Y[:16], X[16:]), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("through", WAYS)
@pytest.mark.parametrize("widths", [(4, 90), (90, 4), (70, 90)], ids=str)
def test_the_same_shape_in_spaces_of_any_width_is_found(through, widths):
    rng = np.random.default_rng(2)
    shape = rng.standard_normal((30, 4))
    X, Y = (shape @ np.linalg.qr(rng.standard_normal((width, 4)))[0].T for width in widths)
    assert cs.recall(X, Y, 1, through) == 1


def test_other_pairs_to_learn_from_are_those_of_the_order():
    X, Y = (A - A.mean(0) for A in arrays(3, n=30))
    order = np.random.default_rng(0).permutation(20)
    for way in WAYS.values():
        shuffled = way(X[:20], X[20:], Y[:20], Y[20:]).similarities(order)
        paired = way(X[:20], X[20:], Y[:20][order], Y[20:]).similarities(np.arange(20))
        for a, b in zip(shuffled, paired, strict=True):
            assert a == pytest.approx(b, abs=1e-9)


def test_ties_share_their_places():
    table = np.array([[5.0, 5, 5, 1], [9, 7, 7, 0], [3, 2, 1, 0], [0, 0, 0, 4]])
    # mates: tied with two others for three places; tied with one for places two and three; third; first
    expected = [1 / 3 + 0 + 0 + 1, 2 / 3 + 1 / 2 + 0 + 1, 1 + 1 + 1 + 1]
    assert hits((table, table), [1, 2, 3]) == pytest.approx(np.array([expected, expected]))


def test_a_map_that_learned_nothing_finds_by_chance():
    X = np.vstack([np.tile([1.0, 0], (10, 1)), np.tile([0.0, 1], (10, 1))])
    Y = np.random.default_rng(4).standard_normal((20, 3))
    tables = WAYS["linear"](np.zeros((10, 2)), X[:10], Y[:10], Y[10:]).similarities(np.arange(10))
    assert hits(tables, [1, 5])[0] == pytest.approx([1, 5])


def test_groups_are_held_out_together():
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(12), 10)
    voices = rng.standard_normal((2, 12, 15))
    X, Y = (voice[speaker] + 0.1 * rng.standard_normal((120, 15)) for voice in voices)
    assert cs.recall(X, Y, k=3, through="linear", folds=3) > 0.4  # who speaks is known from the speaker's other words
    assert cs.recall(X, Y, k=3, through="linear", folds=3, groups=speaker) < 0.2


def test_refuses_what_cannot_be_held_out_or_found():
    X, Y = arrays(6, n=20)
    with pytest.raises(cs.InputError, match="k is 4, but a fold holds out only 4"):
        cs.recall(X, Y, k=4)
    with pytest.raises(cs.InputError, match="k is 0"):
        cs.recall(X, Y, k=0)
    with pytest.raises(cs.InputError, match="through is 'magic'"):
        cs.recall(X, Y, through="magic")
    with pytest.raises(cs.InputError, match="use at most 5"):
        cs.recall(X, Y, folds=6)
