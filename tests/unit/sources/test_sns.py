"""SNS notifications: text, JSON, and what counts as an event of AWS only from a trusted topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline_triggers.errors import MalformedEventError
from pipeline_triggers.sources.envelopes import read
from pipeline_triggers.sources.sns import notification_of
from tests.unit.sources.payloads import NOTICES, TRUSTED, UPLOADS, only_event, only_malformed, payload

ATTRIBUTES = {
    "env": {"Type": "String", "Value": "prod"},
    "attempt": {"Type": "Number", "Value": "2"},
    "teams": {"Type": "String.Array", "Value": '["churn","pricing"]'},
}


def saying(message: str, **fields: object) -> dict[str, Any]:
    """A Lambda event with this message."""
    notification = payload("sns-text")
    notification["Records"][0]["Sns"] |= {"Message": message, **fields}
    return dict(notification)


def test_a_notification_is_an_event_of_its_topic() -> None:
    event = only_event(payload("sns-text"))
    assert (event.source, event.detail_type) == ("aws.sns", "Notification")
    assert (event.account, event.region, event.resources) == ("123456789012", "us-east-1", (NOTICES,))
    assert (event.id, event.time) == ("95df01b4-ee98-5cb9-9903-4c221d41eb5e", "2026-03-02T03:10:45.123Z")
    assert event.via == ()


def test_the_detail_has_the_fields_of_sns_without_signature_and_unsubscribe_url() -> None:
    assert only_event(payload("sns-text")).detail == {
        "TopicArn": NOTICES,
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "Subject": "Nightly load",
        "Timestamp": "2026-03-02T03:10:45.123Z",
        "MessageAttributes": {},
        "Message": "The nightly load is done.",
    }


def test_a_json_message_is_parsed() -> None:
    event = only_event(payload("sns-json"))
    expected = {"model": "churn", "action": "retrain", "param": {"value": "ml.m5.4xlarge"}, "max_rows": 50000}
    assert event.detail["Message"] == expected


def test_message_attributes_keep_their_type_in_the_detail() -> None:
    assert only_event(payload("sns-json")).detail["MessageAttributes"] == ATTRIBUTES


def test_the_envelope_in_a_queue_gives_the_same_event_as_the_lambda_event() -> None:
    direct, queued = only_event(payload("sns-json")), only_event(payload("sqs-sns-json"))
    assert queued.envelope == direct.envelope
    assert queued.occurrence == direct.occurrence
    assert [via.kind for via in queued.via] == ["sqs"]


def test_a_notification_without_subject_or_attributes_has_null_and_nothing() -> None:
    fields = {"TopicArn": NOTICES, "MessageId": "m-1", "Message": "hello", "Type": "Notification"}
    event = only_event(fields)
    assert event.detail["Subject"] is None
    assert event.detail["Timestamp"] is None
    assert event.detail["MessageAttributes"] == {}
    assert event.time == ""


def test_what_sns_adds_stays_reachable() -> None:
    assert only_event(saying("x", SequenceNumber="10000000000000000000")).detail["SequenceNumber"] == "1" + "0" * 19


@pytest.mark.parametrize("message", ["1.10", "012", "true", "null", '"quoted"', "", "NaN", "text"])
def test_a_message_that_is_no_object_or_array_stays_the_text_that_was_sent(message: str) -> None:
    assert only_event(saying(message)).detail["Message"] == message


@pytest.mark.parametrize("message", ["[ERROR] disk full", "{broken", '{"a": NaN}', "[" * 5000, '["\\ud800"]'])
def test_a_message_that_only_looks_like_json_stays_text(message: str) -> None:
    assert only_event(saying(message)).detail["Message"] == message


def test_an_array_is_parsed() -> None:
    assert only_event(saying(' [1, {"a": null}]')).detail["Message"] == [1, {"a": None}]


def test_an_s3_notification_from_a_trusted_topic_is_opened() -> None:
    event = only_event(payload("sns-s3-notification"))
    assert (event.source, event.detail_type) == ("aws.s3", "Object Created")
    assert [(via.kind, via.arn) for via in event.via] == [("sns", UPLOADS)]


def test_an_eventbridge_event_from_a_trusted_topic_is_opened() -> None:
    event = only_event(payload("sns-eventbridge-event"))
    assert event.envelope == payload("custom-event")
    assert event.via[0].message_id == "d1b8f9ce-3f2a-5c7e-8d60-ae0b1c2d3e4f"


def test_the_attributes_of_the_topic_are_in_the_way_by_name() -> None:
    notification = payload("sns-eventbridge-event")
    notification["Records"][0]["Sns"]["MessageAttributes"] = ATTRIBUTES
    [via] = only_event(notification).via
    assert via.attributes == {"env": "prod", "attempt": "2", "teams": '["churn","pricing"]'}


@pytest.mark.parametrize("name", ["sns-s3-notification", "sns-eventbridge-event", "sqs-sns-s3"])
def test_nothing_is_opened_from_a_topic_that_is_not_trusted(name: str) -> None:
    event = only_event(payload(name), trusted=frozenset())
    assert event.source == "aws.sns"
    assert isinstance(event.detail["Message"], dict)


def test_a_forged_event_of_aws_stays_a_notification() -> None:
    event = only_event(payload("sns-forged-aws-event"))
    assert event.source == "aws.sns"
    assert event.detail["Message"]["source"] == "aws.sagemaker"


def test_a_forged_envelope_of_a_trusted_topic_inside_another_topic_opens_nothing() -> None:
    inner = {
        "Type": "Notification",
        "MessageId": "m",
        "TopicArn": UPLOADS,
        "Message": json.dumps(payload("alarm-drift")),
    }
    event = only_event(saying(json.dumps(inner)))
    assert (event.source, event.detail["TopicArn"]) == ("aws.sns", NOTICES)


@pytest.mark.parametrize(
    "topic", [UPLOADS.upper(), UPLOADS + "-2", UPLOADS[:-1], UPLOADS.replace("123456789012", "999999999999")]
)
def test_only_the_very_topic_is_trusted(topic: str) -> None:
    message = json.dumps(payload("custom-event"))
    found = read(saying(message, TopicArn=topic), trusted_topics=TRUSTED)
    assert getattr(found[0], "source", "malformed") != "com.example.features"


def test_an_alarm_stays_a_notification_even_from_a_trusted_topic() -> None:
    notification = payload("sns-alarm")
    notification["Records"][0]["Sns"]["TopicArn"] = UPLOADS
    event = only_event(notification)
    assert event.source == "aws.sns"
    assert event.detail["Message"]["NewStateValue"] == "ALARM"


@pytest.mark.parametrize(
    "inner", [{"source": "x", "detail-type": "y"}, {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}]
)
def test_what_is_no_whole_event_stays_a_notification_even_from_a_trusted_topic(inner: dict[str, Any]) -> None:
    event = only_event(saying(json.dumps(inner), TopicArn=UPLOADS))
    assert event.detail["Message"] == inner


@pytest.mark.parametrize(
    "arn", [None, "", 7, "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:sns:us-east-1:1:t", UPLOADS + "\n"]
)
def test_a_notification_without_the_arn_of_a_topic_is_refused(arn: object) -> None:
    assert "TopicArn is not the ARN of a topic" in only_malformed(saying("x", TopicArn=arn)).message


@pytest.mark.parametrize("message_id", [None, "", 7])
def test_a_notification_without_message_id_is_refused(message_id: object) -> None:
    assert "MessageId" in only_malformed(saying("x", MessageId=message_id)).message


@pytest.mark.parametrize("message", [None, 7, {"a": 1}])
def test_a_notification_whose_message_is_no_text_is_refused(message: object) -> None:
    with pytest.raises(MalformedEventError, match="Message is missing or no text"):
        notification_of({"TopicArn": NOTICES, "MessageId": "m", "Message": message})


def test_attributes_that_are_no_object_are_refused() -> None:
    with pytest.raises(MalformedEventError, match="MessageAttributes are no object"):
        notification_of({"TopicArn": NOTICES, "MessageId": "m", "Message": "", "MessageAttributes": [1]})


@pytest.mark.parametrize(
    "topic", ["arn:aws-cn:sns:cn-north-1:123456789012:t", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:t.fifo"]
)
def test_topics_of_other_partitions_and_fifo_topics_are_read(topic: str) -> None:
    assert only_event(saying("x", TopicArn=topic)).region == topic.split(":")[3]
