"""Stitching: maps that are known are found, controls and null say what they should, and networks stay as they were."""

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import nn

import consilience as cs
from consilience.stitching.frozen import answers, still, untrained_copy
from consilience.stitching.halves import brought_to, in_places, out_of_places
from consilience.stitching.seams import Direct, Seam, Turned, random_seam, taught

N = 240


def digits_network(seed, width):
    """A network of two halves that reads digits, taught in a moment."""
    torch.manual_seed(seed)
    bottom = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.BatchNorm1d(width), nn.ReLU())
    top = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
    pictures, labels = digits()
    adam = torch.optim.Adam([*bottom.parameters(), *top.parameters()], 1e-2)
    for _ in range(40):
        adam.zero_grad()
        nn.functional.cross_entropy(top(bottom(torch.tensor(pictures[:900]))), torch.tensor(labels[:900])).backward()
        adam.step()
    adam.zero_grad()
    return bottom, top


def digits():
    found = load_digits()
    return (found.images / 16).astype(np.float32), found.target


@pytest.fixture(scope="module")
def networks():
    return digits_network(0, 24), digits_network(1, 32)


@pytest.fixture(scope="module")
def unseen():
    pictures, labels = digits()
    return pictures[900:1300], labels[900:1300]


def world(kind, seed=0):
    """(inputs, bottom, map, target, top, labels): the target is an affine map of the bottom, of one kind of states."""
    rng = torch.Generator().manual_seed(seed)
    shape = {"units": (6,), "tokens": (5, 6), "maps": (6, 4, 3)}[kind]
    X = torch.randn(N, *shape, generator=rng)
    W, b = torch.randn(8, 6, generator=rng), torch.randn(8, generator=rng)

    def target(x):
        if kind == "maps":
            return nn.functional.conv2d(x, W[:, :, None, None], b)
        return nn.functional.linear(x, W, b)

    readout = torch.randn(target(X).flatten(1).shape[1], 3, generator=rng)

    def top(x):
        return torch.tanh(x.flatten(1)) @ readout

    return X, lambda x: x, (W, b), target, top, top(target(X)).argmax(1).numpy()


# --- maps that are known --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["units", "tokens", "maps"])
def test_a_known_affine_map_is_found_and_nothing_is_lost(kind):
    X, bottom, (W, b), target, top, labels = world(kind)
    found = cs.stitch(bottom, top, X, labels, target, fit="direct")
    assert found.accuracy == found.whole == 1
    assert found.penalty == 0
    assert found.weight == pytest.approx(W.numpy(), abs=1e-3)
    assert found.bias == pytest.approx(b.numpy(), abs=1e-3)
    assert found.p == 1 / 20
    assert {"units": "affine layer", "tokens": "token", "maps": "1x1 convolution"}[kind] in found.layer
    assert found.untrained is None  # a function has no weights


@pytest.mark.parametrize("fit", ["direct", "orthogonal", "task"])
def test_a_network_behind_a_rotation_is_stitched_back_without_penalty(fit, networks, unseen):
    (bottom, top), _ = networks
    turn = nn.utils.parametrizations.orthogonal(nn.Linear(24, 24, bias=False)).requires_grad_(False)
    back = nn.Linear(24, 24, bias=False).requires_grad_(False)
    back.weight.copy_(turn.weight.T)
    found = cs.stitch(bottom, nn.Sequential(back, top), *unseen, nn.Sequential(bottom, turn), fit=fit, steps=1)
    if fit == "task":
        assert found.penalty < 0.02  # a step of learning away from the direct fit
    else:
        assert found.penalty == 0
    if fit == "orthogonal":
        assert found.weight == pytest.approx(turn.weight.numpy(), abs=1e-4)


def test_direct_fits_equal_libraries():
    rng = np.random.default_rng(0)
    states, targets = torch.tensor(rng.standard_normal((300, 1, 7))), torch.tensor(rng.standard_normal((300, 1, 5)))
    a, t = (x[:, 0].numpy() - x[:, 0].numpy().mean(0) for x in (states, targets))
    noisy = targets + states[..., :5] * 30
    expected = np.linalg.lstsq(a, noisy[:, 0].numpy() - noisy[:, 0].numpy().mean(0))[0]
    assert Direct(states).fit(noisy).weight.numpy() == pytest.approx(expected, abs=0.02)
    turn, size = orthogonal_procrustes(np.pad(t, ((0, 0), (0, 2))), a)
    expected = turn.T[:, :5] * size / np.square(a).sum()
    assert Turned(states).fit(targets).weight.numpy() == pytest.approx(expected, abs=1e-8)


