"""Queries, keys, values, heads and MLP units against attention written out by hand."""

import numpy as np
import pytest
import tiny
import torch
import transformers as t
from cases import CASES

from consilience import InputError
from consilience.features.models import found
from consilience.features.parts import PARTS

TEXT = "the big dog runs"


def read(place, modality, parts, item):
    """{layer: (n_tokens, n_units)} of one stimulus."""
    options = {"modality": modality, "device": "cpu", "dtype": "float32", "parts": parts}
    encoder = found(place).load(options, "trained", 0)
    return {layer: state.values[0] for layer, state in zip(encoder.layers, encoder.encode([item]), strict=True)}


@pytest.fixture
def made(tmp_path):
    def make(name):
        case = CASES[name]()
        place = tiny.folder(tmp_path / "model", case.config, processor=case.processor)
        return place, t.AutoModel.from_pretrained(place).eval(), case.processor(TEXT, return_tensors="pt")

    return make


def attention(q, k, v, causal):
    """What one head gives: (n_tokens, width) of each."""
    scores = q @ k.T / q.shape[1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
    return scores.softmax(1) @ v


def close(found, expected):
    np.testing.assert_allclose(found, expected.detach(), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_bert_by_hand(made):
    place, model, inputs = made("BERT")
    found = read(place, "text", ["q", "k", "v", "heads", "mlp"], TEXT)
    states = model(**inputs, output_hidden_states=True).hidden_states
    for b, layer in enumerate(model.encoder.layer):
        maps = layer.attention.self
        q, k, v = maps.query(states[b][0]), maps.key(states[b][0]), maps.value(states[b][0])
        for part, expected in zip("qkv", (q, k, v), strict=True):
            close(found[f"block{b + 1}.{part}"], expected)
        for h in range(2):
            mine = slice(8 * h, 8 * h + 8)
            close(found[f"block{b + 1}.head{h + 1}"], attention(q[:, mine], k[:, mine], v[:, mine], causal=False))
        heads = torch.cat([found[f"block{b + 1}.head{h + 1}"] for h in range(2)], 1)
        attended = layer.attention.output(heads, states[b][0])
        close(found[f"block{b + 1}.mlp"], torch.nn.functional.gelu(layer.intermediate.dense(attended)))
    assert [name for name in found if name.startswith("block1")] == [
        f"block1.{part}" for part in ("q", "k", "v", "head1", "head2", "mlp")
    ]


@torch.no_grad()
def test_gpt2_by_hand_where_one_map_gives_all_three(made):
    place, model, inputs = made("GPT-2")
    found = read(place, "text", ["q", "k", "v", "heads"], TEXT)
    states = model(**inputs, output_hidden_states=True).hidden_states
    for b, block in enumerate(model.h):
        q, k, v = block.attn.c_attn(block.ln_1(states[b][0])).split(16, 1)
        close(found[f"block{b + 1}.q"], q)
        for h in range(2):
            mine = slice(8 * h, 8 * h + 8)
            close(found[f"block{b + 1}.head{h + 1}"], attention(q[:, mine], k[:, mine], v[:, mine], causal=True))


@torch.no_grad()
def test_gpt_neox_keeps_the_three_of_each_head_together(made):
    """With rotations undone: at the first token there are none, and it attends to itself alone, so heads are values."""
    place, *_ = made("GPT-NeoX")
    found = read(place, "text", ["v", "heads"], TEXT)
    for b in (1, 2):
        heads = torch.cat([found[f"block{b}.head{h}"][0] for h in (1, 2)])
        close(heads, found[f"block{b}.v"][0])


def test_llama_shares_keys_between_heads(made):
    place, *_ = made("Llama")
    found = read(place, "text", ["q", "k"], TEXT)
    assert found["block1.q"].shape[1] == 16 and found["block1.k"].shape[1] == 8


# No heads; heads in windows of places; and WavLM, which hands its maps' weights to a routine that runs none of them.
WITHOUT = ("Mamba", "ConvNeXt", "ResNet", "CLAP, sound", "WavLM", "WavLM, large")


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT])
def test_every_family_of_transformers_has_every_part(name, tmp_path):
    case = CASES[name]()
    place = tiny.folder(tmp_path, case.config, processor=case.processor)
    options = {"modality": case.modality, "device": "cpu", "dtype": "float32", "parts": [*PARTS]}
    layers = found(place).load(options, "trained", 0).layers
    assert layers == [f"block{b}.{part}" for b in (1, 2) for part in ("q", "k", "v", "head1", "head2", "mlp")]


@pytest.mark.parametrize("name", WITHOUT)
def test_what_has_no_such_part_is_refused(name, tmp_path):
    case = CASES[name]()
    place = tiny.folder(tmp_path, case.config, processor=case.processor)
    with pytest.raises(InputError, match=r"part|never runs|in windows"):
        read(place, case.modality, ["q"], TEXT)
