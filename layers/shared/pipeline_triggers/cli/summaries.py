"""What became of many events: how many of each outcome, trigger by trigger, and an example of each kind of refusal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from rich.text import Text

from pipeline_triggers.cli.decisions import decision_shown
from pipeline_triggers.cli.render import cell, indented, line, styled, table
from pipeline_triggers.domain.decisions import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipeline_triggers.domain.decisions import Decision

# How many triggers, and how many examples, are listed.
MAX_LISTED = 20


@dataclass
class Summary:
    """Counts decisions as they come; of each kind of refusal (trigger and reason) it keeps the first."""

    events: int = 0
    _outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    _triggers: dict[str, Counter[str]] = field(default_factory=dict)
    # Hashes of 64 bits instead of texts: there may be very many.
    _occurrences: set[int] = field(default_factory=set)
    _examples: dict[tuple[str, str], tuple[str, Decision]] = field(default_factory=dict)
    _kinds: set[tuple[str, str]] = field(default_factory=set)

    def add(self, place: str, occurrence: str, decisions: tuple[Decision, ...]) -> None:
        """Count one event with its decisions; ``occurrence`` is empty for what is no event."""
        self.events += 1
        if occurrence:
            self._occurrences.add(hash(occurrence))
        for decision in decisions:
            self._outcomes[decision.outcome, decision.reason] += 1
            if decision.trigger:
                self._triggers.setdefault(decision.trigger, Counter())[decision.outcome] += 1
            if decision.reason:
                self._keep(place, decision)

    def shown(self) -> Iterator[RenderableType]:
        """The counts for people."""
        occurrences = f", {len(self._occurrences):,} distinct occurrence{'s' * (len(self._occurrences) != 1)}"
        yield line((f"{self.events:,} events{occurrences}", "bold"))
        rows = [[styled(outcome), reason, f"{count:,}"] for (outcome, reason), count in self._outcomes.most_common()]
        yield indented(table(["outcome", "reason", "decisions"], rows))
        if self._triggers:
            yield indented(Text(), self._by_trigger())
        if len(self._triggers) > MAX_LISTED:
            yield indented(line((f"and {len(self._triggers) - MAX_LISTED:,} more triggers", "dim")))

    def examples(self) -> Iterator[RenderableType]:
        """The first refusal of each kind, with its place."""
        if self._examples:
            yield Text()
            yield line("The first refusal of each kind, by trigger and reason:")
        for place, decision in self._examples.values():
            yield Text()
            yield line((place, "bold"))
            yield indented(decision_shown(decision))
        if len(self._kinds) > len(self._examples):
            yield Text()
            more = len(self._kinds) - len(self._examples)
            yield line((f"and {more:,} more kinds of refusal: --verbose shows every event", "dim"))

    def _keep(self, place: str, decision: Decision) -> None:
        kind = (decision.trigger, decision.reason)
        self._kinds.add(kind)
        if len(self._examples) < MAX_LISTED:
            self._examples.setdefault(kind, (place, decision))

    def _by_trigger(self) -> RenderableType:
        """A line for each of the busiest triggers, a column for each outcome that occurred."""
        listed = sorted(self._triggers.items(), key=lambda item: -item[1].total())[:MAX_LISTED]
        outcomes = [outcome for outcome in get_args(Outcome) if any(counts[outcome] for _, counts in listed)]
        rows = [
            [cell(name, "bold"), *(f"{counts[outcome]:,}" if counts[outcome] else "" for outcome in outcomes)]
            for name, counts in listed
        ]
        return table(["trigger", *outcomes], rows)
