"""The language of event patterns: from a JSON document to alternatives of fields, each a list of conditions.

Everything that EventBridge refuses is refused, with the place in the pattern and the reason:

* A pattern names fields by nesting. A dotted name is a path too: ``{"a.b": [1]}`` and ``{"a": {"b": [1]}}`` are the
  same pattern. A field of an *event* whose own name has a dot in it cannot be reached.
* All fields must hold; of the list of one field any entry suffices.
* ``$or`` is the same as several patterns, of which one must match: at most 1,000.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from pipeline_triggers.domain.pattern_complexity import is_too_complex
from pipeline_triggers.domain.pattern_conditions import (
    Addresses,
    AnythingBut,
    Condition,
    EqualInAnyCase,
    Exact,
    Exists,
    NoneOf,
    Prefix,
    PrefixInAnyCase,
    Range,
    Suffix,
    SuffixInAnyCase,
    Wildcard,
    address,
    at_least,
    at_most,
    is_number,
)
from pipeline_triggers.domain.pattern_matching import Alternative, FieldPath, Leaf
from pipeline_triggers.errors import InvalidPatternError

MAX_ALTERNATIVES = 1000  # what EventBridge allows $or to multiply to
MAX_DEPTH = 100
MAX_NUMBER = 5_000_000_000  # the range that EventBridge documents for numeric
MAX_DIGITS = 308  # of a number that stands for itself; more than any float has before its point
OR = "$or"
ABSENT = {"exists": False}

_Conditions: TypeAlias = tuple[Condition, ...]

written = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_HUGE_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS}}}")

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


def read(document: Mapping[str, Any] | str) -> tuple[dict[str, Any], str]:
    """A pattern's document, or its text, as plain JSON of its own, and written in the shortest way.

    Raises InvalidPatternError for what is no object.
    """
    given = _read_text(document) if isinstance(document, str) else document
    if not isinstance(given, Mapping):
        _refuse("", "an event pattern is an object")
    try:
        text = written(given)
        plain: dict[str, Any] = json.loads(text)
        if plain == given and not _HUGE_NUMBER.search(text):
            return plain, text
    except (TypeError, ValueError, RecursionError):
        pass  # no plain JSON: what it is made of is looked at one by one
    plain = _plain(given, "", 0)
    return plain, written(plain)


def alternatives_of(document: dict[str, Any]) -> list[Alternative]:
    """The alternatives of a pattern, one unless it has ``$or``. Raises InvalidPatternError."""
    alternatives = _object(document, (), "", [{}], depth=0, inside_or=False)
    for alternative in alternatives:
        for path in alternative:
            for length in range(1, len(path)):
                if path[:length] in alternative:
                    _refuse(".".join(path[:length]), "is a list of values and an object at once")
    return alternatives


def wanted(entries: Sequence[Any]) -> str:
    """The list of a field, as people read it."""
    return ", ".join(map(_told, entries))


def _told(entry: Any) -> str:  # noqa: PLR0911 - one for each form
    if not isinstance(entry, dict):
        return shown(entry)
    ((name, operand),) = entry.items()
    match name, operand:
        case "exactly", _:
            return shown(operand)
        case "equals-ignore-case", _:
            return f"{shown(operand)} in any case"
        case "prefix" | "suffix", {"equals-ignore-case": text}:
            return f"{name} {shown(text)} in any case"
        case "numeric", _:
            pairs = zip(operand[::2], operand[1::2], strict=True)
            return f"numeric {' and '.join(f'{sign} {shown(bound)}' for sign, bound in pairs)}"
        case "anything-but", {**inner} if inner:
            ((operator, texts),) = inner.items()
            each = texts if isinstance(texts, list) else [texts]
            return f"anything-but {', '.join(_told({operator: text}) for text in each)}"
        case "anything-but", [*values]:
            return f"anything-but {', '.join(map(shown, values))}"
        case "cidr", _:
            return f"cidr {operand}"
    return f"{name} {shown(operand)}"


def shown(value: Any, room: int = 200) -> str:
    """A value as JSON for people, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= room else text[:room] + "…"


