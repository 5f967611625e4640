"""What a clean-up keeps of what it deletes, and what sweeps have seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeptDefinition:
    """Something that a clean-up deleted, or was about to: enough to put it back.

    ``arn`` is a schedule's, or ``RuleTarget.arn``; ``pipeline_arn`` is casefolded. ``document`` is what GetSchedule
    answered; or of a rule target ``{"Rule", "EventBusName", "RuleArn", "Target": RuleTarget.document}``.
    ``modified_at`` is when a schedule was made or last changed, None for a rule target.
    """

    kind: Literal["schedule", "rule-target"]
    arn: str
    pipeline_arn: str
    document: Mapping[str, Any]
    deleted_at: datetime
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Indexed:
    """That a schedule was seen to start a pipeline; ``pipeline_arn`` is casefolded."""

    pipeline_arn: str
    group: str
    name: str
