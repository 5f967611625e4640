"""No schedule of faults loses an event or starts it twice; and the same schedules find what lesser designs get wrong.

All outcomes of the first five calls, for all designs, take some minutes: ``python -m tests.faults.enumeration``. Here
the shipped design meets all outcomes of four calls, and those of five that any one worker may meet alone.
"""

from __future__ import annotations

import pytest

from tests.faults.enumeration import (
    FAULTS,
    LACKING,
    NO_MEMORY,
    SHIPPED,
    SHORT_MEMORY,
    SLOW_LISTS,
    WORLDS,
    Tally,
    World,
    enumerate_all,
)

BY_NAME = {design.name: design for design in LACKING}
ALONE = tuple(fault for fault in FAULTS if fault != "answered late")


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_no_schedule_of_four_faults_loses_or_doubles_an_event(world: World) -> None:
    assert enumerate_all(SHIPPED, world, calls=4) == Tally(schedules=2592, lost=0, doubled=0, worst=1)


def test_no_schedule_of_five_faults_of_single_workers_loses_or_doubles_an_event() -> None:
    tally = enumerate_all(SHIPPED, SHORT_MEMORY, faults=ALONE)
    assert tally == Tally(schedules=6250, lost=0, doubled=0, worst=1)


@pytest.mark.parametrize(
    ("design", "world", "doubled"),
    [
        ("none", SLOW_LISTS, 283),
        ("ledger alone", SHORT_MEMORY, 66),
        ("token alone", SHORT_MEMORY, 24),
        ("ledger and token", SHORT_MEMORY, 26),
        ("all but the token", SLOW_LISTS, 48),
        ("all but the deadline check", NO_MEMORY, 70),
    ],
    ids=lambda value: str(getattr(value, "name", value)),
)
def test_the_same_schedules_find_what_a_lesser_design_starts_twice(design: str, world: World, doubled: int) -> None:
    tally = enumerate_all(BY_NAME[design], world, calls=3)
    assert (tally.schedules, tally.lost, tally.doubled) == (432, 0, doubled)
