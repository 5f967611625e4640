"""The index of patterns: its results are those of asking one pattern after the other, whatever comes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline_triggers.domain import pattern_index, pattern_tree
from pipeline_triggers.domain.intervals import Intervals
from pipeline_triggers.domain.pattern_index import PatternIndex
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.errors import NotFoundError

SOURCES = ["aws.s3", "aws.sagemaker", "10.0.0.1"]
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "in/a.csv",
    "IN/A.CSV",
    "x/model-1/y",
    "x/model-12/y",
    "10.0.0.1",
    "10.0.0.9",
    "::1",
    "ß",
    "K",
]
NUMBERS = [0, 1, 1.0, -1, 5, 5.5, 300, 10**30]
LEAVES = [*TEXTS, *NUMBERS, None, True, False]
ENTRIES: list[Any] = [
    *LEAVES,
    {"prefix": "in/"},
    {"prefix": "x/"},
    {"prefix": ""},
    {"prefix": {"equals-ignore-case": "IN/"}},
    {"suffix": ".csv"},
    {"suffix": {"equals-ignore-case": ".CSV"}},
    {"suffix": {"equals-ignore-case": "ß"}},
    {"equals-ignore-case": "a"},
    {"equals-ignore-case": "k"},
    {"wildcard": "*/model-1*/y"},
    {"wildcard": "*model-1*"},
    {"wildcard": "*odel*12*"},
    {"wildcard": "*/model-12/*"},
    {"wildcard": "in/*"},
    {"wildcard": "*b"},
    {"wildcard": "*"},
    {"wildcard": "ab"},
    {"numeric": [">", 0]},
    {"numeric": ["<", 5]},
    {"numeric": [">=", 1, "<=", 5]},
    {"numeric": ["=", 300]},
    {"cidr": "10.0.0.0/30"},
    {"cidr": "::/64"},
    {"exists": True},
    {"exists": False},
    {"anything-but": "a"},
    {"anything-but": ["a", "ab"]},
    {"anything-but": [1, 5]},
    {"anything-but": {"prefix": "in/"}},
    {"anything-but": {"wildcard": "*b*"}},
]
NAMES = ["key", "size", "other"]

lists = st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=2)
details = st.dictionaries(st.sampled_from(NAMES), lists, min_size=1, max_size=3)
wanted = st.one_of(
    st.fixed_dictionaries({"detail": details}, optional={"source": st.lists(st.sampled_from(SOURCES), min_size=1)}),
    st.fixed_dictionaries({"$or": st.lists(st.fixed_dictionaries({"detail": details}), min_size=2, max_size=3)}),
)
leaves = st.sampled_from(LEAVES)
values = st.one_of(leaves, leaves, leaves, st.lists(leaves, max_size=3), st.just({}), st.just({"key": "a"}))
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
# An address is the same one however it is spelled.
senders = st.sampled_from([*SOURCES, "010.0.0.1"])
events = st.fixed_dictionaries(
    {"detail": st.one_of(objects, objects, st.lists(objects, max_size=3), st.just("text"))},
    optional={"source": st.one_of(senders, st.lists(senders), st.none())},
)


@pytest.fixture(autouse=True)
def small_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few patterns are enough for every kind of node."""
    monkeypatch.setattr(pattern_tree, "FEW", 1)
    monkeypatch.setattr(pattern_tree, "FEW_BY_PRESENCE", 18)
    monkeypatch.setattr(pattern_index, "FEW_REMOVED", 1)


def one_by_one(patterns: dict[str, EventPattern], event: dict[str, Any]) -> list[str]:
    return [name for name, pattern in patterns.items() if pattern.matches(event)]


