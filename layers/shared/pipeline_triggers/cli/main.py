"""The ``pipeline-triggers`` command: its commands in one list, its common options, its answers and its exit codes."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from pipeline_triggers.cli.settings import PROGRAM, Answer, CommandGroup, ExitCode, Settings, common_options
from pipeline_triggers.errors import AwsError, InvalidInputError, PipelineTriggersError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Every command, in the order of the help: name, the module that holds it (imported when it is run), what it does.
# In its module the command is the function of that name, with "_" for "-" and "_" behind a word of Python.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("new", "triggers", "Write a first trigger file from a predefined event pattern."),
    ("lint", "triggers", "Check trigger files; with --live also against the pipelines."),
    ("simulate", "simulate", "Show what events would start, with which parameters and why, without AWS."),
    ("match", "simulate", "Say whether events match a pattern or triggers, and if not, why."),
    ("apply", "triggers", "Make the stack's triggers what trigger files say: plan, confirm, write."),
    ("put", "triggers", "Create or replace one trigger."),
    ("list", "triggers", "List the stack's triggers."),
    ("describe", "triggers", "Show one trigger, its parameters beside those of its pipelines."),
    ("enable", "triggers", "Let triggers start pipelines."),
    ("disable", "triggers", "Let triggers start nothing."),
    ("shadow", "triggers", "Let triggers decide and record, but start nothing."),
    ("delete", "triggers", "Delete triggers."),
    ("revisions", "triggers", "List the revisions of the stack's triggers."),
    ("rollback", "triggers", "Write an earlier revision again, as a new one."),
    ("graph", "graph", "Show what starts what: as a tree, as Mermaid, as SVG."),
    ("connect", "connect", "Let a bucket or a topic send to the stack."),
    ("disconnect", "connect", "Undo what connect did, and nothing else."),
    ("import", "importing", "Write existing rules and schedules as triggers, and what was wrong with them."),
    ("schedule", "schedule", "Start pipelines at a time, every so often, or by the calendar."),
    ("history", "history", "Show what triggers have started, refused or only recorded."),
    ("explain", "history", "Say why an event started something, or did not, or what caused an execution."),
    ("rerun", "rerun", "Start once more, on purpose, what an event has started before."),
    ("quarantine", "quarantine", "See and repair what could not start anything."),
    ("dlq", "dlq", "See and repair what failed for days or never arrived."),
    ("cleanup", "cleanup", "Sweep for orphans, see what was deleted, and put it back."),
    ("status", "status", "See at a glance what waits, what is stuck and what comes next."),
    ("local", "local", "Run the whole application on this machine."),
    ("demo", "local", "See it work: events in, executions out, without an AWS account."),
    ("completion", "completion", "Print what makes a shell complete commands, options and files."),
)

# What to do about a failed AWS call, by its reason.
REMEDIES = {
    "denied-yet": "Check the credentials (--profile) and their permissions",
    "access-denied": "Check the credentials (--profile) and their permissions",
    "not-found-yet": "Check --stack-name and --region: is the stack deployed there?",
    "throttled": "Try again in a moment",
    "unavailable": "Check --stack-name, --region, --endpoint-url and the credentials, or try again in a moment",
}


class LazyGroup(CommandGroup):
    """Imports the module of a command when that command is run, so that the help is there at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of ``COMMANDS``."""
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        for name, module, _ in COMMANDS:
            if name == cmd_name:
                loaded = importlib.import_module(f"pipeline_triggers.cli.{module}")
                command: click.Command = getattr(loaded, f"{name}_" if name in ("import", "list") else name)
                return command
        return None

    def summaries(self, ctx: click.Context) -> Mapping[str, str]:  # noqa: ARG002 - click's signature
        """What each command does, without importing any."""
        return {name: about for name, _, about in COMMANDS}

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - click's signature
        **extra: Any,
    ) -> Any:
        """Run a command, print its answer and leave with its exit code. No traceback unless ``--debug`` asks for it."""
        arguments = list(sys.argv[1:] if args is None else args)
        settings = extra.pop("obj", None) or Settings()
        _print_what_the_terminal_cannot_show()
        try:
            value = super().main(
                arguments,
                prog_name or PROGRAM,
                complete_var,
                standalone_mode=False,
                obj=settings,
                **extra,
            )
            if not isinstance(value, Answer):
                # The help and the version have printed themselves.
                sys.exit(value if isinstance(value, int) else ExitCode.DONE)
            answer = value
        except Exception as error:  # the one place where errors become lines and exit codes
            if settings.debug:
                raise
            settings.output = settings.output or _output_in(arguments)
            answer = _answer_to(error)
        sys.exit(_print(answer, settings))


def _answer_to(error: Exception) -> Answer:
    """What an error is told as: problems and an exit code."""
    if isinstance(error, InvalidInputError):
        return Answer(exit_code=ExitCode.INVALID, problems=error.problems)
    if isinstance(error, click.UsageError):
        return Answer(exit_code=ExitCode.INVALID, problems=[_usage_problem(error)])
    return Answer(exit_code=ExitCode.FAILED, problems=[_problem_of(error)])


def _problem_of(error: Exception) -> Problem:
    """What failed although the input is fine."""
    if isinstance(error, click.exceptions.Abort):
        return Problem("", "aborted")
    if isinstance(error, click.ClickException):
        return Problem("", error.format_message())
    if isinstance(error, AwsError):
        return Problem("", str(error).rstrip("."), REMEDIES.get(error.reason, ""))
    if isinstance(error, PipelineTriggersError):
        return Problem("", str(error))
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return Problem("", f"unexpected {said}", "Run again with --debug to see where, and report it")


def _usage_problem(error: click.UsageError) -> Problem:
    command = error.ctx.command_path if error.ctx else PROGRAM
    reason = " ".join(error.format_message().split())
    return Problem("", reason.rstrip("."), "" if reason.endswith("?") else f"See {command} --help")


def _output_in(arguments: Sequence[str]) -> str:
    """The output that was asked for when the arguments themselves could not be understood."""
    joined = " ".join(arguments)
    return "json" if "--output json" in joined or "--output=json" in joined else "text"


def _print(answer: Answer, settings: Settings) -> int:
    from pipeline_triggers.cli import render  # noqa: PLC0415 - rich takes a while: not for the help

    try:
        code = render.show(answer, settings)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output, such as head, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(answer.exit_code)
    return code


def _print_what_the_terminal_cannot_show() -> None:
    """Let characters that the terminal's encoding lacks come out escaped instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@click.group(
    PROGRAM,
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    params=common_options(environment=True),
)
@click.version_option(package_name="pipeline-triggers", prog_name=PROGRAM)
def cli() -> None:
    """Start Amazon SageMaker pipelines when something happens or a time comes, exactly once, and say why.

    Exit codes: 0 done or would start, 2 invalid input, 3 does not match, 4 duplicate, 5 a parameter is missing or
    refused, 1 anything else.
    """


def main() -> None:
    """The entry point of the ``pipeline-triggers`` script."""
    cli.main()
