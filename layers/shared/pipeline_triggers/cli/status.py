"""The command "status": what waits, what is stuck and why, what happened last and what comes next, at a glance."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Group
from rich.text import Text

from pipeline_triggers.cli.orphaned import orphaned_targets
from pipeline_triggers.cli.render import cell, line, number_of, table
from pipeline_triggers.cli.schedule_views import Coming, list_document, list_table
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings
from pipeline_triggers.cli.status_parts import Part, contracts, failures, silent, starts, sweep
from pipeline_triggers.domain.dead_letters import DEAD_LETTER, UNDELIVERED, WORK_QUEUES
from pipeline_triggers.domain.ledger import RETENTION
from pipeline_triggers.errors import AwsError, ConfigurationError, NotFoundError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.cli.connection import Connection
    from pipeline_triggers.domain.messages import Counts
    from pipeline_triggers.domain.revisions import Current
    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.triggers import Snapshot

Read = TypeVar("Read")

# What somebody has to look at, and what to do about it.
STUCK_QUEUES = {
    DEAD_LETTER: "A function failed on these for days, and its log says why. When that is mended: dlq redrive",
    UNDELIVERED: "EventBridge, SNS or a schedule could not deliver these. dlq list says why; when that is mended: dlq "
    "redrive",
}
QUARANTINED = (
    "These events cannot start anything as they are. quarantine list says why; when that is mended: quarantine redrive"
)
ORPHANED = (
    "Their events go to quarantine. Make the pipelines again, and redrive what is in quarantine; or change the triggers"
)
STATES = ("ENABLED", "DISABLED", "SHADOW")
MAX_SCHEDULES = 10
# What is as old as the ledger keeps entries may be gone already.
MAX_SILENT_DAYS = RETENTION.days - 1


# What the policy of operators lets one read, and that of authors does not: who may not is told so, and no more.
FOR_OPERATORS = frozenset({"starts", "failures", "silent", "sweep"})
LEFT_OUT = "The stack's output OperatorPolicyArn is a policy that allows it"


@click.command(cls=Command)
@click.option(
    "--silent-days",
    type=click.IntRange(1, MAX_SILENT_DAYS),
    default=30,
    show_default=True,
    metavar="DAYS",
    help=f"Name triggers that have started nothing for so long, at most {MAX_SILENT_DAYS}: the ledger keeps "
    f"{RETENTION.days}.",
)
@click.pass_obj
def status(settings: Settings, *, silent_days: int) -> Answer:
    """See at a glance what waits, what is stuck, what happened last and what comes next.

    Ends with 0 when everything could be read, whatever it says. What only operators may read is left out for others.
    """
    connection = settings.connection
    # When not even the triggers can be read, there is no such stack, or no way to it: nothing else is asked.
    current = connection.store.current()
    snapshot = connection.store.load(current.revision)
    parts = [_triggers(snapshot, current, settings.stack_name)]
    problems: list[Problem] = []
    warnings: list[Problem] = []
    reads: dict[str, Callable[[], Part]] = {
        "contracts": lambda: contracts(connection, snapshot, current),
        "queues": lambda: _queues(connection, settings.stack_name),
        "schedules": lambda: _schedules(connection),
        "starts": lambda: starts(connection),
        "failures": lambda: failures(connection),
        "silent": lambda: silent(connection, snapshot, silent_days),
        "quarantine": lambda: _quarantine(connection),
        "sweep": lambda: sweep(connection),
    }
    for name, read in reads.items():
        try:
            parts.append(read())
        except (AwsError, ConfigurationError, NotFoundError) as error:
            if name in FOR_OPERATORS and isinstance(error, AwsError) and error.is_denied:
                warnings.append(Problem(name, f"is left out, because you may not read it: {error}", LEFT_OUT))
            else:
                problems.append(Problem(name, f"could not be read: {error}"))
    attention = [problem for part in parts for problem in part.attention]
    return Answer(
        result={
            "stack": settings.stack_name,
            **{part.name: part.result for part in parts},
            "attention": [{"field": it.field, "reason": it.reason, "remedy": it.remedy} for it in attention],
        },
        exit_code=ExitCode.FAILED if problems else ExitCode.DONE,
        problems=problems,
        warnings=warnings,
        text=Group(*(shown for part in parts for shown in part.shown), *_attention(attention, all_read=not problems)),
    )


def _triggers(snapshot: Snapshot, current: Current, stack: str) -> Part:
    orphans = orphaned_targets(snapshot, current)
    names = list(dict.fromkeys(orphan.trigger for orphan in orphans))
    gone = ", ".join(dict.fromkeys(orphan.pipeline for orphan in orphans))
    attention = [Problem("triggers", f"have lost their pipelines ({gone}): {', '.join(names)}", ORPHANED)]
    states: Counter[str] = Counter(trigger.state for trigger in snapshot.triggers)
    counted = {state.lower(): states[state] for state in STATES}
    return Part(
        "triggers",
        {"revision": snapshot.revision, **counted, "orphaned": [orphan.to_document() for orphan in orphans]},
        [
            line((stack, "bold")),
            line(f"{number_of(len(snapshot.triggers), 'trigger')}{_listed(counted)}, revision {snapshot.revision}"),
        ],
        attention if orphans else (),
    )


def _queues(connection: Connection, stack: str) -> Part:
    queues = connection.queues
    counts = {name: queues.counts(f"{stack}-{name}") for name in (*WORK_QUEUES, *STUCK_QUEUES)}
    attention = [
        Problem(name, f"has {number_of(counts[name].total, 'message')}", remedy)
        for name, remedy in STUCK_QUEUES.items()
        if counts[name].total
    ]
    rows = [
        [_queue(name, count), *map(_count, (count.waiting, count.in_flight, count.delayed))]
        for name, count in counts.items()
    ]
    return Part(
        "queues",
        [
            {"queue": name, "waiting": it.waiting, "in_flight": it.in_flight, "delayed": it.delayed}
            for name, it in counts.items()
        ],
        [line(""), table(["queue", "waiting", "in flight", "delayed"], rows)],
        attention,
    )


def _schedules(connection: Connection) -> Part:
    scheduling = connection.scheduling()
    found, now = list(scheduling.list()), scheduling.clock.now()
    states = Counter(str(each.document.get("State", "ENABLED")) for each in found)
    counted = {state.lower(): states[state] for state in STATES[:2]}
    found.sort(key=lambda each: _order(each, now))
    shown: list[RenderableType] = [line(""), line(f"{number_of(len(found), 'schedule')}{_listed(counted)}")]
    if found:
        shown.append(list_table(found[:MAX_SCHEDULES], now))
    if len(found) > MAX_SCHEDULES:
        shown.append(line((f"and {len(found) - MAX_SCHEDULES:,} more: see schedule list", "dim")))
    return Part("schedules", {**counted, "list": [list_document(each, now) for each in found]}, shown)


def _order(definition: ScheduleDefinition, now: datetime) -> tuple[bool, datetime, str]:
    """The next one first; those without a next time last."""
    coming = Coming.of(definition, now, 1).first
    return coming is None, coming.astimezone(UTC) if coming else now, str(definition.document["Name"])


def _quarantine(connection: Connection) -> Part:
    counted: Counter[str] = Counter()
    newest: dict[str, datetime] = {}
    for item in connection.quarantine.list():
        counted[item.reason] += 1
        newest.setdefault(item.reason, item.received_at)  # they come newest first
    reasons = [
        {"reason": reason, "events": number, "newest": newest[reason].isoformat()}
        for reason, number in counted.most_common()
    ]
    shown: list[RenderableType] = [line(""), line(f"{number_of(counted.total(), 'event')} in quarantine")]
    if reasons:
        rows = [
            [cell(it["reason"], "bold red"), f"{it['events']:,}", f"{newest[str(it['reason'])]:%Y-%m-%d %H:%M}"]
            for it in reasons
        ]
        shown.append(table(["reason", "events", "newest (UTC)"], rows))
    attention = [Problem("quarantine", f"has {number_of(counted.total(), 'event')}", QUARANTINED)] if reasons else []
    return Part("quarantine", {"events": counted.total(), "reasons": reasons}, shown, attention)


def _queue(name: str, count: Counts) -> Text:
    return cell(name, "bold red" if name in STUCK_QUEUES and count.total else "")


def _count(number: int) -> Text:
    return Text(f"{number:,}", style="" if number else "dim", justify="right")


def _attention(problems: Sequence[Problem], *, all_read: bool) -> list[RenderableType]:
    told = [line((f"{it.field} {it.reason}. ", "bold red"), f"{it.remedy}.") for it in problems]
    if all_read and not problems:
        told.append(line(("Nothing is stuck.", "green")))
    return [line(""), *told]


def _listed(counted: dict[str, int]) -> str:
    """The states that occur: ``: 3 enabled, 1 disabled``."""
    told = ", ".join(f"{number:,} {state}" for state, number in counted.items() if number)
    return f": {told}" if told else ""
