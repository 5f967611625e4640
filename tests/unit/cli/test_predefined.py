"""The predefined event patterns of ``new``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cli.predefined import PREDEFINED, render
from pipeline_triggers.documents import load
from pipeline_triggers.errors import InvalidTriggerError, NotFoundError

if TYPE_CHECKING:
    from pipeline_triggers.domain.triggers import Trigger

KINDS = ["s3-upload", "endpoint-status", "training-job", "model-approval", "pipeline-finished", "alarm", "sns"]


def rendered(kind: str, name: str = "my-trigger", pipeline: str = "churn-train", of_set: str = "churn") -> Trigger:
    read = load(render(kind, name=name, pipeline=pipeline, set=of_set))
    assert read.warnings == ()
    return read.triggers[0]


def test_there_is_one_for_each_kind_of_event() -> None:
    assert list(PREDEFINED) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_predefined_file_is_accepted_as_it_is(kind: str) -> None:
    trigger = rendered(kind)
    assert (trigger.name, trigger.set, str(trigger.targets[0].pipeline)) == ("my-trigger", "churn", "churn-train")
    assert trigger.targets[0].parameters


@pytest.mark.parametrize("kind", KINDS)
def test_a_predefined_file_explains_itself(kind: str) -> None:
    text = render(kind, name="t", pipeline="p", set="churn")
    assert text.startswith(f"# Starts p when {PREDEFINED[kind].summary}.\n")
    assert "# " in text.partition("triggers:")[2]


@pytest.mark.parametrize(
    ("name", "pipeline"),
    [("012", "no"), ("null", "12"), ("a.b", "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p"), ("true", "Null")],
)
def test_any_name_stays_the_name(name: str, pipeline: str) -> None:
    trigger = rendered("sns", name=name, pipeline=pipeline, of_set=name)
    assert (trigger.name, trigger.set, str(trigger.targets[0].pipeline)) == (name, name, pipeline)


@pytest.mark.parametrize("name", ["", "a: b", "x\n  - y", "#", "é", 'a"b', "\U000e0001"])
def test_a_hostile_name_is_refused_as_a_name_and_breaks_nothing_else(name: str) -> None:
    with pytest.raises(InvalidTriggerError) as caught:
        load(render("alarm", name=name, pipeline="p", set="s"))
    assert [problem.field for problem in caught.value.problems] == ["triggers[0].name"]


def test_a_file_may_be_without_a_set() -> None:
    assert rendered("alarm", of_set="").set == ""


def test_a_kind_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(NotFoundError, match="s3-upload, endpoint-status"):
        render("cron", name="t", pipeline="p", set="s")


@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_guard_agrees(kind: str) -> None:
    assert rendered(kind).pattern is not None


SAMPLES = {
    "s3-upload": ("s3-object-created", {"detail": {"bucket": "name", "object": "key"}}),
    "endpoint-status": ("endpoint-status-in-service", {}),
    "training-job": ("training-job-completed", {}),
    "model-approval": ("model-package-approved", {}),
    "pipeline-finished": ("pipeline-execution-succeeded", {}),
    "alarm": ("alarm-drift", {}),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_paths_of_the_parameters_find_something_in_the_sample_event(kind: str) -> None:
    events = Path(__file__).parents[3] / "events"
    event: dict[str, Any] = json.loads((events / f"{SAMPLES[kind][0]}.json").read_text(encoding="utf-8"))
    for parameter in rendered(kind).targets[0].parameters:
        text = parameter.value.text
        path = text[text.index("$") :].partition(">")[0]
        found: Any = event
        for step in path.removeprefix("$.").split("."):
            found = found[step]
        assert isinstance(found, str)
