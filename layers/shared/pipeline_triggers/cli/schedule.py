"""The commands of schedules: preview, put, describe, list, enable, disable and delete."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Group

from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.cli.render import line, number_of, styled, table, to_console
from pipeline_triggers.cli.schedule_views import (
    Coming,
    coming_shown,
    described,
    list_document,
    list_table,
    occurrence_document,
    schedule_document,
    times_table,
)
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, ExitCode, Settings, yes_option
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.schedule_forms import wanted_schedule
from pipeline_triggers.domain.schedule_plans import StartsPipeline, changed, created, is_same_target
from pipeline_triggers.domain.schedules import ScheduleExpression, check_timezone
from pipeline_triggers.domain.times import parse_time
from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from rich.console import RenderableType
    from rich.text import Text

    from pipeline_triggers.domain.schedule_plans import ScheduleState, WantedSchedule
    from pipeline_triggers.scheduling import Put, Scheduling

Read = TypeVar("Read")

MAX_PREVIEW = 1000
# How many of the next times are shown after a change, and in a description.
SHOWN_AFTER_PUT, SHOWN_IN_DESCRIPTION = 3, 5

TIMES = ("at", "rate", "cron", "expression")

# The options of "put" by the fields of a schedule that they give.
OPTIONS = {
    "name": "NAME",
    "pipeline": "--pipeline",
    "at": "--at",
    "rate": "--rate",
    "cron": "--cron",
    "timezone": "--timezone",
    "start": "--start",
    "end": "--end",
    "state": "--enabled",
    "description": "--description",
    "parameters": "--parameter",
    "role_arn": "--role-arn",
    "group": "--group",
    "dead_letter_arn": "--dlq-arn",
    "flexible_minutes": "--flexible-minutes",
    "delete_after_run": "--delete-after-run",
    "max_age_seconds": "--max-age-seconds",
    "max_attempts": "--max-attempts",
    "kms_key_arn": "--kms-key-arn",
}

group_option = click.option("--group", metavar="GROUP", help="The schedule group.  [default: the stack's]")
names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group(cls=CommandGroup)
def schedule() -> None:
    """Start pipelines at a time, every so often, or by the calendar.

    The schedules are EventBridge Scheduler's own and go on without this command.
    """


@schedule.command(cls=Command)
@click.argument("expression", metavar="EXPR")
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="An IANA time zone.")
@click.option("--count", type=click.IntRange(1, MAX_PREVIEW), default=10, show_default=True, help="How many times.")
@click.option("--start", metavar="TIME", help="The start date of the schedule, such as 2030-01-31T08:00:00Z.")
@click.option("--end", metavar="TIME", help="The end date of the schedule.")
@click.option("--after", metavar="TIME", help="Show the times after this one.  [default: now]")
def preview(
    *, expression: str, timezone: str, count: int, start: str | None, end: str | None, after: str | None
) -> Answer:
    """Show the next times of an expression, without AWS.

    EXPR is rate(5 minutes), cron(0 3 * * ? *), at(2030-01-31T08:00:00), or the six fields of a cron alone. Times that
    daylight saving skips or shows twice are marked.
    """
    asked = _Preview.read(expression, timezone, start=start, end=end, after=after)
    times = asked.when.preview(asked.after, count, start=asked.start, end=asked.end)
    parts: list[RenderableType] = [line((asked.when.text, "bold"), f" in {timezone}")]
    parts += [times_table(times, timezone)] if times else [line(("It does not fire any more.", "yellow"))]
    if asked.when.interval and asked.start is None:
        parts.append(line(("A rate counts from its start date, else from when the schedule is made.", "dim")))
    result = {
        "schedule_expression": asked.when.text,
        "timezone": timezone,
        "after": asked.after.isoformat(),
        "times": [occurrence_document(found) for found in times],
    }
    return Answer(result=result, text=Group(*parts))


@schedule.command(cls=Command)
@click.argument("name")
@click.option("--pipeline", required=True, metavar="PIPELINE", help="The pipeline to start: a name or an ARN.")
@click.option("--at", metavar="TIME", help="Once, such as 2030-01-31T08:00:00, in the time zone.")
@click.option("--rate", metavar="RATE", help='Every so often, such as "6 hours".')
@click.option("--cron", metavar="FIELDS", help='By the calendar, such as "0 3 * * ? *".')
@click.option("--expression", metavar="EXPR", help="The same as Scheduler writes it, such as rate(6 hours).")
@click.option("--timezone", metavar="ZONE", help="An IANA time zone.  [default: UTC]")
@click.option("--start", metavar="TIME", help="Nothing before it, such as 2030-01-31T08:00:00Z.")
@click.option("--end", metavar="TIME", help="Nothing after it.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter; may be repeated."
)
@click.option("--remove-parameter", "removed", multiple=True, metavar="NAME", help="Send this parameter no more.")
@click.option("--description", metavar="TEXT", help="For people.")
@click.option("--enabled/--disabled", default=None, help="Whether it fires.  [default: enabled]")
@click.option("--flexible-minutes", type=int, metavar="N", help="Fire within N minutes of each time; 0: at once.")
@click.option(
    "--delete-after-run/--keep-after-run", default=None, help="What becomes of it after its last time.  [default: keep]"
)
@click.option("--role-arn", metavar="ARN", help="What Scheduler assumes.  [default: the stack's scheduler role]")
@group_option
@click.option("--dlq-arn", metavar="ARN", help="Where failed starts go.  [default: the stack's undelivered queue]")
@click.option("--max-age-seconds", type=int, metavar="N", help="Try to start for so long: 60 to 86400.")
@click.option("--max-attempts", type=int, metavar="N", help="Try to start again so often: 0 to 185.")
@click.option("--kms-key-arn", metavar="ARN", help="A key of yours that encrypts the schedule.")
@click.option("--replace", "replacing", is_flag=True, help="Also when the schedule starts something else now.")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.pass_obj
def put(settings: Settings, /, *, name: str, replacing: bool, dry_run: bool, **options: Any) -> Answer:
    """Create a schedule that starts a pipeline, or change it.

    When there is one of that NAME, whatever is not mentioned stays as it is, and so do its other parameters. One that
    starts something else is not touched without --replace. Nothing is written when nothing would change.
    """
    scheduling = settings.connection.scheduling()
    wanted = _wanted(name, options, scheduling)
    writing = scheduling.preview if dry_run else scheduling.put
    try:
        (put,) = writing([wanted], replace=replacing)
    except InvalidInputError as error:
        raise InvalidInputError(_in_options(error, name, options)) from error
    if put.outcome == "failed":
        return Answer(_put_document(put), ExitCode.FAILED, [_failure(put)], _warnings(put))
    coming, state = _coming_after(put, wanted, scheduling, dry_run=dry_run)
    return Answer(
        result=_put_document(put) | {"written": not dry_run and put.outcome != "same", "next": coming.to_document()},
        warnings=_warnings(put),
        text=Group(_said(put, dry_run=dry_run), line(put.arn), *coming_shown(coming, state)),
    )


@schedule.command(cls=Command)
@click.argument("name")
@group_option
@click.pass_obj
def describe(settings: Settings, *, name: str, group: str | None) -> Answer:
    """Show everything about one schedule: what it starts, how, and when next."""
    scheduling = settings.connection.scheduling()
    definition, now = scheduling.describe(name, group), scheduling.clock.now()
    return Answer(
        result=schedule_document(definition, now, SHOWN_IN_DESCRIPTION),
        text=Group(*described(definition, now, SHOWN_IN_DESCRIPTION)),
    )


@schedule.command("list", cls=Command)
@click.option(
    "--pipeline", metavar="PIPELINE", help="Those that start this pipeline, in all groups unless one is given."
)
@group_option
@click.pass_obj
def list_(settings: Settings, *, pipeline: str | None, group: str | None) -> Answer:
    """List schedules: those of the stack's schedule group, of another, or of one pipeline."""
    ref = _pipeline(pipeline)
    scheduling = settings.connection.scheduling()
    pipeline_arn = ref.arn_in(scheduling.home) if ref else None
    found = list(scheduling.list(pipeline_arn=pipeline_arn, group=group))
    now = scheduling.clock.now()
    of = f"of the pipeline {pipeline}" if ref else f"in the group {group or scheduling.defaults().group}"
    return Answer(
        result=[list_document(each, now) for each in found],
        text=Group(
            line(f"{number_of(len(found), 'schedule')} {of}"),
            *([list_table(found, now, groups=ref is not None)] if found else []),
        ),
    )


