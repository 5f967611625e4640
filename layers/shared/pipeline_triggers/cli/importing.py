"""The command "import": existing rules and schedules as a trigger file, and what was silently wrong with them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from pipeline_triggers.cli.render import cell, indented, line, number_of, printable, styled, table, to_console
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, yes_option
from pipeline_triggers.domain import limits
from pipeline_triggers.domain.delivery import undelivered
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import (
    AwsError,
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    PipelineTriggersError,
    Problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.originals import Finding
    from pipeline_triggers.importing import Disabled, Imported, Importer, LeftOut, Moved, Progress

COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
DEFAULT_BUS = "default"
REPLACED = "is disabled, and a trigger of the stack does the same"


@click.command("import", cls=Command)
@click.option("--file", metavar="FILE", help="Write the triggers to a new file instead of showing them.")
@click.option("--set", "set_", default="imported", show_default=True, metavar="SET", help="Who owns the triggers.")
@click.option("--pipeline", "pipelines", multiple=True, metavar="PIPELINE", help="Only what starts this pipeline.")
@click.option(
    "--disable-originals", is_flag=True, help="Disable the originals of which the stack has a trigger by now. Asks."
)
@yes_option
@click.pass_obj
def import_(
    settings: Settings,
    *,
    file: str | None,
    set_: str,
    pipelines: tuple[str, ...],
    disable_originals: bool,
    yes: bool,
) -> Answer:
    """Write existing rules and schedules that start pipelines as a trigger file, and say what was wrong with them.

    Looks through the rules of all event buses and the schedules of all groups, and changes nothing. What no trigger can
    do is left out, with the reason. When the file is applied and does what it should, --disable-originals ends the
    time in which both start pipelines.
    """
    _check_options(file, set_, pipelines)
    snapshot, warnings = _snapshot(settings, required=disable_originals)
    importer = settings.connection.importer(snapshot)
    with _watched() as progress:
        imported = importer.read(set=set_, pipelines=pipelines, progress=progress)
    warnings += [Problem("", said) for said in imported.unchecked]
    if disable_originals:
        return _disable(settings, importer, imported, warnings, yes=yes)
    warnings += _undelivered(settings, imported)
    return _written(imported, _text_of(imported, importer, set_), file, warnings)


def _check_options(file: str | None, set_: str, pipelines: tuple[str, ...]) -> None:
    """Refuse what would be found out only after everything was read."""
    problems: list[Problem] = []
    if file is not None and Path(file).exists():
        problems.append(Problem("--file", "exists already", "Choose another name", file=file))
    if not limits.SET.accepts(set_):
        problems.append(Problem("--set", f"{set_!r} is no name of a set", f"It {limits.SET.rule}"))
    for pipeline in pipelines:
        try:
            PipelineRef.parse(pipeline)
        except InvalidInputError as error:
            problems += (Problem("--pipeline", each.reason, each.remedy) for each in error.problems)
    if problems:
        raise InvalidInputError(problems)


def _snapshot(settings: Settings, *, required: bool) -> tuple[Snapshot, list[Problem]]:
    """The triggers of the stack; without a stack there are none, which is told, or refused where they are needed."""
    try:
        return settings.connection.store.load(), []
    except AwsError as error:
        if required:
            raise
        said = f"the triggers of the stack {settings.stack_name} could not be read: schedules of its own may be among "
        return Snapshot(0, ()), [Problem("", f"{said}these ({error})")]


@contextmanager
def _watched() -> Iterator[Progress]:
    """A progress bar on stderr while something is read, if there is a terminal."""
    console = Console(stderr=True)
    with Bar(*COLUMNS, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what.capitalize(), total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _undelivered(settings: Settings, imported: Imported) -> list[Problem]:
    """What no rule of the stack delivers to the triggers; or that this could not be found out."""
    try:
        stack = settings.connection.stack()
    except (AwsError, NotFoundError, ConfigurationError) as error:
        return [Problem("", f"whether the stack delivers the events could not be checked: {error}")]
    told = [
        Problem(each.trigger.name, said)
        for each in imported.moved
        for said in undelivered(each.trigger, stack.delivered)
    ]
    own_bus = stack.parameters.get("EventBusName")
    told += [
        Problem(
            each.trigger.name,
            f"its events come from the event bus {each.original.place}, which the stack does not listen to",
            "Name it in the stack's parameter EventBusName",
        )
        for each in imported.moved
        if each.original.kind == "rule" and each.trigger.pattern and each.original.place not in (DEFAULT_BUS, own_bus)
    ]
    return told


# ---------------------------------------------------------------------------------------------------------------------
# The file


def _text_of(imported: Imported, importer: Importer, set_: str) -> str:
    """The trigger file, with what was found as comments; it is read back before anybody sees it."""
    from pipeline_triggers.documents import load  # noqa: PLC0415 - the YAML parser is not needed by every command
    from pipeline_triggers.documents.writing import trigger_file  # noqa: PLC0415 - the same

    heading = [
        f"Rules and schedules of the account {importer.home.account} in {importer.home.region} that start pipelines.",
        "Check it: pipeline-triggers lint FILE. Try it: pipeline-triggers simulate EVENT_FILE --triggers FILE.",
        "When it is applied and does what it should: pipeline-triggers import --disable-originals.",
        *(f"Left out: {each.original.label}: {_why(each)}" for each in imported.left_out),
    ]
    triggers = [(each.trigger, _comments(each)) for each in imported.moved]
    text = trigger_file(set_, triggers, heading)
    if load(text).triggers != tuple(trigger for trigger, _ in triggers):
        raise PipelineTriggersError("the triggers cannot be written so that they read the same: please report this")
    return text


def _comments(moved: Moved) -> list[str]:
    if not moved.findings:
        return [f"From the {moved.original.label}."]
    return [f"From the {moved.original.label}:", *(f"- {it.level}: {it.text}" for it in moved.findings)]


def _written(imported: Imported, text: str, file: str | None, warnings: Sequence[Problem]) -> Answer:
    result = _document(imported) | {"file": file, "text": text}
    if file is None:
        told = [
            *(Problem(each.original.label, finding.text) for each in imported.moved for finding in _wrong(each)),
            *(Problem(each.original.label, f"is left out: {_why(each)}") for each in imported.left_out),
        ]
        return Answer(result=result, warnings=[*told, *warnings], text=text)
    shown = [_summary(imported), *_shown(imported)]
    if imported.moved:
        try:
            with Path(file).open("x", encoding="utf-8") as created:
                created.write(text)
        except OSError as error:
            problem = Problem("--file", f"cannot be written: {error.strerror}", file=file)
            raise InvalidInputError([problem]) from error
        shown += [line(""), line("Wrote ", (file, "bold"), ". Next: lint it, try it with simulate, apply it.")]
    return Answer(result=result, warnings=warnings, text=Group(*shown))


# ---------------------------------------------------------------------------------------------------------------------
# The originals


def _disable(
    settings: Settings, importer: Importer, imported: Imported, warnings: Sequence[Problem], *, yes: bool
) -> Answer:
    """Show which originals can be disabled and which cannot, ask, and disable them one by one."""
    able, unable = importer.to_disable(imported)
    plan = _plan_shown(able, unable, imported)
    asked = bool(able) and not yes and settings.interactive()
    if asked:
        to_console(plan, stderr=settings.json)
        for warning in warnings:
            click.echo(printable(f"warning: {warning}"), err=True)
    if able and not yes:
        settings.approve(f"Disable {number_of(len(able), 'original')}?", "nothing was disabled")
    done = [importer.disable(moved) for moved in able]
    failed = [Problem(each.original.label, f"was not disabled: {each.problem}") for each in done if each.problem]
    return Answer(
        result={
            "disabled": [_done_document(each) for each in done],
            "kept": [{"arn": moved.original.arn, "reason": reason} for moved, reason in unable],
            "replaced": [original.arn for original in imported.replaced],
        },
        exit_code=ExitCode.FAILED if failed else ExitCode.DONE,
        problems=failed,
        warnings=() if asked and not settings.json else warnings,
        text=Group(*([] if asked else [plan]), *map(_done_shown, done)),
    )


def _plan_shown(able: Sequence[Moved], unable: Sequence[tuple[Moved, str]], imported: Imported) -> RenderableType:
    rows = [[cell("disable", "yellow"), moved.original.label, f"trigger {moved.trigger.name}"] for moved in able]
    rows += [[styled("kept"), moved.original.label, reason] for moved, reason in unable]
    rows += [[styled("kept"), each.original.label, "no trigger can do the same"] for each in imported.left_out]
    rows += [[styled("same"), original.label, REPLACED] for original in imported.replaced]
    return table(["", "original", ""], rows) if rows else line("No rules and no schedules start pipelines.")


def _done_shown(done: Disabled) -> RenderableType:
    if done.outcome != "disabled":
        return line((done.original.label, "bold"), f": {done.outcome}")
    return line((done.original.label, "bold"), " is disabled. To undo it: ", (_undo(done), "cyan"))


def _undo(done: Disabled) -> str:
    original = done.original
    if original.kind == "rule":
        return f"aws events enable-rule --name {original.name} --event-bus-name {original.place}"
    return f"pipeline-triggers schedule enable {original.name} --group {original.place}"


def _done_document(done: Disabled) -> dict[str, Any]:
    return {"arn": done.original.arn, "outcome": done.outcome, "problem": done.problem}


# ---------------------------------------------------------------------------------------------------------------------
# What was found


def _document(imported: Imported) -> dict[str, Any]:
    return {
        "imported": [
            {
                "kind": each.original.kind,
                "arn": each.original.arn,
                "name": each.original.name,
                "trigger": each.trigger.to_document(),
                "findings": _finding_documents(each.findings),
            }
            for each in imported.moved
        ],
        "left_out": [
            {
                "kind": each.original.kind,
                "arn": each.original.arn,
                "name": each.original.name,
                "problems": [{"field": it.field, "reason": it.reason, "remedy": it.remedy} for it in each.problems],
                "findings": _finding_documents(each.findings),
            }
            for each in imported.left_out
        ],
        "replaced": [original.arn for original in imported.replaced],
    }


def _finding_documents(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"code": it.code, "level": it.level, "text": it.text} for it in findings]


def _summary(imported: Imported) -> RenderableType:
    found: list[Moved | LeftOut] = [*imported.moved, *imported.left_out]
    rules = sum(each.original.kind == "rule" for each in found)
    told = f"{number_of(rules, 'rule')} and {number_of(len(found) - rules, 'schedule')} that start pipelines"
    wrong = sum(bool(_wrong(each)) for each in found)
    counts = f"{number_of(len(imported.moved), 'trigger')}, {len(imported.left_out)} left out, {wrong} with faults"
    return line((told, "bold"), f": {counts}")


def _shown(imported: Imported) -> Iterator[RenderableType]:
    for moved in imported.moved:
        renamed = "" if moved.trigger.name == moved.original.name else f" → trigger {moved.trigger.name}"
        yield line("")
        yield line((moved.original.label, "bold"), renamed)
        if moved.findings:
            yield indented(_findings(moved.findings))
    for left in imported.left_out:
        yield line("")
        yield line((left.original.label, "bold"), (" is left out", "red"))
        problems = [(cell("why", "red"), line(str(problem))) for problem in left.problems]
        yield indented(table(["", ""], problems), *([_findings(left.findings)] if left.findings else []))
    for original in imported.replaced:
        yield line("")
        yield line((original.label, "bold"), (f" {REPLACED}", "dim"))


def _findings(findings: Sequence[Finding]) -> RenderableType:
    styles = {"wrong": "bold red", "note": "dim"}
    return table(["", ""], [(cell(it.level, styles[it.level]), line(it.text)) for it in findings])


def _wrong(each: Moved | LeftOut) -> list[Finding]:
    return [finding for finding in each.findings if finding.level == "wrong"]


def _why(left: LeftOut) -> str:
    return "; ".join(str(problem) for problem in left.problems)
