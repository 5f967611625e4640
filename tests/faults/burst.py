"""A burst of events against an API that allows few starts: ``python -m tests.faults.burst [EVENTS] [PER_SECOND]``.

Four queues with two workers each, batches, visibility and receipts as in template.yaml, on a clock that jumps. The
answers of the API are a model: a token bucket in front of StartPipelineExecution, 150 ms for each start and 10 ms for
each call of the ledger. What decides, paces, gives back and delays is the real code.
"""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import TransientError
from pipeline_triggers.invocation import Worker
from pipeline_triggers.observability import logger, metrics
from pipeline_triggers.reacting import Reactor
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.sqs import FakePoller, FakeQueue, SqsOfQueues
from tests.fakes.trigger_store import FakeTriggerStore
from tests.fakes.virtual_time import VirtualTime
from tests.integration.tables import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline_triggers.domain.executions import StartRequest

QUEUES = ("s3-event", "sns-event", "status-event", "bus-event")
TOPIC = "arn:aws:sns:us-east-1:123456789012:bursts"
START_SECONDS = 0.15
LEDGER_SECONDS = 0.01
EMPTY_SECONDS = 1.0


@dataclass
class PacedPipelines(FakePipelines):
    """SageMaker that allows so many starts a second, and as many at once after a pause, at least one."""

    per_second: float = 2.0
    time: VirtualTime = field(default_factory=VirtualTime)
    start_calls: int = 0
    _saved: float = 0.0
    _at: datetime | None = None

    def start(self, request: StartRequest) -> str:
        """Throttled beyond the limit."""
        self.time.sleep(START_SECONDS)
        self.start_calls += 1
        now = self.time.now()
        passed = (now - self._at).total_seconds() if self._at else 1.0
        self._saved, self._at = min(max(1.0, self.per_second), self._saved + passed * self.per_second), now
        if self._saved < 1:
            raise TransientError("throttled", "Rate exceeded")
        self._saved -= 1
        return super().start(request)


@dataclass
class SlowLedger(FakeLedger):
    """A ledger whose calls take some time."""

    time: VirtualTime = field(default_factory=VirtualTime)

    def acquire(self, *arguments: Any, **options: Any) -> Any:
        """After a while."""
        self.time.sleep(2 * LEDGER_SECONDS)
        return super().acquire(*arguments, **options)

    def complete(self, *arguments: Any) -> None:
        """After a while."""
        self.time.sleep(LEDGER_SECONDS)
        super().complete(*arguments)


@dataclass(frozen=True)
class Figures:
    """What became of a burst; times are virtual."""

    events: int
    started: int
    start_calls: int
    in_dead_letter_queues: int
    in_quarantine: int
    left: int
    seconds: float
    most_receipts: int
    per_hour: tuple[int, ...]

    @property
    def calls_per_event(self) -> float:
        """StartPipelineExecution calls for each event."""
        return self.start_calls / self.events

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.events} events, {self.started} started, {self.in_quarantine} in quarantine"
        yield f"{self.in_dead_letter_queues} in a dead-letter queue, {self.left} left"
        yield f"{self.start_calls} calls of StartPipelineExecution: {self.calls_per_event:.2f} for each event"
        yield f"{self.seconds / 60:.0f} minutes, at most {self.most_receipts} receipts of a message"
        yield f"starts by hour: {', '.join(map(str, self.per_hour))}"


