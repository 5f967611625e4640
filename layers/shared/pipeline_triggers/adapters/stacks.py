"""The deployed stack as CloudFormation knows it: where it lives, what its parameters let through, what it brings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, translated
from pipeline_triggers.domain.connections import Ends
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults
from pipeline_triggers.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

    from pipeline_triggers.adapters.clients import Clients

# arn:aws:cloudformation:us-east-1:123456789012:stack/pipeline-triggers/11111111-2222-3333-4444-555555555555
_STACK_ID = re.compile(r"arn:(?P<partition>[^:]+):cloudformation:(?P<region>[^:]+):(?P<account>\d{12}):stack/.+")

# The outputs that say what new schedules get, and what Defaults calls them.
_OF_SCHEDULES: Mapping[str, str] = {
    "ScheduleGroupName": "group",
    "SchedulerRoleArn": "role_arn",
    "ScheduleQueueRoleArn": "queue_role_arn",
    "ScheduleQueueArn": "queue_arn",
    "UndeliveredQueueArn": "dead_letter_arn",
}
# The outputs that say where topics send to, and what keeps what could not be sent.
_OF_TOPICS = ("SnsEventQueueArn", "UndeliveredQueueArn")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of this application: its name, its home, what its rules deliver, and which topics it trusts.

    ``outputs`` and ``parameters`` are the stack's, by their keys in template.yaml.
    """

    name: str
    home: Home
    delivered: Delivered
    trusted_topic_arns: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def schedule_defaults(self) -> Defaults:
        """What the stack has for new schedules.

        ConfigurationError when its outputs do not say it: it was deployed by a version without schedules.
        """
        lacking = [key for key in _OF_SCHEDULES if not self.outputs.get(key)]
        if lacking:
            told = f"the stack {self.name} has nothing for schedules (its outputs lack {', '.join(lacking)})"
            raise ConfigurationError(f"{told}: deploy this version of the application with sam build and sam deploy")
        return Defaults(**{name: self.outputs[key] for key, name in _OF_SCHEDULES.items()})

    @property
    def ends(self) -> Ends:
        """Where the stack takes the events of buckets and topics. ConfigurationError when its outputs do not say it."""
        lacking = [key for key in _OF_TOPICS if not self.outputs.get(key)]
        if lacking:
            told = f"the stack {self.name} takes no topics (its outputs lack {', '.join(lacking)})"
            raise ConfigurationError(f"{told}: is it a stack of this application?")
        queue_arn, dead_letter_arn = (self.outputs[key] for key in _OF_TOPICS)
        return Ends(self.name, self.home, self.delivered, self.trusted_topic_arns, queue_arn, dead_letter_arn)


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
            outputs={o["OutputKey"]: o.get("OutputValue", "") for o in found.get("Outputs", [])},
            parameters=parameters,
        )


@dataclass(frozen=True)
class Caller:
    """Whoever works at the command line: the AWS identity in use. Asking for it needs no permission.

    Both methods raise TransientError or PermanentError when there are no usable credentials.
    """

    clients: Clients

    def __call__(self) -> str:
        """The ARN of the identity: who writes."""
        with translated():
            return self.clients.sts.get_caller_identity()["Arn"]

    def home(self) -> Home:
        """The account of the identity, and the Region that is worked in: pipelines without an ARN are there."""
        with translated():
            identity = self.clients.sts.get_caller_identity()
        return Home(identity["Arn"].split(":")[1], identity["Account"], self.clients.sts.meta.region_name)


def _home(stack_id: str) -> Home:
    match = _STACK_ID.fullmatch(stack_id)
    if match is None:
        raise ConfigurationError(f"CloudFormation gave a stack id of unknown form: {stack_id!r}")
    return Home(partition=match["partition"], account=match["account"], region=match["region"])


def _listed(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A CommaDelimitedList parameter: its values without spaces and without empty ones."""
    return tuple(value.strip() for value in parameters.get(name, "").split(",") if value.strip())
