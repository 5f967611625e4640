"""Where the messages of the dead-letter queues are from, and where they belong."""

from __future__ import annotations

import json

import pytest

from pipeline_triggers.domain.dead_letters import DEAD_LETTER, UNDELIVERED, WORK_QUEUES, read_dead_letter
from pipeline_triggers.domain.messages import Received
from tests.fakes.clock import NOON

ARN = "arn:aws:sqs:eu-central-1:210987654321:"
RULE = "arn:aws:events:eu-central-1:210987654321:rule/pt-s3-objects"
SCHEDULE = "arn:aws:scheduler:eu-central-1:210987654321:schedule/pt/nightly"
URL = "https://sqs.eu-central-1.amazonaws.com/210987654321/"
TOLD = json.dumps({"source": "pipeline-triggers", "detail-type": "Scheduled Time", "detail": {"trigger": "nightly"}})


def received(body: str = "{}", source_arn: str = "", **attributes: str) -> Received:
    texts = {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}
    return Received("m-1", "handle", body, NOON, source_arn, texts)


def of_schedule(body: str, **attributes: str) -> Received:
    return received(body, SCHEDULE_ARN=SCHEDULE, ERROR_CODE="AccessDenied", **attributes)


def to_queue(body: str = TOLD, queue: str = "pt-schedule") -> str:
    return json.dumps({"MessageBody": body, "QueueUrl": URL + queue})


@pytest.mark.parametrize("queue", WORK_QUEUES)
def test_what_a_function_failed_on_belongs_to_the_queue_that_sqs_names(queue: str) -> None:
    letter = read_dead_letter(received('{"n": 1}', f"{ARN}pt-{queue}", Kind="x"), DEAD_LETTER, "pt")
    assert (letter.origin, letter.queue, letter.hindrance, letter.body) == ("queue", f"pt-{queue}", "", '{"n": 1}')
    assert letter.attributes == {"Kind": {"DataType": "String", "StringValue": "x"}}


@pytest.mark.parametrize("source", ["", f"{ARN}other-s3-event", f"{ARN}pt-dead-letter", "pt-s3-event", "::sqs"])
def test_what_is_from_no_queue_of_the_stack_stays(source: str) -> None:
    letter = read_dead_letter(received("{}", source), DEAD_LETTER, "pt")
    assert letter.queue == ""
    assert "none of this stack's" in letter.hindrance


def test_attributes_in_the_dead_letter_queue_say_nothing_about_where_it_belongs() -> None:
    forged = received("{}", "", RULE_ARN=RULE, TARGET_ARN=f"{ARN}pt-s3-event")
    assert read_dead_letter(forged, DEAD_LETTER, "pt").queue == ""


def test_what_a_rule_could_not_deliver_belongs_to_its_target() -> None:
    message = received(
        '{"id": "1"}', RULE_ARN=RULE, TARGET_ARN=f"{ARN}pt-s3-event", ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="no"
    )
    letter = read_dead_letter(message, UNDELIVERED, "pt")
    assert (letter.origin, letter.source, letter.queue, letter.body) == ("rule", RULE, "pt-s3-event", '{"id": "1"}')
    assert (letter.error_code, letter.error_message) == ("NO_PERMISSIONS", "no")
    # They are of the failed delivery, and not of the event.
    assert letter.attributes == {}


@pytest.mark.parametrize(
    "target",
    ["", f"{ARN}other", f"{ARN}pt-dead-letter", "arn:aws:lambda:eu-central-1:210987654321:function:pt-s3-event"],
)
def test_what_a_rule_wanted_elsewhere_stays(target: str) -> None:
    letter = read_dead_letter(received("{}", RULE_ARN=RULE, TARGET_ARN=target), UNDELIVERED, "pt")
    assert letter.queue == ""
    assert "no queue of this stack" in letter.hindrance


def test_nothing_of_a_rule_reaches_the_schedule_queue_where_it_would_be_believed() -> None:
    letter = read_dead_letter(received(TOLD, RULE_ARN=RULE, TARGET_ARN=f"{ARN}pt-schedule"), UNDELIVERED, "pt")
    assert letter.queue == ""


def test_what_a_subscription_could_not_deliver_belongs_to_the_sns_queue() -> None:
    body = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:1:t", "Message": "hello"})
    letter = read_dead_letter(received(body), UNDELIVERED, "pt")
    assert (letter.origin, letter.queue, letter.body) == ("subscription", "pt-sns-event", body)
    assert letter.source == "arn:aws:sns:eu-central-1:1:t"


@pytest.mark.parametrize("body", ["", "hello", "[]", '"x"', "null", '{"Type": "Notification"}', "[" * 100_000, "NaN"])
def test_what_cannot_be_understood_stays(body: str) -> None:
    letter = read_dead_letter(received(body), UNDELIVERED, "pt")
    assert (letter.origin, letter.queue) == ("unknown", "")
    assert "by hand" in letter.hindrance


def test_what_a_schedule_wanted_to_tell_belongs_to_the_schedule_queue_without_its_request() -> None:
    message = of_schedule(to_queue(), TARGET_ARN="arn:aws:scheduler:::aws-sdk:sqs:sendMessage")
    letter = read_dead_letter(message, UNDELIVERED, "pt")
    assert (letter.origin, letter.source, letter.error_code) == ("schedule", SCHEDULE, "AccessDenied")
    assert (letter.queue, letter.body, letter.hindrance) == ("pt-schedule", TOLD, "")


def test_a_pipeline_that_a_schedule_could_not_start_is_started_by_hand() -> None:
    body = json.dumps({"PipelineName": "churn-train", "PipelineParameters": []})
    letter = read_dead_letter(of_schedule(body, SCHEDULED_TIME="2030-01-31T08:00:00Z"), UNDELIVERED, "pt")
    assert letter.queue == ""
    assert "could not start churn-train at 2030-01-31T08:00:00Z" in letter.hindrance
    assert "by hand" in letter.hindrance


@pytest.mark.parametrize(
    "message",
    [
        of_schedule(to_queue(queue="pt-s3-event")),
        of_schedule(to_queue(queue="other-schedule")),
        of_schedule(to_queue(), IS_PAYLOAD_TRUNCATED="true"),
        of_schedule(to_queue('{"at": "<aws.scheduler.scheduled-time>"}')),
        of_schedule(json.dumps({"MessageBody": {"a": 1}, "QueueUrl": URL + "pt-schedule"})),
        of_schedule(json.dumps({"MessageBody": "x", "QueueUrl": 7})),
        of_schedule("not JSON"),
    ],
)
def test_what_a_schedule_sent_elsewhere_or_incompletely_stays(message: Received) -> None:
    letter = read_dead_letter(message, UNDELIVERED, "pt")
    assert letter.queue == ""
    assert letter.hindrance
    assert letter.body == message.body


def test_an_attribute_that_is_no_text_is_none() -> None:
    message = Received("m", "h", "{}", NOON, "", {"RULE_ARN": {"DataType": "Binary", "BinaryValue": b"x"}})
    assert message.text("RULE_ARN") == ""
