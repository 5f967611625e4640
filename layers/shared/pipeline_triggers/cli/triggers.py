"""The commands that write, read and change triggers: new, lint, apply, put, list, describe, enable … rollback."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from pipeline_triggers.cli.inputs import json_option, trigger_files
from pipeline_triggers.cli.live import check_files, check_triggers, compared_targets, refusal
from pipeline_triggers.cli.orphaned import orphaned_targets
from pipeline_triggers.cli.render import (
    cell,
    diff_rows,
    line,
    number_of,
    printable,
    styled,
    table,
    to_console,
)
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, yes_option
from pipeline_triggers.domain.contracts import Findings
from pipeline_triggers.domain.delivery import undelivered
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import (
    AwsError,
    ConfigurationError,
    InvalidInputError,
    InvalidTriggerError,
    NotFoundError,
    Problem,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.documents import TriggerFile
    from pipeline_triggers.domain.triggers import State
    from pipeline_triggers.keeping import ScheduleChange
    from pipeline_triggers.managing import Applied, Proposal

# Fields of a trigger that are options of "put" under the same name.
OPTIONS_OF_PUT = ("description", "set", "state")

# How a plan calls what becomes of a schedule.
STEPS = {"created": "add", "updated": "change", "deleted": "remove"}
AGAIN = "The triggers are written: apply or repeat the command, and the rest is done"

live_option = click.option("--live", is_flag=True, help="Check against the pipelines too, as SageMaker has them.")
files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")
names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command(cls=Command)
@click.argument("kind", required=False, metavar="KIND")
@click.option("--list", "list_kinds", is_flag=True, help="List the kinds.")
@click.option("--pipeline", metavar="PIPELINE", help="The pipeline to start: a name or an ARN.")
@click.option("--name", metavar="NAME", help="The trigger's name.  [default: the kind]")
@click.option(
    "--set", "set_", default="main", show_default=True, metavar="SET", help="Who owns the triggers of the file."
)
@click.option("--file", metavar="FILE", help="Write a new file instead of showing it.")
def new(
    *,
    kind: str | None,
    list_kinds: bool,
    pipeline: str | None,
    name: str | None,
    set_: str,
    file: str | None,
) -> Answer:
    """Write a first trigger file from a predefined event pattern. "new --list" lists the KINDs."""
    from pipeline_triggers.cli.predefined import PREDEFINED, render  # noqa: PLC0415 - only this command needs them

    if list_kinds:
        kinds = {kind: about.summary for kind, about in PREDEFINED.items()}
        return Answer(result=kinds, text=table(["kind", "starts a pipeline when"], kinds.items()))
    if kind is None or kind not in PREDEFINED:
        said = "the KIND is missing" if kind is None else f"there is no kind {kind!r}"
        raise InvalidInputError([Problem("KIND", said, f"The kinds are {', '.join(PREDEFINED)}")])
    if pipeline is None:
        raise InvalidInputError([Problem("--pipeline", "is missing", "Name the pipeline that the trigger starts")])
    text = render(kind, name=name or kind, pipeline=pipeline, set=set_)
    if file is None:
        return Answer(result={"file": None, "text": text}, text=text)
    try:
        with Path(file).open("x", encoding="utf-8") as created:
            created.write(text)
    except FileExistsError as error:
        raise InvalidInputError([Problem("--file", "exists already", "Choose another name", file=file)]) from error
    except OSError as error:
        problem = Problem("--file", f"cannot be written: {error.strerror}", file=file)
        raise InvalidInputError([problem]) from error
    return Answer(result={"file": file, "text": text}, text=line("Wrote ", (file, "bold"), ". Next: edit and lint it."))


@click.command(cls=Command)
@files_argument
@live_option
@click.pass_obj
def lint(settings: Settings, *, files: tuple[str, ...], live: bool) -> Answer:
    """Check trigger files, without AWS unless --live is given. "-" is stdin."""
    loaded = trigger_files(files)
    found = check_files(loaded, settings) if live else Findings()
    if found.problems:
        return refusal(found)
    result = [
        {"file": file, "set": content.set, "triggers": [trigger.name for trigger in content.triggers]}
        for file, content in loaded
    ]
    rows = [[file, content.set, str(len(content.triggers)), Text("ok", style="green")] for file, content in loaded]
    warnings = [*(warning for _, content in loaded for warning in content.warnings), *found.warnings]
    return Answer(result=result, warnings=warnings, text=table(["file", "set", "triggers", ""], rows))


@click.command(cls=Command)
@files_argument
@yes_option
@click.option("--prune", is_flag=True, help="Remove the triggers of the set that the files lack.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@live_option
@click.pass_obj
def apply(settings: Settings, *, files: tuple[str, ...], yes: bool, prune: bool, dry_run: bool, live: bool) -> Answer:
    """Make the stack's triggers what trigger files say. Several files must be of one set.

    Shows what would be added, changed and removed, asks, and writes one new revision. The schedules of triggers are
    made, changed and deleted with them.
    """
    loaded = trigger_files(files)
    if problems := list(_more_sets(loaded)):
        raise InvalidTriggerError(problems)
    found = check_files(loaded, settings) if live else Findings()
    if found.problems:
        return refusal(found)
    set_ = loaded[0][1].set
    wanted = [trigger for _, content in loaded for trigger in content.triggers]
    warnings = [*(warning for _, content in loaded for warning in content.warnings), *found.warnings]
    warnings += _delivery_warnings(wanted, settings)
    manager = settings.connection.manager
    try:
        if dry_run:
            return _planned(manager.preview(wanted, set=set_, prune=prune), warnings)
        approval = Approval(settings, yes, warnings)
        return approval.answer(manager.apply(wanted, set=set_, prune=prune, approve=approval))
    except InvalidInputError as error:
        raise _placed(error, loaded) from error


def _planned(proposal: Proposal, warnings: Sequence[Problem]) -> Answer:
    """The answer about a change that is only planned."""
    result = _plan_document(proposal) | {
        "revision": proposal.current.revision,
        "written": False,
        "schedules": [_schedule_document(change) for change in proposal.schedules],
    }
    warnings = [*warnings, *_schedule_warnings(proposal.schedules)]
    return Answer(result=result, warnings=warnings, text=_plan_shown(proposal))


@click.command(cls=Command)
@click.argument("name")
@click.option("--event-pattern", required=True, metavar="JSON|@FILE", help="EventBridge's event-pattern language.")
@click.option("--pipeline", required=True, metavar="PIPELINE", help="The pipeline to start: a name or an ARN.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A text, a JSONPath or a template."
)
@click.option("--description", metavar="TEXT", help="For people.")
@click.option(
    "--state",
    type=click.Choice(["ENABLED", "DISABLED", "SHADOW"]),
    default="ENABLED",
    show_default=True,
    help="SHADOW decides and records, and starts nothing.",
)
@click.option("--set", "set_", default="", metavar="SET", help="Who owns the trigger.  [default: nobody]")
@yes_option
@live_option
@click.pass_obj
def put(
    settings: Settings,
    *,
    name: str,
    event_pattern: str,
    pipeline: str,
    parameters: tuple[str, ...],
    description: str | None,
    state: State,
    set_: str,
    yes: bool,
    live: bool,
) -> Answer:
    """Create or replace one trigger with one target."""
    document = {
        "name": name,
        "state": state,
        "event_pattern": json_option(event_pattern, "--event-pattern"),
        "targets": [{"pipeline": pipeline, "parameters": _parameters(parameters)}],
    }
    document |= {"description": description} if description is not None else {}
    document |= {"set": set_} if set_ else {}
    try:
        trigger = Trigger.from_document(document)
    except InvalidInputError as error:
        raise _in_options(error) from error
    found = check_triggers([trigger], settings, lambda _, problem: _in_option(problem)) if live else Findings()
    if found.problems:
        return refusal(found)
    approval = Approval(settings, yes, [*_delivery_warnings([trigger], settings), *found.warnings])
    return approval.answer(settings.connection.manager.apply([trigger], set=set_, approve=approval))


@click.command("list", cls=Command)
@click.pass_obj
def list_(settings: Settings) -> Answer:
    """List the stack's triggers."""
    snapshot = settings.connection.manager.current()
    orphans = orphaned_targets(snapshot, settings.connection.store.current())
    gone = {(orphan.trigger, orphan.target) for orphan in orphans}
    rows = [
        [cell(t.name, "bold"), styled(t.state), t.set, _asks_for(t), _pipelines(t, gone)] for t in snapshot.triggers
    ]
    return Answer(
        result={
            "revision": snapshot.revision,
            "triggers": [t.to_document() for t in snapshot.triggers],
            "orphaned": [orphan.to_document() for orphan in orphans],
        },
        text=Group(
            line(f"{number_of(len(rows), 'trigger')} in {settings.stack_name}, revision {snapshot.revision}"),
            *([table(["name", "state", "set", "source", "pipelines"], rows)] if rows else []),
        ),
    )


