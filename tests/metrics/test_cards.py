"""What a card says of its metric, tried: each invariance, each non-invariance, and what every metric must do."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consilience as cs

CARDS = cs.catalogue()
CHANGES = {
    "rotation and reflection": lambda X, rng: X @ np.linalg.qr(rng.standard_normal((X.shape[1],) * 2))[0],
    "scale": lambda X, rng: 2.5 * X,
    "translation": lambda X, rng: X + 5 * rng.standard_normal(X.shape[1]),
    "other linear maps": lambda X, rng: X @ (np.eye(X.shape[1]) + 3 * rng.standard_normal((X.shape[1],) * 2)),
}
KEPT = [(name, change) for name, card in CARDS.items() for change in CHANGES if change in card.invariances]
LOST = [(name, change) for name, card in CARDS.items() for change in CHANGES if change in card.not_invariant]
ORDER = "order of the stimuli"


def arrays(seed, n=40, dx=6, dy=9):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx)) + rng.standard_normal((n, 1))  # units have something in common
    return X, X @ rng.standard_normal((dx, dy)) + 3 * rng.standard_normal((n, dy))


def test_every_card_speaks_of_every_change():
    assert len(KEPT) + len(LOST) == len(CHANGES) * len(CARDS)
    for card in CARDS.values():
        assert (ORDER in card.invariances) != (ORDER in card.not_invariant)


@pytest.mark.parametrize(("name", "change"), KEPT)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_does_not_see_what_its_card_says_it_does_not_see(name, change, seed):
    score, (X, Y) = CARDS[name].score, arrays(seed)
    changed = CHANGES[change](X, np.random.default_rng(seed))
    assert score(changed, Y) == pytest.approx(score(X, Y), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("name", "change"), LOST)
def test_sees_what_its_card_says_it_sees(name, change):
    score, (X, Y) = CARDS[name].score, arrays(0)
    changes = [score(CHANGES[change](X, np.random.default_rng(seed)), Y) - score(X, Y) for seed in range(5)]
    assert np.abs(changes).max() > 1e-3


@pytest.mark.parametrize("name", CARDS)
def test_the_order_of_the_stimuli(name):
    score, (X, Y) = CARDS[name].score, arrays(4)
    orders = [np.random.default_rng(seed).permutation(len(X)) for seed in range(3)]
    same = all(score(X[order], Y[order]) == pytest.approx(score(X, Y), rel=1e-7) for order in orders)
    assert same == (ORDER in CARDS[name].invariances)


@pytest.mark.parametrize("name", CARDS)
def test_x_and_y_may_change_places_if_the_card_says_so(name):
    score, pairs = CARDS[name].score, [arrays(seed) for seed in range(10, 14)]
    apart = max(abs(score(X, Y) - score(Y, X)) for X, Y in pairs)
    assert apart < 1e-9 if CARDS[name].symmetric else apart > 1e-3


@pytest.mark.parametrize("name", CARDS)
def test_nothing_is_more_alike_than_a_representation_with_itself(name):
    card, (X, Y) = CARDS[name], arrays(5, n=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        itself, other = card.score(X, X), card.score(X, Y)
    if card.best is not None:
        assert itself == pytest.approx(card.best, abs=1e-3)
        assert other <= itself if card.direction == "similarity" else other > itself
    elif card.direction == "distance":
        assert itself < other
    else:
        assert other**2 <= itself * card.score(Y, Y)


@pytest.mark.parametrize("name", CARDS)
def test_sides_meet_in_the_score_and_can_be_reordered(name):
    card, (X, Y) = CARDS[name], arrays(6)
    a, b = card.side(X), card.side(Y)
    assert a.n == len(X)
    assert card.meet(a, b) == pytest.approx(card.score(X, Y), rel=1e-9)
    order = np.random.default_rng(1).permutation(len(X))
    assert card.meet(a, b.reordered(order)) == pytest.approx(card.score(X, Y[order]), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("bad", ["nan", "rows", "constant", "few"])
def test_bad_input_never_gives_a_number(name, bad):
    X, Y = arrays(7)
    if bad == "nan":
        Y = Y.copy()
        Y[3, 2] = np.nan
    X, Y = {"rows": (X[:-1], Y), "constant": (X, np.ones_like(Y)), "few": (X[:3], Y[:3])}.get(bad, (X, Y))
    with pytest.raises(cs.InputError):
        CARDS[name].score(X, Y)


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_large_mean_costs_no_digits(name, dtype):
    X, Y = arrays(8, n=50)
    X, Y = ((100 * A + 3000).astype(dtype) for A in (X, Y))  # whatever the type rounds away is gone before
    exact = CARDS[name].score(X.astype(np.float64), Y.astype(np.float64))
    assert CARDS[name].score(X, Y) == pytest.approx(exact, abs=1e-6)


FAR = {
    **{name: {} for name, card in CARDS.items() if "translation" in card.invariances},
    "cka, rbf": {"kernel": "rbf"},
    "cka, laplacian": {"kernel": "laplacian"},
    "cka, biased": {"estimator": "biased"},
    "hsic, rbf": {"kernel": "rbf"},
    "mutual_knn, euclidean": {"similarity": "euclidean"},
    "cycle_knn, euclidean": {"similarity": "euclidean", "k": 3},
    "rsa, euclidean": {"dissimilarity": "euclidean"},
    "rsa, squared": {"dissimilarity": "squared_euclidean", "compare": "pearson"},
    "rsa, of correlations": {"dissimilarity": "correlation"},  # an offset that all units share
}


@pytest.mark.parametrize("name", FAR)
@pytest.mark.parametrize("offset", [100, 10_000])
def test_float32_far_from_the_origin_is_float64_at_the_origin(name, offset):
    """In standard deviations. The arrays are multiples of 2^-10, which float32 holds exactly wherever they lie."""
    score, options = CARDS[name.split(",")[0]].score, FAR[name]
    X, Y = (np.round(1024 * A / A.std()) / 1024 for A in arrays(11, n=300))
    far = [(A + offset).astype(np.float32) for A in (X, Y)]
    assert (far[0].astype(np.float64) - offset == X).all()
    assert score(*far, **options) == pytest.approx(score(X, Y, **options), rel=1e-7)
