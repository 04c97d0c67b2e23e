"""Relative representations against scikit-learn's cosines, and what no rotation may change."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

import consilience as cs


def test_is_the_cosine_to_each_anchor():
    rng = np.random.default_rng(0)
    X, anchors = rng.standard_normal((9, 5)), rng.standard_normal((6, 5))
    assert cs.relative_representation(X, anchors) == pytest.approx(cosine_similarity(X, anchors))
    angles = cs.relative_representation(X, anchors, "angle")
    assert np.cos(angles) == pytest.approx(cosine_similarity(X, anchors))
    assert angles.min() >= 0


def test_two_spaces_that_differ_by_a_rotation_and_scale_become_one():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((20, 7))
    turned = 3 * X @ np.linalg.qr(rng.standard_normal((7, 7)))[0]
    assert cs.relative_representation(X, X[:5]) == pytest.approx(cs.relative_representation(turned, turned[:5]))


def test_indra_is_an_angle_between_all_stimuli():
    X = np.array([[1.0, 0], [0, 2], [-3, 0], [1, 1]])
    expected = np.pi * np.array([[0, 0.5, 1, 0.25], [0.5, 0, 0.5, 0.25], [1, 0.5, 0, 0.75], [0.25, 0.25, 0.75, 0]])
    assert cs.indra_representation(X) == pytest.approx(expected, abs=1e-7)


def test_refuses_what_has_no_cosine():
    X = np.random.default_rng(2).standard_normal((8, 3))
    with pytest.raises(cs.InputError, match="X has 3 units and anchors 2"):
        cs.relative_representation(X, X[:, :2])
    with pytest.raises(cs.InputError, match="anchors: row 1 is all zeros"):
        cs.relative_representation(X, np.vstack([X[:1], np.zeros((1, 3)), X[1:]]))
    with pytest.raises(cs.InputError, match="choose one of 'cosine', 'angle'"):
        cs.relative_representation(X, X, "euclidean")
