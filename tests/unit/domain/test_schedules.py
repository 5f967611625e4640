"""Schedule expressions against the table, daylight saving, start and end dates, and what is refused."""

from __future__ import annotations

import time as clock
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from pipeline_triggers.domain import schedules
from pipeline_triggers.domain.schedules import Occurrence, ScheduleExpression, check_timezone, rate_text
from pipeline_triggers.domain.times import parse_time
from pipeline_triggers.errors import InvalidScheduleError
from tests.unit.domain.schedule_cases import Case, cases

CASES = cases()
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
# Berlin: no 2:00 to 3:00 on 29 March 2026, two of them on 25 October.
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)


def written(times: list[datetime]) -> list[str]:
    return [time.isoformat() for time in times]


def shown(occurrences: list[Occurrence]) -> list[tuple[str, str]]:
    return [(f"{found.time:%m-%d %H:%M}", found.note) for found in occurrences]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_next_times_are_those_of_the_table(case: Case) -> None:
    expression = ScheduleExpression.parse(case.expression, case.timezone)
    found = expression.next_times(case.after, len(case.times) + case.ends)
    assert written(found) == written(case.times)


@pytest.mark.parametrize("case", [case for case in CASES if len(case.times) > 1], ids=str)
def test_the_time_before_each_time_of_the_table_is_the_one_before_it(case: Case) -> None:
    expression = ScheduleExpression.parse(case.expression, case.timezone)
    start = case.after if expression.kind == "rate" else None
    for earlier, later in pairwise(case.times):
        found = expression.previous_time(later, start=start)
        assert found is not None
        assert found.isoformat() == earlier.isoformat()


def test_the_table_has_at_least_150_lines() -> None:
    assert len({(case.expression, case.after, case.timezone) for case in CASES}) == len(CASES) >= 150


def test_times_are_in_the_zone_of_the_schedule() -> None:
    [found] = ScheduleExpression.parse("cron(0 3 * * ? *)", "Europe/Berlin").next_times(NEW_YEAR, 1)
    assert found.tzinfo == ZoneInfo("Europe/Berlin")


