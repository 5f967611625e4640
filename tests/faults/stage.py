"""A whole stack in memory on one clock: queues, poller, workers and AWS, with the faults that a test orders."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import TransientError
from pipeline_triggers.invocation import Worker
from pipeline_triggers.observability import logger, metrics
from pipeline_triggers.reacting import Reactor
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.sqs import FakePoller, FakeQueue, SqsOfQueues
from tests.fakes.trigger_store import FakeTriggerStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipeline_triggers.domain.executions import StartRequest
    from pipeline_triggers.domain.messages import Quarantined

PIPELINES = ("churn-train", "churn-score")
DECLARED = Definition({"Rows": Declared(required=False), "Revision": Declared(required=False)})
MOST_RECEIPTS = 25


class Crash(BaseException):
    """The worker is gone: nothing of ours catches it."""


@dataclass
class Faults:
    """What the next calls of the stack meet: the counts are of calls, until a crash or until answers are lost."""

    clock: FakeClock
    calls_to_crash: int | None = None
    crashes_after: bool = False
    calls_to_loss: int = 0
    lost_answers: int = 0
    throttled_until: datetime | None = None
    ledger_down_until: datetime | None = None
    quarantine_down_until: datetime | None = None

    def call(self, kind: str, act: Callable[[], Any]) -> Any:
        """Make a call of ``start``, ``find``, ``ledger``, ``quarantine`` or ``queue``."""
        crashes = self._counts_down()
        if crashes and not self.crashes_after:
            raise Crash
        if kind == "ledger" and self.ledger_down_until and self.clock.now() < self.ledger_down_until:
            raise TransientError("ledger-unavailable", "down")
        if kind == "quarantine" and self.quarantine_down_until and self.clock.now() < self.quarantine_down_until:
            raise TransientError("unavailable", "down")
        if kind in ("start", "find") and self.throttled_until and self.clock.now() < self.throttled_until:
            raise TransientError("throttled", "slow down")
        answer = act()
        if crashes:
            raise Crash
        if self._loses_the_answer():
            raise TransientError("ledger-unavailable" if kind == "ledger" else "unavailable", "lost", acted=True)
        return answer

    def _loses_the_answer(self) -> bool:
        if self.calls_to_loss or not self.lost_answers:
            self.calls_to_loss = max(0, self.calls_to_loss - 1)
            return False
        self.lost_answers -= 1
        return True

    def _counts_down(self) -> bool:
        if self.calls_to_crash is None:
            return False
        self.calls_to_crash -= 1
        if self.calls_to_crash > 0:
            return False
        self.calls_to_crash = None
        return True


@dataclass
class FaultyLedger(FakeLedger):
    """A ledger whose writes meet faults."""

    faults: Faults = field(default_factory=lambda: Faults(FakeClock()))

    def acquire(self, *arguments: Any, **options: Any) -> Any:
        """With faults."""
        return self.faults.call("ledger", lambda: FakeLedger.acquire(self, *arguments, **options))

    def complete(self, *arguments: Any) -> None:
        """With faults."""
        self.faults.call("ledger", lambda: FakeLedger.complete(self, *arguments))

    def release(self, *arguments: Any) -> None:
        """With faults."""
        self.faults.call("ledger", lambda: FakeLedger.release(self, *arguments))

    def reject(self, *arguments: Any) -> None:
        """With faults."""
        self.faults.call("ledger", lambda: FakeLedger.reject(self, *arguments))

    def record(self, *arguments: Any, **options: Any) -> None:
        """With faults."""
        self.faults.call("ledger", lambda: FakeLedger.record(self, *arguments, **options))


@dataclass
class FaultyPipelines(FakePipelines):
    """SageMaker whose starts and lists meet faults."""

    faults: Faults = field(default_factory=lambda: Faults(FakeClock()))

    def start(self, *arguments: Any) -> str:
        """With faults."""
        started: str = self.faults.call("start", lambda: FakePipelines.start(self, *arguments))
        return started

    def find(self, *arguments: Any) -> str | None:
        """With faults."""
        found: str | None = self.faults.call("find", lambda: FakePipelines.find(self, *arguments))
        return found


@dataclass
class FaultyQuarantine(FakeQuarantine):
    """A quarantine whose writes meet faults."""

    faults: Faults = field(default_factory=lambda: Faults(FakeClock()))

    def put(self, item: Quarantined) -> None:
        """With faults."""
        self.faults.call("quarantine", lambda: FakeQuarantine.put(self, item))


@dataclass
class FaultyQueues(SqsOfQueues):
    """SQS whose messages are put back with faults."""

    faults: Faults = field(default_factory=lambda: Faults(FakeClock()))

    def delay(self, *arguments: Any, **options: Any) -> None:
        """With faults."""
        self.faults.call("queue", lambda: SqsOfQueues.delay(self, *arguments, **options))


@dataclass(frozen=True)
class Offered:
    """An event that was sent; ``revision`` is that of the triggers when it was."""

    body: str
    rows: int | None
    revision: int


class Stage:
    """The stack, with one trigger that starts two pipelines, and two workers."""

    def __init__(
        self,
        ledger: type[FaultyLedger] = FaultyLedger,
        pipelines: type[FaultyPipelines] = FaultyPipelines,
        max_receive_count: int = MOST_RECEIPTS,
    ) -> None:
        self.clock = FakeClock()
        self.faults = Faults(self.clock)
        self.ledger = ledger(clock=self.clock, faults=self.faults)
        self.pipelines = pipelines(clock=self.clock, faults=self.faults)
        self.quarantine = FaultyQuarantine(clock=self.clock, faults=self.faults)
        self.triggers = FakeTriggerStore(clock=self.clock)
        self.queue = FakeQueue("arn:aws:sqs:us-east-1:123456789012:pt-bus-event", self.clock)
        self.queue.max_receive_count = max_receive_count
        self.sqs = FaultyQueues(queues={self.queue.arn: self.queue}, faults=self.faults)
        self.offered: dict[str, Offered] = {}
        for name in PIPELINES:
            self.pipelines.add(name, DECLARED)
        self.pollers = [self._poller(f"worker-{number}") for number in range(2)]

    def _poller(self, name: str) -> FakePoller:
        reactor = Reactor(
            triggers=self.triggers,
            pipelines=self.pipelines,
            ledger=self.ledger,
            quarantine=self.quarantine,
            clock=self.clock,
            home=HOME,
            start_interval=0.0,
            max_starts_per_hour=1000,
        )
        return FakePoller(
            self.queue, Worker(reactor, self.sqs, self.clock, frozenset(), lambda _: None), self.clock, name
        )

    def replace_worker(self, number: int) -> None:
        """A new process after a crash: nothing that the old one had in memory is there."""
        self.pollers[number] = self._poller(f"{self.pollers[number].name}'")

    def later(self, seconds: float) -> datetime:
        """A time from now."""
        return self.clock.now() + timedelta(seconds=seconds)

    def set_trigger(self, rows: str = "$.detail.rows") -> None:
        """Make this the only trigger, with both pipelines as targets; its executions tell its revision."""
        parameters = {"Rows": rows, "Revision": str(len(self.triggers.snapshots) + 1)}
        targets = [{"pipeline": name, "parameters": parameters} for name in PIPELINES]
        document = {"name": "on-rows", "event_pattern": {"source": ["com.example"]}, "targets": targets}
        self.triggers.put(Trigger.from_document(document))

    def offer(self, *, rows: int | None = 5) -> str:
        """Send a new event; without rows it lacks a parameter."""
        event_id = f"event-{len(self.offered)}"
        body = json.dumps(an_event(event_id, rows))
        self.offered[event_id] = Offered(body, rows, len(self.triggers.snapshots))
        self.queue.send(body)
        return event_id

    def duplicate(self, event_id: str) -> None:
        """Send an event a second time, as its source may."""
        self.queue.send(self.offered[event_id].body)

    def work(self, number: int) -> None:
        """Let a worker have the next batch; it may crash."""
        try:
            self.pollers[number].poll()
        except Crash:
            self.replace_worker(number)

    def redrive_quarantine(self) -> None:
        """Send everything in quarantine to its queue again, then drop it."""
        for item in list(self.quarantine.items.values()):
            self.queue.send(item.body)
            del self.quarantine.items[item.id]

    def redrive_dead_letters(self) -> None:
        """Send everything in the dead-letter queue to its queue again."""
        dead, self.queue.dead = self.queue.dead, []
        for held in dead:
            self.queue.send(held.body)

    def settle(self) -> None:
        """End all faults and let time pass until no message is left in the queue."""
        self.faults.calls_to_crash = self.faults.throttled_until = None
        self.faults.ledger_down_until = self.faults.quarantine_down_until = None
        self.faults.lost_answers = 0
        self.pipelines._failures_of.clear()
        for _ in range(500):
            next_at = self.queue.next_at()
            if next_at is None:
                return
            self.clock.advance(seconds=max(0.0, (next_at - self.clock.now()).total_seconds()))
            self.work(0)
        raise AssertionError("messages that never come to rest")

    def executions_of(self, event_id: str) -> list[StartRequest]:
        """What an event has started."""
        return [request for request in self.pipelines.started if f"event {event_id} " in request.description]

    def doubled(self) -> list[str]:
        """The tokens that have more than one execution."""
        tokens = [execution.request.token for execution in self.pipelines.executions]
        return [token for token in set(tokens) if tokens.count(token) > 1]

    def lost(self) -> list[str]:
        """The events that are neither started, queued, in quarantine nor in the dead-letter queue."""
        kept = [held.body for held in (*self.queue.held.values(), *self.queue.dead)]
        kept += [item.body for item in self.quarantine.items.values()]
        return [
            event_id
            for event_id, offered in self.offered.items()
            if offered.body not in kept and len(self.executions_of(event_id)) < len(PIPELINES)
        ]

    def met_older_triggers(self) -> list[str]:
        """The events for which something was started by triggers that were replaced before they were sent."""
        return [
            event_id
            for event_id, offered in self.offered.items()
            for request in self.executions_of(event_id)
            if int(request.parameters["Revision"]) < offered.revision
        ]


def an_event(event_id: str, rows: int | None) -> dict[str, Any]:
    """An event of the stack's own bus."""
    return {
        "version": "0",
        "id": event_id,
        "source": "com.example",
        "detail-type": "Rows",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-03-14T12:00:00Z",
        "resources": [],
        "detail": {} if rows is None else {"rows": rows},
    }


@contextmanager
def nothing_printed() -> Iterator[None]:
    """Log lines and metrics go nowhere."""
    handler: Any = logger.handlers[0]
    before, handler.stream, printed, sys.stdout = handler.stream, io.StringIO(), sys.stdout, io.StringIO()
    try:
        yield
    finally:
        handler.stream, sys.stdout = before, printed
        metrics.clear_metrics()
