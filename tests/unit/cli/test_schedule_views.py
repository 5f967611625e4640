"""How schedules are shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, Group

from pipeline_triggers.cli.schedule_views import Coming, Starts, described, list_document, list_table
from pipeline_triggers.domain.scheduler import ScheduleDefinition

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
MADE = datetime(2026, 3, 14, 8, 30, tzinfo=UTC)
PIPELINE = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
QUEUE = "arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-schedule"


def definition(expression: str = "cron(0 3 * * ? *)", **document: Any) -> ScheduleDefinition:
    whole = {
        "Name": "nightly",
        "GroupName": "pipeline-triggers",
        "State": "ENABLED",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": PIPELINE, "RoleArn": "arn:aws:iam::210987654321:role/scheduler"},
        **document,
    }
    arn = "arn:aws:scheduler:eu-central-1:210987654321:schedule/pipeline-triggers/nightly"
    return ScheduleDefinition(arn, whole["Target"]["Arn"], MADE, whole)


def shown(*parts: Any) -> str:
    console = Console(width=80, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(Group(*parts), markup=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def told(**event: Any) -> str:
    return json.dumps({"source": "pipeline-triggers", "detail-type": "Scheduled Time", **event})


# what it starts


def test_a_schedule_that_targets_a_pipeline_starts_it_directly() -> None:
    starts = Starts.of({"Target": {"Arn": PIPELINE}})
    assert (starts.kind, starts.name, starts.short) == ("pipeline", PIPELINE, "churn-train")


def test_a_schedule_with_a_message_of_this_application_starts_a_trigger() -> None:
    starts = Starts.of({"Target": {"Arn": QUEUE, "Input": told(detail={"trigger": "nightly"})}})
    assert (starts.kind, starts.name, starts.short) == ("trigger", "nightly", "trigger nightly")


@pytest.mark.parametrize("name", ["churn-train", PIPELINE])
def test_a_schedule_with_the_universal_target_starts_the_pipeline_of_its_input(name: str) -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
        "Input": json.dumps({"PipelineName": name, "ClientRequestToken": "<aws.scheduler.execution-id>"}),
    }
    starts = Starts.of({"Target": target})
    assert (starts.kind, starts.name, starts.short) == ("universal", name, "churn-train (universal target)")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '"text"',
        "[" * 100_000,
        told(),
        told(detail=None),
        told(detail={"trigger": 7}),
        told(detail="[]"),
        json.dumps({"source": "com.example", "detail": {"trigger": "nightly"}}),
    ],
)
def test_any_other_message_starts_something_else(text: str) -> None:
    assert Starts.of({"Target": {"Arn": QUEUE, "Input": text}}) == Starts("other", QUEUE)


def test_a_universal_target_without_a_pipeline_is_shown_by_its_arn() -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    assert Starts.of({"Target": {"Arn": arn, "Input": "{}"}}).name == arn


# when it fires next


def test_the_next_time_is_in_the_zone_of_the_schedule() -> None:
    coming = Coming.of(definition(ScheduleExpressionTimezone="Europe/Berlin"), NOW, 1)
    assert coming.first is not None
    assert coming.first.isoformat() == "2026-03-15T03:00:00+01:00"


def test_a_rate_without_a_start_counts_from_its_last_change() -> None:
    assert Coming.of(definition("rate(1 hour)"), NOW, 1).first == datetime(2026, 3, 14, 12, 30, tzinfo=UTC)


def test_a_rate_with_a_start_counts_from_it() -> None:
    coming = Coming.of(definition("rate(1 hour)", StartDate="2026-03-14T00:10:00+00:00"), NOW, 1)
    assert coming.first == datetime(2026, 3, 14, 12, 10, tzinfo=UTC)


def test_a_disabled_schedule_has_no_next_time() -> None:
    assert Coming.of(definition(State="DISABLED"), NOW, 3).times == ()


def test_after_its_end_a_schedule_has_no_next_time() -> None:
    assert Coming.of(definition(EndDate="2026-03-14T12:00:00+00:00"), NOW, 1).first is None


def test_the_next_time_of_a_list_is_never_one_that_is_skipped() -> None:
    night = definition("cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    told = list_document(night, datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert told["next"] == "2026-03-30T02:30:00+02:00"


@pytest.mark.parametrize(
    "document", [{"ScheduleExpression": "every(1 day)"}, {"ScheduleExpressionTimezone": "Mars/Base"}]
)
def test_a_schedule_that_cannot_be_understood_is_shown_all_the_same(document: dict[str, str]) -> None:
    strange = definition(**document)
    assert list_document(strange, NOW)["next_problem"]
    assert "unknown" in shown(list_table([strange], NOW))
    assert "The next times are not known" in shown(*described(strange, NOW, 3))


# how it looks


def test_a_description_has_everything() -> None:
    whole = definition(
        "rate(6 hours)",
        Description="every quarter of a day",
        StartDate="2026-03-01T00:00:00+00:00",
        EndDate="2027-03-01T00:00:00+00:00",
        ActionAfterCompletion="DELETE",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target={
            "Arn": PIPELINE,
            "RoleArn": "arn:aws:iam::210987654321:role/scheduler",
            "DeadLetterConfig": {"Arn": QUEUE},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5},
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "1000"}]},
        },
    )
    text = shown(*described(whole, NOW, 2))
    for part in (
        "nightly  ENABLED  in the group pipeline-triggers",
        "every quarter of a day",
        "rate(6 hours)",
        "2027-03-01T00:00:00+00:00",
        "within 15 minutes",
        "deletes itself",
        "churn-train, directly",
        "role/scheduler",
        "pipeline-triggers-schedule",
        "up to 5, within 3600 seconds",
        "Rows       1000",
        "2026-03-14 18:00",
        "2026-03-15 00:00",
    ):
        assert "".join(part.split()) in "".join(text.split()), part
    assert max(map(len, text.splitlines())) <= 80


def test_a_schedule_without_a_dead_letter_queue_is_told_what_that_means() -> None:
    assert "none: what cannot be started is lost" in shown(*described(definition(), NOW, 1))


def test_a_description_says_of_a_disabled_schedule_that_it_does_not_fire() -> None:
    assert "It is disabled" in shown(*described(definition(State="DISABLED"), NOW, 1))


def test_hostile_text_is_escaped() -> None:
    hostile = definition(Description="\x1b[2J\u202e[bold]", Name="x\x07")
    text = shown(*described(hostile, NOW, 1), list_table([hostile], NOW, groups=True))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[bold]" in text


def test_a_list_of_long_names_fits_80_columns() -> None:
    long = definition(
        "cron(0/5 8-17 ? JAN,MAR,MAY MON-FRI 2026-2030)",
        Name="n" * 64,
        GroupName="g" * 64,
        ScheduleExpressionTimezone="America/Argentina/Buenos_Aires",
    )
    text = shown(list_table([long], NOW, groups=True))
    assert max(map(len, text.splitlines())) <= 80
