"""Patterns that no key finds, many at a time: each is one bit of an integer, and a field's value tells all at once.

Patterns that only say ``anything-but`` or ``exists`` want most events by each single field; which ones are left after
all fields is told by a few operations on integers with a bit for each pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.event_reader import Many
from pipeline_triggers.domain.pattern_conditions import AnythingBut, Exists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline_triggers.domain.event_reader import Field, Found
    from pipeline_triggers.domain.pattern_matching import Leaf


# An integer of the members that a value does not suit is kept when there are so many of them.
WORTH_KEEPING = 64


class BitSet:
    """Members, by number, with the lists of their fields.

    For an event without arrays at these fields ``passing`` is exact, else it may say too much.
    """

    __slots__ = ("_all", "_fields", "_members", "_strictest_first")

    def __init__(self) -> None:
        self._members: list[int] = []
        self._fields: dict[Field, _FieldBits] = {}
        self._all = 0
        # Made when somebody asks: the fields whose absence fewest bear come first, to be done early.
        self._strictest_first: list[tuple[Field, _FieldBits]] = []

    def add(self, member: int, fields: Iterable[tuple[Field, Leaf]]) -> None:
        """Add a member with its fields."""
        place = len(self._members)
        self._members.append(member)
        self._all |= 1 << place
        self._strictest_first = []
        for field, leaf in fields:
            if field not in self._fields:
                self._fields[field] = _FieldBits()
            self._fields[field].add(place, leaf)

    def passing(self, found: Found) -> list[int]:
        """The members all of whose fields hold."""
        if not self._strictest_first:
            self._strictest_first = sorted(
                self._fields.items(), key=lambda one: (one[1].suited_by_absence & self._all).bit_count()
            )
        left = self._all
        for field, bits in self._strictest_first:
            if field in found:
                left &= bits.suited_by(found[field])
            else:
                left &= bits.suited_by_absence
            if not left:
                return []
        members = self._members
        return [members[place] for place in _places(left)]


class _FieldBits:
    """One field: which values suit whom. Integers with all higher bits set stand for those who do not look at it."""

    __slots__ = ("_absent", "_excluded", "_excluding", "_free", "_lists", "suited_by_absence")

    def __init__(self) -> None:
        self.suited_by_absence = -1
        self._absent = 0
        # Whom every value suits, but for what ``_excluding`` says: of those whose list is one anything-but with
        # values, whom a value does not suit. By their places, for most values are excluded by few; of many an integer
        # is made, and kept in ``_excluded``, when the first event has the value.
        self._free = -1
        self._excluding: dict[Any, list[int]] = {}
        self._excluded: dict[Any, int] = {}
        # The others, by their list.
        self._lists: dict[str, tuple[Leaf, int]] = {}

    def add(self, place: int, leaf: Leaf) -> None:
        bit = 1 << place
        if leaf.absent:
            self._absent |= bit
        else:
            self.suited_by_absence &= ~bit
        only = leaf.conditions[0] if len(leaf.conditions) == 1 else None
        if isinstance(only, AnythingBut):
            for value in only.values:
                self._excluding.setdefault(value, []).append(place)
                self._excluded.pop(value, None)
        elif not isinstance(only, Exists):
            self._free &= ~bit
            if leaf.conditions:
                name = repr(leaf.entries)
                same, bits = self._lists.get(name, (leaf, 0))
                self._lists[name] = same, bits | bit

    def suited_by(self, value: Any) -> int:
        """Whom a leaf suits, or any of many; among many absence may suit too, for it is asked of one element."""
        if not isinstance(value, Many):
            return self._suited_by_one(value)
        suited = self._absent
        for each in value:
            suited |= self._suited_by_one(each)
        return suited

    def _suited_by_one(self, value: Any) -> int:
        suited = self._free
        # true is not 1, which it would be found as.
        if value in self._excluding and not isinstance(value, bool):
            suited &= ~self._bits_excluded_by(value)
        for leaf, bits in self._lists.values():
            if leaf.accepts(value):
                suited |= bits
        return suited

    def _bits_excluded_by(self, value: Any) -> int:
        if value in self._excluded:
            return self._excluded[value]
        places = self._excluding[value]
        bits = _bits(places)
        if len(places) >= WORTH_KEEPING:
            self._excluded[value] = bits
        return bits


def _bits(places: Sequence[int]) -> int:
    """An integer with the bits of these places set, which ascend."""
    octets = bytearray(places[-1] // 8 + 1)
    for place in places:
        octets[place // 8] |= 1 << place % 8
    return int.from_bytes(octets, "little")


def _places(bits: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
