"""What every command shares: the common options, the answer it gives, and the exit codes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from pipeline_triggers.errors import InvalidInputError, PipelineTriggersError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.cli.connection import Connection


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
    """A command that takes the common options after its name too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options(environment=False))
