"""Reading a schedule as people write it: when, what it starts, and everything that is wrong at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_forms import SCHEDULE_KEYS, check_schedule, wanted_schedule
from pipeline_triggers.domain.schedule_plans import StartsPipeline, WantedSchedule, name_for
from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.errors import InvalidInputError

HOME = Home("aws", "123456789012", "us-east-1")
TRAIN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
OTHER = "arn:aws:sagemaker:eu-west-1:210987654321:pipeline/other"


def read(**document: Any) -> WantedSchedule:
    return wanted_schedule({"name": "nightly", "pipeline": "churn-train"} | document, HOME, "app")


def problems(**document: Any) -> list[str]:
    """The fields that are refused."""
    with pytest.raises(InvalidInputError) as raised:
        read(**document)
    return [problem.field for problem in raised.value.problems]


def message(**document: Any) -> str:
    with pytest.raises(InvalidInputError) as raised:
        read(**document)
    return str(raised.value)


# When


@pytest.mark.parametrize(
    ("document", "expression"),
    [
        ({"schedule_expression": "rate(5 minutes)"}, "rate(5 minutes)"),
        ({"schedule_expression": "cron(0 3 * * ? *)"}, "cron(0 3 * * ? *)"),
        ({"schedule_expression": "at(2030-01-31T08:00:00)"}, "at(2030-01-31T08:00:00)"),
        ({"rate": "5 minutes"}, "rate(5 minutes)"),
        ({"rate": "5 minute"}, "rate(5 minutes)"),
        ({"rate": "1 hours"}, "rate(1 hour)"),
        ({"rate": "2 weeks"}, "rate(14 days)"),
        ({"rate": "  5   minutes "}, "rate(5 minutes)"),
        ({"rate": (5, "minutes")}, "rate(5 minutes)"),
        ({"rate": ["5", "minutes"]}, "rate(5 minutes)"),
        ({"cron": "0 3 * * ? *"}, "cron(0 3 * * ? *)"),
        ({"cron": "cron(0 3 * * ? *)"}, "cron(0 3 * * ? *)"),
        ({"at": "2030-01-31T08:00:00"}, "at(2030-01-31T08:00:00)"),
        ({"at": "2030-01-31 08:00"}, "at(2030-01-31T08:00:00)"),
        ({"at": "2030-01-31T08:00:00Z"}, "at(2030-01-31T08:00:00)"),
        ({"at": "2030-01-31T08:00:00.999+01:00"}, "at(2030-01-31T07:00:00)"),
        ({"at": "2030-07-31T08:00:00Z", "timezone": "Europe/Berlin"}, "at(2030-07-31T10:00:00)"),
        ({"at": "2030-07-31T08:00:00", "timezone": "Europe/Berlin"}, "at(2030-07-31T08:00:00)"),
        ({"at": datetime(2023, 12, 13, 10, 15, 20)}, "at(2023-12-13T10:15:20)"),
        ({"at": datetime(2030, 1, 31, 23, tzinfo=ZoneInfo("America/New_York"))}, "at(2030-02-01T04:00:00)"),
    ],
)
def test_when_can_be_said_in_four_ways(document: dict[str, Any], expression: str) -> None:
    assert read(**document).expression == expression


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"schedule_expression": "banana"}, "schedule_expression"),
        ({"schedule_expression": 5}, "schedule_expression"),
        ({"schedule_expression": ""}, "schedule_expression"),
        ({"rate": "5minutes"}, "rate"),
        ({"rate": "five minutes"}, "rate"),
        ({"rate": "\u0665 minutes"}, "rate"),
        ({"rate": "-5 minutes"}, "rate"),
        ({"rate": "5 minutes 3"}, "rate"),
        ({"rate": "1 month"}, "rate"),
        ({"rate": ""}, "rate"),
        ({"rate": 5}, "rate"),
        ({"rate": "9" * 5000 + " minutes"}, "rate"),
        ({"rate": (10**5000, "minutes")}, "rate"),
        ({"rate": (5, 5)}, "rate"),
        ({"cron": "0 3 * * *"}, "cron"),
        ({"cron": "@daily"}, "cron"),
        ({"cron": ["0", "3"]}, "cron"),
        ({"at": "tomorrow"}, "at"),
        ({"at": "2030-02-30T08:00:00"}, "at"),
        ({"at": "1969-12-31T23:59:59"}, "at"),
        ({"at": 1_900_000_000}, "at"),
        ({"at": "0001-01-01T00:00:00+01:00", "timezone": "America/New_York"}, "at"),
        ({"at": "\x00"}, "at"),
    ],
)
def test_what_says_no_time_is_refused_by_its_field(document: dict[str, Any], field: str) -> None:
    assert problems(**document) == [field]


def test_one_of_the_four_says_when() -> None:
    assert "nothing says when" in message()
    assert "at and cron say when" in message(at="2030-01-31T08:00:00", cron="0 3 * * ? *")


def test_a_moment_without_a_time_zone_is_said_in_utc_and_a_time_of_the_clock_leaves_the_zone_open() -> None:
    assert read(at="2030-01-31T08:00:00+01:00").timezone == "UTC"
    assert read(at="2030-01-31T08:00:00").timezone is None
    assert read(cron="0 3 * * ? *").timezone is None


def test_the_second_of_an_hour_that_the_clocks_show_twice_is_refused_with_what_to_do() -> None:
    told = message(at="2030-10-27T01:30:00Z", timezone="Europe/Berlin")
    assert "show 2030-10-27 02:30 twice" in told
    assert "leave out the time zone" in told
    assert read(at="2030-10-27T00:30:00Z", timezone="Europe/Berlin").expression == "at(2030-10-27T02:30:00)"


@given(
    moment=st.datetimes(datetime(1980, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC)),
    offset=st.integers(-14 * 60, 14 * 60),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
@settings(max_examples=100)
def test_a_moment_fires_at_that_moment_in_whatever_zone_it_is_written(moment: datetime, offset: int, zone: str) -> None:
    said = moment.replace(second=0, microsecond=0).astimezone(timezone(timedelta(minutes=offset)))
    try:
        wanted = read(at=said.isoformat(), timezone=zone)
    except InvalidInputError as error:
        assert "twice" in str(error)  # noqa: PT017 - the one moment that cannot be said
        return
    when = ScheduleExpression.parse(wanted.expression, zone)
    assert [time.astimezone(UTC) for time in when.next_times(said - timedelta(days=2), 2)] == [said.astimezone(UTC)]


@given(
    st.dictionaries(
        st.sampled_from(SCHEDULE_KEYS),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.datetimes()
        | st.lists(st.integers() | st.text(max_size=5), max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), st.text(max_size=5) | st.integers(), max_size=3),
    )
)
@settings(max_examples=200)
def test_whatever_is_written_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        wanted_schedule(document, HOME, "app")
    except InvalidInputError as error:
        assert error.problems  # noqa: PT017 - either way is right


# What, and how


def test_a_pipeline_is_named_or_given_by_its_arn() -> None:
    assert read(rate="1 day").target == StartsPipeline(TRAIN)
    assert read(rate="1 day", pipeline=OTHER).target == StartsPipeline(OTHER)


@pytest.mark.parametrize("pipeline", [None, "", "-x", "a b", 5, "x" * 257, "arn:aws:s3:::bucket"])
def test_what_is_no_pipeline_is_refused(pipeline: object) -> None:
    assert problems(rate="1 day", pipeline=pipeline) == ["pipeline"]


def test_a_group_is_the_one_that_is_given_else_the_default() -> None:
    assert (read(rate="1 day").group, read(rate="1 day", group="team").group) == ("app", "team")


def test_a_name_is_made_of_pipeline_expression_and_zone_when_none_is_given() -> None:
    made = wanted_schedule({"pipeline": TRAIN, "cron": "0 3 * * ? *"}, HOME, "app")
    assert made.name == name_for("churn-train", "cron(0 3 * * ? *)", "UTC")
    zoned = wanted_schedule({"pipeline": TRAIN, "cron": "0 3 * * ? *", "timezone": "Asia/Tokyo"}, HOME, "app")
    assert zoned.name != made.name


def test_sdk_3_a_name_that_is_made_of_a_long_pipeline_name_is_short_enough() -> None:
    assert len(wanted_schedule({"pipeline": "p" * 256, "rate": "1 day"}, HOME, "app").name) == 64


def test_start_and_end_are_moments() -> None:
    made = read(rate="1 day", start="2030-01-31T08:00:00Z", end=datetime(2031, 1, 1, tzinfo=UTC))
    assert (made.start, made.end) == (datetime(2030, 1, 31, 8, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("value", ["2030-01-31T08:00:00", datetime(2030, 1, 31), "soon", 5, ""])
@pytest.mark.parametrize("key", ["start", "end"])
def test_a_start_or_end_that_is_no_moment_is_refused(key: str, value: object) -> None:
    assert problems(rate="1 day", **{key: value}) == [key]


def test_the_end_comes_after_the_start() -> None:
    assert problems(rate="1 day", start="2030-01-02T00:00:00Z", end="2030-01-02T01:00:00+01:00") == ["end"]


def test_a_key_with_none_is_not_mentioned() -> None:
    nothing = dict.fromkeys(SCHEDULE_KEYS)
    assert wanted_schedule(nothing | {"name": "x", "pipeline": "churn-train", "rate": "1 day"}, HOME, "app") == (
        WantedSchedule("x", "app", "rate(1 day)", StartsPipeline(TRAIN))
    )


def test_no_parameters_is_not_the_same_as_none_mentioned() -> None:
    assert read(rate="1 day", parameters={}).target == StartsPipeline(TRAIN, {})
    assert read(rate="1 day").target == StartsPipeline(TRAIN, None)


@pytest.mark.parametrize("value", ["$.detail.key", "$[0]", "s3://<$.detail.key>/x"])
def test_a_parameter_that_reads_from_an_event_is_refused_with_the_way_to_have_one(value: str) -> None:
    assert "via: app" in message(rate="1 day", parameters={"Key": value})


@pytest.mark.parametrize("value", ["$5", "a$.b", "<aws.scheduler.scheduled-time>", "<$", " "])
def test_a_text_that_only_looks_like_a_path_is_sent_as_it_is(value: str) -> None:
    assert read(rate="1 day", parameters={"Key": value}).target == StartsPipeline(TRAIN, {"Key": value})


def test_a_name_of_a_parameter_that_is_no_text_is_refused() -> None:
    assert problems(rate="1 day", parameters={5: "x", None: "x"}) == ["parameters.5", "parameters.None"]


def test_a_key_that_is_not_known_is_told_with_the_one_that_was_meant() -> None:
    assert "Did you mean timezone?" in message(rate="1 day", time_zone="UTC")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {"cron": "banana", "timezone": "Mars", "state": "OFF", "max_attempts": 999, "group": "a/b"}
    assert sorted(problems(**wrong)) == ["cron", "group", "max_attempts", "state", "timezone"]


def test_a_schedule_can_be_judged_before_its_pipeline_is_known() -> None:
    check_schedule({"rate": "1 day"})
    with pytest.raises(InvalidInputError, match="rate"):
        check_schedule({"rate": "1 month"})
