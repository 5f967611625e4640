"""CloudTrail's report of a DeletePipeline call → the pipeline that was deleted, or why nothing follows from it.

The rule that delivers these events selects them too. Here it is checked again: what follows is a deletion, and other
services (CodePipeline among them) have a call of the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
EVENT_NAME = "DeletePipeline"


def deleted_pipeline(event: Event, home: Home) -> str | Kept:
    """The ARN of the pipeline that was deleted; or the reason why this deletes no pipeline of the stack's home.

    The ARN comes from the answer of the call. Where CloudTrail has none, it is made of what the request named, which
    according to the service model is a name; an ARN is read too.
    """
    pipeline = _pipeline(event, home)
    reason = _why_not(event, home, pipeline)
    return pipeline if reason is None else Kept(pipeline, reason)


def _why_not(event: Event, home: Home, pipeline: str) -> KeptReason | None:
    detail = event.detail
    call = (event.source, event.detail_type, detail.get("eventSource"), detail.get("eventName"))
    if call != (SOURCE, DETAIL_TYPE, EVENT_SOURCE, EVENT_NAME):
        return "not-delete-pipeline"
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
