"""JSONPath: no text and no document can make it fail, and paths that are built find what they were built for."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.errors import InvalidPathError

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc") | names, inner, max_size=4),
    max_leaves=15,
)
PIECES = ["$", ".", "..", "*", "[", "]", "(", ")", "'", '"', "\\", "?", "@", "!", "==", "<", "&&", "||", ",", ":", "-"]
PIECES += [
    " ",
    "0",
    "1",
    "a",
    "b",
    "@.a",
    "'a'",
    "$.a",
    "[?@.a",
    "[0]",
    "true",
    "null",
    "\\u00e9",
    "\\ud83d",
    "é",
    "=~",
]
path_like = st.lists(st.sampled_from(PIECES), max_size=14).map(lambda pieces: "$" + "".join(pieces))


@settings(max_examples=400, deadline=None)
@given(path_like | st.text(max_size=40), documents)
def test_any_text_is_a_path_or_refused_and_no_document_makes_it_fail(text: str, document: Any) -> None:
    with contextlib.suppress(InvalidPathError):
        assert isinstance(JsonPath(text).find(document), list)


@settings(max_examples=200, deadline=None)
@given(path_like | st.text(max_size=40))
def test_a_refusal_points_into_the_text(text: str) -> None:
    try:
        JsonPath(text)
    except InvalidPathError as error:
        place = error.position
    else:
        place = 0
    assert 0 <= place <= len(text)


def places(value: Any, path: str = "$") -> list[tuple[str, Any]]:
    found = [(path, value)]
    if isinstance(value, dict):
        for name, each in value.items():
            found += places(each, f"{path}[{json.dumps(name)}]")
    if isinstance(value, list):
        for number, each in enumerate(value):
            found += places(each, f"{path}[{number}]")
    return found


@settings(max_examples=150, deadline=None)
@given(documents)
def test_every_place_of_a_document_has_a_path_that_finds_it(document: Any) -> None:
    for text, value in places(document):
        if len(text) <= 256:
            (found,) = JsonPath(text).find(document)
            assert found is value


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(), max_size=8), *[st.none() | st.integers(-9, 9)] * 3)
def test_a_slice_selects_what_the_rfc_s_algorithm_selects(
    array: list[int], start: int | None, end: int | None, step: int | None
) -> None:
    text = ":".join("" if bound is None else str(bound) for bound in (start, end, step))
    assert JsonPath(f"$[{text}]").find(array) == rfc_slice(array, start, end, 1 if step is None else step)


def rfc_slice(array: list[int], start: int | None, end: int | None, step: int) -> list[int]:
    """RFC 9535, section 2.3.4.2.2, word for word."""
    size = len(array)
    if step == 0:
        return []

    def normalised(index: int) -> int:
        return index if index >= 0 else size + index

    first = normalised(start if start is not None else (0 if step > 0 else size - 1))
    last = normalised(end) if end is not None else (size if step > 0 else -1)
    if step > 0:
        lower, upper = min(max(first, 0), size), min(max(last, 0), size)
        return [array[index] for index in range(lower, upper, step)]
    upper, lower = min(max(first, -1), size - 1), min(max(last, -1), size - 1)
    return [array[index] for index in range(upper, lower, step)]


# --- filters against a second evaluation, written from section 2.3.5.2.2 of the RFC

NOTHING = object()
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
literals = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 1e20]) | names


@settings(max_examples=300, deadline=None)
@given(st.lists(documents, max_size=4), st.sampled_from(["a", "b"]), st.sampled_from(SIGNS), literals, st.booleans())
def test_a_filter_compares_with_a_literal(nodes: list[Any], name: str, sign: str, literal: Any, mirrored: bool) -> None:
    shown = json.dumps(literal)
    text = f"$[?{shown} {sign} @.{name}]" if mirrored else f"$[?@.{name} {sign} {shown}]"
    expected = []
    for node in nodes:
        value = node.get(name, NOTHING) if isinstance(node, dict) else NOTHING
        if holds(literal, sign, value) if mirrored else holds(value, sign, literal):
            expected.append(node)
    assert json.dumps(JsonPath(text).find(nodes)) == json.dumps(expected)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("ab"), documents, max_size=2), max_size=4), st.sampled_from(SIGNS))
def test_a_filter_compares_two_paths(nodes: list[Any], sign: str) -> None:
    expected = [node for node in nodes if holds(node.get("a", NOTHING), sign, node.get("b", NOTHING))]
    assert json.dumps(JsonPath(f"$[?@.a {sign} @.b]").find(nodes)) == json.dumps(expected)


def holds(left: Any, sign: str, right: Any) -> bool:
    if sign == "!=":
        return not equal(left, right)
    if sign in (">", ">="):
        return holds(right, "<" + sign[1:], left)
    return (sign != "<" and equal(left, right)) or (sign != "==" and less(left, right))


def equal(left: Any, right: Any) -> bool:
    if left is NOTHING or right is NOTHING:
        return left is right
    return bool(canonical(left) == canonical(right))


def canonical(value: Any) -> Any:
    """Values that are equal in JSON are equal here, and no others: True is not 1."""
    if isinstance(value, dict):
        return ("object", {name: canonical(each) for name, each in value.items()})
    if isinstance(value, list):
        return ("array", [canonical(each) for each in value])
    kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
    return (kind, value)


def less(left: Any, right: Any) -> bool:
    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    if (number(left) and number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return bool(left < right)
    return False


@settings(max_examples=100, deadline=None)
@given(st.lists(documents, max_size=4), st.data())
def test_and_or_and_not_combine_conditions(nodes: list[Any], data: st.DataObject) -> None:
    text, wanted = data.draw(conditions())
    expected = [node for node in nodes if wanted(node)]
    assert json.dumps(JsonPath(f"$[?{text}]").find(nodes)) == json.dumps(expected)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 0) -> tuple[str, Any]:
    kind = draw(st.sampled_from(["exists", "equal"] if depth > 2 else ["exists", "equal", "not", "and", "or"]))
    name = draw(st.sampled_from("ab"))
    if kind == "exists":
        return f"@.{name}", lambda node: isinstance(node, dict) and name in node
    if kind == "equal":
        return f"@.{name} == 1", lambda node: isinstance(node, dict) and equal(node.get(name, NOTHING), 1)
    first, of_first = draw(conditions(depth=depth + 1))
    if kind == "not":
        return f"!({first})", lambda node: not of_first(node)
    second, of_second = draw(conditions(depth=depth + 1))
    if kind == "and":
        return f"({first}) && ({second})", lambda node: of_first(node) and of_second(node)
    return f"({first} || {second})", lambda node: of_first(node) or of_second(node)


def test_names_may_be_any_text() -> None:
    for name in ["__class__", "get", "items", "$", "@", "*", "`len`", "`this`", "a.b", "a[0]", "..", "\x00", "\u2028"]:
        for quoted in (json.dumps(name), "'" + json.dumps(name)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"):
            assert JsonPath(f"$[{quoted}]").find({name: 1}) == [1]
            assert JsonPath(f"$[?@[{quoted}] == {quoted}]").find([{name: name}, {name: 1}]) == [{name: name}]


@pytest.mark.parametrize("text", ["$.a", "$[0]", "$[?@.a]"])
def test_a_path_can_be_used_again_and_again(text: str) -> None:
    path = JsonPath(text)
    assert path.find([{"a": 1}]) == path.find([{"a": 1}])
