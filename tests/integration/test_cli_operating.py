"""On call, against the deployed stack on the embedded AWS: what was refused is redriven, explained and run again."""

from __future__ import annotations

import json
import time
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.local.stage import BUCKET, STACK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline_triggers.local.stage import Stage

NAME = "score-on-call"
WAIT_SECONDS = 30


def trigger(rows: str) -> Trigger:
    """A trigger for files below ``call/``; ``rows`` is what it says for an integer of the pipeline."""
    return Trigger.from_document(
        {
            "name": NAME,
            "event_pattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"object": {"key": [{"prefix": "call/"}]}},
            },
            "targets": [
                {
                    "pipeline": "churn-score",
                    "parameters": {"Action": "score", "InputKey": "$.detail.object.key", "MaxRows": rows},
                }
            ],
        }
    )


def write(stage: Stage, rows: str) -> None:
    current = stage.store.load()
    others = tuple(each for each in current.triggers if each.name != NAME)
    stage.store.write(Snapshot(0, (*others, trigger(rows))), expected_revision=current.revision, by="test")


def run(stage: Stage, *arguments: str) -> dict[str, Any]:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", "us-east-1", "--stack-name", STACK, "--output", "json")
    result = CliRunner(**apart).invoke(cli, [*common, *arguments])
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code
    return document


def until(check: Callable[[], Any]) -> Any:
    """What a check gives as soon as it gives something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def started(stage: Stage) -> list[dict[str, Any]]:
    return [each for each in stage.executions() if each["parameters"].get("InputKey", "").startswith("call/")]


@pytest.fixture
def refused(stage: Stage) -> dict[str, Any]:
    """The quarantined event of a file for which the trigger says no number."""
    write(stage, "many")
    stage.client("s3").put_object(Bucket=BUCKET, Key="call/1.csv", Body=b"x")
    (item,) = until(lambda: run(stage, "quarantine", "list", "--trigger", NAME)["result"])
    found: dict[str, Any] = item
    return found


def test_an_event_is_refused_mended_redriven_started_once_explained_and_run_again(
    stage: Stage, refused: dict[str, Any], tmp_path: Path
) -> None:
    assert refused["reason"] == "wrong-type"
    event = json.loads(run(stage, "quarantine", "show", refused["id"])["result"]["body"])
    why = run(stage, "explain", event["id"])
    assert (why["exit_code"], why["result"][0]["outcome"], why["result"][0]["reason"]) == (5, "rejected", "wrong-type")

    write(stage, "100")
    assert started(stage) == []
    (handled,) = run(stage, "quarantine", "redrive", "--all", "--trigger", NAME, "--yes")["result"]
    assert (handled["id"], handled["outcome"]) == (refused["id"], "redriven")
    (execution,) = until(lambda: started(stage))
    assert execution["parameters"]["MaxRows"] == "100"

    def is_on_record() -> bool:
        return [it["state"] for it in run(stage, "history", "--trigger", NAME)["result"]] == ["STARTED"]

    until(is_on_record)
    (of_all,) = [it for it in run(stage, "history", "--state", "STARTED")["result"] if it["trigger"] == NAME]
    assert of_all["execution_arn"] == execution["execution_arn"]
    assert run(stage, "quarantine", "list", "--trigger", NAME)["result"] == []
    # The same event once more starts nothing.
    queue = stage.client("sqs").get_queue_url(QueueName=f"{STACK}-s3-event")["QueueUrl"]
    stage.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))

    for what in (event["id"], execution["execution_arn"]):
        (told,) = run(stage, "explain", what)["result"]
        assert (told["outcome"], told["trigger_since"], told["recorded"]) == ("started", "same", True)
        assert told["execution"]["status"] == "Succeeded"
        origins = {it["name"]: (it["origin"], it["value"]) for it in told["parameters"]}
        assert origins["InputKey"] == ("dynamic", "call/1.csv")
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    assert run(stage, "explain", str(file))["result"][0]["execution_arn"] == execution["execution_arn"]

    again = run(stage, "rerun", event["id"], "--yes")
    assert again["exit_code"] == 0
    both = started(stage)
    assert len(both) == 2
    assert both[0]["parameters"] == both[1]["parameters"]
    explained = {it["execution_arn"]: it["rerun_of"] for it in run(stage, "explain", event["id"])["result"]}
    assert explained[again["result"]["execution_arn"]] == json.loads(again["result"]["occurrence"])[1]
    assert explained[execution["execution_arn"]] == ""


def test_what_a_rule_could_not_deliver_is_listed_redriven_and_starts(stage: Stage) -> None:
    write(stage, "100")
    sqs = stage.client("sqs")
    undelivered = sqs.get_queue_url(QueueName=f"{STACK}-undelivered")["QueueUrl"]
    told = {
        "RULE_ARN": f"arn:aws:events:us-east-1:123456789012:rule/{STACK}-s3-objects",
        "TARGET_ARN": f"arn:aws:sqs:us-east-1:123456789012:{STACK}-s3-event",
        "ERROR_CODE": "NO_PERMISSIONS",
    }
    event = {
        "version": "0",
        "id": "undelivered-1",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-03-14T12:00:00Z",
        "resources": [],
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": "call/2.csv", "sequencer": "01"}},
    }
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in told.items()}
    sqs.send_message(QueueUrl=undelivered, MessageBody=json.dumps(event), MessageAttributes=attributes)

    for _ in range(2):
        (listed,) = run(stage, "dlq", "list", "--queue", "undelivered", "--limit", "1")["result"]
        assert [it["queue"] for it in listed["messages"]] == [f"{STACK}-s3-event"]
    done = run(stage, "dlq", "redrive", "--reason", "NO_PERMISSIONS", "--yes")
    assert (done["exit_code"], [it["outcome"] for it in done["result"]]) == (0, ["redriven"])
    until(lambda: [it for it in started(stage) if it["parameters"]["InputKey"] == "call/2.csv"])
    assert run(stage, "status")["result"]["attention"] == []