def test_under_a_top_that_does_nothing_the_task_fit_is_logistic_regression():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 4)) * [1, 10, 0.1, 1] + [0, 50, 0, 3]
    scaled = (X - X.mean(0)) / X.std(0)
    labels = (scaled @ rng.standard_normal((4, 3)) + rng.gumbel(size=(N, 3))).argmax(1)
    states, wanted = torch.tensor(X)[:, None], torch.tensor(labels)

    def loss(given, rows):
        return nn.functional.cross_entropy(given[:, 0], wanted[rows])

    seam = taught(random_seam(states, 3, 0), states, loss, steps=1500, batch=N, rate=0.05, seed=0, tell=None)
    oracle = LogisticRegression(C=1e8, tol=1e-10, max_iter=5000).fit(scaled, labels)
    assert seam(states)[:, 0].softmax(1).numpy() == pytest.approx(oracle.predict_proba(scaled), abs=0.001)


def test_inputs_named_are_held_out(networks, unseen):
    (bottom, _), (target, top) = networks
    held_out = np.arange(400) % 5 == 1
    found = cs.stitch(bottom, top, *unseen, target, "direct", held_out=held_out)
    assert list(found.right.index) == list(np.flatnonzero(held_out))
    whole = target.eval(), top
    right = nn.Sequential(*whole)(torch.tensor(unseen[0])).argmax(1).numpy() == unseen[1]
    assert (found.right.whole == right[held_out]).all()
    pictures = np.where(held_out[:, None, None], unseen[0] * 0.5, unseen[0])
    assert (
        cs.stitch(bottom, top, pictures, unseen[1], target, "direct", held_out=held_out).weight == found.weight
    ).all()


@pytest.mark.parametrize("layer", [nn.Linear(6, 8), nn.Conv2d(6, 8, 1)])
def test_the_seam_is_the_layer_it_is_called(layer):
    shapes = [(4, 6, 5, 3)] if isinstance(layer, nn.Conv2d) else [(4, 6), (4, 7, 6)]
    for shape in shapes:
        x = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
        seam = Seam(layer.weight.detach().flatten(1).T, layer.bias.detach())
        expected = layer(x).detach()
        found = out_of_places(seam(in_places(x)), expected.shape[1:])
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-5)


def test_maps_of_another_size_are_interpolated():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 9), torch.linspace(-1, 1, 9), indexing="ij")
    plane = (2 * x + y).expand(2, 1, 9, 9)
    small = brought_to(plane, (4, 3, 3))
    assert torch.allclose(small[..., 1, 1], torch.zeros(2, 1), atol=1e-6)  # a plane stays one, about its middle
    assert torch.allclose(small[..., 0, 0], -small[..., 2, 2], atol=1e-6)
    X, _, _, target, top, labels = world("maps")
    found = cs.stitch(lambda x: nn.functional.interpolate(x, scale_factor=2), top, X, labels, target, "direct")
    assert found.accuracy > 0.8


# --- what the controls say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", ["task", "direct"])
def test_two_networks_are_stitched_and_shuffled_labels_are_not(fit, networks, unseen):
    (bottom, _), (target, top) = networks
    found = cs.stitch(bottom, top, *unseen, target, fit, steps=60)
    assert found.p == 1 / 20
    assert found.penalty < 0.12
    assert found.accuracy > found.untrained > found.null_mean + 3 * found.null_sd
    assert found.null_mean == pytest.approx(0.1, abs=0.04)
    assert found.right.mean().tolist() == [found.accuracy, found.whole, found.untrained]
    assert "a bottom with random weights" in str(found)
    pictures, labels = unseen
    wrong = cs.stitch(bottom, top, pictures, np.random.default_rng(0).permutation(labels), None, shape=(32,), steps=60)
    assert wrong.p > 0.1
    assert wrong.accuracy < 0.25
    assert wrong.whole is None


@pytest.mark.parametrize("fit", ["direct", "orthogonal", "task"])
def test_p_is_small_no_more_often_than_it_says(fit):
    """A bottom that knows nothing of the labels."""
    seeds, small = (20 if fit == "task" else 150), 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        Y = rng.standard_normal((60, 3)).astype(np.float32)
        X = np.c_[rng.standard_normal((60, 4)).astype(np.float32), Y]
        found = cs.stitch(lambda x: x[:, :4], lambda x: x, X, Y.argmax(1), lambda x: x[:, 4:], fit, seed=seed, steps=5)
        small += found.p <= 0.1
    assert small <= (6 if fit == "task" else 26)  # 2 and 15 expected; chance alone exceeds this once in 300


