"""Patterns that no key finds, many at a time: each is one bit of an integer, and a field's value tells all at once.

Patterns that only say ``anything-but`` or ``exists`` want most events by each single field; which ones are left after
all fields is told by a few operations on integers with a bit for each pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.event_reader import Many
from pipeline_triggers.domain.pattern_conditions import AnythingBut, Exists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline_triggers.domain.event_reader import Field, Found
    from pipeline_triggers.domain.pattern_matching import Leaf


class BitSet:
    """Members, by number, with the lists of their fields.

    For an event without arrays at these fields ``passing`` is exact, else it may say too much.
    """

    __slots__ = ("_all", "_fields", "_members")

    def __init__(self) -> None:
        self._members: list[int] = []
        self._fields: dict[Field, _FieldBits] = {}
        self._all = 0

    def add(self, member: int, fields: Iterable[tuple[Field, Leaf]]) -> None:
        """Add a member with its fields."""
        bit = 1 << len(self._members)
        self._members.append(member)
        self._all |= bit
        for field, leaf in fields:
            if field not in self._fields:
                self._fields[field] = _FieldBits()
            self._fields[field].add(bit, leaf)

    def passing(self, found: Found) -> list[int]:
        """The members all of whose fields hold."""
        left = self._all
        leaves = found.leaves
        for field, bits in self._fields.items():
            if field in leaves:
                left &= bits.suited_by(leaves[field])
            else:
                left &= bits.suited_by_absence
            if not left:
                return []
        members = self._members
        return [members[place] for place in _places(left)]


class _FieldBits:
    """One field: who looks at it, and which values suit whom. Integers with all higher bits set stand for the rest."""

    __slots__ = ("_absent", "_any", "_but", "_excluding", "_lists", "_not_looking", "suited_by_absence")

    def __init__(self) -> None:
        self._not_looking = self.suited_by_absence = -1
        self._absent = self._any = self._but = 0
        # Of those whose list is one anything-but with values: whom a value does not suit.
        self._excluding: dict[Any, int] = {}
        # The others, by their list.
        self._lists: dict[str, tuple[Leaf, int]] = {}

    def add(self, bit: int, leaf: Leaf) -> None:
        self._not_looking &= ~bit
        if leaf.absent:
            self._absent |= bit
        else:
            self.suited_by_absence &= ~bit
        only = leaf.conditions[0] if len(leaf.conditions) == 1 else None
        if isinstance(only, Exists):
            self._any |= bit
        elif isinstance(only, AnythingBut):
            self._but |= bit
            for value in only.values:
                self._excluding[value] = self._excluding.get(value, 0) | bit
        elif leaf.conditions:
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
        suited = self._not_looking | self._any
        if self._but:
            # true is not 1, which it would be found as.
            excluded = 0 if isinstance(value, bool) else self._excluding.get(value, 0)
            suited |= self._but & ~excluded if excluded else self._but
        for leaf, bits in self._lists.values():
            if leaf.accepts(value):
                suited |= bits
        return suited


def _places(bits: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
