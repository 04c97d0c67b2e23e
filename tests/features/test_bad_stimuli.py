"""A broken picture, an empty text, a silent sound and one that is too long: named, and refused or skipped as asked."""

import numpy as np
import pytest
import tiny
from cases import CASES
from PIL import Image

from consilience import InputError, features
from consilience.features import store
from consilience.stimuli import Stimuli

GOOD = ("a cat", "it rains", "the big dog")
IDS = ("one", "two", "bad", "three")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def made(tmp_path):
    def make(name):
        case = CASES[name]()
        return str(tiny.folder(tmp_path / "model", case.config, processor=case.processor))

    return make


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


def with_bad(column, bad):
    return (*column[:2], bad, column[2])


@pytest.fixture
def images(tmp_path):
    """Files, of which the third has lost its end."""
    paths = [tmp_path / f"{name}.png" for name in IDS]
    for i, path in enumerate(paths):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (30, 20, 3), np.uint8)).save(path)
    paths[2].write_bytes(paths[2].read_bytes()[:300])
    return tuple(paths)


BAD = {
    "an empty text": ("BERT", "texts", GOOD, " \n", "empty"),
    "no text": ("BERT", "texts", GOOD, None, "has no text"),
    "a text too long": ("BERT", "texts", GOOD, " ".join(tiny.WORDS * 2), "42 tokens, and the model reads 24"),
    "a silent sound": ("wav2vec2", "sounds", tiny.waves([0.1, 0.2, 0.1]), np.zeros(3000, np.float32), "silent"),
    "a sound too long": ("Whisper", "sounds", tiny.waves([0.1, 0.2, 0.1]), *tiny.waves([30.5]), "lasts 30.5 s"),
    "a sound too short": (
        "wav2vec2",
        "sounds",
        tiny.waves([0.1, 0.2, 0.1]),
        *tiny.waves([0.0005]),
        "less than a frame",
    ),
    "a broken picture": ("ViT", "images", None, None, "truncated"),
}


@pytest.fixture(params=BAD)
def bad(request, images):
    """(name of a model, four stimuli of which the third is bad, the word that says why)."""
    name, field, good, bad, why = BAD[request.param]
    column = images if good is None else with_bad(good, bad)
    return name, Stimuli("mixed", IDS, **{field: column if good is None else {"en": column}}), why


def test_bad_stimuli_are_refused_by_name(made, bad):
    name, stimuli, why = bad
    with pytest.raises(InputError, match=rf"1 of 4 stimuli cannot be used. mixed: .*'bad'.*{why}.*bad='skip'"):
        encode(made(name), stimuli)


def test_skipped_stimuli_are_named_and_the_others_as_without_them(made, bad, capsys):
    name, stimuli, _ = bad
    place = made(name)
    found = encode(place, stimuli, bad="skip")
    told = " ".join(capsys.readouterr().err.split())
    assert "'bad'" in told and "left out" in told
    assert found.ids == ("one", "two", "three")
    alone = encode(place, stimuli[[0, 1, 3]])
    for layer in found:
        np.testing.assert_array_equal(found[layer], alone[layer])
    again = encode(place, stimuli, bad="skip")
    assert again.ids == found.ids and again.origin.address == alone.origin.address


def test_nothing_but_bad_stimuli_are_never_skipped(made):
    stimuli = Stimuli("empty", ("a", "b"), texts={"en": ("", " ")})
    with pytest.raises(InputError, match="2 of 2"):
        encode(made("BERT"), stimuli, bad="skip")
