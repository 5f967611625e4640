"""Whatever reaches a function → events: the one entry to all sources.

Envelopes are opened recursively, to a fixed depth:

    SQS event         {"Records": [{"eventSource": "aws:sqs", "body": …}]}
    S3 notification   {"Records": [{"eventSource": "aws:s3", "s3": …}]}
    SNS event         {"Records": [{"EventSource": "aws:sns", "Sns": …}]}
    SNS envelope      {"Type": "Notification", "TopicArn": …, "Message": …}, as in an SQS body
    EventBridge       {"source": …, "detail-type": …, "detail": …}
    direct alarm      {"alarmArn": …, "alarmData": …}
    JSON text         of any of these

What stands inside an SNS message counts only when its topic is trusted; whoever may publish could forge it otherwise.
So what topics send to their queue must have SNS's envelope: without it (raw message delivery) nothing tells the topic.
Whoever may subscribe topics to that queue with raw delivery can still write such an envelope: README, "Deploy".
Nothing is lost and nothing is raised: what cannot be read becomes ``Malformed`` and does not keep its neighbours back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline_triggers.domain.events import Event, Via, lookup
from pipeline_triggers.errors import MalformedEventError
from pipeline_triggers.sources import eventbridge, s3, sns

SQS_EVENT_SOURCE = "aws:sqs"
# In one another; two are usual: SQS body and SNS message.
MAX_ENVELOPES = 6
MAX_DEPTH = 100
# Beside one another, far above what AWS sends (S3 one, SNS one, SQS at most ten by itself): a decision is made, logged
# and counted for each, and no message may take all the time of a function.
MAX_RECORDS = 1000
# The largest message of SQS and of EventBridge: 1 MiB.
MAX_BYTES = 1024 * 1024
# No number beyond what a double holds (some 10^308): JSON's readers disagree about those.
_MAX_BITS = 1024
_ACCEPTED = "accepted are EventBridge events, S3 notifications, SNS notifications, and SQS messages with one of them"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A part of a payload that cannot be read.

    ``reason`` is malformed-event, too-deep or too-large; ``message`` says where, what was seen and what is accepted;
    ``position`` is its place in the list that ``read`` returns.
    """

    reason: str
    message: str
    position: int


def read(
    payload: str | Mapping[str, Any],
    *,
    via: tuple[Via, ...] = (),
    trusted_topics: frozenset[str] = frozenset(),
) -> list[Event | Malformed]:
    """The events of a payload, in its order, each bad part as ``Malformed`` in its place. Never raises.

    ``via`` is what the payload came through already (an SQS message, when ``payload`` is its body). ``trusted_topics``
    are ARNs of the topics whose S3 notifications and EventBridge events are taken for such. S3's test event and SNS's
    handshakes report nothing: an empty list.
    """
    inside = _Inside("", via, trusted_topics, depth=0)
    found = enumerate(_events(payload, inside, _open))
    return [Malformed(it.reason, str(it), at) if isinstance(it, MalformedEventError) else it for at, it in found]


def via_of_record(record: Mapping[str, Any]) -> Via:
    """The SQS message as an envelope, with its message attributes by name (not SQS's own, which change by receipt).

    What is absent is empty: a payload that was written by hand is read too.
    """
    arn, message_id, attributes = (record.get(name) for name in ("eventSourceARN", "messageId", "messageAttributes"))
    return Via(
        "sqs",
        arn if isinstance(arn, str) else "",
        message_id if isinstance(message_id, str) else "",
        {name: _sqs_value(it) for name, it in attributes.items()} if isinstance(attributes, Mapping) else {},
    )


def _sqs_value(attribute: object) -> Any:
    text = lookup(attribute, "stringValue")
    return lookup(attribute, "binaryValue") if text is None else text


