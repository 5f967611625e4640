"""The schedule that a scheduled trigger needs in EventBridge Scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_triggers.domain.schedule_plans import StartsPipeline, TellsTrigger, WantedSchedule

if TYPE_CHECKING:
    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.schedule_plans import Defaults
    from pipeline_triggers.domain.triggers import Trigger


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
