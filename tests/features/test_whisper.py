"""Whisper out of a CTranslate2 file is transformers' own Whisper, and hears a clip alone as it does in a batch."""

import struct

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

from consilience.features import ctranslate2, whisper

RATE = 16000
SECONDS = 4


@pytest.fixture(scope="module")
def model():
    """A Whisper of a few units that hears four seconds."""
    config = WhisperConfig(
        vocab_size=30,
        d_model=16,
        num_mel_bins=80,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=24,
        decoder_ffn_dim=20,
        max_source_positions=50 * SECONDS,
        max_target_positions=12,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
    )
    torch.manual_seed(0)
    made = WhisperModel(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight += 0.1 * torch.randn_like(weight)
    return made


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(n).astype(np.float32) / 9 for n in (9000, 17000, 8001, 40000, 320)]


def in_file(model):
    """What CTranslate2's converter would write of the model, after its documentation."""
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    arrays = {"encoder/num_heads": np.int16(model.config.encoder_attention_heads), "encoder/pre_norm": np.int8(1)}

    def norm(ours, theirs):
        arrays[f"{ours}/gamma"], arrays[f"{ours}/beta"] = state[f"{theirs}.weight"], state[f"{theirs}.bias"]

    def stack(ours, *theirs):
        biases = [state.get(f"{name}.bias", np.zeros(16, np.float32)) for name in theirs]
        arrays[f"{ours}/weight"] = np.concatenate([state[f"{name}.weight"] for name in theirs])
        arrays[f"{ours}/bias"] = np.concatenate(biases)

    for convolution in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            arrays[f"encoder/{convolution}/{kind}"] = state[f"encoder.{convolution}.{kind}"]
    arrays["decoder/embeddings/weight"] = state["decoder.embed_tokens.weight"]
    for side, depth in (("encoder", 2), ("decoder", 1)):
        arrays[f"{side}/position_encodings/encodings"] = state[f"{side}.embed_positions.weight"]
        norm(f"{side}/layer_norm", f"{side}.layer_norm")
        for i in range(depth):
            ours, theirs = f"{side}/layer_{i}", f"{side}.layers.{i}"
            norm(f"{ours}/self_attention/layer_norm", f"{theirs}.self_attn_layer_norm")
            stack(f"{ours}/self_attention/linear_0", *(f"{theirs}.self_attn.{x}_proj" for x in "qkv"))
            stack(f"{ours}/self_attention/linear_1", f"{theirs}.self_attn.out_proj")
            if side == "decoder":
                norm(f"{ours}/attention/layer_norm", f"{theirs}.encoder_attn_layer_norm")
                stack(f"{ours}/attention/linear_0", f"{theirs}.encoder_attn.q_proj")
                stack(f"{ours}/attention/linear_1", *(f"{theirs}.encoder_attn.{x}_proj" for x in "kv"))
                stack(f"{ours}/attention/linear_2", f"{theirs}.encoder_attn.out_proj")
            norm(f"{ours}/ffn/layer_norm", f"{theirs}.final_layer_norm")
            stack(f"{ours}/ffn/linear_0", f"{theirs}.fc1")
            stack(f"{ours}/ffn/linear_1", f"{theirs}.fc2")
    return arrays


def written(arrays):
    """The bytes of a file of these arrays."""
    kinds = {np.dtype(np.float32): 0, np.dtype(np.int8): 1, np.dtype(np.int16): 2}

    def text(words):
        return struct.pack("<H", len(words) + 1) + words.encode() + b"\0"

    parts = [struct.pack("<I", 6), text("WhisperSpec"), struct.pack("<II", 3, len(arrays))]
    for name, array in arrays.items():
        array = np.asarray(array)
        parts += [text(name), struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)]
        parts += [struct.pack("<BI", kinds[array.dtype], array.nbytes), array.tobytes()]
    return b"".join([*parts, struct.pack("<I", 0)])


def test_every_weight_of_the_file_finds_its_place(model):
    found = whisper.named(ctranslate2.read(written(in_file(model))))
    expected = model.state_dict()
    assert {f"{side}.{name}" for side in found for name in found[side]} == set(expected)
    for side, weights in found.items():
        for name, weight in weights.items():
            assert torch.equal(weight, expected[f"{side}.{name}"]), name


def test_a_model_in_two_parts_is_the_model(model, clips, tmp_path):
    data = written(in_file(model))
    (tmp_path / "model.bin.part1").write_bytes(data[:5000])
    (tmp_path / "model.bin.part2").write_bytes(data[5000:])
    row = {"files": {"model.bin.part1": "", "model.bin.part2": ""}, "input": {"silence": SECONDS}}
    encoder = whisper.load(row, tmp_path, "trained", 0)
    assert encoder.modality == "sound" and encoder.layers == ["embeddings", "block1", "block2", "norm"]
    extract = WhisperFeatureExtractor(feature_size=80, chunk_length=SECONDS)
    x = extract(clips, sampling_rate=RATE, return_tensors="pt")["input_features"]
    with torch.no_grad():
        plain = model.encoder(x, output_hidden_states=True)
    states = encoder.encode(clips)
    for state, expected in zip(states, [*plain.hidden_states[:-1], None, plain.last_hidden_state], strict=True):
        if expected is not None:
            np.testing.assert_allclose(
                state.values[state.kept], expected[:, : state.kept.shape[1]][state.kept], atol=1e-5
            )
    assert states[0].kept.sum(1).tolist() == [29, 54, 26, 125, 1], "a token for each 320 samples that are begun"


@pytest.mark.parametrize("silence", [0, 1])
def test_a_clip_is_heard_alone_as_in_a_batch(model, clips, silence):
    encoder = whisper.encoder(model.encoder, silence)
    together = encoder.encode(clips)
    for i, clip in enumerate(clips):
        for alone, state in zip(encoder.encode([clip]), together, strict=True):
            assert alone.kept.all() and alone.kept.shape[1] == state.kept[i].sum()
            np.testing.assert_allclose(alone.values[0], state.values[i, state.kept[i]], atol=1e-5)


def test_an_untrained_twin_has_the_same_shape_and_follows_its_seed(model, clips, tmp_path):
    (tmp_path / "model.bin").write_bytes(written(in_file(model)))
    row = {"files": {"model.bin": ""}, "input": {"silence": 1}}
    norms = [whisper.load(row, tmp_path, "random", seed).encode(clips)[-1].values for seed in (1, 1, 2)]
    assert norms[0].shape == (5, 125, 16)
    assert torch.equal(norms[0], norms[1]) and not torch.allclose(norms[0], norms[2])


def test_what_is_too_long_is_refused(model):
    encoder = whisper.encoder(model.encoder, 1)
    assert encoder.refuses(np.zeros(SECONDS * RATE)) is None
    assert encoder.refuses(np.zeros(SECONDS * RATE + 1)) == "it lasts 4.0 s, and the model hears 4 s"


def test_a_file_that_is_cut_short_is_refused(model):
    data = written(in_file(model))
    with pytest.raises(ValueError, match="cut short"):
        ctranslate2.read(data[:7000])
    with pytest.raises(ValueError, match="unknown type 9"):
        ctranslate2.read(data.replace(struct.pack("<BI", 2, 2), struct.pack("<BI", 9, 2), 1))
