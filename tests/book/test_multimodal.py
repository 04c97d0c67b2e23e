"""The chapter on several senses, run with the words and the sounds of every thing shuffled: no verdict may stand.

As it stands it is run by the build of the book, where a sentence that the run does not bear out stops it.
"""

import pytest

from consilience.book.claims import FAILS

SHUFFLE = """
from dataclasses import replace

shuffler = np.random.default_rng(1)
for name, model in features.items():
    other = shuffler.permutation(len(said))
    features[name] = replace(model, arrays={layer: X[other] for layer, X in model.items()})
encode_in_order = encode


def encode(model, **how):
    made = encode_in_order(model, **how)
    other = np.random.default_rng(2).permutation(len(made.at(1)))
    return replace(made, arrays={layer: X[other] for layer, X in made.items()})


book.expect = lambda condition, sentence: sentence  # the sentences are not expected to hold
"""


@pytest.fixture(scope="module")
def shuffled(claims_of):
    return claims_of("multimodal", SHUFFLE)


def test_no_verdict_stands_when_words_and_sounds_are_shuffled(shuffled):
    assert len(shuffled) == 6
    assert {name: claim["verdict"] for name, claim in shuffled.items()} == dict.fromkeys(shuffled, FAILS)


def test_each_claim_is_tested_against_chance_and_what_is_trivial(shuffled):
    for name, claim in shuffled.items():
        against = " ".join(test["name"] for test in claim["tests"])
        assert "chance" in against
        if name != "multimodal-captions":  # there a language is held against all seven
            assert ("untrained" in against and "spelling" in against) or "duration" in against, name
