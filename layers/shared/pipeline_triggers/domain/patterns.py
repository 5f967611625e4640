"""Event patterns: which events a trigger wants, in EventBridge's language.

The rules are those of Amazon EventBridge (User Guide, "Comparison operators for use in event patterns") and, where the
guide is silent, of aws/event-ruler, the engine that AWS publishes: ``pattern_language`` has what may be written,
``pattern_conditions`` what each operator accepts, ``pattern_matching`` how fields and arrays go together.

Three things differ on purpose. Numbers are compared by value at any size and precision, where EventBridge ignores
numbers in events beyond ±5e9 or with more than six decimals. A field that appears twice (written twice, or inside and
beside ``$or``) is refused, where EventBridge may drop the first without a word; so is a field that is a leaf and an
object at once. A CIDR range begins at the address as it is written, as in event-ruler.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.pattern_language import alternatives_of, read, shown, wanted, written
from pipeline_triggers.domain.pattern_matching import tree_of, values_at
from pipeline_triggers.errors import InvalidPatternError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.pattern_matching import Alternative, Branch, FieldPath

MAX_IN_RULE = 4096
MISSING = "missing"
NO_ONE_ELEMENT = "no one element"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a pattern does not match: the field, what the pattern wants there, and what the event has there."""

    path: str
    wanted: str
    found: str

    def __str__(self) -> str:
        if self.found == MISSING:
            return f"{self.path}: missing, but wanted {self.wanted}"
        if self.found == NO_ONE_ELEMENT:
            return f"{self.path}: no one element of the array has {self.wanted}"
        return f"{self.path}: {self.found} matches none of {self.wanted}"


class EventPattern:
    """One event pattern, checked when it is made. Immutable; two are equal when their documents are.

    Takes the pattern as a mapping or as JSON text. Raises InvalidPatternError with the path inside the pattern, such
    as ``detail.object.key[0].prefix``, and the reason.

    It keeps its text; what is needed to match is made of it when first needed, for of very many patterns only a few
    ever meet an event that they might want.
    """

    __slots__ = ("_compiled", "_text")

    def __init__(self, document: Mapping[str, Any] | str) -> None:
        plain, self._text = read(document)
        alternatives_of(plain)
        self._compiled: list[tuple[Alternative, Branch]] | None = None

    @classmethod
    def known(cls, document: Mapping[str, Any]) -> EventPattern:
        """A pattern that was checked when it was stored, and is not checked again."""
        made = cls.__new__(cls)
        made._compiled = None
        made._text = written(document)
        return made

    @classmethod
    def for_rule(cls, document: Mapping[str, Any] | str) -> EventPattern:
        """A pattern that is to go into a rule of EventBridge, which takes at most 4,096 characters (PutRule).

        Counted are those of the shortest way to write it. This application's own triggers have no such limit.
        """
        made = cls(document)
        length = len(json.dumps(made.document, separators=(",", ":"), ensure_ascii=False))
        if length > MAX_IN_RULE:
            reason = f"the pattern of a rule has at most {MAX_IN_RULE:,} characters, and this one has {length:,}"
            raise InvalidPatternError("", reason)
        return made

    @property
    def document(self) -> dict[str, Any]:
        """The pattern as a plain document of its own, which may be changed."""
        document: dict[str, Any] = json.loads(self._text)
        return document

    @property
    def alternatives(self) -> list[Alternative]:
        """The fields of which all must hold, for each alternative; made anew each time."""
        return alternatives_of(self.document)

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Say whether an event's document matches."""
        event = document if isinstance(document, dict) else dict(document)
        for _, tree in self._compile():  # noqa: SIM110 - a generator would take longer than a match
            if tree.matches(event):
                return True
        return False

    def matches_by(self, number: int, event: dict[str, Any]) -> bool:
        """Say whether an event matches by the alternative of this number, in the order of ``alternatives``."""
        return self._compile()[number][1].matches(event)

    def explain(self, document: Mapping[str, Any]) -> Mismatch | None:
        """Say what failed first, in the order of the pattern; None exactly when the event matches.

        Of several alternatives (``$or``), the one that came furthest is explained.
        """
        if self.matches(document):
            return None
        failures = [_first_failure(alternative, dict(document)) for alternative, _ in self._compile()]
        return max(failures, key=lambda failure: failure[0])[1]

    def reads(self, *path: str) -> bool:
        """Say whether the pattern has a condition on this field, or below it, be it inside ``$or``."""
        return bool(path) and any(
            field[: len(path)] == path for alternative, _ in self._compile() for field in alternative
        )

    def exact_values(self, *path: str) -> frozenset[str] | None:
        """The strings of which an event must have one in this field to match; None when that cannot be said."""
        values: set[str] = set()
        for alternative, _ in self._compile():
            leaf = alternative.get(path)
            if leaf is None or leaf.only_texts is None:
                return None
            values |= leaf.only_texts
        return frozenset(values)

    def _compile(self) -> list[tuple[Alternative, Branch]]:
        if self._compiled is None:
            self._compiled = [(alternative, tree_of(alternative)) for alternative in self.alternatives]
        return self._compiled

    def _key(self) -> str:
        return json.dumps(self.document, sort_keys=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventPattern):
            return NotImplemented
        return self._text == other._text or self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"EventPattern({self.document!r})"


def _first_failure(alternative: Alternative, event: dict[str, Any]) -> tuple[int, Mismatch]:
    """Where an alternative that does not match fails first, and how many of its fields hold before that."""
    for count, (path, leaf) in enumerate(alternative.items()):
        values = list(values_at(event, path))
        if not (any(map(leaf.accepts, values)) if values else leaf.absent):
            return count, Mismatch(".".join(path), wanted(leaf.entries), _found(values))
    return len(alternative), _disagreement(alternative, event)


def _disagreement(alternative: Alternative, event: dict[str, Any]) -> Mismatch:
    """Every field holds by itself, but not all of them in the same element of some array: the innermost such."""
    path: FieldPath = ()
    fields = alternative
    while True:
        for name in dict.fromkeys(field[0] for field in fields):
            below = {field[1:]: leaf for field, leaf in fields.items() if field[0] == name and len(field) > 1}
            if below and not tree_of({(*path, name, *field): leaf for field, leaf in below.items()}).leading(event):
                path, fields = (*path, name), below
                break
        else:
            of_all = " and ".join(f"{'.'.join(field)} {wanted(leaf.entries)}" for field, leaf in fields.items())
            return Mismatch(".".join(path), of_all, NO_ONE_ELEMENT)


def _found(values: list[Any]) -> str:
    if not values:
        return MISSING
    told = ", ".join(shown(value) for value in values[:5])
    return told if len(values) <= 5 else f"{told} and {len(values) - 5} more"
