"""The rules of the embedded AWS take the event patterns that EventBridge takes, and match events as it does.

moto takes every operator, known or not, and has ideas of its own about arrays of objects, null and numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern as MotoPattern

from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.errors import InvalidPatternError
from pipeline_triggers.local.corrections import iso_time, replaced

if TYPE_CHECKING:
    from collections.abc import Iterator


class _RulePattern(MotoPattern):
    """A rule's pattern as moto wants one, with the answers of ours."""

    def __init__(self, raw_pattern: str, pattern: EventPattern) -> None:
        super().__init__(raw_pattern, pattern.document)
        self._exactly = pattern

    def matches_event(self, event: Any) -> bool:
        return self._exactly.matches({**event, "time": iso_time(event["time"])})


@contextmanager
def rules_match_as_eventbridge_does() -> Iterator[None]:
    """PutRule, archives and templates are refused a pattern that EventBridge refuses; the others match exactly."""
    load = MotoPattern.load

    def loaded(raw_pattern: str | None) -> MotoPattern:
        if not raw_pattern:
            return load(raw_pattern)
        try:
            return _RulePattern(raw_pattern, EventPattern.for_rule(raw_pattern))
        except InvalidPatternError as error:
            raise InvalidEventPatternException(str(error)) from error

    with replaced(MotoPattern, "load", staticmethod(loaded)):
        yield


CORRECTIONS = (rules_match_as_eventbridge_does,)
