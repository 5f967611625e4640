"""What every command shares: the common options, the answer it gives, and the exit codes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from pipeline_triggers.cli.completers import completing
from pipeline_triggers.cli.examples import EXAMPLES
from pipeline_triggers.errors import InvalidInputError, PipelineTriggersError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.cli.connection import Connection

PROGRAM = "pipeline-triggers"


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    FAILED = 1
    INVALID = 2
    UNMATCHED = 3
    DUPLICATE = 4
    REFUSED = 5


# For many decisions the first of these that applies.
_PRECEDENCE = (
    ExitCode.INVALID,
    ExitCode.FAILED,
    ExitCode.REFUSED,
    ExitCode.DONE,
    ExitCode.DUPLICATE,
    ExitCode.UNMATCHED,
)


def most_important(codes: Iterable[ExitCode]) -> ExitCode:
    """The one exit code for many decisions; none at all: nothing matched."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.UNMATCHED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: ``result`` as JSON or ``text`` for people; problems and warnings stand apart.

    ``result`` holds only JSON types. ``text`` is printed to stdout (a str to the letter, such as a file's content),
    problems and warnings to stderr, a line each.
    """

    result: Any = None
    exit_code: int = ExitCode.DONE
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    text: RenderableType | None = None


def _connect(settings: Settings) -> Connection:
    from pipeline_triggers.cli.connection import connect  # noqa: PLC0415 - boto3 only for commands that need AWS

    return connect(settings)


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


@dataclass
class Settings:
    """The common options as given, before or after the command's name, and how to reach AWS and the person."""

    stack_name: str = "pipeline-triggers"
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    output: str = ""
    debug: bool = False
    connect: Callable[[Settings], Connection] = _connect
    interactive: Callable[[], bool] = _somebody_is_there
    _connection: Connection | None = field(default=None, repr=False)

    @property
    def connection(self) -> Connection:
        """The stack's store and parameters, connected when first asked for."""
        if self._connection is None:
            self._connection = self.connect(self)
        return self._connection

    @property
    def json(self) -> bool:
        """Whether the answer is wanted as JSON."""
        return self.output == "json"

    def approve(self, question: str, otherwise: str) -> None:
        """Ask on stderr. Raises PipelineTriggersError when the answer is no, and then it is ``otherwise``.

        InvalidInputError when nobody is there to answer.
        """
        if not self.interactive():
            raise InvalidInputError(
                [Problem("", "nobody can be asked: there is no terminal", "Give --yes to go on without a question")],
            )
        if not click.confirm(question, err=True):
            raise PipelineTriggersError(f"not approved: {otherwise}")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a common option; what was not given leaves the one given earlier as it is."""
    if value not in (None, False):
        setattr(context.find_object(Settings), str(parameter.name), value)


def common_options(*, environment: bool) -> list[click.Parameter]:
    """The options that stand before or after a command's name; only those before it read the environment."""
    hidden = not environment
    return [
        click.Option(
            ["--stack-name"],
            callback=_remember,
            expose_value=False,
            hidden=hidden,
            envvar="PIPELINE_TRIGGERS_STACK" if environment else None,
            help="The stack that was deployed.  [env: PIPELINE_TRIGGERS_STACK; default: pipeline-triggers]",
        ),
        click.Option(
            ["--region"],
            callback=_remember,
            expose_value=False,
            hidden=hidden,
            help="The AWS Region.",
        ),
        click.Option(
            ["--profile"],
            callback=_remember,
            expose_value=False,
            hidden=hidden,
            help="The profile of the AWS configuration.",
        ),
        click.Option(
            ["--endpoint-url"],
            callback=_remember,
            expose_value=False,
            hidden=hidden,
            envvar="AWS_ENDPOINT_URL" if environment else None,
            help="Where AWS is, such as http://127.0.0.1:4555.  [env: AWS_ENDPOINT_URL]",
        ),
        click.Option(
            ["--output"],
            type=click.Choice(["text", "json"]),
            callback=_remember,
            expose_value=False,
            is_eager=True,
            help="Tables for people or one JSON document.  [default: text]",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            callback=_remember,
            expose_value=False,
            hidden=hidden,
            is_eager=True,
            help="Show where an unexpected error came from.",
        ),
    ]


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


class Command(click.Command):
    """A command that takes the common options after its name too, has its values completed, and shows examples."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            parameter.type = completing(parameter)
        self.params.extend(common_options(environment=False))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, to the letter."""
        _write_examples(ctx, formatter)


class CommandGroup(click.Group):
    """Commands under a common name, listed as they are defined; a misspelt one is told the nearest."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; but whoever names no command sees the help, which click 8.2 and later call an error."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the help."""
        return list(self.commands)

    def summaries(self, ctx: click.Context) -> Mapping[str, str]:
        """What each command does, in the order of the help."""
        return {name: self.commands[name].get_short_help_str(limit=200) for name in self.list_commands(ctx)}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries(ctx).items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, to the letter."""
        _write_examples(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and after a hyphen the options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        summaries = self.summaries(ctx).items()
        return [CompletionItem(name, help=about) for name, about in summaries if name.startswith(incomplete)]

    def resolve_command(
        self,
        ctx: click.Context,
        args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command is told the nearest one."""
        name = args[0]
        known = self.list_commands(ctx)
        # While a shell completes, what stands before may be anything.
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name, known, n=1)
            hint = f". Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


def _write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    examples = EXAMPLES.get(ctx.command_path.removeprefix(PROGRAM).strip(), ())
    if examples:
        with formatter.section("Examples"):
            margin = " " * formatter.current_indent
            for example in examples:
                formatter.write(_folded(f"{margin}{PROGRAM} {example}", formatter.width, f"{margin}    "))


def _folded(command: str, width: int, margin: str) -> str:
    """A command line that can be copied, with its options on further lines where it would be too wide."""
    first, *options = command.split(" --")
    lines = [first]
    for option in options:
        if len(lines[-1]) + len(f" --{option} \\") <= width:
            lines[-1] += f" --{option}"
        else:
            lines.append(f"{margin}--{option}")
    return " \\\n".join(lines) + "\n"
