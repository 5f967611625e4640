"""What the parts of a JSONPath find in a document: names, indices, ``*``, slices and filters (RFC 9535, section 2.3).

Filters have two evaluations that agree. jsonpath-ng has those out of existence and comparisons with literals, in the
one spelling in which it agrees with the RFC (quoted names, escapes decoded, literals on the right, floats as floats),
as long as the arrays are small. What it cannot say (a negated ``<``, a filter inside a filter) or would be too slow for
(some 3 µs for each name or index on the way) is evaluated here. It is imported only when a filter of its kind is
written.

A search counts the places that it looks at and gives up above ``MAX_VISITS``: an event that somebody made to be slow
must not take all the time of a function.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.errors import MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jsonpath_ng.jsonpath import JSONPath

# Ours: at most 0.3 s of work. Three comparisons of each of 33,000 elements, more than ordinary events of 256 KB hold.
MAX_VISITS = 300_000
# How many of them jsonpath-ng may have, 50 ms of work.
MAX_HANDED_OVER = 10_000

MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_OR_EQUAL = ("==", "<=", ">=")
# For isinstance: a union of types would be made anew each time.
_NUMBERS = (int, float)
_ONLY_THEMSELVES = (bool, dict, list)
# Characters that are compared in about the time of one visit.
_CHARACTERS_A_VISIT = 1024


class Visits:
    """How many places one search, or all those of one event, may still look at."""

    __slots__ = ("handed_over", "left")

    def __init__(self) -> None:
        self.left = MAX_VISITS
        self.handed_over = MAX_HANDED_OVER

    def spend(self, places: int) -> None:
        """Look at so many places; raises MalformedEventError (too-large) before they are too many."""
        self.left -= places
        if self.left < 0:
            told = f"the path would look at more than {MAX_VISITS:,} places in the event"
            raise MalformedEventError(told, "too-large")

    def hand_over(self, places: int) -> bool:
        """Whether jsonpath-ng may look at so many places."""
        if places > self.handed_over:
            return False
        self.handed_over -= places
        return True


@dataclass(frozen=True, slots=True)
class Name:
    """The field of an object."""

    name: str

    def select(self, node: Any, _root: Any, visits: Visits) -> Iterable[Any]:
        visits.spend(1)
        return (node[self.name],) if isinstance(node, dict) and self.name in node else ()


@dataclass(frozen=True, slots=True)
class Index:
    """An element of an array, counted from the end when negative."""

    index: int

    def select(self, node: Any, _root: Any, visits: Visits) -> Iterable[Any]:
        visits.spend(1)
        inside = isinstance(node, list) and -len(node) <= self.index < len(node)
        return (node[self.index],) if inside else ()


@dataclass(frozen=True, slots=True)
class Wildcard:
    """All fields of an object, all elements of an array."""

    def select(self, node: Any, _root: Any, visits: Visits) -> Iterable[Any]:
        children = _children(node)
        visits.spend(1 + len(children))
        return children


@dataclass(frozen=True, slots=True)
class Slice:
    """Elements of an array, as Python slices lists; with a step of 0 none."""

    start: int | None
    end: int | None
    step: int | None

    def select(self, node: Any, _root: Any, visits: Visits) -> Iterable[Any]:
        visits.spend(1)
        if not isinstance(node, list) or self.step == 0:
            return ()
        found = node[self.start : self.end : self.step]
        visits.spend(len(found))
        return found


@dataclass(frozen=True, slots=True)
class Filter:
    """The fields or elements of which an expression holds."""

    expression: Expression
    _places: int = field(init=False, compare=False, repr=False)
    _handed_over: JSONPath | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", self.expression.places)
        spelling = self.expression.spelling()
        object.__setattr__(self, "_handed_over", None if spelling is None else _parsed_by_jsonpath_ng(spelling))

    def select(self, node: Any, root: Any, visits: Visits) -> Iterable[Any]:
        children = _children(node)
        places = 1 + len(children) * self._places
        visits.spend(places)
        if self._handed_over is not None and children and visits.hand_over(places):
            return [found.value for found in self._handed_over.find(node)]
        holds = self.expression.holds
        return [child for child in children if holds(child, root, visits)]


Selector: TypeAlias = Name | Index | Wildcard | Slice | Filter
Segment: TypeAlias = tuple[Selector, ...]


def _children(node: Any) -> Sequence[Any]:
    if isinstance(node, list):
        return node
    return list(node.values()) if isinstance(node, dict) else ()


def _parsed_by_jsonpath_ng(spelling: str) -> JSONPath:
    from jsonpath_ng.ext.parser import parse  # noqa: PLC0415 - costs some 25 ms, which most paths need not pay

    return parse(f"@[?{spelling}]")


def search(segments: Iterable[Segment], start: Any, root: Any, visits: Visits) -> list[Any]:
    """What the segments find from ``start`` on, in the order of the RFC; ``root`` is what ``$`` means in filters."""
    nodes = [start]
    for segment in segments:
        nodes = [found for node in nodes for selector in segment for found in selector.select(node, root, visits)]
    return nodes


def single_place(segments: Iterable[Segment]) -> tuple[str | int, ...] | None:
    """The names and indices of segments that name one place; None for any others."""
    steps: list[str | int] = []
    for segment in segments:
        match segment:
            case (Name(step),) | (Index(step),):
                steps.append(step)
            case _:
                return None
    return tuple(steps)


def walk(steps: tuple[str | int, ...]) -> Callable[[Any, Visits | None], list[Any]]:
    """The quick search along names and indices: the value in a list, or an empty list. It needs no visits."""

    def along_names(document: Any, _: Visits | None) -> list[Any]:
        try:
            for name in steps:
                document = document[name]
        except (KeyError, TypeError):  # no such field, or not an object
            return []
        return [document]

    def along_both(document: Any, _: Visits | None) -> list[Any]:
        try:
            for step in steps:
                if step.__class__ is int and not isinstance(document, list):
                    return []
                document = document[step]
        except (KeyError, IndexError, TypeError):  # no such field, no such element, or not an object
            return []
        return [document]

    return along_names if all(isinstance(step, str) for step in steps) else along_both


# ---------------------------------------------------------------------------------------------------------------------
# The expressions of filters. Each has ``places``, how many it looks at in one element (filters inside it and the
# insides of what is compared count for themselves), and ``spelling``, how it is written for jsonpath-ng: None when
# it cannot be.


@dataclass(frozen=True, slots=True)
class Query:
    """A path inside a filter: from the document (``$``), or from the element of which the filter asks (``@``)."""

    absolute: bool
    segments: tuple[Segment, ...]
    steps: tuple[str | int, ...] | None = field(init=False, compare=False, repr=False)
    _walk: Callable[[Any, Visits | None], list[Any]] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        steps = single_place(self.segments)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "_walk", None if steps is None else walk(steps))

    @property
    def places(self) -> int:
        return 1 + len(self.segments)

    def find(self, node: Any, root: Any, visits: Visits) -> list[Any]:
        start = root if self.absolute else node
        return search(self.segments, start, root, visits) if self._walk is None else self._walk(start, None)

    def spelling(self) -> str | None:
        if self.absolute or self.steps is None:
            return None
        return "@" + "".join(f"[{_quoted(step) if isinstance(step, str) else step}]" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value inside a filter: text, a number, true, false or null."""

    value: str | float | bool | None

    @property
    def places(self) -> int:
        return 0

    def find(self, _node: Any, _root: Any, _visits: Visits) -> list[Any]:
        return [self.value]

    def spelling(self) -> str:
        match self.value:
            case str():
                return _quoted(self.value)
            case None | bool():
                return {None: "null", True: "true", False: "false"}[self.value]
            case int():
                return str(self.value)
            case _:  # jsonpath-ng knows no exponents, and reads digits without a point as an integer
                digits = format(Decimal(repr(self.value)), "f")
                return digits if "." in digits else digits + ".0"


