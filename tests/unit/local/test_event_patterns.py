"""The rules of the embedded AWS: which patterns they take, and which events they pass on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local.support import put_own_event

if TYPE_CHECKING:
    from tests.unit.local.support import Account


def pattern_of_length(length: int) -> dict[str, Any]:
    without = len(json.dumps({"source": [""]}, separators=(",", ":")))
    return {"source": ["s" * (length - without)]}


def put_rule(aws: Account, pattern: str) -> None:
    aws.client("events").put_rule(Name="rule", EventPattern=pattern)


def stack_with_a_rule(aws: Account, pattern: dict[str, Any]) -> str:
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps({"Resources": {"Rule": rule}}))
    return str(cloudformation.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"])


def test_a_rule_is_refused_a_pattern_that_eventbridge_refuses_with_the_place(aws: Account) -> None:
    with pytest.raises(ClientError, match=r"InvalidEventPatternException.*source\[0\]\.regex"):
        put_rule(aws, '{"source": [{"regex": "o.*"}]}')


def test_a_rule_takes_a_pattern_of_4096_characters(aws: Account) -> None:
    put_rule(aws, json.dumps(pattern_of_length(4096), separators=(",", ":")))


def test_a_rule_is_refused_a_pattern_of_4097_characters(aws: Account) -> None:
    with pytest.raises(ClientError, match="less than or equal to 4096"):
        put_rule(aws, json.dumps(pattern_of_length(4097), separators=(",", ":")))


def test_a_template_with_a_longer_pattern_does_not_deploy(aws: Account) -> None:
    with pytest.raises(ClientError, match="4,097"):
        stack_with_a_rule(aws, pattern_of_length(4097))


def test_a_template_with_a_pattern_of_4096_characters_deploys(aws: Account) -> None:
    assert stack_with_a_rule(aws, pattern_of_length(4096)) == "CREATE_COMPLETE"


def test_a_rule_looks_into_arrays_of_objects(aws: Account) -> None:
    queue = aws.queue_of_rule({"detail": {"parts": {"name": ["a"]}}})
    put_own_event(aws, Detail=json.dumps({"parts": [{"name": "a"}]}))
    assert len(aws.received(queue)) == 1


def test_a_rule_sees_the_time_as_it_is_delivered(aws: Account) -> None:
    queue = aws.queue_of_rule({"time": [{"prefix": "2023-11-14T"}]})
    put_own_event(aws, Time=1700000000)
    assert len(aws.received(queue)) == 1
