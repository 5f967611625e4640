"""What the end-to-end tests share: the transcript, Docker with the base image, and the ways to run the functions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import DockerException, ImageNotFound

from tests.e2e import standin
from tests.e2e.commands import BUILD, SCRATCH
from tests.e2e.engine import NoDockerError, running_engine
from tests.e2e.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE_IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
FOLDER = Path(__file__).parent
TRANSCRIPT = pytest.StashKey[Transcript]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the transcript, which passes by what pytest captures."""

    def write(line: str) -> None:
        capture: Any = config.pluginmanager.get_plugin("capturemanager")
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    config.stash[TRANSCRIPT] = Transcript(write)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder; only ``make e2e`` selects them."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """A line for each test, with how long it took; the making of what it needs is not counted."""
    skipped = call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)
    if call.when == "call" and not skipped:
        name = item.name.removeprefix("test_").partition("[")
        came_to = "passed" if call.excinfo is None else call.excinfo.typename
        words = f"{name[0].replace('_', ' ')}{name[1]}{name[2]}"
        item.config.stash[TRANSCRIPT].say(f"{words}: {came_to} in {call.duration:.2f} s")


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """No letters: the transcript has a line for each test, and for what is left out."""
    if report.when == "call" or report.skipped:
        return report.outcome, "", ""
    return None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Sum up: what was measured, and what did not run and why."""
    transcript = config.stash[TRANSCRIPT]
    terminalreporter.section("summary of the end-to-end run")
    for fact in transcript.facts:
        terminalreporter.write_line(fact)
    for left_out in transcript.left_out:
        terminalreporter.write_line(f"LEFT OUT: {left_out}", yellow=True, bold=True)
    transcript.say("the end")


@pytest.fixture(scope="session")
def transcript(request: pytest.FixtureRequest) -> Transcript:
    """What this run tells its reader."""
    return request.config.stash[TRANSCRIPT]


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """What ``sam build`` made is there."""
    assert (BUILD / "template.yaml").is_file(), "run `make e2e`, or `make build` before"


@pytest.fixture(scope="session")
def engine(transcript: Transcript) -> Iterator[str]:
    """Docker with Lambda's base image; the text says why there is none, and is empty when there is."""
    try:
        if os.environ.get("E2E_DOCKER") == "no":
            raise NoDockerError("E2E_DOCKER=no asks for a run without it")
        with running_engine(transcript, log=SCRATCH / "dockerd.log") as client:
            _provide_base_image(client, transcript)
            yield ""
    except (NoDockerError, standin.NoStandInError) as error:
        transcript.leave_out(f"what SAM runs in Docker, because: {error}")
        yield str(error)


@pytest.fixture(scope="session")
def docker_engine(engine: str) -> None:
    """Docker; skips the test where it cannot run."""
    if engine:
        pytest.skip(f"no Docker: {engine}")


def _provide_base_image(client: Any, transcript: Transcript) -> None:
    """The image from the public registry if it can be had, else a stand-in under its name, which is said loudly."""
    present = _image(client)
    if present and standin.LABEL not in present.labels:
        transcript.note(f"Base image: {BASE_IMAGE}, as it is here")
        return
    repository, _, version = BASE_IMAGE.rpartition(":")
    try:
        client.images.pull(repository, tag=version)
    except DockerException as error:
        transcript.say(f"{BASE_IMAGE} cannot be pulled: {getattr(error, 'explanation', error)}")
    else:
        transcript.note(f"Base image: {BASE_IMAGE}, pulled")
        return
    if not present:
        with transcript.step("Making a stand-in for the base image"):
            standin.build(client, BASE_IMAGE)
    transcript.note(
        "Base image: a STAND-IN, NOT Amazon's: this machine's C library and CPython with AWS's runtime client. "
        f"`docker image rm {BASE_IMAGE}` removes it"
    )


def _image(client: Any) -> Any:
    try:
        return client.images.get(BASE_IMAGE)
    except ImageNotFound:
        return None
