"""A tree of patterns' alternatives: each is found by its rarest key, and below that key by its next rarest.

A node keeps few members as they are. When there are more, each goes where its rarest key leads: the one that the fewest
others in the node share. Where no key is left that few share, members are told apart by a bit set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.domain.event_reader import Many
from pipeline_triggers.domain.pattern_bits import BitSet
from pipeline_triggers.domain.pattern_keys import PRESENT, PRICES, SURE, Lookup, choices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline_triggers.domain.event_reader import Field, Found
    from pipeline_triggers.domain.pattern_keys import Key
    from pipeline_triggers.domain.pattern_matching import Leaf

# So many members are looked at one by one: finding out more about an event would take longer.
FEW = 4
# A field's mere presence is a key when it is rare: for few, or for a small share of a node's members.
FEW_BY_PRESENCE = 32
SHARE_BY_PRESENCE = 64
# So many members tell what is to be expected of others.
MANY_TO_LEARN_FROM = 64


class Member:
    """An alternative by its number, with its fields and the keys to each of them."""

    __slots__ = ("choices", "fields", "number")

    def __init__(self, number: int, fields: Sequence[tuple[Field, Leaf]]) -> None:
        self.number = number
        self.fields = fields
        self.choices = [(field, keys) for field, leaf in fields if (keys := choices_of(leaf)) is not None]


MemberOf: TypeAlias = Callable[[int], Member]
Sharing: TypeAlias = Callable[[tuple["Field", "Key"]], int]


class Node:
    """Members that share the keys which lead here: of the fields ``used``; ``proven`` are those that they settle."""

    __slots__ = ("_bits", "_few", "_lookups", "_proven", "_typical", "_used", "size")

    def __init__(self, used: frozenset[Field] = frozenset(), proven: frozenset[Field] = frozenset()) -> None:
        self.size = 0
        self._few: list[int] = []
        self._lookups: dict[Field, Lookup] = {}
        self._bits: BitSet | None = None
        # How many of the first members shared a key, on average, by field and kind: what is expected of new keys.
        self._typical: dict[tuple[Field, str], int] = {}
        self._used = used
        self._proven = proven

    def fill(self, members: Sequence[Member]) -> Node:
        """Put many members at once into a node that is empty."""
        self.size = len(members)
        if len(members) <= FEW:
            self._few = [member.number for member in members]
            return self
        shared: Counter[tuple[Field, Key]] = Counter()
        for member in members:
            for field, choices in member.choices:
                if field not in self._used:
                    shared.update([(field, key) for keys in choices for key in keys])
        if len(members) >= MANY_TO_LEARN_FROM:
            self._learn(shared)
        placed: dict[tuple[Field, Key], list[Member]] = {}
        for member in members:
            rarest, keys = self._rarest(member, shared.__getitem__)
            if rarest is None:
                self._keep(member)
                continue
            for key in keys:
                placed.setdefault((rarest, key), []).append(member)
        for (field, key), there in placed.items():
            items, name = self._lookups.setdefault(field, Lookup()).place(key)
            items[name] = there[0].number if len(there) == 1 else self._below(field, key).fill(there)
        return self

    def add(self, member: Member, member_of: MemberOf) -> None:
        """Add one member; ``member_of`` knows those that are here, by their numbers."""
        self.size += 1
        if not self._lookups and self._bits is None:
            if len(self._few) < FEW:
                self._few.append(member.number)
            else:
                few, self._few = self._few, []
                self.fill([*map(member_of, few), member])
            return
        field, keys = self._rarest(member, self._sharing)
        if field is None:
            self._keep(member)
            return
        lookup = self._lookups.setdefault(field, Lookup())
        for key in keys:
            items, name = lookup.place(key)
            there = items.get(name)
            if there is None:
                items[name] = member.number
            elif isinstance(there, Node):
                there.add(member, member_of)
            elif there != member.number:
                items[name] = self._below(field, key).fill([member_of(there), member])

    def find(self, found: Found, sure: list[int], maybe: list[int]) -> None:
        """Add the members that an event's leaves lead to: to ``sure`` those that match, to ``maybe`` the others."""
        if self._few:
            maybe += self._few
        if self._bits is not None:
            passing = self._bits.passing(found)
            if found.arrays:
                maybe += passing
            else:
                sure += passing
        if not self._lookups:
            return
        lookups = self._lookups
        for field in lookups if len(lookups) < len(found) else found:
            if field in found and field in lookups:
                lookup, value = lookups[field], found[field]
                for item in _find_any(lookup, value) if isinstance(value, Many) else lookup.find(value):
                    if isinstance(item, Node):
                        item.find(found, sure, maybe)
                    else:
                        maybe.append(item)

    def _rarest(self, member: Member, sharing: Sharing) -> tuple[Field | None, Sequence[Key]]:
        """The field, and one key for each of its conditions, that the fewest others share; no field if there is none.

        ``sharing`` tells how many do.
        """
        most_by_presence = max(FEW_BY_PRESENCE, self.size // SHARE_BY_PRESENCE)
        least = MANY
        rarest: tuple[Field | None, Sequence[Key]] = None, ()
        for field, choices in member.choices:
            if field in self._used:
                continue
            chosen = []
            total = 0
            for keys in choices:
                price, key = _cheapest(field, keys, sharing)
                total += price if key.kind != PRESENT or price <= most_by_presence else MANY
                chosen.append(key)
            if total < least:
                least, rarest = total, (field, chosen)
        return rarest

    def _learn(self, shared: Mapping[tuple[Field, Key], int]) -> None:
        by_kind: dict[tuple[Field, str], list[int]] = {}
        for (field, key), count in shared.items():
            by_kind.setdefault((field, key.kind), []).append(count)
        self._typical = {place: sum(counts) // len(counts) for place, counts in by_kind.items()}

    def _sharing(self, place: tuple[Field, Key]) -> int:
        field, key = place
        expected = self._typical.get((field, key.kind), 0)
        if field not in self._lookups:
            return expected
        items, name = self._lookups[field].place(key)
        there = items.get(name)
        if there is None:
            return expected
        return there.size if isinstance(there, Node) else 1

    def _below(self, field: Field, key: Key) -> Node:
        return Node(self._used | {field}, self._proven | {field} if key.kind in SURE else self._proven)

    def _keep(self, member: Member) -> None:
        """A member that no key leads away from here."""
        if self._bits is None:
            self._bits = BitSet()
        self._bits.add(member.number, [(field, leaf) for field, leaf in member.fields if field not in self._proven])


# A price that nobody pays.
MANY = 1_000_000_000


def _cheapest(field: Field, keys: Sequence[Key], sharing: Sharing) -> tuple[int, Key]:
    best, least = keys[0], MANY
    for key in keys:
        price = sharing((field, key)) + PRICES[key.kind]
        if price < least:
            best, least = key, price
    return least, best


def _find_any(lookup: Lookup, values: Iterable[Any]) -> Iterable[Any]:
    """What any of many elements leads to, once; true and 1 are equal but not the same."""
    distinct = {(type(value), value) for value in values}
    return {item for _, value in distinct for item in lookup.find(value)}
