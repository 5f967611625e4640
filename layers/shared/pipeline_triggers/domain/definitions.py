"""What a pipeline declares about its parameters, and the check of a start against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline_triggers.domain.constraints import EXAMPLES, ParameterType, is_of_type
from pipeline_triggers.domain.conversions import to_text
from pipeline_triggers.domain.forms import suggestion
from pipeline_triggers.errors import InvalidInputError, MalformedEventError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.parameters import Resolved

RefusalReason = Literal["unknown-parameter", "required-parameter", "wrong-type", "not-in-enum"]


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

    def to_json(self) -> str:
        """A document that ``parse`` reads as the same, with the parameters and nothing else."""
        entries = []
        for name, declared in self.parameters.items():
            default = {} if declared.required else {"DefaultValue": declared.default}
            enum = {"EnumValues": list(declared.enum)} if declared.enum else {}
            entries.append({"Name": name, "Type": declared.type, **default, **enum})
        return json.dumps({"Parameters": entries}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the pipeline would refuse one parameter: ``said`` is about its value, ``remedy`` what to do."""

    parameter: str
    reason: RefusalReason
    said: str
    remedy: str

    @property
    def message(self) -> str:
        """All of it in one sentence or two."""
        return f"parameter {self.parameter}: {self.said}. {self.remedy}"


def check(resolved: Sequence[Resolved], definition: Definition) -> list[Refusal]:
    """Say which parameters of a start the pipeline would refuse: first those that are sent, then those that lack.

    Parameters that were refused before (they have a ``reason``) are not judged again.
    """
    judged = [parameter for parameter in resolved if parameter.reason is None]
    refusals = [
        refusal
        for parameter in judged
        if parameter.value is not None
        if (refusal := judge(parameter.name, parameter.value, definition, origin=_origin(parameter))) is not None
    ]
    left_out = {parameter.name: parameter.message for parameter in judged if parameter.value is None}
    told = {parameter.name for parameter in resolved} - set(left_out)
    refusals += [
        _lacking(name, left_out.get(name, ""))
        for name, declared in definition.parameters.items()
        if declared.required and name not in told
    ]
    return refusals


def judge(name: str, text: str, definition: Definition, *, origin: str = "") -> Refusal | None:
    """Say why the pipeline would refuse a text for a parameter; None when it would not.

    ``origin`` says where the text is from, in words that follow it in brackets; empty for what the trigger writes.
    """
    declared = definition.parameters.get(name)
    if declared is None:
        remedy = suggestion(name, definition.parameters, "Remove it, or declare it in the pipeline")
        return Refusal(name, "unknown-parameter", "the pipeline does not declare it", remedy)
    shown = f"{_short(text)} ({origin})" if origin else _short(text)
    if not is_of_type(text, declared.type):
        said = f"{shown} is no {declared.type}; the pipeline declares {declared.type}, {EXAMPLES[declared.type]}"
        return Refusal(name, "wrong-type", said, "Send such a value, or change the declaration")
    if declared.enum and text not in declared.enum:
        remedy = f"Send one of {', '.join(declared.enum)}, or change the declaration"
        return Refusal(name, "not-in-enum", f"{shown} is none of the values that the pipeline declares", remedy)
    return None


def _origin(parameter: Resolved) -> str:
    if parameter.origin == "static":
        return ""
    return f"{'the default of' if parameter.origin == 'default' else 'from'} {_short(parameter.expression)}"


def _lacking(name: str, left_out: str) -> Refusal:
    """The refusal of a required parameter that is not sent; ``left_out`` says why not, when the target has it."""
    said = f"it is {left_out or 'not sent'}, and the pipeline declares no default for it"
    remedy = "Add it to the target's parameters, or give it a default in the pipeline"
    if left_out:
        remedy = "Give it a default in the target or in the pipeline, or correct the path"
    return Refusal(name, "required-parameter", said, remedy)


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
