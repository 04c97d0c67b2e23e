"""Word vectors out of spaCy's files, with files made here."""

import struct

import numpy as np
import pytest

from consilience.features import word_vectors
from consilience.features.pooling import pooled

ROWS = {"duck": 0, "goose": 0, "Swan": 1, "lake": 299}


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)


@pytest.fixture
def folder(tmp_path, vectors):
    with (tmp_path / "vectors").open("wb") as file:
        np.save(file, vectors)
    entries = [struct.pack(">BQ", 0xCF, word_vectors.hashed(word.encode())) + packed(row) for word, row in ROWS.items()]
    (tmp_path / "key2row").write_bytes(struct.pack(">BI", 0xDF, len(ROWS)) + b"".join(entries))
    return tmp_path


def packed(row):
    return bytes([row]) if row < 128 else struct.pack(">BH", 0xCD, row)


def load(folder, *which):
    return word_vectors.load({"files": {"vectors": "", "key2row": ""}}, folder, *which)


def test_words_are_hashed_as_spacy_documents():
    assert word_vectors.hashed(b"coffee") == 3197928453018144401


def test_a_text_is_the_mean_of_the_words_that_have_a_vector(folder, vectors):
    encoder = load(folder, "trained", 0)
    (state,) = encoder.encode(["duck, goose & Swan!", "the lake", "swan lake lake"])
    assert state.kept.tolist() == [[True, True, True], [False, True, False], [False, True, True]]
    expected = [(2 * vectors[0] + vectors[1]) / 3, vectors[299], vectors[299]]
    np.testing.assert_allclose(pooled(state), expected, rtol=1e-6)


def test_a_text_without_a_known_word_is_refused(folder):
    encoder = load(folder, "trained", 0)
    assert encoder.refuses("a duck") is None
    assert encoder.refuses("...") == encoder.refuses("xyzzy") == "none of its words has a vector"


def test_an_untrained_twin_knows_which_words_share_a_row_and_no_more(folder, vectors):
    one, same, other = (load(folder, "random", seed).encode(["duck", "goose", "Swan"])[0].values for seed in (1, 1, 2))
    assert (one == same).all() and not np.allclose(one, other)
    assert (one[0] == one[1]).all() and not np.allclose(one[0], vectors[0])


@pytest.mark.parametrize(
    "data", [b"", b"\x93\x01\x02\x03", struct.pack(">BIB", 0xDF, 1, 0xA1), b"\xde\x00\x02\x01\x02"]
)
def test_a_file_that_is_no_map_of_numbers_is_refused(data):
    with pytest.raises(ValueError, match="map of words"):
        word_vectors.unpacked(data)