@dataclass(frozen=True, slots=True)
class Exists:
    """A query finds something, be it null."""

    query: Query

    @property
    def places(self) -> int:
        return self.query.places

    def holds(self, node: Any, root: Any, visits: Visits) -> bool:
        return bool(self.query.find(node, root, visits))

    def spelling(self) -> str | None:
        return self.query.spelling()


@dataclass(frozen=True, slots=True)
class Compare:
    """What a query finds compares so with a literal, or with what another query finds (RFC 9535, 2.3.5.2.2).

    Both queries name one place.
    """

    left: Query
    sign: str
    right: Query | Literal

    @property
    def places(self) -> int:
        return 1 + self.left.places + self.right.places

    def holds(self, node: Any, root: Any, visits: Visits) -> bool:
        left, right = self.left.find(node, root, visits), self.right.find(node, root, visits)
        if left and right:
            return compare(left[0], self.sign, right[0], visits)
        both_nothing = not left and not right
        return self.sign in _OR_EQUAL if both_nothing else self.sign == "!="

    def spelling(self) -> str | None:
        left = self.left.spelling()
        return f"{left} {self.sign} {self.right.spelling()}" if left and isinstance(self.right, Literal) else None


@dataclass(frozen=True, slots=True)
class Not:
    """An expression does not hold."""

    expression: Expression

    @property
    def places(self) -> int:
        return self.expression.places

    def holds(self, node: Any, root: Any, visits: Visits) -> bool:
        return not self.expression.holds(node, root, visits)

    def spelling(self) -> str | None:
        inside = self.expression.spelling() if isinstance(self.expression, Exists) else None
        return None if inside is None else f"!{inside}"


