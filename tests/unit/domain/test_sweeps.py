"""How far a sweep has come, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.sweeps import ABANDONED_AFTER, EVENT_SCAN_PAGES, GroupLook, Phase, Position
from tests.fakes.clock import NOON

GROUPS = {"default": GroupLook("t", 3, 250, 1), "team": GroupLook(None, 1, 7, 0, done=True)}
POSITION = Position("run-2", "message", NOON, NOON, "mark", "look", GROUPS, previous=("run-1",), known_pages=9)


@given(
    st.sampled_from(["look", "delete", "done"]),
    st.dictionaries(st.text(max_size=5), st.builds(GroupLook, st.none() | st.text(), st.integers(0), st.integers(0))),
    st.none() | st.integers(0),
)
def test_the_stored_form_is_read_back(phase: Phase, groups: dict[str, GroupLook], known_pages: int | None) -> None:
    position = replace(
        POSITION, phase=phase, groups=groups, known_pages=known_pages, noted_until=NOON, orphans=known_pages
    )
    assert Position.from_document(json.loads(json.dumps(position.to_document()))) == position


def test_pages_and_schedules_are_those_of_all_groups() -> None:
    assert (POSITION.pages, POSITION.schedules) == (4, 257)


def test_a_sweep_is_under_way_until_it_is_done_or_nothing_was_heard_of_it_for_an_hour() -> None:
    almost = NOON + ABANDONED_AFTER - timedelta(seconds=1)
    assert POSITION.is_under_way(almost)
    assert replace(POSITION, phase="delete").is_under_way(almost)
    assert not POSITION.is_under_way(NOON + ABANDONED_AFTER)
    assert not replace(POSITION, phase="done").is_under_way(NOON)


def test_after_the_look_its_pages_are_known() -> None:
    looked = POSITION.looked()
    assert (looked.phase, looked.known_pages) == ("delete", 4)


@pytest.mark.parametrize(
    ("phase", "runs"), [("look", ("run-1", "run-2")), ("delete", ("run-2",)), ("done", ("run-2",))]
)
def test_orphans_count_as_seen_by_the_last_complete_look_and_those_that_were_abandoned_since(
    phase: Phase, runs: tuple[str, ...]
) -> None:
    assert replace(POSITION, phase=phase).seen_by == runs


def test_of_many_abandoned_looks_the_last_ones_count() -> None:
    many = tuple(f"run-{number}" for number in range(50))
    assert replace(POSITION, previous=many).seen_by == (*many[-9:], "run-2")


def test_one_that_counts_as_abandoned_is_not_under_way() -> None:
    abandoned = POSITION.abandoned()
    assert not abandoned.is_under_way(NOON)
    assert abandoned.seen_by == POSITION.seen_by


@pytest.mark.parametrize(
    ("known", "pages", "is_large"),
    [
        (None, EVENT_SCAN_PAGES, False),
        (None, EVENT_SCAN_PAGES + 1, True),
        (EVENT_SCAN_PAGES + 1, 0, True),
        (EVENT_SCAN_PAGES, 0, False),
    ],
)
def test_an_estate_is_large_by_what_was_seen_before_or_is_seen_now(
    known: int | None, pages: int, is_large: bool
) -> None:
    position = replace(POSITION, known_pages=known, groups={"default": GroupLook(pages=pages)})
    assert position.is_large is is_large


DAY = timedelta(days=1)
LARGE = replace(POSITION, known_pages=EVENT_SCAN_PAGES + 1)


def test_a_small_estate_notes_nothing() -> None:
    assert not POSITION.must_note(NOON)
    assert (POSITION.looked().noted_until, POSITION.looked().all_noted_at) == (None, None)


def test_a_large_estate_is_noted_whole_the_first_time() -> None:
    assert LARGE.must_note(NOON - 1000 * DAY)
    looked = LARGE.looked()
    assert (looked.noted_until, looked.all_noted_at) == (NOON, NOON)


def test_after_that_what_was_made_or_changed_since_is_noted() -> None:
    noted = replace(LARGE, began=NOON + DAY, noted_until=NOON, all_noted_at=NOON - DAY)
    assert noted.must_note(NOON + timedelta(seconds=1))
    assert noted.must_note(NOON - timedelta(minutes=14)), "the clocks may differ"
    assert not noted.must_note(NOON - timedelta(minutes=16))
    looked = replace(noted, groups={"default": GroupLook(pages=EVENT_SCAN_PAGES + 1)}).looked()
    assert (looked.noted_until, looked.all_noted_at) == (NOON + DAY, NOON - DAY)


def test_now_and_then_everything_is_noted_again_because_notes_expire() -> None:
    old = replace(LARGE, began=NOON + 10 * DAY, noted_until=NOON + 9 * DAY, all_noted_at=NOON)
    assert old.must_note(NOON - 1000 * DAY)
    assert old.looked().all_noted_at == NOON + 10 * DAY


def test_the_next_sweep_knows_what_the_last_one_knew() -> None:
    last = replace(LARGE, phase="done", noted_until=NOON, all_noted_at=NOON - DAY)
    after = Position("run-3", "message", NOON, NOON, "").after(last)
    assert (after.previous, after.known_pages) == (("run-2",), LARGE.known_pages)
    assert (after.noted_until, after.all_noted_at, after.groups) == (NOON, NOON - DAY, {})
