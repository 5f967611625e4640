"""From a SAM template to a stack in the embedded AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.deployment import deploy, read_template
from pipeline_triggers.local.transform import parameter_values

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.local.support import Account

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Sources: {Type: CommaDelimitedList, Default: ""}
  Interval: {Type: Number, Default: 1}
  EndpointUrl: {Type: String, Default: ""}
Conditions:
  HasSources: !Not [!Equals [!Join ["", !Ref Sources], ""]]
Globals:
  Function: {Runtime: python3.13, Timeout: 7, Layers: [!Ref Layer], Environment: {Variables: {INTERVAL: !Ref Interval}}}
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${AWS::StackName}-queue", VisibilityTimeout: 42}}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
  Rule:
    Type: AWS::Events::Rule
    Condition: HasSources
    Properties: {EventPattern: {source: !Ref Sources}, Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${AWS::StackName}-topic"}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: sns:Publish, Resource: !Ref Topic}]
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Queue.Arn}
  Group: {Type: AWS::Scheduler::ScheduleGroup, Properties: {Name: !Ref AWS::StackName}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${AWS::StackName}-alarm
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]
      Period: 60
      Statistic: Maximum
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-worker"
      CodeUri: functions/worker
      Handler: app.handler
      MemorySize: 256
      Role: !GetAtt Role.Arn
      Environment: {Variables: {QUEUE: !GetAtt Queue.QueueName, EMPTY: "", HAS: !If [HasSources, "yes", "no"]}}
      Events:
        Queue:
          Type: SQS
          Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures]}
Outputs:
  QueueUrl: {Value: !Ref Queue}
  RuleName: {Condition: HasSources, Value: !Ref Rule}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A folder with a template, a function and a layer that was not built."""
    (tmp_path / "functions/worker").mkdir(parents=True)
    (tmp_path / "layer").mkdir()
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def test_a_function_is_described_as_the_stack_has_it(aws: Account, template: Path) -> None:
    (function,) = deploy(template, endpoint_url=aws.url, parameters={"Interval": "3"}).functions
    assert (function.name, function.logical_id) == ("local-worker", "Worker")
    assert (function.handler, function.timeout, function.memory) == ("app.handler", 7, 256)
    assert function.environment == {"QUEUE": "local-queue", "EMPTY": "", "HAS": "no", "INTERVAL": "3"}
    assert function.code == template.parent / "functions/worker"


def test_a_source_is_described_as_the_mapping_has_it(aws: Account, template: Path) -> None:
    (source,) = deploy(template, endpoint_url=aws.url).function("Worker").sources
    assert source.queue_arn == "arn:aws:sqs:us-east-1:123456789012:local-queue"
    assert source.queue_url == f"{aws.url}/123456789012/local-queue"
    assert (source.batch_size, source.report_failures) == (5, True)


def test_a_layer_is_its_folder_or_what_was_built_in_it(aws: Account, template: Path) -> None:
    layer = template.parent / "layer"
    assert deploy(template, endpoint_url=aws.url).functions[0].layers == (layer,)
    (layer / "python").mkdir()
    again = deploy(template, endpoint_url=aws.url, stack_name="again")
    assert again.functions[0].layers == (layer / "python",)


def test_a_list_parameter_reaches_the_rule_as_a_list(aws: Account, template: Path) -> None:
    deployment = deploy(template, endpoint_url=aws.url, parameters={"Sources": "one,two"})
    rule = aws.client("events").describe_rule(Name=deployment.outputs["RuleName"])
    assert rule["EventPattern"] == '{"source": ["one", "two"]}'
    assert deployment.function("Worker").environment["HAS"] == "yes"


def test_what_a_condition_excludes_is_not_made(aws: Account, template: Path) -> None:
    assert "RuleName" not in deploy(template, endpoint_url=aws.url).outputs
    assert aws.client("events").list_rules()["Rules"] == []


def test_what_moto_skips_is_made(aws: Account, template: Path) -> None:
    deploy(template, endpoint_url=aws.url)
    queue = f"{aws.url}/123456789012/local-queue"
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert "events.amazonaws.com" in attributes["Policy"]
    (subscription,) = aws.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["Endpoint"] == attributes["QueueArn"]
    found = aws.client("sns").get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])
    assert attributes["QueueArn"] in found["Attributes"]["RedrivePolicy"]
    topic = aws.client("sns").get_topic_attributes(TopicArn=subscription["TopicArn"])
    assert "sns:Publish" in topic["Attributes"]["Policy"]
    groups = aws.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    assert "local" in [group["Name"] for group in groups]
    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "local-queue"}]


def test_a_deleted_stack_takes_along_what_moto_skips(aws: Account, template: Path) -> None:
    deploy(template, endpoint_url=aws.url)
    aws.client("cloudformation").delete_stack(StackName="local")
    assert aws.client("sns").list_subscriptions()["Subscriptions"] == []
    groups = aws.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    assert [group["Name"] for group in groups] == ["default"]
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_a_message_in_the_queue_is_left_to_the_poller(aws: Account, template: Path) -> None:
    deploy(template, endpoint_url=aws.url)
    queue = f"{aws.url}/123456789012/local-queue"
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="1")
    assert aws.received(queue) == [1]


def test_a_stack_that_exists_is_not_deployed_again(aws: Account, template: Path) -> None:
    deploy(template, endpoint_url=aws.url)
    with pytest.raises(ConfigurationError, match=r"template\.yaml could not be deployed: .*exist"):
        deploy(template, endpoint_url=aws.url)


def test_an_unknown_parameter_is_named_with_the_known_ones(template: Path) -> None:
    with pytest.raises(ConfigurationError, match="no parameter Interval2, Z; it has Sources, Interval, EndpointUrl"):
        parameter_values(read_template(template), {"Z": "1", "Interval2": "2"})


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(ConfigurationError, match="needs a value for Needed"):
        parameter_values({"Parameters": {"Needed": {"Type": "String"}}}, {})


def test_every_parameter_gets_a_value(template: Path) -> None:
    values = parameter_values(read_template(template), {"Sources": "a,b"})
    assert values == {"Sources": "a,b", "Interval": "1", "EndpointUrl": ""}


@pytest.mark.parametrize("text", ["", "just text", "Parameters: {}", "a: [1"])
def test_a_file_that_is_no_template_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"template\.yaml"):
        read_template(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_template(tmp_path / "missing.yaml")


def test_a_template_that_the_transform_refuses_says_why(aws: Account, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("BatchSize: 5", "BatchSizes: 5"))
    with pytest.raises(ConfigurationError, match="BatchSizes"):
        deploy(path, endpoint_url=aws.url)
