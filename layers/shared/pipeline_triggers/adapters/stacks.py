"""The deployed stack as CloudFormation knows it: where it lives and what its parameters let through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, translated
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

    from pipeline_triggers.adapters.clients import Clients

# arn:aws:cloudformation:us-east-1:123456789012:stack/pipeline-triggers/11111111-2222-3333-4444-555555555555
_STACK_ID = re.compile(r"arn:(?P<partition>[^:]+):cloudformation:(?P<region>[^:]+):(?P<account>\d{12}):stack/.+")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of this application: its name, its home, what its rules deliver, and which topics it trusts."""

    name: str
    home: Home
    delivered: Delivered
    trusted_topic_arns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stacks:
    """CloudFormation, as far as the command line asks it."""

    clients: Clients

    def read(self, name: str) -> Stack:
        """One stack. NotFoundError when there is none of that name; PermanentError or TransientError otherwise."""
        cloudformation = cast("CloudFormationClient", self.clients.client("cloudformation"))
        with translated():
            try:
                answer = cloudformation.describe_stacks(StackName=name)
            except ClientError as error:
                # A stack that does not exist is a ValidationError, told apart by its message only.
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    raise NotFoundError(f"there is no stack {name} in this account and Region") from error
                raise
        found = answer["Stacks"][0]
        parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])}
        return Stack(
            name=name,
            home=_home(found.get("StackId", "")),
            delivered=Delivered(
                buckets=_listed(parameters, "BucketNames"),
                default_bus_sources=_listed(parameters, "DefaultBusSources"),
                custom_bus=bool(parameters.get("EventBusName")),
            ),
            trusted_topic_arns=_listed(parameters, "TrustedTopicArns"),
        )


@dataclass(frozen=True)
class Caller:
    """Who writes: the ARN of the AWS identity in use. Calling it needs no permission."""

    clients: Clients

    def __call__(self) -> str:
        """Ask STS. Raises TransientError or PermanentError when there are no usable credentials."""
        with translated():
            return self.clients.sts.get_caller_identity()["Arn"]


def _home(stack_id: str) -> Home:
    match = _STACK_ID.fullmatch(stack_id)
    if match is None:
        raise ConfigurationError(f"CloudFormation gave a stack id of unknown form: {stack_id!r}")
    return Home(partition=match["partition"], account=match["account"], region=match["region"])


def _listed(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A CommaDelimitedList parameter: its values without spaces and without empty ones."""
    return tuple(value.strip() for value in parameters.get(name, "").split(",") if value.strip())
