"""Times in events: the forms that AWS gives them, brought to one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from pipeline_triggers.errors import InvalidScheduleError

_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,20}))?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2}))?",
)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,20})?")
# The calendar of AWS: the years that expressions of EventBridge may name.
FIRST_YEAR, LAST_YEAR = 1970, 2199
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Milliseconds were this many in March 1973; seconds will be in the year 5138.
_SECONDS_BELOW = 100_000_000_000
_NO_TIME = 10**15


def milliseconds(time: object) -> int | None:
    """A time of whatever form AWS gives it, in milliseconds since 1970 UTC, cut and not rounded; None if unreadable.

    Accepts numbers and texts of numbers (milliseconds, or seconds where they are below 10^11: SageMaker's events have
    ``1592411992203.0`` and ``"1583831889050"``), and ISO 8601 with any fraction of a second, without a zone in UTC
    (model cards have ``2022-12-03T00:09:44.893854735Z``, alarms ``2019-10-02T17:04:40.989+0000``).
    """
    if isinstance(time, bool) or not isinstance(time, int | float | str):
        return None
    if not isinstance(time, str) and not 0 <= time < _NO_TIME:
        return None
    text = str(time)
    if _NUMBER.fullmatch(text):
        number = Decimal(text)
        return int(number * 1000 if number < _SECONDS_BELOW else number)
    if match := _TIME.fullmatch(text):
        return _iso_milliseconds(match)
    return None


def _iso_milliseconds(match: re.Match[str]) -> int | None:
    hours, minutes = int(match["hours"] or 0), int(match["minutes"] or 0)
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if match["sign"] == "-" else 1)
    try:
        moment = datetime.fromisoformat(f"{match['date']} {match['clock']}").replace(tzinfo=timezone(offset))
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * 1000 + int((match["fraction"] or "")[:3].ljust(3, "0"))


def parse_time(text: str, field: str) -> datetime:
    """Read an ISO 8601 date and time with its offset from UTC. Raises InvalidScheduleError for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidScheduleError(field, f"{text!r} is no ISO 8601 time, such as 2030-01-31T08:00:00Z") from error
    if time.utcoffset() is None:
        raise InvalidScheduleError(field, f"{text!r} has no offset from UTC: append Z or +01:00")
    return time