@schedule.command(cls=Command)
@names_argument
@group_option
@click.pass_obj
def enable(settings: Settings, *, names: tuple[str, ...], group: str | None) -> Answer:
    """Let schedules fire."""
    return _set_state(settings, names, "ENABLED", group)


@schedule.command(cls=Command)
@names_argument
@group_option
@click.pass_obj
def disable(settings: Settings, *, names: tuple[str, ...], group: str | None) -> Answer:
    """Let schedules not fire, and keep them."""
    return _set_state(settings, names, "DISABLED", group)


@schedule.command(cls=Command)
@names_argument
@group_option
@yes_option
@click.pass_obj
def delete(settings: Settings, *, names: tuple[str, ...], group: str | None, yes: bool) -> Answer:
    """Delete schedules."""
    scheduling = settings.connection.scheduling()
    if not yes:
        _ask_to_delete(settings, scheduling, names, group)
    deleted = scheduling.delete(names, group)
    problems = [
        Problem(each.name, each.problem or f"there is no such schedule in the group {each.group}")
        for each in deleted
        if each.outcome != "deleted"
    ]
    return Answer(
        result=[
            {"name": each.name, "group": each.group, "outcome": each.outcome, "problem": each.problem}
            for each in deleted
        ],
        exit_code=ExitCode.FAILED if problems else ExitCode.DONE,
        problems=problems,
        text=table(["schedule", "group", ""], [[each.name, each.group, styled(each.outcome)] for each in deleted]),
    )


