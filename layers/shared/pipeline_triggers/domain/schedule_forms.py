"""Schedules as people write them, at the command line and in Python: a plain document, read into a ``WantedSchedule``.

One of four keys says when: ``schedule_expression`` in EventBridge Scheduler's own spelling, ``at`` (a date and time),
``rate`` (``5 minutes``, or the pair ``(5, "minutes")``) or ``cron`` (the six fields without ``cron(…)``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from pipeline_triggers.domain import limits
from pipeline_triggers.domain.conversions import MAX_PARAMETERS
from pipeline_triggers.domain.executions import Home, PipelineRef
from pipeline_triggers.domain.forms import Form, join, kind_of, shown
from pipeline_triggers.domain.schedule_plans import StartsPipeline, WantedSchedule, name_for
from pipeline_triggers.domain.schedules import ScheduleExpression, check_timezone, rate_text
from pipeline_triggers.domain.templates import embeds_path, is_path
from pipeline_triggers.domain.trigger_schedules import time_of
from pipeline_triggers.errors import InvalidInputError, InvalidScheduleError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.schedule_plans import ScheduleState

TIMES = ("schedule_expression", "at", "rate", "cron")
SCHEDULE_KEYS = (
    "name", "pipeline", *TIMES, "timezone", "start", "end", "state", "description", "parameters", "role_arn", "group",
    "dead_letter_arn", "flexible_minutes", "delete_after_run", "max_age_seconds", "max_attempts", "kms_key_arn",
)  # fmt: skip
# Minutes of some 1,900 years: more than there are in the calendar of AWS.
_MAX_RATE = 1_000_000_000


def wanted_schedule(document: Mapping[str, Any], home: Home, group: str) -> WantedSchedule:
    """Read a schedule; ``group`` is the schedule group of one that names none. A key with None was not mentioned.

    Raises InvalidInputError with every problem at once; their fields are the keys of the document.
    """
    problems: list[Problem] = []
    form = Form({key: value for key, value in document.items() if value is not None}, problems)
    form.only(SCHEDULE_KEYS)
    timezone = _timezone(form)
    expression = _expression(form, timezone or "UTC")
    pipeline = _pipeline(form)
    start, end = _time(form, "start"), _time(form, "end")
    if start and end and end <= start:
        form.refuse("end", "is not after start")
    name = (
        form.text("name", limits.NAME) if form.has("name") else name_for(pipeline.name, expression, timezone or "UTC")
    )
    wanted = WantedSchedule(
        name=name or "",
        group=form.text("group", limits.SCHEDULE_GROUP) or group,
        expression=expression,
        target=StartsPipeline(pipeline.arn_in(home), _parameters(form)),
        timezone=timezone,
        start=start,
        end=end,
        state=_state(form),
        description=form.text("description", limits.DESCRIPTION),
        flexible_minutes=form.number("flexible_minutes", 0, limits.MAX_FLEXIBLE_MINUTES),
        delete_after_run=form.flag("delete_after_run"),
        role_arn=form.text("role_arn", limits.ROLE_ARN),
        dead_letter_arn=form.text("dead_letter_arn", limits.QUEUE_ARN),
        max_age_seconds=form.number("max_age_seconds", limits.MIN_EVENT_AGE_SECONDS, limits.MAX_EVENT_AGE_SECONDS),
        max_attempts=form.number("max_attempts", 0, limits.MAX_RETRY_ATTEMPTS),
        kms_key_arn=form.text("kms_key_arn", limits.KMS_KEY_ARN),
    )
    if problems:
        raise InvalidInputError(problems)
    return wanted


def check_schedule(document: Mapping[str, Any]) -> None:
    """Raise what ``wanted_schedule`` would raise for a schedule whose pipeline is not known yet."""
    wanted_schedule({**document, "pipeline": "any"}, Home("aws", "000000000000", "us-east-1"), "default")


def _timezone(form: Form) -> str | None:
    timezone = form.text("timezone", limits.TIMEZONE)
    if timezone is None:
        # A moment is written in UTC then, and must not be read in the zone of a schedule that is there.
        return "UTC" if _is_moment(form.document.get("at")) else None
    try:
        check_timezone(timezone)
    except InvalidScheduleError as error:
        form.adopt("", error)
        return None
    return timezone


def _expression(form: Form, timezone: str) -> str:
    """The schedule expression; empty when a problem was noted."""
    given = [key for key in TIMES if form.has(key)]
    if len(given) != 1:
        said = f"{' and '.join(given)} say when" if given else "nothing says when"
        form.refuse("", said, "Give one of at, rate and cron")
        return ""
    (key,) = given
    readers = {"schedule_expression": _as_written, "at": _at, "rate": _rate, "cron": _cron}
    try:
        return ScheduleExpression.parse(readers[key](form.document[key], timezone)).text
    except InvalidScheduleError as error:
        form.refuse(key, error.reason)
        return ""


def _as_written(value: object, _: str) -> str:
    if not isinstance(value, str):
        raise InvalidScheduleError("schedule_expression", f"must be text, not {kind_of(value)}")
    return value


def _at(value: object, timezone: str) -> str:
    """A date and time: with an offset it is brought to the time zone, without one it is the time on the clock there."""
    time = value
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError as error:
            reason = f"{shown(value)} is no ISO 8601 date and time, such as 2030-01-31T08:00:00"
            raise InvalidScheduleError("at", reason) from error
    if not isinstance(time, datetime):
        raise InvalidScheduleError("at", f"must be a date and time, not {kind_of(value)}")
    if time.utcoffset() is not None:
        time = _in_zone(time, timezone)
    return f"at({time.replace(tzinfo=None).isoformat(timespec='seconds')})"


def _in_zone(time: datetime, timezone: str) -> datetime:
    """A moment on the clocks of a time zone. Of an hour that they show twice, the second cannot be said there."""
    try:
        local = time.astimezone(UTC if timezone == "UTC" else ZoneInfo(timezone))
    except OverflowError as error:
        raise InvalidScheduleError("at", f"{time.isoformat()} is outside of the calendar in {timezone}") from error
    if local.fold:
        said = f"the clocks of {timezone} show {local:%Y-%m-%d %H:%M} twice, and a schedule fires at the first of them"
        raise InvalidScheduleError("at", f"{said}: leave out the time zone, and it fires at {time.isoformat()}")
    return local


def _is_moment(value: object) -> bool:
    """Whether it is a date and time with an offset."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return False
    return isinstance(time, datetime) and time.utcoffset() is not None


