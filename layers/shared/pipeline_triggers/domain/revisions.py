"""How the triggers stand, and who wrote which revision of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.domain.executions import PipelineRef


@dataclass(frozen=True, slots=True)
class Current:
    """How the triggers stand: their revision, and since when which pipelines are marked as orphaned.

    ``orphaned`` is by casefolded ARN, as ``OrphanMarks.marked`` tells it.
    """

    revision: int
    orphaned: Mapping[str, datetime] = field(default_factory=dict)

    def orphaned_since(self, ref: PipelineRef) -> datetime | None:
        """Since when the pipeline of a target is marked; None when it is not.

        Only pipelines of the stack's home are marked, and a name without an ARN means one of them.
        """
        if ref.arn is not None:
            return self.orphaned.get(ref.arn.casefold())
        return next((since for arn, since in self.orphaned.items() if ref.means(arn)), None)


@dataclass(frozen=True, slots=True)
class RevisionInfo:
    """One revision of the triggers: who wrote it and when."""

    revision: int
    at: datetime
    by: str
    triggers: int
    current: bool
