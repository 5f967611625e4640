"""What is asked of SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
