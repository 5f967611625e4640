"""What triggers are in Python: schedules and event triggers as objects, judged when they are made.

They never change: put on one pipeline and then on another, each makes a trigger of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from pipeline_triggers.domain.conversions import to_text
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.schedule_forms import check_schedule
from pipeline_triggers.domain.schedules import check_timezone
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidInputError, MalformedEventError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What the arguments are called that ``schedule_forms`` calls otherwise.
_ARGUMENTS = {
    "start": "start_date",
    "end": "end_date",
    "state": "enabled",
    "group": "group_name",
    "flexible_minutes": "flexible_window_minutes",
    "max_age_seconds": "maximum_event_age_in_seconds",
    "max_attempts": "maximum_retry_attempts",
}
_STATES = {True: "ENABLED", False: "DISABLED"}
# An event pattern that admits no execution of a pipeline, whichever it is.
_HARMLESS = {"source": ["aws.s3"]}
# What an object of the SageMaker SDK is known by, whose classes cannot be imported here.
_OF_SAGEMAKER = ("name", "enabled", "start_date", "at", "rate", "cron")


@dataclass(frozen=True, slots=True)
class PipelineSchedule:
    """A schedule that starts a pipeline. The first six arguments are those of the SageMaker SDK, in its order.

    Exactly one of ``at`` (a date and time), ``rate`` (such as ``(5, "minutes")``; weeks are 7 days) and ``cron`` (the
    text inside ``cron(…)``, such as ``"15 10 ? * 6L 2022-2023"``) says when. Without ``name`` it gets one that is made
    of the pipeline, the expression and the time zone.

    What is None is not mentioned: a schedule that is there keeps it, a new one gets the default (the stack's role and
    dead-letter queue, UTC, an hour of retries). So does ``enabled=None``. ``parameters`` are all that the pipeline gets
    besides its own defaults; numbers and booleans become text, and ``<aws.scheduler.scheduled-time>`` and its like are
    filled in by the service. ``flexible_window_minutes=0`` fires at the time itself. Whatever can be judged without AWS
    is judged when the object is made: InvalidInputError, with a problem for each argument that is wrong.
    """

    name: str | None = None
    enabled: bool | None = True
    start_date: datetime | None = None
    at: datetime | None = None
    rate: Sequence[int | str] | None = None
    cron: str | None = None
    timezone: str | None = None
    end_date: datetime | None = None
    parameters: Mapping[str, Any] | None = None
    group_name: str | None = None
    dead_letter_arn: str | None = None
    maximum_event_age_in_seconds: int | None = None
    maximum_retry_attempts: int | None = None
    flexible_window_minutes: int | None = None
    description: str | None = None
    delete_after_run: bool | None = None
    kms_key_arn: str | None = None

    def __post_init__(self) -> None:
        """Judge the arguments, and copy those that the caller might change later."""
        if isinstance(self.rate, list):
            object.__setattr__(self, "rate", tuple(self.rate))
        if isinstance(self.parameters, Mapping):
            object.__setattr__(self, "parameters", dict(self.parameters))
        try:
            check_schedule(self.to_document())
        except InvalidInputError as error:
            raise InvalidInputError(self.in_arguments(error)) from error

    def to_document(self) -> dict[str, Any]:
        """The schedule as ``domain.schedule_forms`` reads it, without its pipeline."""
        return {
            "name": self.name,
            "at": self.at,
            "rate": self.rate,
            "cron": self.cron,
            # The time of an ``at`` is meant in UTC, whatever zone the schedule that is there may have.
            "timezone": "UTC" if self.timezone is None and self.at is not None else self.timezone,
            "start": self._moment(self.start_date),
            "end": self._moment(self.end_date),
            "state": _STATES[self.enabled] if isinstance(self.enabled, bool) else self.enabled,
            "description": self.description,
            "parameters": _texts(self.parameters),
            "group": self.group_name,
            "dead_letter_arn": self.dead_letter_arn,
            "flexible_minutes": self.flexible_window_minutes,
            "delete_after_run": self.delete_after_run,
            "max_age_seconds": self.maximum_event_age_in_seconds,
            "max_attempts": self.maximum_retry_attempts,
            "kms_key_arn": self.kms_key_arn,
        }

    def in_arguments(self, error: InvalidInputError, name: str = "") -> Iterator[Problem]:
        """The problems of the document as problems of the arguments; ``name`` is the schedule's in their fields."""
        prefix = f"{name}." if name else ""
        time = next((key for key in ("at", "rate", "cron") if getattr(self, key) is not None), "cron")
        for problem in error.problems:
            field, dot, inside = problem.field.removeprefix(prefix).partition(".")
            field = time if field == "schedule_expression" else _ARGUMENTS.get(field, field)
            remedy = "Write True or False" if field == "enabled" else problem.remedy
            yield replace(problem, field=f"{prefix}{field}{dot}{inside}".removesuffix("."), remedy=remedy)

    def _moment(self, time: datetime | None) -> datetime | None:
        if not isinstance(time, datetime) or time.utcoffset() is not None:
            return time
        try:
            check_timezone(self.timezone or "UTC")
        except (InvalidInputError, TypeError):
            return time.replace(tzinfo=UTC)  # that the zone is wrong is told by itself
        return time.replace(tzinfo=UTC if self.timezone is None else ZoneInfo(self.timezone))


