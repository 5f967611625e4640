"""The name of a pipeline as it was given, asked for by its ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def sagemaker(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.sagemaker("us-east-1")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def pipelines(clients: Clients) -> SageMakerPipelines:
    return SageMakerPipelines(clients, HOME, FakeClock())


def test_a_pipelines_arn_finds_its_name(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    answer = {"PipelineArn": ARN, "PipelineName": "Churn-Train"}
    sagemaker.add_response("describe_pipeline", answer, {"PipelineName": ARN})
    assert pipelines.name_of(ARN) == "Churn-Train"


def test_a_pipeline_that_is_not_found_has_no_name(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    sagemaker.add_client_error("describe_pipeline", "ResourceNotFound")
    assert pipelines.name_of(ARN) is None


def test_any_other_failure_is_told(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    sagemaker.add_client_error("describe_pipeline", "ThrottlingException")
    with pytest.raises(TransientError):
        pipelines.name_of(ARN)


def test_an_answer_without_a_name_cannot_be_read(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    sagemaker.add_response("describe_pipeline", {"PipelineArn": ARN}, {"PipelineName": ARN})
    with pytest.raises(TransientError, match="cannot be read"):
        pipelines.name_of(ARN)
