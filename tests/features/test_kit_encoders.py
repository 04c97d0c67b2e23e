"""The kit's encoders of text, sound and places do what they are known for. Without their weights these are skipped."""

import os
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile
from scipy.signal import resample_poly

from consilience import kit
from consilience.features import ctranslate2, whisper
from consilience.features.pooling import pooled

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@cache
def encoder(name, weights="trained"):
    row = kit.row(name)
    if kit.source(row) != "computed" and not kit.is_here(name):
        pytest.skip(f"{name} is not here; `consilience kit {name}` brings it")
    folder = None if kit.source(row) == "computed" else kit.get(name) / row.get("folder", "")
    return import_module(f"consilience.features.{row['reader']}").load(row, folder, weights, 0)


def encoded(name, items, weights="trained"):
    """{layer: array of shape (n, n_units)}, pooled as the row says."""
    found = encoder(name, weights)
    pool = kit.row(name).get("pool", "mean")
    return {layer: pooled(state, pool) for layer, state in zip(found.layers, found.encode(items), strict=True)}


def cosines(X):
    X = X.astype(float) / np.linalg.norm(X.astype(float), axis=1, keepdims=True)
    return X @ X.T


def nearest(X, allowed):
    """For each row the most similar of the rows that are allowed."""
    return np.where(allowed, cosines(X), -np.inf).argmax(1)


@pytest.fixture(scope="module")
def digits():
    """The ten digits, once by each of six speakers: (sounds at 16 kHz, digits, speakers)."""
    folder = Path(os.environ.get("CONSILIENCE_DATA", ".")) / "spoken-digits"
    if not folder.is_dir():
        pytest.skip("the spoken digits are not here; CONSILIENCE_DATA names the folder above theirs")
    files = sorted(folder.glob("*_1.wav"))
    sounds = [resample_poly(wavfile.read(file)[1].astype(np.float32) / 2**15, 2, 1) for file in files]
    labels, speakers, _ = zip(*(file.stem.split("_") for file in files), strict=True)
    return sounds, np.array(labels, int), np.array(speakers)


# Text.

PAIRS = [
    ("A small dog is asleep.", "The puppy is sleeping.", "Un perro pequeño está durmiendo."),
    ("She plays the violin.", "A woman makes music on a fiddle.", "Elle joue du violon."),
    ("The train was late again.", "Once more the railway was delayed.", "Der Zug hatte wieder Verspätung."),
    ("Bread is baked from flour.", "You make loaves out of flour.", "Хлеб пекут из муки."),
]


def test_minilm_is_the_plain_model():
    from transformers import AutoModel, AutoTokenizer

    found = encoder("minilm-l6")
    folder = kit.get("minilm-l6") / kit.row("minilm-l6")["folder"]
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    texts = [english for english, *_ in PAIRS]
    states = found.encode(texts)
    assert found.layers == ["embeddings", *(f"block{b}" for b in range(1, 7))]
    for i, text in enumerate(texts):
        with torch.no_grad():
            expected = plain(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        for state, alone in zip(states, expected, strict=True):
            np.testing.assert_allclose(pooled(state)[i], alone[0, 1:-1].mean(0), atol=1e-5)
            np.testing.assert_allclose(pooled(state, "cls")[i], alone[0, 0], atol=1e-5)


@pytest.mark.parametrize(("name", "last"), [("minilm-l6", "block6"), ("use-multilingual", "block2")])
def test_sentences_are_nearest_to_their_paraphrase(name, last):
    texts = [text for pair in PAIRS for text in pair[:2]]
    X = encoded(name, texts)[last]
    expected = np.arange(8) ^ 1
    assert (nearest(X, ~np.eye(8, dtype=bool)) == expected).all()


def test_translations_find_each_other():
    texts = [text for pair in PAIRS for text in (pair[0], pair[2])]
    X = encoded("use-multilingual", texts)["block2"]
    assert (nearest(X, ~np.eye(8, dtype=bool)) == np.arange(8) ^ 1).all()
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["use-multilingual", "english-word-vectors", "gemma-3-270m"])
def test_a_sentence_alone_is_what_it_is_in_a_batch(name):
    if name == "gemma-3-270m":
        pytest.importorskip("gguf", reason="the library gguf is not here")
    texts = ["A duck.", "A phrase that is longer than the one before, and by far; une phrase bien plus longue."]
    together, alone = encoded(name, texts), encoded(name, texts[:1])
    for layer, X in alone.items():
        np.testing.assert_allclose(together[layer][0], X[0], atol=1e-4 * np.abs(X).max())


def test_words_that_stand_near_one_another_have_vectors_alike():
    words = ["violin", "cello", "bread", "cheese", "train", "railway", "Monday", "Tuesday"]
    X = encoded("english-word-vectors", words)["vectors"]
    assert (nearest(X, ~np.eye(8, dtype=bool)) == np.arange(8) ^ 1).all()
    assert np.linalg.norm(X, axis=1).all(), "that their hashes are found shows that the hash is right"


# Sound.


def recogniser(name):
    """transformers' own Whisper with the weights of the file, and its tokenizer."""
    from tokenizers import Tokenizer
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    if not kit.is_here(name):
        pytest.skip(f"{name} is not here; `consilience kit {name}` brings it")
    parts = sorted(path for path in kit.get(name).rglob("model.bin*"))
    variables = ctranslate2.read(b"".join(part.read_bytes() for part in parts))
    config = whisper.config(variables)
    config.vocab_size, units = variables["decoder/embeddings/weight"].shape
    config.decoder_layers, config.decoder_attention_heads = config.encoder_layers, config.encoder_attention_heads
    config.decoder_ffn_dim = 4 * units
    model = WhisperForConditionalGeneration(WhisperConfig(**config.to_diff_dict())).eval()
    state = {
        f"model.{side}.{key}": value for side, some in whisper.named(variables).items() for key, value in some.items()
    }
    told = model.load_state_dict(state, strict=False)
    assert told.missing_keys == ["proj_out.weight"] and not told.unexpected_keys
    model.tie_weights()
    (file,) = kit.get(name).rglob("tokenizer.json")
    return model, Tokenizer.from_file(str(file))


