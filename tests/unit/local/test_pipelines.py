"""SageMaker's pipelines in the embedded AWS: tokens, ARNs, declared parameters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline_triggers.local.emulator import LocalAws
from pipeline_triggers.local.pipelines import Pipelines, parameter_problems
from pipeline_triggers.local.wire import ACCOUNT, REGION, Answer, Call, error_answer, json_answer, json_call
from tests.unit.local.support import ROLE, Account, start

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/churn-train"


def executions(account: Account) -> list[str]:
    listed = account.client("sagemaker").list_pipeline_executions(PipelineName="Churn-Train")
    return [str(execution["PipelineExecutionArn"]) for execution in listed["PipelineExecutionSummaries"]]


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    said: Any = error.value.response["Error"]
    return said["Code"], said["Message"]


def test_the_same_token_gives_the_same_execution(aws: Account) -> None:
    aws.pipeline()
    assert start(aws, "Churn-Train") == start(aws, "Churn-Train")
    assert len(executions(aws)) == 1


def test_the_same_token_at_the_same_time_gives_the_same_execution(aws: Account) -> None:
    aws.pipeline()
    with ThreadPoolExecutor(8) as pool:
        arns = set(pool.map(lambda _: start(aws, "Churn-Train"), range(8)))
    assert len(arns) == len(executions(aws)) == 1


def test_another_token_gives_another_execution(aws: Account) -> None:
    aws.pipeline()
    assert start(aws, "Churn-Train", token="a" * 64) != start(aws, "Churn-Train", token="b" * 64)


def test_the_same_token_for_another_pipeline_starts_that_one(aws: Account) -> None:
    aws.pipeline("one")
    aws.pipeline("two")
    assert "/two/" in start(aws, "two") != start(aws, "one")


def test_a_token_counts_whether_the_pipeline_is_named_or_given_by_arn(aws: Account) -> None:
    arn = aws.pipeline()
    assert start(aws, "Churn-Train") == start(aws, arn)


def test_a_refused_start_does_not_use_up_its_token(aws: Account) -> None:
    aws.pipeline("Churn-Train", {"Name": "Rows", "Type": "Integer"})
    with pytest.raises(ClientError):
        start(aws, "Churn-Train")
    assert start(aws, "Churn-Train", PipelineParameters=[{"Name": "Rows", "Value": "1"}])


def test_a_start_that_failed_inside_does_not_use_up_its_token() -> None:
    answers = [error_answer("ThrottlingException", "Rate exceeded"), json_answer({"PipelineExecutionArn": "arn:x"})]

    def sometimes(call: Call) -> Answer:
        return (
            answers.pop(0) if call.operation == "StartPipelineExecution" else json_answer({"PipelineDefinition": "{}"})
        )

    pipelines = Pipelines()
    call = json_call("sagemaker", "StartPipelineExecution", {"PipelineName": "p", "ClientRequestToken": "t" * 32})
    assert [pipelines(call, sometimes).succeeded for _ in range(3)] == [False, True, True]


def test_forgotten_tokens_start_again() -> None:
    with LocalAws(port=0) as running:
        account = Account(running.url)
        account.pipeline()
        first = start(account, "Churn-Train")
        running.pipelines.forget_tokens()
        assert start(account, "Churn-Train") != first


def test_pipeline_arns_are_in_lower_case_everywhere(aws: Account) -> None:
    sagemaker = aws.client("sagemaker")
    assert aws.pipeline() == ARN
    assert sagemaker.describe_pipeline(PipelineName="Churn-Train")["PipelineArn"] == ARN
    assert sagemaker.list_pipelines()["PipelineSummaries"][0]["PipelineArn"] == ARN
    assert start(aws, "Churn-Train").startswith(ARN + "/execution/")
    assert executions(aws)[0].startswith(ARN + "/execution/")


def test_a_pipeline_keeps_the_case_of_its_name(aws: Account) -> None:
    arn = aws.pipeline()
    assert aws.client("sagemaker").describe_pipeline(PipelineName=arn)["PipelineName"] == "Churn-Train"


def test_an_execution_is_found_by_the_arn_that_was_answered(aws: Account) -> None:
    aws.pipeline("Churn-Train", {"Name": "Key", "Type": "String"})
    given = [{"Name": "Key", "Value": "in/a.csv"}]
    arn = start(aws, "Churn-Train", PipelineParameters=given)
    sagemaker = aws.client("sagemaker")
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    assert sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"] == given


@pytest.mark.parametrize(
    "pipeline",
    [
        "missing",
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/missing",
        f"arn:aws:sagemaker:{REGION}:999999999999:pipeline/churn-train",
        f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/churn-train",
    ],
)
def test_a_pipeline_that_is_not_there_is_resource_not_found(aws: Account, pipeline: str) -> None:
    aws.pipeline()
    for call in (
        lambda: start(aws, pipeline),
        lambda: aws.client("sagemaker").describe_pipeline(PipelineName=pipeline),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert refusal(error)[0] == "ResourceNotFound"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_pipeline_cannot_be_deleted_by_arn(aws: Account) -> None:
    arn = aws.pipeline()
    with pytest.raises(ClientError, match="ValidationException"):
        aws.client("sagemaker").delete_pipeline(PipelineName=arn, ClientRequestToken="t" * 32)


def test_a_definition_that_is_no_json_is_refused(aws: Account) -> None:
    with pytest.raises(ClientError, match="not valid JSON"):
        aws.client("sagemaker").create_pipeline(
            PipelineName="p", RoleArn=ROLE, ClientRequestToken="t" * 32, PipelineDefinition="steps: []"
        )


def test_a_start_that_the_definition_does_not_allow_is_refused_in_the_words_of_sagemaker(aws: Account) -> None:
    aws.pipeline("Churn-Train", {"Name": "Rows", "Type": "Integer", "DefaultValue": 1})
    with pytest.raises(ClientError) as error:
        start(aws, "Churn-Train", PipelineParameters=[{"Name": "Row", "Value": "1"}])
    assert refusal(error) == ("ValidationException", "Unknown parameter 'Row'")
    assert executions(aws) == []


@pytest.mark.parametrize(
    ("declared", "given", "problem"),
    [
        ({"Type": "String"}, {"P": ""}, 'Parameter P value "" is too short (length: 0, required minimum: 1).'),
        ({"Type": "String"}, {}, "Parameter 'P' is undefined."),
        ({"Type": "String"}, {"Q": "x", "P": "x"}, "Unknown parameter 'Q'"),
        ({"Type": "Integer"}, {"P": "1.0"}, "Unexpected type for parameter 'P'. Expected Integer but found '1.0'."),
        ({"Type": "Float"}, {"P": "many"}, "Unexpected type for parameter 'P'. Expected Float but found 'many'."),
        ({"Type": "Boolean"}, {"P": "1"}, "Unexpected type for parameter 'P'. Expected Boolean but found '1'."),
        ({"EnumValues": ["a", "b"]}, {"P": "c"}, "Parameter 'P' must be one of a, b."),
    ],
)
def test_a_parameter_is_refused(declared: dict[str, Any], given: dict[str, str], problem: str) -> None:
    assert next(parameter_problems({"Parameters": [{"Name": "P", **declared}]}, given)) == problem


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ({"Type": "Integer"}, {"P": "-12"}),
        ({"Type": "Float"}, {"P": "1e-05"}),
        ({"Type": "Float"}, {"P": "3"}),
        ({"Type": "Boolean"}, {"P": "True"}),
        ({"Type": "Boolean"}, {"P": "false"}),
        ({"EnumValues": ["a"]}, {"P": "a"}),
        ({"Type": "Integer", "DefaultValue": 0}, {}),
    ],
)
def test_a_parameter_is_accepted(declared: dict[str, Any], given: dict[str, str]) -> None:
    assert list(parameter_problems({"Parameters": [{"Name": "P", **declared}]}, given)) == []
