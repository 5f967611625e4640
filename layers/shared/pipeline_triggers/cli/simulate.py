"""``simulate`` and ``match``: the whole decision for events from files, without starting anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from pipeline_triggers.checking import Checker
from pipeline_triggers.cli.decisions import decision_document, decision_shown
from pipeline_triggers.cli.declarations import Declarations, definitions_in_files
from pipeline_triggers.cli.inputs import in_option, json_option, payloads, trigger_files
from pipeline_triggers.cli.render import indented, line, table, to_console
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, most_important
from pipeline_triggers.cli.summaries import Summary
from pipeline_triggers.domain.decisions import Decision, decide, explain_unmatched
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import InvalidInputError, Problem
from pipeline_triggers.sources.envelopes import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.patterns import Mismatch
    from pipeline_triggers.sources.envelopes import Malformed

DEFAULT_FILE = "triggers.yaml"
# How many triggers that do not match are told for each event; the JSON output has them all.
MAX_LISTED = 20
# Of more events than that only a summary is shown, unless --verbose asks for each.
MAX_SHOWN_EVENTS = 20
# So many lines that are no JSON are told one by one.
MAX_BROKEN = 20
# Where events are from and pipelines are when nothing else is said: the account of the local run.
DEFAULT_ACCOUNT, DEFAULT_REGION = "123456789012", "us-east-1"

# What a rejection is for whoever tries an event: the event is no valid input, or a parameter cannot be sent.
INVALID_EVENT = frozenset({"malformed-event", "too-deep", "too-large"})
REFUSED_PARAMETER = frozenset(
    {
        "missing-parameter",
        "empty-value",
        "value-too-long",
        "too-many-parameters",
        "constraint",
        "unknown-parameter",
        "required-parameter",
        "wrong-type",
        "not-in-enum",
    },
)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One event (None: a part of a payload that is none), where it stood, and what would be done."""

    place: str
    event: Event | None
    decisions: tuple[Decision, ...]

    @property
    def occurrence(self) -> str:
        """The occurrence that the event itself reports; empty when it is none."""
        return self.event.occurrence if self.event is not None else ""

    def mismatches(self, snapshot: Snapshot) -> list[tuple[str, Mismatch]]:
        """Why each trigger does not match."""
        return explain_unmatched(self.event, snapshot) if self.event is not None else []

    def documents(self, snapshot: Snapshot) -> list[dict[str, Any]]:
        """Its decisions as JSON; one that matched nothing says why, trigger by trigger."""
        documents = []
        for decision in self.decisions:
            document = decision_document(decision) | {"place": self.place}
            if decision.outcome == "unmatched":
                why = self.mismatches(snapshot)
                document["mismatches"] = [{"trigger": name, **_mismatch_document(mismatch)} for name, mismatch in why]
            documents.append(document)
        return documents


@dataclass(frozen=True, slots=True)
class Compared:
    """One event and, for each pattern by name, what failed first (None: it matches)."""

    place: str
    event: Event
    verdicts: tuple[tuple[str, Mismatch | None], ...]

    def documents(self) -> list[dict[str, Any]]:
        """The verdicts as JSON; ``trigger`` is empty for a pattern that was given as an option."""
        return [
            {
                "event_id": self.event.id,
                "trigger": name,
                "matches": mismatch is None,
                "mismatch": _mismatch_document(mismatch) if mismatch else None,
            }
            for name, mismatch in self.verdicts
        ]


def exit_code_of(decision: Decision) -> ExitCode:
    """The exit code for one decision. What is in shadow counts as a start, what is disabled as no match."""
    if decision.reason in INVALID_EVENT:
        # With a trigger it is about a value that a parameter found in the event.
        return ExitCode.REFUSED if decision.trigger else ExitCode.INVALID
    if decision.reason in REFUSED_PARAMETER:
        return ExitCode.REFUSED
    if decision.reason or decision.outcome == "retry":
        return ExitCode.FAILED
    if decision.outcome == "duplicate":
        return ExitCode.DUPLICATE
    return ExitCode.DONE if decision.outcome in ("start", "started", "shadow") else ExitCode.UNMATCHED


