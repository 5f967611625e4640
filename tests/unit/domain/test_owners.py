"""Whose a schedule is, by each of the three ways, and everything that must make it nobody's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.orphans import folded
from pipeline_triggers.domain.owners import Owners, UnknownTrigger
from pipeline_triggers.domain.schedule_plans import TellsTrigger
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from tests.fakes.pipelines import HOME

HERE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:local-schedule"
OWNERS = Owners(HOME, "local")


def trigger(name: str, *pipelines: str) -> Trigger:
    targets = [{"id": str(number), "pipeline": pipeline} for number, pipeline in enumerate(pipelines)]
    return Trigger.from_document({"name": name, "event_pattern": {"source": ["a"]}, "targets": targets})


SNAPSHOT = Snapshot(
    1,
    (
        trigger("on-upload", "churn-train", f"{HERE}Churn-Report"),
        trigger("abroad", "churn-train", HERE.replace("123456789012", "210987654321") + "churn-report"),
    ),
)


def owners(target_arn: str, input_: object = None) -> tuple[str, ...] | UnknownTrigger:
    """What a schedule with this target starts; the input as JSON unless it is a text."""
    text = input_ if isinstance(input_, str) else json.dumps(input_)
    return OWNERS.pipelines({"Target": {"Arn": target_arn, "Input": text}}, lambda: SNAPSHOT)


def scheduled_time(trigger_name: object, **envelope: Any) -> dict[str, Any]:
    whole = {"source": "pipeline-triggers", "detail-type": "Scheduled Time", "detail": {"trigger": trigger_name}}
    return whole | envelope


@pytest.mark.parametrize("arn", [f"{HERE}churn-train", f"{HERE}Churn-Train", f"{HERE}CHURN-TRAIN"])
def test_schedulers_own_target_names_the_pipeline(arn: str) -> None:
    assert (OWNERS.way(arn), owners(arn)) == ("pipeline", (arn,))


@pytest.mark.parametrize("named", ["Churn-Train", f"{HERE}Churn-Train", f"{HERE}churn-train"])
@pytest.mark.parametrize("target", [UNIVERSAL, UNIVERSAL.lower()])
def test_the_universal_target_names_it_in_its_input(target: str, named: str) -> None:
    found = owners(target, {"PipelineName": named, "ClientRequestToken": "x"})
    assert isinstance(found, tuple)
    assert folded(found) == (f"{HERE}churn-train",)


@pytest.mark.parametrize(
    "input_",
    [
        None,
        "",
        "{",
        "[" * 5000,
        [],
        [["PipelineName", "churn-train"]],
        {},
        {"PipelineName": None},
        {"PipelineName": 5},
        {"PipelineName": ["churn-train"]},
        {"PipelineName": ""},
        {"PipelineName": "<aws.scheduler.execution-id>"},
        {"PipelineName": "churn train"},
        {"PipelineName": "churn-train\n"},
        {"PipelineName": HERE.replace("us-east-1", "eu-west-1") + "churn-train"},
        {"PipelineName": HERE.replace("123456789012", "210987654321") + "churn-train"},
        {"pipelineName": "churn-train"},
        '{"PipelineName": "churn-train", "PipelineName": "churn-report"}',
        '{"PipelineName": "churn-train", "pipelinename": "churn-report"}',
        {"Nested": {"PipelineName": "churn-train"}},
    ],
)
def test_an_input_that_names_no_one_pipeline_of_this_home_makes_it_nobodys(input_: object) -> None:
    assert owners(UNIVERSAL, input_) == ()


@pytest.mark.parametrize(
    "target",
    [
        UNIVERSAL.replace("start", "stop"),
        UNIVERSAL.replace("sagemaker", "batch"),
        UNIVERSAL.replace("arn:aws:", "arn:aws-cn:"),
        f"{UNIVERSAL}2",
        f" {UNIVERSAL}",
        UNIVERSAL.replace("k", "\u212a"),
        f"{QUEUE}-2",
        QUEUE.replace("local", "other"),
        QUEUE.replace("us-east-1", "eu-west-1"),
        HERE.replace("us-east-1", "eu-west-1") + "churn-train",
        "arn:aws:lambda:us-east-1:123456789012:function:churn-train",
        "",
    ],
)
def test_other_targets_are_nobodys_whatever_their_input(target: str) -> None:
    assert OWNERS.way(target) is None
    for input_ in ({"PipelineName": "churn-train"}, scheduled_time("on-upload")):
        assert owners(target, input_) == ()


def test_through_this_app_it_starts_all_pipelines_of_its_trigger() -> None:
    assert owners(QUEUE, scheduled_time("on-upload")) == (f"{HERE}churn-train", f"{HERE}Churn-Report")


def test_what_this_app_writes_into_a_schedule_is_understood() -> None:
    target: dict[str, Any] = {}
    TellsTrigger(QUEUE, "on-upload").written_into(target)
    assert owners(QUEUE, target["Input"]) == owners(QUEUE, scheduled_time("on-upload"))


def test_a_trigger_with_a_pipeline_of_another_account_makes_it_nobodys() -> None:
    assert owners(QUEUE, scheduled_time("abroad")) == ()


def test_a_trigger_that_there_is_not_is_told() -> None:
    assert owners(QUEUE, scheduled_time("gone")) == UnknownTrigger("gone")
    assert owners(QUEUE, scheduled_time(None)) == UnknownTrigger("None")


@pytest.mark.parametrize(
    "input_",
    [
        None,
        "on-upload",
        {},
        scheduled_time("on-upload", source="aws.events"),
        scheduled_time("on-upload", **{"detail-type": "Sweep"}),
        {"trigger": "on-upload"},
    ],
)
def test_another_message_to_the_schedule_queue_is_nobodys(input_: object) -> None:
    assert owners(QUEUE, input_) == ()


def test_the_triggers_are_asked_for_only_when_they_matter() -> None:
    def asked() -> Snapshot:
        raise AssertionError("not needed")

    for target in (f"{HERE}churn-train", UNIVERSAL, "arn:aws:sqs:us-east-1:123456789012:other"):
        OWNERS.pipelines({"Target": {"Arn": target, "Input": '{"PipelineName": "a"}'}}, asked)


def test_another_partition_has_targets_of_its_own() -> None:
    china = Owners(Home("aws-cn", "123456789012", "cn-north-1"), "local")
    assert china.way(UNIVERSAL) is None
    assert china.way(UNIVERSAL.replace("arn:aws:", "arn:aws-cn:")) == "universal"
    assert china.queue_arn == "arn:aws-cn:sqs:cn-north-1:123456789012:local-schedule"


@given(st.text(), st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5))
def test_nothing_that_people_write_into_a_target_breaks_it(target: str, input_: object) -> None:
    for arn in (target, UNIVERSAL, QUEUE):
        found = owners(arn, input_)
        assert isinstance(found, UnknownTrigger) or all(arn.casefold().startswith(HERE) for arn in found)
