"""The command line against DynamoDB, CloudFormation and STS: apply, list, rollback, and a stack that is not there."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.stacks import Caller, Stacks
from pipeline_triggers.cli.main import cli
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.errors import NotFoundError
from tests.integration.tables import create_table
from tests.samples import triggers_on_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
# Strings, also where the template has lists: moto would answer with a Python list where AWS answers with the text.
PARAMETERS = ("BucketNames", "DefaultBusSources", "TrustedTopicArns", "EventBusName")
TEMPLATE = {
    "Parameters": {name: {"Type": "String", "Default": ""} for name in PARAMETERS},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}


LIVE = """\
version: 1
set: live
triggers:
  - name: on-upload
    event_pattern: {{source: [aws.s3]}}
    targets: [{{pipeline: churn-train, parameters: {{Rows: {rows}}}}}]
"""


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Moto's services, with the trigger table of the stack ``test``."""
    with mock_aws():
        made = Clients(region="us-east-1")
        create_table(made, "triggers")
        yield made


@pytest.fixture
def demo(tmp_path: Path) -> str:
    """A file with the demo's triggers on events."""
    file = tmp_path / "demo.yaml"
    file.write_text(triggers_on_events(), encoding="utf-8")
    return str(file)


def create_stack(clients: Clients, **parameters: str) -> None:
    clients.client("cloudformation").create_stack(
        StackName="test",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )


def run(*arguments: str) -> Result:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    return CliRunner(**apart).invoke(cli, ["--stack-name", "test", "--region", "us-east-1", *arguments])


def run_json(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--output", "json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code
    return document


def test_triggers_are_applied_listed_changed_and_rolled_back(clients: Clients, tmp_path: Path, demo: str) -> None:
    create_stack(clients, DefaultBusSources="com.example.features")
    applied = run_json("apply", demo, "--yes")
    assert (applied["exit_code"], applied["result"]["revision"], applied["warnings"]) == (0, 1, [])
    names = applied["result"]["add"]
    assert [t["name"] for t in run_json("list")["result"]["triggers"]] == names

    assert run_json("apply", demo, "--yes")["result"]["written"] is False
    assert run_json("disable", "retrain-on-upload")["result"]["revision"] == 2
    assert run_json("delete", "retrain-on-drift", "--yes")["result"]["revision"] == 3

    back = run_json("rollback", "1", "--yes")["result"]
    assert (back["revision"], back["add"], [c["name"] for c in back["change"]]) == (
        4,
        ["retrain-on-drift"],
        ["retrain-on-upload"],
    )
    assert [t["name"] for t in run_json("list")["result"]["triggers"]] == names
    listed = run_json("revisions")["result"]
    assert [(r["revision"], r["current"]) for r in listed] == [(4, True), (3, False), (2, False), (1, False)]
    assert all(r["by"].startswith("arn:aws:") for r in listed)


def test_what_comes_back_from_the_table_is_what_the_file_says(clients: Clients, demo: str) -> None:
    create_stack(clients)
    run("apply", demo, "--yes")
    assert run_json("apply", demo, "--dry-run")["result"]["change"] == []


def test_the_stacks_parameters_decide_what_is_warned_about(clients: Clients, demo: str) -> None:
    create_stack(clients, BucketNames="other-data")
    warnings = run_json("apply", demo, "--dry-run")["warnings"]
    assert {warning["field"] for warning in warnings} == {
        "refresh-on-feature-table",
        "retrain-on-upload",
        "score-each-upload",
        "retrain-on-deletion",
    }


def create_pipeline(clients: Clients, name: str, *parameters: dict[str, Any]) -> None:
    clients.sagemaker().create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": []}),
        ClientRequestToken=f"create-{name}".ljust(32, "-"),
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeline",
    )


def test_apply_live_writes_only_what_the_pipelines_would_take(clients: Clients, tmp_path: Path) -> None:
    create_stack(clients)
    create_pipeline(clients, "churn-train", {"Name": "Rows", "Type": "Integer"})
    file = tmp_path / "triggers.yaml"
    file.write_text(LIVE.format(rows="many"), encoding="utf-8")
    refused = run_json("apply", "--live", "--yes", str(file))
    assert refused["exit_code"] == 2
    assert [(p["line"], p["field"]) for p in refused["problems"]] == [(6, "triggers[0].targets[0].parameters.Rows")]
    assert run_json("revisions")["result"] == []

    file.write_text(LIVE.format(rows="5"), encoding="utf-8")
    assert run_json("apply", "--live", "--yes", str(file))["result"]["written"] is True
    (target,) = run_json("describe", "on-upload")["result"]["targets"]
    (rows,) = target["parameters"]
    assert rows["declared"] == {"type": "Integer", "required": True, "default": None, "enum": []}


def test_simulate_from_the_stack_uses_its_triggers_and_its_account(clients: Clients, demo: str) -> None:
    create_stack(clients)
    run("apply", demo, "--yes")
    (decision,) = run_json("simulate", str(ROOT / "events" / "custom-event.json"), "--from-stack")["result"]
    assert decision["pipeline_arn"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/churn-features"


@pytest.mark.usefixtures("clients")
def test_without_the_stack_apply_warns_that_delivery_could_not_be_checked(demo: str) -> None:
    applied = run_json("apply", demo, "--yes")
    assert applied["exit_code"] == 0
    assert "there is no stack test" in applied["warnings"][0]["reason"]


def test_without_the_table_a_command_fails_in_one_line_with_the_remedy() -> None:
    with mock_aws():
        result = run("list")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "--stack-name" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_profile_is_told(clients: Clients) -> None:
    result = run("--profile", "no-such-profile", "list")
    assert result.exit_code == 1
    assert "no-such-profile" in result.stderr
    assert "unexpected" not in result.stderr


def test_an_endpoint_that_nobody_listens_at_is_told_in_one_line() -> None:
    result = run("--endpoint-url", "http://127.0.0.1:9", "list")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "127.0.0.1:9" in result.stderr
    assert "unexpected" not in result.stderr


@pytest.mark.parametrize("endpoint", ["not-a-url", "http://", "ftp://x", "http://[", "http://x:port"])
def test_an_endpoint_that_is_no_address_is_told_in_one_line(endpoint: str) -> None:
    result = run("--endpoint-url", endpoint, "list")
    assert result.exit_code == 2
    assert result.stderr.startswith("--endpoint-url: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_stack_is_read_with_its_parameters_and_its_home(clients: Clients) -> None:
    create_stack(
        clients,
        BucketNames="raw-data, other",
        DefaultBusSources="aws.glue",
        TrustedTopicArns="arn:aws:sns:us-east-1:123456789012:ml",
        EventBusName="features",
    )
    stack = Stacks(clients).read("test")
    assert stack.home == Home("aws", ACCOUNT, "us-east-1")
    assert stack.delivered == Delivered(("raw-data", "other"), ("aws.glue",), custom_bus=True)
    assert stack.trusted_topic_arns == ("arn:aws:sns:us-east-1:123456789012:ml",)


def test_empty_parameters_of_a_stack_are_empty_lists(clients: Clients) -> None:
    create_stack(clients)
    assert Stacks(clients).read("test").delivered == Delivered()


def test_a_stack_that_does_not_exist_is_not_found(clients: Clients) -> None:
    with pytest.raises(NotFoundError, match="there is no stack nothing"):
        Stacks(clients).read("nothing")


def test_the_caller_is_the_arn_of_the_identity_in_use(clients: Clients) -> None:
    assert Caller(clients)().startswith("arn:aws:")
