"""The real ``sam deploy`` against ``pipeline-triggers local up --no-deploy``, one story, in order."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.local.stage import SCHEDULED
from tests.e2e.commands import BUILD, ROOT, SCRATCH, Background, local_up, run
from tests.e2e.world import World
from tests.sample_events import DELETED_PIPELINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.transcript import Transcript

COMMAND = ".venv/bin/sam deploy --config-env local"
RUNS = "Stack “local” runs"
MESSAGE = "this is the changed function"


@pytest.fixture(scope="module")
def up() -> Iterator[Background]:
    """An embedded AWS that leaves deploying to SAM."""
    with local_up("--no-deploy", log="local-up-no-deploy.log", ready="sam deploy --config-env local") as running:
        yield running


@pytest.fixture(scope="module")
def command() -> str:
    """The line of README.md."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.strip() for line in lines if line.strip().endswith(COMMAND)]
    assert len(commands) == 1, f"README.md should have one line that ends with `{COMMAND}`"
    return commands[0]


def test_sam_deploys_the_stack(up: Background, command: str, transcript: Transcript) -> None:
    with transcript.step("sam deploy --config-env local, a new stack"):
        ran = run(command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Successfully created/updated stack - local in us-east-1" in ran.stdout
    assert "EventsTopicArn" in ran.stdout
    up.wait_for(lambda: RUNS in up.written(), "running stack")


def test_an_upload_is_handled_by_the_stack_that_sam_deployed(up: Background, transcript: Transcript) -> None:
    world = World()
    with transcript.step("From an upload to its execution"):
        world.upload("in/by-sam.csv")
        world.wait_until(lambda: world.has_started_for("in/by-sam.csv"), "an execution for the upload")


def test_the_stack_that_sam_deployed_deletes_the_schedules_of_a_deleted_pipeline(
    up: Background, transcript: Transcript
) -> None:
    world = World()
    orphans = set(SCHEDULED[DELETED_PIPELINE])
    before = world.schedules()
    assert orphans <= before
    with transcript.step("From a deleted pipeline to its schedules' end"):
        world.delete_pipeline(DELETED_PIPELINE)
        world.wait_until(lambda: not orphans & world.schedules(), "the schedules are gone")
    assert world.schedules() == before - orphans


def test_deploying_again_without_a_change_says_so_and_succeeds(up: Background, command: str) -> None:
    ran = run(command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No changes to deploy. Stack local is up to date" in ran.stdout


def test_changed_code_runs_after_the_next_deploy(up: Background, command: str, transcript: Transcript) -> None:
    changed = SCRATCH / "changed"
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(BUILD, changed)
    with (changed / "S3EventFunction/app.py").open("a", encoding="utf-8") as source:
        source.write(f"print({MESSAGE!r})\n")
    with transcript.step("sam deploy --config-env local, one function changed"):
        ran = run(f"{command} --template-file {changed}/template.yaml --config-file {ROOT}/samconfig.toml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    up.wait_for(lambda: up.written().count(RUNS) == 2, "stack that runs anew")
    assert MESSAGE in up.written()
    world = World()
    world.upload("in/by-sam-again.csv")
    world.wait_until(lambda: world.has_started_for("in/by-sam-again.csv"), "an execution for the upload")
