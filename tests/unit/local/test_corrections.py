"""The embedded AWS makes inside what AWS makes; the other half of ``test_moto_fidelity``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.events.models import Rule
from moto.s3 import notifications

from pipeline_triggers.local.corrections import CORRECTIONS, corrected
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.unit.local.support import (
    attributes_of_a_dead_letter,
    layered,
    layers_of,
    left_after_deleting_two_at_once,
    put_own_event,
    stack_with_a_layer,
)

if TYPE_CHECKING:
    from tests.unit.local.support import Account


def test_an_s3_event_has_the_shape_that_s3_sends(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["aws.s3"]})
    aws.bucket()
    aws.client("s3").put_object(Bucket="raw-data", Key="in/a b+c ü.csv", Body=b"123")
    (event,) = aws.received(queue)
    detail = event.pop("detail")
    assert {name: event[name] for name in ("version", "detail-type", "source", "account", "region", "resources")} == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "region": REGION,
        "resources": ["arn:aws:s3:::raw-data"],
    }
    assert detail["object"].pop("sequencer")
    assert detail.pop("request-id")
    assert detail == {
        "version": "0",
        "bucket": {"name": "raw-data"},
        "object": {"key": "in/a b+c ü.csv", "size": 3, "etag": "202cb962ac59075b964b07152d234b70"},
        "requester": ACCOUNT,
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }


def test_a_bucket_tells_that_it_sends_events_beside_its_other_notifications(aws: Account) -> None:
    s3, topic = aws.client("s3"), aws.client("sns").create_topic(Name="topic")["TopicArn"]
    aws.bucket("only-events")
    aws.bucket("both", notify_topic=topic)
    assert s3.get_bucket_notification_configuration(Bucket="only-events")["EventBridgeConfiguration"] == {}
    both = s3.get_bucket_notification_configuration(Bucket="both")
    assert both["EventBridgeConfiguration"] == {}
    assert [each["TopicArn"] for each in both["TopicConfigurations"]] == [topic]


def test_a_bucket_that_sends_no_events_tells_none(aws: Account) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="silent")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="silent")


def test_s3_events_have_ids_of_their_own_and_growing_sequencers(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["aws.s3"]})
    aws.bucket()
    for _ in range(3):
        aws.client("s3").put_object(Bucket="raw-data", Key="same", Body=b"1")
    events = aws.received(queue)
    sequencers = [event["detail"]["object"]["sequencer"] for event in events]
    assert len({event["id"] for event in events}) == 3
    assert sequencers == sorted(set(sequencers))
    assert all(int(sequencer, 16) for sequencer in sequencers)


def test_an_s3_event_of_a_versioned_bucket_names_the_version(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["aws.s3"]})
    aws.bucket()
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket="raw-data", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="raw-data", Key="a", Body=b"1")["VersionId"]
    assert aws.received(queue)[0]["detail"]["object"]["version-id"] == version


def test_a_deleted_object_is_reported_without_size_and_with_the_kind_of_deletion(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["aws.s3"], "detail-type": ["Object Deleted"]})
    aws.bucket()
    aws.client("s3").put_object(Bucket="raw-data", Key="a", Body=b"1")
    aws.client("s3").delete_object(Bucket="raw-data", Key="a")
    (event,) = aws.received(queue)
    assert event["detail"]["deletion-type"] == "Permanently Deleted"
    assert set(event["detail"]["object"]) == {"key", "sequencer"}


def test_tagging_an_object_is_reported_once(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["aws.s3"], "detail-type": ["Object Tags Added"]})
    aws.bucket()
    s3 = aws.client("s3")
    s3.put_object(Bucket="raw-data", Key="a", Body=b"1", Tagging="k=v")
    s3.put_object_tagging(Bucket="raw-data", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "w"}]})
    assert len(aws.received(queue)) == 1


def test_one_write_has_one_sequencer_by_both_routes(aws: Account) -> None:
    by_rule = aws.queue_of_rule({"source": ["aws.s3"]})
    by_topic, arn = aws.queue("notified")
    sns = aws.client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws.bucket(notify_topic=topic)
    aws.client("s3").put_object(Bucket="raw-data", Key="a b", Body=b"1")
    record = json.loads(aws.received(by_topic)[-1]["Message"])["Records"][0]
    detail = aws.received(by_rule)[0]["detail"]
    assert record["s3"]["object"]["key"] == "a+b"
    assert record["s3"]["object"]["sequencer"] == detail["object"]["sequencer"]
    assert record["responseElements"]["x-amz-request-id"] == detail["request-id"]


def test_s3_events_reach_the_default_bus_only(aws: Account) -> None:
    aws.client("events").create_event_bus(Name="own")
    queue = aws.queue_of_rule({"source": ["aws.s3"]}, bus="own")
    aws.bucket()
    aws.client("s3").put_object(Bucket="raw-data", Key="a", Body=b"1")
    assert aws.received(queue) == []


def test_a_target_receives_the_whole_event(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["own"]})
    put_own_event(aws, DetailType='say "d"', Resources=["arn:x"], Time=1700000000)
    (event,) = aws.received(queue)
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": 'say "d"',
        "source": "own",
        "account": ACCOUNT,
        "time": "2023-11-14T22:13:20Z",
        "region": REGION,
        "resources": ["arn:x"],
        "detail": {"n": 1},
    }


def test_an_input_transformer_still_works(aws: Account) -> None:
    url, arn = aws.queue("transformed")
    events = aws.client("events")
    events.put_rule(Name="rule", EventPattern='{"source": ["own"]}')
    transformer = {"InputPathsMap": {"n": "$.detail.n", "t": "$.time"}, "InputTemplate": '{"n": <n>, "t": "<t>"}'}
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}])
    put_own_event(aws, Time=1700000000)
    assert aws.received(url) == [{"n": 1, "t": "2023-11-14T22:13:20Z"}]


def test_a_disabled_rule_delivers_nothing(aws: Account) -> None:
    queue = aws.queue_of_rule({"source": ["own"]}, State="DISABLED")
    put_own_event(aws)
    assert aws.received(queue) == []


def test_a_scheduled_rule_receives_no_events(aws: Account) -> None:
    url, arn = aws.queue("sweep")
    events = aws.client("events")
    events.put_rule(Name="sweep", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="sweep", Targets=[{"Id": "queue", "Arn": arn}])
    put_own_event(aws)
    assert aws.received(url) == []


def test_a_target_that_cannot_be_delivered_to_harms_no_other(aws: Account) -> None:
    good, good_arn = aws.queue("good")
    undelivered, undelivered_arn = aws.queue("undelivered")
    events = aws.client("events")
    events.put_rule(Name="rule", EventPattern='{"source": ["own"]}')
    missing = f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing"
    events.put_targets(
        Rule="rule",
        Targets=[
            {"Id": "1", "Arn": missing, "DeadLetterConfig": {"Arn": undelivered_arn}},
            {"Id": "2", "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"},
            {"Id": "3", "Arn": good_arn},
        ],
    )
    put_own_event(aws)
    (delivered,), (dead,) = aws.received(good), aws.received(undelivered)
    assert dead == delivered


def test_an_undelivered_event_says_which_rule_and_target(aws: Account) -> None:
    undelivered, arn = aws.queue("undelivered")
    events = aws.client("events")
    rule = events.put_rule(Name="rule", EventPattern='{"source": ["own"]}')["RuleArn"]
    missing = f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing"
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": missing, "DeadLetterConfig": {"Arn": arn}}])
    put_own_event(aws)
    answer = aws.client("sqs").receive_message(QueueUrl=undelivered, MessageAttributeNames=["All"])
    attributes = {name: value["StringValue"] for name, value in answer["Messages"][0]["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == rule
    assert attributes["TARGET_ARN"] == missing


def test_two_messages_deleted_at_once_are_both_gone(aws: Account) -> None:
    assert left_after_deleting_two_at_once(aws) == []


def test_a_long_poll_ends_when_a_message_becomes_visible_again(aws: Account) -> None:
    url, _ = aws.queue("again", VisibilityTimeout="1")
    sqs = aws.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="m")
    sqs.receive_message(QueueUrl=url)
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"] == "m"


def test_a_function_of_a_template_has_the_layers_of_the_template(aws: Account) -> None:
    (layer,) = layers_of(aws, stack_with_a_layer(aws, "First"))
    assert layer.endswith(":1")


def test_a_function_of_a_template_can_get_another_layer(aws: Account) -> None:
    function = stack_with_a_layer(aws, "First")
    before = layers_of(aws, function)
    aws.client("cloudformation").update_stack(StackName="layered", TemplateBody=layered("Second"))
    assert layers_of(aws, function) not in ([], before)


def test_every_correction_is_undone() -> None:
    before = {correction: _patched() for correction in CORRECTIONS}
    with corrected():
        assert _patched() != before[CORRECTIONS[0]]
    assert _patched() == before[CORRECTIONS[0]]


def _patched() -> tuple[Any, ...]:
    from moto.awslambda.models import LambdaBackend
    from moto.cloudformation import parsing
    from moto.events.utils import EventTemplateParser
    from moto.sagemaker.responses import SageMakerResponse
    from moto.sqs.models import Queue, SQSBackend

    return (
        notifications.send_event,
        notifications._send_event_bridge_message,
        Rule.send_to_targets,
        EventTemplateParser.parse,
        Queue.delete_message,
        SQSBackend.receive_message,
        LambdaBackend.create_event_source_mapping,
        hasattr(SageMakerResponse, "update_endpoint"),
        parsing.clean_json,
    )


def test_a_dead_letter_names_the_queue_that_it_is_from(aws: Account) -> None:
    assert attributes_of_a_dead_letter(aws)["DeadLetterQueueSourceArn"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"


def test_a_message_that_was_moved_nowhere_names_no_source(aws: Account) -> None:
    url, _ = aws.queue("work")
    sqs = aws.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    asked = ["SentTimestamp", "DeadLetterQueueSourceArn"]
    (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=asked)["Messages"]
    assert set(message["Attributes"]) == {"SentTimestamp"}
