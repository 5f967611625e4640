"""A pipeline is updated: CloudTrail reports it, the function compares its triggers, and "status" tells of it.

On the embedded AWS, from the call of UpdatePipeline to the metric, the mark and what people see.
"""

from __future__ import annotations

import json
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.local.stage import STACK, definition_of
from tests.sample_events import CLEANUP, sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.local.stage import Lines, Stage

NAME = "features-of-today"
PIPELINE = "Churn-Watched"
FITS: Mapping[str, tuple[str, object]] = {"Table": ("String", None)}
MORE: Mapping[str, tuple[str, object]] = {**FITS, "Day": ("String", None)}
DRAIN_SECONDS = 30


def trigger(**parameters: str) -> Trigger:
    return Trigger.from_document(
        {
            "name": NAME,
            "event_pattern": {"source": ["com.example.features"], "detail": {"watched": [True]}},
            "targets": [{"pipeline": PIPELINE, "parameters": {"Table": "$.detail.table", **parameters}}],
        }
    )


def write(stage: Stage, *triggers: Trigger) -> None:
    current = stage.store.load()
    others = tuple(each for each in current.triggers if each.name != NAME)
    stage.store.write(Snapshot(0, (*others, *triggers)), expected_revision=current.revision, by="test")


def update(stage: Stage, declared: Mapping[str, tuple[str, object]]) -> None:
    """Update the pipeline, and let everything happen that follows."""
    stage.client("sagemaker").update_pipeline(PipelineName=PIPELINE, PipelineDefinition=definition_of(declared))
    stage.poller.drain(DRAIN_SECONDS)


def status(stage: Stage) -> dict[str, Any]:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", "us-east-1", "--stack-name", STACK, "--output", "json")
    document: dict[str, Any] = json.loads(CliRunner(**apart).invoke(cli, [*common, "status"]).stdout)
    assert (document["exit_code"], document["problems"], document["warnings"]) == (0, [], [])
    result: dict[str, Any] = document["result"]
    return result


def broken(stage: Stage) -> list[tuple[str, list[str]]]:
    return [
        (it["trigger"], [problem["field"].rpartition(".")[2] for problem in it["problems"]])
        for it in status(stage)["contracts"]
    ]


def marks(stage: Stage) -> list[str]:
    """The pipelines that are marked in the table."""
    answer = stage.client("dynamodb").query(
        TableName=f"{STACK}-triggers",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "broken"}},
    )
    return [item["sk"]["S"].rpartition("/")[2] for item in answer["Items"]]


def told(lines: Lines) -> list[dict[str, Any]]:
    """What the functions have written since the last time: log lines and metrics."""
    return [json.loads(line) for _, line in lines.take() if line.startswith("{")]


@pytest.fixture
def watched(stage: Stage, lines: Lines) -> Iterator[Stage]:
    """A pipeline that takes what its trigger sends."""
    sagemaker = stage.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=definition_of(FITS),
        RoleArn="arn:aws:iam::123456789012:role/pipeline",
        ClientRequestToken="w" * 32,
    )
    write(stage, trigger())
    stage.poller.drain(DRAIN_SECONDS)
    lines.take()
    yield stage
    if PIPELINE in {it["PipelineName"] for it in sagemaker.list_pipelines()["PipelineSummaries"]}:
        sagemaker.delete_pipeline(PipelineName=PIPELINE)
    write(stage)
    stage.poller.drain(DRAIN_SECONDS)


def test_an_update_that_breaks_the_contract_is_told_before_any_event_and_taken_back_after_the_next_update(
    watched: Stage, lines: Lines
) -> None:
    assert (broken(watched), marks(watched)) == ([], [])
    update(watched, MORE)
    written = told(lines)
    (warning,) = [line for line in written if line.get("message") == "contract"]
    assert (warning["level"], warning["outcome"], warning["trigger"]) == ("WARNING", "broken", NAME)
    assert warning["refused"] == ["targets[0].parameters.Day"]
    assert [line["ContractsBroken"] for line in written if "ContractsBroken" in line] == [[1.0]]
    assert (broken(watched), marks(watched)) == ([(NAME, ["Day"])], [PIPELINE.lower()])
    assert [it["field"] for it in status(watched)["attention"]] == ["contracts"]

    update(watched, FITS)
    assert (broken(watched), marks(watched)) == ([], [])
    assert [it["outcome"] for it in told(lines) if it.get("message") == "contract"] == ["mended"]


def test_a_trigger_that_is_mended_is_told_of_no_more_and_the_next_sweep_takes_the_mark_away(watched: Stage) -> None:
    update(watched, MORE)
    write(watched, trigger(Day="$.time"))
    assert (broken(watched), marks(watched)) == ([], [PIPELINE.lower()])
    report = watched.poller.invoke(CLEANUP, sample("sweep"))
    assert [arn.rpartition("/")[2] for arn in report["mended"]] == [PIPELINE.lower()]
    assert marks(watched) == []


def test_a_sweep_finds_what_cloudtrail_did_not_report(watched: Stage) -> None:
    update(watched, MORE)
    dynamodb = watched.client("dynamodb")
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{PIPELINE.lower()}"
    dynamodb.delete_item(TableName=f"{STACK}-triggers", Key={"pk": {"S": "broken"}, "sk": {"S": arn}})
    assert broken(watched) == []
    report = watched.poller.invoke(CLEANUP, sample("sweep"))
    assert [it["trigger"] for it in report["broken"]] == [NAME]
    assert broken(watched) == [(NAME, ["Day"])]
    assert status(watched)["sweep"]["state"] == "done"


def test_a_pipeline_that_is_deleted_and_made_again_is_orphaned_and_then_compared_anew(watched: Stage) -> None:
    sagemaker = watched.client("sagemaker")
    update(watched, MORE)
    sagemaker.delete_pipeline(PipelineName=PIPELINE)
    watched.poller.drain(DRAIN_SECONDS)
    assert [it["trigger"] for it in status(watched)["triggers"]["orphaned"]] == [NAME]
    sagemaker.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=definition_of(FITS),
        RoleArn="arn:aws:iam::123456789012:role/pipeline",
        ClientRequestToken="again".ljust(32, "-"),
    )
    watched.poller.drain(DRAIN_SECONDS)
    result = status(watched)
    assert (result["triggers"]["orphaned"], result["contracts"]) == ([], [])
    assert marks(watched) == []


def test_the_last_starts_and_failures_are_those_of_the_ledger(watched: Stage) -> None:
    entries = [
        {"Source": "com.example.features", "DetailType": "Table Ready", "Detail": json.dumps(detail)}
        for detail in ({"watched": True, "table": "today"}, {"watched": True})
    ]
    watched.client("events").put_events(Entries=entries)
    watched.poller.drain(DRAIN_SECONDS)
    result = status(watched)
    assert [(it["trigger"], it["target"]) for it in result["starts"]] == [(NAME, PIPELINE)]
    assert [(it["trigger"], it["reason"]) for it in result["failures"]] == [(NAME, "missing-parameter")]
    assert result["silent"]["known"] == 0, "the stack is younger than 30 days"
