"""What a pipeline declares about its parameters, and the check of a start against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline_triggers.domain.parameters import to_text
from pipeline_triggers.errors import InvalidInputError, MalformedEventError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.parameters import Resolved

ParameterType = Literal["String", "Integer", "Boolean", "Float"]
RefusalReason = Literal["unknown-parameter", "required-parameter", "wrong-type", "not-in-enum"]

# What SageMaker can read as the declared type. It is not documented: in doubt a value passes, and SageMaker judges.
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "String": re.compile(r".*", re.DOTALL),
    "Integer": re.compile(r"[+-]?[0-9]+"),
    "Float": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "Boolean": re.compile(r"true|false", re.IGNORECASE),
}
_EXAMPLES: Mapping[str, str] = {"Integer": "such as 42", "Float": "such as 0.5", "Boolean": "True or False"}


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared parameter; without a default it is ``required``."""

    type: ParameterType = "String"
    required: bool = True
    default: object = None
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """The declared parameters of one pipeline (version), by name."""

    parameters: Mapping[str, Declared]

    @classmethod
    def parse(cls, text: str) -> Definition:
        """Read the ``PipelineDefinition`` of DescribePipeline: JSON, of which only ``Parameters`` matters.

        Keys that are not known here are passed over, and a type that is not known is taken as String, which is never
        refused: SageMaker may learn new ones. Raises InvalidInputError, with the field, when the text is not such a
        document.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _malformed("", f"is not JSON ({error})") from error
        if not isinstance(document, dict):
            raise _malformed("", "is not a JSON object")
        entries = document.get("Parameters") or []
        if not isinstance(entries, list):
            raise _malformed("Parameters", "is not a list")
        return cls(dict(_declared(entry, f"Parameters[{number}]") for number, entry in enumerate(entries)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the pipeline would refuse one parameter; ``message`` also says what to do."""

    parameter: str
    reason: RefusalReason
    message: str


def check(resolved: Sequence[Resolved], definition: Definition) -> list[Refusal]:
    """Say which parameters of a start the pipeline would refuse: first those that are sent, then those that lack.

    Parameters that were refused before (they have a ``reason``) are not judged again.
    """
    refusals = [
        refusal
        for parameter in resolved
        if parameter.value is not None
        if (refusal := _judge(parameter, parameter.value, definition)) is not None
    ]
    told = {parameter.name for parameter in resolved if parameter.value is not None or parameter.reason is not None}
    refusals += [
        Refusal(
            name,
            "required-parameter",
            f"parameter {name} is not sent, and the pipeline declares no default for it. "
            "Add it to the target's parameters, or give it a default in the pipeline",
        )
        for name, declared in definition.parameters.items()
        if declared.required and name not in told
    ]
    return refusals


def _judge(parameter: Resolved, value: str, definition: Definition) -> Refusal | None:
    declared = definition.parameters.get(parameter.name)
    name = f"parameter {parameter.name}"
    if declared is None:
        near = get_close_matches(parameter.name, definition.parameters, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Remove it, or declare it in the pipeline"
        return Refusal(parameter.name, "unknown-parameter", f"{name} is not declared by the pipeline. {remedy}")
    origin = f"{_short(value)} (from {_short(parameter.expression)})" if parameter.origin != "static" else _short(value)
    if not _SHAPES[declared.type].fullmatch(value):
        wanted = f"the pipeline declares {declared.type}, {_EXAMPLES[declared.type]}"
        return Refusal(
            parameter.name,
            "wrong-type",
            f"{name}: {origin} is no {declared.type}; {wanted}. Send such a value, or change the declaration",
        )
    if declared.enum and value not in declared.enum:
        allowed = ", ".join(declared.enum)
        return Refusal(
            parameter.name,
            "not-in-enum",
            f"{name}: {origin} is none of the declared values. Send one of {allowed}, or change the declaration",
        )
    return None


def _declared(entry: Any, field: str) -> tuple[str, Declared]:
    if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str):
        raise _malformed(field, "is not an object with a Name")
    kind = entry.get("Type", "String")
    enum = entry.get("EnumValues") or []
    if not isinstance(enum, list):
        raise _malformed(f"{field}.EnumValues", "is not a list")
    try:
        values = tuple(to_text(value) for value in enum)
    except MalformedEventError as error:
        raise _malformed(f"{field}.EnumValues", f"has a value that is no text ({error})") from error
    return entry["Name"], Declared(
        type=kind if kind in get_args(ParameterType) else "String",
        # The SDK leaves DefaultValue out when there is none; 0, false and "" are defaults.
        required="DefaultValue" not in entry,
        default=entry.get("DefaultValue"),
        enum=values,
    )


def _malformed(field: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        [
            Problem(
                field=f"PipelineDefinition{'.' + field if field else ''}", reason=reason, remedy="Update the pipeline"
            )
        ],
    )


def _short(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 80 else shown[:79] + "…"
