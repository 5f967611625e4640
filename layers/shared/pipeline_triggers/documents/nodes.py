"""YAML (and JSON, which is YAML) as a tree of nodes that remember their lines.

Read as YAML 1.2 with its core schema: ``NO`` and ``012`` are not what YAML 1.1 makes of them. Scalars keep the text
that was written, and say what it means only when they are asked. Refused, with the line: duplicate keys, merge keys,
several documents, aliases that grow (few lines that mean millions of nodes) or contain themselves, and what is too
large or too deep. Tags (``!Sub``) are kept, for whoever reads the node to refuse.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from pipeline_triggers.domain.forms import join
from pipeline_triggers.errors import InvalidTriggerError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 5_000_000
MAX_NODES = 500_000  # with aliases spelt out
MAX_DEPTH = 100

# The core schema of YAML 1.2.2, section 10.3.2.
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# An integer of more digits is no number that a trigger could mean, and int() refuses it (ValueError).
_MAX_DIGITS = 400

_STRING_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = (_STRING_TAG, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; ``plain`` when it was written without quotes, and may mean a number, a boolean or null. Lines from 1."""

    text: str
    line: int
    plain: bool = False
    tag: str = ""
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Whether nothing, ``null`` or ``~`` was written."""
        return self.plain and _NULL.fullmatch(self.text) is not None


@dataclass(frozen=True, slots=True)
class Mapping:
    """An object: its keys with their values, in the order as written."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    tag: str = ""
    size: int = 1

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)

    def line_of(self, key: str) -> int:
        """The line of a key; where the object begins when it is not there."""
        return next((name.line for name, _ in self.entries if name.text == key), self.line)

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    tag: str = ""
    size: int = 1


Node: TypeAlias = Scalar | Mapping | Sequence


