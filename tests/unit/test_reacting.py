"""The reactor on fakes: what starts, what waits, what goes to quarantine, and what never happens twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import PermanentError, TransientError
from pipeline_triggers.reacting import (
    CALL_BUDGET,
    FASTER,
    PATIENCE,
    START_BUDGET,
    Invocation,
    Message,
    Pacer,
    Reactor,
    delay_seconds,
)
from pipeline_triggers.sources.envelopes import Malformed
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.trigger_store import FakeTriggerStore
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.executions import Execution, PipelineRef, StartRequest
    from pipeline_triggers.domain.ports import Pipelines

OPTIONAL = Declared(required=False)
DEFINITION = Definition({"Rows": OPTIONAL, "Key": OPTIONAL})


def a_trigger(name: str = "on-upload", pipeline: str = "churn-train", **changes: Any) -> Trigger:
    document = {
        "name": name,
        "event_pattern": {"source": ["com.example"]},
        "targets": [{"pipeline": pipeline, "parameters": {"Rows": "$.detail.rows"}}],
    }
    return Trigger.from_document({**document, **changes})


def an_event(event_id: str = "event-1", **detail: Any) -> Event:
    return Event.from_envelope(
        {
            "version": "0",
            "id": event_id,
            "source": "com.example",
            "detail-type": "Rows",
            "account": "123456789012",
            "region": "us-east-1",
            "time": "2026-03-14T12:00:00Z",
            "resources": [],
            "detail": {"rows": 5, **detail},
        },
    )


@dataclass
class World:
    """A reactor with fakes of everything around it."""

    clock: FakeClock = field(default_factory=FakeClock)
    start_interval: float = 0.0
    max_starts_per_hour: int = 1000

    def __post_init__(self) -> None:
        self.triggers = FakeTriggerStore(clock=self.clock)
        self.pipelines = FakePipelines(clock=self.clock)
        self.ledger = FakeLedger(clock=self.clock)
        self.quarantine = FakeQuarantine(clock=self.clock)
        self.reactor = self.another_worker()
        self.pipelines.add("churn-train", DEFINITION)
        self.triggers.put(a_trigger())

    def behind_a_cache(self) -> Cached:
        """Let the reactor ask through a cache, as it does in a function."""
        cached = Cached(self.pipelines)
        self.reactor = self.another_worker(cached)
        return cached

    def another_worker(self, pipelines: Pipelines | None = None) -> Reactor:
        return Reactor(
            triggers=self.triggers,
            pipelines=pipelines or self.pipelines,
            ledger=self.ledger,
            quarantine=self.quarantine,
            clock=self.clock,
            home=HOME,
            start_interval=self.start_interval,
            max_starts_per_hour=self.max_starts_per_hour,
        )

    def invocation(self, owner: str = "worker", seconds: float = 60) -> Invocation:
        return Invocation(owner, self.clock.now() + timedelta(seconds=seconds))

    def message(self, **changes: Any) -> Message:
        now = self.clock.now()
        return replace(Message("body", "message-1", "arn:queue", "receipt", now, now), **changes)

    def react(self, *items: Event | Malformed, first_received_at: datetime | None = None) -> list[Decision]:
        message = self.message(first_received_at=first_received_at or self.clock.now())
        return self.reactor.react(items or (an_event(),), message, self.invocation())


@dataclass
class Cached:
    """SageMaker behind a cache, as the adapter has one; it may hold an old definition. ``asked`` are the real calls."""

    behind: FakePipelines
    cached: dict[tuple[str, int | None], Definition] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return len(self.behind.called("describe"))

    def describe(self, ref: PipelineRef, *, role_arn: str | None = None, fresh: bool = False) -> Definition:
        key = ref.key_in(HOME)
        if fresh or key not in self.cached:
            self.cached[key] = self.behind.describe(ref, role_arn=role_arn, fresh=fresh)
        return self.cached[key]

    def start(self, request: StartRequest) -> str:
        return self.behind.start(request)

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        return self.behind.find(request, since, until)

    def execution(self, arn: str, *, role_arn: str | None = None) -> Execution:
        return self.behind.execution(arn, role_arn=role_arn)

    def absent(self, arn: str) -> bool:
        return self.behind.absent(arn)

    def listed(self) -> Iterator[str]:
        return self.behind.listed()


@pytest.fixture
def world() -> World:
    return World()


def logged(log: io.StringIO, message: str) -> list[dict[str, Any]]:
    """The lines of the log with a message."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["message"] == message]


def outcomes(decisions: list[Decision]) -> list[tuple[str, str]]:
    return [(decision.outcome, decision.reason) for decision in decisions]


def test_a_match_starts_an_execution_with_the_resolved_parameters(world: World) -> None:
    (decision,) = world.react()
    assert decision.outcome == "started"
    assert decision.execution_arn == world.pipelines.executions[0].arn
    assert world.pipelines.started[0].parameters == {"Rows": "5"}
    assert decision.at == world.clock.now()


