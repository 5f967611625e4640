"""Faults of single calls: SageMaker and DynamoDB fail, refuse, or lose answers (F1, F3 to F6, F10, F11, F24, F25)."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.adapters.clients import IN_A_FUNCTION
from pipeline_triggers.local.faults import Fault
from pipeline_triggers.local.wire import json_answer
from pipeline_triggers.reacting import START_BUDGET
from tests.faults.conftest import LONGEST_DELAY

if TYPE_CHECKING:
    from pipeline_triggers.local.faults import Kind
    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Answer, Call
    from tests.faults.conftest import Scene

START = ("sagemaker", "StartPipelineExecution")


def test_a_connection_that_breaks_before_the_start_is_tried_again_and_started_once(scene: Scene) -> None:
    """F3."""
    event = scene.event()
    scene.faults.strike(Fault("reset", *START))
    scene.offer(event)
    assert scene.settle() > 0
    assert scene.starts_of(event) == 1


@pytest.mark.parametrize("kind", ["reset", "server-error", "malformed"])
def test_a_start_whose_answer_is_lost_is_not_made_again(scene: Scene, kind: Kind) -> None:
    """F4."""
    event = scene.event()
    scene.faults.strike(Fault(kind, *START, acted=True))
    scene.offer(event)
    assert scene.settle() > 0
    assert scene.starts_of(event) == 1
    assert scene.entry(event)["state"] == "STARTED"


def test_a_start_whose_answer_is_lost_is_not_made_again_when_it_is_not_listed_yet(scene: Scene) -> None:
    """F4."""
    event = scene.event()
    scene.faults.strike(Fault("reset", *START, acted=True))
    scene.offer(event)
    assert scene.drain() == 1
    with scene.intercepted(_lists_no_executions):
        scene.settle()
    assert (scene.starts_of(event), scene.entry(event)["state"]) == (1, "STARTED")


def test_a_start_whose_answer_is_lost_is_not_made_again_when_the_token_is_forgotten(scene: Scene) -> None:
    """F5."""
    event = scene.event()
    forgotten = Fault("forget-tokens", "sagemaker", "ListPipelineExecutions")
    scene.faults.strike(Fault("reset", *START, acted=True), forgotten)
    scene.offer(event)
    scene.settle()
    assert scene.faults.injected["forget-tokens", "sagemaker", "ListPipelineExecutions"] == 1
    assert scene.starts_of(event) == 1


def test_an_answer_that_is_too_late_ends_the_function_before_its_deadline(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F6."""
    worker = scene.stage.poller.worker("BusEventFunction")
    barely = math.ceil(START_BUDGET.total_seconds()) + 2
    monkeypatch.setattr(worker, "function", replace(worker.function, timeout=barely))
    events = [scene.event() for _ in range(3)]
    scene.faults.strike(Fault("delay", *START, seconds=IN_A_FUNCTION["sagemaker"].read + 1, acted=True))
    scene.offer(*events)
    assert scene.drain() == 3  # the late one, and those for which too little time was left
    assert "Task timed out" not in caplog.text
    scene.settle()
    assert [scene.starts_of(event) for event in events] == [1, 1, 1]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("throttle", "dynamodb", "PutItem", on="local-ledger", times=None),
        Fault("reset", "dynamodb", "PutItem", on="local-ledger", times=None, acted=True),
        Fault("malformed", "dynamodb", "PutItem", on="local-ledger", times=None, acted=True),
        Fault("server-error", "dynamodb", "GetItem", on="local-ledger", times=None),
    ],
    ids=lambda fault: f"{fault.operation} {fault.kind}{' acted' if fault.acted else ''}",
)
def test_without_the_ledger_nothing_starts_and_the_message_stays(scene: Scene, fault: Fault) -> None:
    """F10."""
    event = scene.event()
    scene.faults.strike(fault)
    scene.offer(event)
    assert scene.drain() == 1
    assert (scene.faults.injected.total() > 0, scene.starts_of(event)) == (True, 0)
    scene.faults.strike()
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert scene.starts_of(event) == 1


def test_a_page_of_a_proxy_in_place_of_the_triggers_loses_no_event(scene: Scene) -> None:
    """F10. It has the status 200: read as an empty answer, it would say that there are no triggers."""
    event = scene.event()
    scene.faults.strike(Fault("malformed", "dynamodb", on="local-triggers", times=None))
    scene.offer(event)
    assert (scene.drain(), scene.starts_of(event)) == (1, 0)
    scene.faults.strike()
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert scene.starts_of(event) == 1


@pytest.mark.parametrize("acted", [False, True])
def test_a_start_that_the_ledger_could_not_be_told_of_is_found_and_not_repeated(scene: Scene, acted: bool) -> None:
    """F11. The second update of the entry's table is the completion; the first counts the start against the cap."""
    event = scene.event()
    scene.faults.strike(Fault("reset", "dynamodb", "UpdateItem", on="local-ledger", after=1, times=2, acted=acted))
    scene.offer(event)
    assert scene.drain() == 1
    assert (scene.starts_of(event), scene.entry(event)["state"]) == (1, "STARTED" if acted else "ATTEMPTING")
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert (scene.starts_of(event), scene.entry(event)["state"]) == (1, "STARTED")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("access-denied", "sagemaker", on="churn-features", times=None), "access-denied"),
        (Fault("refusal", "sagemaker", on="churn-features", times=None, code="ResourceNotFound"), "pipeline-not-found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_settle_in_fifteen_minutes_is_in_quarantine(scene: Scene, fault: Fault, reason: str) -> None:
    """F25."""
    event = scene.event()
    scene.faults.strike(fault)
    scene.offer(event)
    assert (scene.drain(), scene.quarantined(event)) == (1, [])
    scene.later(timedelta(minutes=14))
    assert (scene.drain(), scene.quarantined(event)) == (1, [])
    scene.later(timedelta(minutes=14))
    assert scene.drain() == 0
    assert [item.reason for item in scene.quarantined(event)] == [reason]
    assert scene.starts_of(event) == 0


def test_a_request_that_sagemaker_refuses_is_in_quarantine_at_once_and_its_neighbours_start(scene: Scene) -> None:
    """F25."""
    events = [scene.event() for _ in range(3)]
    scene.faults.strike(Fault("refusal", *START, code="ValidationException", after=1))
    scene.offer(*events)
    assert scene.drain() == 0
    refused = [event for event in events if scene.quarantined(event)]
    assert [item.reason for item in scene.quarantined(refused[0])] == ["refused-by-sagemaker"]
    assert sorted(scene.starts_of(event) for event in events) == [0, 1, 1]
    assert scene.starts_of(refused[0]) == 0


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceLimitExceeded", "ConflictException"])
def test_a_throttle_a_limit_or_a_conflict_passes_and_the_start_is_made_once(scene: Scene, code: str) -> None:
    """F1 and F24. Who was throttled starts at a slower pace: the next test has another process."""
    event = scene.event()
    scene.faults.strike(Fault("refusal", *START, code=code))
    scene.offer(event)
    assert scene.settle() == 1
    assert (scene.starts_of(event), scene.quarantined(event)) == (1, [])
    scene.stage.poller.worker("BusEventFunction").kill()


def _lists_no_executions(call: Call, forward: Forward) -> Answer:
    """SageMaker whose list is behind."""
    if call.operation == "ListPipelineExecutions":
        return json_answer({"PipelineExecutionSummaries": []})
    return forward(call)
