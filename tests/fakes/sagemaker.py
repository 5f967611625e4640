"""SageMaker's API of pipelines in memory, below the adapter: with and without regard for the case of letters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.fakes.pipelines import HOME

if TYPE_CHECKING:
    from pipeline_triggers.domain.executions import Home


@dataclass
class FakeSageMaker:
    """A client with as much as clean-ups call; pipelines exist once they are created.

    AWS does not say whether DescribePipeline heeds the case of an ARN, nor whether all ARNs are lower-cased: both can
    be chosen. In any case two names that differ in their case only are one pipeline's. ``unlisted`` are pipelines that
    exist and that the list does not have yet; ``errors`` are codes that the next calls are refused with.
    """

    heeds_case: bool = False
    lowers_arns: bool = True
    page_size: int = 2
    home: Home = HOME
    names: dict[str, str] = field(default_factory=dict)
    deleting: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def create(self, name: str) -> str:
        """Make a pipeline; returns its ARN."""
        self.names[name.casefold()] = name
        return self.arn(name)

    def delete(self, name: str) -> str:
        """Delete a pipeline; returns the ARN that it had."""
        arn = self.arn(self.names.pop(name.casefold()))
        self.deleting.discard(name.casefold())
        self.unlisted.discard(name.casefold())
        return arn

    def exists(self, arn: str) -> bool:
        """The truth, whatever the API says."""
        return arn.rpartition("/")[2].casefold() in self.names

    def arn(self, name: str) -> str:
        """The ARN of a pipeline of this name."""
        written = name.lower() if self.lowers_arns else name
        return f"arn:{self.home.partition}:sagemaker:{self.home.region}:{self.home.account}:pipeline/{written}"

    # The client

    def sagemaker(self, region: str) -> FakeSageMaker:
        """Itself: what the adapter asks ``Clients`` for."""
        assert region == self.home.region
        return self

    def describe_pipeline(self, *, PipelineName: str) -> dict[str, Any]:  # noqa: N803 - the API's word
        """By ARN."""
        self._fail("DescribePipeline")
        asked = PipelineName.rpartition("/")[2]
        name = self.names.get(asked.casefold())
        arn = self.arn(name or "")
        if name is None or (self.heeds_case and arn != PipelineName):
            raise _error("ResourceNotFound", "DescribePipeline")
        status = "Deleting" if name.casefold() in self.deleting else "Active"
        return {"PipelineArn": arn, "PipelineName": name, "PipelineStatus": status}

    def list_pipelines(self, *, MaxResults: int, NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """In the order of names; tokens are the last name of a page."""
        self._fail("ListPipelines")
        waiting = sorted(key for key in self.names if key > NextToken and key not in self.unlisted)
        page = {"PipelineSummaries": [{"PipelineArn": self.arn(self.names[key])} for key in waiting[: self.page_size]]}
        more = {"NextToken": waiting[self.page_size - 1]} if len(waiting) > self.page_size else {}
        return {**page, **more}

    def _fail(self, operation: str) -> None:
        if self.errors:
            raise _error(self.errors.pop(0), operation)


def _error(code: str, operation: str) -> ClientError:
    status = 500 if code.startswith("Internal") else 400
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)
