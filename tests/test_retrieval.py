"""Retrieval beside what wrong pairs would give: the table, and whether its p-values mean what they say."""

import numpy as np
import pytest

import consilience as cs
from consilience.retrieval import shuffled_pairs


def arrays(seed, n=60, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    return X, X @ rng.standard_normal((6, 8)) + noise * rng.standard_normal((n, 8))


def test_a_row_for_each_direction_and_k_with_chance_beside_it():
    table = cs.retrieval(*arrays(0, n=62), k=(1, 5), through="linear", draws=39)
    assert list(table.direction) == ["X to Y", "X to Y", "Y to X", "Y to X"]
    assert list(table.k) == [1, 5, 1, 5]
    held_out = [13] * 13 * 2 + [12] * 12 * 3  # 62 stimuli in five folds
    assert table.chance.to_numpy() == pytest.approx([np.mean(k / np.array(held_out)) for k in (1, 5, 1, 5)])
    assert (table.p == 1 / 40).all()
    assert (table.score > table.chance).all()
    assert "X to Y through linear, 62 stimuli, 12 held out at a time: R@1" in table.sentence()
    assert len(cs.retrieval(*arrays(0), k=3, draws=19)) == 2


def test_unrelated_representations_are_found_by_chance():
    rng = np.random.default_rng(1)
    table = cs.retrieval(rng.standard_normal((200, 8)), rng.standard_normal((200, 9)), k=10, draws=39)
    assert table.null_mean.to_numpy() == pytest.approx(table.chance, abs=0.02)
    assert table.score.to_numpy() == pytest.approx(table.chance, abs=0.1)


@pytest.mark.parametrize("through", ["anchors", "orthogonal"])
def test_p_is_small_no_more_often_than_it_says_with_groups(through):
    """Speakers sound alike within both sides, but nobody's voice on one side follows from that on the other."""
    speaker, small = np.repeat(np.arange(8), 5), 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        X, Y = (rng.standard_normal((8, 4))[speaker] + 0.1 * rng.standard_normal((40, 4)) for _ in range(2))
        small += (cs.retrieval(X, Y, 2, through, 4, speaker, seed, draws=19).p <= 0.1).sum()
    assert small <= 30  # of 160 tests, 16 expected; those of one world go together


def test_groups_change_places_as_wholes():
    groups = np.array(list("aabbbcaac"))
    for order in shuffled_pairs(9, 20, 0, groups):
        assert sorted(order) == list(range(9))
        together = groups[order][np.argsort(groups, kind="stable")]  # in the order in which groups were gathered
        assert np.sum(together[1:] != together[:-1]) == 2
        for group in "abc":
            assert (np.diff(order[np.argsort(groups, kind="stable")][together == group]) > 0).all()


def test_refuses():
    X, Y = arrays(2)
    with pytest.raises(cs.InputError, match="k is empty"):
        cs.retrieval(X, Y, k=())
    with pytest.raises(cs.InputError, match="draws is 3"):
        cs.retrieval(X, Y, draws=3)
    with pytest.raises(cs.InputError, match="missing labels"):
        cs.retrieval(X, Y, groups=np.array([None, *"a" * 59]))
    with pytest.raises(cs.InputError, match="k is 12"):
        cs.retrieval(X, Y, k=(1, 12))
