"""The six fields of EventBridge Scheduler's ``cron(…)``: which minutes of the calendar on the wall they name.

``minutes hours day-of-month month day-of-week year``, after the table and the text of AWS ("Schedule types in
EventBridge Scheduler", and "Cron expressions reference" of EventBridge):

============  ================  ====================================================================================
minutes       0-59              ``,`` ``-`` ``*`` ``/``
hours         0-23              ``,`` ``-`` ``*`` ``/``
day-of-month  1-31              ``,`` ``-`` ``*`` ``/``, or one of ``?`` any, ``L`` last, ``15W`` weekday nearest,
                                ``LW`` last weekday
month         1-12, JAN-DEC     ``,`` ``-`` ``*`` ``/``
day-of-week   1-7, SUN-SAT      ``,`` ``-`` ``*``, or one of ``?`` any, ``L`` Saturday, ``6L`` last Friday,
                                ``3#2`` second Tuesday
year          1970-2199         ``,`` ``-`` ``*`` ``/``
============  ================  ====================================================================================

What AWS leaves open is decided so:

* A range may run over the end of its field, as AWS's own example ``20-2`` of the hours does: ``FRI-MON``, ``NOV-FEB``.
  Not that of the years.
* ``3W`` stays in its month, and names no day in a month without that day (``31W`` in April).
* ``LW`` is on none of AWS's pages, but the service was seen to take it (grumBit/aws_cron_expression_validator#18).
* A step counts from the beginning of its range: ``20-2/2`` is 20, 22, 0, 2; ``10/20`` is 10, 30, 50.
* Refused, since AWS says nowhere what it would mean: ``L-3``, ``L`` ``W`` ``#`` beside other days, ``*`` inside
  a list or range, steps longer than their field, ``/`` in day-of-week.

It is own code because no library that was looked at (pyawscron, aws-croniter, aws-cron-expression-validator) has all of
this and can also tell what daylight saving does; and the layer needs no further dependency for it.
"""

from __future__ import annotations

