"""Keys to event patterns: by which values of a field an index finds those that could match.

A key is a necessary condition that can be looked up: if the list of a field holds for a value, one of its keys is
found by that value. What is found is a candidate, no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pipeline_triggers.domain.intervals import Intervals
from pipeline_triggers.domain.pattern_conditions import (
    Addresses,
    EqualInAnyCase,
    Exact,
    Prefix,
    PrefixInAnyCase,
    Range,
    Suffix,
    SuffixInAnyCase,
    Wildcard,
    address,
    is_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from pipeline_triggers.domain.pattern_conditions import Condition
    from pipeline_triggers.domain.pattern_matching import Leaf

    _OfTexts: TypeAlias = Callable[[Any, str, list[Any]], None]

# The kinds of keys.
TEXT, NUMBER, CONSTANT = "text", "number", "constant"
PREFIX, SUFFIX = "prefix", "suffix"
FOLDED, FOLDED_PREFIX, FOLDED_SUFFIX = "folded", "folded prefix", "folded suffix"
STEP, PIECE, BETWEEN, ADDRESS, PRESENT = "step", "piece", "between", "address", "present"

# How much dearer than that of an exact value a look-up is: as if so many more patterns shared the key.
PRICES = {
    TEXT: 0,
    NUMBER: 0,
    CONSTANT: 0,
    PREFIX: 2,
    SUFFIX: 2,
    FOLDED: 2,
    STEP: 2,
    FOLDED_PREFIX: 3,
    FOLDED_SUFFIX: 3,
    PIECE: 6,
    ADDRESS: 8,
    BETWEEN: 8,
    PRESENT: 16,
}
# A value that has such a key meets the condition that it is of.
SURE = frozenset((TEXT, NUMBER, CONSTANT, PREFIX, SUFFIX))


class Key(NamedTuple):
    """One key: its kind, and what is looked up."""

    kind: str
    value: Any


def choices_of(leaf: Leaf) -> list[list[Key]] | None:
    """For each condition of a field's list the keys of which one is needed; None where absence is enough."""
    return None if leaf.absent else [_keys(condition) for condition in leaf.conditions]


def _keys(condition: Condition) -> list[Key]:  # noqa: C901, PLR0911 - one for each kind
    match condition:
        case Exact(value) if isinstance(value, str):
            return [Key(TEXT, value)]
        case Exact(value) if is_number(value):
            return [Key(NUMBER, value)]
        case Exact(value):
            return [Key(CONSTANT, repr(value))]
        case Prefix(text) if text:
            return [Key(PREFIX, text)]
        case Suffix(text) if text:
            return [Key(SUFFIX, text)]
        case EqualInAnyCase(text) if text.isascii():
            return [Key(FOLDED, text.lower())]
        case PrefixInAnyCase(text) if text and text.isascii():
            return [Key(FOLDED_PREFIX, text.lower())]
        case SuffixInAnyCase(text) if text and text.isascii():
            return [Key(FOLDED_SUFFIX, text.lower())]
        case Wildcard(parts):
            return _keys_of_parts(parts) or [Key(PRESENT, None)]
        case Range(low, _, high, _):
            return [Key(BETWEEN, (low, high))]
        case Addresses(version, first, last):
            return [Key(ADDRESS, (version, first, last))]
    return [Key(PRESENT, None)]


def _keys_of_parts(parts: tuple[str, ...]) -> list[Key]:
    if len(parts) == 1:
        return [Key(TEXT, parts[0])]
    keys = [Key(STEP, step) for step in _steps(parts)]
    keys += [Key(PIECE, piece) for part in parts for piece in _pieces(part)]
    # A value that begins with the first part need not meet the rest: not SURE, as a prefix would be.
    if parts[0].isascii() and parts[0]:
        keys.append(Key(FOLDED_PREFIX, parts[0].lower()))
    if parts[-1].isascii() and parts[-1]:
        keys.append(Key(FOLDED_SUFFIX, parts[-1].lower()))
    return keys


# Stands for a wildcard among the texts. Where a text has it, too, a step is not found: one key less.
_STAR = "\0"


def _steps(parts: tuple[str, ...]) -> list[str]:
    """What stands between slashes, or between one and an end, in every value: keys of S3 objects are paths."""
    return [step for step in _STAR.join(parts).split("/") if step and _STAR not in step]


