"""A pipeline is deleted by mistake, on the embedded AWS: what the clean-up did is seen, and undone from a terminal."""

from __future__ import annotations

import json
import time
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.local.stage import STACK, Stage, definition_of, scheduler_role
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.integration.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline_triggers.local.stage import Lines

ROLE = f"arn:aws:iam::{ACCOUNT}:role/scheduler"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/abalone"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
WAIT_SECONDS = 30
OF_THE_SERVICE = ("CreationDate", "LastModificationDate", "ResponseMetadata")


@pytest.fixture(scope="module")
def stage(lines: Lines) -> Iterator[Stage]:
    with Stage(ROOT / "template.yaml", port=0, on_log=lines.add, parameters={"RuleTargets": "remove"}) as stage:
        scheduler_role(stage.client("iam"))
        yield stage


def run(stage: Stage, *arguments: str) -> Any:
    """The result of a command."""
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", REGION, "--stack-name", STACK, "--output", "json")
    result = CliRunner(**apart).invoke(cli, [*common, *arguments])
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["exit_code"], document["problems"]) == (0, [])
    return document["result"]


def until(check: Callable[[], Any]) -> Any:
    """What a check gives as soon as it gives something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def create_pipeline(stage: Stage, token: str) -> None:
    stage.client("sagemaker").create_pipeline(
        PipelineName="Abalone",
        PipelineDefinition=definition_of({}),
        RoleArn=ROLE,
        ClientRequestToken=token.ljust(32, "-"),
    )


def arrange(stage: Stage) -> None:
    """A pipeline with two schedules, somebody's rule on a bus of its own, and a trigger."""
    create_pipeline(stage, "first")
    scheduler, events = stage.client("scheduler"), stage.client("events")
    common: Any = {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}, "State": "DISABLED"}
    scheduler.create_schedule_group(Name="team")
    scheduler.create_schedule(
        Name="nightly",
        GroupName="team",
        Description="every night",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        Target={
            "Arn": PIPELINE,
            "RoleArn": ROLE,
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "5"}]},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 3},
        },
        **common,
    )
    told = json.dumps({"PipelineName": "Abalone"})
    universal = {"Arn": UNIVERSAL, "RoleArn": ROLE, "Input": told}
    scheduler.create_schedule(Name="monthly", ScheduleExpression="cron(0 3 1 * ? *)", Target=universal, **common)
    events.create_event_bus(Name="team")
    events.put_rule(Name="on-upload", EventBusName="team", EventPattern='{"source": ["com.example"]}')
    events.put_targets(Rule="on-upload", EventBusName="team", Targets=[{"Id": "p", "Arn": PIPELINE, "RoleArn": ROLE}])
    targets = [{"pipeline": "Abalone"}]
    trigger = Trigger.from_document({"name": "t", "event_pattern": {"source": ["com.example"]}, "targets": targets})
    stage.store.write(Snapshot(0, (trigger,)), expected_revision=stage.store.revision(), by="test")


def listed_now(stage: Stage) -> tuple[list[Any], list[Any]]:
    """The schedules, as lists tell of them, and the targets of the rule."""
    pages = stage.client("scheduler").get_paginator("list_schedules").paginate()
    targets: list[Any] = stage.client("events").list_targets_by_rule(Rule="on-upload", EventBusName="team")["Targets"]
    return [it for page in pages for it in page["Schedules"]], targets


def everything(stage: Stage) -> list[dict[str, Any]]:
    """The definitions of what starts the pipeline, without what only the service sets."""
    scheduler = stage.client("scheduler")
    listed, targets = listed_now(stage)
    whole: list[Any] = [
        scheduler.get_schedule(GroupName=it["GroupName"], Name=it["Name"])
        for it in sorted(listed, key=lambda it: str(it["Name"]))
    ]
    return [{key: it[key] for key in it if key not in OF_THE_SERVICE} for it in [*whole, *targets]]


def test_what_was_deleted_with_a_pipeline_is_listed_and_put_back_as_it_was(stage: Stage) -> None:
    arrange(stage)
    before = everything(stage)
    assert len(before) == 3
    stage.client("sagemaker").delete_pipeline(PipelineName="Abalone", ClientRequestToken="d" * 32)
    until(lambda: listed_now(stage) == ([], []))

    names = {"team/nightly", "default/monthly", "rule team/on-upload#p"}
    until(lambda: {it["name"] for it in run(stage, "cleanup", "history", "--pipeline", "Abalone")} == names)
    orphaned = until(lambda: run(stage, "list")["orphaned"])
    assert [(it["trigger"], it["pipeline"]) for it in orphaned] == [("t", "Abalone")]

    create_pipeline(stage, "second")
    until(lambda: run(stage, "list")["orphaned"] == [])
    planned = run(stage, "cleanup", "restore", "--pipeline", "Abalone", "--dry-run")
    assert ([it["outcome"] for it in planned], everything(stage)) == (["would-restore"] * 3, [])
    restored = run(stage, "cleanup", "restore", "--pipeline", "Abalone", "--yes")
    assert [it["outcome"] for it in restored] == ["restored"] * 3
    assert everything(stage) == before

    planned = run(stage, "cleanup", "sweep", "--dry-run")
    assert (planned["would_delete"], planned["deleted"]) == ([], [])
    swept = run(stage, "cleanup", "sweep", "--yes")
    assert (swept["deleted"], swept["schedules"]) == ([], 2)
    assert everything(stage) == before
