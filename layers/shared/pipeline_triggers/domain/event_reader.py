"""Reading from an event, in one walk, the leaves at all fields that somebody wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.pattern_matching import elements_of

if TYPE_CHECKING:
    from pipeline_triggers.domain.pattern_matching import FieldPath


class Field:
    """A field that is wanted, or a step on the way to one: the fields below it, by name."""

    __slots__ = ("below",)

    def __init__(self) -> None:
        self.below: dict[str, Field] = {}


class Many(list[Any]):
    """The leaves of a field that stands in, or below, an array."""

    __slots__ = ()


class Found(dict[Field, Any]):
    """The leaves that an event has at the wanted fields, each a leaf or Many; ``arrays``: whether there is Many."""

    arrays = False


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
        return field

    def read(self, event: dict[str, Any]) -> Found:
        """The leaves of an event. The walk goes no deeper than the longest path."""
        found = Found()
        _read(self._top.below, event, found)
        return found


def _read(fields: dict[str, Field], value: dict[str, Any], found: Found) -> None:
    for name in fields if len(fields) < len(value) else value:
        if name not in value or name not in fields:
            continue
        field, below = fields[name], value[name]
        if isinstance(below, str):  # what most leaves are
            found[field] = below
        elif isinstance(below, dict):
            if field.below:
                _read(field.below, below, found)
        elif isinstance(below, (list, tuple)):
            found.arrays = True
            _read_elements(field, below, found)
        else:
            found[field] = below


def _read_elements(field: Field, array: Any, found: Found) -> None:
    for element in elements_of(array):
        if isinstance(element, dict):
            for name, below in field.below.items():
                if name in element:
                    _read_elements(below, element[name], found)
        else:
            if field not in found:
                found[field] = Many()
            found[field].append(element)
