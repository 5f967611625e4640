"""What happened, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.executions import Execution
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import TransientError
from pipeline_triggers.explaining import MAX_SEARCHED, Explainer, History, is_execution
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.trigger_store import FakeTriggerStore
from tests.samples import rejected, start, trigger

if TYPE_CHECKING:
    from pipeline_triggers.domain.records import Record

LEASE = timedelta(seconds=60)
LONG_AGO = NOON - timedelta(days=30)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(clock: FakeClock) -> FakeLedger:
    return FakeLedger(clock=clock)


@pytest.fixture
def pipelines(clock: FakeClock) -> FakePipelines:
    fake = FakePipelines(clock=clock)
    fake.add("churn-train")
    return fake


@pytest.fixture
def store() -> FakeTriggerStore:
    return FakeTriggerStore()


@pytest.fixture
def quarantine() -> FakeQuarantine:
    return FakeQuarantine()


@pytest.fixture
def explainer(pipelines: FakePipelines, store: FakeTriggerStore, quarantine: FakeQuarantine) -> Explainer:
    return Explainer(pipelines, store, quarantine)


def record_of(ledger: FakeLedger, pipelines: FakePipelines, *, revision: int = 1) -> Record:
    """The record of a start that happened."""
    decision = replace(start(), revision=revision)
    assert decision.request is not None
    ledger.acquire(decision, "worker", ledger.clock.now() + LEASE)
    ledger.complete(decision.token, "worker", pipelines.start(decision.request))
    (record,) = History(ledger).of("event-1")
    return record


def test_records_of_all_triggers_and_states_come_newest_first(ledger: FakeLedger, clock: FakeClock) -> None:
    ledger.record(replace(rejected(trigger="a", event_id="1"), at=clock.now()))
    clock.advance(minutes=1)
    ledger.acquire(start(trigger="b", event_id="2"), "worker", clock.now() + LEASE)
    clock.advance(minutes=1)
    ledger.record(replace(start(trigger="c", event_id="3"), outcome="shadow"))
    clock.advance(minutes=1)
    ledger.record(replace(start(trigger="a", event_id="4", key="other"), outcome="disabled", request=None))
    history = History(ledger)
    assert [record.decision.event_id for record in history.recent(LONG_AGO)] == ["4", "3", "2", "1"]
    late = NOON + timedelta(minutes=2)
    assert [record.decision.event_id for record in history.recent(late)] == ["4", "3"]
    assert [record.decision.event_id for record in history.recent(LONG_AGO, trigger="a")] == ["4", "1"]
    assert [record.decision.event_id for record in history.recent(LONG_AGO, state="SHADOW")] == ["3"]
    assert [record.decision.event_id for record in history.recent(LONG_AGO, trigger="a", state="REJECTED")] == ["1"]


def test_a_record_is_found_by_its_event_its_execution_and_its_occurrence(
    ledger: FakeLedger, pipelines: FakePipelines
) -> None:
    record = record_of(ledger, pipelines)
    history = History(ledger)
    assert history.of(record.decision.execution_arn) == [record]
    assert history.of_occurrence(record.decision.token) == record
    assert history.of("no-such-event") == []
    assert history.of_occurrence("0" * 64) is None


def test_a_record_is_the_decision_that_was_made(ledger: FakeLedger, pipelines: FakePipelines) -> None:
    record = record_of(ledger, pipelines)
    made = replace(start(), revision=1, outcome="started", execution_arn=record.decision.execution_arn, at=NOON)
    assert record.decision == made
    assert (record.state, record.attempts, record.first_at, record.params_changed) == ("STARTED", 1, NOON, False)


def test_an_execution_is_told_as_it_stands(ledger: FakeLedger, pipelines: FakePipelines, explainer: Explainer) -> None:
    record = record_of(ledger, pipelines)
    running = explainer.explain(record).execution
    assert running is not None
    assert running.status == "Executing"
    failed = Execution(running.arn, "Failed", NOON, NOON, "step Train: out of memory")
    pipelines.ended[running.arn] = failed
    assert explainer.explain(record).execution == failed


def test_an_execution_that_cannot_be_asked_for_is_a_problem_and_no_error(
    ledger: FakeLedger, pipelines: FakePipelines, explainer: Explainer
) -> None:
    record = record_of(ledger, pipelines)
    pipelines.fail("execution", TransientError("denied-yet", "not allowed"))
    explanation = explainer.explain(record)
    assert (explanation.execution, explanation.problem) == (None, "not allowed")


def test_the_execution_is_asked_for_with_the_role_that_started_it(
    ledger: FakeLedger, pipelines: FakePipelines, explainer: Explainer
) -> None:
    record = record_of(ledger, pipelines)
    assert record.decision.request is not None
    request = replace(record.decision.request, role_arn="arn:aws:iam::123456789012:role/start")
    explainer.explain(replace(record, decision=replace(record.decision, request=request)))
    assert pipelines.called("execution")[0]["role_arn"] == "arn:aws:iam::123456789012:role/start"


def test_it_is_told_what_became_of_the_trigger(
    ledger: FakeLedger, pipelines: FakePipelines, store: FakeTriggerStore, quarantine: FakeQuarantine
) -> None:
    store.put(trigger())
    record = record_of(ledger, pipelines, revision=1)

    def since() -> str:
        return Explainer(pipelines, store, quarantine).explain(record).since

    assert since() == "same"
    store.put(trigger(), trigger("other"))
    assert since() == "same"
    store.put(trigger(value="ml.p5.48xlarge"))
    assert since() == "changed"
    store.put()
    assert since() == "deleted"
    store.failures.append(TransientError("unavailable", "no table"))
    assert since() == "unknown"


def test_a_revision_that_is_not_there_is_unknown(
    ledger: FakeLedger, pipelines: FakePipelines, explainer: Explainer
) -> None:
    assert explainer.explain(record_of(ledger, pipelines, revision=7)).since == "unknown"


def test_each_revision_is_read_once(ledger: FakeLedger, pipelines: FakePipelines, store: FakeTriggerStore) -> None:
    store.put(trigger())
    record = record_of(ledger, pipelines)
    explainer = Explainer(pipelines, store, FakeQuarantine())
    explainer.explain(record)
    explainer.explain(record)
    assert len(store.called("load")) == 2


def quarantined(id_: str, *event_ids: str) -> Quarantined:
    decisions = tuple({"event_id": event_id} for event_id in event_ids)
    return Quarantined(id_, "malformed-event", "queue", NOON, "{}", decisions=decisions)


def test_the_quarantine_is_searched_by_message_and_by_the_events_in_it(
    explainer: Explainer, quarantine: FakeQuarantine
) -> None:
    quarantine.put(quarantined("m-1", "event-1", "event-2"))
    quarantine.put(quarantined("m-2", "event-3"))
    assert [item.id for item in explainer.in_quarantine("event-2")] == ["m-1"]
    assert [item.id for item in explainer.in_quarantine("m-2")] == ["m-2"]
    assert explainer.in_quarantine("event-9") == []


def test_so_many_are_looked_through_and_no_more(explainer: Explainer, quarantine: FakeQuarantine) -> None:
    for number in range(MAX_SEARCHED + 5):
        quarantine.put(replace(quarantined(f"m-{number:04d}"), received_at=NOON - timedelta(minutes=number)))
    assert explainer.in_quarantine("event-9") == []
    assert len(quarantine.called("get")) == MAX_SEARCHED
    # By its own id one is found however many there are.
    assert len(explainer.in_quarantine(f"m-{MAX_SEARCHED + 3:04d}")) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/abc", True),
        ("arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", False),
        ("c6af9ac6-7b61-11e6-9a41-93e8deadbeef", False),
        ("", False),
    ],
)
def test_an_execution_is_told_from_an_event_by_its_arn(text: str, expected: bool) -> None:
    assert is_execution(text) is expected
