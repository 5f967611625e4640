"""The reference of the commands, out of their declarations."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from pipeline_triggers.cli.examples import EXAMPLES
from pipeline_triggers.cli.main import cli
from pipeline_triggers.cli.reference.markdown import block, code, plain, table
from pipeline_triggers.cli.settings import PROGRAM, ExitCode, common_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXIT_CODES: Mapping[ExitCode, str] = {
    ExitCode.DONE: "Done, or would start.",
    ExitCode.FAILED: "Anything else: AWS refused, or was not reached.",
    ExitCode.INVALID: "What was given is invalid: the command line, a trigger file, an event.",
    ExitCode.UNMATCHED: "No trigger matches.",
    ExitCode.DUPLICATE: "The occurrence has started it before.",
    ExitCode.REFUSED: "A parameter is missing or refused.",
}


ABOUT_OPTIONS = (
    f"`{PROGRAM} [OPTIONS] COMMAND`; `--help` or `-h` behind any command shows what stands here. These options may "
    "stand before the command or behind it:"
)
ABOUT_COLOURS = (
    "With `NO_COLOR` set to anything, or `TERM=dumb`, nothing is coloured; outside a terminal nothing is unless "
    "`FORCE_COLOR` is set."
)


def commands() -> str:
    """The section on commands."""
    common = list(_options(common_options(environment=True)))
    parts = [
        "## Commands\n",
        f"{ABOUT_OPTIONS}\n",
        table(["option", "meaning"], common),
        "Of several decisions the exit code is the first of 2, 1, 5, 0, 4, 3 that applies to one:\n",
        table(["exit code", "meaning"], ([code(str(int(value))), EXIT_CODES[value]] for value in ExitCode)),
        f"{ABOUT_COLOURS}\n",
    ]
    for path, command in _walk(cli, ""):
        parts += [f"### {path}\n", *_told(path, command)]
    return "\n".join(parts)


def _walk(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """The commands in the order of the help, each with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"{path} {name} is listed, and is not there")
        inside = f"{path} {name}".strip()
        yield inside, command
        if isinstance(command, click.Group):
            yield from _walk(command, inside)


def _told(path: str, command: click.Command) -> Iterator[str]:
    arguments = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    after = ["COMMAND"] if isinstance(command, click.Group) else arguments
    yield block(" ".join([PROGRAM, path, *(["[OPTIONS]"] if not isinstance(command, click.Group) else []), *after]))
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        verbatim = paragraph.removeprefix("\b\n")
        yield block(verbatim) if verbatim != paragraph else f"{plain(paragraph)}\n"
    common = {option.opts[0] for option in common_options(environment=True) if isinstance(option, click.Option)}
    own = [one for one in command.params if one.opts[0] not in common]
    if rows := list(_options(own)):
        yield table(["option", "meaning"], rows)
    if path in EXAMPLES:
        yield block("\n".join(f"{PROGRAM} {example}" for example in EXAMPLES[path]))


def _argument(argument: click.Argument) -> str:
    word = argument.metavar or _choices(argument) or str(argument.name).upper()
    return word if argument.required or word.startswith("[") else f"[{word}]"


def _options(parameters: list[click.Parameter]) -> Iterator[list[str]]:
    for option in parameters:
        if isinstance(option, click.Option):
            yield [code(_written(option)), _meaning(option)]


def _written(option: click.Option) -> str:
    """The option as it is typed, with the word for its value."""
    names = ", ".join(option.opts)
    if option.is_flag:
        return " / ".join([names, *option.secondary_opts])
    return f"{names} {option.metavar or _choices(option) or _kind(option.type)}"


def _kind(kind: click.ParamType) -> str:
    return "N" if isinstance(kind, click.types.IntParamType) else kind.name.upper()


def _choices(parameter: click.Parameter) -> str:
    return "|".join(map(str, parameter.type.choices)) if isinstance(parameter.type, click.Choice) else ""


def _meaning(option: click.Option) -> str:
    notes = [
        "required" if option.required else "",
        f"default: {option.default}" if option.show_default else "",
        "may be repeated" if option.multiple and "repeated" not in (option.help or "") else "",
        _range(option.type),
    ]
    said = "; ".join(filter(None, notes))
    return plain((option.help or "") + (f" [{said}]" if said else ""))


def _range(kind: click.ParamType) -> str:
    if not isinstance(kind, click.IntRange):
        return ""
    if kind.max is None:
        return f"at least {kind.min}"
    return f"{kind.min} to {kind.max:,}"
