"""SQS in memory, as far as the port ``Queues`` asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.messages import Counts, Received
from tests.fakes.clock import NOON
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Delay:
    """One message that was put back."""

    queue_arn: str
    receipt_handle: str
    seconds: int


@dataclass
class FakeQueues(Recording):
    """The port ``Queues``; ``delays`` and the bodies ``sent`` by queue, in order.

    ``waiting`` and ``hidden`` are the messages of queues by name, whether they were sent here or put by a test; time
    does not pass for the hidden ones. ``held`` are counts that a test says, by the name of the queue.
    """

    delays: list[Delay] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, Counts] = field(default_factory=dict)
    waiting: dict[str, list[Received]] = field(default_factory=dict)
    hidden: dict[str, list[Received]] = field(default_factory=dict)
    _numbers: int = 0

    def add(
        self,
        queue: str,
        body: str = "{}",
        *,
        sent_at: datetime = NOON,
        source_arn: str = "",
        binary: Mapping[str, bytes] | None = None,
        **attributes: str,
    ) -> Received:
        """Let a queue have one more message, for the arrangement of a test; ``attributes`` are texts."""
        self._numbers += 1
        texts = {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}
        others = {name: {"DataType": "Binary", "BinaryValue": data} for name, data in (binary or {}).items()}
        message = Received(
            id=f"message-{self._numbers}",
            receipt_handle=f"handle-{self._numbers}",
            body=body,
            sent_at=sent_at,
            source_arn=source_arn,
            attributes={**texts, **others},
        )
        self.waiting.setdefault(_name(queue), []).append(message)
        return message

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Remember it; with 0 seconds the message is there again."""
        with self.call("delay", queue_arn=queue_arn, receipt_handle=receipt_handle, seconds=seconds):
            self.delays.append(Delay(queue_arn, receipt_handle, seconds))
            if seconds == 0:
                self.waiting.setdefault(_name(queue_arn), []).extend(self._taken(queue_arn, receipt_handle))

    def send(self, queue: str, body: str, attributes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Remember it."""
        with self.call("send", queue=queue, body=body, attributes=attributes):
            self.sent.setdefault(queue, []).append(body)
            self._numbers += 1
            number = self._numbers
            message = Received(f"message-{number}", f"handle-{number}", body, NOON, attributes=attributes or {})
            self.waiting.setdefault(_name(queue), []).append(message)

    def receive(self, queue: str, seconds: int) -> Sequence[Received]:
        """The first ten."""
        with self.call("receive", queue=queue, seconds=seconds):
            waiting = self.waiting.get(_name(queue), [])
            taken, self.waiting[_name(queue)] = waiting[:10], waiting[10:]
            self.hidden.setdefault(_name(queue), []).extend(taken)
            return taken

    def delete(self, queue: str, receipt_handle: str) -> None:
        """Gone, if it was there."""
        with self.call("delete", queue=queue, receipt_handle=receipt_handle):
            self._taken(queue, receipt_handle)

    def counts(self, queue: str) -> Counts:
        """What was sent by that name or ARN, or what the test said."""
        with self.call("counts", queue=queue):
            here = Counts(len(self.waiting.get(_name(queue), [])), len(self.hidden.get(_name(queue), [])), 0)
            return self.held.get(queue, here)

    def _taken(self, queue: str, receipt_handle: str) -> list[Received]:
        hidden = self.hidden.get(_name(queue), [])
        self.hidden[_name(queue)] = [message for message in hidden if message.receipt_handle != receipt_handle]
        return [message for message in hidden if message.receipt_handle == receipt_handle]


def _name(queue: str) -> str:
    return queue.rpartition(":")[2]
