"""Functions that are killed, time out, or work at the same time as others (F7 to F9, F12, F13)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from pipeline_triggers.local.faults import Fault
from pipeline_triggers.local.poller import FunctionError, _Process
from tests.faults.conftest import LONGEST_DELAY
from tests.unit.test_reacting import World, an_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline_triggers.domain.executions import StartRequest
    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Answer, Call
    from tests.fakes.pipelines import FakePipelines
    from tests.faults.conftest import Scene

START = ("sagemaker", "StartPipelineExecution")


@pytest.mark.parametrize("forgotten", [False, True], ids=["token known", "token forgotten"])
def test_a_function_killed_after_the_start_does_not_start_again(scene: Scene, forgotten: bool) -> None:
    """F7."""
    event = scene.event()
    scene.faults.strike(Fault("crash", *START, acted=True))
    scene.offer(event)
    assert (scene.drain(), scene.starts_of(event), scene.entry(event)["state"]) == (1, 1, "ATTEMPTING")
    if forgotten:
        scene.stage.aws.pipelines.forget_tokens()
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert (scene.starts_of(event), scene.entry(event)["state"]) == (1, "STARTED")


def test_a_function_killed_before_the_start_starts_as_soon_as_its_message_is_back(scene: Scene) -> None:
    """F8. The lease ends with the function's time, the message comes back when it is no longer invisible."""
    event = scene.event()
    scene.faults.strike(Fault("crash", *START))
    scene.offer(event)
    assert (scene.drain(), scene.starts_of(event)) == (1, 0)
    scene.later(timedelta(seconds=361))
    assert scene.drain() == 0
    assert (scene.starts_of(event), scene.entry(event)["attempts"]) == (1, 2)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("crash", "dynamodb", "GetItem", on="local-ledger", acted=True),
        Fault("crash", "dynamodb", "PutItem", on="local-ledger", acted=True),
        Fault("crash", "dynamodb", "UpdateItem", on="local-ledger", acted=True),
        Fault("crash", "dynamodb", "UpdateItem", on="local-ledger", acted=True, after=1),
    ],
    ids=["read", "acquired", "counted", "completed"],
)
def test_a_function_killed_at_any_step_of_a_start_has_it_made_once_all_the_same(scene: Scene, fault: Fault) -> None:
    """F7 and F8, at the other steps."""
    event = scene.event()
    scene.faults.strike(fault)
    scene.offer(event)
    assert scene.drain() == 1
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert (scene.starts_of(event), scene.entry(event)["state"]) == (1, "STARTED")


def test_what_was_done_before_a_function_was_killed_is_not_done_again_and_the_rest_is_done(scene: Scene) -> None:
    """F9. A crash, at a place that is known."""
    events = [scene.event() for _ in range(5)]
    scene.faults.strike(Fault("crash", *START, after=2))
    scene.offer(*events)
    assert (scene.drain(), len([it for it in events if scene.starts_of(it)])) == (5, 2)
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert [scene.starts_of(event) for event in events] == [1] * 5


def test_a_function_that_hangs_in_the_middle_of_a_batch_is_ended_and_its_batch_is_done_once_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F9. It believes that it has a minute and is ended after some seconds; its last call acts only after that."""
    worker = scene.stage.poller.worker("BusEventFunction")
    believed, real, hangs = 61, 3.0, 5.0
    receive = _Process.receive
    monkeypatch.setattr(worker, "function", replace(worker.function, timeout=believed))
    monkeypatch.setattr(_Process, "receive", lambda it, timeout: receive(it, real if timeout == believed else timeout))
    events = [scene.event() for _ in range(5)]
    scene.faults.strike(Fault("delay", *START, seconds=hangs, after=2))
    scene.offer(*events)
    assert (scene.drain(), "Task timed out" in caplog.text) == (5, True)
    time.sleep(hangs - real)
    scene.stage.aws.pipelines.forget_tokens()
    scene.later(LONGEST_DELAY)
    scene.settle()
    assert [scene.starts_of(event) for event in events] == [1] * 5


@pytest.mark.parametrize(
    "error",
    [
        TransientError("throttled", "too many"),
        TransientError("unavailable", "no answer", acted=True),
        PermanentError("refused-by-sagemaker", "no"),
    ],
    ids=str,
)
def test_a_worker_that_fails_after_its_lease_leaves_the_record_of_its_successor_as_it_is(error: AwsError) -> None:
    """F12."""
    world = World()

    def fails_late(_request: StartRequest) -> str:
        world.clock.advance(minutes=2)
        world.react(an_event())
        raise error

    sleepy = world.another_worker(_Sleepy(world.pipelines, fails_late))
    (late,) = sleepy.react([an_event()], world.message(), world.invocation("sleepy"))
    (entry,) = [kept.entry for kept in world.ledger.entries.values()]
    assert late.outcome == "retry"
    assert (entry.state, entry.execution_arn) == ("STARTED", world.pipelines.executions[0].arn)
    (again,) = world.react(an_event())
    assert (again.outcome, len(world.pipelines.executions)) == ("duplicate", 1)


def test_a_worker_that_starts_after_its_lease_gets_the_execution_of_its_successor() -> None:
    """F12. SageMaker knows the token: the same execution is answered."""
    world = World()

    def starts_late(request: StartRequest) -> str:
        world.clock.advance(minutes=2)
        world.react(an_event())
        return world.pipelines.start(request)

    sleepy = world.another_worker(_Sleepy(world.pipelines, starts_late))
    (late,) = sleepy.react([an_event()], world.message(), world.invocation("sleepy"))
    assert (late.outcome, late.execution_arn) == ("started", world.pipelines.executions[0].arn)
    assert len(world.pipelines.executions) == 1


@pytest.mark.parametrize("order", ["acquire together", "read together"])
def test_two_functions_with_the_same_event_at_the_same_moment_start_it_once(scene: Scene, order: str) -> None:
    """F13. Two processes; each waits before its write (or its read) of the ledger until the other is there, too."""
    event = scene.event()
    meeting = Meeting({"acquire together": "PutItem", "read together": "GetItem"}[order])
    with scene.intercepted(meeting), ThreadPoolExecutor(2) as pool:
        functions = ("BusEventFunction", "S3EventFunction")
        told = list(pool.map(lambda function: _invoked(scene, function, event), functions))
    assert meeting.met
    assert scene.starts_of(event) == 1
    assert sorted(told) in (["in-progress", "started"], ["conflict", "started"], ["duplicate", "started"])
    assert _invoked(scene, "SnsEventFunction", event) == "duplicate"


@dataclass
class Meeting:
    """An interceptor that holds the first two calls of an operation on the ledger until both have come."""

    operation: str
    met: bool = False
    _barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=20))

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Wait for the other."""
        is_met = call.operation == self.operation and call.input.get("TableName") == "local-ledger"
        if is_met and not self.met:
            self._barrier.wait()
            self.met = True
        return forward(call)


@dataclass
class _Sleepy:
    """SageMaker for a worker that falls asleep in the middle of its start."""

    behind: FakePipelines
    start: Callable[[StartRequest], str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def _invoked(scene: Scene, function: str, event: Mapping[str, Any]) -> str:
    """What becomes of a bare event: the outcome of its decision, or the reason for which it must come again."""
    try:
        (decision,) = scene.stage.poller.invoke(function, event)["decisions"]
    except FunctionError as error:
        if error.error_type != "TransientError":
            raise
        return "in-progress" if "another worker is at it" in error.message else "conflict"
    return str(decision["outcome"])
