"""What is asked of EventBridge Scheduler, and what its answers mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.domain.scheduler import Schedule, SchedulePage
from pipeline_triggers.errors import AwsError, NotFoundError, PermanentError, TransientError
from tests.fakes.clock import NOON
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/team/nightly"
SUMMARY = {
    "Arn": ARN,
    "GroupName": "team",
    "Name": "nightly",
    "State": "ENABLED",
    "CreationDate": NOON - timedelta(days=2),
    "LastModificationDate": NOON,
    "Target": {"Arn": PIPELINE_ARN},
}
WHOLE = SUMMARY | {
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "ScheduleExpressionTimezone": "Europe/Berlin",
    "StartDate": NOON,
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": PIPELINE_ARN,
        "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
        "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "5"}]},
    },
}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def scheduler(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.scheduler) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def schedules(clients: Clients) -> EventBridgeSchedules:
    return EventBridgeSchedules(clients)


def test_groups_come_from_all_pages(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_response(
        "list_schedule_groups", {"ScheduleGroups": [{"Name": "default"}], "NextToken": "two"}, {"MaxResults": 100}
    )
    scheduler.add_response(
        "list_schedule_groups", {"ScheduleGroups": [{"Name": "team"}]}, {"MaxResults": 100, "NextToken": "two"}
    )
    assert list(schedules.groups()) == ["default", "team"]


def test_a_page_has_the_schedules_with_their_targets(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    expected = {"GroupName": "team", "MaxResults": 100, "NextToken": "one"}
    scheduler.add_response("list_schedules", {"Schedules": [SUMMARY], "NextToken": "two"}, expected)
    found = schedules.page("team", "one")
    assert found == SchedulePage((Schedule(ARN, "team", "nightly", PIPELINE_ARN, NOON),), "two")


def test_the_last_page_has_no_token(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_response("list_schedules", {"Schedules": []}, {"GroupName": "team", "MaxResults": 100})
    assert schedules.page("team") == SchedulePage((), None)


def test_a_schedule_was_modified_when_it_was_made_or_changed_whichever_is_later(
    schedules: EventBridgeSchedules, scheduler: Stubber
) -> None:
    swapped = SUMMARY | {"CreationDate": NOON, "LastModificationDate": NOON - timedelta(days=2)}
    scheduler.add_response("list_schedules", {"Schedules": [swapped]}, {"GroupName": ANY, "MaxResults": ANY})
    assert schedules.page("team").schedules[0].modified_at == NOON


def test_a_definition_is_whole_and_json(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_response("get_schedule", WHOLE, {"GroupName": "team", "Name": "nightly"})
    found = schedules.get("team", "nightly")
    assert (found.arn, found.target_arn, found.modified_at) == (ARN, PIPELINE_ARN, NOON)
    assert json.loads(json.dumps(found.document)) == found.document
    assert found.document.keys() == WHOLE.keys()
    assert found.document["Target"] == WHOLE["Target"]
    assert datetime.fromisoformat(found.document["StartDate"]) == NOON


def test_times_keep_their_moment_whatever_their_zone(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    at = datetime(2026, 3, 14, 13, 0, 0, 123000, tzinfo=UTC)
    scheduler.add_response("get_schedule", WHOLE | {"EndDate": at.astimezone()})
    assert datetime.fromisoformat(schedules.get("team", "nightly").document["EndDate"]) == at


def test_a_schedule_that_is_not_there_is_not_found(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_client_error("get_schedule", "ResourceNotFoundException", http_status_code=404)
    with pytest.raises(NotFoundError, match="no schedule nightly in the group team"):
        schedules.get("team", "nightly")


def test_deleting_what_is_not_there_is_fine(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    expected = {"GroupName": "team", "Name": "nightly"}
    scheduler.add_response("delete_schedule", {}, expected)
    scheduler.add_client_error("delete_schedule", "ResourceNotFoundException", http_status_code=404)
    schedules.delete("team", "nightly")
    schedules.delete("team", "nightly")


def test_a_group_that_is_not_there_any_more_has_no_schedules(
    schedules: EventBridgeSchedules, scheduler: Stubber
) -> None:
    scheduler.add_client_error("list_schedules", "ResourceNotFoundException", http_status_code=404)
    assert schedules.page("team") == SchedulePage(())


GROUP_ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/team"


def test_the_tags_of_a_group_are_told(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    answer = {"Tags": [{"Key": "owner", "Value": "churn"}, {"Key": "stage", "Value": "prod"}]}
    scheduler.add_response("list_tags_for_resource", answer, {"ResourceArn": GROUP_ARN})
    assert schedules.tags(GROUP_ARN) == {"owner": "churn", "stage": "prod"}


def test_a_group_that_is_not_there_has_no_tags(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_client_error("list_tags_for_resource", "ResourceNotFoundException", http_status_code=404)
    assert schedules.tags(GROUP_ARN) == {}


@pytest.mark.parametrize("answer", [{}, {"Tags": [{}]}])
def test_tags_that_cannot_be_read_are_asked_for_again(
    schedules: EventBridgeSchedules, clients: Clients, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(clients.scheduler, "list_tags_for_resource", lambda **_: answer)
    with pytest.raises(TransientError) as raised:
        schedules.tags(GROUP_ARN)
    assert raised.value.reason == "unavailable"


REQUEST = {
    "Name": "nightly",
    "GroupName": "team",
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "StartDate": "2026-03-14T21:00:00+09:00",
    "EndDate": "2027-03-14T12:00:00+00:00",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": PIPELINE_ARN, "RoleArn": "arn:aws:iam::123456789012:role/scheduler"},
}
WRITES = ("create_schedule", "update_schedule")


@pytest.mark.parametrize("operation", WRITES)
def test_a_request_is_sent_as_it_is_with_its_times_as_moments(
    schedules: EventBridgeSchedules, scheduler: Stubber, operation: str
) -> None:
    times = {"StartDate": NOON, "EndDate": NOON.replace(year=2027)}
    scheduler.add_response(operation, {"ScheduleArn": ARN}, {**REQUEST, **times})
    assert write(schedules, operation, REQUEST) == ARN


@pytest.mark.parametrize("operation", WRITES)
def test_a_request_without_times_has_none(schedules: EventBridgeSchedules, scheduler: Stubber, operation: str) -> None:
    request = {key: value for key, value in REQUEST.items() if not key.endswith("Date")}
    scheduler.add_response(operation, {"ScheduleArn": ARN}, request)
    assert write(schedules, operation, request) == ARN


def test_creating_in_a_group_that_is_not_there_tells_the_group(
    schedules: EventBridgeSchedules, scheduler: Stubber
) -> None:
    scheduler.add_client_error("create_schedule", "ResourceNotFoundException", http_status_code=404)
    with pytest.raises(NotFoundError, match="no schedule group team"):
        schedules.create(REQUEST)


def test_updating_what_is_not_there_tells_the_schedule(schedules: EventBridgeSchedules, scheduler: Stubber) -> None:
    scheduler.add_client_error("update_schedule", "ResourceNotFoundException", http_status_code=404)
    with pytest.raises(NotFoundError, match="no schedule nightly in the group team"):
        schedules.update(REQUEST)


@pytest.mark.parametrize("operation", WRITES)
def test_a_request_that_botocore_refuses_is_permanent(schedules: EventBridgeSchedules, operation: str) -> None:
    with pytest.raises(PermanentError, match="Invalid length for parameter Target"):
        write(schedules, operation, {**REQUEST, "Target": {"Arn": "", "RoleArn": ""}})


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ServiceQuotaExceededException", "limit-exceeded"),
        ("ThrottlingException", "throttled"),
        ("InternalServerException", "unavailable"),
        ("AccessDeniedException", "denied-yet"),
        ("ConflictException", "conflict"),
        ("ValidationException", "refused-by-sagemaker"),
    ],
)
@pytest.mark.parametrize(
    "operation", ["list_schedule_groups", "list_schedules", "get_schedule", "delete_schedule", *WRITES]
)
def test_an_error_is_told_apart(
    schedules: EventBridgeSchedules, scheduler: Stubber, operation: str, code: str, reason: str
) -> None:
    scheduler.add_client_error(operation, code)
    with pytest.raises(AwsError) as raised:
        call(schedules, operation)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("list_schedule_groups", {"ScheduleGroups": [{}]}),
        ("list_schedules", {"Schedules": [SUMMARY | {"Target": {"Arn": PIPELINE_ARN}}, {}]}),
        ("list_schedules", {"Schedules": [{name: it for name, it in SUMMARY.items() if name != "Target"}]}),
        ("get_schedule", {}),
        ("get_schedule", {name: it for name, it in WHOLE.items() if name != "LastModificationDate"}),
    ],
)
def test_an_answer_that_lacks_something_is_asked_for_again(
    schedules: EventBridgeSchedules, scheduler: Stubber, operation: str, answer: dict[str, Any]
) -> None:
    scheduler.add_response(operation, answer)
    with pytest.raises(TransientError) as raised:
        call(schedules, operation)
    assert raised.value.reason == "unavailable"


def call(schedules: EventBridgeSchedules, operation: str) -> None:
    match operation:
        case "list_schedule_groups":
            list(schedules.groups())
        case "list_schedules":
            schedules.page("team")
        case "get_schedule":
            schedules.get("team", "nightly")
        case "delete_schedule":
            schedules.delete("team", "nightly")
        case _:
            write(schedules, operation, REQUEST)


def write(schedules: EventBridgeSchedules, operation: str, request: dict[str, Any]) -> str:
    return schedules.create(request) if operation == "create_schedule" else schedules.update(request)
