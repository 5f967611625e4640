"""JSONPath beside jsonpath-rfc9535, which passes the whole public test suite of the RFC: whatever is accepted agrees.

Two things it has wrong, about which the suite does not ask; they are not generated here but tested by hand: characters
above U+10FF in dotted names, and true inside an array or object, which it takes for 1.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain import selectors
from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.errors import InvalidPathError

jsonpath_rfc9535 = pytest.importorskip("jsonpath_rfc9535", reason="it needs Python 3.12")

# --- documents

NAMES = ["a", "b", "", "a b", "it's", 'say "x"', "back\\slash", "größe", "日", "😀", "\n", "\x00", "null", "1", "*"]
TEXTS = ["", "a", "b", "1", "日本", "😀"]
BOOLEANS: list[Any] = [None, True, False, 2, -1, 0.5, 1e23, 10**23, 2**53, *TEXTS]
NUMBERS: list[Any] = [None, 0, 1, -1, 2, 1.0, 0.5, -0.0, 1e23, 10**23, 2**53, *TEXTS]


def documents_of(scalars: list[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.sampled_from(scalars),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", *NAMES]), inner, max_size=4)
        ),
        max_leaves=20,
    )


documents = documents_of(BOOLEANS) | documents_of(NUMBERS)
lists = st.lists(documents_of(BOOLEANS), max_size=4) | st.lists(documents_of(NUMBERS), max_size=4)

# --- paths, from the RFC's grammar as far as it is accepted here


def quoted(text: str, quote: str, *, escaped: bool) -> str:
    if escaped:
        units = text.encode("utf-16-be").hex()
        return quote + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + quote
    inside = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return quote + inside.replace(quote, "\\" + quote) + quote


texts = st.builds(
    quoted,
    st.sampled_from(NAMES + TEXTS),
    st.sampled_from("'\""),
    escaped=st.booleans(),
)
names = texts | st.sampled_from(["'a'", "'b'"])
indices = st.integers(-3, 3).map(str)
bounds = st.just("") | indices
slices = st.tuples(bounds, bounds, st.just("") | indices.map(":{}".format)).map(lambda it: f"{it[0]}:{it[1]}{it[2]}")
spaces = st.sampled_from(["", "", "", " ", "\t \n"])
dotted = st.sampled_from([".a", ".b", ".größe", ".null"])
singular_segments = dotted | st.builds("[{0}{1}{0}]".format, spaces, names | indices)
singular = st.builds("{}{}".format, st.sampled_from("@@$"), st.lists(singular_segments, max_size=2).map("".join))
numbers = st.sampled_from(["0", "-0", "1", "1.0", "-1", "2", "0.5", "5e-1", "1E0", "1e23", "9007199254740992"])
literals = st.sampled_from(["true", "false", "null"]) | numbers | texts
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
comparisons = st.builds("{1}{0}{2}{0}{3}".format, spaces, singular, signs, literals | singular) | st.builds(
    "{1}{0}{2}{0}{3}".format, spaces, literals, signs, singular
)


def expressions(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    basic = comparisons | queries | queries.map("!{}".format)
    return st.recursive(
        basic,
        lambda inner: (
            st.builds("({0}{1}{0})".format, spaces, inner)
            | inner.map("!({})".format)
            | st.builds("{1}{0}{2}{0}{3}".format, spaces, inner, st.sampled_from(["&&", "||"]), inner)
        ),
        max_leaves=4,
    )


def selectors_of(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    filters = st.builds("?{}{}".format, spaces, expressions(queries))
    return names | indices | slices | st.just("*") | filters


def segments_of(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    brackets = st.builds(
        lambda space, inside: f"[{space}{f'{space},{space}'.join(inside)}{space}]",
        spaces,
        st.lists(selectors_of(queries), min_size=1, max_size=3),
    )
    return st.builds("{}{}".format, spaces, dotted | st.just(".*") | brackets)


innermost = st.builds("{}{}".format, st.sampled_from("@$"), st.lists(segments_of(singular), max_size=2).map("".join))
paths = st.lists(segments_of(singular | innermost), max_size=3).map(lambda segments: "$" + "".join(segments))
singular_paths = st.lists(singular_segments, max_size=4).map(lambda segments: "$" + "".join(segments))


def accepted(text: str) -> JsonPath | None:
    """None only for what is too long: everything else that the generator writes has to be accepted."""
    try:
        return JsonPath(text)
    except InvalidPathError as error:
        if "at most" in error.reason or "more than" in error.reason:
            return None
        raise


def written(values: list[Any]) -> str:
    """Values as JSON: 1 is not 1.0 there, nor true."""
    return json.dumps(values)


ORACLE = jsonpath_rfc9535.JSONPathEnvironment(max_expression_depth=100)


def by_the_rfc(text: str, document: Any) -> str:
    return written(ORACLE.find(text, document).values())


@settings(max_examples=400, deadline=None)
@given(paths, documents)
def test_what_is_accepted_finds_what_the_rfc_says(text: str, document: Any) -> None:
    path = accepted(text)
    if path is not None:
        assert written(path.find(document)) == by_the_rfc(text, document)


@settings(max_examples=300, deadline=None)
@given(expressions(singular), lists)
def test_a_filter_holds_of_what_the_rfc_says(expression: str, document: Any) -> None:
    text = f"$[?{expression}]"
    path = accepted(text)
    if path is not None:
        assert written(path.find(document)) == by_the_rfc(text, document)


@settings(max_examples=150, deadline=None)
@given(singular_paths, documents)
def test_every_path_to_one_place_is_accepted_and_found(text: str, document: Any) -> None:
    path = JsonPath(text)
    assert path.single
    assert written(path.find(document)) == by_the_rfc(text, document)


@settings(max_examples=150, deadline=None)
@given(st.lists(names | indices, max_size=3), documents)
def test_the_direct_walk_finds_what_the_general_search_finds(steps: list[str], document: Any) -> None:
    walked = JsonPath("$" + "".join(f"[{step}]" for step in steps))
    searched = JsonPath("$" + "".join(f"[{step},99]" for step in steps))  # no array here has a hundred elements
    assert (walked.single, searched.single) == (True, not steps)
    assert written(walked.find(document)) == written(searched.find(document))


@settings(max_examples=150, deadline=None)
@given(expressions(singular), lists)
def test_jsonpath_ng_and_the_evaluation_here_agree(expression: str, document: list[Any]) -> None:
    path = accepted(f"$[?{expression}]")
    if path is not None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(selectors, "MAX_HANDED_OVER", 0)
            here = path.find(document)
        assert written(path.find(document)) == written(here)


@settings(max_examples=150, deadline=None)
@given(paths, documents)
def test_a_path_survives_being_written_and_read_again(text: str, document: Any) -> None:
    path = accepted(text)
    if path is not None:
        again = JsonPath(str(path))
        assert again == path
        assert again.single == path.single
        assert written(again.find(document)) == written(path.find(document))


GARBLED = list("$.*[]()'\"\\?@!=<>&|,:-+0123456789eEab \t\n`~{}#/é")
garbled = st.lists(st.sampled_from(GARBLED), max_size=4).map("".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(paths)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(garbled) + text[at + draw(st.integers(0, 3)) :]


@settings(max_examples=400, deadline=None)
@given(damaged(), documents)
def test_what_the_rfc_forbids_is_refused(text: str, document: Any) -> None:
    try:
        path = JsonPath(text)
    except InvalidPathError:
        return
    try:
        expected = by_the_rfc(text, document)
    except jsonpath_rfc9535.JSONPathError:
        assert has_eventbridge_s_names(text), text
    else:
        assert written(path.find(document)) == expected


def has_eventbridge_s_names(text: str) -> bool:
    """Dotted names with - or / in them: the one thing that is accepted here and is no JSONPath by the RFC."""
    return "-" in text or "/" in text
