"""Logs and metrics: one structured line for each decision or schedule, and the counts for alarms."""

from __future__ import annotations

import json
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from pipeline_triggers.tracing import trace_decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pipeline_triggers.domain.decisions import Decision, Outcome
    from pipeline_triggers.domain.orphans import Report

# Followed by the name of the stack in functions: alarms of one stack are not set off by another.
NAMESPACE = "PipelineTriggers"
MAX_TEXT = 1000
MAX_REFUSED = 20
# The age of messages that go back, for the alarm on what comes again and again.
RETRY_AGE = "OldestRetryAge"
COUNTED: Mapping[Outcome, str] = {
    "unmatched": "Unmatched",
    "started": "Started",
    "duplicate": "Duplicate",
    "retry": "Retried",
    "rejected": "Quarantined",
}
# What the alarm on a clean-up that would have deleted too much counts.
CAPPED = "CleanupCapped"
# What the alarm on triggers that their pipelines would refuse counts.
BROKEN = "ContractsBroken"
# Why most things stay, which only DEBUG tells.
USUAL = frozenset({"pipeline-exists", "no-trigger"})
# Their messages may quote a value of the event, which is only for DEBUG.
QUOTING = frozenset(
    {
        "malformed-event",
        "empty-value",
        "value-too-long",
        "constraint",
        "wrong-type",
        "not-in-enum",
        "no-occurrence-key",
        "refused-by-sagemaker",
    },
)


class _Provider(AmazonCloudWatchEMFProvider):
    """CloudWatch's embedded metric format, which has nothing to say when nothing was counted."""

    def flush_metrics(self, raise_on_empty_metrics: bool = False) -> None:
        """Print what was counted since the last time."""
        if self.metric_set:
            super().flush_metrics(raise_on_empty_metrics=raise_on_empty_metrics)


# ASCII only: a lone surrogate in a key could else not be written, and some viewers break lines at U+2028.
logger = Logger(json_serializer=partial(json.dumps, default=str, separators=(",", ":"), ensure_ascii=True))
# No service: it would be one more dimension of every metric.
metrics = Metrics(provider=_Provider(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE), service=""))


def report(decision: Decision, *, message_id: str, sent_at: datetime | None) -> None:
    """Log one decision, count and trace it.

    ``sent_at`` is when the message reached its queue (None for a bare event): from then to the start is
    ``EventToStartLatency``, in milliseconds. Every metric is counted once without dimensions, for alarms, and once by
    source and outcome. No payload and no parameter values are logged above DEBUG.
    """
    write = logger.warning if decision.outcome in ("rejected", "retry") else logger.info
    write("decision", **_fields(decision, message_id))
    if logger.log_level <= logging.DEBUG:
        logger.debug("decision in full", token=decision.token, decision=decision.to_document())
    annotations = {"trigger": decision.trigger, "outcome": decision.outcome, "reason": decision.reason}
    trace_decision({**annotations, "token": decision.token, "execution_arn": decision.execution_arn or ""})
    name = COUNTED.get(decision.outcome)
    if name is None:
        return
    metrics.add_dimensions(source=_counted_source(decision), outcome=decision.outcome)
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    if decision.outcome == "started" and decision.at is not None and sent_at is not None:
        waited = max(0.0, (decision.at - sent_at).total_seconds() * 1000)
        metrics.add_metric(name="EventToStartLatency", unit=MetricUnit.Milliseconds, value=waited)
    metrics.flush_metrics()


def count_events(decisions: Iterable[Decision]) -> None:
    """Count the events that the decisions on one message are about, by source (``EventsReceived``).

    A message that comes again is counted again.
    """
    for source in {decision.event_id: _counted_source(decision) for decision in decisions}.values():
        metrics.add_dimensions(source=source)
        metrics.add_metric(name="EventsReceived", unit=MetricUnit.Count, value=1)
        metrics.flush_metrics()


def measure_retry_age(sent_at: datetime | None, now: datetime) -> None:
    """Measure how old a message is that goes back (``OldestRetryAge``, in seconds), without dimensions.

    The oldest one is the metric's maximum.
    """
    if sent_at is not None:
        metrics.add_metric(name=RETRY_AGE, unit=MetricUnit.Seconds, value=max(0.0, (now - sent_at).total_seconds()))
        metrics.flush_metrics()


