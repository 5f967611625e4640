"""SQS: implements the port ``Queues``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.ports import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def send(self, queue: str, body: str) -> None:
        """Send a body to a queue, by name or ARN."""
        with translated():
            self._clients.sqs.send_message(QueueUrl=self._url(queue), MessageBody=body)

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
