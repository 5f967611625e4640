"""What a clean-up may delete: the cap, and the three ways to protect a schedule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.cleanup_policy import NAME_PATTERN, Policy, protects_group, protects_itself


@pytest.mark.parametrize(
    ("looked_at", "allowed"),
    [(0, 20), (1, 20), (40, 20), (41, 20), (42, 21), (100, 50), (399, 199), (400, 200), (1_000_000, 200)],
)
def test_a_sweep_may_delete_a_share_of_what_it_saw_up_to_a_number(looked_at: int, allowed: int) -> None:
    assert Policy().allowed(looked_at) == allowed


def test_a_number_below_the_free_ones_counts() -> None:
    assert Policy(max_deletes=3).allowed(0) == 3


def test_the_share_can_be_switched_off() -> None:
    assert Policy(max_deletes=1000, max_share=100).allowed(900) == 900


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.integers(1, 100))
def test_never_more_than_the_number_nor_less_than_the_free_ones(looked_at: int, number: int, share: int) -> None:
    allowed = Policy(max_deletes=number, max_share=share).allowed(looked_at)
    assert min(number, 20) <= allowed <= number


@pytest.mark.parametrize(
    ("pattern", "group", "name", "is_protected"),
    [
        ("default/nightly", "default", "nightly", True),
        ("default/nightly", "default", "Nightly", False),
        ("default/nightly", "team", "nightly", False),
        ("default/nightly", "default", "nightly2", False),
        ("default/night*", "default", "nightly", True),
        ("*/prod-*", "team", "prod-x", True),
        ("prod-?/*", "prod-1", "anything", True),
        ("prod-?/*", "prod-12", "anything", False),
        ("*/*", "any", "thing", True),
        ("default/a.b", "default", "axb", False),
    ],
)
def test_a_name_is_protected_by_a_pattern(pattern: str, group: str, name: str, is_protected: bool) -> None:
    assert Policy(protected=("other/x", pattern)).protects_name(group, name) is is_protected


@pytest.mark.parametrize("text", ["nightly", "a/b/c", "default/[ab]", "default/", "/x", "default/nightly ", ""])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    assert not NAME_PATTERN.fullmatch(text)


@pytest.mark.parametrize(
    ("tags", "is_protected"),
    [
        ({"pipeline-triggers:protect": "true"}, True),
        ({"pipeline-triggers:protect": "True"}, True),
        ({"pipeline-triggers:protect": "false"}, False),
        ({"pipeline-triggers:protect": ""}, False),
        ({"protect": "true"}, False),
        ({}, False),
    ],
)
def test_a_group_is_protected_by_its_tag(tags: dict[str, str], is_protected: bool) -> None:
    assert protects_group(tags) is is_protected


@pytest.mark.parametrize(
    ("description", "is_protected"),
    [
        ("[pipeline-triggers:protect]", True),
        ("Nightly run. [Pipeline-Triggers:Protect] Ask Ada.", True),
        ("pipeline-triggers:protect", False),
        ("", False),
        (None, False),
    ],
)
def test_a_schedule_is_protected_by_words_in_its_description(description: str | None, is_protected: bool) -> None:
    assert protects_itself({"Description": description}) is is_protected
    assert not protects_itself({})


def test_targets_of_rules_are_removed_only_when_both_say_so() -> None:
    assert Policy(rule_targets="remove").removes_targets
    assert not Policy().removes_targets
    assert not Policy(mode="report", rule_targets="remove").removes_targets
