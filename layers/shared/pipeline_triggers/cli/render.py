"""How answers look: JSON documents for programs, tables and lines for people, at 80 columns and without surprises.

Text from events and triggers is data: it never reaches the terminal as markup or as control characters.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline_triggers.cli.settings import Answer, Settings
    from pipeline_triggers.errors import Problem

# Long values are shown by their beginning; the JSON output has them whole.
MAX_SHOWN = 200
BETWEEN_COLUMNS = 2

STYLES = {
    "start": "bold green",
    "started": "bold green",
    "shadow": "magenta",
    "disabled": "dim",
    "unmatched": "yellow",
    "duplicate": "cyan",
    "rejected": "bold red",
    "retry": "bold yellow",
    "deleted": "bold red",
    "kept": "dim",
    "ENABLED": "green",
    "DISABLED": "dim",
    "SHADOW": "magenta",
    "add": "green",
    "change": "yellow",
    "remove": "red",
    "same": "dim",
}


def show(answer: Answer, settings: Settings) -> int:
    """Print an answer and give its exit code."""
    if settings.json:
        print(json.dumps(document(answer), indent=2))
        return int(answer.exit_code)
    if isinstance(answer.text, str):
        print(answer.text, end="")
    elif answer.text is not None:
        to_console(answer.text)
    for warning in answer.warnings:
        print(printable(f"warning: {warning}"), file=sys.stderr, flush=True)
    for problem in answer.problems:
        print(printable(str(problem)), file=sys.stderr, flush=True)
    return int(answer.exit_code)


def to_console(text: RenderableType, *, stderr: bool = False) -> None:
    """Print tables and text. Colours follow the terminal and NO_COLOR; what is too wide is folded, never cut."""
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        console.print(text, markup=False)
        return
    with console.capture() as captured:
        console.print(text, markup=False)
    # Tables fill their cells with spaces: of no use in a file or a pipe.
    for printed in captured.get().splitlines():
        print(printed.rstrip(), file=console.file)


def document(answer: Answer) -> dict[str, Any]:
    """The JSON form of an answer. Warnings did not stop anything; problems did."""
    return {
        "exit_code": int(answer.exit_code),
        "result": answer.result,
        "problems": [problem_document(problem) for problem in answer.problems],
        "warnings": [problem_document(warning) for warning in answer.warnings],
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """The JSON form of a problem."""
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.field,
        "reason": problem.reason,
        "remedy": problem.remedy,
    }


def printable(text: str) -> str:
    """Text in one line in which control characters, also those that a terminal obeys, are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number_of(number: int, noun: str) -> str:
    """A number of things: ``1 event``, ``1,000 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cell(value: object, style: str = "") -> Text:
    """A value for a table: text as it is, anything else as JSON; without control characters; long ones shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text):,} characters)"
    return Text(printable(shown), style=style, overflow="fold")


def styled(word: str) -> Text:
    """An outcome, a state or a kind of change in its colour."""
    return Text(word, style=STYLES.get(word, ""))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table that fits 80 columns by folding its cells. Cells are Text, or values for ``cell``."""
    made = Table(title=Text(printable(title)) if title else None, title_justify="left", box=None, pad_edge=False)
    made.show_header = any(headings)
    for heading in headings:
        made.add_column(Text(heading, style="bold"), overflow="fold")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text | Group) else cell(value) for value in row))
    return made


def width_of(headings: Sequence[str], rows: Iterable[Sequence[Text]]) -> int:
    """How wide a table would be if nothing in it were folded."""
    columns = zip(headings, *rows, strict=True)
    widest = [max(cell_len(line) for one in column for line in str(one).split("\n")) for column in columns]
    return sum(widest) + BETWEEN_COLUMNS * (len(widest) - 1)


def line(*parts: str | tuple[str, str]) -> Text:
    """One line out of texts and (text, style) pairs."""
    made = Text(overflow="fold")
    for part in parts:
        text, style = part if isinstance(part, tuple) else (part, "")
        made.append(printable(text), style=style)
    return made


def indented(*parts: RenderableType, by: int = 2) -> RenderableType:
    """Renderables below each other, moved to the right."""
    from rich.padding import Padding  # noqa: PLC0415 - small, and only here

    return Padding(Group(*parts), (0, 0, 0, by))


def diff_rows(before: object, after: object, field: str = "") -> list[tuple[str, object, object]]:
    """What differs between two JSON documents: (field, before, after); a side that lacks the field has None."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            row
            for key in dict.fromkeys([*before, *after])
            for row in diff_rows(before.get(key), after.get(key), f"{field}.{key}" if field else str(key))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        rows = [diff_rows(b, a, f"{field}[{i}]") for i, (b, a) in enumerate(zip(before, after, strict=True))]
        return [row for some in rows for row in some]
    return [] if before == after else [(field, before, after)]


def json_lines(value: object, beginning: str = "", end: str = "", depth: int = 0) -> list[str]:
    """A JSON document in lines: an object's fields below each other, everything else in one line."""
    margin = "  " * depth
    if not isinstance(value, dict) or not value:
        return [f"{margin}{beginning}{json.dumps(value, ensure_ascii=False)}{end}"]
    inner: list[str] = []
    for number, (key, item) in enumerate(value.items(), 1):
        comma = "," if number < len(value) else ""
        inner += json_lines(item, f"{json.dumps(key, ensure_ascii=False)}: ", comma, depth + 1)
    return [f"{margin}{beginning}{{", *inner, f"{margin}}}{end}"]
