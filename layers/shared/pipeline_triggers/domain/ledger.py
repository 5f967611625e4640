"""The states of a start and their moves: at most one execution for each token.

ATTEMPTING ──complete──► STARTED      never acquired again
    │  ▲
    │  └─acquire── after a release or when the lease has run out: the next attempt
    └──reject──► REJECTED             stays so for the message it came with; acquired again by a redrive

SHADOW and DISABLED entries only record what was decided.

A redrive is told from a redelivery by the message's id: SQS keeps it over all receipts of a message, and gives a new
one to what is sent again, by whatever tool. Without an id (an event that came without a queue) all is a redrive.
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
    """This worker may start. ``attempts`` counts from 1, and afresh after a rejection.

    ``outcome_unknown`` means that an earlier attempt ended without an answer: look for its execution first. It can only
    have been made from ``since`` (when the first such attempt began) to ``until`` (when the lease of the last such one
    ended; attempts without effect do not count). ``request`` is what that attempt sent, and is to be repeated as it
    was; None when nothing of the kind is stored, or when SageMaker has refused it since. ``params_changed`` says that
    an earlier attempt had other parameters than the decision of this one.
    """

    attempts: int
    outcome_unknown: bool = False
    request: StartRequest | None = None
    since: datetime | None = None
    until: datetime | None = None
    params_changed: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The occurrence has its execution already."""

    execution_arn: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds the lease."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """The start was refused for good, and this is the message that it was refused for: only a redrive tries again."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Capped:
    """The trigger has started as many executions in this hour as it may: nothing was acquired."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger holds for a token, as far as the moves depend on it.

    ``attempt_open`` is True from acquire until the outcome of all attempts is known: after a release or a rejection it
    is what it was before that attempt, and so is ``attempt_until``. ``message_id`` is that of the message that the
    entry was last written for, ``reason`` and ``message`` say why it was rejected or released.
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
    attempt_until: datetime | None = None
    message_id: str = ""
    reason: str = ""
    message: str = ""


def judge(
    entry: Entry | None,
    now: datetime,
    *,
    message_id: str = "",
    request: StartRequest | None = None,
) -> Acquired | Started | Busy | Rejected:
    """Say what an acquire finds that wants to send ``request`` because of the message ``message_id``.

    Expiry is compared here because DynamoDB deletes lazily (up to days late).
    """
    if entry is None or entry.expires_at <= now or entry.state in ("SHADOW", "DISABLED"):
        return Acquired(attempts=1)
    if entry.state == "STARTED":
        return Started(entry.execution_arn)
    if entry.state == "REJECTED":
        if message_id and entry.message_id == message_id:
            return Rejected(entry.reason, entry.message)
        return _next_attempt(entry, request, attempts=1)
    if entry.lease_until > now:
        return Busy(entry.lease_until)
    return _next_attempt(entry, request, attempts=entry.attempts + 1)


def _next_attempt(entry: Entry, request: StartRequest | None, attempts: int) -> Acquired:
    is_repeated = entry.attempt_open and entry.state != "REJECTED"
    earlier = entry.request
    params_changed = bool(earlier and request and earlier.parameters_hash != request.parameters_hash)
    return Acquired(
        attempts=attempts,
        outcome_unknown=entry.attempt_open,
        request=earlier if is_repeated else None,
        since=entry.attempt_at if entry.attempt_open else None,
        until=entry.attempt_until if entry.attempt_open else None,
        params_changed=params_changed,
    )
