"""Trigger, target and snapshot: what people declare, in its one normal form.

The normal form of a trigger is a plain object with the keys of the trigger file (``name``, ``event_pattern``,
``targets``, …); what a file may spell in other ways is brought to it by ``pipeline_triggers.documents``. Snapshots are
stored in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast, get_args
from typing import Literal as OneOf

from pipeline_triggers.domain import limits, loops
from pipeline_triggers.domain.constraints import UNCONSTRAINED, Constraints, ParameterType
from pipeline_triggers.domain.conversions import MAX_PARAMETERS, MAX_VALUE
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.forms import Form, join, kind_of, shown
from pipeline_triggers.domain.parameters import Parameter
from pipeline_triggers.domain.pattern_index import PatternIndex
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.templates import Literal, embeds_path, is_path, parse_value
from pipeline_triggers.domain.trigger_schedules import SCHEDULE_KEYS, Schedule, schedule_of
from pipeline_triggers.errors import InvalidInputError, InvalidTriggerError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.parameters import OnMissing
    from pipeline_triggers.domain.paths import JsonPath
    from pipeline_triggers.domain.templates import Template

State = OneOf["ENABLED", "DISABLED", "SHADOW"]

TRIGGER_KEYS = (
    "name", "description", "state", "tags", "set", "event_pattern", "schedule_expression", *SCHEDULE_KEYS,
    "occurrence_key", "max_starts_per_hour", "targets",
)  # fmt: skip
TARGET_KEYS = (
    "pipeline", "id", "version_id", "parameters", "display_name", "description", "parallelism", "role_arn",
)  # fmt: skip
CONSTRAINT_KEYS = ("type", "enum", "prefix", "max_length")
PARAMETER_KEYS = ("value", "literal", "default", "on_missing", *CONSTRAINT_KEYS)


@dataclass(frozen=True, slots=True)
class Target:
    """One pipeline that a trigger starts."""

    id: str
    pipeline: PipelineRef
    parameters: tuple[Parameter, ...] = ()
    display_name: str = ""
    description: str = ""
    parallelism: int | None = None
    role_arn: str | None = None

    def to_document(self) -> dict[str, Any]:
        """The normal form."""
        return _without_empty(
            {
                "id": self.id,
                "pipeline": str(self.pipeline),
                "version_id": self.pipeline.version_id,
                "parameters": {parameter.name: _written(parameter) for parameter in self.parameters},
                "display_name": self.display_name,
                "description": self.description,
                "parallelism": self.parallelism,
                "role_arn": self.role_arn,
            },
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    """A named event pattern, or schedule (exactly one of the two), with its targets."""

    name: str
    targets: tuple[Target, ...]
    pattern: EventPattern | None = None
    schedule: Schedule | None = None
    state: State = "ENABLED"
    occurrence_key: JsonPath | Template | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    set: str = ""
    max_starts_per_hour: int | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, set: str = "") -> Trigger:  # noqa: A002 - the field's word
        """Read the normal form; its parameters are texts or objects (``PARAMETER_KEYS``).

        ``set`` is the set of a trigger that names none. Raises InvalidTriggerError with every problem at once; their
        fields are relative to the trigger, such as ``targets[0].parameters.Rows``.
        """
        problems: list[Problem] = []
        form = Form(document, problems)
        trigger = _read(form, set)
        _judge(trigger, form)
        if problems:
            raise InvalidTriggerError(problems)
        return trigger

    def to_document(self) -> dict[str, Any]:
        """The normal form: ``from_document`` makes an equal trigger of it."""
        return _without_empty(
            {
                "name": self.name,
                "description": self.description,
                "state": self.state,
                "tags": dict(self.tags),
                "set": self.set,
                "event_pattern": self.pattern and self.pattern.document,
                **(self.schedule.to_document() if self.schedule else {}),
                "occurrence_key": self.occurrence_key and self.occurrence_key.text,
                "max_starts_per_hour": self.max_starts_per_hour,
                "targets": [target.to_document() for target in self.targets],
            },
        )


@dataclass(frozen=True)
class Snapshot:
    """All triggers of the stack at one time; ``revision`` 0 is the empty beginning."""

    revision: int
    triggers: tuple[Trigger, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Trigger]:
        """The triggers by name."""
        return {trigger.name: trigger for trigger in self.triggers}

    @cached_property
    def index(self) -> PatternIndex:
        """Which triggers match an event: those with a schedule are not in it."""
        return PatternIndex({t.name: t.pattern for t in self.triggers if t.pattern is not None})

    @cached_property
    def start_roles(self) -> Mapping[PipelineRef, str]:
        """The role that starts a pipeline, of those that have one: what it declares is asked for with it too.

        Where several targets name different ones it is the first: what a pipeline declares is the same for all.
        """
        named = [(target.pipeline, target.role_arn) for trigger in self.triggers for target in trigger.targets]
        return {pipeline: role_arn for pipeline, role_arn in reversed(named) if role_arn is not None}

    def to_json(self) -> str:
        """The stored form: compact JSON in ASCII. The revision is no part of it."""
        stored = {"version": 1, "triggers": [trigger.to_document() for trigger in self.triggers]}
        return json.dumps(stored, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, revision: int) -> Snapshot:
        """Read the stored form back.

        Every trigger was judged when it was written, so what depends on more than the trigger itself (loops; the time
        zones of this system) is not judged again. Raises InvalidTriggerError for a text that ``to_json`` did not make.
        """
        try:
            stored = json.loads(text)
            if not isinstance(stored, dict) or stored.get("version") != 1 or "triggers" not in stored:
                raise ValueError("it has no triggers of version 1")
        except (ValueError, RecursionError) as error:
            remedy = "Deploy the version of this application that wrote it, or roll back to an earlier revision"
            raise InvalidTriggerError([Problem(f"revision {revision}", f"cannot be read: {error}", remedy)]) from error
        problems: list[Problem] = []
        forms = Form(stored, problems).forms("triggers")
        triggers = [_read(form, "", is_stored=True) for form in forms]
        if problems:
            raise InvalidTriggerError(problems)
        return cls(revision, tuple(triggers))


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying some triggers would change.

    ``add`` and ``change`` are triggers as they shall be; ``remove``, ``same`` and ``foreign`` are names. ``foreign``
    are the triggers of other sets, which stay as they are.
    """

    add: tuple[Trigger, ...] = ()
    change: tuple[Trigger, ...] = ()
    remove: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def result(self, current: Snapshot) -> tuple[Trigger, ...]:
        """All triggers of the stack after the plan: those of ``current`` keep their order, new ones follow."""
        changed = {trigger.name: trigger for trigger in self.change}
        kept = (trigger for trigger in current.triggers if trigger.name not in self.remove)
        return (*(changed.get(trigger.name, trigger) for trigger in kept), *self.add)


