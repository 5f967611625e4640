"""Whatever happens in whatever order: at most one execution for each start, and every event is where it should be.

A longer search: ``HYPOTHESIS_EXAMPLES=2000 .venv/bin/pytest tests/faults/test_state_machine.py``.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline_triggers.errors import PermanentError
from tests.faults.stage import PIPELINES, Stage, nothing_printed

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "50"))


class Deliveries(RuleBasedStateMachine):
    """Events, faults and time, as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.change_triggers("$.detail.rows")

    @rule(rows=st.sampled_from([5, 5, 5, None]))
    def offer(self, rows: int | None) -> None:
        """An event happens; some lack a parameter."""
        self.stage.offer(rows=rows)

    @precondition(lambda self: self.stage.offered)
    @rule(data=st.data())
    def duplicate(self, data: st.DataObject) -> None:
        """The source sends an event again."""
        self.stage.duplicate(data.draw(st.sampled_from(sorted(self.stage.offered))))

    @rule(seed=st.integers(0, 99))
    def reorder(self, seed: int) -> None:
        """The queue changes its mind about the order."""
        self.stage.queue.shuffle(seed)

    @rule(number=st.sampled_from([0, 1]))
    def work(self, number: int) -> None:
        """A worker gets a batch."""
        with nothing_printed():
            self.stage.work(number)

    @rule(seconds=st.sampled_from([1, 20, 61, 400, 3600]))
    def pass_time(self, seconds: int) -> None:
        """Nothing happens for a while."""
        self.stage.clock.advance(seconds=seconds)

    @rule(number=st.sampled_from([0, 1]), calls=st.integers(1, 12), after=st.booleans())
    def crash(self, number: int, calls: int, after: bool) -> None:
        """A worker gets a batch and crashes at one of its calls, before or after the call has its effect."""
        self.stage.faults.calls_to_crash, self.stage.faults.crashes_after = calls, after
        self.work(number)

    @rule(number=st.sampled_from([0, 1]), calls=st.integers(0, 4), answers=st.integers(1, 3))
    def lose_answers(self, number: int, calls: int, answers: int) -> None:
        """A worker gets a batch, and after some calls the answers of the next are lost."""
        self.stage.faults.calls_to_loss, self.stage.faults.lost_answers = calls, answers
        self.work(number)

    @rule(seconds=st.sampled_from([30, 600]))
    def throttle(self, seconds: int) -> None:
        """SageMaker takes nothing for a while."""
        self.stage.faults.throttled_until = self.stage.later(seconds)

    @rule(seconds=st.sampled_from([30, 600]))
    def take_the_ledger_down(self, seconds: int) -> None:
        """The ledger is down for a while."""
        self.stage.faults.ledger_down_until = self.stage.later(seconds)

    @rule(seconds=st.sampled_from([30, 600]))
    def take_the_quarantine_down(self, seconds: int) -> None:
        """The quarantine is down for a while."""
        self.stage.faults.quarantine_down_until = self.stage.later(seconds)

    @rule()
    def refuse_for_good(self) -> None:
        """SageMaker will refuse the next start."""
        self.stage.pipelines.fail("start", PermanentError("refused-by-sagemaker", "ValidationException"))

    @rule()
    def forget_tokens(self) -> None:
        """SageMaker forgets all client request tokens."""
        self.stage.pipelines.forget_tokens()

    @rule(rows=st.sampled_from(["$.detail.rows", "$.detail.rows", "7", "$.detail.missing"]))
    def change_triggers(self, rows: str) -> None:
        """Somebody applies other parameters; some cannot be resolved."""
        self.stage.set_trigger(rows=rows)

    @rule()
    def redrive(self) -> None:
        """Somebody sends everything again that lies in quarantine or in the dead-letter queue."""
        self.stage.redrive_quarantine()
        self.stage.redrive_dead_letters()

    @invariant()
    def nothing_is_started_twice(self) -> None:
        """At most one execution for each occurrence and target."""
        assert self.stage.doubled() == []

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every event is started, queued, in quarantine or in the dead-letter queue."""
        assert self.stage.lost() == []

    @invariant()
    def no_event_meets_triggers_that_are_older_than_itself(self) -> None:
        """What was applied before an event counts for it."""
        assert self.stage.met_older_triggers() == []

    def teardown(self) -> None:
        """When all faults are over and everything was redriven, everything that can be started is."""
        stage = self.stage
        with nothing_printed():
            stage.settle()
            stage.set_trigger()
            self.redrive()
            stage.settle()
        self.nothing_is_started_twice()
        self.nothing_is_lost()
        for event_id, offered in stage.offered.items():
            expected = len(PIPELINES) if offered.rows is not None else 0
            assert len(stage.executions_of(event_id)) >= expected, event_id


TestDeliveries: Any = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
