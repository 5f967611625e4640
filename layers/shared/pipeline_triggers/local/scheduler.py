"""EventBridge Scheduler at work: schedules of the embedded AWS whose time has come call their targets.

Which times those are, ``domain.schedules`` says. Simpler than in the service are:

* A flexible time window is not used: a schedule fires at its time.
* A time that had passed when the schedule was last changed does not fire, nor does the start date itself of a rate
  that began before. What passed while nobody looked is made up for, time by time.
* A target that fails is tried again at once: as often as the retry policy says, but no more than ``MOST_RETRIES``
  times. Then the dead-letter queue gets the request, with the attributes that the service writes.
* The targets are a pipeline, a queue, and the universal target that starts a pipeline. Any other is said once in the
  log and skipped. What the role may do is not looked at.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from moto.scheduler.models import scheduler_backends

from pipeline_triggers.domain.schedule_plans import is_universal
from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.local.emulator import local_client
from pipeline_triggers.local.wire import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_log = logging.getLogger(__name__)

MOST_RETRIES = 2
_TICK_SECONDS = 1.0

Outcome = Literal["delivered", "dead-letter", "lost", "skipped"]
Kind = Literal["sagemaker", "sqs"]


@dataclass(frozen=True, slots=True)
class Firing:
    """What became of one time of a schedule.

    ``delivered``: the target was called. Otherwise the ``error`` says why not: the request is in the queue for
    undelivered ones (``dead-letter``), is ``lost`` because the schedule has none, or was ``skipped``.
    """

    schedule_arn: str
    at: datetime
    outcome: Outcome
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Watched:
    """The next time of a schedule, in UTC, as it stands since its last modification; None when there is none."""

    modified: float
    next_time: datetime | None


@dataclass(frozen=True, slots=True)
class _Request:
    """A call of StartPipelineExecution or SendMessage, by its service."""

    service: Kind
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the last attempt failed, and which it was."""

    error: Exception
    request: _Request | None
    attempt: int
    execution_id: str

    @property
    def code(self) -> str:
        if isinstance(self.error, ClientError):
            return str(self.error.response["Error"]["Code"])
        return type(self.error).__name__


