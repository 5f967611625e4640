"""Schedules and event triggers as Python objects: what they take, and what they refuse when they are made."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_forms import wanted_schedule
from pipeline_triggers.domain.schedule_plans import StartsPipeline, WantedSchedule
from pipeline_triggers.errors import InvalidInputError, InvalidPatternError, InvalidTriggerError
from pipeline_triggers.sdk import PipelineEventTrigger, PipelineSchedule
from pipeline_triggers.sdk.objects import adopted

HOME = Home("aws", "123456789012", "us-east-1")
PATTERN: dict[str, Any] = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw-data"]}}}
EXECUTIONS: dict[str, Any] = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"


@dataclass
class OfSageMaker:
    """Shaped as the SageMaker SDK's PipelineSchedule of versions 2 and 3, with its fields in their order."""

    name: str | None = None
    enabled: bool | None = True
    start_date: datetime | None = None
    at: datetime | None = None
    rate: tuple[int, str] | None = None
    cron: str | None = None


def wanted(schedule: PipelineSchedule) -> WantedSchedule:
    return wanted_schedule({**schedule.to_document(), "pipeline": "churn-train"}, HOME, "app")


def refused(**arguments: Any) -> list[str]:
    """The arguments that a schedule is refused for."""
    with pytest.raises(InvalidInputError) as raised:
        PipelineSchedule(**arguments)
    return [problem.field for problem in raised.value.problems]


# What the SageMaker SDK takes


def test_the_first_six_arguments_are_those_of_the_sagemaker_sdk_in_its_order() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    ours = PipelineSchedule("nightly", False, start, None, (5, "minutes"), None)
    assert adopted(OfSageMaker("nightly", False, start, None, (5, "minutes"), None)) == ours


@pytest.mark.parametrize(
    ("arguments", "expression"),
    [
        ({"at": datetime(2023, 12, 13, 10, 15, 20)}, "at(2023-12-13T10:15:20)"),
        ({"at": datetime(2023, 12, 13, 10, 15, 20, 999_999)}, "at(2023-12-13T10:15:20)"),
        ({"at": datetime(2023, 12, 13, 10, 15, 20, tzinfo=UTC)}, "at(2023-12-13T10:15:20)"),
        ({"at": datetime(2023, 12, 13, 10, tzinfo=timezone(timedelta(hours=9)))}, "at(2023-12-13T01:00:00)"),
        ({"rate": (5, "minutes")}, "rate(5 minutes)"),
        ({"rate": (1, "hours")}, "rate(1 hour)"),
        ({"rate": [2, "weeks"]}, "rate(14 days)"),
        ({"cron": "15 10 ? * 6L 2022-2023"}, "cron(15 10 ? * 6L 2022-2023)"),
        ({"cron": "cron(0 3 * * ? *)"}, "cron(0 3 * * ? *)"),
    ],
)
def test_the_forms_of_the_sagemaker_sdk_mean_the_same(arguments: dict[str, Any], expression: str) -> None:
    assert wanted(PipelineSchedule(**arguments)).expression == expression


@pytest.mark.parametrize(
    ("time", "expression"),
    [
        (datetime(2030, 7, 1, 8), "at(2030-07-01T08:00:00)"),
        (datetime(2030, 7, 1, 8, tzinfo=UTC), "at(2030-07-01T10:00:00)"),
        (datetime(2030, 12, 31, 23, 30, tzinfo=UTC), "at(2031-01-01T00:30:00)"),
    ],
)
def test_with_a_time_zone_a_naive_time_is_one_of_its_clocks_and_an_aware_one_is_brought_to_it(
    time: datetime, expression: str
) -> None:
    made = wanted(PipelineSchedule(at=time, timezone="Europe/Berlin"))
    assert (made.expression, made.timezone) == (expression, "Europe/Berlin")


def test_without_a_time_zone_the_time_of_an_at_is_said_to_be_in_utc() -> None:
    assert wanted(PipelineSchedule(at=datetime(2030, 7, 1, 8))).timezone == "UTC"


def test_the_time_zone_of_a_cron_or_a_rate_is_not_mentioned_unless_it_is_given() -> None:
    assert wanted(PipelineSchedule(cron="0 3 * * ? *")).timezone is None
    assert wanted(PipelineSchedule(rate=(1, "day"))).timezone is None


