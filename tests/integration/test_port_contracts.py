"""The contracts of the ports: the same tests over each fake and over the real adapter on moto.

moto ignores client request tokens, refuses pipeline ARNs and answers ValidationException for a missing pipeline: what
depends on these is tested on the fake here, and on the corrected emulator where that is tested.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.ledger import DynamoLedger
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.adapters.roles import IamRoles
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.ledger import RETENTION, Acquired, Busy, Capped, Rejected, Started
from pipeline_triggers.domain.messages import Counts, Quarantined
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import NotFoundError, PermanentError, StaleRevisionError, TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queues import FakeQueues
from tests.fakes.roles import FakeRoles
from tests.fakes.schedules import ROLE, FakeSchedules
from tests.fakes.trigger_store import FakeTriggerStore
from tests.integration.tables import create_table
from tests.samples import PIPELINE_ARN, rejected, request, start, trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.ports import (
        Executions,
        Ledger,
        Pipelines,
        Quarantine,
        Queues,
        Roles,
        Schedules,
        TriggerStore,
    )

QUEUE = "arn:aws:sqs:us-east-1:123456789012:other"
EXECUTION = f"{PIPELINE_ARN}/execution/abcdef"
LEASE = timedelta(seconds=60)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of moto, which answers one call at a time: its tables are not atomic, as DynamoDB's items are."""
    lock, answer = threading.Lock(), BotocoreStubber.__call__

    def answer_alone(stubber: BotocoreStubber, **call: Any) -> object:
        with lock:
            return answer(stubber, **call)

    monkeypatch.setattr(BotocoreStubber, "__call__", answer_alone)
    with mock_aws():
        yield Clients(region="us-east-1")


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> Ledger:
    if request.param == "fake":
        return FakeLedger(clock=clock)
    clients = request.getfixturevalue("clients")
    return DynamoLedger(clients, create_table(clients, "ledger"), clock)


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: FakeClock) -> TriggerStore:
    if request.param == "fake":
        return FakeTriggerStore(clock=clock)
    clients = request.getfixturevalue("clients")
    return DynamoTriggerStore(clients, create_table(clients, "triggers"), clock)


@pytest.fixture(params=["fake", "dynamodb"])
def quarantine(request: pytest.FixtureRequest, clock: FakeClock) -> Quarantine:
    if request.param == "fake":
        return FakeQuarantine(clock=clock)
    clients = request.getfixturevalue("clients")
    return DynamoQuarantine(clients, create_table(clients, "quarantine"), clock)


@pytest.fixture(params=["fake", "sagemaker"])
def pipelines(request: pytest.FixtureRequest, clock: FakeClock) -> Pipelines:
    definition = Definition({"InputKey": Declared(), "Rows": Declared("Integer", required=False, default=1000)})
    if request.param == "fake":
        fake = FakePipelines(clock=clock)
        fake.add("churn-train", definition)
        return fake
    clients = request.getfixturevalue("clients")
    clients.sagemaker().create_pipeline(
        PipelineName="churn-train",
        PipelineDefinition='{"Version":"2020-12-01","Steps":[],"Parameters":[{"Name":"InputKey","Type":"String"},'
        '{"Name":"Rows","Type":"Integer","DefaultValue":1000}]}',
        ClientRequestToken="c" * 32,
        RoleArn="arn:aws:iam::123456789012:role/pipeline",
    )
    return SageMakerPipelines(clients, HOME, clock)


@pytest.fixture(params=["fake", "sagemaker"])
def versioned(request: pytest.FixtureRequest, clock: FakeClock) -> Pipelines:
    """A pipeline of two versions; moto knows none, so its DescribePipeline is answered here."""
    declared = {1: "InputKey", 2: "InputUri"}
    if request.param == "fake":
        fake = FakePipelines(clock=clock)
        for version, name in declared.items():
            fake.add("churn-train", Definition({name: Declared()}), version=version)
        return fake

    def answer(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        version = json.loads(params["body"]).get("PipelineVersionId", 2)
        if version not in declared:
            error = {"Error": {"Code": "ResourceNotFound", "Message": "Pipeline version does not exist."}}
            return AWSResponse("", 400, HTTPHeaders(), None), error
        return AWSResponse("", 200, HTTPHeaders(), None), {
            "PipelineDefinition": json.dumps({"Parameters": [{"Name": declared[version]}]}),
        }

    clients = request.getfixturevalue("clients")
    clients.sagemaker().meta.events.register("before-call.sagemaker.DescribePipeline", answer)
    return SageMakerPipelines(clients, HOME, clock)


@pytest.fixture(params=["fake", "sqs"])
def queues(request: pytest.FixtureRequest) -> Queues:
    if request.param == "fake":
        return FakeQueues()
    clients = request.getfixturevalue("clients")
    clients.sqs.create_queue(QueueName="s3-event", Attributes={"VisibilityTimeout": "30"})
    return SqsQueues(clients)


@pytest.fixture(params=["fake", "scheduler"])
def schedules(request: pytest.FixtureRequest, clock: FakeClock) -> Schedules:
    """250 schedules in ``default``, and ``nightly`` in ``team``, whose target is a pipeline."""
    names = [f"s-{number:03d}" for number in range(250)]
    if request.param == "fake":
        fake = FakeSchedules(clock=clock)
        for name in names:
            fake.add(name, QUEUE)
        fake.add("nightly", PIPELINE_ARN, group="team", Description="every night")
        return fake
    scheduler = request.getfixturevalue("clients").scheduler
    scheduler.create_schedule_group(Name="team")
    common: Any = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    for name in names:
        scheduler.create_schedule(Name=name, Target={"Arn": QUEUE, "RoleArn": ROLE}, **common)
    target: Any = {"Arn": PIPELINE_ARN, "RoleArn": ROLE, "SageMakerPipelineParameters": {}}
    scheduler.create_schedule(Name="nightly", GroupName="team", Description="every night", Target=target, **common)
    return EventBridgeSchedules(request.getfixturevalue("clients"))


@pytest.fixture(params=["fake", "iam"])
def roles(request: pytest.FixtureRequest) -> Roles:
    """Two roles, of which ``scheduler`` trusts EventBridge Scheduler and ``pipeline`` SageMaker."""
    services = {"scheduler": "scheduler.amazonaws.com", "pipeline": "sagemaker.amazonaws.com"}
    if request.param == "fake":
        fake = FakeRoles()
        for name, service in services.items():
            fake.add(f"arn:aws:iam::123456789012:role/{name}", service)
        return fake
    clients = request.getfixturevalue("clients")
    for name, service in services.items():
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        clients.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)
    return IamRoles(clients)


