"""Trigger files: YAML or JSON in all its spellings, read into triggers, with file, line and field of what is wrong.

Not used by the functions: they read snapshots. ``python -m pipeline_triggers.documents`` writes the JSON Schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_triggers.documents import nodes
from pipeline_triggers.documents.drafts import Draft, Notes, Place
from pipeline_triggers.documents.nodes import Mapping, Node, Scalar, Sequence
from pipeline_triggers.documents.schema import json_schema
from pipeline_triggers.documents.spellings import (
    RULE_TYPE,
    draft_of_rule,
    draft_of_trigger,
    looks_like_rule,
    starts_pipeline,
)
from pipeline_triggers.domain import limits
from pipeline_triggers.domain.forms import suggestion
from pipeline_triggers.errors import InvalidTriggerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.triggers import Trigger
    from pipeline_triggers.errors import Problem

__all__ = ["TriggerFile", "json_schema", "load"]

FILE_KEYS = ("version", "set", "triggers")
_BEGIN = "A trigger file begins with version: 1, set: my-set and triggers:"


@dataclass(frozen=True, slots=True)
class TriggerFile:
    """What a trigger file says; ``warnings`` are what its author should know, with file, line and field."""

    set: str
    triggers: tuple[Trigger, ...]
    warnings: tuple[Problem, ...] = ()
    drafts: dict[str, Draft] = field(default_factory=dict, repr=False, compare=False)

    def place_of(self, trigger: str, field: str = "name") -> Place:
        """Where a field of a trigger stands in the file: how it is written there, and its line.

        The place of a field that is not written is inside the nearest one around it.
        """
        return self.drafts[trigger].place_of(field)


def load(text: str, *, file: str = "") -> TriggerFile:
    """Read a trigger file, one rule as CloudFormation or the AWS CLI spell it, or the rules of a whole template.

    ``file`` is only named in problems. Raises InvalidTriggerError with all problems, in the order of their lines.
    """
    root = nodes.read(text, file)
    notes = Notes(file)
    of_set, drafts = _read_root(root, notes)
    triggers = [draft.finish(of_set) for draft in drafts]
    _refuse_duplicates(drafts, notes)
    if notes.problems:
        raise InvalidTriggerError(sorted(notes.problems, key=lambda problem: problem.line))
    by_name = {str(draft.document["name"]): draft for draft in drafts}
    return TriggerFile(of_set, tuple(filter(None, triggers)), tuple(notes.warnings), by_name)


def _read_root(root: Node, notes: Notes) -> tuple[str, list[Draft]]:
    """The set and the drafts of whatever kind of document it is."""
    place = Place("", root.line)
    if not isinstance(root, Mapping):
        notes.refuse(place, "must be an object, not " + ("a list" if isinstance(root, Sequence) else "text"), _BEGIN)
    elif "Resources" in root:
        return "", list(_of_template(root, notes))
    elif looks_like_rule(root):
        return "", [draft_of_rule(root, place, notes)]
    elif "targets" in root and "triggers" not in root:
        notes.refuse(place, "is a trigger outside of triggers:", _BEGIN)
    else:
        return _set_of(root, notes), list(_of_file(root, notes))
    return "", []


def _set_of(root: Mapping, notes: Notes) -> str:
    """The set of a trigger file; also notes what is wrong with its version and its keys."""
    for key, _ in root.entries:
        if key.text not in FILE_KEYS:
            notes.refuse(Place(key.text, key.line), "is not known here", suggestion(key.text, FILE_KEYS, _BEGIN))
    place = Place("version", root.line_of("version"))
    version = root.get("version")
    if version is None:
        notes.refuse(place, "is missing", _BEGIN)
    elif notes.plain(version, place) != 1:
        notes.refuse(place, "must be 1", "It is the version of the form of this file")
    place = Place("set", root.line_of("set"))
    written = root.get("set")
    name = "" if written is None else notes.text(written, place)
    if written is not None and not (isinstance(name, str) and limits.SET.accepts(name)):
        notes.refuse(place, "is no name of a set", f"It {limits.SET.rule}")
        return ""
    return str(name)


def _of_file(root: Mapping, notes: Notes) -> Iterator[Draft]:
    place = Place("triggers", root.line_of("triggers"))
    listed = root.get("triggers")
    if listed is None:
        notes.refuse(place, "is missing", _BEGIN)
    elif not isinstance(listed, Sequence):
        notes.refuse(place, "must be a list of triggers", "Begin each with '- name: …'")
    else:
        for number, item in enumerate(listed.items):
            inside = place.inside(f"[{number}]", item.line)
            if not isinstance(item, Mapping):
                notes.refuse(inside, "must be an object", "Begin it with 'name: …'")
            else:
                yield (draft_of_rule if looks_like_rule(item) else draft_of_trigger)(item, inside, notes)


def _of_template(root: Mapping, notes: Notes) -> Iterator[Draft]:
    """The rules of a CloudFormation template of which a target is a pipeline; its other resources are passed over."""
    resources = root.get("Resources")
    place = Place("Resources", root.line_of("Resources"))
    found = False
    for key, resource in resources.entries if isinstance(resources, Mapping) else ():
        kind = resource.get("Type") if isinstance(resource, Mapping) else None
        if isinstance(resource, Mapping) and isinstance(kind, Scalar) and kind.text == RULE_TYPE:
            found = True
            if not _starts_pipelines(resource):
                notes.warn(place.inside(key.text, key.line), "has no pipeline as target and is passed over")
                continue
            yield draft_of_rule(resource, place.inside(key.text, key.line), notes, logical_id=key.text)
    if not found:
        notes.refuse(place, f"has no resource of the Type {RULE_TYPE}", "Name the template that has the rules")


def _starts_pipelines(resource: Mapping) -> bool:
    properties = resource.get("Properties")
    targets = properties.get("Targets") if isinstance(properties, Mapping) else None
    if not isinstance(targets, Sequence):
        return False
    return any(isinstance(target, Mapping) and starts_pipeline(target) for target in targets.items)


def _refuse_duplicates(drafts: list[Draft], notes: Notes) -> None:
    first: dict[str, Place] = {}
    for draft in drafts:
        name, place = draft.document.get("name"), draft.place_of("name")
        if isinstance(name, str) and name in first:
            other = first[name]
            told = f"{name} is the name of {other.field.removesuffix('.name')} (line {other.line}) already"
            notes.refuse(place, told, "Names are unique in the stack: rename one of the two")
        elif isinstance(name, str):
            first[name] = place
