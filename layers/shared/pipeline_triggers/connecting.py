"""Use case: let a bucket or a topic send to the stack, and undo that, without touching anything else of it.

Every change is planned first, and written only while what it was planned for is still there. What was done is
remembered, so that undoing undoes no more than that. The stack's own rules and queues are looked at and never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.connections import (
    Change,
    Connected,
    attribute_changes,
    check_bucket,
    check_topic,
    other_notifications,
    same_attribute,
    sends_events,
    switched,
    takes_bucket,
    wanted_attributes,
)
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.queue_policies import verdict
from pipeline_triggers.errors import AwsError, InvalidInputError, PipelineTriggersError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline_triggers.domain.connections import Ends, Kind, Subscription
    from pipeline_triggers.domain.ports import Buckets, Clock, Connections, QueuePolicies, RuleBook, Topics
    from pipeline_triggers.domain.rules import RuleDefinition

DEFAULT_BUS = "default"
SNS = "sns.amazonaws.com"
_AGAIN = "Look at the plan again: repeat the command"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be changed about a bucket or a topic; nothing when it is as it should be.

    In words: ``kept`` is what stays as it is, ``checks`` is what was found in order, ``warnings`` is what was not, or
    could not be found out. ``found`` is the state that the plan is for: a bucket's notifications, or a topic's
    subscription (None: there is none). ``left`` says why something is not undone that ``connect`` did not do; else it
    is empty.
    """

    kind: Kind
    name: str
    changes: tuple[Change, ...] = ()
    kept: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    found: Any = None
    left: str = ""


@dataclass(frozen=True)
class BucketConnecting:
    """The buckets of one stack.

    Every method raises InvalidInputError for what cannot be, NotFoundError for a bucket or stack that is not there, and
    AwsError when what must be known cannot be had.
    """

    buckets: Buckets
    rules: RuleBook
    connections: Connections
    clock: Clock
    caller: Callable[[], str]
    ends: Ends

    def plan(self, bucket: str) -> Plan:
        """What connecting a bucket would change. InvalidInputError when the stack would not take its events."""
        check_bucket(bucket)
        ends = self.ends
        region = self.buckets.region(bucket)
        if region != ends.home.region:
            said = f"the bucket {bucket} is in {region}, and its events go to the event bus there; the stack is in "
            raise InvalidInputError([Problem("NAME", said + ends.home.region, "Deploy a stack in the bucket's Region")])
        check, warning = self._check_rule(bucket, ends)
        notifications = self.buckets.notifications(bucket)
        return Plan(
            "bucket",
            bucket,
            changes=() if sends_events(notifications) else (Change("events to EventBridge", "off", "on"),),
            kept=tuple(other_notifications(notifications)),
            checks=tuple(filter(None, [check])),
            warnings=tuple(filter(None, [warning])),
            found=notifications,
        )

    def connect(self, plan: Plan) -> None:
        """Do what was planned, and remember it.

        Raises PipelineTriggersError when the bucket is not as it was when it was planned, or as it was written.
        """
        self._write(plan, on=True)
        self.connections.put(Connected("bucket", plan.name, by=self.caller(), at=self.clock.now()))

    def plan_back(self, bucket: str) -> Plan:
        """What undoing would change: nothing that ``connect`` did not do."""
        check_bucket(bucket)
        ends = self.ends
        record = self.connections.get("bucket", bucket)
        notifications = self.buckets.notifications(bucket)
        plan = Plan("bucket", bucket, kept=tuple(other_notifications(notifications)), found=notifications)
        if not sends_events(notifications):
            return plan
        if record is None:
            return replace(plan, left="connect did not turn its events on: they were on before, or others did it")
        change = Change("events to EventBridge", "on", "off")
        return replace(plan, changes=(change,), warnings=tuple(self._other_rules(bucket, ends)))

    def disconnect(self, plan: Plan) -> None:
        """Do what ``plan_back`` planned, and forget the bucket. Raises as ``connect`` does."""
        if plan.changes:
            self._write(plan, on=False)
        self.connections.forget("bucket", plan.name)

    def _write(self, plan: Plan, *, on: bool) -> None:
        if self.buckets.notifications(plan.name) != plan.found:
            said = f"the notifications of the bucket {plan.name} were changed in the meantime: nothing was written"
            raise PipelineTriggersError(f"{said}. {_AGAIN}")
        wanted = switched(plan.found, on=on)
        self.buckets.notify(plan.name, wanted)
        if self.buckets.notifications(plan.name) != wanted:
            said = f"the notifications of the bucket {plan.name} are not what was written"
            raise PipelineTriggersError(f"{said}: somebody else changes them too. Compare them with what was planned")

    def _check_rule(self, bucket: str, ends: Ends) -> tuple[str, str]:
        """That the stack's rule takes the events of a bucket, as a check and a warning; InvalidInputError if not.

        Whoever may not look at the rule is told what the stack's parameters say.
        """
        named = ends.delivered.buckets
        try:
            rule = self.rules.rule(DEFAULT_BUS, ends.s3_rule)
        except AwsError as error:
            if not error.is_denied:
                raise
            if named and bucket not in named:
                raise _not_taken(bucket, ends) from error
            return "", f"you may not look at the rule {ends.s3_rule}; the stack's parameter BucketNames lets it through"
        if not _takes(rule, bucket):
            raise _not_taken(bucket, ends)
        if not rule.is_enabled:
            return "", f"the stack's rule {ends.s3_rule} is disabled: nothing reaches the stack until it is enabled"
        return f"the stack's rule {ends.s3_rule} takes its events", ""

    def _other_rules(self, bucket: str, ends: Ends) -> list[str]:
        """Warnings about rules of others that take this bucket's events too, and would get no more of them."""
        try:
            taking = [rule.name for rule in self.rules.rules(DEFAULT_BUS) if rule.is_enabled and _takes(rule, bucket)]
        except AwsError as error:
            if not error.is_denied:
                raise
            return ["you may not look at the rules of the event bus: others may wait for this bucket's events too"]
        others = [name for name in taking if name != ends.s3_rule]
        return [f"the rule {name} takes events of this bucket too, and gets no more of them" for name in others]


