"""EventBridge Scheduler in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.ports import Schedule, ScheduleDefinition, SchedulePage
from pipeline_triggers.errors import NotFoundError
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ROLE = "arn:aws:iam::123456789012:role/scheduler"


@dataclass
class FakeSchedules(Recording):
    """The port ``Schedules``; schedules exist once they are added, in pages of ``page_size``."""

    clock: FakeClock = field(default_factory=FakeClock)
    page_size: int = 100
    _definitions: dict[tuple[str, str], ScheduleDefinition] = field(default_factory=dict)
    _groups: list[str] = field(default_factory=lambda: ["default"])

    def add(self, name: str, target_arn: str, *, group: str = "default", **document: Any) -> str:
        """Make a schedule as the SageMaker SDK does, or replace it; returns its ARN."""
        if group not in self._groups:
            self._groups.append(group)
        now = self.clock.now()
        arn = f"arn:aws:scheduler:us-east-1:123456789012:schedule/{group}/{name}"
        whole = {
            "Arn": arn,
            "GroupName": group,
            "Name": name,
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "CreationDate": now.isoformat(),
            "LastModificationDate": now.isoformat(),
            "Target": {"Arn": target_arn, "RoleArn": ROLE, "SageMakerPipelineParameters": {}},
            **document,
        }
        self._definitions[group, name] = ScheduleDefinition(arn, target_arn, now, whole)
        return arn

    def modified_at(self, name: str, group: str = "default") -> datetime:
        """When a schedule was made or last changed."""
        return self._definitions[group, name].modified_at

    @property
    def names(self) -> set[str]:
        """The names of all schedules."""
        return {name for _, name in self._definitions}

    def groups(self) -> Iterator[str]:
        """In the order in which they were made."""
        with self.call("groups"):
            return iter(list(self._groups))

    def page(self, group: str, token: str | None = None) -> SchedulePage:
        """In the order of names; tokens name the last schedule of a page, so that deleting does not shift pages."""
        with self.call("page", group=group, token=token):
            names = sorted(name for its_group, name in self._definitions if its_group == group and name > (token or ""))
            told = [self._told(group, name) for name in names[: self.page_size]]
            return SchedulePage(told, names[self.page_size - 1] if len(names) > self.page_size else None)

    def get(self, group: str, name: str) -> ScheduleDefinition:
        """Whole."""
        with self.call("get", group=group, name=name):
            if (group, name) not in self._definitions:
                raise NotFoundError(f"there is no schedule {name} in the group {group}")
            return self._definitions[group, name]

    def delete(self, group: str, name: str) -> None:
        """Gone."""
        with self.call("delete", group=group, name=name):
            self._definitions.pop((group, name), None)

    def _told(self, group: str, name: str) -> Schedule:
        whole = self._definitions[group, name]
        return Schedule(whole.arn, group, name, whole.target_arn, whole.modified_at)
