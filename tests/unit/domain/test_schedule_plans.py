"""What is sent to EventBridge Scheduler for a schedule that is new, changed or switched."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import (
    Defaults,
    StartsPipeline,
    TellsTrigger,
    WantedSchedule,
    changed,
    created,
    is_same_target,
    name_for,
    parameters_of,
    restored,
    starts_pipeline,
    switched,
)
from tests.fakes.clock import NOON
from tests.samples import PIPELINE_ARN

HOME = Home("aws", "123456789012", "us-east-1")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:app-schedule"
DEFAULTS = Defaults(
    group="app",
    role_arn="arn:aws:iam::123456789012:role/app-scheduler",
    queue_role_arn="arn:aws:iam::123456789012:role/app-schedule-queue",
    queue_arn=QUEUE,
    dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:app-undelivered",
)
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
NIGHTLY = WantedSchedule("nightly", "app", "cron(0 3 * * ? *)", StartsPipeline(PIPELINE_ARN))
HOURLY = replace(NIGHTLY, expression="rate(1 hour)")
TOLD = replace(NIGHTLY, target=TellsTrigger(QUEUE, "nightly"))
Document = dict[str, Any]


def answered(request: Document, at: datetime = NOON, before: Document | None = None) -> Document:
    """GetSchedule's answer after a request."""
    made = before["CreationDate"] if before else at.isoformat()
    arn = f"arn:aws:scheduler:us-east-1:123456789012:schedule/{request['GroupName']}/{request['Name']}"
    return copy.deepcopy(request) | {"Arn": arn, "CreationDate": made, "LastModificationDate": at.isoformat()}


def made(wanted: WantedSchedule, at: datetime = NOON, **document: Any) -> Document:
    """GetSchedule's answer after a schedule was made; ``document`` are keys that somebody has set beside."""
    return answered(created(wanted, DEFAULTS, at), at) | document


def sent(existing: Document, wanted: WantedSchedule, at: datetime = NOON) -> Document:
    request = changed(existing, wanted, at)
    assert request is not None
    return request


# New schedules


def test_a_new_schedule_has_the_defaults_where_nothing_is_mentioned() -> None:
    assert created(NIGHTLY, DEFAULTS, NOON) == {
        "Name": "nightly",
        "GroupName": "app",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "NONE",
        "Target": {
            "Arn": PIPELINE_ARN,
            "RoleArn": DEFAULTS.role_arn,
            "DeadLetterConfig": {"Arn": DEFAULTS.dead_letter_arn},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
            "SageMakerPipelineParameters": {},
        },
    }


def test_a_new_schedule_has_everything_that_is_mentioned() -> None:
    wanted = WantedSchedule(
        name="n",
        group="g",
        expression="rate(2 hours)",
        target=StartsPipeline(PIPELINE_ARN, {"Rows": "5"}),
        timezone="Europe/Berlin",
        start=NOON + timedelta(days=1),
        end=NOON + timedelta(days=2),
        state="DISABLED",
        description="often",
        flexible_minutes=15,
        delete_after_run=True,
        role_arn="arn:aws:iam::123456789012:role/mine",
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:mine",
        max_age_seconds=60,
        max_attempts=0,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/a",
    )
    assert created(wanted, DEFAULTS, NOON) == {
        "Name": "n",
        "GroupName": "g",
        "ScheduleExpression": "rate(2 hours)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "StartDate": "2026-03-15T12:00:00+00:00",
        "EndDate": "2026-03-16T12:00:00+00:00",
        "State": "DISABLED",
        "Description": "often",
        "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/a",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": PIPELINE_ARN,
            "RoleArn": "arn:aws:iam::123456789012:role/mine",
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:mine"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "5"}]},
        },
    }


