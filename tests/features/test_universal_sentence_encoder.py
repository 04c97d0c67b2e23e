"""The Universal Sentence Encoder, against its formulas written out word piece by word piece in float64."""

import struct

import numpy as np
import pytest
import torch
from transformers.convert_slow_tokenizer import import_protobuf

from consilience.features import universal_sentence_encoder as use

UNITS, BRANCH, DENSE = 6, 4, 5


@pytest.fixture(scope="module")
def w():
    rng = np.random.default_rng(0)
    shapes = {
        "ln_g": 3 * BRANCH + UNITS,
        "ln_b": 3 * BRANCH + UNITS,
        "cnn_W": (3 * BRANCH + UNITS, UNITS),
        "cnn_b": UNITS,
    }
    shapes |= {"d0": (UNITS, DENSE), "p1": (UNITS, DENSE), "d1": (DENSE, DENSE)}
    shapes |= {"d2": (DENSE, UNITS), "p3": (DENSE, UNITS), "d3": (UNITS, UNITS)}
    for width in (2, 3, 5):
        shapes |= {
            f"proj{width}": (UNITS, BRANCH),
            f"proj_b{width}": BRANCH,
            f"ln_g{width}": BRANCH,
            f"ln_b{width}": BRANCH,
        }
        for number in (1, 2):
            shapes |= {f"w{number}_{width}": (width * BRANCH, BRANCH), f"b{number}_{width}": BRANCH}
    made = {name: torch.tensor(rng.standard_normal(shape), dtype=torch.float32) for name, shape in shapes.items()}
    return made | {"eps": torch.tensor(1e-5, dtype=torch.float64)}


def by_hand(x, w):
    """Layers after the embeddings of one sentence, x of shape (n_tokens, UNITS)."""
    w = {name: value.double().numpy() for name, value in w.items()}

    def norm(row, gain, shift):
        return (row - row.mean()) / np.sqrt(row.var() + w["eps"]) * gain + shift

    def beside(rows, t, left, width):
        inside = [rows[s] if 0 <= s < len(rows) else np.zeros(BRANCH) for s in range(t - left, t - left + width)]
        return np.concatenate(inside)

    entrances = []
    for row in x:
        projected = np.concatenate([row @ w[f"proj{n}"] + w[f"proj_b{n}"] for n in (2, 3, 5)])
        gain, shift = (np.concatenate([w[f"{name}{n}"] for n in (2, 3, 5)]) for name in ("ln_g", "ln_b"))
        entrances.append(norm(projected, gain, shift).reshape(3, BRANCH))
    branches = []
    for branch, (width, left) in enumerate([(2, 0), (3, 1), (5, 2)]):
        rows = [row[branch] for row in entrances]
        for number in (1, 2):
            kernel, bias = w[f"w{number}_{width}"], w[f"b{number}_{width}"]
            rows = [row + np.maximum(beside(rows, t, left, width) @ kernel + bias, 0) for t, row in enumerate(rows)]
        branches.append(rows)
    ngrams = np.stack([norm(np.concatenate(row), w["ln_g"], w["ln_b"]) for row in zip(x, *branches, strict=True)])
    sentence = sum(row @ w["cnn_W"] + w["cnn_b"] for row in ngrams) / np.sqrt(len(x))
    block1 = np.maximum(sentence @ w["p1"] + np.maximum(sentence @ w["d0"], 0) @ w["d1"], 0)
    block2 = np.tanh(block1 @ w["p3"] + np.maximum(block1 @ w["d2"], 0) @ w["d3"])
    return ngrams, sentence, block1, block2 / np.linalg.norm(block2)


def test_sentences_in_a_batch_are_what_the_formulas_say_of_each(w):
    lengths = [3, 9, 2, 6]
    x = torch.randn(4, 9, UNITS, generator=torch.Generator().manual_seed(1))
    found = use.forward(x, torch.tensor(lengths), w)
    for i, length in enumerate(lengths):
        expected = by_hand(x[i, :length].double().numpy(), w)
        np.testing.assert_allclose(found[0][i, :length], expected[0], atol=2e-4)
        for state, row in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(state[i], row, atol=2e-3, rtol=1e-4)


def test_redrawn_weights_are_other_matrices_and_neutral_norms(w):
    values = w | {"q1": torch.randint(64, (50, UNITS), dtype=torch.uint8), "scale": torch.ones(1), "lo": torch.ones(1)}
    one, same, other = (use.redrawn(values, seed) for seed in (1, 1, 2))
    assert one.keys() == values.keys() and all(torch.equal(one[name], same[name]) for name in one)
    for name, value in values.items():
        if value.ndim == 2:
            assert not torch.equal(one[name], value) and not torch.equal(one[name], other[name]), name
    assert (
        torch.equal(one["ln_g"], torch.ones(18)) and not one["cnn_b"].any() and torch.equal(one["scale"], torch.ones(1))
    )


def test_the_likeliest_pieces_are_found_and_marks_in_a_text_are_letters(tmp_path):
    messages = import_protobuf()
    model = messages.ModelProto()
    kinds = messages.ModelProto.SentencePiece
    for piece, score, type in [
        ("<unk>", 0, kinds.UNKNOWN),
        ("<s>", 0, kinds.CONTROL),
        ("</s>", 0, kinds.CONTROL),
        *((piece, score, kinds.NORMAL) for piece, score in zip("▁absx<>", [-3.0] * 7, strict=True)),
        ("▁ab", -4, kinds.NORMAL),
        ("bs", -4, kinds.NORMAL),
    ]:
        model.pieces.add(piece=piece, score=score, type=type)
    model.normalizer_spec.precompiled_charsmap = struct.pack("<I", 1024) + bytes(1024) + b"\0"  # maps nothing
    (tmp_path / "sp.model").write_bytes(model.SerializeToString())
    tokenizer = use.unigram(tmp_path / "sp.model")
    assert tokenizer.encode("  ab  x ").tokens == ["▁ab", "▁", "x"]
    assert tokenizer.encode("abs").tokens == ["▁ab", "s"], "-7 of two pieces, against -10 of three"
    assert tokenizer.encode("<s>").tokens == ["▁", "<", "s", ">"]
