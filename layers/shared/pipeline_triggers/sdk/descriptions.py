"""How a trigger is told in Python: as a dictionary, with the SageMaker SDK's keys where it has such."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.domain.schedule_plans import coming_times, parameters_of, zone_of
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.triggers import Trigger

# How many of the next times a description has.
NEXT_TIMES = 5

Described: TypeAlias = dict[str, Any]


def described_schedule(schedule: ScheduleDefinition, now: datetime) -> Described:
    """A schedule; what it does not have is None."""
    document = schedule.document
    target = document["Target"]
    window, retry = document.get("FlexibleTimeWindow") or {}, target.get("RetryPolicy") or {}
    return {
        "Trigger_Name": document["Name"],
        "Trigger_Type": "PipelineSchedule",
        "Schedule_Arn": schedule.arn,
        "Schedule_Expression": document["ScheduleExpression"],
        "Schedule_State": document.get("State", "ENABLED"),
        "Schedule_Start_Date": _in_utc(document.get("StartDate")),
        "Schedule_Role": target.get("RoleArn"),
        "Schedule_Group": document["GroupName"],
        "Schedule_Timezone": zone_of(document),
        "Schedule_End_Date": _in_utc(document.get("EndDate")),
        "Schedule_Description": document.get("Description") or None,
        "Schedule_Target": target["Arn"],
        "Schedule_Input": target.get("Input"),
        "Schedule_Parameters": parameters_of(target),
        "Schedule_Dead_Letter_Queue": (target.get("DeadLetterConfig") or {}).get("Arn"),
        "Schedule_Maximum_Event_Age_In_Seconds": retry.get("MaximumEventAgeInSeconds"),
        "Schedule_Maximum_Retry_Attempts": retry.get("MaximumRetryAttempts"),
        "Schedule_Flexible_Window_Minutes": window.get("MaximumWindowInMinutes", 0),
        "Schedule_Delete_After_Run": document.get("ActionAfterCompletion") == "DELETE",
        "Schedule_Kms_Key": document.get("KmsKeyArn"),
        "Schedule_Next_Times": _next_times(schedule, now),
    }


def described_event_trigger(trigger: Trigger, arn: str) -> Described:
    """An event trigger; ``arn`` is the one that this application gives it."""
    document = trigger.to_document()
    return {
        "Trigger_Name": trigger.name,
        "Trigger_Type": "PipelineEventTrigger",
        "Trigger_Arn": arn,
        "Trigger_State": trigger.state,
        "Trigger_Description": trigger.description or None,
        "Trigger_Set": trigger.set or None,
        "Trigger_Tags": dict(trigger.tags),
        "Trigger_Event_Pattern": document["event_pattern"],
        "Trigger_Occurrence_Key": document.get("occurrence_key"),
        "Trigger_Max_Starts_Per_Hour": trigger.max_starts_per_hour,
        "Trigger_Targets": document["targets"],
    }


def _next_times(schedule: ScheduleDefinition, now: datetime) -> list[str] | None:
    """The next times of a schedule in its zone, none when it is disabled; None when they are not understood."""
    document = schedule.document
    if document.get("State", "ENABLED") != "ENABLED":
        return []
    try:
        coming = coming_times(document, now, NEXT_TIMES, made_at=schedule.modified_at)
    except InvalidInputError:
        return None
    return [found.time.isoformat() for found in coming if found.fires]


def _in_utc(time: str | None) -> str | None:
    return datetime.fromisoformat(time).astimezone(UTC).isoformat() if time else None
