"""Change sets of the embedded AWS, and where moto's are not those of AWS."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.unit.local.support import Account

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "topic"}}
# moto cannot make a subscription to what does not exist.
BROKEN = {
    "Type": "AWS::SNS::Subscription",
    "Properties": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Endpoint": "x", "Protocol": "sqs"},
}
OUTPUTS = {"Url": {"Value": {"Ref": "Queue"}}}


def create(account: Account, kind: str, resources: dict[str, Any], *, description: str = "", **given: str) -> str:
    """The id of a new change set."""
    template = {
        "Description": description or kind,
        "Parameters": {"Size": {"Type": "String", "Default": "5"}},
        "Resources": resources,
        "Outputs": OUTPUTS,
    }
    answer = account.client("cloudformation").create_change_set(
        StackName="stack",
        ChangeSetName=f"{kind}-{abs(hash(json.dumps(template)))}",
        ChangeSetType=kind,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    return str(answer["Id"])


def deploy(account: Account, kind: str, resources: dict[str, Any], **more: str) -> Any:
    """Execute a new change set; the stack afterwards."""
    account.client("cloudformation").execute_change_set(ChangeSetName=create(account, kind, resources, **more))
    return stack(account)


def stack(account: Account) -> Any:
    return account.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]


def reasons(account: Account) -> list[str]:
    """The reasons in the stack's events, the last first."""
    events = account.client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    return [event.get("ResourceStatusReason", "") for event in events]


def test_a_change_set_without_a_change_is_made_and_says_so(aws: Account) -> None:
    deploy(aws, "CREATE", {"Queue": QUEUE}, description="same", Size="5")
    described = aws.client("cloudformation").describe_change_set(
        ChangeSetName=create(aws, "UPDATE", {"Queue": QUEUE}, description="same", Size="5")
    )
    assert described["Status"] == "FAILED"
    assert "didn't contain changes" in described["StatusReason"]


def test_a_stack_has_the_outputs_of_the_last_change_set(aws: Account) -> None:
    outputs = deploy(aws, "CREATE", {"Queue": QUEUE})["Outputs"]
    assert [(output["OutputKey"], output["OutputValue"].rpartition("/")[2]) for output in outputs] == [("Url", "queue")]


def test_a_stack_has_parameters_and_description_of_the_last_change_set(aws: Account) -> None:
    deploy(aws, "CREATE", {"Queue": QUEUE}, Size="6")
    updated = deploy(aws, "UPDATE", {"Queue": QUEUE, "Topic": TOPIC}, description="second", Size="7")
    assert (updated["Description"], updated["StackStatus"]) == ("second", "UPDATE_COMPLETE")
    assert updated["Parameters"] == [{"ParameterKey": "Size", "ParameterValue": "7"}]


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    """The traceback of a resource that cannot be made goes to the log."""
    caplog.set_level(logging.CRITICAL, "pipeline_triggers.local.changesets")


@pytest.mark.usefixtures("quiet_log")
def test_a_stack_whose_resource_cannot_be_made_has_failed_and_says_why(aws: Account) -> None:
    assert deploy(aws, "CREATE", {"Queue": QUEUE, "Broken": BROKEN})["StackStatus"] == "CREATE_FAILED"
    assert "Topic does not exist" in reasons(aws)[0]


@pytest.mark.usefixtures("quiet_log")
def test_an_update_that_failed_can_be_mended_by_the_next(aws: Account) -> None:
    deploy(aws, "CREATE", {"Queue": QUEUE})
    assert deploy(aws, "UPDATE", {"Queue": QUEUE, "Broken": BROKEN, "Topic": TOPIC})["StackStatus"] == "UPDATE_FAILED"
    mended = deploy(aws, "UPDATE", {"Queue": QUEUE, "Topic": TOPIC}, description="mended")
    assert mended["StackStatus"] == "UPDATE_COMPLETE"
    assert len(aws.client("sns").list_topics()["Topics"]) == 1


def test_moto_refuses_to_make_a_change_set_without_a_change(bare_moto: Account) -> None:
    deploy(bare_moto, "CREATE", {"Queue": QUEUE}, description="same", Size="5")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        create(bare_moto, "UPDATE", {"Queue": QUEUE}, description="same", Size="5")


def test_moto_gives_a_stack_that_a_change_set_made_no_outputs(bare_moto: Account) -> None:
    assert "Outputs" not in deploy(bare_moto, "CREATE", {"Queue": QUEUE})


def test_moto_keeps_the_parameters_of_before(bare_moto: Account) -> None:
    deploy(bare_moto, "CREATE", {"Queue": QUEUE}, description="same", Size="6")
    deploy(bare_moto, "UPDATE", {"Queue": QUEUE}, description="same", Size="7")
    described = bare_moto.client("cloudformation").describe_change_set(
        ChangeSetName=create(bare_moto, "UPDATE", {"Queue": QUEUE}, description="same", Size="6")
    )
    assert described["Status"] == "FAILED"  # "no changes"
