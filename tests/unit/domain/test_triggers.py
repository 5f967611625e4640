"""Triggers in their normal form: what is read, and what is refused with which field."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline_triggers.domain.constraints import Constraints
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.parameters import Parameter
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.templates import Literal, parse_value
from pipeline_triggers.domain.trigger_schedules import Schedule
from pipeline_triggers.domain.triggers import Snapshot, Target, Trigger
from pipeline_triggers.errors import InvalidTriggerError

PATTERN = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn-train"


def document(**changes: Any) -> dict[str, Any]:
    """A valid trigger with some keys changed; None removes one."""
    whole = {"name": "t", "event_pattern": PATTERN, "targets": [{"pipeline": "churn-train"}], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def with_target(**target: Any) -> dict[str, Any]:
    return document(targets=[{"pipeline": "churn-train", **target}])


def problems(written: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidTriggerError) as caught:
        Trigger.from_document(written)
    return [(problem.field, problem.reason) for problem in caught.value.problems]


def fields(written: dict[str, Any]) -> list[str]:
    return [field for field, _ in problems(written)]


def test_a_trigger_needs_only_name_pattern_and_a_pipeline() -> None:
    assert Trigger.from_document(document()) == Trigger(
        name="t",
        pattern=EventPattern(PATTERN),
        targets=(Target(id="churn-train", pipeline=PipelineRef("churn-train")),),
    )


def test_a_whole_trigger_is_read() -> None:
    written = document(
        description="Retrain when a CSV lands",
        state="SHADOW",
        tags={"team": "churn", "sagemaker:project": "p 1"},
        set="churn",
        occurrence_key="<$.detail.bucket.name>/<$.detail.object.key>",
        max_starts_per_hour=7,
        targets=[
            {
                "pipeline": ARN,
                "id": "train",
                "version_id": 3,
                "display_name": "nightly-churn",
                "description": "why",
                "parallelism": 2,
                "role_arn": "arn:aws:iam::111122223333:role/path/starter",
                "parameters": {
                    "Static": "ml.m5.4xlarge",
                    "Key": "$.detail.object.key",
                    "Rows": {"value": "$.detail.rows", "default": "1000"},
                    "Note": {"value": "$.detail.note", "on_missing": "omit"},
                    "Price": {"literal": "$.99"},
                },
            },
        ],
    )
    assert Trigger.from_document(written) == Trigger(
        name="t",
        description="Retrain when a CSV lands",
        state="SHADOW",
        tags={"team": "churn", "sagemaker:project": "p 1"},
        set="churn",
        pattern=EventPattern(PATTERN),
        occurrence_key=parse_value("<$.detail.bucket.name>/<$.detail.object.key>"),  # type: ignore[arg-type]
        max_starts_per_hour=7,
        targets=(
            Target(
                id="train",
                pipeline=PipelineRef("churn-train", ARN, 3),
                display_name="nightly-churn",
                description="why",
                parallelism=2,
                role_arn="arn:aws:iam::111122223333:role/path/starter",
                parameters=(
                    Parameter("Static", Literal("ml.m5.4xlarge")),
                    Parameter("Key", parse_value("$.detail.object.key")),
                    Parameter("Rows", parse_value("$.detail.rows"), default="1000"),
                    Parameter("Note", parse_value("$.detail.note"), on_missing="omit"),
                    Parameter("Price", Literal("$.99")),
                ),
            ),
        ),
    )


def test_a_schedule_may_stand_instead_of_a_pattern() -> None:
    written = document(
        event_pattern=None,
        schedule_expression="cron(0 3 * * ? *)",
        timezone="Europe/Berlin",
        start="2030-01-01T00:00:00+01:00",
        end="2031-01-01T00:00:00Z",
    )
    assert Trigger.from_document(written).schedule == Schedule(
        "cron(0 3 * * ? *)",
        "Europe/Berlin",
        datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(2031, 1, 1, tzinfo=UTC),
    )


def test_the_set_of_the_caller_is_that_of_a_trigger_that_names_none() -> None:
    assert Trigger.from_document(document(), set="churn").set == "churn"
    assert Trigger.from_document(document(set="churn"), set="churn").set == "churn"


def test_a_trigger_of_another_set_is_refused() -> None:
    with pytest.raises(InvalidTriggerError, match=r"set: is 'other' inside the set 'churn'"):
        Trigger.from_document(document(set="other"), set="churn")


def test_an_event_pattern_may_be_json_text() -> None:
    assert Trigger.from_document(document(event_pattern=json.dumps(PATTERN))).pattern == EventPattern(PATTERN)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"name": "with space"}, "name"),
        ({"name": "ünïcode"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": 5}, "name"),
        ({"state": "enabled"}, "state"),
        ({"state": "ON"}, "state"),
        ({"state": ["ENABLED"]}, "state"),
        ({"description": "x" * 513}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"tags": ["a"]}, "tags"),
        ({"tags": {"aws:x": "y"}}, "tags.aws:x"),
        ({"tags": {"k" * 129: "y"}}, "tags." + "k" * 129),
        ({"tags": {"k": "v" * 257}}, "tags.k"),
        ({"tags": {"k": 1}}, "tags.k"),
        ({"tags": {str(n): "" for n in range(51)}}, "tags"),
        ({"event_pattern": None}, "event_pattern"),
        ({"schedule_expression": "rate(1 day)"}, "event_pattern"),
        ({"event_pattern": ["aws.s3"]}, "event_pattern"),
        ({"event_pattern": "not json"}, "event_pattern"),
        ({"event_pattern": {"source": "aws.s3"}}, "event_pattern.source"),
        ({"event_pattern": {}}, "event_pattern"),
        ({"timezone": "UTC"}, "timezone"),
        ({"start": "2030-01-01T00:00:00Z"}, "start"),
        ({"targets": None}, "targets"),
        ({"targets": []}, "targets"),
        ({"targets": {"pipeline": "p"}}, "targets"),
        ({"targets": ["p"]}, "targets[0]"),
        ({"targets": [{}]}, "targets[0].pipeline"),
        ({"targets": [{"pipeline": "-p"}]}, "targets[0].pipeline"),
        ({"targets": [{"pipeline": "under_score"}]}, "targets[0].pipeline"),
        ({"targets": [{"pipeline": "arn:aws:lambda:eu-west-1:111122223333:function:f"}]}, "targets[0].pipeline"),
        ({"occurrence_key": "constant"}, "occurrence_key"),
        ({"occurrence_key": "$.a["}, "occurrence_key"),
        ({"max_starts_per_hour": 0}, "max_starts_per_hour"),
        ({"max_starts_per_hour": "5"}, "max_starts_per_hour"),
        ({"max_starts_per_hour": True}, "max_starts_per_hour"),
        ({"max_starts_per_hour": 1.5}, "max_starts_per_hour"),
        ({"eventPattern": {}}, "eventPattern"),
    ],
)
def test_a_mistake_in_a_trigger_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    assert fields(document(**changes)) == [field]


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"version_id": 0}, "version_id"),
        ({"version_id": "1"}, "version_id"),
        ({"parallelism": 0}, "parallelism"),
        ({"display_name": "with_underscore"}, "display_name"),
        ({"display_name": "ends-with-"}, "display_name"),
        ({"display_name": "a" * 70}, "display_name"),
        ({"description": "two\nlines"}, "description"),
        ({"description": "x" * 1025}, "description"),
        ({"role_arn": "starter"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::1:role/x"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::111122223333:user/x"}, "role_arn"),
        ({"parameters": ["A"]}, "parameters"),
        ({"parameters": {"A": None}}, "parameters.A"),
        ({"parameters": {"A": 5}}, "parameters.A"),
        ({"parameters": {"A": True}}, "parameters.A"),
        ({"parameters": {"A": ["x"]}}, "parameters.A"),
        ({"parameters": {"A": ""}}, "parameters.A"),
        ({"parameters": {"A": "x" * 1025}}, "parameters.A"),
        ({"parameters": {"A": "\udfff"}}, "parameters.A"),
        ({"parameters": {"A b": "x"}}, "parameters.A b"),
        ({"parameters": {"": "x"}}, "parameters"),
        ({"parameters": {"é": "x"}}, "parameters.é"),
        ({"parameters": {"a" * 257: "x"}}, "parameters." + "a" * 257),
        ({"parameters": {"A": "$.a["}}, "parameters.A"),
        ({"parameters": {"A": "$..a"}}, "parameters.A"),
        ({"parameters": {"A": "x<$.a"}}, "parameters.A"),
        ({"parameters": {"A": {}}}, "parameters.A"),
        ({"parameters": {"A": {"default": "x"}}}, "parameters.A"),
        ({"parameters": {"A": {"value": "$.a", "literal": "x"}}}, "parameters.A"),
        ({"parameters": {"A": {"value": "$.a", "default": ""}}}, "parameters.A.default"),
        ({"parameters": {"A": {"value": "$.a", "default": 5}}}, "parameters.A.default"),
        ({"parameters": {"A": {"value": "$.a", "on_missing": "skip"}}}, "parameters.A.on_missing"),
        ({"parameters": {"A": {"value": "$.a", "default": "x", "on_missing": "omit"}}}, "parameters.A"),
        ({"parameters": {"A": {"value": "$.a["}}}, "parameters.A.value"),
        ({"parameters": {"A": {"value": "static", "default": "x"}}}, "parameters.A"),
        ({"parameters": {"A": {"literal": "$.a", "on_missing": "omit"}}}, "parameters.A"),
        ({"parameters": {"A": {"literal": ""}}}, "parameters.A.literal"),
        ({"parameters": {"A": {"value": "$.a", "defualt": "x"}}}, "parameters.A.defualt"),
        ({"parameters": {"A": {"value": "static", "enum": ["static"]}}}, "parameters.A"),
        ({"parameters": {"A": {"literal": "$.a", "prefix": "$"}}}, "parameters.A"),
        ({"parameters": {"A": {"value": "$.a", "type": "integer"}}}, "parameters.A.type"),
        ({"parameters": {"A": {"value": "$.a", "type": None}}}, "parameters.A.type"),
        ({"parameters": {"A": {"value": "$.a", "enum": "a"}}}, "parameters.A.enum"),
        ({"parameters": {"A": {"value": "$.a", "enum": []}}}, "parameters.A.enum"),
        ({"parameters": {"A": {"value": "$.a", "enum": ["a", 5]}}}, "parameters.A.enum[1]"),
        ({"parameters": {"A": {"value": "$.a", "enum": ["a", ""]}}}, "parameters.A.enum[1]"),
        ({"parameters": {"A": {"value": "$.a", "enum": ["a", "a"]}}}, "parameters.A.enum"),
        ({"parameters": {"A": {"value": "$.a", "prefix": ""}}}, "parameters.A.prefix"),
        ({"parameters": {"A": {"value": "$.a", "max_length": 0}}}, "parameters.A.max_length"),
        ({"parameters": {"A": {"value": "$.a", "max_length": 1025}}}, "parameters.A.max_length"),
        ({"parameters": {"A": {"value": "$.a", "max_length": "9"}}}, "parameters.A.max_length"),
        ({"parameters": {"A": {"value": "$.a", "max_length": True}}}, "parameters.A.max_length"),
        ({"parameters": {"A": {"value": "$.a", "default": "x", "enum": ["a"]}}}, "parameters.A.default"),
        ({"parameters": {"A": {"value": "$.a", "type": "Integer", "enum": ["1", "a"]}}}, "parameters.A.enum[1]"),
        ({"parameters": {"A": {"value": "$.a", "maxlength": 9}}}, "parameters.A.maxlength"),
        ({"parameters": {"A": "<$.a | basname>"}}, "parameters.A"),
        ({"parameters": {"A": "$.a | basename"}}, "parameters.A"),
        ({"parameters": {f"P{n}": "x" for n in range(201)}}, "parameters"),
        ({"paramters": {}}, "paramters"),
    ],
)
def test_a_mistake_in_a_target_is_refused_with_its_field(target: dict[str, Any], field: str) -> None:
    assert fields(with_target(**target)) == [f"targets[0].{field}"]


def test_constraints_are_read_and_written_again() -> None:
    written = {"value": "$.a", "type": "String", "enum": ["ab", "ac"], "prefix": "a", "max_length": 2, "default": "ab"}
    trigger = Trigger.from_document(with_target(parameters={"A": written}))
    (parameter,) = trigger.targets[0].parameters
    assert parameter.constraints == Constraints("String", ("ab", "ac"), "a", 2)
    assert trigger.to_document()["targets"][0]["parameters"] == {"A": written}


def test_200_parameters_are_accepted() -> None:
    assert Trigger.from_document(with_target(parameters={f"P{n}": "x" for n in range(200)}))


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({"schedule_expression": "daily"}, "schedule_expression"),
        ({"schedule_expression": "rate(5 weeks)"}, "schedule_expression"),
        ({"schedule_expression": "rate(0 days)"}, "schedule_expression"),
        ({"schedule_expression": "rate(1.5 days)"}, "schedule_expression"),
        ({"schedule_expression": "rate(5  days)"}, "schedule_expression"),
        ({"schedule_expression": "cron(banana)"}, "schedule_expression"),
        ({"schedule_expression": "cron(0 3 * * *)"}, "schedule_expression"),
        ({"schedule_expression": "cron(0 3 * * * *)"}, "schedule_expression"),
        ({"schedule_expression": "cron(0 3 ? * ? *)"}, "schedule_expression"),
        ({"schedule_expression": "cron(0 3 * * ? $)"}, "schedule_expression"),
        ({"schedule_expression": "at(2030-01-01)"}, "schedule_expression"),
        ({"schedule_expression": "at(2030-02-30T00:00:00)"}, "schedule_expression"),
        ({"schedule_expression": "at(2030-01-01T00:00:00Z)"}, "schedule_expression"),
        ({"schedule_expression": 5}, "schedule_expression"),
        ({"timezone": "Europe/Bonn"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"start": "2030-01-01T00:00:00"}, "start"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"}, "end"),
    ],
)
def test_a_mistake_in_a_schedule_is_refused_with_its_field(schedule: dict[str, Any], field: str) -> None:
    written = document(event_pattern=None, **{"schedule_expression": "rate(1 day)", **schedule})
    assert fields(written) == [field]


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minute)", "rate(1 days)", "rate(12 hours)", "at(2030-01-31T08:00:00)", "cron(0/15 8-17 ? * MON-FRI *)",
     "cron(0 0 L * ? 2030-2032)", "cron(0 0 ? * 6#3 *)"],
)  # fmt: skip
def test_schedule_expressions_of_aws_are_accepted(expression: str) -> None:
    assert Trigger.from_document(document(event_pattern=None, schedule_expression=expression)).schedule


def test_a_unit_of_weeks_is_answered_with_days() -> None:
    written = document(event_pattern=None, schedule_expression="rate(1 week)")
    assert "one week is rate(7 days)" in problems(written)[0][1]


def test_a_pipeline_that_appears_twice_needs_an_id() -> None:
    written = document(targets=[{"pipeline": "churn-train"}, {"pipeline": ARN}])
    assert problems(written) == [("targets[1].pipeline", "the id churn-train is that of targets[0] already")]


def test_a_pipeline_may_appear_twice_with_an_id() -> None:
    written = document(targets=[{"pipeline": "churn-train"}, {"pipeline": "churn-train", "id": "again"}])
    assert [target.id for target in Trigger.from_document(written).targets] == ["churn-train", "again"]


def test_ids_are_unique() -> None:
    written = document(targets=[{"pipeline": "a", "id": "x"}, {"pipeline": "b", "id": "x"}])
    assert fields(written) == ["targets[1].id"]


def test_all_problems_are_told_at_once() -> None:
    written = {
        "name": "a b",
        "state": "OFF",
        "event_pattern": {"source": 5},
        "targets": [{"pipeline": "p", "parameters": {"A": "$.a["}}, {"pipeline": "_"}],
    }
    assert sorted(fields(written)) == [
        "event_pattern.source",
        "name",
        "state",
        "targets[0].parameters.A",
        "targets[1].pipeline",
    ]


def test_an_unknown_key_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidTriggerError) as caught:
        Trigger.from_document(document(eventPattern={}))
    assert caught.value.problems[0].remedy == "Did you mean event_pattern?"


@pytest.mark.parametrize(
    "written", [{}, {"name": None}, {"targets": [None]}, {"targets": [{"parameters": {"": None}}]}]
)
def test_nothing_but_mistakes_still_tells_problems(written: dict[str, Any]) -> None:
    assert problems(written)


def test_a_snapshot_reads_back_what_it_writes() -> None:
    triggers = (
        Trigger.from_document(document(), set="churn"),
        Trigger.from_document(document(name="n", event_pattern=None, schedule_expression="rate(1 day)")),
    )
    text = Snapshot(3, triggers).to_json()
    assert Snapshot.from_json(text, 4) == Snapshot(4, triggers)
    assert text.isascii()
    assert ": " not in text


def test_the_empty_snapshot_reads_back() -> None:
    assert Snapshot.from_json(Snapshot(0, ()).to_json(), 0) == Snapshot(0, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version":2,"triggers":[]}',
        '{"version":1,"triggers":{}}',
        '{"version":1}',
        '{"version":1,"triggers":[{}]}',
        '{"version":1,"triggers":[5]}',
        "[" * 100_000,
    ],
)
def test_a_text_that_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(InvalidTriggerError):
        Snapshot.from_json(text, 1)


def test_a_snapshot_does_not_depend_on_the_time_zones_of_the_system() -> None:
    written = document(event_pattern=None, schedule_expression="rate(1 day)", timezone="Europe/Berlin")
    text = Snapshot(1, (Trigger.from_document(written),)).to_json().replace("Europe/Berlin", "Europe/Newtown")
    assert Snapshot.from_json(text, 1).triggers[0].schedule == Schedule("rate(1 day)", "Europe/Newtown")


def test_the_role_of_a_pipeline_is_the_first_that_a_target_names() -> None:
    def target(name: str, **more: str) -> dict[str, str]:
        return {"pipeline": "churn-train", "id": name, **more}

    one, two = (f"arn:aws:iam::123456789012:role/{name}" for name in ("one", "two"))
    targets = [target("a"), target("b", role_arn=one), target("c", role_arn=two), {"pipeline": "other"}]
    trigger = Trigger.from_document({"name": "t", "event_pattern": {"source": ["x"]}, "targets": targets})
    assert Snapshot(1, (trigger,)).start_roles == {PipelineRef.parse("churn-train"): one}
