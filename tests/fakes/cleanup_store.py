"""The memory of clean-ups, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.cleanup_records import Indexed, KeptDefinition
    from pipeline_triggers.domain.orphans import Orphan
    from pipeline_triggers.domain.sweeps import Position


@dataclass
class FakeCleanupStore(Recording):
    """The port ``CleanupStore``.

    ``definitions`` by pipeline, in the order of their first keeping; ``seen`` are the orphans that are remembered, by
    ARN; ``noted`` is the index; ``last`` is how far the latest sweep has come. Nothing expires.
    """

    definitions: dict[str, list[KeptDefinition]] = field(default_factory=dict)
    seen: dict[str, Orphan] = field(default_factory=dict)
    noted: set[Indexed] = field(default_factory=set)
    last: Position | None = None

    def keep(self, definition: KeptDefinition) -> None:
        """Once for each state of a schedule."""
        with self.call("keep", definition=definition):
            of_pipeline = self.definitions.setdefault(definition.pipeline_arn.casefold(), [])
            key = (definition.arn, definition.modified_at or definition.deleted_at)
            others = [it for it in of_pipeline if (it.arn, it.modified_at or it.deleted_at) != key]
            of_pipeline[:] = [*others, definition]

    def kept(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Iterator[KeptDefinition]:
        """Newest first."""
        with self.call("kept", pipeline_arn=pipeline_arn, since=since):
            of_all = [it for each in self.definitions.values() for it in each]
            found = of_all if pipeline_arn is None else self.definitions.get(pipeline_arn.casefold(), [])
            wanted = [it for it in found if since is None or it.deleted_at >= since]
            return iter(sorted(wanted, key=lambda it: it.deleted_at, reverse=True))

    def orphans(self) -> Iterator[Orphan]:
        """Those that are remembered."""
        with self.call("orphans"):
            return iter(list(self.seen.values()))

    def remembered(self, arns: Sequence[str]) -> Mapping[str, Orphan]:
        """Those of these that are remembered."""
        with self.call("remembered", arns=arns):
            return {arn: self.seen[arn] for arn in arns if arn in self.seen}

    def remember(self, orphans: Sequence[Orphan]) -> None:
        """Kept until they are forgotten."""
        with self.call("remember", orphans=orphans):
            self.seen.update((orphan.arn, orphan) for orphan in orphans)

    def forget(self, arns: Sequence[str]) -> None:
        """Gone."""
        if arns:
            with self.call("forget", arns=arns):
                for arn in arns:
                    self.seen.pop(arn, None)

    def position(self) -> Position | None:
        """The one that was saved last."""
        with self.call("position"):
            return self.last

    def save(self, position: Position, *, replacing: Position | None) -> bool:
        """Unless somebody else was faster."""
        with self.call("save", position=position, replacing=replacing):
            if self.last is not None and (replacing is None or replacing.mark != self.last.mark):
                return False
            self.last = position
            return True

    def index(self, schedules: Sequence[Indexed]) -> None:
        """Noted."""
        with self.call("index", schedules=schedules):
            self.noted.update(schedules)

    def indexed(self, pipeline_arn: str) -> Iterator[Indexed]:
        """Those of one pipeline, in the order of their names."""
        with self.call("indexed", pipeline_arn=pipeline_arn):
            its = [it for it in self.noted if it.pipeline_arn == pipeline_arn.casefold()]
            return iter(sorted(its, key=lambda it: (it.group, it.name)))
