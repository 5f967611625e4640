"""Values as people write them: literals, JSONPaths, and templates in which JSONPaths stand.

* ``$.detail.object.key``, ``$['detail']`` or ``$`` is a JSONPath, as in EventBridge. A lone ``$`` is the whole event:
  so says the only grammar of such paths that AWS publishes (service model of Pipes, SageMakerPipelineParameterName).
* text in which ``<$.`` or ``<$[`` stands is a template: each ``<path>`` is replaced by what the path finds, and each
  ``<path | function | function>`` by what the functions make of that, from left to right (``functions``). The path ends
  at the first ``|`` or ``>`` outside brackets. ``\\<`` is a literal ``<``; before a ``<``, ``\\\\`` is a literal
  backslash.
* anything else is a literal, sent as it is: backslashes mean nothing in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline_triggers.domain.forms import suggestion
from pipeline_triggers.domain.functions import FUNCTIONS
from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.errors import InvalidPathError

# Ours: room for long paths around a value of 1,024 characters.
MAX_TEMPLATE = 4096


@dataclass(frozen=True, slots=True)
class Literal:
    """A static value: the text that is sent every time."""

    text: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A path inside a template, and the names of the functions that its value goes through."""

    path: JsonPath
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """Text with JSONPaths in it; ``text`` is as written, ``parts`` are its literals and paths in their order."""

    text: str
    parts: tuple[str | Embedded, ...]


def is_path(text: str) -> bool:
    """Tell whether EventBridge would read a value as a JSONPath."""
    return text == "$" or text.startswith(("$.", "$["))


def embeds_path(text: str) -> bool:
    """Tell whether a JSONPath seems to be embedded in a text: whether ``<$.`` or ``<$[`` stands in it."""
    return "<$." in text or "<$[" in text


# The same few paths stand in most triggers, which are all read at a cold start.
@lru_cache(maxsize=4096)
def parse_value(text: str) -> Literal | JsonPath | Template:
    """Tell what a written value is, by the rules at the top of this file.

    Raises InvalidPathError, with the position in ``text``, for a path that is not accepted or not closed, and for a
    function that is not known.
    """
    if is_path(text):
        return _whole_path(text)
    if not embeds_path(text):
        return Literal(text)
    if len(text) > MAX_TEMPLATE:
        raise InvalidPathError(MAX_TEMPLATE, f"a template has at most {MAX_TEMPLATE:,} characters")
    parts = _parts(text)
    if all(isinstance(part, str) for part in parts):
        return Literal("".join(map(str, parts)))
    return Template(text, parts)


def _whole_path(text: str) -> JsonPath:
    try:
        return JsonPath(text)
    except InvalidPathError as error:
        if text.startswith("|", error.position):
            told = f"functions stand in a template: <{text}>"
            raise InvalidPathError(error.position, told) from error
        raise


_MARKS = re.compile(
    r"""
    \\\\(?=\\*<)        # a backslash that is escaped because a < follows
    | \\<               # an escaped <
    | <(?=\$[.\[])      # the beginning of a path
    """,
    re.VERBOSE,
)


def _parts(text: str) -> tuple[str | Embedded, ...]:
    """Cut a template into literals and paths, without empty literals."""
    parts: list[str | Embedded] = []
    literal, position = "", 0
    while mark := _MARKS.search(text, position):
        literal += text[position : mark.start()]
        position = mark.end()
        if mark[0] != "<":
            literal += mark[0][-1]
            continue
        end = _end(text, position, ">")
        if literal:
            parts.append(literal)
        parts.append(_embedded(text, position, end))
        literal, position = "", end + 1
    literal += text[position:]
    if literal:
        parts.append(literal)
    return tuple(parts)


def _end(text: str, start: int, signs: str) -> int:
    """Find the first of ``signs`` behind the path from ``start``: brackets, and quotes inside them, may hold others."""
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
        elif character in signs and not depth:
            return position
        position += 1
    raise InvalidPathError(start - 1, "the path that begins here is not closed by '>'; for a literal '<' write '\\<'")


def _embedded(text: str, start: int, end: int) -> Embedded:
    """Read the path and the functions between the brackets, the second of which is at ``end``."""
    bar = _end(text, start, "|>")
    path = text[start:bar]
    if bar == end:
        return Embedded(_path(path, start))
    return Embedded(_path(path.rstrip(" "), start), tuple(_functions(text[bar + 1 : end], bar + 1)))


def _path(text: str, offset: int) -> JsonPath:
    try:
        return JsonPath(text)
    except InvalidPathError as error:
        raise InvalidPathError(error.position + offset, error.reason) from error


def _functions(text: str, offset: int) -> list[str]:
    names: list[str] = []
    for written in text.split("|"):
        name = written.strip(" ")
        if name not in FUNCTIONS:
            reason = f"there is no function {name!r}" if name else "the name of a function is missing"
            remedy = suggestion(name, FUNCTIONS, f"The functions are {', '.join(FUNCTIONS)}")
            raise InvalidPathError(offset + len(written) - len(written.lstrip(" ")), f"{reason}. {remedy}")
        names.append(name)
        offset += len(written) + 1
    return names