def plan(current: Snapshot, wanted: Sequence[Trigger], *, set: str, prune: bool) -> Plan:  # noqa: A002 - the field's word
    """Compare the triggers that a set shall have with those of the stack.

    Triggers that belong to no set yet may be taken into one. ``prune`` removes the triggers of the set that are not
    wanted any more. Raises InvalidTriggerError when a wanted name belongs to another set, is wanted twice or is wanted
    for another set, and when there is no set to prune in.
    """
    problems = list(_conflicts(current, wanted, set))
    if prune and not set:
        reason = "prune removes what a set has and the file has not, but no set is named"
        problems.append(Problem("set", reason, "Give the file a set, and apply it once without prune"))
    if problems:
        raise InvalidTriggerError(problems)
    names = {trigger.name for trigger in wanted}
    before = current.by_name
    mine = [trigger.name for trigger in current.triggers if trigger.set == set]
    return Plan(
        add=tuple(trigger for trigger in wanted if trigger.name not in before),
        change=tuple(trigger for trigger in wanted if before.get(trigger.name, trigger) != trigger),
        remove=tuple(name for name in mine if name not in names) if prune else (),
        same=tuple(trigger.name for trigger in wanted if before.get(trigger.name) == trigger),
        foreign=tuple(trigger.name for trigger in current.triggers if trigger.set != set and trigger.name not in names),
    )


def _conflicts(current: Snapshot, wanted: Sequence[Trigger], mine: str) -> Iterator[Problem]:
    """What forbids to make ``wanted`` the triggers of the set ``mine``."""
    seen: dict[str, Trigger] = {}
    for trigger in wanted:
        owner = current.by_name[trigger.name].set if trigger.name in current.by_name else ""
        if trigger.name in seen:
            yield Problem(
                trigger.name, "the trigger is there twice", "Names are unique in the stack: rename one of them"
            )
        seen[trigger.name] = trigger
        if trigger.set != mine:
            yield Problem(
                trigger.name, f"the trigger is of the set {trigger.set!r}, not {mine!r}", "Apply one set at a time"
            )
        if owner not in ("", mine):
            remedy = f"Rename this one, or change it in the files of the set {owner!r}"
            yield Problem(trigger.name, f"the name belongs to the set {owner!r}", remedy)


