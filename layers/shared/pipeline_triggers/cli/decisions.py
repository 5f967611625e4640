"""How a decision is shown: what was concluded, and parameter by parameter where a value is from and what becomes of it.

At 80 columns expressions and values are longer than the columns of a table: then each parameter has lines of its own.
Nothing that can be sent is cut.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from pipeline_triggers.cli.render import indented, line, printable, styled, table, width_of
from pipeline_triggers.domain.conversions import MAX_VALUE
from pipeline_triggers.domain.templates import Embedded, Template, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.definitions import Refusal
    from pipeline_triggers.domain.parameters import Resolved

SPOKEN = {
    "start": "would start",
    "shadow": "shadow: would be recorded, not started",
    "disabled": "disabled: would be recorded, not started",
    "unmatched": "matches no trigger",
    "duplicate": "would not start again",
    "rejected": "would go to quarantine",
}
SENT, DEFAULT_SENT, LEFT_OUT = "sent", "default sent", "left out"
_STYLES = {SENT: "green", DEFAULT_SENT: "green", LEFT_OUT: "yellow"}
_NOT_SENT = Text("(not sent)", style="dim")
# The room of a label and what is before and behind it.
_LABELLED = len("  final  ")
# Names that are longer do not push the verdicts of the others to the right.
_ALIGNED = 24


def decision_document(decision: Decision) -> dict[str, Any]:
    """The decision as JSON: its document, in which each parameter has its verdict and those that lack have an entry."""
    return decision.to_document() | {
        "parameters": [
            *map(_parameter_document, decision.parameters),
            *map(_lacking_document, decision.lacking),
        ],
    }


def verdict(resolved: Resolved) -> str:
    """What becomes of a parameter: ``sent``, ``default sent``, ``left out``, or the reason why it is refused."""
    if resolved.reason:
        return resolved.reason
    if resolved.value is None:
        return LEFT_OUT
    return DEFAULT_SENT if resolved.origin == "default" else SENT


def decision_shown(decision: Decision, spoken: Mapping[str, str] = SPOKEN) -> RenderableType:
    """The decision for people. ``spoken`` are the words for outcomes: by default those for what is only planned."""
    heading = styled(decision.outcome)
    heading.plain = spoken.get(decision.outcome, decision.outcome)
    if decision.trigger:
        heading.append_text(line("  ", (decision.trigger, "bold"), " → ", (_pipeline_name(decision), "bold")))
    entries = [*map(_entry, decision.parameters), *map(_lacking_entry, decision.lacking)]
    said: list[RenderableType] = []
    if decision.reason and not any(entry.refused for entry in entries):
        said.append(line((decision.reason, "red"), f": {decision.message}" if decision.message else ""))
    elif decision.message and not decision.reason:
        said.append(line(decision.message))
    if entries:
        said.append(_Parameters(entries))
    return Group(heading, indented(*said)) if said else heading


def _pipeline_name(decision: Decision) -> str:
    name = decision.pipeline_arn.rpartition("/")[2]
    return name if decision.target in ("", name) else f"{name} (target {decision.target})"


def _parameter_document(resolved: Resolved) -> dict[str, Any]:
    return {
        "name": resolved.name,
        "origin": resolved.origin,
        "expression": resolved.expression,
        "raw": resolved.raw,
        "value": resolved.value,
        "verdict": verdict(resolved),
        "reason": resolved.reason,
        "message": resolved.message,
    }


def _lacking_document(refusal: Refusal) -> dict[str, Any]:
    return {
        "name": refusal.parameter,
        "origin": None,
        "expression": "",
        "raw": None,
        "value": None,
        "verdict": refusal.reason,
        "reason": refusal.reason,
        "message": refusal.message,
    }


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is shown of one parameter. ``refused`` says why it cannot be sent."""

    name: str
    origin: Text
    expression: Text
    found: Text
    final: Text
    verdict: Text
    refused: str = ""


