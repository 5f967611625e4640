"""``simulate`` and ``match``: the whole decision for events from files, without starting anything."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from pipeline_triggers.cli.inputs import in_option, json_option, payloads, trigger_files
from pipeline_triggers.cli.render import cell, indented, line, styled, table
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, most_important
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

    from pipeline_triggers.domain.parameters import Resolved
    from pipeline_triggers.domain.patterns import Mismatch
    from pipeline_triggers.sources.envelopes import Malformed

DEFAULT_FILE = "triggers.yaml"
# How many triggers that do not match are told for each event; the JSON output has them all.
MAX_LISTED = 20
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
SPOKEN = {
    "start": "would start",
    "shadow": "shadow: would be recorded, not started",
    "disabled": "disabled: would be recorded, not started",
    "unmatched": "matches no trigger",
    "duplicate": "would not start again",
    "rejected": "would go to quarantine",
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """One event (or a part of a payload that is none), where it stood, and what would be done."""

    place: str
    title: str
    decisions: tuple[Decision, ...]
    mismatches: tuple[tuple[str, Mismatch], ...] = ()

    def documents(self) -> list[dict[str, Any]]:
        """Its decisions as JSON; one that matched nothing says why, trigger by trigger."""
        why = [{"trigger": name, **_mismatch_document(mismatch)} for name, mismatch in self.mismatches]
        return [
            decision.to_document() | ({"mismatches": why} if decision.outcome == "unmatched" else {})
            for decision in self.decisions
        ]


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
@click.pass_obj
def simulate(
    settings: Settings,
    *,
    event_files: tuple[str, ...],
    files: tuple[str, ...],
    from_stack: bool,
    account: str | None,
    topics: tuple[str, ...],
) -> Answer:
    """Show what events would start, with which parameters and why. Nothing is started or written.

    An EVENT_FILE ("-" is stdin) holds an event, a JSON list of events, or one on each line; also what Lambda receives:
    S3 notifications, SNS messages and SQS messages in Records. The pipelines' own definitions are not looked at.
    """
    snapshot = _snapshot(settings, files, from_stack=from_stack)
    home = _home(settings, account, from_stack=from_stack)
    if from_stack:
        topics = (*topics, *settings.connection.stack().trusted_topic_arns)
    simulated = list(_simulate(event_files, snapshot, home, topics))
    decisions = [decision for one in simulated for decision in one.decisions]
    return Answer(
        result=[document for one in simulated for document in one.documents()],
        exit_code=most_important(map(exit_code_of, decisions)),
        text=Group(*map(_shown, simulated), *_summary(decisions, len(simulated))),
    )


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


def _home(settings: Settings, account: str | None, *, from_stack: bool) -> Home:
    if account is not None and not (account.isascii() and account.isdigit() and len(account) == 12):
        raise InvalidInputError([Problem("--account", f"{account!r} is no account ID", "It has 12 digits")])
    if from_stack:
        home = settings.connection.stack().home
        return replace(home, account=account or home.account, region=settings.region or home.region)
    region = settings.region or DEFAULT_REGION
    partition = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return Home(
        partition=next((name for beginning, name in partition.items() if region.startswith(beginning)), "aws"),
        account=account or DEFAULT_ACCOUNT,
        region=region,
    )


def _events(files: Iterable[str], topics: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Every event of the files, and what is none, each with its place."""
    for file in files:
        for payload in payloads(file):
            for item in read(payload.value, via=(), trusted_topics=frozenset(topics)):
                yield payload.place, item


def _simulate(files: Iterable[str], snapshot: Snapshot, home: Home, topics: Sequence[str]) -> Iterator[Simulated]:
    """Decide on every event as the stack would, the ledger included: a token that came before is a duplicate."""
    first: dict[str, str] = {}
    for place, item in _events(files, topics):
        if not isinstance(item, Event):
            refused = Decision(place, "", "rejected", reason=item.reason, message=item.message)
            yield Simulated(place, "not an event", (refused,))
            continue
        decisions = decide(item, snapshot, lambda _: None, home)
        yield Simulated(
            place,
            _title(item),
            tuple(_once(decision, place, first) for decision in decisions),
            tuple(explain_unmatched(item, snapshot)),
        )