from calendar import monthrange, weekday
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pipeline_triggers.domain.times import FIRST_YEAR, LAST_YEAR
from pipeline_triggers.errors import InvalidScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SATURDAY_AND_SUNDAY = (5, 6)  # as calendar.weekday counts


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the expression: its name, its values, the names that some have, and where its steps count anew."""

    name: str
    first: int
    last: int
    round: str
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        also = f" or {next(iter(self.names))} to {list(self.names)[-1]}" if self.names else ""
        return f"{self.first} to {self.last}{also}"


def _numbered(names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), 1)}


MINUTES = _Field("minutes", 0, 59, "hour")
HOURS = _Field("hours", 0, 23, "day")
DAY_OF_MONTH = _Field("day-of-month", 1, 31, "month")
MONTH = _Field("month", 1, 12, "year", _numbered("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"))
DAY_OF_WEEK = _Field("day-of-week", 1, 7, "week", _numbered("SUN MON TUE WED THU FRI SAT"))
YEAR = _Field("year", FIRST_YEAR, LAST_YEAR, "calendar")
FIELDS = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


class Days(Protocol):
    """A rule that names days of a month."""

    def of(self, year: int, month: int) -> Sequence[int]:
        """The days that it names in a month, ascending; none is possible."""


@dataclass(frozen=True, slots=True)
class _DaysOfMonth:
    days: tuple[int, ...]

    def of(self, year: int, month: int) -> Sequence[int]:
        last = _last_day(year, month)
        return self.days if self.days[-1] <= last else [day for day in self.days if day <= last]


@dataclass(frozen=True, slots=True)
class _LastDay:
    def of(self, year: int, month: int) -> Sequence[int]:
        return (_last_day(year, month),)


@dataclass(frozen=True, slots=True)
class _LastWorkday:
    def of(self, year: int, month: int) -> Sequence[int]:
        last = _last_day(year, month)
        return (last - max(0, weekday(year, month, last) - 4),)


@dataclass(frozen=True, slots=True)
class _NearestWeekday:
    day: int

    def of(self, year: int, month: int) -> Sequence[int]:
        last = _last_day(year, month)
        if self.day > last:
            return ()
        saturday, sunday = (weekday(year, month, self.day) == number for number in _SATURDAY_AND_SUNDAY)
        if saturday:
            return (self.day - 1 if self.day > 1 else self.day + 2,)
        if sunday:
            return (self.day + 1 if self.day < last else self.day - 2,)
        return (self.day,)


@dataclass(frozen=True, slots=True)
class _Weekdays:
    """Days of the week, SUN = 1."""

    days: tuple[int, ...]

    def of(self, year: int, month: int) -> Sequence[int]:
        firsts = [_first(day, year, month) for day in self.days]
        last = _last_day(year, month)
        return sorted(day for first in firsts for day in range(first, last + 1, 7))


@dataclass(frozen=True, slots=True)
class _NthWeekday:
    day: int
    nth: int

    def of(self, year: int, month: int) -> Sequence[int]:
        found = _first(self.day, year, month) + 7 * (self.nth - 1)
        return (found,) if found <= _last_day(year, month) else ()


@dataclass(frozen=True, slots=True)
class _LastWeekday:
    day: int

    def of(self, year: int, month: int) -> Sequence[int]:
        first = _first(self.day, year, month)
        return (first + (_last_day(year, month) - first) // 7 * 7,)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression. Its times are those of a calendar and a clock on the wall: naive, whole minutes."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read the six fields, without ``cron(`` and ``)``.

        Raises InvalidScheduleError (field ``schedule_expression``) that names the field of the expression and says what
        to write; also when the days that are named do not exist in any of the months and years.
        """
        minutes, hours, day_of_month, month, day_of_week, year = _split(text)
        found = cls(
            minutes=_values(MINUTES, minutes),
            hours=_values(HOURS, hours),
            days=_days(day_of_month, day_of_week),
            months=_values(MONTH, month),
            years=_values(YEAR, year),
        )
        if not any(found.days.of(year, month) for year in found.years for month in found.months):
            raise _refused(
                f"can never fire: no {month} of the year {year} has the day {_named(day_of_month, day_of_week)}"
            )
        return found

    def wall_times(self, bound: datetime, *, backwards: bool = False) -> Iterator[datetime]:
        """The times from the minute of ``bound`` on, that minute included; or backwards from it.

        It steps from field to field, so that the next 29 February is as near as the next minute.
        """
        # The parts of the bound, cut to as many as are known so far: a year or month beyond it is not looked into.
        limit = (bound.year, bound.month, bound.day, bound.hour, bound.minute)

        def beyond(*parts: int) -> bool:
            cut = limit[: len(parts)]
            return parts > cut if backwards else parts < cut

        def ordered(values: Sequence[int]) -> Iterable[int]:
            return reversed(values) if backwards else values

        for year in ordered(self.years):
            for month in () if beyond(year) else ordered(self.months):
                for day in () if beyond(year, month) else ordered(self.days.of(year, month)):
                    for hour in () if beyond(year, month, day) else ordered(self.hours):
                        for minute in () if beyond(year, month, day, hour) else ordered(self.minutes):
                            if not beyond(year, month, day, hour, minute):
                                yield datetime(year, month, day, hour, minute)


def _split(text: str) -> list[str]:
    if not text.isascii():  # some letters of other scripts turn into those of names when they are made capitals
        raise _refused("has characters other than 0-9 A-Z a-z , - * / ? # and spaces")
    fields = text.upper().split()
    if text.upper() != " ".join(fields):
        raise _refused("one space stands between fields, and none before the first or after the last")
    names = ", ".join(field.name for field in FIELDS)
    if len(fields) == len(FIELDS) - 1:
        raise _refused(
            f"has 5 fields, as the cron of Unix has; AWS has 6: {names}. Put ? into day-of-month or day-of-week, count"
            " the days of the week from SUN = 1, and append * for the year"
        )
    if len(fields) == len(FIELDS) + 1:
        raise _refused(f"has 7 fields; AWS has 6: {names}. There are no seconds: nothing fires more than once a minute")
    if len(fields) != len(FIELDS):
        raise _refused(f"has {len(fields)} fields; AWS has 6: {names}")
    return fields


def _days(day_of_month: str, day_of_week: str) -> Days:
    anys = (day_of_month, day_of_week).count("?")
    if anys == 2:
        raise _refused("day-of-month and day-of-week are both ?: write * into one of them for every day")
    if anys == 0 and "*" in (day_of_month, day_of_week):
        other = DAY_OF_MONTH if day_of_month == "*" else DAY_OF_WEEK
        raise _refused(f"day-of-month and day-of-week cannot both be given: write ? instead of * into {other.name}")
    if anys == 0:
        raise _refused(
            "day-of-month and day-of-week cannot both be given: write ? into one, and make two schedules if both count"
        )
    return _weekdays(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month)


