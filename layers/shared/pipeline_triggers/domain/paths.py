r"""JSONPath: the part of RFC 9535 that triggers may use to read values out of events.

Accepted: the root ``$``; names in dots (``$.detail.object.key``) and, quoted, in brackets (``$['my key']``, with the
escapes of the RFC); indices, negative ones too; ``*``; slices; several of these in one pair of brackets; filters
(``$.items[?@.size > 3].key``) out of ``&&``, ``||``, ``!``, parentheses, existence (``?@.tags[*]``) and comparisons, in
which a path names one place. As in EventBridge, a dotted name may contain ``-`` and ``/`` after its first character.

Refused when written, with the position and the reason: ``..``, functions, regular expressions, scripts, a literal
compared with another, more than 256 characters, more than 32 segments.

Refused when evaluated: what would look at more than ``MAX_VISITS`` places of a document.

This module reads a path; so what is accepted is decided here alone. What each part of it finds is in ``selectors``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from pipeline_triggers.domain.selectors import (
    MAX_VISITS,
    MIRRORED,
    Compare,
    Exists,
    Expression,
    Filter,
    Index,
    Literal,
    Logic,
    Name,
    Not,
    Query,
    Segment,
    Selector,
    Slice,
    Visits,
    Wildcard,
    search,
    single_place,
    walk,
)
from pipeline_triggers.errors import InvalidPathError

__all__ = ["MAX_VISITS", "JsonPath", "Visits"]

MAX_CHARACTERS = 256
MAX_SEGMENTS = 32
MAX_BRANCHES = 256  # what lists of selectors may multiply to: ``[0,0]`` thirty times over would be a billion results
MAX_NESTING = 16  # of filters, and of the parentheses and filters inside them
MAX_INTEGER = 2**53 - 1  # RFC 9535, section 2.1: integers within the range of I-JSON

# RFC 9535, member-name-shorthand, and EventBridge's - and / after the first character.
# Said by what it has not: a class of characters up to U+10FFFF takes ten times as long to compile, at each cold start.
_NO_FIRST = r"\x00-@\[-^`{-\x7f\ud800-\udfff"
_NOT_LATER = r"\x00-,.:-@\[-^`{-\x7f\ud800-\udfff"
_DOTTED_NAME = re.compile(rf"[^{_NO_FIRST}][^{_NOT_LATER}]*")
_SPACE = re.compile(r"[ \t\n\r]*")
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>")
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_WORDS = {"true": True, "false": False, "null": None}
_QUOTES = ("'", '"')
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}

Find: TypeAlias = Callable[[Any, Visits | None], list[Any]]


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
        steps = single_place(segments)
        object.__setattr__(self, "single", steps is not None)
        object.__setattr__(self, "_find", _search(segments) if steps is None else walk(steps))

    def find(self, document: Any, visits: Visits | None = None) -> list[Any]:
        """The values at the path, in the order of the RFC: ``[]`` when nothing is there, ``[None]`` for a null.

        The document is JSON as ``json.loads`` reads it. The values are the document's own, not copies. Raises
        MalformedEventError (too-large) when more places would have to be looked at than ``visits`` has left, of itself
        ``MAX_VISITS``; a path that names one place never does.
        """
        return self._find(document, visits)

    def __str__(self) -> str:
        return self.text


def _search(segments: tuple[Segment, ...]) -> Find:
    return lambda document, visits: search(segments, document, document, visits or Visits())


# ---------------------------------------------------------------------------------------------------------------------
# The parser


class _Reader:
    """Reads a path from left to right. Methods leave ``at`` behind what they have read, or raise InvalidPathError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.segments_read = 0
        self.nesting = 0

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

    def path(self) -> tuple[Segment, ...]:
        if not self.take("$"):
            self.refuse("a path begins with $")
        segments = tuple(self.segments())
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

    def segments(self) -> Iterator[Segment]:
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

    def segment(self) -> Segment:
        if self.text.startswith("..", self.at):
            self.refuse("'..' is not accepted: name the fields on the way")
        if self.take("["):
            return self.bracketed()
        self.take(".")
        if self.take("*"):
            return (Wildcard(),)
        name = self.match(_DOTTED_NAME)
        if not name:
            self.refuse("expected a name after the dot: one with other characters is written ['…']")
        return (Name(name),)

    def bracketed(self) -> Segment:
        selectors: list[Selector] = []
        while True:
            self.space()
            selectors.append(self.selector())
            self.space()
            if self.take("]"):
                return tuple(selectors)
            if not self.take(","):
                self.refuse("expected , or ]" if self.ahead else "the bracket is not closed")

    def selector(self) -> Selector:
        ahead = self.ahead
        if ahead in _QUOTES:
            return Name(self.quoted())
        if self.take("*"):
            return Wildcard()
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

    def index_or_slice(self) -> Index | Slice:
        start = self.integer()
        before = self.at
        self.space()
        if not self.take(":"):
            self.at = before
            if start is None:
                self.refuse("expected an index")
            return Index(start)
        self.space()
        end = self.integer()
        self.space()
        step = None
        if self.take(":"):
            self.space()
            step = self.integer()
        return Slice(start, end, step)

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

    def filter(self) -> Filter:
        with self.nested():
            self.take("?")
            self.space()
            return Filter(self.disjunction())

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Inside parentheses or a filter: a reader that calls itself has to stop before the interpreter does."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            self.refuse(f"more than {MAX_NESTING} filters and parentheses inside each other")
        yield
        self.nesting -= 1

    def disjunction(self) -> Expression:
        return self.joined("||", self.conjunction)

    def conjunction(self) -> Expression:
        return self.joined("&&", self.operand)

    def joined(self, sign: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while True:
            before = self.at
            self.space()
            if not self.take(sign):
                self.at = before
                return parts[0] if len(parts) == 1 else Logic(sign, tuple(parts))
            self.space()
            parts.append(part())

    def operand(self) -> Expression:
        if not self.take("!"):
            return self.in_parentheses() if self.ahead == "(" else self.comparison_or_test()
        self.space()
        if self.ahead == "(":
            return Not(self.in_parentheses())
        return Not(Exists(self.query("expected a path with @ or $ after !")))

    def in_parentheses(self) -> Expression:
        with self.nested():
            self.take("(")
            self.space()
            inside = self.disjunction()
            self.space()
            if not self.take(")"):
                self.refuse("expected )")
            return inside

    def comparison_or_test(self) -> Expression:
        begin = self.at
        left = self.literal() or self.query("expected a path with @ or $")
        before = self.at
        self.space()
        if self.take("=~"):
            self.refuse("regular expressions are not accepted", before)
        sign = self.match(_COMPARISON)
        if not sign:
            self.at = before
            if isinstance(left, Literal):
                self.refuse("a value alone is no condition: compare it with a path", begin)
            return Exists(left)
        self.space()
        middle = self.at
        right = self.literal() or self.query("expected a value or a path")
        for operand, at in ((left, begin), (right, middle)):
            if isinstance(operand, Query) and operand.steps is None:
                self.refuse("a path that is compared consists of names and indices: it has to name one place", at)
        if isinstance(left, Query):
            return Compare(left, sign, right)
        if isinstance(right, Literal):
            self.refuse("compare a value with a path, not with another value", begin)
        return Compare(right, MIRRORED[sign], left)

    def query(self, expected: str) -> Query:
        """A path inside a filter."""
        begin = self.at
        if not (self.take("@") or self.take("$")):
            if self.match(_WORD) and self.ahead == "(":
                self.refuse("functions are not accepted", begin)
            self.refuse(expected, begin)
        return Query(self.text[begin] == "$", tuple(self.segments()))

    def literal(self) -> Literal | None:
        """A value inside a filter; None when there is none here."""
        begin = self.at
        if self.ahead in _QUOTES:
            return Literal(self.quoted())
        word = self.match(_WORD)
        if word in _WORDS and self.ahead != "(":
            return Literal(_WORDS[word])
        self.at = begin
        digits = self.match(_NUMBER)
        if not digits:
            return None
        if self.ahead.isdigit():
            self.refuse("no leading zeros", begin)
        number = json.loads(digits)
        if isinstance(number, float) and math.isinf(number):
            self.refuse("the number is too large", begin)
        return Literal(number)