def _rate(value: object, _: str) -> str:
    pair = value.split() if isinstance(value, str) else value
    match pair:
        case [int() as number, str()] if abs(number) > _MAX_RATE:
            raise InvalidScheduleError("rate", f"is of more than {_MAX_RATE:,} of anything")
        case [int() as number, str(unit)]:
            return rate_text(number, unit)
        case [str(number), str(unit)] if number.isascii() and number.isdigit() and len(number) < len(str(_MAX_RATE)):
            return rate_text(int(number), unit)
    raise InvalidScheduleError("rate", f"{shown(value)} is not a number and a unit, such as 5 minutes")


def _cron(value: object, _: str) -> str:
    if not isinstance(value, str):
        raise InvalidScheduleError("cron", f"must be text such as 0 3 * * ? *, not {kind_of(value)}")
    return value if value.startswith("cron(") else f"cron({value})"


def _pipeline(form: Form) -> PipelineRef:
    named = form.text("pipeline", limits.PIPELINE, required=True)
    try:
        return PipelineRef("") if named is None else PipelineRef.parse(named)
    except InvalidInputError as error:
        form.adopt("", error)
        return PipelineRef("")


def _time(form: Form, key: str) -> datetime | None:
    value = form.document.get(key)
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            form.refuse(key, "has no time zone", "Write datetime(…, tzinfo=timezone.utc) or another zone")
            return None
        return value
    return time_of(form, key)


def _state(form: Form) -> ScheduleState | None:
    if not form.has("state"):
        return None
    return cast("ScheduleState", form.choice("state", ("ENABLED", "DISABLED"), "ENABLED"))


def _parameters(form: Form) -> dict[str, str] | None:
    """The pipeline parameters, all of them static: there is no event to read from."""
    if not form.has("parameters"):
        return None
    written = form.mapping("parameters")
    if len(written) > MAX_PARAMETERS:
        form.refuse("parameters", f"are {len(written)}, SageMaker accepts {MAX_PARAMETERS}")
    inside = Form(written, form.problems, join(form.field, "parameters"))
    parameters: dict[str, str] = {}
    for name in written:
        if not isinstance(name, str) or not limits.PARAMETER_NAME.accepts(name):
            inside.refuse(str(name), "is no name of a parameter", f"It {limits.PARAMETER_NAME.rule}")
            continue
        value = inside.text(name, limits.VALUE) or ""
        if is_path(value) or embeds_path(value):
            remedy = "Write a trigger with a schedule_expression and via: app, which reads from its own event"
            inside.refuse(name, f"{shown(value)} is a path, and a schedule has no event to read it from", remedy)
        parameters[name] = value
    return parameters