def _days_of_month(text: str) -> Days:
    if text == "L":
        return _LastDay()
    if text == "LW":
        return _LastWorkday()
    if text.endswith("W") and text[:-1].isdecimal():
        return _NearestWeekday(_value(DAY_OF_MONTH, text[:-1]))
    if "L" in text or "W" in text:
        raise _of(
            DAY_OF_MONTH,
            f"{text} is nothing that AWS documents. L (the last day) and 15W (the weekday nearest the 15th) stand"
            " alone: make a schedule of its own for each",
        )
    return _DaysOfMonth(_values(DAY_OF_MONTH, text))


def _weekdays(text: str) -> Days:
    if text == "L":
        return _Weekdays((DAY_OF_WEEK.last,))
    if text.endswith("L") and not set(text) & set(",-/#"):
        return _LastWeekday(_value(DAY_OF_WEEK, text[:-1]))
    if "#" in text:
        return _nth_weekday(text)
    if "L" in text:
        raise _of(
            DAY_OF_WEEK,
            f"{text} is nothing that AWS documents. L (Saturday) and 6L (the last Friday of the month) stand alone:"
            " make a schedule of its own for each",
        )
    return _Weekdays(_values(DAY_OF_WEEK, text))


def _nth_weekday(text: str) -> Days:
    day, _, nth = text.partition("#")
    if set(text) & set(",-/*L?") or "#" in nth:
        raise _of(DAY_OF_WEEK, f"{text}: an expression with # stands alone; 3#2 is the second Tuesday of the month")
    if nth not in {"1", "2", "3", "4", "5"}:
        raise _of(DAY_OF_WEEK, f"{text}: what follows # is 1 to 5, as in 3#2, the second Tuesday of the month")
    return _NthWeekday(_value(DAY_OF_WEEK, day), int(nth))


def _values(field: _Field, text: str) -> tuple[int, ...]:
    """The values of a field, ascending: a list of values, ranges and steps."""
    parts = text.split(",")
    if len(parts) > 1 and "*" in parts:
        raise _of(field, f"{text}: * is every value already, so it stands alone")
    return tuple(sorted({value for part in parts for value in _part(field, part)}))


def _part(field: _Field, text: str) -> Iterable[int]:
    span, slash, step_text = text.partition("/")
    step = _step(field, text, step_text) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if span == "*":
        first, last = field.first, field.last
    else:
        first = _value(field, first_text)
        last = _value(field, last_text) if dash else field.last if slash else first
    if last < first and field is YEAR:
        raise _of(field, f"the range {span} ends before it begins")
    end = last if last >= first else last + field.size
    return ((value - field.first) % field.size + field.first for value in range(first, end + 1, step))


def _step(field: _Field, text: str, step: str) -> int:
    if field is DAY_OF_WEEK:
        raise _of(field, f"{text}: AWS has no / here. Name the days, such as MON,WED,FRI")
    number = int(step) if _digits(step, 3) else 0
    if 1 <= number <= field.size:
        return number
    unit = {"minutes": "minutes", "hours": "hours", "day-of-month": "days"}.get(field.name)
    even = f": for an interval longer than that write rate({number} {unit})" if unit and number else ""
    raise _of(field, f"{text}: what follows / is 1 to {field.size}, and counts anew in each {field.round}{even}")


def _value(field: _Field, text: str) -> int:
    number = int(text) if _digits(text, len(str(field.last))) else field.names.get(text, -1)
    if field.first <= number <= field.last:
        return number
    if text == "?":
        raise _of(field, "? stands alone, in day-of-month or day-of-week")
    if field is DAY_OF_WEEK and text == "0":
        raise _of(field, "0 is no day of the week here: the week is 1 (SUN) to 7 (SAT)")
    raise _of(field, f"{text!r} is not {field}" if text else f"a value is missing: it is {field}")


def _digits(text: str, most: int) -> bool:
    return len(text) <= most and text.isascii() and text.isdecimal()


def _first(day_of_week: int, year: int, month: int) -> int:
    """The day of the month on which the month's first Sunday (1) … Saturday (7) falls."""
    return (day_of_week - 2 - weekday(year, month, 1)) % 7 + 1


def _last_day(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _named(day_of_month: str, day_of_week: str) -> str:
    return day_of_week if day_of_month == "?" else day_of_month


def _of(field: _Field, reason: str) -> InvalidScheduleError:
    return _refused(f"{field.name}: {reason}")


def _refused(reason: str) -> InvalidScheduleError:
    return InvalidScheduleError("schedule_expression", reason)
