r"""JSONPath: the part of RFC 9535 that triggers may use to read values out of events.

Accepted: the root ``$``; names in dots (``$.detail.object.key``) and, quoted, in brackets (``$['my key']``, with the
escapes of the RFC); indices, negative ones too; ``*``; slices; several of these in one pair of brackets; filters
(``$.items[?@.size > 3].key``) out of ``&&``, ``||``, ``!``, parentheses, existence and comparisons, whose own paths
consist of names and indices. As in EventBridge, a dotted name may contain ``-`` and ``/`` after its first character.

Refused when written, with the position and the reason: ``..``, functions, regular expressions, scripts, negated ``<``
and its kin, more than 256 characters, more than 32 segments.

Who does what: this module parses everything, so what is accepted is decided here alone. It evaluates names, indices,
``*``, slices and lists of them itself; a path that names one place is a plain walk. Filters are evaluated by
jsonpath-ng: they are handed over in the one spelling in which it agrees with the RFC (quoted names, escapes decoded,
literals on the right), and it is imported only when a filter is written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from pipeline_triggers.errors import InvalidPathError

MAX_CHARACTERS = 256
MAX_SEGMENTS = 32
MAX_BRANCHES = 256  # what lists of selectors may multiply to: ``[0,0]`` thirty times over would be a billion results
MAX_PARENTHESES = 16
MAX_INTEGER = 2**53 - 1  # RFC 9535, section 2.1: integers within the range of I-JSON

# RFC 9535, member-name-shorthand, and EventBridge's - and / after the first character.
_FIRST = r"A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff"
_DOTTED_NAME = re.compile(rf"[{_FIRST}][{_FIRST}0-9/-]*")
_SPACE = re.compile(r"[ \t\n\r]*")
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>")
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_QUOTES = ("'", '"')
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}

Find: TypeAlias = Callable[[Any], list[Any]]


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path, read once and checked; equal to another when the texts are.

    Raises InvalidPathError with the 0-based position and the reason. ``single`` tells that it names one place, so that
    it finds one value at most.
    """

    text: str
    single: bool = field(init=False, compare=False, repr=False)
    _find: Find = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.text) > MAX_CHARACTERS:
            raise InvalidPathError(MAX_CHARACTERS, f"a path has at most {MAX_CHARACTERS} characters")
        segments = _Reader(self.text).path()
        steps = _steps(segments)
        object.__setattr__(self, "single", steps is not None)
        object.__setattr__(self, "_find", _search(segments) if steps is None else _walk(steps))

    def find(self, document: Any) -> list[Any]:
        """The values at the path, in the order of the RFC: ``[]`` when nothing is there, ``[None]`` for a null.

        The document is JSON as ``json.loads`` reads it. The values are the document's own, not copies.
        """
        return self._find(document)

    def __str__(self) -> str:
        return self.text


# ---------------------------------------------------------------------------------------------------------------------
# Selectors and their evaluation


@dataclass(frozen=True, slots=True)
class _Name:
    name: str

    def select(self, node: Any, _root: Any) -> Iterable[Any]:
        return (node[self.name],) if isinstance(node, dict) and self.name in node else ()


@dataclass(frozen=True, slots=True)
class _Index:
    index: int

    def select(self, node: Any, _root: Any) -> Iterable[Any]:
        inside = isinstance(node, list) and -len(node) <= self.index < len(node)
        return (node[self.index],) if inside else ()


@dataclass(frozen=True, slots=True)
class _Wildcard:
    def select(self, node: Any, _root: Any) -> Iterable[Any]:
        if isinstance(node, dict):
            return node.values()
        return node if isinstance(node, list) else ()


@dataclass(frozen=True, slots=True)
class _Slice:
    start: int | None
    end: int | None
    step: int | None

    def select(self, node: Any, _root: Any) -> Iterable[Any]:
        if not isinstance(node, list) or self.step == 0:
            return ()
        return node[self.start : self.end : self.step]


