"""Event patterns: each operator against values that match and values that do not, and what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from pipeline_triggers.domain.pattern_conditions import Wildcard
from pipeline_triggers.domain.patterns import EventPattern, Mismatch
from pipeline_triggers.errors import InvalidPatternError

S3_EVENT: dict[str, Any] = {
    "version": "0",
    "source": "aws.s3",
    "detail-type": "Object Created",
    "account": "123456789012",
    "resources": ["arn:aws:s3:::raw-data"],
    "detail": {"bucket": {"name": "raw-data"}, "object": {"key": "in/a.csv", "size": 12}},
    "via": [],
}


def matches(entries: list[Any], value: Any) -> bool:
    return EventPattern({"field": entries}).matches({"field": value})


MATCHING: list[tuple[str, list[Any], list[Any], list[Any]]] = [
    # what is told, list of the field, values that match, values that do not
    ("exact text", ["running"], ["running"], ["Running", "runnin", "running ", "", None, True, 1, {"running": 1}]),
    ("one of several texts", ["a", "b"], ["a", "b"], ["c", "ab"]),
    ("empty text", [""], [""], [" ", None, [], {}, 0, False]),
    ("text of a number", ["300"], ["300"], [300, "300.0"]),
    ("number", [300], [300, 300.0, 3e2], ["300", 301, True, None]),
    ("number with decimals", [0.1], [0.1, 1e-1], [0.10000001, 0, "0.1"]),
    ("zero", [0], [0, 0.0, -0.0], [False, "", None, 1]),
    ("one", [1], [1, 1.0], [True, "1"]),
    ("true", [True], [True], [1, "true", False, None, 1.0]),
    ("false", [False], [False], [0, "false", True, None, ""]),
    ("null", [None], [None], ["null", "", 0, False, [], {}]),
    ("account number", [123456789012], [123456789012], [123456789013, "123456789012"]),
    ("an address is its value", ["10.0.0.1"], ["10.0.0.1", "010.0.0.1"], ["10.0.0.2", "10.0.0.1 "]),
    ("an IPv6 address is its value", ["::1"], ["::1", "0:0:0:0:0:0:0:1"], ["::2", "1", "0.0.0.1"]),
    ("prefix", [{"prefix": "in/"}], ["in/", "in/a"], ["In/a", "i", "", "a/in/", 1, None]),
    ("empty prefix", [{"prefix": ""}], ["", "a"], [1, None, True, [], {}]),
    ("prefix in any case", [{"prefix": {"equals-ignore-case": "EventB"}}], ["eventbridge", "EVENTB"], ["event", 1]),
    ("suffix", [{"suffix": ".csv"}], [".csv", "a.csv"], [".CSV", "csv", "a.csv.gz", "", 1, None]),
    ("suffix in any case", [{"suffix": {"equals-ignore-case": ".PnG"}}], ["a.png", ".PNG"], ["png", "a.png2", None]),
    ("any case", [{"equals-ignore-case": "alice"}], ["Alice", "ALICE"], ["alic", "alicee", "", 1, None]),
    ("any case beyond ASCII", [{"equals-ignore-case": "Zoë"}], ["ZOË", "zoë"], ["zoe", "zo"]),
    ("any case of sharp s", [{"equals-ignore-case": "straße"}], ["STRASSE", "straße", "Straße"], ["strase"]),
    ("any case is not the Kelvin sign", [{"equals-ignore-case": "k"}], ["k", "K"], ["\u212a"]),
    ("suffix in any case beyond ASCII", [{"suffix": {"equals-ignore-case": "ß"}}], ["gruß", "GRUSS"], ["grus"]),
    ("wildcard", [{"wildcard": "dir/*.png"}], ["dir/.png", "dir/a/b.png"], ["dir/png", "dir/a.png2", "a/dir/b.png", 1]),
    ("wildcards", [{"wildcard": "*a*b*"}], ["ab", "xaxbx", "aab"], ["ba", "a", ""]),
    ("the end is not used twice", [{"wildcard": "*ab*b"}], ["abb", "xab-b"], ["ab"]),
    ("wildcard alone", [{"wildcard": "*"}], ["", "x"], [1, None]),
    ("wildcard without one", [{"wildcard": "ab"}], ["ab"], ["abc", "xab", ""]),
    ("middle parts do not overlap", [{"wildcard": "*ab*ba*"}], ["abba", "ab-ba-"], ["aba", "ba-ab"]),
    ("wildcard parts do not overlap", [{"wildcard": "aba*aba"}], ["abaaba", "aba-aba"], ["ababa", "aba"]),
    ("escaped wildcard", [{"wildcard": "a\\*b*"}], ["a*b", "a*bc"], ["aXb", "ab"]),
    ("escaped backslash", [{"wildcard": "a\\\\*"}], ["a\\", "a\\x"], ["a", "a*"]),
    ("anything-but text", [{"anything-but": "a"}], ["b", "", "A", 1, True, None], ["a", [], {}]),
    ("anything-but texts", [{"anything-but": ["a", "b"]}], ["c", 1, None], ["a", "b"]),
    ("anything-but number", [{"anything-but": 1}], [2, "1", True, None], [1, 1.0]),
    ("anything-but numbers", [{"anything-but": [1, 2.5]}], [3, "1"], [1, 2.5]),
    ("anything-but prefix", [{"anything-but": {"prefix": "us-"}}], ["eu-", "US-", 1, None], ["us-", "us-east-1"]),
    ("anything-but prefixes", [{"anything-but": {"prefix": ["a", "b"]}}], ["c", ""], ["ax", "bx"]),
    ("anything-but suffix", [{"anything-but": {"suffix": ".png"}}], ["a.csv", ".PNG", 1], ["a.png"]),
    ("anything-but suffixes", [{"anything-but": {"suffix": [".a", ".b"]}}], [".c"], ["x.a", "x.b"]),
    ("anything-but any case", [{"anything-but": {"equals-ignore-case": "x"}}], ["y", 1, None], ["x", "X"]),
    ("anything-but any cases", [{"anything-but": {"equals-ignore-case": ["x", "y"]}}], ["z"], ["X", "Y"]),
    ("anything-but wildcard", [{"anything-but": {"wildcard": "*/lib/*"}}], ["lib", "/lib", 1], ["a/lib/b", "/lib/"]),
    ("anything-but wildcards", [{"anything-but": {"wildcard": ["a*", "*b"]}}], ["c"], ["ac", "cb"]),
    ("equal to", [{"numeric": ["=", 5]}], [5, 5.0], [4, "5", True, None, float("nan")]),
    ("less than", [{"numeric": ["<", 5]}], [4, -1e300, 4.999999999], [5, 6, "4", False]),
    ("at most", [{"numeric": ["<=", 5]}], [5, 4], [5.0000001, None]),
    ("more than", [{"numeric": [">", 0]}], [1, 1e-12, 6_000_000_000], [0, -1, True, "1"]),
    ("at least", [{"numeric": [">=", 1]}], [1, 2], [0.999, True]),
    ("range", [{"numeric": [">", 0, "<=", 5]}], [1, 5], [0, 6, "3"]),
    ("closed range", [{"numeric": [">=", -1.5, "<", 1.5]}], [-1.5, 0], [1.5, -2]),
    ("exists", [{"exists": True}], ["", 0, None, False, ["x"], [[1]]], [[], {}, [{}], {"a": 1}, [[]]]),
    ("exists not", [{"exists": False}], [[], {}, {"a": 1}, [{"a": 1}]], ["", 0, None, False, ["x"]]),
    ("exists not, or a value", [{"exists": False}, "a"], ["a", [], ["a", "b"]], ["b", None]),
    ("cidr", [{"cidr": "10.0.0.0/24"}], ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "9.255.255.255", "::1", "x", 1, None]),
    ("cidr of everything", [{"cidr": "0.0.0.0/0"}], ["255.255.255.255"], ["256.1.1.1", "1.1.1", "::"]),
    ("cidr begins at its address", [{"cidr": "10.0.0.5/24"}], ["10.0.0.5", "10.0.0.255"], ["10.0.0.4"]),
    ("cidr of a mapped address", [{"cidr": "10.0.0.0/8"}], ["::ffff:a00:1"], ["::ffff:b00:1"]),
    ("at the end of the range", [{"numeric": ["<=", 5_000_000_000]}], [5e9], [5_000_000_000.5]),
    ("cidr v6", [{"cidr": "2001:db8::/32"}], ["2001:db8::1", "2001:0db8:ffff::"], ["2001:db9::", "32.1.13.184"]),
    ("exactly", [{"exactly": "a"}], ["a"], ["A", 1]),
    ("any element of an array", ["a"], [["x", "a"], [["a"]], [[["x"], "a"]]], [["x"], [], [{"a": "a"}]]),
    ("anything-but looks at each element", [{"anything-but": "a"}], [["a", "b"]], [["a"], ["a", "a"]]),
]


def cases(column: int) -> list[Any]:
    return [pytest.param(row[1], value, id=f"{row[0]}: {value!r}") for row in MATCHING for value in row[column]]


@pytest.mark.parametrize(("entries", "value"), cases(2))
def test_an_entry_accepts(entries: list[Any], value: Any) -> None:
    assert matches(entries, value)
    assert EventPattern({"field": entries}).explain({"field": value}) is None


@pytest.mark.parametrize(("entries", "value"), cases(3))
def test_an_entry_does_not_accept(entries: list[Any], value: Any) -> None:
    assert not matches(entries, value)
    assert EventPattern({"field": entries}).explain({"field": value}) is not None


@pytest.mark.parametrize(
    "entries", [row[1] for row in MATCHING if row[0] not in ("exists not", "exists not, or a value")]
)
def test_a_missing_field_satisfies_nothing_but_exists_false(entries: list[Any]) -> None:
    assert not EventPattern({"field": entries}).matches({"other": 1})


def test_exists_false_holds_when_the_field_or_what_is_above_it_is_missing() -> None:
    pattern = EventPattern({"detail": {"error": [{"exists": False}]}})
    assert pattern.matches({"detail": {"state": "ok"}})
    assert pattern.matches({})
    assert pattern.matches({"detail": "text"})
    assert not pattern.matches({"detail": {"error": None}})


REFUSED: list[tuple[Any, str]] = [
    ({}, ""),
    ([], ""),
    ("", ""),
    ("null", ""),
    ("[1]", ""),
    ('{"a": [1]', ""),
    ('{"a": [NaN]}', "a[0]"),
    ('{"a": [1], "a": [2]}', ""),
    ("[" * 100_000, ""),
    ('{"a":' * 5_000 + "[1]" + "}" * 5_000, ""),
    ('{"a": [' + "9" * 5_000 + "]}", ""),
    ({"a": {}}, "a"),
    ({"a": []}, "a"),
    ({"a": "x"}, "a"),
    ({"a": None}, "a"),
    ({"a": 1}, "a"),
    ({"a": {"b": True}}, "a.b"),
    ({"a": [[]]}, "a[0]"),
    ({"a": ["x", ["y"]]}, "a[1]"),
    ({"a": [{}]}, "a[0]"),
    ({"a": [{"prefix": "x", "suffix": "y"}]}, "a[0]"),
    ({"a": [{"b": ["x"]}]}, "a[0].b"),
    ({"a": [{"Prefix": "x"}]}, "a[0].Prefix"),
    ({"a": [{"regex": "x"}]}, "a[0].regex"),
    ({"a": [{"prefix": 1}]}, "a[0].prefix"),
    ({"a": [{"prefix": ["x"]}]}, "a[0].prefix"),
    ({"a": [{"prefix": {"wildcard": "x"}}]}, "a[0].prefix.wildcard"),
    ({"a": [{"prefix": {"equals-ignore-case": 1}}]}, "a[0].prefix.equals-ignore-case"),
    ({"a": [{"prefix": {}}]}, "a[0].prefix"),
    ({"a": [{"suffix": None}]}, "a[0].suffix"),
    ({"a": [{"suffix": {"prefix": "x"}}]}, "a[0].suffix.prefix"),
    ({"a": [{"equals-ignore-case": ["x"]}]}, "a[0].equals-ignore-case"),
    ({"a": [{"exactly": 1}]}, "a[0].exactly"),
    ({"a": [{"wildcard": 1}]}, "a[0].wildcard"),
    ({"a": [{"wildcard": "a**b"}]}, "a[0].wildcard"),
    ({"a": [{"wildcard": "a\\\\**"}]}, "a[0].wildcard"),
    ({"a": [{"wildcard": "a\\b"}]}, "a[0].wildcard"),
    ({"a": [{"wildcard": "a\\"}]}, "a[0].wildcard"),
    ({"a": [{"anything-but": []}]}, "a[0].anything-but"),
    ({"a": [{"anything-but": None}]}, "a[0].anything-but"),
    ({"a": [{"anything-but": True}]}, "a[0].anything-but"),
    ({"a": [{"anything-but": ["x", 1]}]}, "a[0].anything-but"),
    ({"a": [{"anything-but": ["x", None]}]}, "a[0].anything-but"),
    ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "a[0].anything-but.numeric"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "a[0].anything-but.prefix"),
    ({"a": [{"anything-but": {"suffix": ["a", ""]}}]}, "a[0].anything-but.suffix"),
    ({"a": [{"anything-but": {"prefix": []}}]}, "a[0].anything-but.prefix"),
    ({"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}, "a[0].anything-but.prefix"),
    ({"a": [{"anything-but": {"wildcard": "**"}}]}, "a[0].anything-but.wildcard"),
    ({"a": [{"numeric": 5}]}, "a[0].numeric"),
    ({"a": [{"numeric": []}]}, "a[0].numeric"),
    ({"a": [{"numeric": [">"]}]}, "a[0].numeric"),
    ({"a": [{"numeric": [">", 1, "<"]}]}, "a[0].numeric"),
    ({"a": [{"numeric": ["==", 1]}]}, "a[0].numeric[0]"),
    ({"a": [{"numeric": [1, ">"]}]}, "a[0].numeric[0]"),
    ({"a": [{"numeric": [">", "1"]}]}, "a[0].numeric[1]"),
    ({"a": [{"numeric": [">", True]}]}, "a[0].numeric[1]"),
    ({"a": [{"numeric": ["<", 5_000_000_001]}]}, "a[0].numeric[1]"),
    ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "a[0].numeric"),
    ({"a": [{"numeric": [">", 1, ">", 2]}]}, "a[0].numeric"),
    ({"a": [{"numeric": ["=", 1, "<", 2]}]}, "a[0].numeric"),
    ({"a": [{"numeric": [">", 5, "<", 5]}]}, "a[0].numeric"),
    ({"a": [{"exists": "true"}]}, "a[0].exists"),
    ({"a": [{"exists": 1}]}, "a[0].exists"),
    ({"a": [{"exists": None}]}, "a[0].exists"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "10.0.0.0/33"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "10.0.0.0/32"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "10.0.0.0/-1"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "10.0.0.0/8/8"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "10.0.0/8"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "256.0.0.0/8"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "2001:db8::/128"}]}, "a[0].cidr"),
    ({"a": [{"cidr": "example.com/8"}]}, "a[0].cidr"),
    ({"a": [{"cidr": 8}]}, "a[0].cidr"),
    ({"$or": {"a": [1]}}, "$or"),
    ({"$or": []}, "$or"),
    ({"$or": [{"a": [1]}]}, "$or"),
    ({"$or": [{"a": [1]}, ["b"]]}, "$or[1]"),
    ({"$or": [{"a": [1]}, {}]}, "$or[1]"),
    ({"$or": [{"a": [1]}, {"b": "x"}]}, "$or[1].b"),
    ({"$or": [{"numeric": [1]}, {"prefix": ["x"]}]}, "$or[0].numeric"),
    ({"$or": [{"a": {"prefix": ["x"]}}, {"b": [1]}]}, "$or[0].a.prefix"),
    ({"detail": {"$or": [{"a": [1]}, {"b": []}]}}, "detail.$or[1].b"),
    ({"a": [1], "$or": [{"a": [2]}, {"b": [1]}]}, "$or"),
    ({"a": {"b": [1]}, "a.b": [2]}, "a.b"),
    ({"a": [1], "a.b": [2]}, "a"),
    ({"a": [float("inf")]}, "a[0]"),
    ({"a": [{1, 2}]}, "a[0]"),
    ({"a": {1: ["x"]}}, "a"),
]


@pytest.mark.parametrize(("document", "path"), REFUSED)
def test_what_eventbridge_refuses_is_refused_with_its_place(document: Any, path: str) -> None:
    with pytest.raises(InvalidPatternError) as caught:
        EventPattern(document)
    assert caught.value.path == path
    assert caught.value.reason


@pytest.mark.parametrize("document", [{"a": [10**308]}, '{"a": [1' + "0" * 308 + "]}", {"a": [-(10**308)]}])
def test_a_number_has_at_most_308_digits(document: Any) -> None:
    with pytest.raises(InvalidPatternError, match="308 digits"):
        EventPattern(document)


def test_a_number_of_308_digits_stands_for_itself() -> None:
    assert EventPattern({"a": [10**308 - 1]}).matches({"a": 10**308 - 1})


@pytest.mark.parametrize("beside", [{}, {"$or": [{"b": [1]}, {"c": [1]}]}])
def test_a_dotted_name_goes_at_most_100_fields_deep(beside: dict[str, Any]) -> None:
    EventPattern({".".join("a" * 100): [1], **beside})
    with pytest.raises(InvalidPatternError, match="100 deep"):
        EventPattern({".".join("a" * 101): [1], **beside})


def test_a_wrong_case_operator_is_told_the_right_one() -> None:
    with pytest.raises(InvalidPatternError, match="write prefix"):
        EventPattern({"a": [{"PREFIX": "x"}]})


def test_a_cycle_is_refused() -> None:
    document: dict[str, Any] = {}
    document["a"] = document
    with pytest.raises(InvalidPatternError, match="deep"):
        EventPattern(document)


@pytest.mark.parametrize("depth", [101, 900])
def test_alternatives_inside_alternatives_are_refused_when_they_are_too_deep(depth: int) -> None:
    text = '{"a":[1]}'
    for _ in range(depth):
        text = f'{{"$or":[{text},{{"b":[1]}}]}}'
    with pytest.raises(InvalidPatternError, match="deep"):
        EventPattern(text)


def test_alternatives_are_limited_to_a_thousand() -> None:
    def ors(count: int) -> dict[str, Any]:
        return {f"f{n}": {"$or": [{"a": [1]}, {"b": [1]}]} for n in range(count)}

    assert EventPattern(ors(9)).matches({f"f{n}": {"a": 1} for n in range(9)})
    assert EventPattern({f"f{n}": {"$or": [{"a": [n]} for n in range(10)]} for n in range(3)})
    with pytest.raises(InvalidPatternError, match="1000 alternatives"):
        EventPattern(ors(10))
    with pytest.raises(InvalidPatternError, match="1000 alternatives"):
        EventPattern({"$or": [{"a": [n]} for n in range(1001)]})


def test_all_fields_must_hold() -> None:
    pattern = EventPattern({"source": ["aws.s3"], "detail": {"object": {"size": [{"numeric": [">", 0]}]}}})
    assert pattern.matches(S3_EVENT)
    assert not pattern.matches({**S3_EVENT, "source": "aws.ec2"})
    assert not pattern.matches({**S3_EVENT, "detail": {"object": {"size": 0}}})


def test_a_field_is_not_found_by_a_part_of_its_name_or_in_another_case() -> None:
    assert not EventPattern({"detail": {"Object": {"key": ["in/a.csv"]}}}).matches(S3_EVENT)
    assert not EventPattern({"key": ["in/a.csv"]}).matches(S3_EVENT)


def test_resources_match_by_any_element() -> None:
    assert EventPattern({"resources": [{"prefix": "arn:aws:s3"}]}).matches(S3_EVENT)


def test_the_way_of_an_event_can_be_matched() -> None:
    pattern = EventPattern({"via": {"kind": ["sns"], "attributes": {"env": ["prod"]}}})
    assert pattern.matches({**S3_EVENT, "via": [{"kind": "sns", "arn": "t", "attributes": {"env": "prod"}}]})
    assert not pattern.matches({**S3_EVENT, "via": [{"kind": "sns", "attributes": {"env": "dev"}}]})
    assert not pattern.matches(S3_EVENT)


def test_a_dotted_name_in_a_pattern_is_a_path() -> None:
    assert EventPattern({"detail.bucket.name": ["raw-data"]}).matches(S3_EVENT)
    assert EventPattern({"detail.bucket": {"name": ["raw-data"]}}).matches(S3_EVENT)
    assert not EventPattern({"a.b": [1]}).matches({"a.b": 1})


def test_words_of_the_language_may_be_field_names_outside_or() -> None:
    assert EventPattern({"prefix": ["x"], "numeric": {"exists": [1]}}).matches(
        {"prefix": "x", "numeric": {"exists": 1}}
    )


# --- $or


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"source": "x", "m": 1}, True),
        ({"source": "x", "n": 1, "o": 1}, True),
        ({"source": "x", "n": 1, "p": 1}, True),
        ({"source": "x", "n": 1}, False),
        ({"source": "x", "o": 1}, False),
        ({"source": "y", "m": 1}, False),
        ({"source": "x"}, False),
    ],
)
def test_or_stands_beside_other_fields_and_nests(event: dict[str, Any], expected: bool) -> None:
    inner = {"n": [1], "$or": [{"o": [1]}, {"p": [1]}]}
    pattern = EventPattern({"source": ["x"], "$or": [{"m": [1]}, inner]})
    assert pattern.matches(event) is expected


def test_two_ors_must_both_hold() -> None:
    pattern = EventPattern({"$or": [{"a": [1]}, {"b": [1]}], "detail": {"$or": [{"c": [1]}, {"d": [1]}]}})
    assert pattern.matches({"b": 1, "detail": {"c": 1}})
    assert not pattern.matches({"b": 1, "detail": {"e": 1}})
    assert not pattern.matches({"detail": {"c": 1}})


def test_the_same_field_may_stand_in_several_branches_of_or() -> None:
    pattern = EventPattern({"$or": [{"a": [1]}, {"a": [2], "b": [3]}]})
    assert pattern.matches({"a": 1})
    assert pattern.matches({"a": 2, "b": 3})
    assert not pattern.matches({"a": 2})


# --- arrays of objects


def test_conditions_below_an_array_must_be_met_by_the_same_element() -> None:
    pattern = EventPattern({"detail": {"steps": {"name": ["train"], "state": ["failed"]}}})
    good = [{"name": "load", "state": "ok"}, {"name": "train", "state": "failed"}]
    bad = [{"name": "load", "state": "failed"}, {"name": "train", "state": "ok"}]
    assert pattern.matches({"detail": {"steps": good}})
    assert not pattern.matches({"detail": {"steps": bad}})
    assert pattern.matches({"detail": {"steps": [bad, [good]]}})


def test_conditions_of_or_and_of_the_fields_beside_it_meet_in_the_same_element() -> None:
    pattern = EventPattern({"i": {"a": [1]}, "$or": [{"i": {"b": [1]}}, {"c": [1]}]})
    assert not pattern.matches({"i": [{"a": 1}, {"b": 1}]})
    assert pattern.matches({"i": [{"a": 1, "b": 1}]})
    assert pattern.matches({"i": [{"a": 1}], "c": 1})


def test_arrays_in_arrays_of_objects_are_consistent_level_by_level() -> None:
    pattern = EventPattern({"a": {"n": [1], "b": {"x": [1], "y": [1]}}})
    assert pattern.matches({"a": [{"n": 2}, {"n": 1, "b": [{"x": 1}, {"x": 1, "y": 1}]}]})
    assert not pattern.matches({"a": [{"n": 1, "b": [{"x": 1}, {"y": 1}]}]})
    assert not pattern.matches({"a": [{"n": 2, "b": [{"x": 1, "y": 1}]}, {"n": 1}]})


def test_two_arrays_choose_their_elements_independently() -> None:
    pattern = EventPattern({"a": {"x": [1]}, "b": {"x": [2]}})
    assert pattern.matches({"a": [{"x": 0}, {"x": 1}], "b": [{"x": 2}]})


@pytest.mark.parametrize(
    ("pattern", "items", "expected"),
    [
        ({"b": [{"exists": False}]}, [{"b": 1}, {"c": 2}], False),
        ({"b": [{"exists": False}]}, [{"c": 1}, {"c": 2}], True),
        ({"b": [{"exists": False}]}, [], True),
        # The element is chosen by an earlier field: only that element counts.
        ({"a": ["x"], "b": [{"exists": False}]}, [{"a": "x"}, {"b": 1}], True),
        ({"a": ["x"], "b": [{"exists": False}]}, [{"a": "x", "b": 1}, {"a": "x"}], True),
        ({"a": ["x"], "b": [{"exists": False}]}, [{"a": "x", "b": 1}, {"a": "y"}], False),
        # It is chosen by a later one: no element may have the field.
        ({"a": [{"exists": False}], "b": ["x"]}, [{"a": 1}, {"b": "x"}], False),
        ({"a": [{"exists": False}], "b": ["x"]}, [{"c": 1}, {"b": "x"}], True),
        # "b-" is before "b.", as - is before . in the order of names.
        ({"b": {"y": ["x"]}, "b-": [{"exists": False}]}, [{"b-": 1}, {"b": {"y": "x"}}], False),
        ({"b": {"y": ["x"]}, "b0": [{"exists": False}]}, [{"b0": 1}, {"b": {"y": "x"}}], True),
        # Java orders names by UTF-16: the emoji is before the wide letter.
        ({"\uff21": [{"exists": False}], "😀": ["x"]}, [{"😀": "x"}, {"\uff21": 1}], True),
        # Absence or a value: the value chooses.
        ({"a": [{"exists": False}, 1], "b": ["x"]}, [{"a": 1, "b": "x"}, {"a": 2}], True),
        ({"a": [{"exists": False}, 1], "b": ["x"]}, [{"a": 1}, {"b": "x"}], False),
        ({"a": {"z": [{"exists": False}]}, "b": [1]}, [{"a": [{"y": 1}], "b": 1}], True),
        ({"a": {"z": [{"exists": False}]}, "b": [1]}, [{"a": [{"z": 1}]}, {"b": 1}], False),
        ({"a": [{"exists": False}], "b": [{"exists": False}]}, [{"c": 1}, {"b": 1}], False),
        ({"a": [{"exists": False}], "b": [{"exists": False}]}, [{"c": 1}, 5, [{"d": 1}]], True),
    ],
)
def test_exists_false_below_an_array_follows_event_ruler(pattern: Any, items: list[Any], expected: bool) -> None:
    assert EventPattern({"items": pattern}).matches({"items": items}) is expected


# --- explanations


def test_an_explanation_names_the_field_what_is_there_and_what_was_wanted() -> None:
    pattern = EventPattern({"source": ["aws.s3"], "detail": {"object": {"key": [{"suffix": ".csv"}, {"prefix": "x"}]}}})
    event = {"source": "aws.s3", "detail": {"object": {"key": "a.txt"}}}
    mismatch = pattern.explain(event)
    assert mismatch == Mismatch("detail.object.key", 'suffix ".csv", prefix "x"', '"a.txt"')
    assert str(mismatch) == 'detail.object.key: "a.txt" matches none of suffix ".csv", prefix "x"'


def test_an_explanation_names_what_is_missing() -> None:
    mismatch = EventPattern({"detail": {"x": [{"numeric": [">", 0, "<", 5]}]}}).explain({"detail": {}})
    assert str(mismatch) == "detail.x: missing, but wanted numeric > 0 and < 5"


def test_an_explanation_takes_the_first_field_in_the_order_of_the_pattern() -> None:
    pattern = EventPattern({"z": [1], "a": [1]})
    assert str(pattern.explain({})).startswith("z: missing")


def test_an_explanation_tells_when_no_element_meets_all() -> None:
    pattern = EventPattern({"detail": {"steps": {"name": ["train"], "state": ["failed"]}}})
    mismatch = pattern.explain({"detail": {"steps": [{"name": "train"}, {"state": "failed"}]}})
    assert str(mismatch) == 'detail.steps: no one element of the array has name "train" and state "failed"'


def test_an_explanation_of_or_tells_of_the_branch_that_came_furthest() -> None:
    pattern = EventPattern({"$or": [{"a": [1]}, {"b": [1], "c": [1]}]})
    mismatch = pattern.explain({"b": 1, "c": 2})
    assert mismatch is not None
    assert mismatch.path == "c"


def test_an_explanation_is_short_for_huge_values() -> None:
    mismatch = EventPattern({"a": ["x"]}).explain({"a": ["y" * 10_000] * 10_000})
    assert len(str(mismatch)) < 2_000


def test_an_explanation_tells_of_a_field_that_should_be_absent() -> None:
    mismatch = EventPattern({"detail": {"errorCode": [{"exists": False}]}}).explain({"detail": {"errorCode": "Denied"}})
    assert str(mismatch) == 'detail.errorCode: "Denied" matches none of exists false'


# --- the object


def test_a_pattern_is_read_from_text_and_given_back() -> None:
    text = '{"source": ["aws.s3"], "detail": {"n": [{"numeric": ["=", 1]}]}}'
    pattern = EventPattern(text)
    assert pattern.document == json.loads(text)
    assert pattern == EventPattern(json.loads(text))
    assert hash(pattern) == hash(EventPattern(text))


def test_equality_is_that_of_the_documents_and_true_is_not_one() -> None:
    assert EventPattern({"a": [1], "b": [2]}) == EventPattern({"b": [2], "a": [1]})
    assert EventPattern({"a": [1]}) != EventPattern({"a": [True]})
    assert EventPattern({"a": [1]}) != {"a": [1]}


def test_a_pattern_cannot_be_changed_from_outside() -> None:
    document = {"a": ["x"]}
    pattern = EventPattern(document)
    document["a"].append("y")
    pattern.document["a"].append("y")
    assert not pattern.matches({"a": "y"})
    assert pattern.document == {"a": ["x"]}


def test_reads_knows_the_fields_with_conditions() -> None:
    pattern = EventPattern({"source": ["x"], "$or": [{"detail": {"SecondaryStatus": ["x"]}}, {"detail.a.b": [1]}]})
    assert pattern.reads("detail", "SecondaryStatus")
    assert pattern.reads("detail", "a", "b")
    assert pattern.reads("detail")
    assert not pattern.reads("SecondaryStatus")
    assert not pattern.reads("detail", "SecondaryStatus", "x")
    assert not pattern.reads()


# --- hostile input


def test_a_deep_event_needs_no_deep_stack() -> None:
    nested: Any = "x"
    for _ in range(100_000):
        nested = [nested]
    try:
        assert EventPattern({"a": ["x"]}).matches({"a": nested})
        assert not EventPattern({"a": {"b": ["x"]}}).matches({"a": nested})
        assert not EventPattern({"a": [{"exists": False}]}).matches({"a": nested})
    finally:
        while isinstance(nested, list):  # taken apart by hand: freeing it at once would recurse
            nested = nested.pop()


def test_many_wildcards_on_a_long_text_take_no_time() -> None:
    wildcard = Wildcard(("", *["a"] * 100, "b"))  # more than a pattern may have
    began = time.perf_counter()
    assert not wildcard.accepts("a" * 100_000)
    assert time.perf_counter() - began < 1


def test_a_large_array_of_objects_is_searched_in_linear_time() -> None:
    items = [{"a": n, "b": -n, "c": [n], "d": {"e": n}} for n in range(20_000)]
    began = time.perf_counter()
    assert not EventPattern({"i": {"a": [19_999], "b": [-1], "c": [2], "d": {"e": [3]}}}).matches({"i": items})
    assert not EventPattern({"i": {"a": [1], "b": [-1], "d": {"e": [3]}, "z": [{"exists": False}]}}).matches(
        {"i": items}
    )
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("event", [{}, {"field": "\ud800"}, {"field": 10**400}, {"field": [None, [], {}, [[{}]]]}])
def test_odd_events_neither_match_nor_raise(event: dict[str, Any]) -> None:
    for _, entries, *_ in MATCHING:
        pattern = EventPattern({"field": entries, "other": ["never"]})
        assert not pattern.matches(event)
        assert str(pattern.explain(event))
