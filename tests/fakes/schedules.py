"""EventBridge Scheduler in memory."""

from __future__ import annotations

import copy
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.scheduler import Schedule, ScheduleDefinition, SchedulePage
from pipeline_triggers.errors import NotFoundError, PermanentError, TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import HOME
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.domain.executions import Home

ROLE = "arn:aws:iam::123456789012:role/scheduler"
DEFAULT_RETRY_POLICY = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


@dataclass
class FakeSchedules(Recording):
    """The port ``Schedules``; schedules exist once they are added, in pages of ``page_size``.

    There is the group ``default``, as in every account, and those that are ``made``. ``group_tags`` are the tags of
    groups, by name. Of a token whose name is ``expired`` the service knows nothing any more.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    page_size: int = 100
    home: Home = HOME
    made: InitVar[Sequence[str]] = ()
    group_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    _definitions: dict[tuple[str, str], ScheduleDefinition] = field(default_factory=dict)
    _groups: list[str] = field(default_factory=lambda: ["default"])

    def __post_init__(self, made: Sequence[str]) -> None:
        self._groups.extend(made)

    def add(self, name: str, target_arn: str, *, group: str = "default", **document: Any) -> str:
        """Make a schedule as the SageMaker SDK does, or replace it; returns its ARN."""
        if group not in self._groups:
            self._groups.append(group)
        now = self.clock.now()
        arn = f"arn:{self.home.partition}:scheduler:{self.home.region}:{self.home.account}:schedule/{group}/{name}"
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
            if token in self.expired:
                raise PermanentError("refused-by-sagemaker", "ValidationException: Invalid NextToken")
            names = sorted(name for its_group, name in self._definitions if its_group == group and name > (token or ""))
            told = [self._told(group, name) for name in names[: self.page_size]]
            return SchedulePage(told, names[self.page_size - 1] if len(names) > self.page_size else None)

    def get(self, group: str, name: str) -> ScheduleDefinition:
        """Whole."""
        with self.call("get", group=group, name=name):
            if (group, name) not in self._definitions:
                raise NotFoundError(f"there is no schedule {name} in the group {group}")
            return self._definitions[group, name]

    def tags(self, group_arn: str) -> Mapping[str, str]:
        """None, unless a test has given some."""
        with self.call("tags", group_arn=group_arn):
            return dict(self.group_tags.get(group_arn.partition(":schedule-group/")[2], {}))

    def create(self, document: Mapping[str, Any]) -> str:
        """As the service does it: refuses a name that is taken, and a group that is not there."""
        group, name = document["GroupName"], document["Name"]
        with self.call("create", document=document):
            if group not in self._groups:
                raise NotFoundError(f"there is no schedule group {group}")
            if (group, name) in self._definitions:
                raise TransientError("conflict", f"there is a schedule {name} already")
            return self._write(document, self.clock.now())

    def update(self, document: Mapping[str, Any]) -> str:
        """As the service does it: what the request leaves out gets the default."""
        group, name = document["GroupName"], document["Name"]
        with self.call("update", document=document):
            existing = self._definitions.get((group, name))
            if existing is None:
                raise NotFoundError(f"there is no schedule {name} in the group {group}")
            return self._write(document, datetime.fromisoformat(existing.document["CreationDate"]))

    def delete(self, group: str, name: str) -> None:
        """Gone."""
        with self.call("delete", group=group, name=name):
            self._definitions.pop((group, name), None)

    def _write(self, document: Mapping[str, Any], made_at: datetime) -> str:
        """Store a request. Its start date is not earlier than 5 minutes ago; only its times are looked at."""
        request = copy.deepcopy(dict(document))
        now = self.clock.now()
        if "StartDate" in request and datetime.fromisoformat(request["StartDate"]) < now - timedelta(minutes=5):
            said = "The StartDate you specify cannot be earlier than 5 minutes ago."
            raise PermanentError("refused-by-sagemaker", said)
        group, name = request["GroupName"], request["Name"]
        arn = f"arn:{self.home.partition}:scheduler:{self.home.region}:{self.home.account}:schedule/{group}/{name}"
        request["Target"].setdefault("RetryPolicy", dict(DEFAULT_RETRY_POLICY))
        whole = {
            "Arn": arn,
            "ScheduleExpressionTimezone": "UTC",
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            **request,
            "CreationDate": made_at.isoformat(),
            "LastModificationDate": now.isoformat(),
        }
        self._definitions[group, name] = ScheduleDefinition(arn, request["Target"]["Arn"], now, whole)
        return arn

    def _told(self, group: str, name: str) -> Schedule:
        whole = self._definitions[group, name]
        return Schedule(whole.arn, group, name, whole.target_arn, whole.modified_at)