class _Filter:
    """A filter in jsonpath-ng's hands. ``expression`` is in the spelling in which it agrees with RFC 9535."""

    __slots__ = ("_datum", "_parsed")

    def __init__(self, expression: str) -> None:
        from jsonpath_ng.ext.parser import parse  # noqa: PLC0415 - costs some 25 ms, which most paths need not pay
        from jsonpath_ng.jsonpath import DatumInContext  # noqa: PLC0415

        self._parsed = parse(f"@[?{expression}]")
        self._datum = DatumInContext

    def select(self, node: Any, root: Any) -> Iterable[Any]:
        if not isinstance(node, (dict, list)):
            return ()
        # The context is what makes $ inside the filter mean the whole document.
        datum = self._datum(node, context=self._datum(root))
        return [found.value for found in self._parsed.find(datum)]


_Selector: TypeAlias = _Name | _Index | _Wildcard | _Slice | _Filter
_Segment: TypeAlias = tuple[_Selector, ...]


def _steps(segments: list[_Segment]) -> tuple[str | int, ...] | None:
    """The names and indices of a path that names one place; None for any other path."""
    steps: list[str | int] = []
    for segment in segments:
        match segment:
            case (_Name(step),) | (_Index(step),):
                steps.append(step)
            case _:
                return None
    return tuple(steps)


def _walk(steps: tuple[str | int, ...]) -> Find:
    def walk(document: Any) -> list[Any]:
        try:
            for step in steps:
                if step.__class__ is int and not isinstance(document, list):
                    return []
                document = document[step]
        except (KeyError, IndexError, TypeError):  # no such field, no such element, or not an object
            return []
        return [document]

    return walk


def _search(segments: list[_Segment]) -> Find:
    def search(document: Any) -> list[Any]:
        nodes = [document]
        for segment in segments:
            nodes = [found for node in nodes for selector in segment for found in selector.select(node, document)]
        return nodes

    return search


# ---------------------------------------------------------------------------------------------------------------------
# Filter expressions


@dataclass(frozen=True, slots=True)
class _Exists:
    """Whether a query finds something."""

    query: str
    negated: bool = False

    def __str__(self) -> str:
        return f"!{self.query}" if self.negated else self.query

    def opposite(self) -> _Exists:
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, slots=True)
class _Compare:
    """A query compared with a literal or with another query."""

    left: str
    sign: str
    right: str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"

    def opposite(self) -> _Compare | None:
        # Not (a < b) is no comparison: both a < b and a >= b are false when a is missing.
        opposites = {"==": "!=", "!=": "=="}
        return replace(self, sign=opposites[self.sign]) if self.sign in opposites else None


@dataclass(frozen=True, slots=True)
class _Logic:
    """Expressions joined by ``&&`` or by ``||``."""

    sign: str
    parts: tuple[_Expression, ...]

    def __str__(self) -> str:
        return "(" + f" {self.sign} ".join(map(str, self.parts)) + ")"

    def opposite(self) -> _Logic | None:
        parts = [part.opposite() for part in self.parts]
        known = tuple(part for part in parts if part is not None)
        return _Logic("||" if self.sign == "&&" else "&&", known) if len(known) == len(parts) else None


