"""A trigger on its way from a file to the normal form: its values so far, and where each of them was written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pipeline_triggers.documents import nodes
from pipeline_triggers.documents.nodes import Mapping, Node, Scalar, Sequence
from pipeline_triggers.domain.forms import join
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidTriggerError, Problem


@dataclass(frozen=True, slots=True)
class Place:
    """A field of the file, such as ``triggers[0].name``, and its line from 1."""

    field: str
    line: int

    def inside(self, key: str, line: int | None = None) -> Place:
        """A field inside this one."""
        return Place(join(self.field, key), self.line if line is None else line)


@dataclass(slots=True)
class Notes:
    """What is wrong with a file (``problems``) and what its author should know (``warnings``)."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def refuse(self, place: Place, reason: str, remedy: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(place.field, reason, remedy, self.file, place.line))

    def warn(self, place: Place, reason: str, remedy: str = "") -> None:
        """Note a warning."""
        self.warnings.append(Problem(place.field, reason, remedy, self.file, place.line))

    def text(self, node: Node, place: Place) -> Any:
        """A scalar as it was written; None for null. What is no scalar is read as ``plain`` does."""
        if not isinstance(node, Scalar):
            return self.plain(node, place)
        if not self._can_be_read(node, place) or node.is_null:
            return None
        return node.text

    def plain(self, node: Node, place: Place) -> Any:
        """A node as JSON would have it: objects, lists, texts, numbers, booleans, null."""
        if not self._can_be_read(node, place):
            return None
        if isinstance(node, Mapping):
            return {key.text: self.plain(value, place.inside(key.text, key.line)) for key, value in node.entries}
        if isinstance(node, Sequence):
            return [self.plain(item, place.inside(f"[{n}]", item.line)) for n, item in enumerate(node.items)]
        try:
            return nodes.value_of(node)
        except ValueError as error:
            self.refuse(place, f"{node.text[:40]} {error}", "Write a number, or put it into quotes")
            return None

    def _can_be_read(self, node: Node, place: Place) -> bool:
        """Refuse what CloudFormation would fill in, and other tags."""
        called = nodes.foreign_tag(node)
        if isinstance(node, Mapping) and len(node.entries) == 1:
            key = node.entries[0][0].text
            called = called or (key if key == "Ref" or key.startswith("Fn::") else "")
        if called:
            remedy = "Write the value itself: nothing is filled in here, neither by YAML nor by CloudFormation"
            self.refuse(place, f"{called} cannot be read", remedy)
        return not called


class Draft:
    """One trigger: ``document`` grows to its normal form, ``places`` says where its fields were written."""

    def __init__(self, place: Place, notes: Notes) -> None:
        self.notes = notes
        self.document: dict[str, Any] = {}
        self.places: dict[str, Place] = {"": place}

    def at(self, normal: str, place: Place, node: Node | None = None) -> None:
        """Say where a field of the normal form was written, and all that is inside ``node``."""
        self.places[normal] = place
        if node is not None:
            for inside, line in nodes.lines(node):
                if inside:
                    self.places[join(normal, inside)] = place.inside(inside, line)

    def place_of(self, normal: str) -> Place:
        """Where a field was written; one that was not, where the nearest field around it was."""
        around = normal
        while around not in self.places:
            around = around[: max(around.rfind("."), around.rfind("["), 0)]
        rest = normal[len(around) :].removeprefix(".")
        return self.places[around].inside(rest) if rest else self.places[around]

    def finish(self, of_set: str) -> Trigger | None:
        """The trigger; None when something was wrong with it, which is noted with field and line of the file."""
        already = tuple(problem.field for problem in self.notes.problems)
        try:
            return Trigger.from_document(self.document, set=of_set)
        except InvalidTriggerError as error:
            for problem in error.problems:
                place = self.place_of(problem.field)
                told = replace(problem, field=place.field, line=place.line, file=self.notes.file)
                if not _is_told(told.field, already):
                    self.notes.problems.append(told)
            return None


def _is_told(field: str, already: tuple[str, ...]) -> bool:
    """Tell whether something in a field was refused before it could be read: then what it lacks is no news."""
    return any(known == field or known.startswith((f"{field}.", f"{field}[")) for known in already)
