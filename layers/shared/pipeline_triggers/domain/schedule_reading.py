"""Reading the schedule of a trigger, and judging what its way can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_triggers.domain import limits
from pipeline_triggers.domain.schedule_plans import CONTEXT_ATTRIBUTES
from pipeline_triggers.domain.schedules import ScheduleExpression, check_timezone
from pipeline_triggers.domain.templates import Literal
from pipeline_triggers.domain.trigger_schedules import Schedule, schedule_of
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.forms import Form
    from pipeline_triggers.domain.triggers import Target, Trigger


def read_schedule(form: Form) -> Schedule | None:
    """Read the schedule of a trigger that has a ``schedule_expression``; None when that was refused."""
    schedule = schedule_of(form)
    if not schedule.expression:
        return None
    try:
        ScheduleExpression.parse(schedule.expression)
    except InvalidInputError as error:
        form.adopt("", error)
        return None
    return schedule


def judge_schedule(trigger: Trigger, form: Form) -> None:
    """Note what is wrong with a scheduled trigger as a whole: its time zone, and what its way cannot do."""
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
