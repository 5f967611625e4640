"""The ledger in memory: the moves of ``judge``, without DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.ledger import (
    RETENTION,
    Acquired,
    Busy,
    Capped,
    Entry,
    EntryState,
    Rejected,
    Started,
    judge,
)
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.domain.decisions import Decision

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATES: dict[str, EntryState] = {"shadow": "SHADOW", "disabled": "DISABLED", "rejected": "REJECTED"}
OUTCOMES = {"ATTEMPTING": "retry", "STARTED": "started"} | {state: outcome for outcome, state in STATES.items()}


@dataclass(frozen=True)
class Kept:
    """One entry with what people want to know of it."""

    entry: Entry
    decision: Decision
    at: datetime
    first_at: datetime
    was_unknown: bool = False
    was_until: datetime | None = None
    params_changed: bool = False


@dataclass
class FakeLedger(Recording):
    """The port ``Ledger``; ``entries`` by token, ``starts`` by trigger and hour."""

    clock: FakeClock = field(default_factory=FakeClock)
    entries: dict[str, Kept] = field(default_factory=dict)
    starts: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def state(self, token: str) -> EntryState:
        """The state of one entry, for assertions."""
        return self.entries[token].entry.state

    def acquire(
        self,
        decision: Decision,
        owner: str,
        lease_until: datetime,
        *,
        message_id: str = "",
        cap: int | None = None,
    ) -> Acquired | Started | Busy | Rejected | Capped:
        """One worker at a time; an unknown outcome stays unknown until the start is complete."""
        with self.call("acquire", decision=decision, owner=owner, lease_until=lease_until, message_id=message_id):
            assert decision.request is not None
            now = self.clock.now()
            kept = self.entries.get(decision.token)
            found = judge(kept.entry if kept else None, now, message_id=message_id, request=decision.request)
            if not isinstance(found, Acquired):
                return found
            if cap is not None and found.attempts == 1 and not self._count_start(decision.trigger, cap):
                return Capped()
            entry = Entry(
                state="ATTEMPTING",
                owner=owner,
                lease_until=lease_until,
                attempts=found.attempts,
                attempt_open=True,
                attempt_at=found.since or now,
                expires_at=now + RETENTION,
                request=found.request or decision.request,
                attempt_until=lease_until,
                message_id=message_id,
            )
            again = kept if kept and (found.attempts > 1 or found.outcome_unknown) else None
            told = again.decision if again and found.request else decision
            self.entries[decision.token] = Kept(
                entry=entry,
                decision=replace(decision, request=entry.request, parameters=told.parameters),
                at=decision.at or now,
                first_at=again.first_at if again else now,
                was_unknown=found.outcome_unknown,
                was_until=found.until,
                params_changed=again is not None and (again.params_changed or found.params_changed),
            )
            return found

    def complete(self, token: str, owner: str, execution_arn: str) -> None:
        """Fenced by owner; the same ARN again is fine."""
        with self.call("complete", token=token, owner=owner, execution_arn=execution_arn):
            kept = self.entries.get(token)
            if kept and (kept.entry.state, kept.entry.execution_arn) == ("STARTED", execution_arn):
                return
            kept = self._fenced(token, owner, ("ATTEMPTING",), acted=True)
            entry = replace(kept.entry, state="STARTED", execution_arn=execution_arn, attempt_open=False)
            self.entries[token] = replace(kept, entry=entry)

    def reject(self, token: str, owner: str, reason: str, message: str = "") -> None:
        """Fenced by owner; what an earlier attempt may have done stays unknown."""
        with self.call("reject", token=token, owner=owner, reason=reason, message=message):
            kept = self._fenced(token, owner, ("ATTEMPTING", "REJECTED"))
            entry = replace(_without_this_attempt(kept), state="REJECTED", reason=reason, message=message)
            self.entries[token] = replace(kept, entry=entry)

    def release(self, token: str, owner: str, reason: str) -> None:
        """Fenced by owner; what an earlier attempt may have done stays unknown."""
        with self.call("release", token=token, owner=owner, reason=reason):
            kept = self._fenced(token, owner, ("ATTEMPTING",))
            entry = replace(_without_this_attempt(kept), lease_until=EPOCH, reason=reason)
            self.entries[token] = replace(kept, entry=entry)

    def record(self, decision: Decision, *, message_id: str = "") -> None:
        """Never over an entry that is or may be started."""
        with self.call("record", decision=decision, message_id=message_id):
            now = self.clock.now()
            key = decision.token or f"{decision.trigger} {decision.target} {decision.event_id}"
            kept = self.entries.get(key)
            if kept and _stays(kept.entry) and kept.entry.expires_at > now:
                return
            entry = Entry(
                state=STATES[decision.outcome],
                owner="",
                lease_until=EPOCH,
                attempts=0,
                attempt_open=False,
                attempt_at=now,
                expires_at=now + RETENTION,
                request=decision.request,
                message_id=message_id,
                reason=decision.reason,
                message=decision.message,
            )
            self.entries[key] = Kept(entry, decision, decision.at or now, now)

    def history(self, trigger: str, since: datetime, *, at_most: int | None = None) -> Iterator[Mapping[str, Any]]:
        """Newest first."""
        with self.call("history", trigger=trigger, since=since, at_most=at_most):
            mine = [(token, k) for token, k in self._living() if k.decision.trigger == trigger and k.at >= since]
            return iter(_documents(mine)[:at_most])

    def of_event(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        with self.call("of_event", event_id=event_id):
            return _documents([(token, k) for token, k in self._living() if k.decision.event_id == event_id])

    def of_state(
        self, state: EntryState, since: datetime, *, at_most: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Newest first."""
        with self.call("of_state", state=state, since=since, at_most=at_most):
            found = [(token, k) for token, k in self._living() if k.entry.state == state and k.at >= since]
            return iter(_documents(found)[:at_most])

    def of_execution(self, execution_arn: str) -> Sequence[Mapping[str, Any]]:
        """At most one."""
        with self.call("of_execution", execution_arn=execution_arn):
            return _documents([(t, k) for t, k in self._living() if execution_arn == k.entry.execution_arn != ""])

    def of_token(self, token: str) -> Mapping[str, Any] | None:
        """At most one."""
        with self.call("of_token", token=token):
            found = _documents([(each, k) for each, k in self._living() if each == token])
            return found[0] if found else None

    def _count_start(self, trigger: str, cap: int) -> bool:
        """By clock hour in UTC."""
        key = (trigger, self.clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0))
        if self.starts.get(key, 0) >= cap:
            return False
        self.starts[key] = self.starts.get(key, 0) + 1
        return True

    def _living(self) -> list[tuple[str, Kept]]:
        return [(token, kept) for token, kept in self.entries.items() if kept.entry.expires_at > self.clock.now()]

    def _fenced(self, token: str, owner: str, allowed: Sequence[EntryState], *, acted: bool = False) -> Kept:
        kept = self.entries.get(token)
        if kept is None or kept.entry.owner != owner or kept.entry.state not in allowed:
            raise TransientError("conflict", f"the ledger entry {token} has a new owner", acted=acted)
        return kept


def _without_this_attempt(kept: Kept) -> Entry:
    return replace(kept.entry, attempt_open=kept.was_unknown, attempt_until=kept.was_until)


def _stays(entry: Entry) -> bool:
    return entry.state == "STARTED" or entry.attempt_open


def _documents(kept: list[tuple[str, Kept]]) -> list[dict[str, Any]]:
    newest_first = sorted(kept, key=lambda pair: pair[1].at, reverse=True)
    return [_document(token, entry) for token, entry in newest_first]


def _document(token: str, kept: Kept) -> dict[str, Any]:
    return kept.decision.to_document() | {
        "outcome": OUTCOMES[kept.entry.state],
        "reason": kept.entry.reason,
        "message": kept.entry.message,
        "token": token,
        "execution_arn": kept.entry.execution_arn,
        "at": kept.at.isoformat(),
        "state": kept.entry.state,
        "attempts": kept.entry.attempts,
        "first_at": kept.first_at.isoformat(),
        "params_changed": kept.params_changed,
    }
