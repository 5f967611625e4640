"""One Lambda invocation: SQS messages with a partial batch response, or one bare event with its decisions."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import AwsError, TransientError
from pipeline_triggers.observability import count_events, logger, measure_retry_age, report
from pipeline_triggers.reacting import Invocation, Message, delay_seconds
from pipeline_triggers.sources.envelopes import read, via_of_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.events import Via
    from pipeline_triggers.domain.ports import Clock, Queues
    from pipeline_triggers.reacting import Reactor


@dataclass(frozen=True)
class Worker:
    """What a Lambda function of this application does with what Lambda hands it.

    ``end_by`` is told when this invocation will be ended: no call may go on then.
    """

    reactor: Reactor
    queues: Queues
    clock: Clock
    trusted_topics: frozenset[str]
    end_by: Callable[[datetime], None]

    def prepare(self) -> None:
        """Do before the first event what it would wait for. AwsError as of ``Reactor.prepare``."""
        self.reactor.prepare()

    def answer(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one invocation.

        SQS messages are answered with ``{"batchItemFailures": [...]}``: those that must come again. Any other event is
        answered with ``{"decisions": [...]}``; if one of them must be tried again, TransientError is raised instead, so
        that whoever invoked the function asynchronously does so again.
        """
        owner = f"{context.aws_request_id}/{uuid.uuid4().hex[:8]}"
        invocation = Invocation(owner=owner, deadline=deadline_of(context, self.clock))
        self.end_by(invocation.deadline)
        if is_batch(event):

            def handle(message: Message, via: Via) -> None:
                self._react(message.body, (via,), message, invocation)

            return answer_batch(event, self.queues, self.clock, handle)
        decisions = self._react(event, (), bare_message(event), invocation)
        return {"decisions": [decision.to_document() for decision in decisions]}

    def _react(
        self,
        payload: str | Mapping[str, Any],
        via: tuple[Via, ...],
        message: Message,
        invocation: Invocation,
    ) -> list[Decision]:
        items = read(payload, via=via, trusted_topics=self.trusted_topics)
        decisions = self.reactor.react(items, message, invocation)
        count_events(decisions)
        for decision in decisions:
            report(decision, message_id=message.id, sent_at=message.sent_at)
        if waiting := _to_retry(decisions):
            raise TransientError(waiting.reason, waiting.message)
        return decisions


def deadline_of(context: LambdaContext, clock: Clock) -> datetime:
    """When Lambda ends this invocation."""
    return clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis())


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether this is what Lambda's poller hands over: messages of an SQS queue."""
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    return isinstance(first, Mapping) and first.get("eventSource") == "aws:sqs"


def bare_message(event: Mapping[str, Any]) -> Message:
    """An event that came without a queue, as a message: the same event always has the same id."""
    body = json.dumps(event)
    return Message(body=body, id=hashlib.sha256(body.encode()).hexdigest()[:32])


def answer_batch(
    event: Mapping[str, Any],
    queues: Queues,
    clock: Clock,
    handle: Callable[[Message, Via], object],
) -> dict[str, Any]:
    """Handle the messages of a batch one by one: ``{"batchItemFailures": [...]}`` names those that must come again.

    These are the ones for which ``handle`` raises; after an AwsError they come again after a growing delay. How old
    they are is measured, because SQS's own metric of age leaves out what was received three times.
    """
    # The freshest first: a message that kills the function does not take the same neighbours with it every time.
    records = sorted(event["Records"], key=lambda record: int(record["attributes"]["ApproximateReceiveCount"]))
    failed = [record["messageId"] for record in records if not _is_done(record, queues, clock, handle)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(
    record: Mapping[str, Any],
    queues: Queues,
    clock: Clock,
    handle: Callable[[Message, Via], object],
) -> bool:
    """Handle one message; whether it is done with. Whatever goes wrong with it harms no other."""
    try:
        message, via = _message_of(record), via_of_record(record)
    except Exception:
        logger.exception("a message could not be read", message_id=record["messageId"])
        return False
    try:
        _handle(message, via, queues, clock, handle)
    except AwsError:
        return False
    except Exception:
        logger.exception("a message could not be handled", message_id=message.id)
        return False
    return True


def _handle(message: Message, via: Via, queues: Queues, clock: Clock, handle: Callable[[Message, Via], object]) -> None:
    try:
        handle(message, via)
    except Exception as error:
        measure_retry_age(message.sent_at, clock.now())
        if isinstance(error, AwsError):
            _put_back(queues, message, error)
        raise


def _put_back(queues: Queues, message: Message, error: AwsError) -> None:
    seconds = delay_seconds(message.receive_count, error.reason)
    logger.info("message goes back", message_id=message.id, reason=error.reason, seconds=seconds)
    try:
        queues.delay(message.queue_arn, message.receipt_handle, seconds)
    except AwsError as again:
        # The queue's own visibility timeout then brings the message back.
        logger.warning("message could not be delayed", message_id=message.id, detail=str(again))


def _to_retry(decisions: list[Decision]) -> Decision | None:
    return next((decision for decision in decisions if decision.outcome == "retry"), None)


def _message_of(record: Mapping[str, Any]) -> Message:
    attributes = record["attributes"]
    return Message(
        body=record["body"],
        id=record["messageId"],
        queue_arn=record["eventSourceARN"],
        receipt_handle=record["receiptHandle"],
        sent_at=_time(attributes["SentTimestamp"]),
        first_received_at=_time(attributes["ApproximateFirstReceiveTimestamp"]),
        receive_count=int(attributes["ApproximateReceiveCount"]),
        attributes={name: _as_sent(it) for name, it in (record.get("messageAttributes") or {}).items()},
    )


def _as_sent(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """A message attribute in the form in which SQS takes it; Lambda hands it over in a form of its own."""
    sent: dict[str, Any] = {"DataType": attribute["dataType"]}
    if attribute.get("stringValue") is not None:
        sent["StringValue"] = attribute["stringValue"]
    if attribute.get("binaryValue") is not None:
        sent["BinaryValue"] = base64.b64decode(attribute["binaryValue"])
    return sent


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
