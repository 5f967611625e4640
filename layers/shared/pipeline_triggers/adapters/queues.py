"""SQS: implements the port ``Queues``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.messages import Counts, Received

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.adapters.clients import Clients

# The message is visible again or was deleted: there is nothing left to delay.
GONE = frozenset({"AWS.SimpleQueueService.MessageNotInflight", "MessageNotInflight"})

# Of GetQueueAttributes, in the order of Counts. The age of the oldest message is known to CloudWatch only.
COUNTED: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueues:
    """The queues of this account and Region."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._urls: dict[str, str] = {}

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Let a message reappear after so many seconds (0 to 43,200). One that is not in flight any more is fine."""
        with translated():
            try:
                self._clients.sqs.change_message_visibility(
                    QueueUrl=self._url(queue_arn),
                    ReceiptHandle=receipt_handle,
                    VisibilityTimeout=seconds,
                )
            except ClientError as error:
                if code_of(error) not in GONE:
                    raise

    def send(self, queue: str, body: str, attributes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Send a body to a queue, by name or ARN, with attributes in the form of ``Received``."""
        with translated():
            self._clients.sqs.send_message(
                QueueUrl=self._url(queue),
                MessageBody=body,
                MessageAttributes=cast("Any", {name: _sendable(it) for name, it in (attributes or {}).items()}),
            )

    def receive(self, queue: str, seconds: int) -> Sequence[Received]:
        """Up to ten messages of a queue, by name or ARN, hidden for so many seconds; none when it has none now.

        Waits up to a second for them: SQS then asks all its servers, not only some.
        """
        with readable():
            answer: Mapping[str, Any] = self._clients.sqs.receive_message(
                QueueUrl=self._url(queue),
                MaxNumberOfMessages=10,
                VisibilityTimeout=seconds,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
                MessageAttributeNames=["All"],
            )
            return [_received(message) for message in answer.get("Messages", [])]

    def delete(self, queue: str, receipt_handle: str) -> None:
        """Delete a message that was received; one that is gone is fine."""
        with translated():
            self._clients.sqs.delete_message(QueueUrl=self._url(queue), ReceiptHandle=receipt_handle)

    def counts(self, queue: str) -> Counts:
        """How many messages a queue, by name or ARN, has about now."""
        with readable():
            answer: Mapping[str, Any] = self._clients.sqs.get_queue_attributes(
                QueueUrl=self._url(queue), AttributeNames=list(COUNTED)
            )
            waiting, in_flight, delayed = (int(answer["Attributes"][name]) for name in COUNTED)
            return Counts(waiting, in_flight, delayed)

    def _url(self, queue: str) -> str:
        """The URL of a queue. It is asked for, because its form differs between Regions and endpoints; and kept."""
        if queue not in self._urls:
            sqs = self._clients.sqs
            if queue.startswith("arn:"):
                *_, account, name = queue.split(":")
                answer = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            else:
                answer = sqs.get_queue_url(QueueName=queue)
            self._urls[queue] = answer["QueueUrl"]
        return self._urls[queue]


def _received(message: Mapping[str, Any]) -> Received:
    attributes = message["Attributes"]
    return Received(
        id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        source_arn=attributes.get("DeadLetterQueueSourceArn", ""),
        attributes=message.get("MessageAttributes", {}),
    )


def _sendable(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute as SendMessage takes it, which refuses the fields of lists that an answer may have."""
    return {name: attribute[name] for name in ("DataType", "StringValue", "BinaryValue") if name in attribute}
