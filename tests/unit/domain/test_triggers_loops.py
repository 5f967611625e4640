"""The loop guard: a pattern must not admit the executions of a pipeline that it starts."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidTriggerError

EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Churn-Train"
OTHER = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/other"
EXECUTIONS: dict[str, Any] = {"source": ["aws.sagemaker"], "detail-type": [EXECUTION]}
STEPS: dict[str, Any] = {"source": ["aws.sagemaker"], "detail-type": [STEP]}


def loops(pattern: dict[str, Any], pipeline: str = "Churn-Train", **target: Any) -> bool:
    document = {"name": "t", "event_pattern": pattern, "targets": [{"pipeline": pipeline, **target}]}
    fields = fields_refused(document)
    assert fields in ([], ["event_pattern"])
    return bool(fields)


def fields_refused(document: dict[str, Any]) -> list[str]:
    try:
        Trigger.from_document(document)
    except InvalidTriggerError as error:
        return [problem.field for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "pattern",
    [
        EXECUTIONS,
        STEPS,
        {"source": ["aws.sagemaker"]},
        {"detail-type": [{"prefix": "SageMaker "}]},
        {"account": ["999988887777"], "source": ["aws.sagemaker"]},
        {"account": ["999988887777"], "region": ["ap-south-1"], **EXECUTIONS},
        {"source": [{"anything-but": "aws.s3"}]},
        EXECUTIONS | {"detail": {"currentPipelineExecutionStatus": ["Succeeded"]}},
        EXECUTIONS | {"detail": {"currentPipelineExecutionStatus": [{"anything-but": ["Executing", "Succeeded"]}]}},
        EXECUTIONS | {"detail": {"currentPipelineExecutionStatus": ["CompletedWithFailures"]}},
        EXECUTIONS | {"detail": {"previousPipelineExecutionStatus": ["Stopping"]}},
        EXECUTIONS | {"detail": {"executionEndTime": [{"exists": True}]}},
        EXECUTIONS | {"detail": {"executionEndTime": [{"exists": False}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [ARN]}},
        EXECUTIONS | {"detail": {"pipelineArn": [ARN.lower()]}},
        EXECUTIONS | {"detail": {"pipelineArn": [OTHER, ARN]}},
        EXECUTIONS | {"detail": {"pipelineArn": [ARN.replace("Churn-Train", "CHURN-train")]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"prefix": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/"}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"suffix": "/churn-train"}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"equals-ignore-case": ARN}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"wildcard": "*pipeline/churn-*"}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"anything-but": OTHER}]}},
        EXECUTIONS | {"resources": [{"prefix": ARN}]},
        STEPS | {"detail": {"stepName": ["Evaluate"], "currentStepStatus": ["Failed"]}},
        STEPS | {"detail": {"stepType": ["Training"]}},
        {"$or": [{"source": ["aws.s3"]}, {"source": ["aws.sagemaker"]}]},
    ],
)
def test_a_pattern_that_admits_the_executions_of_its_own_pipeline_is_refused(pattern: dict[str, Any]) -> None:
    assert loops(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"]},
        EXECUTIONS | {"detail": {"pipelineArn": [OTHER]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"anything-but": {"equals-ignore-case": [ARN]}}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"anything-but": [ARN, ARN.lower()]}]}},
        EXECUTIONS | {"detail": {"pipelineArn": [{"suffix": "/other"}]}},
        EXECUTIONS | {"detail": {"currentPipelineExecutionStatus": ["Unheard"]}},
        EXECUTIONS | {"detail": {"pipelineExecutionDisplayName": [{"prefix": "released-"}]}},
        STEPS | {"detail": {"pipelineArn": [OTHER], "stepName": ["Evaluate"]}},
    ],
)
def test_a_pattern_that_leaves_its_own_pipeline_out_is_accepted(pattern: dict[str, Any]) -> None:
    assert not loops(pattern)


def test_a_target_with_an_arn_is_judged_by_it() -> None:
    elsewhere = EXECUTIONS | {"account": ["999988887777"]}
    assert not loops(elsewhere, ARN)
    assert loops(EXECUTIONS | {"account": ["111122223333"], "region": ["eu-west-1"]}, ARN)


def test_the_display_name_that_the_target_gives_counts() -> None:
    pattern = EXECUTIONS | {"detail": {"pipelineExecutionDisplayName": [{"prefix": "nightly-"}]}}
    assert loops(pattern, display_name="nightly")
    assert not loops(pattern, display_name="weekly")


def test_the_problem_names_the_pipeline_and_an_event() -> None:
    document = {"name": "t", "event_pattern": EXECUTIONS, "targets": [{"pipeline": "fine"}, {"pipeline": "p"}]}
    with pytest.raises(InvalidTriggerError) as caught:
        Trigger.from_document(document)
    assert [problem.reason for problem in caught.value.problems] == [
        f"admits the executions of {name} itself ({EXECUTION}, currentPipelineExecutionStatus Executing): "
        "each would start the next"
        for name in ("fine", "p")
    ]
    assert "anything-but" in caught.value.problems[0].remedy


def test_a_hostile_pattern_is_judged_in_reasonable_time() -> None:
    names = [f"step-{number}" for number in range(5000)]
    assert loops(STEPS | {"detail": {"stepName": names, "stepType": ["Training"]}})
    accounts = [f"{number:012}" for number in range(2000)]
    assert not loops(EXECUTIONS | {"account": accounts, "detail": {"pipelineArn": [{"suffix": "/never"}]}})
