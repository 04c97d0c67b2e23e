"""The data sets themselves, where they are on this machine: what their rows say, and what is known of them."""

import re
import unicodedata

import numpy as np
import pytest
from scipy.signal import detrend
from scipy.stats import spearmanr

from consilience import kit, stimuli

SIX = ("fr", "ru", "ro", "bg", "ca", "es")


@pytest.fixture(scope="module")
def speech():
    return stimuli.load("tuxpaint-speech")


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text.replace(",", ""))]


def test_stamps_are_named_in_many_languages(stamps):
    row = kit.row("tuxpaint-stamps")
    languages = stamps.languages("text")
    assert len(languages) == 53 and "53 languages" in row["what"] + row["notes"]
    assert len(stamps.having("text", *languages)) == 249 and "of 249" in row["notes"]
    assert sum(len(stamps.having("text", language)) == len(stamps) for language in languages) == 20
    i = stamps.ids.index("animals/mammals/elephant")
    named = {language: stamps.text(i, language) for language in ("en", "de", "fr", "ru", "ja", "he")[:5]}
    assert "elephant" in named["en"].lower() and "lefant" in named["de"] and "éléphant" in named["fr"]
    assert unicodedata.name(named["ru"][0]).startswith("CYRILLIC")
    assert any("KATAKANA" in unicodedata.name(letter) for letter in named["ja"])


def test_stamps_are_spoken_in_six_languages(speech, stamps):
    assert speech.ids == stamps.ids and speech.sha256("image") == stamps.sha256("image")
    counts = {language: len(speech.having("sound", language)) for language in speech.languages("sound")}
    assert counts.pop("zxx") == 95
    assert sum(counts.values()) == 3992 and all(counts[language] >= 457 for language in SIX)
    assert len(speech.having("sound", *SIX)) == 457


def test_a_long_caption_takes_long_to_say(speech):
    """Spoken captions belong to the written ones: in each language their lengths agree, beyond any shuffle."""
    for language in SIX:
        some = speech.having("sound", language).having("text", language)[::12]
        seconds = [len(sound) / 16_000 for sound in some.items("sound", language)]
        letters = [len(text) for text in some.items("text", language)]
        assert min(seconds) > 0.2 and max(seconds) < 15
        assert spearmanr(seconds, letters).statistic > 0.4, language


def test_emoji_look_and_are_called_alike_nowhere(load):
    emoji = load("emoji")
    assert [len(emoji), len(emoji.texts)] == numbers(kit.row("emoji")["what"])
    i = emoji.ids.index("U+1F436")
    assert [emoji.text(i, language) for language in ("en", "fr", "de", "es")] == [
        "dog face",
        "tête de chien",
        "Hundegesicht",
        "cara de perro",
    ]
    some = emoji[::5]
    assert len(set(some.digests("image"))) == len(some), "no two are drawn alike, so none is an empty box"
    apple = np.asarray(emoji.image(emoji.ids.index("U+1F34E")), float)
    ink = apple[apple.min(-1) < 200]
    assert len(ink) > 2000 and ink[:, 0].mean() > 2 * ink[:, 1].mean(), "a red apple is red"


def test_verses_say_the_same(load):
    verses = load("verses")
    assert len(verses) == 30719
    assert numbers(kit.row("verses")["what"])[0] == len(verses)
    said = {language: verses.text(0, language) for language in ("en", "es")}
    assert said == {
        "en": "In the beginning, God created the heavens and the earth.",
        "es": "EN el principio crió Dios los cielos y la tierra.",
    }
    assert max(len(text) for column in verses.texts.values() for text in column) < 700
    assert not any(re.search("[<>&]", text) for column in verses.texts.values() for text in column)
    names = ["Jerusal", "Abraham", "Egipto|Egypt"]
    for name in names:
        there = [np.array([bool(re.search(name, text)) for text in verses.texts[one]]) for one in ("en", "es")]
        assert np.corrcoef(*there)[0, 1] > 0.85, "names stand in the same verses"


def test_capitals_lie_where_they_lie(load):
    capitals = load("capitals")
    where = dict(zip(capitals.items("text"), capitals.items("place"), strict=True))
    known = {
        "Paris, France": (48.86, 2.35),
        "Canberra, Australia": (-35.28, 149.13),
        "Lima, Peru": (-12.05, -77.04),
        "Washington, United States": (38.9, -77.04),
    }
    for name, place in known.items():
        (found,) = (place for called, place in where.items() if called.startswith(name[:12]))
        np.testing.assert_allclose(found, place, atol=0.1)
    assert len(capitals) > 230 and len(set(capitals.labels)) == 7


def test_digits_are_balanced(load):
    digits = load("spoken-digits")
    table = np.array(
        [[label, digits.groups.index(group)] for label, group in zip(digits.labels, digits.groups, strict=True)]
    )
    _, counts = np.unique(table, axis=0, return_counts=True)
    assert len(digits) == 480 and set(counts) == {8}
    assert not digits[::40].problems("sound")


def test_monkeys_and_people_see_the_92_objects_alike(load):
    """The study reports that the two RDMs correlate at .49."""
    objects = load("kriegeskorte92")
    answers = stimuli.responses("kriegeskorte92")
    assert len(objects) == 92 and not objects.shown
    assert (
        sum("face" in label for label in objects.labels) == 24
        and "24 of the pictures" in kit.row(objects.name)["notes"]
    )
    pairs = np.triu_indices(92, 1)
    r = np.corrcoef(answers["monkey IT"][pairs], answers["human IT"][pairs])[0, 1]
    assert round(r, 2) == 0.49
    assert answers["human IT by session"].shape == (4, 2, 92, 92) and answers["judged"].shape == (16, 92, 92)
    for rdm in (*answers["human IT by session"].reshape(8, 92, 92), *answers["judged"]):
        np.testing.assert_array_equal(rdm, rdm.T)
    assert {image.size for image in objects} == {(175, 175)}


def test_a_brain_knows_a_house_from_a_face(load):
    volumes = load("haxby-slice")
    answers = stimuli.responses("haxby-slice")
    assert answers["bold"].shape == (len(volumes), 530) == (1452, 530)
    labels, runs = np.array(volumes.labels), np.array(volumes.groups)
    assert set(np.unique(runs, return_counts=True)[1]) == {121}
    kinds = sorted(set(volumes.labels) - {"rest"})
    assert len(kinds) == 8
    clean = np.concatenate([detrend(answers["bold"][runs == run], axis=0) for run in range(12)])
    halves = []
    for odd in (0, 1):
        half = runs % 2 == odd
        means = np.array([clean[half & (labels == kind)].mean(0) for kind in kinds])
        halves.append(means - means.mean(0))
    r = np.corrcoef(*halves)[:8, 8:]
    other = r[~np.eye(8, dtype=bool)].mean()
    assert np.diag(r).mean() > 0.3 and other < 0, "a kind is like itself in the other runs, and not like the others"