def _pieces(text: str) -> Iterator[tuple[str, str, str, str]]:
    """All that follows one another in a text, four characters at a time."""
    return zip(text, text[1:], text[2:], text[3:], strict=False)


class Lookup:
    """Items by the keys of one field, found by the values of an event."""

    __slots__ = ("_by_kind", "_by_text", "_texts")

    def __init__(self) -> None:
        self._texts: dict[str, Any] = {}
        # The other kinds: a dictionary, or one for each length or version.
        self._by_kind: dict[str, Any] = {}
        # Those of them that a text finds, each with how it does.
        self._by_text: list[tuple[_OfTexts, Any]] = []

    def place(self, key: Key) -> tuple[MutableMapping[Any, Any], Any]:
        """Where a key's item stands, and its name there."""
        kind, value = key
        if kind == TEXT:
            return self._texts, value
        items: Any = self._by_kind.get(kind)
        if items is None:
            items = self._by_kind[kind] = Intervals() if kind == BETWEEN else {}
            if kind in _OF_TEXTS:
                self._by_text.append((_OF_TEXTS[kind], items))
        if kind == ADDRESS:
            version, first, last = value
            return items.setdefault(version, Intervals()), (first, last)
        if kind in OF_LENGTH:
            # A value has one beginning and one end of each length.
            return items.setdefault(len(value), {}), value
        return items, value

    def find(self, value: Any) -> list[Any]:
        """The items of which a leaf of an event has the key."""
        found: list[Any] = []
        if isinstance(value, str):
            if value in self._texts:
                found.append(self._texts[value])
            for look_up, items in self._by_text:
                look_up(items, value, found)
            return found
        by_kind = self._by_kind
        if value is None or isinstance(value, bool):
            _add(found, by_kind.get(CONSTANT), repr(value))
        else:
            _add(found, by_kind.get(NUMBER), value)
            if BETWEEN in by_kind:
                found += by_kind[BETWEEN].around(value)
        _add(found, by_kind.get(PRESENT), None)
        return found


def _add(found: list[Any], kept: dict[Any, Any] | None, value: Any) -> None:
    if kept:
        item = kept.get(value)
        if item is not None:
            found.append(item)


def _by_prefix(items: dict[int, dict[str, Any]], value: str, found: list[Any]) -> None:
    for length, texts in items.items():
        item = texts.get(value[:length])
        if item is not None:
            found.append(item)


def _by_suffix(items: dict[int, dict[str, Any]], value: str, found: list[Any]) -> None:
    for length, texts in items.items():
        item = texts.get(value[-length:])
        if item is not None:
            found.append(item)


def _by_folded_prefix(items: dict[int, dict[str, Any]], value: str, found: list[Any]) -> None:
    for length, texts in items.items():
        _add(found, texts, value[:length].lower())


def _by_folded_suffix(items: dict[int, dict[str, Any]], value: str, found: list[Any]) -> None:
    for length, texts in items.items():
        _add(found, texts, value[-length:].lower())


def _by_step(items: dict[str, Any], value: str, found: list[Any]) -> None:
    found += [items[step] for step in dict.fromkeys(value.split("/")) if step in items]


def _by_piece(items: dict[tuple[str, str, str, str], Any], value: str, found: list[Any]) -> None:
    hits = {piece for piece in _pieces(value) if piece in items}
    found += [items[piece] for piece in hits]


def _by_address(items: dict[int, Intervals], value: str, found: list[Any]) -> None:
    spelled = address(value)
    if spelled is not None and spelled.version in items:
        found += items[spelled.version].around(int(spelled))


OF_LENGTH = frozenset((PREFIX, SUFFIX, FOLDED_PREFIX, FOLDED_SUFFIX))
# How items of each kind are found by a text, beside those of the text itself.
_OF_TEXTS: Mapping[str, _OfTexts] = {
    PREFIX: _by_prefix,
    SUFFIX: _by_suffix,
    FOLDED: lambda items, value, found: _add(found, items, value.lower()),
    FOLDED_PREFIX: _by_folded_prefix,
    FOLDED_SUFFIX: _by_folded_suffix,
    STEP: _by_step,
    PIECE: _by_piece,
    ADDRESS: _by_address,
    PRESENT: lambda items, _value, found: _add(found, items, None),
}
