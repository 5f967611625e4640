"""Events that come twice, out of order, damaged or late (F14 to F21, F23, F26, F28, F29, F38)."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.ledger import RETENTION
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.local.faults import Fault
from pipeline_triggers.local.poller import sqs_event
from tests.sample_events import TRUSTED_TOPIC, sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.conftest import Scene

START = ("sagemaker", "StartPipelineExecution")
# EventBridge retries for a day, a queue and then its dead-letter queue keep a message for 14 days each.
LONGEST_WAY = timedelta(days=1 + 14 + 14)


def test_three_reports_of_one_completed_training_job_start_one_execution(scene: Scene) -> None:
    """F14."""
    reports = [{**sample("training-job-completed"), "id": f"report-{number}"} for number in range(3)]
    scene.offer(*reports, queue="status-event")
    assert scene.drain() == 0
    assert _subjects(scene).count("training job churn-train-2026-03-02") == 1


def test_an_endpoint_that_is_in_service_again_after_an_update_starts_again(scene: Scene) -> None:
    """F15."""
    first = sample("endpoint-status-in-service")
    again = copy.deepcopy(first)
    again["id"], again["detail"]["LastModifiedTime"] = "another", first["detail"]["LastModifiedTime"] + 60_000
    scene.offer(first, {**first, "id": "a duplicate"}, again, queue="status-event")
    assert scene.drain() == 0
    assert _subjects(scene).count(f"endpoint {first['detail']['EndpointName']}") == 2


def test_an_upload_that_eventbridge_and_sns_report_starts_one_execution(scene: Scene) -> None:
    """F16."""
    notification = sample("s3-notification")
    (record,) = notification["Records"]
    event = sample("s3-object-created")
    event["detail"]["object"] |= {"key": "in/twice.csv", "sequencer": "0065FB77A0FFFFFFFF"}
    record["s3"]["object"] |= {"key": "in/twice.csv", "sequencer": "0065FB77A0FFFFFFFF"}
    scene.offer(event, queue="s3-event")
    scene.offer(_envelope(json.dumps(notification)), queue="sns-event")
    scene.settle()
    assert _keys(scene).count("in/twice.csv") == 1


def test_an_object_that_is_overwritten_starts_twice_and_the_record_says_which_was_the_newer(scene: Scene) -> None:
    """F17. The events come in the wrong order; longer sequencers are padded on the right when they are compared."""
    older, newer = "0065FB77A03AD4478E", "0065FB77A03AD4478F01"
    for sequencer in (newer, older, newer):
        event = sample("s3-object-created")
        event["id"] = f"event-{sequencer}"
        event["detail"]["object"] |= {"key": "in/overwritten.csv", "sequencer": sequencer}
        scene.offer(event, queue="s3-event")
        assert scene.drain() == 0
    assert _keys(scene).count("in/overwritten.csv") == 2
    for sequencer in (older, newer):
        entries = scene.stage.ledger.of_event(f"event-{sequencer}")
        assert {json.loads(entry["occurrence"])[-1] for entry in entries} == {sequencer}


def test_a_notification_that_sns_delivers_again_starts_nothing_more(scene: Scene) -> None:
    """F18. The SQS message is another one, the message id of SNS stays."""
    envelope = _envelope(json.dumps({"model": "churn", "action": "redelivered"}))
    scene.offer(envelope, queue="sns-event")
    scene.drain()
    scene.offer(envelope, queue="sns-event")
    assert scene.drain() == 0
    actions = [it["parameters"]["Action"] for it in scene.stage.executions() if it["pipeline"] == "churn-score"]
    assert actions.count("redelivered") == 1


def test_a_message_with_three_records_of_which_one_is_bad_starts_two_and_is_acknowledged(scene: Scene) -> None:
    """F19."""
    notification = sample("s3-notification-several-records")
    records = notification["Records"][:3]
    for number, record in enumerate(records):
        record["s3"]["object"] |= {"key": f"in/three-{number}.csv", "size": 1, "sequencer": f"0065FB77B10000{number}"}
    del records[1]["s3"]["bucket"]
    scene.offer({"Records": records}, queue="s3-event")
    assert scene.drain() == 0
    assert [key for key in sorted(_keys(scene)) if "three" in key] == ["in/three-0.csv", "in/three-2.csv"]
    kept = [item for item in scene.stage.quarantine.list() if item.source_queue.endswith("local-s3-event")]
    assert [item.reason for item in kept] == ["malformed-event"]


def test_what_cannot_be_read_is_kept_or_acknowledged_and_never_ends_the_batch(scene: Scene) -> None:
    """F20."""
    good = scene.event()
    broken = [
        "{",
        "",
        "null",
        "[]",
        '"text"',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"source": 1, "detail-type": [], "detail": 0}',
    ]
    quiet = [json.dumps(sample("s3-test-event")), json.dumps(_envelope("The nightly load is done."))]
    scene.offer(*filter(None, broken), *quiet, good)
    assert scene.drain() == 0
    assert scene.starts_of(good) == 1
    mine = [item for item in scene.stage.quarantine.list() if item.source_queue.endswith("local-bus-event")]
    assert {item.reason for item in mine} == {"malformed-event"}
    assert len(mine) == len(list(filter(None, broken)))


@pytest.mark.parametrize("body", ["", "{}", "{", "null", '{"Records": []}', '{"Records": null}'])
def test_a_batch_is_always_answered_with_the_failures_in_it(scene: Scene, body: str) -> None:
    """F21. None or an empty answer would acknowledge what was not handled."""
    for function in scene.stage.deployment.functions:
        for source in function.sources:
            answer = scene.stage.poller.invoke(function, sqs_event(source, [_message(body)]))
            assert answer == {"batchItemFailures": []}, function.name


@pytest.mark.parametrize(
    ("detail", "outcome"),
    [
        ('"wide": {' + ",".join(f'"k{n}": {n}' for n in range(50_000)) + "}", "started"),
        ('"long": "' + "x" * 1_040_000 + '"', "started"),
        ('"deep": ' + "[" * 100_000 + "]" * 100_000, "too-deep"),
        ('"large": "' + "x" * 1_100_000 + '"', "too-large"),
    ],
    ids=["50,000 names", "1 MB", "100,000 levels", "more than 1 MB"],
)
def test_a_huge_event_is_handled_within_the_memory_of_the_function(scene: Scene, detail: str, outcome: str) -> None:
    """F23."""
    event = scene.event()
    body = json.dumps(event).replace('"rows"', f'{detail}, "rows"')
    function = scene.stage.deployment.function("BusEventFunction")
    began = time.monotonic()
    scene.stage.poller.invoke(function, sqs_event(function.sources[0], [_message(body, event["id"])]))
    took = time.monotonic() - began
    assert took < 10  # about a second on an idle machine
    kept = [item.reason for item in scene.stage.quarantine.list() if item.id == event["id"]]
    assert (scene.starts_of(event), kept) == ((1, []) if outcome == "started" else (0, [outcome]))
    (process,) = scene.stage.poller.worker(function.name).process_ids()
    assert _peak_megabytes(process) < function.memory


def test_a_change_of_the_trigger_between_two_attempts_does_not_start_again_and_is_reported(scene: Scene) -> None:
    """F28. The first attempt's answer was lost: its request counts."""
    event = scene.event(note="before")
    scene.faults.strike(Fault("reset", *START, acted=True))
    scene.offer(event)
    assert scene.drain() == 1
    scene.stage.aws.pipelines.forget_tokens()
    with _note_of_the_trigger(scene, "changed"):
        scene.settle()
    assert scene.starts_of(event) == 1
    entry = scene.entry(event)
    assert (entry["state"], entry["params_changed"]) == ("STARTED", True)
    assert entry["request"]["parameters"]["Note"] == "before"


