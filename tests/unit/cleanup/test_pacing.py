"""Many calls at once, and not too many in a second."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline_triggers.cleanup.pacing import Pace, in_parallel
from tests.fakes.clock import FakeClock
from tests.fakes.virtual_time import VirtualTime


def test_the_first_call_begins_at_once_and_the_others_keep_the_distance() -> None:
    clock = FakeClock()
    pace = Pace(4, clock)
    for _ in range(4):
        pace.wait()
    assert clock.slept == [0.25, 0.25, 0.25]


def test_time_that_has_passed_anyway_is_not_waited_for_and_not_saved_up() -> None:
    clock = FakeClock()
    pace = Pace(4, clock)
    pace.wait()
    clock.advance(seconds=10)
    for _ in range(3):
        pace.wait()
    assert clock.slept == [0.25, 0.25]


def test_the_calls_of_several_threads_share_the_pace() -> None:
    clock = VirtualTime()
    pace = Pace(10, clock)
    began = clock.now()
    turns: list[float] = []

    def caller() -> None:
        for _ in range(5):
            pace.wait()
            turns.append((clock.now() - began).total_seconds())

    clock.run(caller, caller, caller)
    assert turns == pytest.approx([number / 10 for number in range(15)])


@pytest.mark.parametrize("threads", [1, 4])
def test_outcomes_come_in_the_order_of_the_items(threads: int) -> None:
    def slower_first(number: int) -> int:
        time.sleep((5 - number) / 1000)
        return number * 2

    assert in_parallel(slower_first, range(6), threads) == [0, 2, 4, 6, 8, 10]
    assert in_parallel(slower_first, [], threads) == []


def test_several_are_at_it_at_the_same_time() -> None:
    barrier = threading.Barrier(4, timeout=10)
    assert len(in_parallel(lambda _: barrier.wait(), range(4), 4)) == 4


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_is_raised(threads: int) -> None:
    def fails(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        in_parallel(fails, range(3), threads)
