"""The commands of schedules and "status" against the deployed stack on the embedded AWS."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.local.stage import Stage
from tests.samples import trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).parents[2]
TRAIN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
INPUT = "s3://raw-data/in/data.csv"
NIGHTLY = (
    *("schedule", "put", "nightly", "--pipeline", "churn-train", "--cron", "0 3 * * ? *"),
    *("--parameter", f"InputUri={INPUT}"),
)


@pytest.fixture(scope="module")
def idle() -> Iterator[Stage]:
    """The deployed stack with the sample pipelines and one trigger; no function runs."""
    with Stage(ROOT / "template.yaml", port=0, poll=False) as stage:
        stage.furnish()
        stage.store.write(Snapshot(0, (trigger(),)), expected_revision=0, by="test")
        yield stage


def run(stage: Stage, *arguments: str) -> Result:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", "us-east-1", "--stack-name", "local")
    return CliRunner(**apart).invoke(cli, [*common, *arguments])


def run_json(stage: Stage, *arguments: str) -> dict[str, Any]:
    result = run(stage, *arguments, "--output", "json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code
    return document


def test_a_schedule_is_put_changed_described_listed_disabled_and_deleted(idle: Stage) -> None:
    made = run_json(idle, *NIGHTLY, "--timezone", "Europe/Berlin", "--parameter", "InstanceType=ml.m5.large")
    assert made["problems"] == []
    assert (made["result"]["outcome"], len(made["result"]["next"])) == ("created", 3)

    changed = run_json(idle, *NIGHTLY, "--description", "at night")
    assert changed["result"]["outcome"] == "updated"
    assert run_json(idle, *NIGHTLY, "--description", "at night")["result"]["outcome"] == "same"

    described = run_json(idle, "schedule", "describe", "nightly")["result"]
    assert described["schedule"]["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert described["schedule"]["Description"] == "at night"
    assert described["parameters"] == {"InputUri": INPUT, "InstanceType": "ml.m5.large"}
    assert described["starts"] == {"kind": "pipeline", "name": TRAIN}
    assert described["schedule"]["Target"]["DeadLetterConfig"]["Arn"].endswith(":local-undelivered")

    listed = run_json(idle, "schedule", "list")["result"]
    assert [each["name"] for each in listed if each["name"] == "nightly"] == ["nightly"]
    of_pipeline = run_json(idle, "schedule", "list", "--pipeline", "churn-train")["result"]
    assert "nightly" in {each["name"] for each in of_pipeline}

    assert run_json(idle, "schedule", "disable", "nightly")["result"][0]["outcome"] == "updated"
    assert run_json(idle, "schedule", "describe", "nightly")["result"]["next"] == []
    assert run_json(idle, "schedule", "delete", "nightly", "--yes")["result"][0]["outcome"] == "deleted"
    assert run(idle, "schedule", "describe", "nightly").exit_code == 1


def test_a_parameter_that_the_pipeline_does_not_declare_is_refused(idle: Stage) -> None:
    refused = run_json(idle, *NIGHTLY, "--parameter", "Colour=blue")
    assert refused["exit_code"] == 2
    assert [problem["field"] for problem in refused["problems"]] == ["--parameter Colour"]
    assert "nightly" not in {each["name"] for each in run_json(idle, "schedule", "list")["result"]}


def test_status_reads_the_whole_stack(idle: Stage) -> None:
    sqs = idle.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="local-undelivered")["QueueUrl"], MessageBody="{}")
    run(idle, *NIGHTLY)
    document = run_json(idle, "status")
    assert (document["exit_code"], document["problems"]) == (0, [])
    result = document["result"]
    assert result["triggers"] == {"revision": 1, "enabled": 1, "disabled": 0, "shadow": 0, "orphaned": []}
    assert [told["field"] for told in result["attention"]] == ["undelivered"]
    assert {each["queue"]: each["waiting"] for each in result["queues"]}["undelivered"] == 1
    assert "nightly" in {each["name"] for each in result["schedules"]["list"]}
    assert result["quarantine"] == {"events": 0, "reasons": []}
    stdout = run(idle, "status").stdout
    assert "undelivered has 1 message. " in stdout
