"""Networks trained here, of which we know who should be alike: which metrics see it? (Ding 2021, Klabunde 2025.)"""

import itertools
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import binomtest, spearmanr
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

import consilience as cs
from consilience import grounding

CARDS = cs.catalogue()
SEEN, TRAINED, LAYERS, SEEDS = 150, 1000, 3, 3
NOISE = [0.0, 0.25, 0.5, 0.75]  # share of wrong labels
ORDER = np.random.default_rng(0).permutation(1797)
TRUE = load_digits().target[ORDER][:TRAINED]
GROUPS = [("which digit", TRUE), ("odd or even", TRUE % 2), ("shuffled", np.random.default_rng(1).permutation(TRUE))]


# --- the arithmetic -------------------------------------------------------------------------------------------------


def random_likeness(seed, m=9, ties=False):
    values = np.random.default_rng(seed).standard_normal(comb(m, 2))
    return squareform(values.round() if ties else values)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_recovery_by_scikit_learn_and_by_counting(seed, ties):
    likeness, labels = random_likeness(seed, ties=ties), np.array(list("aaabbbbcd"))
    precision, conform = [], []
    for group in "ab":  # the other two are alone
        within = [likeness[i, j] for i, j in itertools.combinations(np.flatnonzero(labels == group), 2)]
        across = [likeness[i, j] for i in np.flatnonzero(labels == group) for j in np.flatnonzero(labels != group)]
        precision.append(average_precision_score([1] * len(within) + [0] * len(across), within + across))
        conform.append(np.mean([one > other for one in within for other in across]))
    found = grounding.recovery(likeness, labels, draws=19)
    assert (found.auprc, found.conformity) == pytest.approx((np.mean(precision), np.mean(conform)))
    assert (found.n_models, found.n_groups, found.draws) == (9, 4, 19)


def test_recovery_by_hand():
    likeness = squareform([0.9, 0.2, 0.5, 0.6, 0.1, 0.8])  # ab ac ad bc bd cd
    found = grounding.recovery(likeness, [1, 1, 2, 2], draws=19)
    assert (found.auprc, found.conformity) == (1, 1)
    found = grounding.recovery(likeness, [1, 2, 1, 2], draws=19)  # ac against ab ad bc cd; bd against ab ad bc cd
    assert (found.auprc, found.conformity) == (1 / 5, 0)
    assert "AUPRC 0.200" in str(found)


def test_shuffled_labels_are_all_arrangements_in_the_long_run():
    likeness, labels = random_likeness(4, m=6), np.array([0, 0, 0, 1, 1, 1])
    exact = np.array([grounding.recovered(likeness, labels[list(p)]) for p in itertools.permutations(range(6))])
    found = grounding.recovery(likeness, labels, draws=4000)
    observed = grounding.recovered(likeness, labels)
    assert (found.auprc_by_chance, found.conformity_by_chance) == pytest.approx(exact.mean(0), abs=0.02)
    expected = (exact >= observed - 1e-9).mean(0)
    assert (found.p_auprc, found.p_conformity) == pytest.approx(expected, abs=0.03)


def test_following_by_scipy_and_by_all_orders():
    likeness, differences = random_likeness(5, m=6, ties=True), np.abs(random_likeness(6, m=6))
    pairs = np.triu_indices(6, 1)
    every = [
        spearmanr(-likeness[pairs], differences[np.ix_(p, p)][pairs]).statistic
        for p in map(list, itertools.permutations(range(6)))
    ]
    found = grounding.following(likeness, differences, draws=4000)
    assert found.rho == pytest.approx(every[0])
    assert found.p == pytest.approx(np.mean(np.array(every) >= every[0] - 1e-9), abs=0.03)
    assert found.null_sd == pytest.approx(np.std(every), abs=0.02)
    assert np.mean(every) == pytest.approx(0, abs=1e-12)
    assert "over 6 models" in str(found)


