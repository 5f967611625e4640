"""Every sample event through the real function of its source, on the embedded AWS, with the triggers of triggers.yaml.

The table says what must become of each: a file of events/ that is not in it is an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import ROOT

if TYPE_CHECKING:
    from pipeline_triggers.local.stage import Stage

UPLOAD = {("retrain-on-upload", "start"), ("score-each-upload", "shadow")}
NOTHING = {("", "unmatched")}
S3, SNS, STATUS, BUS = "S3EventFunction", "SnsEventFunction", "EndpointStatusFunction", "BusEventFunction"

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


def sample(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


def test_every_sample_event_is_in_the_table() -> None:
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == MATRIX.keys() | BATCHES.keys()


@pytest.mark.parametrize("name", MATRIX)
def test_a_sample_event_has_the_outcome_that_the_table_says(stage: Stage, name: str) -> None:
    function, expected = MATRIX[name]
    decisions = stage.poller.invoke(function, sample(name))["decisions"]
    assert {(decision["trigger"], told(decision)) for decision in decisions} == expected


@pytest.mark.parametrize("name", BATCHES)
def test_a_sample_batch_leaves_no_message_in_its_queue(stage: Stage, name: str) -> None:
    assert stage.poller.invoke(BATCHES[name], sample(name)) == {"batchItemFailures": []}


def told(decision: dict[str, Any]) -> str:
    outcome = "start" if decision["outcome"] in ("started", "duplicate") else decision["outcome"]
    return f"{outcome} {decision['reason']}".strip()


def test_one_upload_that_is_reported_by_every_route_starts_one_execution(stage: Stage) -> None:
    """EventBridge, an S3 notification, SNS from a trusted topic, and SQS around these."""
    for name in ("s3-object-created", "s3-notification", "sqs-eventbridge-s3"):
        stage.poller.invoke(S3, sample(name))
    key = sample("s3-object-created")["detail"]["object"]["key"]
    started = [it for it in stage.executions() if it["parameters"].get("InputKey") == key]
    assert len(started) == 1
