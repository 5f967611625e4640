"""The conditions of a pattern, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.domain.pattern_fields import MAX_NAMED, alternatives, concerns, described, limited
from pipeline_triggers.domain.patterns import EventPattern

BUCKET = ("detail", "bucket", "name")


def test_a_pattern_without_or_is_one_alternative_by_path() -> None:
    pattern = EventPattern({"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}, "object.key": ["a"]}})
    assert alternatives(pattern) == [
        {("source",): ["aws.s3"], BUCKET: ["raw"], ("detail", "object", "key"): ["a"]},
    ]


def test_or_is_spelt_out_wherever_it_stands() -> None:
    pattern = EventPattern({"source": ["s"], "detail": {"$or": [{"a": [1]}, {"$or": [{"b": [2]}, {"c": [3]}]}]}})
    assert alternatives(pattern) == [
        {("source",): ["s"], ("detail", "a"): [1]},
        {("source",): ["s"], ("detail", "b"): [2]},
        {("source",): ["s"], ("detail", "c"): [3]},
    ]


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("raw", "raw"),
        (1, "1"),
        (True, "true"),
        (None, "null"),
        ({"prefix": "in/"}, "in/*"),
        ({"suffix": ".csv"}, "*.csv"),
        ({"prefix": {"equals-ignore-case": "in/"}}, "in/*"),
        ({"wildcard": "in/*.csv"}, "in/*.csv"),
        ({"equals-ignore-case": "raw"}, "raw"),
        ({"exactly": "raw"}, "raw"),
        ({"cidr": "10.0.0.0/8"}, "10.0.0.0/8"),
        ({"exists": True}, "exists"),
        ({"exists": False}, "is absent"),
        ({"numeric": [">", 0, "<=", 5]}, "> 0 <= 5"),
        ({"anything-but": "a"}, "not a"),
        ({"anything-but": [1, 2]}, "not 1 or 2"),
        ({"anything-but": {"prefix": ["a", "b"]}}, "not a* or b*"),
        ({"anything-but": {"wildcard": "*.tmp"}}, "not *.tmp"),
        ({"anything-but": {"equals-ignore-case": ["a"]}}, "not a"),
    ],
)
def test_an_entry_is_told_in_a_word(entry: Any, word: str) -> None:
    EventPattern({"field": [entry]})  # it is one that EventBridge accepts
    assert described(entry) == word


def test_of_many_texts_only_the_first_are_told() -> None:
    texts = [str(number) for number in range(MAX_NAMED + 3)]
    assert limited(texts[:MAX_NAMED]) == "0 or 1 or 2 or 3 or 4 or 5"
    assert limited(texts, ", ") == "0, 1, 2, 3, 4, 4 more"


@pytest.mark.parametrize(
    ("pattern", "may"),
    [
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}, "object": {"key": ["only"]}}}, True),
        ({"source": ["aws.s3"], "detail": {"bucket": {"name": [{"prefix": "r"}]}}}, True),
        ({"detail": {"bucket": {"name": ["other"]}}}, False),
        ({"source": ["aws.sns"]}, False),
        ({"detail-type": ["Object Created"]}, True),
        ({"$or": [{"source": ["aws.sns"]}, {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}}}]}, True),
        ({"$or": [{"source": ["aws.sns"]}, {"detail": {"bucket": {"name": ["other"]}}}]}, False),
    ],
)
def test_a_pattern_may_match_when_the_fields_that_are_known_do(pattern: dict[str, Any], may: bool) -> None:
    event = {"source": "aws.s3", "detail": {"bucket": {"name": "raw"}}}
    assert concerns(EventPattern(pattern), event, ("source",), BUCKET) == may