def test_the_ledger_knows_what_was_started(world: World) -> None:
    (decision,) = world.react()
    assert world.ledger.state(decision.token) == "STARTED"


def test_a_redelivered_event_starts_nothing_and_names_the_first_execution(world: World) -> None:
    (first,) = world.react()
    (again,) = world.react()
    assert (again.outcome, again.execution_arn) == ("duplicate", first.execution_arn)
    assert len(world.pipelines.called("start")) == 1


def test_an_event_that_matches_nothing_leaves_no_trace(world: World) -> None:
    world.triggers.put()
    assert outcomes(world.react()) == [("unmatched", "")]
    assert not world.ledger.entries
    assert not world.quarantine.items


def test_a_missing_parameter_goes_to_quarantine_with_body_reason_and_decisions(world: World) -> None:
    world.react(an_event(rows=None))
    item = world.quarantine.items["message-1"]
    assert (item.reason, item.body, item.source_queue) == ("missing-parameter", "body", "arn:queue")
    assert item.triggers == ("on-upload",)
    assert item.decisions[0]["outcome"] == "rejected"
    assert "$.detail.rows" in item.message


def test_a_rejected_decision_is_on_record(world: World) -> None:
    (decision,) = world.react(an_event(rows=None))
    assert world.ledger.state(decision.token) == "REJECTED"


def test_a_malformed_part_goes_to_quarantine_and_its_neighbours_start(world: World) -> None:
    decisions = world.react(an_event("a"), Malformed("malformed-event", "no source", 1), an_event("b"))
    assert [d.outcome for d in decisions] == ["started", "rejected", "started"]
    assert world.quarantine.items["message-1"].reason == "malformed-event"


def test_a_bad_target_does_not_block_the_other_targets(world: World) -> None:
    world.triggers.put(a_trigger(targets=[{"pipeline": "gone"}, {"pipeline": "churn-train"}]))
    assert outcomes(world.react()) == [("retry", "not-found-yet"), ("started", "")]


def test_what_is_done_is_not_done_again_when_its_message_comes_back_for_another_target(world: World) -> None:
    world.triggers.put(a_trigger(targets=[{"pipeline": "gone"}, {"pipeline": "churn-train"}]))
    world.react()
    world.pipelines.add("gone", DEFINITION)
    assert [d.outcome for d in world.react()] == ["started", "duplicate"]


def test_a_throttled_start_is_tried_again_and_released(world: World) -> None:
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    assert outcomes(world.react()) == [("retry", "throttled")]
    assert [d.outcome for d in world.react()] == ["started"]


def test_after_a_throttle_nothing_more_is_called_in_this_invocation(world: World) -> None:
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    decisions = world.react(an_event("a"), an_event("b"), an_event("c"))
    assert outcomes(decisions) == [("retry", "throttled")] * 3
    assert len(world.pipelines.called("start")) == 1
    assert len(world.ledger.called("acquire")) == 1


def test_a_permanent_refusal_of_sagemaker_goes_to_quarantine_at_once(world: World) -> None:
    world.pipelines.fail("start", PermanentError("refused-by-sagemaker", "ValidationException"))
    (decision,) = world.react()
    assert (decision.outcome, decision.reason) == ("rejected", "refused-by-sagemaker")
    assert world.ledger.state(decision.token) == "REJECTED"
    assert "message-1" in world.quarantine.items


def test_a_rejected_start_may_be_redriven(world: World) -> None:
    world.pipelines.fail("start", PermanentError("refused-by-sagemaker", "ValidationException"))
    world.react()
    redriven = world.reactor.react([an_event()], world.message(id="message-2"), world.invocation())
    assert outcomes(redriven) == [("started", "")]


def test_a_bare_event_that_is_sent_again_is_a_redrive(world: World) -> None:
    refused = PermanentError("refused-by-sagemaker", "ValidationException")
    for errors, expected in [((refused,), ("rejected", "refused-by-sagemaker")), ((), ("started", ""))]:
        world.pipelines.fail("start", *errors)
        assert outcomes(world.reactor.react([an_event()], Message("body", "bare"), world.invocation())) == [expected]


def test_a_rejected_target_is_not_tried_again_when_its_message_comes_back_for_another(world: World) -> None:
    world.triggers.put(a_trigger(targets=[{"pipeline": "churn-train"}, {"pipeline": "gone"}]))
    world.pipelines.fail("start", PermanentError("refused-by-sagemaker", "ValidationException: too many steps"))
    first = world.react()
    assert outcomes(first) == [("rejected", "refused-by-sagemaker"), ("retry", "not-found-yet")]
    world.pipelines.add("gone", DEFINITION)
    again = world.react()
    assert outcomes(again) == [("rejected", "refused-by-sagemaker"), ("started", "")]
    assert again[0].message == first[0].message
    assert [call["request"].pipeline_arn[-4:] for call in world.pipelines.called("start")] == ["rain", "gone", "gone"]


