"""What must become of every sample event of ``events/``: the function of its source, and the decisions or the report.

The triggers are those of triggers.yaml, and the topic ``TRUSTED_TOPIC`` is trusted. Tests send the samples through the
functions as the poller runs them, and as SAM does; a file of ``events/`` that is in no table is an error.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.stage import SCHEDULED

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS = Path(__file__).parent.parent / "events"
TRUSTED_TOPIC = "arn:aws:sns:us-east-1:123456789012:ml-data-uploads"

UPLOAD = {("retrain-on-upload", "start"), ("score-each-upload", "shadow")}
NOTHING = {("", "unmatched")}
S3, SNS, STATUS, BUS = "S3EventFunction", "SnsEventFunction", "EndpointStatusFunction", "BusEventFunction"
CLEANUP = "ScheduleCleanupFunction"

# file: (function, what must become of it). "start" is met by an execution that runs since this or an earlier sample.
MATRIX: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "alarm-direct": (STATUS, {("retrain-on-drift", "start")}),
    "alarm-drift": (STATUS, {("retrain-on-drift", "start")}),
    "alarm-ok": (STATUS, NOTHING),
    "broken-missing-fields": (BUS, {("refresh-on-feature-table", "rejected missing-parameter")}),
    "broken-not-an-event": (BUS, {("", "rejected malformed-event")}),
    "custom-event": (BUS, {("refresh-on-feature-table", "start")}),
    "custom-event-replayed": (BUS, {("refresh-on-feature-table", "start")}),
    "endpoint-deployment": (STATUS, NOTHING),
    "endpoint-status-failed": (STATUS, NOTHING),
    "endpoint-status-in-service": (STATUS, {("evaluate-when-endpoint-in-service", "start")}),
    "model-package-approved": (STATUS, {("deploy-approved-model", "start")}),
    "model-package-pending": (STATUS, NOTHING),
    "pipeline-execution-succeeded": (STATUS, NOTHING),
    "pipeline-step-succeeded": (STATUS, NOTHING),
    "processing-job-completed": (STATUS, NOTHING),
    "s3-folder-marker": (S3, {("score-each-upload", "shadow")}),
    "s3-notification": (S3, UPLOAD),
    "s3-notification-several-records": (S3, UPLOAD),
    "s3-object-created": (S3, UPLOAD),
    "s3-object-created-other-prefix": (S3, NOTHING),
    "s3-object-deleted": (S3, {("retrain-on-deletion", "disabled")}),
    "s3-object-tags-added": (S3, NOTHING),
    "s3-test-event": (S3, set()),
    "scheduled-rule": (BUS, NOTHING),
    "scheduled-time": (BUS, NOTHING),
    "sns-alarm": (SNS, NOTHING),
    "sns-eventbridge-event": (SNS, {("refresh-on-feature-table", "start")}),
    "sns-forged-aws-event": (SNS, NOTHING),
    "sns-json": (SNS, {("score-on-sns-request", "start")}),
    "sns-s3-notification": (SNS, UPLOAD),
    "sns-text": (SNS, NOTHING),
    "training-job-completed": (STATUS, {("evaluate-after-training", "start")}),
    "training-job-in-progress": (STATUS, NOTHING),
}
# SQS events are answered with the messages that must come again: none here, because what is broken is in quarantine.
BATCHES = {
    "broken-body": BUS,
    "sqs-eventbridge-s3": S3,
    "sqs-several-messages": S3,
    "sqs-sns-json": SNS,
    "sqs-sns-s3": SNS,
}
# The executions that run once all of MATRIX and BATCHES were handled, by pipeline: one for each occurrence.
EXECUTIONS = {
    "churn-deploy": 1,  # the approval
    "churn-evaluate": 2,  # the endpoint and the training job
    "churn-features": 2,  # the custom event, and its replay from an archive
    "churn-score": 1,  # the SNS request
    "churn-train": 5,  # the alarm, the upload that is reported by many routes, three records of one notification
}
# Events for the clean-up, with the schedules that must go if DELETED_PIPELINE does not exist. Those that delete come
# last: the others must leave alone what is there to be deleted.
DELETED_PIPELINE = "ChurnReport"
CLEANUPS: dict[str, set[str]] = {
    "cloudtrail-create-pipeline": set(),
    "cloudtrail-delete-pipeline-codepipeline": set(),
    "cloudtrail-delete-pipeline-failed": set(),
    "cloudtrail-delete-pipeline-null-parameters": set(),
    "cloudtrail-delete-pipeline-other-account": set(),
    "cloudtrail-update-pipeline": set(),
    "cloudtrail-update-pipeline-failed": set(),
    "cloudtrail-update-pipeline-null-parameters": set(),
    "sweep": set(),  # an orphan must be seen twice
    "cloudtrail-delete-pipeline": set(SCHEDULED[DELETED_PIPELINE]),
}
# Why they delete nothing as long as all pipelines exist, and declare what triggers send.
CLEANUP_REASONS = {
    "cloudtrail-create-pipeline": set(),
    "cloudtrail-delete-pipeline-codepipeline": {"other-event"},
    "cloudtrail-delete-pipeline-failed": {"call-failed"},
    "cloudtrail-delete-pipeline-null-parameters": {"no-pipeline-named"},
    "cloudtrail-delete-pipeline-other-account": {"other-account"},
    "cloudtrail-update-pipeline": set(),
    "cloudtrail-update-pipeline-failed": {"call-failed"},
    "cloudtrail-update-pipeline-null-parameters": {"no-pipeline-named"},
    "sweep": {"pipeline-exists"},
    "cloudtrail-delete-pipeline": {"pipeline-exists"},
}


def sample(name: str) -> Any:
    """The content of ``events/<name>.json``."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def told(decision: Mapping[str, Any]) -> str:
    """What a decision comes to, in the words of the table: outcome and reason; a duplicate has its start too."""
    outcome = "start" if decision["outcome"] in ("started", "duplicate") else decision["outcome"]
    return f"{outcome} {decision['reason']}".strip()
