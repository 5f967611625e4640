"""Starting once more, on purpose."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline_triggers.domain.executions import MAX_DESCRIPTION
from pipeline_triggers.domain.records import Record, rerun_of
from pipeline_triggers.errors import AwsError, InvalidInputError, PermanentError, TransientError
from pipeline_triggers.explaining import History
from pipeline_triggers.rerunning import Rerunner, chosen, is_left
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import FakePipelines
from tests.samples import PIPELINE_ARN, rejected, start

ANN = "arn:aws:iam::123456789012:user/ann"
OLD = f"{PIPELINE_ARN}/execution/old"
LEASE = timedelta(seconds=60)


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
def rerunner(ledger: FakeLedger, pipelines: FakePipelines, clock: FakeClock) -> Rerunner:
    return Rerunner(ledger, pipelines, clock, lambda: ANN)


@pytest.fixture
def started(ledger: FakeLedger, clock: FakeClock) -> Record:
    """The record of a start."""
    ledger.acquire(start(), "worker", clock.now() + LEASE)
    ledger.complete(start().token, "worker", OLD)
    (record,) = History(ledger).of("event-1")
    return record


def test_a_rerun_starts_the_same_parameters_as_a_new_occurrence(
    rerunner: Rerunner, pipelines: FakePipelines, started: Record
) -> None:
    decision = rerunner.start(rerunner.plan(started))
    (sent,) = pipelines.started
    assert sent.parameters == start().request.parameters  # type: ignore[union-attr]
    assert sent.token != start().token
    assert (decision.outcome, decision.execution_arn) == ("started", pipelines.executions[0].arn)
    name, old, unique = json.loads(decision.occurrence)
    assert (name, old, len(unique)) == ("rerun", start().occurrence, 32)


def test_its_name_and_description_name_it_and_the_old_execution(rerunner: Rerunner, started: Record) -> None:
    request = rerunner.plan(started).request
    assert request is not None
    assert request.display_name == f"on-upload-{request.token[:12]}"
    assert request.description.startswith(f"rerun of {OLD} by {ANN} | trigger on-upload")
    assert request.description.endswith(f" | token {request.token}")
    assert start().token not in request.description


def test_it_is_on_record_under_the_same_event_beside_the_old_one(
    rerunner: Rerunner, ledger: FakeLedger, started: Record
) -> None:
    decision = rerunner.start(rerunner.plan(started))
    records = History(ledger).of("event-1")
    assert {record.decision.execution_arn for record in records} == {OLD, decision.execution_arn}
    assert {record.rerun_of for record in records} == {"", start().occurrence}
    assert ledger.state(start().token) == "STARTED"


def test_each_rerun_starts_and_one_plan_starts_once(
    rerunner: Rerunner, pipelines: FakePipelines, started: Record
) -> None:
    planned = rerunner.plan(started)
    rerunner.start(planned)
    with pytest.raises(TransientError, match="carried out already"):
        rerunner.start(planned)
    rerunner.start(rerunner.plan(started))
    assert len(pipelines.executions) == 2


def test_a_rerun_of_a_rerun_names_the_first_occurrence(rerunner: Rerunner, ledger: FakeLedger, started: Record) -> None:
    first = rerunner.start(rerunner.plan(started))
    (record,) = History(ledger).of(first.execution_arn)
    assert json.loads(rerunner.plan(record).occurrence)[:2] == ["rerun", start().occurrence]


def test_a_long_description_still_ends_in_the_token(started: Record) -> None:
    assert started.decision.request is not None
    long = replace(started.decision.request, description="x" * MAX_DESCRIPTION)
    decision = rerun_of(replace(started, decision=replace(started.decision, request=long)), "u", "a\nb\x1b[31m" * 200)
    assert decision.request is not None
    assert len(decision.request.description) == MAX_DESCRIPTION
    assert decision.request.description.isprintable()
    assert decision.request.description.endswith(f" | token {decision.token}")


@pytest.mark.parametrize("error", [PermanentError("refused-by-sagemaker", "no"), TransientError("throttled", "no")])
def test_a_start_that_was_refused_is_on_record_as_such(
    rerunner: Rerunner, pipelines: FakePipelines, ledger: FakeLedger, started: Record, error: AwsError
) -> None:
    pipelines.fail("start", error)
    planned = rerunner.plan(started)
    with pytest.raises(type(error)):
        rerunner.start(planned)
    assert ledger.state(planned.token) == "REJECTED"
    record = History(ledger).of_occurrence(planned.token)
    assert record is not None
    assert (record.decision.outcome, record.decision.reason) == ("rejected", error.reason)


@pytest.mark.parametrize("lost", [1, 2])
def test_after_a_lost_answer_the_same_request_finds_its_execution(
    rerunner: Rerunner, pipelines: FakePipelines, started: Record, lost: int
) -> None:
    pipelines.fail("start", *[TransientError("unavailable", "lost", acted=True)] * lost)
    decision = rerunner.start(rerunner.plan(started))
    assert [execution.arn for execution in pipelines.executions] == [decision.execution_arn]


def test_when_every_answer_is_lost_it_says_where_to_look(
    rerunner: Rerunner, pipelines: FakePipelines, ledger: FakeLedger, started: Record
) -> None:
    pipelines.fail("start", *[TransientError("unavailable", "lost", acted=True)] * 3)
    planned = rerunner.plan(started)
    assert planned.request is not None
    with pytest.raises(TransientError, match=planned.request.display_name) as raised:
        rerunner.start(planned)
    assert raised.value.acted
    assert ledger.state(planned.token) == "ATTEMPTING"


def test_a_refusal_after_a_lost_answer_is_not_known_to_have_had_no_effect(
    rerunner: Rerunner, pipelines: FakePipelines, ledger: FakeLedger, started: Record
) -> None:
    lost = TransientError("unavailable", "lost", acted=True)
    pipelines.fail("start", lost, lost, PermanentError("access-denied", "no"))
    planned = rerunner.plan(started)
    with pytest.raises(TransientError) as raised:
        rerunner.start(planned)
    assert (raised.value.reason, raised.value.acted) == ("access-denied", True)
    assert ledger.state(planned.token) == "ATTEMPTING"


def test_a_start_that_could_not_be_recorded_is_told_with_its_arn(
    rerunner: Rerunner, pipelines: FakePipelines, ledger: FakeLedger, started: Record
) -> None:
    ledger.fail("complete", TransientError("ledger-unavailable", "no table"))
    with pytest.raises(TransientError, match=rf"{PIPELINE_ARN}/execution/.* has started"):
        rerunner.start(rerunner.plan(started))
    assert len(pipelines.executions) == 1


def test_nothing_starts_when_the_ledger_cannot_be_written(
    rerunner: Rerunner, pipelines: FakePipelines, ledger: FakeLedger, started: Record
) -> None:
    ledger.fail("acquire", TransientError("ledger-unavailable", "no table"))
    with pytest.raises(TransientError):
        rerunner.start(rerunner.plan(started))
    assert pipelines.executions == []


# which record


def test_of_several_starts_of_an_event_one_must_be_chosen(ledger: FakeLedger, clock: FakeClock) -> None:
    for name in ("on-upload", "other"):
        ledger.acquire(start(trigger=name), "worker", clock.now() + LEASE)
        ledger.complete(start(trigger=name).token, "worker", f"{OLD}-{name}")
    records = History(ledger).of("event-1")
    with pytest.raises(InvalidInputError, match="--trigger on-upload --target churn-train, --trigger other"):
        chosen(records, None, None)
    assert chosen(records, "other", None).decision.trigger == "other"
    assert chosen(records, "other", "churn-train").decision.trigger == "other"
    with pytest.raises(InvalidInputError, match="nothing on record is of this trigger"):
        chosen(records, "other", "churn-deploy")


def test_of_a_start_and_its_reruns_the_newest_is_chosen(
    rerunner: Rerunner, ledger: FakeLedger, started: Record, clock: FakeClock
) -> None:
    clock.advance(minutes=1)
    newest = rerunner.start(rerunner.plan(started))
    assert chosen(History(ledger).of("event-1"), None, None).decision.execution_arn == newest.execution_arn


def test_what_is_being_attempted_is_not_run_again(ledger: FakeLedger, clock: FakeClock) -> None:
    ledger.acquire(start(), "worker", clock.now() + LEASE)
    with pytest.raises(InvalidInputError, match="being attempted"):
        chosen(History(ledger).of("event-1"), None, None)


def test_a_rerun_that_was_cut_off_does_not_stand_in_the_way_of_the_next(
    rerunner: Rerunner, ledger: FakeLedger, pipelines: FakePipelines, started: Record, clock: FakeClock
) -> None:
    clock.advance(minutes=1)
    pipelines.fail("start", *[TransientError("unavailable", "no answer", acted=True)] * 3)
    with pytest.raises(TransientError):
        rerunner.start(rerunner.plan(started))
    records = History(ledger).of("event-1")
    assert [(record.state, is_left(record)) for record in records] == [("ATTEMPTING", True), ("STARTED", False)]
    assert chosen(records, None, None) == started


def test_what_was_refused_before_there_was_a_request_is_redriven_instead(ledger: FakeLedger) -> None:
    ledger.record(rejected())
    records = History(ledger).of("event-1")
    with pytest.raises(InvalidInputError, match=r"missing-parameter.*quarantine redrive"):
        chosen(records, None, None)
    with pytest.raises(ValueError, match="no request"):
        rerun_of(records[0], "u", ANN)
