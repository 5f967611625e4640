"""SNS notifications → ``aws.sns`` / ``Notification`` events.

Two shapes carry the same fields: the ``Sns`` object of a Lambda event, and the envelope that SNS puts around a message
in an SQS body (raw delivery off).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline_triggers.domain.events import Event, Via
from pipeline_triggers.errors import MalformedEventError

EVENT_SOURCE = "aws:sns"
# The end of the name of the queue that topics send to.
QUEUE_SUFFIX = "-sns-event"

_TOPIC_ARN = re.compile(
    r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
)
_HANDSHAKES = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
# About the delivery, not the message; and whoever has the URL to unsubscribe may do so.
_NOT_IN_DETAIL = frozenset(
    {"Type", "Signature", "SignatureVersion", "SigningCertUrl", "SigningCertURL", "UnsubscribeUrl", "UnsubscribeURL"}
)


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of a topic, as SNS delivers it: ``fields`` as they came, ``message`` the text that was published."""

    fields: Mapping[str, Any]
    topic_arn: str
    account: str
    region: str
    message_id: str
    message: str
    attributes: Mapping[str, Any]

    @property
    def via(self) -> Via:
        """The topic as the envelope of what is inside; the attributes by name, their values as delivered."""
        return Via("sns", self.topic_arn, self.message_id, {name: _value(it) for name, it in self.attributes.items()})

    def to_event(self, content: object, via: tuple[Via, ...] = ()) -> Event:
        """The ``aws.sns`` event with ``content`` as its Message.

        detail: TopicArn, MessageId, Subject (null if none), Timestamp, MessageAttributes ``{name: {Type, Value}}``,
        Message, and what else SNS says about the message, but its signature and the address to unsubscribe.
        """
        rest = {name: value for name, value in self.fields.items() if name not in _NOT_IN_DETAIL}
        timestamp = self.fields.get("Timestamp")
        detail = {"Subject": None, "Timestamp": None, **rest, "MessageAttributes": self.attributes, "Message": content}
        envelope = {
            "version": "0",
            "id": self.message_id,
            "detail-type": "Notification",
            "source": "aws.sns",
            "account": self.account,
            "time": timestamp if isinstance(timestamp, str) else "",
            "region": self.region,
            "resources": [self.topic_arn],
            "detail": detail,
        }
        return Event.from_envelope(envelope, via)


def is_notification(document: Mapping[str, Any]) -> bool:
    """Whether this is the envelope of a message, as in an SQS body."""
    return document.get("Type") == "Notification" and "TopicArn" in document and "Message" in document


def is_handshake(document: Mapping[str, Any]) -> bool:
    """Whether SNS asks to confirm a subscription, or its end. Subscriptions of queues and functions need no such."""
    return document.get("Type") in _HANDSHAKES and "TopicArn" in document


def notification_of(fields: Mapping[str, Any]) -> Notification:
    """Read either shape. Raises MalformedEventError when topic ARN, message id, message or attributes are none."""
    arn, message_id, message = fields.get("TopicArn"), fields.get("MessageId"), fields.get("Message")
    match = _TOPIC_ARN.fullmatch(arn) if isinstance(arn, str) else None
    attributes = fields.get("MessageAttributes") or {}
    if not isinstance(arn, str) or match is None:
        raise MalformedEventError("an SNS notification whose TopicArn is not the ARN of a topic")
    if not isinstance(message_id, str) or not message_id:
        raise MalformedEventError("an SNS notification whose MessageId is missing, empty or no text")
    if not isinstance(message, str):
        raise MalformedEventError("an SNS notification whose Message is missing or no text")
    if not isinstance(attributes, Mapping):
        raise MalformedEventError("an SNS notification whose MessageAttributes are no object")
    return Notification(fields, arn, match["account"], match["region"], message_id, message, attributes)


def _value(attribute: object) -> Any:
    return attribute.get("Value") if isinstance(attribute, Mapping) else attribute
