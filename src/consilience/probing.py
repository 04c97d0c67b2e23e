"""How well do linear heads alone, taught by a contrastive loss on pairs, bring two frozen representations together?"""

from __future__ import annotations

from functools import partial

import numpy as np

from consilience.check import check_choice, check_pair, check_positive, check_whole
from consilience.descent import descend
from consilience.metrics.maps import onto_axes
from consilience.metrics.matching import held_out, points, way
from consilience.optional import bring
from consilience.pairings import check_groups
from consilience.retrieval import check_places, tried

BASELINE = "linear"  # the closed form beside the heads
STARTS = {"infonce": (0.07, 0.0), "sigmoid": (0.1, -10.0)}  # temperature and offset, as CLIP and SigLIP have them
COLDEST = 0.01  # of a learned temperature, as CLIP has it


def alignment_probe(
    X,
    Y,
    k=(1, 5, 10),
    loss="infonce",
    temperature=None,
    units=256,
    folds=5,
    groups=None,
    seed=0,
    draws=19,
    steps=100,
    batch=1024,
    rate=0.01,
    penalty=1e-3,
):
    r"""Are held-out mates found through two linear heads, taught to bring pairs together and all else apart?

    .. math:: s_{ij} = \cos(A x_i, B y_j), \qquad
              L = -\frac{1}{2n} \sum_i \log \frac{e^{s_{ii} / t}}{\sum_j e^{s_{ij} / t}}
                                     + \log \frac{e^{s_{ii} / t}}{\sum_j e^{s_{ji} / t}}

    for "infonce", and for "sigmoid", with :math:`z_{ij}` 1 for pairs and -1 for all else,

    .. math:: L = -\frac{1}{n} \sum_{ij} \log \frac{1}{1 + e^{-z_{ij} (s_{ij} / t + b)}}

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus: they are mates.
    k : int or sequence of int
    loss : {"infonce", "sigmoid"}
    temperature : float, optional
        t, held at this value. By default it is learned, from 0.07 (infonce) or 0.1 (sigmoid) on, and not below 0.01.
        The offset b is always learned, from -10 on.
    units : int
        Of each head's output; no more than the narrower side has.
    folds, groups, seed
        As in :func:`consilience.recall`; the seed is of the heads' start and of the batches, too.
    draws : int, at least 19
        Shuffles of the pairs learned from, in each fold; see :func:`consilience.retrieval`.
    steps, batch, rate : int, int, float
        Steps of Adam, pairs in each, and its first rate.
    penalty : float, at least 0
        On the sum of squares of A and B. With few pairs, many steps without it learn them by heart.

    Returns
    -------
    Retrieval
        A table as of :func:`consilience.retrieval`, first of the heads (`through` names the loss), then of a ridge
        regression each way ("linear") on the same folds and shuffles: what needs no training by gradients.

    Raises
    ------
    InputError
        As :func:`consilience.recall`, or if an argument is out of its range.

    Notes
    -----
    Source: Zhang et al. 2025 (alignment probing, SAIL); van den Oord et al. 2018 and Radford et al. 2021 (infonce);
    Zhai et al. 2023 (sigmoid). Both sides are centred on the stimuli learned from, brought to one mean squared length,
    and turned onto their principal axes, so the heads need no offset. They start as random rotations. It takes folds ×
    (draws + 1) fits of O(steps batch units (dx + dy + batch)) time, in float32, on the processor.
    """
    X, Y = check_pair(X, Y)
    check_choice(loss, "loss", tuple(STARTS))
    for value, name, least in ((units, "units", 1), (draws, "draws", 19), (steps, "steps", 1), (batch, "batch", 2)):
        check_whole(value, name, least)
    check_positive(rate, "rate")
    if temperature is not None:
        check_positive(temperature, "temperature")
    if penalty != 0:
        check_positive(penalty, "penalty")
    ks, groups = check_places(k), check_groups(groups, len(X))
    a, b = points(X, "X"), points(Y, "Y")
    divisions = held_out(a.n, ks, folds, groups, seed)
    taught = {"steps": steps, "batch": batch, "rate": rate, "seed": seed}

    def heads(train, test):
        sides = (side.units - side.units[train].mean(0) for side in (a, b))
        (x_train, x_test), (y_train, y_test) = (onto_axes(side[train], side[test]) for side in sides)
        return Heads(x_train, x_test, y_train, y_test, Contrast(loss, temperature), units, penalty, taught)

    ways = {loss: heads, BASELINE: partial(way, a, b, through=BASELINE)}
    return tried(ways, divisions, ks, draws, groups, seed, "alignment probe")


