"""Any model of the transformers library as an encoder: its blocks found, tapped, and named in order of depth.

Layers are ``embeddings``, what the first block takes; ``block1`` to the last (``stage1`` where a network has
stages); ``norm``, where a norm follows the last block; and ``joint``, where the model has towers that meet in one
space, its row there.
"""

from __future__ import annotations

import re
from functools import partial

from ..check import InputError
from ..optional import bring
from .encoder import Encoder
from .families import TOWERS, Stack, family
from .parts import part_taps
from .taps import Tap, catching

torch = bring("torch")

# How lists of blocks are called, and stages that are no list.
BLOCKS = ("layers", "layer", "block", "blocks", "h", "resblocks", "stages")
NUMBERED = re.compile(r"(^|\.)(layer|stage)\d+$")


def encoder(model, modality, side, parts=None):
    """An encoder of a transformers model.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    modality : {"image", "text", "sound", "text+image"}
    side : consilience.features.sides.Side
    parts : sequence of {"q", "k", "v", "heads", "mlp"}, optional
        Parts of every block instead of the layers.
    """
    model.eval()
    network, run, meets = tower(model, modality)
    special = family(network.config)
    stacks = special.stacks or {"": Stack(None, modality)}
    taps, stack_of = {}, {}
    for prefix, stack in stacks.items():
        found = tapped(network, prefix, stack, parts)
        taps |= found
        stack_of |= dict.fromkeys(found, stack)

    @torch.inference_mode()
    def states(items):
        inputs, state = side.read(items)
        inputs = inputs | {name: make(inputs, network.config) for name, make in special.inputs.items()}
        with torch.random.fork_rng(devices=[]), catching(network, taps) as caught:
            torch.default_generator.manual_seed(0)  # some models draw lots even when they are not trained
            output = run(**{name: placed(value, model) for name, value in inputs.items()})
        silent = [layer for layer in taps if layer not in caught]
        if silent:
            raise InputError(f"{silent[0]} cannot be read: its module is there, but never runs on its own.")
        of = state.get if isinstance(state, dict) else lambda tokens: state
        found = {}
        for layer, stack in stack_of.items():
            values = caught[layer].transpose(0, 1) if stack.swapped else caught[layer]
            if len(values) != len(items):
                raise InputError(f"{layer} is computed in windows, not stimulus by stimulus, and cannot be read.")
            found[layer] = of(stack.tokens)(values)
        if parts:
            return found
        final = output.get("last_hidden_state")
        if final is not None and not (final.shape == caught[layer].shape and torch.equal(final, caught[layer])):
            found["norm"] = of(stack.tokens)(final)
        return found | ({"joint": output["pooler_output"]} if meets else {})

    unreadable = side.refuses(side.sample)
    if unreadable:
        raise InputError(f"{type(model).__name__} cannot even be tried with {side.sample!r}: {unreadable}.")
    layers = list(states([side.sample]))
    largest = 1 if special.alone(network.config) else None
    return Encoder(modality, layers, lambda items: list(states(items).values()), side.refuses, largest)


def tower(model, modality):
    """(the network that takes a modality, what runs it, whether that ends in a space that towers share)."""
    names, _, joint = TOWERS.get(modality, ((), None, None))
    inside = next((getattr(model, name) for name in names if hasattr(model, name)), None)
    if inside is not None and hasattr(model, joint):
        return inside, partial(getattr(model, joint), return_dict=True), True
    network = model.get_encoder() if model.config.is_encoder_decoder else inside or model
    return network, network, False


def named_blocks(network, stack=None):
    """The names of a network's blocks, shallowest first.

    They are a list that is called so, of several the outermost, and there the largest; or siblings with a number.
    """
    if stack is None:
        sizes = {
            name: sum(weight.numel() for weight in module.parameters())
            for name, module in network.named_modules()
            if isinstance(module, torch.nn.ModuleList | torch.nn.Sequential) and name.rpartition(".")[2] in BLOCKS
        }
        stack = min(sizes, key=lambda name: (name.count("."), -sizes[name]), default=None)
    if stack is not None:
        return [f"{stack}.{i}" for i in network.get_submodule(stack)._modules]
    numbered = [name for name, _ in network.named_modules() if NUMBERED.search(name)]
    if not numbered:
        raise InputError(
            f"{type(network).__name__} has no list of blocks that is known as such; give the model as a "
            "torch.nn.Module, with layers= and prepare=."
        )
    depth = min(name.count(".") for name in numbered)
    return [name for name in numbered if name.count(".") == depth]


def tapped(network, prefix, stack, parts):
    """{layer: Tap} of one stack of blocks."""
    names = named_blocks(network, stack.blocks)
    word = "stage" if "stage" in names[0] or NUMBERED.search(names[0]) else "block"
    blocks = {f"{prefix}{word}{b}": name for b, name in enumerate(names, 1)}
    if parts:
        return part_taps({layer: (name, network.get_submodule(name)) for layer, name in blocks.items()}, parts)
    first = next(iter(blocks.values()))
    return {f"{prefix}embeddings": Tap(first, "input")} | {layer: Tap(name) for layer, name in blocks.items()}


def placed(value, model):
    """A tensor where the model lies; numbers that are not counts in its dtype."""
    value = torch.as_tensor(value).to(model.device)
    return value.to(model.dtype) if value.is_floating_point() else value