@dataclass(frozen=True, slots=True)
class PipelineEventTrigger:
    """A trigger that starts a pipeline for each event that its event pattern matches.

    ``event_pattern`` is one of EventBridge, as an object or as JSON. ``parameters`` are as in trigger files: a text, a
    JSONPath such as ``$.detail.object.key``, a template such as ``s3://<$.detail.bucket.name>/in``, or an object such
    as ``{"value": "$.detail.rows", "default": "0"}``; numbers and booleans become text. ``state`` is ENABLED, DISABLED
    or SHADOW (decides and records, starts nothing) and goes before ``enabled``. ``occurrence_key`` is a path or
    template that tells occurrences apart instead of the built-in key. ``role_arn`` is assumed for the start.

    Unlike a schedule it is always written whole: what is not given has the default, also where there is such a trigger.
    Whatever can be judged without AWS is judged when the object is made: InvalidTriggerError, or InvalidPatternError.
    """

    name: str
    event_pattern: Mapping[str, Any] | str
    parameters: Mapping[str, Any] | None = None
    enabled: bool = True
    state: OneOf["ENABLED", "DISABLED", "SHADOW"] | None = None
    description: str | None = None
    occurrence_key: str | None = None
    max_starts_per_hour: int | None = None
    tags: Mapping[str, str] | None = None
    version_id: int | None = None
    display_name: str | None = None
    parallelism: int | None = None
    role_arn: str | None = None

    def __post_init__(self) -> None:
        """Judge the arguments, and copy those that the caller might change later."""
        for name in ("parameters", "tags"):
            if isinstance(getattr(self, name), Mapping):
                object.__setattr__(self, name, dict(getattr(self, name)))
        document = self._document("any")
        if isinstance(self.event_pattern, Mapping | str):
            # Whether it admits the executions of its own pipeline is judged when that is known.
            object.__setattr__(self, "event_pattern", EventPattern(self.event_pattern).document)
            document["event_pattern"] = _HARMLESS
        Trigger.from_document(document)

    def to_trigger(self, pipeline: str, set: str = "") -> Trigger:  # noqa: A002 - the word of trigger files
        """The trigger of a pipeline (a name or an ARN), in a set. Raises InvalidTriggerError."""
        return Trigger.from_document(self._document(pipeline), set=set)

    def _document(self, pipeline: str) -> dict[str, Any]:
        target = {
            "pipeline": pipeline,
            "parameters": _texts(self.parameters),
            "version_id": self.version_id,
            "display_name": self.display_name,
            "parallelism": self.parallelism,
            "role_arn": self.role_arn,
        }
        document = {
            "name": self.name,
            "event_pattern": self.event_pattern,
            "state": self.state or ("ENABLED" if self.enabled else "DISABLED"),
            "description": self.description,
            "occurrence_key": self.occurrence_key,
            "max_starts_per_hour": self.max_starts_per_hour,
            "tags": self.tags,
            "targets": [{key: value for key, value in target.items() if value is not None}],
        }
        return {key: value for key, value in document.items() if value is not None}


def adopted(trigger: Any) -> PipelineSchedule:
    """A schedule of this module; one of the SageMaker SDK is read into it, and stays as it is."""
    if isinstance(trigger, PipelineSchedule):
        return trigger
    if not all(hasattr(trigger, attribute) for attribute in _OF_SAGEMAKER):
        reason = f"a {type(trigger).__name__} is no trigger"
        raise InvalidInputError([Problem("", reason, "Give a PipelineSchedule or a PipelineEventTrigger")])
    given = {attribute: getattr(trigger, attribute) for attribute in _OF_SAGEMAKER}
    return PipelineSchedule(**given | {"enabled": bool(trigger.enabled)})


def _texts(parameters: Mapping[str, Any] | None) -> Any:
    """Parameters with numbers and booleans as the text that SageMaker gets; what is neither is judged by the forms."""
    if not isinstance(parameters, Mapping):
        return parameters
    for name in parameters:
        if not isinstance(name, str):
            raise InvalidInputError([Problem("parameters", f"{name!r} is no name of a parameter: names are text")])
    return {name: _text(value) for name, value in parameters.items()}


def _text(value: Any) -> Any:
    if not isinstance(value, bool | int | float):
        return value
    try:
        return to_text(value, boolean=True)
    except MalformedEventError:  # not a number
        return value
