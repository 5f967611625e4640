"""EventBridge events pass as they are; direct alarms and schedules of this application become such."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.sources import eventbridge
from tests.unit.sources.payloads import only_event, only_malformed, payload

ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:churn-model-drift"
SCHEDULE = "arn:aws:scheduler:us-east-1:123456789012:schedule/pipeline-triggers/nightly"
AS_THEY_ARE = [
    "s3-object-created",
    "s3-object-deleted",
    "endpoint-status-in-service",
    "endpoint-deployment",
    "training-job-in-progress",
    "model-package-approved",
    "pipeline-execution-succeeded",
    "alarm-drift",
    "scheduled-rule",
    "custom-event",
    "custom-event-replayed",
]


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_an_event_passes_as_it_is(name: str) -> None:
    event = only_event(payload(name))
    assert event.envelope == payload(name)
    assert event.document == {**payload(name), "via": []}


def test_a_field_that_nobody_knows_stays() -> None:
    assert only_event({**payload("custom-event"), "trace-header": "Root=1"}).document["trace-header"] == "Root=1"


@pytest.mark.parametrize("field", ["id", "account", "region"])
def test_an_incomplete_event_is_refused_with_the_field(field: str) -> None:
    event = {name: value for name, value in payload("custom-event").items() if name != field}
    assert only_malformed(event).message == f"the payload is not an EventBridge event: {field} is missing"


def test_an_alarm_that_calls_the_function_itself_is_the_occurrence_that_eventbridge_reports() -> None:
    direct, told = only_event(payload("alarm-direct")), only_event(payload("alarm-drift"))
    assert direct.occurrence == told.occurrence
    assert direct.detail == told.detail
    assert (direct.account, direct.region, direct.resources) == ("123456789012", "us-east-1", (ALARM,))
    assert direct.id == only_event(payload("alarm-direct")).id


def test_two_alarms_that_call_the_function_have_two_ids() -> None:
    later = {**payload("alarm-direct"), "time": "2026-03-02T09:04:40.989+0000"}
    assert only_event(later).id != only_event(payload("alarm-direct")).id


@pytest.mark.parametrize("broken", [{"alarmArn": None}, {"alarmData": "x"}, {"alarmData": None}, {"accountId": None}])
def test_an_alarm_that_lacks_something_is_refused(broken: dict[str, Any]) -> None:
    assert only_malformed({**payload("alarm-direct"), **broken}).reason == "malformed-event"


def scheduled(**detail: object) -> dict[str, Any]:
    event = payload("scheduled-time")
    event["detail"] |= detail
    return dict(event)


def test_a_scheduled_time_is_completed_from_its_schedule() -> None:
    event = only_event(payload("scheduled-time"))
    assert (event.account, event.region, event.time) == ("123456789012", "us-east-1", "2026-03-02T02:00:00Z")
    assert event.resources == (SCHEDULE,)
    assert event.detail == payload("scheduled-time")["detail"]


def test_one_scheduled_time_always_has_the_same_id_and_another_time_another() -> None:
    assert only_event(scheduled()).id == only_event(scheduled()).id
    assert only_event(scheduled()).id != only_event(scheduled(scheduled_time="2026-03-03T02:00:00Z")).id


def test_what_a_scheduled_time_says_itself_is_kept() -> None:
    event = only_event({**scheduled(), "id": "mine", "region": "eu-west-1"})
    assert (event.id, event.region, event.account) == ("mine", "eu-west-1", "123456789012")


@pytest.mark.parametrize(
    "arn",
    [
        None,
        7,
        "",
        "arn:aws:events:us-east-1:123456789012:rule/nightly",
        SCHEDULE + "/more",
        SCHEDULE.rpartition("/")[0],
    ],
)
def test_a_scheduled_time_without_the_arn_of_a_schedule_is_refused(arn: object) -> None:
    assert "schedule_arn is not the ARN of a schedule" in only_malformed(scheduled(schedule_arn=arn)).message


@pytest.mark.parametrize("time", [None, "", 7])
def test_a_scheduled_time_without_time_is_refused(time: object) -> None:
    assert "scheduled_time is missing" in only_malformed(scheduled(scheduled_time=time)).message


def test_a_scheduled_time_without_detail_is_refused() -> None:
    event = {"source": "pipeline-triggers", "detail-type": "Scheduled Time"}
    assert only_malformed(event).reason == "malformed-event"


def test_other_internal_events_are_not_completed() -> None:
    event = {"source": "pipeline-triggers", "detail-type": "Other", "detail": {"schedule_arn": SCHEDULE}}
    assert "id is missing" in only_malformed(event).message


@pytest.mark.parametrize("document", [{}, {"detail": {}}, {"id": "7", "account": "123456789012", "detail": None}])
def test_a_sweep_needs_no_more_than_source_and_detail_type(document: dict[str, Any]) -> None:
    sweep = {"source": "pipeline-triggers", "detail-type": "Sweep", **document}
    event = only_event(sweep)
    assert (event.source, event.detail_type, event.detail) == ("pipeline-triggers", "Sweep", {})
    assert {name: event.envelope[name] for name in sweep} == sweep
    assert eventbridge.is_sweep(event.envelope)


@pytest.mark.parametrize("change", [{"source": "com.example"}, {"detail-type": "sweep"}, {"detail-type": ["Sweep"]}])
def test_only_this_application_asks_for_a_sweep(change: dict[str, Any]) -> None:
    assert not eventbridge.is_sweep({"source": "pipeline-triggers", "detail-type": "Sweep"} | change)