@click.command(cls=Command)
@click.argument("name")
@click.pass_obj
def describe(settings: Settings, *, name: str) -> Answer:
    """Show one trigger with its pattern and targets, and whether the stack delivers what it waits for.

    The parameters of each target stand beside those that its pipeline declares.
    """
    from pipeline_triggers.cli.description import described, target_document  # noqa: PLC0415 - only this command

    trigger, revision = settings.connection.manager.find(name)
    targets, warnings = compared_targets(trigger, settings)
    orphans = orphaned_targets(Snapshot(revision, (trigger,)), settings.connection.store.current())
    return Answer(
        result={
            "revision": revision,
            "trigger": trigger.to_document(),
            "targets": [target_document(compared) for compared in targets],
            "orphaned": [orphan.to_document() for orphan in orphans],
        },
        warnings=[*(orphan.warning for orphan in orphans), *_delivery_warnings([trigger], settings), *warnings],
        text=Group(*described(trigger, revision, targets)),
    )


@click.command(cls=Command)
@names_argument
@click.pass_obj
def enable(settings: Settings, *, names: tuple[str, ...]) -> Answer:
    """Let triggers start pipelines."""
    return _set_state(settings, names, "ENABLED")


@click.command(cls=Command)
@names_argument
@click.pass_obj
def disable(settings: Settings, *, names: tuple[str, ...]) -> Answer:
    """Let triggers start nothing."""
    return _set_state(settings, names, "DISABLED")


