"""Schedules from their time to the execution: EventBridge Scheduler, the schedule queue, the function, SageMaker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.local.stage import Stage, definition_of
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.integration.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline_triggers.local.scheduler import Firing
    from pipeline_triggers.local.stage import Lines

DRAIN_SECONDS = 30
WINDOW = {"From": "$.detail.window_start", "Until": "$.detail.window_end", "At": "$.detail.scheduled_time"}
NIGHTLY = ScheduleExpression.parse("cron(0 3 * * ? *)", "Europe/Berlin")


@pytest.fixture(scope="module")
def stage(lines: Lines) -> Iterator[Stage]:
    """The deployed stack with the pipeline ``churn-window``; there are no other schedules than those of the tests."""
    with Stage(ROOT / "template.yaml", port=0, on_log=lines.add) as stage:
        create_pipeline(stage, "churn-window")
        yield stage


def create_pipeline(stage: Stage, name: str) -> None:
    declared = dict.fromkeys(("At", "From", "Until"), ("String", "-"))
    stage.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=definition_of(declared),
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeline",
        ClientRequestToken=f"create-{name}".ljust(32, "-"),
    )


def applied(stage: Stage, folder: Path, name: str, **trigger: Any) -> None:
    """Apply a trigger file with this trigger, which makes its schedule."""
    file = folder / "triggers.json"
    file.write_text(json.dumps({"version": 1, "set": name, "triggers": [{"name": name, **trigger}]}))
    stage.apply(file)


def fire(stage: Stage, name: str, now: datetime) -> list[Firing]:
    """What becomes of a schedule until a moment; the functions have done their work then."""
    fired = stage.scheduler.fire_due(now)
    stage.poller.drain(DRAIN_SECONDS)
    return [firing for firing in fired if firing.schedule_arn.endswith(f"/{name}")]


def started(stage: Stage, pipeline: str = "churn-window") -> list[Mapping[str, str]]:
    """The parameters of the pipeline's executions, the first first."""
    sagemaker = stage.client("sagemaker")
    summaries = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    found: list[Mapping[str, str]] = []
    for summary in sorted(summaries, key=lambda each: each["StartTime"]):
        arn = summary["PipelineExecutionArn"]
        sent = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
        found.append({each["Name"]: each["Value"] for each in sent})
    return found


def soon() -> datetime:
    """A whole minute to come."""
    return (datetime.now(UTC) + timedelta(minutes=2)).replace(second=0, microsecond=0)


def at(time: datetime) -> str:
    return f"at({time:%Y-%m-%dT%H:%M:%S})"


def iso(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_a_direct_schedule_starts_its_pipeline_with_its_parameters(stage: Stage, tmp_path: Path) -> None:
    time = soon()
    create_pipeline(stage, "churn-direct")
    target = {"pipeline": "churn-direct", "parameters": {"At": "<aws.scheduler.scheduled-time>", "From": "s3://raw"}}
    applied(stage, tmp_path, "direct", schedule_expression=at(time), targets=[target])
    assert [firing.outcome for firing in fire(stage, "direct", time)] == ["delivered"]
    assert started(stage, "churn-direct") == [{"At": iso(time), "From": "s3://raw"}]


def test_a_schedule_that_tells_the_app_starts_one_execution_for_each_time(stage: Stage, tmp_path: Path) -> None:
    nightly = {"schedule_expression": NIGHTLY.text, "timezone": NIGHTLY.timezone, "via": "app"}
    applied(stage, tmp_path, "nightly", **nightly, targets=[{"pipeline": "churn-window", "parameters": WINDOW}])
    first, second = NIGHTLY.next_times(datetime.now(UTC), 2)
    before = NIGHTLY.previous_time(first)
    assert before is not None
    assert [firing.outcome for firing in fire(stage, "nightly", first)] == ["delivered"]
    one = {"At": iso(first), "From": iso(before), "Until": iso(first)}
    assert started(stage) == [one]

    schedule = stage.client("scheduler").get_schedule(GroupName="local", Name="nightly")
    assert stage.scheduler.fire(schedule, first).outcome == "delivered"  # the service delivers at least once
    stage.poller.drain(DRAIN_SECONDS)
    assert started(stage) == [one]

    assert [firing.at for firing in fire(stage, "nightly", second)] == [second]
    assert started(stage) == [one, {"At": iso(second), "From": iso(first), "Until": iso(second)}]


def test_a_schedule_of_a_deleted_pipeline_goes_to_the_undelivered_queue(stage: Stage) -> None:
    time, url = soon(), stage.client("sqs").get_queue_url(QueueName="local-undelivered")["QueueUrl"]
    create_pipeline(stage, "churn-doomed")
    stage.client("sagemaker").delete_pipeline(PipelineName="churn-doomed", ClientRequestToken="d" * 32)
    stage.poller.drain(DRAIN_SECONDS)  # the clean-up has been here
    schedule = stage.client("scheduler").create_schedule(
        Name="doomed",
        GroupName="local",
        ScheduleExpression=at(time),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/churn-doomed",
            "RoleArn": stage.deployment.outputs["SchedulerRoleArn"],
            "DeadLetterConfig": {"Arn": stage.deployment.outputs["UndeliveredQueueArn"]},
        },
    )
    assert [firing.outcome for firing in fire(stage, "doomed", time)] == ["dead-letter"]
    answer = stage.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
    (message,) = answer["Messages"]
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["SCHEDULE_ARN"], attributes["SCHEDULED_TIME"]) == (schedule["ScheduleArn"], iso(time))
    assert (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]) == ("ResourceNotFound", "2")


def test_a_role_of_the_stack_serves_its_own_group_only(stage: Stage) -> None:
    scheduler = stage.client("scheduler")
    with pytest.raises(scheduler.exceptions.ValidationException, match="must allow AWS EventBridge Scheduler"):
        scheduler.create_schedule(
            Name="elsewhere",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": stage.deployment.outputs["ScheduleQueueArn"],
                "RoleArn": stage.deployment.outputs["ScheduleQueueRoleArn"],
            },
        )
