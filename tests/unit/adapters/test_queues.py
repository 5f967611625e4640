"""What is asked of SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:sqs:us-east-1:123456789012:s3-event"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/s3-event"
DELAY = {"QueueUrl": URL, "ReceiptHandle": "handle", "VisibilityTimeout": 30}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def sqs(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.sqs) as stubber:
        stubber.add_response(
            "get_queue_url",
            {"QueueUrl": URL},
            {"QueueName": "s3-event", "QueueOwnerAWSAccountId": "123456789012"},
        )
        yield stubber
        stubber.assert_no_pending_responses()


def test_the_url_of_a_queue_is_asked_for_once(clients: Clients, sqs: Stubber) -> None:
    queues = SqsQueues(clients)
    for _ in range(2):
        sqs.add_response("change_message_visibility", {}, DELAY)
        queues.delay(ARN, "handle", 30)


def test_a_message_that_is_not_in_flight_any_more_needs_no_delay(clients: Clients, sqs: Stubber) -> None:
    sqs.add_client_error("change_message_visibility", "AWS.SimpleQueueService.MessageNotInflight")
    SqsQueues(clients).delay(ARN, "handle", 30)


@pytest.mark.parametrize(
    ("code", "kind"), [("ReceiptHandleIsInvalid", PermanentError), ("RequestThrottled", TransientError)]
)
def test_any_other_failure_is_told(clients: Clients, sqs: Stubber, code: str, kind: type[Exception]) -> None:
    sqs.add_client_error("change_message_visibility", code)
    with pytest.raises(kind):
        SqsQueues(clients).delay(ARN, "handle", 30)


def test_what_sqs_moved_to_a_dead_letter_queue_names_the_queue_that_it_is_from(clients: Clients, sqs: Stubber) -> None:
    message = {
        "MessageId": "m-1",
        "ReceiptHandle": "handle",
        "Body": "{}",
        "Attributes": {"SentTimestamp": "1773489600123", "DeadLetterQueueSourceArn": f"{ARN}-source"},
    }
    asked = {
        "QueueUrl": URL,
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": 30,
        "WaitTimeSeconds": 1,
        "MessageSystemAttributeNames": ["SentTimestamp", "DeadLetterQueueSourceArn"],
        "MessageAttributeNames": ["All"],
    }
    sqs.add_response("receive_message", {"Messages": [message]}, asked)
    (received,) = SqsQueues(clients).receive(ARN, 30)
    assert received.source_arn == f"{ARN}-source"
    assert received.sent_at.isoformat() == "2026-03-14T12:00:00.123000+00:00"
    assert received.attributes == {}


def test_an_answer_that_lacks_something_is_asked_for_again(clients: Clients, sqs: Stubber) -> None:
    sqs.add_response("receive_message", {"Messages": [{"MessageId": "m-1", "Body": "{}"}]})
    with pytest.raises(TransientError) as raised:
        SqsQueues(clients).receive(ARN, 30)
    assert raised.value.reason == "unavailable"


def test_attributes_are_sent_on_without_the_fields_that_sqs_refuses(clients: Clients, sqs: Stubber) -> None:
    attribute = {"DataType": "String", "StringValue": "x"}
    received: dict[str, dict[str, Any]] = {"Kind": attribute | {"StringListValues": [], "BinaryListValues": []}}
    expected = {"QueueUrl": URL, "MessageBody": "{}", "MessageAttributes": {"Kind": attribute}}
    sqs.add_response("send_message", {}, expected)
    SqsQueues(clients).send(ARN, "{}", received)
