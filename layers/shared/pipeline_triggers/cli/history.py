"""The commands "history" and "explain": what happened, and why it did or did not start anything."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from pipeline_triggers.cli.decisions import SPOKEN as PLANNED
from pipeline_triggers.cli.decisions import decision_document, decision_shown
from pipeline_triggers.cli.filters import SINCE_HELP, since_of, utc
from pipeline_triggers.cli.inputs import STDIN, payloads
from pipeline_triggers.cli.quarantine import item_shown, listed_document
from pipeline_triggers.cli.render import cell, indented, line, styled, table, width_of
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, most_important
from pipeline_triggers.cli.simulate import exit_code_of
from pipeline_triggers.domain.decisions import Decision, decide
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.records import decision_of
from pipeline_triggers.errors import InvalidInputError, Problem
from pipeline_triggers.explaining import MAX_SEARCHED, STATES, is_execution
from pipeline_triggers.sources.envelopes import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from pipeline_triggers.cli.connection import Connection
    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ledger import EntryState
    from pipeline_triggers.domain.messages import Quarantined
    from pipeline_triggers.domain.records import Record
    from pipeline_triggers.domain.triggers import Snapshot
    from pipeline_triggers.explaining import Explainer, Explanation
    from pipeline_triggers.sources.envelopes import Malformed

# What the outcomes of records are called.
SPOKEN = {
    "started": "started",
    "retry": "is being attempted",
    "shadow": "shadow: recorded, not started",
    "disabled": "disabled: recorded, not started",
    "rejected": "was refused",
}
TRIGGER_SINCE = {
    "same": "the trigger is the same now",
    "changed": "the trigger was changed since",
    "deleted": "the trigger was deleted since",
    "unknown": "",
}


@click.command(cls=Command)
@click.option("--trigger", metavar="NAME", help="Of this trigger only.")
@click.option("--since", default="24h", show_default=True, metavar="AGE|TIME", help=SINCE_HELP)
@click.option("--state", type=click.Choice(STATES), help="Only what is in this state.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="The newest N.")
@click.pass_obj
def history(settings: Settings, *, trigger: str | None, since: str, state: EntryState | None, limit: int) -> Answer:
    """Show what triggers have started, refused or only recorded, newest first.

    Events that match no trigger are in the functions' logs only.
    """
    connection = settings.connection
    recent = connection.history.recent(since_of(since, connection.clock), trigger=trigger, state=state)
    found = list(islice(recent, limit + 1))
    shown = found[:limit]
    told = line(f"{len(shown):,} on record since {since}")
    warnings = [Problem("", f"there are more than {limit:,}", "Raise --limit, or narrow it")] if found[limit:] else []
    return Answer(result=[record.document for record in shown], warnings=warnings, text=Group(told, _Listed(shown)))


@click.command(cls=Command)
@click.argument("what", metavar="EVENT_ID|EXECUTION_ARN|FILE")
@click.option(
    "--revision", type=click.IntRange(1), metavar="N", help="Decide again with this revision of the triggers."
)
@click.pass_obj
def explain(settings: Settings, *, what: str, revision: int | None) -> Answer:
    """Say why an event started something, or did not, or what caused an execution.

    With a FILE ("-" is stdin) each event in it is looked up; one that is not on record is decided again, with the
    stack's triggers as they are or were. Nothing is started or written.
    """
    connection = settings.connection
    if what == STDIN or (Path(what).is_file() and not is_execution(what)):
        return _of_file(connection, what, revision)
    if revision is not None:
        raise InvalidInputError([Problem("--revision", "needs the event itself: give a FILE")])
    records = connection.history.of(what)
    if not records:
        return _not_on_record(connection, what)
    explanations = [connection.explainer.explain(record) for record in records]
    return Answer(
        result=[explanation_document(each) for each in explanations],
        exit_code=most_important(exit_code_of(record.decision) for record in records),
        text=Group(*(explanation_shown(each) for each in explanations)),
    )


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """A record as JSON, with its execution and what became of its trigger."""
    record, execution = explanation.record, explanation.execution
    return {
        **record.document,
        **decision_document(record.decision),
        "recorded": True,
        "rerun_of": record.rerun_of,
        "trigger_since": explanation.since,
        "execution": execution
        and {
            "arn": execution.arn,
            "status": execution.status,
            "started_at": execution.started_at and execution.started_at.isoformat(),
            "changed_at": execution.changed_at and execution.changed_at.isoformat(),
            "failure_reason": execution.failure_reason,
        },
    }


def explanation_shown(explanation: Explanation) -> RenderableType:
    """A record for people."""
    return Group(
        decision_shown(explanation.record.decision, SPOKEN),
        indented(table(["", ""], [[Text(label, style="dim"), fact] for label, fact in _facts(explanation)])),
        Text(),
    )


def _facts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    record, execution = explanation.record, explanation.execution
    decision = record.decision
    if decision.execution_arn:
        yield "execution", decision.execution_arn
    if execution:
        started = f" since {utc(execution.started_at)} UTC" if execution.started_at else ""
        failure = f": {execution.failure_reason}" if execution.failure_reason else ""
        ended = execution.status not in ("Executing", "Stopping") and execution.changed_at
        yield "status", f"{execution.status}{f' at {utc(ended)} UTC' if ended else started}{failure}"
    if explanation.problem:
        yield "status", f"not known: {explanation.problem}"
    yield "event", decision.event_id
    yield "decided", f"{utc(record.at)} UTC{f', attempt {record.attempts}' if record.attempts > 1 else ''}"
    said = TRIGGER_SINCE[explanation.since]
    yield "revision", f"{decision.revision}{f': {said}' if said else ''}"
    if record.params_changed:
        yield "note", "the parameters changed between attempts"
    if record.rerun_of:
        yield "rerun of", record.rerun_of
    else:
        yield "occurrence", decision.occurrence


_COLUMNS = ("decided (UTC)", "outcome", "trigger", "target", "reason", "execution", "event")


@dataclass(frozen=True, slots=True)
class _Listed:
    """Records as a table where it fits without folding, else in two lines each."""

    records: Sequence[Record]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [_cells(record) for record in self.records]
        if not rows:
            return
        if width_of(_COLUMNS, rows) > options.max_width:
            yield from map(_in_two_lines, self.records)
        else:
            yield table(_COLUMNS, rows)


def _cells(record: Record) -> list[Text]:
    decision = record.decision
    execution = decision.execution_arn.rpartition("/")[2] if decision.execution_arn else ""
    return [
        cell(utc(record.at), "dim"),
        styled(decision.outcome),
        cell(decision.trigger, "bold"),
        cell(decision.target),
        cell(decision.reason, "red"),
        cell(execution),
        cell(decision.event_id, "dim"),
    ]


def _in_two_lines(record: Record) -> RenderableType:
    """A record where ids of events and executions are too long for one line."""
    decision = record.decision
    heading = line((utc(record.at), "dim"), "  ").append_text(styled(decision.outcome))
    heading.append_text(line("  ", (decision.trigger, "bold"), " → ", (decision.target, "bold")))
    if decision.reason:
        heading.append_text(line("  ", (decision.reason, "red")))
    execution = f"  execution {decision.execution_arn.rpartition('/')[2]}" if decision.execution_arn else ""
    return Group(heading, indented(line((f"event {decision.event_id}{execution}", "dim"))))


def _not_on_record(connection: Connection, what: str) -> Answer:
    """What is said of an id that the ledger does not know; the quarantine may."""
    items = [] if is_execution(what) else connection.explainer.in_quarantine(what)
    if items:
        return _of_quarantine(items)
    if is_execution(what):
        said = f"nothing is on record about {what}"
        remedy = (
            "No trigger has started it in the last 35 days. A schedule that starts its pipeline itself leaves no "
            "record, nor does a start by hand"
        )
    else:
        said = f"nothing is on record about the event {what}"
        remedy = (
            "It matched no trigger (the functions' logs tell), another event had told of the same occurrence before, "
            "it is older than 35 days, or it still waits: see status. With the event in a FILE, explain decides again. "
            f"Of the quarantine the newest {MAX_SEARCHED} were looked through; by its id there, any is found"
        )
    return Answer(result=[], exit_code=ExitCode.UNMATCHED, problems=[Problem("", said, remedy)])


def _of_quarantine(items: Sequence[Quarantined]) -> Answer:
    found = [(item, decision_of(told)) for item in items for told in item.decisions if "outcome" in told]
    return Answer(
        result=[
            decision_document(decision) | {"recorded": False, "quarantine": listed_document(item)}
            for item, decision in found
        ],
        exit_code=most_important(exit_code_of(decision) for _, decision in found) if found else ExitCode.FAILED,
        text=Group(*(part for item in items for part in (line("In quarantine:"), *item_shown(item)))),
    )


def _of_file(connection: Connection, file: str, revision: int | None) -> Answer:
    stack = connection.stack()
    again = _Again(connection, connection.explainer, connection.store.load(revision), stack.home, revision is not None)
    for payload in payloads(file):
        if isinstance(payload, Problem):
            raise InvalidInputError([payload])
        for item in read(payload.value, via=(), trusted_topics=frozenset(stack.trusted_topic_arns)):
            again.add(payload.place, item)
    return Answer(
        result=again.documents,
        exit_code=most_important(again.codes),
        text=Group(*again.shown) if again.shown else line("No events: what was read starts nothing."),
    )


class _Again:
    """Events of a file: what is on record about them, and for the others the decision once more."""

    def __init__(
        self, connection: Connection, explainer: Explainer, snapshot: Snapshot, home: Home, always: bool
    ) -> None:
        self._connection, self._explainer = connection, explainer
        self._snapshot, self._home, self._always = snapshot, home, always
        self.documents: list[dict[str, Any]] = []
        self.shown: list[RenderableType] = []
        self.codes: list[ExitCode] = []

    def add(self, place: str, item: Event | Malformed) -> None:
        """Take in one event, or a part of a payload that is none."""
        self.shown.append(line((place, "bold")))
        records = self._connection.history.of(item.id) if isinstance(item, Event) else []
        for record in records:
            self._add_record(record, place)
        if records and not self._always:
            return
        by = f"by revision {self._snapshot.revision}, without asking what the pipelines declare:"
        self.shown.append(line(f"Decided again {by}" if records else f"Nothing is on record. Decided again {by}"))
        for decision in self._decisions(item):
            self._add_decision(decision, place)

    def _decisions(self, item: Event | Malformed) -> list[Decision]:
        if isinstance(item, Event):
            return decide(item, self._snapshot, lambda _: None, self._home)
        return [Decision("", "", "rejected", reason=item.reason, message=item.message)]

    def _add_record(self, record: Record, place: str) -> None:
        explanation = self._explainer.explain(record)
        self.documents.append(explanation_document(explanation) | {"place": place})
        self.shown.append(explanation_shown(explanation))
        self.codes.append(exit_code_of(record.decision))

    def _add_decision(self, decision: Decision, place: str) -> None:
        """What would be done; an occurrence that another event has told of is on record under that event."""
        known = self._connection.history.of_occurrence(decision.token) if decision.token else None
        if known is not None and known.decision.event_id != decision.event_id:
            self.shown.append(line("Another event has told of the same occurrence:"))
            self._add_record(known, place)
            return
        self.documents.append(decision_document(decision) | {"place": place, "recorded": False})
        self.shown += [indented(decision_shown(decision, PLANNED)), Text()]
        self.codes.append(exit_code_of(decision))
