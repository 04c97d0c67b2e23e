"""Can the upper part of one network work on what the lower part of another gives it, through one affine layer?"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from ..check import InputError, check_choice, check_positive, check_whole
from ..core import Orders
from ..core.progress import progress
from ..nulls import Null, sampled
from .frozen import has_weights, still, untrained_copy
from .halves import KINDS, Trial, Upper, representation
from .inputs import check_inputs, check_labels, division
from .seams import taught

FITS = ("task", "direct", "orthogonal")


@dataclass(frozen=True)
class Stitching:
    """How well one network's upper part works on another's representation; all on inputs held out.

    Attributes
    ----------
    accuracy : float
        Of the stitched network.
    whole : float or None
        Of the upper part on its own lower part, where `target` was given.
    penalty : float or None
        whole - accuracy (Bansal et al. 2021). It may be negative.
    untrained : float or None
        Accuracy stitched to the lower part with random weights: what the layer and the upper part can do by themselves.
    commonest : float
        Accuracy of saying the commonest of the labels learned from each time.
    null_mean, null_sd : float
        Accuracy when the representations of the lower part belong to other inputs, in learning and in testing.
    p : float
        Probability of an accuracy at least as high by chance (add-one).
    right : DataFrame of bool
        A row for each input held out, named by its number; columns "stitched", and "whole" and "untrained" where there
        are such: from it any paired difference can be had.
    weight : float ndarray of shape (units_out, units_in)
    bias : float ndarray of shape (units_out,)
        The layer learned: units, or channels, become ``weight @ x + bias``.
    fit, layer : str
        How the layer was fitted, and what it is.
    n_learned : int
        Inputs learned from.
    chance : Null
    """

    accuracy: float
    whole: float | None
    penalty: float | None
    untrained: float | None
    commonest: float
    null_mean: float
    null_sd: float
    p: float
    right: pd.DataFrame = field(repr=False, compare=False)
    weight: np.ndarray = field(repr=False, compare=False)
    bias: np.ndarray = field(repr=False, compare=False)
    fit: str
    layer: str
    n_learned: int
    chance: Null = field(repr=False, compare=False)

    def __str__(self):
        def less(column):
            steps = self.right[column].astype(float) - self.right["stitched"]
            return f"{steps.mean():+.1%} ± {steps.std() / len(steps) ** 0.5:.1%}"

        return "\n".join(
            [
                f"Stitched by {self.layer}   (fit={self.fit!r}; {self.n_learned} inputs learned from, "
                f"{len(self.right)} held out)",
                f"  accuracy    {self.accuracy:.1%}",
                *([f"  whole       {self.whole:.1%}   penalty {less('whole')}"] if self.whole is not None else []),
                *(
                    [f"  untrained   {self.untrained:.1%}   a bottom with random weights, {less('untrained')}"]
                    if self.untrained is not None
                    else []
                ),
                f"  by chance   {self.null_mean:.1%}, give or take {self.null_sd:.1%}; p = {self.p:.3g}",
                f"              {self.commonest:.1%} by the commonest label alone",
                f"  null        {self.chance.method}: {self.chance.why}",
            ]
        )

    __repr__ = __str__


def stitch(
    bottom,
    top,
    inputs,
    labels,
    target=None,
    fit="task",
    shape=None,
    untrained=None,
    held_out=0.25,
    seed=0,
    draws=19,
    steps=300,
    batch=128,
    rate=0.01,
):
    """Put the lower part of one network below the upper part of another, with one affine layer trained in between.

    Parameters
    ----------
    bottom : torch.nn.Module or callable
        From a tensor of inputs to a representation: (n, units), (n, tokens, units) or (n, channels, height, width).
    top : torch.nn.Module or callable
        From a representation, its own kind of units and as many as it takes, to logits of shape (n, classes).
    inputs : array or tensor of shape (n, ...)
        As both networks take them. Best are inputs that neither was trained on.
    labels : int array of shape (n,)
        Logit j stands for label j.
    target : torch.nn.Module or callable, optional
        The lower part that `top` was trained on. Needed for the direct fits; it gives the penalty, too.
    fit : {"task", "direct", "orthogonal"}
        "task": the layer learns the labels through `top`, by cross-entropy; with a target it starts from the direct
        fit. "direct": it learns the target's representation, by a ridge regression under the penalty that generalised
        cross-validation chooses. "orthogonal": the same by a rotation, with reflection, and one scale (Procrustes).
    shape : tuple of int, optional
        Of the representation of one input that `top` takes, (units,), (tokens, units) or (channels, height, width).
        The target's, if there is one; else the bottom's. Maps of another size are interpolated to it.
    untrained : torch.nn.Module, callable or False, optional
        The bottom with random weights. By default a copy is made, and each of its modules initialised anew; a bottom
        without weights has none. False leaves this control out.
    held_out : float in (0, 1), or bool array of shape (n,)
        Share of the inputs that the layer does not learn from, drawn at random; or which ones. Give an array where
        inputs belong together (frames of a film, words of a speaker), with all of one kind on one side.
    seed : int
        Of the division, the order of batches, the shuffles, and the untrained weights.
    draws : int, at least 19
        Fits with the bottom's representations shuffled: p is never below 1 / (draws + 1).
    steps, batch, rate : int, int, float
        Steps of Adam, inputs in each, and its first rate; of fit "task".

    Returns
    -------
    Stitching

    Raises
    ------
    InputError
        If inputs, labels or representations do not fit each other, hold NaN or infinity, or are all the same; if `top`
        does not take such representations; or if `target` is missing for a direct fit.

    Notes
    -----
    Source: Lenc & Vedaldi 2015; Bansal et al. 2021 (task); Csiszárik et al. 2021 (direct). Both networks are frozen:
    they run in evaluation mode and are left as they were, to the bit. A module is given tensors on its device and in
    its type; a function, float32 on the processor. Representations are had once and kept in memory.

    Read a small penalty beside the untrained control and p. A task fit can find states that no input of `top` ever
    had, and then solve the task with layers that have little in common (Balogh & Jelasity 2025); a direct fit cannot
    leave what the target has. The p-value asks only whether the bottom knows anything of the labels, or of the target,
    and a bottom of pixels does. It is exact if the inputs are exchangeable.

    The task fit costs (draws + 2) steps × batch passes through `top`, forward and back. A direct fit decomposes once,
    O(n places units²), and then costs one multiplication and one pass over the inputs held out a draw.
    """
    check_choice(fit, "fit", FITS)
    for value, name, least in ((seed, "seed", 0), (draws, "draws", 19), (steps, "steps", 1), (batch, "batch", 1)):
        check_whole(value, name, least)
    check_positive(rate, "rate")
    for size in shape or ():
        check_whole(size, "shape", 1)
    if target is None and fit != "task":
        raise InputError(f"fit={fit!r} learns what top's own lower part gives; pass it as target=.")
    inputs = check_inputs(inputs)
    labels = check_labels(labels, len(inputs))
    learned, tested = division(held_out, labels, seed)
    if untrained is None:
        untrained = untrained_copy(bottom, seed) if has_weights(bottom) else False
    lower = {"bottom": bottom} | ({} if untrained is False else {"untrained": untrained})
    targets = {} if target is None else {"target": target}
    teach = partial(taught, steps=steps, batch=batch, rate=rate, seed=seed)
    runs = draws + len(lower)
    with still(top, *lower.values(), *targets.values()), progress("stitching") as tell:
        states = {name: representation(network, inputs, name, learned) for name, network in (lower | targets).items()}
        wanted = states.pop("target", None)
        taken = states["bottom"] if wanted is None else wanted
        upper = Upper.of(top, tuple(taken.shape[1:] if shape is None else shape), labels, wanted)
        trials = {
            name: Trial(upper.takes(found), upper, learned, tested, fit, teach, seed) for name, found in states.items()
        }
        as_paired, orders = np.arange(len(labels)), Orders(len(labels), draws, seed)
        found = {name: one.run(as_paired, part(tell, i, runs)) for i, (name, one) in enumerate(trials.items())}
        shuffled = [
            trials["bottom"].run(order, part(tell, len(trials) + draw, runs))[1].mean()
            for draw, order in enumerate(orders)
        ]
        right = {"stitched": found["bottom"][1]}
        if wanted is not None:
            right["whole"] = upper.right(upper.wanted[tested], upper.labels[tested])
        if "untrained" in found:
            right["untrained"] = found["untrained"][1]
    right = pd.DataFrame(right, index=pd.Index(tested, name="input"))
    score = right.mean()
    chance = sampled(np.array(shuffled), "permutations", f"{draws} fits with the bottom's states shuffled", 1)
    weight, bias = (one.cpu().double().numpy() for one in (found["bottom"][0].weight.T, found["bottom"][0].bias))
    return Stitching(
        accuracy=score["stitched"],
        whole=score.get("whole"),
        penalty=score["whole"] - score["stitched"] if "whole" in score else None,
        untrained=score.get("untrained"),
        commonest=float(np.mean(labels[tested] == np.bincount(labels[learned]).argmax())),
        null_mean=chance.mean,
        null_sd=chance.sd,
        p=chance.tail(score["stitched"]),
        right=right,
        weight=weight,
        bias=bias,
        fit=fit,
        layer=KINDS[len(upper.shape)],
        n_learned=len(learned),
        chance=chance,
    )


def part(tell, i, runs):
    """How run `i` of several tells what share of it is done; None where nobody would see it."""
    return tell and (lambda share: tell((i + share) / runs))
