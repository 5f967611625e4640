"""Times of whatever form become milliseconds, so that one occurrence has one key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.times import milliseconds


@pytest.mark.parametrize(
    "time",
    [
        1592411994287,
        1592411994287.0,
        "1592411994287",
        "1592411994287.0",
        1592411994.287,
        "1592411994.287",
        "2020-06-17T16:39:54.287Z",
        "2020-06-17T16:39:54.287999999Z",
        "2020-06-17T16:39:54,287Z",
        "2020-06-17 16:39:54.287",
        "2020-06-17T16:39:54.287+0000",
        "2020-06-17T16:39:54.287+00:00",
        "2020-06-17T18:39:54.287+0200",
        "2020-06-17T11:09:54.287-05:30",
        "2020-06-17t16:39:54.287z",
    ],
)
def test_every_form_of_one_time_is_the_same_milliseconds(time: object) -> None:
    assert milliseconds(time) == 1592411994287


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2019-10-02T17:04:40.989+0000", 1570035880989),
        ("2022-12-03T00:09:44.893854735Z", 1670026184893),
        ("2021-02-24T17:00:14Z", 1614186014000),
        ("2021-02-24T17:00:14.5Z", 1614186014500),
        ("1583831889050", 1583831889050),
        (1583831889, 1583831889000),
        ("1969-12-31T23:59:59.250Z", -750),
        (0, 0),
    ],
)
def test_times_as_aws_writes_them(time: object, expected: int) -> None:
    assert milliseconds(time) == expected


@pytest.mark.parametrize(
    "time",
    [
        None,
        True,
        "",
        "Timestamp",
        "tomorrow",
        -1,
        10**15,
        float("nan"),
        float("inf"),
        1e300,
        "1e9",
        "9" * 400,
        "2021-02-30T00:00:00Z",
        "2021-02-24",
        "2021-02-24T25:00:00Z",
        "2021-02-24T17:00:14+99:99",
        "٢٠٢١-٠٢-٢٤T17:00:14Z",
        {},
        [1592411994287],
    ],
)
def test_what_is_no_time_is_none(time: object) -> None:
    assert milliseconds(time) is None


def test_a_number_that_python_would_not_write_is_none() -> None:
    assert milliseconds(10**5000) is None


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
@settings(max_examples=100)
def test_text_and_number_of_one_time_agree_in_every_zone(moment: datetime, offset: int) -> None:
    moment = moment.replace(tzinfo=UTC)
    there = moment + timedelta(minutes=offset)
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    text = f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond:06d}{sign}{minutes // 60:02d}{minutes % 60:02d}"
    assert milliseconds(text) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()))
@settings(max_examples=200)
def test_no_value_raises(value: object) -> None:
    assert milliseconds(value) is None or isinstance(milliseconds(value), int)