def test_naive_dates_are_in_utc_or_by_the_clocks_of_the_time_zone() -> None:
    first, last = datetime(2030, 1, 1), datetime(2030, 7, 1)
    plain = wanted(PipelineSchedule(cron="0 3 * * ? *", start_date=first, end_date=last))
    assert (plain.start, plain.end) == (datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 7, 1, tzinfo=UTC))
    zoned = wanted(PipelineSchedule(cron="0 3 * * ? *", start_date=first, end_date=last, timezone="Asia/Tokyo"))
    tokyo = ZoneInfo("Asia/Tokyo")
    assert (zoned.start, zoned.end) == (datetime(2030, 1, 1, tzinfo=tokyo), datetime(2030, 7, 1, tzinfo=tokyo))


def test_dates_with_a_time_zone_stay_as_they_are() -> None:
    start = datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=-5)))
    assert wanted(PipelineSchedule(rate=(1, "day"), start_date=start, timezone="Asia/Tokyo")).start == start


def test_every_argument_is_written() -> None:
    schedule = PipelineSchedule(
        name="nightly",
        enabled=False,
        cron="0 3 * * ? *",
        timezone="Europe/Berlin",
        parameters={"Mode": "full"},
        group_name="team",
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:mine",
        maximum_event_age_in_seconds=60,
        maximum_retry_attempts=0,
        flexible_window_minutes=15,
        description="every night",
        delete_after_run=True,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/mine",
    )
    assert wanted(schedule) == WantedSchedule(
        name="nightly",
        group="team",
        expression="cron(0 3 * * ? *)",
        target=StartsPipeline(f"{ARN}churn-train", {"Mode": "full"}),
        timezone="Europe/Berlin",
        state="DISABLED",
        description="every night",
        flexible_minutes=15,
        delete_after_run=True,
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:mine",
        max_age_seconds=60,
        max_attempts=0,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/mine",
    )


def test_nothing_is_mentioned_that_is_not_given() -> None:
    made = wanted(PipelineSchedule(name="nightly", cron="0 3 * * ? *", enabled=None))
    assert made == WantedSchedule("nightly", "app", "cron(0 3 * * ? *)", StartsPipeline(f"{ARN}churn-train"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (0.5, "0.5"), (1e-5, "1e-5"), (2.0, "2"), (True, "True"), (False, "False"), ("<$5", "<$5")],
)
def test_numbers_and_booleans_become_text(value: object, text: str) -> None:
    made = wanted(PipelineSchedule(rate=(1, "day"), parameters={"Value": value}))
    assert made.target == StartsPipeline(f"{ARN}churn-train", {"Value": text})


def test_values_that_scheduler_fills_in_are_accepted() -> None:
    PipelineSchedule(rate=(1, "day"), parameters={"Time": "<aws.scheduler.scheduled-time>"})


def test_an_enabled_of_none_is_disabled_in_the_sagemaker_sdk_and_not_mentioned_here() -> None:
    assert wanted(adopted(OfSageMaker("x", None, rate=(1, "day")))).state == "DISABLED"
    assert wanted(PipelineSchedule("x", None, rate=(1, "day"))).state is None


# Objects do not change


def test_sdk_1_a_schedule_does_not_change() -> None:
    schedule = PipelineSchedule(rate=(1, "day"))
    with pytest.raises(FrozenInstanceError):
        schedule.name = "p1"  # type: ignore[misc]


def test_sdk_1_an_object_of_the_sagemaker_sdk_is_left_as_it_is() -> None:
    theirs = OfSageMaker(rate=(1, "day"))
    before = copy.deepcopy(theirs)
    assert adopted(theirs).name is None
    assert theirs == before


def test_what_the_caller_changes_later_does_not_change_the_object() -> None:
    rate: list[int | str] = [5, "minutes"]
    parameters, pattern = {"Mode": "full"}, copy.deepcopy(PATTERN)
    schedule = PipelineSchedule(rate=rate, parameters=parameters)
    event = PipelineEventTrigger("x", pattern, parameters)
    rate[0], parameters["Mode"], pattern["source"][0] = 0, "", "aws.ec2"
    assert (schedule.rate, schedule.parameters) == ((5, "minutes"), {"Mode": "full"})
    assert (event.parameters, event.event_pattern) == ({"Mode": "full"}, PATTERN)


def test_objects_can_be_pickled_and_copied() -> None:
    for made in (
        PipelineSchedule("nightly", cron="0 3 * * ? *", parameters={"Mode": "full"}),
        PipelineEventTrigger("x", PATTERN),
    ):
        assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made


