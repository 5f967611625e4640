"""Event patterns: which events a trigger wants, in EventBridge's language, and the index over many of them.

The rules are those of Amazon EventBridge (User Guide, "Comparison operators for use in event patterns") and, where the
guide is silent, of aws/event-ruler, the engine that AWS publishes:

* A pattern names fields by nesting. A dotted name is a path too: ``{"a.b": [1]}`` and ``{"a": {"b": [1]}}`` are the
  same pattern. A field of an *event* whose own name has a dot in it cannot be reached.
* All fields must hold; of the list of one field any entry suffices. Entries look at leaves: strings, numbers, booleans
  and null. Arrays in events stand for their elements; an object or an empty array is no leaf.
* Conditions below one array of objects must be met by the same element.
* ``exists: false`` holds when there is no such leaf. Below an array it looks at the element that an earlier field (in
  the order of their names) has chosen, and at all elements as long as none has chosen one.
* ``$or`` is the same as several patterns, of which one must match: at most 1,000.

Three things differ on purpose. Numbers are compared by value at any size and precision, where EventBridge ignores
numbers in events beyond ±5e9 or with more than six decimals. A field that appears twice (written twice, or inside and
beside ``$or``) is refused, where EventBridge may drop the first without a word; so is a field that is a leaf and an
object at once. A CIDR range begins at the address as it is written, as in event-ruler.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from pipeline_triggers.errors import InvalidPatternError, NotFoundError

MAX_ALTERNATIVES = 1000  # what EventBridge allows $or to multiply to
MAX_DEPTH = 100
MAX_NUMBER = 5_000_000_000  # the range that EventBridge documents for numeric
OR = "$or"
MISSING = "missing"
NO_ONE_ELEMENT = "no one element"

# Words that EventBridge refuses as field names inside $or (event-ruler, Constants.java).
RESERVED_IN_OR = frozenset(
    (
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "=",
        "<",
        "<=",
        ">",
        ">=",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    )
)

FieldPath: TypeAlias = tuple[str, ...]
Test: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a pattern does not match: the field, what the pattern wants there, and what the event has there."""

    path: str
    wanted: str
    found: str

    def __str__(self) -> str:
        if self.found == MISSING:
            return f"{self.path}: missing, but wanted {self.wanted}"
        if self.found == NO_ONE_ELEMENT:
            return f"{self.path}: no one element of the array has {self.wanted}"
        return f"{self.path}: {self.found} matches none of {self.wanted}"


class EventPattern:
    """One event pattern, checked when it is made. Immutable; two are equal when their documents are.

    Takes the pattern as a mapping or as JSON text. Raises InvalidPatternError with the path inside the pattern, such
    as ``detail.object.key[0].prefix``, and the reason.
    """

    __slots__ = ("_alternatives", "_document", "_paths", "_text", "_trees")

    def __init__(self, document: Mapping[str, Any] | str) -> None:
        read = _read_text(document) if isinstance(document, str) else document
        if not isinstance(read, Mapping):
            _refuse("", "an event pattern is an object")
        self._document: dict[str, Any] = _plain(read, "", 0)
        self._alternatives = _compile_object(self._document, (), "", inside_or=False)
        self._trees = tuple(_tree(alternative) for alternative in self._alternatives)
        self._text = json.dumps(self._document, sort_keys=True)
        fields = {path for alternative in self._alternatives for path in alternative}
        self._paths = frozenset(path[:length] for path in fields for length in range(1, len(path) + 1))

    @property
    def document(self) -> dict[str, Any]:
        """The pattern as a plain document of its own, which may be changed."""
        return copy.deepcopy(self._document)

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Say whether an event's document matches."""
        event = document if isinstance(document, dict) else dict(document)
        return any(_leading(tree, event) for tree in self._trees)

    def explain(self, document: Mapping[str, Any]) -> Mismatch | None:
        """Say what failed first, in the order of the pattern; None exactly when the event matches.

        Of several alternatives (``$or``), the one that came furthest is explained.
        """
        if self.matches(document):
            return None
        failures = [_first_failure(alternative, document) for alternative in self._alternatives]
        return max(failures, key=lambda failure: failure[0])[1]

    def reads(self, *path: str) -> bool:
        """Say whether the pattern has a condition on this field, or below it, be it inside ``$or``."""
        return path in self._paths

    def exact_values(self, *path: str) -> frozenset[str] | None:
        """The strings of which an event must have one in this field to match; None when that cannot be said."""
        values: set[str] = set()
        for alternative in self._alternatives:
            leaf = alternative.get(path)
            if leaf is None or not leaf.only_strings:
                return None
            values |= leaf.strings
        return frozenset(values)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, EventPattern) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"EventPattern({self._document!r})"


