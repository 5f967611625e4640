"""What is changed at a bucket or a topic so that it sends to the stack, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.connections import (
    Ends,
    Subscription,
    account_of,
    attribute_changes,
    check_bucket,
    check_topic,
    other_notifications,
    same_attribute,
    sends_events,
    switched,
    takes_bucket,
    wanted_attributes,
)
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.errors import InvalidInputError

HOME = Home("aws", "123456789012", "us-east-1")
ENDS = Ends("pt", HOME, queue_arn="arn:aws:sqs:us-east-1:123456789012:pt-sns-event", dead_letter_arn="dead")
TOPIC = "arn:aws:sns:us-east-1:123456789012:uploads"
NOTIFIES: dict[str, Any] = {
    "TopicConfigurations": [{"Id": "t", "TopicArn": "arn:aws:sns:r:1:up", "Events": ["s3:ObjectCreated:*"]}],
    "QueueConfigurations": [{"Id": "q", "QueueArn": "arn:aws:sqs:r:1:q", "Events": ["s3:ObjectRemoved:*", "s3:Test"]}],
    "LambdaFunctionConfigurations": [
        {"Id": "f", "LambdaFunctionArn": "arn:aws:lambda:r:1:function:f", "Events": ["s3:ObjectCreated:Put"]}
    ],
}


@pytest.mark.parametrize("name", ["raw-data", "a.b.c", "123", "x" * 63])
def test_the_name_of_a_bucket_is_accepted(name: str) -> None:
    check_bucket(name)


@pytest.mark.parametrize(
    "name",
    ["", "ab", "x" * 64, "Raw", "raw_data", "s3://raw-data", "arn:aws:s3:::raw-data", "-raw", "raw-", "a..b", "1.2.3.4",
     "raw data", "raw\n", "raw-data/in", "röh"],
)  # fmt: skip
def test_what_cannot_be_the_name_of_a_bucket_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is no name of a bucket"):
        check_bucket(name)


@pytest.mark.parametrize(
    "arn", [TOPIC, f"{TOPIC}.fifo", TOPIC.replace("aws:", "aws-cn:", 1), TOPIC.replace("12", "34")]
)
def test_the_arn_of_a_topic_of_the_region_is_accepted_of_whatever_account(arn: str) -> None:
    check_topic(arn, HOME)


@pytest.mark.parametrize(
    "arn",
    ["", "uploads", f"{TOPIC}:1234", f"{TOPIC}\n", TOPIC.replace("sns", "sqs"), TOPIC.replace("123456789012", "1"),
     "arn:aws:sns:us-east-1:123456789012:a b"],
)  # fmt: skip
def test_what_is_not_the_arn_of_a_topic_is_refused(arn: str) -> None:
    with pytest.raises(InvalidInputError, match="is not the ARN of an SNS topic"):
        check_topic(arn, HOME)


def test_a_topic_of_another_region_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidInputError, match="is in eu-west-1, and the stack's queues are in us-east-1"):
        check_topic(TOPIC.replace("us-east-1", "eu-west-1"), HOME)


def test_the_account_of_a_topic_is_in_its_arn() -> None:
    assert account_of(TOPIC) == "123456789012"


def test_turning_events_on_adds_nothing_but_them() -> None:
    assert switched(NOTIFIES, on=True) == {**NOTIFIES, "EventBridgeConfiguration": {}}


@given(st.dictionaries(st.text(min_size=1), st.lists(st.dictionaries(st.text(), st.text()))), st.booleans())
def test_turning_events_on_and_off_keeps_everything_else(others: dict[str, Any], on: bool) -> None:
    others.pop("EventBridgeConfiguration", None)
    before = switched(others, on=on)
    assert sends_events(before) == on
    assert switched(switched(before, on=not on), on=on) == before
    assert switched(before, on=False) == others


def test_other_notifications_are_told_in_words() -> None:
    assert other_notifications({**NOTIFIES, "EventBridgeConfiguration": {}}) == [
        "topic up (s3:ObjectCreated:*)",
        "queue q (s3:ObjectRemoved:*, s3:Test)",
        "function f (s3:ObjectCreated:Put)",
    ]


@pytest.mark.parametrize(
    ("pattern", "takes"),
    [
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.s3"], "detail-type": ["Object Deleted"], "detail": {"object": {"key": ["x"]}}}, True),
        ({"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw-data"]}}}, True),
        ({"source": ["aws.s3"], "detail": {"bucket": {"name": ["other"]}}}, False),
        ({"source": ["aws.s3"], "resources": ["arn:aws:s3:::other"]}, False),
        ({"source": ["aws.sagemaker"]}, False),
    ],
)
def test_a_rule_takes_a_bucket_unless_its_pattern_names_others(pattern: dict[str, Any], takes: bool) -> None:
    assert takes_bucket(EventPattern(pattern), "raw-data") == takes


REDRIVE = json.dumps({"deadLetterTargetArn": "dead"})


@pytest.mark.parametrize(
    ("attributes", "changes"),
    [
        ({"RawMessageDelivery": "false", "RedrivePolicy": REDRIVE}, {}),
        ({"RedrivePolicy": REDRIVE}, {}),
        ({"RawMessageDelivery": "true", "RedrivePolicy": REDRIVE}, {"RawMessageDelivery": "false"}),
        ({"RawMessageDelivery": "True"}, {"RawMessageDelivery": "false", "RedrivePolicy": REDRIVE}),
        ({"RawMessageDelivery": "false"}, {"RedrivePolicy": REDRIVE}),
        ({"RawMessageDelivery": "false", "RedrivePolicy": ""}, {"RedrivePolicy": REDRIVE}),
        ({"RawMessageDelivery": "false", "RedrivePolicy": '{"deadLetterTargetArn": "another"}'}, {}),
    ],
)
def test_a_subscription_is_changed_only_where_it_must_be(attributes: dict[str, str], changes: dict[str, str]) -> None:
    assert attribute_changes(Subscription("s", attributes), ENDS) == changes


def test_a_new_subscription_keeps_snss_envelope_and_has_the_stacks_dead_letter_queue() -> None:
    wanted = wanted_attributes(ENDS)
    assert wanted == {"RawMessageDelivery": "false", "RedrivePolicy": REDRIVE}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("false", "false", True),
        ("true", "false", False),
        (None, "", True),
        (None, "false", False),
        ("not json", "not json", True),
        ("not json", "other", False),
    ],
)
def test_attributes_are_compared_by_what_they_mean(one: str | None, other: str | None, same: bool) -> None:
    assert same_attribute(one, other) is same