@given(documents=st.lists(wanted, max_size=12), sent=st.lists(events, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_it_says_what_each_pattern_says_by_itself(documents: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
    patterns = {str(number): EventPattern(document) for number, document in enumerate(documents)}
    index = PatternIndex(patterns)
    for event in sent:
        assert index.match(event) == one_by_one(patterns, event)


@given(documents=st.lists(wanted, min_size=1, max_size=12), event=events)
@settings(max_examples=200, deadline=None)
def test_patterns_that_come_one_by_one_are_found_like_those_that_came_together(
    documents: list[dict[str, Any]], event: dict[str, Any]
) -> None:
    patterns = {str(number): EventPattern(document) for number, document in enumerate(documents)}
    index = PatternIndex({})
    for name, pattern in patterns.items():
        index.add(name, pattern)
        index.match(event)
    assert index.match(event) == one_by_one(patterns, event)


@pytest.mark.parametrize("value", LEAVES, ids=repr)
def test_every_kind_of_condition_finds_its_values(value: Any) -> None:
    patterns = {repr(entry): EventPattern({"f": [entry]}) for entry in ENTRIES}
    event = {"f": value}
    assert PatternIndex(patterns).match(event) == one_by_one(patterns, event)


class ComingAndGoing(RuleBasedStateMachine):
    """Patterns are added, replaced and removed in any order, and events come in between."""

    @initialize()
    def begin(self) -> None:
        self.patterns: dict[str, EventPattern] = {}
        self.index = PatternIndex({})
        self.event: dict[str, Any] = {}

    @rule(name=st.sampled_from("abcdef"), document=wanted)
    def add(self, name: str, document: dict[str, Any]) -> None:
        self.patterns[name] = EventPattern(document)
        self.index.add(name, self.patterns[name])

    @rule(name=st.sampled_from("abcdef"))
    def remove(self, name: str) -> None:
        if self.patterns.pop(name, None) is None:
            with pytest.raises(NotFoundError):
                self.index.remove(name)
        else:
            self.index.remove(name)

    @rule(event=events)
    def happen(self, event: dict[str, Any]) -> None:
        self.event = event

    @invariant()
    def it_says_what_each_pattern_says_by_itself(self) -> None:
        if hasattr(self, "index"):
            assert self.index.match(self.event) == one_by_one(self.patterns, self.event)


TestComingAndGoing = ComingAndGoing.TestCase
TestComingAndGoing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_source_that_is_an_address_is_found_by_its_other_spellings() -> None:
    assert PatternIndex({"one": EventPattern({"source": ["10.0.0.1"]})}).match({"source": "010.0.0.1"}) == ["one"]


def test_patterns_that_no_key_finds_may_come_after_events() -> None:
    index = PatternIndex({str(number): EventPattern({"a": [{"anything-but": f"v{number}"}]}) for number in range(80)})
    index.match({"a": "v3"})
    index.add("late", EventPattern({"a": [{"anything-but": "v3"}], "b": [{"exists": False}]}))
    assert "late" in index.match({"a": "v4"})
    assert "late" not in index.match({"a": "v3"})
    assert "late" not in index.match({"a": "v4", "b": 1})


def test_one_more_may_exclude_a_value_that_many_exclude() -> None:
    usual = {"a": [{"anything-but": ["usual", "odd"]}]}
    index = PatternIndex({str(number): EventPattern(usual) for number in range(80)})
    assert index.match({"a": "usual"}) == []
    index.add("late", EventPattern(usual))
    assert index.match({"a": "usual"}) == []
    assert len(index.match({"a": "other"})) == 81


def test_very_many_patterns_find_what_a_few_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_index, "MOST_AT_ONCE", 100)
    patterns = {
        f"{number}": EventPattern(
            {
                "bucket": [f"b{number % 7}"],
                "key": [{"prefix": f"in/{number}/"}] if number % 3 else [{"anything-but": f"k{number}"}],
                "state": ["done", "failed"][: number % 2 + 1],
            }
        )
        for number in range(600)
    }
    index = PatternIndex(patterns)
    for number in (0, 5, 99, 100, 101, 598, 599):
        event = {"bucket": f"b{number % 7}", "key": f"in/{number}/x", "state": "done"}
        assert index.match(event) == one_by_one(patterns, event)


def test_a_pattern_that_is_replaced_keeps_its_place() -> None:
    either = EventPattern({"source": ["a", "b"]})
    index = PatternIndex({"first": either, "second": either})
    index.add("first", EventPattern({"source": ["b"]}))
    assert index.match({"source": "b"}) == ["first", "second"]


def test_a_pattern_that_was_removed_comes_back_at_the_end() -> None:
    pattern = EventPattern({"source": ["a"]})
    index = PatternIndex({"first": pattern, "second": pattern})
    index.remove("first")
    index.add("first", pattern)
    assert index.match({"source": "a"}) == ["second", "first"]


def test_only_patterns_of_the_events_source_are_compiled() -> None:
    broken = EventPattern.known({"source": ["aws.s3"], "detail": {"key": []}})
    index = PatternIndex({"broken": broken, "good": EventPattern({"source": ["aws.glue"]})})
    assert index.match({"source": "aws.glue"}) == ["good"]


def test_elements_of_an_array_are_asked_together() -> None:
    patterns = {
        str(number): EventPattern({"detail": {"items": {"a": [number], "b": [number]}}}) for number in range(40)
    }
    items = [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 7, "b": 7}]
    assert PatternIndex(patterns).match({"detail": {"items": items}}) == ["7"]


def test_a_field_with_its_own_name_twice_on_the_way_is_found() -> None:
    patterns = {str(number): EventPattern({"a": {"a": {"a": [f"v{number}"]}}}) for number in range(20)}
    assert PatternIndex(patterns).match({"a": {"a": {"a": "v3"}}}) == ["3"]


def test_numbers_are_found_by_value_and_true_is_not_one() -> None:
    patterns = {f"{value!r}": EventPattern({"n": [value]}) for value in (1, 0, True, False, None, "1", 2.5, 10**20)}
    index = PatternIndex(patterns)
    assert index.match({"n": 1.0}) == ["1"]
    assert index.match({"n": True}) == ["True"]
    assert index.match({"n": 0.0}) == ["0"]
    assert index.match({"n": 1e20}) == ["100000000000000000000"]
    assert index.match({"n": float("nan")}) == []


@pytest.mark.parametrize(
    "value",
    ["x" * 1_000_000, ["x"] * 100_000, [[["x"]]] * 50_000, [{"a": number} for number in range(100_000)]],
    ids=["text", "texts", "arrays in arrays", "objects"],
)
def test_huge_events_take_bounded_time(value: Any) -> None:
    patterns = {
        **{f"w{number}": EventPattern({"f": [{"wildcard": f"*/model-{number}/*"}]}) for number in range(200)},
        **{f"b{number}": EventPattern({"f": [{"anything-but": f"v{number}"}]}) for number in range(200)},
        **{f"a{number}": EventPattern({"f": {"a": [-number - 1]}}) for number in range(200)},
    }
    index = PatternIndex(patterns)
    began = time.process_time()
    index.match({"f": value})
    assert time.process_time() - began < 30


def test_an_array_that_is_nested_deeper_than_python_recurses_is_read() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    patterns = {str(number): EventPattern({"f": [f"v{number}", "x"]}) for number in range(10)}
    assert PatternIndex(patterns).match({"f": deep}) == list(patterns)


@given(
    spans=st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(sorted).map(tuple), max_size=12),
    number=st.one_of(st.integers(-21, 21), st.floats(-21, 21)),
)
def test_intervals_around_a_number_are_those_that_it_is_in(spans: list[tuple[int, int]], number: float) -> None:
    intervals = Intervals()
    for span in spans:
        intervals[span] = span
        assert intervals.around(number) is not None
    assert sorted(intervals.around(number)) == sorted({span for span in spans if span[0] <= number <= span[1]})
