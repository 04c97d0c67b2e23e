"""Figures show what may be shown."""

import numpy as np
import pytest

from consilience.book import figures
from consilience.check import InputError
from consilience.stimuli import Stimuli


@pytest.mark.parametrize("shown", [True, False])
def test_a_gallery_shows_only_what_may_be_shown(shown):
    pixels = tuple(np.full((4, 4, 3), grey, np.uint8) for grey in (0, 99))
    two = Stimuli("two", ("a", "b"), images=pixels, texts={"en": ("dark", "light")}, shown=shown)
    if not shown:
        with pytest.raises(InputError, match="not shown"):
            figures.gallery(two, [0, 1])
        return
    drawn = [axis for axis in figures.gallery(two, [1, 0]).axes if axis.images]
    assert [axis.get_title() for axis in drawn] == ["light", "dark"]
