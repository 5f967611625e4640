"""The Python API with the real classes of the SageMaker SDK, in environments of their own: ``pytest -m sdk``.

Not in the normal run: each environment is made when it is first needed, in ``.local``, and takes minutes, a network
and some 300 MB (version 2) or 1 GB (version 3).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline_triggers.local.stage import Stage

pytestmark = pytest.mark.sdk

ROOT = Path(__file__).parents[2]
CLIENT = Path(__file__).parent / "sagemaker_sdk_client.py"
PACKAGES = {2: "sagemaker<3", 3: "sagemaker-mlops"}
SCHEDULES = "arn:aws:scheduler:us-east-1:123456789012:schedule"
INSTALLING_SECONDS, RUNNING_SECONDS = 1800, 300


@pytest.fixture(scope="module", params=PACKAGES)
def saw(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the client saw, with each version of the SDK, on an embedded AWS of its own."""
    python = _environment(request.param)
    with Stage(ROOT / "template.yaml", port=0, poll=False) as stage:
        stage.furnish()
        environment = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": stage.aws.url,
            "HOME": str(python.parents[1]),
            "PYTHONPATH": str(ROOT / "layers/shared"),
            # Version 3 looks for the rights of an execution role in the role that EventBridge Scheduler assumes.
            "SAGEMAKER_VALIDATE_ROLE": "false",
        }
        ran = subprocess.run(
            [python, CLIENT], env=environment, capture_output=True, text=True, timeout=RUNNING_SECONDS, check=False
        )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout.rpartition("SAW ")[2])
    assert told["version"] == request.param
    return told


def _environment(version: int) -> Path:
    """The Python of the environment of one version of the SDK, which is made when there is none."""
    folder = ROOT / ".local" / f"sagemaker-sdk-{version}"
    python, done = folder / "bin/python", folder / ".installed"
    if not done.exists():
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", PACKAGES[version], *project["dependencies"]],
        ):
            subprocess.run(command, timeout=INSTALLING_SECONDS, check=True)
        done.touch()
    return python


def test_the_sdks_own_objects_are_put_and_stay_as_they_are(saw: dict[str, Any]) -> None:
    once, by_cron, unnamed, nightly, on_upload = saw["put"]
    assert (once, by_cron) == (f"{SCHEDULES}/local/once", f"{SCHEDULES}/local/by-cron")
    assert unnamed.startswith(f"{SCHEDULES}/local/ChurnReport2-")
    assert nightly == f"{SCHEDULES}/local/nightly"
    assert on_upload == "arn:aws:pipeline-triggers:us-east-1:123456789012:local/trigger/on-upload"
    assert saw["unnamed"] is None


def test_the_sdks_own_objects_mean_what_they_mean_to_the_sdk(saw: dict[str, Any]) -> None:
    assert saw["once"]["Schedule_Expression"] == "at(2040-12-13T10:15:20)"
    assert saw["once"]["Schedule_Next_Times"] == ["2040-12-13T10:15:00+00:00"]
    assert saw["by-cron"]["Schedule_Expression"] == "cron(15 10 ? * 6L 2040-2042)"
    assert saw["by-cron"]["Schedule_State"] == "DISABLED"
    assert saw["by-cron"]["Schedule_Start_Date"] == "2039-01-01T00:00:00+00:00"


def test_a_description_has_every_key_of_the_sdk(saw: dict[str, Any]) -> None:
    assert saw["sdk_keys"] == [
        "Schedule_Arn",
        "Schedule_Expression",
        "Schedule_Role",
        "Schedule_Start_Date",
        "Schedule_State",
    ]
    assert set(saw["keys"]) >= set(saw["sdk_keys"])


def test_the_triggers_of_the_sdks_pipeline_are_listed_with_what_the_sdk_made(saw: dict[str, Any]) -> None:
    assert {"once", "by-cron", "own"} <= set(saw["listed"])
    assert not {"nightly", "on-upload"} & set(saw["listed"])


def test_what_the_sdk_made_is_not_doubled_and_can_be_taken_over(saw: dict[str, Any]) -> None:
    assert saw["own"] == saw["adopted"] == [f"{SCHEDULES}/default/own"]
    assert 'Give name="own" and group_name="default"' in saw["doubled"]


def test_triggers_are_deleted(saw: dict[str, Any]) -> None:
    assert saw["deleted"] == ["deleted", "deleted", "deleted", "missing"]
