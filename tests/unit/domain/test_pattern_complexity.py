"""The limit on wildcards: how many beginnings of a list's wildcards one value can be at once."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain import pattern_complexity
from pipeline_triggers.domain.pattern_complexity import is_too_complex
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.errors import InvalidPatternError

LETTERS = "ab"


def beginnings(wildcard: str) -> list[str]:
    quoted = f'"{wildcard}"'
    return [quoted[:length] for length in range(1, len(quoted) + 1)]


def most_at_once(wildcards: list[str], longest: int) -> int:
    """By trying all values up to a length."""
    forms = [
        re.compile(begun.replace("*", ".*"), re.DOTALL) for one in dict.fromkeys(wildcards) for begun in beginnings(one)
    ]
    read = (
        f'"{"".join(letters)}{end}'
        for length in range(longest + 1)
        for letters in product(LETTERS, repeat=length)
        for end in ("", '"')
    )
    return max(sum(form.fullmatch(text) is not None for form in forms) for text in read)


wildcards_of_a_list = st.one_of(
    st.lists(st.from_regex(r"\A\*?([ab]\*?){0,3}\Z"), min_size=1, max_size=2),
    st.from_regex(r"\A\*[ab]{4,8}\Z").map(lambda long: [long]),
)


@given(wildcards=wildcards_of_a_list)
@example(wildcards=["*", "a*"])
@example(wildcards=["*aabaaab"])
@settings(max_examples=80, deadline=None)
def test_the_limit_is_on_the_beginnings_that_some_value_is(wildcards: list[str]) -> None:
    most = most_at_once(wildcards, longest=9)
    for limit in (most - 1, most, most + 1):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pattern_complexity, "MAX_COMPLEXITY", limit)
            assert is_too_complex(one.split("*") for one in wildcards) is (most > limit)


@pytest.mark.parametrize(
    "wildcards",
    [
        ["*"],
        ["a*b", "a*b"],
        ["*/run-1/*.csv", "in/*"],
        ["*a*a*a*a*"],
        ["*aaaaaaaa"],
        ["*" + "aba" * 8],
        ["x*"] * 40,
    ],
    ids=repr,
)
def test_what_people_write_is_allowed(wildcards: list[str]) -> None:
    assert EventPattern({"key": [{"wildcard": one} for one in wildcards]})


@pytest.mark.parametrize(
    "entries",
    [
        [{"wildcard": "*a*a*a*a*a*a*"}],
        [{"wildcard": "*aaaaaaaaaaaa"}],
        [{"wildcard": "*" + "aba" * 9}],
        [{"wildcard": f"*{letter}*"} for letter in "abcdefghijkl"],
        [{"anything-but": {"wildcard": "*a*a*a*a*a*a*"}}],
        [{"wildcard": "*a*a*a*"}, {"anything-but": {"wildcard": ["*aaaaa", "*aa"]}}],
    ],
    ids=repr,
)
def test_what_eventbridge_finds_too_complex_is_refused(entries: list[object]) -> None:
    with pytest.raises(InvalidPatternError, match="too complex") as caught:
        EventPattern({"detail": {"key": entries}})
    assert caught.value.path == "detail.key"
