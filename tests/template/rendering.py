"""template.yaml as CloudFormation sees it: expanded by SAM's own translator, parameters and intrinsics resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"

PARTITION, REGION, ACCOUNT, STACK = "aws", "eu-west-1", "111122223333", "pt"
PSEUDO: Mapping[str, Any] = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()

# A value for every parameter; the other stack of the tests gives none.
FILLED: Mapping[str, str] = {
    "BucketNames": "raw-data,more-data",
    "TrustedTopicArns": "arn:aws:sns:eu-west-1:111122223333:uploads,arn:aws:sns:eu-west-1:444455556666:partner",
    "DefaultBusSources": "com.example.features,aws.events",
    "EventBusName": "features",
    "PipelineArnPattern": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn-*",
    "StartRoleArns": "arn:aws:iam::444455556666:role/start-pipelines",
    "StartInterval": "2",
    "MaxStartsPerHour": "50",
    "CleanupMode": "report",
    "MaxDeletes": "7",
    "RuleTargets": "remove",
    "MaxDeleteShare": "30",
    "ProtectedSchedules": "default/nightly-*, prod/*",
    "CleanupDelay": "5",
    "SweepSchedule": "cron(0 3 * * ? *)",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:111122223333:on-call",
    "EndpointUrl": "http://host.docker.internal:4555",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "30",
    "DeletionProtection": "true",
}

# Where the name of a resource stands, and what its ARN looks like.
NAMES: Mapping[str, str] = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Logs::QueryDefinition": "Name",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::ScheduleGroup": "Name",
}
ARNS: Mapping[str, str] = {
    "AWS::DynamoDB::Table": "dynamodb:{home}:table/{name}",
    "AWS::Events::Rule": "events:{home}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{logical}",
    "AWS::IAM::Role": "iam::{account}:role/{logical}",
    "AWS::KMS::Key": "kms:{home}:key/{logical}",
    "AWS::Lambda::Function": "lambda:{home}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{home}:log-group:{name}:*",
    "AWS::SNS::Topic": "sns:{home}:{name}",
    "AWS::SQS::Queue": "sqs:{home}:{name}",
}
REF_IS_ARN = frozenset({"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"})


def source() -> dict[str, Any]:
    """template.yaml as it is written, intrinsics in their long form."""
    document: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return document


def expand(document: dict[str, Any]) -> dict[str, Any]:
    """The template after the SAM transform. Code is said to be in S3, as it is once ``sam deploy`` has packaged it."""
    for resource in document["Resources"].values():
        for key in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
            resource["Properties"][key] = "s3://bucket/code.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    expanded: dict[str, Any] = translator.translate(document, parameter_values={})
    return expanded


@dataclass(frozen=True)
class Rendered:
    """A stack: its resources whose conditions hold, as plain data, by logical id; ``types`` gives their types."""

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]

    def of_type(self, type_: str) -> dict[str, Mapping[str, Any]]:
        """The properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == type_
        }

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """The properties of one resource."""
        found: Mapping[str, Any] = self.resources[logical_id]["Properties"]
        return found

    def arn(self, logical_id: str) -> str:
        """The ARN that ``!GetAtt <logical id>.Arn`` gives (roles and policies have their logical id for a name)."""
        return arn_of(logical_id, self.resources[logical_id])


def render(expanded: Mapping[str, Any], parameters: Mapping[str, str]) -> Rendered:
    """The stack with the given parameters; those not given have their defaults."""
    return _Resolver(expanded, parameters).render()


def arn_of(logical_id: str, resource: Mapping[str, Any]) -> str:
    """The ARN of a resolved resource."""
    properties = resource.get("Properties", {})
    name = properties.get(NAMES.get(resource["Type"], ""), "")
    bus = properties.get("EventBusName") if resource["Type"] == "AWS::Events::Rule" else None
    tail = ARNS[resource["Type"]].format(
        home=f"{REGION}:{ACCOUNT}",
        account=ACCOUNT,
        name=f"{bus}/{name}" if bus else name,
        logical=logical_id,
    )
    return f"arn:{PARTITION}:{tail}"


class _Resolver:
    """Resolves the intrinsic functions that the template uses, and no others: an unknown one is an error."""

    def __init__(self, expanded: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._template = expanded
        self._parameters = {
            name: _parameter(declared, parameters.get(name, declared.get("Default")))
            for name, declared in expanded["Parameters"].items()
        }
        unknown = set(parameters) - set(self._parameters)
        assert not unknown, f"the template has no such parameters: {unknown}"

    def render(self) -> Rendered:
        resources = {
            name: self._value({key: part for key, part in resource.items() if key != "Condition"})
            for name, resource in self._template["Resources"].items()
            if self._exists(resource)
        }
        return Rendered(resources, self._value(self._template["Outputs"]))

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._condition(resource["Condition"])

    def _condition(self, name: str) -> bool:
        holds = self._value(self._template["Conditions"][name])
        assert isinstance(holds, bool)
        return holds

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self._value(item)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, argument = next(iter(value.items()))
            if key == "Ref" or key.startswith("Fn::"):
                return self._intrinsic(key, argument)
        resolved = {key: self._value(part) for key, part in value.items()}
        return {key: part for key, part in resolved.items() if part is not NO_VALUE}

    def _intrinsic(self, key: str, argument: Any) -> Any:  # noqa: PLR0911 - one for each function
        match key:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute(*(argument.split(".") if isinstance(argument, str) else argument))
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._named(found[1])), argument)
            case "Fn::Join":
                return argument[0].join(self._value(argument[1]))
            case "Fn::Split":
                return self._value(argument[1]).split(argument[0])
            case "Fn::If":
                return self._value(argument[1] if self._condition(argument[0]) else argument[2])
            case "Fn::Equals":
                return self._value(argument[0]) == self._value(argument[1])
            case "Fn::Not":
                return not self._value(argument[0])
        raise AssertionError(f"{key} is not known here")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        resource = self._resource(name)
        if resource["Type"] in REF_IS_ARN:
            return arn_of(name, resource)
        return resource["Properties"].get(NAMES.get(resource["Type"], ""), name)

    def _named(self, name: str) -> Any:
        """What stands between ${ and } in Fn::Sub."""
        resource, _, attribute = name.partition(".")
        return self._attribute(resource, attribute) if attribute else self._ref(name)

    def _attribute(self, name: str, attribute: str) -> Any:
        resource = self._resource(name)
        if attribute == "Arn":
            return arn_of(name, resource)
        return resource["Properties"][attribute]

    def _resource(self, name: str) -> Mapping[str, Any]:
        """A resource with what names it resolved: enough for its ARN, and never in a circle."""
        resource = self._template["Resources"][name]
        assert self._exists(resource), f"{name} is referred to, but its condition does not hold"
        naming = {"EventBusName", NAMES.get(resource["Type"], "")} & set(resource["Properties"])
        return {
            "Type": resource["Type"],
            "Properties": {key: self._value(resource["Properties"][key]) for key in sorted(naming)},
        }


def _parameter(declared: Mapping[str, Any], value: Any) -> Any:
    if declared["Type"] == "CommaDelimitedList":
        return [part.strip() for part in str(value).split(",")]
    return str(value)


def statements(policy_document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy document."""
    found = policy_document["Statement"]
    return found if isinstance(found, list) else [found]


def as_list(value: Any) -> list[Any]:
    """What IAM lets one write as one value or a list, as a list."""
    return value if isinstance(value, list) else [value]
