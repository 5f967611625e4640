"""SageMaker Pipelines in memory: honours client request tokens, and can be told to forget them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.domain.definitions import Definition
from pipeline_triggers.domain.executions import TOKEN_SUFFIX, Home, PipelineRef, StartRequest
from pipeline_triggers.domain.executions import Execution as PortExecution
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

HOME = Home("aws", "123456789012", "us-east-1")
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Execution:
    """One execution that was started."""

    arn: str
    request: StartRequest
    created_at: datetime


@dataclass
class FakePipelines(Recording):
    """The ports ``Pipelines``, ``PipelineNames`` and ``Executions``. Pipelines exist once they are added.

    ``executions`` are in the order of their start; ``ended`` is how those stand that do not run any more, by ARN. As
    SageMaker does, it keeps what each version declares, and describes the latest unless a version is named. It has no
    cache: every call of ``describe`` is one of SageMaker's.
    """

    home: Home = HOME
    clock: FakeClock = field(default_factory=FakeClock)
    executions: list[Execution] = field(default_factory=list)
    ended: dict[str, PortExecution] = field(default_factory=dict)
    _definitions: dict[str, Definition] = field(default_factory=dict)
    _versions: dict[tuple[str, int | None], Definition] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _deleting: set[str] = field(default_factory=set)

    def add(self, pipeline: str, definition: Definition | None = None, *, version: int | None = None) -> str:
        """Create a pipeline by name or ARN, or change its definition, as a version with a number; returns its ARN."""
        ref = PipelineRef.parse(pipeline, version)
        arn = ref.arn_in(self.home)
        self._definitions[arn.casefold()] = definition or Definition({})
        self._names[arn.casefold()] = ref.name
        if version is not None:
            self._versions[ref.key_in(self.home)] = self._definitions[arn.casefold()]
        return arn

    def remove(self, pipeline: str) -> None:
        """Delete a pipeline."""
        del self._definitions[PipelineRef.parse(pipeline).arn_in(self.home).casefold()]

    def begin_deleting(self, pipeline: str) -> None:
        """Leave a pipeline in the status Deleting, until it is removed."""
        self._deleting.add(PipelineRef.parse(pipeline).arn_in(self.home).casefold())

    def forget_tokens(self) -> None:
        """Let the service forget all client request tokens: AWS does not say how long it remembers them."""
        self._tokens.clear()

    @property
    def started(self) -> list[StartRequest]:
        """The requests that made an execution."""
        return [execution.request for execution in self.executions]

    def describe(self, ref: PipelineRef, *, role_arn: str | None = None, fresh: bool = False) -> Definition:
        """The definition that was added last, or as the version that is named."""
        with self.call("describe", ref=ref, role_arn=role_arn, fresh=fresh):
            latest = self._definition(ref.arn_in(self.home))
            if ref.arn_in(self.home).casefold() in self._deleting:
                raise TransientError("pipeline-deleting", f"the pipeline {ref} is being deleted")
            if ref.version_id is None:
                return latest
            if (version := self._versions.get(ref.key_in(self.home))) is None:
                raise TransientError("not-found-yet", f"the pipeline {ref} has no version {ref.version_id}")
            return version

    def start(self, request: StartRequest) -> str:
        """One execution for each token."""
        with self.call("start", request=request):
            self._definition(request.pipeline_arn)
            if request.token not in self._tokens:
                arn = f"{request.pipeline_arn}/execution/{len(self.executions) + 1:012d}"
                self.executions.append(Execution(arn, request, self.clock.now()))
                self._tokens[request.token] = arn
            return self._tokens[request.token]

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """By the end of the display name, then by that of the description."""
        with self.call("find", request=request, since=since, until=until):
            self._definition(request.pipeline_arn)
            for execution in self.executions:
                same = execution.request.pipeline_arn == request.pipeline_arn
                named = execution.request.display_name.endswith(f"-{request.token[:TOKEN_SUFFIX]}")
                told = execution.request.description.endswith(request.token)
                if same and named and told and since - MARGIN <= execution.created_at <= until + MARGIN:
                    return execution.arn
            return None

    def execution(self, arn: str, *, role_arn: str | None = None) -> PortExecution:
        """Whatever was started here goes on, unless a test says how it ended."""
        with self.call("execution", arn=arn, role_arn=role_arn):
            for execution in self.executions:
                if execution.arn == arn:
                    running = PortExecution(arn, "Executing", execution.created_at, execution.created_at)
                    return self.ended.get(arn, running)
            raise TransientError("not-found-yet", f"there is no execution {arn}")

    def listed(self) -> Iterator[str]:
        """In the order in which they were made, lower-cased as SageMaker does it."""
        with self.call("listed"):
            return iter(list(self._definitions))

    def name_of(self, arn: str) -> str | None:
        """As it was added, by ARN in whatever case."""
        with self.call("name_of", arn=arn):
            return self._names[arn.casefold()] if arn.casefold() in self._definitions else None

    def absent(self, arn: str) -> bool:
        """By ARN, whatever its case."""
        with self.call("absent", arn=arn):
            key = arn.casefold()
            if key in self._definitions and key in self._deleting:
                raise TransientError("pipeline-deleting", f"the pipeline {arn} is being deleted")
            return key not in self._definitions

    def _definition(self, arn: str) -> Definition:
        definition = self._definitions.get(arn.casefold())
        if definition is None:
            raise TransientError("not-found-yet", f"there is no pipeline {arn}")
        return definition