def test_a_schedule_of_the_application_sends_the_name_of_its_trigger_to_the_queue_by_the_queues_role() -> None:
    target = created(TOLD, DEFAULTS, NOON)["Target"]
    assert (target["Arn"], target["RoleArn"]) == (QUEUE, DEFAULTS.queue_role_arn)
    assert json.loads(target["Input"]) == {
        "source": "pipeline-triggers",
        "detail-type": "Scheduled Time",
        "detail": {
            "trigger": "nightly",
            "schedule_arn": "<aws.scheduler.schedule-arn>",
            "scheduled_time": "<aws.scheduler.scheduled-time>",
        },
    }
    assert "SageMakerPipelineParameters" not in target


def test_a_start_in_another_zone_is_sent_in_utc() -> None:
    start = datetime(2026, 4, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    assert created(replace(NIGHTLY, start=start), DEFAULTS, NOON)["StartDate"] == "2026-04-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("expression", "start", "sent"),
    [
        ("rate(1 hour)", NOON - timedelta(minutes=3), "2026-03-14T11:57:00+00:00"),
        ("rate(1 hour)", NOON - timedelta(minutes=5), "2026-03-14T12:55:00+00:00"),
        ("rate(1 hour)", NOON - timedelta(days=900, minutes=13), "2026-03-14T12:47:00+00:00"),
        ("rate(1 hour)", NOON - timedelta(hours=5), "2026-03-14T13:00:00+00:00"),
        ("cron(0 3 * * ? *)", NOON - timedelta(minutes=5), None),
        ("at(2030-01-01T00:00:00)", NOON - timedelta(days=5), None),
        ("rate(1 hour)", datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "2026-03-14T13:00:00+00:00"),
    ],
)
def test_a_start_that_the_service_would_refuse_as_too_old_is_the_next_time_of_a_rate_or_left_out(
    expression: str, start: datetime, sent: str | None
) -> None:
    document = created(replace(NIGHTLY, expression=expression, start=start), DEFAULTS, NOON)
    assert document.get("StartDate") == sent


def test_an_end_beyond_the_calendar_in_utc_is_the_last_moment_there() -> None:
    end = datetime.max.replace(tzinfo=timezone(-timedelta(hours=14)))
    assert created(replace(NIGHTLY, end=end), DEFAULTS, NOON)["EndDate"] == "9999-12-31T23:59:59+00:00"


# Changes


def test_a_change_keeps_everything_that_is_not_mentioned() -> None:
    existing = made(
        replace(
            NIGHTLY, timezone="Asia/Tokyo", description="old", flexible_minutes=5, max_attempts=3, state="DISABLED"
        ),
        KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/a",
        EndDate="2030-01-01T00:00:00+00:00",
    )
    request = sent(existing, replace(NIGHTLY, expression="cron(0 4 * * ? *)"))
    unmentioned = {key: value for key, value in existing.items() if key in request}
    assert request == unmentioned | {"ScheduleExpression": "cron(0 4 * * ? *)"}
    assert existing.keys() - request.keys() == {"Arn", "CreationDate", "LastModificationDate"}


def test_what_is_complete_has_the_defaults_again_where_nothing_is_mentioned() -> None:
    existing = made(replace(NIGHTLY, timezone="Asia/Tokyo", description="old", flexible_minutes=5, state="DISABLED"))
    assert sent(existing, replace(NIGHTLY, complete=True)) == created(NIGHTLY, DEFAULTS, NOON)


def test_what_is_complete_keeps_role_and_dead_letter_queue_or_their_lack() -> None:
    existing = made(replace(NIGHTLY, role_arn="arn:aws:iam::123456789012:role/mine"))
    del existing["Target"]["DeadLetterConfig"]
    target = sent(existing, replace(NIGHTLY, complete=True, description="new"))["Target"]
    assert target["RoleArn"] == "arn:aws:iam::123456789012:role/mine"
    assert "DeadLetterConfig" not in target


def test_nothing_changed_is_no_request() -> None:
    assert changed(made(NIGHTLY), NIGHTLY, NOON) is None


