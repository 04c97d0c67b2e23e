"""Batch after batch, as large as memory allows, with the time that is left."""

from __future__ import annotations

import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .pooling import pooled
from .tokens import Map, Tokens

BETWEEN = 4  # what lies between two layers, as a multiple of the layers' own size
ROOM = 2**30  # bytes that a batch may take where nobody says how much memory is free
LARGEST = {"cpu": 32, "cuda": 256, "mps": 64}  # beyond these a batch gains no speed
SHORT = ("out of memory", "allocate memory", "not enough memory", "failed to allocate", "bad allocation")


def batches(encoder, items, pool, start=0, batch_size=None):
    """Rows of every layer, batch after batch.

    Parameters
    ----------
    encoder : Encoder
    items : sequence
        Read one by one.
    pool : {"mean", "cls", "last", "max", "none"}
    start : int
        How many stimuli are done already.
    batch_size : int, optional
        By default found: the first stimulus goes alone, and its layers' size tells. Whatever it is, a batch that
        memory is too short for is tried again, half as large, and so are all that follow.

    Yields
    ------
    dict of str to float32 ndarray of shape (n_batch, n_units)

    Raises
    ------
    MemoryError
        If memory is too short for one stimulus.
    """
    chosen = min(filter(None, (encoder.largest_batch, batch_size)), default=None)
    while start < len(items):
        batch = [items[i] for i in range(start, min(start + (chosen or 1), len(items)))]
        try:
            rows, fitting = taken(encoder, batch, pool)
        except Exception as error:
            if not short_of_memory(error):
                raise
            if len(batch) == 1:
                raise MemoryError(
                    f"Memory is too short for a single stimulus ({error}). Take a smaller model, dtype='bfloat16', or "
                    "another device."
                ) from error
            rows = None
        if rows is None:  # out of the block above, the error holds on to no memory any more
            chosen = len(batch) // 2
            forget()
            continue
        yield rows
        start += len(batch)
        chosen = chosen or fitting


def taken(encoder, batch, pool):
    """The rows of one batch, and how many stimuli of this size would fit."""
    states = encoder.encode(batch)
    rows = {layer: pooled(state, pool) for layer, state in zip(encoder.layers, states, strict=True)}
    tensors = [state.values if isinstance(state, Tokens | Map) else state for state in states]
    each = BETWEEN * sum(tensor.nbytes for tensor in tensors) // len(batch)
    kind = getattr(tensors[0].device, "type", "cpu")
    room = sys.modules["torch"].cuda.mem_get_info()[0] // 2 if kind == "cuda" else ROOM
    return rows, max(1, min(room // max(each, 1), LARGEST[kind]))


def short_of_memory(error):
    """Whether an error says that memory is too short: Python's, torch's, CUDA's or onnxruntime's."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in SHORT)


def forget():
    """Give back what torch keeps of a GPU's memory."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def with_progress(batches, doing, done, total, shown):
    """The same batches, with a bar, how many are done, and the time that is left."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, transient=True, disable=not shown) as progress:
        task = progress.add_task(doing, total=total, completed=done)
        for rows in batches:
            yield rows
            progress.advance(task, len(next(iter(rows.values()))))