class PatternIndex:
    """Many patterns by name: which of them match an event. The results are those of asking one after the other.

    A pattern that wants exact strings in ``detail-type`` or ``source`` is only looked at when the event has one of
    them there.
    """

    _KEYS = ("detail-type", "source")

    def __init__(self, patterns: Mapping[str, EventPattern]) -> None:
        self._patterns: dict[str, EventPattern] = {}
        self._order: dict[str, int] = {}
        self._added = 0
        self._by_value: dict[str, dict[str, set[str]]] = {key: {} for key in self._KEYS}
        self._others: set[str] = set()
        for name, pattern in patterns.items():
            self.add(name, pattern)

    def match(self, document: Mapping[str, Any]) -> list[str]:
        """The names of the patterns that match, in the order in which they were added."""
        matching = [name for name in self._candidates(document) if self._patterns[name].matches(document)]
        return sorted(matching, key=self._order.__getitem__)

    def add(self, name: str, pattern: EventPattern) -> None:
        """Add a pattern, at the end; a name that is there already keeps its place and gets the new pattern."""
        if name in self._patterns:
            self._forget(name)
        else:
            self._order[name] = self._added
            self._added += 1
        self._patterns[name] = pattern
        for bucket in self._buckets(pattern):
            bucket.add(name)

    def remove(self, name: str) -> None:
        """Take a pattern out. Raises NotFoundError when there is none of that name."""
        if name not in self._patterns:
            raise NotFoundError(f"no pattern is called {name!r}")
        self._forget(name)
        del self._patterns[name], self._order[name]

    def _forget(self, name: str) -> None:
        for bucket in self._buckets(self._patterns[name]):
            bucket.discard(name)

    def _buckets(self, pattern: EventPattern) -> list[set[str]]:
        for key in self._KEYS:
            values = pattern.exact_values(key)
            if values is not None:
                return [self._by_value[key].setdefault(value, set()) for value in values]
        return [self._others]

    def _candidates(self, document: Mapping[str, Any]) -> set[str]:
        candidates = set(self._others)
        for key in self._KEYS:
            for value in _leaves(document.get(key)):
                if isinstance(value, str):
                    candidates |= self._by_value[key].get(value, set())
        return candidates


# ---------------------------------------------------------------------------------------------------------------------
# Conditions and their evaluation


class _Leaf:
    """The list of one field: ``accepts`` a value of the event, or its absence when ``absent``."""

    __slots__ = ("absent", "constants", "numbers", "strings", "tests", "wanted")
    size = 1

    def __init__(self, entries: list[_Entry]) -> None:
        plain = [entry.value for entry in entries if entry.plain]
        self.strings = frozenset(value for value in plain if isinstance(value, str))
        self.constants = tuple(value for value in plain if value is None or isinstance(value, bool))
        self.numbers = frozenset(value for value in plain if _is_number(value))
        self.tests = tuple(entry.test for entry in entries if entry.test is not None)
        self.absent = any(entry.absent for entry in entries)
        self.wanted = ", ".join(entry.wanted for entry in entries)

    @property
    def only_strings(self) -> bool:
        """Whether nothing but an exact string can satisfy it."""
        return not (self.constants or self.numbers or self.tests or self.absent)

    @property
    def all_absent(self) -> bool:
        """Whether absence of the field is enough."""
        return self.absent

    def accepts(self, value: Any) -> bool:
        """Say whether one leaf value of an event satisfies an entry."""
        if isinstance(value, str):
            if value in self.strings:
                return True
        elif value is None or isinstance(value, bool):
            if any(value is constant for constant in self.constants):
                return True
        elif value in self.numbers:
            return True
        return any(test(value) for test in self.tests)


