"""Linear predictivity against scikit-learn, step by step, and where it must be high, low or refused."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import KFold

import consilience as cs
from consilience.metrics.prediction import ALPHAS, INNER_FOLDS


def arrays(seed, n=60, dx=5, dy=4, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dx))
    return X, X @ rng.standard_normal((dx, dy)) + noise * rng.standard_normal((n, dy))


def held_out(X, Y, folds, seed):
    """Each unit of Y with its own penalty, chosen by an inner division: plain loops over scikit-learn."""
    X = X - X.mean(0)
    X = X / np.sqrt(np.square(X).sum(1).mean())

    def fitted(train, test, alpha, j):
        x_mean, y_mean = X[train].mean(0), Y[train, j].mean()
        model = KernelRidge(alpha=alpha).fit(X[train] - x_mean, Y[train, j] - y_mean)
        return model.predict(X[test] - x_mean) + y_mean

    scores = []
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(X):
        for j in range(Y.shape[1]):
            losses = [
                np.mean(
                    [
                        np.square(fitted(train[a], train[b], alpha, j) - Y[train[b], j]).mean()
                        for a, b in KFold(INNER_FOLDS).split(train)
                    ]
                )
                for alpha in ALPHAS
            ]
            predicted = fitted(train, test, ALPHAS[np.argmin(losses)], j)
            scores.append(np.corrcoef(predicted, Y[test, j])[0, 1])
    return np.mean(scores)


def test_is_a_ridge_regression_held_out():
    X, Y = arrays(0, noise=3)
    assert cs.linear_predictivity(X, Y, folds=3, seed=4) == pytest.approx(held_out(X, Y, 3, 4), rel=1e-6)


def test_what_follows_is_predicted_and_what_does_not_is_not():
    X, Y = arrays(1, n=200, noise=1e-3)
    assert cs.linear_predictivity(X, Y, "r2") == pytest.approx(1, abs=1e-3)
    noise = np.random.default_rng(2).standard_normal((200, 30))
    assert abs(cs.linear_predictivity(X, noise)) < 0.1
    assert cs.linear_predictivity(X, noise, "r2") < 0.02


def test_is_not_symmetric():
    rng = np.random.default_rng(3)
    rich = rng.standard_normal((120, 20))
    poor = rich[:, :1]
    assert cs.linear_predictivity(rich, poor) > 0.9
    assert cs.linear_predictivity(poor, rich) < 0.3


def test_groups_are_held_out_together():
    rng = np.random.default_rng(4)
    speaker = np.repeat(np.arange(12), 10)
    voice_x, voice_y = rng.standard_normal((2, 12, 15))
    X, Y = (
        voice_x[speaker] + 0.1 * rng.standard_normal((120, 15)),
        voice_y[speaker] + 0.1 * rng.standard_normal((120, 15)),
    )
    assert cs.linear_predictivity(X, Y) > 0.8  # who speaks is known from other words of the speaker
    assert cs.linear_predictivity(X, Y, groups=speaker) < 0.4


def test_units_that_do_not_vary_are_left_out():
    X, Y = arrays(5)
    with_dead = np.hstack([Y, np.ones((len(Y), 2))])
    assert cs.linear_predictivity(X, with_dead) == pytest.approx(cs.linear_predictivity(X, Y))


@pytest.mark.parametrize("score", ["correlation", "r2"])
def test_the_size_of_a_unit_says_nothing_and_nor_does_where_it_lies(score):
    X, Y = arrays(7)
    expected = cs.linear_predictivity(X, Y, score)
    assert cs.linear_predictivity(X, Y * [1e-9, 1, 1e4, 1e9], score) == pytest.approx(expected)
    assert cs.linear_predictivity(X + 1e5, Y + 1e6, score) == pytest.approx(expected, rel=1e-6)


def test_a_unit_that_rarely_varies_is_scored_where_it_does():
    X, rare = arrays(8)[0], np.zeros((60, 1))
    rare[[3, 40]] = 1
    assert np.isfinite(cs.linear_predictivity(X, rare))
    assert np.isfinite(cs.align(X, rare, "linear_predictivity", draws=99).p)
    sides = np.repeat([0.0, 1.0], 30)[:, None]
    with pytest.raises(cs.InputError, match="No unit of Y varies"):
        cs.linear_predictivity(X, sides, folds=2, groups=sides.ravel())


def test_refuses_folds_that_are_too_small():
    X, Y = arrays(6, n=20)
    with pytest.raises(cs.InputError, match="use at most 5"):
        cs.linear_predictivity(X, Y, folds=8)
    with pytest.raises(cs.InputError, match="groups must give"):
        cs.linear_predictivity(X, Y, groups=np.zeros(20))
