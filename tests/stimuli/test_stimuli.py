"""Stimuli keep picture, caption and category together, whatever is selected."""

import numpy as np
import pytest
from PIL import Image

from consilience import kit, stimuli
from consilience.data_files import manifest
from consilience.stimuli import Stimuli


@pytest.fixture
def three(tmp_path):
    """A red, a half-transparent blue and a fully transparent green picture."""
    colours = {"red": (255, 0, 0, 255), "blue": (0, 0, 255, 51), "green": (0, 255, 0, 0)}
    for name, colour in colours.items():
        Image.new("RGBA", (3, 2), colour).save(tmp_path / f"{name}.png")
    names = tuple(colours)
    return Stimuli(
        name="three",
        ids=names,
        categories=("warm", "cold", "cold"),
        captions=tuple(f"A {name} thing." for name in names),
        paths=tuple(tmp_path / f"{name}.png" for name in names),
        digests=("1", "2", "3"),
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
    assert chosen.ids == ("green", "red")
    assert chosen.captions == ("A green thing.", "A red thing.")
    assert chosen.categories == ("cold", "warm")
    assert [path.stem for path in chosen.paths] == ["green", "red"]
    assert (chosen.name, chosen.licence, chosen.credit) == ("three", "none", "nobody")


def test_a_mask_selects(three):
    assert three[np.array(three.categories) == "cold"].ids == ("blue", "green")


def test_one_index_is_no_selection(three):
    with pytest.raises(IndexError, match="image"):
        three[1]


def test_the_digest_knows_order_and_content(three):
    assert three[[0, 1, 2]].sha256 == three.sha256
    assert three[[1, 0, 2]].sha256 != three.sha256
    assert three[[0, 1]].sha256 != three.sha256


def test_fields_of_different_length_are_refused(three):
    with pytest.raises(ValueError, match="captions"):
        Stimuli(**{**vars(three), "captions": three.captions[:2]})


def test_a_model_is_no_data_set():
    with pytest.raises(kit.KitError, match="pixels is a model"):
        stimuli.load("pixels")


# The real ones.


def test_the_stamps_are_what_the_row_says(stamps):
    row = kit.row("tuxpaint-stamps")
    assert f"{len(stamps)} pictures" in row["what"]
    assert f"one of {len(set(stamps.categories))} categories" in row["what"]
    assert "symbols" not in stamps.categories
    assert len(set(stamps.captions)) == len(set(stamps.digests)) == len(set(stamps.ids)) == len(stamps)
    assert 2 * len(stamps) == len(manifest(row["manifest"])), "a picture and a caption each"


def test_a_stamp_shows_what_its_caption_says(stamps):
    i = stamps.ids.index("food/fruit/banana")
    assert (stamps.captions[i], stamps.categories[i]) == ("A banana.", "food")
    pixels = np.asarray(stamps.image(i), float)
    coloured = pixels[pixels.min(-1) < 200]
    assert coloured[:, 0].mean() > coloured[:, 2].mean() + 50, "yellow: more red than blue"
    assert coloured[:, 1].mean() > coloured[:, 2].mean() + 50, "yellow: more green than blue"