@click.command(cls=Command)
@names_argument
@click.pass_obj
def shadow(settings: Settings, *, names: tuple[str, ...]) -> Answer:
    """Let triggers decide and record, but start nothing."""
    return _set_state(settings, names, "SHADOW")


@click.command(cls=Command)
@names_argument
@yes_option
@click.pass_obj
def delete(settings: Settings, *, names: tuple[str, ...], yes: bool) -> Answer:
    """Delete triggers: all of them, or none when one of them is missing."""
    approval = Approval(settings, yes)
    return approval.answer(settings.connection.manager.delete(names, approve=approval))


@click.command(cls=Command)
@click.pass_obj
def revisions(settings: Settings) -> Answer:
    """List the revisions of the stack's triggers, newest first."""
    found = settings.connection.manager.revisions()
    result = [
        {"revision": r.revision, "at": r.at.isoformat(), "by": r.by, "triggers": r.triggers, "current": r.current}
        for r in found
    ]
    rows = [
        [str(r.revision), f"{r.at:%Y-%m-%d %H:%M:%S %Z}", r.by, str(r.triggers), "current" if r.current else ""]
        for r in found
    ]
    return Answer(result=result, text=table(["revision", "at", "by", "triggers", ""], rows))


@click.command(cls=Command)
@click.argument("revision", type=click.IntRange(min=1))
@yes_option
@click.pass_obj
def rollback(settings: Settings, *, revision: int, yes: bool) -> Answer:
    """Write the triggers of an earlier REVISION again, as a new revision."""
    approval = Approval(settings, yes)
    return approval.answer(settings.connection.manager.rollback(revision, approve=approval))


