"""The calls that IAM cannot restrict to resources: only they may have the resource "*".

From AWS's Service Authorization Reference (docs.aws.amazon.com/service-authorization/latest/reference): in the table of
actions of each of these pages they have no resource type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each with its page.
LISTS: Mapping[str, str] = {
    "events:ListEventBuses": "list_amazoneventbridge.html",
    "events:ListRuleNamesByTarget": "list_amazoneventbridge.html",
    "events:ListRules": "list_amazoneventbridge.html",
    "sagemaker:ListPipelines": "list_amazonsagemaker.html",
    "scheduler:ListScheduleGroups": "list_amazoneventbridgescheduler.html",
    "scheduler:ListSchedules": "list_amazoneventbridgescheduler.html",
}
TRACES: Mapping[str, str] = {
    "xray:PutTelemetryRecords": "list_awsx-ray.html",
    "xray:PutTraceSegments": "list_awsx-ray.html",
}
