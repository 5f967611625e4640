"""The reference of trigger files, out of their JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.cli.reference.markdown import code, plain, table
from pipeline_triggers.documents import json_schema
from pipeline_triggers.domain.functions import FUNCTIONS
from pipeline_triggers.domain.trigger_schedules import SCHEDULE_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

# What a text may be written as: the file may leave its quotes out.
TEXT = ["string", "number", "boolean"]
WRITTEN = "#/$defs/written"


ABOUT_PARAMETERS = (
    "A text, number or boolean is sent as it is written. One that begins with `$.` or `$[` is a JSONPath, one with "
    "`<$.` or `<$[` in it a template. With more to say, it is an object:"
)
ABOUT_FUNCTIONS = (
    f"Functions in templates, such as `<$.detail.object.key | stem>`: {', '.join(map(code, FUNCTIONS))}. What each "
    "does is a table at the top of [`functions.py`](layers/shared/pipeline_triggers/domain/functions.py); how values "
    "become text is one at the top of [`conversions.py`](layers/shared/pipeline_triggers/domain/conversions.py)."
)


def fields() -> str:
    """The section on trigger files."""
    schema = json_schema()
    known: Mapping[str, Schema] = schema["$defs"]
    parameter = next(form for form in known["parameter"]["anyOf"] if "properties" in form)
    of_schedules = ("schedule_expression", *SCHEDULE_KEYS)
    trigger = known["trigger"]["properties"]
    return "\n".join(
        [
            "## Trigger files\n",
            f"{plain(schema['description'])} YAML 1.2 or JSON; unknown fields are errors.\n",
            _table(known["file"]["properties"], known["file"]["required"]),
            "### A trigger\n",
            "It has an `event_pattern` or a `schedule_expression`.\n",
            _table(
                {name: of for name, of in trigger.items() if name not in of_schedules}, known["trigger"]["required"]
            ),
            "### The schedule of a trigger\n",
            "These fields stand in the trigger itself.\n",
            _table({name: trigger[name] for name in of_schedules}, ("schedule_expression",)),
            "### A target\n",
            _table(known["target"]["properties"], known["target"]["required"]),
            "### A parameter\n",
            f"{ABOUT_PARAMETERS}\n",
            _table(parameter["properties"], ()),
            f"{ABOUT_FUNCTIONS}\n",
            "### Also read\n",
            "".join(f"- {plain(known[name]['description'])}\n" for name in ("rule", "resource", "template"))
            + "- Parameters as EventBridge lists them: `[{Name: …, Value: …}]`.\n",
        ]
    )


def _table(properties: Mapping[str, Schema], required: object) -> str:
    needed = frozenset(required) if isinstance(required, list | tuple) else frozenset()
    return table(
        ["field", "is", "default", "meaning"],
        ([code(name), _kind(of), _default(name, of, needed), _meaning(of)] for name, of in properties.items()),
    )


def _kind(of: Schema) -> str:
    """What is written: its type, with the bounds of a number, or the words to choose from."""
    if words := of.get("enum", [of["const"]] if "const" in of else []):
        return " or ".join(code(str(word)) for word in words)
    if of.get("$ref") == WRITTEN or of.get("type") == TEXT:
        return "text"
    match of.get("type"):
        case "integer":
            kind = _integer(of)
        case "array":
            kind = "list"
        case "object" if "maxProperties" in of:
            kind = f"object of at most {of['maxProperties']}"
        case str(name):
            kind = name
        case list():
            kind = "object or text"
        case _:
            kind = "object or list"
    return kind


def _integer(of: Schema) -> str:
    if "maximum" in of:
        return f"integer, {of['minimum']} to {of['maximum']:,}"
    return f"integer, at least {of['minimum']}"


def _default(name: str, of: Schema, required: frozenset[str]) -> str:
    if name in required:
        return "required"
    if "default" not in of:
        return ""
    return code(of["default"] if isinstance(of["default"], str) else str(of["default"]).lower())


def _meaning(of: Schema) -> str:
    return plain(of["description"])


def described() -> list[tuple[str, Schema]]:
    """Every field of this section with its schema, by its place."""
    known = json_schema()["$defs"]
    parameter = next(form for form in known["parameter"]["anyOf"] if "properties" in form)
    kinds = {"file": known["file"], "trigger": known["trigger"], "target": known["target"], "parameter": parameter}
    return [(f"{kind}.{name}", of) for kind, schema in kinds.items() for name, of in schema["properties"].items()]