def _read(form: Form, default_set: str, *, is_stored: bool = False) -> Trigger:
    """Read what a trigger says. Where a problem was noted the trigger has a gap, and is to be thrown away.

    The event pattern and the schedule expression of a trigger that is stored have been checked: they are not parsed
    before an event may want them.
    """
    form.only(TRIGGER_KEYS)
    own_set = form.text("set", limits.SET)
    if own_set and default_set and own_set != default_set:
        form.refuse(
            "set", f"is {own_set!r} inside the set {default_set!r}", "Remove it, or move the trigger to its set"
        )
    key = _occurrence_key(form)
    return Trigger(
        name=form.text("name", limits.NAME, required=True) or "",
        targets=_targets(form),
        pattern=_pattern(form, is_stored=is_stored),
        schedule=_schedule(form, is_stored=is_stored),
        state=cast("State", form.choice("state", get_args(State), "ENABLED")),
        occurrence_key=key,
        description=form.text("description", limits.DESCRIPTION) or "",
        tags=_tags(form),
        set=own_set or default_set,
        max_starts_per_hour=form.number("max_starts_per_hour"),
    )


def _judge(trigger: Trigger, form: Form) -> None:
    """Note what is wrong with a trigger as a whole, or outside it: its schedule, its loops."""
    if form.has("schedule_expression"):
        from pipeline_triggers.domain.schedule_reading import judge_schedule  # noqa: PLC0415 - as below

        judge_schedule(trigger, form)
    if trigger.pattern is None:
        return
    for target in trigger.targets:
        said = target.pipeline.name and loops.admitted(
            trigger.pattern,
            target.pipeline,
            target.display_name or trigger.name,
        )
        if said:
            form.refuse(
                "event_pattern",
                f"admits the executions of {target.pipeline} itself ({said}): each would start the next",
                'Name the pipelines that are meant in detail.pipelineArn, or exclude this one with "anything-but"',
            )


def _schedule(form: Form, *, is_stored: bool) -> Schedule | None:
    if not form.has("schedule_expression"):
        for key in filter(form.has, SCHEDULE_KEYS):
            form.refuse(key, "belongs to a schedule", "Remove it, or write a schedule_expression")
        return None
    if is_stored:
        return schedule_of(form)
    # What only expressions need is not loaded at a cold start.
    from pipeline_triggers.domain.schedule_reading import read_schedule  # noqa: PLC0415

    return read_schedule(form)


def _pattern(form: Form, *, is_stored: bool) -> EventPattern | None:
    """The event pattern; also notes when there is not exactly one of pattern and schedule."""
    if form.has("event_pattern") == form.has("schedule_expression"):
        both = form.has("event_pattern")
        form.refuse(
            "event_pattern",
            "stands beside schedule_expression" if both else "is missing, and so is schedule_expression",
            "A trigger has one of the two" + (": make two triggers of this one" if both else ""),
        )
    if not form.has("event_pattern"):
        return None
    written = form.document["event_pattern"]
    if not isinstance(written, Mapping | str):
        form.refuse("event_pattern", f"must be an object, not {kind_of(written)}", "Such as {source: [aws.s3]}")
        return None
    if is_stored and isinstance(written, Mapping):
        return EventPattern.known(written)
    try:
        return EventPattern(written)
    except InvalidInputError as error:
        form.adopt("event_pattern", error)
        return None


def _occurrence_key(form: Form) -> JsonPath | Template | None:
    text = form.text("occurrence_key", limits.OCCURRENCE_KEY)
    value = None if text is None else _value(form, "occurrence_key", text)
    if isinstance(value, Literal):
        remedy = f"It {limits.OCCURRENCE_KEY.rule}"
        form.refuse("occurrence_key", "has no path in it: every event would be the same occurrence", remedy)
        return None
    return value


def _value(form: Form, key: str, text: str) -> Literal | JsonPath | Template | None:
    try:
        return parse_value(text)
    except InvalidInputError as error:
        form.adopt(key, error)
        return None


def _tags(form: Form) -> dict[str, str]:
    tags = form.mapping("tags")
    if len(tags) > limits.MAX_TAGS:
        form.refuse("tags", f"are {len(tags)}, the limit is {limits.MAX_TAGS}")
    inside = Form(tags, form.problems, join(form.field, "tags"))
    for key in tags:
        if not limits.TAG_KEY.accepts(key):
            inside.refuse(key, "is no key of a tag", f"It {limits.TAG_KEY.rule}")
    return {key: inside.text(key, limits.TAG_VALUE) or "" for key in tags}


def _targets(form: Form) -> tuple[Target, ...]:
    forms = form.forms("targets")
    if form.document.get("targets", []) in ([], ()):
        form.refuse("targets", "has no target", "Name at least one pipeline: targets: [{pipeline: my-pipeline}]")
    targets = [_target(inside) for inside in forms]
    first: dict[str, int] = {}
    for number, target in enumerate(targets):
        if target.id and target.id in first:
            field = f"targets[{number}].{'id' if forms[number].has('id') else 'pipeline'}"
            reason = f"the id {target.id} is that of targets[{first[target.id]}] already"
            form.refuse(field, reason, "Give each target of the same pipeline an id of its own")
        first.setdefault(target.id, number)
    return tuple(targets)


