"""Any model of the transformers library as an encoder: its blocks found, tapped, and named in order of depth.

Layers are ``embeddings``, what the first block takes; ``block1`` to the last (``stage1`` where a network has
stages); ``norm``, where a norm follows the last block; and ``joint``, where the model has towers that meet in one
space, its row there.
"""

from __future__ import annotations

from functools import partial

from ..check import InputError
from ..optional import bring
from .encoder import Encoder
from .families import TOWERS, Stack, family
from .parts import part_taps
from .taps import Tap, catching

torch = bring("torch")

# How lists of blocks are called, and what one of them is.
BLOCKS = {name: "block" for name in ("layers", "layer", "block", "blocks", "h", "resblocks")} | {"stages": "stage"}


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
    stacks = special.stacks or {"": Stack(longest_list(network), modality)}
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
            found[layer] = of(stack.tokens)(caught[layer].transpose(0, 1) if stack.swapped else caught[layer])
        if parts:
            return found
        final = output.get("last_hidden_state")
        if final is not None and not (final.shape == caught[layer].shape and torch.equal(final, caught[layer])):
            found["norm"] = of(stack.tokens)(final)
        return found | ({"joint": output["pooler_output"]} if meets else {})

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


def longest_list(network):
    """The name of the list of blocks: of those that are called so, the outermost, and there the largest."""
    lists = {
        name: sum(weight.numel() for weight in module.parameters())
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.ModuleList | torch.nn.Sequential) and name.rpartition(".")[2] in BLOCKS
    }
    if not lists:
        raise InputError(
            f"{type(network).__name__} has no list of blocks that is known as such; give the model as a "
            "torch.nn.Module, with layers= and prepare=."
        )
    return min(lists, key=lambda name: (name.count("."), -lists[name]))


def tapped(network, prefix, stack, parts):
    """{layer: Tap} of one stack of blocks."""
    word = BLOCKS.get(stack.blocks.rpartition(".")[2], "block")
    blocks = {f"{prefix}{word}{b + 1}": i for b, i in enumerate(network.get_submodule(stack.blocks)._modules)}
    blocks = {layer: f"{stack.blocks}.{i}" for layer, i in blocks.items()}
    if parts:
        n_heads = getattr(network.config, "num_attention_heads", None)
        if not isinstance(n_heads, int):
            raise InputError(f"parts cannot be told in {type(network).__name__}: its heads differ from block to block.")
        return part_taps({layer: (name, network.get_submodule(name)) for layer, name in blocks.items()}, parts, n_heads)
    first = next(iter(blocks.values()))
    return {f"{prefix}embeddings": Tap(first, "input")} | {layer: Tap(name) for layer, name in blocks.items()}


def placed(value, model):
    """A tensor where the model lies; numbers that are not counts in its dtype."""
    value = torch.as_tensor(value).to(model.device)
    return value.to(model.dtype) if value.is_floating_point() else value
