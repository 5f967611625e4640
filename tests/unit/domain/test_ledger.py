"""The moves of a ledger entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline_triggers.domain.executions import StartRequest
from pipeline_triggers.domain.ledger import Acquired, Busy, Entry, Rejected, Started, judge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REQUEST = StartRequest("arn", {}, "token", "name", "why")
ATTEMPTING = Entry(
    state="ATTEMPTING",
    owner="other",
    lease_until=NOW + timedelta(seconds=30),
    attempts=2,
    attempt_open=True,
    attempt_at=NOW - timedelta(seconds=30),
    expires_at=NOW + timedelta(days=35),
    request=REQUEST,
    attempt_until=NOW + timedelta(seconds=30),
    message_id="message-1",
    reason="access-denied",
    message="not permitted",
)


def test_nothing_there_is_a_first_attempt() -> None:
    assert judge(None, NOW) == Acquired(attempts=1)


def test_a_live_lease_is_busy() -> None:
    assert judge(ATTEMPTING, NOW) == Busy(ATTEMPTING.lease_until)


def test_a_lease_that_ran_out_leaves_an_unknown_outcome_with_its_request_and_beginning() -> None:
    found = judge(replace(ATTEMPTING, lease_until=NOW), NOW)
    since, until = ATTEMPTING.attempt_at, ATTEMPTING.attempt_until
    assert found == Acquired(attempts=3, outcome_unknown=True, request=REQUEST, since=since, until=until)


def test_a_released_attempt_needs_no_reconciliation_and_no_repetition_of_its_request() -> None:
    found = judge(replace(ATTEMPTING, lease_until=NOW, attempt_open=False), NOW)
    assert found == Acquired(attempts=3)


def test_parameters_that_differ_from_an_earlier_attempt_are_reported() -> None:
    changed = replace(REQUEST, parameters={"Rows": "2"})
    for open_ in (True, False):
        entry = replace(ATTEMPTING, lease_until=NOW, attempt_open=open_)
        found, same = judge(entry, NOW, request=changed), judge(entry, NOW, request=REQUEST)
        assert isinstance(found, Acquired)
        assert isinstance(same, Acquired)
        assert (found.params_changed, same.params_changed) == (True, False)


def test_what_is_started_is_never_acquired_again_even_with_an_old_lease() -> None:
    started = replace(ATTEMPTING, state="STARTED", execution_arn="arn:x", lease_until=NOW - timedelta(days=1))
    assert judge(started, NOW) == Started("arn:x")


@pytest.mark.parametrize("redrive", ["message-2", ""])
def test_what_was_rejected_is_acquired_again_by_a_redrive_as_a_first_attempt(redrive: str) -> None:
    rejected = replace(ATTEMPTING, state="REJECTED", attempt_open=False)
    assert judge(rejected, NOW, message_id=redrive) == Acquired(attempts=1)
    assert judge(replace(rejected, message_id=""), NOW, message_id=redrive) == Acquired(attempts=1)


def test_what_was_rejected_stays_so_for_its_message() -> None:
    rejected = replace(ATTEMPTING, state="REJECTED", attempt_open=False)
    assert judge(rejected, NOW, message_id="message-1") == Rejected("access-denied", "not permitted")


def test_what_was_rejected_after_an_attempt_of_unknown_outcome_is_looked_for_and_not_repeated_as_it_was() -> None:
    found = judge(replace(ATTEMPTING, state="REJECTED"), NOW, message_id="message-2")
    since, until = ATTEMPTING.attempt_at, ATTEMPTING.attempt_until
    assert found == Acquired(attempts=1, outcome_unknown=True, request=None, since=since, until=until)


def test_what_was_only_recorded_does_not_hold_anybody_up() -> None:
    assert judge(replace(ATTEMPTING, state="SHADOW"), NOW) == Acquired(attempts=1)
    assert judge(replace(ATTEMPTING, state="DISABLED"), NOW) == Acquired(attempts=1)


def test_an_expired_entry_counts_as_gone_before_dynamodb_deletes_it() -> None:
    assert judge(replace(ATTEMPTING, state="STARTED", expires_at=NOW), NOW) == Acquired(attempts=1)
