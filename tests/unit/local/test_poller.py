"""Lambda's rules, as the poller applies them to functions in processes of their own."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.local.deployment import Deployment, LocalFunction, QueueSource
from pipeline_triggers.local.poller import (
    FunctionError,
    Poller,
    _Look,
    _Source,
    failed_messages,
    lambda_environment,
    sqs_event,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.local.support import Account

HANDLER = '''
import json, os, sys, time

print("importing", file=sys.stderr)

def handler(event, context):
    """Do what the message says: the body is Python."""
    records = event.get("Records") if isinstance(event, dict) else None
    if records is None:
        return echo(event, context)
    failed = []
    for record in records:
        order = json.loads(record["body"])
        with open(os.environ["SEEN"], "a") as seen:
            print(json.dumps(record), file=seen)
        match order.get("do"):
            case "answer": return order["answer"]
            case "raise": raise ValueError(order["message"])
            case "exit": os._exit(3)
            case "sleep":
                print("trace", os.environ["_X_AMZN_TRACE_ID"], flush=True)
                time.sleep(order["seconds"])
            case "fail": failed.append({"itemIdentifier": record["messageId"]})
            case "print": print('{"answer": "forged"}', flush=True)
    return {"batchItemFailures": failed}

def echo(event, context):
    if event == "set": return {1, 2}
    if event == "raise": raise KeyError("bare")
    if event == "print": print('{"answer": "forged"}')
    if event == "trace": return os.environ["_X_AMZN_TRACE_ID"]
    return {"event": event, "name": context.function_name, "left": context.get_remaining_time_in_millis(),
            "id": context.aws_request_id, "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb}
'''


@dataclass
class Running:
    """A poller with one function and one queue."""

    aws: Account
    poller: Poller
    queue_url: str
    seen: Path
    log: list[str] = field(default_factory=list)

    def send(self, *orders: dict[str, Any]) -> None:
        entries = [{"Id": str(i), "MessageBody": json.dumps(order)} for i, order in enumerate(orders)]
        self.aws.client("sqs").send_message_batch(QueueUrl=self.queue_url, Entries=entries)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.seen.read_text().splitlines()] if self.seen.exists() else []

    def left(self) -> int:
        """How many messages are in the queue, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return sum(int(count) for count in counts["Attributes"].values())


def _traces(running: Running) -> list[str]:
    return [line.removeprefix("trace ") for line in running.log if line.startswith("trace ")]


@contextmanager
def polling(
    aws: Account,
    folder: Path,
    *,
    handler: str = HANDLER,
    timeout: int = 5,
    batch_size: int = 10,
    report: bool = True,
    visibility: int = 60,
    before: tuple[dict[str, Any], ...] = (),
    parallel: int = 1,
    max_concurrency: int = 1000,
) -> Iterator[Running]:
    (folder / "app.py").write_text(handler)
    url, arn = aws.queue("source", VisibilityTimeout=str(visibility))
    function = LocalFunction(
        name="worker",
        logical_id="Worker",
        code=folder,
        handler="app.handler",
        environment={"SEEN": str(folder / "seen")},
        timeout=timeout,
        memory=256,
        layers=(),
        sources=(QueueSource(arn, url, batch_size, report, max_concurrency),),
    )
    log: list[str] = []
    deployment = Deployment("local", {}, (function,))
    poller = Poller(deployment, aws.url, on_log=lambda _name, line: log.append(line), parallel=parallel)
    running = Running(aws, poller, url, folder / "seen", log)
    if before:
        running.send(*before)
    with poller:
        yield running


