"""SQS in memory, as far as the port ``Queues`` asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_triggers.domain.ports import Counts
from tests.fakes.recording import Recording


@dataclass(frozen=True)
class Delay:
    """One message that was put back."""

    queue_arn: str
    receipt_handle: str
    seconds: int


@dataclass
class FakeQueues(Recording):
    """The port ``Queues``; ``delays`` and the bodies ``sent`` by queue, in order.

    ``held`` are the counts of queues that were not sent to here, by name.
    """

    delays: list[Delay] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, Counts] = field(default_factory=dict)

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Remember it."""
        with self.call("delay", queue_arn=queue_arn, receipt_handle=receipt_handle, seconds=seconds):
            self.delays.append(Delay(queue_arn, receipt_handle, seconds))

    def send(self, queue: str, body: str) -> None:
        """Remember it."""
        with self.call("send", queue=queue, body=body):
            self.sent.setdefault(queue, []).append(body)

    def counts(self, queue: str) -> Counts:
        """What was sent by that name or ARN, or what the test said."""
        with self.call("counts", queue=queue):
            return self.held.get(queue, Counts(len(self.sent.get(queue, [])), 0, 0))
