"""How one trigger is shown by "describe": its parts, and its parameters beside those that the pipelines declare."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from pipeline_triggers.cli.render import (
    cell,
    indented,
    json_lines,
    line,
    problem_document,
    styled,
    table,
)
from pipeline_triggers.domain.templates import Literal, Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.cli.live import Compared
    from pipeline_triggers.domain.definitions import Declared
    from pipeline_triggers.domain.parameters import Parameter
    from pipeline_triggers.domain.trigger_schedules import Schedule
    from pipeline_triggers.domain.triggers import Target, Trigger

# How many of a schedule's next times are shown.
NEXT_TIMES = 3


def target_document(compared: Compared) -> dict[str, Any]:
    """The JSON form of a target: its parameters, then those that only its pipeline declares (``kind`` is null)."""
    return {
        "id": compared.target.id,
        "pipeline": str(compared.target.pipeline),
        "parameters": [
            _parameter_document(name, parameter, declared) for name, parameter, declared in _side_by_side(compared)
        ],
        "problems": [problem_document(problem) for problem in compared.problems],
    }


def described(trigger: Trigger, revision: int, targets: Sequence[Compared]) -> Iterable[RenderableType]:
    """The trigger for people, part by part."""
    yield line((trigger.name, "bold"), "  ").append_text(styled(trigger.state)).append(f"  revision {revision}", "dim")
    yield from _facts(
        {
            "description": trigger.description,
            "set": trigger.set,
            "tags": ", ".join(f"{key}={value}" for key, value in trigger.tags.items()),
            "occurrence key": trigger.occurrence_key.text if trigger.occurrence_key else "",
            "max starts per hour": str(trigger.max_starts_per_hour or ""),
        },
    )
    if trigger.pattern is not None:
        yield line(("event pattern", "dim"))
        yield indented(*(line(text) for text in json_lines(trigger.pattern.document)))
    if trigger.schedule is not None:
        yield from _schedule_described(trigger.schedule)
    for compared in targets:
        target = compared.target
        yield line(("target ", "dim"), (target.id, "bold"), (" starts ", "dim"), str(target.pipeline))
        yield indented(*_target_described(compared))


def _facts(facts: dict[str, str]) -> Iterable[RenderableType]:
    for name, value in facts.items():
        if value:
            yield line((f"{name}: ", "dim"), value)


def _schedule_described(schedule: Schedule) -> Iterable[RenderableType]:
    ways = {"direct": "EventBridge Scheduler starts the pipeline itself", "app": "through this application"}
    coming = schedule.when.next_times(datetime.now(UTC), NEXT_TIMES, start=schedule.start, end=schedule.end)
    yield line(("schedule: ", "dim"), f"{schedule.expression} in {schedule.timezone}")
    yield from _facts(
        {
            "via": ways[schedule.via],
            "from": str(schedule.start or ""),
            "until": str(schedule.end or ""),
            "next": ", ".join(f"{time:%a %Y-%m-%d %H:%M %Z}" for time in coming) or "never again",
        },
    )


def _target_described(compared: Compared) -> Iterable[RenderableType]:
    target: Target = compared.target
    yield from _facts(
        {
            "version": str(target.pipeline.version_id or ""),
            "display name": target.display_name,
            "description": target.description,
            "parallelism": str(target.parallelism or ""),
            "role": target.role_arn or "",
        },
    )
    if rows := list(_rows(compared)):
        # A column that is empty for every parameter is left out: the lines are narrow.
        kept = [number for number in range(len(_COLUMNS)) if any(row[number].plain for row in rows)]
        yield table([_COLUMNS[number] for number in kept], [[row[number] for number in kept] for row in rows])
    for problem in compared.problems:
        yield line(("problem: ", "bold red"), str(problem))


_COLUMNS = ("parameter", "pipeline declares", "kind", "value", "when missing", "constraints")


def _rows(compared: Compared) -> Iterable[Sequence[Text]]:
    for name, parameter, declared in _side_by_side(compared):
        yield [
            cell(name, "bold"),
            _declared_shown(declared, is_known=compared.definition is not None),
            Text("" if parameter is None else _kind(parameter)),
            cell(parameter.value.text) if parameter is not None else _not_given(declared),
            cell("" if parameter is None else _when_missing(parameter)),
            cell("" if parameter is None else _constraints_shown(parameter)),
        ]


def _side_by_side(compared: Compared) -> Iterable[tuple[str, Parameter | None, Declared | None]]:
    """The target's parameters in their order, then those that only the pipeline has."""
    of_pipeline = compared.definition.parameters if compared.definition is not None else {}
    given = {parameter.name: parameter for parameter in compared.target.parameters}
    for name in dict.fromkeys([*given, *of_pipeline]):
        yield name, given.get(name), of_pipeline.get(name)


def _parameter_document(name: str, parameter: Parameter | None, declared: Declared | None) -> dict[str, Any]:
    return {
        "name": name,
        "kind": parameter and _kind(parameter),
        "value": parameter and parameter.value.text,
        "default": parameter and parameter.default,
        "on_missing": parameter and parameter.on_missing,
        "constraints": parameter.constraints.to_document() if parameter else {},
        "declared": declared
        and {
            "type": declared.type,
            "required": declared.required,
            "default": declared.default,
            "enum": list(declared.enum),
        },
    }


def _kind(parameter: Parameter) -> str:
    if isinstance(parameter.value, Literal):
        return "static"
    return "template" if isinstance(parameter.value, Template) else "dynamic"


def _when_missing(parameter: Parameter) -> str:
    if isinstance(parameter.value, Literal):
        return ""
    if parameter.default is not None:
        return f"default {parameter.default}"
    return "left out" if parameter.on_missing == "omit" else "quarantine"


def _constraints_shown(parameter: Parameter) -> str:
    limits = parameter.constraints
    said = {
        "": limits.type or "",
        "one of ": ", ".join(limits.enum),
        "begins with ": limits.prefix,
        "at most ": f"{limits.max_length:,} characters" if limits.max_length is not None else "",
    }
    return "; ".join(f"{words}{value}" for words, value in said.items() if value)


def _declared_shown(declared: Declared | None, *, is_known: bool) -> Text:
    """What the pipeline says about a parameter; nothing when nobody knows it."""
    if declared is None:
        return Text("unknown!", style="bold red") if is_known else Text()
    default = declared.default if isinstance(declared.default, str) else json.dumps(declared.default)
    said = [declared.type, "required" if declared.required else f"default {default}"]
    if declared.enum:
        said.append(f"one of {', '.join(declared.enum)}")
    return cell(", ".join(said))


def _not_given(declared: Declared | None) -> Text:
    if declared is not None and declared.required:
        return Text("missing!", style="bold red")
    return Text("default of the pipeline", style="dim")
