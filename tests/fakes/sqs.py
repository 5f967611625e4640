"""Standard queues in memory as SQS keeps them, and what Lambda's poller does with one."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from tests.fakes.queues import FakeQueues

if TYPE_CHECKING:
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pipeline_triggers.domain.ports import Clock
    from pipeline_triggers.invocation import Worker


@dataclass
class Held:
    """One message of a queue; ``visible_at`` is when it can be received next."""

    id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    receive_count: int = 0
    first_received_at: datetime | None = None
    receipt: str = ""
    is_ready: bool = False


@dataclass
class FakeQueue:
    """One queue: visibility, receive counts, receipts that only the last receiver has, and a dead-letter queue.

    Messages come in any order, drawn from ``seed``. ``dead`` are those that were received ``max_receive_count`` times
    and would be received once more.
    """

    arn: str
    clock: Clock
    visibility: timedelta = timedelta(seconds=360)
    max_receive_count: int = 600
    seed: int = 1
    held: dict[str, Held] = field(default_factory=dict)
    dead: list[Held] = field(default_factory=list)
    most_receipts: int = 0
    _later: list[tuple[datetime, int, str]] = field(default_factory=list)
    _ready: list[str] = field(default_factory=list)
    _received: dict[str, str] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def send(self, body: str) -> str:
        """Add a message and return its id."""
        now = self.clock.now()
        message = Held(f"{self.arn.rpartition(':')[2]}-{next(self._numbers)}", body, now, now)
        self.held[message.id] = message
        self._appear_at(message, now)
        return message.id

    def receive(self, up_to: int) -> list[Held]:
        """Some of the messages that are visible now."""
        now = self.clock.now()
        self._look(now)
        received: list[Held] = []
        while self._ready and len(received) < up_to:
            position = self._random.randrange(len(self._ready))
            self._ready[position], self._ready[-1] = self._ready[-1], self._ready[position]
            message = self.held[self._ready.pop()]
            message.is_ready = False
            if message.receive_count >= self.max_receive_count:
                self.dead.append(self.held.pop(message.id))
                continue
            message.receive_count += 1
            self.most_receipts = max(self.most_receipts, message.receive_count)
            message.first_received_at = message.first_received_at or now
            message.receipt = f"receipt-{next(self._numbers)}"
            self._received[message.receipt] = message.id
            self._appear_at(message, now + self.visibility)
            received.append(message)
        return received

    def delay(self, receipt: str, seconds: int) -> None:
        """Let a message that is in flight appear after so many seconds."""
        for message in self._of(receipt):
            self._appear_at(message, self.clock.now() + timedelta(seconds=seconds))

    def delete(self, receipt: str) -> None:
        """Remove a message; a receipt that is not the last one does nothing (SQS promises no more)."""
        for message in self._of(receipt):
            if message.is_ready:
                self._ready.remove(message.id)
            del self.held[message.id]

    def shuffle(self, seed: int) -> None:
        """Give out messages in another order from now on."""
        self._random.seed(seed)

    def next_at(self) -> datetime | None:
        """When the next message can be received; None when there is none."""
        now = self.clock.now()
        self._look(now)
        if self._ready:
            return now
        return self._later[0][0] if self._later else None

    def _appear_at(self, message: Held, at: datetime) -> None:
        if message.is_ready:
            self._ready.remove(message.id)
            message.is_ready = False
        message.visible_at = at
        heapq.heappush(self._later, (at, next(self._numbers), message.id))

    def _look(self, now: datetime) -> None:
        """Make ready what has become visible; drop what was moved to another time or deleted."""
        while self._later:
            at, _, id_ = self._later[0]
            message = self.held.get(id_)
            is_current = message is not None and message.visible_at == at and not message.is_ready
            if is_current and at > now:
                return
            heapq.heappop(self._later)
            if message is not None and is_current:
                message.is_ready = True
                self._ready.append(id_)

    def _of(self, receipt: str) -> list[Held]:
        message = self.held.get(self._received.get(receipt, ""))
        return [message] if message is not None and message.receipt == receipt else []


@dataclass
class SqsOfQueues(FakeQueues):
    """The port ``Queues`` for the functions that read from queues like these; by ARN."""

    queues: dict[str, FakeQueue] = field(default_factory=dict)

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Delay the message itself."""
        with self.call("delay", queue_arn=queue_arn, receipt_handle=receipt_handle, seconds=seconds):
            self.queues[queue_arn].delay(receipt_handle, seconds)


@dataclass(frozen=True)
class Context:
    """As much of Lambda's context as a worker asks for."""

    aws_request_id: str
    clock: Clock
    deadline: datetime

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended."""
        return max(0, round((self.deadline - self.clock.now()).total_seconds() * 1000))


@dataclass
class FakePoller:
    """One of the pollers that Lambda has for a queue: hands batches to a worker, and deletes what did not fail.

    What a worker raises fails the whole batch.
    """

    queue: FakeQueue
    worker: Worker
    clock: Clock
    name: str = "poller"
    batch_size: int = 10
    timeout: timedelta = timedelta(seconds=60)
    invocations: int = 0

    def poll(self) -> int:
        """Receive and handle one batch; the number of its messages. An error of the worker comes through."""
        messages = self.queue.receive(self.batch_size)
        if not messages:
            return 0
        self.invocations += 1
        context = Context(f"{self.name}-{self.invocations}", self.clock, self.clock.now() + self.timeout)
        receipts = {message.id: message.receipt for message in messages}
        event = {"Records": [_record(message, self.queue.arn) for message in messages]}
        answer = self.worker.answer(event, cast("LambdaContext", context))
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for id_, receipt in receipts.items():
            if id_ not in failed:
                self.queue.delete(receipt)
        return len(messages)


def _record(message: Held, queue_arn: str) -> dict[str, Any]:
    first = message.first_received_at or message.sent_at
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
            "ApproximateFirstReceiveTimestamp": str(int(first.timestamp() * 1000)),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": "us-east-1",
    }
