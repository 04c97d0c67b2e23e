"""Places on a map and on a globe, and texts by their letters."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from consilience.check import InputError
from consilience.features import coordinates, geoclip, spelling

latitudes, longitudes = st.floats(-89, 89), st.floats(-179, 179)


@given(latitudes, longitudes)
def test_the_map_keeps_areas_equal(latitude, longitude):
    """What Equal Earth is made for: a degree by a degree covers cos(latitude) of what it covers at the equator."""
    step = 1e-4

    def area(lat, lon):
        corner, north, east = geoclip.on_map(
            torch.tensor([[lat, lon], [lat + step, lon], [lat, lon + step]], dtype=torch.float64)
        )
        return float(torch.linalg.det(torch.stack([east - corner, north - corner])))

    assert area(latitude, longitude) == pytest.approx(area(0.0, 0.0) * np.cos(np.radians(latitude)), rel=1e-3)


def test_the_map_is_the_published_one():
    """Savric et al. 2019: a globe of radius 1 is 2 * 2.7066 wide and 2 * 1.3173 high."""
    scale = 66.50336 / 180
    edge, pole = geoclip.on_map(torch.tensor([[0.0, 180.0], [90.0, 0.0]], dtype=torch.float64)) / scale
    assert float(edge[0]) == pytest.approx(2.7066, abs=1e-4) and float(pole[1]) == pytest.approx(1.3173, abs=1e-4)


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(0)
    shapes = {"capsule.1": (7, 6), "capsule.3": (7, 7), "capsule.5": (7, 7), "head.0": (5, 7)}
    made = {}
    for capsule in ("LocEnc0", "LocEnc1"):
        made[f"{capsule}.capsule.0.b"] = rng.standard_normal((3, 2))
        for name, shape in shapes.items():
            made[f"{capsule}.{name}.weight"], made[f"{capsule}.{name}.bias"] = (
                rng.standard_normal(shape),
                np.ones(shape[0]),
            )
    return {name: torch.tensor(value, dtype=torch.float32) for name, value in made.items()}


@pytest.fixture
def encoders(weights, tmp_path):
    torch.save(weights, tmp_path / "w.pth")
    return lambda *which: geoclip.load({"files": {"w.pth": ""}}, tmp_path, *which)


def test_the_embedding_is_the_sum_of_the_capsules(encoders, weights):
    places = [(48.9, 2.4), (-33.9, 151.2), (0.0, 0.0)]
    encoder = encoders("trained", 0)
    states = encoder.encode(places)
    assert encoder.modality == "place" and [state.shape[1] for state in states] == [12, 14, 14, 14, 5]
    w = {name: value.double().numpy() for name, value in weights.items()}
    expected = 0
    for capsule in ("LocEnc0", "LocEnc1"):
        x = geoclip.on_map(torch.tensor(places, dtype=torch.float64)).numpy()
        angles = 2 * np.pi * x @ w[f"{capsule}.capsule.0.b"].T
        h = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
        for i in (1, 3, 5):
            h = np.maximum(h @ w[f"{capsule}.capsule.{i}.weight"].T + w[f"{capsule}.capsule.{i}.bias"], 0)
        expected = expected + h @ w[f"{capsule}.head.0.weight"].T + w[f"{capsule}.head.0.bias"]
    np.testing.assert_allclose(states[-1], expected, rtol=1e-4, atol=1e-4)


def test_an_untrained_twin_keeps_the_fourier_features(encoders):
    places = [(10.0, 20.0), (-60.0, 100.0)]
    trained, one, same, other = (
        encoders(*w).encode(places) for w in [("trained", 0), *(("random", s) for s in (1, 1, 2))]
    )
    assert torch.equal(one[0], trained[0]) and torch.equal(one[-1], same[-1])
    assert not torch.allclose(one[-1], trained[-1]) and not torch.allclose(one[-1], other[-1])


@given(latitudes, longitudes, latitudes, longitudes)
def test_cosine_on_the_sphere_is_the_angle_between_places(lat1, lon1, lat2, lon2):
    (found,) = coordinates.load({}, None, "trained", 0).encode([(lat1, lon1), (lat2, lon2)])
    a, b, c = np.radians([lat1, lat2, lon1 - lon2])
    haversine = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(c / 2) ** 2
    assert found[0] @ found[1] == pytest.approx(1 - 2 * haversine, abs=1e-12)


# Spelling.


def encoded(texts, n_units=2**18):
    return spelling.load({"input": {"letters": [1, 3], "n_units": n_units}}, None, "trained", 0).encode(texts)[0]


def test_texts_are_alike_by_the_runs_of_letters_that_they_share():
    """Cosine of counts of runs, counted here by hand; a word begins and ends with a space."""

    def runs(word):
        word = f" {word} "
        return [word[i : i + n] for n in (1, 2, 3) for i in range(len(word) - n + 1)]

    texts = ["duck", "ducks", "clock"]
    kinds = sorted({run for text in texts for run in runs(text)})
    counts = np.array([[runs(text).count(kind) for kind in kinds] for text in texts], float)
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    np.testing.assert_allclose(encoded(texts) @ encoded(texts).T, counts @ counts.T, atol=1e-12)


def test_collisions_in_a_small_table_are_no_likeness():
    words = [f"{a}{b}{c}{d}" for a in "bdfg" for b in "aeio" for c in "lmn" for d in "stu"]
    apart = np.array(encoded(words, 4096) @ encoded(words, 4096).T - encoded(words) @ encoded(words).T)
    assert np.abs(apart).max() > 0 and abs(apart.mean()) < 0.02


def test_the_order_of_words_does_not_matter_and_scripts_do_not_collide():
    assert encoded(["le chat noir"])[0] @ encoded(["noir chat le"])[0] == pytest.approx(1)
    assert encoded(["собака"])[0] @ encoded(["犬"])[0] == pytest.approx(0.2, abs=0.15), "the spaces around"


@pytest.mark.parametrize("reader", [spelling, coordinates])
def test_baselines_have_no_untrained_twin(reader):
    with pytest.raises(InputError, match="no untrained twin"):
        reader.load({"input": {}}, None, "random", 0)
