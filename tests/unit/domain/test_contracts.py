"""Targets beside what their pipelines declare: what is certain before any event, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.contracts import compare
from pipeline_triggers.domain.decisions import decide
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import InvalidTriggerError
from tests.fakes.pipelines import HOME

INTEGER, FLOAT, BOOLEAN = Declared("Integer"), Declared("Float"), Declared("Boolean")
MODE = Declared("String", enum=("full", "delta"))
OPTIONAL = Declared(required=False)


def trigger(parameters: dict[str, Any]) -> Trigger:
    return Trigger.from_document(
        {
            "name": "on-upload",
            "event_pattern": {"source": ["com.example"]},
            "targets": [{"pipeline": "churn-train", "parameters": parameters}],
        },
    )


def problems(parameters: dict[str, Any], **declared: Declared) -> dict[str, str]:
    """The reasons by field."""
    found = compare(trigger(parameters).targets[0], Definition(declared), "targets[0]")
    return {problem.field.removeprefix("targets[0].parameters."): problem.reason for problem in found.problems}


def test_a_name_that_is_not_declared_is_told_with_the_one_that_was_meant() -> None:
    target = trigger({"InputURI": "$.detail.uri"}).targets[0]
    (problem,) = compare(target, Definition({"InputUri": OPTIONAL}), "targets[3]").problems
    assert problem.field == "targets[3].parameters.InputURI"
    assert (problem.reason, problem.remedy) == ("the pipeline does not declare it", "Did you mean InputUri?")


def test_a_required_parameter_that_the_target_lacks_is_a_problem() -> None:
    assert list(problems({"Key": "$.detail.key"}, Key=Declared(), Lost=Declared(), Note=OPTIONAL)) == ["Lost"]


@pytest.mark.parametrize(
    ("value", "declared", "said"),
    [
        ("many", INTEGER, "'many' is no Integer"),
        ("1.5", INTEGER, "'1.5' is no Integer"),
        ("yes", BOOLEAN, "'yes' is no Boolean"),
        ("1,5", FLOAT, "'1,5' is no Float"),
        ("Full", MODE, "'Full' is none of the values that the pipeline declares"),
    ],
)
def test_a_static_value_that_the_pipeline_refuses_is_a_problem(value: str, declared: Declared, said: str) -> None:
    (reason,) = problems({"P": value}, P=declared).values()
    assert reason.startswith(said)


@pytest.mark.parametrize(("value", "declared"), [("5", INTEGER), ("5", FLOAT), ("True", BOOLEAN), ("full", MODE)])
def test_a_static_value_that_the_pipeline_accepts_is_none(value: str, declared: Declared) -> None:
    assert problems({"P": value}, P=declared) == {}


def test_a_literal_that_looks_like_a_path_is_judged_as_a_text() -> None:
    assert list(problems({"P": {"literal": "$.99"}}, P=FLOAT)) == ["P"]


def test_a_default_that_the_pipeline_refuses_is_a_problem_at_the_default() -> None:
    assert list(problems({"P": {"value": "$.detail.p", "default": "many"}}, P=INTEGER)) == ["P.default"]
    assert problems({"P": {"value": "$.detail.p", "default": "5"}}, P=INTEGER) == {}


@pytest.mark.parametrize("path", ["$.detail.p", "$.detail.list[*]", "<$.detail.a><$.detail.b>", "<$.detail.p | lower>"])
@pytest.mark.parametrize("declared", [INTEGER, FLOAT, BOOLEAN, MODE, Declared()])
def test_what_events_may_put_in_is_not_guessed(path: str, declared: Declared) -> None:
    assert problems({"P": path}, P=declared) == {}


@pytest.mark.parametrize(
    ("kind", "declared", "contradicts"),
    [
        ("Boolean", INTEGER, True),
        ("Integer", BOOLEAN, True),
        ("Float", BOOLEAN, True),
        ("Boolean", FLOAT, True),
        ("String", INTEGER, False),
        ("Float", INTEGER, False),
        ("Integer", FLOAT, False),
        ("Integer", Declared(), False),
        ("Boolean", BOOLEAN, False),
    ],
)
def test_a_type_of_which_no_text_is_also_of_the_declared_one_is_a_problem(
    kind: str, declared: Declared, contradicts: bool
) -> None:
    found = problems({"P": {"value": "$.detail.p", "type": kind}}, P=declared)
    assert list(found) == (["P.type"] if contradicts else [])


def test_each_value_of_a_constraint_that_the_pipeline_refuses_is_a_problem() -> None:
    found = problems({"P": {"value": "$.detail.p", "enum": ["full", "all", "delta", "none"]}}, P=MODE)
    assert list(found) == ["P.enum[1]", "P.enum[3]"]


def test_the_values_of_a_constraint_must_be_of_the_declared_type() -> None:
    assert list(problems({"P": {"value": "$.detail.p", "enum": ["1", "one"]}}, P=INTEGER)) == ["P.enum[1]"]


def test_a_constraint_that_lets_none_of_the_declared_values_through_is_a_problem() -> None:
    (reason,) = problems({"P": {"value": "$.detail.p", "prefix": "s3://"}}, P=MODE).values()
    assert reason == "lets none of the declared values through: 'full' does not begin with s3://"
    assert problems({"P": {"value": "$.detail.p", "max_length": 4}}, P=MODE) == {}


@pytest.mark.parametrize(
    ("template", "declared", "fits"),
    [
        ("s3://<$.detail.bucket>", INTEGER, False),
        ("-<$.detail.n>", INTEGER, True),
        ("<$.detail.n>.5", INTEGER, False),
        ("<$.detail.n>.5", FLOAT, True),
        ("<$.detail.n>e<$.detail.m>", FLOAT, True),
        ("<$.detail.n> ", BOOLEAN, False),
        ("tr<$.detail.n>", BOOLEAN, True),
        ("f<$.detail.n>", MODE, True),
        ("<$.detail.n>ta", MODE, True),
        ("d<$.detail.n>lt<$.detail.m>", MODE, True),
        ("d<$.detail.n>tl<$.detail.m>", MODE, False),
        ("u<$.detail.n>", MODE, False),
        ("<$.detail.n>ful", MODE, False),
        ("full<$.detail.n>l", MODE, False),
        ("s3://<$.detail.bucket>", Declared(), True),
    ],
)
def test_the_text_around_the_paths_of_a_template_must_fit(template: str, declared: Declared, fits: bool) -> None:
    assert list(problems({"P": template}, P=declared)) == ([] if fits else ["P"])


def test_a_required_parameter_that_may_be_left_out_is_a_warning() -> None:
    target = trigger({"Key": {"value": "$.detail.key", "on_missing": "omit"}}).targets[0]
    found = compare(target, Definition({"Key": Declared()}), "targets[0]")
    assert found.problems == ()
    assert [warning.field for warning in found.warnings] == ["targets[0].parameters.Key.on_missing"]
    assert compare(target, Definition({"Key": OPTIONAL}), "targets[0]").warnings == ()


TEXTS = st.sampled_from(["5", "-1.5", "true", "full", "s3://x", "delta"])
VALUES = st.one_of(
    TEXTS, st.sampled_from(["$.detail.a", "f<$.detail.a>", "<$.detail.a>.<$.detail.b>", "s3://<$.detail.a>"])
)
CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["String", "Integer", "Float", "Boolean"]),
        "enum": st.lists(TEXTS, min_size=1, max_size=1),
        "prefix": st.sampled_from(["s3", "f", "-"]),
        "max_length": st.integers(1, 9),
    },
)
DECLARED = st.builds(
    Declared,
    type=st.sampled_from(["String", "Integer", "Float", "Boolean"]),
    enum=st.sampled_from([(), ("full", "delta"), ("5",)]),
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES, constraints=CONSTRAINTS, declared=DECLARED, a=TEXTS, b=TEXTS)
def test_what_is_a_problem_never_starts(
    value: str, constraints: dict[str, Any], declared: Declared, a: str, b: str
) -> None:
    """No false alarm: whatever the event, a target with a problem (but those of single values) is refused."""
    written = value if "$." not in value or not constraints else {"value": value, **constraints}
    try:
        one = trigger({"P": written})
    except InvalidTriggerError:
        return  # constraints that contradict one another are refused before
    if not problems({"P": written}, P=declared):
        return
    detail = {"id": "1", "source": "com.example", "detail-type": "x", "detail": {"a": a, "b": b}}
    event = Event.from_envelope(
        {"version": "0", "account": "1", "region": "r", "time": "2026-03-14T12:00:00Z", "resources": [], **detail}
    )
    (decision,) = decide(event, Snapshot(1, (one,)), lambda _: Definition({"P": declared}), HOME)
    assert decision.outcome == "rejected"