@dataclass(frozen=True)
class TopicConnecting:
    """The topics of one stack. Its methods raise as those of ``BucketConnecting`` do."""

    topics: Topics
    policies: QueuePolicies
    connections: Connections
    clock: Clock
    caller: Callable[[], str]
    ends: Ends

    def plan(self, topic_arn: str) -> Plan:
        """What connecting a topic would change. InvalidInputError when the stack's queues refuse its messages."""
        ends = self.ends
        check_topic(topic_arn, ends.home)
        checks, warnings = self._check_queues(topic_arn, ends)
        if topic_arn in ends.trusted_topic_arns:
            checks.append("it is trusted: S3 notifications and EventBridge events inside its messages count as such")
        else:
            told = "it is not among the stack's TrustedTopicArns: S3 notifications and EventBridge events inside its "
            warnings.append(f"{told}messages stay what they are, messages of aws.sns")
        subscription = self.topics.subscription(topic_arn, ends.queue_arn)
        if subscription is None:
            changes = [Change(f"subscription of {_short(ends.queue_arn)}", "none", "made")]
            changes += [Change(name, "", value) for name, value in wanted_attributes(ends).items()]
        else:
            wanted = attribute_changes(subscription, ends)
            changes = [Change(name, subscription.attributes.get(name, ""), value) for name, value in wanted.items()]
            warnings += _remarks(subscription)
        return Plan(
            "topic",
            topic_arn,
            changes=tuple(changes),
            kept=_kept(subscription),
            checks=tuple(checks),
            warnings=tuple(warnings),
            found=subscription,
        )

    def connect(self, plan: Plan) -> None:
        """Do what was planned, and remember it. Raises PipelineTriggersError when the subscription is another now."""
        ends = self.ends
        self._require(plan, ends)
        if plan.found is None:
            made = self.topics.subscribe(plan.name, ends.queue_arn, wanted_attributes(ends))
            self._remember(plan.name, made.arn, before=None)
            return
        wanted = attribute_changes(plan.found, ends)
        before = {name: plan.found.attributes.get(name) for name in wanted}
        earlier = self.connections.get("topic", plan.name)
        if earlier is None or earlier.subscription_arn != plan.found.arn:
            self._remember(plan.name, plan.found.arn, before)
        elif earlier.before is not None:
            self._remember(plan.name, plan.found.arn, {**before, **earlier.before})
        for name, value in wanted.items():
            self.topics.change(plan.found.arn, name, value)

    def plan_back(self, topic_arn: str) -> Plan:
        """What undoing would change: nothing that ``connect`` did not do."""
        ends = self.ends
        check_topic(topic_arn, ends.home)
        record = self.connections.get("topic", topic_arn)
        subscription = self.topics.subscription(topic_arn, ends.queue_arn)
        plan = Plan("topic", topic_arn, found=subscription)
        if subscription is None:
            return plan
        if record is None or record.subscription_arn != subscription.arn:
            return replace(plan, left="connect did not make its subscription: the template did, or somebody else")
        if record.before is None:
            return replace(plan, changes=(Change(f"subscription of {_short(ends.queue_arn)}", "there", "deleted"),))
        changes, warnings = _changes_back(subscription, record.before, wanted_attributes(ends))
        return replace(plan, changes=tuple(changes), kept=("the subscription itself",), warnings=tuple(warnings))

    def disconnect(self, plan: Plan) -> None:
        """Do what ``plan_back`` planned, and forget the topic. Raises as ``connect`` does."""
        ends = self.ends
        self._require(plan, ends)
        record = self.connections.get("topic", plan.name)
        if plan.changes and record is not None:
            if record.before is None:
                self.topics.unsubscribe(record.subscription_arn)
            for change in plan.changes if record.before is not None else ():
                self.topics.change(record.subscription_arn, change.what, change.after)
        self.connections.forget("topic", plan.name)

    def _require(self, plan: Plan, ends: Ends) -> None:
        """Refuse to act when the subscription is not what it was when it was planned."""
        if self.topics.subscription(plan.name, ends.queue_arn) != plan.found:
            said = f"the subscription of the topic {plan.name} was changed in the meantime: nothing was written"
            raise PipelineTriggersError(f"{said}. {_AGAIN}")

    def _remember(self, topic_arn: str, subscription_arn: str, before: Mapping[str, str | None] | None) -> None:
        at, by = self.clock.now(), self.caller()
        self.connections.put(Connected("topic", topic_arn, by, at, subscription_arn, before))

    def _check_queues(self, topic_arn: str, ends: Ends) -> tuple[list[str], list[str]]:
        """That the stack's queue, and its dead-letter queue, take what the topic sends: checks and warnings.

        InvalidInputError when one refuses it.
        """
        checks: list[str] = []
        warnings: list[str] = []
        for queue_arn in (ends.queue_arn, ends.dead_letter_arn):
            try:
                policy = self.policies.of(queue_arn)
            except AwsError as error:
                if not error.is_denied:
                    raise
                warnings.append(f"you may not look at the policy of the queue {_short(queue_arn)}")
                continue
            judged = verdict(policy, queue_arn=queue_arn, service=SNS, source_arn=topic_arn)
            if judged == "refused":
                said = f"the stack's queue {_short(queue_arn)} refuses messages of this topic"
                remedy = "Add the topic to the stack's parameter TrustedTopicArns (sam deploy), then connect it"
                raise InvalidInputError([Problem("ARN", said, remedy)])
            takes = f"the stack's queue {_short(queue_arn)} takes its messages"
            (checks if judged == "allowed" else warnings).append(
                takes if judged == "allowed" else f"whether {takes} cannot be told from its policy"
            )
        return checks, warnings


