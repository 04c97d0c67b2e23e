"""Exercises accept right answers, and refuse the wrong ones that readers give, with a hint."""

import numpy as np
import pytest

import consilience as cs
from consilience.book import check

rng = np.random.default_rng(0)
shared = rng.standard_normal((60, 6))
groups = np.repeat([0, 1, 2], 20)


def far_out(seed, by=50):
    X = np.random.default_rng(seed).standard_normal((100, 40))
    X[:2] += by
    return X


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("vision-chance", lambda n, k: k / (n - 1), "Right."),
        ("vision-chance", lambda n, k: k / n, "own neighbour"),
        ("vision-chance", lambda n, k: 0.02, "gives 0.02"),
        ("vision-chance", None, "Not answered"),
        ("vision-noise", (rng.random((100, 3000)), rng.random((100, 3000))), "Right."),
        ("vision-noise", (rng.random((100, 5)), rng.random((100, 5))), "exceed 0.9"),
        ("vision-noise", (np.hstack([shared, shared])[:50],) * 2, "100 rows"),
        ("vision-noise", (rng.random((100, 5)),), "pair"),
        ("vision-categories", cs.align(shared, shared, "mutual_knn", k=5, groups=groups), "all the pictures"),
        ("vision-chance", lambda n: 1, "raised TypeError"),
        ("vision-categories", cs.align(shared, shared, "mutual_knn", k=5), "groups="),
        ("vision-categories", 0.3, "cs.align"),
        ("metrics-size", 87, "Right."),
        ("metrics-size", 86, "86 stimuli 0.05 stands 2.99"),
        ("metrics-size", 1000, "fewer would do"),
        ("metrics-size", 86.4, "whole number"),
        ("metrics-rotation", {"dissimilarity": "euclidean"}, "Right."),
        ("metrics-rotation", {"dissimilarity": "squared_euclidean"}, "Right."),
        ("metrics-rotation", {"dissimilarity": "correlation"}, "X is turned"),
        ("metrics-rotation", {"dissimilarity": "cosine"}, "X is shifted"),
        ("metrics-rotation", {"compare": "kendall"}, "dissimilarity"),
        ("metrics-fooled", (far_out(0), far_out(1)), "Right."),
        ("metrics-fooled", (far_out(0), far_out(0)), "above chance"),
        ("metrics-fooled", (far_out(0, 0), far_out(1, 0)), "exceed 0.9"),
        ("metrics-fooled", far_out(0), "pair"),
    ],
)
def test_answers(capsys, name, answer, words):
    check(name, answer)
    said = capsys.readouterr().out
    assert words in said
    assert ("Right." in said) == (words == "Right.")


def test_related_arrays_are_not_noise(capsys):
    X = rng.standard_normal((100, 3000))
    check("vision-noise", (X, X + 0.1))
    assert "related" in capsys.readouterr().out


def test_pairing_within_categories_is_right(capsys, stamps):
    X = rng.standard_normal((len(stamps), 4))
    found = cs.align(X, X + rng.standard_normal(X.shape), "mutual_knn", groups=np.array(stamps.labels), draws=99)
    check("vision-categories", found)
    assert "Right." in capsys.readouterr().out
    two = cs.align(X, X, "mutual_knn", groups=np.arange(len(X)) % 2, draws=99)
    check("vision-categories", two)
    assert "categories of the pictures" in capsys.readouterr().out
