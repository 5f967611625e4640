"""The commands of ``pipeline-triggers``, and whether a command line is one that it understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline_triggers.cli.main import cli
from pipeline_triggers.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


def commands() -> list[tuple[str, click.Command]]:
    """Every command and group, with the words that call it; the first is the whole."""
    found: list[tuple[str, click.Command]] = [("", cli)]
    for path, command in found:
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = {name: command.get_command(context, name) for name in command.list_commands(context)}
            found += [(f"{path} {name}".strip(), one) for name, one in inner.items() if one is not None]
    return found


def understand(words: Sequence[str]) -> None:
    """Parse what stands behind ``pipeline-triggers`` to its end, and run nothing.

    Raises click.UsageError for a command or an option that there is not, and for an argument that is missing.
    """
    context = click.Context(cli, info_name="pipeline-triggers", obj=Settings())
    command: click.Command = cli
    name, left = "", list(words)
    while isinstance(command, click.Group):
        called, found, left = command.resolve_command(context, left)
        assert found is not None
        name, command = f"{name} {called}".strip(), found
    command.make_context(name, left, parent=context)
