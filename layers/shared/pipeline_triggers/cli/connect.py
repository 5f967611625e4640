"""The commands "connect" and "disconnect": let buckets and topics send to the stack, and undo that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Group

from pipeline_triggers.cli.render import cell, line, printable, styled, table, to_console
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, ExitCode, Settings, yes_option
from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline_triggers.connecting import BucketConnecting, Plan, TopicConnecting

dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would change.")


@click.group(cls=CommandGroup)
def connect() -> None:
    """Let a bucket or a topic send to the stack. What the stack owns is looked at, and not changed.

    Shows what will change and what stays, and asks. "disconnect" undoes what this did, and no more.
    """


@click.group(cls=CommandGroup)
def disconnect() -> None:
    """Undo what "connect" did, and nothing else."""


@connect.command("bucket", cls=Command)
@click.argument("name")
@yes_option
@dry_run_option
@click.pass_obj
def connect_bucket(settings: Settings, *, name: str, yes: bool, dry_run: bool) -> Answer:
    """Turn on a bucket's events to EventBridge.

    Its other notifications stay as they are. Refused when the stack's rule would not take the bucket's events.
    """
    use_case = settings.connection.buckets()
    return _carried_out(settings, use_case, use_case.plan(name), yes=yes, dry_run=dry_run)


@connect.command("topic", cls=Command)
@click.argument("arn")
@yes_option
@dry_run_option
@click.pass_obj
def connect_topic(settings: Settings, *, arn: str, yes: bool, dry_run: bool) -> Answer:
    """Subscribe the stack's queue to a topic.

    With a dead-letter queue, and with SNS's envelope around each message. Refused when the stack's queue would not take
    the topic's messages.
    """
    use_case = settings.connection.topics()
    return _carried_out(settings, use_case, use_case.plan(arn), yes=yes, dry_run=dry_run)


@disconnect.command("bucket", cls=Command)
@click.argument("name")
@yes_option
@dry_run_option
@click.pass_obj
def disconnect_bucket(settings: Settings, *, name: str, yes: bool, dry_run: bool) -> Answer:
    """Turn a bucket's events off, if "connect" turned them on."""
    use_case = settings.connection.buckets()
    return _undone(settings, use_case, use_case.plan_back(name), yes=yes, dry_run=dry_run)


@disconnect.command("topic", cls=Command)
@click.argument("arn")
@yes_option
@dry_run_option
@click.pass_obj
def disconnect_topic(settings: Settings, *, arn: str, yes: bool, dry_run: bool) -> Answer:
    """Delete the subscription that "connect" made.

    Of one that was there before only the changes of "connect" are undone.
    """
    use_case = settings.connection.topics()
    return _undone(settings, use_case, use_case.plan_back(arn), yes=yes, dry_run=dry_run)


def _carried_out(
    settings: Settings, use_case: BucketConnecting | TopicConnecting, plan: Plan, *, yes: bool, dry_run: bool
) -> Answer:
    """Show a plan, ask, and do it. A plan without changes is done already."""
    written = bool(plan.changes) and not dry_run
    shown = written and _approve(settings, plan, yes=yes, question="Connect it?")
    if written:
        use_case.connect(plan)
    undo = f"pipeline-triggers disconnect {plan.kind} {plan.name}"
    if written:
        said = line(("Connected. ", "bold green"), f"To undo it: {undo}")
    else:
        said = line("It is connected already." if not plan.changes else "Nothing was changed.")
    return _answer(plan, written=written, shown=shown, said=said, settings=settings)


def _undone(
    settings: Settings, use_case: BucketConnecting | TopicConnecting, plan: Plan, *, yes: bool, dry_run: bool
) -> Answer:
    """Show what undoing changes, ask, and do it. What "connect" did not do is left, and that ends with 1."""
    if plan.left:
        problem = Problem(plan.name, f"is left as it is: {plan.left}", "Undo it where it was done")
        return Answer(result=_document(plan, written=False), exit_code=ExitCode.FAILED, problems=[problem])
    written = bool(plan.changes) and not dry_run
    shown = written and _approve(settings, plan, yes=yes, question="Disconnect it?")
    if not dry_run:
        use_case.disconnect(plan)
    if written:
        said = line(("Disconnected.", "bold green"))
    else:
        said = line("It is not connected." if not plan.changes else "Nothing was changed.")
    return _answer(plan, written=written, shown=shown, said=said, settings=settings)


def _approve(settings: Settings, plan: Plan, *, yes: bool, question: str) -> bool:
    """Ask, unless ``yes``; tells whether the plan was shown. Raises when the answer is no, or nobody can be asked."""
    if yes:
        return False
    shown = settings.interactive()
    if shown:
        to_console(_plan_shown(plan), stderr=settings.json)
        for warning in plan.warnings:
            click.echo(printable(f"warning: {warning}"), err=True)
    settings.approve(question, "nothing was changed")
    return shown


def _answer(plan: Plan, *, written: bool, shown: bool, said: RenderableType, settings: Settings) -> Answer:
    warnings = [] if shown and not settings.json else [Problem("", warning) for warning in plan.warnings]
    return Answer(
        result=_document(plan, written=written),
        warnings=warnings,
        text=Group(*([] if shown else [_plan_shown(plan)]), said),
    )


def _document(plan: Plan, *, written: bool) -> dict[str, Any]:
    return {
        plan.kind: plan.name,
        "changes": [{"what": it.what, "before": it.before, "after": it.after} for it in plan.changes],
        "kept": list(plan.kept),
        "checks": list(plan.checks),
        "left": plan.left,
        "written": written,
    }


def _plan_shown(plan: Plan) -> RenderableType:
    """What changes, what stays, what is in order: a line each."""
    rows: list[list[object]] = [
        [styled("change"), line((f"{it.what}: ", "bold"), f"{it.before or 'not set'} → {it.after or 'not set'}")]
        for it in plan.changes
    ]
    rows += [[styled("kept"), what] for what in plan.kept]
    rows += [[cell("ok", "green"), what] for what in plan.checks]
    return Group(line(f"{plan.kind} ", (plan.name, "bold")), *([table(["", ""], rows)] if rows else []))