def test_what_was_rejected_while_the_quarantine_was_down_gets_there_later(world: World) -> None:
    world.pipelines.fail("start", PermanentError("refused-by-sagemaker", "ValidationException"))
    world.quarantine.fail("put", TransientError("unavailable", "down"))
    assert outcomes(world.react()) == [("retry", "unavailable")]
    assert outcomes(world.react()) == [("rejected", "refused-by-sagemaker")]
    assert world.quarantine.items["message-1"].reason == "refused-by-sagemaker"
    assert len(world.pipelines.called("start")) == 1


def test_a_capped_target_is_not_counted_or_started_when_its_message_comes_back(world: World) -> None:
    trigger = a_trigger(max_starts_per_hour=1)
    gone = a_trigger("other", targets=[{"pipeline": "gone"}])
    world.triggers.put(trigger)
    world.react(an_event("first"))
    world.triggers.put(trigger, gone)
    assert outcomes(world.react(an_event("second"))) == [("rejected", "rate-cap"), ("retry", "not-found-yet")]
    world.clock.advance(hours=1)
    assert outcomes(world.react(an_event("second")))[0] == ("rejected", "rate-cap")
    assert len(world.pipelines.executions) == 1


def test_what_may_have_been_started_before_it_was_rejected_is_looked_for_by_its_redrive(world: World) -> None:
    world.pipelines.fail("start", TransientError("unavailable", "reset", acted=True))
    world.react()
    world.clock.advance(seconds=61)
    world.pipelines.fail("find", PermanentError("refused-by-sagemaker", "ValidationException"))
    assert outcomes(world.react()) == [("rejected", "refused-by-sagemaker")]
    world.pipelines.forget_tokens()
    world.clock.advance(days=3)
    redriven = world.reactor.react([an_event()], world.message(id="message-2"), world.invocation())
    assert outcomes(redriven) == [("started", "")]
    assert len(world.pipelines.executions) == 1


@pytest.mark.parametrize(
    ("transient", "permanent"), [("not-found-yet", "pipeline-not-found"), ("denied-yet", "access-denied")]
)
def test_what_may_settle_has_15_minutes_and_then_is_permanent(world: World, transient: str, permanent: str) -> None:
    since = world.clock.now()
    error = TransientError(transient, "no")
    world.pipelines.fail("start", error, error)
    assert outcomes(world.react(first_received_at=since)) == [("retry", transient)]
    world.clock.advance(seconds=PATIENCE.total_seconds())
    (decision,) = world.react(first_received_at=since)
    assert (decision.outcome, decision.reason) == ("rejected", permanent)
    assert world.ledger.state(decision.token) == "REJECTED"


def test_a_bare_event_has_no_patience_because_nothing_redelivers_it(world: World) -> None:
    world.pipelines.remove("churn-train")
    message = Message("body", "bare")
    decisions = world.reactor.react([an_event()], message, world.invocation())
    assert outcomes(decisions) == [("rejected", "pipeline-not-found")]


def test_a_lost_answer_is_found_again_by_its_name_when_the_service_forgot_the_token(world: World) -> None:
    world.pipelines.fail("start", TransientError("unavailable", "reset", acted=True))
    assert outcomes(world.react()) == [("retry", "unavailable")]
    world.pipelines.forget_tokens()
    world.clock.advance(seconds=61)
    (decision,) = world.react()
    assert decision.outcome == "started"
    assert len(world.pipelines.executions) == 1


def test_a_lost_answer_keeps_its_lease_until_the_attempt_is_surely_over(world: World) -> None:
    world.pipelines.fail("start", TransientError("unavailable", "reset", acted=True))
    world.react()
    assert outcomes(world.react()) == [("retry", "in-progress")]


def test_to_look_for_an_execution_in_vain_makes_nothing_less_known(world: World) -> None:
    began = world.clock.now()
    world.pipelines.fail("start", TransientError("unavailable", "no answer", acted=True))
    world.react()
    world.clock.advance(hours=1)
    world.pipelines.fail("find", TransientError("unavailable", "a 500", acted=True))
    assert outcomes(world.react()) == [("retry", "unavailable")]
    assert outcomes(world.react()) == [("started", "")]
    *_, window = world.pipelines.called("find")
    assert (window["since"], window["until"]) == (began, began + timedelta(seconds=60))


