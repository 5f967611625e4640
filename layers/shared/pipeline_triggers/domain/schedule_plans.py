"""What a schedule shall be, and the request that makes it so: EventBridge Scheduler's own documents, made and changed.

UpdateSchedule sets whatever a request leaves out back to the service's default, so a change always begins with what is
there: it keeps what nobody mentioned, and is no request at all when nothing would change.

A rate counts from its start date, without one from when it was made. A start date that has passed cannot be sent again
for long, and without one an update might let the rate count anew: so each change of a rate names the next time of its
rhythm as the start date.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from typing import Literal as OneOf

from pipeline_triggers.domain.events import INTERNAL_SOURCE, SCHEDULED_TIME_EVENT
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.domain.schedules import ScheduleExpression
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.schedules import Occurrence

MAX_SCHEDULE_NAME = 64
# "The StartDate you specify cannot be earlier than 5 minutes ago" (Scheduler's ValidationException); one minute less,
# for the call and for clocks that differ.
OLDEST_START = timedelta(minutes=4)

# Of a new schedule, where nobody says otherwise: what the service itself would take, but for the retries. SageMaker
# refuses for good what it refuses for an hour, and a start that is a day late is seldom wanted.
DEFAULT_MAX_AGE_SECONDS = 3600
DEFAULT_MAX_ATTEMPTS = 185

# What EventBridge Scheduler fills in (user guide, "Adding context attributes"). The id of an execution differs in each
# attempt: an occurrence is its schedule and its scheduled time.
SCHEDULE_ARN = "<aws.scheduler.schedule-arn>"
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
ATTEMPT_NUMBER = "<aws.scheduler.attempt-number>"
CONTEXT_ATTRIBUTES = (SCHEDULE_ARN, SCHEDULED_TIME, "<aws.scheduler.execution-id>", ATTEMPT_NUMBER)

# The end of the ARN of the universal target that calls StartPipelineExecution; the pipeline is named in its input.
_UNIVERSAL = ":aws-sdk:sagemaker:startpipelineexecution"

# The keys of GetSchedule's answer that CreateSchedule and UpdateSchedule take.
_WRITABLE = (
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "Description",
    "State", "KmsKeyArn", "FlexibleTimeWindow", "ActionAfterCompletion", "Target",
)  # fmt: skip

Document: TypeAlias = dict[str, Any]
ScheduleState = OneOf["ENABLED", "DISABLED"]


@dataclass(frozen=True, slots=True)
class StartsPipeline:
    """A schedule that starts a pipeline itself, by EventBridge Scheduler's own target.

    ``parameters`` are all that are sent; with ``added`` they are put beside those that are there. None keeps what is
    there. In each case ``removed`` are taken away.
    """

    pipeline_arn: str
    parameters: Mapping[str, str] | None = None
    added: bool = False
    removed: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The ARN of the schedule's target."""
        return self.pipeline_arn

    def written_into(self, target: Document) -> None:
        """Write the parameters into the target of a schedule."""
        kept = parameters_of(target) if self.added or self.parameters is None else {}
        wanted = {**kept, **(self.parameters or {})}
        listed = [{"Name": name, "Value": value} for name, value in wanted.items() if name not in self.removed]
        target["SageMakerPipelineParameters"] = {"PipelineParameterList": listed} if listed else {}


@dataclass(frozen=True, slots=True)
class TellsTrigger:
    """A schedule that tells this application that the time of a trigger has come, by a message to its queue."""

    queue_arn: str
    trigger: str

    @property
    def arn(self) -> str:
        """The ARN of the schedule's target."""
        return self.queue_arn

    def written_into(self, target: Document) -> None:
        """Write the message into the target of a schedule."""
        detail = {"trigger": self.trigger, "schedule_arn": SCHEDULE_ARN, "scheduled_time": SCHEDULED_TIME}
        event = {"source": INTERNAL_SOURCE, "detail-type": SCHEDULED_TIME_EVENT, "detail": detail}
        target["Input"] = json.dumps(event)


