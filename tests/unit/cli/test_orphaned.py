"""Triggers that have lost a pipeline, as list, describe and status show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.revisions import Current
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from tests.fakes.clock import NOON
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

OTHER_ACCOUNT = PIPELINE_ARN.replace("123456789012", "210987654321")


def a_trigger(name: str, *pipelines: str) -> Trigger:
    targets = [{"pipeline": pipeline, "id": f"t{number}"} for number, pipeline in enumerate(pipelines)]
    return Trigger.from_document({"name": name, "event_pattern": {"source": ["com.example"]}, "targets": targets})


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack with three triggers; the pipeline churn-train is gone."""
    triggers = (
        a_trigger("on-upload", "Churn-Train", "churn-score"),
        a_trigger("on-drift", PIPELINE_ARN),
        a_trigger("on-alarm", "train", OTHER_ACCOUNT, "churn-train-2"),
    )
    command_line.store.write(Snapshot(0, triggers), expected_revision=0, by="ann")
    command_line.store.mark([PIPELINE_ARN], NOON)
    return command_line


ORPHANED = [
    {"trigger": "on-upload", "target": "t0", "pipeline": "Churn-Train", "since": "2026-03-14T12:00:00+00:00"},
    {"trigger": "on-drift", "target": "t0", "pipeline": PIPELINE_ARN, "since": "2026-03-14T12:00:00+00:00"},
]


def test_the_list_tells_which_targets_have_lost_their_pipeline(command_line: CommandLine) -> None:
    assert command_line.json("list")["result"]["orphaned"] == ORPHANED
    shown = command_line.run("list").stdout
    assert "Churn-Train (gone), churn-score" in " ".join(shown.split())
    assert shown.count("(gone)") == 2


def test_a_description_warns_of_a_pipeline_that_is_gone(command_line: CommandLine) -> None:
    document = command_line.json("describe", "on-upload")
    assert document["result"]["orphaned"] == ORPHANED[:1]
    [warning] = [it for it in document["warnings"] if it["field"] == "on-upload.t0" and "deleted" in it["reason"]]
    assert "2026-03-14 12:00 UTC" in warning["reason"]
    assert "redrive" in warning["remedy"]


def test_a_description_of_a_trigger_whose_pipelines_are_there_says_nothing(command_line: CommandLine) -> None:
    document = command_line.json("describe", "on-alarm")
    assert document["result"]["orphaned"] == []
    assert not [it for it in document["warnings"] if "deleted" in it["reason"]]


def test_the_status_counts_it_among_what_somebody_has_to_look_at(command_line: CommandLine) -> None:
    result = command_line.json("status")["result"]
    assert result["triggers"]["orphaned"] == ORPHANED
    [attention] = result["attention"]
    assert attention["field"] == "triggers"
    assert attention["reason"].endswith("on-upload, on-drift")
    assert "Nothing is stuck" not in command_line.run("status").stdout


def test_a_pipeline_that_was_revived_is_not_told_of(command_line: CommandLine) -> None:
    command_line.store.revive([PIPELINE_ARN])
    assert command_line.json("list")["result"]["orphaned"] == []
    assert command_line.json("status")["result"]["attention"] == []


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("churn-train", True),
        ("CHURN-Train", True),
        ("train", False),
        ("churn-train-2", False),
        (PIPELINE_ARN, True),
        (PIPELINE_ARN.replace("churn", "CHURN"), True),
        (OTHER_ACCOUNT, False),
    ],
)
def test_a_pipeline_is_marked_whole_and_in_any_case(named: str, expected: bool) -> None:
    current = Current(1, {PIPELINE_ARN: NOON})
    assert current.orphaned_since(PipelineRef.parse(named, 7)) == (NOON if expected else None)