def test_a_time_after_which_others_are_asked_for_may_be_in_any_zone() -> None:
    after = datetime(2026, 1, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert written(ScheduleExpression.parse("cron(0 0 * * ? *)").next_times(after, 1)) == ["2026-01-02T00:00:00+00:00"]


def test_no_times_are_asked_for() -> None:
    assert ScheduleExpression.parse("rate(1 day)").next_times(NEW_YEAR, 0) == []


# Daylight saving in a preview.


def test_a_preview_shows_a_time_that_daylight_saving_skips_beside_those_that_are_counted() -> None:
    expression = ScheduleExpression.parse("cron(30 2 * * ? *)", "Europe/Berlin")
    assert shown(expression.preview(SPRING, 2)) == [
        ("03-29 02:30", "skipped"),
        ("03-30 02:30", ""),
        ("03-31 02:30", ""),
    ]


def test_a_preview_shows_the_first_of_two_equal_times_as_repeated() -> None:
    expression = ScheduleExpression.parse("cron(30 1,2,3 * * ? *)", "Europe/Berlin")
    found = expression.preview(AUTUMN, 3)
    assert shown(found) == [("10-25 01:30", ""), ("10-25 02:30", "repeated"), ("10-25 03:30", "")]
    assert found[1].time.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_skipped_time_does_not_fire_and_all_others_do() -> None:
    found = ScheduleExpression.parse("cron(30 2 * * ? *)", "Europe/Berlin").preview(SPRING, 1)
    assert [one.fires for one in found] == [False, True]


def test_every_skipped_time_of_a_gap_is_shown_in_its_place() -> None:
    found = ScheduleExpression.parse("cron(0/30 1-3 * * ? *)", "Europe/Berlin").preview(SPRING, 4)
    assert shown(found) == [
        ("03-29 01:00", ""),
        ("03-29 01:30", ""),
        ("03-29 02:00", "skipped"),
        ("03-29 02:30", "skipped"),
        ("03-29 03:00", ""),
        ("03-29 03:30", ""),
    ]


def test_a_gap_that_is_past_is_not_shown() -> None:
    after = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 3:00, the first moment after the gap
    found = ScheduleExpression.parse("cron(0/30 2-3 * * ? *)", "Europe/Berlin").preview(after, 1)
    assert shown(found) == [("03-29 03:30", "")]


@pytest.mark.parametrize(("end", "times"), [("00:59", ["01:30"]), ("01:00", ["01:30", "02:00", "02:30", "03:00"])])
def test_skipped_times_are_shown_up_to_the_end_of_the_schedule(end: str, times: list[str]) -> None:
    expression = ScheduleExpression.parse("cron(0/30 1-3 * * ? *)", "Europe/Berlin")
    until = datetime.fromisoformat(f"2026-03-29T{end}:00+00:00")
    found = expression.preview(datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 9, end=until)
    assert [f"{one.time:%H:%M}" for one in found] == times


def test_skipped_times_before_the_start_are_not_shown() -> None:
    expression = ScheduleExpression.parse("cron(0/30 2 * * ? *)", "Europe/Berlin")
    start = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert shown(expression.preview(SPRING, 1, start=start)) == [("03-30 02:00", "")]


def test_an_at_that_does_not_exist_is_shown_as_skipped() -> None:
    expression = ScheduleExpression.parse("at(2026-03-29T02:30:00)", "Europe/Berlin")
    assert shown(expression.preview(SPRING, 1)) == [("03-29 02:30", "skipped")]


def test_a_rate_is_neither_skipped_nor_repeated() -> None:
    expression = ScheduleExpression.parse("rate(30 minutes)", "Europe/Berlin")
    after = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert {found.note for found in expression.preview(after, 10)} == {""}


def test_a_preview_of_what_is_always_skipped_ends() -> None:
    found = ScheduleExpression.parse("cron(30 2 ? 3 1L *)", "Europe/Berlin").preview(NEW_YEAR, 1)
    assert len(found) == 2199 - 2026 + 1
    assert not any(one.fires for one in found)


# Start and end.


def test_a_cron_fires_at_its_start_and_at_its_end_and_not_outside() -> None:
    expression = ScheduleExpression.parse("cron(0 12 * * ? *)")
    start, end = (datetime(2026, 1, day, 12, tzinfo=UTC) for day in (5, 7))
    found = expression.next_times(NEW_YEAR, 9, start=start, end=end)
    assert [time.day for time in found] == [5, 6, 7]


def test_a_second_after_the_start_and_before_the_end_exclude() -> None:
    expression = ScheduleExpression.parse("cron(0 12 * * ? *)")
    start, end = datetime(2026, 1, 5, 12, 0, 1, tzinfo=UTC), datetime(2026, 1, 7, 11, 59, 59, tzinfo=UTC)
    assert [time.day for time in expression.next_times(NEW_YEAR, 9, start=start, end=end)] == [6]


def test_a_start_that_is_past_does_not_bring_times_back() -> None:
    expression = ScheduleExpression.parse("cron(0 12 * * ? *)")
    assert expression.next_times(NEW_YEAR, 1, start=datetime(2020, 1, 1, tzinfo=UTC))[0].day == 1


def test_a_rate_fires_at_its_start_and_counts_from_there() -> None:
    expression = ScheduleExpression.parse("rate(40 minutes)")
    start = datetime(2026, 1, 1, 8, 0, 30, tzinfo=UTC)
    found = expression.next_times(NEW_YEAR, 2, start=start)
    assert written(found) == ["2026-01-01T08:00:30+00:00", "2026-01-01T08:40:30+00:00"]
    assert expression.next_times(start, 1, start=start) == [start + timedelta(minutes=40)]
    later = start + timedelta(days=10_000, minutes=1)
    assert expression.next_times(later, 1, start=start) == [start + timedelta(days=10_000, minutes=40)]


def test_a_rate_ends_at_its_end() -> None:
    expression = ScheduleExpression.parse("rate(1 hour)")
    assert len(expression.next_times(NEW_YEAR, 9, end=NEW_YEAR + timedelta(hours=3))) == 3
    assert len(expression.next_times(NEW_YEAR, 9, end=NEW_YEAR + timedelta(hours=3, seconds=-1))) == 2


def test_an_at_ignores_start_and_end_as_the_service_does() -> None:
    expression = ScheduleExpression.parse("at(2026-06-01T08:00:00)")
    start, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert len(expression.next_times(NEW_YEAR, 2, start=start, end=end)) == 1
    assert expression.previous_time(datetime(2028, 1, 1, tzinfo=UTC), start=start) is not None


# The time before.


def test_the_previous_time_is_strictly_before() -> None:
    expression = ScheduleExpression.parse("cron(0 12 * * ? *)")
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert expression.previous_time(noon) == noon - timedelta(days=1)
    assert expression.previous_time(noon + timedelta(seconds=1)) == noon


def test_there_is_no_previous_time_before_the_start() -> None:
    expression = ScheduleExpression.parse("cron(0 12 * * ? *)")
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert expression.previous_time(noon + timedelta(hours=1), start=noon) == noon
    assert expression.previous_time(noon, start=noon) is None
    assert expression.previous_time(noon + timedelta(hours=1), start=noon + timedelta(seconds=1)) is None


def test_there_is_no_previous_time_before_the_first_year() -> None:
    assert ScheduleExpression.parse("cron(0 0 1 1 ? 2027)").previous_time(NEW_YEAR) is None


def test_a_previous_time_in_the_second_of_two_equal_hours_may_be_later_by_the_clock() -> None:
    expression = ScheduleExpression.parse("cron(0/10 * * * ? *)", "Europe/Berlin")
    found = expression.previous_time(datetime(2026, 10, 25, 1, 15, tzinfo=UTC))  # the second 2:15
    assert found is not None
    assert found.isoformat() == "2026-10-25T02:50:00+02:00"


def test_the_previous_time_of_a_repeated_hour_is_its_first() -> None:
    expression = ScheduleExpression.parse("cron(30 2 * * ? *)", "Europe/Berlin")
    found = expression.previous_time(datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert found is not None
    assert found.isoformat() == "2026-10-25T02:30:00+02:00"


def test_the_previous_time_passes_over_a_gap() -> None:
    expression = ScheduleExpression.parse("cron(30 2 * * ? *)", "Europe/Berlin")
    found = expression.previous_time(datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert found is not None
    assert found.isoformat() == "2026-03-28T02:30:00+01:00"


def test_a_rate_without_start_has_no_previous_time() -> None:
    with pytest.raises(InvalidScheduleError) as refused:
        ScheduleExpression.parse("rate(1 day)").previous_time(NEW_YEAR)
    assert refused.value.field == "start"


@pytest.mark.parametrize(("hours", "expected"), [(-1, None), (0, None), (1, 0), (2, 0), (2.1, 2), (4, 2), (4.1, 4)])
def test_the_previous_time_of_a_rate_counts_from_its_start(hours: float, expected: int | None) -> None:
    found = ScheduleExpression.parse("rate(2 hours)").previous_time(NEW_YEAR + timedelta(hours=hours), start=NEW_YEAR)
    assert found == (None if expected is None else NEW_YEAR + timedelta(hours=expected))


def test_a_rate_says_its_interval_and_the_others_have_none() -> None:
    kinds = ("rate(14 days)", "cron(0 3 * * ? *)", "at(2030-01-01T00:00:00)")
    assert [ScheduleExpression.parse(text).interval for text in kinds] == [timedelta(days=14), None, None]


# Times of every kind.


@pytest.mark.parametrize("text", ["at(2030-01-01T00:00:00)", "rate(1 day)", "cron(0 3 * * ? *)"])
def test_naive_times_are_a_type_error(text: str) -> None:
    expression, naive = ScheduleExpression.parse(text), datetime(2026, 1, 1)
    for call in (
        lambda: expression.next_times(naive, 1),
        lambda: expression.next_times(NEW_YEAR, 1, start=naive),
        lambda: expression.next_times(NEW_YEAR, 1, end=naive),
        lambda: expression.preview(naive, 1),
        lambda: expression.previous_time(naive, start=NEW_YEAR),
        lambda: expression.previous_time(NEW_YEAR, start=naive),
    ):
        with pytest.raises(TypeError, match="time zone"):
            call()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("text", ["at(2199-12-31T23:59:59)", "at(1970-01-01T00:00:00)", "rate(84006 days)",
                                  "rate(1 minute)", "cron(* * * * ? *)", "cron(0 0 29 2 ? *)"])  # fmt: skip
def test_no_time_however_far_overflows(text: str, zone: str) -> None:
    expression = ScheduleExpression.parse(text, zone)
    for edge in (datetime.min, datetime.max):
        for offset in ("UTC", "Asia/Tokyo", "America/New_York"):
            far = edge.replace(tzinfo=ZoneInfo(offset))
            expression.next_times(far, 1)
            expression.next_times(NEW_YEAR, 1, start=far)
            expression.next_times(NEW_YEAR, 1, end=far)
            expression.previous_time(far, start=NEW_YEAR)
            expression.previous_time(NEW_YEAR, start=far)


def test_far_and_rare_times_are_found_fast() -> None:
    began = clock.perf_counter()
    for text in ("cron(0 0 29 2 ? 2196)", "cron(0 0 ? 2 1#5 2184-2199)", "cron(0 0 1 1 ? 1970)", "rate(1 minute)"):
        ScheduleExpression.parse(text).next_times(NEW_YEAR, 1, start=datetime(1971, 1, 1, tzinfo=UTC))
    assert clock.perf_counter() - began < 0.05


# Refusals.

REFUSED = [
    # The kinds.
    ("", "is no at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 3 * * ? *)"),
    ("daily", "is no at("),
    ("@daily", "is of Unix: write cron(0 0 * * ? *)"),
    ("@hourly", "write cron(0 * * * ? *)"),
    ("@reboot", "is no at("),
    ("0 3 * * *", "write cron(…) around the fields"),
    ("0 3 * * ? *", "write cron(…) around the fields"),
    ("Cron(0 3 * * ? *)", "is no at("),
    ("cron(0 3 * * ? *", "is no at("),
    (" rate(1 day)", "is no at("),
    ("rate(1 day) ", "is no at("),
    ("rate(1 day)\n", "is no at("),
    ("cron(0 3 * * ? *)rate(1 day)", "is no at("),
    ("every(5 minutes)", "is no at("),
    ("rate(" + "9" * 260 + " days)", "271 characters, more than the 256"),
    # At.
    ("at()", "is not at(yyyy-mm-ddThh:mm:ss)"),
    ("at(2030-01-01)", "is not at("),
    ("at(2030-01-01T08:00)", "is not at("),
    ("at(2030-01-01 08:00:00)", "with T"),
    ("at(2030-01-01T08:00:00Z)", "no zone or offset: the time zone goes into timezone"),
    ("at(2030-01-01T08:00:00+01:00)", "goes into timezone"),
    ("at(2030-01-01T08:00:00.500)", "without a fraction"),
    ("at(2030-02-30T08:00:00)", "is no date and time: day"),
    ("at(2030-13-01T08:00:00)", "month"),
    ("at(2030-01-01T24:00:00)", "hour"),
    ("at(2030-01-01T08:00:60)", "second"),
    ("at(1969-12-31T23:59:59)", "the year is not 1970 to 2199"),
    ("at(2200-01-01T00:00:00)", "the year is not 1970 to 2199"),
    ("at(0000-01-01T00:00:00)", "year"),
    ("at(\uff12\uff10\uff13\uff10-01-01T08:00:00)", "is not at("),
    # Rate.
    ("rate()", "is not a positive whole number"),
    ("rate(5)", "is not a positive whole number"),
    ("rate(5minutes)", "one space"),
    ("rate(5  minutes)", "one space"),
    ("rate(0 minutes)", "is not a positive whole number"),
    ("rate(-5 minutes)", "is not a positive whole number"),
    ("rate(1.5 hours)", "is not a positive whole number"),
    ("rate(05 minutes)", "is not a positive whole number"),
    ("rate(five minutes)", "is not a positive whole number"),
    ("rate(5 Minutes)", "is not a positive whole number"),
    ("rate(1 week)", "one week is rate(7 days)"),
    ("rate(2 weeks)", "weeks are no unit of AWS; 2 weeks are rate(14 days)"),
    ("rate(30 seconds)", "nothing fires more than once a minute"),
    ("rate(1 month)", "write a cron such as cron(0 3 1 * ? *)"),
    ("rate(1 year)", "write a cron such as cron(0 3 1 1 ? *)"),
    ("rate(5 minutess)", "minutess is no unit: minutes, hours or days are"),
    ("rate(84007 days)", "is longer than the calendar"),
    ("rate(" + "9" * 200 + " minutes)", "is longer than the calendar"),
    # The number of fields.
    ("cron()", "has 0 fields"),
    ("cron(banana)", "has 1 fields; AWS has 6: minutes, hours, day-of-month, month, day-of-week, year"),
    ("cron(0 3 * * *)", "has 5 fields, as the cron of Unix has"),
    ("cron(0 0 3 * * ? *)", "There are no seconds: nothing fires more than once a minute"),
    ("cron(0 3 * * ? * * *)", "has 8 fields"),
    ("cron(0  3 * * ? *)", "one space"),
    ("cron( 0 3 * * ? *)", "one space"),
    ("cron(0 3 * * ? * )", "one space"),
    ("cron(0\t3 * * ? *)", "one space"),
    # The two fields of days.
    ("cron(0 3 * * * *)", "write ? instead of * into day-of-month"),
    ("cron(0 3 1 * * *)", "write ? instead of * into day-of-week"),
    ("cron(0 3 * * MON *)", "write ? instead of * into day-of-month"),
    ("cron(0 3 1 * MON *)", "write ? into one"),
    ("cron(0 3 ? * ? *)", "are both ?"),
    # Minutes and hours.
    ("cron(60 * * * ? *)", "minutes: '60' is not 0 to 59"),
    ("cron(-1 * * * ? *)", "minutes: a value is missing"),
    ("cron(0- * * * ? *)", "minutes: a value is missing"),
    ("cron(1-2-3 * * * ? *)", "minutes: '2-3' is not 0 to 59"),
    ("cron(000 * * * ? *)", "minutes: '000' is not"),
    ("cron(1.5 * * * ? *)", "minutes: '1.5' is not"),
    ("cron(5, * * * ? *)", "minutes: a value is missing"),
    ("cron(,5 * * * ? *)", "minutes: a value is missing"),
    ("cron(*,5 * * * ? *)", "minutes: *,5: * is every value already"),
    ("cron(*-5 * * * ? *)", "minutes: '*' is not 0 to 59"),
    ("cron(5-* * * * ? *)", "minutes: '*' is not 0 to 59"),
    ("cron(*/0 * * * ? *)", "minutes: */0: what follows / is 1 to 60, and counts anew in each hour"),
    ("cron(*/90 * * * ? *)", "for an interval longer than that write rate(90 minutes)"),
    ("cron(*/ * * * ? *)", "minutes: */: what follows / is 1 to 60"),
    ("cron(/5 * * * ? *)", "minutes: a value is missing"),
    ("cron(*/5/5 * * * ? *)", "what follows / is 1 to 60"),
    ("cron(*/-5 * * * ? *)", "what follows / is 1 to 60"),
    ("cron(? * * * ? *)", "minutes: ? stands alone, in day-of-month or day-of-week"),
    ("cron(L * * * ? *)", "minutes: 'L' is not"),
    ("cron(\u0663 * * * ? *)", "has characters other than 0-9 A-Z"),
    ("cron(0 24 * * ? *)", "hours: '24' is not 0 to 23"),
    ("cron(0 */36 * * ? *)", "write rate(36 hours)"),
    ("cron(0 3AM * * ? *)", "hours: '3AM' is not"),
    ("cron(0 " + "9" * 100 + " * * ? *)", "hours"),
    # Days of the month.
    ("cron(0 0 0 * ? *)", "day-of-month: '0' is not 1 to 31"),
    ("cron(0 0 32 * ? *)", "day-of-month: '32' is not 1 to 31"),
    ("cron(0 0 WL * ? *)", "day-of-month: WL is nothing that AWS documents"),
    ("cron(0 0 L-3 * ? *)", "day-of-month: L-3 is nothing that AWS documents"),
    ("cron(0 0 W * ? *)", "day-of-month: W is nothing that AWS documents"),
    ("cron(0 0 5L * ? *)", "day-of-month: 5L is nothing that AWS documents"),
    ("cron(0 0 1,L * ? *)", "make a schedule of its own for each"),
    ("cron(0 0 1W,15W * ? *)", "make a schedule of its own for each"),
    ("cron(0 0 1-5W * ? *)", "stand alone"),
    ("cron(0 0 0W * ? *)", "day-of-month: '0' is not 1 to 31"),
    ("cron(0 0 32W * ? *)", "day-of-month: '32' is not 1 to 31"),
    ("cron(0 0 1,? * MON *)", "write ? into one"),
    ("cron(0 0 MON * ? *)", "day-of-month: 'MON' is not"),
    ("cron(0 0 */45 * ? *)", "write rate(45 days)"),
    # Months.
    ("cron(0 0 1 0 ? *)", "month: '0' is not 1 to 12 or JAN to DEC"),
    ("cron(0 0 1 13 ? *)", "month: '13' is not"),
    ("cron(0 0 1 JANUARY ? *)", "month: 'JANUARY' is not"),
    ("cron(0 0 1 ? 2 *)", "write ? into one"),
    ("cron(0 0 ? ? 2 *)", "month: ? stands alone, in day-of-month or day-of-week"),
    ("cron(0 0 1 */13 ? *)", "month: */13: what follows / is 1 to 12, and counts anew in each year"),
    # Days of the week.
    ("cron(0 0 ? * 0 *)", "day-of-week: 0 is no day of the week here: the week is 1 (SUN) to 7 (SAT)"),
    ("cron(0 0 ? * 0-4 *)", "0 is no day of the week here"),
    ("cron(0 0 ? * 8 *)", "day-of-week: '8' is not 1 to 7 or SUN to SAT"),
    ("cron(0 0 ? * 01 *)", "day-of-week: '01' is not"),
    ("cron(0 0 ? * MONDAY *)", "day-of-week: 'MONDAY' is not"),
    ("cron(0 0 ? * 2/2 *)", "AWS has no / here. Name the days"),
    ("cron(0 0 ? * */2 *)", "AWS has no / here"),
    ("cron(0 0 ? * 3#1,6#3 *)", "an expression with # stands alone"),
    ("cron(0 0 ? * 2,3#1 *)", "an expression with # stands alone"),
    ("cron(0 0 ? * 3#6 *)", "what follows # is 1 to 5"),
    ("cron(0 0 ? * 3#0 *)", "what follows # is 1 to 5"),
    ("cron(0 0 ? * 3# *)", "what follows # is 1 to 5"),
    ("cron(0 0 ? * #2 *)", "day-of-week: a value is missing"),
    ("cron(0 0 ? * 8#2 *)", "day-of-week: '8' is not"),
    ("cron(0 0 ? * 0#2 *)", "0 is no day of the week here"),
    ("cron(0 0 ? * 3#2#1 *)", "stands alone"),
    ("cron(0 0 ? * L-2 *)", "day-of-week: L-2 is nothing that AWS documents"),
    ("cron(0 0 ? * 2,6L *)", "make a schedule of its own for each"),
    ("cron(0 0 ? * 8L *)", "day-of-week: '8' is not"),
    ("cron(0 0 ? * LL *)", "day-of-week: 'L' is not"),
    ("cron(0 0 ? * fr\u0131 *)", "has characters other than 0-9 A-Z"),
    ("cron(0 0 ? * 5W *)", "day-of-week: '5W' is not"),
    # Years.
    ("cron(0 0 1 1 ? 1969)", "year: '1969' is not 1970 to 2199"),
    ("cron(0 0 1 1 ? 2200)", "year: '2200' is not 1970 to 2199"),
    ("cron(0 0 1 1 ? 26)", "year: '26' is not 1970 to 2199"),
    ("cron(0 0 1 1 ? 2030-2025)", "year: the range 2030-2025 ends before it begins"),
    ("cron(0 0 1 1 ? */231)", "year: */231: what follows / is 1 to 230"),
    ("cron(0 3 * * ? $)", "year: '$' is not"),
    # What never comes.
    ("cron(0 0 31 FEB ? *)", "can never fire: no FEB of the year * has the day 31"),
    ("cron(0 0 30,31 2 ? *)", "can never fire"),
    ("cron(0 0 31 APR,JUN,SEP,NOV ? *)", "can never fire"),
    ("cron(0 0 31W 4 ? *)", "can never fire"),
    ("cron(0 0 29 2 ? 2027)", "can never fire: no 2 of the year 2027 has the day 29"),
    ("cron(0 0 29 2 ? 2100)", "can never fire"),
    ("cron(0 0 ? 2 1#5 2026-2031)", "can never fire: no 2 of the year 2026-2031 has the day 1#5"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_the_service_would_refuse_is_refused_with_what_to_do(text: str, reason: str) -> None:
    with pytest.raises(InvalidScheduleError) as refused:
        ScheduleExpression.parse(text)
    assert refused.value.field == "schedule_expression"
    assert reason in refused.value.reason


def test_a_refusal_names_the_expression() -> None:
    with pytest.raises(InvalidScheduleError, match=r"cron\(60 \* \* \* \? \*\): minutes"):
        ScheduleExpression.parse("cron(60 * * * ? *)")


def test_control_characters_do_not_reach_a_terminal() -> None:
    with pytest.raises(InvalidScheduleError) as refused:
        ScheduleExpression.parse("cron(\x1b[31m * * * ? *)")
    assert str(refused.value).isprintable()


# Time zones.


@pytest.mark.parametrize(
    "name",
    ["", "Europe/Bonn", "../etc/passwd", "/etc/localtime", "Europe", "GMT+1", "+01:00", "posix/UTC", "right/UTC",
     "localtime", "Factory", "Europe/Berlin\0", "x" * 51, "Ünïcode/Zone", "Europe//Berlin"],
)  # fmt: skip
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidScheduleError) as refused:
        ScheduleExpression.parse("rate(1 day)", name)
    assert refused.value.field == "timezone"
    with pytest.raises(InvalidScheduleError):
        check_timezone(name)


def test_a_time_zone_in_other_letters_is_answered_with_the_right_ones() -> None:
    with pytest.raises(InvalidScheduleError, match=r"Europe/Berlin is$"):
        check_timezone("europe/BERLIN")


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ZoneInfo:
        raise LookupError(name)

    monkeypatch.setattr(schedules, "ZoneInfo", missing)
    monkeypatch.setattr(schedules, "available_timezones", set)


@pytest.mark.usefixtures("no_database")
def test_a_system_without_time_zone_database_says_so() -> None:
    with pytest.raises(InvalidScheduleError, match=r"no time zone database\. Install the package tzdata") as refused:
        ScheduleExpression.parse("rate(1 day)", "Europe/Berlin")
    assert refused.value.field == "timezone"


@pytest.mark.usefixtures("no_database")
def test_utc_needs_no_time_zone_database() -> None:
    assert ScheduleExpression.parse("cron(0 3 * * ? *)").next_times(NEW_YEAR, 1) == [
        datetime(2026, 1, 1, 3, tzinfo=UTC)
    ]


# Rates from a value and a unit; times.


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5, "minutes", "rate(5 minutes)"),
        (1, "minute", "rate(1 minute)"),
        (1, "minutes", "rate(1 minute)"),
        (5, "minute", "rate(5 minutes)"),
        (1, "hours", "rate(1 hour)"),
        (2, "day", "rate(2 days)"),
        (1, "week", "rate(7 days)"),
        (2, "weeks", "rate(14 days)"),
    ],
)
def test_a_rate_is_written_of_value_and_unit(value: int, unit: str, text: str) -> None:
    assert rate_text(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "field", "reason"),
    [
        (0, "minutes", "value", "0 is not a positive whole number"),
        (-1, "minutes", "value", "positive"),
        (True, "minutes", "value", "True is not"),
        (1.5, "hours", "value", "1.5 is not"),
        ("5", "hours", "value", "'5' is not"),
        (5, "fortnights", "unit", "fortnights is no unit: minutes, hours, days or weeks are"),
        (5, "", "unit", "is no unit"),
        (5, "Minutes", "unit", "is no unit"),
        (5, "seconds", "unit", "nothing fires more than once a minute"),
        (1, "months", "unit", "write a cron such as"),
        (12_001, "weeks", "schedule_expression", "is longer than the calendar"),
        (10**300, "days", "schedule_expression", "more than the 256"),
    ],
)
def test_a_rate_of_a_bad_value_or_unit_is_refused_with_its_field(
    value: int, unit: str, field: str, reason: str
) -> None:
    with pytest.raises(InvalidScheduleError) as refused:
        rate_text(value, unit)
    assert refused.value.field == field
    assert reason in refused.value.reason


def test_a_time_needs_an_offset() -> None:
    assert parse_time("2030-01-31T08:00:00Z", "start") == datetime(2030, 1, 31, 8, tzinfo=UTC)
    for text in ("2030-01-31T08:00:00", "tomorrow", ""):
        with pytest.raises(InvalidScheduleError) as refused:
            parse_time(text, "start")
        assert refused.value.field == "start"


def test_equal_expressions_in_equal_zones_are_equal() -> None:
    one, same = (ScheduleExpression.parse("rate(1 day)", "Europe/Berlin") for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    assert one != ScheduleExpression.parse("rate(1 day)")
