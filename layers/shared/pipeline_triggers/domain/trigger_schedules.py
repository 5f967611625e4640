"""The schedule of a trigger: when it fires, and which of the two ways its time becomes a start.

``via: direct`` (the default) makes EventBridge Scheduler start the pipeline itself: one target, static parameters, and
nothing else between. ``via: app`` makes it tell this application, where parameters may be read from the event
(``$.detail.scheduled_time``, ``window_start``, ``window_end``) and the ledger sees to one start for each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pipeline_triggers.domain import limits
from pipeline_triggers.domain.times import parse_time
from pipeline_triggers.errors import InvalidScheduleError

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline_triggers.domain.forms import Form
    from pipeline_triggers.domain.schedules import ScheduleExpression

Way = Literal["direct", "app"]

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
        from pipeline_triggers.domain.schedules import ScheduleExpression  # noqa: PLC0415 - see triggers.py

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


def schedule_of(form: Form) -> Schedule:
    """Read the fields of a schedule; its expression is empty where that was refused, and is not parsed."""
    expression = form.text("schedule_expression", limits.SCHEDULE_EXPRESSION)
    start, end = (time_of(form, key) for key in ("start", "end"))
    if start and end and end <= start:
        form.refuse("end", "is not after start")
    return Schedule(
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


def time_of(form: Form, key: str) -> datetime | None:
    """A date and time with its offset, written as text; None when it is not there or was refused."""
    text = form.text(key, limits.TIME)
    try:
        return None if text is None else parse_time(text, key)
    except InvalidScheduleError as error:
        form.adopt("", error)
        return None
