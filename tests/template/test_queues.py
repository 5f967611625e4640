"""The queues: nothing is lost in them, and only the stack's own sources may write to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers import observability
from tests.template.rendering import FILLED, STACK, Rendered, as_list, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUEUES = "AWS::SQS::Queue"
DAY = 24 * 60 * 60
SOURCE_QUEUES = {
    "S3EventQueue": "pt-s3-event",
    "SnsEventQueue": "pt-sns-event",
    "StatusEventQueue": "pt-status-event",
    "BusEventQueue": "pt-bus-event",
    "ScheduleQueue": "pt-schedule",
    "CleanupQueue": "pt-cleanup",
}
LAST_QUEUES = {"DeadLetterQueue": "pt-dead-letter", "UndeliveredQueue": "pt-undelivered"}

TOPICS_HERE = "arn:aws:sns:eu-west-1:111122223333:*"
TRUSTED_TOPICS = FILLED["TrustedTopicArns"].split(",")


def test_the_queues_are_those_of_the_contract(stack: Rendered) -> None:
    names = {name: queue["QueueName"] for name, queue in stack.of_type(QUEUES).items()}
    assert names == SOURCE_QUEUES | LAST_QUEUES


def test_every_queue_keeps_messages_for_14_days_encrypted_in_any_order(stack: Rendered) -> None:
    for queue in stack.of_type(QUEUES).values():
        assert queue["MessageRetentionPeriod"] == 14 * DAY
        assert queue["SqsManagedSseEnabled"] is True
        assert "FifoQueue" not in queue


def test_a_message_stays_invisible_for_six_times_the_functions_timeout(stack: Rendered) -> None:
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        function = stack.properties(_logical(stack, mapping["FunctionName"]))
        queue = stack.properties(_queue_of(stack, mapping["EventSourceArn"]))
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


@pytest.mark.parametrize("queue", SOURCE_QUEUES)
def test_a_source_queue_tries_600_times_and_then_keeps_the_message(queue: str, stack: Rendered) -> None:
    assert stack.properties(queue)["RedrivePolicy"] == {
        "deadLetterTargetArn": stack.arn("DeadLetterQueue"),
        "maxReceiveCount": 600,
    }


def test_giving_up_leaves_a_week_in_the_dead_letter_queue(stack: Rendered) -> None:
    longest_delay = 900
    for queue in SOURCE_QUEUES:
        tries = stack.properties(queue)["RedrivePolicy"]["maxReceiveCount"]
        # Dead-lettering keeps the time of the first enqueueing.
        assert stack.properties("DeadLetterQueue")["MessageRetentionPeriod"] - tries * longest_delay >= 7 * DAY


def test_only_the_source_queues_may_use_the_dead_letter_queue(stack: Rendered) -> None:
    allowed = stack.properties("DeadLetterQueue")["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert set(allowed["sourceQueueArns"]) == {stack.arn(queue) for queue in SOURCE_QUEUES}


def test_every_queue_has_a_policy_that_demands_tls(stack: Rendered) -> None:
    guarded = set()
    for queue, statement in _statements(stack):
        if statement["Effect"] == "Deny":
            assert statement["Principal"] == "*"
            assert statement["Action"] == "sqs:*"
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            guarded.add(queue)
    assert guarded == set(stack.of_type(QUEUES))


def test_whoever_may_send_is_a_service_limited_by_source_arn(stack: Rendered) -> None:
    for queue, statement in _statements(stack):
        if statement["Effect"] == "Allow":
            assert statement["Principal"] in ({"Service": "events.amazonaws.com"}, {"Service": "sns.amazonaws.com"})
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Resource"] == stack.arn(queue)
            ((operator, condition),) = statement["Condition"].items()
            assert operator in ("ArnEquals", "ArnLike")
            assert list(condition) == ["aws:SourceArn"]


def test_with_default_parameters_the_senders_are(empty: Rendered) -> None:
    assert _senders(empty) == {
        "S3EventQueue": {empty.arn("S3ObjectsRule")},
        "SnsEventQueue": {TOPICS_HERE},
        "StatusEventQueue": {empty.arn("StatusChangesRule")},
        "BusEventQueue": set(),
        "ScheduleQueue": set(),
        "CleanupQueue": {empty.arn(rule) for rule in ("PipelineDeletedRule", "PipelineChangedRule", "SweepRule")},
        "DeadLetterQueue": set(),
        "UndeliveredQueue": {*map(empty.arn, empty.of_type("AWS::Events::Rule")), TOPICS_HERE},
    }


def test_with_all_parameters_the_senders_are(filled: Rendered) -> None:
    rules = {name: filled.arn(name) for name in filled.of_type("AWS::Events::Rule")}
    assert rules["CustomBusRule"] == "arn:aws:events:eu-west-1:111122223333:rule/features/pt-custom-bus"
    assert _senders(filled) == {
        "S3EventQueue": {rules["S3ObjectsRule"]},
        "SnsEventQueue": {TOPICS_HERE, *TRUSTED_TOPICS},
        "StatusEventQueue": {rules["StatusChangesRule"]},
        "BusEventQueue": {rules["DefaultBusRule"], rules["CustomBusRule"]},
        "ScheduleQueue": set(),
        "CleanupQueue": {rules["PipelineDeletedRule"], rules["PipelineChangedRule"], rules["SweepRule"]},
        "DeadLetterQueue": set(),
        "UndeliveredQueue": {*rules.values(), TOPICS_HERE, *TRUSTED_TOPICS},
    }


def test_each_target_and_its_dead_letter_queue_admit_the_rule(stack: Rendered) -> None:
    senders = _senders(stack)
    for name, rule in stack.of_type("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert stack.arn(name) in senders[_queue_of(stack, target["Arn"])]
            assert stack.arn(name) in senders[_queue_of(stack, target["DeadLetterConfig"]["Arn"])]


@pytest.mark.parametrize(
    ("queue", "metric", "threshold"),
    [
        ("pt-dead-letter", "ApproximateNumberOfMessagesVisible", 0),
        ("pt-undelivered", "ApproximateNumberOfMessagesVisible", 0),
        *((name, "ApproximateAgeOfOldestMessage", 3600) for name in SOURCE_QUEUES.values()),
    ],
)
def test_every_queue_has_its_alarm(queue: str, metric: str, threshold: int, stack: Rendered) -> None:
    alarms = [
        alarm
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm.get("Dimensions") == [{"Name": "QueueName", "Value": queue}]
    ]
    assert [(alarm["MetricName"], alarm["Threshold"]) for alarm in alarms] == [(metric, threshold)]
    assert alarms[0]["Namespace"] == "AWS/SQS"
    assert alarms[0]["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarms[0]["AlarmDescription"]


def test_quarantine_has_its_alarm_on_the_metric_that_the_functions_write(stack: Rendered) -> None:
    alarm = stack.properties("QuarantinedAlarm")
    assert alarm["Namespace"] == f"{observability.NAMESPACE}/{STACK}"
    assert alarm["MetricName"] == observability.COUNTED["rejected"]
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 0)


def test_messages_that_come_again_and_again_have_their_alarm_on_the_metric_that_the_functions_write(
    stack: Rendered,
) -> None:
    alarm = stack.properties("WaitingAlarm")
    assert alarm["Namespace"] == f"{observability.NAMESPACE}/{STACK}"
    assert alarm["MetricName"] == observability.RETRY_AGE
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 3600)
    # A message may stay away for 900 s: a shorter period would have gaps, in which the alarm would end.
    assert alarm["Period"] > 900


def test_functions_that_crash_have_one_alarm_that_adds_up_their_errors(stack: Rendered) -> None:
    sum_, *errors = stack.properties("FunctionErrorsAlarm")["Metrics"]
    assert sum_["Expression"] == "SUM(METRICS())"
    metrics = [error["MetricStat"]["Metric"] for error in errors]
    assert {(metric["Namespace"], metric["MetricName"]) for metric in metrics} == {("AWS/Lambda", "Errors")}
    watched = {dimension["Value"] for metric in metrics for dimension in metric["Dimensions"]}
    functions = stack.of_type("AWS::Lambda::Function").values()
    assert watched == {function["FunctionName"] for function in functions}
    assert [metric.get("ReturnData") for metric in (sum_, *errors)] == [True, *(False for _ in errors)]


def test_a_clean_up_that_was_too_large_has_its_alarm_on_the_metric_that_the_function_writes(stack: Rendered) -> None:
    alarm = stack.properties("CleanupCappedAlarm")
    assert alarm["Namespace"] == f"{observability.NAMESPACE}/{STACK}"
    assert alarm["MetricName"] == observability.CAPPED
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 0)


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("SchedulesDroppedAlarm", "InvocationDroppedCount"),
        ("SchedulesLostAlarm", "InvocationsFailedToBeSentToDeadLetterCount"),
    ],
)
def test_schedules_that_start_nothing_have_their_alarms_on_the_metrics_of_the_stacks_group(
    alarm: str, metric: str, stack: Rendered
) -> None:
    properties = stack.properties(alarm)
    assert (properties["Namespace"], properties["MetricName"]) == ("AWS/Scheduler", metric)
    assert properties["Dimensions"] == [{"Name": "ScheduleGroup", "Value": stack.properties("ScheduleGroup")["Name"]}]
    assert (properties["Statistic"], properties["Threshold"]) == ("Sum", 0)
    # The service writes them only when something happens.
    assert properties["TreatMissingData"] == "notBreaching"


def test_the_alarm_of_the_undelivered_queue_says_how_to_find_the_rule_or_schedule(stack: Rendered) -> None:
    told = stack.properties("UndeliveredAlarm")["AlarmDescription"]
    for attribute in ("RULE_ARN", "SCHEDULE_ARN", "SCHEDULED_TIME", "ERROR_CODE", "ERROR_MESSAGE"):
        assert attribute in told


def test_no_description_is_longer_than_cloudwatch_allows(stack: Rendered) -> None:
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        assert len(alarm["AlarmDescription"]) <= 1024


def test_only_the_clean_up_waits_before_it_begins(empty: Rendered, filled: Rendered) -> None:
    for stack, delay in ((empty, "60"), (filled, "5")):
        delays = {
            name: queue["DelaySeconds"] for name, queue in stack.of_type(QUEUES).items() if "DelaySeconds" in queue
        }
        assert delays == {"CleanupQueue": delay}


def test_alarms_go_to_the_topic_that_was_given(empty: Rendered, filled: Rendered) -> None:
    for alarm in filled.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [FILLED["AlarmTopicArn"]]
    for alarm in empty.of_type("AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm


def test_the_topic_is_encrypted_with_the_stacks_own_key(stack: Rendered) -> None:
    assert stack.properties("EventsTopic")["KmsMasterKeyId"] == stack.arn("EventsTopicKey")
    assert stack.properties("EventsTopicKey")["EnableKeyRotation"] is True


def test_services_that_publish_can_use_the_topics_key(stack: Rendered) -> None:
    _, services = stack.properties("EventsTopicKey")["KeyPolicy"]["Statement"]
    assert services["Principal"] == {
        "Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"],
    }
    assert services["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    # EventBridge sends none of aws:SourceAccount and aws:SourceArn to KMS, and SNS drops what it cannot encrypt.
    assert "Condition" not in services


def _statements(stack: Rendered) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each statement of each queue policy, with the logical id of its queue."""
    names = {queue["QueueName"]: logical for logical, queue in stack.of_type(QUEUES).items()}
    for policy in stack.of_type("AWS::SQS::QueuePolicy").values():
        (queue,) = policy["Queues"]
        for statement in statements(policy["PolicyDocument"]):
            yield names[queue], statement


def _senders(stack: Rendered) -> dict[str, set[str]]:
    """The source ARNs that each queue admits."""
    found: dict[str, set[str]] = {queue: set() for queue in stack.of_type(QUEUES)}
    for queue, statement in _statements(stack):
        if statement["Effect"] == "Allow":
            for condition in statement["Condition"].values():
                found[queue].update(as_list(condition["aws:SourceArn"]))
    return found


def _queue_of(stack: Rendered, arn: str) -> str:
    return next(name for name in stack.of_type(QUEUES) if stack.arn(name) == arn)


def _logical(stack: Rendered, function_name: str) -> str:
    functions = stack.of_type("AWS::Lambda::Function")
    return next(name for name, function in functions.items() if function["FunctionName"] == function_name)