def test_an_attempt_of_unknown_outcome_is_repeated_with_its_own_request(world: World) -> None:
    world.pipelines.fail("start", TransientError("unavailable", "reset", acted=True))
    world.react()
    world.pipelines.executions.clear()
    world.pipelines.forget_tokens()
    world.triggers.put(a_trigger(targets=[{"pipeline": "churn-train", "parameters": {"Rows": "changed"}}]))
    world.clock.advance(seconds=61)
    (decision,) = world.react()
    assert world.pipelines.started[0].parameters == {"Rows": "5"}
    assert decision.request is not None
    assert decision.request.parameters == {"Rows": "5"}
    assert "repeated with its own" in decision.message


def test_a_change_of_parameters_after_an_attempt_without_effect_is_told_and_the_new_ones_are_sent(world: World) -> None:
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    world.react()
    world.triggers.put(a_trigger(targets=[{"pipeline": "churn-train", "parameters": {"Rows": "changed"}}]))
    (decision,) = world.react()
    assert world.pipelines.started[0].parameters == {"Rows": "changed"}
    assert decision.message.endswith("that attempt had no effect, so the new ones were sent")


def test_a_start_whose_ledger_entry_could_not_be_completed_is_not_repeated(world: World) -> None:
    world.ledger.fail("complete", TransientError("ledger-unavailable", "down"))
    assert outcomes(world.react()) == [("retry", "ledger-unavailable")]
    world.pipelines.forget_tokens()
    world.clock.advance(seconds=61)
    assert outcomes(world.react()) == [("started", "")]
    assert len(world.pipelines.executions) == 1


def test_without_the_ledger_nothing_starts(world: World) -> None:
    world.ledger.fail("acquire", TransientError("ledger-unavailable", "down"))
    assert outcomes(world.react()) == [("retry", "ledger-unavailable")]
    assert not world.pipelines.called("start")


def test_without_the_quarantine_the_message_stays_in_its_queue_and_every_decision_is_told(world: World) -> None:
    world.quarantine.fail("put", TransientError("unavailable", "down"))
    refused, started = world.react(an_event(rows=None), an_event("good"))
    assert (refused.outcome, refused.reason) == ("retry", "unavailable")
    assert refused.message == "rejected (missing-parameter), but the quarantine could not be written: down"
    assert started.outcome == "started"


def test_without_the_triggers_the_message_stays_in_its_queue(world: World) -> None:
    world.triggers.fail("current", TransientError("unavailable", "down"))
    with pytest.raises(TransientError):
        world.react()


def test_a_worker_that_has_the_lease_keeps_others_away(world: World) -> None:
    (planned,) = world.react(an_event())
    entry = world.ledger.entries[planned.token]
    attempting = replace(entry.entry, state="ATTEMPTING", lease_until=world.clock.now() + timedelta(seconds=30))
    world.ledger.entries[planned.token] = replace(entry, entry=attempting)
    assert outcomes(world.react()) == [("retry", "in-progress")]


def test_too_little_time_before_the_deadline_calls_nothing(world: World) -> None:
    invocation = world.invocation(seconds=START_BUDGET.total_seconds() - 1)
    with pytest.raises(TransientError) as caught:
        world.reactor.react([an_event()], world.message(), invocation)
    assert caught.value.reason == "deadline"
    assert not world.triggers.called("current")
    assert not world.ledger.calls


def test_a_start_that_would_go_on_after_its_lease_is_not_made(world: World) -> None:
    class Slow(FakeLedger):
        """Its answers come late."""

        def acquire(self, *arguments: Any, **options: Any) -> Any:
            found = super().acquire(*arguments, **options)
            self.clock.advance(seconds=60 - CALL_BUDGET.total_seconds() + 1)
            return found

    world.ledger = Slow(clock=world.clock)
    world.reactor = world.another_worker()
    assert outcomes(world.react()) == [("retry", "deadline")]
    assert not world.pipelines.called("start")
    assert len(world.ledger.called("release")) == 1


def test_what_does_not_fit_before_the_deadline_any_more_comes_again(world: World) -> None:
    world.start_interval = 20
    decisions = world.another_worker().react(
        [an_event("1"), an_event("2"), an_event("3")], world.message(), world.invocation()
    )
    assert outcomes(decisions) == [("started", ""), ("started", ""), ("retry", "deadline")]
    assert world.clock.slept == [20]


@pytest.mark.parametrize("reason", ["throttled", "unavailable", "denied-yet"])
def test_a_pipeline_that_cannot_be_described_is_asked_for_once_in_an_invocation(world: World, reason: Any) -> None:
    world.pipelines.fail("describe", *(TransientError(reason, "no answer") for _ in range(5)))
    invocation = world.invocation()
    for number in range(3):
        world.reactor.react([an_event(f"event-{number}")], world.message(), invocation)
    assert len(world.pipelines.called("describe")) == 1
    assert len(world.pipelines.started) == 3


def test_who_stopped_calling_describes_nothing_either(world: World) -> None:
    invocation = world.invocation()
    invocation.stopped = "throttled"
    decisions = world.reactor.react([an_event()], world.message(), invocation)
    assert outcomes(decisions) == [("retry", "throttled")]
    assert not world.pipelines.calls