def _entry(resolved: Resolved) -> _Entry:
    word = verdict(resolved)
    is_static = resolved.origin == "static"
    return _Entry(
        name=resolved.name,
        origin=Text("default of" if resolved.origin == "default" else resolved.origin),
        expression=Text() if is_static else _text(resolved.expression, "cyan"),
        found=Text() if is_static else Text("\n").join(_found(resolved)),
        final=_NOT_SENT if resolved.value is None else _text(resolved.value),
        verdict=Text(word, style=_STYLES.get(word, "bold red")),
        refused=_why(resolved.name, resolved.message) if resolved.reason else "",
    )


def _lacking_entry(refusal: Refusal) -> _Entry:
    return _Entry(
        name=refusal.parameter,
        origin=Text("not in the target", style="dim"),
        expression=Text(),
        found=Text(),
        final=_NOT_SENT,
        verdict=Text(refusal.reason, style="bold red"),
        refused=_why(refusal.parameter, refusal.message),
    )


def _why(name: str, message: str) -> str:
    return message.removeprefix(f"parameter {name}: ")


def _found(resolved: Resolved) -> Iterator[Text]:
    """What each path found, a line each, and of templates the functions that it went through."""
    written = parse_value(resolved.expression)
    if isinstance(written, Template):
        # No raw value: a function, or the conversion to text, has refused what a path found; the message says which.
        found = resolved.raw or {}
        paths = dict.fromkeys(part for part in written.parts if isinstance(part, Embedded))
        for part in paths:
            if part.path.text in found:
                functions = "".join(f" | {name}" for name in part.functions)
                yield line((part.path.text, "cyan"), " → ").append_text(_value(found[part.path.text])).append(functions)
    elif isinstance(resolved.raw, str) and resolved.raw == resolved.value:
        yield Text("the same text", style="dim")
    else:
        yield _value(resolved.raw)


def _value(value: object) -> Text:
    """A value of an event as JSON: text is in quotes, so that "1000" and 1000 look different."""
    if value is None:
        return Text("nothing", style="dim")
    return _text(json.dumps(value, ensure_ascii=False))


def _text(text: str, style: str = "") -> Text:
    """Text without control characters, shortened only where it is longer than what can be sent."""
    # The quotes and escapes of JSON have room too.
    limit = 2 * MAX_VALUE
    shown = text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
    return Text(printable(shown), style=style, overflow="fold")


_COLUMNS = ("parameter", "origin", "expression", "raw", "final", "verdict")


@dataclass(frozen=True, slots=True)
class _Parameters:
    """Parameters as a table where it fits without folding, else each with lines of its own for every fact."""

    entries: Sequence[_Entry]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [[_name(e.name), e.origin, e.expression, e.found, e.final, e.verdict] for e in self.entries]
        if width_of(_COLUMNS, rows) > options.max_width:
            yield Text("\n").join(_in_lines(self.entries, console, options.max_width))
            return
        yield table(_COLUMNS, rows)
        for entry in self.entries:
            if entry.refused:
                yield line((entry.name, "bold"), f": {entry.refused}")


def _in_lines(entries: Sequence[_Entry], console: Console, width: int) -> Iterator[Text]:
    """Every entry as a line with its name and verdict, and below it its facts, folded behind their labels.

    Folded here and not by tables in one another: those take more than twice as long, which counts with --verbose.
    """
    aligned = min(_ALIGNED, max(len(entry.name) for entry in entries))
    for entry in entries:
        heading = Text.assemble(_name(f"{entry.name:<{aligned}}"), "  ", entry.verdict)
        yield from heading.wrap(console, width, overflow="fold")
        for label, fact in _facts(entry):
            folded = fact.wrap(console, max(1, width - _LABELLED), overflow="fold")
            for number, part in enumerate(folded):
                prefix = f"  {'' if number else label}".ljust(_LABELLED)
                yield Text.assemble((prefix, "dim"), part)


def _facts(entry: _Entry) -> Iterator[tuple[str, Text]]:
    origin = entry.origin.copy()
    yield "from", origin.append("  ").append_text(entry.expression) if entry.expression else origin
    if entry.found:
        yield "raw", entry.found
    yield "final", entry.final
    if entry.refused:
        yield "why", line(entry.refused)


def _name(name: str) -> Text:
    return Text(printable(name), style="bold", overflow="fold")
