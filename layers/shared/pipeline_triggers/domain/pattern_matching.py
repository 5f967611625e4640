"""Matching one alternative of an event pattern: its fields as a tree, walked together with the event.

* Entries of a pattern look at leaves: strings, numbers, booleans and null. Arrays in events stand for their elements;
  an object or an empty array is no leaf.
* Conditions below one array of objects must be met by the same element.
* ``exists: false`` holds when there is no such leaf. Below an array it looks at the element that an earlier field (in
  the order of their names) has chosen, and at all elements as long as none has chosen one.

Every part of an event is visited at most once for each part of the pattern, so time is linear in the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.domain.pattern_conditions import Exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline_triggers.domain.pattern_conditions import Condition

FieldPath: TypeAlias = tuple[str, ...]
NOTHING = object()

_NEVER: frozenset[int] = frozenset()
_BY_VALUE = frozenset({0})


class Leaf:
    """The list of one field: a leaf of the event must meet one of ``conditions``, or be absent where ``absent``.

    ``entries`` is the list as it is written.
    """

    __slots__ = ("_others", "_strings", "absent", "accepts", "conditions", "entries")
    size = 1

    def __init__(self, conditions: tuple[Condition, ...], entries: list[Any], *, absent: bool = False) -> None:
        self.conditions = conditions
        self.entries = entries
        self.absent = absent
        texts, others = [], []
        for condition in conditions:
            if isinstance(condition, Exact) and isinstance(condition.value, str):
                texts.append(condition.value)
            else:
                others.append(condition)
        self._strings = frozenset(texts)
        self._others = tuple(others)
        # Whether one leaf of an event meets a condition, in the shortest way.
        self.accepts: Callable[[Any], bool] = self._accepts
        if not self._others:
            self.accepts = self._strings.__contains__
        elif len(conditions) == 1:
            self.accepts = conditions[0].accepts

    @property
    def all_absent(self) -> bool:
        """Whether absence of the field is enough."""
        return self.absent

    @property
    def only_texts(self) -> frozenset[str] | None:
        """The texts of which a leaf must be one; None when something else meets a condition, too."""
        return None if self._others or self.absent else self._strings

    def _accepts(self, value: Any) -> bool:
        if isinstance(value, str) and value in self._strings:
            return True
        for condition in self._others:  # noqa: SIM110 - a generator would take longer than the condition
            if condition.accepts(value):
                return True
        return False

    def holds(self, value: Any) -> bool:
        """Say whether what stands at the field's place has a leaf that meets a condition."""
        if isinstance(value, (list, tuple)):
            return any(map(self.accepts, leaves(value)))
        return value is not NOTHING and not isinstance(value, dict) and self.accepts(value)

    def leading(self, value: Any) -> frozenset[int]:
        """As of ``Branch``."""
        if not self.absent:
            return _BY_VALUE if self.holds(value) else _NEVER
        values = list(leaves(value))
        if not values:
            return frozenset({1})
        return _BY_VALUE if any(map(self.accepts, values)) else _NEVER


class Branch:
    """The fields below one point of a pattern, in the order of their full names, as event-ruler visits them."""

    __slots__ = ("absent", "all_absent", "children", "size")

    def __init__(self, children: Mapping[str, Branch | Leaf]) -> None:
        self.children = tuple(sorted(children.items(), key=lambda item: _name_order(*item)))
        self.size: int = sum(child.size for child in children.values())
        self.absent: bool = any(child.absent for child in children.values())
        self.all_absent: bool = all(child.all_absent for child in children.values())

    def matches(self, event: dict[str, Any]) -> bool:
        """Say whether the fields can be met by an event."""
        return bool(self.leading(event)) if self.absent else self.holds(event)

    def holds(self, value: Any) -> bool:
        """For fields without ``exists: false``: each array may choose the element that suits it."""
        if isinstance(value, dict):
            for name, child in self.children:  # noqa: SIM110 - as above
                if not child.holds(value.get(name, NOTHING)):
                    return False
            return True
        if isinstance(value, (list, tuple)):
            return any(map(self.holds, objects(value)))
        return False

    def leading(self, value: Any) -> frozenset[int]:
        """In which ways can ``value`` meet these fields? Empty: in none.

        Each way is told as the number of fields, from the first, that are met by absence before the first one that is
        met by a value; ``size`` when all are met by absence. That is what an array around ``value`` needs to know:
        fields that come before the one that chooses the element must be absent from all elements.
        """
        if not self.absent:
            return _BY_VALUE if self.holds(value) else _NEVER
        if isinstance(value, dict):
            return self._leading_of_fields(value)
        return self._leading_of_elements(list(objects(value)))

    def _leading_of_elements(self, elements: list[dict[str, Any]]) -> frozenset[int]:
        ways = {self.size} if self.all_absent else set()
        for element in elements:
            ways |= self.leading(element)
        if ways <= _BY_VALUE:
            return frozenset(ways)
        free = self._absent_everywhere(elements)
        return frozenset(way for way in ways if way <= free)

    def _leading_of_fields(self, value: dict[str, Any]) -> frozenset[int]:
        ways: set[int] = set()
        passed, all_absent = 0, True
        for name, child in self.children:
            of_child = child.leading(value.get(name, NOTHING))
            if not of_child:
                return _NEVER
            if all_absent:
                ways |= {passed + way for way in of_child if way < child.size}
                all_absent = child.size in of_child
            passed += child.size
        if all_absent:
            ways.add(passed)
        return frozenset(ways)

    def _absent_everywhere(self, elements: list[dict[str, Any]]) -> int:
        """How many fields, from the first, have no value in any of the elements."""
        count = 0
        for path in self._paths():
            if any(True for element in elements for _ in values_at(element, path)):
                break
            count += 1
        return count

    def _paths(self) -> Iterator[FieldPath]:
        for name, child in self.children:
            if isinstance(child, Leaf):
                yield (name,)
            else:
                for path in child._paths():
                    yield (name, *path)


Alternative: TypeAlias = dict[FieldPath, Leaf]


def tree_of(alternative: Alternative) -> Branch:
    """The fields of an alternative as a tree. No field may be a leaf and an object at once."""
    branches: dict[str, dict[FieldPath, Leaf]] = {}
    for path, leaf in alternative.items():
        branches.setdefault(path[0], {})[path[1:]] = leaf
    return Branch({name: below[()] if () in below else tree_of(below) for name, below in branches.items()})


def elements_of(value: Any) -> Iterator[Any]:
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


def leaves(value: Any) -> Iterator[Any]:
    """The leaves that stand in a value: itself, or in its arrays."""
    return (each for each in elements_of(value) if each is not NOTHING and not isinstance(each, dict))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects that stand in a value: itself, or in its arrays."""
    return (each for each in elements_of(value) if isinstance(each, dict))


def values_at(value: Any, path: FieldPath) -> Iterator[Any]:
    """All leaves at a path, through arrays."""
    if not path:
        yield from leaves(value)
        return
    for element in objects(value):
        if path[0] in element:
            yield from values_at(element[path[0]], path[1:])


def _name_order(name: str, node: Branch | Leaf) -> bytes:
    # Java compares UTF-16 units; the fields below an object have "name." in front.
    return (name if isinstance(node, Leaf) else name + ".").encode("utf-16-be", "surrogatepass")
