"""Encode stimuli with a model: every layer, pooled to one row a stimulus, kept on disk."""

from __future__ import annotations

import numpy as np

from ..check import InputError, check_choice, check_whole
from ..kit import say
from ..stimuli import Stimuli
from . import store
from .batches import batches, with_progress
from .features import Features
from .models import found
from .origin import Origin
from .pooling import POOLS
from .provenance import provenance
from .seen import Seen, chosen_modality


def encode(
    model,
    stimuli,
    *,
    layers=None,
    pool=None,
    modality=None,
    language=None,
    weights="trained",
    seed=0,
    parts=None,
    prepare=None,
    batch_size=None,
    dtype=None,
    device=None,
    bad="refuse",
    progress=True,
):
    """What a model makes of stimuli, layer by layer.

    Parameters
    ----------
    model : str, Path, torch.nn.Module or callable
        A row of data/models.yaml; a folder with a model as the Hugging Face hub lays it out; a repository of the hub
        with its revision, "owner/name@commit"; a torch network; or a function from a list of n stimuli to an array of
        shape (n, n_units).
    stimuli : Stimuli
    layers : sequence of str, optional
        Names of layers, by default all. Of a torch network, the names of its modules, by default what it gives.
    pool : {"mean", "cls", "last", "max", "none"}, optional
        How tokens, or the places of a map, become one row a stimulus: see :mod:`consilience.features.pooling`. By
        default what the row of the model names, or else "mean". Padding and special tokens are in none but "cls".
    modality : {"image", "text", "sound", "place", "text+image"}, optional
        Which tower of a model that has several. By default its first for which there are stimuli; with `language`,
        the one for text or sound.
    language : str, optional
        Of texts and sounds; by default the only one, or English.
    weights : {"trained", "random"}
        "random" draws the network's weights from `seed` and keeps everything else: the untrained twin.
    seed : int
    parts : sequence of {"q", "k", "v", "heads", "mlp"}, optional
        Parts of every block instead of its output: queries, keys, values, what each head gives, units of the MLP.
    prepare : callable, optional
        Of a torch network: from a list of stimuli to the tensor, or dict of tensors, that it takes.
    batch_size : int, optional
        Stimuli at a time: memory and speed, never results beyond rounding. By default found; halved whenever memory
        is too short.
    dtype : {"float32", "bfloat16", "float16"}, optional
        By default float32; on a GPU, what the weights were saved as.
    device : str, optional
        By default the best that torch finds.
    bad : {"refuse", "skip"}
        Whether stimuli that cannot be used (broken, empty, silent, too long for the model) stop everything before it
        starts, or are named and left out: ``features.ids`` names those that remain.
    progress : bool
        Show a bar while computing.

    Returns
    -------
    Features
        One float32 array of shape (n_stimuli, n_units) a layer. Read from the cache if the same weights met the same
        stimuli under the same code and library versions (major and minor) before. Torch networks and functions are
        not kept: only their code would tell one from another.

    Raises
    ------
    InputError
        If an argument cannot be meant, or stimuli cannot be used; the message names all of them.
    consilience.kit.KitError
        If there is no such model, or its weights did not come or are not what they should be.
    ImportError
        If a library that the model needs is missing; the message says how to install it.
    FloatingPointError
        If a layer holds NaN or infinity.
    MemoryError
        If memory is too short for one stimulus.
    """
    check_whole(seed, "seed", 0)
    check_choice(weights, "weights", ("trained", "random"))
    check_choice(bad, "bad", ("refuse", "skip"))
    if batch_size is not None:
        check_whole(batch_size, "batch_size", 1)
    if not isinstance(stimuli, Stimuli) or not len(stimuli):
        raise InputError("stimuli must be what consilience.stimuli.load gives, or a selection of it, not empty.")
    layers, parts = names(layers, "layers"), names(parts, "parts")
    model = found(model, layers, prepare)
    modality = chosen_modality(model.takes, stimuli, modality, language)
    options = model.chosen({"modality": modality, "parts": parts, "dtype": dtype, "device": device})
    pool = check_choice(pool or model.row.get("pool", "mean"), "pool", POOLS)

    def origin(seen):
        return Origin(provenance(model, options, seen, layers, pool, weights, int(seed)))

    seen = Seen(stimuli, modality, language)
    kept = store.entry(origin(seen), stimuli.ids).read() if model.kept and not seen.broken() else None
    if kept is not None:
        return kept
    encoder = model.load(options, weights, seed)
    encoder = encoder if layers is None else encoder.only(layers)
    seen = usable(seen, encoder, bad)
    doing = f"{model.name}{', random weights' * (weights == 'random')}"

    def rows(start=0):
        found = batches(encoder, seen, pool, start, batch_size)
        for batch in with_progress(found, doing, start, len(seen), progress):
            yield finite(batch, doing)

    if not model.kept:
        made = list(rows())
        arrays = {layer: np.concatenate([batch[layer] for batch in made]) for layer in encoder.layers}
        return Features(model.name, weights, arrays, origin(seen), seen.stimuli.ids)
    entry = store.entry(origin(seen), seen.stimuli.ids)
    with entry.writing(len(seen)) as file:
        for batch in rows(file.done):
            file.append(batch)
    return entry.read()


def usable(seen, encoder, bad):
    """The stimuli without those that cannot be used, which are named."""
    problems = seen.problems(encoder.refuses)
    if not problems:
        return seen
    told = f"{len(problems)} of {len(seen)} stimuli cannot be used. " + " ".join(problems.values())
    if bad == "refuse" or len(problems) == len(seen):
        raise InputError(f"{told} With bad='skip', those that can be used are encoded without them.")
    say(f"{told} They are left out.")
    return seen.only([i for i in range(len(seen)) if i not in problems])


def finite(batch, doing):
    for layer, X in batch.items():
        if not np.isfinite(X).all():
            raise FloatingPointError(f"{doing}: layer {layer} holds NaN or infinity.")
    return batch


def names(value, name):
    """None, or a list of names; a single string would be read letter by letter."""
    if value is None:
        return None
    if isinstance(value, str) or not all(isinstance(each, str) for each in value) or not value:
        raise InputError(f"{name} is {value!r}; give a list of names.")
    return list(value)
