"""Exercises accept right answers, and refuse the wrong ones that readers give, with a hint."""

import numpy as np
import pytest

import consilience as cs
from consilience.book import check

rng = np.random.default_rng(0)
shared = rng.standard_normal((60, 6))
groups = np.repeat([0, 1, 2], 20)


@pytest.mark.parametrize(
    ("name", "answer", "right", "words"),
    [
        ("vision-chance", lambda n, k: k / (n - 1), True, "Right"),
        ("vision-chance", lambda n, k: k / n, False, "own neighbour"),
        ("vision-chance", lambda n, k: 0.02, False, "gives 0.02"),
        ("vision-chance", None, False, "Not answered"),
        ("vision-noise", (rng.random((100, 3000)), rng.random((100, 3000))), True, "Right"),
        ("vision-noise", (rng.random((100, 5)), rng.random((100, 5))), False, "exceed 0.9"),
        ("vision-noise", (np.hstack([shared, shared])[:50],) * 2, False, "100 rows"),
        ("vision-noise", (rng.random((100, 5)),), False, "pair"),
        ("vision-categories", cs.align(shared, shared, "mutual_knn", k=5, groups=groups), True, "Right"),
        ("vision-categories", cs.align(shared, shared, "mutual_knn", k=5), False, "groups="),
        ("vision-categories", 0.3, False, "cs.align"),
    ],
)
def test_answers(capsys, name, answer, right, words):
    assert check(name, answer) is right
    assert words in capsys.readouterr().out


def test_related_arrays_are_not_noise(capsys):
    X = rng.standard_normal((100, 3000))
    assert not check("vision-noise", (X, X + 0.1))
    assert "related" in capsys.readouterr().out
