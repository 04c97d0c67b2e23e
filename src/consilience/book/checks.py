"""Exercises whose answers the book can check: a name, what a right answer does, and what to try when it does not."""

from __future__ import annotations

import numpy as np

import consilience as cs


class WrongAnswerError(AssertionError):
    """The words in which an exercise says what is still missing."""


def check(name, answer):
    """Check the answer to an exercise and say, in one line, whether it is right or what is missing.

    Parameters
    ----------
    name : str
        Of the exercise, as the chapter gives it.
    answer : object
        A function or a result, as the exercise asks. ``None`` means not answered yet.
    """
    if answer is None:
        print("Not answered yet. Replace None and run the cell again.")
        return
    try:
        EXERCISES[name](answer)
    except WrongAnswerError as missing:
        print(f"Not yet: {missing}")
    except Exception as error:  # whatever a reader's answer may do
        print(f"Not yet: your answer raised {type(error).__name__}: {error}")
    else:
        print("Right.")


def need(condition, words):
    if not condition:
        raise WrongAnswerError(words)


def chance_level(answer):
    for n, k in ((10, 1), (498, 10), (41, 40)):
        value = answer(n, k)
        need(np.isscalar(value), "the function should return one number.")
        hint = " A stimulus is never its own neighbour." if np.isclose(value, k / n) else ""
        need(np.isclose(value, k / (n - 1)), f"for n = {n}, k = {k} your function gives {value:.4g}.{hint}")
    rng = np.random.default_rng(0)
    seen = np.mean([cs.mutual_knn(rng.random((40, 5)), rng.random((40, 5)), k=4) for _ in range(100)])
    need(abs(answer(40, 4) - seen) < 0.02, f"noise gives {seen:.3f} at n = 40, k = 4.")


def noise_that_looks_aligned(answer):
    need(isinstance(answer, tuple) and len(answer) == 2, "give the pair (X, Y).")
    X, Y = map(np.asarray, answer)
    need(X.ndim == 2 and Y.ndim == 2 and len(X) == len(Y) == 100, "both arrays need 100 rows.")
    biased = cs.cka(X, Y, estimator="biased")
    need(biased > 0.9, f"biased CKA is {biased:.2f}; make it exceed 0.9. What does it do as units are added?")
    found = cs.align(X, Y)
    need(found.p > 0.001, "the debiased score is above chance, so X and Y are related. Draw them independently.")


def within_categories(answer):
    need(isinstance(answer, cs.Alignment), "give the result of cs.align.")
    need("groups" in answer.why, "pairings were not restricted; pass groups=.")
    need(answer.metric == "mutual_knn", 'use metric="mutual_knn".')
    stimuli = cs.stimuli.load("tuxpaint-stamps")
    need(answer.n == len(stimuli), "use all the pictures.")
    need(f"within {len(set(stimuli.labels))} groups" in answer.why, "use the categories of the pictures as groups.")


def enough_stimuli(answer):
    need(np.isscalar(answer) and not isinstance(answer, str), "give one number.")
    need(answer == int(answer) and answer > 3, "give a whole number of stimuli, above 3.")
    n = int(answer)
    z = 0.05 * np.sqrt(n * (n - 3) / 2)
    need(z >= 3, f"with {n} stimuli 0.05 stands {z:.2f} standard deviations above chance.")
    need(0.05 * np.sqrt((n - 1) * (n - 4) / 2) < 3, f"{n} stimuli are enough, but fewer would do.")


def blind_to_rotation(answer):
    need(isinstance(answer, dict) and answer, "give a dictionary of options of cs.rsa.")
    need("dissimilarity" in answer, 'the option is "dissimilarity".')
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 40, 6))
    turned, score = X @ np.linalg.qr(rng.standard_normal((6, 6)))[0], cs.rsa(X, Y, **answer)
    need(np.isclose(cs.rsa(turned, Y, **answer), score), "the score still moves when X is turned.")
    need(np.isclose(cs.rsa(X + 3, Y, **answer), score), "the score still moves when X is shifted.")


def geometry_without_neighbours(answer):
    need(isinstance(answer, (tuple, list)) and len(answer) == 2, "give the pair (X, Y).")
    X, Y = map(np.asarray, answer)
    need(X.ndim == 2 and Y.ndim == 2 and len(X) == len(Y) == 100, "both arrays need 100 rows.")
    score = cs.cka(X, Y)
    need(score > 0.9, f"debiased CKA is {score:.2f}; make it exceed 0.9. How many stimuli does it take to decide it?")
    found = cs.align(X, Y, "mutual_knn", k=10)
    need(found.p > 0.05, f"mutual k-NN is above chance (p = {found.p:.4f}): too many stimuli share their neighbours.")


def two_languages_spoken(answer):
    need(isinstance(answer, cs.Alignment), "give the result of cs.align.")
    need(answer.metric == "mutual_knn", 'use metric="mutual_knn".')
    need(answer.options.get("k") == 10, "use k = 10.")
    need(answer.score < 0.9, "that is the same recording twice; encode the French ones.")
    need(answer.p <= 0.001, "the rows of the two must be the same things, in the same order.")


def straight_line_taken_out(answer):
    rng = np.random.default_rng(0)
    t, X = rng.standard_normal((40, 2)), rng.standard_normal((40, 5))
    left = np.asarray(answer(X, t))
    need(left.shape == X.shape, f"for X of shape {X.shape} your function gives shape {left.shape}.")
    need(np.allclose((t - t.mean(0)).T @ left, 0), "what is left still goes with t.")
    need(np.allclose(left - left.mean(0), np.asarray(answer(X + t @ np.ones((2, 5)), t)) - left.mean(0)),
         "adding a straight line in t to X must change nothing.")  # fmt: skip
    need(np.allclose(np.asarray(answer(left, t)), left) or np.allclose(left.mean(0), X.mean(0)),
         "a line has a slope and a height: fit both.")  # fmt: skip


EXERCISES = {
    "multimodal-french": two_languages_spoken,
    "multimodal-duration": straight_line_taken_out,
    "metrics-size": enough_stimuli,
    "metrics-rotation": blind_to_rotation,
    "metrics-fooled": geometry_without_neighbours,
    "vision-chance": chance_level,
    "vision-noise": noise_that_looks_aligned,
    "vision-categories": within_categories,
}