def burst(events: int, per_second: float, *, max_starts_per_hour: int = 100_000) -> Figures:
    """Send so many events at once, and let the workers go on until no message is left."""
    clock = VirtualTime()
    began = clock.now()
    pipelines = PacedPipelines(time=clock, per_second=per_second)
    pipelines.clock = clock  # type: ignore[assignment]
    pipelines.add("churn-train")
    ledger, quarantine = SlowLedger(time=clock), FakeQuarantine()
    ledger.clock = clock  # type: ignore[assignment]
    quarantine.clock = clock  # type: ignore[assignment]
    triggers = FakeTriggerStore()
    target = {"pipeline": "churn-train", "parameters": {}}
    document = {"name": "on-burst", "event_pattern": {"source": ["com.example"]}, "targets": [target]}
    triggers.put(Trigger.from_document({**document, "max_starts_per_hour": max_starts_per_hour}))
    queues = {name: _queue(name, clock) for name in QUEUES}
    for number in range(events):
        name = QUEUES[number % len(QUEUES)]
        queues[name].send(_from_the_topic(_event(number)) if name == "sns-event" else json.dumps(_event(number)))
    sqs = SqsOfQueues(queues={queue.arn: queue for queue in queues.values()})
    pollers = []
    for name, queue in queues.items():
        mapping = _template()["Resources"]["S3EventFunction"]["Properties"]["Events"]["Queue"]["Properties"]
        for number in range(mapping["ScalingConfig"]["MaximumConcurrency"]):
            interval = float(_template()["Parameters"]["StartInterval"]["Default"])
            reactor = Reactor(triggers, pipelines, ledger, quarantine, clock, HOME, interval, 1000)
            worker = Worker(reactor, sqs, clock, frozenset({TOPIC}), lambda _: None)
            pollers.append(FakePoller(queue, worker, clock, f"{name}-{number}", mapping["BatchSize"]))
    clock.run(*(partial(_work, poller, clock) for poller in pollers))
    ends = [execution.created_at for execution in pipelines.executions]
    hours = [int((at - began).total_seconds() // 3600) for at in ends]
    return Figures(
        events=events,
        started=len(pipelines.executions),
        start_calls=pipelines.start_calls,
        in_dead_letter_queues=sum(len(queue.dead) for queue in queues.values()),
        in_quarantine=len(quarantine.items),
        left=sum(len(queue.held) for queue in queues.values()),
        seconds=(max(ends) - began).total_seconds(),
        most_receipts=max(queue.most_receipts for queue in queues.values()),
        per_hour=tuple(hours.count(hour) for hour in range(max(hours) + 1)),
    )


def _work(poller: FakePoller, clock: VirtualTime) -> None:
    while (next_at := poller.queue.next_at()) is not None:
        if not poller.poll():
            clock.sleep(max(EMPTY_SECONDS, (next_at - clock.now()).total_seconds()))


def _queue(name: str, clock: VirtualTime) -> FakeQueue:
    properties = _template()["Resources"]["S3EventQueue"]["Properties"]
    queue = FakeQueue(f"arn:aws:sqs:us-east-1:123456789012:pt-{name}", clock)
    assert properties["VisibilityTimeout"] == queue.visibility.total_seconds()
    assert properties["RedrivePolicy"]["maxReceiveCount"] == queue.max_receive_count
    return queue


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return template


def _event(number: int) -> dict[str, Any]:
    return {
        "version": "0",
        "id": f"event-{number}",
        "source": "com.example",
        "detail-type": "Burst",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-03-14T12:00:00Z",
        "resources": [],
        "detail": {},
    }


def _from_the_topic(event: dict[str, Any]) -> str:
    """The event as a message of a topic whose events are believed."""
    envelope = {"Type": "Notification", "MessageId": event["id"], "TopicArn": TOPIC, "Message": json.dumps(event)}
    return json.dumps(envelope)


def quietly(events: int, per_second: float, **options: Any) -> Figures:
    """A burst whose log lines and metrics nobody reads."""
    handler: Any = logger.handlers[0]
    before, handler.stream, printed, sys.stdout = handler.stream, io.StringIO(), sys.stdout, io.StringIO()
    try:
        return burst(events, per_second, **options)
    finally:
        handler.stream, sys.stdout = before, printed
        metrics.clear_metrics()


if __name__ == "__main__":
    started = time.monotonic()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    figures = quietly(count, rate)
    sys.stdout.write("".join(f"{line}\n" for line in figures.lines()))
    sys.stdout.write(f"{time.monotonic() - started:.0f} s of real time\n")