class _Object:
    """The fields below one point of a pattern, in the order of their full names, as event-ruler visits them."""

    __slots__ = ("absent", "all_absent", "children", "size")

    def __init__(self, children: Mapping[str, _Object | _Leaf]) -> None:
        self.children = tuple(sorted(children.items(), key=lambda item: _name_order(*item)))
        self.size: int = sum(child.size for child in children.values())
        self.absent: bool = any(child.absent for child in children.values())
        self.all_absent: bool = all(child.all_absent for child in children.values())


_NOTHING = object()
_NEVER: frozenset[int] = frozenset()
_BY_VALUE = frozenset({0})
Alternative: TypeAlias = dict[FieldPath, _Leaf]


def _name_order(name: str, node: _Object | _Leaf) -> bytes:
    # Java compares UTF-16 units; the fields below an object have "name." in front.
    return (name if isinstance(node, _Leaf) else name + ".").encode("utf-16-be", "surrogatepass")


def _tree(alternative: Alternative, above: FieldPath = ()) -> _Object:
    branches: dict[str, Alternative] = {}
    for path, leaf in alternative.items():
        branches.setdefault(path[0], {})[path[1:]] = leaf
    children: dict[str, _Object | _Leaf] = {}
    for name, below in branches.items():
        if () in below and len(below) > 1:
            _refuse(".".join((*above, name)), "is a list of values and an object at once")
        children[name] = below[()] if () in below else _tree(below, (*above, name))
    return _Object(children)


def _leading(node: _Object | _Leaf, value: Any) -> frozenset[int]:
    """In which ways can ``value`` satisfy ``node``? Empty: in none.

    Each way is told as the number of fields, from the first, that are met by absence before the first one that is met
    by a value; ``node.size`` when all are met by absence. That is what an array around ``value`` needs to know:
    fields that come before the one that chooses the element must be absent from all elements.
    """
    if not node.absent:
        return _BY_VALUE if _holds(node, value) else _NEVER
    if isinstance(node, _Leaf):
        values = list(_leaves(value))
        if not values:
            return frozenset({1})
        return _BY_VALUE if any(map(node.accepts, values)) else _NEVER
    if isinstance(value, dict):
        return _leading_of_fields(node, value)
    return _leading_of_elements(node, list(_objects(value)))


def _leading_of_elements(node: _Object, elements: list[dict[str, Any]]) -> frozenset[int]:
    ways = {node.size} if node.all_absent else set()
    for element in elements:
        ways |= _leading(node, element)
    if ways <= _BY_VALUE:
        return frozenset(ways)
    free = _absent_everywhere(node, elements)
    return frozenset(way for way in ways if way <= free)


def _leading_of_fields(node: _Object, value: dict[str, Any]) -> frozenset[int]:
    ways: set[int] = set()
    passed, all_absent = 0, True
    for name, child in node.children:
        of_child = _leading(child, value.get(name, _NOTHING))
        if not of_child:
            return _NEVER
        if all_absent:
            ways |= {passed + way for way in of_child if way < child.size}
            all_absent = child.size in of_child
        passed += child.size
    if all_absent:
        ways.add(passed)
    return frozenset(ways)


def _holds(node: _Object | _Leaf, value: Any) -> bool:
    """The same for a node without ``exists: false``: each array may choose the element that suits it."""
    if isinstance(node, _Leaf):
        if isinstance(value, (list, tuple)):
            return any(node.accepts(leaf) for leaf in _leaves(value))
        return value is not _NOTHING and not isinstance(value, dict) and node.accepts(value)
    if isinstance(value, dict):
        return all(_holds(child, value.get(name, _NOTHING)) for name, child in node.children)
    if isinstance(value, (list, tuple)):
        return any(_holds(node, element) for element in _objects(value))
    return False


def _absent_everywhere(node: _Object, elements: list[dict[str, Any]]) -> int:
    """How many fields of ``node``, from the first, have no value in any of the elements."""
    count = 0
    for path in _field_paths(node):
        if any(True for element in elements for _ in _values_at(element, path)):
            break
        count += 1
    return count