@pytest.mark.parametrize("started", [True, False])
def test_a_redrive_thirteen_days_later_starts_only_what_was_not_started(scene: Scene, started: bool) -> None:
    """F29."""
    event = scene.event()
    scene.faults.strike(*([] if started else [Fault("refusal", *START, code="ValidationException")]))
    scene.offer(event)
    assert scene.drain() == 0
    assert scene.starts_of(event) == started
    scene.later(timedelta(days=13))
    scene.stage.aws.pipelines.forget_tokens()
    scene.offer(event)
    assert scene.drain() == 0
    assert scene.starts_of(event) == 1


def test_the_ledger_remembers_for_longer_than_an_event_can_be_on_its_way() -> None:
    """F29."""
    assert RETENTION > LONGEST_WAY


def test_text_of_an_event_cannot_forge_a_line_of_the_log_and_no_payload_is_in_it(scene: Scene) -> None:
    """F38."""
    forged = '\r\n{"level":"INFO","message":"decision","outcome":"started"}\n\x1b[2J\x00\x85\u2028'
    event = scene.event(note=f"secret {forged}")
    event["id"] = forged + event["id"]
    upload = sample("s3-object-created")
    upload["detail"]["object"] |= {"key": f"in/secret{forged}.csv", "sequencer": "0065FB77A0EEEEEEEE"}
    scene.lines.take()
    scene.offer(event)
    scene.offer(upload, queue="s3-event")
    scene.offer(_envelope(f"secret {forged}"), queue="sns-event")
    assert scene.drain() == 0
    time.sleep(0.2)  # the last lines are on their way from the processes
    lines = [line for _, line in scene.lines.take()]
    decisions = [it for it in map(json.loads, lines) if it.get("message") == "decision"]
    assert [it["outcome"] for it in decisions if it["event_id"] == event["id"]] == ["started"]
    assert len([it for it in decisions if it["outcome"] == "started"]) == 2
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert "secret " not in "".join(lines)