@dataclass(frozen=True, slots=True)
class WantedSchedule:
    """A schedule as somebody wants it. What is None was not mentioned: an update keeps it, a new one has the default.

    With ``complete`` there is nothing else to it: what is None has the default in an update too.
    ``flexible_minutes`` 0 means no flexible window. ``role_arn`` is assumed by EventBridge Scheduler.
    """

    name: str
    group: str
    expression: str
    target: StartsPipeline | TellsTrigger
    timezone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    state: ScheduleState | None = None
    description: str | None = None
    flexible_minutes: int | None = None
    delete_after_run: bool | None = None
    role_arn: str | None = None
    dead_letter_arn: str | None = None
    max_age_seconds: int | None = None
    max_attempts: int | None = None
    kms_key_arn: str | None = None
    complete: bool = False

    @property
    def when(self) -> ScheduleExpression:
        """The expression in its time zone (UTC when none was mentioned)."""
        return ScheduleExpression.parse(self.expression, self.timezone or "UTC")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the stack has for new schedules that mention nothing else.

    ``role_arn`` may start pipelines and is trusted for schedules of ``group`` only; ``queue_role_arn`` may send to the
    queue ``queue_arn``, to which schedules send that go through this application.
    """

    group: str
    role_arn: str
    queue_role_arn: str
    queue_arn: str
    dead_letter_arn: str


def name_for(pipeline: str, expression: str, timezone: str = "UTC") -> str:
    """The name of a schedule that was given none: of the pipeline's name, and of what distinguishes its schedules.

    The same expression has the same name again, so that it is written once; names have at most 64 characters.
    """
    suffix = hashlib.sha256(f"{pipeline}|{expression}|{timezone}".encode()).hexdigest()[:8]
    return f"{pipeline[: MAX_SCHEDULE_NAME - 9]}-{suffix}"


def parameters_of(target: Mapping[str, Any]) -> dict[str, str]:
    """The pipeline parameters of a schedule's target."""
    listed = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    return {parameter["Name"]: parameter["Value"] for parameter in listed}


def is_same_target(existing: Mapping[str, Any], wanted: WantedSchedule) -> bool:
    """Whether a schedule that is there starts what is wanted: the same pipeline, or the same trigger by the same queue.

    The ARNs of pipelines are compared whole and casefolded, since SageMaker lower-cases their names.
    """
    target = existing["Target"]
    if isinstance(wanted.target, StartsPipeline):
        return bool(target["Arn"].casefold() == wanted.target.arn.casefold())
    return bool(target["Arn"] == wanted.target.arn) and _told_trigger(target) == wanted.target.trigger


def starts_pipeline(existing: Mapping[str, Any], pipeline_arn: str, home: Home) -> bool:
    """Whether a schedule starts a pipeline itself: by Scheduler's own target, or by its universal target."""
    target = existing["Target"]
    started = str(target["Arn"])
    if is_universal(started):
        named = json_object(target.get("Input")).get("PipelineName")
        try:
            started = PipelineRef.parse(str(named)).arn_in(home)
        except InvalidInputError:
            return False
    return started.casefold() == pipeline_arn.casefold()


def is_universal(target_arn: str) -> bool:
    """Whether it is Scheduler's universal target that starts a pipeline which its input names."""
    return target_arn.casefold().endswith(_UNIVERSAL)


def _told_trigger(target: Mapping[str, Any]) -> object:
    """The trigger that a schedule's message names; None when it is no such message."""
    return json_object(json_object(target.get("Input")).get("detail")).get("trigger")


def expression_of(document: Mapping[str, Any]) -> ScheduleExpression:
    """The expression of a schedule in its time zone. InvalidScheduleError for what only the service understands."""
    return ScheduleExpression.parse(document["ScheduleExpression"], zone_of(document))


def zone_of(document: Mapping[str, Any]) -> str:
    """The time zone of a schedule."""
    return str(document.get("ScheduleExpressionTimezone") or "UTC")


