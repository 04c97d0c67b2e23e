"""Spectrograms, baselines and small speech models, against formulas, torch's own LSTM and NumPy."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from consilience.check import InputError
from consilience.features import duration, mfcc, onnx_graph, speaker, speech_embedding
from consilience.features.pooling import pooled
from consilience.features.spectrogram import mel_spectrogram

RATE = 16000


def clip(n_samples, seed=0):
    return (np.random.default_rng(seed).standard_normal(n_samples) / 9).astype(np.float32)


# Spectrograms and what is counted from them.


def slaney(hertz):
    """Mels: 3 for each 200 Hz up to 1 kHz, then 27 for each factor of 6.4 (Slaney 1998)."""
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def by_hand(sound, window, hop, n_mels):
    """The mel spectrogram, sample by sample, in float64."""
    edges = np.interp(np.linspace(0, slaney(8000), n_mels + 2), [slaney(h) for h in range(8001)], range(8001))
    bins = np.arange(window // 2 + 1) * RATE / window
    waves = np.exp(-2j * np.pi * np.outer(np.arange(window // 2 + 1), np.arange(window)) / window)
    hann = np.sin(np.pi * np.arange(window) / window) ** 2
    padded = np.concatenate([np.zeros(window // 2), sound.astype(float), np.zeros(window)])
    frames = []
    for start in range(0, len(sound) + 1, hop):
        power = np.abs(waves @ (hann * padded[start : start + window])) ** 2
        bands = zip(edges, edges[1:], edges[2:], strict=False)
        frames.append([np.interp(bins, band, [0, 2 / (band[2] - band[0]), 0], 0, 0) @ power for band in bands])
    return np.array(frames)


def test_a_mel_spectrogram_is_the_power_in_triangles():
    sound = clip(2000)
    found = mel_spectrogram(sound, window=400, hop=160, n_mels=12)
    assert found.shape == (13, 12) and found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(sound, 400, 160, 12), rtol=2e-3, atol=1e-6)


def test_mfcc_are_cosines_of_the_log_spectrum():
    sound = clip(4000)
    decibels = 10 * np.log10(by_hand(sound, 400, 160, 40))
    bands = np.arange(40)
    cosines = np.array([np.cos(np.pi * k * (bands + 0.5) / 40) * np.sqrt((2 if k else 1) / 40) for k in range(20)])
    expected = decibels @ cosines.T
    row = {"input": {"window": 400, "hop": 160, "n_mels": 40, "n_coefficients": 20}}
    (found,) = mfcc.load(row, None, "trained", 0).encode([sound])
    np.testing.assert_allclose(found, [np.concatenate([expected.mean(0), expected.std(0)])], atol=0.05)


def test_silence_has_mfcc():
    row = {"input": {"window": 400, "hop": 160, "n_mels": 40, "n_coefficients": 20}}
    assert np.isfinite(mfcc.load(row, None, "trained", 0).encode([np.zeros(800, np.float32)])[0]).all()


def test_by_cosine_the_nearest_durations_are_the_nearest():
    (found,) = duration.load({}, None, "trained", 0).encode([np.zeros(n) for n in (8000, 9000, 16000, 40000)])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    similarity = found @ found.T
    assert (np.diff(similarity[0]) < 0).all() and (np.diff(similarity[3]) > 0).all()


@pytest.mark.parametrize("reader", [mfcc, duration])
def test_baselines_have_no_untrained_twin(reader):
    with pytest.raises(InputError, match="no untrained twin"):
        reader.load({"input": {}}, None, "random", 0)


# The speaker encoder.


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    """A folder with made weights, and torch's own stack of LSTMs with the same."""
    torch.manual_seed(0)
    plain, linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    state = {f"lstm.{name}": value for name, value in plain.state_dict().items()}
    state |= {f"linear.{name}": value for name, value in linear.state_dict().items()}
    folder = tmp_path_factory.mktemp("voices")
    torch.save({"step": 3, "model_state": state | {"similarity_weight": torch.ones(1)}}, folder / "voices.pt")
    return folder, plain, linear


