"""The parameters of a stack as DescribeStacks tells them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.local.support import Account

TEMPLATE = {
    "Parameters": {"Names": {"Type": "CommaDelimitedList"}},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}


def told(account: Account, names: str) -> str:
    cloudformation = account.client("cloudformation")
    parameters = [{"ParameterKey": "Names", "ParameterValue": names}]
    cloudformation.create_stack(StackName="listed", TemplateBody=json.dumps(TEMPLATE), Parameters=parameters)
    (parameter,) = cloudformation.describe_stacks(StackName="listed")["Stacks"][0]["Parameters"]
    return str(parameter["ParameterValue"])


@pytest.mark.parametrize("names", ["", "raw-data", "raw-data, other"])
def test_a_list_is_told_as_it_was_given(aws: Account, names: str) -> None:
    assert told(aws, names) == names


def test_moto_tells_a_list_as_python_writes_it(bare_moto: Account) -> None:
    assert told(bare_moto, "raw-data,other") == "['raw-data', 'other']"
