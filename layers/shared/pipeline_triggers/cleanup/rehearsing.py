"""A sweep that writes nothing: what it would remember, it keeps in its own memory.

It is for a person at a terminal. Its memory grows with the orphans, not with the schedules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.cleanup_records import Indexed, KeptDefinition
    from pipeline_triggers.domain.orphans import Orphan
    from pipeline_triggers.domain.ports import CleanupStore, OrphanMarks
    from pipeline_triggers.domain.sweeps import Position


@dataclass
class UnwrittenStore:
    """The port ``CleanupStore``: reads from the store behind it, and writes nothing into it."""

    behind: CleanupStore
    _orphans: dict[str, Orphan] = field(default_factory=dict)
    _position: Position | None = None

    def keep(self, definition: KeptDefinition) -> None:
        """Nothing is deleted, so nothing has to be kept."""

    def kept(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Iterator[KeptDefinition]:
        """As it is."""
        return self.behind.kept(pipeline_arn, since)

    def orphans(self) -> Iterator[Orphan]:
        """Those that this rehearsal has seen."""
        return iter(list(self._orphans.values()))

    def remembered(self, arns: Sequence[str]) -> Mapping[str, Orphan]:
        """As it is; what this rehearsal has seen itself counts first."""
        own = {arn: self._orphans[arn] for arn in arns if arn in self._orphans}
        return {**self.behind.remembered([arn for arn in arns if arn not in own]), **own}

    def remember(self, orphans: Sequence[Orphan]) -> None:
        """In memory."""
        self._orphans.update((orphan.arn, orphan) for orphan in orphans)

    def forget(self, arns: Sequence[str]) -> None:
        """In memory."""
        for arn in arns:
            self._orphans.pop(arn, None)

    def position(self) -> Position | None:
        """That of the rehearsal, or of the latest sweep, which counts as abandoned: nothing of it is disturbed."""
        if self._position is not None:
            return self._position
        last = self.behind.position()
        return last and last.abandoned()

    def save(self, position: Position, *, replacing: Position | None) -> bool:  # noqa: ARG002 - the port's word
        """In memory, where nobody else saves."""
        self._position = position
        return True

    def index(self, schedules: Sequence[Indexed]) -> None:
        """Not at all."""

    def indexed(self, pipeline_arn: str) -> Iterator[Indexed]:
        """As it is."""
        return self.behind.indexed(pipeline_arn)


@dataclass(frozen=True)
class UnwrittenMarks:
    """The port ``OrphanMarks``: tells what is marked, and marks nothing."""

    behind: OrphanMarks

    def marked(self) -> Mapping[str, datetime]:
        """As it is."""
        return self.behind.marked()

    def mark(self, pipeline_arns: Iterable[str], since: datetime) -> None:
        """Nothing."""

    def revive(self, pipeline_arns: Iterable[str]) -> None:
        """Nothing."""
