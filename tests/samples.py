"""Decisions, requests and triggers that tests of several rooms begin from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.decisions import Decision
from pipeline_triggers.domain.executions import (
    PipelineRef,
    Provenance,
    StartRequest,
    canonical,
    display_name_of,
    token_of,
)
from pipeline_triggers.domain.parameters import Parameter, Resolved
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.templates import Literal
from pipeline_triggers.domain.triggers import Target, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ROOT = Path(__file__).parents[1]
PIPELINE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"


def triggers_on_events() -> str:
    """The demo's trigger file without its schedules, which only a deployed stack can have."""
    text = (ROOT / "triggers.yaml").read_text(encoding="utf-8")
    before, schedules, after = text.partition("  # A time comes, and EventBridge Scheduler itself")
    assert schedules, "triggers.yaml has its schedules elsewhere now"
    return before + after[after.index("  # SHADOW decides") :]


def request(
    *,
    trigger: str = "on-upload",
    occurrence: str = '["aws.s3","Object Created","raw-data","in/1.csv","0055"]',
    pipeline_arn: str = PIPELINE_ARN,
    parameters: Mapping[str, str] | None = None,
) -> StartRequest:
    """A start as ``decide`` makes it."""
    token = token_of(trigger, "churn-train", pipeline_arn, occurrence)
    told = Provenance(trigger, "churn-train", "event-1", "aws.s3", "Object Created", token)
    return StartRequest(
        pipeline_arn=pipeline_arn,
        parameters={"InputKey": "in/1.csv"} if parameters is None else parameters,
        token=token,
        display_name=display_name_of(trigger, token),
        description=told.to_description(),
    )


def start(
    *,
    trigger: str = "on-upload",
    event_id: str = "event-1",
    key: str = "in/1.csv",
    parameters: Mapping[str, str] | None = None,
) -> Decision:
    """A decision to start ``churn-train`` because of one S3 object."""
    occurrence = canonical(["aws.s3", "Object Created", "raw-data", key, "0055"])
    values = {"InputKey": key} if parameters is None else parameters
    made = request(trigger=trigger, occurrence=occurrence, parameters=values)
    return Decision(
        event_id=event_id,
        occurrence=occurrence,
        outcome="start",
        trigger=trigger,
        target="churn-train",
        pipeline_arn=made.pipeline_arn,
        parameters=tuple(Resolved(name, "dynamic", "$.x", raw=text, value=text) for name, text in values.items()),
        request=made,
        token=made.token,
        revision=7,
    )


def rejected(reason: str = "missing-parameter", *, event_id: str = "event-1", trigger: str = "on-upload") -> Decision:
    """A decision that was refused before the start."""
    return replace(
        start(trigger=trigger, event_id=event_id),
        outcome="rejected",
        reason=reason,
        message="the path finds nothing",
        request=None,
    )


def trigger(name: str = "on-upload", *, value: str = "ml.m5.large") -> Trigger:
    """A trigger for S3 uploads with one static parameter."""
    return Trigger(
        name=name,
        pattern=EventPattern({"source": ["aws.s3"], "detail-type": ["Object Created"]}),
        targets=(
            Target(
                id="churn-train",
                pipeline=PipelineRef.parse("churn-train"),
                parameters=(Parameter("Instance_type", Literal(value)),),
            ),
        ),
    )


def sqs_batch(*bodies: str, queue_arn: str, now: datetime, receipts: tuple[int, ...] = ()) -> dict[str, Any]:
    """An SQS event as Lambda hands it in: messages m0, m1 … that were sent and first received just ``now``."""
    at = str(int(now.timestamp() * 1000))
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receipts[number] if receipts else 1),
                    "SentTimestamp": at,
                    "ApproximateFirstReceiveTimestamp": at,
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ],
    }