def _field_paths(node: _Object) -> Iterator[FieldPath]:
    for name, child in node.children:
        if isinstance(child, _Leaf):
            yield (name,)
        else:
            for path in _field_paths(child):
                yield (name, *path)


def _elements(value: Any) -> Iterator[Any]:
    """What stands in a value once its arrays, nested ones too, are opened; without recursion."""
    if not isinstance(value, (list, tuple)):
        yield value
        return
    open_arrays = [iter(value)]
    while open_arrays:
        for element in open_arrays[-1]:
            if isinstance(element, (list, tuple)):
                open_arrays.append(iter(element))
                break
            yield element
        else:
            open_arrays.pop()


def _leaves(value: Any) -> Iterator[Any]:
    return (each for each in _elements(value) if each is not _NOTHING and not isinstance(each, dict))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in _elements(value) if isinstance(each, dict))


def _values_at(value: Any, path: FieldPath) -> Iterator[Any]:
    """All leaves at a path, through arrays."""
    if not path:
        yield from _leaves(value)
        return
    for element in _objects(value):
        if path[0] in element:
            yield from _values_at(element[path[0]], path[1:])


# ---------------------------------------------------------------------------------------------------------------------
# Explanations


def _first_failure(alternative: Alternative, document: Mapping[str, Any]) -> tuple[int, Mismatch]:
    """Where an alternative that does not match fails first, and how many of its fields hold before that."""
    event = dict(document)
    for count, (path, leaf) in enumerate(alternative.items()):
        values = list(_values_at(event, path))
        if not (any(map(leaf.accepts, values)) if values else leaf.absent):
            return count, Mismatch(".".join(path), leaf.wanted, _shown(values))
    return len(alternative), _disagreement(alternative, event)


def _disagreement(alternative: Alternative, event: dict[str, Any]) -> Mismatch:
    """Every field holds by itself, but not all of them in the same element of some array: the innermost such."""
    path: FieldPath = ()
    fields = alternative
    while True:
        for name in dict.fromkeys(field[0] for field in fields):
            below = {field[1:]: leaf for field, leaf in fields.items() if field[0] == name and len(field) > 1}
            if below and not _leading(_tree({(*path, name, *field): leaf for field, leaf in below.items()}), event):
                path, fields = (*path, name), below
                break
        else:
            wanted = " and ".join(f"{'.'.join(field)} {leaf.wanted}" for field, leaf in fields.items())
            return Mismatch(".".join(path), wanted, NO_ONE_ELEMENT)


