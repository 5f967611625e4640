"""The deployed stack with faults at hand, on an account in which time passes when a test says so."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.sagemaker.models import sagemaker_backends
from moto.sqs.models import sqs_backends

from pipeline_triggers.adapters.items import moment, stamp
from pipeline_triggers.local.faults import Faults
from pipeline_triggers.local.stage import OWN_SOURCE, Lines, Stage
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.sample_events import TRUSTED_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.domain.messages import Quarantined
    from pipeline_triggers.local.proxy import Forward, Interceptor
    from pipeline_triggers.local.wire import Answer, Call

ROOT = Path(__file__).parents[2]
DRAIN_SECONDS = 60
# What a function waits for at the longest: a message that was put back, or one whose function was killed.
LONGEST_DELAY = timedelta(minutes=15)
# A time before this in the ledger means that there is none.
NO_TIME = "1970-01-02"
LEDGER_TIMES = ("lease_until", "first_at", "attempt_at", "at")


class Passage:
    """A place in the way of all calls, for an interceptor of a test."""

    def __init__(self) -> None:
        self.interceptor: Interceptor | None = None

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Through the interceptor, if there is one."""
        return self.interceptor(call, forward) if self.interceptor else forward(call)


class Scene:
    """One test on the stack: the events that it offers, and what has become of them.

    Its events are Feature Table Refreshed, which start ``churn-features`` with the table's name; every one has an id
    and a table of its own, called the same.
    """

    _numbers = count(1)

    def __init__(self, stage: Stage, faults: Faults, lines: Lines, passage: Passage) -> None:
        self.stage, self.faults, self.lines, self.passage = stage, faults, lines, passage

    @contextmanager
    def intercepted(self, interceptor: Interceptor) -> Iterator[None]:
        """Let the calls of the functions go through an interceptor of the test."""
        self.passage.interceptor = interceptor
        yield
        self.passage.interceptor = None

    def event(self, **detail: Any) -> dict[str, Any]:
        """A new event."""
        name = f"table-{next(self._numbers)}"
        return {
            "version": "0",
            "id": name,
            "source": OWN_SOURCE,
            "detail-type": "Feature Table Refreshed",
            "account": ACCOUNT,
            "region": REGION,
            "time": "2026-03-14T12:00:00Z",
            "resources": [],
            "detail": {"table": name, "rows": 5, "partition": {"date": "2026-03-14"}, **detail},
        }

    def offer(self, *payloads: Mapping[str, Any] | str, queue: str = "bus-event") -> None:
        """Put messages into a queue of the stack; they become visible together."""
        sqs = self.stage.client("sqs")
        url = sqs.get_queue_url(QueueName=f"local-{queue}")["QueueUrl"]
        texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
        for text in texts:
            sqs.send_message(QueueUrl=url, MessageBody=text, DelaySeconds=900)
        with _changing(f"local-{queue}") as messages:
            for message in messages:
                message.delayed_until = 0.0

    def drain(self) -> int:
        """Wait until the functions have nothing to do now; how many messages wait for a later time."""
        return self.stage.poller.drain(DRAIN_SECONDS)

    def settle(self, rounds: int = 25) -> int:
        """Let so much time pass that nothing waits any more; how often messages came again."""
        for again in range(rounds):
            if self.drain() == 0:
                return again
            self.later(LONGEST_DELAY)
        told = "\n".join(line for _, line in self.lines.take()[-20:])
        raise AssertionError(f"after {rounds} rounds messages still wait; the functions said last:\n{told}")

    def later(self, duration: timedelta) -> None:
        """Let time pass: what the queues, the ledger and SageMaker hold gets older by so much."""
        _age_messages(duration)
        _age_entries(duration)
        for pipeline in sagemaker_backends[ACCOUNT][REGION].pipelines.values():
            for execution in pipeline.pipeline_executions.values():
                execution.start_time -= duration

    def tables_started(self) -> list[str]:
        """The tables for which an execution of churn-features was started, one for each execution."""
        executions = [it for it in self.stage.executions() if it["pipeline"] == "churn-features"]
        return [it["parameters"]["Table"] for it in executions]

    def starts_of(self, event: Mapping[str, Any]) -> int:
        """How many executions an event of this scene has."""
        return self.tables_started().count(event["detail"]["table"])

    def entry(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The one entry of the ledger that an event caused."""
        (entry,) = self.stage.ledger.of_event(event["id"])
        return entry

    def quarantined(self, event: Mapping[str, Any]) -> list[Quarantined]:
        """What quarantine holds of an event."""
        found = [self.stage.quarantine.get(item.id) for item in self.stage.quarantine.list()]
        return [item for item in found if any(it.get("event_id") == event["id"] for it in item.decisions)]

    def dead_letters(self) -> int:
        """How many messages the dead-letter queue holds."""
        sqs = self.stage.client("sqs")
        url = sqs.get_queue_url(QueueName="local-dead-letter")["QueueUrl"]
        name = "ApproximateNumberOfMessages"
        return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


@pytest.fixture(scope="module")
def lines() -> Lines:
    """What the functions have logged."""
    return Lines()


@pytest.fixture(scope="module")
def faults() -> Faults:
    """The faults of the module's stage."""
    return Faults()


@pytest.fixture(scope="module")
def passage() -> Passage:
    """The place for an interceptor of the module's stage."""
    return Passage()


@pytest.fixture(scope="module")
def stage(lines: Lines, faults: Faults, passage: Passage) -> Iterator[Stage]:
    """The stack, deployed, with the sample pipelines and the triggers of triggers.yaml; its functions run."""
    parameters = {"TrustedTopicArns": TRUSTED_TOPIC}
    with Stage(
        ROOT / "template.yaml",
        port=0,
        on_log=lines.add,
        parameters=parameters,
        interceptors=[passage],
        faults=faults,
    ) as stage:
        stage.furnish()
        stage.apply(ROOT / "triggers.yaml")
        yield stage


@pytest.fixture
def scene(stage: Stage, faults: Faults, lines: Lines, passage: Passage) -> Iterator[Scene]:
    """The stage for one test, which begins and ends without faults and with empty queues."""
    scene = Scene(stage, faults, lines, passage)
    yield scene
    faults.strike()
    scene.settle()
    assert scene.dead_letters() == 0


@contextmanager
def _changing(queue: str) -> Iterator[list[Any]]:
    """The messages of a queue; whoever waits for some looks again when they were changed."""
    held: Any = sqs_backends[ACCOUNT][REGION].queues[queue]
    with held._messages_lock:
        yield list(held._messages)
        held._messages_lock.notify_all()


def _age_messages(duration: timedelta) -> None:
    milliseconds = round(duration.total_seconds() * 1000)
    for queue in sqs_backends[ACCOUNT][REGION].queues:
        with _changing(queue) as messages:
            for message in messages:
                message.sent_timestamp -= milliseconds
                if message.approximate_first_receive_timestamp:
                    message.approximate_first_receive_timestamp -= milliseconds
                message.visible_at -= milliseconds
                message.delayed_until -= milliseconds


def _age_entries(duration: timedelta) -> None:
    table = dynamodb_backends[ACCOUNT][REGION].tables["local-ledger"]
    for item in table.all_items():
        fields = item.attrs
        for name in LEDGER_TIMES:
            if name in fields and fields[name].value > NO_TIME:
                fields[name].value = stamp(moment(fields[name].value) - duration)
        fields["expires_at"].value = str(int(fields["expires_at"].value) - int(duration.total_seconds()))
