"""The ledger in memory: the moves of ``judge``, without DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.ledger import RETENTION, Acquired, Busy, Entry, EntryState, Started, judge
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
    params_changed: bool = False
    reason: str = ""


@dataclass
class FakeLedger(Recording):
    """The port ``Ledger``; ``entries`` by token, ``starts`` by trigger and hour."""

    clock: FakeClock = field(default_factory=FakeClock)
    entries: dict[str, Kept] = field(default_factory=dict)
    starts: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def state(self, token: str) -> EntryState:
        """The state of one entry, for assertions."""
        return self.entries[token].entry.state

    def acquire(self, decision: Decision, owner: str, lease_until: datetime) -> Acquired | Started | Busy:
        """One worker at a time; an unknown outcome stays unknown until the start is complete or rejected."""
        with self.call("acquire", decision=decision, owner=owner, lease_until=lease_until):
            assert decision.request is not None
            now = self.clock.now()
            kept = self.entries.get(decision.token)
            found = judge(kept.entry if kept else None, now)
            if not isinstance(found, Acquired):
                return found
            if not found.outcome_unknown:
                found = replace(found, request=None)
            entry = Entry(
                state="ATTEMPTING",
                owner=owner,
                lease_until=lease_until,
                attempts=found.attempts,
                attempt_open=True,
                attempt_at=found.since or now,
                expires_at=now + RETENTION,
                request=found.request or decision.request,
            )
            again = kept if kept and found.attempts > 1 else None
            told = again.decision if again and found.outcome_unknown else decision
            self.entries[decision.token] = Kept(
                entry=entry,
                decision=replace(decision, request=entry.request, parameters=told.parameters),
                at=decision.at or now,
                first_at=again.first_at if again else now,
                was_unknown=found.outcome_unknown,
                params_changed=again is not None and (again.params_changed or _differ(again, decision)),
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

    def reject(self, token: str, owner: str, reason: str) -> None:
        """Fenced by owner."""
        with self.call("reject", token=token, owner=owner, reason=reason):
            kept = self._fenced(token, owner, ("ATTEMPTING", "REJECTED"))
            entry = replace(kept.entry, state="REJECTED", attempt_open=False)
            self.entries[token] = replace(kept, entry=entry, reason=reason)

    def release(self, token: str, owner: str, reason: str) -> None:
        """Fenced by owner; what an earlier attempt may have done stays unknown."""
        with self.call("release", token=token, owner=owner, reason=reason):
            kept = self._fenced(token, owner, ("ATTEMPTING",))
            entry = replace(kept.entry, lease_until=EPOCH, attempt_open=kept.was_unknown)
            self.entries[token] = replace(kept, entry=entry, reason=reason)

    def record(self, decision: Decision) -> None:
        """Never over an entry that is or may be started."""
        with self.call("record", decision=decision):
            now = self.clock.now()
            key = decision.token or f"{decision.trigger} {decision.target} {decision.event_id}"
            kept = self.entries.get(key)
            if kept and kept.entry.state in ("ATTEMPTING", "STARTED") and kept.entry.expires_at > now:
                return
            entry = Entry(STATES[decision.outcome], "", EPOCH, 0, False, now, now + RETENTION, decision.request)
            self.entries[key] = Kept(entry, decision, decision.at or now, now, reason=decision.reason)

    def count_start(self, trigger: str, hour: datetime, cap: int) -> bool:
        """By clock hour in UTC."""
        with self.call("count_start", trigger=trigger, hour=hour, cap=cap):
            key = (trigger, hour.astimezone(UTC).replace(minute=0, second=0, microsecond=0))
            if self.starts.get(key, 0) >= cap:
                return False
            self.starts[key] = self.starts.get(key, 0) + 1
            return True

    def history(self, trigger: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Newest first."""
        with self.call("history", trigger=trigger, since=since):
            mine = [(token, k) for token, k in self._living() if k.decision.trigger == trigger and k.at >= since]
            return iter(_documents(mine))

    def of_event(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        with self.call("of_event", event_id=event_id):
            return _documents([(token, k) for token, k in self._living() if k.decision.event_id == event_id])

    def _living(self) -> list[tuple[str, Kept]]:
        return [(token, kept) for token, kept in self.entries.items() if kept.entry.expires_at > self.clock.now()]

    def _fenced(self, token: str, owner: str, allowed: Sequence[EntryState], *, acted: bool = False) -> Kept:
        kept = self.entries.get(token)
        if kept is None or kept.entry.owner != owner or kept.entry.state not in allowed:
            raise TransientError("conflict", f"the ledger entry {token} has a new owner", acted=acted)
        return kept


def _differ(kept: Kept, decision: Decision) -> bool:
    assert kept.entry.request is not None
    assert decision.request is not None
    return kept.entry.request.parameters_hash != decision.request.parameters_hash


def _documents(kept: list[tuple[str, Kept]]) -> list[dict[str, Any]]:
    newest_first = sorted(kept, key=lambda pair: pair[1].at, reverse=True)
    return [_document(token, entry) for token, entry in newest_first]


def _document(token: str, kept: Kept) -> dict[str, Any]:
    return kept.decision.to_document() | {
        "outcome": OUTCOMES[kept.entry.state],
        "reason": kept.reason,
        "token": token,
        "execution_arn": kept.entry.execution_arn,
        "at": kept.at.isoformat(),
        "state": kept.entry.state,
        "attempts": kept.entry.attempts,
        "first_at": kept.first_at.isoformat(),
        "params_changed": kept.params_changed,
    }
