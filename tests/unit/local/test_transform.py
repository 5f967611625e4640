"""A SAM template that is sent to CloudFormation as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.transform import expand

if TYPE_CHECKING:
    from tests.unit.local.support import Account

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Names: {Type: CommaDelimitedList, Default: "one,two"}
  Size: {Type: Number, Default: 5}
Resources:
  Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: !Ref Names}}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: queue, VisibilityTimeout: !Ref Size}}
  Table: {Type: AWS::Serverless::SimpleTable}
Outputs:
  RuleName: {Value: !Ref Rule}
"""


def change_set(account: Account, *, kind: str = "CREATE", template: str = TEMPLATE, **given: str | bool) -> Any:
    """Execute a change set with these parameters, True meaning the previous value; the stack afterwards."""
    cloudformation = account.client("cloudformation")
    parameters = [
        {"ParameterKey": name, **({"UsePreviousValue": True} if value is True else {"ParameterValue": value})}
        for name, value in given.items()
    ]
    about = {"StackName": "sam", "ChangeSetName": f"set-{kind}-{len(given)}"}
    cloudformation.create_change_set(**about, ChangeSetType=kind, TemplateBody=template, Parameters=parameters)
    cloudformation.execute_change_set(**about)
    return cloudformation.describe_stacks(StackName="sam")["Stacks"][0]


def pattern_of(account: Account) -> str:
    """The event pattern of the stack's rule."""
    events = account.client("events")
    (rule,) = events.list_rules()["Rules"]
    return str(rule["EventPattern"])


def told(stack: Any) -> dict[str, str]:
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}


def test_a_change_set_makes_what_the_transform_makes_of_the_template(aws: Account) -> None:
    stack = change_set(aws)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert len(aws.client("dynamodb").list_tables()["TableNames"]) == 1


def test_a_parameter_that_is_not_given_has_its_default(aws: Account) -> None:
    assert told(change_set(aws)) == {"Names": "one,two", "Size": "5"}
    assert pattern_of(aws) == '{"source": ["one", "two"]}'


def test_a_parameter_that_is_given_has_that_value(aws: Account) -> None:
    assert told(change_set(aws, Names="three", Size="7")) == {"Names": "three", "Size": "7"}
    assert pattern_of(aws) == '{"source": ["three"]}'


def test_an_update_may_keep_previous_values(aws: Account) -> None:
    change_set(aws, Names="three", Size="7")
    assert told(change_set(aws, kind="UPDATE", Names=True, Size="8")) == {"Names": "three", "Size": "8"}
    assert pattern_of(aws) == '{"source": ["three"]}'


def test_previous_values_are_those_of_the_last_update(aws: Account) -> None:
    change_set(aws, Names="three")
    change_set(aws, kind="UPDATE", Names="four")
    assert told(change_set(aws, kind="UPDATE", Names=True, Size=True)) == {"Names": "four", "Size": "5"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_template_may_lie_in_a_bucket(aws: Account, host: str) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="uploads")
    s3.put_object(Bucket="uploads", Key="folder/a b.template", Body=TEMPLATE.encode())
    url = f"{aws.url}/uploads/folder/a%20b.template".replace("127.0.0.1", host)
    aws.client("cloudformation").create_stack(StackName="sam", TemplateURL=url)
    assert len(aws.client("dynamodb").list_tables()["TableNames"]) == 1


def test_a_template_that_the_transform_refuses_is_refused_with_its_reason(aws: Account) -> None:
    with pytest.raises(ClientError, match=r"the transform AWS::Serverless-2016-10-31 failed: .*PrimaryKye") as refused:
        change_set(aws, template=TEMPLATE.replace("SimpleTable", "SimpleTable, Properties: {PrimaryKye: {}}"))
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_an_unknown_parameter_is_refused(aws: Account) -> None:
    with pytest.raises(ClientError, match="no parameter Nams; it has Names, Size"):
        change_set(aws, Nams="one")


def test_a_missing_parameter_is_refused(aws: Account) -> None:
    with pytest.raises(ClientError, match="needs a value for Names"):
        change_set(aws, template=TEMPLATE.replace(', Default: "one,two"', ""))


def test_a_new_parameter_has_no_previous_value(aws: Account) -> None:
    change_set(aws)
    template = TEMPLATE.replace("Parameters:\n", "Parameters:\n  New: {Type: String}\n")
    with pytest.raises(ClientError, match="parameter New has no previous value"):
        change_set(aws, kind="UPDATE", template=template, New=True)


def test_a_template_without_a_transform_passes_as_it_is(aws: Account) -> None:
    plain = TEMPLATE.replace("Transform: AWS::Serverless-2016-10-31\n", "")
    template = plain.replace("Serverless::SimpleTable", "SNS::Topic")
    stack = change_set(aws, template=template, Names="three", Size="7")
    assert stack["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("text", ["", "just text", "a: [1", "[]", "Transform: [1, 2]", "Transform: {Name: x}"])
def test_what_is_no_sam_template_is_left_to_cloudformation(aws: Account, text: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("cloudformation").create_stack(StackName="sam", TemplateBody=text or " ")
    assert "transform" not in str(refused.value)


@pytest.mark.parametrize("path", ["uploads/missing.template", "missing/a.template", ""])
def test_a_template_that_was_not_uploaded_is_refused(aws: Account, path: str) -> None:
    aws.client("s3").create_bucket(Bucket="uploads")
    with pytest.raises(ClientError):
        aws.client("cloudformation").create_stack(StackName="sam", TemplateURL=f"{aws.url}/{path}")


@pytest.mark.filterwarnings("ignore:Tried to parse AWS..Serverless..SimpleTable")
def test_moto_does_not_know_the_transform(bare_moto: Account) -> None:
    change_set(bare_moto, Names="three", Size="7")
    assert bare_moto.client("dynamodb").list_tables()["TableNames"] == []


def test_expanding_leaves_the_template_as_it_was() -> None:
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"T": {"Type": "AWS::Serverless::SimpleTable"}}}
    assert expand(template, {})["Resources"]["T"]["Type"] == "AWS::DynamoDB::Table"
    assert template["Resources"] == {"T": {"Type": "AWS::Serverless::SimpleTable"}}


def test_a_template_that_cannot_be_expanded_says_why() -> None:
    with pytest.raises(ConfigurationError, match=r"the transform .* failed"):
        expand({"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {}}}}, {})