@torch.no_grad()
@pytest.mark.parametrize(("name", "prompt"), [("whisper-tiny.en", []), ("whisper-base", ["<|en|>", "<|transcribe|>"])])
def test_whisper_writes_down_what_was_said(digits, name, prompt):
    """Of ten words, the decoder finds the spoken one the likeliest, when it reads our encoder's last layer."""
    from transformers.modeling_outputs import BaseModelOutput

    sounds, labels, speakers = digits
    chosen = np.flatnonzero(speakers == "lucas")
    model, tokenizer = recogniser(name)
    start = [tokenizer.token_to_id(mark) for mark in ["<|startoftranscript|>", *prompt, "<|notimestamps|>"]]
    words = [tokenizer.encode(f" {word.capitalize()}", add_special_tokens=False).ids[0] for word in WORDS]
    *_, heard = encoder(name).encode([sounds[i] for i in chosen])
    right = 0
    for i, label in enumerate(labels[chosen]):
        frames = BaseModelOutput(last_hidden_state=heard.values[i, heard.kept[i]][None])
        logits = model(encoder_outputs=frames, decoder_input_ids=torch.tensor([start])).logits[0, -1]
        right += int(logits[words].argmax()) == label
    assert right >= 8


@pytest.mark.parametrize("name", ["whisper-tiny.en", "whisper-base", "moonshine-tiny"])
def test_what_recognises_speech_knows_the_word_whoever_says_it(digits, name):
    sounds, labels, speakers = digits
    X = encoded(name, sounds)["norm"]
    found = nearest(X, speakers[:, None] != speakers)
    assert np.mean(labels[found] == labels) > 0.75, "by chance .1"


def test_what_knows_voices_knows_the_voice_and_not_the_word(digits):
    sounds, labels, speakers = digits
    X = encoded("resemblyzer", sounds)["embedding"]
    assert np.mean(speakers[nearest(X, labels[:, None] != labels)] == speakers) > 0.9, "by chance .17"
    assert np.mean(labels[nearest(X, speakers[:, None] != speakers)] == labels) < 0.5
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, rtol=1e-5)


def test_the_embedding_for_keywords_beats_mfcc_at_words(digits):
    sounds, labels, speakers = digits
    scores = {}
    for name, layer in {"speech-embedding": "embedding", "mfcc": "mfcc"}.items():
        found = nearest(encoded(name, sounds)[layer], speakers[:, None] != speakers)
        scores[name] = np.mean(labels[found] == labels)
    assert scores["speech-embedding"] > scores["mfcc"], scores


@pytest.mark.parametrize("name", ["whisper-tiny.en", "resemblyzer", "speech-embedding", "moonshine-tiny"])
def test_a_sound_alone_is_what_it_is_in_a_batch(digits, name):
    sounds = [*digits[0][:3], np.concatenate(digits[0][3:9])]
    together = encoded(name, sounds)
    for i, sound in enumerate(sounds):
        for layer, X in encoded(name, [sound]).items():
            np.testing.assert_allclose(together[layer][i], X[0], atol=1e-4 * np.abs(X).max())


# Places.

CAPITALS = {  # latitude and longitude
    "Europe": [(40.4, -3.7), (38.7, -9.1), (48.9, 2.4), (52.5, 13.4), (41.9, 12.5), (52.2, 21.0), (50.1, 14.4)],
    "Africa": [(-1.3, 36.8), (0.3, 32.6), (9.0, 38.7), (-6.8, 39.3), (5.6, -0.2), (9.1, 7.5)],
    "East Asia": [(35.7, 139.7), (37.6, 127.0), (39.9, 116.4), (25.0, 121.6), (13.8, 100.5), (21.0, 105.8)],
    "South America": [(-34.6, -58.4), (-34.9, -56.2), (-33.4, -70.7), (-12.0, -77.0), (-0.2, -78.5), (4.7, -74.1)],
}


def test_places_of_one_part_of_the_world_are_alike():
    X = encoded("geoclip-location", [place for places in CAPITALS.values() for place in places])["embedding"]
    parts = np.repeat(list(CAPITALS), [len(places) for places in CAPITALS.values()])
    found = parts[nearest(X, ~np.eye(len(X), dtype=bool))]
    assert np.mean(found == parts) > 0.8, "by chance about .2"


# Untrained twins.


@pytest.mark.parametrize("name", ["minilm-l6", "use-multilingual"])
def test_twins_of_text_encoders_have_not_collapsed(name):
    spread_out(name, [text for pair in PAIRS for text in pair])


@pytest.mark.parametrize("name", ["whisper-tiny.en", "resemblyzer", "speech-embedding"])
def test_twins_of_speech_encoders_have_not_collapsed(digits, name):
    spread_out(name, digits[0][:40:2])


def spread_out(name, items):
    twin, trained = encoded(name, items, "random"), encoded(name, items)
    assert twin.keys() == trained.keys()
    for layer, X in twin.items():
        assert X.shape == trained[layer].shape and not np.allclose(X, trained[layer])
        spread = np.linalg.svd(X - X.mean(0), compute_uv=False)
        assert spread[2] > 1e-3 * spread[0], f"{layer} of the twin has collapsed"