def _once(decision: Decision, place: str, first: dict[str, str]) -> Decision:
    if decision.outcome != "start":
        return decision
    if decision.token in first:
        message = f"the same occurrence starts it by {first[decision.token]}"
        return replace(decision, outcome="duplicate", message=message)
    first[decision.token] = place
    return decision


def _compare(place: str, item: Event | Malformed, patterns: Mapping[str, EventPattern]) -> Compared:
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


def _shown(simulated: Simulated) -> RenderableType:
    return Group(
        line((simulated.place, "bold")),
        line((simulated.title, "dim")),
        *(indented(_decision_shown(decision)) for decision in simulated.decisions),
        *map(indented, _not_for(simulated.mismatches)),
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


def _decision_shown(decision: Decision) -> RenderableType:
    heading = styled(decision.outcome)
    heading.plain = SPOKEN.get(decision.outcome, decision.outcome)
    said: list[RenderableType] = []
    if decision.trigger:
        heading.append_text(line("  ", (decision.trigger, "bold"), " → ", (_pipeline_name(decision), "bold")))
    refused = [resolved.message for resolved in decision.parameters if resolved.reason]
    if decision.reason:
        said.append(line((decision.reason, "red"), "" if refused else f": {decision.message}"))
    elif decision.message:
        said.append(line(decision.message))
    if decision.parameters:
        rows = [_parameter_row(resolved) for resolved in decision.parameters]
        said.append(table(["parameter", "origin", "expression", "found", "value", "verdict"], rows))
    said += map(line, refused)
    return Group(heading, indented(*said)) if said else heading


def _pipeline_name(decision: Decision) -> str:
    name = decision.pipeline_arn.rpartition("/")[2]
    return name if decision.target in ("", name) else f"{name} (target {decision.target})"


def _parameter_row(resolved: Resolved) -> list[object]:
    verdict = Text("sent", style="green")
    if resolved.reason:
        verdict = Text(resolved.reason, style="bold red")
    elif resolved.value is None:
        verdict = Text("left out", style="yellow")
    return [
        cell(resolved.name, "bold"),
        resolved.origin,
        cell("" if resolved.origin == "static" else resolved.expression, "cyan"),
        _raw_shown(resolved),
        cell("" if resolved.value is None else resolved.value),
        verdict,
    ]


def _raw_shown(resolved: Resolved) -> Text:
    """What the paths found; each path's of a template. Text is in quotes, so that "1000" and 1000 look different."""
    if resolved.origin == "static":
        return Text()
    if isinstance(resolved.raw, str) and resolved.raw == resolved.value:
        return Text("that text", style="dim")
    found = list(resolved.raw.values()) if resolved.origin == "template" else [resolved.raw]
    return Text("\n").join(_found_shown(value) for value in found)


def _found_shown(value: object) -> Text:
    if value is None:
        return Text("nothing", style="dim")
    return cell(json.dumps(value, ensure_ascii=False, default=str))


def _summary(decisions: Sequence[Decision], events: int) -> list[RenderableType]:
    """How many of each outcome: for more than one event."""
    if not events:
        return [Text("No events: what was read is acknowledged and starts nothing.")]
    if events == 1:
        return []
    counted = Counter((decision.outcome, decision.reason) for decision in decisions)
    rows = [[styled(outcome), reason, str(count)] for (outcome, reason), count in counted.most_common()]
    return [table(["outcome", "reason", "decisions"], rows, title=f"{events:,} events")]


def _mismatch_document(mismatch: Mismatch) -> dict[str, Any]:
    return {"path": mismatch.path, "wanted": mismatch.wanted, "found": mismatch.found}
