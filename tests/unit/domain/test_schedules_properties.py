"""Schedule expressions against an independent matcher that looks at every minute, in zones of every kind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.errors import InvalidScheduleError

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6}
MONTHS |= {"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12}
WEEK = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
NUMBERS = MONTHS | WEEK

# Windows of two and a half days in which something happens to the clocks, or the month ends.
WINDOWS = [
    ("UTC", "2028-02-28T00:00"),
    ("Asia/Kathmandu", "2026-12-30T12:00"),
    ("Europe/Berlin", "2026-03-28T00:00"),
    ("Europe/Berlin", "2026-10-24T00:00"),
    ("America/New_York", "2026-03-07T12:00"),
    ("America/New_York", "2026-10-31T12:00"),
    ("Australia/Lord_Howe", "2026-04-03T12:00"),
    ("Australia/Lord_Howe", "2026-10-02T12:00"),
    ("America/Sao_Paulo", "2018-11-03T00:00"),
    ("America/Sao_Paulo", "2019-02-15T12:00"),
    ("Pacific/Apia", "2011-12-29T00:00"),
]


class Matcher:
    """Tells whether an expression names a minute: written from AWS's page alone, slow and simple."""

    def __init__(self, text: str) -> None:
        minutes, hours, self.day, months, self.weekday, years = text.removeprefix("cron(").removesuffix(")").split()
        self.minutes, self.hours = named(minutes, 0, 59), named(hours, 0, 23)
        self.months, self.years = named(months, 1, 12), named(years, 1970, 2199)

    def names(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and self.names_day(wall.date())

    def names_day(self, day: date) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        return self.by_month(day) if self.weekday == "?" else self.by_week(day)

    def by_month(self, day: date) -> bool:
        if self.day == "L":
            return (day + DAY).month != day.month
        if self.day == "LW":
            rest = [one for n in range(1, 4) if (one := day + n * DAY).month == day.month]
            return day.isoweekday() <= 5 and not any(one.isoweekday() <= 5 for one in rest)
        if self.day.endswith("W"):
            wanted = int(self.day[:-1])
            month = [one for n in range(-31, 32) if (one := day + n * DAY).month == day.month and one.year == day.year]
            working = [one for one in month if one.isoweekday() <= 5]
            exists = wanted in {one.day for one in month}
            return exists and day == min(working, key=lambda one: abs(one.day - wanted))
        return day.day in named(self.day, 1, 31)

    def by_week(self, day: date) -> bool:
        today = day.isoweekday() % 7 + 1
        if self.weekday == "L":
            return today == 7
        if "#" in self.weekday:
            name, nth = self.weekday.split("#")
            return today in named(name, 1, 7) and (day.day + 6) // 7 == int(nth)
        if self.weekday.endswith("L"):
            return today in named(self.weekday[:-1], 1, 7) and (day + 7 * DAY).month != day.month
        return today in named(self.weekday, 1, 7)


@cache
def named(text: str, low: int, high: int) -> frozenset[int]:
    """The values that a field names, found by walking from value to value, over the end of the field if need be."""
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = f"{low}-{high}".partition("-") if span == "*" else span.partition("-")
        value = NUMBERS.get(first) or int(first)
        stop = (NUMBERS.get(last) or int(last)) if dash else high if step else value
        walked = 0
        while True:
            if walked % int(step or 1) == 0:
                found.add(value)
            if value == stop:
                break
            value, walked = low if value == high else value + 1, walked + 1
    return frozenset(found)


def every_minute(expression: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """The times strictly after a moment, in UTC, by looking at each minute: of each local time the first counts."""
    matcher, there = Matcher(expression), ZoneInfo(zone)
    found, seen, moment = [], set(), after - 26 * 60 * MINUTE
    while moment <= until:
        wall = moment.astimezone(there).replace(tzinfo=None, fold=0)
        if wall not in seen and matcher.names(wall) and moment > after:
            found.append(moment)
        seen.add(wall)
        moment += MINUTE
    return found


def fields(low: int, high: int, names: dict[str, int] | None = None, *, steps: bool = True) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    value = numbers.map(str) if names is None else st.one_of(numbers.map(str), st.sampled_from(sorted(names)))
    span = st.builds("{}-{}".format, value, value)
    step = st.builds("{}/{}".format, st.one_of(st.just("*"), value, span), st.integers(1, high - low + 1))
    parts = st.one_of(value, span, step) if steps else st.one_of(value, span)
    return st.one_of(st.just("*"), st.lists(parts, min_size=1, max_size=3).map(",".join))


days_of_month = st.one_of(fields(1, 31), st.just("L"), st.just("LW"), st.integers(1, 31).map("{}W".format))
a_weekday = st.one_of(st.integers(1, 7).map(str), st.sampled_from(sorted(WEEK)))
days_of_week = st.one_of(
    fields(1, 7, WEEK, steps=False),
    st.just("L"),
    a_weekday.map("{}L".format),
    st.builds("{}#{}".format, a_weekday, st.integers(1, 5)),
)
both = st.one_of(days_of_month.map(lambda day: (day, "?")), days_of_week.map(lambda day: ("?", day)))
years = st.sampled_from(["*", "2000-2030", "2011,2012,2018/2", "*/2"])


every_month, any_months = st.just("*"), fields(1, 12, MONTHS)
any_minutes = fields(0, 59)


@st.composite
def expressions(draw: st.DrawFn, minutes: st.SearchStrategy[str], months: st.SearchStrategy[str]) -> str:
    day, weekday = draw(both)
    return f"cron({draw(minutes)} {draw(fields(0, 23))} {day} {draw(months)} {weekday} {draw(years)})"


def parsed(text: str, zone: str = "UTC") -> ScheduleExpression | None:
    try:
        return ScheduleExpression.parse(text, zone)
    except InvalidScheduleError as error:
        assert "can never fire" in error.reason  # noqa: PT017 - nothing else may be refused
        return None


@settings(max_examples=40, deadline=None)
@given(expressions(any_minutes, every_month), st.sampled_from(WINDOWS), st.integers(0, 30 * 60))
@example("cron(*/7 * * * ? *)", ("Pacific/Apia", "2011-12-29T00:00"), 0)
@example("cron(0/10 0-3 * * ? *)", ("Europe/Berlin", "2026-10-24T00:00"), 1500)
@example("cron(*/5 22-1 ? * * *)", ("America/Sao_Paulo", "2019-02-15T12:00"), 100)
@example("cron(*/10 0-4 ? * * *)", ("Australia/Lord_Howe", "2026-04-03T12:00"), 0)
def test_each_time_satisfies_the_expression_and_none_between_is_missed(
    text: str, window: tuple[str, str], minutes_in: int
) -> None:
    zone, begin = window
    expression = parsed(text, zone)
    if expression is None:
        return
    after = datetime.fromisoformat(begin).replace(tzinfo=UTC) + minutes_in * MINUTE
    until = after + 30 * 60 * MINUTE
    expected = every_minute(text, zone, after, until)
    found = [time.astimezone(UTC) for time in expression.next_times(after, 9999, end=until)]
    assert found == expected
    if not expected:
        return
    back, before = [], until + timedelta(seconds=1)
    while (time := expression.previous_time(before, start=expected[0])) is not None:
        before = time.astimezone(UTC)
        back.append(before)
        if len(back) > 60:
            break
    assert back == expected[::-1][:61]


@settings(max_examples=40, deadline=None)
@given(expressions(st.just("30"), any_months), st.dates(date(1999, 1, 1), date(2031, 1, 1)))
def test_the_days_of_four_years_are_those_that_the_expression_names(text: str, first: date) -> None:
    expression, matcher = parsed(text), Matcher(text)
    after = datetime(first.year, first.month, first.day, tzinfo=UTC)
    expected = [day for n in range(4 * 366) if matcher.names_day(day := first + n * DAY)]
    if expression is None:
        assert not expected
        return
    found = expression.next_times(after, 9999 * 24, end=after + 4 * 366 * DAY - MINUTE)
    assert list(dict.fromkeys(time.date() for time in found)) == expected


@settings(max_examples=100, deadline=None)
@given(
    expressions(any_minutes, any_months),
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
)
def test_the_time_before_the_next_is_not_later_than_now(text: str, now: datetime) -> None:
    expression = parsed(text, "Europe/Berlin")
    following = expression.next_times(now, 2) if expression else []
    if expression is None or len(following) < 2:
        return
    before = expression.previous_time(following[0])
    assert before is None or before.astimezone(UTC) <= now
    between = expression.previous_time(following[1])
    assert between is not None
    assert between.astimezone(UTC) == following[0].astimezone(UTC)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**6), st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_a_rate_hits_its_start_plus_whole_intervals(minutes: int, start: datetime, now: datetime) -> None:
    expression = ScheduleExpression.parse(f"rate({minutes} minutes)")
    if start.year < 2 or now.year < 2:
        return
    every = timedelta(minutes=minutes)
    for found in expression.next_times(now, 1, start=start):
        assert found > now
        assert found >= start
        assert (found - start) % every == timedelta(0)
        assert found == start or found - every <= now
    before = expression.previous_time(now, start=start)
    if now.year < 2199:
        assert (before is None) == (now <= start)
    if before is not None and now.year < 2199:
        assert before < now <= before + every
        assert (before - start) % every == timedelta(0)


SCRAPS = st.sampled_from(
    [*"0123456789*?/,-#LW ()@", "cron(", "rate(", "at(", "MON", "T", "days", "2026", "\u0661", "\n"]
)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=40), st.lists(SCRAPS, max_size=30).map("".join)))
def test_any_other_text_is_refused_with_a_reason(text: str) -> None:
    for written in (text, f"cron({text})", f"rate({text})", f"at({text})"):
        try:
            ScheduleExpression.parse(written)
        except InvalidScheduleError as error:
            assert error.field == "schedule_expression"  # noqa: PT017
            assert error.reason  # noqa: PT017


@given(st.text(max_size=60))
def test_any_other_zone_is_refused_with_a_reason(name: str) -> None:
    try:
        ScheduleExpression.parse("rate(1 day)", name)
    except InvalidScheduleError as error:
        assert error.field == "timezone"  # noqa: PT017


@pytest.mark.parametrize(("zone", "begin"), WINDOWS)
def test_every_minute_of_a_window_fires_once(zone: str, begin: str) -> None:
    after = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    until = after + 60 * 60 * MINUTE
    expected = every_minute("cron(* * * * ? *)", zone, after, until)
    found = ScheduleExpression.parse("cron(* * * * ? *)", zone).next_times(after, 9999, end=until)
    assert [time.astimezone(UTC) for time in found] == expected
