"""The template's parameters: what they refuse, and that the tests fill them all."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template import rendering
from tests.template.rendering import FILLED

PARAMETERS: dict[str, dict[str, Any]] = rendering.source()["Parameters"]


def _accepts(parameter: str, value: str) -> bool:
    """What CloudFormation does: for a list, each value must match the whole pattern."""
    declared = PARAMETERS[parameter]
    values = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    return all(re.fullmatch(declared["AllowedPattern"], part) for part in values)


def test_the_filled_stack_of_these_tests_gives_every_parameter() -> None:
    assert set(FILLED) == set(PARAMETERS)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_has_a_description_and_a_default(parameter: str) -> None:
    assert PARAMETERS[parameter]["Description"]
    assert "Default" in PARAMETERS[parameter]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_is_restricted(parameter: str) -> None:
    assert {"AllowedPattern", "AllowedValues", "MaxValue"} & set(PARAMETERS[parameter])


@pytest.mark.parametrize("parameter", [name for name in PARAMETERS if "AllowedPattern" in PARAMETERS[name]])
def test_a_pattern_accepts_its_default_and_the_filled_value(parameter: str) -> None:
    assert _accepts(parameter, PARAMETERS[parameter]["Default"])
    assert _accepts(parameter, FILLED[parameter])
    assert PARAMETERS[parameter]["ConstraintDescription"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("BucketNames", "Raw_Data"),
        ("BucketNames", "raw-data,s3://more-data"),
        ("TrustedTopicArns", "uploads"),
        ("TrustedTopicArns", "arn:aws:sns:eu-west-1:111122223333:*"),
        ("DefaultBusSources", "com.example features"),
        ("EventBusName", "default"),
        ("EventBusName", "arn:aws:events:eu-west-1:111122223333:event-bus/features"),
        ("PipelineArnPattern", "*"),
        ("PipelineArnPattern", "churn-train"),
        ("PipelineArnPattern", "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Churn-Train"),
        ("PipelineArnPattern", "arn:aws:sagemaker:eu-west-1:111122223333:model/churn"),
        ("StartRoleArns", "*"),
        ("StartRoleArns", "arn:aws:iam::111122223333:role/*"),
        ("StartRoleArns", "arn:aws:iam::111122223333:user/somebody"),
        ("ProtectedSchedules", "nightly"),
        ("ProtectedSchedules", "default/nightly-[ab]"),
        ("ProtectedSchedules", "default/team/nightly"),
        ("SweepSchedule", "6 hours"),
        ("SweepSchedule", "rate(1 hours)"),
        ("SweepSchedule", "rate(6 hour)"),
        ("SweepSchedule", "rate(0 hours)"),
        ("SweepSchedule", "at(2026-01-01T00:00:00)"),
        ("AlarmTopicArn", "on-call"),
        ("EndpointUrl", "host.docker.internal:4555"),
    ],
)
def test_what_would_not_work_or_grant_too_much_is_refused(parameter: str, value: str) -> None:
    assert not _accepts(parameter, value)


def test_every_parameter_stands_in_one_group_of_the_console() -> None:
    interface = rendering.source()["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
