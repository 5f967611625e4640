"""Handling one event in a function that is warm, without the calls of AWS: from the queue's message to the answer.

The worker is the real one, with its log lines and metrics; behind its ports stand the fakes of the tests.
"""

from __future__ import annotations

import gc
import json
import statistics
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from pipeline_triggers.domain.definitions import Definition
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.invocation import Worker
from pipeline_triggers.reacting import Reactor
from tests.benchmarks.measuring import Table, microseconds
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queues import FakeQueues
from tests.fakes.trigger_store import FakeTriggerStore
from tests.faults.stage import nothing_printed
from tests.sample_events import sample
from tests.samples import sqs_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext

EVENTS = 1_000
COUNTS = (1, 1_000, 10_000)
QUEUE = "arn:aws:sqs:us-east-1:123456789012:local-s3-event"
DEFINITION = Definition.parse(
    json.dumps({"Parameters": [{"Name": name, "Type": "String"} for name in ("Instance", "Key", "Uri", "Rows")]})
)


@dataclass
class _Context:
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def tables() -> Iterator[Table]:
    """The table of one event after the other."""
    yield Table(
        "Handling one event, warm, without AWS's calls",
        ("triggers", "what becomes of it", "median, µs", "99 of 100 within, µs"),
        tuple(_row(count, outcome) for count in COUNTS for outcome in ("started", "duplicate", "unmatched")),
        f"{EVENTS:,} messages of one event each, through the worker with its log lines and metrics.",
    )


def _row(count: int, outcome: str) -> tuple[str, ...]:
    clock = FakeClock()
    triggers = FakeTriggerStore(clock=clock)
    triggers.put(*map(_trigger, range(count)))
    pipelines = FakePipelines(clock=clock)
    pipelines.add("churn-train", DEFINITION)
    reactor = Reactor(
        triggers=triggers,
        pipelines=pipelines,
        ledger=FakeLedger(clock=clock),
        quarantine=FakeQuarantine(clock=clock),
        clock=clock,
        home=HOME,
        start_interval=0,
        max_starts_per_hour=1_000_000,
    )
    worker = Worker(reactor, FakeQueues(), clock, frozenset(), lambda _: None)
    batches = [
        sqs_batch(
            json.dumps(_event(0 if outcome == "duplicate" else number, outcome)), queue_arn=QUEUE, now=clock.now()
        )
        for number in range(EVENTS)
    ]
    clock.advance(minutes=1)
    taken = [_took(worker, batch) for batch in batches]
    assert len(pipelines.executions) == {"started": EVENTS, "duplicate": 1, "unmatched": 0}[outcome]
    slowest = sorted(taken)[len(taken) * 99 // 100]
    return f"{count:,}", outcome, microseconds(statistics.median(taken)), microseconds(slowest)


def _took(worker: Worker, batch: dict[str, Any]) -> float:
    context = cast("LambdaContext", _Context())
    with nothing_printed():
        gc.disable()
        began = perf_counter()
        answer = worker.answer(batch, context)
        took = (perf_counter() - began) * 1_000_000
        gc.enable()
    assert answer == {"batchItemFailures": []}
    return took


def _trigger(number: int) -> Trigger:
    bucket = {"name": ["raw-data"]}
    key = {"prefix": f"in/{number}/"}
    return Trigger.from_document(
        {
            "name": f"trigger-{number}",
            "event_pattern": {"source": ["aws.s3"], "detail": {"bucket": bucket, "object": {"key": [key]}}},
            "targets": [
                {
                    "pipeline": "churn-train",
                    "parameters": {
                        "Instance": "ml.m5.xlarge",
                        "Key": "$.detail.object.key",
                        "Uri": "s3://<$.detail.bucket.name>/<$.detail.object.key>",
                        "Rows": {"value": "$.detail.rows", "default": "100000"},
                    },
                }
            ],
        }
    )


def _event(number: int, outcome: str) -> dict[str, Any]:
    event = deepcopy(sample("s3-object-created"))
    key = f"{'elsewhere' if outcome == 'unmatched' else 'in'}/0/{number}.csv"
    event["detail"]["object"] |= {"key": key, "sequencer": f"{number:018X}"}
    return {**event, "id": str(number)}
