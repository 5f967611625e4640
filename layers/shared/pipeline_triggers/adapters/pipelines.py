"""SageMaker Pipelines: implements the ports ``Pipelines`` and ``Executions``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.definitions import Definition
from pipeline_triggers.domain.executions import TOKEN_SUFFIX, Execution, PipelineRef
from pipeline_triggers.errors import InvalidInputError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_sagemaker import SageMakerClient

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.domain.executions import Home, StartRequest
    from pipeline_triggers.domain.ports import Clock

CACHED_FOR = timedelta(minutes=5)
# The clocks of SageMaker and of this worker may differ by so much.
CLOCK_MARGIN = timedelta(seconds=60)
# The one error that DescribePipeline has for a pipeline that does not exist (service model of SageMaker).
MISSING = "ResourceNotFound"


@dataclass(frozen=True, slots=True)
class _Described:
    definition: Definition
    until: datetime


class SageMakerPipelines:
    """The pipelines that this account may start: its own, and others' by ARN."""

    def __init__(self, clients: Clients, home: Home, clock: Clock) -> None:
        self._clients = clients
        self._home = home
        self._clock = clock
        self._described: dict[tuple[str, int | None], _Described] = {}

    def describe(self, ref: PipelineRef, *, role_arn: str | None = None, fresh: bool = False) -> Definition:
        """The declared parameters of the pipeline or its version, from a cache of five minutes unless ``fresh``.

        The cache is the same for every ``role_arn``: who asks changes nothing about the answer. Raises
        TransientError("pipeline-deleting") while SageMaker deletes the pipeline, PermanentError for a definition that
        cannot be read.
        """
        arn = ref.arn_in(self._home)
        key = ref.key_in(self._home)
        held = self._described.get(key)
        now = self._clock.now()
        if held is not None and held.until > now and not fresh:
            return held.definition
        version = {"PipelineVersionId": ref.version_id} if ref.version_id is not None else {}
        with translated():
            client = self._client(arn, role_arn)
            answer = client.describe_pipeline(PipelineName=self._name(arn, role_arn), **version)
        if answer.get("PipelineStatus") == "Deleting":
            raise TransientError("pipeline-deleting", f"the pipeline {ref} is being deleted")
        definition = _definition(str(ref), answer.get("PipelineDefinition", ""))
        self._described[key] = _Described(definition, now + CACHED_FOR)
        return definition

    def start(self, request: StartRequest) -> str:
        """Start an execution and return its ARN. A TransientError with ``acted`` may have started it."""
        optional: dict[str, Any] = {}
        if request.version_id is not None:
            optional["PipelineVersionId"] = request.version_id
        if request.parallelism is not None:
            optional["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": request.parallelism}
        with readable():
            answer = self._client(request.pipeline_arn, request.role_arn).start_pipeline_execution(
                PipelineName=self._name(request.pipeline_arn, request.role_arn),
                PipelineExecutionDisplayName=request.display_name,
                PipelineExecutionDescription=request.description,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in request.parameters.items()],
                ClientRequestToken=request.token,
                **optional,
            )
            return answer["PipelineExecutionArn"]

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """The ARN of the execution that carries the request's token and was created from ``since`` to ``until``.

        Its display name ends in the beginning of the token, whatever it begins with; its description ends in the token.
        What stands before that may be out of an event, and so may be another's token.
        """
        ending = f"-{request.token[:TOKEN_SUFFIX]}"
        with readable():
            client = self._client(request.pipeline_arn, request.role_arn)
            for summary in self._executions(client, request, since - CLOCK_MARGIN, until + CLOCK_MARGIN):
                if not summary.get("PipelineExecutionDisplayName", "").endswith(ending):
                    continue
                arn: str = summary["PipelineExecutionArn"]
                execution = client.describe_pipeline_execution(PipelineExecutionArn=arn)
                if execution.get("PipelineExecutionDescription", "").endswith(request.token):
                    return arn
        return None

    def execution(self, arn: str, *, role_arn: str | None = None) -> Execution:
        """How an execution stands. TransientError("not-found-yet") when there is none."""
        with readable():
            client = self._client(arn, role_arn)
            answer: Mapping[str, Any] = client.describe_pipeline_execution(PipelineExecutionArn=arn)
            return Execution(
                arn=arn,
                status=answer["PipelineExecutionStatus"],
                started_at=answer.get("CreationTime"),
                changed_at=answer.get("LastModifiedTime"),
                failure_reason=answer.get("FailureReason", ""),
            )

    def absent(self, arn: str) -> bool:
        """Whether there is no such pipeline, for sure: not found by its ARN, and on no page of the list in any case.

        ``arn`` is of this account and Region. Whether DescribePipeline heeds the case of an ARN is not documented, so
        it is asked for the ARN as given and in lower case, as SageMaker writes ARNs. What it does not find is looked
        for in the list, which may lag behind, and what the list has is described as it stands there. Raises
        TransientError("pipeline-deleting") while SageMaker deletes it, TransientError("conflict") when the list has it
        and DescribePipeline still does not find it.
        """
        with readable():
            if any(self._is_described(spelling) for spelling in dict.fromkeys((arn, arn.lower()))):
                return False
            listed_arn = next((listed for listed in self.listed() if listed.casefold() == arn.casefold()), None)
            if listed_arn is None:
                return True
            if self._is_described(listed_arn):
                return False
        raise TransientError("conflict", f"SageMaker lists the pipeline {listed_arn} but does not find it")

    def name_of(self, arn: str) -> str | None:
        """The name of a pipeline of this account and Region, as it was given; None when SageMaker does not find it."""
        with readable():
            try:
                answer = self._clients.sagemaker(self._home.region).describe_pipeline(PipelineName=arn)
            except ClientError as error:
                if code_of(error) == MISSING:
                    return None
                raise
            return answer["PipelineName"]

    def _is_described(self, arn: str) -> bool:
        try:
            answer = self._clients.sagemaker(self._home.region).describe_pipeline(PipelineName=arn)
        except ClientError as error:
            if code_of(error) == MISSING:
                return False
            raise
        if answer.get("PipelineArn", "").casefold() != arn.casefold():
            raise TransientError("unavailable", f"SageMaker was asked for {arn} and described something else")
        if answer.get("PipelineStatus") == "Deleting":
            raise TransientError("pipeline-deleting", f"the pipeline {arn} is being deleted")
        return True

    def listed(self) -> Iterator[str]:
        """The ARNs of all pipelines of this account and Region, asked for page by page, as they are taken."""
        client = self._clients.sagemaker(self._home.region)
        page: dict[str, Any] = {}
        while True:
            with readable():
                answer: Mapping[str, Any] = client.list_pipelines(MaxResults=100, **page)
                arns = [str(summary["PipelineArn"]) for summary in answer["PipelineSummaries"]]
                token = answer.get("NextToken")
            yield from arns
            if not token:
                return
            if token == page.get("NextToken"):
                raise TransientError("unavailable", "a list of pipelines that repeats itself")
            page = {"NextToken": token}

    def _executions(
        self,
        client: SageMakerClient,
        request: StartRequest,
        created_after: datetime,
        created_before: datetime,
    ) -> Iterator[Mapping[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            answer = client.list_pipeline_executions(
                PipelineName=self._name(request.pipeline_arn, request.role_arn),
                CreatedAfter=created_after,
                CreatedBefore=created_before,
                SortBy="CreationTime",
                SortOrder="Ascending",
                MaxResults=100,
                **page,
            )
            yield from answer["PipelineExecutionSummaries"]
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}

    def _client(self, pipeline_arn: str, role_arn: str | None) -> SageMakerClient:
        """The client of the pipeline's Region, with the role's rights if there is one."""
        region = pipeline_arn.split(":")[3]
        return self._clients.assumed(role_arn, region) if role_arn else self._clients.sagemaker(region)

    def _name(self, pipeline_arn: str, role_arn: str | None) -> str:
        """How the pipeline is named to SageMaker: by its name where that can only mean this one, else by its ARN.

        A role of another account would look for the name there.
        """
        _, partition, _, region, account, _ = pipeline_arn.split(":", 5)
        at_home = (partition, account, region) == (self._home.partition, self._home.account, self._home.region)
        role_at_home = role_arn is None or role_arn.split(":")[4] == account
        return PipelineRef.parse(pipeline_arn).name if at_home and role_at_home else pipeline_arn


def _definition(pipeline: str, text: str) -> Definition:
    try:
        return Definition.parse(text)
    except InvalidInputError as error:
        told = f"the definition of the pipeline {pipeline} cannot be read: {error}"
        raise PermanentError("refused-by-sagemaker", told) from error
