"""SQS in memory, as far as the port ``Queues`` asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakes.recording import Recording


@dataclass(frozen=True)
class Delay:
    """One message that was put back."""

    queue_arn: str
    receipt_handle: str
    seconds: int


@dataclass
class FakeQueues(Recording):
    """The port ``Queues``; ``delays`` and the bodies ``sent`` by queue, in order."""

    delays: list[Delay] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Remember it."""
        with self.call("delay", queue_arn=queue_arn, receipt_handle=receipt_handle, seconds=seconds):
            self.delays.append(Delay(queue_arn, receipt_handle, seconds))

    def send(self, queue: str, body: str) -> None:
        """Remember it."""
        with self.call("send", queue=queue, body=body):
            self.sent.setdefault(queue, []).append(body)
