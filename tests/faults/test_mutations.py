"""Take one part of the protection away, and the searches of this folder find what goes wrong.

The token, the reconciliation and the deadline check are taken away in test_enumeration.py. Here: the fence, whose
absence shows only while three workers are at it at the same time, and the validation of the snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.errors import TransientError
from pipeline_triggers.reacting import Invocation, Message, Reactor, Snapshots
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.trigger_store import FakeTriggerStore
from tests.fakes.virtual_time import VirtualTime
from tests.faults.enumeration import EVENT, LEASE, NO_MEMORY, TRIGGER, PipelinesOf
from tests.faults.stage import Stage, nothing_printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.ledger import EntryState
    from pipeline_triggers.domain.triggers import Snapshot
    from tests.fakes.ledger import Kept


class Fenceless(FakeLedger):
    """A ledger in which everybody may change the entry of anybody."""

    def _fenced(self, token: str, owner: str, allowed: Sequence[EntryState], *, acted: bool = False) -> Kept:
        return super()._fenced(token, self.entries[token].entry.owner, allowed, acted=acted)


@dataclass
class Hesitant:
    """A port whose calls have their effect only after so many seconds, by method."""

    behind: Any
    clock: VirtualTime
    seconds: Mapping[str, float]
    refused: list[str] = field(default_factory=list)

    def __getattr__(self, method: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.clock.sleep(self.seconds.get(method, 0.0))
            if method in self.refused:
                self.refused.remove(method)
                raise TransientError("throttled", "slow down")
            return getattr(self.behind, method)(*arguments, **options)

        return call


def three_workers(ledger_type: type[FakeLedger], release: float, find: float, start: float, third: float) -> int:
    """How many executions three workers make of one message when each comes after the lease of the one before.

    The first is throttled and its release takes ``release`` seconds; the second looks for ``find`` seconds and starts
    after ``start`` more; the third comes ``third`` seconds after the second. Tokens are not heeded.
    """
    clock = VirtualTime()
    pipelines, ledger, triggers = PipelinesOf(), ledger_type(), FakeTriggerStore()
    pipelines.world = NO_MEMORY
    pipelines.clock = ledger.clock = clock  # type: ignore[assignment]
    pipelines.add("churn-train")
    triggers.put(TRIGGER)
    began = clock.now()
    message = Message("body", "message-1", "arn:queue", "receipt", began - timedelta(minutes=1), began)

    def worker(name: str, at: float, seconds: Mapping[str, float], refused: list[str]) -> None:
        clock.sleep(at)
        port: Any = Hesitant(ledger, clock, seconds)
        api: Any = Hesitant(pipelines, clock, seconds, refused)
        reactor = Reactor(triggers, api, port, FakeQuarantine(), clock, HOME, 0.0, 1000)
        reactor.react([EVENT], message, Invocation(name, clock.now() + LEASE))

    second = LEASE.total_seconds() + 1
    clock.run(
        lambda: worker("first", 0, {"release": release}, ["start"]),
        lambda: worker("second", second, {"find": find, "start": start}, []),
        lambda: worker("third", second + third, {}, []),
    )
    return len(pipelines.executions)


INTERLEAVINGS = list(product((0.0, 62.0, 64.0), (0.0, 5.0), (0.0, 5.0), (0.5, 2.0, 4.0, 7.0)))


@pytest.mark.parametrize(("ledger", "doubled"), [(FakeLedger, 0), (Fenceless, 5)])
def test_without_the_fence_a_worker_that_lost_its_lease_lets_others_in(ledger: type[FakeLedger], doubled: int) -> None:
    executions = [three_workers(ledger, *interleaving) for interleaving in INTERLEAVINGS]
    assert sum(number > 1 for number in executions) == doubled
    assert 0 not in executions


class Unvalidated(Snapshots):
    """Snapshots that are loaded once and never asked for again."""

    def for_message(self, message: Message) -> Snapshot:
        """The first snapshot, for ever."""
        return self._snapshot or super().for_message(message)


@pytest.mark.parametrize(("snapshots", "met_older"), [(Snapshots, []), (Unvalidated, ["event-1", "event-1"])])
def test_without_the_validation_of_the_snapshot_an_event_meets_triggers_older_than_itself(
    snapshots: type[Snapshots], met_older: list[str]
) -> None:
    stage = Stage()
    reactor = stage.pollers[0].worker.reactor
    reactor.snapshots = snapshots(stage.triggers, stage.clock)
    stage.set_trigger()
    stage.offer()
    with nothing_printed():
        stage.settle()
        stage.clock.advance(seconds=10)
        stage.set_trigger()
        stage.offer()
        stage.settle()
    assert stage.met_older_triggers() == met_older
    assert len(stage.executions_of("event-1")) == 2
