"""EventBridge Scheduler's calls, as the embedded AWS answers them; moto's differences are in ``test_moto_fidelity``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from pipeline_triggers.local.emulator import LocalAws
from pipeline_triggers.local.schedules import CORRECTIONS
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.unit.local.support import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
DISTRUSTED = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
names = (f"s-{number}" for number in count())


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account with the roles ``scheduler``, and ``pipeline`` that only SageMaker may assume."""
    with LocalAws(port=0) as running:
        account = Account(running.url)
        account.role()
        account.role("pipeline", service="sagemaker.amazonaws.com")
        yield account


def request(*, role: str = "scheduler", target: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """A CreateSchedule request with a name of its own."""
    return {
        "Name": next(names),
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}", **(target or {})},
        **changed,
    }


def refusal(account: Account, operation: str, given: dict[str, Any]) -> tuple[str, str]:
    """Code and message of a call that fails."""
    with pytest.raises(ClientError) as raised:
        getattr(account.client("scheduler"), operation)(**given)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize("operation", ["create_schedule", "update_schedule"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ScheduleExpression": "cron(banana)"}, "Invalid Schedule Expression cron(banana)."),
        ({"ScheduleExpression": "rate(1 week)"}, "Invalid Schedule Expression rate(1 week)."),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid Schedule Expression Timezone Mars/Olympus."),
        ({"role": "nobody"}, DISTRUSTED),
        ({"role": "pipeline"}, DISTRUSTED),
    ],
)
def test_what_the_service_does_not_take_is_refused(
    account: Account, operation: str, changed: dict[str, Any], said: str
) -> None:
    given = request()
    account.client("scheduler").create_schedule(**given)
    name = {"Name": given["Name"] if operation == "update_schedule" else next(names)}
    assert refusal(account, operation, {**request(**changed), **name}) == ("ValidationException", said)
    assert account.client("scheduler").get_schedule(Name=given["Name"])["ScheduleExpression"] == "rate(1 hour)"


@pytest.mark.parametrize("expression", ["rate(1 hour)", "cron(0 3 * * ? *)"])
@pytest.mark.parametrize("operation", ["create_schedule", "update_schedule"])
def test_a_start_of_more_than_five_minutes_ago_is_refused(account: Account, operation: str, expression: str) -> None:
    given = request()
    if operation == "update_schedule":
        account.client("scheduler").create_schedule(**given)
    given |= {"ScheduleExpression": expression, "StartDate": datetime.now(UTC) - timedelta(minutes=5, seconds=2)}
    said = "The StartDate you specify cannot be earlier than 5 minutes ago."
    assert refusal(account, operation, given) == ("ValidationException", said)


def test_a_start_of_less_than_five_minutes_ago_and_any_of_a_one_time_schedule_are_taken(account: Account) -> None:
    scheduler, now = account.client("scheduler"), datetime.now(UTC)
    scheduler.create_schedule(**request(StartDate=now - timedelta(minutes=4, seconds=50)))
    at = request(ScheduleExpression="at(2096-01-01T00:00:00)", StartDate=now - timedelta(days=1))
    scheduler.create_schedule(**at)