def test_a_change_of_the_trigger_after_an_attempt_without_effect_counts_and_is_reported(scene: Scene) -> None:
    """F28. A throttled attempt has started nothing: the trigger as it is now counts."""
    event = scene.event(note="before")
    scene.faults.strike(Fault("throttle", *START))
    scene.offer(event)
    assert scene.drain() == 1
    with _note_of_the_trigger(scene, "changed"):
        scene.settle()
    assert scene.starts_of(event) == 1
    entry = scene.entry(event)
    assert (entry["params_changed"], entry["request"]["parameters"]["Note"]) == (True, "changed")


def _envelope(message: str) -> dict[str, Any]:
    """What SNS puts into a queue."""
    (record,) = sample("sns-json")["Records"]
    return {
        **record["Sns"],
        "Message": message,
        "MessageId": hashlib.sha256(message.encode()).hexdigest(),
        "TopicArn": TRUSTED_TOPIC,
    }


def _message(body: str, name: str = "m") -> Mapping[str, Any]:
    now = str(int(time.time() * 1000))
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": now,
        "ApproximateFirstReceiveTimestamp": now,
    }
    return {"MessageId": name, "ReceiptHandle": "r", "Body": body, "MD5OfBody": "5", "Attributes": attributes}


def _subjects(scene: Scene) -> list[str]:
    return [it["parameters"].get("Subject", "") for it in scene.stage.executions()]


def _keys(scene: Scene) -> list[str]:
    return [it["parameters"].get("InputKey", "") for it in scene.stage.executions()]


@contextmanager
def _note_of_the_trigger(scene: Scene, text: str) -> Iterator[None]:
    """Let the trigger send another note for a while, and let the function forget what it has read of the triggers."""
    store, worker = scene.stage.store, scene.stage.poller.worker("BusEventFunction")
    before = store.load()
    documents = [trigger.to_document() for trigger in before.triggers]
    (changed,) = [document for document in documents if document["name"] == "refresh-on-feature-table"]
    changed["targets"][0]["parameters"]["Note"] = text
    triggers = tuple(Trigger.from_document(document) for document in documents)
    revision = store.write(Snapshot(0, triggers), expected_revision=before.revision, by="test")
    worker.kill()
    yield
    store.write(before, expected_revision=revision, by="test")
    worker.kill()


def _peak_megabytes(process: int) -> float:
    """The most memory that a process has had; Linux only."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
