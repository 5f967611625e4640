"""Many event patterns by name: which of them match an event. The results are those of asking one after the other.

The cost follows the event and the patterns that match, not the number of patterns:

* Patterns that want exact sources stand apart by source. What is not of an event's source is not even read: after a
  cold start only the patterns that a function's events can want are compiled.
* ``event_reader`` reads all fields that are looked at in one walk; ``pattern_tree`` finds the few patterns that could
  match by their rarest keys; each of them is then asked exactly.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.event_reader import EventReader
from pipeline_triggers.domain.pattern_conditions import address
from pipeline_triggers.domain.pattern_matching import elements_of
from pipeline_triggers.domain.pattern_tree import Member, Node
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline_triggers.domain.event_reader import Field, Found
    from pipeline_triggers.domain.pattern_matching import Alternative, Leaf
    from pipeline_triggers.domain.patterns import EventPattern

SOURCE = "source"
# Below so many removed ones nothing is tidied up.
FEW_REMOVED = 16
# So many members tell which keys are rare. All at once would take much memory for a moment: 3 KB each.
MOST_AT_ONCE = 10_000


class _Entry:
    """A pattern of the index: its name, its place in the order of adding, where it is, and whether it still is."""

    __slots__ = ("groups", "is_there", "name", "order", "pattern")

    def __init__(self, name: str, order: int, pattern: EventPattern, groups: Sequence[_Group]) -> None:
        self.name, self.order, self.pattern, self.groups = name, order, pattern, groups
        self.is_there = True


class _Group:
    """Patterns of one source, or of no certain one: a tree that is made when the first event asks for it."""

    __slots__ = ("_fields", "_members", "_reader", "_removed", "_root", "_source", "waiting")

    def __init__(self, reader: EventReader, source: str | None) -> None:
        self._reader = reader
        self._source = source
        self.waiting: list[_Entry] = []
        self._begin()

    def _begin(self) -> None:
        self._removed = 0
        self._root: Node | None = None
        # The alternatives in the tree, by number, and the fields of those that some event might have matched.
        self._members: list[tuple[_Entry, int]] = []
        self._fields: dict[int, Sequence[tuple[Field, Leaf]]] = {}

    def add(self, entry: _Entry) -> None:
        """Add a pattern; nothing is made of it yet."""
        self.waiting.append(entry)

    def remove(self) -> None:
        """One of the patterns is no longer there. When that is true of half of them, the others get a new tree."""
        self._removed += 1
        if self._removed > max(FEW_REMOVED, len(self._members) // 2):
            entries = dict.fromkeys(entry for entry, _ in self._members)
            self.waiting = [entry for entry in (*entries, *self.waiting) if entry.is_there]
            self._begin()

    def take_in(self) -> None:
        """Put into the tree what waits."""
        waiting, self.waiting = self.waiting, []
        new = self._new_members(waiting)
        if self._root is None:
            self._root = Node().fill(list(islice(new, MOST_AT_ONCE)))
        for member in new:
            self._root.add(member, self._member)

    def _new_members(self, entries: Iterable[_Entry]) -> Iterator[Member]:
        for entry in entries:
            if entry.is_there:
                for place, alternative in enumerate(entry.pattern.alternatives):
                    self._members.append((entry, place))
                    yield self._made(len(self._members) - 1, alternative)

    def match(self, event: dict[str, Any], found: Found, matching: dict[int, str]) -> None:
        """Add the patterns that match, as names by their places in the order."""
        if self._root is None:
            return
        sure: list[int] = []
        maybe: list[int] = []
        self._root.find(found, sure, maybe)
        for number in sure:
            entry = self._members[number][0]
            if entry.is_there:
                matching[entry.order] = entry.name
        for number in maybe:
            entry, place = self._members[number]
            if not entry.is_there or entry.order in matching:
                continue
            # Only the pattern itself knows about elements of arrays.
            if entry.pattern.matches_by(place, event) if found.arrays else self._holds(number, found):
                matching[entry.order] = entry.name

    def _holds(self, number: int, found: Found) -> bool:
        """Say whether all fields of an alternative hold for an event that has no arrays at them."""
        fields = self._fields.get(number)
        if fields is None:
            fields = self._fields[number] = self._member(number).fields
        for field, leaf in fields:
            if field in found:
                if not leaf.accepts(found[field]):
                    return False
            elif not leaf.absent:
                return False
        return True

    def _member(self, number: int) -> Member:
        entry, place = self._members[number]
        return self._made(number, entry.pattern.alternatives[place])

    def _made(self, number: int, alternative: Alternative) -> Member:
        """A member. What only asks for the group's source has been answered by coming here."""
        wanted = [(path, leaf) for path, leaf in alternative.items() if self._source is None or path != (SOURCE,)]
        return Member(number, [(self._reader.field(path), leaf) for path, leaf in wanted])


