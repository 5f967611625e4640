"""The conditions of an event pattern field by field: for those who show a pattern or ask what it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.domain.patterns import EventPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

Alternative: TypeAlias = dict[tuple[str, ...], list[Any]]

# Of one list in a pattern so many values are named; of more it is said how many there are.
MAX_NAMED = 6


def alternatives(pattern: EventPattern) -> list[Alternative]:
    """The alternatives of a pattern, as lists of conditions by the path of their field.

    ``$or`` is spelt out (at most 1,000 alternatives, as EventPattern sees to) and dotted names are taken apart.
    """
    return [{path: leaf.entries for path, leaf in one.items()} for one in pattern.alternatives]


def concerns(pattern: EventPattern, event: Mapping[str, Any], *paths: tuple[str, ...]) -> bool:
    """Whether a pattern may match events that have, in these fields, what ``event`` has; its others do not matter."""
    for alternative in alternatives(pattern):
        asked = {".".join(path): entries for path, entries in alternative.items() if path in paths}
        if not asked or EventPattern(asked).matches(event):
            return True
    return False


def described(entry: object) -> str:
    """One entry of a pattern's list in a word: ``in/*`` for a prefix, ``not a`` for anything-but."""
    if not isinstance(entry, Mapping):
        return entry if isinstance(entry, str) else json.dumps(entry)
    ((operator, operand),) = entry.items()
    match operator:
        case "anything-but":
            others = operand if isinstance(operand, list) else [operand]
            return f"not {limited([described(other) for other in others])}"
        case "numeric":
            return " ".join(str(part) for part in operand)
        case "exists":
            return "exists" if operand else "is absent"
    if isinstance(operand, list):  # as it may be inside anything-but
        return limited([described({operator: text}) for text in operand])
    text = str(next(iter(operand.values())) if isinstance(operand, Mapping) else operand)  # one that ignores case
    return {"prefix": f"{text}*", "suffix": f"*{text}"}.get(operator, text)


def limited(texts: Sequence[str], between: str = " or ") -> str:
    """Texts in a row; of many only the first, and how many more there are."""
    if len(texts) <= MAX_NAMED:
        return between.join(texts)
    return between.join([*texts[: MAX_NAMED - 1], f"{len(texts) - MAX_NAMED + 1} more"])
