"""Neighbours among things by plain loops; and that one label a stimulus changes nothing."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import consilience as cs
from consilience.metrics.things import thing_weights

APART = {"cosine": "cosine", "euclidean": "sqeuclidean", "dot": lambda x, y: -x @ y}


def captions(seed, things=12, noise=0.5):
    """Two representations of things of which each has one to four captions, in no order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(things), rng.integers(1, 5, things)))
    content = rng.standard_normal((things, 4))
    X, Y = (content @ rng.standard_normal((4, d)) for d in (5, 6))
    return *(Z[labels] + noise * rng.standard_normal((len(labels), Z.shape[1])) for Z in (X, Y)), labels


def nearest_things(X, labels, k, similarity):
    apart = cdist(X, X, APART[similarity])
    found = []
    for thing in np.unique(labels):
        others = [other for other in np.unique(labels) if other != thing]
        near = {other: apart[np.ix_(labels == thing, labels == other)].min() for other in others}
        found.append(set(sorted(others, key=near.get)[:k]))
    return found


@pytest.mark.parametrize("similarity", APART)
@pytest.mark.parametrize("seed", range(3))
def test_counts_the_things_that_are_near_on_both_sides(similarity, seed):
    X, Y, labels = captions(seed)
    in_x, in_y = (nearest_things(Z, labels, 3, similarity) for Z in (X, Y))
    expected = np.mean([len(a & b) / 3 for a, b in zip(in_x, in_y, strict=True)])
    assert cs.mutual_knn(X, Y, 3, similarity, labels=labels) == pytest.approx(expected)


@pytest.mark.parametrize("similarity", APART)
def test_a_label_for_each_stimulus_is_no_label(similarity):
    X, Y, _ = captions(4)
    labels = np.random.default_rng(0).permutation(len(X))
    assert cs.mutual_knn(X, Y, 4, similarity, labels) == pytest.approx(cs.mutual_knn(X, Y, 4, similarity))


def test_blocks_do_not_show(monkeypatch):
    X, _, labels = captions(5)
    whole = thing_weights(X, labels, 4).toarray()
    monkeypatch.setattr("consilience.metrics.things.BLOCK", 7)
    assert (thing_weights(X, labels, 4).toarray() == whole).all()


def test_ties_share_the_last_place():
    X = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1], [0, -1]])
    weights = thing_weights(X, list("acddb"), 2).toarray()
    assert weights[0] == pytest.approx([0, 2 / 3, 2 / 3, 2 / 3])
    assert (weights.sum(1) == 2).all()


def test_copies_neither_help_nor_hurt_and_things_are_exchanged():
    X, Y, labels = captions(6, things=40)
    copied = np.repeat(np.arange(len(X)), np.random.default_rng(1).integers(1, 4, len(X)))
    once = cs.align(X, Y, "mutual_knn", k=5, labels=labels)
    again = cs.align(X[copied], Y[copied], "mutual_knn", k=5, labels=labels[copied])
    assert once.n == again.n == 40
    assert again.score == pytest.approx(once.score)
    assert (again.null_mean, again.p) == pytest.approx((once.null_mean, once.p))
    assert once.null_mean == pytest.approx(5 / 39)
    assert once.method == "moments"


def test_layers_are_compared_thing_by_thing():
    X, Y, labels = captions(7, things=20)
    table = cs.compare({"x": X}, {"y": Y}, "mutual_knn", k=3, labels=labels)
    assert table.score.item() == pytest.approx(cs.mutual_knn(X, Y, 3, labels=labels))
    assert table.n.item() == 20
    with pytest.raises(cs.InputError, match="labels mean nothing to cka"):
        cs.compare({"x": X}, {"y": Y}, ["mutual_knn", "cka"], labels=labels)


def test_an_interval_takes_the_labels_along():
    X, Y, labels = captions(8, things=30)
    found = cs.align(X, Y, "mutual_knn", k=5, labels=labels, ci=0.9)
    assert found.ci[0] < found.score < found.ci[1]
    assert len(str(found)) < 700  # the labels are not all printed


def test_refuses():
    X, Y, labels = captions(9)
    with pytest.raises(cs.InputError, match=r"labels has shape \(3,\)"):
        cs.mutual_knn(X, Y, 3, labels=labels[:3])
    with pytest.raises(cs.InputError, match="names 2 different things; at least 4"):
        cs.mutual_knn(X, Y, 1, labels=labels % 2)
    with pytest.raises(cs.InputError, match="k is 12"):
        cs.mutual_knn(X, Y, 12, labels=labels)
