"""One Lambda invocation: SQS messages with a partial batch response, or one bare event with its decisions."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from pipeline_triggers.errors import AwsError, TransientError
from pipeline_triggers.observability import count_events, logger, report
from pipeline_triggers.reacting import Invocation, Message, delay_seconds
from pipeline_triggers.sources.envelopes import read, via_of_record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.ports import Clock, Queues
    from pipeline_triggers.reacting import Reactor


@dataclass(frozen=True)
class Worker:
    """What a Lambda function of this application does with what Lambda hands it."""

    reactor: Reactor
    queues: Queues
    clock: Clock
    trusted_topics: frozenset[str]

    def answer(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one invocation.

        SQS messages are answered with ``{"batchItemFailures": [...]}``: those that must come again. Any other event is
        answered with ``{"decisions": [...]}``; if one of them must be tried again, TransientError is raised instead, so
        that whoever invoked the function asynchronously does so again.
        """
        deadline = self.clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis())
        invocation = Invocation(owner=f"{context.aws_request_id}/{uuid.uuid4().hex[:8]}", deadline=deadline)
        if _is_batch(event):
            return self._answer_batch(event, context, invocation)
        body = json.dumps(event)
        message = Message(body=body, id=hashlib.sha256(body.encode()).hexdigest()[:32])
        decisions = self.reactor.react(read(event, trusted_topics=self.trusted_topics), message, invocation)
        self._report(decisions, message)
        if waiting := _to_retry(decisions):
            raise TransientError(waiting.reason, waiting.message)
        return {"decisions": [decision.to_document() for decision in decisions]}

    def _answer_batch(
        self,
        event: Mapping[str, Any],
        context: LambdaContext,
        invocation: Invocation,
    ) -> dict[str, Any]:
        # The freshest first: a message that kills the function does not take the same neighbours with it every time.
        records = sorted(event["Records"], key=lambda record: int(record["attributes"]["ApproximateReceiveCount"]))
        answer = process_partial_response(
            event={"Records": records},
            record_handler=lambda record: self._handle(record, invocation),
            processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
            context=context,
        )
        return dict(answer)

    def _handle(self, record: SQSRecord, invocation: Invocation) -> None:
        """Handle one message; raising makes it come again."""
        raw = record.raw_event
        message = _message_of(raw)
        try:
            via = (via_of_record(raw),)
            items = read(message.body, via=via, trusted_topics=self.trusted_topics)
            decisions = self.reactor.react(items, message, invocation)
            self._report(decisions, message)
            if waiting := _to_retry(decisions):
                raise TransientError(waiting.reason, waiting.message)
        except AwsError as error:
            self._put_back(message, error)
            raise
        except Exception:
            logger.exception("a message could not be handled", message_id=message.id)
            raise

    def _put_back(self, message: Message, error: AwsError) -> None:
        seconds = delay_seconds(message.receive_count, error.reason)
        logger.info("message goes back", message_id=message.id, reason=error.reason, seconds=seconds)
        try:
            self.queues.delay(message.queue_arn, message.receipt_handle, seconds)
        except AwsError as again:
            # The queue's own visibility timeout then brings the message back.
            logger.warning("message could not be delayed", message_id=message.id, detail=str(again))

    def _report(self, decisions: list[Decision], message: Message) -> None:
        count_events(decisions)
        for decision in decisions:
            report(decision, message_id=message.id, sent_at=message.sent_at)


def _is_batch(event: Mapping[str, Any]) -> bool:
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    return isinstance(first, Mapping) and first.get("eventSource") == "aws:sqs"


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
    )


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
