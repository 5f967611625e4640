"""Connecting a bucket or a topic changes what is missing, and undoing undoes that and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pipeline_triggers.connecting import BucketConnecting, TopicConnecting
from pipeline_triggers.domain.connections import Change, Connected, Ends, Subscription
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.errors import AwsError, InvalidInputError, NotFoundError, PipelineTriggersError, TransientError
from tests.fakes.buckets import FakeBuckets
from tests.fakes.clock import FakeClock
from tests.fakes.connections import FakeConnections
from tests.fakes.queue_policies import FakeQueuePolicies, lets
from tests.fakes.rule_book import FakeRuleBook
from tests.fakes.topics import FakeTopics

HOME = Home("aws", "123456789012", "us-east-1")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:pt-sns-event"
DEAD = "arn:aws:sqs:us-east-1:123456789012:pt-undelivered"
TOPIC = "arn:aws:sns:us-east-1:123456789012:uploads"
ENDS = Ends("pt", HOME, queue_arn=QUEUE, dead_letter_arn=DEAD)
NOTIFIES: dict[str, Any] = {
    "QueueConfigurations": [{"Id": "q", "QueueArn": "arn:aws:sqs:r:1:q", "Events": ["s3:ObjectCreated:*"]}]
}
EVENTS: dict[str, Any] = {"EventBridgeConfiguration": {}}
DENIED = TransientError("denied-yet", "AccessDenied")
BROKEN = TransientError("unavailable", "503")
ON, OFF = Change("events to EventBridge", "off", "on"), Change("events to EventBridge", "on", "off")


@dataclass
class S3:
    """The bucket raw-data, and the stack pt, whose rule takes every bucket."""

    buckets: FakeBuckets = field(default_factory=FakeBuckets)
    rules: FakeRuleBook = field(default_factory=FakeRuleBook)
    connections: FakeConnections = field(default_factory=FakeConnections)
    ends: Ends = ENDS

    def __post_init__(self) -> None:
        self.buckets.add("raw-data", NOTIFIES)
        self.rules.add("pt-s3-objects", {"source": ["aws.s3"], "detail-type": [{"prefix": "Object "}]})

    @property
    def connecting(self) -> BucketConnecting:
        return BucketConnecting(self.buckets, self.rules, self.connections, FakeClock(), lambda: "ann", self.ends)

    def connect(self) -> None:
        self.connecting.connect(self.connecting.plan("raw-data"))

    def disconnect(self) -> None:
        self.connecting.disconnect(self.connecting.plan_back("raw-data"))


@pytest.fixture
def s3() -> S3:
    return S3()


def test_a_plan_says_what_changes_what_stays_and_that_the_rule_takes_the_bucket(s3: S3) -> None:
    plan = s3.connecting.plan("raw-data")
    assert plan.changes == (ON,)
    assert plan.kept == ("queue q (s3:ObjectCreated:*)",)
    assert plan.checks == ("the stack's rule pt-s3-objects takes its events",)
    assert plan.warnings == ()
    assert s3.buckets.called("notify") == []


def test_connecting_adds_events_and_keeps_the_other_notifications(s3: S3) -> None:
    s3.connect()
    assert s3.buckets.notifications("raw-data") == {**NOTIFIES, **EVENTS}
    assert s3.connections.get("bucket", "raw-data") == Connected("bucket", "raw-data", "ann", FakeClock().now())


def test_a_bucket_that_sends_its_events_already_needs_no_change(s3: S3) -> None:
    s3.buckets.add("raw-data", EVENTS)
    assert s3.connecting.plan("raw-data").changes == ()


def test_a_bucket_that_was_changed_since_the_plan_is_not_written(s3: S3) -> None:
    plan = s3.connecting.plan("raw-data")
    s3.buckets.add("raw-data", {})
    with pytest.raises(PipelineTriggersError, match="changed in the meantime: nothing was written"):
        s3.connecting.connect(plan)
    assert s3.buckets.called("notify") == []
    assert s3.connections.get("bucket", "raw-data") is None


def test_what_is_not_there_after_it_was_written_is_told(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = s3.connecting.plan("raw-data")
    monkeypatch.setattr(s3.buckets, "notify", lambda _bucket, _notifications: None)
    with pytest.raises(PipelineTriggersError, match="are not what was written"):
        s3.connecting.connect(plan)


def test_a_bucket_of_another_region_is_refused(s3: S3) -> None:
    s3.buckets.add("raw-data", region="eu-west-1")
    with pytest.raises(InvalidInputError, match=r"is in eu-west-1.*the stack is in us-east-1"):
        s3.connecting.plan("raw-data")


def test_a_bucket_that_the_stacks_rule_does_not_take_is_refused(s3: S3) -> None:
    s3.rules.add("pt-s3-objects", {"source": ["aws.s3"], "detail": {"bucket": {"name": ["other"]}}})
    s3.ends = replace(ENDS, delivered=Delivered(buckets=("other",)))
    with pytest.raises(InvalidInputError, match=r"does not take events of the bucket raw-data.*BucketNames \(other"):
        s3.connecting.plan("raw-data")


def test_a_rule_without_an_event_pattern_takes_no_bucket(s3: S3) -> None:
    s3.rules.add("pt-s3-objects", ScheduleExpression="rate(1 day)")
    with pytest.raises(InvalidInputError, match="does not take events"):
        s3.connecting.plan("raw-data")


def test_a_disabled_rule_is_a_warning(s3: S3) -> None:
    s3.rules.add("pt-s3-objects", {"source": ["aws.s3"]}, State="DISABLED")
    plan = s3.connecting.plan("raw-data")
    assert plan.checks == ()
    assert plan.warnings == (
        "the stack's rule pt-s3-objects is disabled: nothing reaches the stack until it is enabled",
    )


def test_whoever_may_not_look_at_the_rule_is_told_what_the_parameters_say(s3: S3) -> None:
    s3.rules.fail("rule", DENIED, DENIED)
    (warning,) = s3.connecting.plan("raw-data").warnings
    assert "you may not look at the rule pt-s3-objects" in warning
    s3.ends = replace(ENDS, delivered=Delivered(buckets=("other",)))
    with pytest.raises(InvalidInputError, match="does not take events of the bucket raw-data"):
        s3.connecting.plan("raw-data")


def test_a_rule_that_cannot_be_asked_for_is_told(s3: S3) -> None:
    s3.rules.fail("rule", BROKEN)
    with pytest.raises(AwsError, match="503"):
        s3.connecting.plan("raw-data")


@pytest.mark.parametrize("method", ["plan", "plan_back"])
def test_a_name_that_no_bucket_has_is_refused_before_any_call(s3: S3, method: str) -> None:
    with pytest.raises(InvalidInputError, match="is no name of a bucket"):
        getattr(s3.connecting, method)("s3://raw-data")
    assert s3.buckets.calls == []


def test_a_bucket_that_is_not_there_is_not_found(s3: S3) -> None:
    with pytest.raises(NotFoundError, match="there is no bucket other-data"):
        s3.connecting.plan("other-data")


def test_undoing_turns_off_what_connect_turned_on_and_keeps_the_rest(s3: S3) -> None:
    s3.connect()
    assert s3.connecting.plan_back("raw-data").changes == (OFF,)
    s3.disconnect()
    assert s3.buckets.notifications("raw-data") == NOTIFIES
    assert s3.connections.get("bucket", "raw-data") is None


def test_what_was_on_before_is_left(s3: S3) -> None:
    s3.buckets.add("raw-data", {**NOTIFIES, **EVENTS})
    plan = s3.connecting.plan_back("raw-data")
    assert plan.changes == ()
    assert "connect did not turn its events on" in plan.left


def test_what_somebody_turned_off_already_is_only_forgotten(s3: S3) -> None:
    s3.connect()
    s3.buckets.add("raw-data", NOTIFIES)
    written = len(s3.buckets.called("notify"))
    s3.disconnect()
    assert len(s3.buckets.called("notify")) == written
    assert s3.connections.get("bucket", "raw-data") is None


def test_undoing_warns_of_other_rules_that_take_the_bucket(s3: S3) -> None:
    s3.connect()
    s3.rules.add("audit", {"source": ["aws.s3"]})
    s3.rules.add("other-bucket", {"source": ["aws.s3"], "detail": {"bucket": {"name": ["other"]}}})
    s3.rules.add("off", {"source": ["aws.s3"]}, State="DISABLED")
    s3.rules.add("nightly", ScheduleExpression="rate(1 day)")
    s3.rules.add("odd", {"source": [{"not-known": 1}]})
    assert s3.connecting.plan_back("raw-data").warnings == (
        "the rule audit takes events of this bucket too, and gets no more of them",
        "the rule odd takes events of this bucket too, and gets no more of them",
    )


def test_undoing_warns_when_the_other_rules_cannot_be_seen(s3: S3) -> None:
    s3.connect()
    s3.rules.fail("rules", DENIED)
    (warning,) = s3.connecting.plan_back("raw-data").warnings
    assert "you may not look at the rules" in warning
    s3.rules.fail("rules", BROKEN)
    with pytest.raises(AwsError, match="503"):
        s3.connecting.plan_back("raw-data")


# ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Sns:
    """The topic uploads, and the stack pt, whose queues take every topic of the account."""

    topics: FakeTopics = field(default_factory=FakeTopics)
    policies: FakeQueuePolicies = field(default_factory=FakeQueuePolicies)
    connections: FakeConnections = field(default_factory=FakeConnections)
    ends: Ends = ENDS

    def __post_init__(self) -> None:
        self.topics.add(TOPIC)
        for queue in (QUEUE, DEAD):
            self.policies.add(queue, lets("sns.amazonaws.com", queue, "arn:aws:sns:us-east-1:123456789012:*"))

    @property
    def connecting(self) -> TopicConnecting:
        return TopicConnecting(self.topics, self.policies, self.connections, FakeClock(), lambda: "ann", self.ends)

    def connect(self) -> None:
        self.connecting.connect(self.connecting.plan(TOPIC))

    def disconnect(self) -> None:
        self.connecting.disconnect(self.connecting.plan_back(TOPIC))

    @property
    def found(self) -> Subscription | None:
        return self.topics.subscription(TOPIC, QUEUE)


@pytest.fixture
def sns() -> Sns:
    return Sns()


def test_a_plan_for_a_topic_shows_the_subscription_with_its_attributes(sns: Sns) -> None:
    plan = sns.connecting.plan(TOPIC)
    assert [change.what for change in plan.changes] == [
        "subscription of pt-sns-event",
        "RawMessageDelivery",
        "RedrivePolicy",
    ]
    assert plan.checks == (
        "the stack's queue pt-sns-event takes its messages",
        "the stack's queue pt-undelivered takes its messages",
    )
    (warning,) = plan.warnings
    assert "not among the stack's TrustedTopicArns" in warning
    assert sns.topics.called("subscribe") == []


def test_a_trusted_topic_is_said_to_be_one(sns: Sns) -> None:
    sns.ends = replace(ENDS, trusted_topic_arns=(TOPIC,))
    plan = sns.connecting.plan(TOPIC)
    assert plan.warnings == ()
    assert plan.checks[-1].startswith("it is trusted")


def test_connecting_subscribes_the_queue_with_envelope_and_dead_letter_queue(sns: Sns) -> None:
    sns.connect()
    assert sns.found is not None
    assert sns.found.attributes["RawMessageDelivery"] == "false"
    assert json.loads(sns.found.attributes["RedrivePolicy"]) == {"deadLetterTargetArn": DEAD}
    known = sns.connections.get("topic", TOPIC)
    assert known == Connected("topic", TOPIC, "ann", FakeClock().now(), sns.found.arn, None)
    assert sns.connecting.plan(TOPIC).changes == ()


def test_undoing_deletes_the_subscription_that_connect_made(sns: Sns) -> None:
    sns.connect()
    assert sns.connecting.plan_back(TOPIC).changes == (Change("subscription of pt-sns-event", "there", "deleted"),)
    sns.disconnect()
    assert sns.found is None
    assert sns.connections.get("topic", TOPIC) is None


def test_a_subscription_that_is_there_is_changed_only_where_it_must_be_and_back_again(sns: Sns) -> None:
    before = {"RawMessageDelivery": "true", "FilterPolicy": '{"go": ["yes"]}'}
    sns.topics.subscribe(TOPIC, QUEUE, before)
    plan = sns.connecting.plan(TOPIC)
    assert [change.what for change in plan.changes] == ["RawMessageDelivery", "RedrivePolicy"]
    assert plan.kept == ("the subscription itself", 'its filter policy: {"go": ["yes"]}')
    assert any("has a filter policy" in warning for warning in plan.warnings)
    sns.connecting.connect(plan)
    assert sns.found is not None
    assert sns.found.attributes["RawMessageDelivery"] == "false"
    sns.disconnect()
    assert sns.found.attributes == before
    assert sns.connections.get("topic", TOPIC) is None


def test_connecting_again_after_a_change_remembers_what_was_first(sns: Sns) -> None:
    made = sns.topics.subscribe(TOPIC, QUEUE, {"RawMessageDelivery": "true"})
    sns.connect()
    sns.topics.change(made.arn, "RedrivePolicy", "")
    sns.topics.change(made.arn, "RawMessageDelivery", "True")
    sns.connect()
    known = sns.connections.get("topic", TOPIC)
    assert known is not None
    assert known.before == {"RawMessageDelivery": "true", "RedrivePolicy": None}


def test_connecting_again_does_not_forget_that_connect_made_the_subscription(sns: Sns) -> None:
    sns.connect()
    assert sns.found is not None
    sns.topics.change(sns.found.arn, "RawMessageDelivery", "true")
    sns.connect()
    assert sns.found.attributes["RawMessageDelivery"] == "false"
    assert [change.after for change in sns.connecting.plan_back(TOPIC).changes] == ["deleted"]


def test_an_attribute_that_somebody_changed_since_stays(sns: Sns) -> None:
    made = sns.topics.subscribe(TOPIC, QUEUE, {"RawMessageDelivery": "true"})
    sns.connect()
    sns.topics.change(made.arn, "RedrivePolicy", '{"deadLetterTargetArn": "theirs"}')
    plan = sns.connecting.plan_back(TOPIC)
    assert [change.what for change in plan.changes] == ["RawMessageDelivery"]
    assert plan.warnings == ('RedrivePolicy is not what connect wrote: it stays {"deadLetterTargetArn": "theirs"}',)


def test_a_subscription_that_connect_did_not_make_is_left(sns: Sns) -> None:
    sns.topics.subscribe(TOPIC, QUEUE, {"RedrivePolicy": "{}"})
    plan = sns.connecting.plan_back(TOPIC)
    assert (plan.changes, "connect did not make its subscription" in plan.left) == ((), True)


def test_a_subscription_that_replaced_the_one_of_connect_is_left(sns: Sns) -> None:
    sns.connect()
    assert sns.found is not None
    sns.topics.unsubscribe(sns.found.arn)
    sns.topics.subscribe(TOPIC, QUEUE, {})
    assert sns.connecting.plan_back(TOPIC).left


def test_what_is_gone_already_is_only_forgotten(sns: Sns) -> None:
    sns.connect()
    assert sns.found is not None
    sns.topics.unsubscribe(sns.found.arn)
    plan = sns.connecting.plan_back(TOPIC)
    assert (plan.changes, plan.left) == ((), "")
    sns.connecting.disconnect(plan)
    assert sns.connections.get("topic", TOPIC) is None


def test_a_topic_that_the_stacks_queue_refuses_is_refused(sns: Sns) -> None:
    foreign = TOPIC.replace("123456789012", "210987654321")
    sns.topics.add(foreign)
    with pytest.raises(InvalidInputError, match=r"pt-sns-event refuses messages of this topic.*TrustedTopicArns"):
        sns.connecting.plan(foreign)


def test_a_topic_that_only_the_dead_letter_queue_refuses_is_refused_too(sns: Sns) -> None:
    sns.policies.add(DEAD, {})
    with pytest.raises(InvalidInputError, match="pt-undelivered refuses messages of this topic"):
        sns.connecting.plan(TOPIC)


def test_policies_that_cannot_be_judged_or_seen_are_warnings(sns: Sns) -> None:
    unclear = lets("sns.amazonaws.com", QUEUE)
    unclear["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    sns.policies.add(QUEUE, unclear)
    assert any("cannot be told from its policy" in warning for warning in sns.connecting.plan(TOPIC).warnings)
    sns.policies.fail("of", DENIED, DENIED)
    said = sns.connecting.plan(TOPIC).warnings
    assert sum("you may not look at the policy" in warning for warning in said) == 2
    sns.policies.fail("of", BROKEN)
    with pytest.raises(AwsError, match="503"):
        sns.connecting.plan(TOPIC)


def test_a_subscription_that_waits_to_be_confirmed_is_a_warning(sns: Sns) -> None:
    sns.topics.subscribe(TOPIC, QUEUE, {"RedrivePolicy": "{}", "PendingConfirmation": "true"})
    assert any("waits to be confirmed" in warning for warning in sns.connecting.plan(TOPIC).warnings)


@pytest.mark.parametrize("method", ["connect", "disconnect"])
def test_a_subscription_that_was_changed_since_the_plan_is_not_touched(sns: Sns, method: str) -> None:
    planning = {"connect": sns.connecting.plan, "disconnect": sns.connecting.plan_back}[method]
    plan = planning(TOPIC)
    sns.topics.subscribe(TOPIC, QUEUE, {})
    before = len(sns.topics.calls)
    with pytest.raises(PipelineTriggersError, match="changed in the meantime"):
        getattr(sns.connecting, method)(plan)
    assert [call.method for call in sns.topics.calls[before:]] == ["subscription"]


@pytest.mark.parametrize("method", ["plan", "plan_back"])
def test_what_is_no_topic_is_refused_before_any_call(sns: Sns, method: str) -> None:
    with pytest.raises(InvalidInputError, match="is not the ARN of an SNS topic"):
        getattr(sns.connecting, method)("uploads")
    assert sns.topics.calls == []


def test_a_topic_that_is_not_there_is_not_found(sns: Sns) -> None:
    with pytest.raises(NotFoundError):
        sns.connecting.plan(f"{TOPIC}s")
