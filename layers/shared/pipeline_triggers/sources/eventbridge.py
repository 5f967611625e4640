"""EventBridge events, which pass as they are, and three relatives that are completed to such.

The relatives are alarms that CloudWatch sends to a function directly, the "Scheduled Time" events of this
application's own schedules, and the "Sweep" events of its own rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline_triggers.domain.events import (
    INTERNAL_SOURCE,
    SCHEDULED_TIME_EVENT,
    Event,
    Via,
    derived_id,
    lookup,
)
from pipeline_triggers.errors import MalformedEventError

SWEEP = "Sweep"

_FIELDS = ("id", "source", "detail-type", "account", "region")
_SCHEDULE_ARN = re.compile(
    r"arn:aws[a-z-]*:scheduler:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):schedule/[^/\s]+/[^/\s]+"
)


def resembles_event(document: Mapping[str, Any]) -> bool:
    """Whether this means to be an EventBridge event, complete or not."""
    return "detail-type" in document and "source" in document


def is_event(document: Mapping[str, Any]) -> bool:
    """Whether this is a complete EventBridge event."""
    return all(isinstance(document.get(name), str) for name in _FIELDS) and isinstance(document.get("detail"), Mapping)


def event_of(document: Mapping[str, Any], via: tuple[Via, ...] = ()) -> Event:
    """The event, nothing changed (S3 keys of EventBridge are not encoded and so not decoded).

    A "Scheduled Time" event comes from the input of a schedule, where only what EventBridge Scheduler knows can be
    filled in: ``{"source": "pipeline-triggers", "detail-type": "Scheduled Time", "detail": {"trigger": …,
    "schedule_arn": …, "scheduled_time": …}}``; what its envelope lacks is derived from these. A "Sweep" event needs no
    more than source and detail-type. Raises MalformedEventError.
    """
    if is_sweep(document):
        empty = {"version": "0", "id": derived_id(document), "account": "", "region": "", "resources": []}
        return Event.from_envelope({**empty, **document}, via)
    if document.get("source") == INTERNAL_SOURCE and document.get("detail-type") == SCHEDULED_TIME_EVENT:
        return Event.from_envelope({**_envelope_of_schedule(document), **document}, via)
    return Event.from_envelope(document, via)


def is_sweep(document: Mapping[str, Any]) -> bool:
    """Whether this asks for a sweep: the constant event that the stack's own scheduled rule sends."""
    return document.get("source") == INTERNAL_SOURCE and document.get("detail-type") == SWEEP


def _envelope_of_schedule(document: Mapping[str, Any]) -> dict[str, Any]:
    arn, time = lookup(document, "detail", "schedule_arn"), lookup(document, "detail", "scheduled_time")
    match = _SCHEDULE_ARN.fullmatch(arn) if isinstance(arn, str) else None
    said = f"a {SCHEDULED_TIME_EVENT} event whose detail"
    if match is None:
        raise MalformedEventError(f"{said}.schedule_arn is not the ARN of a schedule")
    if not isinstance(time, str) or not time:
        raise MalformedEventError(f"{said}.scheduled_time is missing, empty or no text")
    return {
        "version": "0",
        "id": derived_id([arn, time]),
        "account": match["account"],
        "time": time,
        "region": match["region"],
        "resources": [arn],
    }


def is_direct_alarm(document: Mapping[str, Any]) -> bool:
    """Whether CloudWatch called a function directly as an alarm's action: no detail-type, the alarm in alarmData."""
    return "alarmArn" in document and "alarmData" in document


def event_of_direct_alarm(document: Mapping[str, Any], via: tuple[Via, ...] = ()) -> Event:
    """The "CloudWatch Alarm State Change" that EventBridge reports for the same: alarmData is its detail.

    Raises MalformedEventError when alarmArn is no text or alarmData no object.
    """
    arn, data = document["alarmArn"], document["alarmData"]
    if not isinstance(arn, str) or not isinstance(data, Mapping):
        raise MalformedEventError("an alarm whose alarmArn is no text or whose alarmData is no object")
    envelope = {
        "version": "0",
        "id": derived_id(document),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": document.get("accountId"),
        "time": document.get("time"),
        "region": document.get("region"),
        "resources": [arn],
        "detail": data,
    }
    return Event.from_envelope(envelope, via)
