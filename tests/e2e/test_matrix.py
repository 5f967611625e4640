"""Every function with every sample event of its source, in AWS's runtime: its answer, and what it changes in AWS.

Twice: in one warm ``sam local start-lambda``, and in AWS's runtime interface emulator without Docker. Each begins with
an embedded AWS of its own, and the tests of one go on where the one before ended.
"""

from __future__ import annotations

import time
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import runtimes
from tests.e2e.commands import local_up
from tests.e2e.interface_emulator import FunctionFailedError, why_no_emulator
from tests.e2e.world import World
from tests.sample_events import (
    BATCHES,
    CLEANUP,
    CLEANUP_REASONS,
    CLEANUPS,
    DELETED_PIPELINE,
    EXECUTIONS,
    MATRIX,
    sample,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.runtimes import Invoke
    from tests.e2e.transcript import Transcript

SAM, EMULATOR = "sam local start-lambda", "runtime interface emulator"


@pytest.fixture(scope="module", params=[SAM, EMULATOR])
def runtime(request: pytest.FixtureRequest) -> str:
    """Where the functions run; skips what cannot run here."""
    name: str = request.param
    if name == SAM:
        request.getfixturevalue("docker_engine")
    elif why := why_no_emulator():
        pytest.skip(why)
    return name


@pytest.fixture(scope="module")
def world(runtime: str, transcript: Transcript) -> Iterator[World]:
    """An embedded AWS with the stack, pipelines and triggers; it leaves the queues alone."""
    with transcript.step(f"Everything in {runtime}"), local_up("--no-poll"):
        yield World()


@pytest.fixture(scope="module")
def invoke(runtime: str, world: World, transcript: Transcript) -> Iterator[Invoke]:
    """Calls a function, and says at the end how long that took."""
    running = runtimes.sam_local() if runtime == SAM else runtimes.emulator(world.url)
    seconds: dict[str, list[float]] = defaultdict(list)

    def timed(function: str, event: Any) -> Any:
        began = time.monotonic()
        try:
            return call(function, event)
        finally:
            seconds[function].append(time.monotonic() - began)

    with running as call:
        yield timed
    first, later = [took[0] for took in seconds.values()], [it for took in seconds.values() for it in took[1:]]
    if later:
        transcript.note(
            f"{runtime}: {len(first) + len(later)} invocations of {len(first)} functions; a function's first took "
            f"{median(first):.2f} s, the others {1000 * median(later):.0f} ms (medians)"
        )


@pytest.mark.parametrize("name", MATRIX)
def test_a_sample_event_starts_what_the_table_says(invoke: Invoke, world: World, name: str) -> None:
    function, expected = MATRIX[name]
    before = world.executions()
    decisions = invoke(function, sample(name))["decisions"]
    assert {(decision["trigger"], told(decision)) for decision in decisions} == expected
    started = {
        decision["execution_arn"]: decision["request"]["parameters"]
        for decision in decisions
        if decision["outcome"] == "started"
    }
    assert {arn: sent for arn, sent in world.executions().items() if arn not in before} == started


@pytest.mark.parametrize("name", BATCHES)
def test_a_sample_batch_has_no_failures(invoke: Invoke, name: str) -> None:
    assert invoke(BATCHES[name], sample(name)) == {"batchItemFailures": []}


def test_each_occurrence_in_the_samples_has_started_one_execution(invoke: Invoke, world: World) -> None:
    pipelines = sorted(arn.split("/")[1] for arn in world.executions())
    assert {name: pipelines.count(name) for name in pipelines} == EXECUTIONS


@pytest.mark.parametrize("name", CLEANUPS)
def test_no_clean_up_deletes_anything_while_the_pipeline_exists(invoke: Invoke, world: World, name: str) -> None:
    before = world.schedules()
    answer = invoke(CLEANUP, sample(name))
    assert (answer["deleted"], answer["failed"]) == ([], [])
    assert {kept["reason"] for kept in answer["kept"]} == CLEANUP_REASONS[name]
    assert world.schedules() == before


def test_the_pipeline_is_deleted(world: World) -> None:
    world.delete_pipeline(DELETED_PIPELINE)
    assert world.schedules() >= set().union(*CLEANUPS.values())


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_clean_up_deletes_what_the_table_says(invoke: Invoke, world: World, name: str) -> None:
    before = world.schedules()
    answer = invoke(CLEANUP, sample(name))
    assert before - world.schedules() == CLEANUPS[name]
    assert {arn.rpartition("/")[2] for arn in answer["deleted"]} == CLEANUPS[name]
    assert answer["failed"] == []


def test_a_function_without_an_endpoint_refuses_the_real_account(runtime: str, world: World) -> None:
    if runtime == SAM:
        pytest.skip("start-lambda has one set of parameters: the test of `sam local invoke` covers it")
    with runtimes.emulator(world.url, AWS_ENDPOINT_URL="") as invoke, pytest.raises(FunctionFailedError) as failed:
        invoke("S3EventFunction", sample("s3-object-created"))
    assert failed.value.error["errorType"] == "ConfigurationError"
    assert "would call the real AWS account" in failed.value.error["errorMessage"]
