"""Parameters: static, dynamic and template values, and what they become for one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Literal as OneOf

from pipeline_triggers.domain.constraints import UNCONSTRAINED, Constraints
from pipeline_triggers.domain.conversions import MAX_NAME, MAX_VALUE, to_text
from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.functions import FUNCTIONS
from pipeline_triggers.domain.paths import Visits
from pipeline_triggers.domain.templates import Embedded, Literal, Template
from pipeline_triggers.errors import MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.paths import JsonPath

# Ours, in characters of JSON.
MAX_SHOWN_RAW = 256

OnMissing = OneOf["fail", "omit"]
Origin = OneOf["static", "dynamic", "template", "default"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One pipeline parameter of a target, as a trigger declares it.

    ``constraints`` hold for what is sent: they are meant for values out of events.
    """

    name: str
    value: Literal | JsonPath | Template
    default: str | None = None
    on_missing: OnMissing = "fail"
    constraints: Constraints = UNCONSTRAINED


class Resolved(NamedTuple):
    """What became of one parameter for one event. A named tuple: made four times as fast as a frozen dataclass.

    ``expression`` is the value as the trigger writes it, ``raw`` what the paths found (None when nothing; of a template
    an object from each path to what it found), ``value`` the text that is sent: None when the parameter is left out or
    cannot be sent. A refusal has a ``reason`` and ``message``; a value that only the pipeline would refuse stays.
    """

    name: str
    origin: Origin
    expression: str
    raw: Any = None
    value: str | None = None
    reason: str | None = None
    message: str = ""

    def to_document(self) -> dict[str, Any]:
        """The form that decisions show and tables keep.

        A raw value of more than 256 characters is left out (null): each of many parameters may have found the whole
        event, and a function that wrote it out for each would run out of memory.
        """
        return {
            "name": self.name,
            "origin": self.origin,
            "expression": self.expression,
            "raw": self.raw if _is_short(self.raw) else None,
            "value": self.value,
            "reason": self.reason,
            "message": self.message,
        }


def _is_short(raw: object) -> bool:
    try:
        return len(canonical(raw)) <= MAX_SHOWN_RAW
    except RecursionError:
        return False


def resolve(
    parameters: Sequence[Parameter],
    document: Mapping[str, Any],
    definition: Definition | None = None,
) -> list[Resolved]:
    """Say for each parameter what is sent for an event (its normalised envelope), or why it cannot be.

    Never raises: what is wrong with a value is in its ``reason`` and ``message``. ``definition`` only decides how
    booleans are spelt; whether the pipeline accepts the values is for ``definitions.check``.
    """
    visits, declared = Visits(), definition.parameters if definition else {}
    booleans = {name for name, declaration in declared.items() if declaration.type == "Boolean"}
    return [_resolve(each, document, visits, boolean=each.name in booleans) for each in parameters]


def _resolve(parameter: Parameter, document: Mapping[str, Any], visits: Visits, *, boolean: bool) -> Resolved:
    written = parameter.value
    origin: Origin = "dynamic"
    raw: Any = None
    value: str | None
    try:
        if isinstance(written, Literal):
            origin, value = "static", written.text
        elif isinstance(written, Template):
            origin = "template"
            raw, value = _fill(written, document, visits, boolean=boolean)
        else:
            found = written.find(document, visits)
            raw = found[0] if len(found) == 1 else found or None
            value = None if raw is None else to_text(raw, boolean=boolean)
    except RecursionError:
        resolved = Resolved(parameter.name, origin, written.text, raw)
        return _refused(resolved, "too-deep", f"the event is nested too deeply for {written.text}")
    except MalformedEventError as error:
        resolved = Resolved(parameter.name, origin, written.text, raw)
        told = f"{_shown(resolved)} cannot be sent: {error}. Correct what emits the event, or take another field"
        return _refused(resolved, error.reason, told)
    if value is None:
        return _missing(parameter, Resolved(parameter.name, origin, written.text, raw))
    return _judged(parameter, origin, raw, value)


def _fill(
    template: Template,
    document: Mapping[str, Any],
    visits: Visits,
    *,
    boolean: bool,
) -> tuple[dict[str, Any], str | None]:
    """Fill in a template: what each of its paths found, and the text (None when a path found nothing, or null)."""
    raw: dict[str, Any] = {}
    words: list[str] = []
    complete = True
    for part in template.parts:
        if isinstance(part, str):
            words.append(part)
            continue
        found = part.path.find(document, visits)
        value = raw[part.path.text] = found[0] if len(found) == 1 else found or None
        if value is None:
            complete = False
        else:
            words.append(_through_functions(part, value) if part.functions else to_text(value, boolean=boolean))
    return raw, "".join(words) if complete else None


def _through_functions(part: Embedded, found: object) -> str:
    """What the functions of an embedded path make of its value. They take texts, numbers and booleans."""
    if isinstance(found, dict | list):
        kind = "an object" if isinstance(found, dict) else "a list, or several values"
        told = f"{part.path.text} finds {kind}, and {part.functions[0]} takes one text"
        raise MalformedEventError(told, "constraint")
    text = to_text(found)
    for name in part.functions:
        try:
            text = FUNCTIONS[name](text)
        except MalformedEventError as error:
            raise MalformedEventError(f"{name} of {part.path.text}: {error}", error.reason) from error
    return text


def _missing(parameter: Parameter, resolved: Resolved) -> Resolved:
    """Apply what the trigger says about a value that is missing."""
    if parameter.default is not None:
        return _judged(parameter, "default", resolved.raw, parameter.default)
    found: Mapping[str, Any] = resolved.raw if resolved.origin == "template" else {resolved.expression: None}
    paths = " and ".join(path for path, value in found.items() if value is None)
    nothing = f"{paths} finds nothing, or null, in the event"
    if parameter.on_missing == "omit":
        return resolved._replace(message=f"left out: {nothing}")
    remedy = "Correct the path, give the parameter a default, or let it be left out with on_missing: omit"
    return _refused(resolved, "missing-parameter", f"{nothing}. {remedy}")


def _judged(parameter: Parameter, origin: Origin, raw: object, value: str) -> Resolved:
    """A value that is sent, unless SageMaker would refuse it for its length or the trigger's constraints forbid it."""
    resolved = Resolved(parameter.name, origin, parameter.value.text, raw, value)
    if not value:
        remedy = "SageMaker accepts no empty value: take it from another field, or leave the parameter out"
        return _refused(resolved, "empty-value", f"{_shown(resolved)} is empty. {remedy}")
    if len(value) > MAX_VALUE:
        remedy = "Take a shorter field, or pass the place of the data instead of the data"
        told = f"{_shown(resolved)} has {len(value):,} characters, SageMaker accepts {MAX_VALUE:,}. {remedy}"
        return _refused(resolved, "value-too-long", told)
    if parameter.constraints is not UNCONSTRAINED and (violation := parameter.constraints.violation(value)):
        remedy = "Correct what emits the event, or widen the constraint in the trigger"
        return _refused(resolved, "constraint", f"{_shown(resolved)} {violation}. {remedy}")
    return resolved


def _refused(resolved: Resolved, reason: str, message: str) -> Resolved:
    return resolved._replace(value=None, reason=reason, message=f"parameter {resolved.name}: {message}")


def _shown(resolved: Resolved) -> str:
    """How a message names the value: by its path or template, as far as it is readable."""
    written = resolved.expression if len(resolved.expression) <= MAX_NAME else resolved.expression[:MAX_NAME] + "…"
    match resolved.origin:
        case "static":
            return "the static value"
        case "default":
            return f"the default of {written}"
        case _:
            return f"what {written} makes"