def test_a_schedule_tells_the_defaults_of_what_was_left_out(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request(target={"RetryPolicy": {"MaximumRetryAttempts": 0}})
    scheduler.create_schedule(**given)
    told = scheduler.get_schedule(Name=given["Name"])
    assert told["GroupName"] == "default"
    assert (told["ScheduleExpressionTimezone"], told["State"]) == ("UTC", "ENABLED")
    assert told["ActionAfterCompletion"] == "NONE"
    assert told["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 0}


def test_an_update_brings_back_the_defaults_of_what_it_leaves_out(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request()
    full = {
        "State": "DISABLED",
        "ActionAfterCompletion": "DELETE",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "Description": "d",
        "EndDate": datetime(2096, 1, 1, tzinfo=UTC),
    }
    scheduler.create_schedule(**given, **full)
    scheduler.update_schedule(**given)
    told = scheduler.get_schedule(Name=given["Name"])
    assert [told.get(key) for key in full] == ["ENABLED", "NONE", "UTC", None, None]


def test_an_update_sets_what_follows_the_completion(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request()
    scheduler.create_schedule(**given)
    scheduler.update_schedule(**given, ActionAfterCompletion="DELETE")
    assert scheduler.get_schedule(Name=given["Name"])["ActionAfterCompletion"] == "DELETE"


def test_a_name_that_is_taken_is_a_conflict(account: Account) -> None:
    given = request()
    account.client("scheduler").create_schedule(**given)
    assert refusal(account, "create_schedule", given)[0] == "ConflictException"


def test_a_call_that_is_repeated_with_its_token_acts_once(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request(ClientToken="once")
    first = scheduler.create_schedule(**given)["ScheduleArn"]
    assert scheduler.create_schedule(**given)["ScheduleArn"] == first
    for _ in range(2):
        scheduler.delete_schedule(Name=given["Name"], ClientToken="gone")
    assert refusal(account, "delete_schedule", {"Name": given["Name"]})[0] == "ResourceNotFoundException"


def test_another_call_with_the_same_token_acts(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request(ClientToken="shared")
    scheduler.create_schedule(**given)
    assert refusal(account, "create_schedule", {**given, "Description": "d"})[0] == "ConflictException"


def test_a_refused_call_is_judged_again_when_it_is_repeated(account: Account) -> None:
    given = request(role="late", ClientToken="again")
    assert refusal(account, "create_schedule", given) == ("ValidationException", DISTRUSTED)
    account.role("late")
    assert account.client("scheduler").create_schedule(**given)["ScheduleArn"].endswith(given["Name"])


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("create_schedule", request(GroupName="missing")),
        ("update_schedule", request(GroupName="missing")),
        ("update_schedule", request()),
        ("get_schedule", {"Name": "s", "GroupName": "missing"}),
        ("delete_schedule", {"Name": "missing"}),
        ("list_schedules", {"GroupName": "missing"}),
        ("delete_schedule_group", {"Name": "missing"}),
    ],
)
def test_what_is_missing_is_told(account: Account, operation: str, given: dict[str, Any]) -> None:
    assert refusal(account, operation, given)[0] == "ResourceNotFoundException"


def test_the_schedules_of_one_group_and_of_all_are_listed(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request(GroupName="listed")
    scheduler.create_schedule_group(Name="listed")
    scheduler.create_schedule(**given)
    assert [each["Name"] for each in scheduler.list_schedules(GroupName="listed")["Schedules"]] == [given["Name"]]
    assert [each["Name"] for each in scheduler.list_schedules(NamePrefix=given["Name"])["Schedules"]] == [given["Name"]]


def test_a_group_is_made_once_and_goes_with_its_schedules(account: Account) -> None:
    scheduler, given = account.client("scheduler"), request(GroupName="team")
    scheduler.create_schedule_group(Name="team")
    scheduler.create_schedule(**given)
    assert refusal(account, "create_schedule_group", {"Name": "team"})[0] == "ConflictException"
    assert scheduler.get_schedule(Name=given["Name"], GroupName="team")["GroupName"] == "team"
    scheduler.delete_schedule_group(Name="team")
    assert refusal(account, "get_schedule_group", {"Name": "team"})[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("conditions", "group", "trusted"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, "default", True),
        ({"StringEquals": {"AWS:SourceAccount": "210987654321"}}, "default", False),
        ({"ArnEquals": {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/t"}}, "t", True),
        ({"ArnEquals": {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/t"}}, "default", False),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/*"}}, "default", True),
        ({"StringEquals": {"aws:SourceArn": f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/*"}}, "default", False),
        # The schedule's own ARN, with which people try first.
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/*"}}, "default", False),
        (
            {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "210987654321"], "aws:PrincipalTag/x": "1"}},
            "default",
            False,
        ),
        ({"Bool": {"aws:SourceAccount": ACCOUNT}}, "default", False),
    ],
)
def test_a_trust_policy_may_set_conditions_on_account_and_group(
    account: Account, conditions: dict[str, Any], group: str, trusted: bool
) -> None:
    scheduler, given = account.client("scheduler"), request(role=next(names), GroupName=group)
    account.role(given["Target"]["RoleArn"].rpartition("/")[2], Condition=conditions)
    if group not in {each["Name"] for each in scheduler.list_schedule_groups()["ScheduleGroups"]}:
        scheduler.create_schedule_group(Name=group)
    if trusted:
        scheduler.create_schedule(**given)
    else:
        assert refusal(account, "create_schedule", given) == ("ValidationException", DISTRUSTED)


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Deny"},
        {"Action": "sts:TagSession"},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
    ],
)
def test_a_role_that_does_not_let_the_service_assume_it_is_refused(account: Account, statement: dict[str, Any]) -> None:
    given = request(role=next(names))
    account.role(given["Target"]["RoleArn"].rpartition("/")[2], **statement)
    assert refusal(account, "create_schedule", given) == ("ValidationException", DISTRUSTED)


def test_a_statement_that_denies_outweighs_one_that_allows(account: Account) -> None:
    given = request(role=next(names))
    name = given["Target"]["RoleArn"].rpartition("/")[2]
    account.role(name)
    concerned = {"Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [{"Effect": "Allow", **concerned}, {"Effect": "Deny", **concerned}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    account.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=policy)
    assert refusal(account, "create_schedule", given) == ("ValidationException", DISTRUSTED)


def test_a_statement_may_name_several_services_and_all_actions_of_sts(account: Account) -> None:
    given = request(role=next(names))
    services = {"Service": ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]}
    account.role(given["Target"]["RoleArn"].rpartition("/")[2], Principal=services, Action=["sts:*"])
    assert account.client("scheduler").create_schedule(**given)


def test_every_correction_is_undone() -> None:
    def patched() -> list[object]:
        backend = EventBridgeSchedulerBackend
        methods = (backend.create_schedule, backend.list_schedules, backend.create_schedule_group)
        return [*methods, backend.delete_schedule_group, EventBridgeSchedulerResponse.update_schedule]

    # The embedded AWS of this file has them applied already.
    before = patched()
    for correction in CORRECTIONS:
        with correction():
            assert patched() != before
        assert patched() == before
