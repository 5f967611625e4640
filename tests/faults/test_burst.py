"""A burst under a throttled API starts every event once, with few calls; the cap of a trigger holds and says so.

Scaled down, for 10,000 events take half a minute: ``python -m tests.faults.burst``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.virtual_time import VirtualTime
from tests.faults.burst import quietly

if TYPE_CHECKING:
    from datetime import timedelta


def test_a_burst_on_four_queues_starts_every_event_once_with_hardly_more_calls_than_events() -> None:
    figures = quietly(1000, per_second=2.0)
    assert (figures.started, figures.left, figures.in_dead_letter_queues, figures.in_quarantine) == (1000, 0, 0, 0)
    assert figures.calls_per_event < 1.2
    assert figures.most_receipts < 60


def test_what_is_over_the_cap_of_an_hour_goes_to_quarantine_and_is_never_called() -> None:
    figures = quietly(150, per_second=100.0, max_starts_per_hour=40)
    assert (figures.started, figures.in_quarantine, figures.left) == (40, 110, 0)
    assert figures.start_calls == 40


def test_time_passes_for_all_who_run_together_in_the_order_of_their_waking() -> None:
    clock = VirtualTime()
    began = clock.now()
    seen: list[tuple[str, timedelta]] = []

    def walk(name: str, *pauses: float) -> None:
        for pause in pauses:
            clock.sleep(pause)
            seen.append((name, clock.now() - began))

    clock.run(lambda: walk("a", 3, 3), lambda: walk("b", 1, 4))
    assert [(name, passed.total_seconds()) for name, passed in seen] == [("b", 1), ("a", 3), ("b", 5), ("a", 6)]
