"""A network or a function that the reader brings, as an encoder."""

from __future__ import annotations

import numpy as np

from ..check import InputError
from ..optional import bring
from .encoder import Encoder
from .taps import Tap, catching, first_tensor
from .tokens import Map, Tokens


def of_function(function, modality):
    """An encoder with the one layer ``output``: an array with a row a stimulus.

    Parameters
    ----------
    function : callable
        From a list of n stimuli to an array of shape (n, n_units), NumPy's or torch's.
    """

    def encode(items):
        array = function(items)
        array = array if hasattr(array, "detach") else np.asarray(array)
        if array.ndim != 2 or len(array) != len(items):
            raise InputError(
                f"The function gives shape {tuple(array.shape)} for {len(items)} stimuli; it must give one row each."
            )
        return [array]

    return Encoder(modality, ["output"], encode)


def of_module(module, modality, layers, prepare):
    """An encoder of a torch network, with the named modules' outputs as layers.

    Parameters
    ----------
    module : torch.nn.Module
        Used as it is, on its device; in evaluation mode while it runs.
    layers : sequence of str, or None
        Names of ``module.named_modules()``, shallowest first; None for what the network gives, as ``output``.
    prepare : callable
        From a list of n stimuli to what the network takes: a tensor, or a dict of tensors by name. Where that holds
        an ``attention_mask``, it says which tokens are padding.
    """
    torch = bring("torch")
    if prepare is None:
        raise InputError("A torch.nn.Module takes tensors: give prepare=, a function from a list of stimuli to them.")
    taps = {layer: Tap(layer) for layer in layers or ()}
    here = next((weight.device for weight in module.parameters()), torch.device("cpu"))

    @torch.inference_mode()
    def encode(items):
        inputs = prepare(items)
        named = dict(inputs) if hasattr(inputs, "keys") else {}
        modes = [(part, part.training) for part in module.modules()]
        module.eval()
        try:
            with catching(module, taps) as caught:
                named = {name: value.to(here) for name, value in named.items()}
                output = module(**named) if named else module(inputs.to(here))
        finally:
            for part, training in modes:
                part.training = training
        values = [caught[layer] for layer in taps] or [first_tensor(output)]
        return [state(tensor, named.get("attention_mask"), len(items)) for tensor in values]

    return Encoder(modality, list(taps) or ["output"], encode)


def state(values, mask, n_stimuli):
    """What a tensor holds, by its shape: rows, tokens, or a map."""
    if len(values) != n_stimuli or values.ndim not in (2, 3, 4):
        raise InputError(
            f"A layer has shape {tuple(values.shape)} for {n_stimuli} stimuli; known are (n, units), (n, tokens, "
            "units) and (n, units, height, width)."
        )
    if values.ndim == 3:
        known = mask is not None and mask.shape == values.shape[:2]
        return Tokens(values, mask.bool() if known else bring("torch").ones_like(values[..., 0]).bool())
    return Map(values) if values.ndim == 4 else values
