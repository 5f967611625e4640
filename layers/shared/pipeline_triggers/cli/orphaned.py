"""Which triggers have lost a pipeline, for the commands that list, describe and sum up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline_triggers.domain.revisions import Current
    from pipeline_triggers.domain.triggers import Snapshot

MEANWHILE = "its events go to quarantine"
REMEDY = "Make the pipeline again, which starts at once, and redrive what is in quarantine; or change the trigger"


@dataclass(frozen=True, slots=True)
class OrphanedTarget:
    """A target whose pipeline was found not to exist any more; ``since`` is when a clean-up first found it so."""

    trigger: str
    target: str
    pipeline: str
    since: datetime

    @property
    def warning(self) -> Problem:
        """What somebody should know, and do."""
        said = f"its pipeline {self.pipeline} was found deleted at {self.since:%Y-%m-%d %H:%M} UTC: {MEANWHILE}"
        return Problem(f"{self.trigger}.{self.target}", said, REMEDY)

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "trigger": self.trigger,
            "target": self.target,
            "pipeline": self.pipeline,
            "since": self.since.isoformat(),
        }


def orphaned_targets(snapshot: Snapshot, current: Current) -> list[OrphanedTarget]:
    """The targets whose pipelines are marked as gone, in the order of the triggers.

    A mark may be some hours old: the next sweep takes it away from a pipeline that was made again.
    """
    return [
        OrphanedTarget(trigger.name, target.id, str(target.pipeline), since)
        for trigger in snapshot.triggers
        for target in trigger.targets
        if (since := current.orphaned_since(target.pipeline)) is not None
    ]