def test_a_large_event_that_many_parameters_read_is_in_quarantine_once(world: World) -> None:
    parameters = {f"P{number}": "$.detail.blob" for number in range(50)}
    world.triggers.put(a_trigger(targets=[{"pipeline": "churn-train", "parameters": parameters}]))
    world.react(an_event(blob="x" * 100_000))
    (item,) = world.quarantine.list()
    assert len(canonical(list(world.quarantine.get(item.id).decisions))) < 100_000


def test_a_shadow_match_is_recorded_and_starts_nothing(world: World) -> None:
    world.triggers.put(a_trigger(state="SHADOW"))
    (decision,) = world.react()
    assert decision.outcome == "shadow"
    assert world.ledger.state(decision.token) == "SHADOW"
    assert not world.pipelines.called("start")


def test_a_disabled_match_is_recorded_and_starts_nothing(world: World) -> None:
    world.triggers.put(a_trigger(state="DISABLED"))
    (decision,) = world.react()
    assert world.ledger.state(decision.token) == "DISABLED"
    assert not world.pipelines.called("start")


def test_starts_above_the_cap_of_the_trigger_go_to_quarantine(world: World) -> None:
    world.triggers.put(a_trigger(max_starts_per_hour=1))
    decisions = world.react(an_event("a"), an_event("b"))
    assert outcomes(decisions) == [("started", ""), ("rejected", "rate-cap")]
    assert world.quarantine.items["message-1"].reason == "rate-cap"


def test_the_cap_is_for_one_hour(world: World) -> None:
    world.triggers.put(a_trigger(max_starts_per_hour=1))
    world.react(an_event("a"))
    world.clock.advance(hours=1)
    assert outcomes(world.react(an_event("b"))) == [("started", "")]


def test_retries_of_one_start_count_once_against_the_cap(world: World) -> None:
    world.triggers.put(a_trigger(max_starts_per_hour=1))
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    world.react()
    assert outcomes(world.react()) == [("started", "")]


def test_starts_of_one_worker_keep_the_interval() -> None:
    world = World(start_interval=1.0)
    world.react(an_event("a"), an_event("b"), an_event("c"))
    assert world.clock.slept == [1.0, 1.0]


def test_a_worker_that_is_throttled_leaves_twice_the_time_between_its_starts() -> None:
    world = World(start_interval=1.0)
    world.pipelines.fail("start", *[TransientError("throttled", "slow down")] * 2)
    for number in range(5):
        world.react(an_event(str(number)))
    assert world.clock.slept == pytest.approx([2.0, 4.0, 4.0 * FASTER, 4.0 * FASTER**2])


def test_a_worker_never_waits_so_long_that_no_time_is_left_for_the_start() -> None:
    pacer = Pacer(FakeClock(), 1.0)
    for _ in range(20):
        pacer.wait()
        pacer.throttled()
    assert timedelta(seconds=60) - START_BUDGET > pacer.ready_at() - pacer.clock.now() == timedelta(seconds=15)


def test_a_worker_that_leaves_no_time_between_starts_is_slowed_down_little_by_a_single_throttle() -> None:
    world = World()
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    for number in range(8):
        world.react(an_event(str(number)))
    assert sum(world.clock.slept) < 1.5


def test_a_worker_that_starts_again_comes_back_to_its_pace() -> None:
    pacer = Pacer(FakeClock(), 1.0)
    pacer.throttled()
    for _ in range(30):
        pacer.wait()
        pacer.started()
    assert pacer.ready_at() - pacer.clock.now() == timedelta(seconds=1)


def test_a_message_never_meets_triggers_older_than_itself(world: World) -> None:
    world.react(an_event("a"))
    world.clock.advance(seconds=10)
    world.triggers.put()
    assert outcomes(world.react(an_event("b"))) == [("unmatched", "")]


def test_triggers_are_not_read_again_for_messages_that_are_older_than_them(world: World) -> None:
    sent = world.clock.now()
    world.clock.advance(seconds=3)
    for number in range(5):
        world.reactor.react([an_event(str(number))], world.message(sent_at=sent), world.invocation())
    assert len(world.triggers.called("current")) == 1


def test_triggers_that_were_read_only_just_after_a_message_was_sent_are_read_again(world: World) -> None:
    """The clocks of SQS and of the worker may differ."""
    sent = world.clock.now()
    world.clock.advance(seconds=1)
    for number in range(2):
        world.reactor.react([an_event(str(number))], world.message(sent_at=sent), world.invocation())
    assert len(world.triggers.called("current")) == 2


