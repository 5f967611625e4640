"""The memory of clean-ups, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.domain.ports import ScheduleDefinition


@dataclass
class FakeCleanupStore(Recording):
    """The port ``CleanupStore``; ``kept`` definitions by pipeline, in the order of their first keeping."""

    kept: dict[str, list[ScheduleDefinition]] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)

    def keep(self, pipeline_arn: str, definition: ScheduleDefinition) -> None:
        """Once for each state of a schedule."""
        with self.call("keep", pipeline_arn=pipeline_arn, definition=definition):
            of_pipeline = self.kept.setdefault(pipeline_arn.casefold(), [])
            if (definition.arn, definition.modified_at) not in [(it.arn, it.modified_at) for it in of_pipeline]:
                of_pipeline.append(definition)

    def orphans(self) -> Mapping[str, datetime]:
        """Those that are remembered."""
        with self.call("orphans"):
            return dict(self.seen)

    def remember(self, schedule_arn: str, first_seen: datetime) -> None:
        """Kept until it is forgotten."""
        with self.call("remember", schedule_arn=schedule_arn, first_seen=first_seen):
            self.seen[schedule_arn] = first_seen

    def forget(self, schedule_arn: str) -> None:
        """Gone."""
        with self.call("forget", schedule_arn=schedule_arn):
            self.seen.pop(schedule_arn, None)
