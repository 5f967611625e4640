"""A schedule that goes through the application: its message in the schedule queue starts the trigger that it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.stacks import Stacks
from pipeline_triggers.domain.schedule_plans import SCHEDULE_ARN, SCHEDULED_TIME, TellsTrigger
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.local.stage import STACK

if TYPE_CHECKING:
    from pipeline_triggers.domain.schedule_plans import Defaults
    from pipeline_triggers.local.stage import Stage

NIGHTLY = Trigger.from_document(
    {
        "name": "features-nightly",
        "schedule_expression": "cron(0 3 * * ? *)",
        "timezone": "Europe/Berlin",
        "via": "app",
        "targets": [
            {
                "pipeline": "churn-features",
                "parameters": {
                    "Table": "nightly",
                    "Rows": "1",
                    "Partition": "$.detail.window_start",
                    "Note": "until <$.detail.window_end>",
                },
            }
        ],
    }
)


@pytest.fixture(scope="module")
def defaults(stage: Stage) -> Defaults:
    """What the deployed stack has for schedules; the trigger is written too."""
    current = stage.store.load()
    snapshot = Snapshot(0, (*current.triggers, NIGHTLY))
    stage.store.write(snapshot, expected_revision=current.revision, by="test")
    session = Session()
    session.set_credentials("123456789012", "local")
    clients = Clients(region="us-east-1", endpoint_url=stage.aws.url, session=session)
    return Stacks(clients).read(STACK).schedule_defaults


def fire(stage: Stage, queue_arn: str, time: str) -> None:
    """Send what EventBridge Scheduler sends for a schedule of the trigger, to a queue."""
    target: dict[str, Any] = {}
    TellsTrigger(queue_arn, NIGHTLY.name).written_into(target)
    schedule = f"arn:aws:scheduler:us-east-1:123456789012:schedule/{STACK}/{NIGHTLY.name}"
    body = target["Input"].replace(SCHEDULE_ARN, schedule).replace(SCHEDULED_TIME, time)
    sqs = stage.client("sqs")
    url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body)
    assert stage.poller.drain(30) == 0


def partitions(stage: Stage) -> list[str]:
    return sorted(it["parameters"]["Partition"] for it in stage.executions() if it["pipeline"] == "churn-features")


def test_each_time_of_a_schedule_starts_its_trigger_once_with_its_window(stage: Stage, defaults: Defaults) -> None:
    for time in ("2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"):
        fire(stage, defaults.queue_arn, time)
    assert partitions(stage) == ["2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"]


def test_the_same_message_in_another_queue_starts_nothing(stage: Stage, defaults: Defaults) -> None:
    before = partitions(stage)
    fire(stage, defaults.queue_arn.replace("-schedule", "-bus-event"), "2026-04-01T01:00:00Z")
    assert partitions(stage) == before


def test_the_roles_of_schedules_trust_the_group_of_the_stack(stage: Stage, defaults: Defaults) -> None:
    assert defaults.group == STACK
    for arn in (defaults.role_arn, defaults.queue_role_arn):
        role = stage.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
        source = statement["Condition"]["StringEquals"]["aws:SourceArn"]
        assert source == f"arn:aws:scheduler:us-east-1:123456789012:schedule-group/{STACK}"


def test_the_policy_of_authors_is_there_to_be_attached(stage: Stage, defaults: Defaults) -> None:
    assert stage.deployment is not None
    iam, arn = stage.client("iam"), stage.deployment.outputs["AuthorPolicyArn"]
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert policy["AttachmentCount"] == 0
    document = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
    passed = [one["Resource"] for one in document["Statement"] if one["Action"] == "iam:PassRole"]
    assert passed == [[defaults.role_arn, defaults.queue_role_arn]], json.dumps(document)