def test_an_unchanged_revision_is_validated_but_not_loaded_again(world: World) -> None:
    world.react(an_event("a"))
    world.clock.advance(seconds=10)
    world.react(an_event("b"))
    assert len(world.triggers.called("current")) == 2
    assert len(world.triggers.called("load")) == 1


def test_a_pipeline_that_cannot_be_described_is_started_without_the_check(world: World) -> None:
    world.pipelines.fail("describe", TransientError("denied-yet", "not permitted"))
    assert outcomes(world.react()) == [("started", "")]


def test_an_updated_pipeline_does_not_quarantine_events_by_its_old_definition(world: World) -> None:
    cached = world.behind_a_cache()
    world.pipelines.add("churn-train", Definition({"Key": OPTIONAL}))
    assert outcomes(world.react(an_event("before"))) == [("rejected", "unknown-parameter")]
    world.pipelines.add("churn-train", DEFINITION)
    assert outcomes(world.react(an_event("after"))) == [("started", "")]
    assert [started.parameters for started in world.pipelines.started] == [{"Rows": "5"}]
    assert cached.asked == 3


def test_a_burst_of_refused_events_reads_the_definition_once_more_in_an_invocation(world: World) -> None:
    cached = world.behind_a_cache()
    world.pipelines.add("churn-train", Definition({}))
    invocation = world.invocation()
    for number in range(5):
        decisions = world.reactor.react(
            [an_event(f"{number}-{part}") for part in range(10)], world.message(), invocation
        )
        assert set(outcomes(decisions)) == {("rejected", "unknown-parameter")}
    assert cached.asked == 2
    world.react()
    assert cached.asked == 3


def test_only_the_pipeline_that_refuses_is_read_once_more(world: World) -> None:
    world.pipelines.add("other", DEFINITION)
    world.triggers.put(a_trigger(), a_trigger("second", "other"))
    cached = world.behind_a_cache()
    world.pipelines.add("churn-train", Definition({}))
    assert outcomes(world.react()) == [("rejected", "unknown-parameter"), ("started", "")]
    asked = [(str(call["ref"]), call["fresh"]) for call in world.pipelines.called("describe")]
    assert asked == [("churn-train", False), ("other", False), ("churn-train", True)]
    assert cached.asked == 3


def test_the_other_targets_of_the_trigger_are_not_read_once_more(world: World) -> None:
    world.pipelines.add("other", DEFINITION)
    parameters = {"Rows": "$.detail.rows"}
    targets = [{"pipeline": name, "parameters": parameters} for name in ("churn-train", "other")]
    world.triggers.put(a_trigger(targets=targets))
    world.pipelines.add("churn-train", Definition({}))
    world.behind_a_cache()
    world.react()
    reread = [str(call["ref"]) for call in world.pipelines.called("describe") if call["fresh"]]
    assert reread == ["churn-train"]


def test_a_refusal_that_cannot_be_confirmed_is_left_to_sagemaker(world: World) -> None:
    world.behind_a_cache()
    world.pipelines.add("churn-train", Definition({"Key": OPTIONAL}))
    world.react(an_event("fills the cache"))
    world.pipelines.fail("describe", TransientError("throttled", "slow down"))
    assert outcomes(world.react(an_event("refused"))) == [("started", "")]


def test_a_pipeline_is_described_with_the_role_that_starts_it(world: World) -> None:
    role = "arn:aws:iam::999999999999:role/starter"
    targets = [{"pipeline": "churn-train", "parameters": {"Rows": "$.detail.rows"}, "role_arn": role}]
    world.triggers.put(a_trigger(targets=targets), a_trigger("without-role", "other"))
    world.pipelines.add("other", DEFINITION)
    world.react()
    asked = [(str(call["ref"]), call["role_arn"]) for call in world.pipelines.called("describe")]
    assert asked == [("churn-train", role), ("other", None)]


def test_the_definition_of_the_version_that_runs_counts(world: World) -> None:
    world.pipelines.add("churn-train", DEFINITION, version=1)
    world.pipelines.add("churn-train", Definition({}), version=2)
    parameters = {"Rows": "$.detail.rows"}
    versions = [{"id": str(v), "pipeline": "churn-train", "version_id": v, "parameters": parameters} for v in (1, 2)]
    world.triggers.put(a_trigger(targets=versions))
    assert outcomes(world.react()) == [("started", ""), ("rejected", "unknown-parameter")]


LASTING = [
    (TransientError("denied-yet", "not authorized"), "sagemaker:DescribePipeline"),
    (PermanentError("refused-by-sagemaker", "the definition cannot be read"), "Correct the definition"),
]


@pytest.mark.parametrize(("error", "remedy"), LASTING, ids=["denied", "unreadable"])
def test_what_keeps_a_pipeline_from_being_described_is_said_once_by_a_worker(
    world: World, log: io.StringIO, error: Exception, remedy: str
) -> None:
    for number in range(4):
        world.pipelines.fail("describe", error)
        assert outcomes(world.react(an_event(str(number)))) == [("started", "")]
        world.clock.advance(minutes=5)
    (line,) = logged(log, "parameters are not checked before the start")
    assert (line["level"], line["pipeline"], remedy in line["remedy"]) == ("WARNING", "churn-train", True)
    assert not world.quarantine.items


