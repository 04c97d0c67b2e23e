"""Stimuli keep what belongs together, and give an encoder exactly what their digest says."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from consilience import kit, stimuli
from consilience.check import InputError
from consilience.data_files import manifest
from consilience.stimuli import Stimuli


@pytest.fixture
def three(tmp_path):
    """A red, a half-transparent blue and a fully transparent green picture, named in two languages, one humming."""
    colours = {"red": (255, 0, 0, 255), "blue": (0, 0, 255, 51), "green": (0, 255, 0, 0)}
    for name, colour in colours.items():
        Image.new("RGBA", (3, 2), colour).save(tmp_path / f"{name}.png")
    hum = np.sin(np.arange(1600) / 10).astype(np.float32)
    return Stimuli(
        name="three",
        ids=tuple(colours),
        images=tuple(tmp_path / f"{name}.png" for name in colours),
        texts={"en": tuple(f"A {name} thing." for name in colours), "de": ("rot", None, "grün")},
        sounds={"und": (None, hum, -hum)},
        places=((0, 0), (52.5, 13.4), (-33.9, 151.2)),
        labels=("warm", "cold", "cold"),
        groups=(1, 1, 2),
        times=(0.0, 2.5, 5.0),
        licence="none",
        credit="nobody",
    )


def test_pictures_stand_on_white(three):
    pixels = [image.getpixel((1, 1)) for image in three]
    assert pixels == [(255, 0, 0), (204, 204, 255), (255, 255, 255)]  # 51 / 255 is a fifth of the way to blue
    assert {image.mode for image in three} == {"RGB"}


@pytest.mark.parametrize("index", [[2, 0], np.array([2, 0]), slice(None, None, -2)])
def test_a_selection_keeps_what_belongs_together(three, index):
    chosen = three[index]
    assert chosen.ids == ("green", "red") and len(chosen) == 2
    assert list(chosen.items("text")) == ["A green thing.", "A red thing."]
    assert chosen.texts["de"] == ("grün", "rot")
    assert chosen.labels == ("cold", "warm") and chosen.groups == (2, 1) and chosen.times == (5.0, 0.0)
    assert chosen.image(1).getpixel((0, 0)) == (255, 0, 0)
    assert chosen.sounds["und"][0][5] == three.sound(2)[5] and chosen.sounds["und"][1] is None
    assert chosen.place(0) == (-33.9, 151.2)
    assert (chosen.name, chosen.licence, chosen.credit) == ("three", "none", "nobody")


def test_a_mask_selects(three):
    assert three[np.array(three.labels) == "cold"].ids == ("blue", "green")


def test_one_index_is_no_selection(three):
    with pytest.raises(IndexError, match="image"):
        three[1]


@pytest.mark.parametrize("modality", ["image", "text", "sound", "place"])
def test_the_digest_knows_order_and_content(three, modality):
    three = three.having("sound")
    assert three[[0, 1]].sha256(modality) == three.sha256(modality)
    assert three[[1, 0]].sha256(modality) != three.sha256(modality)
    assert three[[0]].sha256(modality) != three.sha256(modality)
    assert three[[1, 0]].digests(modality) == three.digests(modality)[::-1]


def test_the_digest_knows_nothing_but_what_the_encoder_sees(three):
    renamed = Stimuli("other", ("a", "b", "c"), images=three.images, texts={"en": ("x", "y", "z")})
    assert renamed.sha256("image") == three.sha256("image")
    assert renamed.sha256("text") != three.sha256("text")
    held = Stimuli("held", three.ids, images=tuple(three.items("image")))
    assert held.sha256() == three.sha256("image"), "a file, and what it shows"


def test_the_digest_is_that_of_the_item(three):
    assert three.digests("text")[0] == hashlib.sha256(b"A red thing.").hexdigest()
    assert three.digests("image")[0] == hashlib.sha256(b"3 2 " + bytes([255, 0, 0] * 6)).hexdigest()


def test_a_file_that_changed_is_another_stimulus(three):
    before = three.sha256("image")
    Image.new("RGB", (3, 2), "yellow").save(three.images[0])
    assert three.sha256("image") != before


def test_what_is_left_open_is_chosen(three):
    assert three.modalities == ["image", "text", "sound", "place"]
    assert three.chosen() == ("image", None)
    assert three.chosen("text") == ("text", "en")
    assert three.chosen("sound") == ("sound", "und")
    assert three.languages("text") == ["en", "de"], "the fullest first"
    assert three.text(0, "de") == "rot"


def test_having_leaves_out_what_is_missing(three):
    assert three.having("text", "en", "de").ids == ("red", "green")
    assert three.having("text", "de").having("sound").ids == ("green",)
    with pytest.raises(InputError, match="is not there in 'fr'"):
        three.having("text", "fr")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"labels": ("a", "b")}, "3 ids but 2 labels"),
        ({"texts": {"fr": ("a",)}}, "1 texts in fr"),
        ({"ids": ("a", "b", "a")}, "'a' more than once"),
    ],
)
def test_fields_that_do_not_match_are_refused(three, what, said):
    with pytest.raises(InputError, match=said):
        Stimuli(**{**vars(three), **what})


def test_what_is_not_there_is_said(three):
    named = Stimuli("named", three.ids, texts={"de": ("a", "b", "c"), "fr": ("a", "b", "c")})
    with pytest.raises(InputError, match="named has no image; it has text"):
        named.items("image")
    with pytest.raises(InputError, match="comes in several languages; choose one: de, fr"):
        named.items("text")
    with pytest.raises(InputError, match="'blue' has no text"):
        three.text(1, "de")
    with pytest.raises(InputError, match="it has ids"):
        Stimuli("bare", ("a",)).items()


def test_a_model_is_no_data_set():
    with pytest.raises(kit.KitError, match="pixels is a model"):
        stimuli.load("pixels")


# The real ones.


def test_the_stamps_are_what_the_row_says(stamps):
    row = kit.row("tuxpaint-stamps")
    assert f"{len(stamps)} pictures" in row["what"]
    assert f"one of {len(set(stamps.labels))} categories" in row["what"]
    assert "symbols" not in stamps.labels
    captions = set(stamps.items("text", "en"))
    assert len(captions) == len(set(stamps.digests("image"))) == len(stamps)
    assert 2 * len(stamps) == len(manifest(row["manifest"])), "a picture and a caption each"


def test_a_stamp_shows_what_its_caption_says(stamps):
    i = stamps.ids.index("food/fruit/banana")
    assert (stamps.text(i), stamps.labels[i]) == ("A banana.", "food")
    pixels = np.asarray(stamps.image(i), float)
    coloured = pixels[pixels.min(-1) < 200]
    assert coloured[:, 0].mean() > coloured[:, 2].mean() + 50, "yellow: more red than blue"
    assert coloured[:, 1].mean() > coloured[:, 2].mean() + 50, "yellow: more green than blue"