def test_the_untrained_bottom_begins_anew_and_is_its_own():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.MultiheadAttention(4, 2))
    network[1].running_mean += 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    one, same, other = (untrained_copy(network, seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["0.weight"], other["0.weight"])
    assert not torch.equal(one["0.weight"], before["0.weight"])
    assert not one["1.running_mean"].any()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network.place = nn.Parameter(torch.zeros(3))
    with pytest.raises(cs.InputError, match="Sequential has parameters, but no reset_parameters"):
        untrained_copy(network, 0)


def test_the_reader_brings_an_untrained_bottom_or_does_without(networks, unseen):
    (bottom, _), (target, top) = networks
    without = cs.stitch(bottom, top, *unseen, target, "direct", untrained=False)
    assert without.untrained is None
    brought = cs.stitch(bottom, top, *unseen, target, "direct", untrained=bottom)
    assert brought.untrained == brought.accuracy == without.accuracy


# --- networks stay as they were -------------------------------------------------------------------------------------


def test_networks_are_left_as_they_were(networks, unseen):
    (bottom, _), (target, top) = networks
    parts = [bottom, target, top]
    bottom.train(), top.eval(), target.train()
    target[2].eval()
    before = [{name: value.clone() for name, value in part.state_dict().items()} for part in parts]
    modes = [[module.training for module in part.modules()] for part in parts]
    drawn = torch.random.get_rng_state()
    cs.stitch(bottom, top, *unseen, target, steps=5)
    assert torch.equal(drawn, torch.random.get_rng_state())
    assert modes == [[module.training for module in part.modules()] for part in parts]
    for part, kept in zip(parts, before, strict=True):
        assert all(torch.equal(value, kept[name]) for name, value in part.state_dict().items())
        assert all(weight.grad is None and weight.requires_grad for weight in part.parameters())


def test_modes_return_after_an_error():
    network = nn.Sequential(nn.Dropout(), nn.Dropout())
    network[1].eval()
    with pytest.raises(KeyError), still(network):
        assert not any(module.training for module in network.modules())
        raise KeyError
    assert [module.training for module in network.modules()] == [True, True, False]


def test_answers_are_those_of_one_pass_in_evaluation_mode(networks, unseen):
    (bottom, _), _ = networks
    with still(bottom):
        found = answers(bottom, unseen[0].astype(np.float64), "bottom")  # 400 of them, in two parts
        assert torch.allclose(found, bottom(torch.tensor(unseen[0])), atol=1e-6)
    assert not found.requires_grad


def test_a_seed_decides_everything(networks, unseen):
    (bottom, _), (_, top) = networks
    one, same, other = (cs.stitch(bottom, top, *unseen, shape=(32,), steps=5, seed=seed) for seed in (3, 3, 4))
    assert one == same
    assert (one.weight == same.weight).all()
    assert one.right.equals(same.right)
    assert list(one.right.index) != list(other.right.index)


# --- what is refused ------------------------------------------------------------------------------------------------


def with_nan(x):
    x = x.copy()
    x[7] = np.nan
    return x


IDENTITY = nn.Identity()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": with_nan(np.ones((40, 4), np.float32))}, "inputs holds NaN"),
        ({"inputs": np.zeros(40)}, "inputs has shape"),
        ({"inputs": np.array([["a"]] * 40)}, "inputs has dtype"),
        ({"labels": np.arange(39) % 2}, "labels has shape"),
        ({"labels": np.ones(40, int)}, "labels is 1 for every input"),
        ({"labels": np.linspace(0, 1, 40)}, "whole numbers from 0"),
        ({"labels": np.arange(40) % 9}, "labels go to 8"),
        ({"fit": "direct"}, "pass it as target="),
        ({"fit": "best"}, "fit is 'best'"),
        ({"draws": 3}, "draws is 3"),
        ({"rate": 0}, "rate is 0"),
        ({"rate": 1e5, "top": lambda x: x**9}, "choose a smaller rate"),
        ({"held_out": 1.5}, "held_out is 1.5"),
        ({"held_out": 0.01}, "held_out leaves 40 inputs"),
        ({"held_out": np.arange(40)}, "held_out has shape"),
        ({"bottom": lambda x: x[:5]}, "bottom gives"),
        ({"bottom": lambda x: x / 0}, "bottom gives NaN"),
        ({"bottom": lambda x: x * 0}, "the same for every input"),
        ({"bottom": nn.Linear(5, 4)}, "bottom does not take"),
        ({"bottom": lambda x: x[:, None, None, :, None]}, "known are"),
        ({"top": nn.Linear(5, 4)}, "by target=, or by shape="),
        ({"top": lambda x: x.detach()}, "No gradient"),
        ({"top": lambda x: x[:, None]}, "it must give"),
        ({"shape": (4.0,)}, "shape is 4.0"),
        ({"shape": (2, 4), "top": lambda x: x.flatten(1)}, "only like kinds"),
        ({"bottom": lambda x: x[:, :, None], "shape": (2, 1), "top": lambda x: x.repeat(1, 2, 1)[..., 0]}, "4 tokens"),
        ({"target": lambda x: x, "shape": (3,)}, "shape is \\(3,\\)"),
    ],
)
def test_refuses(change, message):
    inputs = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    given = {"bottom": IDENTITY, "top": IDENTITY, "inputs": inputs, "labels": np.arange(40) % 4} | change
    with pytest.raises(cs.InputError, match=message):
        cs.stitch(**given)