@dataclass
class Approval:
    """Shows a plan with its warnings and asks for approval, unless ``yes``; then says what became of the change."""

    settings: Settings
    yes: bool
    warnings: Sequence[Problem] = ()
    shown: bool = field(default=False, init=False)

    def __call__(self, proposal: Proposal) -> bool:
        """Ask for approval. Raises InvalidInputError when nobody can be asked; another error when the answer is no."""
        if self.yes:
            return True
        if self.settings.interactive():
            to_console(_plan_shown(proposal), stderr=self.settings.json)
            for warning in self.warnings:
                click.echo(printable(f"warning: {warning}"), err=True)
            self.shown = True
        self.settings.approve("Write this as a new revision?", "nothing was changed")
        return True

    def answer(self, applied: Applied) -> Answer:
        """The answer about a change; what was shown before the question is not repeated."""
        failed = [change for change in applied.schedules if change.outcome == "failed"]
        kept = [change for change in applied.schedules if change.outcome not in ("same", "failed")]
        if applied.written:
            outcome = line(("Written", "bold green"), f" as revision {applied.revision}.")
        elif applied.schedules:
            outcome = line(f"The triggers are as they shall be: revision {applied.revision} stays.")
        else:
            outcome = line(f"Nothing to change: revision {applied.revision} stays.")
        parts = [] if self.shown else [_plan_shown(applied.proposal)]
        told = [line("Schedule ", (change.trigger, "bold"), f" {change.outcome}.") for change in kept]
        result = _plan_document(applied.proposal) | {
            "revision": applied.revision,
            "written": applied.written,
            "schedules": [_schedule_document(change) for change in applied.schedules],
        }
        warnings = () if self.shown and not self.settings.json else self.warnings
        return Answer(
            result=result,
            exit_code=ExitCode.FAILED if failed else ExitCode.DONE,
            problems=[Problem(change.trigger, f"schedule: {change.problem}", AGAIN) for change in failed],
            warnings=[*warnings, *_schedule_warnings(applied.schedules)],
            text=Group(*parts, outcome, *told),
        )


def _set_state(settings: Settings, names: Sequence[str], state: State) -> Answer:
    applied = settings.connection.manager.set_state(names, state)
    owned = [
        Problem(
            changed.name,
            f"belongs to the set {changed.set}, whose next apply writes the state that its file gives",
            "Change the file too",
        )
        for changed in (after for _, after in applied.proposal.changes)
        if changed.set
    ]
    return Approval(settings, yes=True, warnings=owned).answer(applied)


def _more_sets(loaded: Sequence[tuple[str, TriggerFile]]) -> Iterable[Problem]:
    first = loaded[0][1].set
    for file, content in loaded[1:]:
        if content.set != first:
            reason = f"{content.set!r} is another set than {first!r} of {loaded[0][0]}"
            yield Problem("set", reason, "Apply the files of one set at a time", file=file)


def _placed(error: InvalidInputError, loaded: Sequence[tuple[str, TriggerFile]]) -> InvalidInputError:
    """Problems whose fields begin with a trigger's name, told with the place in its file."""
    files = {trigger.name: (file, content) for file, content in loaded for trigger in content.triggers}

    def placed(problem: Problem) -> Problem:
        for name, (file, content) in files.items():
            if not problem.file and problem.field.startswith(f"{name}."):
                place = content.place_of(name, problem.field.removeprefix(f"{name}."))
                return replace(problem, field=place.field, file=file, line=place.line)
        return problem

    return InvalidInputError(map(placed, error.problems))


def _delivery_warnings(triggers: Sequence[Trigger], settings: Settings) -> list[Problem]:
    """What no rule of the stack delivers; or that this could not be found out, which stops nothing."""
    try:
        delivered = settings.connection.stack().delivered
    except (AwsError, NotFoundError, ConfigurationError) as error:
        return [Problem("", f"whether the stack delivers the events could not be checked: {error}")]
    return [Problem(trigger.name, said) for trigger in triggers for said in undelivered(trigger, delivered)]