@pytest.mark.parametrize(
    "existing",
    [
        made(NIGHTLY, State=None, ScheduleExpressionTimezone=None, ActionAfterCompletion=None, Description=None),
        made(NIGHTLY, StartDate="2026-01-01T00:00:00+00:00"),
        made(replace(NIGHTLY, target=StartsPipeline(PIPELINE_ARN.upper()))),
    ],
)
def test_another_spelling_of_the_same_is_no_change(existing: Document) -> None:
    assert changed(existing, NIGHTLY, NOON) is None
    assert changed(existing, replace(NIGHTLY, complete=True), NOON) is None


def test_the_order_of_parameters_is_no_change() -> None:
    existing = made(replace(NIGHTLY, target=StartsPipeline(PIPELINE_ARN, {"A": "1", "B": "2"})))
    assert changed(existing, replace(NIGHTLY, target=StartsPipeline(PIPELINE_ARN, {"B": "2", "A": "1"})), NOON) is None


def test_the_same_moment_in_another_zone_is_no_change() -> None:
    tokyo = timezone(timedelta(hours=9))
    existing = made(NIGHTLY, EndDate="2030-01-01T09:00:00+09:00", StartDate="2029-01-01T00:00:00+00:00")
    start, end = datetime(2029, 1, 1, 9, tzinfo=tokyo), datetime(2030, 1, 1, tzinfo=UTC)
    assert changed(existing, replace(NIGHTLY, start=start, end=end), NOON) is None


def test_an_empty_description_takes_the_old_one_away() -> None:
    assert "Description" not in sent(made(replace(NIGHTLY, description="old")), replace(NIGHTLY, description=""))


@pytest.mark.parametrize(
    ("target", "parameters"),
    [
        (StartsPipeline(PIPELINE_ARN), {"A": "1", "B": "2"}),
        (StartsPipeline(PIPELINE_ARN, {"A": "9"}), {"A": "9"}),
        (StartsPipeline(PIPELINE_ARN, {}), {}),
        (StartsPipeline(PIPELINE_ARN, {"A": "9", "C": "3"}, added=True), {"A": "9", "B": "2", "C": "3"}),
        (StartsPipeline(PIPELINE_ARN, removed=("A", "Z")), {"B": "2"}),
        (StartsPipeline(PIPELINE_ARN, {"C": "3"}, added=True, removed=("A",)), {"B": "2", "C": "3"}),
    ],
)
def test_parameters_are_kept_replaced_added_or_removed(target: StartsPipeline, parameters: dict[str, str]) -> None:
    existing = made(replace(NIGHTLY, target=StartsPipeline(PIPELINE_ARN, {"A": "1", "B": "2"})))
    assert parameters_of(sent(existing, replace(NIGHTLY, target=target, description="new"))["Target"]) == parameters


def test_one_number_of_the_retry_policy_is_changed_without_the_other() -> None:
    existing = made(replace(NIGHTLY, max_age_seconds=600, max_attempts=7))
    retry = sent(existing, replace(NIGHTLY, max_attempts=0))["Target"]["RetryPolicy"]
    assert retry == {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 0}