_Expression: TypeAlias = _Exists | _Compare | _Logic
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _quoted(text: str) -> str:
    """Text as jsonpath-ng reads it back unchanged: it takes the character after a backslash as it is."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ---------------------------------------------------------------------------------------------------------------------
# The parser


class _Reader:
    """Reads a path from left to right. Methods leave ``at`` behind what they have read, or raise InvalidPathError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.segments_read = 0
        self.parentheses = 0

    def refuse(self, reason: str, at: int | None = None) -> NoReturn:
        raise InvalidPathError(self.at if at is None else at, reason)

    @property
    def ahead(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, literal: str) -> bool:
        """Step over ``literal`` when it comes next."""
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def match(self, expression: re.Pattern[str]) -> str:
        """Step over what the expression matches here; empty when nothing."""
        found = expression.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def space(self) -> None:
        self.match(_SPACE)

    # --- paths and segments

    def path(self) -> list[_Segment]:
        if not self.take("$"):
            self.refuse("a path begins with $")
        segments = list(self.segments())
        if self.at < len(self.text):
            self.refuse_the_rest()
        if math.prod(len(segment) for segment in segments) > MAX_BRANCHES:
            self.refuse(f"the lists in brackets multiply to more than {MAX_BRANCHES} branches", 0)
        return segments

    def refuse_the_rest(self) -> NoReturn:
        begin = self.at
        self.space()
        if not self.ahead:
            self.refuse("white space at the end", begin)
        if self.ahead == "(":
            self.refuse("functions are not accepted")
        self.refuse(f"expected . or [ and not {self.ahead!r}: a name with other characters is written ['…']")

    def segments(self) -> Iterator[_Segment]:
        while True:
            before = self.at
            self.space()
            if self.ahead not in (".", "["):
                self.at = before
                return
            self.segments_read += 1
            if self.segments_read > MAX_SEGMENTS:
                self.refuse(f"a path has at most {MAX_SEGMENTS} segments")
            yield self.segment()

    def segment(self) -> _Segment:
        if self.text.startswith("..", self.at):
            self.refuse("'..' is not accepted: name the fields on the way")
        if self.take("["):
            return self.bracketed()
        self.take(".")
        if self.take("*"):
            return (_Wildcard(),)
        name = self.match(_DOTTED_NAME)
        if not name:
            self.refuse("expected a name after the dot: one with other characters is written ['…']")
        return (_Name(name),)

    def bracketed(self) -> _Segment:
        selectors: list[_Selector] = []
        while True:
            self.space()
            selectors.append(self.selector())
            self.space()
            if self.take("]"):
                return tuple(selectors)
            if not self.take(","):
                self.refuse("expected , or ]" if self.ahead else "the bracket is not closed")

    def selector(self) -> _Selector:
        ahead = self.ahead
        if ahead in _QUOTES:
            return _Name(self.quoted())
        if self.take("*"):
            return _Wildcard()
        if ahead == "?":
            return self.filter()
        if ahead != ":" and not _INTEGER.match(self.text, self.at):
            self.refuse(self.what_is_wrong_in_brackets())
        return self.index_or_slice()

    def what_is_wrong_in_brackets(self) -> str:
        if self.ahead == "(":
            return "script expressions are not accepted"
        if _DOTTED_NAME.match(self.text, self.at):
            return "a name in brackets needs quotes: ['…']"
        return "expected a quoted name, an index, a slice, * or a filter"

    def index_or_slice(self) -> _Index | _Slice:
        start = self.integer()
        before = self.at
        self.space()
        if not self.take(":"):
            self.at = before
            if start is None:
                self.refuse("expected an index")
            return _Index(start)
        self.space()
        end = self.integer()
        self.space()
        step = None
        if self.take(":"):
            self.space()
            step = self.integer()
        return _Slice(start, end, step)

    def integer(self) -> int | None:
        begin = self.at
        digits = self.match(_INTEGER)
        if not digits:
            return None
        if digits != "0" and digits.lstrip("-").startswith("0"):
            self.refuse("no -0 and no leading zeros", begin)
        if abs(int(digits)) > MAX_INTEGER:
            self.refuse("the number is too large", begin)
        return int(digits)

    # --- quoted text

    def quoted(self) -> str:
        quote, begin = self.ahead, self.at
        self.at += 1
        characters: list[str] = []
        while not self.take(quote):
            character = self.ahead
            if not character:
                self.refuse("the quote is not closed", begin)
            if character == "\\":
                characters.append(self.escape(quote))
                continue
            if character < " ":
                self.refuse("control characters must be written as escapes, such as \\n")
            if "\ud800" <= character <= "\udfff":
                self.refuse("half a surrogate pair is no character")
            characters.append(character)
            self.at += 1
        return "".join(characters)

    def escape(self, quote: str) -> str:
        begin = self.at
        self.at += 1
        letter = self.ahead
        self.at += 1
        if letter == quote:
            return quote
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            self.refuse(f"{self.text[begin : begin + 2]!r} is no escape", begin)
        unit = self.code_unit(begin)
        if 0xD800 <= unit < 0xDC00 and self.take("\\u"):
            low = self.code_unit(begin)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= unit < 0xE000:
            self.refuse("half a surrogate pair is no character", begin)
        return chr(unit)

    def code_unit(self, begin: int) -> int:
        digits = self.match(_HEX)
        if not digits:
            self.refuse("\\u needs four hexadecimal digits", begin)
        return int(digits, 16)

    # --- filters

    def filter(self) -> _Filter:
        self.take("?")
        self.space()
        return _Filter(str(self.disjunction()))

    def disjunction(self) -> _Expression:
        return self.joined("||", self.conjunction)

    def conjunction(self) -> _Expression:
        return self.joined("&&", self.operand)

    def joined(self, sign: str, part: Callable[[], _Expression]) -> _Expression:
        parts = [part()]
        while True:
            before = self.at
            self.space()
            if not self.take(sign):
                self.at = before
                return parts[0] if len(parts) == 1 else _Logic(sign, tuple(parts))
            self.space()
            parts.append(part())

    def operand(self) -> _Expression:
        begin = self.at
        if not self.take("!"):
            return self.in_parentheses() if self.ahead == "(" else self.comparison_or_test()
        self.space()
        if self.ahead != "(":
            return _Exists(self.query("expected a path with @ or $ after !"), negated=True)
        opposite = self.in_parentheses().opposite()
        if opposite is None:
            self.refuse("a negated < <= > or >= is not accepted: write what should hold", begin)
        return opposite

    def in_parentheses(self) -> _Expression:
        begin = self.at
        self.take("(")
        self.parentheses += 1
        if self.parentheses > MAX_PARENTHESES:
            self.refuse(f"more than {MAX_PARENTHESES} parentheses", begin)
        self.space()
        inside = self.disjunction()
        self.space()
        if not self.take(")"):
            self.refuse("expected )")
        return inside

    def comparison_or_test(self) -> _Expression:
        begin = self.at
        left = self.literal()
        query = self.query("expected a path with @ or $") if left is None else ""
        before = self.at
        self.space()
        if self.take("=~"):
            self.refuse("regular expressions are not accepted", before)
        sign = self.match(_COMPARISON)
        if not sign:
            self.at = before
            if left is not None:
                self.refuse("a value alone is no condition: compare it with a path", begin)
            return _Exists(query)
        self.space()
        right = self.literal()
        if left is None:
            return _Compare(query, sign, self.query("expected a value or a path") if right is None else right)
        if right is not None:
            self.refuse("compare a value with a path, not with another value", begin)
        return _Compare(self.query("expected a path with @ or $"), _MIRRORED[sign], left)

    def query(self, expected: str) -> str:
        """A path inside a filter, as jsonpath-ng is to read it."""
        begin = self.at
        if not (self.take("@") or self.take("$")):
            if self.match(_WORD) and self.ahead == "(":
                self.refuse("functions are not accepted", begin)
            self.refuse(expected, begin)
        root = self.text[begin]
        steps = _steps(list(self.segments()))
        if steps is None:
            self.refuse("paths inside a filter consist of names and indices", begin)
        return root + "".join(f"[{_quoted(step) if isinstance(step, str) else step}]" for step in steps)

    def literal(self) -> str | None:
        """A value inside a filter, as jsonpath-ng is to read it; None when there is none here."""
        begin = self.at
        if self.ahead in _QUOTES:
            return _quoted(self.quoted())
        word = self.match(_WORD)
        if word in ("true", "false", "null") and self.ahead != "(":
            return word
        self.at = begin
        digits = self.match(_NUMBER)
        if not digits:
            return None
        if self.ahead.isdigit():
            self.refuse("no leading zeros", begin)
        number = json.loads(digits)
        if isinstance(number, float) and math.isinf(number):
            self.refuse("the number is too large", begin)
        return format(Decimal(repr(number)), "f")
