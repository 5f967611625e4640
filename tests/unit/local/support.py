"""What the tests of the room ``local`` share: short-cuts for an account."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import sqs_backends

from pipeline_triggers.local.emulator import local_client
from pipeline_triggers.local.wire import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"


@dataclass(frozen=True)
class Account:
    """An account with some short-cuts; ``client`` as LocalAws has it."""

    url: str

    def client(self, service: str) -> Any:
        return local_client(service, self.url, retries={"total_max_attempts": 1})

    def queue_of_rule(self, pattern: dict[str, Any], *, bus: str = "default", **rule: Any) -> str:
        """The URL of a queue that receives the events of a new rule."""
        url, arn = self.queue(f"rule-{bus}")
        events = self.client("events")
        events.put_rule(Name="rule", EventBusName=bus, EventPattern=json.dumps(pattern), **rule)
        events.put_targets(Rule="rule", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        url: str = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def received(self, queue_url: str) -> list[Any]:
        """The JSON bodies of the messages in a queue, which are taken from it."""
        sqs, bodies = self.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def bucket(self, name: str = "raw-data", *, notify_topic: str = "") -> None:
        """A bucket that sends its events to EventBridge, and its notifications to a topic."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
        if notify_topic:
            configuration["TopicConfigurations"] = [{"TopicArn": notify_topic, "Events": ["s3:ObjectCreated:*"]}]
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)

    def pipeline(self, name: str = "Churn-Train", *parameters: dict[str, Any]) -> str:
        """The ARN of a new pipeline with these declared parameters."""
        definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": []}
        arn: str = self.client("sagemaker").create_pipeline(
            PipelineName=name,
            RoleArn=ROLE,
            ClientRequestToken=f"create-{name}".ljust(32, "-"),
            PipelineDefinition=json.dumps(definition),
        )["PipelineArn"]
        return arn

    def role(self, name: str = "scheduler", *, service: str = "scheduler.amazonaws.com", **statement: Any) -> str:
        """The ARN of a new role that a service may assume, unless ``statement`` changes that of its trust policy."""
        trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **statement}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        arn: str = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        return arn


def start(account: Account, pipeline: str, *, token: str = "t" * 64, **more: Any) -> str:
    """The ARN of the execution that StartPipelineExecution answers."""
    answer = account.client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline, ClientRequestToken=token, **more
    )
    return str(answer["PipelineExecutionArn"])


def left_after_deleting_two_at_once(account: Account) -> list[str]:
    """What a queue holds after two messages were deleted, the second in the middle of deleting the first."""
    url, _ = account.queue("busy", VisibilityTimeout="0")
    backend: Any = sqs_backends[ACCOUNT][REGION]
    first, second = (backend.send_message("busy", body) for body in ("first", "second"))
    messages = backend.receive_message("busy", 2, 0, 0)
    deleting_second = threading.Thread(target=backend.delete_message, args=("busy", messages[1].receipt_handle))
    had_receipt_handle, calls = first.had_receipt_handle, []

    def interrupted(handle: str) -> bool:
        calls.append(handle)
        if len(calls) == 2:  # the first call only looks whether the message is there
            deleting_second.start()
            deleting_second.join(0.2)
        return bool(had_receipt_handle(handle))

    first.had_receipt_handle = interrupted
    backend.delete_message("busy", messages[0].receipt_handle)
    deleting_second.join()
    assert second.body == "second"
    return [message["Body"] for message in account.client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


def stack_with_a_layer(account: Account, layer: str) -> str:
    """The name of a function with a layer, both made by a template."""
    account.client("cloudformation").create_stack(StackName="layered", TemplateBody=layered(layer))
    return "layered-function"


def layered(layer: str) -> str:
    """A template with a function and a layer of this logical id."""
    assumed = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    function = {
        "FunctionName": "layered-function",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "pass"},
        "Layers": [{"Ref": layer}],
    }
    empty_zip = base64.b64encode(b"PK\x05\x06" + bytes(18)).decode()
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [assumed]}},
        },
        layer: {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"ZipFile": empty_zip}}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }
    return json.dumps({"Resources": resources})


def layers_of(account: Account, function: str) -> list[str]:
    """The ARNs of a function's layers."""
    configuration = account.client("lambda").get_function_configuration(FunctionName=function)
    return [layer["Arn"] for layer in configuration.get("Layers", [])]


def attributes_of_a_dead_letter(account: Account) -> dict[str, str]:
    """What SQS tells of a message that was received once and then moved to the dead-letter queue of ``work``."""
    sqs = account.client("sqs")
    dead_url, dead_arn = account.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "1"})
    url, _ = account.queue("work", VisibilityTimeout="0", RedrivePolicy=policy)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    for _ in range(2):
        sqs.receive_message(QueueUrl=url)
    (message,) = sqs.receive_message(QueueUrl=dead_url, MessageSystemAttributeNames=["All"])["Messages"]
    attributes: dict[str, str] = message["Attributes"]
    return attributes


def put_own_event(account: Account, **entry: Any) -> None:
    """Put an event of no AWS service on the default bus."""
    account.client("events").put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": '{"n": 1}', **entry}])
