"""What the commands for looking back and for repairing share: since when, which ones, a progress bar, the results."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console, Group
from rich.progress import Progress

from pipeline_triggers.cli.render import cell, line, table
from pipeline_triggers.cli.settings import Answer, ExitCode
from pipeline_triggers.errors import AwsError, InvalidInputError, Problem
from pipeline_triggers.redriving import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.ports import Clock
    from pipeline_triggers.redriving import Handled

Done = TypeVar("Done")

_AGE = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STYLES = {"failed": "bold red", "left": "bold yellow", "missing": "dim", "dropped": "red", "redriven": "green"}

SINCE_HELP = "Not older than 30m, 2h or 7d, or than a time such as 2030-01-31T08:00Z."

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done, change nothing.")
since_option = click.option("--since", metavar="AGE|TIME", help=SINCE_HELP)


def since_of(text: str, clock: Clock) -> datetime:
    """The time that ``--since`` means; one without an offset is in UTC. Raises InvalidInputError."""
    now = clock.now()
    try:
        if match := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        said = f"{text!r} is neither an age such as 2h nor an ISO 8601 time such as 2030-01-31T08:00Z"
        raise InvalidInputError([Problem("--since", said)]) from None
    return time if time.utcoffset() is not None else time.replace(tzinfo=UTC)


def selection_of(clock: Clock, reason: str | None, trigger: str | None, since: str | None) -> Selection:
    """The selection that the options mean."""
    return Selection(reason, trigger, None if since is None else since_of(since, clock))


def followed(results: Iterator[Done], about: str, total: int) -> Iterator[Done]:
    """The same results under a progress bar, which is on stderr, and only there is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(about, total=total or None)
        for one in results:
            yield one
            progress.advance(bar)


@dataclass
class Work:
    """The results of something that is done one by one, gathered under a progress bar.

    ``stopped`` is what kept the rest from being done.
    """

    results: list[Handled]
    stopped: AwsError | None = None

    @classmethod
    def follow(cls, handled: Iterator[Handled], about: str, total: int) -> Work:
        """Do it all, under a progress bar."""
        work = cls([])
        try:
            for one in followed(handled, about, total):
                work.results.append(one)
        except AwsError as error:
            work.stopped = error
        return work

    def answer(self, nothing: str) -> Answer:
        """What became of each; ``nothing`` is said when there was none. What stays or failed ends with 1."""
        problems = [Problem(one.id, one.problem) for one in self.results if not one.is_done]
        if self.stopped is not None:
            problems.append(Problem("", f"stopped after {len(self.results):,}: {self.stopped}", "Run it again"))
        return Answer(
            result=[handled_document(one) for one in self.results],
            exit_code=ExitCode.FAILED if problems else ExitCode.DONE,
            problems=problems,
            text=Group(*self._shown(nothing)),
        )

    def _shown(self, nothing: str) -> Iterator[RenderableType]:
        if not self.results:
            yield line(nothing)
            return
        rows = [[one.id, cell(one.outcome, _STYLES.get(one.outcome, "")), _queue(one)] for one in self.results]
        yield table(["id", "", "queue"], rows)
        counted = Counter(one.outcome for one in self.results)
        yield line(", ".join(f"{number:,} {outcome}" for outcome, number in counted.most_common()))


def handled_document(handled: Handled) -> dict[str, Any]:
    """The JSON form of a result."""
    return {"id": handled.id, "outcome": handled.outcome, "queue": handled.queue, "problem": handled.problem}


def utc(time: datetime) -> str:
    """A time for a table, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def chosen_ids(ids: Sequence[str], *, everything: bool, filtered: bool) -> None:
    """Refuse what is not clear: ids or --all, and filters only with --all."""
    if bool(ids) == everything:
        raise InvalidInputError([Problem("", "give ids, or --all, which may be narrowed by filters")])
    if ids and filtered:
        raise InvalidInputError([Problem("", "filters narrow --all, and do not go with ids")])


def _queue(handled: Handled) -> str:
    return handled.queue.rpartition(":")[2]