def report_cleanup(report: Report, *, message_id: str) -> None:
    """Log what a clean-up did, a line for each schedule and one for all, and count it.

    What stays because its pipeline exists is the usual, and only told at DEBUG, as is a pipeline that no trigger
    starts. Of a trigger that its pipeline would refuse, the fields are told and not their values. The metrics have no
    dimensions.
    """
    for arn in report.orphaned:
        logger.info("cleanup", outcome="orphaned", arn=arn, message_id=message_id)
    for arn in report.revived:
        logger.info("cleanup", outcome="revived", arn=arn, message_id=message_id)
    for arn in report.deleted:
        logger.info("cleanup", outcome="deleted", arn=arn, message_id=message_id)
    for contract in report.broken:
        logger.warning(
            "contract",
            outcome="broken",
            trigger=contract.trigger,
            target=contract.target,
            arn=contract.pipeline,
            refused=[problem.field for problem in contract.problems[:MAX_REFUSED]],
            message_id=message_id,
        )
    for arn in report.mended:
        logger.info("contract", outcome="mended", arn=arn, message_id=message_id)
    for kept in report.kept:
        write = logger.debug if kept.reason in USUAL else logger.info
        write("cleanup", outcome="kept", arn=kept.arn, reason=kept.reason, message_id=message_id)
    for failed in report.failed:
        reason = failed.error.reason
        detail = "" if reason in QUOTING else str(failed.error)[:MAX_TEXT]
        logger.warning("cleanup", outcome="failed", arn=failed.arn, reason=reason, detail=detail, message_id=message_id)
    kept_because = report.kept_because
    logger.info(
        "cleanup goes on" if report.unfinished else "cleanup done",
        deleted=len(report.deleted),
        kept=kept_because,
        failed=len(report.failed),
        looked_at=report.looked_at,
        message_id=message_id,
    )
    if report.is_capped:
        logger.error(
            "nothing was deleted: there was more to delete than MaxDeletes and MaxDeleteShare allow",
            schedules=kept_because["delete-cap"],
            message_id=message_id,
        )
    _count(
        {
            "SchedulesDeleted": len(report.deleted),
            "SchedulesKept": sum(kept_because.values()),
            "CleanupFailures": len(report.failed),
            CAPPED: int(report.is_capped),
            BROKEN: len(report.broken),
            COUNTED["rejected"]: int(bool(report.final)),
        },
    )


def _count(counts: Mapping[str, int]) -> None:
    """Count without dimensions; what is zero is not counted."""
    for name, value in counts.items():
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()


def _fields(decision: Decision, message_id: str) -> dict[str, Any]:
    fields = {
        "outcome": decision.outcome,
        "reason": decision.reason,
        "trigger": decision.trigger,
        "target": decision.target,
        "source": _source(decision),
        "event_id": decision.event_id[:MAX_TEXT],
        "occurrence": decision.occurrence[:MAX_TEXT],
        "token": decision.token,
        "pipeline_arn": decision.pipeline_arn,
        "execution_arn": decision.execution_arn,
        "detail": "" if _quotes(decision) else decision.message[:MAX_TEXT],
        "refused": _refused(decision),
        "revision": decision.revision,
        "message_id": message_id,
    }
    return {name: value for name, value in fields.items() if value not in ("", {})}


def _quotes(decision: Decision) -> bool:
    """Whether the message may quote a value of the event; it is about all refused parameters, the reason about one."""
    return not QUOTING.isdisjoint([decision.reason, *(parameter.reason for parameter in decision.parameters)])


def _refused(decision: Decision) -> dict[str, str]:
    """The parameters that were refused, each with the path or template that made its value; static ones without it."""
    return {
        parameter.name: "" if parameter.origin == "static" else parameter.expression[:MAX_TEXT]
        for parameter in [parameter for parameter in decision.parameters if parameter.reason][:MAX_REFUSED]
    }


def _counted_source(decision: Decision) -> str:
    """The source as a dimension: of events that no trigger wanted only AWS's own are told, others are ``other``.

    Every value of a dimension is paid for, and whoever may put events on a bus chooses their source.
    """
    source = _source(decision)
    return source if decision.trigger or source.startswith("aws.") or source == "unknown" else "other"


def _source(decision: Decision) -> str:
    """The event's source: an occurrence is a JSON array that begins with it."""
    try:
        occurrence = json.loads(decision.occurrence)
    except ValueError:
        return "unknown"
    first = occurrence[0] if isinstance(occurrence, list) and occurrence else ""
    # A dimension's value has at most 1,024 characters, in ASCII, and is not blank (CloudWatch).
    ascii_only = first.encode("ascii", "replace").decode() if isinstance(first, str) else ""
    return "".join(c if c.isprintable() else "?" for c in ascii_only)[:256].strip() or "unknown"
