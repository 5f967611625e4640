"""Triggers with a schedule: what each of the two ways can do, and the schedule that each needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults, StartsPipeline, TellsTrigger, WantedSchedule
from pipeline_triggers.domain.trigger_schedules import Schedule
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.domain.wanted_schedules import wanted_schedule_of
from pipeline_triggers.errors import InvalidTriggerError

HOME = Home("aws", "123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:"
DEFAULTS = Defaults("stack", f"{ROLE}scheduler", f"{ROLE}queue", f"{QUEUE}stack-schedule", f"{QUEUE}stack-undelivered")
PIPELINE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"


def document(**changes: Any) -> dict[str, Any]:
    whole = {
        "name": "nightly",
        "schedule_expression": "cron(0 3 * * ? *)",
        "targets": [{"pipeline": "churn-train"}],
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def wanted(**changes: Any) -> WantedSchedule:
    return wanted_schedule_of(Trigger.from_document(document(**changes)), HOME, DEFAULTS)


def problems(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidTriggerError) as caught:
        Trigger.from_document(document(**changes))
    return [(problem.field, problem.reason) for problem in caught.value.problems]


def test_a_schedule_starts_the_pipeline_itself_when_nothing_else_is_said() -> None:
    got = wanted(
        targets=[{"pipeline": "churn-train", "parameters": {"Mode": "full", "At": "<aws.scheduler.scheduled-time>"}}]
    )
    assert got.target == StartsPipeline(PIPELINE_ARN, {"Mode": "full", "At": "<aws.scheduler.scheduled-time>"})
    assert (got.name, got.group, got.role_arn) == ("nightly", "stack", DEFAULTS.role_arn)


def test_a_schedule_via_the_application_tells_it_the_name_of_the_trigger() -> None:
    targets = [
        {"pipeline": "churn-train", "parameters": {"From": "$.detail.window_start"}},
        {"pipeline": "churn-score"},
    ]
    got = wanted(via="app", targets=targets)
    assert got.target == TellsTrigger(DEFAULTS.queue_arn, "nightly")
    assert got.role_arn == DEFAULTS.queue_role_arn


def test_everything_that_a_trigger_says_about_its_schedule_is_wanted() -> None:
    got = wanted(
        timezone="Europe/Berlin",
        start="2030-01-01T00:00:00Z",
        end="2031-01-01T00:00:00Z",
        state="DISABLED",
        description="each night",
        flexible_minutes=15,
        delete_after_run=True,
        dead_letter_arn=f"{QUEUE}own",
        max_age_seconds=60,
        max_attempts=0,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/0",
        targets=[{"pipeline": "churn-train", "role_arn": f"{ROLE}own"}],
    )
    assert got == WantedSchedule(
        name="nightly",
        group="stack",
        expression="cron(0 3 * * ? *)",
        target=StartsPipeline(PIPELINE_ARN, {}),
        timezone="Europe/Berlin",
        start=datetime(2030, 1, 1, tzinfo=UTC),
        end=datetime(2031, 1, 1, tzinfo=UTC),
        state="DISABLED",
        description="each night",
        flexible_minutes=15,
        delete_after_run=True,
        role_arn=f"{ROLE}own",
        dead_letter_arn=f"{QUEUE}own",
        max_age_seconds=60,
        max_attempts=0,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/0",
        complete=True,
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"state": "SHADOW"}, "state"),
        ({"occurrence_key": "$.detail.scheduled_time"}, "occurrence_key"),
        ({"max_starts_per_hour": 5}, "max_starts_per_hour"),
        ({"targets": [{"pipeline": "a"}, {"pipeline": "b"}]}, "targets"),
        ({"targets": [{"pipeline": "a", "version_id": 3}]}, "targets[0].version_id"),
        ({"targets": [{"pipeline": "a", "display_name": "n"}]}, "targets[0].display_name"),
        ({"targets": [{"pipeline": "a", "description": "d"}]}, "targets[0].description"),
        ({"targets": [{"pipeline": "a", "parallelism": 2}]}, "targets[0].parallelism"),
        ({"targets": [{"pipeline": "a", "parameters": {"P": "$.detail.x"}}]}, "targets[0].parameters.P"),
        ({"targets": [{"pipeline": "a", "parameters": {"P": "x<$.detail.x>"}}]}, "targets[0].parameters.P"),
    ],
)
def test_what_eventbridge_scheduler_cannot_do_needs_the_application(changes: dict[str, Any], field: str) -> None:
    assert [name for name, _ in problems(**changes)] == [field]
    assert Trigger.from_document(document(via="app", **changes)).schedule == Schedule("cron(0 3 * * ? *)", via="app")


def test_via_the_application_nothing_fills_in_the_attributes_of_eventbridge_scheduler() -> None:
    targets = [{"pipeline": "a", "parameters": {"P": "at <aws.scheduler.scheduled-time>"}}]
    ((field, reason),) = problems(via="app", targets=targets)
    assert field == "targets[0].parameters.P"
    assert "<aws.scheduler.scheduled-time> is filled in only where EventBridge Scheduler starts" in reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"via": "lambda"}, "via"),
        ({"flexible_minutes": 1441}, "flexible_minutes"),
        ({"flexible_minutes": "15"}, "flexible_minutes"),
        ({"flexible_minutes": -1}, "flexible_minutes"),
        ({"delete_after_run": "yes"}, "delete_after_run"),
        ({"delete_after_run": 1}, "delete_after_run"),
        ({"dead_letter_arn": "my-queue"}, "dead_letter_arn"),
        ({"dead_letter_arn": f"{QUEUE}own.fifo"}, "dead_letter_arn"),
        ({"max_age_seconds": 59}, "max_age_seconds"),
        ({"max_age_seconds": 86401}, "max_age_seconds"),
        ({"max_attempts": 186}, "max_attempts"),
        ({"kms_key_arn": "alias/mine"}, "kms_key_arn"),
    ],
)
def test_a_mistake_in_a_schedule_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    assert [name for name, _ in problems(**changes)] == [field]


def test_expression_and_time_zone_are_judged_each_by_itself() -> None:
    got = problems(schedule_expression="cron(0 25 * * ? *)", timezone="Europe/Berln")
    assert [field for field, _ in got] == ["schedule_expression", "timezone"]


def test_the_keys_of_a_schedule_belong_to_no_event_pattern() -> None:
    got = problems(schedule_expression=None, event_pattern={"source": ["aws.s3"]}, via="app", flexible_minutes=5)
    assert got == [("via", "belongs to a schedule"), ("flexible_minutes", "belongs to a schedule")]


def test_a_number_that_python_would_not_write_is_refused_with_its_field() -> None:
    assert [field for field, _ in problems(flexible_minutes=10**5000)] == ["flexible_minutes"]