def _refuse(path: str, reason: str) -> NoReturn:
    raise InvalidPatternError(path, reason)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- documents


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
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (dict, Mapping)):
        names = [name for name in value if not isinstance(name, str)]
        if names:
            _refuse(path, f"the name {names[0]!r} is not text")
        return {str(name): _plain(each, _joined(path, name), depth + 1) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{path}[{place}]", depth + 1) for place, each in enumerate(value)]
    if isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS:
            _refuse(path, f"a number has at most {MAX_DIGITS} digits")
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    _refuse(path, f"{value!r} is not a JSON value")


# --- objects and fields


def _object(
    fields: dict[str, Any], at: FieldPath, where: str, alternatives: list[Alternative], *, depth: int, inside_or: bool
) -> list[Alternative]:
    """The alternatives with the fields of one object added to each: ``$or`` multiplies them."""
    if not fields:
        _refuse(where, "an empty object is not allowed: name a field, or leave it out")
    if depth > MAX_DEPTH:
        _refuse("", f"nested more than {MAX_DEPTH} deep")
    for name, value in fields.items():
        place = f"{where}.{name}" if where else name
        if name == OR:
            alternatives = _multiplied(alternatives, _choices(value, at, place, depth), place)
            continue
        if inside_or and name in RESERVED_IN_OR:
            _refuse(place, f"{name!r} is a reserved word and cannot name a field inside $or")
        path = (*at, *name.split(".")) if "." in name else (*at, name)
        if isinstance(value, dict):
            alternatives = _object(value, path, place, alternatives, depth=depth + 1, inside_or=inside_or)
            continue
        leaf = _leaf(value, place)
        for alternative in alternatives:
            _put(alternative, path, leaf, place)
    return alternatives


def _put(alternative: Alternative, path: FieldPath, leaf: Leaf, where: str) -> None:
    if path in alternative:
        _refuse(where, f"the field {'.'.join(path)} appears more than once")
    if len(path) > MAX_DEPTH:
        _refuse("", f"nested more than {MAX_DEPTH} deep")
    alternative[path] = leaf


def _multiplied(alternatives: list[Alternative], choices: list[Alternative], where: str) -> list[Alternative]:
    if len(alternatives) * len(choices) > MAX_ALTERNATIVES:
        _refuse(where, f"$or leads to more than {MAX_ALTERNATIVES} alternatives")
    both = [({**one}, choice) for one in alternatives for choice in choices]
    for alternative, choice in both:
        for path, leaf in choice.items():
            _put(alternative, path, leaf, where)
    return [alternative for alternative, _ in both]


def _choices(value: Any, at: FieldPath, where: str, depth: int) -> list[Alternative]:
    if not isinstance(value, list) or len(value) < 2:
        _refuse(where, "$or takes a list of two or more objects")
    alternatives: list[Alternative] = []
    for number, choice in enumerate(value):
        place = f"{where}[{number}]"
        if not isinstance(choice, dict):
            _refuse(place, "$or takes objects")
        alternatives += _object(choice, at, place, [{}], depth=depth + 1, inside_or=True)
    return alternatives


def _leaf(value: Any, where: str) -> Leaf:
    if not isinstance(value, list):
        _refuse(where, f"must be an object or a list: write [{shown(value)}]")
    if not value:
        _refuse(where, "an empty list is not allowed: nothing could match it")
    if len(value) == 1 and isinstance(value[0], str):
        return _leaf_of(value[0])
    conditions: list[Condition] = []
    wildcards: list[tuple[str, ...]] = []
    for place, entry in enumerate(value):
        of_entry = _entry(entry, f"{where}[{place}]")
        conditions += of_entry
        for condition in of_entry:
            if isinstance(condition, Wildcard):
                wildcards.append(condition.parts)
            elif isinstance(condition, NoneOf):
                wildcards += [one.parts for one in condition.conditions if isinstance(one, Wildcard)]
    if wildcards and is_too_complex(wildcards):
        _refuse(where, "the wildcards are too complex: use fewer of them, or shorter repetitions after a *")
    return Leaf(tuple(conditions), value, absent=ABSENT in value)


@lru_cache(maxsize=1024)
def _leaf_of(text: str) -> Leaf:
    """A list of one text, such as ``["aws.s3"]``, which very many patterns have."""
    return Leaf(_entry(text, ""), [text])


# --- entries: each operator takes its operand and its place, and refuses what EventBridge refuses

_Operator: TypeAlias = Callable[[Any, str], _Conditions]


def _entry(entry: Any, where: str) -> _Conditions:
    if isinstance(entry, list):
        _refuse(where, "a list inside a list is not allowed")
    if not isinstance(entry, dict):
        return (Exact(entry), *_same_address(entry))
    name, operand = _only_item(entry, where)
    operator = _OPERATORS.get(name)
    if operator is None:
        close = next((known for known in _OPERATORS if known == name.lower()), "")
        hint = f": write {close}" if close else f"; there are {', '.join(_OPERATORS)}"
        _refuse(f"{where}.{name}", f"{name!r} is no comparison operator{hint}")
    return operator(operand, f"{where}.{name}")


def _same_address(value: Any) -> tuple[Condition, ...]:
    """Text that is an IP address stands for its other spellings too."""
    found = address(value) if isinstance(value, str) else None
    return () if found is None else (Addresses(found.version, int(found), int(found)),)


def _only_item(entry: dict[str, Any], where: str) -> tuple[str, Any]:
    if len(entry) != 1:
        _refuse(where, "a comparison is an object with exactly one operator")
    return next(iter(entry.items()))


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        _refuse(where, f"takes text, not {shown(operand)}")
    return operand


def _exactly(operand: Any, where: str) -> _Conditions:
    return (Exact(_text(operand, where)),)


def _prefix(operand: Any, where: str) -> _Conditions:
    if isinstance(operand, dict):
        text = _ignoring_case(operand, where)
        return (PrefixInAnyCase(text),)
    return (Prefix(_text(operand, where)),)


def _suffix(operand: Any, where: str) -> _Conditions:
    if isinstance(operand, dict):
        text = _ignoring_case(operand, where)
        return (SuffixInAnyCase(text),)
    return (Suffix(_text(operand, where)),)


def _ignoring_case(operand: dict[str, Any], where: str) -> str:
    name, text = _only_item(operand, where)
    if name != "equals-ignore-case":
        _refuse(f"{where}.{name}", "only equals-ignore-case can stand here")
    return _text(text, f"{where}.{name}")


def _equals_ignore_case(operand: Any, where: str) -> _Conditions:
    return (EqualInAnyCase(_text(operand, where)),)


def _wildcard(operand: Any, where: str) -> _Conditions:
    return (Wildcard(_wildcard_parts(_text(operand, where), where)),)


def _wildcard_parts(text: str, where: str) -> tuple[str, ...]:
    r"""The literal texts between the wildcards; ``\*`` and ``\\`` stand for themselves."""
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
    return tuple(parts)


def _exists(operand: Any, where: str) -> _Conditions:
    if operand is True:
        return (Exists(),)
    if operand is False:
        return ()
    _refuse(where, f"takes true or false, not {shown(operand)}")


_SIGNS = ("=", "<", "<=", ">", ">=")


def _numeric(operand: Any, where: str) -> _Conditions:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        _refuse(where, 'takes a list of one comparison or of two, such as [">", 0] or [">", 0, "<=", 5]')
    pairs = [(operand[place], operand[place + 1]) for place in range(0, len(operand), 2)]
    for number, (sign, bound) in enumerate(pairs):
        if not isinstance(sign, str) or sign not in _SIGNS:
            _refuse(f"{where}[{2 * number}]", f"{shown(sign)} is none of {' '.join(_SIGNS)}")
        if not is_number(bound):
            _refuse(f"{where}[{2 * number + 1}]", f"{shown(bound)} is not a number")
        if abs(bound) > MAX_NUMBER:
            _refuse(f"{where}[{2 * number + 1}]", f"numbers go from -{MAX_NUMBER} to {MAX_NUMBER}")
    return (_range(pairs, where),)


def _range(pairs: list[tuple[str, Any]], where: str) -> Condition:
    sign, bound = pairs[0]
    if len(pairs) == 1:
        if sign == "=":
            return Exact(bound)
        included = sign.endswith("=")
        return at_least(bound, included=included) if sign[0] == ">" else at_most(bound, included=included)
    upper, top = pairs[1]
    if sign not in (">", ">=") or upper not in ("<", "<="):
        _refuse(where, "a range is a lower bound (> or >=) and then an upper one (< or <=)")
    if bound >= top:
        _refuse(where, "the lower bound must be below the upper one")
    return Range(bound, sign == ">=", top, upper == "<=")


def _cidr(operand: Any, where: str) -> _Conditions:
    text = _text(operand, where)
    before, slash, bits = text.partition("/")
    first = address(before)
    if not slash or first is None or not re.fullmatch(r"[0-9]{1,3}", bits):
        _refuse(where, f"{shown(text)} is no block of addresses such as 10.0.0.0/24 or 2001:db8::/32")
    length = first.max_prefixlen
    if int(bits) >= length:
        _refuse(where, f"the mask must be below /{length}: for one address, write the address itself")
    last = int(first) | ((1 << (length - int(bits))) - 1)
    return (Addresses(first.version, int(first), last),)


def _anything_but(operand: Any, where: str) -> _Conditions:
    if isinstance(operand, dict):
        return _anything_but_operator(operand, where)
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        _refuse(where, "an empty list is not allowed")
    if not (all(isinstance(value, str) for value in values) or all(map(is_number, values))):
        _refuse(where, "takes text or numbers, or a list of only text or only numbers")
    return (AnythingBut(frozenset(values)),)


def _anything_but_operator(operand: dict[str, Any], where: str) -> _Conditions:
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
    return (NoneOf(tuple(condition for text in texts for condition in _OPERATORS[name](text, place))),)


_OPERATORS: dict[str, _Operator] = {
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
