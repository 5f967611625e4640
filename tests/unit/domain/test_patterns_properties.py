"""Event patterns against an independent model of event-ruler's matching, and the index against asking one by one."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.pattern_index import PatternIndex
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.errors import InvalidPatternError, NotFoundError

NAMES = ["a", "b", "b-", "source", "detail-type"]
WORDS = ["a", "$or", "prefix", "numeric", "anything-but", "wildcard", "cidr", "exists"]
scalars = st.sampled_from([None, True, False, 0, 1, 2, 1.0, "", "x", "xy", "1"])
entries = st.one_of(
    scalars,
    st.sampled_from(
        [
            {"exists": True},
            {"exists": False},
            {"exists": False},
            {"prefix": "x"},
            {"suffix": "y"},
            {"anything-but": "x"},
            {"anything-but": [1, 2]},
            {"numeric": [">", 0, "<=", 1]},
        ]
    ),
)
lists = st.lists(entries, min_size=1, max_size=2)
fields = st.recursive(
    lists, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=3), max_leaves=6
)
objects = st.dictionaries(st.sampled_from(NAMES), fields, min_size=1, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = draw(objects)
    if draw(st.booleans()):
        document["$or"] = draw(st.lists(objects, min_size=2, max_size=3))
    return document


@st.composite
def patterns(draw: st.DrawFn) -> EventPattern:
    document = draw(documents())
    try:
        return EventPattern(document)
    except InvalidPatternError:  # a field twice, inside and beside $or
        document.pop("$or", None)
        return EventPattern(document)


wild = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(WORDS), inner),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*NAMES, "other"]), inner, max_size=4)
    ),
    max_leaves=14,
)
events = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)

# --- the model: event-ruler flattens events to named values, each with the array elements it is in, and tries all
# --- ways to choose a value (or absence) for each field in the order of the names


def flattened(value: Any, name: str, inside: dict[int, int], found: list[tuple[str, Any, dict[int, int]]]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            flattened(each, f"{name}.{key}" if name else key, inside, found)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            within = {**inside, id(value): place} if isinstance(each, (dict, list)) else inside
            flattened(each, name, within, found)
    else:
        found.append((name, value, inside))


def alternatives(document: dict[str, Any], prefix: str) -> list[dict[str, list[Any]]]:
    result: list[dict[str, list[Any]]] = [{}]
    for name, value in document.items():
        full = f"{prefix}.{name}" if prefix else name
        if name == "$or":
            more = [each for choice in value for each in alternatives(choice, prefix)]
        elif isinstance(value, dict):
            more = alternatives(value, full)
        else:
            more = [{full: value}]
        result = [{**one, **other} for one in result for other in more]
    return result


def consistent(one: dict[int, int], other: dict[int, int]) -> bool:
    return all(other.get(array, place) == place for array, place in one.items())


def ways(
    wanted: list[tuple[str, list[Any]]], found: list[tuple[str, Any, dict[int, int]]], so_far: dict[int, int]
) -> bool:
    if not wanted:
        return True
    (name, of_field), *rest = wanted
    reachable = [(value, inside) for key, value, inside in found if key == name and consistent(so_far, inside)]
    if {"exists": False} in of_field and not reachable and ways(rest, found, so_far):
        return True
    return any(
        any(accepts(entry, value) for entry in of_field) and ways(rest, found, {**so_far, **inside})
        for value, inside in reachable
    )


def accepts(entry: Any, value: Any) -> bool:
    text, number = isinstance(value, str), isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(entry, dict):
        return type_of(entry) == type_of(value) and bool(entry == value)
    name, operand = next(iter(entry.items()))
    answers = {
        "exists": operand is True,
        "prefix": text and value.startswith(str(operand)),
        "suffix": text and value.endswith(str(operand)),
        "anything-but": not (number and value in (1, 2)) if operand == [1, 2] else value != operand,
        "numeric": number and 0 < value <= 1,
    }
    return answers[name]


def type_of(value: Any) -> type:
    return float if type(value) is int else type(value)


def model_matches(pattern: EventPattern, event: dict[str, Any]) -> bool:
    found: list[tuple[str, Any, dict[int, int]]] = []
    flattened(event, "", {}, found)
    return any(ways(sorted(each.items()), found, {}) for each in alternatives(pattern.document, ""))


def fresh(event: dict[str, Any]) -> dict[str, Any]:
    """The same event with no array in it twice: the model tells arrays apart by identity."""
    copied: dict[str, Any] = json.loads(json.dumps(event))
    return copied


@settings(max_examples=250, deadline=None)
@given(patterns(), events)
def test_matching_is_that_of_event_ruler(pattern: EventPattern, event: dict[str, Any]) -> None:
    event = fresh(event)
    assert pattern.matches(event) is model_matches(pattern, event)


@settings(max_examples=100, deadline=None)
@given(patterns(), events)
def test_an_explanation_is_none_exactly_when_the_pattern_matches(pattern: EventPattern, event: dict[str, Any]) -> None:
    mismatch = pattern.explain(event)
    assert (mismatch is None) is pattern.matches(event)
    assert mismatch is None or (mismatch.path and mismatch.wanted and mismatch.found and str(mismatch))


@settings(max_examples=100, deadline=None)
@given(documents())
def test_a_pattern_survives_the_way_through_text(document: dict[str, Any]) -> None:
    try:
        pattern = EventPattern(document)
    except InvalidPatternError:
        return
    assert EventPattern(json.dumps(pattern.document)) == pattern


@settings(max_examples=100, deadline=None)
@given(wild)
def test_any_json_is_read_or_refused_and_nothing_else(document: Any) -> None:
    with contextlib.suppress(InvalidPatternError):
        EventPattern(document).matches({"a": document})


@settings(max_examples=100, deadline=None)
@given(st.lists(patterns(), max_size=6), events, st.data())
def test_the_index_answers_as_asking_one_by_one(
    many: list[EventPattern], event: dict[str, Any], data: st.DataObject
) -> None:
    named = {f"p{number}": pattern for number, pattern in enumerate(many)}
    index = PatternIndex(named)
    assert index.match(event) == [name for name, pattern in named.items() if pattern.matches(event)]
    for name in data.draw(st.lists(st.sampled_from(sorted(named)), unique=True) if named else st.just([])):
        if data.draw(st.booleans()):
            index.remove(name)
            del named[name]
        else:
            named[name] = data.draw(patterns())
            index.add(name, named[name])
    assert index.match(event) == [name for name, pattern in named.items() if pattern.matches(event)]


def test_the_index_answers_in_the_order_of_insertion() -> None:
    every = EventPattern({"source": [{"prefix": ""}]})
    exact = EventPattern({"source": ["aws.s3"]})
    typed = EventPattern({"detail-type": ["T"], "source": ["aws.s3"]})
    index = PatternIndex({"z": every, "a": exact, "m": typed, "b": EventPattern({"source": ["other"]})})
    assert index.match({"source": "aws.s3", "detail-type": "T"}) == ["z", "a", "m"]
    index.add("0", exact)
    index.add("a", typed)
    assert index.match({"source": "aws.s3", "detail-type": "T"}) == ["z", "a", "m", "0"]
    assert index.match({"source": "aws.s3"}) == ["z", "0"]


def test_a_pattern_that_is_removed_matches_no_more() -> None:
    index = PatternIndex({"a": EventPattern({"source": ["x"]}), "b": EventPattern({"other": ["x"]})})
    index.remove("a")
    index.remove("b")
    assert index.match({"source": "x", "other": "x"}) == []
    with pytest.raises(NotFoundError):
        index.remove("a")


def test_the_index_finds_by_an_array_and_by_or() -> None:
    either = EventPattern({"$or": [{"source": ["x"]}, {"source": ["y"], "n": [1]}]})
    mixed = EventPattern({"$or": [{"source": ["x"]}, {"n": [1]}]})
    index = PatternIndex({"either": either, "mixed": mixed})
    assert index.match({"source": ["q", ["y"]], "n": 1}) == ["either", "mixed"]
    assert index.match({"source": ["x"]}) == ["either", "mixed"]
    assert index.match({"source": 1}) == []
    assert PatternIndex({}).match({"source": "x"}) == []
