"""Python API for notebooks and scripts: schedules and event triggers of a deployed stack.

Names and arguments follow the SageMaker Python SDK, whose own ``PipelineSchedule`` and ``Pipeline`` objects are
accepted too:

    >>> from datetime import datetime
    >>> from pipeline_triggers.sdk import PipelineEventTrigger, PipelineSchedule, PipelineTriggers
    >>> triggers = PipelineTriggers(stack_name="pipeline-triggers")
    >>> triggers.put_triggers("churn-train", [
    ...     PipelineSchedule(name="nightly", cron="0 3 * * ? *", timezone="Europe/Berlin"),
    ...     PipelineSchedule(name="once", at=datetime(2030, 12, 13, 10, 15, 20), delete_after_run=True),
    ...     PipelineEventTrigger(
    ...         name="on-upload",
    ...         event_pattern={"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw-data"]}}},
    ...         parameters={"InputKey": "$.detail.object.key"},
    ...     ),
    ... ])
    ['arn:aws:scheduler:us-east-1:123456789012:schedule/pipeline-triggers/nightly',
     'arn:aws:scheduler:us-east-1:123456789012:schedule/pipeline-triggers/once',
     'arn:aws:pipeline-triggers:us-east-1:123456789012:pipeline-triggers/trigger/on-upload']
    >>> triggers.describe_trigger(trigger_name="once")["Schedule_Expression"]
    'at(2030-12-13T10:15:20)'
    >>> [trigger["Trigger_Name"] for trigger in triggers.list_triggers("churn-train")]
    ['nightly', 'once', 'on-upload']
    >>> [result.outcome for result in triggers.delete_triggers(trigger_names=["nightly", "never-made"])]
    ['deleted', 'missing']

A date and time without a time zone is meant in UTC, and where ``timezone`` is given, by the clocks there. EventBridge
Scheduler fires within the minute.

A schedule is an EventBridge Scheduler schedule, in the stack's schedule group unless another is named. An event trigger
belongs to this application and has no ARN of AWS; it gets
``arn:<partition>:pipeline-triggers:<region>:<account>:<stack>/trigger/<name>``.
"""

from __future__ import annotations

from pipeline_triggers.errors import PartialFailureError, Result
from pipeline_triggers.sdk.objects import PipelineEventTrigger, PipelineSchedule
from pipeline_triggers.sdk.stack import PipelineTriggers

__all__ = ["PartialFailureError", "PipelineEventTrigger", "PipelineSchedule", "PipelineTriggers", "Result"]
