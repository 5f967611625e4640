"""How long the name of a stack may be, and that two stacks of one account and Region are not in each other's way.

CloudFormation takes names of 128 characters, but most of what the template names begins with the stack's name, and has
a limit of its own. The template cannot refuse a longer one: it has no function for the length of a text.
"""

from __future__ import annotations

import json
import re
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session

from tests.template import rendering
from tests.template.rendering import FILLED, NAMES, ROOT, STACK, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.template.rendering import Rendered

# The longest name of each type, from the reference of the call that creates it. Lambda's and SQS's, DynamoDB's, SNS's
# and the dashboards' are in words there; the others are in the service models.
LIMITS: Mapping[str, int] = {
    "AWS::CloudWatch::Alarm": 255,
    "AWS::CloudWatch::Dashboard": 255,
    "AWS::DynamoDB::Table": 255,
    "AWS::Events::Rule": 64,
    "AWS::Lambda::Function": 64,
    "AWS::Lambda::LayerVersion": 140,
    "AWS::Logs::LogGroup": 512,
    "AWS::Logs::QueryDefinition": 255,
    "AWS::SNS::Topic": 256,
    "AWS::SQS::Queue": 80,
    "AWS::Scheduler::ScheduleGroup": 64,
}
STACK_NAMES = 128
# Of a managed policy, in characters that are no blanks (IAM User Guide, "IAM and AWS STS quotas").
MAX_POLICY = 6144


def names(stack: Rendered) -> list[tuple[str, str]]:
    """Every name that the template gives, with its type."""
    return [
        (resource["Type"], resource["Properties"][NAMES[resource["Type"]]])
        for resource in stack.resources.values()
        if resource["Type"] in NAMES
    ]


def longest(stack: Rendered) -> int:
    """The longest name of a stack whose resources can all be made."""
    return min(STACK_NAMES, *(LIMITS[type_] - len(name) + len(STACK) for type_, name in names(stack)))


@pytest.fixture
def named(expanded: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Rendered]:
    """The stack with every parameter given, under another name."""

    def rendered(name: str) -> Rendered:
        monkeypatch.setitem(rendering.PSEUDO, "AWS::StackName", name)
        return render(expanded, FILLED)

    return rendered


def test_every_type_that_has_a_name_has_its_limit_here() -> None:
    assert set(LIMITS) == set(NAMES)


def test_the_limits_are_those_of_the_service_models() -> None:
    shapes = {
        "AWS::CloudWatch::Alarm": ("cloudwatch", "AlarmName"),
        "AWS::Events::Rule": ("events", "RuleName"),
        "AWS::Lambda::LayerVersion": ("lambda", "LayerName"),
        "AWS::Logs::LogGroup": ("logs", "LogGroupName"),
        "AWS::Logs::QueryDefinition": ("logs", "QueryDefinitionName"),
        "AWS::Scheduler::ScheduleGroup": ("scheduler", "ScheduleGroupName"),
    }
    models = {
        type_: Session().get_service_model(service).shape_for(shape).metadata["max"]
        for type_, (service, shape) in shapes.items()
    }
    assert models == {type_: LIMITS[type_] for type_ in shapes}


def test_the_description_says_the_longest_name_of_a_stack(filled: Rendered, source: dict[str, Any]) -> None:
    assert f"A stack's name has at most {longest(filled)} characters." in source["Description"]


def test_the_readme_says_no_other_one(filled: Rendered) -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert set(re.findall(r"stack's name has at most (\d+) characters", text)) <= {str(longest(filled))}


def test_under_the_longest_name_every_resource_can_be_made(filled: Rendered, named: Callable[[str], Rendered]) -> None:
    for type_, name in names(named("x" * longest(filled))):
        assert len(name) <= LIMITS[type_], name


def test_under_a_longer_name_one_cannot(filled: Rendered, named: Callable[[str], Rendered]) -> None:
    assert any(len(name) > LIMITS[type_] for type_, name in names(named("x" * (longest(filled) + 1))))


def test_under_the_longest_name_the_policies_are_not_too_long(
    filled: Rendered, named: Callable[[str], Rendered]
) -> None:
    for policy in named("x" * longest(filled)).of_type("AWS::IAM::ManagedPolicy").values():
        assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) <= MAX_POLICY


@pytest.mark.parametrize(("one", "other"), [("pt", "pt2"), ("pt", "pt-s3"), ("pt", "other-pt"), ("pt", "pt-schedule")])
def test_two_stacks_have_no_name_in_common(one: str, other: str, named: Callable[[str], Rendered]) -> None:
    assert not set(names(named(one))) & set(names(named(other)))


def test_no_two_stacks_can_have_a_name_in_common_whatever_they_are_called(filled: Rendered) -> None:
    """They would, if what follows the stack's name in one of them ended in what follows it in another one."""
    endings: dict[str, list[str]] = {}
    for type_, name in names(filled):
        before, _, ending = name.partition(STACK)
        assert before == ("/aws/lambda/" if type_ == "AWS::Logs::LogGroup" else "")
        endings.setdefault(type_, []).append(ending)
    for type_, of_type in endings.items():
        assert not [pair for pair in permutations(of_type, 2) if pair[0].endswith(pair[1])], type_


def test_a_stack_exports_nothing_because_exports_have_one_name_in_an_account(source: dict[str, Any]) -> None:
    assert not [name for name, output in source["Outputs"].items() if "Export" in output]
