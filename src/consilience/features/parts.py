"""Finer parts of a transformer's blocks: queries, keys, values, what each head gives, and the units of the MLP.

A part is what one linear map of the block gives, or takes. Libraries name these maps in a dozen ways; the table
lists them, and the shortest path in the block that ends so is meant.
"""

from __future__ import annotations

from functools import partial

from ..check import InputError, check_choice
from .taps import Tap

# The names of each linear map in the families of models.
QUERIES = ("q_proj", "query", "SelfAttention.q")
KEYS = ("k_proj", "key", "SelfAttention.k")
VALUES = ("v_proj", "value", "SelfAttention.v")
MERGED = (
    "o_proj",
    "out_proj",
    "attention.output.dense",
    "SelfAttention.o",
    "attn.c_proj",
    "attention.dense",
    "attn.proj",
)
NARROWED = (
    "mlp.fc2",
    "fc2",
    "down_proj",
    "feed_forward.output_dense",
    "DenseReluDense.wo",
    "mlp.c_proj",
    "mlp.dense_4h_to_h",
    "output.dense",
)
# Maps that give queries, keys and values at once, and whether they lie head by head.
AT_ONCE = {"attn.c_attn": False, "attn.qkv": False, "query_key_value": True}

# part: (the end of the map where it lies, the map's names)
PARTS = {
    "q": ("output", QUERIES),
    "k": ("output", KEYS),
    "v": ("output", VALUES),
    "heads": ("input", MERGED),
    "mlp": ("input", NARROWED),
}


def part_taps(blocks, parts):
    """Where the parts of every block lie.

    Parameters
    ----------
    blocks : dict of str to (str, torch.nn.Module)
        {layer: (name of the block in its network, block)}, shallowest first.
    parts : sequence of {"q", "k", "v", "heads", "mlp"}

    Returns
    -------
    dict of str to Tap
        ``block1.q`` and so on, of shape (n_stimuli, n_tokens, n_units); heads one by one, ``block1.head1``.

    Raises
    ------
    InputError
        If a block has no such part.
    """
    taps = {}
    for layer, (name, block) in blocks.items():
        paths = [path for path, module in block.named_modules() if hasattr(module, "weight")]
        n_heads = number_of_heads(block)
        for part in parts:
            end, names = PARTS[check_choice(part, "parts", PARTS)]
            path, take = found(paths, names), None
            if path is None and part in "qkv":
                path = found(paths, AT_ONCE)
                take = path and partial(third, "qkv".index(part), n_heads, by_head=AT_ONCE[ending(path, AT_ONCE)])
            if path is None or (n_heads is None and part != "mlp"):
                raise InputError(
                    f"parts names {part!r}, but {layer}, {type(block).__name__}, has nothing known as that."
                )
            if part == "heads":
                each = {f"{layer}.head{h + 1}": partial(head, h, n_heads) for h in range(n_heads)}
                taps |= {inner: Tap(f"{name}.{path}", end, take) for inner, take in each.items()}
            else:
                taps[f"{layer}.{part}"] = Tap(f"{name}.{path}", end, take)
    return taps


def number_of_heads(block):
    """How many heads a block's attention has, by its configuration, or by what the attention says itself."""
    inside = list(block.modules())
    told = [getattr(getattr(module, "config", None), "num_attention_heads", None) for module in inside]
    counts = [
        getattr(module, name, None) for module in inside for name in ("num_heads", "num_attention_heads", "n_heads")
    ]
    return next((n for n in (*told, *counts) if isinstance(n, int)), None)


def found(paths, names):
    """The shortest path that ends in the first of `names` that there is; None if there is none."""
    for name in names:
        ends = [path for path in paths if ending(path, [name])]
        if ends:
            return min(ends, key=len)
    return None


def ending(path, names):
    return next((name for name in names if f".{path}".endswith(f".{name}")), None)


def head(h, n_heads, values):
    """What head h gives: values of shape (..., n_heads * width), heads side by side."""
    return values.unflatten(-1, (n_heads, -1))[..., h, :]


def third(i, n_heads, values, by_head):
    """Queries, keys or values out of all three: side by side, or side by side within each head."""
    if by_head:
        return values.unflatten(-1, (n_heads, 3, -1))[..., i, :].flatten(-2)
    return values.chunk(3, -1)[i]
