"""Schedule expressions of EventBridge Scheduler, and the times at which they fire.

``at(yyyy-mm-ddThh:mm:ss)``, ``rate(value unit)`` and ``cron(…)`` after "Schedule types in EventBridge Scheduler" of its
user guide and the service model scheduler 2021-06-30:

* ``at`` and ``cron`` are evaluated in the schedule's IANA time zone. A local time that does not exist is skipped; one
  that exists twice fires at the first. AWS says so of ``cron``; ``at`` is taken to be no different.
* The service fires within a minute (1:00 is 1:00:00 to 1:00:59), so the time of an ``at`` is cut to its minute.
* ``rate`` counts from the start date; its days are 24 hours, whatever the clocks do.
* ``at`` ignores the start and the end date; for the others both count as times that may fire.

A time that is passed in has a time zone: a naive one is a TypeError, as it is where Python compares the two. The times
that come out are in the schedule's time zone. Bring such times to UTC before comparing them: Python compares times of
one zone by the clock on the wall, and says that a time of a repeated hour equals no time of another zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo, available_timezones

from pipeline_triggers.domain.cron import Cron
from pipeline_triggers.domain.limits import MAX_EXPRESSION, MAX_TIMEZONE
from pipeline_triggers.domain.times import FIRST_YEAR, LAST_YEAR
from pipeline_triggers.errors import InvalidScheduleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALL = re.compile(r"(?P<kind>at|rate|cron)\((?P<inside>[^()]*)\)")
_AT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", re.ASCII)
_RATE = re.compile(r"(?P<value>[1-9][0-9]*) (?P<unit>[a-z]+)")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_OF_UNIX = {
    "@yearly": "0 0 1 1 ? *",
    "@annually": "0 0 1 1 ? *",
    "@monthly": "0 0 1 * ? *",
    "@weekly": "0 0 ? * SUN *",
    "@daily": "0 0 * * ? *",
    "@midnight": "0 0 * * ? *",
    "@hourly": "0 * * * ? *",
}
# Files beside those of the time zones, which ZoneInfo reads as well.
_NO_ZONES = re.compile(r"(posix|right)/.*|localtime|posixrules|Factory")
# Nothing in the calendar of AWS is outside of these, in whatever zone; times far outside cannot be converted.
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC)
_CALENDAR = datetime(LAST_YEAR + 1, 1, 1) - datetime(FIRST_YEAR, 1, 1)
_NONE = timedelta(0)

Kind = Literal["at", "rate", "cron"]
Note = Literal["", "skipped", "repeated"]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A time that an expression names, in the schedule's time zone, and what the zone's clocks do to it.

    ``note`` is ``skipped`` when the clocks are set forward over this local time: nothing fires, and ``time`` is what
    they would have shown. It is ``repeated`` when they are set back and show it twice: ``time`` is the first, which
    fires.
    """

    time: datetime
    note: Note = ""

    @property
    def fires(self) -> bool:
        """False for a time that does not exist."""
        return self.note != "skipped"


@dataclass(frozen=True, slots=True)
class _At:
    minute: datetime

    @classmethod
    def parse(cls, inside: str) -> _At:
        match = _AT.fullmatch(inside)
        if match is None:
            raise _refused(
                "is not at(yyyy-mm-ddThh:mm:ss), such as at(2030-01-31T08:00:00), with T, seconds without a fraction,"
                " and no zone or offset: the time zone goes into timezone"
            )
        try:
            year, month, day, hour, minute, second = map(int, match.groups())
            time = datetime(year, month, day, hour, minute, second)
        except ValueError as error:
            raise _refused(f"is no date and time: {error}") from error
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise _refused(f"the year is not {FIRST_YEAR} to {LAST_YEAR}")
        return cls(time.replace(second=0))

    def wall_times(self, bound: datetime, *, backwards: bool = False) -> Iterator[datetime]:
        """The one time, unless it is beyond the minute of the bound."""
        limit = bound.replace(second=0, microsecond=0)
        if self.minute <= limit if backwards else self.minute >= limit:
            yield self.minute