@pytest.mark.parametrize("error", [error for error, _ in LASTING], ids=["denied", "unreadable"])
def test_a_pipeline_that_may_not_be_described_is_asked_for_again_after_five_minutes(
    world: World, error: Exception
) -> None:
    world.pipelines.fail("describe", error)
    world.react(an_event("1"))
    world.clock.advance(minutes=4, seconds=59)
    world.react(an_event("2"))
    assert len(world.pipelines.called("describe")) == 1
    world.clock.advance(seconds=1)
    world.react(an_event("3"))
    assert len(world.pipelines.called("describe")) == 2


def test_a_denial_is_said_again_when_it_worked_in_between(world: World, log: io.StringIO) -> None:
    denied = TransientError("denied-yet", "not authorized")
    world.pipelines.fail("describe", denied)
    world.react(an_event("1"))
    world.clock.advance(minutes=5)
    world.react(an_event("2"))
    world.pipelines.fail("describe", denied)
    world.react(an_event("3"))
    assert len(logged(log, "parameters are not checked before the start")) == 2


def test_the_remedy_names_the_role_that_lacks_the_permission(world: World, log: io.StringIO) -> None:
    role = "arn:aws:iam::999999999999:role/starter"
    world.triggers.put(a_trigger(targets=[{"pipeline": "churn-train", "role_arn": role}]))
    world.pipelines.fail("describe", TransientError("denied-yet", "not authorized"))
    world.react()
    (line,) = logged(log, "parameters are not checked before the start")
    assert line["remedy"] == f"Give {role} sagemaker:DescribePipeline for the pipeline"


def test_a_refusal_names_trigger_target_parameter_and_path_in_quarantine(world: World) -> None:
    world.pipelines.add("churn-train", Definition({"Rows": Declared("Boolean")}))
    world.react()
    message = world.quarantine.items["message-1"].message
    assert message.startswith(
        "trigger on-upload, target churn-train: parameter Rows: '5' (from '$.detail.rows') is no Boolean"
    )


def test_a_parameter_that_the_pipeline_does_not_declare_goes_to_quarantine(world: World) -> None:
    world.pipelines.add("churn-train", Definition({}))
    assert outcomes(world.react()) == [("rejected", "unknown-parameter")]
    assert not world.pipelines.called("start")


@pytest.mark.parametrize(("receipts", "least", "most"), [(1, 15, 30), (2, 30, 60), (6, 450, 900), (600, 450, 900)])
def test_the_delay_grows_with_the_receipts_and_has_a_limit(receipts: int, least: int, most: int) -> None:
    assert delay_seconds(receipts, "throttled", jitter=lambda: 0.0) == least
    assert delay_seconds(receipts, "throttled", jitter=lambda: 1.0) == most


@pytest.mark.parametrize(("receipts", "most"), [(1, 5), (2, 10), (4, 40), (9, 900)])
def test_what_only_ran_out_of_time_comes_again_soon_but_not_600_times_within_hours(receipts: int, most: int) -> None:
    assert delay_seconds(receipts, "deadline", jitter=lambda: 1.0) == most


def orphaned(world: World, *, for_: timedelta = PATIENCE) -> World:
    """The pipeline is gone, and was marked so long ago."""
    world.pipelines.remove("churn-train")
    world.triggers.mark([PIPELINE_ARN], world.clock.now() - for_)
    return world


def test_an_event_for_a_pipeline_that_is_gone_goes_to_quarantine_at_once(world: World) -> None:
    (decision,) = orphaned(world).react()
    assert (decision.outcome, decision.reason) == ("rejected", "pipeline-orphaned")
    assert "redrive" in decision.message
    (item,) = world.quarantine.items.values()
    assert (item.reason, item.triggers) == ("pipeline-orphaned", ("on-upload",))
    assert not world.pipelines.called("start")


def test_a_pipeline_that_was_made_again_starts_although_it_is_still_marked(world: World) -> None:
    orphaned(world).pipelines.add("churn-train", DEFINITION)
    assert outcomes(world.react()) == [("started", "")]


def test_an_event_of_an_orphan_starts_when_it_is_redriven_after_the_pipeline_was_made_again(world: World) -> None:
    orphaned(world).react()
    world.pipelines.add("churn-train", DEFINITION)
    assert outcomes(world.reactor.react([an_event()], world.message(id="redriven"), world.invocation())) == [
        ("started", ""),
    ]


