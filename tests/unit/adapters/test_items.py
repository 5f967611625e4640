"""Items, times and large texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.adapters.items import (
    MAX_CHUNK_BYTES,
    MAX_PLAIN_BYTES,
    Value,
    chunks_of,
    from_item,
    moment,
    pack,
    size_of,
    stamp,
    to_item,
    unpack,
)


def test_every_kind_of_field_comes_back() -> None:
    fields: dict[str, Value | None] = {
        "text": "käse",
        "empty": "",
        "number": -7,
        "yes": True,
        "no": False,
        "data": b"\x00\xff",
    }
    assert from_item(to_item(fields)) == fields
    assert to_item({"yes": True, "one": 1}) == {"yes": {"BOOL": True}, "one": {"N": "1"}}


def test_fields_that_are_none_are_left_out() -> None:
    assert to_item({"a": None, "b": "x"}) == {"b": {"S": "x"}}


def test_lone_surrogates_are_replaced_because_utf_8_cannot_carry_them() -> None:
    assert to_item({"a": "x\ud800y"}) == {"a": {"S": "x?y"}}


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=50)
def test_stamps_sort_as_times_do_and_come_back(one: datetime, other: datetime) -> None:
    assert moment(stamp(one)) == one
    assert (stamp(one) < stamp(other)) is (one < other)


def test_a_stamp_is_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert stamp(datetime(2026, 6, 1, 1, 0, tzinfo=berlin)) == "2026-05-31T23:00:00.000000Z"


@pytest.mark.parametrize("length", [0, 1, MAX_PLAIN_BYTES, MAX_PLAIN_BYTES + 1, 1_000_000])
def test_texts_of_any_length_come_back(length: int) -> None:
    assert unpack(pack("x" * length)) == "x" * length


def test_a_small_text_stays_readable_and_a_large_one_gets_smaller() -> None:
    assert pack("readable") == "readable"
    assert len(pack("x" * (MAX_PLAIN_BYTES + 1))) < 1000


@pytest.mark.parametrize(("length", "count"), [(0, 1), (1, 1), (MAX_CHUNK_BYTES, 1), (MAX_CHUNK_BYTES + 1, 2)])
def test_data_is_cut_into_chunks_that_fit(length: int, count: int) -> None:
    data = bytes(length)
    chunks = chunks_of(data)
    assert len(chunks) == count
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= MAX_CHUNK_BYTES


def test_the_size_of_an_item_counts_names_and_bytes() -> None:
    assert size_of(to_item({"ab": "ä", "c": b"123"})) == 2 + 2 + 1 + 3
