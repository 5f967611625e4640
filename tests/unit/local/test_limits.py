"""The limits of the service models, as the embedded AWS enforces them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.local.limits import LIMITED_SERVICES, WrongTypeError, violations
from pipeline_triggers.local.wire import ACCOUNT, REGION, operation_model, service_model
from tests.unit.local.support import start

if TYPE_CHECKING:
    from tests.unit.local.support import Account

START: dict[str, Any] = {"PipelineName": "churn", "ClientRequestToken": "t" * 64}


def problems(service: str, operation: str, value: Any) -> list[str]:
    model = operation_model(service, operation)
    assert model is not None
    assert model.input_shape is not None
    return list(violations(model.input_shape, value))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PipelineName": None}, "Value null at 'pipelineName' failed to satisfy constraint: Member must not be null"),
        ({"ClientRequestToken": "short"}, "Member must have length greater than or equal to 32"),
        ({"ClientRequestToken": "t" * 129}, "Member must have length less than or equal to 128"),
        ({"PipelineExecutionDisplayName": "a_b"}, "Value 'a_b' at 'pipelineExecutionDisplayName' failed to satisfy"),
        ({"PipelineExecutionDisplayName": "ends-"}, "Member must satisfy regular expression pattern"),
        ({"PipelineExecutionDescription": "two\nlines"}, "at 'pipelineExecutionDescription'"),
        ({"PipelineParameters": [{"Name": "n", "Value": "x" * 1025}]}, "at 'pipelineParameters.1.member.value'"),
        ({"PipelineParameters": [{"Name": "n!", "Value": "x"}]}, "at 'pipelineParameters.1.member.name'"),
        ({"PipelineParameters": [{"Name": "n", "Value": "x"}] * 201}, "less than or equal to 200"),
        ({"PipelineVersionId": 0}, "Member must have value greater than or equal to 1"),
        ({"ParallelismConfiguration": {"MaxParallelExecutionSteps": 0}}, "'parallelismConfiguration.maxParallel"),
    ],
)
def test_a_start_beyond_a_limit_is_a_violation(changed: dict[str, Any], said: str) -> None:
    (problem,) = problems("sagemaker", "StartPipelineExecution", {**START, **changed})
    assert said in problem


def test_a_start_within_the_limits_has_no_violation() -> None:
    full = {
        **START,
        "PipelineName": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/churn",
        "PipelineExecutionDisplayName": "x" * 82,
        "PipelineExecutionDescription": "d" * 3072,
        "PipelineParameters": [{"Name": "A_b-1", "Value": "x" * 1024}] * 200,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 1},
    }
    assert problems("sagemaker", "StartPipelineExecution", full) == []


def test_an_enum_is_enforced() -> None:
    (problem,) = problems("sagemaker", "ListPipelines", {"SortBy": "Age"})
    assert problem.endswith("Member must satisfy enum value set: [Name, CreationTime]")


def test_a_member_of_another_type_is_told_apart() -> None:
    with pytest.raises(WrongTypeError, match="'pipelineParameters' is not a list"):
        problems("sagemaker", "StartPipelineExecution", {**START, "PipelineParameters": "Rows"})


@settings(max_examples=50)
@given(st.text(max_size=1500))
def test_a_value_is_a_violation_exactly_when_it_is_too_long(text: str) -> None:
    found = problems(
        "sagemaker", "StartPipelineExecution", {**START, "PipelineParameters": [{"Name": "n", "Value": text}]}
    )
    assert bool(found) == (len(text) > 1024)


@pytest.mark.parametrize("service", sorted(LIMITED_SERVICES))
def test_every_pattern_of_the_service_can_be_checked(service: str) -> None:
    from pipeline_triggers.local.limits import _compiled

    model = service_model(service)
    assert model is not None
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names} - {None}
    assert len([_compiled(pattern) for pattern in patterns]) > 5


def test_sagemaker_refuses_all_violations_in_one_message(aws: Account) -> None:
    aws.pipeline("churn")
    with pytest.raises(ClientError, match=r"2 validation errors detected: .*isplayName.*; .*alue") as error:
        start(
            aws,
            "churn",
            PipelineExecutionDisplayName="a_b",
            PipelineParameters=[{"Name": "n", "Value": "x" * 1025}],
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_scheduler_refuses_a_name_in_the_path(aws: Account) -> None:
    with pytest.raises(ClientError, match="Value 'no spaces' at 'name' failed to satisfy constraint") as error:
        aws.client("scheduler").create_schedule(
            Name="no spaces",
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:::q", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"},
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_scheduler_refuses_a_page_size_in_the_query(aws: Account) -> None:
    with pytest.raises(ClientError, match=r"at 'maxResults' .* less than or equal to 100"):
        aws.client("scheduler").list_schedules(MaxResults=101)


@pytest.mark.parametrize(("value", "allowed"), [("Köln", True), ("a b", True), ("a;b", False)])
def test_a_pattern_with_classes_of_java_admits_letters_of_every_script(value: str, allowed: bool) -> None:
    tags = {"ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e", "Tags": [{"Key": "k", "Value": value}]}
    assert bool(problems("sagemaker", "AddTags", tags)) != allowed
