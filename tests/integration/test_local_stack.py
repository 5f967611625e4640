"""The template of this repository, deployed to the embedded AWS: what it wires is what runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.local.deployment import Deployment, deploy
from pipeline_triggers.local.emulator import LocalAws
from pipeline_triggers.local.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(port=0) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(aws: LocalAws) -> Deployment:
    parameters = {"EndpointUrl": aws.url, "DefaultBusSources": "com.example.features"}
    return deploy(ROOT / "template.yaml", endpoint_url=aws.url, parameters=parameters)


def test_every_queue_of_the_ways_in_has_a_function(deployment: Deployment) -> None:
    sources = {source.queue_arn.rpartition(":")[2] for function in deployment.functions for source in function.sources}
    assert {"local-s3-event", "local-sns-event", "local-status-event", "local-bus-event", "local-schedule"} <= sources


def test_every_mapping_reports_batch_item_failures(deployment: Deployment) -> None:
    assert all(source.report_failures for function in deployment.functions for source in function.sources)


def test_every_function_has_its_code_here(deployment: Deployment) -> None:
    for function in deployment.functions:
        assert (function.code / "app.py").is_file()
        assert [(layer / "pipeline_triggers/errors.py").is_file() for layer in function.layers] == [True]


def test_the_functions_know_the_embedded_aws_and_the_tables(aws: LocalAws, deployment: Deployment) -> None:
    tables = set(aws.client("dynamodb").list_tables()["TableNames"])
    for function in deployment.functions:
        assert function.environment["AWS_ENDPOINT_URL"] == aws.url
        assert {value for name, value in function.environment.items() if name.endswith("_TABLE")} <= tables


def test_an_event_of_each_way_in_arrives_in_its_queue(aws: LocalAws, deployment: Deployment) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="raw-data")
    s3.put_bucket_notification_configuration(
        Bucket="raw-data", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="raw-data", Key="in/a.csv", Body=b"1")
    aws.client("sns").publish(TopicArn=deployment.outputs["EventsTopicArn"], Message="hello")
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    aws.client("sagemaker").create_model_package(ModelPackageGroupName="churn")
    own = {"Source": "com.example.features", "DetailType": "Ready", "Detail": "{}"}
    aws.client("events").put_events(Entries=[own])
    assert _bodies(aws, "local-s3-event")[0]["detail"]["object"]["key"] == "in/a.csv"
    assert _bodies(aws, "local-sns-event")[0]["Message"] == "hello"
    assert _bodies(aws, "local-status-event")[0]["detail-type"] == "SageMaker Model Package State Change"
    assert _bodies(aws, "local-bus-event")[0]["source"] == "com.example.features"


def test_the_functions_start_and_empty_their_queues(aws: LocalAws, deployment: Deployment) -> None:
    began = time.monotonic()
    with Poller(deployment, aws.url) as poller:
        took = time.monotonic() - began
        own = {"Source": "com.example.features", "DetailType": "Ready", "Detail": "{}"}
        aws.client("events").put_events(Entries=[own])
        assert poller.drain(30) == 0
    assert took < 20  # a few seconds on an idle machine


def _bodies(aws: LocalAws, queue: str) -> list[Any]:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]