def _not_taken(bucket: str, ends: Ends) -> InvalidInputError:
    named = ", ".join(ends.delivered.buckets)
    said = f"the stack's rule {ends.s3_rule} does not take events of the bucket {bucket}"
    remedy = f"Add it to the stack's parameter BucketNames ({named or 'see the rule'}; sam deploy), then connect it"
    return InvalidInputError([Problem("NAME", said, remedy)])


def _takes(rule: RuleDefinition, bucket: str) -> bool:
    """Whether a rule may take a bucket's events; yes for a pattern that is not understood here."""
    pattern = rule.document.get("EventPattern")
    try:
        return pattern is not None and takes_bucket(EventPattern(pattern), bucket)
    except InvalidInputError:
        return True


def _kept(subscription: Subscription | None) -> tuple[str, ...]:
    if subscription is None:
        return ()
    policy = subscription.attributes.get("FilterPolicy")
    return ("the subscription itself", *([f"its filter policy: {policy}"] if policy else []))


def _remarks(subscription: Subscription) -> list[str]:
    """What of an existing subscription keeps messages from the stack."""
    said = []
    if not subscription.arn or subscription.attributes.get("PendingConfirmation") == "true":
        said.append("the subscription waits to be confirmed: until then nothing is delivered")
    if subscription.attributes.get("FilterPolicy"):
        said.append("the subscription has a filter policy, and lets only what that admits through")
    return said


def _changes_back(
    subscription: Subscription, before: Mapping[str, str | None], written: Mapping[str, str]
) -> tuple[list[Change], list[str]]:
    """The attributes that are as ``connect`` wrote them, back to what they were; of others only that they stay."""
    changes: list[Change] = []
    warnings: list[str] = []
    for name, value in before.items():
        now = subscription.attributes.get(name)
        if same_attribute(now, written.get(name)):
            changes.append(Change(name, now or "", value or ""))
        else:
            warnings.append(f"{name} is not what connect wrote: it stays {now}")
    return changes, warnings


def _short(queue_arn: str) -> str:
    return queue_arn.rpartition(":")[2]
