"""The commands "connect", "import" and "graph" against the deployed stack on the embedded AWS."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.documents import load
from pipeline_triggers.documents.writing import trigger_file
from pipeline_triggers.local.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).parents[2]
HOME = "us-east-1:123456789012"
TRAIN = f"arn:aws:sagemaker:{HOME}:pipeline/churn-train"
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole"}
NOTIFIES: dict[str, Any] = {
    "QueueConfigurations": [
        {"Id": "q", "QueueArn": f"arn:aws:sqs:{HOME}:theirs", "Events": ["s3:ObjectCreated:*"]},
    ]
}


@pytest.fixture(scope="module")
def idle() -> Iterator[Stage]:
    """The deployed stack with the sample pipelines and the demo's triggers; no function runs."""
    with Stage(ROOT / "template.yaml", port=0, poll=False) as stage:
        stage.furnish()
        stage.apply(ROOT / "triggers.yaml")
        yield stage


def run(stage: Stage, *arguments: str) -> Result:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", "us-east-1", "--stack-name", "local")
    return CliRunner(**apart).invoke(cli, [*common, *arguments])


def run_json(stage: Stage, *arguments: str) -> dict[str, Any]:
    result = run(stage, *arguments, "--output", "json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code
    return document


def notifications(stage: Stage, bucket: str) -> dict[str, Any]:
    answer: dict[str, Any] = stage.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_a_bucket_is_connected_beside_its_notifications_and_disconnected_again(idle: Stage) -> None:
    idle.client("sqs").create_queue(QueueName="theirs")
    s3 = idle.client("s3")
    s3.create_bucket(Bucket="their-data")
    s3.put_bucket_notification_configuration(Bucket="their-data", NotificationConfiguration=NOTIFIES)

    connected = run_json(idle, "connect", "bucket", "their-data", "--yes")
    assert (connected["exit_code"], connected["result"]["written"]) == (0, True)
    assert notifications(idle, "their-data") == {**NOTIFIES, "EventBridgeConfiguration": {}}
    assert run_json(idle, "connect", "bucket", "their-data")["result"]["changes"] == []

    assert run_json(idle, "disconnect", "bucket", "their-data", "--yes")["exit_code"] == 0
    assert notifications(idle, "their-data") == NOTIFIES


def test_the_buckets_that_sent_their_events_before_are_left(idle: Stage) -> None:
    assert run(idle, "disconnect", "bucket", "raw-data", "--yes").exit_code == 1
    assert "EventBridgeConfiguration" in notifications(idle, "raw-data")


def test_a_topic_is_connected_delivers_and_is_disconnected_again(idle: Stage) -> None:
    sns, sqs = idle.client("sns"), idle.client("sqs")
    topic = sns.create_topic(Name="theirs")["TopicArn"]
    assert run_json(idle, "connect", "topic", topic, "--yes")["exit_code"] == 0

    sns.publish(TopicArn=topic, Message="hello")
    queue = sqs.get_queue_url(QueueName="local-sns-event")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert (envelope["Type"], envelope["TopicArn"], envelope["Message"]) == ("Notification", topic, "hello")

    assert run_json(idle, "disconnect", "topic", topic, "--yes")["exit_code"] == 0
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_the_stacks_own_topic_is_connected_by_the_template_and_left(idle: Stage) -> None:
    own = f"arn:aws:sns:{HOME}:local-events"
    assert run_json(idle, "connect", "topic", own)["result"]["changes"] == []
    assert run(idle, "disconnect", "topic", own, "--yes").exit_code == 1


def test_originals_are_imported_applied_and_disabled(idle: Stage, tmp_path: Path) -> None:
    iam, events, scheduler = idle.client("iam"), idle.client("events"), idle.client("scheduler")
    for service in ("events", "scheduler"):
        trust = {
            "Version": "2012-10-17",
            "Statement": [{**TRUST, "Principal": {"Service": f"{service}.amazonaws.com"}}],
        }
        iam.create_role(RoleName=f"old-{service}", AssumeRolePolicyDocument=json.dumps(trust))
    parameters = {"PipelineParameterList": [{"Name": "InputUri", "Value": "$.detail.object.key"}]}
    target = {"Arn": TRAIN, "SageMakerPipelineParameters": parameters}
    role = "arn:aws:iam::123456789012:role/old-"
    events.put_rule(
        Name="old-rule", EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": ["x"]}}})
    )
    events.put_targets(Rule="old-rule", Targets=[{"Id": "train", "RoleArn": f"{role}events", **target}])
    scheduler.create_schedule(
        Name="old-schedule",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": TRAIN,
            "RoleArn": f"{role}scheduler",
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "InputUri", "Value": "s3://x/y"}]},
        },
    )
    file = str(tmp_path / "old.yaml")
    result = run_json(idle, "import", "--file", file, "--pipeline", "churn-train")["result"]
    found = {each["name"]: [finding["code"] for finding in each["findings"]] for each in result["imported"]}
    assert found["old-rule"] == ["no-dead-letter-queue", "long-retries", "missing-values"]
    assert found["old-schedule"] == ["no-dead-letter-queue", "long-retries"]
    assert "retrain-weekly" not in found  # the schedule of a trigger of the stack
    text = Path(file).read_text(encoding="utf-8")
    assert {trigger.name for trigger in load(text).triggers} >= {"old-rule", "old-schedule"}

    keep = [trigger for trigger in load(text).triggers if trigger.name.startswith("old-")]

    Path(file).write_text(trigger_file("imported", [(trigger, ()) for trigger in keep]), encoding="utf-8")
    assert run(idle, "apply", file, "--yes").exit_code == 0
    disabled = run_json(idle, "import", "--disable-originals", "--pipeline", "churn-train", "--yes")["result"]
    assert [each["outcome"] for each in disabled["disabled"]] == ["disabled", "disabled"]
    assert events.describe_rule(Name="old-rule")["State"] == "DISABLED"
    assert scheduler.get_schedule(Name="old-schedule")["State"] == "DISABLED"
    assert scheduler.get_schedule(Name="old-schedule", GroupName="local")["State"] == "ENABLED"


def test_the_graph_of_the_stack_is_drawn(idle: Stage, tmp_path: Path) -> None:
    assert "└── retrain-weekly" in run(idle, "graph").stdout
    out = str(tmp_path / "graph.svg")
    assert run(idle, "graph", "--format", "svg", "--out", out).exit_code == 0
    assert "retrain-on-upload" in Path(out).read_text(encoding="utf-8")
    assert run(idle, "graph", "--format", "mermaid").stdout.startswith("flowchart LR\n")