@click.command(cls=Command)
@click.argument("event_files", nargs=-1, required=True, metavar="EVENT_FILE...")
@click.option("--triggers", "files", multiple=True, metavar="FILE", help=f"Trigger files.  [default: {DEFAULT_FILE}]")
@click.option("--from-stack", is_flag=True, help="Use the triggers that the stack has now.")
@click.option("--account", metavar="ID", help=f"The account of the pipelines.  [default: {DEFAULT_ACCOUNT}]")
@click.option("--trusted-topic", "topics", multiple=True, metavar="ARN", help="Unwrap AWS events from this SNS topic.")
@click.option("--live", is_flag=True, help="Check the parameters against the pipelines in the account.")
@click.option(
    "--definition",
    "definitions",
    multiple=True,
    metavar="PIPELINE=FILE",
    help="Check them against a definition, or DescribePipeline's answer, in a file.",
)
@click.option("-v", "--verbose", is_flag=True, help=f"Show each event, also of more than {MAX_SHOWN_EVENTS}.")
@click.pass_obj
def simulate(
    settings: Settings,
    *,
    event_files: tuple[str, ...],
    files: tuple[str, ...],
    from_stack: bool,
    account: str | None,
    topics: tuple[str, ...],
    live: bool,
    definitions: tuple[str, ...],
    verbose: bool,
) -> Answer:
    """Show what events would start, with which parameters and why. Nothing is started or written.

    An EVENT_FILE ("-" is stdin) holds an event, a JSON list of events, or one on each line; also what Lambda receives:
    S3 notifications, SNS messages and SQS messages in Records. What the pipelines themselves would refuse is told with
    --live, or with --definition for each of them: then AWS is not asked about that pipeline.
    """
    snapshot = _snapshot(settings, files, from_stack=from_stack)
    home = _home(settings, account, from_stack=from_stack, live=live)
    if from_stack:
        topics = (*topics, *settings.connection.stack().trusted_topic_arns)
    given = definitions_in_files(definitions, snapshot, home)
    checker = Checker(settings.connection.pipelines()) if live else None
    simulator = Simulator(snapshot, home, Declarations(home, given, checker, snapshot.start_roles))
    report = Report(snapshot, as_json=settings.json, verbose=verbose)
    for place, item in _events(event_files, topics):
        if isinstance(item, Problem):
            report.add_broken(item)
        else:
            report.add(simulator.simulate(place, item))
    return report.answer(simulator.declarations)


@click.command(cls=Command)
@click.argument("event_files", nargs=-1, required=True, metavar="EVENT_FILE...")
@click.option("--event-pattern", metavar="JSON|@FILE", help="An event pattern to try.")
@click.option("--triggers", "files", multiple=True, metavar="FILE", help=f"Trigger files.  [default: {DEFAULT_FILE}]")
@click.option("--from-stack", is_flag=True, help="Use the triggers that the stack has now.")
@click.option("--trusted-topic", "topics", multiple=True, metavar="ARN", help="Unwrap AWS events from this SNS topic.")
@click.pass_obj
def match(
    settings: Settings,
    *,
    event_files: tuple[str, ...],
    event_pattern: str | None,
    files: tuple[str, ...],
    from_stack: bool,
    topics: tuple[str, ...],
) -> Answer:
    """Say whether events match an event pattern, or triggers, and if not, which clause failed first."""
    if event_pattern is not None and (files or from_stack):
        raise click.UsageError("give an event pattern or triggers, not both")
    patterns = _patterns(settings, event_pattern, files, from_stack=from_stack)
    compared = [_compare(place, item, patterns) for place, item in _events(event_files, topics)]
    mismatches = [mismatch for one in compared for _, mismatch in one.verdicts]
    return Answer(
        result=[document for one in compared for document in one.documents()],
        exit_code=most_important(ExitCode.DONE if m is None else ExitCode.UNMATCHED for m in mismatches),
        text=Group(*map(_compared_shown, compared)),
    )


