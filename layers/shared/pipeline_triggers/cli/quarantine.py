"""The commands of the quarantine: list, show, redrive and drop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import click
from rich.console import Group

from pipeline_triggers.cli.decisions import decision_shown
from pipeline_triggers.cli.filters import (
    Work,
    chosen_ids,
    dry_run_option,
    selection_of,
    since_option,
    utc,
)
from pipeline_triggers.cli.render import cell, indented, line, number_of, table
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, Settings, yes_option
from pipeline_triggers.domain.decisions import PermanentReason, TransientReason
from pipeline_triggers.domain.records import decision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.messages import Quarantined

# What decisions of the past are called.
SPOKEN = {"rejected": "was refused"}
# Clean-ups put events here for reasons that are transient elsewhere.
REASONS = (*get_args(PermanentReason), *get_args(TransientReason))

reason_option = click.option("--reason", type=click.Choice(REASONS), metavar="REASON", help="Those with this reason.")
trigger_option = click.option("--trigger", metavar="NAME", help="Those that this trigger was refused for.")
ids_argument = click.argument("ids", nargs=-1, metavar="[ID]...")
all_option = click.option("--all", "everything", is_flag=True, help="All of them, or those that the filters leave.")


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The filters of the list."""
    return reason_option(trigger_option(since_option(command)))


@click.group(cls=CommandGroup)
def quarantine() -> None:
    """See and repair what could not start anything.

    An event is here because of a reason that the same event would meet again: mend it, then redrive.
    """


@quarantine.command("list", cls=Command)
@filters
@click.pass_obj
def list_(settings: Settings, *, reason: str | None, trigger: str | None, since: str | None) -> Answer:
    """List the events in quarantine, newest first."""
    connection = settings.connection
    found = list(connection.quarantine_keeper.list(selection_of(connection.clock, reason, trigger, since)))
    told = f"{number_of(len(found), 'event')} in quarantine"
    return Answer(
        result=[listed_document(item) for item in found],
        text=Group(line(told), *([listed_table(found)] if found else [])),
    )


@quarantine.command(cls=Command)
@click.argument("id_", metavar="ID")
@click.option("--body", "only_body", is_flag=True, help="Print only the event as it came, to the letter.")
@click.pass_obj
def show(settings: Settings, *, id_: str, only_body: bool) -> Answer:
    """Show one event in quarantine: why it is there, and the event itself."""
    item = settings.connection.quarantine.get(id_)
    return Answer(
        result=listed_document(item) | {"decisions": list(item.decisions), "body": item.body},
        text=item.body + "\n" if only_body else Group(*item_shown(item), line(""), *_body(item.body)),
    )


@quarantine.command(cls=Command)
@ids_argument
@all_option
@filters
@dry_run_option
@yes_option
@click.pass_obj
def redrive(settings: Settings, /, *, dry_run: bool, yes: bool, **wanted: Any) -> Answer:
    """Send events to the queues that they came from, and take them out of the quarantine.

    Always safe to repeat: what an event has started already, it does not start again. One that still cannot start
    anything comes back here.
    """
    ids = _ids(settings, **wanted)
    if ids and not (yes or dry_run):
        settings.approve(f"Redrive {number_of(len(ids), 'event')}?", "nothing was done")
    handled = settings.connection.quarantine_keeper.redrive(ids, dry_run=dry_run)
    return Work.follow(handled, "Redriving", len(ids)).answer("There is nothing to redrive.")


@quarantine.command(cls=Command)
@ids_argument
@all_option
@filters
@dry_run_option
@yes_option
@click.pass_obj
def drop(settings: Settings, /, *, dry_run: bool, yes: bool, **wanted: Any) -> Answer:
    """Delete events from the quarantine for good: they will start nothing."""
    ids = _ids(settings, **wanted)
    if ids and not (yes or dry_run):
        settings.approve(f"Delete {number_of(len(ids), 'event')} for good?", "nothing was done")
    handled = settings.connection.quarantine_keeper.drop(ids, dry_run=dry_run)
    return Work.follow(handled, "Deleting", len(ids)).answer("There is nothing to drop.")


def listed_document(item: Quarantined) -> dict[str, Any]:
    """An item as JSON, without decisions and body."""
    return {
        "id": item.id,
        "received_at": item.received_at.isoformat(),
        "reason": item.reason,
        "triggers": list(item.triggers),
        "source_queue": item.source_queue,
        "message": item.message,
    }


def listed_table(items: Sequence[Quarantined]) -> RenderableType:
    """Items for people: two lines each, because messages are long."""
    parts: list[RenderableType] = []
    for item in items:
        parts.append(line((item.id, "bold"), f"  {utc(item.received_at)}  ", (item.reason, "red")))
        about = ", ".join(item.triggers) or "no trigger"
        parts.append(indented(line((f"{about}; {_queue(item)}", "dim")), cell(item.message)))
    return Group(*parts)


def item_shown(item: Quarantined) -> list[RenderableType]:
    """An item for people, without its body."""
    facts: list[list[object]] = [
        ["id", item.id],
        ["received", f"{utc(item.received_at)} UTC"],
        ["reason", cell(item.reason, "bold red")],
        ["from", _queue(item)],
    ]
    # Those of clean-ups are reports of another form.
    decisions = [decision_of(document) for document in item.decisions if "outcome" in document]
    shown: list[RenderableType] = [table(["", ""], facts)]
    for decision in decisions:
        shown += [line(""), decision_shown(decision, SPOKEN)]
    return shown if decisions else [*shown, line(item.message)]


def _ids(
    settings: Settings,
    *,
    ids: tuple[str, ...],
    everything: bool,
    reason: str | None,
    trigger: str | None,
    since: str | None,
) -> list[str]:
    """The ids that are meant, each once."""
    chosen_ids(ids, everything=everything, filtered=any(each is not None for each in (reason, trigger, since)))
    if ids:
        return list(dict.fromkeys(ids))
    connection = settings.connection
    selection = selection_of(connection.clock, reason, trigger, since)
    return [item.id for item in connection.quarantine_keeper.list(selection)]


def _queue(item: Quarantined) -> str:
    return item.source_queue.rpartition(":")[2] or "came without a queue"


def _body(body: str) -> list[RenderableType]:
    """The body in lines, as JSON where it is that; control characters escaped, nothing cut."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = body
    return [line(each) for each in text.split("\n")]
