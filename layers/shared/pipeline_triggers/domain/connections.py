"""Buckets and topics that send to the stack: what is changed at them so that they do, and what stays as it is.

PutBucketNotificationConfiguration replaces everything that a bucket has: what is written is what was read, with
EventBridge added or taken away. The notifications are documents as GetBucketNotificationConfiguration answers them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf

from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.pattern_fields import concerns
from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.patterns import EventPattern

Kind = OneOf["bucket", "topic"]

# Of a bucket's notifications: the key that says that its events go to EventBridge (its value says nothing), and for
# each other kind of destination the key of its list, the key of the ARN in it, and what it is called.
EVENT_BRIDGE = "EventBridgeConfiguration"
_DESTINATIONS = (
    ("TopicConfigurations", "TopicArn", "topic"),
    ("QueueConfigurations", "QueueArn", "queue"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", "function"),
)
# Amazon S3 User Guide, "General purpose bucket naming rules".
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):[A-Za-z0-9_-]{1,256}(\.fifo)?")

# The attributes of a subscription that the stack needs to be so.
RAW = "RawMessageDelivery"
REDRIVE = "RedrivePolicy"


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the stack takes events: its rule for S3, its queue for SNS, and what its parameters let through."""

    stack: str
    home: Home
    delivered: Delivered = field(default_factory=Delivered)
    trusted_topic_arns: tuple[str, ...] = ()
    queue_arn: str = ""
    dead_letter_arn: str = ""

    @property
    def s3_rule(self) -> str:
        """The name of the rule that takes the events of buckets, on the default event bus."""
        return f"{self.stack}-s3-objects"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription of a topic, with its attributes as SNS writes them. ``arn`` is empty while it is not confirmed."""

    arn: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connected:
    """What ``connect`` did, so that it can be undone: who, when, and how it was before.

    Of a topic ``subscription_arn`` is the subscription of the stack's queue, and ``before`` its attributes that were
    changed, as they were (None: it was not set); without ``before`` the subscription was made.
    """

    kind: Kind
    name: str
    by: str
    at: datetime
    subscription_arn: str = ""
    before: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is changed, and how it was and will be, in words."""

    what: str
    before: str
    after: str


def check_bucket(name: str) -> None:
    """Refuse what cannot be the name of a bucket. Raises InvalidInputError."""
    if not _BUCKET.fullmatch(name) or ".." in name:
        remedy = "It has 3 to 63 lower-case letters, digits, dots and hyphens: not its ARN, and no s3://"
        raise InvalidInputError([Problem("NAME", f"{name!r} is no name of a bucket", remedy)])


def check_topic(arn: str, home: Home) -> None:
    """Refuse what is no topic that the stack's queue can be subscribed to. Raises InvalidInputError."""
    found = _TOPIC.fullmatch(arn)
    if found is None:
        remedy = "It is arn:aws:sns:REGION:ACCOUNT:NAME, as: aws sns list-topics"
        raise InvalidInputError([Problem("ARN", f"{arn!r} is not the ARN of an SNS topic", remedy)])
    if found["region"] != home.region:
        said = f"the topic is in {found['region']}, and the stack's queues are in {home.region}"
        remedy = "The dead-letter queue of a subscription must be in its Region: use a stack that is there"
        raise InvalidInputError([Problem("ARN", said, remedy)])


def account_of(topic_arn: str) -> str:
    """The account of a topic."""
    return topic_arn.split(":")[4]


# ---------------------------------------------------------------------------------------------------------------------
# A bucket's notifications


def sends_events(notifications: Mapping[str, Any]) -> bool:
    """Whether a bucket sends its events to EventBridge."""
    return EVENT_BRIDGE in notifications


def switched(notifications: Mapping[str, Any], *, on: bool) -> dict[str, Any]:
    """The same notifications, with those to EventBridge on or off."""
    others = {key: value for key, value in notifications.items() if key != EVENT_BRIDGE}
    return others | ({EVENT_BRIDGE: {}} if on else {})


def other_notifications(notifications: Mapping[str, Any]) -> list[str]:
    """The notifications beside those to EventBridge, each in words: ``queue uploads (s3:ObjectCreated:*)``."""
    return [
        f"{called} {str(each.get(arn, '')).rpartition(':')[2]} ({', '.join(each.get('Events', []))})"
        for key, arn, called in _DESTINATIONS
        for each in notifications.get(key, [])
    ]


def takes_bucket(pattern: EventPattern, bucket: str) -> bool:
    """Whether a rule with this pattern may match events of a bucket's objects."""
    event = {"source": "aws.s3", "detail": {"bucket": {"name": bucket}}, "resources": [f"arn:aws:s3:::{bucket}"]}
    return concerns(pattern, event, ("source",), ("detail", "bucket", "name"), ("resources",))


# ---------------------------------------------------------------------------------------------------------------------
# A topic's subscription


def wanted_attributes(ends: Ends) -> dict[str, str]:
    """The attributes that the subscription of the stack's queue must have."""
    return {RAW: "false", REDRIVE: json.dumps({"deadLetterTargetArn": ends.dead_letter_arn})}


def attribute_changes(subscription: Subscription, ends: Ends) -> dict[str, str]:
    """The attributes of an existing subscription that have to be set, with their values.

    A redrive policy to another dead-letter queue is as good, and stays.
    """
    has = subscription.attributes
    is_right = {RAW: has.get(RAW, "false").lower() != "true", REDRIVE: bool(has.get(REDRIVE))}
    return {name: value for name, value in wanted_attributes(ends).items() if not is_right[name]}


def same_attribute(one: str | None, other: str | None) -> bool:
    """Whether two values of an attribute mean the same, however a policy is written."""
    return _meant(one) == _meant(other)


def _meant(value: str | None) -> object:
    try:
        return json.loads(value or "null")
    except ValueError:
        return value