@torch.no_grad()
def test_the_voice_of_a_clip_is_that_of_its_windows(voices):
    folder, plain, linear = voices
    encoder = speaker.load({"files": {"voices.pt": ""}}, folder, "trained", 0)
    sounds = [clip(n, seed=n) for n in (RATE // 2, 4 * RATE, 30400)]
    *inner, embedding = encoder.encode(sounds)
    assert inner[0].kept.sum(1).tolist() == [1, 4, 1], "1.6 s each, every .77 s, and .75 of the last must be there"
    for i, sound in enumerate(sounds):
        windows = torch.from_numpy(speaker.spectrograms(sound))
        states, (ends, _) = plain(windows)
        expected = linear(ends[-1]).relu()
        expected = (expected / expected.norm(dim=1, keepdim=True)).mean(0)
        np.testing.assert_allclose(embedding[i], expected / expected.norm(), atol=1e-5)
        np.testing.assert_allclose(inner[2].values[i, inner[2].kept[i]], states[:, -1], atol=1e-5)
        for alone, state in zip(encoder.encode([sound]), [*inner, embedding], strict=True):
            np.testing.assert_allclose(pooled(alone)[0], pooled(state)[i], atol=1e-5)


def test_quiet_sounds_are_raised_and_loud_ones_are_not():
    sound = clip(RATE)
    np.testing.assert_allclose(speaker.spectrograms(sound / 1000), speaker.spectrograms(sound / 500), rtol=1e-3)
    np.testing.assert_allclose(speaker.spectrograms(2 * sound), 4 * speaker.spectrograms(sound), rtol=1e-3)
    assert np.isfinite(speaker.spectrograms(np.zeros(RATE, np.float32))).all()


def test_windows_are_cut_out_of_one_spectrogram():
    sound = clip(3 * RATE)
    whole = mel_spectrogram(sound, 400, 160, 40)
    windows = speaker.spectrograms(sound)
    assert windows.shape == (3, 160, 40)
    for number, window in enumerate(windows[:2]):  # the third reaches into the silence after the clip
        np.testing.assert_allclose(window[:-2], whole[77 * number : 77 * number + 158], rtol=1e-5)


# ONNX graphs.


def tiny_graph():
    """x -> convolution, batch norm, floor of .5, convolution; of 1 x 1, so that NumPy can follow."""
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.standard_normal((3, 2, 1, 1)),
        "b": rng.standard_normal(3),
        "gain": rng.standard_normal(3),
        "shift": rng.standard_normal(3),
        "mean": rng.standard_normal(3),
        "var": rng.random(3) + 0.5,
        "floor": np.full((1, 1, 1, 1), 0.5),
        "v": rng.standard_normal((4, 3, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"]),
        helper.make_node("BatchNormalization", ["h", "gain", "shift", "mean", "var"], ["n"], epsilon=0.0),
        helper.make_node("Max", ["n", "floor"], ["m"]),
        helper.make_node("Conv", ["m", "v"], ["y"]),
    ]
    tensors = [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2, None, None])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "tiny", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def test_inner_values_of_a_graph_are_brought_out():
    model, x = tiny_graph(), np.random.default_rng(1).standard_normal((5, 2, 3, 4)).astype(np.float32)
    w = {weight.name: onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer}
    inner, last = onnx_graph.session(model, ["m", "y"]).run(["m", "y"], {"x": x})

    def channels(value):
        return value[:, None, None]

    h = np.einsum("oi,nihw->nohw", w["w"][..., 0, 0], x) + channels(w["b"])
    n = (h - channels(w["mean"])) / np.sqrt(channels(w["var"])) * channels(w["gain"]) + channels(w["shift"])
    np.testing.assert_allclose(inner, np.maximum(n, 0.5), atol=1e-5)
    np.testing.assert_allclose(last, np.einsum("oi,nihw->nohw", w["v"][..., 0, 0], np.maximum(n, 0.5)), atol=1e-5)


def test_an_untrained_graph_keeps_nothing_but_its_shape():
    drawn = []
    for seed in (1, 1, 2):
        model = tiny_graph()
        onnx_graph.draw_weights(model.graph, seed)
        drawn.append({weight.name: onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer})
    one, same, other = drawn
    for name, neutral in {"b": 0, "gain": 1, "shift": 0, "mean": 0, "var": 1, "floor": 0.5}.items():
        assert (one[name] == neutral).all(), name
    for name in ("w", "v"):
        assert (one[name] == same[name]).all() and (one[name] != other[name]).all()
    trained = {weight.name: onnx.numpy_helper.to_array(weight) for weight in tiny_graph().graph.initializer}
    assert (one["w"] != trained["w"]).all()


def test_rows_are_laid_out_clip_by_clip():
    kept = np.array([[True, False, False], [True, True, True], [True, True, False]])
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    values = speech_embedding.laid_out(rows, kept)
    np.testing.assert_array_equal(values[1], rows[1:4])
    np.testing.assert_array_equal(values[2], [*rows[4:], [0, 0]])
