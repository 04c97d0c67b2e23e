"""Batches that memory is too short for are halved, and nothing is lost or done twice."""

import numpy as np
import pytest
import torch

from consilience.features.batches import LARGEST, batches
from consilience.features.encoder import Encoder

ITEMS = list(range(37))
WORDS = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
)


def numbers(fits, error=MemoryError(), seen=None, units=2):  # noqa: B008
    """An encoder of numbers as themselves, for which more than `fits` at a time are too many."""

    def encode(items):
        if len(items) > fits:
            raise error
        if seen is not None:
            seen.append(len(items))
        return [np.repeat(np.float32(items)[:, None], units, 1)]

    return Encoder("text", ["itself"], encode)


def rows(encoder, **options):
    return np.concatenate([batch["itself"][:, 0] for batch in batches(encoder, ITEMS, "mean", **options)])


@pytest.mark.parametrize("error", WORDS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("fits", [1, 5, 36, 100])
def test_each_stimulus_comes_once_and_in_order(error, fits):
    for options in ({}, {"batch_size": 37}, {"batch_size": 2}):
        np.testing.assert_array_equal(rows(numbers(fits, error), **options), ITEMS)
    np.testing.assert_array_equal(rows(numbers(fits, error), start=30), ITEMS[30:])


def test_a_halved_batch_stays_halved():
    seen = []
    rows(numbers(9, seen=seen), batch_size=37)
    assert seen == [9, 9, 9, 9, 1]


def test_a_batch_is_as_large_as_its_layers_allow(monkeypatch):
    seen = []
    rows(numbers(99, seen=seen))
    assert seen == [1, LARGEST["cpu"], 4]
    seen.clear()
    monkeypatch.setattr("consilience.features.batches.ROOM", 1000)
    rows(numbers(99, seen=seen, units=10))  # 40 bytes a stimulus, and four times that between layers
    assert max(seen) == 6 and sum(seen) == 37


def test_one_stimulus_that_is_too_much_is_said_in_words():
    with pytest.raises(MemoryError, match="a single stimulus"):
        rows(numbers(0))


def test_other_errors_are_not_taken_for_memory():
    with pytest.raises(RuntimeError, match="shapes"):
        rows(numbers(0, RuntimeError("shapes do not match")))
