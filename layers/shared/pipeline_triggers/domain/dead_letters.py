"""Messages in the stack's two dead-letter queues: where each is from, why it is there, and where it belongs.

``dead-letter``   what a function failed on for days. SQS moved it there and says from which queue.
``undelivered``   what could not be delivered in the first place, with the attributes of whoever gave up:
    a rule             RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE; the body is the event
    a subscription     no attributes of its own; the body is the SNS notification
    a schedule         SCHEDULE_ARN, SCHEDULED_TIME, ERROR_CODE, ERROR_MESSAGE; the body is the request that failed:
                       ``{"MessageBody": …, "QueueUrl": …}`` or ``{"PipelineName": …}`` (user guide of EventBridge
                       Scheduler, "Configuring a dead-letter queue")
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.forms import json_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.domain.messages import Received

# The queues of a stack, without the stack's name before them: what the functions work through, …
WORK_QUEUES = ("s3-event", "sns-event", "status-event", "bus-event", "schedule", "cleanup")
# … and the two that hold what got stuck.
DEAD_LETTER, UNDELIVERED = "dead-letter", "undelivered"
_SCHEDULE, _SNS = "schedule", "sns-event"
# What EventBridge Scheduler fills in before it delivers.
_PLACEHOLDER = "<aws.scheduler."

Origin = Literal["queue", "rule", "subscription", "schedule", "unknown"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of a dead-letter queue.

    ``source`` is the ARN of the queue, rule, topic or schedule that it is from; ``error_code`` and ``error_message``
    say why it was not delivered. ``queue`` is the name of the queue that it belongs to, ``body`` and ``attributes`` are
    what is to be sent there. Where it belongs to none, ``queue`` is empty and ``hindrance`` says why and what to do.
    """

    id: str
    origin: Origin
    source: str
    sent_at: datetime
    error_code: str
    error_message: str
    body: str
    queue: str = ""
    hindrance: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "id": self.id,
            "origin": self.origin,
            "source": self.source,
            "sent_at": self.sent_at.isoformat(),
            "error_code": self.error_code,
            "error_message": self.error_message,
            "queue": self.queue,
            "hindrance": self.hindrance,
            "body": self.body,
        }


def read_dead_letter(message: Received, queue: str, stack: str) -> DeadLetter:
    """Understand a message of ``dead-letter`` or ``undelivered`` (``queue``) of a stack."""
    if queue == DEAD_LETTER:
        return _of_queue(message, stack)
    if message.text("RULE_ARN"):
        return _of_rule(message, stack)
    if message.text("SCHEDULE_ARN"):
        return _of_schedule(message, stack)
    return _of_subscription(message, stack)


def _of_queue(message: Received, stack: str) -> DeadLetter:
    belongs = _work_queue(message.source_arn, stack)
    said = message.source_arn or "nothing"
    return DeadLetter(
        id=message.id,
        origin="queue",
        source=message.source_arn,
        sent_at=message.sent_at,
        error_code="",
        error_message="",
        body=message.body,
        queue=belongs,
        hindrance="" if belongs else f"SQS names {said} as the queue that it is from, which is none of this stack's",
        attributes=message.attributes,
    )


def _of_rule(message: Received, stack: str) -> DeadLetter:
    belongs = _work_queue(message.text("TARGET_ARN"), stack)
    if belongs == f"{stack}-{_SCHEDULE}":
        belongs = ""  # no rule delivers there: what comes from that queue is believed to be of a schedule
    said = message.text("TARGET_ARN") or "nothing"
    hindrance = "" if belongs else f"the rule's target is {said}, which is no queue of this stack that rules fill"
    return _undelivered(message, "rule", message.text("RULE_ARN"), belongs, hindrance)


def _of_subscription(message: Received, stack: str) -> DeadLetter:
    notification = json_object(message.body)
    topic = notification.get("TopicArn")
    if notification.get("Type") == "Notification" and isinstance(topic, str):
        return _undelivered(message, "subscription", topic, f"{stack}-{_SNS}")
    said = "it is no SNS notification and has no attributes of a rule or a schedule: read its body, and send it by hand"
    return _undelivered(message, "unknown", "", "", said)


def _of_schedule(message: Received, stack: str) -> DeadLetter:
    body, hindrance = _told_by_schedule(message, stack)
    belongs = "" if hindrance else f"{stack}-{_SCHEDULE}"
    letter = _undelivered(message, "schedule", message.text("SCHEDULE_ARN"), belongs, hindrance)
    return letter if hindrance else replace(letter, body=body)


def _undelivered(message: Received, origin: Origin, source: str, queue: str, hindrance: str = "") -> DeadLetter:
    return DeadLetter(
        id=message.id,
        origin=origin,
        source=source,
        sent_at=message.sent_at,
        error_code=message.text("ERROR_CODE"),
        error_message=message.text("ERROR_MESSAGE"),
        body=message.body,
        queue=queue,
        hindrance=hindrance,
    )


def _told_by_schedule(message: Received, stack: str) -> tuple[str, str]:
    """What a schedule wanted to send to the schedule queue, and what keeps it from being sent there now."""
    request = json_object(message.body)
    body, url = request.get("MessageBody"), request.get("QueueUrl")
    by_hand = "start the pipeline by hand if it is still wanted"
    if not isinstance(body, str) or not isinstance(url, str):
        when = message.text("SCHEDULED_TIME")
        started = str(request.get("PipelineName") or message.text("TARGET_ARN") or "its target")
        return "", f"the schedule could not start {started}{f' at {when}' if when else ''} itself: {by_hand}"
    if url.rpartition("/")[2] != f"{stack}-{_SCHEDULE}":
        return "", f"the schedule sends to {url}, which is no queue of this stack"
    if message.text("IS_PAYLOAD_TRUNCATED").lower() == "true" or _PLACEHOLDER in body:
        return "", f"the message is not complete: {by_hand}"
    return body, ""


def _work_queue(arn: str, stack: str) -> str:
    """The name of a queue, if it is one of those that the stack's functions work through."""
    name = arn.rpartition(":")[2] if arn.split(":")[2:3] == ["sqs"] else ""
    return name if name in {f"{stack}-{each}" for each in WORK_QUEUES} else ""
