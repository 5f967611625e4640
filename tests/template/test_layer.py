"""The layer's pins and samconfig.toml: what `sam` needs beside the template."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement

from pipeline_triggers.local.stage import UPLOADS
from pipeline_triggers.local.wire import ACCOUNT
from tests.template.rendering import ROOT

LAYER = ROOT / "layers/shared"


def _pins() -> dict[str, str]:
    lines = (LAYER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", line) for line in pinned), pinned
    return {_canonical(name): version for name, _, version in (line.partition("==") for line in pinned)}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(package: str) -> list[Requirement]:
    """What an installed package requires on Python 3.13, its extras left out."""
    found = [Requirement(text) for text in metadata.requires(package) or []]
    return [one for one in found if one.marker is None or one.marker.evaluate({"python_version": "3.13", "extra": ""})]


def _config(environment: str = "default") -> dict[str, Any]:
    commands: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))[environment]
    return {name: section["parameters"] for name, section in commands.items()}


@pytest.mark.parametrize("package", _pins())
def test_whatever_a_pinned_package_requires_is_pinned_too(package: str) -> None:
    missing = {_canonical(one.name) for one in _required(package)} - set(_pins())
    assert not missing


def test_the_packages_own_dependencies_are_in_the_layer_in_versions_that_it_accepts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        assert requirement.specifier.contains(_pins()[_canonical(requirement.name)]), requirement


def test_the_tracer_is_not_in_the_layer() -> None:
    assert "aws-xray-sdk" not in _pins()


def test_the_layer_is_built_by_its_makefile(source: dict[str, Any]) -> None:
    layer = source["Resources"]["SharedLayer"]
    assert layer["Metadata"]["BuildMethod"] == "makefile"
    assert layer["Properties"]["ContentUri"] == "layers/shared"
    assert "build-SharedLayer:" in (LAYER / "Makefile").read_text(encoding="utf-8")


def test_sam_needs_no_flags() -> None:
    config = _config()
    assert config["global"]["stack_name"] == "pipeline-triggers"
    assert config["validate"]["lint"] is True
    assert config["build"] == {"cached": True, "parallel": True}
    assert config["deploy"]["resolve_s3"] is True
    assert config["deploy"]["capabilities"] == "CAPABILITY_IAM"


@pytest.mark.parametrize("command", ["local_invoke", "local_start_lambda"])
def test_local_runs_reach_the_embedded_aws_from_inside_a_container(command: str) -> None:
    parameters = _config()[command]
    assert parameters["region"] == "us-east-1"
    assert parameters["skip_pull_image"] is True
    assert parameters["add_host"] == ["host.docker.internal:host-gateway"]
    assert "EndpointUrl=http://host.docker.internal:4555" in parameters["parameter_overrides"].split()


@pytest.mark.parametrize("command", ["local_invoke", "local_start_lambda"])
def test_local_runs_are_told_the_account_of_the_embedded_aws(command: str) -> None:
    variables = json.loads((ROOT / _config()[command]["env_vars"]).read_text(encoding="utf-8"))
    assert variables == {"Parameters": {"HOME_ACCOUNT": ACCOUNT, "HOME_PARTITION": "aws"}}


def test_a_local_deployment_uploads_to_a_bucket_that_nobody_can_have_in_aws() -> None:
    bucket = _config("local")["deploy"]["s3_bucket"]
    assert bucket == UPLOADS
    # Amazon S3 User Guide, "General purpose bucket naming rules": names must not start with this prefix.
    assert bucket.startswith("sthree-")
