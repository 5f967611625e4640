"""CloudTrail's reports of calls about pipelines: what was done to which one, and which reports mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.orphans import Kept, pipeline_at_home
from pipeline_triggers.sources.cloudtrail import PipelineCall, pipeline_call
from tests.fakes.pipelines import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churnreport"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(PIPELINE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def report(event: Callable[[str], Any]) -> Callable[..., Any]:
    """The sample report with changes in its detail (``envelope`` changes the envelope): the pipeline, or why not."""

    def make(envelope: dict[str, Any] | None = None, home: Home = HOME, **detail: Any) -> Any:
        document = event("cloudtrail-delete-pipeline")
        changed = {**document, **(envelope or {}), "detail": {**document["detail"], **detail}}
        found = pipeline_call(Event.from_envelope(changed), home)
        return found.pipeline_arn if isinstance(found, PipelineCall) else found

    return make


def reason(found: object) -> str:
    assert isinstance(found, Kept)
    return found.reason


@pytest.mark.parametrize("operation", ["CreatePipeline", "UpdatePipeline", "DeletePipeline"])
def test_a_report_says_what_was_done_to_which_pipeline(event: Callable[[str], Any], operation: str) -> None:
    document = event("cloudtrail-delete-pipeline")
    document["detail"]["eventName"] = operation
    found = pipeline_call(Event.from_envelope(document), HOME)
    assert isinstance(found, PipelineCall)
    assert (found.operation, found.pipeline_arn) == (operation, PIPELINE)


def test_the_sample_of_an_update_tells_of_its_pipeline(event: Callable[[str], Any]) -> None:
    found = pipeline_call(Event.from_envelope(event("cloudtrail-update-pipeline")), HOME)
    assert found == PipelineCall("UpdatePipeline", PIPELINE.replace("churnreport", "churn-score"))


def test_the_arn_of_the_answer_is_the_pipeline(report: Callable[..., Any]) -> None:
    assert report() == PIPELINE


def test_the_answer_counts_more_than_the_request(report: Callable[..., Any]) -> None:
    assert report(requestParameters={"pipelineName": "SomethingElse"}) == PIPELINE
    assert report(requestParameters=None) == PIPELINE


@pytest.mark.parametrize("named", ["ChurnReport", "arn:aws:sagemaker:us-east-1:123456789012:pipeline/ChurnReport"])
@pytest.mark.parametrize("elements", [None, {}, {"pipelineArn": None}, {"pipelineArn": 7}, "x"])
def test_without_an_answer_the_request_names_the_pipeline(
    report: Callable[..., Any], named: str, elements: object
) -> None:
    found = report(requestParameters={"pipelineName": named}, responseElements=elements)
    assert found == PIPELINE.replace("churnreport", "ChurnReport")


@pytest.mark.parametrize(
    "request_", [None, {}, {"pipelineName": None}, {"pipelineName": ""}, {"name": "Abalone"}, [], 5]
)
def test_a_report_that_names_no_pipeline_tells_of_none(report: Callable[..., Any], request_: object) -> None:
    assert report(requestParameters=request_, responseElements=None) == Kept("", "no-pipeline-named")


@pytest.mark.parametrize("name", ["-abalone", "abalone/execution/1", "*", "a b", "abälone", "a" * 257, "../abalone"])
def test_a_name_that_no_pipeline_can_have_names_none(report: Callable[..., Any], name: str) -> None:
    found = report(requestParameters={"pipelineName": name}, responseElements=None)
    assert reason(found) == "no-pipeline-named"


@pytest.mark.parametrize("failure", [{"errorCode": "AccessDenied"}, {"errorMessage": "no"}, {"errorCode": ""}])
def test_a_call_that_failed_did_nothing(report: Callable[..., Any], failure: dict[str, str]) -> None:
    assert reason(report(**failure)) == "call-failed"
    assert reason(report(**failure, responseElements=None)) == "call-failed"


def test_an_error_code_of_null_is_no_failure(report: Callable[..., Any]) -> None:
    assert report(errorCode=None, errorMessage=None) == PIPELINE


@pytest.mark.parametrize(
    "changes",
    [
        {"eventSource": "codepipeline.amazonaws.com"},
        {"eventSource": None},
        {"eventName": "DeletePipelineExecution"},
        {"eventName": "UpdatePipelineExecution"},
        {"eventName": "UpdatePipelineVersion"},
        {"eventName": None},
        {"eventName": "deletepipeline"},
        {"eventName": ["DeletePipeline"]},
        {"envelope": {"source": "aws.codepipeline"}},
        {"envelope": {"source": "com.example"}},
        {"envelope": {"detail-type": "AWS API Call"}},
    ],
)
def test_another_call_or_another_services_is_another_event(report: Callable[..., Any], changes: dict[str, Any]) -> None:
    assert reason(report(**changes)) == "other-event"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recipientAccountId": "210987654321"}, "other-account"),
        ({"envelope": {"account": "210987654321"}}, "other-account"),
        ({"recipientAccountId": ["123456789012"]}, "other-account"),
        ({"awsRegion": "eu-west-1"}, "other-region"),
        ({"envelope": {"region": "eu-west-1"}}, "other-region"),
        ({"awsRegion": {"us-east-1": 1}}, "other-region"),
        ({"responseElements": {"pipelineArn": PIPELINE.replace("us-east-1", "eu-west-1")}}, "not-at-home"),
        ({"responseElements": {"pipelineArn": PIPELINE.replace("123456789012", "210987654321")}}, "not-at-home"),
        ({"responseElements": {"pipelineArn": PIPELINE.replace("arn:aws:", "arn:aws-cn:")}}, "not-at-home"),
    ],
)
def test_another_account_region_or_partition_is_not_ours(
    report: Callable[..., Any], changes: dict[str, Any], expected: str
) -> None:
    assert reason(report(**changes)) == expected


@pytest.mark.parametrize("lacking", ["recipientAccountId", "awsRegion"])
def test_what_the_record_does_not_say_the_envelope_does(report: Callable[..., Any], lacking: str) -> None:
    assert report(**{lacking: None}) == PIPELINE


def test_a_name_belongs_to_the_partition_of_the_stack(report: Callable[..., Any]) -> None:
    home = Home("aws-us-gov", HOME.account, HOME.region)
    assert report(home=home, responseElements=None) == (
        "arn:aws-us-gov:sagemaker:us-east-1:123456789012:pipeline/ChurnReport"
    )


def test_the_samples_say_why_nothing_follows(event: Callable[[str], Any]) -> None:
    reasons = {
        name: reason(pipeline_call(Event.from_envelope(event(f"cloudtrail-delete-pipeline-{name}")), HOME))
        for name in ("failed", "codepipeline", "other-account", "null-parameters")
    }
    assert reasons == {
        "failed": "call-failed",
        "codepipeline": "other-event",
        "other-account": "other-account",
        "null-parameters": "no-pipeline-named",
    }


@settings(max_examples=150)
@given(
    detail=st.fixed_dictionaries(
        {
            "eventSource": st.just("sagemaker.amazonaws.com"),
            "eventName": st.sampled_from(["CreatePipeline", "DeletePipeline", "UpdatePipeline"]) | ANYTHING,
        },
        optional=dict.fromkeys(
            ("errorCode", "requestParameters", "responseElements", "recipientAccountId", "awsRegion"), ANYTHING
        ),
    ),
    account=st.sampled_from(["123456789012", "210987654321", ""]),
)
def test_whatever_a_report_holds_it_is_a_pipeline_at_home_or_a_reason(detail: dict[str, Any], account: str) -> None:
    envelope = {
        "source": "aws.sagemaker",
        "detail-type": "AWS API Call via CloudTrail",
        "id": "1",
        "account": account,
        "region": "us-east-1",
        "detail": detail,
    }
    found = pipeline_call(Event.from_envelope(envelope), HOME)
    assert isinstance(found, Kept) or (pipeline_at_home(found.pipeline_arn, HOME) and account == HOME.account)
