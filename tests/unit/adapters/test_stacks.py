"""What CloudFormation says about a stack, read into what the command line needs: moto's CloudFormation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.stacks import Stack, Stacks
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults
from pipeline_triggers.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OUTPUTS = {
    "ScheduleGroupName": "pt",
    "SchedulerRoleArn": "arn:aws:iam::123456789012:role/pt-scheduler",
    "ScheduleQueueRoleArn": "arn:aws:iam::123456789012:role/pt-schedule-queue",
    "ScheduleQueueArn": "arn:aws:sqs:us-east-1:123456789012:pt-schedule",
    "UndeliveredQueueArn": "arn:aws:sqs:us-east-1:123456789012:pt-undelivered",
}


@pytest.fixture
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield Clients(region="us-east-1")


def deployed(clients: Clients, outputs: Mapping[str, str]) -> Stack:
    """A stack with these outputs, as it is read."""
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    clients.client("cloudformation").create_stack(StackName="pt", TemplateBody=json.dumps(template))
    return Stacks(clients).read("pt")


def test_a_stack_says_what_new_schedules_get(clients: Clients) -> None:
    assert deployed(clients, OUTPUTS).schedule_defaults == Defaults(
        group="pt",
        role_arn="arn:aws:iam::123456789012:role/pt-scheduler",
        queue_role_arn="arn:aws:iam::123456789012:role/pt-schedule-queue",
        queue_arn="arn:aws:sqs:us-east-1:123456789012:pt-schedule",
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:pt-undelivered",
    )


def test_a_stack_of_an_older_version_can_be_read(clients: Clients) -> None:
    stack = deployed(clients, {})
    assert (stack.name, stack.home) == ("pt", Home("aws", "123456789012", "us-east-1"))


def test_a_stack_of_an_older_version_is_to_be_deployed_again_once_schedules_are_wanted(clients: Clients) -> None:
    older = {key: OUTPUTS[key] for key in ("ScheduleGroupName", "UndeliveredQueueArn")}
    stack = deployed(clients, older)
    with pytest.raises(ConfigurationError) as error:
        _ = stack.schedule_defaults
    assert "lack SchedulerRoleArn, ScheduleQueueRoleArn, ScheduleQueueArn" in str(error.value)
    assert "sam deploy" in str(error.value)


@pytest.mark.parametrize("key", OUTPUTS)
def test_each_of_the_outputs_is_needed(key: str) -> None:
    stack = Stack("pt", Home("aws", "123456789012", "us-east-1"), Delivered(), outputs={**OUTPUTS, key: ""})
    with pytest.raises(ConfigurationError, match=f"lack {key}"):
        _ = stack.schedule_defaults
