"""What parameters become for one event."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.constraints import UNCONSTRAINED, Constraints
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.parameters import Parameter, Resolved, resolve
from pipeline_triggers.domain.templates import parse_value


def resolved(
    text: str,
    document: dict[str, Any],
    *,
    default: str | None = None,
    omit: bool = False,
    definition: Definition | None = None,
    constraints: Constraints = UNCONSTRAINED,
) -> Resolved:
    parameter = Parameter("P", parse_value(text), default, "omit" if omit else "fail", constraints)
    return resolve([parameter], document, definition)[0]


def of(value: object) -> Resolved:
    return resolved("$.v", {"v": value})


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", "text"),
        (" padded ", " padded "),
        ("naïve 日本 😀", "naïve 日本 😀"),
        ("a\nb", "a\nb"),
        ("$.not.a.path", "$.not.a.path"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
        (5.0, "5"),
        (-0.0, "0"),
        (1592411992203.0, "1592411992203"),
        (1e16, "10000000000000000"),
        (1e21, "1000000000000000000000"),
        (0.1, "0.1"),
        (1.10, "1.1"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        ([], "[]"),
        ({}, "{}"),
        ([1, "a", None, 1.0], '[1,"a",null,1.0]'),
        ({"b": 1, "a": {"é": True}}, '{"b":1,"a":{"é":true}}'),
    ],
)
def test_a_value_becomes_text_by_the_table(value: object, sent: str) -> None:
    got = of(value)
    assert (got.value, got.reason) == (sent, None)
    assert got.raw == value


def test_a_long_raw_value_is_left_out_of_the_document() -> None:
    kept = Resolved("All", "dynamic", "$", raw={"x": "y" * 1000}, value="{}").to_document()
    assert (kept["raw"], kept["value"]) == (None, "{}")
    assert Resolved("N", "dynamic", "$.n", raw=[1, 2], value="[1,2]").to_document()["raw"] == [1, 2]


def test_a_raw_value_that_is_nested_too_deeply_to_be_written_is_left_out_of_the_document() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert Resolved("All", "dynamic", "$", raw=deep).to_document()["raw"] is None


@pytest.mark.parametrize(("value", "sent"), [(True, "True"), (False, "False"), ("true", "true"), (1, "1")])
def test_booleans_are_spelt_as_the_sdk_does_where_the_pipeline_declares_boolean(value: object, sent: str) -> None:
    definition = Definition({"P": Declared(type="Boolean")})
    assert resolved("$.v", {"v": value}, definition=definition).value == sent


def test_booleans_of_other_parameters_keep_the_spelling_of_json() -> None:
    definition = Definition({"Q": Declared(type="Boolean"), "P": Declared()})
    assert resolved("$.v", {"v": True}, definition=definition).value == "true"


def test_several_matches_become_a_list() -> None:
    got = resolved("$.items[*].key", {"items": [{"key": "a"}, {"key": 2}]})
    assert (got.value, got.raw) == ('["a",2]', ["a", 2])


def test_the_only_match_of_a_wildcard_is_sent_as_it_is() -> None:
    assert resolved("$.items[*].key", {"items": [{"key": "a"}]}).value == "a"


def test_a_static_value_is_sent_every_time() -> None:
    assert resolved("ml.m5.4xlarge", {}) == Resolved("P", "static", "ml.m5.4xlarge", value="ml.m5.4xlarge")


@pytest.mark.parametrize("document", [{}, {"a": None}, {"a": {}}, {"a": {"b": None}}, {"a": "text"}])
def test_what_is_not_there_or_null_is_missing(document: dict[str, Any]) -> None:
    got = resolved("$.a.b", document)
    assert (got.value, got.reason, got.origin) == (None, "missing-parameter", "dynamic")
    assert (
        "parameter P: $.a.b finds nothing, or null, in the event. Correct the path, give the parameter a default"
        in got.message
    )


def test_a_missing_value_takes_its_default() -> None:
    got = resolved("$.a", {}, default="1000")
    assert (got.value, got.origin, got.expression, got.reason) == ("1000", "default", "$.a", None)


def test_a_default_does_not_stand_in_for_an_empty_text() -> None:
    got = resolved("$.a", {"a": ""}, default="x")
    assert (got.value, got.reason) == (None, "empty-value")


def test_a_missing_value_may_be_left_out() -> None:
    got = resolved("$.a", {}, omit=True)
    assert (got.value, got.reason) == (None, None)
    assert got.message == "left out: $.a finds nothing, or null, in the event"


def test_false_and_zero_are_not_missing() -> None:
    assert resolved("$.a", {"a": False}, default="x").value == "false"
    assert resolved("$.a", {"a": 0}, default="x").value == "0"


def test_a_template_puts_values_into_text() -> None:
    got = resolved("s3://<$.b>/<$.k>?n=<$.n>", {"b": "raw", "k": "in/a b.csv", "n": 3.0})
    assert (got.value, got.origin) == ("s3://raw/in/a b.csv?n=3", "template")
    assert got.raw == {"$.b": "raw", "$.k": "in/a b.csv", "$.n": 3.0}


def test_values_from_events_are_data_and_never_expanded() -> None:
    assert resolved("<$.a>", {"a": "<$.b>", "b": "secret"}).value == "<$.b>"


def test_one_missing_path_makes_the_whole_template_missing() -> None:
    got = resolved("<$.a>/<$.b>/<$.c>", {"a": "x"})
    assert got.reason == "missing-parameter"
    assert "$.b and $.c finds nothing" in got.message
    assert resolved("<$.a>/<$.b>", {"a": "x"}, default="d").value == "d"
    assert resolved("<$.a>/<$.b>", {"a": "x"}, omit=True).value is None


def test_1024_characters_are_sent_and_1025_are_not() -> None:
    assert of("x" * 1024).value == "x" * 1024
    got = of("x" * 1025)
    assert (got.value, got.reason) == (None, "value-too-long")
    assert "parameter P: what $.v makes has 1,025 characters, SageMaker accepts 1,024" in got.message


@pytest.mark.parametrize("value", [list(range(1000)), {"k": "x" * 1024}, [10**1024]])
def test_whatever_becomes_too_long_is_refused_and_not_cut(value: object) -> None:
    assert of(value).reason == "value-too-long"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, [math.nan], "\ud800", {"a": "x\udfff"}, {"\ud800": 1}]
)
def test_what_json_or_utf8_cannot_carry_is_a_malformed_event(value: object) -> None:
    got = of(value)
    assert (got.value, got.reason) == (None, "malformed-event")
    assert got.message.startswith("parameter P: what $.v makes cannot be sent: ")


def test_half_of_a_surrogate_pair_inside_a_template_is_a_malformed_event() -> None:
    assert resolved("a<$.v>", {"v": "\ud800"}).reason == "malformed-event"


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    assert of(nested(200_000)).reason == "too-deep"


def test_an_integer_that_python_would_not_write_is_too_long() -> None:
    assert of(10**5000).reason == "value-too-long"


def test_the_refused_value_is_kept_to_be_shown() -> None:
    assert of("x" * 1025).raw == "x" * 1025


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (Constraints(enum=("ml.m5.large",)), "what $.v makes is none of ml.m5.large."),
        (Constraints(type="Integer"), "what $.v makes is no Integer (such as 42)."),
        (Constraints(prefix="ml.m5."), "what $.v makes does not begin with ml.m5.."),
        (Constraints(max_length=8), "what $.v makes has 14 characters, more than 8."),
    ],
)
def test_an_event_cannot_put_in_what_the_trigger_does_not_allow(constraints: Constraints, said: str) -> None:
    got = resolved("$.v", {"v": "ml.p5.48xlarge"}, constraints=constraints)
    assert (got.value, got.reason, got.raw) == (None, "constraint", "ml.p5.48xlarge")
    assert got.message.startswith(f"parameter P: {said}")


def test_what_keeps_its_constraints_is_sent() -> None:
    assert resolved("$.v", {"v": 5.0}, constraints=Constraints(type="Integer", max_length=1)).value == "5"


def test_a_constraint_holds_for_the_whole_text_of_a_template() -> None:
    allowed = Constraints(prefix="s3://raw-data/in/")
    assert (
        resolved("s3://<$.b>/<$.k>", {"b": "raw-data", "k": "in/a"}, constraints=allowed).value == "s3://raw-data/in/a"
    )
    assert resolved("s3://<$.b>/<$.k>", {"b": "raw-data", "k": "out/a"}, constraints=allowed).reason == "constraint"


def test_a_value_that_is_left_out_violates_nothing() -> None:
    assert resolved("$.v", {}, omit=True, constraints=Constraints(enum=("a",))).reason is None


def test_functions_act_on_the_text_of_the_value() -> None:
    document = {"key": "in/Churn.CSV", "time": 1769920200000.0, "flag": True}
    got = resolved("<$.key | stem | lower>-<$.key|suffix>-<$.time | year>-<$.flag | upper>", document)
    assert got.value == "churn-.CSV-2026-TRUE"
    assert got.raw == {"$.key": "in/Churn.CSV", "$.time": 1769920200000.0, "$.flag": True}


def test_a_function_with_nothing_left_leaves_the_rest_of_the_template() -> None:
    assert resolved("s3://b/<$.key | dirname>/out", {"key": "a.csv"}).value == "s3://b//out"


def test_a_template_of_which_a_function_leaves_nothing_is_empty() -> None:
    got = resolved("<$.key | dirname>", {"key": "a.csv"}, default="x")
    assert (got.reason, got.value) == ("empty-value", None)


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("<$.v | basename>", {"a": 1}, "$.v finds an object, and basename takes one text"),
        ("<$.v[*] | lower>", ["a", "b"], "$.v[*] finds a list, or several values, and lower takes one text"),
        ("<$.v | year>", "soon", "year of $.v: the value is no time"),
        ("<$.v | unquote>", "%ff", "unquote of $.v: the text is not percent-encoded UTF-8"),
    ],
)
def test_what_a_function_cannot_take_is_refused_with_the_path(text: str, value: object, said: str) -> None:
    got = resolved(text, {"v": value})
    assert (got.value, got.reason) == (None, "constraint")
    assert said in got.message


def test_a_function_of_nothing_is_missing() -> None:
    assert resolved("<$.v | basename>", {"v": None}).reason == "missing-parameter"


def test_every_parameter_gets_an_answer_in_its_order() -> None:
    parameters = [Parameter(name, parse_value(text)) for name, text in [("A", "$.a"), ("B", "b"), ("C", "$.c")]]
    assert [(r.name, r.value) for r in resolve(parameters, {"a": "x"})] == [("A", "x"), ("B", "b"), ("C", None)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=100)
@given(
    json_values,
    st.sampled_from(["$.v", "a<$.v>b", "$.v[*]", "$", "<$.v | stem>", "<$.v|date>", "a<$.v | unquote | lower>"]),
    st.booleans(),
)
def test_resolving_never_raises_and_sends_what_sagemaker_accepts(value: object, text: str, omit: bool) -> None:
    got = resolved(text, {"v": value}, omit=omit)
    if got.value is None:
        assert (got.reason is None) == got.message.startswith("left out")
    else:
        assert got.reason is None
        assert 1 <= len(got.value.encode().decode()) <= 1024


@settings(max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_the_same_number(number: float) -> None:
    sent = of(number).value
    assert sent is not None
    assert float(sent) == number


def test_all_the_parameters_of_an_event_share_what_they_may_look_at() -> None:
    document = {"items": [{"n": n} for n in range(40_000)]}
    parameters = [Parameter(f"P{n}", parse_value("$.items[?@.n < 0]")) for n in range(10)]
    reasons = [resolved.reason for resolved in resolve(parameters, document)]
    assert reasons[0] == "missing-parameter"
    assert reasons[-1] == "too-large"
