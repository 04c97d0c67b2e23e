"""Cross-correlation against all correlations by brute force, in float64, on every road of this machine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.check import InputError
from consilience.core import cross_correlation, roads

SIGNS = {"positive": np.positive, "negative": np.negative, "absolute": np.abs}
DTYPES = (np.float16, np.float32, np.float64)


def normal(n, d, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, n, d]).standard_normal((n, d)).astype(dtype)


def correlations(units, voxels):
    """All of them, shape (n_voxels, n_units)."""
    n_units = units.shape[1]
    return np.corrcoef(units.astype(np.float64), voxels.astype(np.float64), rowvar=False)[n_units:, :n_units]


def agrees(partners, R, k, sign, thresholds):
    """What one side found is what the matrix R of its correlations says."""
    strength = SIGNS[sign](R)
    best = np.argsort(-strength, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(partners.best, best)
    np.testing.assert_allclose(partners.correlations, np.take_along_axis(R, best, axis=1), rtol=1e-6, atol=1e-7)
    counts = (strength[:, :, None] >= np.reshape(thresholds, (1, 1, -1))).sum(axis=1)
    np.testing.assert_array_equal(partners.counts, counts)


def same(found, expected):
    for side in ("of_units", "of_voxels"):
        for part in ("best", "correlations", "counts"):
            np.testing.assert_array_equal(getattr(getattr(found, side), part), getattr(getattr(expected, side), part))


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "n_units", "n_voxels"), [(5, 4, 33), (31, 260, 17), (257, 31, 241), (1000, 5, 2)])
def test_equals_brute_force(n, n_units, n_voxels, dtype, sign, road):
    units, voxels, thresholds = normal(n, n_units, dtype), normal(n, n_voxels, dtype, seed=1), [0.03, 0.3, 0.9]
    R = correlations(units, voxels)
    for k in {1, 2, min(n_units, n_voxels)}:
        found = cross_correlation(units, voxels, k=k, sign=sign, thresholds=thresholds)
        agrees(found.of_voxels, R, k, sign, thresholds)
        agrees(found.of_units, R.T, k, sign, thresholds)
        width = np.float64 if dtype == np.float64 else np.float32
        assert found.of_units.correlations.dtype == found.of_voxels.correlations.dtype == width


def test_without_thresholds_nothing_is_counted(road):
    found = cross_correlation(normal(20, 3), normal(20, 7))
    assert found.of_units.counts.shape == (3, 0)
    assert found.of_voxels.counts.shape == (7, 0)


def test_one_unit_and_one_voxel(road):
    units, voxels = normal(40, 1, np.float64), normal(40, 1, np.float64, seed=1)
    found = cross_correlation(units, voxels, thresholds=[0.01])
    expected = np.corrcoef(units[:, 0], voxels[:, 0])[0, 1]
    assert found.of_units.correlations[0, 0] == found.of_voxels.correlations[0, 0] == pytest.approx(expected, rel=1e-13)
    assert found.of_voxels.best[0, 0] == 0


def test_copies_and_their_negatives_correlate_exactly(road):
    """And so they reach 1, which no rounding may deny them; equally strong ones come by index."""
    units = normal(50, 6) * 7 + 300
    voxels = np.stack([units[:, 2], normal(50, 1)[:, 0], -units[:, 2], units[:, 4]], axis=1)
    found = cross_correlation(units, voxels, k=2, thresholds=[1.0])
    np.testing.assert_array_equal(found.of_units.best[2], [0, 2])
    np.testing.assert_array_equal(found.of_units.correlations[2], [1, -1])
    np.testing.assert_array_equal(found.of_units.counts[:, 0], [0, 0, 2, 0, 1, 0])
    np.testing.assert_array_equal(found.of_voxels.counts[:, 0], [1, 0, 1, 1])
    found = cross_correlation(units, voxels, k=2, sign="negative", thresholds=[1.0])
    np.testing.assert_array_equal(found.of_units.best[2, 0], 2)
    np.testing.assert_array_equal(found.of_units.counts[:, 0], [0, 0, 1, 0, 0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", SIGNS)
def test_every_road_and_number_of_threads_gives_the_same_bits(sign, dtype, monkeypatch):
    units, voxels = normal(70, 300, dtype), normal(70, 533, dtype, seed=1)
    voxels[:, 100:180] = units[:, 7:8]  # ties that fill more than a list of candidates
    units[:, 30:90] = -units[:, 7:8]
    thresholds = [0.2, correlations(units, voxels)[3, 5].__abs__(), 1]  # the second is in doubt
    monkeypatch.setenv(roads.VARIABLE, "twin")
    expected = cross_correlation(units, voxels, k=12, sign=sign, thresholds=thresholds)
    for name in roads.isas():
        monkeypatch.setenv(roads.VARIABLE, name)
        for threads in (1, 3, 7):
            same(cross_correlation(units, voxels, k=12, sign=sign, thresholds=thresholds, threads=threads), expected)


def test_counts_are_exact_where_float32_cannot_tell(road):
    """Thresholds next to correlations themselves: r reaches t = r, and not the number after it."""
    units, voxels = normal(300, 12), normal(300, 250, seed=1)
    r = cross_correlation(units.astype(np.float64), voxels.astype(np.float64), sign="positive")
    r = r.of_units.correlations[:, 0]
    found = cross_correlation(units, voxels, sign="positive", thresholds=[*r, *np.nextafter(r, 2)])
    counts = np.diagonal(found.of_units.counts[:, :12]), np.diagonal(found.of_units.counts[:, 12:])
    np.testing.assert_array_equal(counts, [np.ones(12), np.zeros(12)])


def test_a_large_mean_costs_no_digit(road):
    units, voxels = normal(200, 9, np.float64) + 1e8, normal(200, 40, np.float64, seed=1) - 3e9
    found = cross_correlation(units, voxels, k=9).of_voxels
    expected = correlations(units - 1e8, voxels + 3e9)  # subtractions without rounding
    np.testing.assert_array_equal(found.best, np.argsort(-abs(expected), axis=1))
    np.testing.assert_allclose(found.correlations, np.take_along_axis(expected, found.best, axis=1), atol=1e-14)
    units, voxels = (normal(200, d) * 50 + np.float32(4000) for d in (9, 40))
    agrees(cross_correlation(units, voxels, k=9).of_voxels, correlations(units, voxels), 9, "absolute", [])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_scale_and_offset_do_not_matter_and_the_sign_of_a_unit_turns_its_correlations(data):
    n, n_units, n_voxels = (data.draw(st.sampled_from(sizes)) for sizes in ((4, 17, 40), (1, 5, 33), (2, 16, 245)))
    units, voxels = normal(n, n_units, np.float64), normal(n, n_voxels, np.float64, seed=1)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    scale = np.ldexp(rng.choice([-1, 1], n_units), rng.integers(-60, 60, n_units))  # powers of two round nothing
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(roads.VARIABLE, data.draw(st.sampled_from([*roads.isas(), "twin"])))
        found, expected = (cross_correlation(X, voxels, thresholds=[0.3]) for X in (units * scale, units))
    for side in ("of_units", "of_voxels"):
        np.testing.assert_array_equal(getattr(found, side).best, getattr(expected, side).best)
        np.testing.assert_array_equal(getattr(found, side).counts, getattr(expected, side).counts)
    turned = np.sign(scale)[expected.of_voxels.best]
    np.testing.assert_array_equal(found.of_voxels.correlations, expected.of_voxels.correlations * turned)


def test_planted_partners_are_found(road):
    """Each voxel follows one unit, half of them upside down: r is ±1 / sqrt(1 + noise²)."""
    units = normal(2000, 40)
    follows = np.arange(90) % 40
    turned = np.where(np.arange(90) % 2, 1, -1)
    voxels = units[:, follows] * turned + 0.5 * normal(2000, 90, seed=1)
    found = cross_correlation(units, voxels, thresholds=[0.5]).of_voxels
    np.testing.assert_array_equal(found.best[:, 0], follows)
    np.testing.assert_allclose(found.correlations[:, 0], turned / np.sqrt(1.25), atol=0.03)
    np.testing.assert_array_equal(found.counts[:, 0], 1)


@pytest.mark.parametrize(
    "view",
    [lambda X: X[::-1], lambda X: X[:, ::-1], lambda X: X[::2, 1::3], np.asfortranarray],
    ids=["times reversed", "series reversed", "stepped", "Fortran"],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_memory_layout(view, dtype, road):
    units, voxels = view(normal(70, 20, dtype)), view(normal(70, 30, dtype, seed=1))
    plain = np.ascontiguousarray(units), np.ascontiguousarray(voxels)
    same(cross_correlation(units, voxels, k=3), cross_correlation(*plain, k=3))


def test_reads_torch_bfloat16_and_mixed_precisions(road):
    torch = pytest.importorskip("torch")
    units, voxels = torch.from_numpy(normal(64, 30)).bfloat16(), torch.from_numpy(normal(64, 50, np.float64))
    found = cross_correlation(units.requires_grad_(), voxels, k=4)
    assert found.of_voxels.correlations.dtype == np.float64
    agrees(found.of_voxels, correlations(units.detach().double().numpy(), voxels.numpy()), 4, "absolute", [])


def test_the_compiled_core_reads_bfloat16_itself():
    torch = pytest.importorskip("torch")
    if not roads.compiled:
        pytest.skip("no compiled core")
    units, voxels = torch.from_numpy(normal(64, 30)).bfloat16(), torch.from_numpy(normal(64, 20)).bfloat16()
    sides = [(np.empty((n, 2), np.int64), np.empty((n, 2)), np.empty((n, 1), np.int64)) for n in (30, 20)]
    roads.compiled.cross_correlation(units, voxels, "absolute", [0.1], *sides[0], *sides[1], isa="auto", threads=2)
    expected = cross_correlation(units.float(), voxels.float(), k=2, thresholds=[0.1])
    np.testing.assert_array_equal(sides[0][0], expected.of_units.best)
    np.testing.assert_array_equal(sides[1][2], expected.of_voxels.counts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(k=0), "k is 0"),
        (dict(k=5), "k is 5, but there are 4 units and 9 voxels; choose 1 <= k <= 4"),
        (dict(sign="both"), "sign is 'both'"),
        (dict(threads=0), "threads is 0"),
        (dict(thresholds=[0.2, np.nan]), "0 < t <= 1"),
        (dict(thresholds=[0]), "or another sign"),
        (dict(thresholds=[-1], sign="positive"), "-1 < t <= 1"),
        (dict(thresholds=[1.1], sign="negative"), "thresholds is .1.1."),
        (dict(thresholds=["high"]), "thresholds is .'high'."),
        (dict(voxels=normal(29, 9)), "units has 30 stimuli .rows. and voxels has 29"),
        (dict(units=normal(3, 4), voxels=normal(3, 9)), "units has 3 stimuli"),
        (dict(units=np.where([0, 0, 1, 1], 0.1, normal(30, 4))), "units: column 2 is constant over time.*.2 such."),
        (dict(voxels=np.where(np.eye(30), np.nan, 1.0)), "voxels holds NaN"),
        (dict(voxels=normal(30, 3, np.float64) * [1, 1e-160, 1]), "voxels: column 1 varies so little"),
        (dict(voxels=normal(30, 3, np.float64) * 1e160), "voxels holds values of"),
    ],
)
def test_refuses_in_words(change, words, road):
    if "threads" in change and road == "twin":
        pytest.skip("the twin has one thread")
    with pytest.raises(InputError, match=words):
        cross_correlation(**{"units": normal(30, 4, np.float64), "voxels": normal(30, 9), **change})


def test_a_constant_that_no_mean_hits_is_still_constant(road):
    """The mean of 0.1 is not 0.1 in floating point; a series that barely varies beside its mean still correlates."""
    units, voxels = normal(30, 4, np.float64), np.full((30, 2), 0.1)
    with pytest.raises(InputError, match="voxels is the same"):
        cross_correlation(units, voxels)
    voxels[7] += 1e-15
    voxels[:, 1] -= units[:, 1] * 1e-15
    expected = correlations(units, voxels - 0.1)
    found = cross_correlation(units, voxels)
    np.testing.assert_allclose(found.of_voxels.correlations[:, 0], expected[range(2), found.of_voxels.best[:, 0]])
