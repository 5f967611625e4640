"""The events by which a schedule of this application says that the time of a trigger has come.

Such an event names a trigger, never a pipeline, and starts it past every event pattern: so it matters which way it came
(``is_credible``). Its trigger sees two more fields in the detail, for runs over a data interval (``with_window``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.domain.events import INTERNAL_SOURCE, SCHEDULED_TIME_EVENT, Event
from pipeline_triggers.domain.times import FIRST_YEAR, LAST_YEAR, milliseconds
from pipeline_triggers.errors import InvalidScheduleError

if TYPE_CHECKING:
    from pipeline_triggers.domain.trigger_schedules import Schedule

# The end of the name of the queue that the stack's schedules send to; only they have the permission.
QUEUE_SUFFIX = "-schedule"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WINDOW = ("window_start", "window_end")


def is_scheduled_time(event: Event) -> bool:
    """Whether the event says that it is such a one."""
    return (event.source, event.detail_type) == (INTERNAL_SOURCE, SCHEDULED_TIME_EVENT)


def is_credible(event: Event) -> bool:
    """Whether a schedule of the stack has sent it: it came from the schedule queue, and in nothing else.

    An event that came through nothing is credible too: it is from whoever may invoke the function. Every other way is
    open to people who may publish to a topic or put events on a bus, and who could write such an event, and envelopes
    around it, themselves.
    """
    if not event.via:
        return True
    outermost = event.via[0]
    return len(event.via) == 1 and outermost.kind == "sqs" and outermost.arn.endswith(QUEUE_SUFFIX)


def with_window(event: Event, schedule: Schedule) -> Event:
    """The event as the trigger of the schedule sees it, with the interval that ends at its scheduled time.

    ``detail.window_end`` is that time, and ``detail.window_start`` the schedule's time before it, both in UTC such as
    ``2026-03-02T02:00:00Z``. A one-time schedule has no time before, nor has the first time after the schedule's start:
    then ``window_start`` is missing. Both are missing when the scheduled time cannot be read.
    """
    detail = {name: value for name, value in event.detail.items() if name not in _WINDOW}
    return Event({**event.envelope, "detail": {**detail, **_window(event, schedule)}}, event.via)


def _window(event: Event, schedule: Schedule) -> dict[str, str]:
    end = _moment(event.detail.get("scheduled_time"))
    if end is None:
        return {}
    if schedule.expression.startswith("cron("):
        end = _minute(end)  # the times of a cron are whole minutes: windows then join without a gap
    start = _time_before(end, schedule)
    return {"window_end": _iso(end), **({"window_start": _iso(start)} if start else {})}


def _time_before(end: datetime, schedule: Schedule) -> datetime | None:
    try:
        when = schedule.when
    except InvalidScheduleError:  # the time zone was known where the trigger was written, and is not here
        return None
    if when.interval is not None:
        start = end - when.interval
        is_first = schedule.start is not None and start < _minute(schedule.start)
        return None if is_first else start
    return when.previous_time(end, start=schedule.start) if when.kind == "cron" else None


def _moment(time: object) -> datetime | None:
    """A time as it stands in the event, to the second; None for what is no time in the calendar of AWS."""
    since_epoch = milliseconds(time)
    if since_epoch is None:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=since_epoch // 1000)
    except OverflowError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