@pytest.mark.parametrize(
    ("labels", "words"),
    [([0, 0, 0, 0], "two groups"), ([0, 1, 2, 3], "two models in one"), ([0, 0, 1], "one for each of the 4")],
)
def test_labels_that_group_nothing_are_refused(labels, words):
    with pytest.raises(cs.InputError, match=words):
        grounding.recovery(random_likeness(7, m=4), labels)


def test_matrices_that_are_none_are_refused():
    likeness, holed, turned = random_likeness(8, m=5), random_likeness(8, m=5), random_likeness(8, m=5)
    holed[1, 2] = holed[2, 1] = np.nan
    turned[1, 2] += 1
    for matrix, words in ((likeness[:4], "one row and one column"), (holed, "no value"), (turned, "not symmetric")):
        with pytest.raises(cs.InputError, match=words):
            grounding.recovery(matrix, [0, 0, 1, 1, 1])
        with pytest.raises(cs.InputError, match=words):
            grounding.following(likeness, matrix)
    with pytest.raises(cs.InputError, match="differences of 4"):
        grounding.following(likeness, random_likeness(8, m=4))
    with pytest.raises(cs.InputError, match="nothing can follow"):
        grounding.following(likeness, np.ones((5, 5)))


# --- networks that were trained alike, and others --------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_thread():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trained(labels, seed=0, epochs=40, width=64):
    """Perceptrons on digits, one for each row of labels, trained side by side from starts and in orders of their own.

    Returns their layers on digits that none has seen, each (n_networks, n_stimuli, n_units), and their answers.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    X, labels = torch.tensor(load_digits().data[ORDER] / 16, dtype=torch.float32), torch.tensor(np.array(labels))
    m, sizes = len(labels), [64] + LAYERS * [width] + [10]
    weights = [
        torch.empty(m, one, other).uniform_(-(one**-0.5), one**-0.5, generator=draw).requires_grad_()
        for one, other in itertools.pairwise(sizes)
    ]
    offsets = [torch.zeros(m, 1, other, requires_grad=True) for other in sizes[1:]]
    optimizer = torch.optim.AdamW(weights + offsets, 3e-3, weight_decay=0.3)

    def run(inputs):
        hidden = []
        for W, b in zip(weights[:-1], offsets[:-1], strict=True):
            inputs = torch.baddbmm(b, inputs, W).tanh()
            hidden.append(inputs)
        return hidden, torch.baddbmm(offsets[-1], inputs, weights[-1])

    for _ in range(epochs):
        for batch in torch.rand(m, TRAINED, generator=draw).argsort(1).split(50, dim=1):
            optimizer.zero_grad()
            answers = run(X[batch])[1].transpose(1, 2)
            torch.nn.functional.cross_entropy(answers, labels.gather(1, batch), reduction="sum").backward()
            optimizer.step()
    with torch.no_grad():
        hidden, answers = run(X[TRAINED : TRAINED + SEEN].expand(m, -1, -1))
    return [layer.numpy() for layer in hidden], answers.argmax(2).numpy()


@pytest.fixture(scope="module")
def groups(one_thread):
    """Three networks for each of three tasks with the same digits; the last task can only be learned by heart."""
    hidden, answers = trained([labels for _, labels in GROUPS for _ in range(SEEDS)])
    return [name for name, _ in GROUPS for _ in range(SEEDS)], hidden, answers


@pytest.fixture(scope="module")
def layers(one_thread):
    """Five networks for one task, layer by layer."""
    return trained([TRUE] * 5, seed=2)[0]


@pytest.fixture(scope="module")
def noisy(one_thread):
    """Two networks for each share of wrong labels, and how often any two give different answers."""
    rng = np.random.default_rng(2)
    wrong = rng.random((2 * len(NOISE), TRAINED)) < np.repeat(NOISE, 2)[:, None]
    hidden, answers = trained(np.where(wrong, rng.integers(0, 10, wrong.shape), TRUE), seed=1)
    return hidden, answers, (answers[:, None] != answers).mean(2)


def test_they_have_learned_what_they_were_taught(groups, noisy):
    truth = load_digits().target[ORDER][TRAINED : TRAINED + SEEN]
    digit, parity, heart = ((groups[2][i : i + SEEDS] == truth % by).mean() for i, by in ((0, 10), (3, 2), (6, 10)))
    assert min(digit, parity) > 0.9 and heart < 0.2
    accuracy = (noisy[1] == truth).mean(1).reshape(-1, 2).mean(1)
    assert (np.diff(accuracy) < 0).all() and accuracy[-1] < accuracy[0] - 0.2


def likeness(name, layer):
    """Of every two networks, higher for more alike, the mean of both orders."""
    card, m = CARDS[name], len(layer)
    found = np.zeros((m, m))
    for i, j in itertools.permutations(range(m), 2):
        if i < j or not card.symmetric:
            found[i, j] = card.score(layer[i], layer[j])
    found = (found + found.T) / (1 if card.symmetric else 2)
    return found if card.direction == "similarity" else -found


def matched_layers(name, layers):
    """Of each layer, whether its best match in a network from another seed is the same layer."""
    card, right = CARDS[name], []
    for a, b in itertools.combinations(range(len(layers[0])), 2):
        wide = np.array([[card.score(X[a], Y[b]) for Y in layers] for X in layers])
        wide = wide if card.direction == "similarity" else -wide
        right += [*(wide.argmax(1) == range(LAYERS)), *(wide.argmax(0) == range(LAYERS))]
    return right


@pytest.mark.parametrize("name", CARDS)
def test_a_layer_is_most_like_the_same_layer_of_another_seed(name, layers):
    """More often than the one in three that guesses are."""
    right = matched_layers(name, layers)
    found = binomtest(sum(right), len(right), 1 / LAYERS, "greater").pvalue < 0.01
    assert found == ("layers" not in CARDS[name].does_not_find)


@pytest.mark.parametrize("name", CARDS)
def test_networks_of_one_task_are_more_alike_than_those_of_different_tasks(name, groups):
    found = grounding.recovery(likeness(name, groups[1][-1]), groups[0], draws=199)
    recovered = found.p_auprc <= 0.02 and found.auprc > found.auprc_by_chance + 0.2
    assert recovered == ("groups" not in CARDS[name].does_not_find)


@pytest.mark.parametrize("name", CARDS)
def test_the_more_answers_differ_the_less_alike_are_networks(name, noisy):
    found = grounding.following(likeness(name, noisy[0][-1]), noisy[2], draws=199)
    assert (found.p <= 0.02 and found.rho > 0.4) == ("outputs" not in CARDS[name].does_not_find)


def test_an_atlas_says_it_of_its_models(groups, noisy):
    models = {f"{task} {i}": X for i, (task, X) in enumerate(zip(groups[0], groups[1][-1], strict=True))}
    tasks = {model: model.rsplit(" ", 1)[0] for model in models}
    atlas = cs.atlas(models, ["cka", "procrustes", "pwcca"], draws=19, progress=False)
    for metric in ("cka", "procrustes", "pwcca"):
        expected = grounding.recovery(likeness(metric, groups[1][-1]), groups[0])
        assert atlas.recovers(tasks, metric) == expected
    assert atlas.recovers(tasks, "cka", "calibrated").auprc > 0.9
    with pytest.raises(cs.InputError, match="does not say to which group shuffled 8"):
        atlas.recovers({model: task for model, task in tasks.items() if model != "shuffled 8"}, "cka")


def test_an_atlas_follows_differences_by_name_or_by_place(noisy):
    models = {f"m{i}": X for i, X in enumerate(noisy[0][-1])}
    atlas, differences = cs.atlas(models, "procrustes", draws=19, progress=False), noisy[2]
    found = atlas.follows(differences)
    assert found == grounding.following(likeness("procrustes", noisy[0][-1]), differences)
    named = pd.DataFrame(differences, list(models), list(models)).sample(frac=1, random_state=0)
    assert atlas.follows(named) == found
    with pytest.raises(cs.InputError, match="no row or no column for m0"):
        atlas.follows(named.drop("m0"))
