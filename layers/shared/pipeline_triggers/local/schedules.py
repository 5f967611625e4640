"""EventBridge Scheduler's calls as the service treats them, in front of moto, which treats them differently.

* CreateSchedule and UpdateSchedule refuse an expression or a time zone that the service does not know, a start date
  of more than five minutes ago, and a role that Scheduler may not assume.
* What a request leaves out has the service's default, in an update too.
* A call that is repeated with its client token is answered as the first time, and acts no more.
* A group that does not exist is ``ResourceNotFoundException``, one that exists already a ``ConflictException``.

Not known, and not refused: a one-time schedule whose time has passed, and an end date before the start date.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.errors import InvalidScheduleError
from pipeline_triggers.local.corrections import replaced
from pipeline_triggers.local.trust import is_trusted
from pipeline_triggers.local.wire import ACCOUNT, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline_triggers.local.wire import Answer, Call

    Forward = Callable[[Call], Answer]

_WRITES = frozenset({"CreateSchedule", "UpdateSchedule", "DeleteSchedule"})
_OLDEST_START_SECONDS = 300
_DEFAULTS: Mapping[str, Any] = {
    "GroupName": "default",
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "ActionAfterCompletion": "NONE",
}
_DEFAULT_RETRIES: Mapping[str, int] = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


class Schedules:
    """An interceptor that corrects moto's schedules; it remembers the client tokens of calls that succeeded."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer] = {}
        self._lock = Lock()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Answer a call of Scheduler as the service would; other services' calls pass unchanged."""
        if call.service != "scheduler" or call.operation not in _WRITES:
            return forward(call)
        if call.input.get("ClientToken") is None:
            return self._answer(call, forward)
        key = (call.operation, json.dumps(call.input, sort_keys=True))
        with self._lock:
            if key in self._answers:
                return self._answers[key]
            answer = self._answer(call, forward)
            if answer.succeeded:
                self._answers[key] = answer
            return answer

    def _answer(self, call: Call, forward: Forward) -> Answer:
        if call.operation == "DeleteSchedule":
            return forward(call)
        given = _completed(call.input)
        try:
            _judge(given, call.region)
        except RefusedError as refused:
            return refused.answer()
        return forward(call.with_input(given))


def _completed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The request with the defaults of what it leaves out."""
    target = {**given["Target"], "RetryPolicy": {**_DEFAULT_RETRIES, **(given["Target"].get("RetryPolicy") or {})}}
    return {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}, "Target": target}


def _judge(given: Mapping[str, Any], region: str) -> None:
    """Raise RefusedError with what the service says to a schedule that it does not take."""
    expression, timezone = given["ScheduleExpression"], given["ScheduleExpressionTimezone"]
    try:
        when = ScheduleExpression.parse(expression, timezone)
    except InvalidScheduleError as error:
        zone_is_wrong = error.field == "timezone"
        said = f"Timezone {timezone}" if zone_is_wrong else expression
        raise RefusedError("ValidationException", f"Invalid Schedule Expression {said}.") from error
    start = given.get("StartDate")
    if when.kind != "at" and start is not None and start < time.time() - _OLDEST_START_SECONDS:
        message = "The StartDate you specify cannot be earlier than 5 minutes ago."
        raise RefusedError("ValidationException", message)
    if not is_trusted(given["Target"]["RoleArn"], group_arn(given["GroupName"], region)):
        message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise RefusedError("ValidationException", message)


def group_arn(name: str, region: str) -> str:
    """The ARN of a schedule group of the embedded account."""
    return f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule-group/{name}"


@contextmanager
def missing_schedule_groups_are_told() -> Iterator[None]:
    """What is asked of a group that does not exist is ResourceNotFoundException.

    moto fails with an internal error to create a schedule there and to delete the group, and lists no schedules.
    """
    create, listed = EventBridgeSchedulerBackend.create_schedule, EventBridgeSchedulerBackend.list_schedules
    delete = EventBridgeSchedulerBackend.delete_schedule_group

    def create_in_group(backend: Any, **given: Any) -> Any:
        backend.get_schedule_group(given["group_name"])
        return create(backend, **given)

    def list_of_groups(backend: Any, group_names: list[str] | None, *more: Any, **named: Any) -> Any:
        for name in group_names or ():
            backend.get_schedule_group(name)
        return listed(backend, group_names, *more, **named)

    def delete_group(backend: Any, name: str | None) -> None:
        backend.get_schedule_group(name)
        delete(backend, name)

    with (
        replaced(EventBridgeSchedulerBackend, "create_schedule", create_in_group),
        replaced(EventBridgeSchedulerBackend, "list_schedules", list_of_groups),
        replaced(EventBridgeSchedulerBackend, "delete_schedule_group", delete_group),
    ):
        yield


@contextmanager
def schedule_groups_are_made_once() -> Iterator[None]:
    """CreateScheduleGroup with a name that is taken is a ConflictException. moto forgets the schedules of the group."""
    create = EventBridgeSchedulerBackend.create_schedule_group

    def create_group(backend: Any, name: str, tags: list[dict[str, str]]) -> Any:
        if name in backend.schedule_groups:
            raise JsonRESTError("ConflictException", f"Schedule group {name} already exists.")
        return create(backend, name, tags)

    with replaced(EventBridgeSchedulerBackend, "create_schedule_group", create_group):
        yield


@contextmanager
def updates_change_the_action_after_completion() -> Iterator[None]:
    """UpdateSchedule sets ActionAfterCompletion. moto keeps that of the creation."""
    update: Any = EventBridgeSchedulerResponse.update_schedule

    def with_action(response: Any) -> Any:
        answer = update(response)
        name = response.uri.split("?")[0].split("/")[-1]
        schedule = response.scheduler_backend.get_schedule(response._get_param("GroupName"), name)
        schedule.action_after_completion = response._get_param("ActionAfterCompletion")
        return answer

    with replaced(EventBridgeSchedulerResponse, "update_schedule", with_action):
        yield


CORRECTIONS = (
    missing_schedule_groups_are_told,
    schedule_groups_are_made_once,
    updates_change_the_action_after_completion,
)
