"""The reference of the metrics that the functions count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_triggers.cli.reference.markdown import code, plain, table
from pipeline_triggers.observability import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

# A test holds that these are the metrics that there are.
METRICS: Mapping[str, str] = {
    "EventsReceived": "Events that a function has read. A message that comes again is counted again.",
    "Started": "Executions that were started.",
    "Duplicate": "Decisions for an occurrence that has started its target before.",
    "Unmatched": "Events that no trigger wants.",
    "Retried": "Decisions that were put off, because of something that passes.",
    "Quarantined": "Decisions, and messages, that went to quarantine.",
    "EventToStartLatency": "Milliseconds from when a message reached its queue to the start.",
    "OldestRetryAge": "Seconds since a message that goes back reached its queue. Its maximum is the oldest one.",
    "SchedulesDeleted": "Schedules, and targets of rules, that a clean-up has deleted.",
    "SchedulesKept": "Schedules, and targets of rules, that a clean-up has looked at and left.",
    "CleanupFailures": "Schedules, and targets of rules, on which a clean-up has failed.",
    "CleanupCapped": "Clean-ups that deleted nothing, because there was more to delete than is allowed.",
    "ContractsBroken": "Targets whose pipeline was changed and would now refuse what the trigger sends.",
}

ABOUT = (
    "Those of decisions are there once without dimensions, for alarms, and once by `source` and `outcome`; a trigger "
    "is a field of the log lines, not a dimension. Sources that no trigger wants are `other`, but for AWS's own."
)


def metrics() -> str:
    """The section on metrics."""
    return "\n".join(
        [
            "## Metrics\n",
            f"In the namespace `{NAMESPACE}/<stack>`. {ABOUT}\n",
            table(["metric", "what it counts"], ([code(name), plain(about)] for name, about in METRICS.items())),
        ]
    )
