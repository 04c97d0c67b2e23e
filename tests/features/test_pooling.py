"""Pooling against loops over one stimulus at a time, in NumPy and in torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from consilience import InputError
from consilience.features.pooling import pooled
from consilience.features.tokens import Map, Tokens

ONE_BY_ONE = {
    "mean": lambda kept, all, summary: kept.mean(0),
    "max": lambda kept, all, summary: kept.max(0),
    "last": lambda kept, all, summary: kept[-1],
    "cls": lambda kept, all, summary: all[summary],
}


@st.composite
def batches(draw):
    """Tokens with at least one kept each; what is not kept is sometimes NaN."""
    n, n_tokens, n_units = draw(st.integers(1, 5)), draw(st.integers(1, 7)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kept = rng.random((n, n_tokens)) < 0.6
    kept[range(n), rng.integers(0, n_tokens, n)] = True
    values = rng.standard_normal((n, n_tokens, n_units)).astype(np.float32)
    summary = draw(st.sampled_from([0, rng.integers(0, n_tokens, n)]))
    if draw(st.booleans()):
        values[~kept] = np.nan
    return Tokens(values, kept, summary)


def as_torch(tokens):
    return Tokens(*(torch.as_tensor(part) for part in (tokens.values, tokens.kept, tokens.summary)))


@pytest.mark.parametrize("convert", [lambda tokens: tokens, as_torch], ids=["numpy", "torch"])
@pytest.mark.parametrize("pool", ONE_BY_ONE)
@given(tokens=batches())
def test_tokens_are_pooled_as_one_by_one(convert, pool, tokens):
    found = pooled(convert(tokens), pool)
    summaries = np.broadcast_to(tokens.summary, len(tokens.values))
    for row, values, kept, summary in zip(found, tokens.values, tokens.kept, summaries, strict=True):
        np.testing.assert_allclose(row, ONE_BY_ONE[pool](values[kept], values, summary), atol=1e-6)
    assert found.dtype == np.float32 and isinstance(found, np.ndarray)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
def test_maps_are_pooled_over_space(convert):
    values = np.random.default_rng(0).standard_normal((3, 4, 5, 6)).astype(np.float32)
    flat = values.reshape(3, 4, 30)
    np.testing.assert_allclose(pooled(Map(convert(values)), "mean"), flat.mean(2), atol=1e-6)
    np.testing.assert_array_equal(pooled(Map(convert(values)), "max"), flat.max(2))
    np.testing.assert_array_equal(pooled(Map(convert(values)), "none"), values.reshape(3, -1))


def test_none_lays_the_kept_tokens_side_by_side():
    values = np.arange(12.0).reshape(2, 3, 2)
    kept = np.array([[False, True, True], [True, False, True]])
    np.testing.assert_array_equal(pooled(Tokens(values, kept), "none"), [[2, 3, 4, 5], [6, 7, 10, 11]])


def test_half_precision_is_summed_in_single():
    values = torch.full((1, 4096, 1), 0.1, dtype=torch.float16)
    found = pooled(Tokens(values, torch.ones(1, 4096, dtype=torch.bool)))
    np.testing.assert_allclose(found, float(values[0, 0, 0]), rtol=1e-6)


def test_what_a_layer_does_not_have_is_refused_in_words():
    values, kept = np.ones((2, 3, 1)), np.array([[True, True, True], [True, False, False]])
    with pytest.raises(InputError, match="no token for the whole"):
        pooled(Tokens(values, kept), "cls")
    with pytest.raises(InputError, match="from 1 to 3 tokens"):
        pooled(Tokens(values, kept), "none")
    with pytest.raises(InputError, match="a feature map has no tokens"):
        pooled(Map(np.ones((2, 1, 2, 2))), "cls")
