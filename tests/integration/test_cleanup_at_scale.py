"""A clean-up of a larger account over HTTP: which calls it costs, and that only the pages grow with the account."""

from __future__ import annotations

from pipeline_triggers.domain.sweeps import EVENT_SCAN_PAGES
from tests.benchmarks.cleanup import measure
from tests.benchmarks.estate_service import ORPHANS, PAGE

SMALL, LARGE = 5 * PAGE, (EVENT_SCAN_PAGES + 10) * PAGE


def test_a_sweep_reads_each_page_once_and_an_event_of_a_large_account_next_to_none(aws_environment: None) -> None:
    small, large = measure(SMALL, 1, milliseconds=0), measure(LARGE, 2, milliseconds=0)
    # One more of the stack's own group, which is empty.
    assert small["sweep"]["ListSchedules"] == small["event"]["ListSchedules"] == SMALL // PAGE + 1
    assert large["sweep"]["ListSchedules"] == LARGE // PAGE + 1
    assert large["event"]["ListSchedules"] == 1
    assert large["event"]["GetSchedule"] == 2 * ORPHANS, "each is looked at before it is believed, and before it goes"
    others = [sum(found["sweep"].values()) - found["sweep"]["ListSchedules"] for found in (small, large)]
    assert others[1] - others[0] <= 10, "nothing but the pages grows with the account"