def test_no_flexible_window_is_not_the_same_as_none_mentioned() -> None:
    existing = made(replace(NIGHTLY, flexible_minutes=5))
    assert changed(existing, NIGHTLY, NOON) is None
    assert sent(existing, replace(NIGHTLY, flexible_minutes=0))["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_a_schedule_whose_expression_is_not_understood_here_can_still_be_described_and_switched() -> None:
    existing = made(NIGHTLY, ScheduleExpression="rate(1 fortnight)", StartDate="2020-01-01T00:00:00+00:00")
    assert sent(existing, NIGHTLY)["ScheduleExpression"] == "cron(0 3 * * ? *)"
    switch = switched(existing, "DISABLED", NOON)
    assert switch is not None
    assert switch["ScheduleExpression"] == "rate(1 fortnight)"


# Rates keep their rhythm


def test_a_rate_is_not_anchored_anew_by_a_change() -> None:
    existing = made(replace(HOURLY, start=NOON + timedelta(minutes=17)))
    later = NOON + timedelta(days=3)
    assert sent(existing, replace(HOURLY, description="x"), later)["StartDate"] == "2026-03-17T12:17:00+00:00"
    assert changed(existing, HOURLY, later) is None


def test_a_rate_without_a_start_goes_on_from_when_it_was_made_or_last_changed() -> None:
    existing = made(HOURLY, NOON + timedelta(minutes=23))
    assert "StartDate" not in existing
    request = sent(existing, replace(HOURLY, description="x"), NOON + timedelta(days=3))
    assert request["StartDate"] == "2026-03-17T12:23:00+00:00"
    existing["LastModificationDate"] = (NOON + timedelta(minutes=29)).isoformat()
    request = sent(existing, replace(HOURLY, description="x"), NOON + timedelta(days=3))
    assert request["StartDate"] == "2026-03-17T12:29:00+00:00"


def test_a_start_that_has_just_passed_is_not_sent_again_lest_it_fires_again() -> None:
    existing = made(replace(HOURLY, start=NOON))
    request = sent(existing, replace(HOURLY, description="x"), NOON + timedelta(minutes=1))
    assert request["StartDate"] == "2026-03-14T13:00:00+00:00"


def test_another_rate_counts_from_the_same_start() -> None:
    existing = made(replace(HOURLY, start=NOON + timedelta(minutes=17)))
    request = sent(existing, replace(HOURLY, expression="rate(2 hours)"), NOON + timedelta(minutes=30))
    assert request["StartDate"] == "2026-03-14T14:17:00+00:00"


def test_another_rate_of_a_schedule_without_a_start_begins_now() -> None:
    request = sent(made(HOURLY), replace(HOURLY, expression="rate(2 hours)"), NOON + timedelta(minutes=30))
    assert "StartDate" not in request


def test_the_same_rate_in_other_words_goes_on() -> None:
    request = sent(made(HOURLY), replace(HOURLY, expression="rate(60 minutes)"), NOON + timedelta(minutes=30))
    assert request["StartDate"] == "2026-03-14T13:00:00+00:00"


def test_a_new_start_is_a_new_rhythm() -> None:
    existing = made(replace(HOURLY, start=NOON + timedelta(minutes=17)))
    start = NOON + timedelta(days=1, minutes=5)
    assert sent(existing, replace(HOURLY, start=start))["StartDate"] == "2026-03-15T12:05:00+00:00"


def test_a_rate_that_is_complete_goes_on_although_it_names_no_start() -> None:
    whole = replace(HOURLY, complete=True)
    later = NOON + timedelta(days=3, minutes=5)
    moved = sent(made(whole), replace(whole, description="x"), later)
    assert moved["StartDate"] == "2026-03-17T13:00:00+00:00"
    assert changed(answered(moved, later), replace(whole, description="x"), later) is None


def test_a_start_to_come_goes_when_what_is_complete_names_none() -> None:
    whole = replace(HOURLY, complete=True)
    existing = made(replace(whole, start=NOON + timedelta(days=9)))
    assert "StartDate" not in sent(existing, whole)


def test_the_rhythm_is_the_same_at_the_very_moment_of_a_firing() -> None:
    long_ago = replace(HOURLY, start=NOON - timedelta(days=9))
    assert changed(made(HOURLY, StartDate=NOON.isoformat()), long_ago, NOON) is None


def test_a_fraction_of_a_second_is_no_other_rhythm() -> None:
    existing = made(HOURLY, StartDate="2026-03-13T10:00:00.305000+00:00")
    now = NOON + timedelta(milliseconds=100)
    assert changed(existing, replace(HOURLY, start=NOON - timedelta(days=1, hours=2)), now) is None


def test_a_rate_that_is_over_is_sent_without_a_start_after_its_end() -> None:
    existing = made(replace(HOURLY, start=NOON, end=NOON + timedelta(hours=3)))
    request = sent(existing, replace(HOURLY, description="x"), NOON + timedelta(days=3))
    assert "StartDate" not in request


# Switching


def test_a_switch_changes_nothing_but_the_state() -> None:
    existing = made(replace(NIGHTLY, timezone="Asia/Tokyo", description="d", flexible_minutes=5))
    request = switched(existing, "DISABLED", NOON)
    assert request is not None
    assert request == {key: existing[key] for key in request} | {"State": "DISABLED"}
    assert existing.keys() - request.keys() == {"Arn", "CreationDate", "LastModificationDate"}


@pytest.mark.parametrize("state", ["ENABLED", None])
def test_a_switch_to_what_it_is_already_is_no_request(state: str | None) -> None:
    existing = made(NIGHTLY, State=state)
    if state is None:
        del existing["State"]
    assert switched(existing, "ENABLED", NOON) is None


def test_a_switch_does_not_anchor_a_rate_anew() -> None:
    existing = made(HOURLY, NOON + timedelta(minutes=23))
    request = switched(existing, "DISABLED", NOON + timedelta(days=3))
    assert request is not None
    assert request["StartDate"] == "2026-03-17T12:23:00+00:00"


# Putting back


@pytest.mark.parametrize(
    "wanted",
    [
        replace(NIGHTLY, timezone="Asia/Tokyo", description="d", flexible_minutes=5, state="DISABLED"),
        replace(NIGHTLY, start=NOON + timedelta(days=30), end=NOON + timedelta(days=60)),
        replace(NIGHTLY, expression="at(2030-01-01T00:00:00)", delete_after_run=True),
        replace(HOURLY, start=NOON + timedelta(days=30)),
        TOLD,
    ],
)
def test_a_schedule_is_put_back_as_it_was(wanted: WantedSchedule) -> None:
    existing = made(wanted)
    request = restored(existing, NOON + timedelta(days=3))
    assert request == {key: existing[key] for key in request}
    assert existing.keys() - request.keys() == {"Arn", "CreationDate", "LastModificationDate"}


def test_a_rate_that_is_put_back_goes_on_in_its_rhythm() -> None:
    """Without a start date it would fire at once."""
    existing = made(HOURLY, NOON + timedelta(minutes=23))
    request = restored(existing, NOON + timedelta(days=3))
    assert request.pop("StartDate") == "2026-03-17T12:23:00+00:00"
    assert request == {key: existing[key] for key in request}


def test_a_start_date_that_has_passed_is_not_sent_again() -> None:
    existing = made(replace(NIGHTLY, start=NOON))
    assert "StartDate" not in restored(existing, NOON + timedelta(days=3))


# What a schedule starts


@pytest.mark.parametrize(
    ("existing", "wanted", "same"),
    [
        ({"Arn": PIPELINE_ARN}, NIGHTLY, True),
        ({"Arn": PIPELINE_ARN.upper()}, NIGHTLY, True),
        ({"Arn": f"{PIPELINE_ARN}-2"}, NIGHTLY, False),
        ({"Arn": PIPELINE_ARN.replace("us-east-1", "eu-west-1")}, NIGHTLY, False),
        ({"Arn": QUEUE, "Input": '{"detail": {"trigger": "nightly"}}'}, NIGHTLY, False),
        ({"Arn": QUEUE, "Input": '{"detail": {"trigger": "nightly"}}'}, TOLD, True),
        ({"Arn": QUEUE, "Input": '{"detail": {"trigger": "other"}}'}, TOLD, False),
        ({"Arn": QUEUE.upper(), "Input": '{"detail": {"trigger": "nightly"}}'}, TOLD, False),
        ({"Arn": QUEUE, "Input": '{"detail": "nightly"}'}, TOLD, False),
        ({"Arn": QUEUE, "Input": '["nightly"]'}, TOLD, False),
        ({"Arn": QUEUE, "Input": "nightly"}, TOLD, False),
        ({"Arn": QUEUE, "Input": "[" * 100_000}, TOLD, False),
        ({"Arn": QUEUE}, TOLD, False),
    ],
)
def test_a_schedule_is_the_same_when_it_starts_the_same(existing: Document, wanted: WantedSchedule, same: bool) -> None:
    assert is_same_target({"Target": existing}, wanted) is same


@pytest.mark.parametrize(
    ("target", "starts"),
    [
        ({"Arn": PIPELINE_ARN}, True),
        ({"Arn": PIPELINE_ARN.upper()}, True),
        ({"Arn": f"{PIPELINE_ARN}-2"}, False),
        ({"Arn": UNIVERSAL, "Input": '{"PipelineName": "churn-train"}'}, True),
        ({"Arn": UNIVERSAL, "Input": f'{{"PipelineName": "{PIPELINE_ARN}"}}'}, True),
        ({"Arn": UNIVERSAL.lower(), "Input": '{"PipelineName": "Churn-Train"}'}, True),
        ({"Arn": UNIVERSAL, "Input": '{"PipelineName": "churn-train-2"}'}, False),
        ({"Arn": UNIVERSAL, "Input": '{"PipelineName": 5}'}, False),
        ({"Arn": UNIVERSAL, "Input": "[]"}, False),
        ({"Arn": UNIVERSAL, "Input": "churn-train"}, False),
        ({"Arn": UNIVERSAL}, False),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deletePipeline", "Input": '{"PipelineName": "x"}'}, False),
        ({"Arn": QUEUE, "Input": '{"PipelineName": "churn-train"}'}, False),
    ],
)
def test_a_schedule_may_start_a_pipeline_in_two_ways(target: Document, starts: bool) -> None:
    assert starts_pipeline({"Target": target}, PIPELINE_ARN, HOME) is starts


# Names


@pytest.mark.parametrize("pipeline", ["a", "churn-train", "p" * 55, "p" * 256])
def test_a_name_that_is_made_up_is_accepted_by_the_service(pipeline: str) -> None:
    name = name_for(pipeline, "rate(1 day)")
    assert len(name) <= 64
    assert name.startswith(pipeline[:55])


def test_a_name_that_is_made_up_differs_by_pipeline_expression_and_zone_and_by_nothing_else() -> None:
    names = {
        name_for("p" * 100, "rate(1 day)"),
        name_for("p" * 101, "rate(1 day)"),
        name_for("p" * 100, "rate(2 days)"),
        name_for("p" * 100, "rate(1 day)", "Asia/Tokyo"),
    }
    assert len(names) == 4
    assert name_for("p", "rate(1 day)") == name_for("p", "rate(1 day)", "UTC")


# Of any schedules

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))
SUCCESSIVE = st.lists(MOMENTS, min_size=3, max_size=3).map(sorted)
EXPRESSIONS = st.sampled_from(
    [
        "rate(1 hour)",
        "rate(60 minutes)",
        "rate(7 minutes)",
        "rate(3 days)",
        "cron(0 3 * * ? *)",
        "at(2030-01-01T00:00:00)",
    ]
)
TARGETS: st.SearchStrategy[StartsPipeline | TellsTrigger] = st.builds(
    StartsPipeline,
    st.sampled_from([PIPELINE_ARN, PIPELINE_ARN.replace("churn", "Churn")]),
    st.none() | st.dictionaries(st.sampled_from("ABC"), st.sampled_from("12")),
    st.booleans(),
    st.lists(st.sampled_from("BCD"), max_size=2).map(tuple),
)


