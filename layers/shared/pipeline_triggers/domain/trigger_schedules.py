"""The schedule of a trigger: when it fires, and which of the two ways its time becomes a start.

``via: direct`` (the default) makes EventBridge Scheduler start the pipeline itself: one target, static parameters, and
nothing else between. ``via: app`` makes it tell this application, where parameters may be read from the event
(``$.detail.scheduled_time``, ``window_start``, ``window_end``) and the ledger sees to one start for each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args
from typing import Literal as OneOf

from pipeline_triggers.domain import limits
from pipeline_triggers.domain.schedule_forms import time_of
from pipeline_triggers.domain.schedule_plans import CONTEXT_ATTRIBUTES, StartsPipeline, TellsTrigger, WantedSchedule
from pipeline_triggers.domain.schedules import ScheduleExpression, check_timezone
from pipeline_triggers.domain.templates import Literal
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.forms import Form
    from pipeline_triggers.domain.schedule_plans import Defaults
    from pipeline_triggers.domain.triggers import Target, Trigger

Way = OneOf["direct", "app"]

SCHEDULE_KEYS = (
    "timezone", "start", "end", "via", "flexible_minutes", "delete_after_run", "dead_letter_arn", "max_age_seconds",
    "max_attempts", "kms_key_arn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a scheduled trigger fires: an expression of EventBridge Scheduler in an IANA time zone, and how.

    ``flexible_minutes`` 0 means at the time itself; a None leaves the choice to the defaults of the stack.
    """

    expression: str
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    via: Way = "direct"
    flexible_minutes: int = 0
    delete_after_run: bool = False
    dead_letter_arn: str | None = None
    max_age_seconds: int | None = None
    max_attempts: int | None = None
    kms_key_arn: str | None = None

    @property
    def when(self) -> ScheduleExpression:
        """The expression in its time zone."""
        return ScheduleExpression.parse(self.expression, self.timezone)

    def to_document(self) -> dict[str, Any]:
        """The normal form: these keys stand in the trigger itself. What is the default is left out."""
        written = {
            "schedule_expression": self.expression,
            "timezone": self.timezone,
            "start": self.start and self.start.isoformat(),
            "end": self.end and self.end.isoformat(),
            "via": None if self.via == "direct" else self.via,
            "flexible_minutes": self.flexible_minutes or None,
            "delete_after_run": self.delete_after_run or None,
            "dead_letter_arn": self.dead_letter_arn,
            "max_age_seconds": self.max_age_seconds,
            "max_attempts": self.max_attempts,
            "kms_key_arn": self.kms_key_arn,
        }
        return {key: value for key, value in written.items() if value is not None}


def read_schedule(form: Form) -> Schedule | None:
    """Read the schedule of a trigger; None when it has none, or when its expression was refused."""
    if not form.has("schedule_expression"):
        for key in filter(form.has, SCHEDULE_KEYS):
            form.refuse(key, "belongs to a schedule", "Remove it, or write a schedule_expression")
        return None
    expression = form.text("schedule_expression", limits.SCHEDULE_EXPRESSION)
    start, end = (time_of(form, key) for key in ("start", "end"))
    if start and end and end <= start:
        form.refuse("end", "is not after start")
    schedule = Schedule(
        expression=expression or "",
        timezone=form.text("timezone", limits.TIMEZONE) or "UTC",
        start=start,
        end=end,
        via=cast("Way", form.choice("via", get_args(Way), "direct")),
        flexible_minutes=form.number("flexible_minutes", 0, limits.MAX_FLEXIBLE_MINUTES) or 0,
        delete_after_run=form.flag("delete_after_run") or False,
        dead_letter_arn=form.text("dead_letter_arn", limits.QUEUE_ARN),
        max_age_seconds=form.number("max_age_seconds", limits.MIN_EVENT_AGE_SECONDS, limits.MAX_EVENT_AGE_SECONDS),
        max_attempts=form.number("max_attempts", 0, limits.MAX_RETRY_ATTEMPTS),
        kms_key_arn=form.text("kms_key_arn", limits.KMS_KEY_ARN),
    )
    if expression is None:
        return None
    try:
        ScheduleExpression.parse(expression)
    except InvalidInputError as error:
        form.adopt("", error)
        return None
    return schedule


