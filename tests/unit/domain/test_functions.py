"""The functions of templates, row by row of their tables."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.functions import FUNCTIONS
from pipeline_triggers.errors import MalformedEventError


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        ("basename", "in/2026/churn.csv", "churn.csv"),
        ("basename", "churn.csv", "churn.csv"),
        ("basename", "in/2026/", ""),
        ("basename", "s3://raw-data/in/a b.csv", "a b.csv"),
        ("basename", "in\\2026\\churn.csv", "in\\2026\\churn.csv"),
        ("dirname", "in/2026/churn.csv", "in/2026"),
        ("dirname", "churn.csv", ""),
        ("dirname", "in/2026/", "in/2026"),
        ("dirname", "in//churn.csv", "in/"),
        ("stem", "in/2026/churn.csv", "churn"),
        ("stem", "in/churn.tar.gz", "churn.tar"),
        ("stem", "in/.env", ".env"),
        ("stem", "v1.2/README", "README"),
        ("stem", "in/", ""),
        ("suffix", "in/churn.CSV", ".CSV"),
        ("suffix", "in/churn.tar.gz", ".gz"),
        ("suffix", "v1.2/README", ""),
        ("suffix", "in/.env", ""),
        ("lower", "In/ÄPFEL.CSV", "in/äpfel.csv"),
        ("upper", "in/äpfel.csv", "IN/ÄPFEL.CSV"),
        ("unquote", "in/a%20b%2Bc.csv", "in/a b+c.csv"),
        ("unquote", "a+b", "a+b"),
        ("unquote", "100%", "100%"),
        ("unquote", "%2520", "%20"),
        ("unquote", "%E2%82%AC", "€"),
        ("date", "2026-01-31T23:30:00Z", "2026-01-31"),
        ("date", "2026-01-31T23:30:00-05:00", "2026-02-01"),
        ("date", "1769920200000", "2026-02-01"),
        ("date", "1769920200", "2026-02-01"),
        ("year", "2026-01-31T23:30:00Z", "2026"),
        ("year", "0099-01-31T23:30:00Z", "0099"),
        ("month", "2026-01-31T23:30:00Z", "01"),
        ("day", "2026-03-07T03:05:00.123Z", "07"),
        ("hour", "2026-03-07T03:05:00+0530", "21"),
        ("minute", "2026-03-07T03:05:59Z", "05"),
    ],
)
def test_a_function_gives_what_its_table_says(function: str, text: str, expected: str) -> None:
    assert FUNCTIONS[function](text) == expected


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("unquote", "%ff"),
        ("date", "yesterday"),
        ("date", ""),
        ("year", "2026-01-31"),
        ("hour", "2026-02-30T00:00:00Z"),
        ("year", "999999999999999"),
    ],
)
def test_what_a_function_cannot_do_is_a_broken_constraint(function: str, text: str) -> None:
    with pytest.raises(MalformedEventError) as caught:
        FUNCTIONS[function](text)
    assert caught.value.reason == "constraint"


@given(st.sampled_from(sorted(FUNCTIONS)), st.text())
def test_a_function_gives_text_or_raises_its_own_error(function: str, text: str) -> None:
    with contextlib.suppress(MalformedEventError):
        assert isinstance(FUNCTIONS[function](text), str)


@given(st.text(alphabet="ab./"))
def test_directory_and_basename_and_stem_and_suffix_lose_nothing(key: str) -> None:
    basename, dirname = FUNCTIONS["basename"](key), FUNCTIONS["dirname"](key)
    assert (f"{dirname}/{basename}" if "/" in key else basename) == key
    assert FUNCTIONS["stem"](key) + FUNCTIONS["suffix"](key) == basename