def coming_times(document: Mapping[str, Any], now: datetime, count: int, *, made_at: datetime) -> list[Occurrence]:
    """The next times of a schedule, with those that are skipped between them; InvalidScheduleError as above.

    A rate without a start date counts from ``made_at``.
    """
    when = expression_of(document)
    dates = (document.get("StartDate"), document.get("EndDate"))
    start, end = (datetime.fromisoformat(date) if date else None for date in dates)
    if start is None and when.kind == "rate":
        start = made_at
    return when.preview(now, count, start=start, end=end)


def created(wanted: WantedSchedule, defaults: Defaults, now: datetime) -> Document:
    """The CreateSchedule request of a new schedule; the defaults hold where it mentions nothing."""
    role_arn = defaults.role_arn if isinstance(wanted.target, StartsPipeline) else defaults.queue_role_arn
    document = _written(_blank(wanted, role_arn, defaults.dead_letter_arn), wanted)
    _keep_rhythm(document, now, now - OLDEST_START)
    return document


def _blank(wanted: WantedSchedule, role_arn: str, dead_letter_arn: str) -> Document:
    """A new schedule before anything that is mentioned is written into it; it may have no dead-letter queue."""
    return {
        "Name": wanted.name,
        "GroupName": wanted.group,
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "NONE",
        "Target": {
            "Arn": wanted.target.arn,
            "RoleArn": role_arn,
            **({"DeadLetterConfig": {"Arn": dead_letter_arn}} if dead_letter_arn else {}),
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": DEFAULT_MAX_AGE_SECONDS,
                "MaximumRetryAttempts": DEFAULT_MAX_ATTEMPTS,
            },
        },
    }


def changed(existing: Mapping[str, Any], wanted: WantedSchedule, now: datetime) -> Document | None:
    """The UpdateSchedule request that makes an existing schedule (GetSchedule's answer) what is wanted; None: it is."""
    before = _writable(existing)
    there = before["Target"]
    blank = _blank(wanted, there["RoleArn"], there.get("DeadLetterConfig", {}).get("Arn", ""))
    after = _written(blank if wanted.complete else before, wanted)
    if (goes_on := _rate_that_goes_on(existing, after, wanted, now)) is not None:
        before["StartDate"] = after["StartDate"] = goes_on
    if _comparable(before, now) == _comparable(after, now):
        return None
    _keep_rhythm(after, now, now if wanted.start is None else now - OLDEST_START)
    return after


def switched(existing: Mapping[str, Any], state: ScheduleState, now: datetime) -> Document | None:
    """The UpdateSchedule request that only changes the state; None when it is that already."""
    if existing.get("State", "ENABLED") == state:
        return None
    return {**restored(existing, now), "State": state}


def restored(existing: Mapping[str, Any], now: datetime) -> Document:
    """The request that makes a schedule again as it was, from what GetSchedule answered when it was still there.

    All of it is the same, but for the start date: of a rate it is the next time of its rhythm, and of other schedules
    one that has passed is left out, for it cannot be sent again and says nothing any more.
    """
    document = _writable(existing)
    if _rate_of(document) is not None and (origin := _origin(existing)) is not None:
        document["StartDate"] = origin
    _keep_rhythm(document, now, now)
    return document


def _writable(existing: Mapping[str, Any]) -> Document:
    """What of GetSchedule's answer can be sent back."""
    return {key: copy.deepcopy(existing[key]) for key in _WRITABLE if existing.get(key) is not None}


def _written(document: Document, wanted: WantedSchedule) -> Document:
    """A copy of a document with everything that is mentioned written into it."""
    written = copy.deepcopy(document)
    mentioned = {
        "ScheduleExpression": wanted.expression,
        "ScheduleExpressionTimezone": wanted.timezone,
        "StartDate": wanted.start and _iso(wanted.start),
        "EndDate": wanted.end and _iso(wanted.end),
        "State": wanted.state,
        "Description": wanted.description,
        "KmsKeyArn": wanted.kms_key_arn,
        "FlexibleTimeWindow": _window(wanted.flexible_minutes),
        "ActionAfterCompletion": {True: "DELETE", False: "NONE", None: None}[wanted.delete_after_run],
    }
    written |= {key: value for key, value in mentioned.items() if value is not None}
    if not written.get("Description"):
        written.pop("Description", None)
    target = written["Target"]
    target |= {"RoleArn": wanted.role_arn} if wanted.role_arn else {}
    target |= {"DeadLetterConfig": {"Arn": wanted.dead_letter_arn}} if wanted.dead_letter_arn else {}
    retry = {"MaximumEventAgeInSeconds": wanted.max_age_seconds, "MaximumRetryAttempts": wanted.max_attempts}
    retry = {key: value for key, value in retry.items() if value is not None}
    target |= {"RetryPolicy": {**target.get("RetryPolicy", {}), **retry}} if retry else {}
    wanted.target.written_into(target)
    return written


