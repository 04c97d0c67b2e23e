"""The chapter on vision, run as it stands, and once more with the pictures of every model shuffled.

Shuffling breaks the pairing, so whatever a claim rests on is gone: each verdict must flip.
"""

import pytest

from consilience.book.claims import FAILS

SHUFFLE = """
from dataclasses import replace

shuffler = np.random.default_rng(1)
for name, model in features.items():
    order = shuffler.permutation(len(stimuli))
    features[name] = replace(model, arrays={layer: X[order] for layer, X in model.items()})
book.expect = lambda condition, sentence: sentence  # the sentences are not expected to hold
"""


@pytest.fixture(scope="module")
def runs(claims_of):
    return claims_of("vision"), claims_of("vision", SHUFFLE)


def test_three_to_five_claims_are_judged_and_some_hold(runs):
    as_it_stands, _ = runs
    assert 3 <= len(as_it_stands) <= 5
    assert sum(claim["verdict"].startswith("holds") for claim in as_it_stands.values()) >= 3


def test_each_verdict_flips_when_the_pictures_are_shuffled(runs):
    as_it_stands, shuffled = runs
    assert as_it_stands.keys() == shuffled.keys()
    for name, claim in as_it_stands.items():
        assert claim["verdict"] != shuffled[name]["verdict"] == FAILS, name


def test_each_claim_is_tested_against_chance_twins_and_pixels(runs):
    for claim in runs[0].values():
        against = " ".join(test["name"] for test in claim["tests"])
        assert "chance" in against
        assert "untrained" in against
        assert "pixels" in against
