"""A stimulus alone and the same stimulus in a padded batch are one: for every family that pads."""

import numpy as np
import pytest
import tiny
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.features.batches import batches
from consilience.features.models import found

PADDED = [name for name in CASES if CASES[name]().modality != "image"]


@pytest.fixture(scope="module", params=PADDED)
def encoder(request, tmp_path_factory):
    case = CASES[request.param]()
    place = tiny.folder(tmp_path_factory.mktemp("model"), case.config, processor=case.processor)
    return found(place).load({"modality": case.modality, "device": "cpu", "dtype": "float32"}, "trained", 0)


def texts():
    return st.lists(st.sampled_from(tiny.WORDS), min_size=1, max_size=8).map(" ".join)


def sounds():
    lengths = st.integers(400, 12_000)
    return st.tuples(lengths, st.integers(0, 99)).map(lambda told: tiny.waves([told[0] / 16_000], told[1])[0])


@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_batch_of_one_equals_the_same_item_in_a_padded_batch(encoder, data):
    item = texts() if encoder.modality == "text" else sounds()
    batch = data.draw(st.lists(item, min_size=2, max_size=4))
    spectrogram = encoder.layers[-2:] == ["norm", "joint"] and encoder.modality == "sound"  # has places, no last one
    for pool in ("mean", "max", *([] if spectrogram else ["last"])):
        (together, *more) = batches(encoder, batch, pool, batch_size=len(batch))
        for i, item in enumerate(batch):
            (alone,) = batches(encoder, [item], pool)
            for layer, row in alone.items():
                rows = np.concatenate([each[layer] for each in (together, *more)])
                np.testing.assert_allclose(row[0], rows[i], rtol=1e-4, atol=2e-5)
