"""Reading from an event, in one walk, the leaves at all fields that somebody wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.pattern_matching import elements_of

if TYPE_CHECKING:
    from pipeline_triggers.domain.pattern_matching import FieldPath


class Field:
    """A field that is wanted, or a step on the way to one."""

    __slots__ = ("below", "is_wanted")

    def __init__(self) -> None:
        self.below: dict[str, Field] = {}
        self.is_wanted = False


class Many(list[Any]):
    """The leaves of a field that stands in, or below, an array."""

    __slots__ = ()


class Found:
    """What an event has at the wanted fields that have a leaf: the leaf, or Many; ``arrays``: whether there is Many."""

    __slots__ = ("arrays", "leaves")

    def __init__(self) -> None:
        self.leaves: dict[Field, Any] = {}
        self.arrays = False


class EventReader:
    """The fields that are wanted; each is known by an object of its own."""

    __slots__ = ("_top",)

    def __init__(self) -> None:
        self._top = Field()

    def field(self, path: FieldPath) -> Field:
        """The field at a path, from now on wanted."""
        field = self._top
        for name in path:
            below = field.below.get(name)
            if below is None:
                below = field.below[name] = Field()
            field = below
        field.is_wanted = True
        return field

    def read(self, event: dict[str, Any]) -> Found:
        """The leaves of an event. The walk goes no deeper than the longest path."""
        found = Found()
        _read(self._top.below, event, found)
        return found


def _read(fields: dict[str, Field], value: dict[str, Any], found: Found) -> None:
    for name, below in value.items():
        field = fields.get(name)
        if field is None:
            continue
        if isinstance(below, dict):
            if field.below:
                _read(field.below, below, found)
        elif isinstance(below, (list, tuple)):
            found.arrays = True
            _read_elements(field, below, found.leaves)
        elif field.is_wanted:
            found.leaves[field] = below


def _read_elements(field: Field, array: Any, leaves: dict[Field, Any]) -> None:
    for element in elements_of(array):
        if isinstance(element, dict):
            for name, below in field.below.items():
                if name in element:
                    _read_elements(below, element[name], leaves)
        elif field.is_wanted:
            if field not in leaves:
                leaves[field] = Many()
            leaves[field].append(element)
