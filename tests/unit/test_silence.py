"""Triggers that have started nothing for long: which count, and what is asked of the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline_triggers import silence
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import TransientError
from pipeline_triggers.silence import Listener, Silence
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.trigger_store import FakeTriggerStore
from tests.samples import rejected, start, trigger

THIRTY_DAYS = timedelta(days=30)
NIGHTLY = {
    "name": "nightly",
    "schedule_expression": "cron(0 3 * * ? *)",
    "targets": [{"pipeline": "churn-train"}],
}


class World:
    """A stack whose triggers are written when a test says so."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeTriggerStore(clock=self.clock)
        self.ledger = FakeLedger(clock=self.clock)

    def silence(self) -> Silence:
        since = self.clock.now() - THIRTY_DAYS
        return Listener(self.ledger, self.store).silence(self.store.load(), since)

    def start(self, name: str, key: str = "1") -> None:
        decision = replace(start(trigger=name, event_id=key, key=key), at=self.clock.now())
        self.ledger.acquire(decision, "worker", self.clock.now())
        self.ledger.complete(decision.token, "worker", f"arn:{name}:{key}")

    def refuse(self, name: str, key: str) -> None:
        decision = rejected(event_id=key, trigger=name)
        self.ledger.record(replace(decision, at=self.clock.now(), token=""))


@pytest.fixture
def world() -> World:
    return World()


def test_a_trigger_that_has_started_something_since_is_not_silent(world: World) -> None:
    world.store.put(trigger("busy"), trigger("quiet"), trigger("was-busy"))
    world.start("was-busy")
    world.clock.advance(days=31)
    world.start("busy")
    assert world.silence() == Silence(world.clock.now() - THIRTY_DAYS, ("quiet", "was-busy"), looked_at=3, known=3)


def test_one_that_only_fails_is_silent(world: World) -> None:
    world.store.put(trigger("fails"), trigger("starts-now-and-then"))
    world.clock.advance(days=31)
    world.start("starts-now-and-then")
    for number in range(9):
        world.refuse("starts-now-and-then", f"r-{number}")
        world.refuse("fails", f"f-{number}")
    assert world.silence().triggers == ("fails",)


def test_one_that_has_failed_often_since_it_started_something_is_not_silent(world: World) -> None:
    """The cap on starts refuses many events in a row, after many starts."""
    world.store.put(trigger("busy"), trigger("capped"))
    world.clock.advance(days=31)
    world.start("capped")
    for number in range(silence.OF_ONE + 1):
        world.clock.advance(seconds=1)
        world.refuse("capped", f"refused-{number}")
    for number in range(silence.LATEST):
        world.clock.advance(seconds=1)
        world.start("busy", str(number))
    assert world.silence().triggers == ()


def test_one_that_has_not_been_there_for_so_long_is_not_silent_yet(world: World) -> None:
    world.store.put(trigger("old"))
    world.clock.advance(days=20)
    world.store.put(trigger("old"), trigger("new"))
    world.clock.advance(days=11)
    assert world.silence().triggers == ("old",)
    world.clock.advance(days=20)
    assert world.silence().triggers == ("old", "new")


def test_one_that_was_not_enabled_then_or_is_not_now_is_not_silent(world: World) -> None:
    disabled = [replace(trigger(name), state="DISABLED") for name in ("a", "b", "c")]
    world.store.put(disabled[0], trigger("b"), replace(trigger("c"), state="SHADOW"))
    world.clock.advance(days=31)
    world.store.put(trigger("a"), disabled[1], trigger("c"))
    assert world.silence().known == 0


def test_triggers_with_a_schedule_are_left_out_because_their_starts_may_leave_no_record(world: World) -> None:
    world.store.put(Trigger.from_document(NIGHTLY), trigger("on-upload"))
    world.clock.advance(days=31)
    assert world.silence().triggers == ("on-upload",)


def test_a_stack_that_is_younger_asks_nothing_of_the_ledger(world: World) -> None:
    world.store.put(trigger("new"))
    world.clock.advance(days=29)
    assert (world.silence().known, world.ledger.calls) == (0, [])


def test_those_that_the_latest_starts_show_are_not_asked_about_one_by_one(world: World) -> None:
    world.store.put(trigger("busy"), trigger("quiet"))
    world.clock.advance(days=31)
    world.start("busy")
    world.silence()
    assert [(call["trigger"], call["at_most"]) for call in world.ledger.called("history")] == [
        ("quiet", silence.OF_ONE)
    ]
    assert [call["at_most"] for call in world.ledger.called("of_state")] == [silence.LATEST]


def test_of_very_many_only_so_many_are_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "MAX_ASKED", 3)
    world.store.put(trigger("busy"), *(trigger(f"quiet-{number}") for number in range(5)))
    world.clock.advance(days=31)
    world.start("busy")
    found = world.silence()
    assert (found.triggers, found.looked_at, found.known) == (("quiet-0", "quiet-1", "quiet-2"), 4, 6)
    assert len(world.ledger.called("history")) == 3


def test_what_the_ledger_fails_with_is_raised(world: World) -> None:
    world.store.put(trigger("quiet"))
    world.clock.advance(days=31)
    world.ledger.fail("history", TransientError("ledger-unavailable", "no table"))
    with pytest.raises(TransientError, match="no table"):
        world.silence()
