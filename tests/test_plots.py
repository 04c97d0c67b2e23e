"""Pictures carry their null: what is drawn is what was found."""

import numpy as np
import pytest

import consilience as cs

pytest.importorskip("seaborn")


@pytest.fixture(autouse=True)
def no_window():
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    a = {"early": rng.standard_normal((50, 3)), "late": X}
    b = {"last": X @ rng.standard_normal((4, 6)), "first": rng.standard_normal((50, 6))}
    return a, b


@pytest.mark.parametrize("metric", ["cka", "mutual_knn", "procrustes"])
def test_a_null_with_its_score_and_what_chance_reaches(world, metric):
    found = cs.align(world[0]["late"], world[1]["last"], metric, draws=199)
    ax = found.null()
    reached, score = (line.get_xdata()[0] for line in ax.lines)
    assert score == found.score
    assert found.chance.tail(reached) == pytest.approx(found.alpha, abs=0.03)


def test_a_heatmap_hatches_what_chance_could_be(world):
    table = cs.compare(*world, metrics=["cka", "mutual_knn"], draws=99, k=5)
    for ax, metric in zip(table.heatmap("score"), ("cka", "mutual_knn"), strict=True):
        part = table[table.metric == metric]
        assert len(ax.patches) == (part.p_max > 0.05).sum()
        np.testing.assert_allclose(ax.collections[0].get_array().ravel(), part.matrix().ravel())


def test_scores_lie_beside_their_nulls(world):
    table = cs.compare(*world, metrics="cka", draws=99)
    ax = np.atleast_1d(table.null())[0]
    drawn = np.concatenate([line.get_ydata() for line in ax.lines])
    np.testing.assert_allclose(np.sort(drawn), np.sort(table.score))


def test_a_scale_curve(world):
    table = cs.scale_of_agreement(world[0]["late"], world[1]["last"])
    ax = table.scale_curve()
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), table.score)