def _rate_that_goes_on(
    existing: Mapping[str, Any], after: Document, wanted: WantedSchedule, now: datetime
) -> str | None:
    """The moment that a rate counts from, when it is the same before and after and nobody mentions a start date.

    Where nothing is kept that is not mentioned (``complete``), a start date that is still to come was meant to hold the
    rate back and goes. Not so one that the next firing would have too: it came about by an earlier change.
    """
    rate, origin = _rate_of(existing), _origin(existing)
    if wanted.start is not None or rate is None or rate != _rate_of(after) or origin is None:
        return None
    if wanted.complete and _moment(origin) > now + rate:
        return None
    return origin


def _origin(existing: Mapping[str, Any]) -> str | None:
    """The moment that a rate counts from: its start date, else when it was last changed.

    AWS does not say whether a change lets a rate without a start date count anew; it is taken to do so.
    """
    for key in ("StartDate", "LastModificationDate", "CreationDate"):
        if existing.get(key) is not None:
            return str(existing[key])
    return None


def _rate_of(document: Mapping[str, Any]) -> timedelta | None:
    """The interval of a rate; None for what is none, also for an expression that only the service understands."""
    text = document["ScheduleExpression"]
    try:
        return ScheduleExpression.parse(text).interval if text.startswith("rate(") else None
    except InvalidInputError:
        return None


def _keep_rhythm(document: Document, now: datetime, oldest: datetime) -> None:
    """Replace a start date that is not after ``oldest``: by the next time of a rate, else by nothing, for it says none.

    Whole seconds count: the service fires within a minute of each time.
    """
    if "StartDate" not in document:
        return
    start = _moment(document["StartDate"])
    if start > oldest:
        return
    coming: list[datetime] = []
    if _rate_of(document) is not None:
        when, end = ScheduleExpression.parse(document["ScheduleExpression"]), document.get("EndDate")
        coming = when.next_times(now, 1, start=start, end=end and _moment(end))
    if coming:
        document["StartDate"] = _iso(coming[0])
    else:
        del document["StartDate"]


def _comparable(document: Document, now: datetime) -> Document:
    """A document without the differences that make none: the order of parameters, the spelling of times, defaults."""
    same = copy.deepcopy(document)
    _keep_rhythm(same, now, now)
    for key in ("StartDate", "EndDate"):
        if key in same:
            same[key] = _iso(_moment(same[key]))
    target = same["Target"]
    target["SageMakerPipelineParameters"] = parameters_of(target)
    target["Input"] = _read(target.get("Input", ""))
    if ":sagemaker:" in target["Arn"].casefold():
        target["Arn"] = target["Arn"].casefold()
    for key, default in (
        ("ScheduleExpressionTimezone", "UTC"),
        ("State", "ENABLED"),
        ("ActionAfterCompletion", "NONE"),
    ):
        same.setdefault(key, default)
    return same


def _window(minutes: int | None) -> Document | None:
    if minutes is None:
        return None
    return {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": minutes} if minutes else {"Mode": "OFF"}


def _moment(text: str) -> datetime:
    """A time of a document in UTC, in whole seconds. What lies outside of the calendar there is at its end."""
    return _utc(datetime.fromisoformat(text))


def _iso(time: datetime) -> str:
    return _utc(time).isoformat()


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return (datetime.min if time.year == 1 else datetime.max).replace(microsecond=0, tzinfo=UTC)


def _read(text: str) -> object:
    """The value of a JSON text; a text that is none stands for itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