@dataclass(frozen=True, slots=True)
class _Preview:
    """What a preview was asked for."""

    when: ScheduleExpression
    after: datetime
    start: datetime | None
    end: datetime | None

    @classmethod
    def read(cls, expression: str, timezone: str, *, start: str | None, end: str | None, after: str | None) -> _Preview:
        """Raises InvalidInputError with a problem for each option that is wrong."""
        problems: list[Problem] = []
        known = _noted(problems, "--timezone", lambda: _zone(timezone))
        when = _noted(problems, "EXPR", lambda: ScheduleExpression.parse(_whole(expression), known or "UTC"))
        first = _noted(problems, "--start", lambda: _time(start))
        last = _noted(problems, "--end", lambda: _time(end))
        moment = _noted(problems, "--after", lambda: _time(after))
        if first and last and last <= first:
            problems.append(Problem("--end", "is not after --start"))
        if when is None or problems:
            raise InvalidInputError(problems)
        return cls(when, moment or SystemClock().now(), first, last)


def _noted(problems: list[Problem], option: str, read: Callable[[], Read]) -> Read | None:
    """What was read from an option; None when a problem with it was noted."""
    try:
        return read()
    except InvalidInputError as error:
        problems += [replace(problem, field=option) for problem in error.problems]
        return None


def _zone(name: str) -> str:
    check_timezone(name)
    return name


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, "")


def _whole(expression: str) -> str:
    """An expression as Scheduler writes it; the fields of a cron may stand alone."""
    bare = "(" not in expression and len(expression.split(" ")) > 4
    return f"cron({expression})" if bare else expression


def _wanted(name: str, options: Mapping[str, Any], scheduling: Scheduling) -> WantedSchedule:
    """The schedule that the options of "put" describe. Raises InvalidInputError with a problem for each wrong one."""
    parameters, problems = _parameters(options["parameters"], options["removed"])
    document = {key: options[key] for key in OPTIONS if key in options and key not in TIMES}
    document |= {"name": name, "dead_letter_arn": options["dlq_arn"], "parameters": parameters or None}
    document |= {"state": {True: "ENABLED", False: "DISABLED", None: None}[options["enabled"]]}
    given = _given_times(options)
    if len(given) == 1:
        document |= _time_document(given[0], options[given[0]])
    try:
        wanted = wanted_schedule(document, scheduling.home, scheduling.defaults().group)
    except InvalidInputError as error:
        problems += _in_options(error, name, options)
        raise InvalidInputError(problems) from error
    if problems:
        raise InvalidInputError(problems)
    assert isinstance(wanted.target, StartsPipeline)
    return replace(wanted, target=replace(wanted.target, added=True, removed=options["removed"]))


def _given_times(options: Mapping[str, Any]) -> list[str]:
    return [option for option in TIMES if options[option] is not None]


def _time_document(option: str, value: str) -> dict[str, str]:
    """The option that says when, for the reader of schedules: "rate(6 hours)" is as clear as "6 hours" for --rate."""
    whole = option == "expression" or value.startswith(f"{option}(")
    return {"schedule_expression" if whole else option: value}