def read(text: str, file: str = "") -> Node:
    """Read one document. Raises InvalidTriggerError with file and line."""
    if len(text) > MAX_CHARACTERS:
        reason = f"has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read"
        raise _refused(reason, "Split it into several files", file, 0)
    reader = _Reader(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(_spaces_for_tabs(text)):
            reader.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise _refused(f"is not YAML: {reason}", _syntax_remedy(reason), file, line) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(f"has a character that YAML forbids ({error.character!r})", "Remove it", file, line) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise _refused(f"is not YAML: {error}", "", file, 0) from error
    if reader.root is None:
        raise _refused("is empty", "Begin with version: 1 and triggers:", file, 0)
    return reader.root


def value_of(scalar: Scalar) -> Any:
    """What a scalar means by the core schema. Raises ValueError for what JSON has no word for."""
    text = scalar.text
    if not scalar.plain or scalar.tag == _STRING_TAG:
        return text
    if scalar.is_null:
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("is no number of JSON")
    return _number_of(text)


def _number_of(text: str) -> int | float | str:
    is_based = _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if not is_based and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _MAX_DIGITS:
        raise ValueError("is too long for a number")
    if is_based or _INTEGER.fullmatch(text):
        return int(text, 0 if is_based else 10)
    number = float(text)
    if math.isinf(number):
        raise ValueError("is too large for a number")
    return number


class _Reader:
    """Builds the tree out of the parser's events, from the leaves up: no recursion, and no alias is ever spelt out."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.anchors: dict[str, Node] = {}
        self.open: list[_Open] = []
        self.documents = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self.refuse("is a second document (---)", "Write one document in a file", line)
            case AliasEvent():
                self.add(self.aliased(event.anchor, line), "", line)
            case ScalarEvent():
                self.add(self.scalar(event, line), event.anchor or "", line)
            case MappingStartEvent() | SequenceStartEvent():
                is_mapping = isinstance(event, MappingStartEvent)
                self.open.append(_Open(is_mapping, line, self.tag(event), event.anchor or "", []))
                if len(self.open) > MAX_DEPTH:
                    self.refuse(f"is nested more than {MAX_DEPTH} deep", "", line)
            case MappingEndEvent() | SequenceEndEvent():
                done = self.open.pop()
                self.add(self.mapping(done) if done.is_mapping else self.sequence(done), done.anchor, done.line)

    def add(self, node: Node, anchor: str, line: int) -> None:
        if node.size > MAX_NODES:
            self.refuse(f"stands for more than {MAX_NODES:,} values", "Write fewer aliases, or split the file", line)
        if anchor:
            self.anchors[anchor] = node
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node

    def aliased(self, anchor: str, line: int) -> Node:
        if anchor not in self.anchors:
            inside = any(part.anchor == anchor for part in self.open)
            reason = "contains itself" if inside else "has no anchor before it"
            self.refuse(f"the alias *{anchor} {reason}", "Write the value out", line)
        return self.anchors[anchor]

    def scalar(self, event: ScalarEvent, line: int) -> Scalar:
        try:
            # JSON writes a character beyond the first plane as two escapes; together they are one character.
            text = event.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.refuse("has half of a surrogate pair", "Write the whole character", line)
        return Scalar(text, line, plain=event.style is None or event.style == "", tag=self.tag(event))

    def mapping(self, done: _Open) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.refuse("has a key that is no text", "Quote it, or write it as a value", key.line)
            if key.plain and key.text == "<<":
                self.refuse("<< (a merge key) is not part of YAML 1.2", "Write the keys out", key.line)
            if key.text in entries:
                first = entries[key.text][0].line
                self.refuse(f"the key {key.text!r} is there twice (first in line {first})", "Remove one", key.line)
            entries[key.text] = (key, value)
        size = 1 + sum(1 + value.size for _, value in entries.values())
        return Mapping(tuple(entries.values()), done.line, done.tag, size)

    def sequence(self, done: _Open) -> Sequence:
        return Sequence(tuple(done.children), done.line, done.tag, 1 + sum(child.size for child in done.children))

    def tag(self, event: Any) -> str:
        return str(event.tag) if event.tag is not None else ""

    def refuse(self, reason: str, remedy: str, line: int) -> NoReturn:
        raise _refused(reason, remedy, self.file, line)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    is_mapping: bool
    line: int
    tag: str
    anchor: str
    children: list[Node]


def foreign_tag(node: Node) -> str:
    """The tag of a node as it was written, such as ``!Sub``, when it means something that is not read here."""
    return "" if node.tag in ("", *_PLAIN_TAGS) else node.tag


def texts(node: Node) -> Iterator[str]:
    """The texts of all scalars inside a node."""
    if isinstance(node, Scalar):
        yield node.text
    else:
        inside = node.items if isinstance(node, Sequence) else [value for _, value in node.entries]
        for part in inside:
            yield from texts(part)


def lines(node: Node, field: str = "") -> Iterator[tuple[str, int]]:
    """Every field inside a node (itself first), such as ``targets[0].id``, and the line where it begins."""
    todo = [(field, node.line, node)]
    while todo:
        at, line, current = todo.pop()
        yield at, line
        if isinstance(current, Mapping):
            todo += [(join(at, key.text), key.line, value) for key, value in current.entries]
        elif isinstance(current, Sequence):
            todo += [(f"{at}[{number}]", item.line, item) for number, item in enumerate(current.items)]


def _spaces_for_tabs(text: str) -> str:
    """JSON may be indented with tabs, YAML may not."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    return re.sub(r"^[ \t]+", lambda found: found[0].replace("\t", " "), text, flags=re.MULTILINE)


def _syntax_remedy(reason: str) -> str:
    if "\\t" in reason:
        return "Indent with spaces, not with tabs"
    if "mapping values are not allowed" in reason:
        return "Put a value that has ': ' in it into quotes, and check the indentation"
    return "Check the indentation and the quotes"


def _refused(reason: str, remedy: str, file: str, line: int) -> InvalidTriggerError:
    return InvalidTriggerError([Problem(field="", reason=reason, remedy=remedy, file=file, line=line)])
