"""Pipeline parameters: static, dynamic and template values, and what they become for one event.

A value as a person writes it (``parse_value``):

* ``$.detail.object.key``, ``$['detail']`` or ``$`` is a JSONPath, as in EventBridge. A lone ``$`` is the whole event:
  so says the only grammar of such paths that AWS publishes (service model of Pipes, SageMakerPipelineParameterName).
* text in which ``<$.`` or ``<$[`` stands is a template: each ``<path>`` is replaced by what the path finds. The path
  ends at the first ``>`` outside brackets and quotes. ``\\<`` is a literal ``<``; before a ``<``, ``\\\\`` is a literal
  backslash.
* anything else is a literal, sent as it is: backslashes mean nothing in it.

What a found value becomes (``to_text``); the wire knows only strings:

=============================================  ======================================================================
in the event                                   sent
=============================================  ======================================================================
text                                           as it is
``true``, ``false``                            the same; ``True``, ``False`` where the pipeline declares Boolean
an integer, or a float with an integral value  its digits, without ``.0`` and without an exponent
another number                                 the shortest text that reads back as the same number
an object or an array                          compact JSON, keys in the event's order
several matches of one path                    a compact JSON array of them
one match of a path with wildcards or filters  that match, as above
``null``, or nothing                           *missing*: the default, or left out, or ``missing-parameter``
text without any character                     refused: ``empty-value`` (SageMaker refuses it)
more than 1,024 characters                     refused: ``value-too-long`` (never cut)
NaN, infinity, half of a surrogate pair        refused: ``malformed-event`` (neither JSON nor UTF-8 can carry it)
an object nested too deeply to be written      refused: ``too-deep``
=============================================  ======================================================================
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf

from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.errors import InvalidPathError, MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.definitions import Definition

# Limits of StartPipelineExecution, from the service model (botocore, sagemaker 2017-07-24); it says that a value may be
# empty, but the service refuses that (aws/sagemaker-python-sdk#4016).
MAX_PARAMETERS = 200
MAX_VALUE = 1024
MAX_NAME = 256
# Ours: room for long paths around a value of 1,024 characters.
MAX_TEMPLATE = 4096

# Decimal digits are log10(2) of the bits: an integer of more bits has more than MAX_VALUE digits for certain.
_MAX_BITS = MAX_VALUE * 4
# Ours, in characters of JSON.
MAX_SHOWN_RAW = 256

OnMissing = OneOf["fail", "omit"]
Origin = OneOf["static", "dynamic", "template", "default"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A static value: the text that is sent every time."""

    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """Text with JSONPaths in it; ``text`` is as written, ``parts`` are its literals and paths in their order."""

    text: str
    parts: tuple[str | JsonPath, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One pipeline parameter of a target, as a trigger declares it."""

    name: str
    value: Literal | JsonPath | Template
    default: str | None = None
    on_missing: OnMissing = "fail"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of one parameter for one event.

    ``expression`` is the value as the trigger writes it, ``raw`` what the paths found (None when nothing; of a template
    an object from each path to what it found), ``value`` the text that is sent: None when the parameter is left out or
    refused. A refusal has a ``reason`` and ``message``.
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


def is_path(text: str) -> bool:
    """Tell whether EventBridge would read a value as a JSONPath."""
    return text == "$" or text.startswith(("$.", "$["))


def embeds_path(text: str) -> bool:
    """Tell whether a JSONPath seems to be embedded in a text: whether ``<$.`` or ``<$[`` stands in it."""
    return "<$." in text or "<$[" in text


def parse_value(text: str) -> Literal | JsonPath | Template:
    """Tell what a written value is, by the rules at the top of this file.

    Raises InvalidPathError, with the position in ``text``, for a path that is not accepted or not closed.
    """
    if is_path(text):
        return JsonPath(text)
    if not embeds_path(text):
        return Literal(text)
    if len(text) > MAX_TEMPLATE:
        raise InvalidPathError(MAX_TEMPLATE, f"a template has at most {MAX_TEMPLATE:,} characters")
    parts = _parts(text)
    if all(isinstance(part, str) for part in parts):
        return Literal("".join(map(str, parts)))
    return Template(text, parts)


_MARKS = re.compile(
    r"""
    \\\\(?=\\*<)        # a backslash that is escaped because a < follows
    | \\<               # an escaped <
    | <(?=\$[.\[])      # the beginning of a path
    """,
    re.VERBOSE,
)


def _parts(text: str) -> tuple[str | JsonPath, ...]:
    """Cut a template into literals and paths, without empty literals."""
    parts: list[str | JsonPath] = []
    literal, position = "", 0
    while mark := _MARKS.search(text, position):
        literal += text[position : mark.start()]
        position = mark.end()
        if mark[0] != "<":
            literal += mark[0][-1]
            continue
        end = _closing(text, position)
        if literal:
            parts.append(literal)
        parts.append(_path(text[position:end], position))
        literal, position = "", end + 1
    literal += text[position:]
    if literal:
        parts.append(literal)
    return tuple(parts)


def _closing(text: str, start: int) -> int:
    """Find the ``>`` that closes the path from ``start``: brackets, and quotes inside them, may hold others."""
    depth, quote, position = 0, "", start
    while position < len(text):
        character = text[position]
        if quote:
            position += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"" and depth:
            quote = character
        elif character in "[]":
            depth += 1 if character == "[" else -1
        elif character == ">" and not depth:
            return position
        position += 1
    raise InvalidPathError(start - 1, "the path that begins here is not closed by '>'; for a literal '<' write '\\<'")


def _path(text: str, offset: int) -> JsonPath:
    try:
        return JsonPath(text)
    except InvalidPathError as error:
        raise InvalidPathError(error.position + offset, error.reason) from error


def resolve(
    parameters: Sequence[Parameter],
    document: Mapping[str, Any],
    definition: Definition | None = None,
) -> list[Resolved]:
    """Say for each parameter what is sent for an event (its normalised envelope), or why it cannot be.

    Never raises: what is wrong with a value is in its ``reason`` and ``message``. ``definition`` only decides how
    booleans are spelt; whether the pipeline accepts the values is for ``definitions.check``.
    """
    declared = definition.parameters if definition else {}
    booleans = {name for name, declaration in declared.items() if declaration.type == "Boolean"}
    return [_resolve(parameter, document, boolean=parameter.name in booleans) for parameter in parameters]


def _resolve(parameter: Parameter, document: Mapping[str, Any], *, boolean: bool) -> Resolved:
    if isinstance(parameter.value, Literal):
        text = parameter.value.text
        return _within_limits(Resolved(parameter.name, "static", text, value=text))
    origin: Origin = "template" if isinstance(parameter.value, Template) else "dynamic"
    resolved = Resolved(parameter.name, origin, parameter.value.text)
    try:
        if isinstance(parameter.value, Template):
            raw, value = _fill(parameter.value, document, boolean=boolean)
        else:
            raw = _find(parameter.value, document)
            value = None if raw is None else to_text(raw, boolean=boolean)
    except MalformedEventError as error:
        told = f"{_shown(resolved)} cannot be sent: {error}. Correct what emits the event, or take another field"
        return _refused(resolved, error.reason, told)
    if value is None:
        return _missing(parameter, replace(resolved, raw=raw))
    return _within_limits(replace(resolved, raw=raw, value=value))


def _find(path: JsonPath, document: Mapping[str, Any]) -> Any:
    """What a path finds: the match, a list of several, None for nothing and for null."""
    try:
        found = path.find(document)
    except RecursionError as error:
        raise MalformedEventError(f"the event is nested too deeply for {path.text}", "too-deep") from error
    if not found:
        return None
    return found[0] if len(found) == 1 else found


def _fill(template: Template, document: Mapping[str, Any], *, boolean: bool) -> tuple[dict[str, Any], str | None]:
    """Fill in a template: what each of its paths found, and the text (None when a path found nothing)."""
    raw = {path.text: _find(path, document) for path in template.parts if not isinstance(path, str)}
    if any(found is None for found in raw.values()):
        return raw, None
    words = [part if isinstance(part, str) else to_text(raw[part.text], boolean=boolean) for part in template.parts]
    return raw, "".join(words)


def to_text(value: object, *, boolean: bool = False) -> str:
    """Write a JSON value as the text that is sent, by the table at the top of this file.

    ``boolean`` says that the pipeline declares Boolean. Raises MalformedEventError (malformed-event, too-deep) for what
    JSON or UTF-8 cannot carry, and for ``None``, which is no value.
    """
    match value:
        case str():
            return _encodable(value)
        case bool():
            return str(value) if boolean else str(value).lower()
        case int():
            return str(value) if value.bit_length() <= _MAX_BITS else "9" * (MAX_VALUE + 1)
        case float():
            return _number(value)
        case dict() | list():
            return _compact(value)
    raise MalformedEventError(f"a value of type {type(value).__name__} is not JSON")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise MalformedEventError(f"{value} is not a number of JSON")
    if not value.is_integer():
        return repr(value)
    digits = format(Decimal(repr(value)), "f").removesuffix(".0")
    return "0" if digits == "-0" else digits


def _compact(value: object) -> str:
    try:
        return _encodable(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    except RecursionError as error:
        raise MalformedEventError("the value is nested too deeply to be written as JSON", "too-deep") from error
    except (TypeError, ValueError) as error:
        raise MalformedEventError(f"the value cannot be written as JSON ({error})") from error


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedEventError(
            f"character {error.start + 1} is half of a surrogate pair and cannot be sent"
        ) from error
    return text


def _missing(parameter: Parameter, resolved: Resolved) -> Resolved:
    """Apply what the trigger says about a value that is missing."""
    if parameter.default is not None:
        return _within_limits(replace(resolved, origin="default", value=parameter.default))
    found: Mapping[str, Any] = resolved.raw if isinstance(parameter.value, Template) else {parameter.value.text: None}
    paths = " and ".join(path for path, value in found.items() if value is None)
    nothing = f"{paths} finds nothing, or null, in the event"
    if parameter.on_missing == "omit":
        return replace(resolved, message=f"left out: {nothing}")
    remedy = "Correct the path, give the parameter a default, or let it be left out with on_missing: omit"
    return _refused(resolved, "missing-parameter", f"{nothing}. {remedy}")


def _within_limits(resolved: Resolved) -> Resolved:
    """Refuse a value that SageMaker would refuse for its length."""
    value = resolved.value or ""
    if not value:
        remedy = "SageMaker accepts no empty value: take it from another field, or leave the parameter out"
        return _refused(resolved, "empty-value", f"{_shown(resolved)} is empty. {remedy}")
    if len(value) > MAX_VALUE:
        remedy = "Take a shorter field, or pass the place of the data instead of the data"
        told = f"{_shown(resolved)} has {len(value):,} characters, SageMaker accepts {MAX_VALUE:,}. {remedy}"
        return _refused(resolved, "value-too-long", told)
    return resolved


def _refused(resolved: Resolved, reason: str, message: str) -> Resolved:
    return replace(resolved, value=None, reason=reason, message=f"parameter {resolved.name}: {message}")


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
