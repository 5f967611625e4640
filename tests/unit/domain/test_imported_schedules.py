"""Schedules become triggers that do the same, or are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.imported_schedules import pipeline_of, short_pipeline, trigger_of_schedule
from pipeline_triggers.domain.schedule_plans import Defaults, created
from pipeline_triggers.domain.wanted_schedules import wanted_schedule_of
from pipeline_triggers.errors import InvalidTriggerError

if TYPE_CHECKING:
    from pipeline_triggers.domain.triggers import Trigger

HOME = Home("aws", "123456789012", "us-east-1")
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
ROLE = "arn:aws:iam::123456789012:role/theirs"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
USUAL = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
TIME, NAME = "<aws.scheduler.scheduled-time>", "<aws.scheduler.schedule-arn>"


def schedule(*, target: dict[str, Any] | None = None, **document: Any) -> dict[str, Any]:
    """GetSchedule's answer for a schedule as the console makes it."""
    return {
        "Name": "nightly",
        "GroupName": "default",
        "State": "ENABLED",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "NONE",
        "Target": {
            "Arn": ARN,
            "RoleArn": ROLE,
            "RetryPolicy": USUAL,
            "SageMakerPipelineParameters": {},
            **(target or {}),
        },
        **document,
    }


def universal(**request: Any) -> dict[str, Any]:
    return {"Arn": UNIVERSAL, "Input": json.dumps({"PipelineName": "churn-train", **request})}


def parameters(**values: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in values.items()]
    return {"SageMakerPipelineParameters": {"PipelineParameterList": listed}}


def read(document: dict[str, Any]) -> Trigger:
    return trigger_of_schedule(document, HOME, NOW, name="nightly", set="imported")


def written(document: dict[str, Any]) -> dict[str, Any]:
    return read(document).to_document()


def sent(document: dict[str, Any]) -> Any:
    return written(document)["targets"][0].get("parameters")


def test_the_simplest_schedule_is_a_trigger_with_nothing_beside() -> None:
    assert written(schedule()) == {
        "name": "nightly",
        "state": "ENABLED",
        "set": "imported",
        "schedule_expression": "cron(0 3 * * ? *)",
        "timezone": "UTC",
        "targets": [{"id": "churn-train", "pipeline": "churn-train"}],
    }


def test_everything_that_somebody_chose_is_kept() -> None:
    document = schedule(
        Description="At night",
        State="DISABLED",
        ScheduleExpressionTimezone="Europe/Berlin",
        StartDate="2030-06-01T00:00:00+02:00",
        EndDate="2031-01-01T00:00:00+00:00",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1",
        ActionAfterCompletion="DELETE",
        target={
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 3},
            **parameters(Mode="full"),
        },
    )
    assert written(document) == {
        "name": "nightly",
        "description": "At night",
        "state": "DISABLED",
        "set": "imported",
        "schedule_expression": "cron(0 3 * * ? *)",
        "timezone": "Europe/Berlin",
        "start": "2030-06-01T00:00:00+02:00",
        "end": "2031-01-01T00:00:00+00:00",
        "flexible_minutes": 15,
        "delete_after_run": True,
        "dead_letter_arn": "arn:aws:sqs:us-east-1:123456789012:dead",
        "max_age_seconds": 600,
        "max_attempts": 3,
        "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1",
        "targets": [{"id": "churn-train", "pipeline": "churn-train", "parameters": {"Mode": "full"}}],
    }


def test_the_schedule_that_the_trigger_makes_fires_and_starts_the_same() -> None:
    document = schedule(
        ScheduleExpressionTimezone="Asia/Tokyo",
        Description="x",
        EndDate="2031-01-01T00:00:00+00:00",
        target=parameters(Key="$.detail.x", At=TIME, Text="a <$.b> c"),
    )
    defaults = Defaults("pt", "role", "queue-role", "arn:aws:sqs:us-east-1:123456789012:pt-schedule", "dead")
    made = created(wanted_schedule_of(read(document), HOME, defaults), defaults, NOW)
    for key in ("ScheduleExpression", "ScheduleExpressionTimezone", "Description", "EndDate", "State"):
        assert made[key] == document[key]
    assert made["Target"]["Arn"] == ARN
    assert made["Target"]["SageMakerPipelineParameters"] == document["Target"]["SageMakerPipelineParameters"]


@pytest.mark.parametrize("value", ["$.detail.x", "$", "a <$.b> c", "$['x"])
def test_what_looks_like_a_path_is_sent_as_it_was(value: str) -> None:
    assert sent(schedule(target=parameters(Key=value))) == {"Key": {"literal": value}}


def test_what_scheduler_fills_in_stays_its_business() -> None:
    assert sent(schedule(target=parameters(At=f"at {TIME}"))) == {"At": f"at {TIME}"}


@pytest.mark.parametrize(
    ("expression", "start", "kept"),
    [
        ("cron(0 3 * * ? *)", "2029-01-01T00:00:00+00:00", None),
        ("cron(0 3 * * ? *)", "2030-06-01T00:00:00+00:00", "2030-06-01T00:00:00+00:00"),
        ("rate(1 day)", "2029-01-01T00:00:00.123456+00:00", "2029-01-01T00:00:00+00:00"),
        ("rate(1 day)", None, None),
        ("at(2030-06-01T00:00:00)", "2030-02-01T00:00:00+00:00", None),
    ],
)
def test_a_start_date_that_has_passed_matters_to_a_rate_only(
    expression: str, start: str | None, kept: str | None
) -> None:
    document = schedule(ScheduleExpression=expression) | ({"StartDate": start} if start else {})
    assert written(document).get("start") == kept


