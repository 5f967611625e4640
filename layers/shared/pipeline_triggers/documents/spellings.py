"""The spellings of a trigger in a file: this application's own, and EventBridge's for a rule or its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.documents.drafts import Draft, Notes, Place
from pipeline_triggers.documents.nodes import Mapping, Node, Scalar, Sequence, foreign_tag, texts
from pipeline_triggers.domain.forms import join, suggestion
from pipeline_triggers.domain.templates import embeds_path, is_path

if TYPE_CHECKING:
    from collections.abc import Collection

RULE_TYPE = "AWS::Events::Rule"
RULE_MARKS = ("EventPattern", "ScheduleExpression", "Targets")
PARAMETERS_KEY = "SageMakerPipelineParameters"
PARAMETER_LIST_KEY = "PipelineParameterList"
# AWS's page "Schedule Pipeline Runs" spells the two so.
MISSPELT = {"SageMakerPipelineParameter": PARAMETERS_KEY, "SageMakerParameterList": PARAMETER_LIST_KEY}

# What this application does itself for every target, so that a rule's own settings have nothing to act on.
_SUPPLIED = {
    "RoleArn": "the functions of this application start the pipeline with their own role (another one: role_arn)",
    "DeadLetterConfig": "this application keeps what cannot start in its quarantine and dead-letter queues",
    "RetryPolicy": "this application tries again for days, with growing delays",
}
_WITHOUT_EFFECT = dict.fromkeys(
    ("Input", "InputPath", "InputTransformer"),
    "a pipeline gets parameters, not input: paths and templates read the event itself",
)
_OF_THE_RULE = dict.fromkeys(("Arn", "CreatedBy", "ManagedBy"), "it says what EventBridge knows about the rule")
_RULE_KEYS = (
    "Name", "Rule", "Description", "State", "Tags", "EventBusName", *RULE_MARKS, "RoleArn", *_OF_THE_RULE,
)  # fmt: skip
_TARGET_KEYS = ("Arn", "Id", PARAMETERS_KEY, *MISSPELT, *_SUPPLIED, *_WITHOUT_EFFECT)
_NUMBERS_AND_OBJECTS = (
    "event_pattern", "max_starts_per_hour", "version_id", "parallelism",
    "flexible_minutes", "delete_after_run", "max_age_seconds", "max_attempts",
)  # fmt: skip
_ALL_STATES = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def looks_like_rule(node: Mapping) -> bool:
    """Tell whether an object is a rule: a CloudFormation resource, or what put-rule and put-targets take."""
    return "Properties" in node or any(mark in node for mark in RULE_MARKS)


def draft_of_trigger(node: Mapping, place: Place, notes: Notes) -> Draft:
    """A trigger in the spelling of trigger files."""
    draft = Draft(place, notes)
    draft.at("", place, node)
    for key, value in node.entries:
        draft.document[key.text] = (
            [_target(item, f"targets[{number}]", draft) for number, item in enumerate(value.items)]
            if key.text == "targets" and isinstance(value, Sequence)
            else _field(key.text, value, key.text, draft)
        )
    return draft


def _target(node: Node, at: str, draft: Draft) -> Any:
    if not isinstance(node, Mapping):
        return draft.notes.plain(node, draft.place_of(at))
    target: dict[str, Any] = {}
    for key, value in node.entries:
        if key.text == "parameters" and isinstance(value, Sequence):
            target[key.text] = _listed(value, join(at, key.text), draft.place_of(join(at, key.text)), draft)
        else:
            target[key.text] = _field(key.text, value, join(at, key.text), draft)
    return target


def _field(key: str, node: Node, at: str, draft: Draft) -> Any:
    """The value of a key: texts as written, also inside tags and parameters; numbers and patterns as they mean."""
    if key in _NUMBERS_AND_OBJECTS:
        return draft.notes.plain(node, draft.place_of(at))
    if key in ("tags", "parameters") and isinstance(node, Mapping):
        return _texts(node, at, draft)
    return draft.notes.text(node, draft.place_of(at))


def _texts(node: Mapping, at: str, draft: Draft) -> dict[str, Any]:
    """An object of texts; what stands in it for a parameter may be an object."""
    return {
        key.text: _parameter(value, join(at, key.text), draft)
        if isinstance(value, Mapping) and at.endswith("parameters")
        else draft.notes.text(value, draft.place_of(join(at, key.text)))
        for key, value in node.entries
    }


def _parameter(node: Mapping, at: str, draft: Draft) -> dict[str, Any]:
    """A parameter that is more than a text: its texts as written, a number, and a list of texts as written."""
    written: dict[str, Any] = {}
    for key, value in node.entries:
        place = draft.place_of(join(at, key.text))
        if key.text == "max_length":
            written[key.text] = draft.notes.plain(value, place)
        elif key.text == "enum" and isinstance(value, Sequence):
            written[key.text] = [
                draft.notes.text(item, place.inside(f"[{n}]", item.line)) for n, item in enumerate(value.items)
            ]
        else:
            written[key.text] = draft.notes.text(value, place)
    return written


def starts_pipeline(target: Mapping) -> bool:
    """Tell whether a rule's target may be a pipeline: an ARN of another service is none.

    An Arn that CloudFormation would fill in counts when ``:pipeline/`` stands in it.
    """
    arn = target.get("Arn")
    if arn is None or any(key in target for key in (PARAMETERS_KEY, *MISSPELT)):
        return True
    if isinstance(arn, Scalar) and not foreign_tag(arn) and not arn.text.startswith("arn:"):
        return True
    return any(":pipeline/" in text for text in texts(arn))


def draft_of_rule(node: Mapping, place: Place, notes: Notes, logical_id: str = "") -> Draft:
    """A trigger that is spelt as a rule; ``logical_id`` names it when it has no name of its own."""
    draft = Draft(place, notes)
    if logical_id:
        draft.document["name"] = logical_id
    if "Properties" in node:
        kind = notes.text(node.get("Type") or Scalar("", node.line), place)
        if kind != RULE_TYPE:
            notes.refuse(place, f"is {kind or 'of no Type'}", f"Only resources of the Type {RULE_TYPE} are read here")
        properties = node.get("Properties")
        place = place.inside("Properties", properties.line if properties else None)
        if not isinstance(properties, Mapping):
            notes.refuse(place, "must be an object")
            return draft
        node = properties
    draft.at("", place)
    for key, value in node.entries:
        _rule_field(key.text, value, place.inside(key.text, key.line), draft)
    if "schedule_expression" in draft.document:
        # As a rule does: several targets, and parameters out of the event that says that the time has come.
        draft.document["via"] = "app"
    return draft


def _rule_field(key: str, node: Node, place: Place, draft: Draft) -> None:
    notes = draft.notes
    if key not in _RULE_KEYS:
        notes.refuse(place, "is not known in a rule", suggestion(key, _RULE_KEYS))
    elif key in _OF_THE_RULE or key == "RoleArn":
        notes.warn(place, f"is passed over: {(_OF_THE_RULE | _SUPPLIED)[key]}")
    elif key == "EventBusName":
        if notes.text(node, place) != "default":
            notes.warn(place, "is passed over: the parameters of the stack say which event buses it listens to")
    elif key == "Targets":
        draft.at("targets", place)
        draft.document["targets"] = _rule_targets(node, place, draft)
    elif key == "Tags":
        draft.at("tags", place)
        draft.document["tags"] = _rule_tags(node, place, draft)
    else:
        normal = {"Rule": "name", "EventPattern": "event_pattern", "ScheduleExpression": "schedule_expression"}
        name = normal.get(key, key.lower())
        draft.at(name, place, node)
        value = (notes.plain if name == "event_pattern" else notes.text)(node, place)
        if value == _ALL_STATES:
            notes.warn(place, f"{value} is read as ENABLED: what is delivered is up to the stack's rules")
            value = "ENABLED"
        draft.document[name] = value


def _rule_tags(node: Node, place: Place, draft: Draft) -> Any:
    """Tags as a list of ``{Key, Value}``, or as an object."""
    if isinstance(node, Sequence):
        return _pairs(node, ("Key", "Value"), "tags", place, draft)
    return draft.notes.plain(node, place)


def _rule_targets(node: Node, place: Place, draft: Draft) -> Any:
    if not isinstance(node, Sequence):
        return draft.notes.plain(node, place)
    targets: list[Any] = []
    for number, item in enumerate(node.items):
        inside = place.inside(f"[{number}]", item.line)
        if isinstance(item, Mapping) and not starts_pipeline(item):
            remedy = "Keep its rule for this target, or move what it does into a pipeline"
            draft.notes.warn(inside, "is no pipeline and is passed over", remedy)
            continue
        draft.at(f"targets[{len(targets)}]", inside)
        if isinstance(item, Mapping):
            targets.append(_rule_target(item, f"targets[{len(targets)}]", inside, draft))
        else:
            targets.append(draft.notes.plain(item, inside))
    return targets


def _rule_target(node: Mapping, at: str, place: Place, draft: Draft) -> dict[str, Any]:
    notes = draft.notes
    target: dict[str, Any] = {}
    draft.at(join(at, "pipeline"), place.inside("Arn"))
    for key, value in node.entries:
        inside = place.inside(key.text, key.line)
        spelt = _spelling(key.text, inside, notes)
        if spelt in ("Arn", "Id"):
            name = {"Arn": "pipeline", "Id": "id"}[spelt]
            draft.at(join(at, name), inside)
            target[name] = notes.text(value, inside)
        elif spelt == PARAMETERS_KEY:
            target["parameters"] = _rule_parameters(value, join(at, "parameters"), inside, draft)
        elif key.text in _SUPPLIED or key.text in _WITHOUT_EFFECT:
            notes.warn(inside, f"is passed over: {(_SUPPLIED | _WITHOUT_EFFECT)[key.text]}")
        else:
            remedy = suggestion(key.text, _TARGET_KEYS, "Only pipelines can be targets here")
            notes.refuse(inside, "is not known in a target", remedy)
    return target


def _rule_parameters(node: Node, at: str, place: Place, draft: Draft) -> Any:
    """``{PipelineParameterList: [{Name, Value}]}``; EventBridge knows no templates, so ``<$.a>`` is a literal in it."""
    draft.at(at, place)
    if not isinstance(node, Mapping):
        return draft.notes.plain(node, place)
    read: dict[str, Any] = {}
    for key, value in node.entries:
        inside = place.inside(key.text, key.line)
        if _spelling(key.text, inside, draft.notes) != PARAMETER_LIST_KEY:
            draft.notes.refuse(inside, "is not known here", f"{PARAMETERS_KEY} has one key, {PARAMETER_LIST_KEY}")
        elif isinstance(value, Sequence):
            draft.at(at, inside)
            read = _listed(value, at, inside, draft)
        else:
            draft.notes.refuse(inside, "must be a list of {Name, Value}")
    for name, value in read.items():
        if isinstance(value, str) and embeds_path(value) and not is_path(value):
            remedy = "For a template write the target in the spelling of trigger files, with parameters:"
            draft.notes.warn(draft.place_of(join(at, name)), "is sent as it is written, as EventBridge does", remedy)
            read[name] = {"literal": value}
    return read


def _listed(node: Sequence, at: str, place: Place, draft: Draft) -> dict[str, Any]:
    """Parameters as EventBridge lists them, ``[{Name, Value}]``."""
    return _pairs(node, ("Name", "Value"), at, place, draft)


def _pairs(node: Sequence, keys: tuple[str, str], at: str, place: Place, draft: Draft) -> dict[str, Any]:
    """A list of names with values as an object."""
    read: dict[str, Any] = {}
    for number, item in enumerate(node.items):
        inside = place.inside(f"[{number}]", item.line)
        wanted = f"{{{keys[0]}, {keys[1]}}}"
        if not isinstance(item, Mapping) or {key.text for key, _ in item.entries} != set(keys):
            draft.notes.refuse(inside, f"must be {wanted}", _what_is_odd(item, keys))
            continue
        name = draft.notes.text(item.get(keys[0]) or item, inside.inside(keys[0]))
        if not isinstance(name, str):
            draft.notes.refuse(inside.inside(keys[0]), "must be text")
        elif name in read:
            draft.notes.refuse(inside.inside(keys[0]), f"{name} is there twice", "Remove one of the two")
        else:
            value = item.get(keys[1]) or item
            draft.at(join(at, name), Place(inside.field, value.line))
            read[name] = draft.notes.text(value, inside.inside(keys[1], value.line))
    return read


def _what_is_odd(item: Node, keys: Collection[str]) -> str:
    if not isinstance(item, Mapping):
        return "Write an object"
    written = [key.text for key, _ in item.entries]
    lacking = [key for key in keys if key not in written]
    odd = [key for key in written if key not in keys]
    parts = [f"{', '.join(lacking)} is missing" if lacking else "", f"{', '.join(odd)} is not known" if odd else ""]
    return "; ".join(part for part in parts if part)


def _spelling(key: str, place: Place, notes: Notes) -> str:
    """A key as AWS's interface spells it."""
    if key in MISSPELT:
        notes.warn(place, f"is read as {MISSPELT[key]}", "Correct it: AWS's interfaces refuse this spelling")
    return MISSPELT.get(key, key)
