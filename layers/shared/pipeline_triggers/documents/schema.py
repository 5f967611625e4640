"""The JSON Schema of trigger files, for editors: made of the limits that the reading enforces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pipeline_triggers.documents.spellings import MISSPELT, PARAMETER_LIST_KEY, PARAMETERS_KEY, RULE_MARKS, RULE_TYPE
from pipeline_triggers.domain import limits
from pipeline_triggers.domain.constraints import ParameterType
from pipeline_triggers.domain.conversions import MAX_PARAMETERS, MAX_VALUE
from pipeline_triggers.domain.schedule_plans import DEFAULT_MAX_AGE_SECONDS, DEFAULT_MAX_ATTEMPTS
from pipeline_triggers.domain.trigger_schedules import Way
from pipeline_triggers.domain.triggers import State

if TYPE_CHECKING:
    from pipeline_triggers.domain.forms import Text

SCHEMA_FILE = Path(__file__).parents[1] / "triggers.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema_text() -> str:
    """What stands in ``triggers.schema.json``."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> Schema:
    """The schema, draft 2020-12. It knows shapes and lengths; ``load`` also knows patterns, paths and loops."""
    return {
        "$schema": DIALECT,
        "title": "Pipeline Triggers: trigger file",
        "description": "Which events and schedules start which SageMaker pipelines, with which parameters.",
        "anyOf": [_ref("file"), _ref("resource"), _ref("rule"), _ref("template")],
        "$defs": {
            "file": _object(
                "A trigger file.",
                {
                    "version": {"const": 1, "description": "The version of the form of this file."},
                    "set": _text(limits.SET, "Who owns these triggers: prune acts inside a set."),
                    "triggers": {
                        "type": "array",
                        "description": "The triggers of the set.",
                        "items": {"anyOf": [_ref("trigger"), _ref("resource"), _ref("rule")]},
                    },
                },
                ["version", "triggers"],
            ),
            "trigger": _trigger(),
            "target": _target(),
            "parameter": _parameter(),
            "listed": _listed(),
            "written": {"type": ["string", "number", "boolean"], "description": "Sent as it is written."},
            "rule": _rule(),
            "resource": {
                "type": "object",
                "description": f"A CloudFormation resource {RULE_TYPE}.",
                "properties": {"Type": {"const": RULE_TYPE}, "Properties": _ref("rule")},
                "required": ["Type", "Properties"],
            },
            "template": {
                "type": "object",
                "description": f"A CloudFormation template: its resources {RULE_TYPE} are read.",
                "properties": {"Resources": {"type": "object"}},
                "required": ["Resources"],
            },
        },
    }


def _trigger() -> Schema:
    schema = _object(
        "A named event pattern, or schedule, with its targets.",
        {
            "name": _text(limits.NAME, "Unique in the stack."),
            "description": _text(limits.DESCRIPTION, "For people."),
            "state": {
                "enum": list(get_args(State)),
                "default": "ENABLED",
                "description": "SHADOW decides and records, and starts nothing.",
            },
            "tags": {
                "type": "object",
                "description": "Texts by key, for people.",
                "propertyNames": _text(limits.TAG_KEY),
                "additionalProperties": _ref("written"),
                "maxProperties": limits.MAX_TAGS,
            },
            "set": _text(limits.SET, "The set of the file, when it is said again."),
            "event_pattern": {
                "type": ["object", "string"],
                "description": "EventBridge's event pattern language; as an object, or as JSON text.",
            },
            "schedule_expression": _text(limits.SCHEDULE_EXPRESSION, "Instead of an event pattern."),
            "timezone": {**_text(limits.TIMEZONE, "The time zone of the schedule expression."), "default": "UTC"},
            "start": _text(limits.TIME, "When the schedule begins. Default: at once."),
            "end": _text(limits.TIME, "When the schedule ends. Default: never."),
            "via": {
                "enum": list(get_args(Way)),
                "default": "direct",
                "description": "app: the schedule tells this application, whose parameters may read from the event.",
            },
            "flexible_minutes": {
                **_count("The schedule may fire so many minutes late.", limits.MAX_FLEXIBLE_MINUTES, 0),
                "default": 0,
            },
            "delete_after_run": {
                "type": "boolean",
                "default": False,
                "description": "Delete the schedule after its last time.",
            },
            "dead_letter_arn": _text(limits.QUEUE_ARN, "Where starts go that failed for good. Default: the stack's."),
            "max_age_seconds": _count(
                f"How long the schedule tries to start. Default: {DEFAULT_MAX_AGE_SECONDS:,}.",
                limits.MAX_EVENT_AGE_SECONDS,
                limits.MIN_EVENT_AGE_SECONDS,
            ),
            "max_attempts": _count(
                f"How often it tries again. Default: {DEFAULT_MAX_ATTEMPTS}, the most.", limits.MAX_RETRY_ATTEMPTS, 0
            ),
            "kms_key_arn": _text(limits.KMS_KEY_ARN, "The key that encrypts the schedule. Default: AWS's own."),
            "occurrence_key": _text(
                limits.OCCURRENCE_KEY,
                "What makes two events the same occurrence. Default: what is known of the kind of event, else its id.",
            ),
            "max_starts_per_hour": _count(
                "Above it events are quarantined as rate-cap. Default: the stack's MaxStartsPerHour."
            ),
            "targets": {
                "type": "array",
                "description": "What it starts. Of a schedule that is not via: app, exactly one.",
                "items": _ref("target"),
                "minItems": 1,
            },
        },
        ["name", "targets"],
    )
    return {**schema, "oneOf": [{"required": ["event_pattern"]}, {"required": ["schedule_expression"]}]}