def _snapshot(settings: Settings, files: Sequence[str], *, from_stack: bool) -> Snapshot:
    if from_stack and files:
        raise click.UsageError("give --triggers or --from-stack, not both")
    if from_stack:
        return settings.connection.manager.current()
    loaded = trigger_files(files or [DEFAULT_FILE])
    return Snapshot(revision=0, triggers=tuple(t for _, content in loaded for t in content.triggers))


def _patterns(
    settings: Settings,
    event_pattern: str | None,
    files: Sequence[str],
    *,
    from_stack: bool,
) -> dict[str, EventPattern]:
    if event_pattern is None:
        snapshot = _snapshot(settings, files, from_stack=from_stack)
        return {t.name: t.pattern for t in snapshot.triggers if t.pattern is not None}
    try:
        return {"": EventPattern(json_option(event_pattern, "--event-pattern"))}
    except InvalidInputError as error:
        raise in_option(error, "--event-pattern") from error


def _home(settings: Settings, account: str | None, *, from_stack: bool, live: bool) -> Home:
    """Where pipelines without an ARN are: in the stack's account, with --live in the caller's, else nowhere."""
    if account is not None and not (account.isascii() and account.isdigit() and len(account) == 12):
        raise InvalidInputError([Problem("--account", f"{account!r} is no account ID", "It has 12 digits")])
    if from_stack:
        home = settings.connection.stack().home
        return replace(home, account=account or home.account, region=settings.region or home.region)
    if live:
        home = settings.connection.scheduling().home
        return replace(home, account=account or home.account)
    region = settings.region or DEFAULT_REGION
    partition = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return Home(
        partition=next((name for beginning, name in partition.items() if region.startswith(beginning)), "aws"),
        account=account or DEFAULT_ACCOUNT,
        region=region,
    )


def _events(files: Iterable[str], topics: Sequence[str]) -> Iterator[tuple[str, Event | Malformed | Problem]]:
    """Every event of the files, what is none, and lines that are no JSON, each with its place."""
    for file in files:
        for payload in payloads(file):
            if isinstance(payload, Problem):
                yield file, payload
                continue
            for item in read(payload.value, via=(), trusted_topics=frozenset(topics)):
                yield payload.place, item


@dataclass
class Simulator:
    """Decides on events as the stack would, the ledger included: a token that came before is a duplicate."""

    snapshot: Snapshot
    home: Home
    declarations: Declarations
    _first: dict[bytes, str] = field(default_factory=dict)

    def simulate(self, place: str, item: Event | Malformed) -> Simulated:
        """What would be done for an event, or a part of a payload that is none."""
        if not isinstance(item, Event):
            return Simulated(place, None, (Decision(place, "", "rejected", reason=item.reason, message=item.message),))
        decisions = decide(item, self.snapshot, self.declarations.of, self.home)
        return Simulated(place, item, tuple(self._once(decision, place) for decision in decisions))

    def _once(self, decision: Decision, place: str) -> Decision:
        if decision.outcome != "start":
            return decision
        token = bytes.fromhex(decision.token)
        if token in self._first:
            message = f"the same occurrence starts it by {self._first[token]}"
            return replace(decision, outcome="duplicate", message=message)
        self._first[token] = place
        return decision