# What is refused when a schedule is made


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"rate": (0, "weeks")}, "rate"),
        ({"rate": (1,)}, "rate"),
        ({"rate": (1, "day", "x")}, "rate"),
        ({"rate": (True, "days")}, "rate"),
        ({"rate": (1.5, "days")}, "rate"),
        ({"rate": (-1, "days")}, "rate"),
        ({"rate": (1, "fortnight")}, "rate"),
        ({"rate": 5}, "rate"),
        ({"rate": {5: "days"}}, "rate"),
        ({"cron": "banana"}, "cron"),
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "0 3 * * ?"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": 5}, "cron"),
        ({"cron": "0 3 * * ? *)cron("}, "cron"),
        ({"at": date(2030, 1, 1)}, "at"),
        ({"at": 5}, "at"),
        ({"at": "tomorrow"}, "at"),
        ({"at": datetime(1900, 1, 1)}, "at"),
        ({"at": datetime(2200, 1, 1)}, "at"),
        ({"at": datetime.max.replace(tzinfo=UTC), "timezone": "Asia/Tokyo"}, "at"),
    ],
)
def test_sdk_16_an_expression_that_the_service_would_refuse_is_refused(arguments: dict[str, Any], field: str) -> None:
    assert refused(**arguments) == [field]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "x" * 65}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "é"}, "name"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": 5}, "timezone"),
        ({"timezone": "europe/berlin", "start_date": datetime(2030, 1, 1)}, "timezone"),
        ({"start_date": "soon"}, "start_date"),
        ({"start_date": date(2030, 1, 1)}, "start_date"),
        ({"end_date": 5}, "end_date"),
        ({"start_date": datetime(2030, 1, 2), "end_date": datetime(2030, 1, 1)}, "end_date"),
        ({"start_date": datetime(2030, 1, 1), "end_date": datetime(2030, 1, 1)}, "end_date"),
        ({"group_name": "a/b"}, "group_name"),
        ({"dead_letter_arn": "queue"}, "dead_letter_arn"),
        ({"dead_letter_arn": "arn:aws:sqs:us-east-1:123456789012:mine.fifo"}, "dead_letter_arn"),
        ({"maximum_event_age_in_seconds": 59}, "maximum_event_age_in_seconds"),
        ({"maximum_retry_attempts": 186}, "maximum_retry_attempts"),
        ({"flexible_window_minutes": 1441}, "flexible_window_minutes"),
        ({"description": "x" * 513}, "description"),
        ({"delete_after_run": "yes"}, "delete_after_run"),
        ({"kms_key_arn": "key"}, "kms_key_arn"),
        ({"parameters": ["Mode"]}, "parameters"),
        ({"parameters": {"Mode": ""}}, "parameters.Mode"),
        ({"parameters": {"Mode": None}}, "parameters.Mode"),
        ({"parameters": {"Mode": ["a"]}}, "parameters.Mode"),
        ({"parameters": {"Mode": "x" * 1025}}, "parameters.Mode"),
        ({"parameters": {"Mode": float("nan")}}, "parameters.Mode"),
        ({"parameters": {"Mode": "\ud800"}}, "parameters.Mode"),
        ({"parameters": {"Mode": "$.detail.mode"}}, "parameters.Mode"),
        ({"parameters": {"a b": "x"}}, "parameters.a b"),
        ({"parameters": {5: "x"}}, "parameters"),
        ({"parameters": {f"P{number}": "x" for number in range(201)}}, "parameters"),
    ],
)
def test_an_argument_that_the_service_would_refuse_is_refused_by_its_name(
    arguments: dict[str, Any], field: str
) -> None:
    assert refused(rate=(1, "day"), **arguments) == [field]


def test_a_schedule_needs_one_time_and_no_more() -> None:
    with pytest.raises(InvalidInputError, match=r"nothing says when\. Give one of at, rate and cron"):
        PipelineSchedule("nightly")
    with pytest.raises(InvalidInputError, match=r"rate and cron say when\. Give one of at, rate and cron"):
        PipelineSchedule(rate=(1, "day"), cron="0 3 * * ? *")


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert refused(name="a b", cron="banana", end_date=5, maximum_retry_attempts=-1) == [
        "cron",
        "end_date",
        "name",
        "maximum_retry_attempts",
    ]


def test_what_is_no_boolean_is_told_what_to_write() -> None:
    with pytest.raises(InvalidInputError, match="True or False"):
        PipelineSchedule(rate=(1, "day"), enabled="yes")  # type: ignore[arg-type]