class Scheduler:
    """Fires the schedules of the embedded AWS of this process, which answers at ``endpoint_url``."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._watched: dict[str, _Watched] = {}
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def fire_due(self, now: datetime) -> list[Firing]:
        """Fire every enabled schedule once for each of its times that has come since the last call."""
        with self._lock:
            return [firing for schedule in _schedules() for firing in self._fire_due(schedule, now)]

    def fire(self, schedule: Mapping[str, Any], at: datetime) -> Firing:
        """Call the target of a schedule (GetSchedule's answer) as if this were its time."""
        target = schedule["Target"]
        if not (_is_pipeline(target["Arn"]) or _is_queue(target["Arn"]) or is_universal(target["Arn"])):
            return self._skipped(schedule, at)
        retries = min(int(target["RetryPolicy"]["MaximumRetryAttempts"]), MOST_RETRIES)
        for attempt in range(1, retries + 2):
            failure = self._attempt(schedule, at, attempt)
            if failure is None:
                return Firing(schedule["Arn"], at, "delivered")
        assert failure is not None, "there is always a first attempt"
        return self._given_up(schedule, at, failure)

    @contextmanager
    def running(self, on_fired: Callable[[Firing], None]) -> Iterator[None]:
        """Fire by the clock, in a thread that looks each second; ``on_fired`` is called from it."""
        stopping = threading.Event()

        def run() -> None:
            while not stopping.wait(_TICK_SECONDS):
                try:
                    for firing in self.fire_due(datetime.now(UTC)):
                        on_fired(firing)
                except Exception:
                    _log.exception("the schedules could not be fired; they are looked at again in a second")

        thread = threading.Thread(target=run, name="EventBridge Scheduler", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _fire_due(self, schedule: Mapping[str, Any], now: datetime) -> Iterator[Firing]:
        arn, modified = schedule["Arn"], schedule["LastModificationDate"]
        watched = self._watched.get(arn)
        if watched is None or watched.modified != modified:
            watched = _Watched(modified, _next_time(schedule, _moment(modified)))
            self._watched[arn] = watched
        while schedule["State"] == "ENABLED" and watched.next_time is not None and watched.next_time <= now:
            due = watched.next_time
            watched = _Watched(modified, _next_time(schedule, due))
            self._watched[arn] = watched
            yield self.fire(schedule, due)
            if watched.next_time is None and schedule["ActionAfterCompletion"] == "DELETE":
                self._delete(schedule)

    def _attempt(self, schedule: Mapping[str, Any], at: datetime, attempt: int) -> _Failure | None:
        execution_id = str(uuid.uuid4())
        attributes = {
            "schedule-arn": schedule["Arn"],
            "scheduled-time": _iso(at),
            "execution-id": execution_id,
            "attempt-number": str(attempt),
        }
        request = None
        try:
            request = self._request(schedule, at, attributes)
            if request.service == "sqs":
                self._sqs.send_message(**request.parameters)
            else:
                self._sagemaker.start_pipeline_execution(**request.parameters)
        except (ClientError, BotoCoreError, ValueError) as error:
            return _Failure(error, request, attempt, execution_id)
        return None

    def _request(self, schedule: Mapping[str, Any], at: datetime, attributes: Mapping[str, str]) -> _Request:
        """What is asked of the target. ValueError when the input of a universal target is no JSON object."""
        target = schedule["Target"]
        if _is_pipeline(target["Arn"]):
            listed = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
            parameters = [{"Name": each["Name"], "Value": _filled(each["Value"], attributes)} for each in listed]
            return _Request("sagemaker", {"PipelineName": target["Arn"], "PipelineParameters": parameters})
        text = _filled(target.get("Input") or "", attributes)
        if _is_queue(target["Arn"]):
            body = text or json.dumps(_notification(schedule["Arn"], at))
            return _Request("sqs", {"MessageBody": body, "QueueUrl": self._queue_url(target["Arn"])})
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError(f"the input of {target['Arn']} is no JSON object")
        return _Request("sagemaker", given)

    def _given_up(self, schedule: Mapping[str, Any], at: datetime, failure: _Failure) -> Firing:
        target = schedule["Target"]
        why = f"{failure.code}: {failure.error}"
        dead_letter_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not dead_letter_arn:
            return self._lost(schedule, at, why)
        attributes = {
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": str(failure.error),
            "EXECUTION_ID": failure.execution_id,
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(failure.attempt - 1),
            "SCHEDULED_TIME": _iso(at),
            "SCHEDULE_ARN": schedule["Arn"],
            "TARGET_ARN": target["Arn"],
        }
        body = json.dumps(dict(failure.request.parameters)) if failure.request else target.get("Input") or "{}"
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url(dead_letter_arn),
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            return self._lost(schedule, at, f"{why}; and its dead-letter queue: {error}")
        return Firing(schedule["Arn"], at, "dead-letter", why)

    def _lost(self, schedule: Mapping[str, Any], at: datetime, why: str) -> Firing:
        _log.warning("schedule %s at %s could not call its target and is lost: %s", schedule["Arn"], _iso(at), why)
        return Firing(schedule["Arn"], at, "lost", why)

    def _skipped(self, schedule: Mapping[str, Any], at: datetime) -> Firing:
        why = f"the embedded AWS does not know the target {schedule['Target']['Arn']}"
        if schedule["Arn"] not in self._said:
            self._said.add(schedule["Arn"])
            _log.warning("schedule %s is skipped: %s", schedule["Arn"], why)
        return Firing(schedule["Arn"], at, "skipped", why)

    def _delete(self, schedule: Mapping[str, Any]) -> None:
        try:
            self._scheduler.delete_schedule(GroupName=schedule["GroupName"], Name=schedule["Name"])
        except self._scheduler.exceptions.ResourceNotFoundException:
            _log.debug("schedule %s was deleted by somebody else", schedule["Arn"])

    def _queue_url(self, arn: str) -> str:
        _, _, _, _, account, name = arn.split(":")
        return f"{self._endpoint_url}/{account}/{name}"

    @cached_property
    def _sagemaker(self) -> Any:
        return local_client("sagemaker", self._endpoint_url, retries={"total_max_attempts": 1})

    @cached_property
    def _sqs(self) -> Any:
        return local_client("sqs", self._endpoint_url, retries={"total_max_attempts": 1})

    @cached_property
    def _scheduler(self) -> Any:
        return local_client("scheduler", self._endpoint_url, retries={"total_max_attempts": 1})


def _schedules() -> list[dict[str, Any]]:
    """All schedules, as GetSchedule answers them."""
    groups = list(scheduler_backends[ACCOUNT][REGION].schedule_groups.values())
    return [schedule.to_dict() for group in groups for schedule in list(group.schedules.values())]


def _next_time(schedule: Mapping[str, Any], after: datetime) -> datetime | None:
    """The first time after a moment, in UTC. A rate without a start date counts from when it was last changed."""
    when = ScheduleExpression.parse(schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"])
    start = _moment(schedule["StartDate"] or schedule["LastModificationDate"])
    end = _moment(schedule["EndDate"]) if schedule["EndDate"] else None
    coming = when.next_times(after, 1, start=start, end=end)
    return coming[0].astimezone(UTC) if coming else None


def _is_pipeline(arn: str) -> bool:
    return ":sagemaker:" in arn and ":pipeline/" in arn


def _is_queue(arn: str) -> bool:
    return ":sqs:" in arn


def _filled(text: str, attributes: Mapping[str, str]) -> str:
    """The text with what the service fills in (user guide, "Adding context attributes")."""
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _notification(schedule_arn: str, at: datetime) -> dict[str, Any]:
    """What a schedule without an input delivers."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": _iso(at),
        "region": REGION,
        "resources": [schedule_arn],
        "detail": "{}",
    }


def _moment(seconds: float) -> datetime:
    """A time of a schedule, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
