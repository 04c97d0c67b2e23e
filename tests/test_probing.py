"""Alignment probing: the losses by hand, heads that find what is there, and p-values that mean what they say."""

import numpy as np
import pytest
import torch

import consilience as cs
from consilience.probing import Contrast, infonce, sigmoid


def arrays(seed, n=80, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    return X, X @ rng.standard_normal((6, 8)) + noise * rng.standard_normal((n, 8))


def table(n=5, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, n))


# --- the losses -----------------------------------------------------------------------------------------------------


def by_hand(loss, s, t, b):
    """The formulas of the docstring, entry by entry."""
    n, found = len(s), 0.0
    for i in range(n):
        if loss == "infonce":
            for line in (s[i], s[:, i]):
                found -= np.log(np.exp(s[i, i] / t) / sum(np.exp(other / t) for other in line)) / (2 * n)
        else:
            for j in range(n):
                sign = 1 if i == j else -1
                found -= np.log(1 / (1 + np.exp(-sign * (s[i, j] / t + b)))) / n
    return found


@pytest.mark.parametrize(("loss", "t", "b"), [("infonce", 0.07, 0), ("sigmoid", 0.1, -10)])
def test_a_loss_is_its_formula(loss, t, b):
    of, learned = Contrast(loss, None).begin()
    assert of(torch.tensor(table())).item() == pytest.approx(by_hand(loss, table(), t, b), rel=1e-5)
    assert len(learned) == (1 if loss == "infonce" else 2)
    of, learned = Contrast(loss, 0.5).begin()
    assert of(torch.tensor(table())).item() == pytest.approx(by_hand(loss, table(), 0.5, b), rel=1e-5)
    assert len(learned) == (0 if loss == "infonce" else 1)


@pytest.mark.parametrize("loss", [infonce, sigmoid])
def test_gradients_are_those_of_differences(loss):
    s, b = torch.tensor(3 * table(), requires_grad=True), torch.tensor(0.3, dtype=torch.float64)
    loss(s, b).backward()
    name, step = loss.__name__, 1e-6
    for i, j in ((0, 0), (1, 3), (4, 2)):
        high, low = 3 * table(), 3 * table()
        high[i, j] += step
        low[i, j] -= step
        slope = (by_hand(name, high, 1, 0.3) - by_hand(name, low, 1, 0.3)) / (2 * step)
        assert s.grad[i, j].item() == pytest.approx(slope, abs=1e-8)


def test_a_learned_temperature_has_a_floor():
    of, (log_scale,) = Contrast("infonce", None).begin()
    log_scale.fill_(20)
    assert of(torch.tensor(table())).item() == pytest.approx(by_hand("infonce", table(), 0.01, 0), rel=1e-5)


# --- what is found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_mates_behind_a_rotation_are_found(loss):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 8))
    Y = X @ np.linalg.qr(rng.standard_normal((8, 8)))[0] * 100 + 7
    found = cs.alignment_probe(X, Y, 1, loss, folds=2, steps=50, rate=0.02)
    heads = found[found.through == loss]
    assert (heads.score > 0.9).all()
    assert (heads.p == 1 / 20).all()
    assert list(heads.direction) == ["X to Y", "Y to X"]


def test_wrong_pairs_teach_nothing():
    X, Y = arrays(0)
    shuffled = np.random.default_rng(1).permutation(Y)
    right, wrong = (cs.alignment_probe(X, Z, 3, folds=2, steps=40, rate=0.02) for Z in (Y, shuffled))
    assert (right.p == 1 / 20).all()
    assert (right.score > 5 * right.chance).all()
    assert (wrong.p > 0.1).all()
    assert wrong.score.to_numpy() == pytest.approx(wrong.chance, abs=0.08)
    assert right.null_mean.to_numpy() == pytest.approx(right.chance, abs=0.03)


def test_beside_the_heads_stands_retrieval_through_a_linear_map():
    X, Y = arrays(1, n=62)
    found = cs.alignment_probe(X, Y, (1, 5), steps=5, seed=3)
    assert list(found.through) == ["infonce"] * 4 + ["linear"] * 4
    expected = cs.retrieval(X, Y, (1, 5), "linear", seed=3, draws=19)
    assert found[found.through == "linear"].reset_index(drop=True).equals(expected)
    held_out = [13] * 13 * 2 + [12] * 12 * 3  # 62 stimuli in five folds
    assert found.chance.to_numpy() == pytest.approx([np.mean(k / np.array(held_out)) for k in (1, 5) * 4])
    assert "X to Y through infonce, 62 stimuli, 12 held out at a time: R@1" in found.sentence()


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_p_is_small_no_more_often_than_it_says(loss):
    small = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        X, Y = rng.standard_normal((24, 3)), rng.standard_normal((24, 4))
        found = cs.alignment_probe(X, Y, 2, loss, folds=2, seed=seed, steps=5, rate=0.1)
        small += (found[found.through == loss].p <= 0.1).sum()
    assert small <= 8  # of 30 tests, 3 expected; both directions of one world go together


def test_a_seed_decides_everything_and_torch_is_left_alone():
    X, Y = arrays(2)
    drawn = torch.random.get_rng_state()
    one, same, other = (cs.alignment_probe(X, Y, 2, folds=2, steps=5, batch=16, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(drawn, torch.random.get_rng_state())
    assert one.equals(same)
    assert not one.equals(other)


def test_small_batches_learn_too():
    X, Y = arrays(3)
    assert (cs.alignment_probe(X, Y, 3, folds=2, batch=16, temperature=0.2, units=4, steps=50).p == 1 / 20).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": np.nan}, "temperature is nan"),
        ({"penalty": -1}, "penalty is -1"),
        ({"rate": True}, "rate is True"),
        ({"batch": 1}, "batch is 1"),
        ({"draws": 9}, "draws is 9"),
        ({"k": ()}, "k is empty"),
        ({"k": 16}, "k is 16"),
        ({"Y": np.ones((79, 3))}, "Y is the same"),
        ({"Y": np.eye(79)}, "79"),
        ({"rate": 1e35}, "choose a smaller rate"),
    ],
)
def test_refuses(change, message):
    X, Y = arrays(4)
    with pytest.raises(cs.InputError, match=message):
        cs.alignment_probe(**({"X": X, "Y": Y} | change))