def test_the_second_of_an_hour_that_the_clocks_show_twice_cannot_be_said_in_the_zone() -> None:
    second = datetime(2030, 10, 27, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time
    assert refused(at=second, timezone="Europe/Berlin") == ["at"]
    assert wanted(PipelineSchedule(at=second)).expression == "at(2030-10-27T01:30:00)"
    first = wanted(PipelineSchedule(at=second - timedelta(hours=1), timezone="Europe/Berlin"))
    assert first.expression == "at(2030-10-27T02:30:00)"


@pytest.mark.parametrize("other", [object(), None, "nightly", {"name": "x"}, OfSageMaker])
def test_what_is_no_trigger_is_refused(other: object) -> None:
    with pytest.raises(InvalidInputError):
        adopted(other)


def test_sdk_16_an_object_of_the_sagemaker_sdk_is_judged_as_well() -> None:
    with pytest.raises(InvalidInputError, match="rate: 0 is not a positive"):
        adopted(OfSageMaker(rate=(0, "weeks")))


# Event triggers


def test_an_event_trigger_is_that_of_a_trigger_file() -> None:
    event = PipelineEventTrigger(
        name="on-upload",
        event_pattern=PATTERN,
        parameters={"Key": "$.detail.object.key", "Rows": 5, "Note": {"value": "$.detail.note", "on_missing": "omit"}},
        state="SHADOW",
        description="a file",
        occurrence_key="$.detail.object.key",
        max_starts_per_hour=10,
        tags={"team": "churn"},
        version_id=3,
        display_name="upload",
        parallelism=2,
        role_arn="arn:aws:iam::123456789012:role/start",
    )
    assert event.to_trigger("churn-train", "churn").to_document() == {
        "name": "on-upload",
        "description": "a file",
        "state": "SHADOW",
        "tags": {"team": "churn"},
        "set": "churn",
        "event_pattern": PATTERN,
        "occurrence_key": "$.detail.object.key",
        "max_starts_per_hour": 10,
        "targets": [
            {
                "id": "churn-train",
                "pipeline": "churn-train",
                "version_id": 3,
                "parameters": {
                    "Key": "$.detail.object.key",
                    "Rows": "5",
                    "Note": {"value": "$.detail.note", "on_missing": "omit"},
                },
                "display_name": "upload",
                "parallelism": 2,
                "role_arn": "arn:aws:iam::123456789012:role/start",
            }
        ],
    }


def test_an_event_pattern_may_be_json() -> None:
    made = PipelineEventTrigger("x", '{"source": ["aws.s3"]}')
    assert made.event_pattern == {"source": ["aws.s3"]}


def test_an_event_trigger_may_be_disabled() -> None:
    assert PipelineEventTrigger("x", PATTERN, enabled=False).to_trigger("churn-train").state == "DISABLED"


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "a b"},
        {"name": "x" * 65},
        {"state": "OFF"},
        {"event_pattern": {}},
        {"event_pattern": {"source": "aws.s3"}},
        {"event_pattern": "{"},
        {"event_pattern": None},
        {"event_pattern": 5},
        {"parameters": {"Key": "$.detail["}},
        {"parameters": {"Key": None}},
        {"parameters": {5: "x"}},
        {"occurrence_key": "always"},
        {"role_arn": "role"},
        {"parallelism": 0},
    ],
)
def test_an_event_trigger_that_cannot_be_is_refused_when_it_is_made(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        PipelineEventTrigger(**{"name": "x", "event_pattern": PATTERN} | arguments)


def test_the_error_tells_what_is_wrong() -> None:
    with pytest.raises(InvalidPatternError):
        PipelineEventTrigger("x", {"source": []})
    with pytest.raises(InvalidTriggerError, match=r"targets\[0\].parameters.Key"):
        PipelineEventTrigger("x", PATTERN, {"Key": "$.detail["})


def test_whether_a_pattern_admits_its_own_pipeline_is_judged_with_the_pipeline() -> None:
    others = EXECUTIONS | {"detail": {"pipelineArn": [{"anything-but": [f"{ARN}churn-train"]}]}}
    event = PipelineEventTrigger("x", others)
    assert event.to_trigger(f"{ARN}churn-train").name == "x"
    with pytest.raises(InvalidTriggerError, match="itself"):
        event.to_trigger(f"{ARN}churn-score")
