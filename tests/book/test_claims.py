"""The one rule that makes verdicts, and what is stored of them."""

import json
from dataclasses import replace

import pytest

from consilience.book import Claim, Evidence, expect, judge, order
from consilience.book.claims import MIME, VERDICTS, record

CLAIM = Claim("c", "vision", "They agree.", ("huh2024",), "score", "stamps", 10, 5, 0)


def test_case(case, scale, passed):
    return Evidence(case, "chance", 0.5, None, None, 0.001, passed, scale)


test_case.__test__ = False
ALL = [("a", "local"), ("b", "local"), ("a", "global"), ("b", "global")]


@pytest.mark.parametrize(
    ("passed", "by_size", "verdict"),
    [
        ("1111", False, "holds"),
        ("1110", False, "holds locally"),
        ("1100", False, "holds locally"),
        ("1000", False, "contested"),
        ("0011", False, "holds globally"),
        ("1011", False, "holds globally"),
        ("0010", False, "contested"),
        ("0000", False, "fails here"),
        ("10", True, "holds only at small n"),
        ("01", True, "contested"),
        ("11", True, "holds locally"),
        ("11", False, "holds locally"),
        ("", False, "not testable here"),
    ],
)
def test_the_rule(passed, by_size, verdict):
    tests = [test_case(case, scale, mark == "1") for (case, scale), mark in zip(ALL, passed, strict=False)]
    found = judge(CLAIM, tests, by_size)
    assert found.verdict == verdict
    assert verdict in VERDICTS


def test_a_case_passes_only_if_all_its_tests_do():
    tests = [test_case("a", "local", True), test_case("a", "local", False), test_case("b", "local", True)]
    assert judge(CLAIM, tests).verdict == "contested"


def test_what_was_not_tested_is_not_said_to_have_failed():
    near = test_case("a", "local", True)
    far = test_case("a", "global", True)
    assert "none was made of the whole geometry" in judge(CLAIM, [near]).why
    assert "none was made of neighbours" in judge(CLAIM, [far]).why
    assert "not every test of the whole geometry" in judge(CLAIM, [near, replace(far, passed=False)]).why
    assert "not every test of neighbours" in judge(CLAIM, [replace(near, passed=False), far]).why


def test_what_is_recorded_can_be_read_back(monkeypatch):
    shown = {}
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.update(data))
    claim = judge(
        CLAIM, [test_case("a", "local", True), replace(test_case("a", "local", True), p=None, low=0.1, high=0.9)]
    )
    record(claim)
    stored = json.loads(json.dumps(shown[MIME]))
    assert stored["verdict"] == "holds locally"
    assert [test["passed"] for test in stored["tests"]] == [True, True]
    assert "They agree." in shown["text/html"]
    assert "HOLDS LOCALLY" in shown["text/plain"]


def test_a_sentence_that_the_run_does_not_bear_out_stops_the_chapter():
    assert expect(True, "It rains.") == "It rains."
    with pytest.raises(AssertionError, match="It rains"):
        expect(False, "It rains.")


def test_order_of_layers():
    import numpy as np

    assert order(np.eye(5)) == pytest.approx(1)
    assert order(np.eye(5)[::-1]) == pytest.approx(-1)
    assert order(np.ones((4, 6))) == 0
