"""The command "rerun": start once more, on purpose, what an event has started before or should have."""

from __future__ import annotations

import click
from rich.console import Group

from pipeline_triggers.cli.decisions import decision_document, decision_shown
from pipeline_triggers.cli.filters import dry_run_option
from pipeline_triggers.cli.render import indented, line
from pipeline_triggers.cli.settings import Answer, Command, ExitCode, Settings, yes_option
from pipeline_triggers.errors import Problem
from pipeline_triggers.rerunning import chosen, is_left

SPOKEN = {"start": "would start again", "started": "started again"}


@click.command(cls=Command)
@click.argument("what", metavar="EVENT_ID|EXECUTION_ARN")
@click.option("--trigger", metavar="NAME", help="The trigger, where the event has several on record.")
@click.option("--target", metavar="ID", help="The target, where the trigger has several.")
@dry_run_option
@yes_option
@click.pass_obj
def rerun(
    settings: Settings, *, what: str, trigger: str | None, target: str | None, dry_run: bool, yes: bool
) -> Answer:
    """Start a pipeline once more with the parameters that are on record, with your own rights.

    It is a new occurrence that names the old one, and is on record under the same event. To try again what went to
    quarantine, redrive it instead.
    """
    connection = settings.connection
    records = connection.history.of(what)
    if not records:
        said, remedy = f"nothing is on record about {what}", "See history for what is, and explain for why not"
        return Answer(exit_code=ExitCode.UNMATCHED, problems=[Problem("", said, remedy)])
    record = chosen(records, trigger, target)
    rerunner = connection.rerunner
    planned = rerunner.plan(record)
    warnings = []
    if record.state == "REJECTED":
        said = "its event was refused and may still be in quarantine: to redrive that too would start it twice"
        warnings.append(Problem(planned.trigger, said))
    for request in (other.decision.request for other in records if is_left(other)):
        name = request.display_name if request else ""
        warnings.append(Problem(planned.trigger, f"a rerun before may have started: look for the execution {name}"))
    if not (dry_run or yes):
        settings.approve(f"Start {planned.pipeline_arn.rpartition('/')[2]} once more?", "nothing was started")
    decision = planned if dry_run else rerunner.start(planned)
    old = record.decision
    return Answer(
        result=decision_document(decision) | {"rerun_of": record.rerun_of or old.occurrence},
        warnings=warnings,
        text=Group(
            decision_shown(decision, SPOKEN),
            indented(
                *([line(decision.execution_arn)] if decision.execution_arn else []),
                line((f"rerun of {old.execution_arn or record.rerun_of or old.occurrence}", "dim")),
            ),
        ),
    )
