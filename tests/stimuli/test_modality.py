"""Each modality reads what it may be given, and refuses in words what cannot be meant."""

import io

import numpy as np
import pytest
from PIL import Image

from consilience.check import InputError
from consilience.stimuli import Stimuli
from consilience.stimuli.modality import RATE, picture, place, waveform, words

soundfile = pytest.importorskip("soundfile", reason="sounds are read by soundfile")


def tone(hertz, rate, seconds=0.5):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_a_tone_stays_the_tone(tmp_path, rate, kind):
    file = tmp_path / f"tone.{kind}"
    soundfile.write(file, tone(440, rate), rate)
    heard = waveform(file)
    assert heard.dtype == np.float32 and len(heard) == RATE // 2
    middle = slice(1000, -1000)  # away from the ends, where a filter or a codec starts up
    np.testing.assert_allclose(heard[middle], tone(440, RATE)[middle], atol=2e-2 if kind == "ogg" else 2e-3)


def test_what_is_too_high_to_be_told_is_left_out():
    heard = waveform((tone(440, 48000) + tone(15000, 48000), 48000))
    np.testing.assert_allclose(heard[1000:-1000], tone(440, RATE)[1000:-1000], atol=2e-3)


def test_channels_are_averaged_and_integers_scaled():
    two = np.stack([np.full(4, 16384), np.full(4, 0)], 1).astype(np.int16)
    np.testing.assert_array_equal(waveform(two), np.full(4, 0.25, np.float32))
    np.testing.assert_array_equal(waveform(lambda: np.full(4, 0.25)), np.full(4, 0.25, np.float32))


def test_a_picture_comes_from_whatever_holds_it(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for source in (pixels, Image.fromarray(pixels), tmp_path / "a.png", str(tmp_path / "a.png"), lambda: pixels):
        np.testing.assert_array_equal(picture(source), pixels)


def test_a_photograph_is_shown_upright(tmp_path):
    upright = Image.new("RGB", (40, 20), "red")
    upright.paste("blue", (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # held a quarter turn to the left: to be turned a quarter to the right
    upright.rotate(90, expand=True).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(picture(tmp_path / "a.png"), np.asarray(upright))


def broken():
    buffer = io.BytesIO()
    Image.new("RGB", (99, 99), "red").save(buffer, "png")
    return buffer.getvalue()[:80]


REFUSED = {
    "a broken file": (picture, broken(), "truncated|broken|cannot identify"),
    "no picture": (picture, b"hello", "cannot identify"),
    "sixteen bits": (picture, Image.new("I;16", (2, 2)), "8 bits"),
    "an odd array": (picture, np.zeros((2, 2, 7), np.uint8), "height, width"),
    "nothing": (picture, 3, "'int' object"),
    "no text": (words, None, "not text"),
    "an empty text": (words, " \n", "empty"),
    "silence": (waveform, np.zeros(99), "silent"),
    "a converter's noise": (waveform, np.full(99, 1e-5), "silent"),
    "no samples": (waveform, np.zeros(0), "no samples"),
    "NaN": (waveform, np.full(9, np.nan), "NaN"),
    "no sound": (waveform, b"hello", "Format|format"),
    "words for a sound": (waveform, np.array(["a"]), "not of samples"),
    "too many axes": (waveform, np.zeros((2, 2, 2)), "not of samples"),
    "no place": (place, (100, 0), "nowhere"),
    "half a place": (place, (1,), "not \\(latitude"),
    "a place with NaN": (place, (np.nan, 0), "nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_in_words(case, tmp_path):
    read, source, said = REFUSED[case]
    if isinstance(source, bytes):
        (tmp_path / "file").write_bytes(source)
        source = tmp_path / "file"
    with pytest.raises(InputError, match=said):
        read(source)


def test_problems_names_each_bad_item_and_no_other(tmp_path):
    (tmp_path / "broken.png").write_bytes(broken())
    Image.new("RGB", (2, 2)).save(tmp_path / "good.png")
    hum = np.sin(np.arange(999) / 9)
    mixed = Stimuli(
        "mixed",
        ("one", "two", "three"),
        images=(tmp_path / "good.png", tmp_path / "broken.png", tmp_path / "none.png"),
        texts={"en": ("a", "", None)},
        sounds={"und": (hum, 0 * hum, hum)},
    )
    assert {modality: list(mixed.problems(modality)) for modality in mixed.modalities} == {
        "image": [1, 2],
        "text": [1, 2],
        "sound": [1],
    }
    assert mixed.problems("sound")[1] == "mixed: the sound of 'two' cannot be used: it is silent."
    with pytest.raises(InputError, match="'two'"):
        mixed.sha256("image")
    with pytest.raises(InputError, match="'two'"):
        mixed.image(1)
    assert mixed[[0]].image(0).size == (2, 2)
