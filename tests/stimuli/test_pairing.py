"""Pairs are those that brute force finds, and what does not match is said."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.check import InputError
from consilience.stimuli import from_texts
from consilience.stimuli.pairing import at_random, by_id, by_label, relation

few = st.lists(st.sampled_from("abcde"), max_size=8)


@given(st.permutations("abcdefg"), st.permutations("abcdefg"))
def test_the_same_ids_come_in_the_same_order(a, b):
    mine, theirs = by_id(a, b)
    assert [a[i] for i in mine] == [b[j] for j in theirs] == list(a)


@given(st.sets(st.sampled_from("abcdefg")), st.sets(st.sampled_from("abcdefg")))
def test_ids_of_one_side_are_refused_or_dropped(a, b):
    a, b = sorted(a), sorted(b, reverse=True)
    if set(a) != set(b) or not a:
        with pytest.raises(InputError):
            by_id(a, b)
    if set(a) & set(b):
        mine, theirs = by_id(a, b, missing="drop")
        assert [a[i] for i in mine] == [b[j] for j in theirs] == sorted(set(a) & set(b))


def test_a_mismatch_is_said_in_words():
    with pytest.raises(InputError, match=r"The second alone has 'c' and 1 more; of 2 and 4 .*, 2 are in both"):
        by_id(["a", "b"], ["b", "c", "a", "d"])
    with pytest.raises(InputError, match="No stimulus is in both"):
        by_id(["a"], ["b"], missing="drop")
    with pytest.raises(InputError, match="The first has the id 'a' more than once"):
        by_id(["a", "b", "a"], ["a", "b", "c"])


@given(few, few)
def test_pairs_by_label_are_those_of_brute_force(a, b):
    wanted = [(i, j) for i in range(len(a)) for j in range(len(b)) if a[i] == b[j]]
    if not wanted:
        with pytest.raises(InputError, match="No label is on both sides"):
            by_label(a, b)
        return
    pairs = by_label(a, b)
    assert pairs.tolist() == [list(pair) for pair in wanted]
    equal = np.equal.outer(np.array(a), np.array(b))
    np.testing.assert_array_equal(relation(pairs, len(a), len(b)), equal)


def test_no_label_goes_with_nothing():
    assert by_label([None, "a"], ["a", None]).tolist() == [[1, 0]]


@given(st.lists(st.sampled_from("abc"), min_size=4, max_size=30), st.integers(0, 99))
def test_a_shuffle_within_labels_keeps_the_labels(labels, seed):
    order = at_random(len(labels), seed, labels)
    assert sorted(order) == list(range(len(labels)))
    assert [labels[i] for i in order] == labels
    np.testing.assert_array_equal(order, at_random(len(labels), seed, labels))


def test_all_orders_are_equally_likely():
    drawn = Counter(tuple(at_random(3, seed)) for seed in range(6000))
    assert len(drawn) == 6 and min(drawn.values()) > 850  # 1000 each, and 850 is five standard deviations below


def test_nothing_to_exchange_is_said():
    with pytest.raises(InputError, match="nothing to shuffle"):
        at_random(3, within="abc")
    with pytest.raises(InputError, match="2 labels for 3"):
        at_random(3, within="ab")


def test_stimuli_are_paired_in_one_call():
    french = from_texts(["un", "deux", "trois"], ids="123", labels=["odd", "even", "odd"])
    german = from_texts(["drei", "zwei", "eins"], ids="321", labels=["odd", "even", "odd"])
    one, other = french.paired(german)
    assert list(zip(one, other, strict=True)) == [("un", "eins"), ("deux", "zwei"), ("trois", "drei")]
    assert french.matches(german).tolist() == [[0, 0], [0, 2], [1, 1], [2, 0], [2, 2]]
    assert french.shuffled(3, within="labels").ids[1] == "2"
    assert {french.shuffled(seed).ids for seed in range(40)} >= {("3", "2", "1"), ("2", "3", "1")}
    with pytest.raises(InputError, match="has no groups"):
        french.shuffled(within="groups")
