"""Every schedule of faults, up to five, against the real reactor: ``python -m tests.faults.enumeration [FAULTS]``.

A schedule says of each of the first five calls of the ledger and of SageMaker what becomes of it, and whether the
message is delivered twice. Each call may

    be answered
    be refused          without effect: a throttle, or a ledger that is down
    lose its answer     the effect is there
    end in a crash      before the effect, or after it
    be answered late    after the lease, when others have had the message; the worker does not know, and goes on

Calls after these are answered, and the message comes again a minute later until nothing of it is to be tried again. An
event is *lost* when that ends without an execution, and *doubled* when there are two.

AWS says neither how long SageMaker remembers a client request token nor how soon an execution shows in the list of
executions. So every schedule runs in three worlds, each with one of the two at its worst:

    slow lists          tokens are remembered for ever, but the list never shows an execution
    short memory        tokens are forgotten after 90 seconds
    no memory           tokens are not heeded at all

The same schedules run against designs that lack a part. What they find there is why that part is needed.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.ledger import Acquired
from pipeline_triggers.domain.revisions import Current
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import TransientError
from pipeline_triggers.reacting import Invocation, Message, Reactor
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import PipelineRef, StartRequest

Fault = Literal["answered", "refused", "answer lost", "crash before", "crash after", "answered late"]

SCHEDULED_CALLS = 5
FAULTS: tuple[Fault, ...] = ("answered", "refused", "answer lost", "crash before", "crash after", "answered late")
LEASE = timedelta(seconds=60)
REDELIVERY = timedelta(seconds=61)
# A run needs at most one delivery for each fault and for each nested one; beyond this it would never end.
MOST_DELIVERIES = 40

TRIGGER = Trigger.from_document(
    {"name": "on-rows", "event_pattern": {"source": ["com.example"]}, "targets": [{"pipeline": "churn-train"}]},
)
EVENT = Event.from_envelope(
    {
        "version": "0",
        "id": "event-1",
        "source": "com.example",
        "detail-type": "Rows",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-03-14T12:00:00Z",
        "resources": [],
        "detail": {},
    },
)


class Crash(BaseException):
    """The worker is gone: nothing of ours catches it."""


@dataclass(frozen=True)
class Design:
    """What protects a start; the shipped design has it all."""

    name: str
    ledger: bool = True
    token: bool = True
    reconcile: bool = True
    deadline_check: bool = True


SHIPPED = Design("ledger, token, reconcile and deadline check")
LACKING = (
    Design("none", ledger=False, token=False, reconcile=False),
    Design("ledger alone", token=False, reconcile=False),
    Design("token alone", ledger=False, reconcile=False),
    Design("ledger and token", reconcile=False),
    Design("all but the token", token=False),
    Design("all but the deadline check", deadline_check=False),
)


@dataclass(frozen=True)
class World:
    """How SageMaker behaves where AWS does not say; ``remembers_for`` is about tokens (None: for ever)."""

    name: str
    remembers_for: timedelta | None = None
    lists_executions: bool = True


SLOW_LISTS = World("slow lists", lists_executions=False)
SHORT_MEMORY = World("short memory", remembers_for=timedelta(seconds=90))
NO_MEMORY = World("no memory", remembers_for=timedelta(0))
WORLDS = (SLOW_LISTS, SHORT_MEMORY, NO_MEMORY)


@dataclass(frozen=True)
class Tally:
    """What became of the events of many schedules."""

    schedules: int = 0
    lost: int = 0
    doubled: int = 0
    worst: int = 0

    def with_one(self, executions: int) -> Tally:
        """With one more event."""
        return Tally(
            self.schedules + 1,
            self.lost + (executions == 0),
            self.doubled + (executions > 1),
            max(self.worst, executions),
        )


@dataclass
class Adversary:
    """Says of each call what becomes of it. ``meanwhile`` lets others have the message."""

    clock: FakeClock
    schedule: Sequence[Fault]
    meanwhile: Callable[[], object]
    calls: int = 0

    def call(self, reason: str, act: Callable[[], Any]) -> Any:
        """Make a call, as the schedule says."""
        fault = self.schedule[self.calls] if self.calls < len(self.schedule) else "answered"
        self.calls += 1
        if fault == "crash before":
            raise Crash
        if fault == "refused":
            raise TransientError(reason, "refused")
        answer = act()
        if fault == "crash after":
            raise Crash
        if fault == "answer lost":
            raise TransientError(reason, "the answer was lost", acted=True)
        if fault == "answered late":
            self.clock.advance(seconds=REDELIVERY.total_seconds())
            self.meanwhile()
        return answer


class PipelinesOf(FakePipelines):
    """SageMaker in one of the worlds."""

    world: World

    def start(self, request: StartRequest) -> str:
        """One execution for each token that is remembered."""
        forgotten_after = self.world.remembers_for
        for execution in self.executions:
            if forgotten_after is not None and self.clock.now() - execution.created_at >= forgotten_after:
                self._tokens.pop(execution.request.token, None)
        return super().start(request)

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """As far as the list shows."""
        return super().find(request, since, until) if self.world.lists_executions else None


class NoLedger(FakeLedger):
    """A ledger that remembers nothing."""

    def acquire(self, decision: Decision, *_: Any, **__: Any) -> Acquired:
        """Everybody may start."""
        return Acquired(attempts=1)

    def complete(self, token: str, owner: str, execution_arn: str) -> None:
        """Not remembered."""

    def release(self, token: str, owner: str, reason: str) -> None:
        """Not remembered."""


@dataclass
class AttackedLedger:
    """The port ``Ledger``, as far as the reactor writes, with an adversary between."""

    behind: FakeLedger
    adversary: Adversary

    def acquire(self, *arguments: Any, **options: Any) -> Any:
        """Attacked."""
        return self._attacked(lambda: self.behind.acquire(*arguments, **options))

    def complete(self, *arguments: Any) -> None:
        """Attacked."""
        self._attacked(lambda: self.behind.complete(*arguments))

    def release(self, *arguments: Any) -> None:
        """Attacked."""
        self._attacked(lambda: self.behind.release(*arguments))

    def reject(self, *arguments: Any) -> None:
        """Attacked."""
        self._attacked(lambda: self.behind.reject(*arguments))

    def record(self, *arguments: Any, **options: Any) -> None:
        """Attacked."""
        self._attacked(lambda: self.behind.record(*arguments, **options))

    def _attacked(self, act: Callable[[], Any]) -> Any:
        return self.adversary.call("ledger-unavailable", act)


@dataclass
class AttackedPipelines:
    """The port ``Pipelines``, as far as starts go, with an adversary between."""

    behind: PipelinesOf
    adversary: Adversary
    design: Design

    def describe(self, ref: PipelineRef, **_: Any) -> Definition:
        """Not attacked: without it a start is only not checked."""
        return self.behind.describe(ref)

    def start(self, request: StartRequest) -> str:
        """Attacked."""
        if not self.design.token:
            self.behind.forget_tokens()
        started: str = self.adversary.call("throttled", lambda: self.behind.start(request))
        return started

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """Attacked."""
        if not self.design.reconcile:
            return None
        found: str | None = self.adversary.call("throttled", lambda: self.behind.find(request, since, until))
        return found


class OneSnapshot:
    """The port ``TriggerStore``, as far as the reactor reads: nobody changes the triggers."""

    snapshot = Snapshot(1, (TRIGGER,))

    def current(self) -> Current:
        """The only one."""
        return Current(1)

    def load(self, revision: int) -> Snapshot:
        """The only one."""
        assert revision == 1
        return self.snapshot


class NeverLate(Invocation):
    """An invocation that does not look at the clock."""

    def is_late(self, *_: Any) -> bool:
        """Go on, whatever the time."""
        return False


@dataclass
class Run:
    """One schedule against one design."""

    design: Design
    schedule: Sequence[Fault]
    is_duplicated: bool
    world: World

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.behind = PipelinesOf(clock=self.clock)
        self.behind.world = self.world
        self.behind.add("churn-train")
        triggers: Any = OneSnapshot()
        self.adversary = Adversary(self.clock, self.schedule, self._deliver)
        ledger = FakeLedger(clock=self.clock) if self.design.ledger else NoLedger(clock=self.clock)
        attacked: Any = AttackedLedger(ledger, self.adversary)
        pipelines: Any = AttackedPipelines(self.behind, self.adversary, self.design)
        quarantine = FakeQuarantine(clock=self.clock)
        self.reactor = Reactor(triggers, pipelines, attacked, quarantine, self.clock, HOME, 0.0, 1000)
        self.deliveries = 0
        sent = self.clock.now() - timedelta(minutes=1)
        self.message = Message("body", "message-1", "arn:queue", "receipt", sent, self.clock.now())

    def executions(self) -> int:
        """How many executions there are when nothing of the message is to be tried again."""
        self._deliver_until_done()
        if self.is_duplicated:
            self._deliver_until_done()
        return len(self.behind.executions)

    def _deliver_until_done(self) -> None:
        while not self._deliver():
            self.clock.advance(seconds=REDELIVERY.total_seconds())

    def _deliver(self) -> bool:
        """Let a worker have the message; whether it is done with it."""
        self.deliveries += 1
        assert self.deliveries < MOST_DELIVERIES, f"a message that never comes to rest: {self.schedule}"
        kind = Invocation if self.design.deadline_check else NeverLate
        invocation = kind(f"worker-{self.deliveries}", self.clock.now() + LEASE)
        try:
            decisions = self.reactor.react([EVENT], self.message, invocation)
        except (Crash, TransientError):
            return False
        return all(decision.outcome != "retry" for decision in decisions)


def enumerate_all(
    design: Design,
    world: World,
    *,
    calls: int = SCHEDULED_CALLS,
    faults: Sequence[Fault] = FAULTS,
) -> Tally:
    """Run a design against every schedule.

    One that makes fewer calls than the schedule has faults ends the same however the schedule goes on: it runs once,
    and counts for all of these.
    """
    tally = Tally()
    for is_duplicated in (False, True):
        known: dict[tuple[Fault, ...], int] = {}
        for schedule in product(faults, repeat=calls):
            beginning = next((schedule[:n] for n in range(calls + 1) if schedule[:n] in known), None)
            if beginning is None:
                run = Run(design, schedule, is_duplicated, world)
                executions = run.executions()
                beginning = schedule[: run.adversary.calls]
                known[beginning] = executions
            tally = tally.with_one(known[beginning])
    return tally


def table(calls: int) -> Iterator[str]:
    """The lines of a table of all designs in all worlds."""
    began = time.monotonic()
    yield f"The first {calls} calls: {' | '.join(FAULTS)}; delivered once or twice"
    yield f"{'design':46} {'world':14} {'schedules':>9} {'lost':>6} {'doubled':>15} {'worst':>6}"
    for design in (*LACKING, SHIPPED):
        for world in WORLDS:
            tally = enumerate_all(design, world, calls=calls)
            share = f"{tally.doubled} ({tally.doubled / tally.schedules:.1%})"
            yield f"{design.name:46} {world.name:14} {tally.schedules:9} {tally.lost:6} {share:>15} {tally.worst:6}"
    yield f"{time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else SCHEDULED_CALLS):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