def _target(form: Form) -> Target:
    form.only(TARGET_KEYS)
    version_id = form.number("version_id")
    pipeline = PipelineRef("")
    named = form.text("pipeline", limits.PIPELINE, required=True)
    if named is not None:
        try:
            pipeline = PipelineRef.parse(named, version_id)
        except InvalidInputError as error:
            form.adopt("", error)
    return Target(
        id=form.text("id", limits.TARGET_ID) or pipeline.name,
        pipeline=pipeline,
        parameters=_parameters(form),
        display_name=form.text("display_name", limits.DISPLAY_NAME) or "",
        description=form.text("description", limits.NOTE) or "",
        parallelism=form.number("parallelism"),
        role_arn=form.text("role_arn", limits.ROLE_ARN),
    )


def _parameters(form: Form) -> tuple[Parameter, ...]:
    written = form.mapping("parameters")
    if len(written) > MAX_PARAMETERS:
        form.refuse("parameters", f"are {len(written)}, SageMaker accepts {MAX_PARAMETERS}")
    inside = Form(written, form.problems, join(form.field, "parameters"))
    read = [_parameter(inside, name) for name in written]
    return tuple(parameter for parameter in read if parameter is not None)


def _parameter(form: Form, name: str) -> Parameter | None:
    """Read ``Name: text`` or ``Name: {value | literal, …}``; None when a problem was noted."""
    if not limits.PARAMETER_NAME.accepts(name):
        form.refuse(name, "is no name of a parameter", f"It {limits.PARAMETER_NAME.rule}")
    if not isinstance(form.document[name], Mapping):
        return _plain_parameter(form, name, name)
    inside = Form(form.document[name], form.problems, join(form.field, name))
    inside.only(PARAMETER_KEYS)
    if inside.has("value") == inside.has("literal"):
        form.refuse(name, "must have one of value and literal")
        return None
    default = inside.text("default", limits.VALUE)
    on_missing = cast("OnMissing", inside.choice("on_missing", ("fail", "omit"), "fail"))
    if inside.has("literal"):
        text = inside.text("literal", limits.VALUE)
        parameter = None if text is None else Parameter(name, Literal(text))
    else:
        parameter = _plain_parameter(inside, name, "value")
    if parameter is not None and isinstance(parameter.value, Literal) and len(inside.document) > 1:
        form.refuse(name, "is sent as it is and never missing", "Remove everything but the value itself")
    if default is not None and on_missing == "omit":
        form.refuse(name, "has a default and on_missing: omit", "Remove one of the two")
    constraints = _constraints(inside)
    if default is not None and (violation := constraints.violation(default)):
        inside.refuse("default", f"{shown(default)} {violation}", "Change the default or the constraint")
    return parameter and replace(parameter, default=default, on_missing=on_missing, constraints=constraints)


def _constraints(form: Form) -> Constraints:
    if not any(map(form.has, CONSTRAINT_KEYS)):
        return UNCONSTRAINED
    kind = cast("ParameterType", form.choice("type", get_args(ParameterType), "String")) if form.has("type") else None
    max_length = form.number("max_length", 1, MAX_VALUE)
    enum, prefix = form.texts("enum", limits.VALUE), form.text("prefix", limits.VALUE) or ""
    constraints = Constraints(kind, enum, prefix, max_length)
    for number, value in enumerate(constraints.enum):
        if violation := replace(constraints, enum=()).violation(value):
            form.refuse(f"enum[{number}]", f"{shown(value)} {violation}", "Remove it, or widen the other constraint")
    return constraints


def _plain_parameter(form: Form, name: str, key: str) -> Parameter | None:
    text = form.text(key, limits.EXPRESSION)
    value = None if text is None else _value(form, key, text)
    if isinstance(value, Literal) and not limits.VALUE.accepts(value.text):
        form.refuse(key, f"{shown(value.text)} is not accepted", f"It {limits.VALUE.rule}")
        return None
    return None if value is None else Parameter(name, value)


def _written(parameter: Parameter) -> str | dict[str, Any]:
    """How a parameter stands in the normal form: as a text where that is enough."""
    text = parameter.value.text
    if isinstance(parameter.value, Literal):
        return {"literal": text} if is_path(text) or embeds_path(text) else text
    more = parameter.constraints.to_document()
    if parameter.default is not None:
        more["default"] = parameter.default
    if parameter.on_missing == "omit":
        more["on_missing"] = "omit"
    return {"value": text, **more} if more else text


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value not in (None, "", {}, ())}