def _target() -> Schema:
    return _object(
        "A pipeline that the trigger starts.",
        {
            "pipeline": _text(limits.PIPELINE, "Its name or ARN."),
            "id": _text(limits.TARGET_ID, "Default: the pipeline's name. Needed when a pipeline appears twice."),
            "version_id": _count("Start this version of the pipeline. Default: its newest one."),
            "parameters": {
                "description": "Values by name, or EventBridge's list of {Name, Value}.",
                "anyOf": [
                    {
                        "type": "object",
                        "propertyNames": _text(limits.PARAMETER_NAME),
                        "additionalProperties": _ref("parameter"),
                        "maxProperties": MAX_PARAMETERS,
                    },
                    _ref("listed"),
                ],
            },
            "display_name": _text(
                limits.DISPLAY_NAME, "The beginning of the executions' display names. Default: the trigger's name."
            ),
            "description": _text(limits.NOTE, "The beginning of the executions' descriptions. Default: nothing."),
            "parallelism": _count(
                "The most steps that an execution runs at a time. Default: the pipeline's own limit."
            ),
            "role_arn": _text(
                limits.ROLE_ARN,
                "Assumed to start the pipeline; the stack's StartRoleArns must list it. Default: none.",
            ),
        },
        ["pipeline"],
    )


def _parameter() -> Schema:
    paths = _object(
        "A path or template, with what it may find and what is sent for nothing; or a literal that looks like a path.",
        {
            "value": _text(limits.EXPRESSION, "A JSONPath such as $.detail.id, or text with <$.detail.id> in it."),
            "literal": {**_ref("written"), "description": "Instead of a value: text that only looks like a path."},
            "default": {**_ref("written"), "description": "Sent when the path finds nothing."},
            "on_missing": {
                "enum": ["fail", "omit"],
                "default": "fail",
                "description": "When the path finds nothing and there is no default: fail sends the event to "
                "quarantine, omit leaves the parameter out.",
            },
            "type": {"enum": list(get_args(ParameterType)), "description": "What the value must be readable as."},
            "enum": {
                "type": "array",
                "items": _ref("written"),
                "minItems": 1,
                "uniqueItems": True,
                "description": "The values that an event may put in.",
            },
            "prefix": _text(limits.VALUE, "What the value must begin with."),
            "max_length": _count("The most characters that the value may have.", MAX_VALUE),
        },
        [],
    )
    return {"anyOf": [_ref("written"), {**paths, "oneOf": [{"required": ["value"]}, {"required": ["literal"]}]}]}


def _listed() -> Schema:
    entry = _object(
        "A parameter as EventBridge lists it.",
        {"Name": _text(limits.PARAMETER_NAME), "Value": _ref("parameter")},
        ["Name", "Value"],
    )
    return {"type": "array", "items": entry, "maxItems": MAX_PARAMETERS}


def _rule() -> Schema:
    listed: Schema = {"type": "object"}
    for key in (PARAMETER_LIST_KEY, *(key for key, meant in MISSPELT.items() if meant == PARAMETER_LIST_KEY)):
        listed.setdefault("properties", {})[key] = _ref("listed")
    target: Schema = {"type": "object", "properties": {"Id": _text(limits.TARGET_ID)}, "required": ["Arn"]}
    for key in (PARAMETERS_KEY, *(key for key, meant in MISSPELT.items() if meant == PARAMETERS_KEY)):
        target["properties"][key] = listed
    return {
        "type": "object",
        "description": "A rule as EventBridge's PutRule and PutTargets take it.",
        "properties": {
            "Name": _text(limits.NAME),
            "Description": _text(limits.DESCRIPTION),
            "EventPattern": {"type": ["object", "string"]},
            "ScheduleExpression": _text(limits.SCHEDULE_EXPRESSION),
            "Targets": {"type": "array", "items": target, "minItems": 1},
        },
        "anyOf": [{"required": [mark]} for mark in RULE_MARKS],
    }


def _object(description: str, properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _text(shape: Text, description: str = "") -> Schema:
    """A text; numbers and booleans too, since the file may leave the quotes out (``name: 42`` is the name "42").

    Patterns with ``\\w`` are left out: to JSON Schema only ASCII has letters.
    """
    told = f"{description} It {shape.rule}.".strip()
    schema: Schema = {
        "type": ["string", "number", "boolean"],
        "description": told,
        "minLength": shape.minimum,
        "maxLength": shape.maximum,
    }
    if shape.pattern and r"\w" not in shape.pattern:
        schema["pattern"] = f"^{shape.pattern}$"
    return schema


def _count(description: str, maximum: int | None = None, minimum: int = 1) -> Schema:
    bounds = {"minimum": minimum} if maximum is None else {"minimum": minimum, "maximum": maximum}
    return {"type": "integer", **bounds, "description": description}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
