"""EventBridge Scheduler: implements the port ``Schedules``."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.scheduler import Schedule, ScheduleDefinition, SchedulePage
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.adapters.clients import Clients

# Of ListSchedules and ListScheduleGroups, from the service model.
MAX_RESULTS = 100
MISSING = "ResourceNotFoundException"
TIMES = ("StartDate", "EndDate")


class EventBridgeSchedules:
    """The schedules of this account and Region, in all groups."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def groups(self) -> Iterator[str]:
        """The names of all schedule groups."""
        page: dict[str, Any] = {}
        while True:
            with readable():
                answer: Mapping[str, Any] = self._clients.scheduler.list_schedule_groups(MaxResults=MAX_RESULTS, **page)
                names = [str(group["Name"]) for group in answer["ScheduleGroups"]]
            yield from names
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}

    def page(self, group: str, token: str | None = None) -> SchedulePage:
        """A page of a group's schedules, the first without ``token``. A group that is not there has none."""
        page: dict[str, Any] = {} if token is None else {"NextToken": token}
        with readable():
            try:
                answer: Mapping[str, Any] = self._clients.scheduler.list_schedules(
                    GroupName=group, MaxResults=MAX_RESULTS, **page
                )
            except ClientError as error:
                if code_of(error) == MISSING:
                    return SchedulePage(())
                raise
            return SchedulePage(tuple(map(_schedule, answer["Schedules"])), answer.get("NextToken") or None)

    def get(self, group: str, name: str) -> ScheduleDefinition:
        """One schedule whole. NotFoundError when there is none."""
        with readable():
            with _found(f"there is no schedule {name} in the group {group}"):
                answer: Mapping[str, Any] = self._clients.scheduler.get_schedule(GroupName=group, Name=name)
            told = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
            return ScheduleDefinition(
                arn=told["Arn"],
                target_arn=told["Target"]["Arn"],
                modified_at=_modified_at(told),
                document=json.loads(json.dumps(told, default=_iso)),
            )

    def tags(self, group_arn: str) -> Mapping[str, str]:
        """The tags of a schedule group; none when there is no such group."""
        with readable():
            try:
                answer: Mapping[str, Any] = self._clients.scheduler.list_tags_for_resource(ResourceArn=group_arn)
            except ClientError as error:
                if code_of(error) == MISSING:
                    return {}
                raise
            return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}

    def create(self, document: Mapping[str, Any]) -> str:
        """Make a schedule and return its ARN; ``document`` is the CreateSchedule request as JSON, times in ISO 8601.

        TransientError("conflict") when there is one of that name in that group, NotFoundError when there is no group.
        """
        with translated(), _found(f"there is no schedule group {document['GroupName']}"):
            return self._clients.scheduler.create_schedule(**_request(document))["ScheduleArn"]

    def update(self, document: Mapping[str, Any]) -> str:
        """Change a schedule and return its ARN; ``document`` is the UpdateSchedule request, in the form of ``create``.

        What it leaves out gets the service's default. NotFoundError when there is no such schedule,
        TransientError("conflict") while somebody else changes it.
        """
        with translated(), _found(f"there is no schedule {document['Name']} in the group {document['GroupName']}"):
            return self._clients.scheduler.update_schedule(**_request(document))["ScheduleArn"]

    def delete(self, group: str, name: str) -> None:
        """Delete a schedule; one that is not there is fine."""
        with translated():
            try:
                self._clients.scheduler.delete_schedule(GroupName=group, Name=name)
            except ClientError as error:
                if code_of(error) != MISSING:
                    raise


@contextmanager
def _found(otherwise: str) -> Iterator[None]:
    """Turn the answer that there is no such thing into NotFoundError, with these words."""
    try:
        yield
    except ClientError as error:
        if code_of(error) == MISSING:
            raise NotFoundError(otherwise) from error
        raise


def _request(document: Mapping[str, Any]) -> dict[str, Any]:
    """A request as botocore takes it: its times are no texts."""
    times = {key: datetime.fromisoformat(document[key]) for key in TIMES if key in document}
    return {**document, **times}


def _schedule(summary: Mapping[str, Any]) -> Schedule:
    return Schedule(
        arn=summary["Arn"],
        group=summary["GroupName"],
        name=summary["Name"],
        target_arn=summary["Target"]["Arn"],
        modified_at=_modified_at(summary),
    )


def _modified_at(told: Mapping[str, Any]) -> datetime:
    made: datetime = told["CreationDate"]
    changed: datetime = told["LastModificationDate"]
    return max(made, changed)


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
