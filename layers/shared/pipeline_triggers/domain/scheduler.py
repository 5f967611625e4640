"""Schedules as EventBridge Scheduler tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as a list tells of it; ``modified_at`` is when it was made or last changed, aware."""

    arn: str
    group: str
    name: str
    target_arn: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """One page of a schedule group; ``token`` asks for the next one, None when there is none."""

    schedules: Sequence[Schedule]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduleDefinition:
    """A schedule whole: ``document`` is what GetSchedule answers, as JSON, with times in ISO 8601."""

    arn: str
    target_arn: str
    modified_at: datetime
    document: Mapping[str, Any]