class Heads:
    """Two linear heads, as a way from one representation into another (see :mod:`consilience.metrics.maps`)."""

    def __init__(self, x_train, x_test, y_train, y_test, contrast, units, penalty, taught):
        torch = bring("torch")
        self.contrast, self.penalty, self.taught = contrast, penalty, taught
        self.x_train, self.x_test = of_one_length(x_train, x_test)
        self.y_train, self.y_test = of_one_length(y_train, y_test)
        self.units = min(units, self.x_train.shape[1], self.y_train.shape[1])
        self.generator = partial(torch.Generator().manual_seed, taught["seed"])

    def similarities(self, order):
        torch = bring("torch")
        drawn = self.generator()
        starts = (torch.randn(side.shape[1], self.units, generator=drawn) for side in (self.x_train, self.y_train))
        A, B = (torch.linalg.qr(start)[0] for start in starts)
        y_train, (contrast, learned) = self.y_train[order], self.contrast.begin()

        def loss(rows):
            shrunk = self.penalty * (A.square().sum() + B.square().sum())
            return contrast(cosines(self.x_train[rows] @ A, y_train[rows] @ B)) + shrunk

        descend(loss, [A, B, *learned], len(y_train), **self.taught)
        found = cosines(self.x_test @ A, self.y_test @ B).double().numpy()
        return found, found.T


class Contrast:
    """A contrastive loss of a table of cosines whose diagonal are the pairs.

    Parameters
    ----------
    loss : {"infonce", "sigmoid"}
    temperature : float or None
        None where it is learned.
    """

    def __init__(self, loss, temperature):
        self.loss, self.temperature = loss, temperature

    def begin(self):
        """(the loss as a callable, the tensors in it that are learned)."""
        torch = bring("torch")
        start, offset = STARTS[self.loss]
        log_scale = torch.tensor(-np.log(self.temperature or start), dtype=torch.float32)
        offset = torch.tensor(offset)
        learned = [log_scale] * (self.temperature is None) + [offset] * (self.loss == "sigmoid")
        coldest = np.inf if self.temperature else -np.log(COLDEST)

        def of(cosines):
            return LOSSES[self.loss](cosines * log_scale.clamp(max=coldest).exp(), offset)

        return of, learned


def infonce(logits, _):
    """Each pair told from the others of its row and of its column."""
    cross_entropy, pairs = bring("torch").nn.functional.cross_entropy, bring("torch").arange(len(logits))
    return (cross_entropy(logits, pairs) + cross_entropy(logits.T, pairs)) / 2


def sigmoid(logits, offset):
    """Each entry by itself: a pair or not."""
    torch = bring("torch")
    sign = 2 * torch.eye(len(logits)) - 1
    return -torch.nn.functional.logsigmoid(sign * (logits + offset)).sum(1).mean()


LOSSES = {"infonce": infonce, "sigmoid": sigmoid}


def cosines(A, B):
    """Cosine of each row of A with each row of B, as tensors."""
    normalize = bring("torch").nn.functional.normalize
    return normalize(A, dim=1) @ normalize(B, dim=1).T


def of_one_length(train, test):
    """Both as float32 tensors, in units of the root of the mean squared length of `train`."""
    torch = bring("torch")
    length = np.sqrt(np.square(train).sum(1).mean())
    return (torch.tensor(side / length, dtype=torch.float32) for side in (train, test))