@dataclass
class Report:
    """What is said about events as they come: all of it as JSON; for people few events in full, of many a summary."""

    snapshot: Snapshot
    as_json: bool
    verbose: bool
    _summary: Summary = field(default_factory=Summary)
    _codes: set[ExitCode] = field(default_factory=set)
    _documents: list[dict[str, Any]] = field(default_factory=list)
    _first: list[Simulated] = field(default_factory=list)
    _broken: list[Problem] = field(default_factory=list)
    _broken_lines: int = 0

    def add(self, simulated: Simulated) -> None:
        """Take in one event; with --verbose it is printed at once."""
        self._summary.add(simulated.place, simulated.occurrence, simulated.decisions)
        self._codes.update(map(exit_code_of, simulated.decisions))
        if self.as_json:
            self._documents += simulated.documents(self.snapshot)
        elif self.verbose:
            to_console(_shown(simulated, self.snapshot))
        elif self._summary.events <= MAX_SHOWN_EVENTS:
            self._first.append(simulated)

    def add_broken(self, problem: Problem) -> None:
        """Take in a line that is no JSON."""
        self._broken_lines += 1
        self._codes.add(ExitCode.INVALID)
        if len(self._broken) < MAX_BROKEN:
            self._broken.append(problem)

    def answer(self, declarations: Declarations) -> Answer:
        """The answer of the command, after the last event."""
        more = self._broken_lines - len(self._broken)
        rest = [Problem("", f"{more:,} more lines are not JSON")] if more else []
        return Answer(
            result=self._documents,
            exit_code=most_important(self._codes),
            problems=[*self._broken, *rest],
            warnings=declarations.warnings,
            text=None if self.as_json else Group(*self._text(declarations)),
        )

    def _text(self, declarations: Declarations) -> Iterator[RenderableType]:
        events = self._summary.events
        if not events and not self._broken:
            yield Text("No events: what was read is acknowledged and starts nothing.")
        if events <= MAX_SHOWN_EVENTS:
            yield from (_shown(simulated, self.snapshot) for simulated in self._first)
        if events > 1:
            yield from self._summary.shown()
        if declarations.not_looked_at:
            yield line((declarations.not_looked_at, "dim"))
        if events > MAX_SHOWN_EVENTS and not self.verbose:
            yield from self._summary.examples()


def _compare(place: str, item: Event | Malformed | Problem, patterns: Mapping[str, EventPattern]) -> Compared:
    if isinstance(item, Problem):
        raise InvalidInputError([item])
    if not isinstance(item, Event):
        raise InvalidInputError([Problem("", item.message, file=place)])
    verdicts = tuple((name, pattern.explain(item.document)) for name, pattern in patterns.items())
    return Compared(place, item, verdicts)


def _compared_shown(compared: Compared) -> RenderableType:
    matched = [name or "the pattern" for name, mismatch in compared.verdicts if mismatch is None]
    failed = [(name or "the pattern", mismatch) for name, mismatch in compared.verdicts if mismatch is not None]
    return Group(
        line((compared.place, "bold")),
        line((_title(compared.event), "dim")),
        *([indented(line(("matches ", "bold green"), ", ".join(matched)))] if matched else []),
        *map(indented, _not_for(failed)),
        Text(),
    )


def _title(event: Event) -> str:
    return f"{event.source} · {event.detail_type} · {event.id}"


def _shown(simulated: Simulated, snapshot: Snapshot) -> RenderableType:
    title = _title(simulated.event) if simulated.event is not None else "not an event"
    return Group(
        line((simulated.place, "bold")),
        line((title, "dim")),
        *(indented(decision_shown(decision)) for decision in simulated.decisions),
        *map(indented, _not_for(simulated.mismatches(snapshot))),
        Text(),
    )


def _not_for(mismatches: Sequence[tuple[str, Mismatch]]) -> Iterator[RenderableType]:
    """Why other triggers do not match: those of other sources in one line, the near ones clause by clause."""
    far = [name for name, mismatch in mismatches if mismatch.path == "source"] if len(mismatches) > 1 else []
    near = [(name, mismatch) for name, mismatch in mismatches if name not in far]
    if near:
        rows = [[name, m.path, m.wanted, m.found] for name, m in near[:MAX_LISTED]]
        yield table(["does not match", "field", "wanted", "found"], rows)
    if len(near) > MAX_LISTED:
        yield line((f"and {len(near) - MAX_LISTED:,} more that do not match", "dim"))
    if far:
        more = f" and {len(far) - MAX_LISTED:,} more" if len(far) > MAX_LISTED else ""
        yield line(("for other sources: ", "dim"), (", ".join(far[:MAX_LISTED]) + more, "dim"))


def _mismatch_document(mismatch: Mismatch) -> dict[str, Any]:
    return {"path": mismatch.path, "wanted": mismatch.wanted, "found": mismatch.found}
