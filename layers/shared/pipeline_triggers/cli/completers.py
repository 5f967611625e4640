"""What a shell completes for the values of options and arguments, by the word that the help has for them.

Nothing is asked of AWS, so names of triggers, pipelines and schedules are not completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Completed(StringParamType):
    """A text that is completed."""

    def __init__(self, complete: Callable[[str], list[CompletionItem]]) -> None:
        self._complete = complete

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """What the text may become."""
        return self._complete(incomplete)


def completing(parameter: click.Parameter) -> click.ParamType:
    """The type of a parameter, with completion where the word for its value has one."""
    complete = BY_WORD.get((parameter.metavar or "").removesuffix("..."))
    return Completed(complete) if complete is not None and parameter.type is click.STRING else parameter.type


def _files(incomplete: str) -> list[CompletionItem]:
    """The shell itself knows the files."""
    return [CompletionItem(incomplete, type="file")]


def _kinds(incomplete: str) -> list[CompletionItem]:
    from pipeline_triggers.cli.predefined import PREDEFINED  # noqa: PLC0415 - only while completing

    return [CompletionItem(kind, help=about.summary) for kind, about in PREDEFINED.items() if _fits(kind, incomplete)]


def _zones(incomplete: str) -> list[CompletionItem]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads the time zones' folder

    return [CompletionItem(zone) for zone in sorted(available_timezones()) if _fits(zone, incomplete)]


def _fits(word: str, incomplete: str) -> bool:
    return word.startswith(incomplete)


BY_WORD: Mapping[str, Callable[[str], list[CompletionItem]]] = {
    "FILE": _files,
    "EVENT_FILE": _files,
    "EVENT_ID|EXECUTION_ARN|FILE": _files,
    "KIND": _kinds,
    "ZONE": _zones,
}