def test_a_handled_message_is_deleted(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        running.send({}, {})
        assert running.poller.drain(10) == 0
        assert (len(running.records()), running.left()) == (2, 0)


def test_a_batch_is_not_larger_than_the_mapping_says(aws: Account, tmp_path: Path) -> None:
    fail_whole_batch = {"do": "raise", "message": "once per batch"}
    with polling(aws, tmp_path, batch_size=2, before=(fail_whole_batch,) * 5) as running:
        running.poller.drain(10)
        assert len(running.records()) == 3  # batches of 2, 2 and 1, each stopped at its first record


def test_a_failed_message_stays_and_its_neighbours_are_deleted(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, before=({}, {"do": "fail"}, {})) as running:
        assert running.poller.drain(10) == 1
        assert (len(running.records()), running.left()) == (3, 1)


def test_a_failed_message_is_delivered_again_after_its_visibility_timeout(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, visibility=1) as running:
        running.send({"do": "fail"})
        deadline = time.monotonic() + 10
        while len(running.records()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        counts = [record["attributes"]["ApproximateReceiveCount"] for record in running.records()[:2]]
        assert counts == ["1", "2"]


@pytest.mark.parametrize(
    "order",
    [
        {"do": "raise", "message": "broken"},
        {"do": "exit"},
        {"do": "answer", "answer": {"batchItemFailures": [{"itemIdentifier": "unknown"}]}},
        {"do": "answer", "answer": "text"},
    ],
)
def test_a_broken_batch_stays_whole(aws: Account, tmp_path: Path, order: dict[str, Any]) -> None:
    with polling(aws, tmp_path, before=(order, {})) as running:
        assert running.poller.drain(10) == 2
        assert running.left() == 2


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_answer_deletes_the_whole_batch(aws: Account, tmp_path: Path, answer: Any) -> None:
    with polling(aws, tmp_path, before=({"do": "answer", "answer": answer}, {"do": "fail"})) as running:
        assert running.poller.drain(10) == 0
        assert running.left() == 0


def test_without_report_batch_item_failures_any_answer_deletes_the_batch(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, report=False, before=({"do": "fail"}, {})) as running:
        assert running.poller.drain(10) == 0
        assert running.left() == 0


def test_without_report_batch_item_failures_an_exception_keeps_the_batch(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, report=False, before=({"do": "raise", "message": "m"},)) as running:
        assert running.poller.drain(10) == 1


def test_a_function_that_takes_too_long_is_killed_and_its_batch_stays(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, timeout=1) as running:
        running.send({"do": "sleep", "seconds": 30})
        assert running.poller.drain(10) == 1
        running.send({})
        assert running.poller.drain(10) == 1
        assert len(running.records()) == 2


def test_a_killed_function_is_started_again(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        running.send({"do": "sleep", "seconds": 4})
        while not running.records():
            time.sleep(0.02)
        running.poller.worker("Worker").kill()
        assert running.poller.drain(10) == 1
        assert running.poller.invoke("Worker", 1)["event"] == 1


@pytest.mark.parametrize(("parallel", "max_concurrency", "at_once"), [(1, 2, 1), (2, 2, 2), (3, 2, 2)])
def test_as_many_batches_are_handled_at_a_time_as_the_mapping_and_the_poller_allow(
    aws: Account, tmp_path: Path, parallel: int, max_concurrency: int, at_once: int
) -> None:
    orders = ({"do": "sleep", "seconds": 1.5},) * 3
    concurrent = partial(polling, parallel=parallel, max_concurrency=max_concurrency)
    with concurrent(aws, tmp_path, batch_size=1, before=orders) as running:
        deadline = time.monotonic() + 10
        while not running.records() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1)
        handling = running.poller._sources[0].look().handling
        assert (handling, len(running.poller.worker("Worker").process_ids())) == (at_once, at_once)
        assert running.poller.drain(10) == 0
        assert running.left() == 0


def test_the_process_of_one_invocation_is_killed_and_the_others_go_on(aws: Account, tmp_path: Path) -> None:
    orders = ({"do": "sleep", "seconds": 2},) * 2
    with polling(aws, tmp_path, batch_size=1, before=orders, parallel=2) as running:
        deadline = time.monotonic() + 10
        while len(traces := _traces(running)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        running.poller.kill("Root=of-nobody")
        running.poller.kill(traces[0])
        assert running.poller.drain(10) == 1
        assert running.left() == 1


def test_each_invocation_has_a_trace_id_that_the_sdk_sends(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        first, second = (running.poller.invoke("Worker", "trace") for _ in range(2))
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", first)
    assert first != second


def test_an_invocation_may_be_given_less_time_than_the_function_has(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, timeout=5) as running:
        assert running.poller.invoke("Worker", 1, timeout=2)["left"] <= 2000


def test_what_a_function_prints_is_no_answer(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        assert running.poller.invoke("worker", "print")["event"] == "print"
        running.send({"do": "print"})
        running.poller.drain(10)
        assert running.left() == 0
    assert running.log.count('{"answer": "forged"}') == 2
    assert "importing" in running.log


def test_a_bare_event_is_answered(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path, timeout=5) as running:
        answer = running.poller.invoke("Worker", {"detail": "ü ☃"})
    assert answer["event"] == {"detail": "ü ☃"}
    assert answer["name"] == "worker"
    assert 3000 < answer["left"] <= 5000
    assert len(answer["id"]) == 36
    assert answer["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:worker"
    assert answer["memory"] == "256"


def test_an_exception_reaches_the_one_who_invokes(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running, pytest.raises(FunctionError, match="worker: KeyError: 'bare'") as error:
        running.poller.invoke("Worker", "raise")
    assert any("raise KeyError" in line for line in error.value.stack)


def test_an_answer_that_is_no_json_is_an_error(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running, pytest.raises(FunctionError, match=r"Runtime\.MarshalError"):
        running.poller.invoke("Worker", "set")


def test_an_unknown_function_is_named(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running, pytest.raises(KeyError, match="has no function 'other'"):
        running.poller.invoke("other", {})


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def other(): pass", "AttributeError: .*handler"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("def handler(", "SyntaxError"),
    ],
)
def test_a_handler_that_cannot_be_imported_stops_the_start(
    aws: Account, tmp_path: Path, handler: str, said: str
) -> None:
    with pytest.raises(FunctionError, match=said), polling(aws, tmp_path, handler=handler):
        pass


def test_drain_says_which_queue_is_not_empty(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        running.send({"do": "sleep", "seconds": 3})
        with pytest.raises(
            TimeoutError, match=r"not empty after 0\.3 s: source has .* 1 being handled|source has 1 vis"
        ):
            running.poller.drain(0.3)


@pytest.mark.parametrize(
    ("look", "idle"),
    [
        ({}, True),
        ({"visible": 1}, False),
        ({"handling": 1}, False),
        ({"invisible": 1, "left": 1}, True),
        ({"invisible": 2, "left": 1}, False),  # one was received, and the answer is still on its way to the poller
        ({"delayed": 1}, True),
    ],
)
def test_a_queue_is_idle_when_all_that_is_invisible_was_left_for_later(look: dict[str, int], idle: bool) -> None:
    nothing = {"visible": 0, "invisible": 0, "delayed": 0, "handling": 0, "left": 0, "received": 0}
    assert _Look(**{**nothing, **look}).is_idle is idle


def test_a_message_that_comes_again_is_no_longer_left_for_later(tmp_path: Path) -> None:
    class OneMessage:
        def receive_message(self, **_: object) -> dict[str, Any]:
            return {"Messages": [{"MessageId": "m", "ReceiptHandle": "r"}]}

        def get_queue_attributes(self, **_: object) -> dict[str, Any]:
            names = ("", "NotVisible", "Delayed")
            return {"Attributes": {f"ApproximateNumberOfMessages{name}": "0" for name in names}}

    function = LocalFunction("f", "F", tmp_path, "app.handler", {}, 60, 256, (), ())
    queue = QueueSource("arn:aws:sqs:us-east-1:123456789012:q", "", 10, report_failures=True)
    source = _Source(function, queue, OneMessage())
    source.settle(source.receive(), failed={"m"})
    assert source.look().left == 1
    source.receive()
    assert source.look().left == 0


def test_drain_counts_messages_sent_with_a_delay(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        aws.client("sqs").send_message(QueueUrl=running.queue_url, MessageBody="{}", DelaySeconds=60)
        assert running.poller.drain(10) == 1
        assert running.records() == []


def test_the_event_is_the_one_that_lambda_makes(aws: Account, tmp_path: Path) -> None:
    with polling(aws, tmp_path) as running:
        aws.client("sqs").send_message(
            QueueUrl=running.queue_url,
            MessageBody="{}",
            MessageAttributes={"RULE_ARN": {"DataType": "String", "StringValue": "arn:rule"}},
        )
        running.poller.drain(10)
        (record,) = running.records()
    attributes = record.pop("attributes")
    assert set(attributes) >= {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    assert all(isinstance(value, str) for value in attributes.values())
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    assert record.pop("md5OfMessageAttributes")
    assert record == {
        "body": "{}",
        "messageAttributes": {
            "RULE_ARN": {
                "stringValue": "arn:rule",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:source",
        "awsRegion": "us-east-1",
    }


def test_a_binary_attribute_is_passed_in_base64() -> None:
    message = {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": "b",
        "MD5OfBody": "5",
        "MessageAttributes": {"blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
    }
    event = sqs_event(QueueSource("arn:aws:sqs:us-east-1:123456789012:q", "", 1, report_failures=True), [message])
    assert event["Records"][0]["messageAttributes"]["blob"]["binaryValue"] == "AP8="


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"decisions": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"item": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": ["a"]}, {"a", "b"}),
        ({"batchItemFailures": {"itemIdentifier": "a"}}, {"a", "b"}),
        ([], {"a", "b"}),
        ("", {"a", "b"}),
        (0, {"a", "b"}),
        (True, {"a", "b"}),
    ],
)
def test_what_stays_follows_from_the_answer(answer: Any, failed: set[str]) -> None:
    assert failed_messages(answer, ["a", "b"]) == failed


def test_the_environment_is_lambda_s_and_the_template_s_and_never_real_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    template = {"TABLE": "local-ledger", "AWS_ENDPOINT_URL": ""}
    function = LocalFunction("f", "F", tmp_path, "app.handler", template, 60, 256, (tmp_path / "layer",), ())
    environment = lambda_environment(function, "http://127.0.0.1:1")
    assert environment["TABLE"] == "local-ledger"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_SECRET_ACCESS_KEY"] == "local"
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["PYTHONPATH"] == str(tmp_path / "layer")