def _parameters(pairs: Sequence[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInputError([Problem("--parameter", f"{pair!r} is not NAME=VALUE")])
        if name in parameters:
            raise InvalidInputError([Problem("--parameter", f"{name} is given twice")])
        parameters[name] = value
    return parameters


def _in_options(error: InvalidInputError) -> InvalidInputError:
    """The problems of a trigger that was put together from options, told as those of the options."""
    return InvalidInputError(map(_in_option, error.problems))


def _in_option(problem: Problem) -> Problem:
    options = {"event_pattern": "--event-pattern", "targets[0].parameters": "--parameter", "targets[0]": "--pipeline"}
    for prefix, option in options.items():
        if problem.field == prefix or problem.field.startswith((f"{prefix}.", f"{prefix}[")):
            inside = problem.field[len(prefix) :].lstrip(".")
            return replace(problem, field=f"{option} {inside}".strip().removesuffix(" pipeline"))
    return replace(problem, field=f"--{problem.field}") if problem.field in OPTIONS_OF_PUT else problem


def _asks_for(trigger: Trigger) -> str:
    """The sources that a pattern names, or the schedule."""
    if trigger.schedule is not None:
        return trigger.schedule.expression
    sources = trigger.pattern.exact_values("source") if trigger.pattern else None
    return ", ".join(sorted(sources)) if sources else "by pattern"


def _schedule_document(change: ScheduleChange) -> dict[str, Any]:
    return {
        "trigger": change.trigger,
        "outcome": change.outcome,
        "problem": change.problem,
        "warnings": list(change.warnings),
    }


def _schedule_warnings(changes: Sequence[ScheduleChange]) -> list[Problem]:
    """What is left as it is, and what could not be checked."""
    said = [Problem(change.trigger, change.problem) for change in changes if change.outcome == "left"]
    return said + [Problem(change.trigger, warning) for change in changes for warning in change.warnings]


def _plan_document(proposal: Proposal) -> dict[str, Any]:
    changes = [
        {
            "name": after.name,
            "fields": [{"field": name, "before": old, "after": new} for name, old, new in _differences(before, after)],
        }
        for before, after in proposal.changes
    ]
    return {
        "add": [trigger.name for trigger in proposal.plan.add],
        "change": changes,
        "remove": list(proposal.plan.remove),
        "same": list(proposal.plan.same),
    }


def _plan_shown(proposal: Proposal) -> RenderableType:
    """The plan as a table; what changes is shown field by field."""
    plan = proposal.plan
    rows: list[list[object]] = [
        [styled("add"), cell(t.name, "bold"), _asks_for(t), "", _pipelines(t)] for t in plan.add
    ]
    for before, after in proposal.changes:
        differences = _differences(before, after)
        rows += [
            [
                styled("change") if number == 0 else Text(),
                cell(after.name, "bold") if number == 0 else Text(),
                field_name,
                _side(old),
                _side(new),
            ]
            for number, (field_name, old, new) in enumerate(differences)
        ]
    rows += [[styled("remove"), cell(t.name, "bold"), _asks_for(t), _pipelines(t), ""] for t in proposal.removed]
    rows += [
        [styled(STEPS[change.outcome]), cell(change.trigger, "bold"), "its schedule", "", change.outcome]
        for change in proposal.schedules
        if change.outcome in STEPS
    ]
    if plan.same:
        rows.append([styled("same"), number_of(len(plan.same), "trigger"), "", "", ""])
    if not rows:
        return Text("No triggers.")
    return table(["", "trigger", "field", "before", "after"], rows)


def _differences(before: Trigger, after: Trigger) -> list[tuple[str, object, object]]:
    return diff_rows(before.to_document(), after.to_document())


def _side(value: object) -> Text:
    return Text("none", style="dim") if value is None else cell(value)


def _pipelines(trigger: Trigger, gone: Collection[tuple[str, str]] = ()) -> Text:
    """The pipelines of a trigger's targets; those of targets (trigger and id) that are gone stand out."""
    shown = [
        cell(f"{target.pipeline} (gone)", "bold red")
        if (trigger.name, target.id) in gone
        else cell(str(target.pipeline))
        for target in trigger.targets
    ]
    return Text(", ").join(shown)
