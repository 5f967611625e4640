"""The triggers of triggers.yaml against the pipelines of the embedded AWS, as SageMaker has them."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.cli.main import cli
from pipeline_triggers.local.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEMO = str(ROOT / "triggers.yaml")


@pytest.fixture(scope="module")
def idle() -> Iterator[Stage]:
    """The deployed stack with the sample pipelines; no function runs."""
    with Stage(ROOT / "template.yaml", port=0, poll=False) as stage:
        stage.furnish()
        yield stage


def run(stage: Stage, *arguments: str) -> dict[str, Any]:
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    common = ("--endpoint-url", stage.aws.url, "--region", "us-east-1", "--stack-name", "local", "--output", "json")
    document: dict[str, Any] = json.loads(CliRunner(**apart).invoke(cli, [*common, *arguments]).stdout)
    return document


def test_the_sample_triggers_fit_the_sample_pipelines(idle: Stage) -> None:
    applied = run(idle, "apply", "--live", "--yes", DEMO)
    assert (applied["exit_code"], applied["problems"], applied["result"]["written"]) == (0, [], True)


def test_a_pipeline_that_sagemaker_does_not_know_is_a_problem(idle: Stage, tmp_path: Path) -> None:
    file = tmp_path / "triggers.yaml"
    file.write_text(Path(DEMO).read_text(encoding="utf-8").replace("pipeline: churn-score", "pipeline: churn-scores"))
    checked = run(idle, "lint", "--live", str(file))
    assert checked["exit_code"] == 2
    assert {problem["field"].rpartition(".")[2] for problem in checked["problems"]} == {"pipeline"}
    assert "there is no pipeline churn-scores" in checked["problems"][0]["reason"]


def test_simulate_checks_against_the_account_and_against_a_described_pipeline(idle: Stage, tmp_path: Path) -> None:
    event = str(ROOT / "events" / "custom-event.json")
    live = run(idle, "simulate", event, "--triggers", DEMO, "--live")
    assert (live["exit_code"], live["warnings"], live["result"][0]["outcome"]) == (0, [], "start")
    described = idle.client("sagemaker").describe_pipeline(PipelineName="churn-train")
    file = tmp_path / "churn-train.json"
    file.write_text(json.dumps(described, default=str), encoding="utf-8")
    other = run(idle, "simulate", event, "--triggers", DEMO, "--definition", f"churn-features={file}")
    assert (other["exit_code"], other["result"][0]["parameters"][0]["verdict"]) == (5, "unknown-parameter")


def test_an_update_of_a_pipeline_is_seen_by_the_next_check(idle: Stage) -> None:
    sagemaker = idle.client("sagemaker")
    definition = json.loads(sagemaker.describe_pipeline(PipelineName="churn-score")["PipelineDefinition"])
    definition["Parameters"] = [it for it in definition["Parameters"] if it["Name"] != "OutputUri"]
    sagemaker.update_pipeline(PipelineName="churn-score", PipelineDefinition=json.dumps(definition))
    (problem,) = run(idle, "lint", "--live", DEMO)["problems"]
    assert problem["field"].endswith("parameters.OutputUri")
    assert "OutputUri:" in Path(DEMO).read_text(encoding="utf-8").splitlines()[problem["line"] - 1]
