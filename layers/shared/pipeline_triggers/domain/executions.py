"""What starts an execution: the request, its client request token, its display name and description."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Limits of StartPipelineExecution, from the service model (botocore, sagemaker 2017-07-24).
MAX_DISPLAY_NAME = 82
MAX_DESCRIPTION = 3072
TOKEN_SUFFIX = 12

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}|aws):"
    r"pipeline/(?P<name>[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,255})",
)
_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,255}")


@dataclass(frozen=True, slots=True)
class Home:
    """Where this stack lives: its pipelines are those that are named without an ARN."""

    partition: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class PipelineRef:
    """A pipeline as a trigger names it: by name (of this account and Region) or by ARN, perhaps of one version."""

    name: str
    arn: str | None = None
    version_id: int | None = None

    @classmethod
    def parse(cls, text: str, version_id: int | None = None) -> PipelineRef:
        """Read a name or an ARN. Raises InvalidInputError with the rule of SageMaker that was broken."""
        if match := _ARN.fullmatch(text):
            return cls(match["name"], text, version_id)
        if _NAME.fullmatch(text):
            return cls(text, None, version_id)
        raise InvalidInputError(
            [
                Problem(
                    field="pipeline",
                    reason=f"{text!r} is neither the name nor the ARN of a pipeline",
                    remedy="Names have 1 to 256 letters, digits and hyphens and begin and end with no hyphen",
                ),
            ],
        )

    def arn_in(self, home: Home) -> str:
        """The ARN, completed with account and Region of the stack. The name keeps its case (AWS's ARNs may not)."""
        return self.arn or f"arn:{home.partition}:sagemaker:{home.region}:{home.account}:pipeline/{self.name}"

    def key_in(self, home: Home) -> tuple[str, int | None]:
        """What pipelines and their versions are told apart by, whether they are named by name or by ARN."""
        return self.arn_in(home).casefold(), self.version_id

    def means(self, arn: str) -> bool:
        """Whether it is the pipeline with this ARN, which is one of the stack's home, as a name without an ARN is."""
        if self.arn is not None:
            return self.arn.casefold() == arn.casefold()
        return arn.casefold().endswith(f":pipeline/{self.name}".casefold())

    def __str__(self) -> str:
        return self.arn or self.name


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One call of StartPipelineExecution, complete: repeated byte for byte when its outcome is unknown."""

    pipeline_arn: str
    parameters: Mapping[str, str]
    token: str
    display_name: str
    description: str
    version_id: int | None = None
    parallelism: int | None = None
    role_arn: str | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "pipeline_arn": self.pipeline_arn,
            "parameters": dict(self.parameters),
            "token": self.token,
            "display_name": self.display_name,
            "description": self.description,
            "version_id": self.version_id,
            "parallelism": self.parallelism,
            "role_arn": self.role_arn,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StartRequest:
        """Read the stored form back."""
        return cls(**document)

    @property
    def parameters_hash(self) -> str:
        """Tells whether two requests for one token carry the same parameters."""
        return hashlib.sha256(canonical(dict(self.parameters)).encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON in one spelling only: sorted keys, no spaces, ASCII (so that even lone surrogates can be encoded)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def one_line(text: str) -> str:
    """Text as the description of an execution takes it: blanks stand for what cannot be printed."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def token_of(trigger: str, target_id: str, pipeline_arn: str, occurrence: str) -> str:
    """The client request token: 64 hex digits that depend on who starts what for which occurrence.

    Parameters are not in it: a retry after a change of configuration must not start a second execution.
    """
    parts = ["v1", trigger, target_id, pipeline_arn.casefold(), occurrence]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def display_name_of(prefix: str, token: str) -> str:
    """A display name that SageMaker accepts and that ends in 12 hex digits of the token, by which it is found again."""
    words = re.sub(r"[^a-zA-Z0-9]+", "-", prefix).strip("-")
    room = MAX_DISPLAY_NAME - TOKEN_SUFFIX - 1
    words = words[:room].rstrip("-")
    return f"{words or 'trigger'}-{token[:TOKEN_SUFFIX]}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who caused an execution: shown in its description."""

    trigger: str
    target: str
    event_id: str
    source: str
    detail_type: str
    token: str
    note: str = field(default="")

    def to_description(self) -> str:
        """One line, at most 3,072 characters; the full token is always in it."""
        told = f"{self.note} | " if self.note else ""
        event = f"event {self.event_id} ({self.source}: {self.detail_type})"
        caused = f"trigger {self.trigger}, target {self.target}, {event}"
        tail = f" | token {self.token}"
        return one_line(f"{told}{caused}")[: MAX_DESCRIPTION - len(tail)] + tail


@dataclass(frozen=True, slots=True)
class Execution:
    """How an execution of a pipeline stands.

    ``status`` is SageMaker's: Executing, Stopping, Stopped, Failed or Succeeded. Times are aware, None where SageMaker
    does not tell them; ``changed_at`` is when one that has ended did so.
    """

    arn: str
    status: str
    started_at: datetime | None = None
    changed_at: datetime | None = None
    failure_reason: str = ""