def perhaps(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


WANTED = st.builds(
    WantedSchedule,
    name=st.just("nightly"),
    group=st.just("app"),
    expression=EXPRESSIONS,
    target=TARGETS,
    timezone=perhaps("UTC", "Europe/Berlin"),
    start=st.none() | MOMENTS,
    end=st.none() | MOMENTS,
    state=perhaps("ENABLED", "DISABLED"),
    description=perhaps("", "a", "b"),
    flexible_minutes=perhaps(0, 5),
    delete_after_run=perhaps(True, False),
    role_arn=perhaps("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"),
    dead_letter_arn=perhaps(QUEUE),
    max_age_seconds=perhaps(60, 3600),
    max_attempts=perhaps(0, 185),
    kms_key_arn=perhaps("arn:aws:kms:us-east-1:123456789012:key/a"),
    complete=st.booleans(),
)
PATIENT = settings(max_examples=100, deadline=None)


def phase(document: Document) -> object:
    """Where in its rhythm a rate is, by its start or its last change."""
    every = {"rate(1 hour)": 60, "rate(60 minutes)": 60, "rate(7 minutes)": 7, "rate(3 days)": 3 * 1440}
    minutes = every[document["ScheduleExpression"]]
    origin = datetime.fromisoformat(document.get("StartDate") or document["LastModificationDate"])
    return int(origin.timestamp()) % (minutes * 60)


@PATIENT
@given(WANTED, MOMENTS, MOMENTS)
def test_what_was_made_as_wanted_is_not_written_again_at_any_time(
    wanted: WantedSchedule, at: datetime, later: datetime
) -> None:
    existing = answered(created(wanted, DEFAULTS, at), at)
    again = replace(wanted, role_arn=existing["Target"]["RoleArn"])
    again = replace(again, dead_letter_arn=existing["Target"]["DeadLetterConfig"]["Arn"])
    assert changed(existing, again, max(at, later)) is None


@PATIENT
@given(WANTED, WANTED, SUCCESSIVE)
def test_a_change_is_written_once_and_not_again(
    first: WantedSchedule, second: WantedSchedule, moments: list[datetime]
) -> None:
    at, then, later = moments
    existing = answered(created(first, DEFAULTS, at), at)
    request = changed(existing, second, then)
    if request is not None:
        existing = answered(request, then, existing)
    assert changed(existing, second, later) is None


@PATIENT
@given(WANTED, WANTED, SUCCESSIVE)
def test_a_change_leaves_alone_what_is_not_mentioned(
    first: WantedSchedule, second: WantedSchedule, moments: list[datetime]
) -> None:
    at, then, _ = moments
    existing = answered(created(first, DEFAULTS, at), at)
    wanted = replace(second, complete=False)
    request = changed(existing, wanted, then) or {key: existing[key] for key in existing}
    of = {
        "ScheduleExpressionTimezone": wanted.timezone,
        "EndDate": wanted.end,
        "State": wanted.state,
        "Description": wanted.description,
        "KmsKeyArn": wanted.kms_key_arn,
        "FlexibleTimeWindow": wanted.flexible_minutes,
        "ActionAfterCompletion": wanted.delete_after_run,
    }
    for key, mentioned in of.items():
        if mentioned is None:
            assert request.get(key) == existing.get(key)
    for key, mentioned in {"RoleArn": wanted.role_arn, "DeadLetterConfig": wanted.dead_letter_arn}.items():
        if mentioned is None:
            assert request["Target"][key] == existing["Target"][key]
    assert request["Target"]["Arn"] == existing["Target"]["Arn"]


@PATIENT
@given(WANTED, WANTED, SUCCESSIVE)
def test_a_rate_whose_start_nobody_mentions_keeps_its_phase(
    first: WantedSchedule, second: WantedSchedule, moments: list[datetime]
) -> None:
    at, then, _ = moments
    first = replace(first, expression="rate(7 minutes)", end=None)
    second = replace(second, expression="rate(7 minutes)", start=None, end=None, complete=False)
    existing = answered(created(first, DEFAULTS, at), at)
    request = changed(existing, second, then)
    if request is not None:
        assert phase(answered(request, then, existing)) == phase(existing)


@PATIENT
@given(WANTED, WANTED, SUCCESSIVE)
def test_no_request_has_a_start_that_the_service_refuses(
    first: WantedSchedule, second: WantedSchedule, moments: list[datetime]
) -> None:
    at, then, _ = moments
    existing = answered(created(first, DEFAULTS, at), at)
    for request in (changed(existing, second, then), switched(existing, "DISABLED", then), restored(existing, then)):
        if request and "StartDate" in request:
            assert datetime.fromisoformat(request["StartDate"]) > then - timedelta(minutes=5)
