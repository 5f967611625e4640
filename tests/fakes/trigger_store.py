"""The trigger table in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline_triggers.domain.revisions import Current, RevisionInfo
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import NotFoundError, StaleRevisionError
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


@dataclass
class FakeTriggerStore(Recording):
    """The ports ``TriggerStore`` and ``OrphanMarks``; ``snapshots`` holds revision 1 first, ``orphaned`` the marks."""

    clock: FakeClock = field(default_factory=FakeClock)
    snapshots: list[Snapshot] = field(default_factory=list)
    orphaned: dict[str, datetime] = field(default_factory=dict)
    _infos: list[RevisionInfo] = field(default_factory=list)

    def put(self, *triggers: Trigger) -> int:
        """Make these triggers the current ones, for the arrangement of a test."""
        return self.write(Snapshot(0, triggers), expected_revision=len(self.snapshots), by="test")

    def revision(self) -> int:
        """The number of snapshots."""
        with self.call("revision"):
            return len(self.snapshots)

    def current(self) -> Current:
        """The number of snapshots, and the marks."""
        with self.call("current"):
            return Current(len(self.snapshots), dict(self.orphaned))

    def marked(self) -> Mapping[str, datetime]:
        """The marks."""
        with self.call("marked"):
            return dict(self.orphaned)

    def mark(self, pipeline_arns: Iterable[str], since: datetime) -> None:
        """Each keeps its first time."""
        with self.call("mark", pipeline_arns=(arns := tuple(pipeline_arns)), since=since):
            for arn in arns:
                self.orphaned.setdefault(arn.casefold(), since)

    def revive(self, pipeline_arns: Iterable[str]) -> None:
        """Gone."""
        with self.call("revive", pipeline_arns=(arns := tuple(pipeline_arns))):
            for arn in arns:
                self.orphaned.pop(arn.casefold(), None)

    def load(self, revision: int | None = None) -> Snapshot:
        """A snapshot by number."""
        with self.call("load", revision=revision):
            number = len(self.snapshots) if revision is None else revision
            if number == 0:
                return Snapshot(0, ())
            if not 0 < number <= len(self.snapshots):
                raise NotFoundError(f"there is no revision {number} of the triggers")
            return self.snapshots[number - 1]

    def revisions(self) -> Sequence[RevisionInfo]:
        """Newest first."""
        with self.call("revisions"):
            return [replace(info, current=info.revision == len(self._infos)) for info in reversed(self._infos)]

    def write(self, snapshot: Snapshot, *, expected_revision: int, by: str) -> int:
        """Append a snapshot if nobody else did."""
        with self.call("write", snapshot=snapshot, expected_revision=expected_revision, by=by):
            if expected_revision != len(self.snapshots):
                raise StaleRevisionError(f"the triggers are not at revision {expected_revision} any more")
            number = expected_revision + 1
            self.snapshots.append(Snapshot(number, snapshot.triggers))
            self._infos.append(RevisionInfo(number, self.clock.now(), by, len(snapshot.triggers), current=True))
            return number