def _parameters(pairs: Sequence[str], removed: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
    """The parameters by name, and what is wrong with the options that gave them."""
    parameters: dict[str, str] = {}
    problems: list[Problem] = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            problems.append(Problem("--parameter", f"{pair!r} is not NAME=VALUE"))
        elif name in parameters:
            problems.append(Problem("--parameter", f"{name} is given twice"))
        else:
            parameters[name] = value
    for name in removed:
        if name in parameters:
            problems.append(Problem("--remove-parameter", f"{name} is given by --parameter too"))
    return parameters, problems


def _in_options(error: InvalidInputError, name: str, options: Mapping[str, Any]) -> list[Problem]:
    """The problems of a schedule that was put together from options, told as those of the options."""
    given = " and ".join(f"--{option}" for option in _given_times(options))
    named = OPTIONS | {"schedule_expression": given}
    told = []
    for problem in error.problems:
        field, dot, inside = problem.field.removeprefix(f"{name}.").partition(".")
        if field:
            told.append(replace(problem, field=named.get(field, field) + (dot and f" {inside}")))
        else:
            # The schedule as a whole: it has no time, or more than one.
            said = f"{given} say when" if given else "nothing says when"
            told.append(Problem("", said, "Give one of --at, --rate, --cron and --expression"))
    return told


def _coming_after(put: Put, wanted: WantedSchedule, scheduling: Scheduling, *, dry_run: bool) -> tuple[Coming, str]:
    """The next times of a schedule that was put, and its state; of a dry run, as they would be."""
    now = scheduling.clock.now()
    if dry_run and put.outcome != "same":
        document, made_at = _written_by(put, wanted, scheduling), now
    else:
        definition = scheduling.describe(put.name, put.group)
        document, made_at = definition.document, definition.modified_at
    coming = Coming.of_document(document, now, SHOWN_AFTER_PUT, made_at=made_at)
    return coming, document.get("State", "ENABLED")


def _written_by(put: Put, wanted: WantedSchedule, scheduling: Scheduling) -> Mapping[str, Any]:
    """The request that a dry run does not send."""
    now = scheduling.clock.now()
    if put.outcome == "updated":
        existing = scheduling.describe(put.name, put.group).document
        if is_same_target(existing, wanted):
            return changed(existing, wanted, now) or existing
    return created(wanted, scheduling.defaults(), now)


def _said(put: Put, *, dry_run: bool) -> Text:
    if put.outcome == "same":
        return line((put.name, "bold"), " is as wanted already: nothing to change.")
    return line((put.name, "bold"), (f" {'would be ' if dry_run else ''}{put.outcome}.", "bold green"))


def _set_state(settings: Settings, names: Sequence[str], state: ScheduleState, group: str | None) -> Answer:
    puts = settings.connection.scheduling().set_state(names, state, group)
    failures = [_failure(put) for put in puts if put.outcome == "failed"]
    shown = {"updated": state, "same": f"{state} already"}
    return Answer(
        result=[_put_document(put) | {"state": None if put.outcome == "failed" else state} for put in puts],
        exit_code=ExitCode.FAILED if failures else ExitCode.DONE,
        problems=failures,
        text=table(["schedule", "group", ""], [[p.name, p.group, shown.get(p.outcome, p.outcome)] for p in puts]),
    )


def _ask_to_delete(settings: Settings, scheduling: Scheduling, names: Sequence[str], group: str | None) -> None:
    """Show what would be deleted and ask. Raises an error when the answer is no or nobody is there to give one."""
    if settings.interactive():
        group = group or scheduling.defaults().group
        found = [each for name in names if (each := scheduling.if_there(group, name)) is not None]
        if found:
            to_console(list_table(found, scheduling.clock.now(), groups=True), stderr=True)
    number = "this schedule" if len(names) == 1 else f"{len(names)} schedules"
    settings.approve(f"Delete {number}?", "nothing was deleted")


def _pipeline(text: str | None) -> PipelineRef | None:
    try:
        return None if text is None else PipelineRef.parse(text)
    except InvalidInputError as error:
        raise InvalidInputError(replace(problem, field="--pipeline") for problem in error.problems) from error


def _put_document(put: Put) -> dict[str, Any]:
    return {"name": put.name, "group": put.group, "arn": put.arn, "outcome": put.outcome, "problem": put.problem}


def _warnings(put: Put) -> list[Problem]:
    return [Problem(put.name, warning) for warning in put.warnings]


def _failure(put: Put) -> Problem:
    return Problem(put.name, put.problem)
