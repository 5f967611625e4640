"""What the EventBridge rules take and where they send it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline_triggers.domain.patterns import EventPattern
from tests.template.rendering import ROOT, Rendered, render

EVENTS = ROOT / "events"
RULES = "AWS::Events::Rule"

S3, STATUS, SOURCES, BUS = "S3ObjectsRule", "StatusChangesRule", "DefaultBusRule", "CustomBusRule"
DELETED, CHANGED, SWEEP = "PipelineDeletedRule", "PipelineChangedRule", "SweepRule"

# Which rules take the event of a file: with every parameter at its default, and with every parameter given (then there
# are two rules more: DefaultBusRule for com.example.features and aws.events, and CustomBusRule, which takes all that is
# on its own bus). What is no EventBridge event never meets a rule; it is here to show that none would take it.
NOBODY: tuple[set[str], set[str]] = (set(), set())
MATRIX: dict[str, tuple[set[str], set[str]]] = {
    "alarm-direct.json": (set(), {BUS}),
    "alarm-drift.json": ({STATUS}, {STATUS, BUS}),
    "alarm-ok.json": ({STATUS}, {STATUS, BUS}),
    "broken-body.json": NOBODY,
    "broken-missing-fields.json": (set(), {SOURCES, BUS}),
    "broken-not-an-event.json": NOBODY,
    "cloudtrail-create-pipeline.json": ({CHANGED}, {CHANGED, BUS}),
    "cloudtrail-delete-pipeline-codepipeline.json": (set(), {BUS}),
    "cloudtrail-delete-pipeline-failed.json": (set(), {BUS}),
    # A rule of the default bus sees no other account's events, and of a report's parameters it asks nothing.
    "cloudtrail-delete-pipeline-null-parameters.json": ({DELETED}, {DELETED, BUS}),
    "cloudtrail-delete-pipeline-other-account.json": ({DELETED}, {DELETED, BUS}),
    "cloudtrail-delete-pipeline.json": ({DELETED}, {DELETED, BUS}),
    "cloudtrail-update-pipeline-failed.json": (set(), {BUS}),
    "cloudtrail-update-pipeline-null-parameters.json": ({CHANGED}, {CHANGED, BUS}),
    "cloudtrail-update-pipeline.json": ({CHANGED}, {CHANGED, BUS}),
    "custom-event-replayed.json": (set(), {SOURCES, BUS}),
    "custom-event.json": (set(), {SOURCES, BUS}),
    "endpoint-deployment.json": ({STATUS}, {STATUS, BUS}),
    "endpoint-status-failed.json": ({STATUS}, {STATUS, BUS}),
    "endpoint-status-in-service.json": ({STATUS}, {STATUS, BUS}),
    "model-package-approved.json": ({STATUS}, {STATUS, BUS}),
    "model-package-pending.json": ({STATUS}, {STATUS, BUS}),
    "pipeline-execution-succeeded.json": ({STATUS}, {STATUS, BUS}),
    "pipeline-step-succeeded.json": ({STATUS}, {STATUS, BUS}),
    "processing-job-completed.json": ({STATUS}, {STATUS, BUS}),
    "s3-folder-marker.json": ({S3}, {S3, BUS}),
    "s3-notification-several-records.json": NOBODY,
    "s3-notification.json": NOBODY,
    "s3-object-created-other-prefix.json": ({S3}, {S3, BUS}),
    "s3-object-created.json": ({S3}, {S3, BUS}),
    "s3-object-deleted.json": ({S3}, {S3, BUS}),
    "s3-object-tags-added.json": ({S3}, {S3, BUS}),
    "s3-test-event.json": NOBODY,
    "scheduled-rule.json": (set(), {SOURCES, BUS}),
    "scheduled-time.json": (set(), {BUS}),
    "sns-alarm.json": NOBODY,
    "sns-eventbridge-event.json": NOBODY,
    "sns-forged-aws-event.json": NOBODY,
    "sns-json.json": NOBODY,
    "sns-s3-notification.json": NOBODY,
    "sns-text.json": NOBODY,
    "sqs-eventbridge-s3.json": NOBODY,
    "sqs-several-messages.json": NOBODY,
    "sqs-sns-json.json": NOBODY,
    "sqs-sns-s3.json": NOBODY,
    "sweep.json": (set(), {BUS}),
    "training-job-completed.json": ({STATUS}, {STATUS, BUS}),
    "training-job-in-progress.json": ({STATUS}, {STATUS, BUS}),
}


def _event(name: str) -> Any:
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def _taken_by(stack: Rendered, event: Any) -> set[str]:
    patterns = {name: rule["EventPattern"] for name, rule in stack.of_type(RULES).items() if "EventPattern" in rule}
    return {name for name, pattern in patterns.items() if EventPattern(pattern).matches(event)}


def test_every_file_of_events_is_in_the_matrix() -> None:
    assert set(MATRIX) == {path.name for path in Path(EVENTS).glob("*.json")}


@pytest.mark.parametrize("name", MATRIX)
def test_with_default_parameters_the_rules_take(name: str, empty: Rendered) -> None:
    assert _taken_by(empty, _event(name)) == MATRIX[name][0]


@pytest.mark.parametrize("name", MATRIX)
def test_with_all_parameters_the_rules_take(name: str, filled: Rendered) -> None:
    assert _taken_by(filled, _event(name)) == MATRIX[name][1]


def test_a_bucket_that_is_not_named_is_left_out_once_buckets_are_named(empty: Rendered, filled: Rendered) -> None:
    event = _event("s3-object-created.json")
    event["detail"]["bucket"]["name"] = "somebody-elses"
    assert S3 in _taken_by(empty, event)
    assert S3 not in _taken_by(filled, event)


def test_calls_that_cloudtrail_reports_are_not_status_changes(stack: Rendered) -> None:
    event = _event("training-job-completed.json") | {"detail-type": "AWS API Call via CloudTrail"}
    assert STATUS not in _taken_by(stack, event)


def test_access_logs_and_calls_about_s3_are_no_object_events(stack: Rendered) -> None:
    event = _event("s3-object-created.json") | {"detail-type": "AWS API Call via CloudTrail"}
    assert S3 not in _taken_by(stack, event)


@pytest.mark.parametrize("source", ["aws.ec2", "com.example.other", "aws.sagemakerx"])
def test_a_source_that_nobody_asked_for_is_not_taken_from_the_default_bus(source: str, stack: Rendered) -> None:
    assert _taken_by(stack, _event("custom-event.json") | {"source": source}) <= {BUS}


def test_the_rules_for_further_sources_exist_only_when_asked_for(empty: Rendered, filled: Rendered) -> None:
    assert set(empty.of_type(RULES)) == {S3, STATUS, DELETED, CHANGED, SWEEP}
    assert set(filled.of_type(RULES)) == {S3, STATUS, DELETED, CHANGED, SWEEP, SOURCES, BUS}


def test_the_rule_that_takes_everything_stands_on_the_custom_bus(filled: Rendered) -> None:
    buses = {name: rule.get("EventBusName", "default") for name, rule in filled.of_type(RULES).items()}
    assert buses == dict.fromkeys((S3, STATUS, SOURCES, DELETED, CHANGED, SWEEP), "default") | {BUS: "features"}


def test_eventbridge_takes_every_pattern(stack: Rendered) -> None:
    for rule in stack.of_type(RULES).values():
        if "EventPattern" in rule:
            EventPattern.for_rule(rule["EventPattern"])


def test_the_rule_takes_as_many_buckets_as_the_parameter_says(expanded: dict[str, Any]) -> None:
    names = [f"{number:063}" for number in range(60)]
    described = expanded["Parameters"]["BucketNames"]["Description"]
    pattern = render(expanded, {"BucketNames": ",".join(names)}).properties(S3)["EventPattern"]
    EventPattern.for_rule(pattern)
    assert "60 of the longest names" in described


def test_each_rule_sends_to_the_queue_of_its_kind(filled: Rendered) -> None:
    targets = {name: [target["Arn"] for target in rule["Targets"]] for name, rule in filled.of_type(RULES).items()}
    assert targets == {
        S3: [filled.arn("S3EventQueue")],
        STATUS: [filled.arn("StatusEventQueue")],
        SOURCES: [filled.arn("BusEventQueue")],
        BUS: [filled.arn("BusEventQueue")],
        DELETED: [filled.arn("CleanupQueue")],
        CHANGED: [filled.arn("CleanupQueue")],
        SWEEP: [filled.arn("CleanupQueue")],
    }


def test_the_sweep_follows_its_schedule_and_sends_the_sample_event(empty: Rendered, filled: Rendered) -> None:
    for stack, schedule in ((empty, "rate(6 hours)"), (filled, "cron(0 3 * * ? *)")):
        rule = stack.properties(SWEEP)
        assert rule["ScheduleExpression"] == schedule
        assert "EventPattern" not in rule
        assert json.loads(rule["Targets"][0]["Input"]) == _event("sweep.json")


@pytest.mark.parametrize("change", [{"eventSource": "codepipeline.amazonaws.com"}, {"eventName": "DeleteModel"}])
@pytest.mark.parametrize(("call", "rule"), [("create", CHANGED), ("update", CHANGED), ("delete", DELETED)])
def test_only_calls_about_pipelines_of_sagemaker_are_taken(
    call: str, rule: str, change: dict[str, str], empty: Rendered
) -> None:
    event = _event(f"cloudtrail-{call}-pipeline.json")
    assert _taken_by(empty, event) == {rule}
    event["detail"] |= change
    assert _taken_by(empty, event) == set()


def test_every_target_retries_for_a_day_and_then_keeps_the_event(stack: Rendered) -> None:
    for rule in stack.of_type(RULES).values():
        for target in rule["Targets"]:
            assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
            assert target["DeadLetterConfig"] == {"Arn": stack.arn("UndeliveredQueue")}


def test_the_subscription_is_not_raw_and_keeps_what_it_cannot_deliver(stack: Rendered) -> None:
    (subscription,) = stack.of_type("AWS::SNS::Subscription").values()
    assert subscription["RawMessageDelivery"] is False
    assert subscription["Protocol"] == "sqs"
    assert subscription["Endpoint"] == stack.arn("SnsEventQueue")
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": stack.arn("UndeliveredQueue")}


def test_only_this_account_may_publish_to_the_topic_and_only_over_tls(stack: Rendered) -> None:
    (policy,) = stack.of_type("AWS::SNS::TopicPolicy").values()
    owner, services, tls = policy["PolicyDocument"]["Statement"]
    assert owner["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert services["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*", "arn:aws:s3:::*"]},
    }
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
