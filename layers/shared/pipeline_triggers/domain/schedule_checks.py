"""What would be wrong with a schedule before it is written: times that never come, parameters that a pipeline refuses.

The fields of problems are those of a schedule as people write it, such as ``end`` or ``parameters.Rows``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.definitions import check
from pipeline_triggers.domain.parameters import Resolved
from pipeline_triggers.domain.schedule_plans import ATTEMPT_NUMBER, CONTEXT_ATTRIBUTES, expression_of
from pipeline_triggers.errors import InvalidScheduleError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.domain.definitions import Definition, Refusal
    from pipeline_triggers.domain.schedules import ScheduleExpression

# What of a schedule decides whether it fires again, beside its start date: that one moves on by itself.
_DECISIVE = ("ScheduleExpression", "ScheduleExpressionTimezone", "EndDate")


def time_problems(request: Mapping[str, Any], existing: Mapping[str, Any] | None, now: datetime) -> list[Problem]:
    """Say why a schedule would never fire again once a request is sent; empty when it would.

    A change (of ``existing``) that leaves expression and end as they are is judged only when it enables the schedule:
    one that is over may still be described, or disabled.
    """
    if existing is not None and not _decides_anew(request, existing):
        return []
    try:
        when = expression_of(request)
    except InvalidScheduleError as error:
        return [Problem(error.field, error.reason)]
    start, end = (None, None) if when.kind == "at" else (_time(request, "StartDate"), _time(request, "EndDate"))
    if end is not None and end <= now:
        return [Problem("end", f"{end.isoformat()} has passed", "Give a later one, or none")]
    if start is not None and end is not None and end <= start:
        return [Problem("end", f"{end.isoformat()} is not after start, {start.isoformat()}")]
    fires = when.next_times(now, 1, start=start, end=end)
    return [] if fires else [Problem("schedule_expression", _never(when, end), "Give a time to come")]


def _never(when: ScheduleExpression, end: datetime | None) -> str:
    said = f"{when.text} in {when.timezone}"
    if when.kind == "at":
        return f"{said} has passed, or is a time that the clocks there skip"
    return f"{said} never fires again{f' until {end.isoformat()}' if end else ''}"


def is_over(request: Mapping[str, Any], now: datetime) -> bool:
    """Whether the one time of a schedule, or its end, has passed."""
    when, end = expression_of(request), _time(request, "EndDate")
    if when.kind == "at":
        return not when.next_times(now, 1)
    return end is not None and end <= now


def is_one_time(request: Mapping[str, Any]) -> bool:
    """Whether a schedule fires once, at a date and time."""
    return str(request["ScheduleExpression"]).startswith("at(")


def parameter_problems(parameters: Mapping[str, str], definition: Definition) -> list[Problem]:
    """Say which parameters of a schedule the pipeline would refuse.

    What EventBridge Scheduler fills in is text of which nothing is known, but for the number of an attempt.
    """
    sent = [Resolved(name, "static", text, text, text) for name, text in parameters.items()]
    return [
        Problem(f"parameters.{refusal.parameter}", refusal.said, refusal.remedy)
        for refusal in check(sent, definition)
        if not _is_filled_in(refusal, parameters.get(refusal.parameter, ""), definition)
    ]


def _is_filled_in(refusal: Refusal, text: str, definition: Definition) -> bool:
    """Whether a refusal judges the name of a context attribute instead of what will stand there."""
    if refusal.reason == "not-in-enum":
        return any(attribute in text for attribute in CONTEXT_ATTRIBUTES)
    if refusal.reason == "wrong-type":
        return text == ATTEMPT_NUMBER and definition.parameters[refusal.parameter].type in ("Integer", "Float")
    return False


def _decides_anew(request: Mapping[str, Any], existing: Mapping[str, Any]) -> bool:
    enabled = request.get("State", "ENABLED") == "ENABLED" and existing.get("State", "ENABLED") != "ENABLED"
    return enabled or any(a != b for a, b in zip(_decisive(request), _decisive(existing), strict=True))


def _decisive(document: Mapping[str, Any]) -> Iterator[object]:
    for key in _DECISIVE:
        value = document.get(key) or ("UTC" if key == "ScheduleExpressionTimezone" else None)
        yield datetime.fromisoformat(value) if value and key == "EndDate" else value


def _time(document: Mapping[str, Any], key: str) -> datetime | None:
    return datetime.fromisoformat(document[key]) if document.get(key) else None
