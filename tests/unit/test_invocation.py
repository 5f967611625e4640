"""What Lambda hands in and what it gets back, on fakes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline_triggers.errors import TransientError
from pipeline_triggers.invocation import Worker
from tests.fakes.queues import FakeQueues
from tests.samples import sqs_batch
from tests.unit.test_reacting import World, a_trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:local-s3-event"


@dataclass
class Context:
    """As much of Lambda's context as a worker asks for."""

    aws_request_id: str = "request-1"
    remaining: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


class Stage:
    """A worker on fakes, with a trigger for uploads."""

    def __init__(self) -> None:
        self.world = World()
        parameters = {"Key": "$.detail.object.key"}
        target = {"pipeline": "churn-train", "parameters": parameters}
        pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
        self.world.triggers.put(a_trigger(event_pattern=pattern, targets=[target]))
        self.queues = FakeQueues()
        self.told_to_end_by: list[datetime] = []
        self.worker = Worker(self.world.reactor, self.queues, self.world.clock, frozenset(), self.told_to_end_by.append)

    def answer(self, event: Any, context: Context | None = None) -> dict[str, Any]:
        return self.worker.answer(event, cast("LambdaContext", context or Context()))

    def batch(self, *bodies: str, receipts: tuple[int, ...] = ()) -> dict[str, Any]:
        return sqs_batch(*bodies, queue_arn=QUEUE_ARN, now=self.world.clock.now(), receipts=receipts)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def upload(event: Callable[[str], Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", event("s3-object-created"))


def test_a_batch_that_is_done_fails_no_message(stage: Stage, upload: dict[str, Any]) -> None:
    assert stage.answer(stage.batch(json.dumps(upload))) == {"batchItemFailures": []}
    assert len(stage.world.pipelines.executions) == 1


def test_a_bare_event_is_answered_with_its_decisions(stage: Stage, upload: dict[str, Any]) -> None:
    (decision,) = stage.answer(upload)["decisions"]
    assert decision["outcome"] == "started"
    assert decision["parameters"][0]["value"] == upload["detail"]["object"]["key"]


@pytest.mark.parametrize("payload", [{}, {"Records": []}, {"Records": [None]}, {"Records": "x"}, {"Records": [{}]}])
def test_a_payload_that_is_nothing_known_is_answered_and_kept(stage: Stage, payload: dict[str, Any]) -> None:
    (decision,) = stage.answer(payload)["decisions"]
    assert decision["outcome"] == "rejected"
    assert len(stage.world.quarantine.items) == 1


def test_a_bare_event_that_must_be_tried_again_raises(stage: Stage, upload: dict[str, Any]) -> None:
    stage.world.pipelines.fail("start", TransientError("throttled", "slow down"))
    with pytest.raises(TransientError, match="slow down"):
        stage.answer(upload)


def test_a_bare_event_that_cannot_start_is_in_quarantine_and_answered(stage: Stage) -> None:
    (decision,) = stage.answer({"hello": "world"})["decisions"]
    assert (decision["outcome"], decision["reason"]) == ("rejected", "malformed-event")
    (item,) = stage.world.quarantine.items.values()
    assert json.loads(item.body) == {"hello": "world"}


def test_a_transient_failure_fails_only_its_message_and_delays_it(stage: Stage, upload: dict[str, Any]) -> None:
    stage.world.pipelines.fail("start", TransientError("conflict", "busy"))
    other = {**upload, "detail": {**upload["detail"], "object": {"key": "in/b.csv", "sequencer": "00B"}}}
    answer = stage.answer(stage.batch(json.dumps(upload), json.dumps(other)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert [(delay.receipt_handle, delay.seconds > 0) for delay in stage.queues.delays] == [("r0", True)]
    assert len(stage.world.pipelines.executions) == 1


def test_a_poison_message_is_acknowledged_and_kept_in_quarantine(stage: Stage, upload: dict[str, Any]) -> None:
    answer = stage.answer(stage.batch("not json", json.dumps(upload)))
    assert answer == {"batchItemFailures": []}
    assert stage.world.quarantine.items["m0"].body == "not json"
    assert len(stage.world.pipelines.executions) == 1


def test_a_poison_message_is_kept_with_its_attributes(stage: Stage) -> None:
    batch = stage.batch("not json")
    empty: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    batch["Records"][0]["messageAttributes"] = {
        "team": {"stringValue": "churn", "dataType": "String", **empty},
        "digest": {"binaryValue": "AP8=", "dataType": "Binary", **empty},
    }
    stage.answer(batch)
    assert stage.world.quarantine.items["m0"].attributes == {
        "team": {"DataType": "String", "StringValue": "churn"},
        "digest": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }


def test_a_batch_of_which_every_message_fails_is_still_answered(stage: Stage, upload: dict[str, Any]) -> None:
    stage.world.pipelines.fail("start", TransientError("throttled", "slow down"))
    answer = stage.answer(stage.batch(json.dumps(upload), json.dumps(upload)))
    assert sorted(item["itemIdentifier"] for item in answer["batchItemFailures"]) == ["m0", "m1"]


def test_the_freshest_messages_come_first(stage: Stage, upload: dict[str, Any]) -> None:
    keys = ["in/old.csv", "in/new.csv"]
    bodies = [
        json.dumps({**upload, "detail": {**upload["detail"], "object": {"key": key, "sequencer": key}}}) for key in keys
    ]
    stage.answer(stage.batch(*bodies, receipts=(7, 1)))
    assert [request.parameters["Key"] for request in stage.world.pipelines.started] == ["in/new.csv", "in/old.csv"]


def test_a_delay_that_fails_in_a_way_that_nobody_foresaw_harms_no_neighbour(
    stage: Stage, upload: dict[str, Any]
) -> None:
    stage.world.pipelines.fail("start", TransientError("conflict", "busy"))
    stage.queues.fail("delay", KeyError("QueueUrl"))
    other = {**upload, "detail": {**upload["detail"], "object": {"key": "in/b.csv", "sequencer": "00B"}}}
    answer = stage.answer(stage.batch(json.dumps(upload), json.dumps(other)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert [request.parameters["Key"] for request in stage.world.pipelines.started] == ["in/b.csv"]


def test_a_message_that_cannot_be_delayed_still_comes_again(stage: Stage, upload: dict[str, Any]) -> None:
    stage.world.pipelines.fail("start", TransientError("conflict", "busy"))
    stage.queues.fail("delay", TransientError("unavailable", "down"))
    answer = stage.answer(stage.batch(json.dumps(upload)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


@pytest.mark.parametrize("failure", [TransientError("conflict", "busy"), ZeroDivisionError("a defect")])
def test_the_age_of_a_message_that_comes_again_is_measured(
    stage: Stage, upload: dict[str, Any], failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.world.pipelines.fail("start", failure)
    batch = stage.batch(json.dumps(upload))
    stage.world.clock.sleep(7_200)
    stage.answer(batch)
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "OldestRetryAge" in line]
    assert [metric["OldestRetryAge"] for metric in counted] == [[7_200.0]]
    assert counted[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_a_defect_of_ours_fails_the_message_and_not_its_neighbours(stage: Stage, upload: dict[str, Any]) -> None:
    stage.world.pipelines.fail("start", ZeroDivisionError("a defect"))
    other = {**upload, "detail": {**upload["detail"], "object": {"key": "in/b.csv", "sequencer": "00B"}}}
    answer = stage.answer(stage.batch(json.dumps(upload), json.dumps(other)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_an_s3_test_event_is_acknowledged_quietly(stage: Stage, event: Callable[[str], Any]) -> None:
    assert stage.answer(stage.batch(json.dumps(event("s3-test-event")))) == {"batchItemFailures": []}
    assert not stage.world.quarantine.items


def test_the_clients_are_told_when_the_invocation_ends(stage: Stage, upload: dict[str, Any]) -> None:
    stage.answer(stage.batch(json.dumps(upload)), Context(remaining=50_000))
    assert stage.told_to_end_by == [stage.world.clock.now() + timedelta(seconds=50)]


def test_what_was_decided_is_logged_also_when_the_quarantine_cannot_be_written(
    stage: Stage, upload: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.world.quarantine.fail("put", TransientError("unavailable", "down"))
    answer = stage.answer(stage.batch("not json"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    counted = capsys.readouterr().out
    assert '"Retried":[1.0]' in counted
    assert "Quarantined" not in counted


def test_no_time_left_gives_every_message_back(stage: Stage, upload: dict[str, Any]) -> None:
    answer = stage.answer(stage.batch(json.dumps(upload)), Context(remaining=3_000))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert not stage.world.pipelines.executions


def test_a_message_that_cannot_be_read_comes_again_and_harms_no_neighbour(stage: Stage, upload: dict[str, Any]) -> None:
    batch = stage.batch("never read", json.dumps(upload))
    batch["Records"][0]["messageAttributes"] = {"odd": {"dataType": "Binary", "binaryValue": "not base64"}}
    assert stage.answer(batch) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(stage.world.pipelines.executions) == 1