@dataclass(frozen=True, slots=True)
class _Rate:
    every: timedelta

    @classmethod
    def parse(cls, inside: str) -> _Rate:
        match = _RATE.fullmatch(inside)
        if match is None:
            raise _refused("is not a positive whole number, one space and minutes, hours or days: rate(5 minutes)")
        value, unit = int(match["value"]), match["unit"].removesuffix("s")
        if unit not in _MINUTES:
            raise _refused(_no_unit(value, match["unit"]))
        minutes = value * _MINUTES[unit]
        if minutes > _CALENDAR // timedelta(minutes=1):
            raise _refused(f"is longer than the calendar of AWS, {FIRST_YEAR} to {LAST_YEAR}: for one time write at(…)")
        return cls(timedelta(minutes=minutes))

    def since(self, after: datetime, start: datetime | None) -> Iterator[datetime]:
        """The times from the last that is not after a moment on, all in UTC; without start that moment is the first."""
        origin = after if start is None else start
        time = origin + self.every * max((after - origin) // self.every, 0)
        while time < _LATEST:
            yield time
            time += self.every

    def before(self, before: datetime, start: datetime) -> datetime | None:
        """The last time before a moment, all in UTC."""
        times = -((start - before) // self.every)  # how many are before it: the quotient, rounded up
        return start + self.every * (times - 1) if times > 0 else None


@dataclass(frozen=True, slots=True)
class ScheduleExpression:
    """A parsed expression in its time zone. Two are equal when text and zone are."""

    text: str
    timezone: str
    kind: Kind
    _zone: tzinfo = field(repr=False, compare=False)
    _times: _At | _Rate | Cron = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC") -> ScheduleExpression:
        """Read an expression. UTC needs no time zone database; every other zone does.

        Raises InvalidScheduleError with the field, ``schedule_expression`` or ``timezone``, and what to write instead.
        """
        match = _CALL.fullmatch(text) if len(text) <= MAX_EXPRESSION else None
        if match is None:
            raise _refused(_no_call(text))
        parsers: dict[str, Callable[[str], _At | _Rate | Cron]] = {
            "at": _At.parse,
            "rate": _Rate.parse,
            "cron": Cron.parse,
        }
        try:
            times = parsers[match["kind"]](match["inside"])
        except InvalidScheduleError as error:
            raise InvalidScheduleError(error.field, f"{_shown(text)}: {error.reason}") from error
        return cls(text, timezone, cast(Kind, match["kind"]), _zone_of(timezone), times)

    @property
    def interval(self) -> timedelta | None:
        """The time between two firings of a rate; None for at and cron."""
        return self._times.every if isinstance(self._times, _Rate) else None

    def next_times(
        self, after: datetime, count: int, *, start: datetime | None = None, end: datetime | None = None
    ) -> list[datetime]:
        """The next ``count`` times strictly after a moment, fewer where there are no more, in the schedule's time zone.

        ``start`` and ``end`` are the schedule's dates. A rate without ``start`` counts from ``after``, as the service
        counts from the creation of the schedule. TypeError when a time is naive.
        """
        return [found.time for found in self.preview(after, count, start=start, end=end) if found.fires]

    def preview(
        self, after: datetime, count: int, *, start: datetime | None = None, end: datetime | None = None
    ) -> list[Occurrence]:
        """As ``next_times``, with what daylight saving does; times that are skipped stand between, and do not count."""
        shown: list[Occurrence] = []
        coming = self._after(_utc(after), start and _utc(start), end and _utc(end))
        while count > 0 and (found := next(coming, None)):
            shown.append(found)
            count -= found.fires
        return shown

    def previous_time(self, before: datetime, *, start: datetime | None = None) -> datetime | None:
        """The last time strictly before a moment, and not before ``start``; None when there is none.

        A rate has no times of its own without the ``start`` that it counts from: InvalidScheduleError. Where ``before``
        is one of its times, ``before - interval`` is the one before. TypeError when a time is naive.
        """
        moment, first = _utc(before), start and _utc(start)
        if isinstance(self._times, _Rate):
            if first is None:
                raise InvalidScheduleError("start", f"{self.text} counts from its start: without it no time is known")
            found = self._times.before(moment, first)
            return found and found.astimezone(self._zone)
        local = moment.astimezone(self._zone)
        # In the second of two equal hours, the firings of the first are past, later as they are by the clock.
        bound = _clock(local) + (_offset(local, 0) - _offset(local, 1) if local.fold else _NONE)
        for wall in self._times.wall_times(bound, backwards=True):
            occurrence = self._occurrence(wall)
            if not occurrence.fires or self._lead(occurrence, moment) >= _NONE:
                continue
            early = self.kind == "cron" and first is not None and self._lead(occurrence, first) < _NONE
            return None if early else occurrence.time
        return None

    def _after(self, after: datetime, start: datetime | None, end: datetime | None) -> Iterator[Occurrence]:
        if self.kind == "at":
            start = end = None
        for found in self._unbounded(after, start):
            if end is not None and self._lead(found, end) > _NONE:
                return
            if self._lead(found, after) > _NONE and (start is None or self._lead(found, start) >= _NONE):
                yield found

    def _unbounded(self, after: datetime, start: datetime | None) -> Iterator[Occurrence]:
        if isinstance(self._times, _Rate):
            for time in self._times.since(after, start):
                yield Occurrence(time.astimezone(self._zone))
            return
        first = after if start is None else max(after, start)
        for wall in self._times.wall_times(_clock(first.astimezone(self._zone))):
            yield self._occurrence(wall)

    def _occurrence(self, wall: datetime) -> Occurrence:
        """What becomes of a time of the clock on the wall; PEP 495 tells gaps and repetitions by the two offsets."""
        time = wall.replace(tzinfo=self._zone)
        change = _offset(time, 1) - _offset(time, 0)
        return Occurrence(time, "" if not change else "skipped" if change > _NONE else "repeated")

    def _lead(self, found: Occurrence, moment: datetime) -> timedelta:
        """How much later than a moment it is. What does not exist has no place in UTC, only one on the clock."""
        if found.fires:
            return found.time.astimezone(UTC) - moment
        return _clock(found.time) - _clock(moment.astimezone(self._zone))


def rate_text(value: int, unit: str) -> str:
    """The expression of a rate of so many minutes, hours, days or weeks (of 7 days), singular or plural.

    Raises InvalidScheduleError (field ``value`` or ``unit``, else ``schedule_expression``).
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidScheduleError("value", f"{value!r} is not a positive whole number")
    single = unit.removesuffix("s")
    if single == "week":
        value, single = 7 * value, "day"
    if single not in _MINUTES:
        raise InvalidScheduleError("unit", _no_unit(value, unit, "minutes, hours, days or weeks"))
    text = f"rate({value} {single if value == 1 else single + 's'})"
    return ScheduleExpression.parse(text).text


def check_timezone(name: str) -> None:
    """Raise InvalidScheduleError (field ``timezone``) when the name is no IANA time zone that this system knows."""
    _zone_of(name)


def _zone_of(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        zone = ZoneInfo(name) if len(name) <= MAX_TIMEZONE and not _NO_ZONES.fullmatch(name) else None
    except (LookupError, ValueError, OSError):
        zone = None
    if zone is None:
        raise InvalidScheduleError("timezone", _no_zone(name))
    return zone


def _no_zone(name: str) -> str:
    known = available_timezones()
    if not known:
        return f"{name!r} is not known: this system has no time zone database. Install the package tzdata, or use UTC"
    meant = next((zone for zone in known if zone.casefold() == name.casefold() and zone != name), "")
    return f"{name!r} is no IANA time zone, such as Europe/Berlin or UTC{meant and f': {meant} is'}"


def _utc(moment: datetime) -> datetime:
    """A moment in UTC, brought into the calendar where it is far outside."""
    if moment.utcoffset() is None:
        raise TypeError(f"{moment.isoformat()} has no time zone: a schedule needs times that have one")
    try:
        return min(max(moment.astimezone(UTC), _EARLIEST), _LATEST)
    except OverflowError:
        return _LATEST if moment.year > LAST_YEAR else _EARLIEST


def _clock(time: datetime) -> datetime:
    return time.replace(tzinfo=None, fold=0)


def _offset(time: datetime, fold: Literal[0, 1]) -> timedelta:
    return time.replace(fold=fold).utcoffset() or _NONE


def _no_call(text: str) -> str:
    if len(text) > MAX_EXPRESSION:
        return f"has {len(text)} characters, more than the {MAX_EXPRESSION} of AWS"
    if text in _OF_UNIX:
        return f"{text} is of Unix: write cron({_OF_UNIX[text]})"
    fields = text.split(" ")
    if 5 <= len(fields) <= 7 and "(" not in text:
        return f"{_shown(text)} is no expression: write cron(…) around the fields, such as cron(0 3 * * ? *)"
    return f"{_shown(text)} is no at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 3 * * ? *)"


def _no_unit(value: int, unit: str, units: str = "minutes, hours or days") -> str:
    match unit.removesuffix("s"):
        case "week":
            said = "one week is" if value == 1 else f"{value} weeks are"
            return f"weeks are no unit of AWS; {said} rate({7 * value} days)"
        case "second":
            return "seconds are no unit of AWS: nothing fires more than once a minute"
        case "month" | "year" as calendar:
            example = "cron(0 3 1 * ? *)" if calendar == "month" else "cron(0 3 1 1 ? *)"
            return f"a {calendar} has no fixed length: write a cron such as {example}"
        case _:
            return f"{_shown(unit)} is no unit: {units} are"


def _shown(text: str) -> str:
    return text if text.isprintable() else ascii(text)


def _refused(reason: str) -> InvalidScheduleError:
    return InvalidScheduleError("schedule_expression", reason)
