"""The states of a start and their moves: at most one execution for each token.

ATTEMPTING ──complete──► STARTED      never acquired again
    │  ▲
    │  └─acquire── after a release or when the lease has run out: the next attempt
    └──reject──► REJECTED             may be acquired again, by a redrive

SHADOW and DISABLED entries only record what was decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline_triggers.domain.executions import StartRequest

# Longer than EventBridge retries (1 day) + the queue keeps (14) + its dead-letter queue keeps (14).
RETENTION = timedelta(days=35)

EntryState = Literal["ATTEMPTING", "STARTED", "REJECTED", "SHADOW", "DISABLED"]


@dataclass(frozen=True, slots=True)
class Acquired:
    """This worker may start. ``attempts`` counts from 1; ``request`` is the one that an earlier attempt stored.

    ``outcome_unknown`` means that the last attempt ended without an answer: reconcile first.
    ``since`` is when the last attempt of unknown outcome began.
    """

    attempts: int
    outcome_unknown: bool = False
    request: StartRequest | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The occurrence has its execution already."""

    execution_arn: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds the lease."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger holds for a token, as far as the moves depend on it.

    ``attempt_open`` is True from acquire until the attempt's outcome is known (complete, reject or release).
    """

    state: EntryState
    owner: str
    lease_until: datetime
    attempts: int
    attempt_open: bool
    attempt_at: datetime
    expires_at: datetime
    request: StartRequest | None = None
    execution_arn: str = ""


def judge(entry: Entry | None, now: datetime) -> Acquired | Started | Busy:
    """Say what an acquire finds. Expiry is compared here because DynamoDB deletes lazily (up to days late)."""
    if entry is None or entry.expires_at <= now or entry.state in ("SHADOW", "DISABLED", "REJECTED"):
        return Acquired(attempts=1)
    if entry.state == "STARTED":
        return Started(entry.execution_arn)
    if entry.lease_until > now:
        return Busy(entry.lease_until)
    return Acquired(
        attempts=entry.attempts + 1,
        outcome_unknown=entry.attempt_open,
        request=entry.request,
        since=entry.attempt_at if entry.attempt_open else None,
    )