@dataclass(frozen=True, slots=True)
class Logic:
    """Expressions joined by ``&&`` or by ``||``."""

    sign: str
    parts: tuple[Expression, ...]

    @property
    def places(self) -> int:
        return sum(part.places for part in self.parts)

    def holds(self, node: Any, root: Any, visits: Visits) -> bool:
        conjunction = self.sign == "&&"
        for part in self.parts:
            if part.holds(node, root, visits) is not conjunction:
                return not conjunction
        return conjunction

    def spelling(self) -> str | None:
        parts = [part.spelling() for part in self.parts]
        return None if None in parts else "(" + f" {self.sign} ".join(map(str, parts)) + ")"


Expression: TypeAlias = Exists | Compare | Not | Logic


def _quoted(text: str) -> str:
    """Text as jsonpath-ng reads it back unchanged: it takes the character after a backslash as it is."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def compare(left: Any, sign: str, right: Any, visits: Visits) -> bool:
    """Compare two JSON values: only numbers with numbers and texts with texts have an order, and true is not 1."""
    if sign == "!=":
        return not _equal(left, right, visits)
    if sign != "==" and _have_order(left, right):
        visits.spend(_characters(left) // _CHARACTERS_A_VISIT)
        return bool(_ORDERED[sign](left, right))
    return sign in _OR_EQUAL and _equal(left, right, visits)


def _equal(left: Any, right: Any, visits: Visits) -> bool:
    """Whether two JSON values are equal, however deep they are."""
    waiting = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            if len(one) != len(other):
                return False
            visits.spend(len(one) + sum(map(len, one)) // _CHARACTERS_A_VISIT)
            if one.keys() != other.keys():
                return False
            waiting.extend((value, other[name]) for name, value in one.items())
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            visits.spend(len(one))
            waiting.extend(zip(one, other, strict=True))
        elif isinstance(one, _ONLY_THEMSELVES) or isinstance(other, _ONLY_THEMSELVES):
            if one is not other:
                return False
        else:
            visits.spend(_characters(one) // _CHARACTERS_A_VISIT)
            if one != other:
                return False
    return True


def _characters(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def _have_order(left: Any, right: Any) -> bool:
    return (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)