def parse_json(text: str) -> Any:
    """Read JSON text that every AWS service can carry on.

    Raises MalformedEventError: too-large over 1 MiB; too-deep over 100 levels; malformed-event for what is not JSON,
    for NaN, Infinity and numbers beyond a double, and for half a surrogate pair, which no service takes. Of names that
    stand twice in an object the last one wins, as everywhere.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise MalformedEventError(f"larger than {MAX_BYTES:,} bytes", "too-large")
    try:
        document = json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise MalformedEventError(f"not JSON: {error.msg} (character {error.pos + 1})") from None
    except ValueError:  # an integer of more digits than Python converts
        raise _not_a_double() from None
    _check(document)
    return document


def _check(document: object) -> None:
    """Refuse what parse_json refuses; for documents that were read by somebody else (Lambda's runtime)."""
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if _is_sound_scalar(value):
            continue
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, Mapping):
            _check_names(value)
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
        else:
            raise MalformedEventError(f"not JSON: a value of Python's type {type(value).__name__}")


def _is_sound_scalar(value: object) -> bool:
    """False for what is no scalar; raises for one that is refused."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _not_a_double()
    elif isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise _not_a_double()
    else:
        return value is None
    return True


def _check_names(mapping: Mapping[Any, object]) -> None:
    for name in mapping:
        if not isinstance(name, str):
            raise MalformedEventError(f"not JSON: a name of Python's type {type(name).__name__}")
        _check_text(name)


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        told = f"half a surrogate pair at character {error.start + 1} of a text"
        raise MalformedEventError(f"not representable in UTF-8: {told}") from None


def _too_deep() -> MalformedEventError:
    return MalformedEventError(f"nested deeper than {MAX_DEPTH} levels", "too-deep")


def _not_a_double() -> MalformedEventError:
    return MalformedEventError("not JSON for everybody: a number in it is NaN, infinite or beyond 10^308")


@dataclass(frozen=True, slots=True)
class _Inside:
    """Where the reading is: ``place`` for messages, what was gone through to get there, in how many envelopes."""

    place: str
    via: tuple[Via, ...]
    trusted_topics: frozenset[str]
    depth: int

    @property
    def is_for_topics(self) -> bool:
        """Whether this is the body of a message that a topic has sent."""
        return bool(self.via) and self.via[-1].kind == "sqs" and self.via[-1].arn.endswith(sns.QUEUE_SUFFIX)

    def record(self, number: int) -> _Inside:
        """One of several beside one another."""
        return replace(self, place=self._place(f"Records[{number}]"))

    def envelope(self, step: str, *via: Via) -> _Inside:
        """What an envelope holds."""
        return replace(self, place=self._place(step), via=(*self.via, *via), depth=self.depth + 1)

    def _place(self, step: str) -> str:
        return f"{self.place}.{step}" if self.place else step


_Found = Iterator[Event | MalformedEventError]
_Opener = Callable[[Any, _Inside], _Found]


def _events(content: object, inside: _Inside, opener: _Opener) -> _Found:
    """What the opener finds; an error takes the place of what could not be read, and says where that was."""
    try:
        if inside.depth > MAX_ENVELOPES:
            raise MalformedEventError(f"in more than {MAX_ENVELOPES} envelopes", "too-deep")
        yield from opener(content, inside)
    except MalformedEventError as error:
        yield MalformedEventError(f"{inside.place or 'the payload'} is {error}", error.reason)


def _open(content: object, inside: _Inside) -> _Found:
    if isinstance(content, str):
        content = parse_json(content)
    elif inside.depth == 0:
        _check(content)
    if isinstance(content, str) and not inside.is_for_topics:
        yield from _events(content, inside.envelope("(text)"), _open)
        return
    if isinstance(content, Mapping):
        for recognises, opener in _FROM_TOPICS if inside.is_for_topics else _SHAPES:
            if recognises(content):
                yield from opener(content, inside)
                return
    if inside.is_for_topics:
        told = "in the queue of SNS but not in its envelope, and so could be anybody's"
        raise MalformedEventError(f"{told}; subscribe the queue without raw message delivery")
    raise _unknown(content)


def _open_event(document: Mapping[str, Any], inside: _Inside) -> _Found:
    yield eventbridge.event_of(document, inside.via)


def _open_direct_alarm(document: Mapping[str, Any], inside: _Inside) -> _Found:
    yield eventbridge.event_of_direct_alarm(document, inside.via)


def _acknowledge(_document: Mapping[str, Any], _inside: _Inside) -> _Found:
    return iter(())


def _has_records(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("Records"), list) and bool(document["Records"])


def _open_records(document: Mapping[str, Any], inside: _Inside) -> _Found:
    if len(document["Records"]) > MAX_RECORDS:
        raise MalformedEventError(f"a list of more than {MAX_RECORDS:,} records", "too-large")
    for number, record in enumerate(document["Records"]):
        yield from _events(record, inside.record(number), _open_record)


def _open_record(record: object, inside: _Inside) -> _Found:
    source = lookup(record, "eventSource") or lookup(record, "EventSource")
    opener = _RECORDS.get(source) if isinstance(source, str) else None
    if opener is None:
        raise _unknown(record)
    yield from opener(record, inside)


def _open_s3_record(record: Mapping[str, Any], inside: _Inside) -> _Found:
    yield s3.event_of(record, inside.via)


def _open_sqs_record(record: Mapping[str, Any], inside: _Inside) -> _Found:
    body = record.get("body")
    if not isinstance(body, str):
        raise MalformedEventError("an SQS message whose body is missing or no text")
    yield from _events(body, inside.envelope("body", via_of_record(record)), _open)


def _open_sns_record(record: Mapping[str, Any], inside: _Inside) -> _Found:
    fields = record.get("Sns")
    if not isinstance(fields, Mapping):
        raise MalformedEventError("an SNS record whose Sns is missing or no object")
    yield from _open_notification(fields, inside)


def _open_notification(fields: Mapping[str, Any], inside: _Inside) -> _Found:
    notification = sns.notification_of(fields)
    content = _json_or_text(notification.message)
    if isinstance(content, Mapping) and s3.is_test_event(content):
        return
    if notification.topic_arn in inside.trusted_topics and _is_aws_event(content):
        yield from _events(content, inside.envelope("Message", notification.via), _open)
    else:
        yield notification.to_event(content, inside.via)


def _is_aws_event(content: object) -> bool:
    return isinstance(content, Mapping) and (eventbridge.is_event(content) or s3.is_notification(content))


def _json_or_text(message: str) -> Any:
    """A JSON object or array, read; any other message is the text that it is.

    ``1.10``, ``true`` and ``null`` alone are JSON too, but somebody wrote them as text: they stay as they were sent. So
    does what looks like JSON and is not, or is none that ``parse_json`` accepts.
    """
    if not message.lstrip().startswith(("{", "[")):
        return message
    try:
        return parse_json(message)
    except MalformedEventError:
        return message


def _unknown(content: object) -> MalformedEventError:
    if not isinstance(content, Mapping):
        seen = "null" if content is None else f"no object but of type {type(content).__name__}"
    elif source := content.get("eventSource") or content.get("EventSource"):
        seen = f"a record of {source!r:.60}"
    else:
        names = ", ".join([f"{name:.40}" for name in content][:8])
        seen = f"an object with the fields {names}" if names else "an empty object"
    return MalformedEventError(f"{seen}; {_ACCEPTED}")


_Shapes = tuple[tuple[Callable[[Mapping[str, Any]], bool], _Opener], ...]
# What can be in the queue of SNS; S3's test event reports nothing, whoever sends it.
_FROM_TOPICS: _Shapes = (
    (sns.is_notification, _open_notification),
    (sns.is_handshake, _acknowledge),
    (s3.is_test_event, _acknowledge),
)
# The first that recognises a document opens it.
_SHAPES: _Shapes = (
    (eventbridge.resembles_event, _open_event),
    (_has_records, _open_records),
    *_FROM_TOPICS,
    (eventbridge.is_direct_alarm, _open_direct_alarm),
)
_RECORDS: Mapping[str, _Opener] = {
    SQS_EVENT_SOURCE: _open_sqs_record,
    sns.EVENT_SOURCE: _open_sns_record,
    s3.EVENT_SOURCE: _open_s3_record,
}
