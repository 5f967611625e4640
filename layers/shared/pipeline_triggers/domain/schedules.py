"""Schedule expressions: the shapes of ``at(…)``, ``rate(…)`` and ``cron(…)``, and the times and zones around them.

The rules are those of EventBridge Scheduler (schedule-types in its user guide; service model scheduler 2021-06-30).
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline_triggers.errors import InvalidScheduleError

MAX_EXPRESSION = 256
MAX_TIMEZONE = 50

_CALL = re.compile(r"(?P<kind>at|rate|cron)\((?P<inside>.*)\)")
_RATE = re.compile(r"(?P<value>[1-9][0-9]*) (?P<unit>minutes?|hours?|days?)")
_CRON_FIELDS = ("minutes", "hours", "day of month", "month", "day of week", "year")
_CRON_FIELD = re.compile(r"[0-9A-Z,*/?#-]+", re.IGNORECASE)


def check_expression(text: str) -> None:
    """Raise InvalidScheduleError (field ``schedule_expression``) when the text has not the shape of an expression."""
    call = _CALL.fullmatch(text) if len(text) <= MAX_EXPRESSION else None
    if call is None:
        raise _refused("is no at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 3 * * ? *)")
    match call["kind"]:
        case "at":
            _check_at(call["inside"])
        case "rate":
            _check_rate(call["inside"])
        case _:
            _check_cron(call["inside"])


def _check_at(inside: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inside, re.ASCII):
        raise _refused(f"at({inside}) is not at(yyyy-mm-ddThh:mm:ss): the time zone goes into timezone")
    try:
        datetime.fromisoformat(inside)
    except ValueError as error:
        raise _refused(f"at({inside}) is no date and time: {error}") from error


def _check_rate(inside: str) -> None:
    if _RATE.fullmatch(inside):
        return
    if "week" in inside:
        raise _refused(f"rate({inside}): weeks are no unit of AWS; one week is rate(7 days)")
    raise _refused(f"rate({inside}) is not a positive integer and minutes, hours or days, such as rate(5 minutes)")


def _check_cron(inside: str) -> None:
    fields = inside.split(" ")
    if len(fields) != len(_CRON_FIELDS):
        wanted = ", ".join(_CRON_FIELDS)
        raise _refused(f"cron({inside}) has {len(fields)} fields, not the six of AWS: {wanted}")
    for name, field in zip(_CRON_FIELDS, fields, strict=True):
        if not _CRON_FIELD.fullmatch(field):
            raise _refused(f"cron({inside}): {field!r} cannot be the field {name}")
    if [fields[2], fields[4]].count("?") != 1:
        raise _refused(f"cron({inside}): exactly one of day of month and day of week must be '?'")


def check_timezone(name: str) -> None:
    """Raise InvalidScheduleError (field ``timezone``) when the name is no IANA time zone that this system knows."""
    try:
        known = len(name) <= MAX_TIMEZONE and ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        known = False
    if not known:
        raise InvalidScheduleError("timezone", f"{name!r} is no IANA time zone, such as Europe/Berlin or UTC")


def parse_time(text: str, field: str) -> datetime:
    """Read an ISO 8601 date and time with its offset from UTC. Raises InvalidScheduleError for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidScheduleError(field, f"{text!r} is no ISO 8601 time, such as 2030-01-31T08:00:00Z") from error
    if time.utcoffset() is None:
        raise InvalidScheduleError(field, f"{text!r} has no offset from UTC: append Z or +01:00")
    return time


def _refused(reason: str) -> InvalidScheduleError:
    return InvalidScheduleError("schedule_expression", reason)
