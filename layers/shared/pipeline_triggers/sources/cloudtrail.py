"""CloudTrail's report of a call about a pipeline → which pipeline was made, updated or deleted, or why nothing follows.

The rules that deliver these events select them too. Here it is checked again: what follows may be a deletion, and other
services (CodePipeline among them) have calls of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pipeline_triggers.domain.events import lookup
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.orphans import Kept, KeptReason, pipeline_at_home
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from pipeline_triggers.domain.events import Event
    from pipeline_triggers.domain.executions import Home

# What the event is, in its envelope and in CloudTrail's record.
SOURCE = "aws.sagemaker"
DETAIL_TYPE = "AWS API Call via CloudTrail"
EVENT_SOURCE = "sagemaker.amazonaws.com"

Operation = Literal["CreatePipeline", "UpdatePipeline", "DeletePipeline"]


@dataclass(frozen=True, slots=True)
class PipelineCall:
    """A call that succeeded, about a pipeline of the stack's home, by its ARN."""

    operation: Operation
    pipeline_arn: str


def pipeline_call(event: Event, home: Home) -> PipelineCall | Kept:
    """What was done to which pipeline; or the reason why this tells of no pipeline of the stack's home.

    The ARN comes from the answer of the call. Where CloudTrail has none, it is made of what the request named, which
    according to the service model is a name; an ARN is read too.
    """
    pipeline = _pipeline(event, home)
    operation = _operation(event)
    if operation is None:
        return Kept(pipeline, "other-event")
    reason = _why_not(event, home, pipeline)
    return PipelineCall(operation, pipeline) if reason is None else Kept(pipeline, reason)


def _operation(event: Event) -> Operation | None:
    detail = event.detail
    if (event.source, event.detail_type, detail.get("eventSource")) != (SOURCE, DETAIL_TYPE, EVENT_SOURCE):
        return None
    return next((operation for operation in get_args(Operation) if operation == detail.get("eventName")), None)


def _why_not(event: Event, home: Home, pipeline: str) -> KeptReason | None:
    detail = event.detail
    if detail.get("errorCode") is not None or detail.get("errorMessage") is not None:
        return "call-failed"
    if not event.account == (detail.get("recipientAccountId") or event.account) == home.account:
        return "other-account"
    if not event.region == (detail.get("awsRegion") or event.region) == home.region:
        return "other-region"
    if not pipeline:
        return "no-pipeline-named"
    return None if pipeline_at_home(pipeline, home) else "not-at-home"


def _pipeline(event: Event, home: Home) -> str:
    """The ARN as far as the event says it; a name counts as one of the stack's home. Empty when it says none."""
    for names in (("responseElements", "pipelineArn"), ("requestParameters", "pipelineName")):
        named = lookup(event.detail, *names)
        if isinstance(named, str):
            try:
                return PipelineRef.parse(named).arn_in(home)
            except InvalidInputError:
                continue
    return ""
