"""Pictures carry their null: what is drawn is what was found."""

import numpy as np
import pytest

import consilience as cs
from consilience.features import Features

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


def test_axes_say_whose_layers_they_are(world):
    a, b = (Features.of(layers, {"model": name}) for layers, name in zip(world, ("vit", "bert"), strict=True))
    table = cs.compare(a, b, metrics="cka", draws=99)
    (ax,) = np.atleast_1d(table.heatmap())
    assert ax.get_ylabel() == a.origin.label and ax.get_xlabel() == b.origin.label
    (ax,) = np.atleast_1d(table.null())
    assert f"{a.origin.label} and {b.origin.label}" in ax.get_xlabel()


def test_scores_lie_beside_their_nulls(world):
    table = cs.compare(*world, metrics="cka", draws=99)
    ax = np.atleast_1d(table.null())[0]
    drawn = np.concatenate([line.get_ydata() for line in ax.lines])
    np.testing.assert_allclose(np.sort(drawn), np.sort(table.score))


def test_a_scale_curve(world):
    table = cs.scale_of_agreement(world[0]["late"], world[1]["last"])
    ax = table.scale_curve()
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), table.score)


@pytest.fixture(scope="module")
def atlas():
    rng = np.random.default_rng(1)
    z, other = rng.standard_normal((2, 40, 4))
    seen = {"a": z, "b": z, "c": other, "d": other}
    models = {name: s @ rng.standard_normal((4, 9)) + 0.1 * rng.standard_normal((40, 9)) for name, s in seen.items()}
    return cs.atlas(models, "cka", draws=99, progress=False)


def test_models_that_are_alike_stand_together(atlas):
    ax = atlas.embedding(kinds={"a": "one", "b": "one", "c": "other", "d": "other"})
    at = {text.get_text(): np.array(text.xy) for text in ax.texts}
    near = max(np.linalg.norm(at["a"] - at["b"]), np.linalg.norm(at["c"] - at["d"]))
    assert near < 0.5 * np.linalg.norm(at["a"] - at["c"])
    leaves = [tick.get_text() for tick in atlas.dendrogram().get_yticklabels()]
    assert {frozenset(leaves[:2]), frozenset(leaves[2:])} == {frozenset("ab"), frozenset("cd")}


def test_a_square_of_models_hatches_what_chance_could_be(atlas):
    ax = atlas.heatmap(column="score")
    within = atlas.best().p_atlas > 0.05
    assert 0 < within.sum() < 6
    assert len(ax.patches) == 2 * within.sum()
    drawn = ax.collections[0].get_array()
    np.testing.assert_allclose(np.ma.filled(drawn.reshape(4, 4), np.nan), atlas.matrix(column="score"))


def test_a_metric_that_is_not_symmetric_fills_both_halves():
    rng = np.random.default_rng(2)
    z = rng.standard_normal((40, 4))
    models = {name: z @ rng.standard_normal((4, 6)) + rng.standard_normal((40, 6)) for name in "abc"}
    found = cs.atlas(models, "pwcca", draws=99, progress=False)
    drawn = np.ma.filled(found.heatmap().collections[0].get_array().reshape(3, 3), np.nan)
    assert drawn[0, 1] == found.matrix().loc["a", "b"] != drawn[1, 0] == found.matrix().loc["b", "a"]
    assert {text.get_text() for text in found.embedding().texts} == set("abc")


def test_pictures_of_models_say_where_they_come_from(world):
    models = {"ours": Features.of(world[0], {"model": "vit"}), "theirs": world[1]}
    found = cs.atlas(models, "cka", draws=99, progress=False)
    named = f"ours {models['ours'].origin.address[:10]}"
    for ax in (found.heatmap(), found.dendrogram()):
        assert {tick.get_text() for tick in ax.get_yticklabels()} == {named, "theirs"}


def test_a_property_of_models_beside_their_likeness(atlas):
    likeness = atlas.matrix().loc[:, "a"].fillna(1)
    ax = atlas.against({"b": 3.0, "c": 1.0, "d": 1.5}, to=["a"])
    assert ax.lines[0].get_xdata().tolist() == likeness[["b", "c", "d"]].tolist()
    assert "over 3 models" in ax.get_title(loc="left")
    with pytest.raises(cs.InputError, match="three are needed"):
        atlas.against({"a": 1.0, "b": 2.0})