class PatternIndex:
    """Event patterns by name. Patterns are immutable, but they may come and go."""

    def __init__(self, patterns: Mapping[str, EventPattern]) -> None:
        self._entries: dict[str, _Entry] = {}
        self._added = 0
        self._reader = EventReader()
        self._by_source: dict[str, _Group] = {}
        # None or one: most stacks have no pattern that leaves the source open.
        self._of_any_source: tuple[_Group, ...] = ()
        for name, pattern in patterns.items():
            self.add(name, pattern)

    def match(self, document: Mapping[str, Any]) -> list[str]:
        """The names of the patterns that match, in the order in which they were added."""
        event = document if isinstance(document, dict) else dict(document)
        groups = self._groups_of(event)
        for group in groups:
            if group.waiting:
                group.take_in()
        found = self._reader.read(event)
        matching: dict[int, str] = {}
        for group in groups:
            group.match(event, found, matching)
        if len(matching) < 2:
            return [*matching.values()]
        return [matching[order] for order in sorted(matching)]

    def take_in(self) -> None:
        """Do at once what the first event of each source would wait for."""
        for group in (*self._by_source.values(), *self._of_any_source):
            if group.waiting:
                group.take_in()

    def add(self, name: str, pattern: EventPattern) -> None:
        """Add a pattern, at the end; a name that is there already keeps its place and gets the new pattern."""
        before = self._entries.get(name)
        if before is not None:
            self._forget(before)
            order = before.order
        else:
            order = self._added
            self._added += 1
        groups = [self._group(source) for source in _exact_sources(pattern)] or self._group_of_any_source()
        entry = self._entries[name] = _Entry(name, order, pattern, groups)
        for group in groups:
            group.add(entry)

    def remove(self, name: str) -> None:
        """Take a pattern out. Raises NotFoundError when there is none of that name."""
        if name not in self._entries:
            raise NotFoundError(f"no pattern is called {name!r}")
        self._forget(self._entries.pop(name))

    def _forget(self, entry: _Entry) -> None:
        entry.is_there = False
        for group in entry.groups:
            group.remove()

    def _group(self, source: str) -> _Group:
        if source not in self._by_source:
            self._by_source[source] = _Group(self._reader, source)
        return self._by_source[source]

    def _group_of_any_source(self) -> Sequence[_Group]:
        if not self._of_any_source:
            self._of_any_source = (_Group(self._reader, None),)
        return self._of_any_source

    def _groups_of(self, event: dict[str, Any]) -> Sequence[_Group]:
        source = event.get(SOURCE)
        if isinstance(source, str):
            group = self._by_source.get(source)
            return self._of_any_source if group is None else (group, *self._of_any_source)
        sources = {each for each in elements_of(source) if isinstance(each, str)}
        return [*(self._by_source[each] for each in sources if each in self._by_source), *self._of_any_source]


def _exact_sources(pattern: EventPattern) -> set[str]:
    """The sources of which an event must have one, as far as the document says so at once; else none."""
    wanted = pattern.document.get(SOURCE)
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        return set()
    return set() if any(address(each) for each in wanted) else set(wanted)
