"""Use case: what happened and why. The ledger's records, the executions they started, and the triggers that decided."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pipeline_triggers.domain.ledger import EntryState
from pipeline_triggers.domain.records import Record
from pipeline_triggers.errors import AwsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline_triggers.domain.executions import Execution
    from pipeline_triggers.domain.messages import Quarantined
    from pipeline_triggers.domain.ports import Executions, Ledger, Quarantine, TriggerStore
    from pipeline_triggers.domain.triggers import Snapshot

STATES: tuple[EntryState, ...] = get_args(EntryState)
# Bodies and decisions of so many events in quarantine, the newest, are looked through for an event's id.
MAX_SEARCHED = 500

# What became of the trigger since it decided. "unknown": its revision cannot be read.
Since = Literal["same", "changed", "deleted", "unknown"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A record with what else is known: its execution (None: it has none), or the ``problem`` in asking for it.

    ``since`` says what became of the trigger after the revision that decided.
    """

    record: Record
    execution: Execution | None = None
    problem: str = ""
    since: Since = "unknown"


@dataclass(frozen=True)
class History:
    """What the ledger has on record, newest first. AwsError when it cannot be read."""

    ledger: Ledger

    def recent(
        self, since: datetime, *, trigger: str | None = None, state: EntryState | None = None
    ) -> Iterator[Record]:
        """The records of one trigger or of all, in one state or in any, since a time.

        All triggers together are read state by state, because the ledger has an index for those: so nothing is missing
        that belongs to a trigger which is deleted by now.
        """
        if trigger is not None:
            found = map(Record.from_document, self.ledger.history(trigger, since))
            return (record for record in found if state in (None, record.state))
        wanted = STATES if state is None else (state,)
        streams = [map(Record.from_document, self.ledger.of_state(each, since)) for each in wanted]
        return heapq.merge(*streams, key=lambda record: record.at, reverse=True)

    def latest(self, state: EntryState, since: datetime, count: int) -> list[Record]:
        """The newest records in one state, of all triggers; no more are asked for."""
        return [Record.from_document(found) for found in self.ledger.of_state(state, since, at_most=count)]

    def of(self, event_id_or_execution_arn: str) -> list[Record]:
        """The records of an event or of an execution, newest first."""
        named = event_id_or_execution_arn
        found = self.ledger.of_execution(named) if is_execution(named) else self.ledger.of_event(named)
        return [Record.from_document(document) for document in found]

    def of_occurrence(self, token: str) -> Record | None:
        """The record of the same occurrence, whichever event told of it."""
        document = self.ledger.of_token(token)
        return None if document is None else Record.from_document(document)


@dataclass
class Explainer:
    """Says of records what became of them. Each revision of the triggers is read once."""

    executions: Executions
    store: TriggerStore
    quarantine: Quarantine

    def __post_init__(self) -> None:
        self._snapshots: dict[int | None, Snapshot | None] = {}

    def explain(self, record: Record) -> Explanation:
        """A record with its execution and what became of its trigger. What cannot be asked for is told, not raised."""
        since = self._since(record)
        arn = record.decision.execution_arn
        if not arn:
            return Explanation(record, since=since)
        request = record.decision.request
        try:
            execution = self.executions.execution(arn, role_arn=request.role_arn if request else None)
        except AwsError as error:
            return Explanation(record, problem=str(error), since=since)
        return Explanation(record, execution, since=since)

    def in_quarantine(self, event_id: str) -> list[Quarantined]:
        """The events in quarantine that have this id, or a decision about an event with it; each whole."""
        found = []
        for number, listed in enumerate(self.quarantine.list()):
            if listed.id != event_id and number >= MAX_SEARCHED:
                continue
            try:
                item = self.quarantine.get(listed.id)
            except NotFoundError:
                continue  # somebody has dealt with it meanwhile
            if event_id in {item.id, *(decision.get("event_id") for decision in item.decisions)}:
                found.append(item)
        return found

    def _since(self, record: Record) -> Since:
        decided, current = self._snapshot(record.decision.revision), self._snapshot(None)
        if decided is None or current is None:
            return "unknown"
        before, now = (snapshot.by_name.get(record.decision.trigger) for snapshot in (decided, current))
        if now is None:
            return "deleted"
        return "same" if before == now else "changed"

    def _snapshot(self, revision: int | None) -> Snapshot | None:
        if revision not in self._snapshots:
            try:
                self._snapshots[revision] = self.store.load(revision)
            except (AwsError, NotFoundError):
                self._snapshots[revision] = None
        return self._snapshots[revision]


def is_execution(text: str) -> bool:
    """Whether a text is the ARN of an execution; it is taken for an event's id otherwise."""
    return text.startswith("arn:") and ":sagemaker:" in text and "/execution/" in text
