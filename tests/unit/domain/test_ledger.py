"""The moves of a ledger entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline_triggers.domain.executions import StartRequest
from pipeline_triggers.domain.ledger import Acquired, Busy, Entry, Started, judge

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
)


def test_nothing_there_is_a_first_attempt() -> None:
    assert judge(None, NOW) == Acquired(attempts=1)


def test_a_live_lease_is_busy() -> None:
    assert judge(ATTEMPTING, NOW) == Busy(ATTEMPTING.lease_until)


def test_a_lease_that_ran_out_leaves_an_unknown_outcome_with_its_request_and_beginning() -> None:
    found = judge(replace(ATTEMPTING, lease_until=NOW), NOW)
    assert found == Acquired(attempts=3, outcome_unknown=True, request=REQUEST, since=ATTEMPTING.attempt_at)


def test_a_released_attempt_needs_no_reconciliation() -> None:
    found = judge(replace(ATTEMPTING, lease_until=NOW, attempt_open=False), NOW)
    assert found == Acquired(attempts=3, outcome_unknown=False, request=REQUEST, since=None)


def test_what_is_started_is_never_acquired_again_even_with_an_old_lease() -> None:
    started = replace(ATTEMPTING, state="STARTED", execution_arn="arn:x", lease_until=NOW - timedelta(days=1))
    assert judge(started, NOW) == Started("arn:x")


def test_what_was_rejected_may_be_acquired_again_as_a_first_attempt() -> None:
    assert judge(replace(ATTEMPTING, state="REJECTED"), NOW) == Acquired(attempts=1)


def test_what_was_only_recorded_does_not_hold_anybody_up() -> None:
    assert judge(replace(ATTEMPTING, state="SHADOW"), NOW) == Acquired(attempts=1)
    assert judge(replace(ATTEMPTING, state="DISABLED"), NOW) == Acquired(attempts=1)


def test_an_expired_entry_counts_as_gone_before_dynamodb_deletes_it() -> None:
    assert judge(replace(ATTEMPTING, state="STARTED", expires_at=NOW), NOW) == Acquired(attempts=1)