def judge_schedule(trigger: Trigger, form: Form) -> None:
    """Note what is wrong with a scheduled trigger as a whole: its time zone, and what its way cannot do."""
    if form.has("schedule_expression"):
        _judge_timezone(form)
    if trigger.schedule is None:
        return
    if trigger.schedule.via == "direct":
        for field, said in _beyond_scheduler(trigger):
            form.refuse(field, said, "Write via: app, so that this application starts the pipeline")
        return
    for number, target in enumerate(trigger.targets):
        for name, attribute in _context_attributes(target):
            form.refuse(
                f"targets[{number}].parameters.{name}",
                f"{attribute} is filled in only where EventBridge Scheduler starts the pipeline itself",
                "Write $.detail.scheduled_time or $.detail.schedule_arn, or leave out via: app",
            )


def _judge_timezone(form: Form) -> None:
    """Note a time zone that this system does not know, also beside an expression that was refused."""
    timezone = form.document.get("timezone")
    if not isinstance(timezone, str) or not limits.TIMEZONE.accepts(timezone):
        return
    try:
        check_timezone(timezone)
    except InvalidInputError as error:
        form.adopt("", error)


def wanted_schedule_of(trigger: Trigger, home: Home, defaults: Defaults) -> WantedSchedule:
    """The schedule that a scheduled trigger needs, in the stack's group and of the trigger's name."""
    schedule = trigger.schedule
    assert schedule is not None, "only triggers with a schedule have one"
    target: StartsPipeline | TellsTrigger = TellsTrigger(defaults.queue_arn, trigger.name)
    role_arn: str | None = defaults.queue_role_arn
    if schedule.via == "direct":
        (started,) = trigger.targets
        target = StartsPipeline(
            started.pipeline.arn_in(home),
            {parameter.name: parameter.value.text for parameter in started.parameters},
        )
        role_arn = started.role_arn or defaults.role_arn
    return WantedSchedule(
        name=trigger.name,
        group=defaults.group,
        expression=schedule.expression,
        target=target,
        timezone=schedule.timezone,
        start=schedule.start,
        end=schedule.end,
        state="DISABLED" if trigger.state == "DISABLED" else "ENABLED",
        description=trigger.description,
        flexible_minutes=schedule.flexible_minutes,
        delete_after_run=schedule.delete_after_run,
        role_arn=role_arn,
        dead_letter_arn=schedule.dead_letter_arn or defaults.dead_letter_arn,
        max_age_seconds=schedule.max_age_seconds,
        max_attempts=schedule.max_attempts,
        kms_key_arn=schedule.kms_key_arn,
        complete=True,
    )


def _beyond_scheduler(trigger: Trigger) -> Iterator[tuple[str, str]]:
    """What a trigger asks for that EventBridge Scheduler's own target cannot do: (field, reason)."""
    own = "is not known to EventBridge Scheduler"
    if trigger.state == "SHADOW":
        yield "state", f"SHADOW {own}"
    if trigger.occurrence_key is not None:
        yield "occurrence_key", own
    if trigger.max_starts_per_hour is not None:
        yield "max_starts_per_hour", own
    if len(trigger.targets) > 1:
        yield "targets", f"are {len(trigger.targets)}, and EventBridge Scheduler starts one pipeline"
    for number, target in enumerate(trigger.targets):
        given = {
            "version_id": target.pipeline.version_id,
            "display_name": target.display_name,
            "description": target.description,
            "parallelism": target.parallelism,
        }
        for key, value in given.items():
            if value:
                yield f"targets[{number}].{key}", own
        for parameter in target.parameters:
            if not isinstance(parameter.value, Literal):
                field = f"targets[{number}].parameters.{parameter.name}"
                yield field, f"{parameter.value.text} reads from an event, which EventBridge Scheduler does not have"


def _context_attributes(target: Target) -> Iterator[tuple[str, str]]:
    for parameter in target.parameters:
        for attribute in CONTEXT_ATTRIBUTES:
            if attribute in parameter.value.text:
                yield parameter.name, attribute