@pytest.mark.parametrize(
    "document",
    [
        schedule(ScheduleExpression="at(2029-01-01T00:00:00)"),
        schedule(EndDate="2029-01-01T00:00:00+00:00"),
    ],
)
def test_a_schedule_that_is_over_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidTriggerError, match="is over: it starts nothing any more"):
        read(document)


def test_an_expression_that_cannot_be_read_is_refused_with_its_field() -> None:
    with pytest.raises(InvalidTriggerError, match="schedule_expression"):
        read(schedule(ScheduleExpression="cron(banana)"))


def test_a_universal_target_with_parameters_only_becomes_schedulers_own() -> None:
    given = [{"Name": "At", "Value": TIME}]
    document = schedule(target=universal(PipelineParameters=given, ClientRequestToken="x" * 32))
    assert "via" not in written(document)
    assert sent(document) == {"At": TIME}


def test_a_universal_target_that_asks_for_more_goes_through_the_application() -> None:
    request = universal(
        PipelineExecutionDisplayName="weekly",
        PipelineExecutionDescription="Every week",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 4},
        PipelineVersionId=7,
        PipelineParameters=[{"Name": "Mode", "Value": "full"}],
    )
    document = written(
        schedule(target={**request, "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:d"}})
    )
    assert document["via"] == "app"
    assert "dead_letter_arn" not in document  # it was for starts; the stack has its own for messages
    assert document["targets"] == [
        {
            "id": "churn-train",
            "pipeline": "churn-train",
            "version_id": 7,
            "parameters": {"Mode": "full"},
            "display_name": "weekly",
            "description": "Every week",
            "parallelism": 4,
        }
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TIME, "$.detail.scheduled_time"),
        (NAME, "$.detail.schedule_arn"),
        (f"s3://out/{TIME}/{NAME}", "s3://out/<$.detail.scheduled_time>/<$.detail.schedule_arn>"),
        (f"<$.a> {TIME}", "\\<$.a> <$.detail.scheduled_time>"),
        ("$.detail.x", {"literal": "$.detail.x"}),
        ("plain", "plain"),
    ],
)
def test_through_the_application_the_event_tells_what_scheduler_filled_in(value: str, expected: Any) -> None:
    request = universal(PipelineExecutionDisplayName="weekly", PipelineParameters=[{"Name": "P", "Value": value}])
    assert sent(schedule(target=request)) == {"P": expected}


@pytest.mark.parametrize("word", ["<aws.scheduler.execution-id>", "<aws.scheduler.attempt-number>"])
def test_what_only_scheduler_knows_is_refused_through_the_application(word: str) -> None:
    request = universal(PipelineExecutionDisplayName="weekly", PipelineParameters=[{"Name": "P", "Value": f"x{word}"}])
    with pytest.raises(InvalidTriggerError, match="is not known to a trigger that goes through this application"):
        read(schedule(target=request))


@pytest.mark.parametrize(
    "key", ["SelectiveExecutionConfig", "PipelineVersionAlias", "MlflowExperimentName", "pipelineName"]
)
def test_what_a_trigger_cannot_ask_for_is_refused(key: str) -> None:
    with pytest.raises(InvalidTriggerError, match=f"{key}: a trigger cannot ask SageMaker for this"):
        read(schedule(target=universal(**{key: "x"})))


@pytest.mark.parametrize("given", ["", "not json", "{}", '{"PipelineName": ""}', '{"PipelineName": "a b"}', "null"])
def test_a_universal_target_without_a_pipeline_is_refused(given: str) -> None:
    with pytest.raises(InvalidTriggerError, match=r"targets\[0\]"):
        read(schedule(target={"Arn": UNIVERSAL, "Input": given}))


def test_an_odd_parallelism_is_refused_and_no_crash() -> None:
    with pytest.raises(InvalidTriggerError, match="parallelism"):
        read(schedule(target=universal(ParallelismConfiguration="many")))


@pytest.mark.parametrize(
    ("named", "short"),
    [
        (ARN, "churn-train"),
        (ARN.replace("churn-train", "Churn-Train"), "Churn-Train"),
        ("churn-train", "churn-train"),
        (ARN.replace("us-east-1", "eu-west-1"), ARN.replace("us-east-1", "eu-west-1")),
        (ARN.replace("123456789012", "210987654321"), ARN.replace("123456789012", "210987654321")),
        ("", ""),
        ("no pipeline", "no pipeline"),
    ],
)
def test_a_pipeline_at_home_is_called_by_its_name(named: str, short: str) -> None:
    assert short_pipeline(named, HOME) == short


def test_the_pipeline_of_a_target_is_in_its_arn_or_in_its_input() -> None:
    assert pipeline_of({"Arn": ARN}, HOME) == "churn-train"
    assert pipeline_of(universal(), HOME) == "churn-train"
    assert pipeline_of(universal(PipelineName=ARN), HOME) == "churn-train"
    assert pipeline_of({"Arn": UNIVERSAL}, HOME) == ""
