"""What a run may look at and prepare in the embedded AWS that another process serves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.emulator import DEFAULT_PORT, local_client
from pipeline_triggers.local.stage import PIPELINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class World:
    """The embedded AWS at a URL."""

    url: str = f"http://127.0.0.1:{DEFAULT_PORT}"

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return local_client(service, self.url)

    def executions(self) -> dict[str, Mapping[str, str]]:
        """The parameters of every execution, by its ARN."""
        sagemaker = self.client("sagemaker")
        arns = [
            summary["PipelineExecutionArn"]
            for name in PIPELINES
            for summary in sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
        ]
        return {arn: self._parameters(arn) for arn in arns}

    def wait_until(self, happened: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
        """Wait until something has happened. AssertionError when it has not in time."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, f"not after {seconds:g} s: {what}"
            time.sleep(0.1)

    def has_started_for(self, key: str) -> bool:
        """Whether an execution was started for this uploaded file."""
        return any(parameters.get("InputKey") == key for parameters in self.executions().values())

    def upload(self, key: str) -> None:
        """Put a file into the bucket of the sample triggers."""
        self.client("s3").put_object(Bucket="raw-data", Key=key, Body=b"rows")

    def schedules(self) -> set[str]:
        """The names of all schedules."""
        listed = self.client("scheduler").get_paginator("list_schedules").paginate()
        return {schedule["Name"] for page in listed for schedule in page["Schedules"]}

    def delete_pipeline(self, name: str) -> None:
        """Delete a pipeline, as its owner does."""
        self.client("sagemaker").delete_pipeline(PipelineName=name)

    def _parameters(self, execution_arn: str) -> Mapping[str, str]:
        sagemaker = self.client("sagemaker")
        answer = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution_arn)
        return {parameter["Name"]: parameter["Value"] for parameter in answer["PipelineParameters"]}
