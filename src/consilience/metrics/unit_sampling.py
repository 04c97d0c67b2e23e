"""CKA of all units from a few: what is due to which units were recorded is taken out, besides which stimuli."""

from __future__ import annotations

import numpy as np

from consilience.check import InputError, check_array, check_pair
from consilience.core.memory import need
from consilience.metrics.card import Card
from consilience.metrics.relation import Relation, product, u_centre


def unit_sampled_cka(X, Y):
    r"""Linear CKA of two populations of units, from a sample of the units of each.

    .. math:: \frac{\langle \tilde K, \tilde L \rangle}{\sqrt{s_X \, s_Y}}, \qquad
              s_X = \frac{1}{d (d - 1)} \sum_{a \ne b} \langle \tilde K_a, \tilde K_b \rangle, \quad
              K = \frac{1}{d} \sum_a K_a, \quad K_a = x_a x_a^\top

    with x_a the centred answers of unit a and a tilde for u-centring, as in debiased :func:`consilience.cka`.

    Parameters
    ----------
    X : array of shape (n_stimuli, n_units_x)
    Y : array of shape (n_stimuli, n_units_y)
        Row i of X and of Y answer the same stimulus. Columns are random units, drawn independently for X and Y.

    Returns
    -------
    float
        A similarity, about 0 for unrelated populations and 1 for the same, whatever the number of units: higher than
        :func:`consilience.cka`, which sees two samples of one population as different. Not bounded: noise of the
        estimate, or units that both sides share, lead above 1.

    Raises
    ------
    InputError
        As :func:`consilience.check.check_pair`; if a side has one unit, or its different units have nothing in
        common (s is not positive), so that nothing can be said of the population.

    Notes
    -----
    Source: Chun et al. 2025. Numerator and both s are without bias; their ratio is too high where units are few, by
    some 6 % for 15 and 25 units of a population with eight latent directions. O(n² d) time, O(n²) memory.
    """
    X, Y = check_pair(X, Y)
    return product(population_relation(X, "X"), population_relation(Y, "Y"))


def population_relation(X, name="X"):
    """The u-centred products of centred rows, scaled by what different units have in common.

    Returns
    -------
    Relation
        Of kind "u-centred".
    """
    X = check_array(X, name).astype(np.float64)
    n, d = X.shape
    if d < 2:
        raise InputError(f"{name} has one unit; what units have in common takes two at least.")
    need(32 * n**2, f"The relations of {n:,} stimuli, as a matrix,")
    X /= np.abs(X).max()
    X -= X.mean(0)
    K = u_centre(X @ X.T)
    square, fourth = np.square(X).sum(0), (X**4).sum(0)
    own = square**2 - fourth + square**2 / ((n - 1) * (n - 2)) - 2 * fourth / (n - 2)  # of a unit with itself
    common = (np.square(K).sum() - own.sum()) * d / (d - 1)
    if not common > 1e-10 * own.sum():
        raise InputError(
            f"Different units of {name} have nothing in common beyond chance, so nothing can be said of the units that "
            "were not recorded. Use cka, or more units."
        )
    return Relation(K / np.sqrt(common), "u-centred")


CARDS = (
    Card(
        name="unit_sampled_cka",
        title="CKA corrected for the sampling of stimuli and units",
        formula=r"\frac{\langle \tilde K, \tilde L \rangle}{\sqrt{s_X \, s_Y}}, \qquad"
        r" s_X = \frac{1}{d (d - 1)} \sum_{a \ne b} \langle \tilde K_a, \tilde K_b \rangle",
        source="chun2025",
        value_range="about 0 for unrelated populations, 1 for the same; not bounded",
        direction="similarity",
        scale="global",
        invariances=("scale", "translation", "order of the stimuli"),
        not_invariant=("rotation and reflection", "other linear maps"),
        null="mean 0; variance, skewness and kurtosis exact, from both kernels",
        cost="O(n² d) time, O(n²) memory; the exact null O(n³)",
        misleads="It speaks of units that are a random sample. All units of a network are no sample: then debiased CKA "
        "is meant. With few units, or units that hardly agree, it is a ratio of small numbers and can be anything.",
        score=unit_sampled_cka,
        side=population_relation,
        meet=product,
        best=None,
    ),
)
