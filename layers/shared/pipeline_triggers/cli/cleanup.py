"""The commands of the clean-up: sweep now, see what was deleted, put it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from pipeline_triggers.cli.cleanup_views import (
    kept_document,
    kept_shown,
    problems_of,
    restored_document,
    restored_shown,
    sweep_document,
    sweep_shown,
)
from pipeline_triggers.cli.filters import dry_run_option, followed, since_of
from pipeline_triggers.cli.render import line, number_of
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, ExitCode, Settings, yes_option
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.orphans import Report
from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline_triggers.cleanup import Cleaner, Progress
    from pipeline_triggers.domain.ports import Clock

# A sweep works in slices, each of which ends by itself before so much time is over.
SLICE_ENDS = timedelta(minutes=5)

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("groups; {task.fields[told]}"),
)

pipeline_option = click.option("--pipeline", metavar="NAME|ARN", help="Of this pipeline only.")
since_option = click.option(
    "--since", metavar="AGE|TIME", help="Deleted in the last 30m, 2h or 7d, or since a time such as 2030-01-31T08:00Z."
)


@click.group(cls=CommandGroup)
def cleanup() -> None:
    """See what clean-ups have deleted, put it back, and sweep now.

    A sweep looks for what starts pipelines that do not exist any more. What two sweeps have seen so is deleted; its
    whole definition is kept for 90 days.
    """


@cleanup.command(cls=Command)
@dry_run_option
@yes_option
@click.pass_obj
def sweep(settings: Settings, *, dry_run: bool, yes: bool) -> Answer:
    """Look for orphans now, and delete those that an earlier sweep has seen as well.

    With --dry-run nothing is written at all: it shows what would be deleted, and why the rest stays. What may be
    deleted is what the stack's parameters say (CleanupMode, MaxDeletes, ProtectedSchedules and so on).
    """
    connection = settings.connection
    cleaner = connection.cleaner()
    if dry_run:
        cleaner = cleaner.rehearsal()
    elif not yes:
        settings.approve("Delete what this sweep and an earlier one find orphaned?", "nothing was done")
    # An interrupted sweep goes on when the same person begins again; somebody else's is left to them.
    report = _swept(cleaner, connection.clock, f"command line of {connection.caller()}")
    problems = problems_of(report)
    return Answer(
        result=sweep_document(report, dry_run=dry_run),
        exit_code=ExitCode.FAILED if problems else ExitCode.DONE,
        problems=problems,
        text=Group(*sweep_shown(report, cleaner.estate.policy, dry_run=dry_run)),
    )


@cleanup.command(cls=Command)
@pipeline_option
@since_option
@click.pass_obj
def history(settings: Settings, *, pipeline: str | None, since: str | None) -> Answer:
    """List what clean-ups have deleted in the last 90 days, newest first.

    With --output json each with its whole definition.
    """
    restorer = settings.connection.restorer()
    found = restorer.history(*_wanted(settings, pipeline, since))
    return Answer(
        result=[kept_document(kept) for kept in found],
        text=Group(line(f"{number_of(len(found), 'definition')} kept"), *([kept_shown(found)] if found else [])),
    )


@cleanup.command(cls=Command)
@pipeline_option
@since_option
@dry_run_option
@yes_option
@click.pass_obj
def restore(settings: Settings, *, pipeline: str | None, since: str | None, dry_run: bool, yes: bool) -> Answer:
    """Put back schedules, and targets of rules, that clean-ups have deleted.

    What is there again is left alone, and so is what starts a pipeline that does not exist. It is done with your own
    rights, which must let you pass the roles of what is put back.
    """
    if pipeline is None and since is None:
        said = "say what to put back: of one pipeline (--pipeline), or since when (--since), or both"
        raise InvalidInputError([Problem("", said, "See cleanup history for what there is")])
    restorer = settings.connection.restorer()
    definitions = restorer.latest(*_wanted(settings, pipeline, since))
    if definitions and not (yes or dry_run):
        settings.approve(f"Put back {number_of(len(definitions), 'definition')}?", "nothing was done")
    restored = restorer.restore(definitions, dry_run=dry_run)
    results = list(followed(restored, "Restoring", len(definitions)))
    problems = [Problem(one.kept.arn, one.problem) for one in results if not one.is_done]
    return Answer(
        result=[restored_document(one) for one in results],
        exit_code=ExitCode.FAILED if problems else ExitCode.DONE,
        problems=problems,
        text=restored_shown(results) if results else line("There is nothing to restore."),
    )


def _wanted(settings: Settings, pipeline: str | None, since: str | None) -> tuple[str | None, datetime | None]:
    """The ARN of the pipeline and the time that the options mean."""
    connection = settings.connection
    # A name means one of the stack's home, which only a name makes necessary to ask for.
    arn: str | None = None
    if pipeline is not None:
        ref = PipelineRef.parse(pipeline)
        arn = ref.arn or ref.arn_in(connection.scheduling().home)
    return arn, None if since is None else since_of(since, connection.clock)


def _swept(cleaner: Cleaner, clock: Clock, message_id: str) -> Report:
    """A whole sweep, slice by slice, under a progress bar on stderr, if there is a terminal."""
    console = Console(stderr=True)
    names = {"look": "Looking", "delete": "Checking" if cleaner.estate.is_rehearsal else "Deleting"}
    reports: list[Report] = []
    with Bar(*COLUMNS, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Listing", total=None, told="")

        def tell(progress: Progress) -> None:
            told = f"{progress.schedules:,} schedules, {progress.suspected:,} without a pipeline"
            about = names[progress.phase]
            bar.update(task, description=about, total=progress.groups, completed=progress.groups_done, told=told)

        while not reports or reports[-1].unfinished:
            reports.append(cleaner.sweep(clock.now() + SLICE_ENDS, message_id, progress=tell))
    return replace(Report.joined(reports), unfinished=False)