def _shown(values: list[Any]) -> str:
    if not values:
        return MISSING
    shown = ", ".join(_json(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"


def _json(value: Any, room: int = 200) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= room else text[:room] + "…"


# ---------------------------------------------------------------------------------------------------------------------
# Reading a pattern


def _refuse(path: str, reason: str) -> NoReturn:
    raise InvalidPatternError(path, reason)


def _read_text(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs):
            names = [name for name, _ in pairs]
            _refuse("", f"the name {next(n for n in names if names.count(n) > 1)!r} appears twice in one object")
        return read

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        _refuse("", f"not JSON: {error}")
    except (ValueError, RecursionError) as error:
        _refuse("", f"not readable as JSON: {error}")


def _plain(value: Any, path: str, depth: int) -> Any:
    """A deep copy out of plain dicts, lists and scalars; anything that JSON has no word for is refused."""
    if depth > MAX_DEPTH:
        _refuse("", f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        names = [name for name in value if not isinstance(name, str)]
        if names:
            _refuse(path, f"the name {names[0]!r} is not text")
        return {str(name): _plain(each, _joined(path, name), depth + 1) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{path}[{place}]", depth + 1) for place, each in enumerate(value)]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    _refuse(path, f"{value!r} is not a JSON value")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _compile_object(fields: dict[str, Any], at: FieldPath, where: str, *, inside_or: bool) -> list[Alternative]:
    """All alternatives that the fields of one object allow: ``$or`` multiplies them."""
    if not fields:
        _refuse(where, "an empty object is not allowed: name a field, or leave it out")
    alternatives: list[Alternative] = [{}]
    for name, value in fields.items():
        place = _joined(where, name)
        if name == OR:
            of_field = _compile_or(value, at, place)
        elif inside_or and name in RESERVED_IN_OR:
            _refuse(place, f"{name!r} is a reserved word and cannot name a field inside $or")
        else:
            of_field = _compile_field(value, (*at, *name.split(".")), place, inside_or=inside_or)
        if len(alternatives) * len(of_field) > MAX_ALTERNATIVES:
            _refuse(place, f"$or leads to more than {MAX_ALTERNATIVES} alternatives")
        alternatives = [_merged(one, other, place) for one in alternatives for other in of_field]
    return alternatives


def _compile_or(value: Any, at: FieldPath, where: str) -> list[Alternative]:
    if not isinstance(value, list) or len(value) < 2:
        _refuse(where, "$or takes a list of two or more objects")
    alternatives: list[Alternative] = []
    for number, choice in enumerate(value):
        place = f"{where}[{number}]"
        if not isinstance(choice, dict):
            _refuse(place, "$or takes objects")
        alternatives += _compile_object(choice, at, place, inside_or=True)
    return alternatives


def _compile_field(value: Any, at: FieldPath, where: str, *, inside_or: bool) -> list[Alternative]:
    if isinstance(value, dict):
        return _compile_object(value, at, where, inside_or=inside_or)
    if not isinstance(value, list):
        _refuse(where, f"must be an object or a list: write [{_json(value)}]")
    if not value:
        _refuse(where, "an empty list is not allowed: nothing could match it")
    entries = [_compile_entry(each, f"{where}[{place}]") for place, each in enumerate(value)]
    return [{at: _Leaf(entries)}]


def _merged(one: Alternative, other: Alternative, where: str) -> Alternative:
    twice = next((path for path in other if path in one), None)
    if twice is not None:
        _refuse(where, f"the field {'.'.join(twice)} appears more than once")
    return {**one, **other}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a field's list: a plain value, a test of values, or absence."""

    wanted: str
    value: Any = None
    plain: bool = False
    test: Test | None = None
    absent: bool = False


def _compile_entry(entry: Any, where: str) -> _Entry:
    if isinstance(entry, list):
        _refuse(where, "a list inside a list is not allowed")
    if not isinstance(entry, dict):
        address = _address(entry) if isinstance(entry, str) else None
        return _Entry(_json(entry), value=entry, plain=True, test=_in_addresses(address, address) if address else None)
    name, operand = _only_item(entry, where)
    operator = _OPERATORS.get(name)
    if operator is None:
        close = next((known for known in _OPERATORS if known == name.lower()), "")
        hint = f": write {close}" if close else f"; there are {', '.join(_OPERATORS)}"
        _refuse(f"{where}.{name}", f"{name!r} is no comparison operator{hint}")
    return operator(operand, f"{where}.{name}")


def _only_item(entry: dict[str, Any], where: str) -> tuple[str, Any]:
    if len(entry) != 1:
        _refuse(where, "a comparison is an object with exactly one operator")
    return next(iter(entry.items()))


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        _refuse(where, f"takes text, not {_json(operand)}")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text_entry(wanted: str, accepts: Callable[[str], bool]) -> _Entry:
    return _Entry(wanted, test=lambda value: isinstance(value, str) and accepts(value))


# --- the operators: each takes its operand and its place, and refuses what EventBridge refuses


def _exactly(operand: Any, where: str) -> _Entry:
    return _Entry(_json(_text(operand, where)), value=operand, plain=True)


def _prefix(operand: Any, where: str) -> _Entry:
    if isinstance(operand, dict):
        text = _ignoring_case(operand, where)
        return _text_entry(f"prefix {_json(text)} in any case", lambda value: _folded_end(text, value) is not None)
    text = _text(operand, where)
    return _text_entry(f"prefix {_json(text)}", lambda value: value.startswith(text))


def _suffix(operand: Any, where: str) -> _Entry:
    if isinstance(operand, dict):
        text = _ignoring_case(operand, where)
        return _text_entry(f"suffix {_json(text)} in any case", lambda value: _folded_start(text, value))
    text = _text(operand, where)
    return _text_entry(f"suffix {_json(text)}", lambda value: value.endswith(text))


def _ignoring_case(operand: dict[str, Any], where: str) -> str:
    name, text = _only_item(operand, where)
    if name != "equals-ignore-case":
        _refuse(f"{where}.{name}", "only equals-ignore-case can stand here")
    return _text(text, f"{where}.{name}")


def _equals_ignore_case(operand: Any, where: str) -> _Entry:
    text = _text(operand, where)
    return _text_entry(f"{_json(text)} in any case", lambda value: _folded_end(text, value) == len(value))


def _wildcard(operand: Any, where: str) -> _Entry:
    return _text_entry(f"wildcard {_json(operand)}", _wildcard_test(_text(operand, where), where))


def _exists(operand: Any, where: str) -> _Entry:
    if operand is True:
        return _Entry("exists true", test=lambda _: True)
    if operand is False:
        return _Entry("exists false", absent=True)
    _refuse(where, f"takes true or false, not {_json(operand)}")


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, operand: bool(value == operand),
    "<": lambda value, operand: bool(value < operand),
    "<=": lambda value, operand: bool(value <= operand),
    ">": lambda value, operand: bool(value > operand),
    ">=": lambda value, operand: bool(value >= operand),
}


def _numeric(operand: Any, where: str) -> _Entry:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        _refuse(where, 'takes a list of one comparison or of two, such as [">", 0] or [">", 0, "<=", 5]')
    pairs = [(operand[place], operand[place + 1]) for place in range(0, len(operand), 2)]
    for number, (sign, bound) in enumerate(pairs):
        if not isinstance(sign, str) or sign not in _COMPARISONS:
            _refuse(f"{where}[{2 * number}]", f"{_json(sign)} is none of = < <= > >=")
        if not _is_number(bound):
            _refuse(f"{where}[{2 * number + 1}]", f"{_json(bound)} is not a number")
        if abs(bound) > MAX_NUMBER:
            _refuse(f"{where}[{2 * number + 1}]", f"numbers go from -{MAX_NUMBER} to {MAX_NUMBER}")
    if len(pairs) == 2:
        (lower, bottom), (upper, top) = pairs
        if lower not in (">", ">=") or upper not in ("<", "<="):
            _refuse(where, "a range is a lower bound (> or >=) and then an upper one (< or <=)")
        if bottom >= top:
            _refuse(where, "the lower bound must be below the upper one")
    tests = [(_COMPARISONS[sign], bound) for sign, bound in pairs]
    wanted = " and ".join(f"{sign} {_json(bound)}" for sign, bound in pairs)
    return _Entry(
        f"numeric {wanted}",
        test=lambda value: _is_number(value) and all(compare(value, bound) for compare, bound in tests),
    )


def _cidr(operand: Any, where: str) -> _Entry:
    text = _text(operand, where)
    address, slash, bits = text.partition("/")
    first = _address(address)
    if not slash or first is None or not re.fullmatch(r"[0-9]{1,3}", bits):
        _refuse(where, f"{_json(text)} is no block of addresses such as 10.0.0.0/24 or 2001:db8::/32")
    length = first.max_prefixlen
    if int(bits) >= length:
        _refuse(where, f"the mask must be below /{length}: for one address, write the address itself")
    last = type(first)(int(first) | ((1 << (length - int(bits))) - 1))
    return _Entry(f"cidr {text}", test=_in_addresses(first, last))


def _anything_but(operand: Any, where: str) -> _Entry:
    if isinstance(operand, dict):
        return _anything_but_operator(operand, where)
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        _refuse(where, "an empty list is not allowed")
    if not (all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values)):
        _refuse(where, "takes text or numbers, or a list of only text or only numbers")
    excluded = frozenset(values)
    kind: Test = (lambda value: isinstance(value, str)) if isinstance(values[0], str) else _is_number
    wanted = f"anything-but {', '.join(map(_json, values))}"
    return _Entry(wanted, test=lambda value: not (kind(value) and value in excluded))


def _anything_but_operator(operand: dict[str, Any], where: str) -> _Entry:
    name, operands = _only_item(operand, where)
    place = f"{where}.{name}"
    if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        _refuse(place, "anything-but knows prefix, suffix, equals-ignore-case and wildcard")
    texts = operands if isinstance(operands, list) else [operands]
    if not texts:
        _refuse(place, "an empty list is not allowed")
    for text in texts:
        if _text(text, place) == "" and name in ("prefix", "suffix"):
            _refuse(place, f"an empty {name} is not allowed: it would exclude every text")
    excluded = [_OPERATORS[name](text, place) for text in texts]
    tests = [entry.test for entry in excluded if entry.test is not None]
    wanted = f"anything-but {', '.join(entry.wanted for entry in excluded)}"
    return _Entry(wanted, test=lambda value: not any(test(value) for test in tests))


_OPERATORS: dict[str, Callable[[Any, str], _Entry]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
    "exactly": _exactly,
}


# ---------------------------------------------------------------------------------------------------------------------
# Comparisons that need more than a line


def _wildcard_test(text: str, where: str) -> Callable[[str], bool]:
    r"""``*`` stands for any text, ``\*`` and ``\\`` for themselves. Time is linear in the value: no backtracking."""
    parts = _wildcard_parts(text, where)
    if len(parts) == 1:
        return lambda value: value == parts[0]
    first, *middle, last = parts

    def accepts(value: str) -> bool:
        if not (value.startswith(first) and value.endswith(last) and len(value) >= len(first) + len(last)):
            return False
        place, end = len(first), len(value) - len(last)
        for part in middle:
            found = value.find(part, place, end)
            if found < 0:
                return False
            place = found + len(part)
        return True

    return accepts


def _wildcard_parts(text: str, where: str) -> list[str]:
    """The literal texts between the wildcards."""
    parts, before = [""], ""
    for piece in re.findall(r"\\.|[^\\]|\\$", text, re.DOTALL):
        if piece == "*":
            if before == "*":
                _refuse(where, "two wildcards in a row are not allowed")
            parts.append("")
        elif piece[0] != "\\":
            parts[-1] += piece
        elif piece in (r"\*", r"\\"):
            parts[-1] += piece[1]
        else:
            _refuse(where, r"a backslash must be followed by * or \ (JSON text writes each backslash twice)")
        before = piece
    return parts


def _spellings(character: str) -> tuple[str, ...]:
    return tuple({character.lower(), character.upper()})


def _folded_end(text: str, value: str) -> int | None:
    """Where ``text`` ends when ``value`` begins with it in any case; None when it does not.

    As in event-ruler each character of the pattern stands for its lower and its upper form, which may have another
    length (``ß`` and ``SS``); ``k`` does not stand for the Kelvin sign, though that has ``k`` as its lower form.
    """
    if text.isascii():
        start = value[: len(text)]
        return len(text) if start.isascii() and start.lower() == text.lower() else None
    place = 0
    for character in text:
        spelling = next((each for each in _spellings(character) if value.startswith(each, place)), None)
        if spelling is None:
            return None
        place += len(spelling)
    return place


def _folded_start(text: str, value: str) -> bool:
    """Whether ``value`` ends with ``text`` in any case."""
    place = len(value)
    for character in reversed(text):
        spelling = next((each for each in _spellings(character) if value.endswith(each, 0, place)), None)
        if spelling is None:
            return False
        place -= len(spelling)
    return True


_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)


def _address(text: str) -> _Address | None:
    """The address that a text spells, by event-ruler's idea of spelling: leading zeros are decimal, no dots in IPv6."""
    if len(text) <= 64 and _IPV4.fullmatch(text):
        numbers = [int(part) for part in text.split(".")]
        return ipaddress.IPv4Address(bytes(numbers)) if max(numbers) <= 255 else None
    if len(text) <= 64 and _IPV6.fullmatch(text):
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            return None
        return address.ipv4_mapped or address
    return None


def _in_addresses(first: _Address, last: _Address) -> Test:
    low, high, version = int(first), int(last), first.version

    def accepts(value: Any) -> bool:
        address = _address(value) if isinstance(value, str) else None
        return address is not None and address.version == version and low <= int(address) <= high

    return accepts
