"""The demo, as a user runs it: it is the whole main job, and its exit code means something."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.integration.conftest import ROOT


@pytest.mark.slow
def test_the_demo_ends_with_everything_as_it_should_be() -> None:
    command = [sys.executable, "-m", "pipeline_triggers.cli", "--output", "json", "demo"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    answer = json.loads(ran.stdout)
    assert ran.returncode == answer["exit_code"] == 0, answer
    assert [act["wrong"] for act in answer["result"]["acts"]] == [""] * len(answer["result"]["acts"])
    assert len(answer["result"]["executions"]) == 8
    *_, failed_deletion, deletion = (act["schedules"] for act in answer["result"]["acts"])
    assert set(failed_deletion.values()) == {"kept"}
    assert {name for name, outcome in deletion.items() if outcome == "deleted"} == {
        "ChurnReport",
        "churn-report-nightly",
    }
    assert {name for name, outcome in deletion.items() if outcome == "kept"} == {
        "ChurnReport2",
        "churn-weekly",
        "retrain-weekly",
        "score-yesterday",
    }
    assert {item["reason"] for item in answer["result"]["quarantine"]} == {"malformed-event", "missing-parameter"}


def test_the_demo_says_where_it_belongs_when_it_is_run_elsewhere(tmp_path: object) -> None:
    command = [sys.executable, "-m", "pipeline_triggers.cli", "demo"]
    ran = subprocess.run(command, cwd=str(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "run this in the project's folder" in ran.stderr