def test_a_pipeline_that_was_deleted_a_moment_ago_is_waited_for(world: World) -> None:
    orphaned(world, for_=PATIENCE - timedelta(seconds=1))
    assert outcomes(world.react()) == [("retry", "not-found-yet")]


def test_a_pipeline_without_a_mark_is_waited_for(world: World) -> None:
    world.pipelines.remove("churn-train")
    assert outcomes(world.react()) == [("retry", "not-found-yet")]


def test_a_mark_in_other_letters_is_the_same_pipelines(world: World) -> None:
    world.triggers.put(a_trigger(pipeline="Churn-Train"))
    assert outcomes(orphaned(world).react()) == [("rejected", "pipeline-orphaned")]


@pytest.mark.parametrize("reason", ["throttled", "unavailable", "denied-yet", "pipeline-deleting"])
def test_a_mark_alone_refuses_nothing_while_sagemaker_does_not_say(world: World, reason: Any) -> None:
    world.triggers.mark([PIPELINE_ARN], world.clock.now() - 2 * PATIENCE)
    world.pipelines.fail("describe", TransientError(reason, "not now"))
    assert outcomes(world.react()) == [("started", "")]


def test_an_orphan_that_may_not_be_described_is_found_out_by_its_start(world: World) -> None:
    orphaned(world).pipelines.fail("describe", TransientError("denied-yet", "not permitted"))
    (decision,) = world.react()
    assert (decision.outcome, decision.reason) == ("rejected", "pipeline-orphaned")
    assert world.ledger.state(decision.token) == "REJECTED"


def test_another_failure_of_a_start_is_not_put_down_to_the_mark(world: World) -> None:
    world.triggers.mark([PIPELINE_ARN], world.clock.now() - 2 * PATIENCE)
    world.pipelines.fail("start", TransientError("throttled", "slow down"))
    assert outcomes(world.react()) == [("retry", "throttled")]


def test_an_orphan_is_asked_about_once_in_an_invocation_and_never_started(world: World) -> None:
    orphaned(world)
    invocation = world.invocation()
    for number in range(5):
        world.reactor.react([an_event(str(number))], world.message(id=str(number)), invocation)
    assert len(world.pipelines.called("describe")) == 1
    assert not world.pipelines.called("start")


def test_a_version_that_is_gone_makes_no_orphan_of_a_pipeline_that_exists(world: World) -> None:
    targets = [{"pipeline": "churn-train", "version_id": 7}]
    world.triggers.put(a_trigger(targets=targets))
    world.triggers.mark([PIPELINE_ARN], world.clock.now() - 2 * PATIENCE)
    assert ("rejected", "pipeline-orphaned") not in outcomes(world.react())


def test_marks_cost_a_message_no_call_of_their_own(world: World) -> None:
    orphaned(world).triggers.calls.clear()
    world.react()
    assert [call.method for call in world.triggers.calls] == ["current", "load"]


def test_a_prepared_worker_reads_the_triggers_for_its_first_event_no_more(world: World) -> None:
    world.reactor.prepare()
    world.clock.advance(minutes=1)
    loaded = len(world.triggers.called("load"))
    assert outcomes(world.react()) == [("started", "")]
    assert len(world.triggers.called("load")) == loaded == 1


def test_a_prepared_worker_serves_no_event_with_triggers_that_are_older_than_it(world: World) -> None:
    world.reactor.prepare()
    world.triggers.put(a_trigger("on-upload", event_pattern={"source": ["com.example.other"]}))
    world.clock.advance(minutes=1)
    assert outcomes(world.react()) == [("unmatched", "")]


def test_preparing_asks_what_a_pipeline_declares_once_for_the_first_start_too(world: World) -> None:
    cached = world.behind_a_cache()
    world.reactor.prepare()
    assert cached.asked == 1
    world.react()
    assert cached.asked == 1


def test_preparing_starts_nothing_and_asks_for_nothing_when_there_are_no_triggers(world: World) -> None:
    world.triggers.put()
    world.reactor.prepare()
    assert world.pipelines.calls == []


def test_a_worker_that_could_not_be_prepared_reads_the_triggers_for_its_first_event(world: World) -> None:
    world.triggers.fail("current", TransientError("unavailable", "down"))
    with pytest.raises(TransientError):
        world.reactor.prepare()
    assert outcomes(world.react()) == [("started", "")]


def test_a_prepared_worker_reads_no_pattern_for_its_first_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(*_: object) -> None:
        raise AssertionError("a pattern is read while an event waits")

    of_others = [{"source": ["com.example"], "detail-type": [f"Other {number}"]} for number in range(10)]
    world.triggers.put(*(a_trigger(f"t{number}", event_pattern=each) for number, each in enumerate(of_others)))
    world.reactor.prepare()
    monkeypatch.setattr("pipeline_triggers.domain.patterns.alternatives_of", too_late)
    assert outcomes(world.react()) == [("unmatched", "")]
