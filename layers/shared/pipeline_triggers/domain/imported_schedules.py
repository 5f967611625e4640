"""Schedules of EventBridge Scheduler as triggers: the same times, the same pipeline, the same parameters.

A schedule that starts a pipeline by Scheduler's own target becomes a trigger that lets Scheduler do so. One that uses
the universal target becomes the same where it gives no more than parameters; else it goes through this application
(``via: app``), which knows display names, descriptions and versions. What a trigger cannot say is refused, so that no
trigger starts something else than the schedule did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.domain.originals import RETRY_ATTEMPTS, RETRY_SECONDS, dead_letter_arn, pipeline_parameters
from pipeline_triggers.domain.schedule_checks import is_over
from pipeline_triggers.domain.schedule_plans import ATTEMPT_NUMBER, SCHEDULE_ARN, SCHEDULED_TIME, is_universal, zone_of
from pipeline_triggers.domain.templates import embeds_path, is_path
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidInputError, InvalidTriggerError, Problem

if TYPE_CHECKING:
    from pipeline_triggers.domain.executions import Home

# The keys of StartPipelineExecution that the input of a universal target may have here.
_PARAMETERS_ONLY = frozenset({"PipelineName", "PipelineParameters", "ClientRequestToken"})
_KNOWN = _PARAMETERS_ONLY | {
    "PipelineExecutionDisplayName",
    "PipelineExecutionDescription",
    "ParallelismConfiguration",
    "PipelineVersionId",
}
# What Scheduler fills in, and where a trigger that goes through this application finds the same.
_IN_THE_EVENT = {SCHEDULED_TIME: "$.detail.scheduled_time", SCHEDULE_ARN: "$.detail.schedule_arn"}


def trigger_of_schedule(document: Mapping[str, Any], home: Home, now: datetime, *, name: str, set: str) -> Trigger:  # noqa: A002 - the word of trigger files
    """The trigger that does what a schedule does, which is told as GetSchedule answers it.

    Raises InvalidTriggerError for what a trigger cannot say, and for a schedule that will never start anything again.
    """
    target = document["Target"]
    request = json_object(target.get("Input")) if is_universal(str(target["Arn"])) else {}
    goes_through = bool(request.keys() - _PARAMETERS_ONLY)
    _refuse_unknown(request)
    window = document.get("FlexibleTimeWindow") or {}
    written: dict[str, Any] = {
        "name": name,
        "description": document.get("Description") or None,
        "state": "DISABLED" if document.get("State") == "DISABLED" else None,
        "schedule_expression": document["ScheduleExpression"],
        "timezone": None if zone_of(document) == "UTC" else zone_of(document),
        "start": _start(document, now),
        "end": document.get("EndDate"),
        "via": "app" if goes_through else None,
        "flexible_minutes": window.get("MaximumWindowInMinutes") if window.get("Mode") == "FLEXIBLE" else None,
        "delete_after_run": document.get("ActionAfterCompletion") == "DELETE" or None,
        "kms_key_arn": document.get("KmsKeyArn"),
        **({} if goes_through else _delivery(target)),
        "targets": [_target(target, request, home, goes_through=goes_through)],
    }
    trigger = Trigger.from_document({key: value for key, value in written.items() if value is not None}, set=set)
    if is_over(document, now):
        said = f"{document['ScheduleExpression']} is over: it starts nothing any more"
        raise InvalidTriggerError([Problem("schedule_expression", said, "Delete the schedule")])
    return trigger


def pipeline_of(target: Mapping[str, Any], home: Home) -> str:
    """The pipeline that a schedule's target starts: its name when it is of this account and Region, else its ARN.

    Empty when the input of a universal target names none.
    """
    named = str(target["Arn"])
    if is_universal(named):
        named = str(json_object(target.get("Input")).get("PipelineName") or "")
    return short_pipeline(named, home)


def short_pipeline(named: str, home: Home) -> str:
    """A pipeline by its name when it is of this account and Region, else as it was named."""
    try:
        ref = PipelineRef.parse(named)
    except InvalidInputError:
        return named
    return ref.name if PipelineRef(ref.name).arn_in(home) == ref.arn else named


def _refuse_unknown(request: Mapping[str, Any]) -> None:
    """Refuse what a trigger cannot ask SageMaker for."""
    unknown = sorted(request.keys() - _KNOWN)
    if unknown:
        said = f"{', '.join(unknown)}: a trigger cannot ask SageMaker for this"
        raise InvalidTriggerError([Problem("Target.Input", said, "Keep this schedule as it is")])


def _target(target: Mapping[str, Any], request: Mapping[str, Any], home: Home, *, goes_through: bool) -> dict[str, Any]:
    parallelism = request.get("ParallelismConfiguration") or {}
    written = {
        "pipeline": pipeline_of(target, home),
        "version_id": request.get("PipelineVersionId"),
        "parameters": {
            name: _in_the_event(name, value) if goes_through else _literal(value)
            for name, value in pipeline_parameters(target).items()
        },
        "display_name": request.get("PipelineExecutionDisplayName"),
        "description": request.get("PipelineExecutionDescription"),
        "parallelism": parallelism.get("MaxParallelExecutionSteps")
        if isinstance(parallelism, Mapping)
        else parallelism,
    }
    return {key: value for key, value in written.items() if value is not None}


def _literal(value: str) -> str | dict[str, str]:
    """A value that is sent as it is."""
    return {"literal": value} if is_path(value) or embeds_path(value) else value


def _in_the_event(name: str, value: str) -> str | dict[str, str]:
    """A value with what Scheduler fills in read out of the event that tells this application the same."""
    if value in _IN_THE_EVENT:
        return _IN_THE_EVENT[value]
    words = [word for word in re.findall(r"<aws\.scheduler\.[^>]*>", value) if word not in _IN_THE_EVENT]
    if ATTEMPT_NUMBER in words or "<aws.scheduler.execution-id>" in words:
        said = f"{words[0]} is not known to a trigger that goes through this application"
        raise InvalidTriggerError([Problem(f"parameters.{name}", said, "Keep this schedule as it is")])
    if not any(word in value for word in _IN_THE_EVENT):
        return _literal(value)
    # What looks like a path in it was sent as it was: in a template it is written with a backslash.
    text = value.replace("<$", "\\<$")
    for word, path in _IN_THE_EVENT.items():
        text = text.replace(word, f"<{path}>")
    return text


def _start(document: Mapping[str, Any], now: datetime) -> str | None:
    """The start date: one that has passed matters to a rate only, which counts from it."""
    start = document.get("StartDate")
    if start is None or str(document["ScheduleExpression"]).startswith("at("):
        return None
    moment = datetime.fromisoformat(start).replace(microsecond=0)
    is_rate = str(document["ScheduleExpression"]).startswith("rate(")
    return moment.isoformat() if is_rate or moment > now else None


def _delivery(target: Mapping[str, Any]) -> dict[str, Any]:
    """The dead-letter queue and the retries that somebody has chosen; the stack has its own where nobody did."""
    policy = target.get("RetryPolicy") or {}
    age, attempts = policy.get("MaximumEventAgeInSeconds"), policy.get("MaximumRetryAttempts")
    return {
        "dead_letter_arn": dead_letter_arn(target) or None,
        "max_age_seconds": None if age == RETRY_SECONDS else age,
        "max_attempts": None if attempts == RETRY_ATTEMPTS else attempts,
    }
