"""The commands of the two dead-letter queues: list and redrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Group

from pipeline_triggers.cli.filters import Work, dry_run_option, selection_of, since_option, utc
from pipeline_triggers.cli.render import cell, indented, line, number_of
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, Settings, yes_option
from pipeline_triggers.domain.dead_letters import DEAD_LETTER, UNDELIVERED
from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipeline_triggers.domain.dead_letters import DeadLetter
    from pipeline_triggers.redriving import Handled, Selection

QUEUES = (DEAD_LETTER, UNDELIVERED)
MAX_LISTED = 100

queue_option = click.option("--queue", type=click.Choice(QUEUES), help="Only this one.  [default: both]")
reason_option = click.option(
    "--reason", metavar="ERROR_CODE", help="Undelivered messages with this error code, such as NO_PERMISSIONS."
)


@click.group(cls=CommandGroup)
def dlq() -> None:
    """See and repair what failed for days (dead-letter) or never arrived (undelivered)."""


@dlq.command("list", cls=Command)
@queue_option
@reason_option
@since_option
@click.option(
    "--limit", type=click.IntRange(1), default=MAX_LISTED, show_default=True, metavar="N", help="Of each queue."
)
@click.pass_obj
def list_(settings: Settings, *, queue: str | None, reason: str | None, since: str | None, limit: int) -> Answer:
    """List what is in the dead-letter queues, the oldest first, and where it belongs.

    SQS shows messages only by handing them out: each is hidden from others for a moment and given back.
    """
    selection = selection_of(settings.connection.clock, reason, None, since)
    dead_letters = settings.connection.dead_letters
    result, shown = [], []
    for name in _queues(queue, selection):
        counts = dead_letters.counts(name)
        found = dead_letters.list(name, selection, limit)
        result.append(
            {
                "queue": name,
                "waiting": counts.waiting,
                "in_flight": counts.in_flight,
                "messages": [letter.to_document() for letter in found],
            }
        )
        about = f": {counts.waiting:,} waiting, {counts.in_flight:,} in flight, {len(found):,} listed"
        shown += [line((name, "bold"), about), *map(_shown, found)]
    return Answer(result=result, text=Group(*shown))


@dlq.command(cls=Command)
@queue_option
@reason_option
@since_option
@dry_run_option
@yes_option
@click.pass_obj
def redrive(
    settings: Settings,
    *,
    queue: str | None,
    reason: str | None,
    since: str | None,
    dry_run: bool,
    yes: bool,
) -> Answer:
    """Send messages to the queues where they belong, and delete them here.

    Always safe to repeat: what an event has started already, it does not start again. Messages of schedules that start
    a pipeline themselves belong to no queue: they stay, and you are told.
    """
    selection = selection_of(settings.connection.clock, reason, None, since)
    dead_letters = settings.connection.dead_letters
    queues = _queues(queue, selection)
    total = sum(dead_letters.counts(name).waiting for name in queues)
    if not (yes or dry_run):
        which = "those that fit of " if reason or since else ""
        question = f"Redrive {which}about {number_of(total, 'message')} of {' and '.join(queues)}?"
        settings.approve(question, "nothing was done")

    def handled() -> Iterator[Handled]:
        for name in queues:
            yield from dead_letters.redrive(name, selection, dry_run=dry_run)

    return Work.follow(handled(), "Redriving", total).answer("There is nothing to redrive.")


def _queues(queue: str | None, selection: Selection) -> tuple[str, ...]:
    """The queues that are meant. SQS keeps no reason with the messages of ``dead-letter``."""
    if selection.reason is None:
        return QUEUES if queue is None else (queue,)
    if queue == DEAD_LETTER:
        said = f"messages in {DEAD_LETTER} have no error code: the functions' logs say why, by message id"
        raise InvalidInputError([Problem("--reason", said)])
    return (UNDELIVERED,)


def _shown(letter: DeadLetter) -> RenderableType:
    said: list[RenderableType] = [line((f"{letter.origin} {letter.source}".rstrip(), "dim"))]
    if letter.error_code or letter.error_message:
        said.append(line((letter.error_code, "red"), f" {letter.error_message}"))
    if letter.hindrance:
        said.append(line(("stays: ", "yellow"), letter.hindrance))
    else:
        said.append(line(f"belongs to {letter.queue}"))
    said.append(cell(letter.body, "dim"))
    return indented(line((letter.id, "bold"), f"  first sent {utc(letter.sent_at)}"), indented(*said))