class TestLedger:
    def test_the_first_attempt_is_acquired(self, ledger: Ledger, clock: FakeClock) -> None:
        assert ledger.acquire(start(), "a", clock.now() + LEASE) == Acquired(attempts=1)

    def test_a_second_worker_finds_it_busy_until_the_lease_ends(self, ledger: Ledger, clock: FakeClock) -> None:
        until = clock.now() + LEASE
        ledger.acquire(start(), "a", until)
        assert ledger.acquire(start(), "b", until + LEASE) == Busy(until)

    def test_the_same_worker_finds_a_duplicate_in_its_batch_busy(self, ledger: Ledger, clock: FakeClock) -> None:
        until = clock.now() + LEASE
        ledger.acquire(start(), "a", until)
        assert ledger.acquire(start(event_id="again"), "a", until) == Busy(until)

    def test_what_is_complete_is_found_started(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.complete(start().token, "a", EXECUTION)
        clock.advance(days=30)
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Started(EXECUTION)

    def test_completing_again_with_the_same_arn_is_fine(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.complete(start().token, "a", EXECUTION)
        ledger.complete(start().token, "a", EXECUTION)
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Started(EXECUTION)

    def test_an_entry_is_forgotten_after_35_days_even_if_it_is_still_stored(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.complete(start().token, "a", EXECUTION)
        clock.advance(days=RETENTION.days)
        assert list(ledger.history("on-upload", clock.now() - 2 * RETENTION)) == []
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Acquired(attempts=1)

    def test_a_crash_leaves_an_unknown_outcome_with_request_and_time(self, ledger: Ledger, clock: FakeClock) -> None:
        began = clock.now()
        ledger.acquire(start(), "a", began + LEASE)
        clock.advance(seconds=61)
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Acquired(
            2, True, start().request, began, began + LEASE
        )

    def test_the_request_of_an_unknown_attempt_is_kept_byte_for_byte(self, ledger: Ledger, clock: FakeClock) -> None:
        first = start(parameters={"InputKey": "naïve \u2028 \U0001f600", "Zeta": "1", "Alpha": "2"})
        ledger.acquire(first, "a", clock.now() + LEASE)
        clock.advance(seconds=61)
        found = ledger.acquire(start(parameters={"InputKey": "new"}), "b", clock.now() + LEASE)
        assert isinstance(found, Acquired)
        assert found.request == first.request
        assert found.request is not None
        assert list(found.request.parameters) == ["InputKey", "Zeta", "Alpha"]
        [entry] = ledger.of_event("event-1")
        assert entry["params_changed"] is True
        assert entry["request"] == found.request.to_document()
        assert [p["value"] for p in entry["parameters"]] == ["naïve \u2028 \U0001f600", "1", "2"]

    def test_an_unknown_attempt_stays_unknown_after_a_release_by_the_next(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        began = clock.now()
        ledger.acquire(start(), "a", began + LEASE)
        clock.advance(seconds=61)
        ledger.acquire(start(), "b", clock.now() + LEASE)
        ledger.release(start().token, "b", "throttled")
        clock.advance(seconds=1)
        found = ledger.acquire(start(), "c", clock.now() + LEASE)
        assert found == Acquired(3, True, start().request, began, began + LEASE)

    @pytest.mark.parametrize("move", ["release", "reject"])
    def test_attempts_without_effect_do_not_lengthen_the_time_in_which_an_unknown_one_is_looked_for(
        self, ledger: Ledger, clock: FakeClock, move: str
    ) -> None:
        began = clock.now()
        ledger.acquire(start(), "a", began + LEASE)
        for number in range(3):
            clock.advance(hours=1)
            ledger.acquire(start(), f"b{number}", clock.now() + LEASE)
            getattr(ledger, move)(start().token, f"b{number}", "throttled")
        found = ledger.acquire(start(), "c", clock.now() + LEASE)
        assert isinstance(found, Acquired)
        assert (found.outcome_unknown, found.since, found.until) == (True, began, began + LEASE)

    def test_two_crashes_are_looked_for_from_the_first_to_the_end_of_the_last(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        began = clock.now()
        ledger.acquire(start(), "a", clock.now() + LEASE)
        clock.advance(seconds=61)
        until = clock.now() + LEASE
        ledger.acquire(start(), "b", until)
        clock.advance(seconds=61)
        found = ledger.acquire(start(), "c", clock.now() + LEASE)
        assert found == Acquired(3, True, start().request, began, until)

    def test_a_released_attempt_may_be_repeated_at_once_with_a_new_request(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.release(start().token, "a", "throttled")
        changed = start(parameters={"InputKey": "new"})
        assert ledger.acquire(changed, "b", clock.now() + LEASE) == Acquired(attempts=2, params_changed=True)
        [entry] = ledger.of_event("event-1")
        assert entry["request"]["parameters"] == {"InputKey": "new"}
        assert entry["params_changed"] is True

    def test_unchanged_parameters_are_not_reported_as_changed(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.release(start().token, "a", "throttled")
        ledger.acquire(start(), "b", clock.now() + LEASE)
        [entry] = ledger.of_event("event-1")
        assert entry["params_changed"] is False

    def test_what_was_rejected_may_be_acquired_afresh(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.reject(start().token, "a", "access-denied")
        [entry] = ledger.of_event("event-1")
        assert (entry["outcome"], entry["reason"]) == ("rejected", "access-denied")
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Acquired(attempts=1)

    @pytest.mark.parametrize("move", ["complete", "reject", "release"])
    def test_a_worker_that_lost_its_lease_changes_nothing(self, ledger: Ledger, clock: FakeClock, move: str) -> None:
        ledger.acquire(start(), "zombie", clock.now() + LEASE)
        clock.advance(seconds=61)
        until = clock.now() + LEASE
        ledger.acquire(start(), "winner", until)
        with pytest.raises(TransientError) as raised:
            getattr(ledger, move)(start().token, "zombie", EXECUTION)
        assert raised.value.reason == "conflict"
        assert raised.value.acted is (move == "complete")
        assert ledger.acquire(start(), "c", until) == Busy(until)

    @pytest.mark.parametrize("move", ["reject", "release"])
    def test_what_is_started_is_never_undone(self, ledger: Ledger, clock: FakeClock, move: str) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.complete(start().token, "a", EXECUTION)
        with pytest.raises(TransientError):
            getattr(ledger, move)(start().token, "a", "throttled")
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Started(EXECUTION)

    def test_another_execution_never_replaces_the_one_that_is_known(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.complete(start().token, "a", EXECUTION)
        with pytest.raises(TransientError):
            ledger.complete(start().token, "a", f"{EXECUTION}2")
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Started(EXECUTION)

    def test_completing_what_was_never_acquired_is_a_conflict(self, ledger: Ledger) -> None:
        with pytest.raises(TransientError) as raised:
            ledger.complete(start().token, "a", EXECUTION)
        assert raised.value.reason == "conflict"

    def test_a_recorded_decision_shows_in_the_history_and_holds_nobody_up(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        ledger.record(replace(start(), outcome="shadow"))
        [entry] = ledger.history("on-upload", clock.now() - LEASE)
        assert (entry["state"], entry["outcome"]) == ("SHADOW", "shadow")
        assert ledger.acquire(start(), "a", clock.now() + LEASE) == Acquired(attempts=1)

    def test_a_rejected_decision_is_recorded_with_its_reason(self, ledger: Ledger) -> None:
        ledger.record(rejected("missing-parameter"))
        [entry] = ledger.of_event("event-1")
        assert (entry["state"], entry["reason"]) == ("REJECTED", "missing-parameter")
        assert entry["message"] == "the path finds nothing"
        assert entry["request"] is None

    def test_recording_never_overwrites_a_start(self, ledger: Ledger, clock: FakeClock) -> None:
        until = clock.now() + LEASE
        ledger.acquire(start(), "a", until)
        ledger.record(rejected())
        assert ledger.acquire(start(), "b", until) == Busy(until)
        ledger.complete(start().token, "a", EXECUTION)
        ledger.record(rejected())
        assert ledger.acquire(start(), "b", until) == Started(EXECUTION)

    @pytest.mark.parametrize(
        "decision", [rejected(), replace(start(), outcome="disabled")], ids=lambda decision: decision.outcome
    )
    def test_what_nobody_attempts_any_more_is_on_record_as_what_became_of_it(
        self, ledger: Ledger, clock: FakeClock, decision: Decision
    ) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        ledger.release(start().token, "a", "throttled")
        ledger.record(decision)
        [entry] = ledger.of_event("event-1")
        assert (entry["outcome"], entry["reason"]) == (decision.outcome, decision.reason)
        assert ledger.acquire(start(), "b", clock.now() + LEASE) == Acquired(attempts=1)

    def test_a_decision_without_a_token_is_recorded_by_event_and_target(self, ledger: Ledger) -> None:
        for id_ in ("event-1", "event-1", "event-2"):
            ledger.record(replace(rejected("no-occurrence-key", event_id=id_), token=""))
        assert len(ledger.of_event("event-1")) == 1
        assert len(ledger.of_event("event-2")) == 1

    def test_the_history_is_newest_first_and_of_one_trigger_only(self, ledger: Ledger, clock: FakeClock) -> None:
        began = clock.now()
        for number in range(4):
            clock.advance(minutes=1)
            ledger.acquire(start(key=f"in/{number}.csv"), "a", clock.now() + LEASE)
        ledger.acquire(start(trigger="other"), "a", clock.now() + LEASE)
        found = [entry["occurrence"] for entry in ledger.history("on-upload", began + timedelta(minutes=2))]
        assert [occurrence[42:43] for occurrence in found] == ["3", "2", "1"]
        latest = [entry["occurrence"] for entry in ledger.history("on-upload", began, at_most=2)]
        assert [occurrence[42:43] for occurrence in latest] == ["3", "2"]

    def test_an_entry_shows_the_whole_decision(self, ledger: Ledger, clock: FakeClock) -> None:
        decision = start()
        ledger.acquire(decision, "a", clock.now() + LEASE)
        ledger.complete(decision.token, "a", EXECUTION)
        [entry] = ledger.of_event("event-1")
        expected = replace(decision, outcome="started", execution_arn=EXECUTION, at=clock.now()).to_document()
        assert dict(entry) == expected | {
            "state": "STARTED",
            "attempts": 1,
            "first_at": clock.now().isoformat(),
            "params_changed": False,
        }

    def test_an_event_of_any_id_can_be_asked_for(self, ledger: Ledger, clock: FakeClock) -> None:
        for id_ in ("x" * 5000, "käse \U0001f9c0"):
            ledger.acquire(start(event_id=id_, key=id_[:9]), "a", clock.now() + LEASE)
            assert len(ledger.of_event(id_)) == 1
        assert ledger.of_event("x" * 4999) == []

    def test_the_entries_of_a_state_are_of_all_triggers_newest_first(self, ledger: Ledger, clock: FakeClock) -> None:
        began = clock.now()
        for number, trigger_ in enumerate(("a", "b", "c")):
            clock.advance(minutes=1)
            ledger.record(rejected(trigger=trigger_, event_id=f"event-{number}"))
        ledger.acquire(start(trigger="d"), "a", clock.now() + LEASE)
        since = began + timedelta(minutes=2)
        assert [entry["trigger"] for entry in ledger.of_state("REJECTED", began)] == ["c", "b", "a"]
        assert [entry["trigger"] for entry in ledger.of_state("REJECTED", since)] == ["c", "b"]
        assert [entry["trigger"] for entry in ledger.of_state("ATTEMPTING", began)] == ["d"]
        assert list(ledger.of_state("SHADOW", began)) == []
        assert [entry["trigger"] for entry in ledger.of_state("REJECTED", began, at_most=2)] == ["c", "b"]

    def test_an_entry_is_found_by_its_execution(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE)
        assert ledger.of_execution(EXECUTION) == []
        ledger.complete(start().token, "a", EXECUTION)
        [entry] = ledger.of_execution(EXECUTION)
        assert (entry["event_id"], entry["execution_arn"]) == ("event-1", EXECUTION)
        assert ledger.of_execution(EXECUTION + "0") == []

    def test_an_entry_is_found_by_its_token_until_it_expires(self, ledger: Ledger, clock: FakeClock) -> None:
        assert ledger.of_token(start().token) is None
        ledger.acquire(start(), "a", clock.now() + LEASE)
        entry = ledger.of_token(start().token)
        assert entry is not None
        assert (entry["token"], entry["state"]) == (start().token, "ATTEMPTING")
        clock.advance(days=RETENTION.days)
        assert ledger.of_token(start().token) is None

    def test_starts_are_counted_up_to_the_cap_of_an_hour(self, ledger: Ledger, clock: FakeClock) -> None:
        def acquire(number: int, trigger: str = "on-upload") -> object:
            decision = start(key=f"{trigger}/{number}", trigger=trigger)
            return ledger.acquire(decision, "a", clock.now() + LEASE, cap=3)

        first = Acquired(attempts=1)
        assert [acquire(n) for n in range(4)] == [first, first, first, Capped()]
        assert acquire(4, "other") == first
        clock.advance(minutes=59)
        assert acquire(3) == Capped()
        clock.advance(minutes=1)
        assert acquire(3) == first

    def test_what_is_over_the_cap_leaves_no_entry(self, ledger: Ledger, clock: FakeClock) -> None:
        assert ledger.acquire(start(), "a", clock.now() + LEASE, cap=0) == Capped()
        assert list(ledger.of_event("event-1")) == []

    def test_only_first_attempts_and_redrives_are_counted(self, ledger: Ledger, clock: FakeClock) -> None:
        until = clock.now() + LEASE
        for _ in range(3):
            assert isinstance(ledger.acquire(start(), "a", until, message_id="m-1", cap=1), Acquired)
            assert isinstance(ledger.acquire(start(), "b", until, message_id="m-1", cap=1), Busy)
            ledger.release(start().token, "a", "throttled")
        assert isinstance(ledger.acquire(start(), "a", until, message_id="m-1", cap=1), Acquired)
        ledger.reject(start().token, "a", "access-denied")
        assert ledger.acquire(start(), "a", until, message_id="m-2", cap=1) == Capped()
        assert ledger.acquire(start(), "a", until, message_id="m-2", cap=2) == Acquired(attempts=1)

    def test_counters_do_not_show_in_the_history(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.acquire(start(), "a", clock.now() + LEASE, cap=3)
        assert len(list(ledger.history("on-upload", clock.now() - LEASE))) == 1

    def test_a_rejection_stays_for_its_message_and_not_for_a_redrive(self, ledger: Ledger, clock: FakeClock) -> None:
        until = clock.now() + LEASE
        ledger.acquire(start(), "a", until, message_id="m-1")
        ledger.reject(start().token, "a", "access-denied", "not permitted")
        [entry] = ledger.of_event("event-1")
        assert (entry["reason"], entry["message"]) == ("access-denied", "not permitted")
        assert ledger.acquire(start(), "b", until, message_id="m-1") == Rejected("access-denied", "not permitted")
        assert ledger.acquire(start(), "b", until, message_id="m-2") == Acquired(attempts=1)

    def test_a_recorded_rejection_too_stays_for_its_message(self, ledger: Ledger, clock: FakeClock) -> None:
        ledger.record(rejected("rate-cap"), message_id="m-1")
        until = clock.now() + LEASE
        found = ledger.acquire(start(), "b", until, message_id="m-1")
        assert found == Rejected("rate-cap", "the path finds nothing")
        assert ledger.acquire(start(), "b", until, message_id="m-2") == Acquired(attempts=1)

    def test_an_unknown_outcome_outlives_a_rejection(self, ledger: Ledger, clock: FakeClock) -> None:
        began = clock.now()
        ledger.acquire(start(), "a", began + LEASE, message_id="m-1")
        clock.advance(seconds=61)
        ledger.acquire(start(), "b", clock.now() + LEASE, message_id="m-1")
        ledger.reject(start().token, "b", "access-denied")
        ledger.record(rejected())
        found = ledger.acquire(start(), "c", clock.now() + LEASE, message_id="m-2")
        assert found == Acquired(1, outcome_unknown=True, since=began, until=began + LEASE)


class TestTriggerStore:
    def test_an_empty_store_is_at_revision_0_with_no_triggers(self, store: TriggerStore) -> None:
        assert store.revision() == 0
        assert store.load() == Snapshot(0, ())
        assert store.revisions() == []

    def test_what_was_written_is_loaded(self, store: TriggerStore) -> None:
        assert store.write(Snapshot(0, (trigger(),)), expected_revision=0, by="ann") == 1
        assert store.revision() == 1
        loaded = store.load()
        assert loaded.revision == 1
        assert [t.name for t in loaded.triggers] == ["on-upload"]
        assert loaded.triggers[0].targets == trigger().targets

    def test_every_revision_stays(self, store: TriggerStore, clock: FakeClock) -> None:
        began = clock.now()
        for number, name in enumerate(("first", "second", "third")):
            clock.advance(minutes=1)
            store.write(Snapshot(number, (trigger(name),)), expected_revision=number, by=name)
        assert [t.name for t in store.load(2).triggers] == ["second"]
        assert [(info.revision, info.by, info.triggers, info.current) for info in store.revisions()] == [
            (3, "third", 1, True),
            (2, "second", 1, False),
            (1, "first", 1, False),
        ]
        assert store.revisions()[2].at == began + timedelta(minutes=1)

    @pytest.mark.parametrize("expected", [0, 2])
    def test_a_writer_that_read_another_revision_is_refused(self, store: TriggerStore, expected: int) -> None:
        store.write(Snapshot(0, (trigger("mine"),)), expected_revision=0, by="ann")
        with pytest.raises(StaleRevisionError, match=f"revision {expected}"):
            store.write(Snapshot(0, (trigger("other"),)), expected_revision=expected, by="bob")
        assert [t.name for t in store.load().triggers] == ["mine"]

    def test_a_revision_that_never_was_is_not_found(self, store: TriggerStore) -> None:
        with pytest.raises(NotFoundError, match="revision 9"):
            store.load(9)

    def test_no_triggers_at_all_is_a_revision_too(self, store: TriggerStore) -> None:
        store.write(Snapshot(0, (trigger(),)), expected_revision=0, by="ann")
        store.write(Snapshot(1, ()), expected_revision=1, by="ann")
        assert store.load() == Snapshot(2, ())


class TestQuarantine:
    def item(self, clock: FakeClock, id_: str = "m-1", **changes: Any) -> Quarantined:
        item = Quarantined(
            id=id_,
            reason="missing-parameter",
            source_queue="arn:aws:sqs:us-east-1:123456789012:test-s3-event",
            received_at=clock.now(),
            body='{"broken": "käse \\ud800"}',
            triggers=("on-upload",),
            decisions=(rejected().to_document(),),
            message="the path finds nothing",
        )
        return replace(item, **changes)

    def test_an_item_comes_back_whole(self, quarantine: Quarantine, clock: FakeClock) -> None:
        quarantine.put(self.item(clock))
        assert quarantine.get("m-1") == self.item(clock)

    def test_the_attributes_of_the_message_come_back_too(self, quarantine: Quarantine, clock: FakeClock) -> None:
        attributes = {
            "team": {"DataType": "String", "StringValue": "käse"},
            "digest": {"DataType": "Binary.sha", "BinaryValue": b"\x00\xff"},
        }
        quarantine.put(self.item(clock, attributes=attributes))
        assert quarantine.get("m-1").attributes == attributes

    def test_a_body_is_kept_as_it_is_even_with_lone_surrogates(self, quarantine: Quarantine, clock: FakeClock) -> None:
        item = self.item(clock, body="\ud800 \x00 not json", source_queue="")
        quarantine.put(item)
        assert quarantine.get("m-1") == item

    def test_the_list_is_newest_first_without_bodies(self, quarantine: Quarantine, clock: FakeClock) -> None:
        reasons = ["missing-parameter", "rate-cap", "missing-parameter", "access-denied"]
        for number, reason in enumerate(reasons):
            clock.advance(seconds=1)
            quarantine.put(self.item(clock, f"m-{number}", reason=reason))
        listed = list(quarantine.list())
        assert [item.id for item in listed] == ["m-3", "m-2", "m-1", "m-0"]
        assert {item.body for item in listed} == {""}
        assert listed[0].triggers == ("on-upload",)
        assert [item.id for item in quarantine.list("missing-parameter")] == ["m-2", "m-0"]
        assert [item.id for item in islice(quarantine.list(), 1)] == ["m-3"]

    def test_the_same_id_again_replaces_the_item(self, quarantine: Quarantine, clock: FakeClock) -> None:
        quarantine.put(self.item(clock))
        quarantine.put(self.item(clock, reason="rate-cap"))
        assert [item.reason for item in quarantine.list()] == ["rate-cap"]

    def test_what_was_dropped_is_not_found(self, quarantine: Quarantine, clock: FakeClock) -> None:
        quarantine.put(self.item(clock))
        quarantine.drop("m-1")
        quarantine.drop("m-1")
        assert list(quarantine.list()) == []
        with pytest.raises(NotFoundError, match="m-1"):
            quarantine.get("m-1")

    def test_items_are_forgotten_after_90_days(self, quarantine: Quarantine, clock: FakeClock) -> None:
        quarantine.put(self.item(clock))
        clock.advance(days=90)
        assert list(quarantine.list()) == []
        with pytest.raises(NotFoundError):
            quarantine.get("m-1")


class TestPipelines:
    def test_the_declared_parameters_are_described(self, pipelines: Pipelines) -> None:
        definition = pipelines.describe(PipelineRef.parse("churn-train"))
        assert definition.parameters["InputKey"] == Declared("String", required=True)
        assert definition.parameters["Rows"] == Declared("Integer", required=False, default=1000)

    def test_the_declared_parameters_of_a_version_are_described(self, versioned: Pipelines) -> None:
        first = versioned.describe(PipelineRef.parse("churn-train", 1))
        second = versioned.describe(PipelineRef.parse("churn-train", 2))
        assert (list(first.parameters), list(second.parameters)) == (["InputKey"], ["InputUri"])
        assert list(versioned.describe(PipelineRef.parse("churn-train")).parameters) == ["InputUri"]

    def test_a_version_that_is_not_there_is_not_found_yet(self, versioned: Pipelines) -> None:
        with pytest.raises(TransientError) as raised:
            versioned.describe(PipelineRef.parse("churn-train", 3))
        assert raised.value.reason == "not-found-yet"

    def test_pipelines_are_listed_by_their_arns(self, pipelines: Pipelines) -> None:
        assert [arn.casefold() for arn in pipelines.listed()] == [PIPELINE_ARN.casefold()]

    def test_a_started_execution_is_found_by_its_token(self, pipelines: Pipelines, clock: FakeClock) -> None:
        arn = pipelines.start(request())
        assert arn.startswith(f"{PIPELINE_ARN}/execution/")
        assert pipelines.find(request(), clock.now(), clock.now()) == arn

    def test_another_occurrence_is_not_found(self, pipelines: Pipelines, clock: FakeClock) -> None:
        pipelines.start(request())
        assert pipelines.find(request(occurrence="[]"), clock.now(), clock.now()) is None

    def test_the_same_display_name_without_the_token_is_not_taken(self, pipelines: Pipelines, clock: FakeClock) -> None:
        pipelines.start(replace(request(), description="by hand", token="f" * 64))
        assert pipelines.find(request(), clock.now(), clock.now()) is None

    def test_an_event_that_quotes_the_token_of_another_start_is_not_taken_for_it(
        self, pipelines: Pipelines, clock: FakeClock
    ) -> None:
        told = f"trigger other, event {request().token} (aws.sns: Notification) | token {'f' * 64}"
        pipelines.start(replace(request(), description=told, token="f" * 64))
        assert pipelines.find(request(), clock.now(), clock.now()) is None


class TestExecutions:
    def test_an_execution_is_told_as_it_stands(self, pipelines: Executions) -> None:
        assert isinstance(pipelines, FakePipelines | SageMakerPipelines)
        arn = pipelines.start(request())
        execution = pipelines.execution(arn)
        assert (execution.arn, execution.failure_reason) == (arn, "")
        assert execution.status in ("Executing", "Succeeded")
        assert execution.started_at is not None
        assert execution.started_at.utcoffset() is not None


class TestPipelinesBeyondMoto:
    """What moto has otherwise: on the fake only."""

    def test_one_token_gives_one_execution(self, clock: FakeClock) -> None:
        fake = FakePipelines(clock=clock)
        fake.add("churn-train")
        assert fake.start(request()) == fake.start(request())
        assert len(fake.started) == 1
        fake.forget_tokens()
        fake.start(request())
        assert len(fake.started) == 2

    def test_a_missing_pipeline_is_not_found_yet(self, clock: FakeClock) -> None:
        with pytest.raises(TransientError) as raised:
            FakePipelines(clock=clock).start(request())
        assert raised.value.reason == "not-found-yet"

    def test_executions_outside_the_window_are_not_found(self, clock: FakeClock) -> None:
        fake = FakePipelines(clock=clock)
        fake.add("churn-train")
        arn = fake.start(request())
        began = clock.now()
        minute, second = timedelta(minutes=1), timedelta(seconds=1)
        assert fake.find(request(), began + minute, began + minute) == arn
        assert fake.find(request(), began + minute + second, began + 2 * minute) is None
        assert fake.find(request(), began - 3 * minute, began - minute - second) is None


class TestQueues:
    ARN = "arn:aws:sqs:us-east-1:123456789012:s3-event"

    def test_a_body_is_sent_by_name_or_arn(self, queues: Queues, request: pytest.FixtureRequest) -> None:
        queues.send("s3-event", '{"n": 1}')
        queues.send(self.ARN, '{"n": 2}')
        if isinstance(queues, SqsQueues):
            sqs = request.getfixturevalue("clients").sqs
            url = sqs.get_queue_url(QueueName="s3-event")["QueueUrl"]
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            assert {message["Body"] for message in messages} == {'{"n": 1}', '{"n": 2}'}

    def test_a_delayed_message_reappears_when_it_is_told_to(
        self, queues: Queues, request: pytest.FixtureRequest
    ) -> None:
        queues.send("s3-event", "body")
        if not isinstance(queues, SqsQueues):
            queues.delay(self.ARN, "handle", 0)
            return
        sqs = request.getfixturevalue("clients").sqs
        url = sqs.get_queue_url(QueueName="s3-event")["QueueUrl"]
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        queues.delay(self.ARN, message["ReceiptHandle"], 0)
        assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1

    def test_a_message_is_received_with_what_is_known_of_it(self, queues: Queues) -> None:
        attributes: dict[str, dict[str, Any]] = {
            "ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"},
            "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        }
        queues.send("s3-event", '{"n": "naïve"}', attributes)
        [message] = queues.receive(self.ARN, 30)
        assert message.body == '{"n": "naïve"}'
        assert (message.text("ERROR_CODE"), message.text("Raw")) == ("NO_PERMISSIONS", "")
        assert message.attributes["Raw"]["BinaryValue"] == b"\x00\xff"
        assert message.sent_at.utcoffset() == timedelta(0)
        assert message.source_arn == ""

    def test_a_received_message_can_be_sent_on_as_it_is(self, queues: Queues) -> None:
        queues.send("s3-event", "body", {"Kind": {"DataType": "Number", "StringValue": "7"}})
        [message] = queues.receive("s3-event", 30)
        queues.delete("s3-event", message.receipt_handle)
        queues.send("s3-event", message.body, message.attributes)
        [again] = queues.receive("s3-event", 30)
        assert (again.body, again.text("Kind")) == ("body", "7")
        assert again.id != message.id

    def test_a_received_message_is_hidden_until_it_is_given_back(self, queues: Queues) -> None:
        queues.send("s3-event", "body")
        [message] = queues.receive("s3-event", 30)
        assert list(queues.receive("s3-event", 30)) == []
        queues.delay("s3-event", message.receipt_handle, 0)
        assert [each.id for each in queues.receive("s3-event", 30)] == [message.id]

    def test_a_deleted_message_is_gone_and_may_be_deleted_again(self, queues: Queues) -> None:
        queues.send("s3-event", "body")
        [message] = queues.receive("s3-event", 30)
        queues.delete("s3-event", message.receipt_handle)
        queues.delete("s3-event", message.receipt_handle)
        assert queues.counts("s3-event").total == 0

    def test_at_most_ten_messages_come_at_once(self, queues: Queues) -> None:
        for number in range(12):
            queues.send("s3-event", f"{number}")
        assert len(queues.receive("s3-event", 30)) == 10
        assert len(queues.receive("s3-event", 30)) == 2

    def test_the_messages_that_wait_in_a_queue_are_counted(self, queues: Queues) -> None:
        assert queues.counts("s3-event") == Counts(0, 0, 0)
        queues.send("s3-event", "one")
        queues.send("s3-event", "two")
        assert queues.counts("s3-event") == Counts(waiting=2, in_flight=0, delayed=0)

    def test_messages_in_flight_and_delayed_ones_are_counted_apart(self, clients: Clients) -> None:
        url = clients.sqs.create_queue(QueueName="other")["QueueUrl"]
        for delay in (0, 0, 0, 60, 60):
            clients.sqs.send_message(QueueUrl=url, MessageBody="body", DelaySeconds=delay)
        clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)
        counts = SqsQueues(clients).counts("arn:aws:sqs:us-east-1:123456789012:other")
        assert (counts, counts.total) == (Counts(waiting=2, in_flight=1, delayed=2), 5)

    def test_a_queue_that_is_not_there_cannot_be_counted(self, clients: Clients) -> None:
        with pytest.raises(TransientError) as raised:
            SqsQueues(clients).counts("no-such-queue")
        assert raised.value.reason == "not-found-yet"


class TestSchedules:
    def test_all_groups_are_there_the_default_one_too(self, schedules: Schedules) -> None:
        assert sorted(schedules.groups()) == ["default", "team"]

    def test_the_pages_of_a_group_have_all_its_schedules_once(self, schedules: Schedules) -> None:
        pages = [schedules.page("default")]
        while pages[-1].token is not None:
            pages.append(schedules.page("default", pages[-1].token))
        names = [schedule.name for page in pages for schedule in page.schedules]
        assert sorted(names) == [f"s-{number:03d}" for number in range(250)]
        assert max(len(page.schedules) for page in pages) <= 100

    def test_a_list_tells_what_a_schedule_targets(self, schedules: Schedules) -> None:
        (schedule,) = schedules.page("team").schedules
        assert (schedule.group, schedule.name, schedule.target_arn) == ("team", "nightly", PIPELINE_ARN)
        assert schedule.modified_at.tzinfo is not None

    def test_a_schedule_is_the_same_listed_and_whole(self, schedules: Schedules) -> None:
        (listed,) = schedules.page("team").schedules
        whole = schedules.get("team", "nightly")
        assert (whole.arn, whole.target_arn) == (listed.arn, listed.target_arn)
        assert abs(whole.modified_at - listed.modified_at) < timedelta(seconds=1)
        assert whole.document["Description"] == "every night"
        assert whole.document["Target"]["SageMakerPipelineParameters"] == {}
        assert json.loads(json.dumps(whole.document)) == whole.document

    def test_a_deleted_schedule_is_gone_and_may_be_deleted_again(self, schedules: Schedules) -> None:
        schedules.delete("team", "nightly")
        schedules.delete("team", "nightly")
        assert schedules.page("team").schedules in ((), [])
        with pytest.raises(NotFoundError):
            schedules.get("team", "nightly")

    def test_deleting_touches_no_schedule_of_the_same_name_in_another_group(self, schedules: Schedules) -> None:
        schedules.delete("default", "nightly")
        assert schedules.get("team", "nightly").target_arn == PIPELINE_ARN

    def test_the_tags_of_a_group_are_told_and_none_of_one_that_is_not_there(
        self, schedules: Schedules, request: pytest.FixtureRequest
    ) -> None:
        group = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/team"
        assert schedules.tags(group) == {}
        if isinstance(schedules, FakeSchedules):
            schedules.group_tags["team"] = {"owner": "churn"}
        else:
            scheduler = request.getfixturevalue("clients").scheduler
            scheduler.tag_resource(ResourceArn=group, Tags=[{"Key": "owner", "Value": "churn"}])
        assert schedules.tags(group) == {"owner": "churn"}
        assert schedules.tags(group.replace("team", "nobody")) == {}

    # The clock of moto is the real one: times that matter to it are far away.
    REQUEST: Mapping[str, Any] = MappingProxyType(
        {
            "Name": "monthly",
            "GroupName": "team",
            "ScheduleExpression": "cron(0 3 1 * ? *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "StartDate": "2096-01-01T00:00:00+00:00",
            "EndDate": "2097-01-01T00:00:00+00:00",
            "State": "DISABLED",
            "Description": "once a month",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": PIPELINE_ARN,
                "RoleArn": ROLE,
                "DeadLetterConfig": {"Arn": QUEUE},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "5"}]},
            },
        }
    )
    BARE: Mapping[str, Any] = MappingProxyType(
        {
            "Name": "nightly",
            "GroupName": "team",
            "ScheduleExpression": "rate(2 days)",
            "State": "ENABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": PIPELINE_ARN, "RoleArn": ROLE},
        }
    )

    def test_a_schedule_that_is_created_is_read_as_it_was_written(self, schedules: Schedules) -> None:
        arn = schedules.create(self.REQUEST)
        found = schedules.get("team", "monthly")
        assert found.arn == arn == "arn:aws:scheduler:us-east-1:123456789012:schedule/team/monthly"
        assert same_times({key: found.document[key] for key in self.REQUEST}) == same_times(self.REQUEST)

    def test_a_name_that_is_taken_in_the_group_is_a_conflict(self, schedules: Schedules) -> None:
        schedules.create({**self.REQUEST, "Name": "nightly", "GroupName": "default"})
        with pytest.raises(TransientError) as raised:
            schedules.create({**self.REQUEST, "Name": "nightly"})
        assert raised.value.reason == "conflict"
        assert schedules.get("team", "nightly").document["Description"] == "every night"

    def test_an_update_sets_what_it_leaves_out_to_the_default(self, schedules: Schedules) -> None:
        arn = schedules.create(self.REQUEST)
        assert schedules.update({**self.BARE, "Name": "monthly"}) == arn
        document = schedules.get("team", "monthly").document
        assert (document["ScheduleExpression"], document["ScheduleExpressionTimezone"]) == ("rate(2 days)", "UTC")
        assert [document.get(key) for key in ("Description", "StartDate", "EndDate")] == [None, None, None]
        retry = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
        assert document["Target"] == {"Arn": PIPELINE_ARN, "RoleArn": ROLE, "RetryPolicy": retry}

    def test_an_update_keeps_when_it_was_made_and_tells_when_it_was_changed(
        self, schedules: Schedules, clock: FakeClock
    ) -> None:
        before = schedules.get("team", "nightly")
        clock.advance(minutes=5)
        schedules.update(self.BARE)
        after = schedules.get("team", "nightly")
        assert after.document["CreationDate"] == before.document["CreationDate"]
        assert after.modified_at > before.modified_at

    def test_what_is_not_there_is_not_updated(self, schedules: Schedules) -> None:
        with pytest.raises(NotFoundError):
            schedules.update({**self.BARE, "Name": "yearly"})
        with pytest.raises(NotFoundError):
            schedules.update({**self.BARE, "GroupName": "default"})

    def test_a_start_that_is_long_past_is_refused(self, schedules: Schedules) -> None:
        with pytest.raises(PermanentError, match="earlier than 5 minutes ago"):
            schedules.create({**self.REQUEST, "StartDate": "2020-01-01T00:00:00+00:00"})


def same_times(document: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule with its times as moments: each side writes them in a zone of its own."""
    times = {key: datetime.fromisoformat(document[key]) for key in ("StartDate", "EndDate")}
    return {**document, **times}


class TestRoles:
    SCHEDULER = "scheduler.amazonaws.com"

    def test_a_role_trusts_the_services_that_its_policy_names(self, roles: Roles) -> None:
        assert roles.trusts("arn:aws:iam::123456789012:role/scheduler", self.SCHEDULER)
        assert not roles.trusts("arn:aws:iam::123456789012:role/pipeline", self.SCHEDULER)

    def test_a_role_that_is_not_there_is_not_found(self, roles: Roles) -> None:
        with pytest.raises(NotFoundError, match="there is no role nobody"):
            roles.trusts("arn:aws:iam::123456789012:role/nobody", self.SCHEDULER)


class TestConcurrency:
    """Two writers at once, on moto (which takes one request at a time, in any order)."""

    def test_one_of_many_writers_of_a_revision_wins_whole(self, clients: Clients, clock: FakeClock) -> None:
        table = create_table(clients, "triggers")
        # Large enough for several chunks, which is where writers could mix.
        noise = [trigger(f"t-{number}", value=str(hash((number, "x"))) * 40) for number in range(300)]
        won: list[str] = []

        def write(name: str) -> None:
            triggers = tuple(replace(t, description=name) for t in noise)
            try:
                DynamoTriggerStore(clients, table, clock).write(Snapshot(0, triggers), expected_revision=0, by=name)
            except StaleRevisionError:
                return
            won.append(name)

        threads = [threading.Thread(target=write, args=(f"writer-{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store = DynamoTriggerStore(clients, table, clock)
        assert len(won) == 1
        assert store.revision() == 1
        assert {t.description for t in store.load().triggers} == set(won)
        assert [info.by for info in store.revisions()] == won

    def test_one_of_many_workers_acquires(self, clients: Clients, clock: FakeClock) -> None:
        table = create_table(clients, "ledger")
        found: list[object] = []

        def acquire(owner: str) -> None:
            found.append(DynamoLedger(clients, table, clock).acquire(start(), owner, clock.now() + LEASE))

        threads = [threading.Thread(target=acquire, args=(f"worker-{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(type(each).__name__ for each in found) == ["Acquired", *["Busy"] * 7]
