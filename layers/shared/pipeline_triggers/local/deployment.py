"""From the SAM template to a running stack: expanded as CloudFormation's transform would, created, and read back.

What runs is what the template wires: names, environment and event source mappings are read from the stack that
CloudFormation made, not from a list kept here.
"""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError  # type: ignore[import-untyped]

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.emulator import local_client
from pipeline_triggers.local.transform import expand, parameter_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The states of a stack that can be used.
COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})

# The concurrency of an account's functions, unless its quota was raised.
UNLIMITED = 1000

_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
# The transform wants code in S3, and moto wants something to unpack; the functions run from their folders.
_CODE_ELSEWHERE = "s3://local/code-runs-from-its-folder.zip"
_EMPTY_ZIP = base64.b64encode(b"PK\x05\x06" + bytes(18)).decode()


@dataclass(frozen=True, slots=True)
class QueueSource:
    """An event source mapping from a queue to a function.

    ``max_concurrency`` is how many of its batches the function handles at a time; Lambda's own limit is the account's.
    """

    queue_arn: str
    queue_url: str
    batch_size: int
    report_failures: bool
    max_concurrency: int = UNLIMITED


@dataclass(frozen=True, slots=True)
class LocalFunction:
    """A function of the stack: what Lambda would know of it, and the folders where its code is.

    ``timeout`` is in seconds, ``memory`` in MB; ``layers`` are the folders that Lambda would put on the module path.
    """

    name: str
    logical_id: str
    code: Path
    handler: str
    environment: Mapping[str, str]
    timeout: int
    memory: int
    layers: tuple[Path, ...]
    sources: tuple[QueueSource, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack that was created, with its outputs and functions."""

    stack_name: str
    outputs: Mapping[str, str]
    functions: tuple[LocalFunction, ...]

    def function(self, name: str) -> LocalFunction:
        """The function of this name or logical id; KeyError when the stack has none."""
        for function in self.functions:
            if name in (function.name, function.logical_id):
                return function
        raise KeyError(f"stack {self.stack_name} has no function {name!r}")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a function's code and layers are on this machine."""

    code: Path
    handler: str
    layers: tuple[Path, ...]


def deploy(
    template: Path, *, endpoint_url: str, stack_name: str = "local", parameters: Mapping[str, str] | None = None
) -> Deployment:
    """Create the stack of a SAM template in the embedded AWS at ``endpoint_url``, and describe it.

    Every parameter that is not given has its default. ConfigurationError when the template cannot be read, expanded or
    created: it says what CloudFormation said.
    """
    source = read_template(template)
    values = parameter_values(source, parameters or {})
    body = json.dumps(without_code(expand(packaged(source), values)))
    cloudformation = local_client("cloudformation", endpoint_url, retries={"total_max_attempts": 1}, read_timeout=60)
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    try:
        cloudformation.create_stack(
            StackName=stack_name, TemplateBody=body, Parameters=given, Capabilities=capabilities
        )
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError(f"{template} could not be deployed: {error}") from error
    return describe(stack_name, endpoint_url=endpoint_url, folders=folders_of(source, template.parent))


def describe(stack_name: str, *, endpoint_url: str, folders: Mapping[str, Folders]) -> Deployment:
    """A stack that exists in the embedded AWS, with its functions; ``folders`` by their logical ids."""
    cloudformation = local_client("cloudformation", endpoint_url)
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    if stack["StackStatus"] not in COMPLETE:
        raise ConfigurationError(
            f"stack {stack_name} is {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason given')}"
        )
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    physical = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    functions = (_function(physical[name], name, folders[name], endpoint_url) for name in folders if name in physical)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Deployment(stack_name, outputs, tuple(functions))


def _function(name: str, logical_id: str, folders: Folders, endpoint_url: str) -> LocalFunction:
    client = local_client("lambda", endpoint_url)
    configuration = client.get_function_configuration(FunctionName=name)
    mappings = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    queues = [mapping for mapping in mappings if ":sqs:" in mapping["EventSourceArn"] and mapping["State"] == "Enabled"]
    return LocalFunction(
        name=name,
        logical_id=logical_id,
        code=folders.code,
        handler=folders.handler,
        environment={name: _text(value) for name, value in _variables(configuration).items()},
        timeout=int(configuration["Timeout"]),
        memory=int(configuration["MemorySize"]),
        layers=folders.layers,
        sources=tuple(_queue_source(mapping, endpoint_url) for mapping in queues),
    )


def _variables(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = configuration.get("Environment", {}).get("Variables", {})
    return variables


def _text(value: object) -> str:
    """A value as CloudFormation makes it a string; moto leaves numbers and booleans as they are."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _queue_source(mapping: Mapping[str, Any], endpoint_url: str) -> QueueSource:
    arn = mapping["EventSourceArn"]
    queue_url = local_client("sqs", endpoint_url).get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
    concurrency = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency", UNLIMITED)
    return QueueSource(arn, queue_url, int(mapping["BatchSize"]), reports, int(concurrency))


def read_template(path: Path) -> dict[str, Any]:
    """The template as CloudFormation reads it, its short intrinsic functions (``!Ref``) written out."""
    try:
        template = yaml_parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError) as error:
        raise ConfigurationError(f"template {path} cannot be read: {error}") from error
    if not isinstance(template, dict) or "Resources" not in template:
        raise ConfigurationError(f"template {path} has no Resources")
    return dict(template)


def packaged(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with code in S3, as the transform wants it."""
    changed = copy.deepcopy(dict(template))
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == _FUNCTION and "InlineCode" not in properties:
            properties["CodeUri"] = _CODE_ELSEWHERE
        elif resource["Type"] == _LAYER:
            properties["ContentUri"] = _CODE_ELSEWHERE
    return changed


def without_code(expanded: Mapping[str, Any]) -> dict[str, Any]:
    """The expanded template with code inline: nothing was uploaded."""
    deployable = copy.deepcopy(dict(expanded))
    for resource in deployable["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function" and "S3Key" in resource["Properties"].get("Code", {}):
            resource["Properties"]["Code"] = {"ZipFile": "# runs from its folder"}
        elif resource["Type"] == "AWS::Lambda::LayerVersion":
            resource["Properties"]["Content"] = {"ZipFile": _EMPTY_ZIP}
    return deployable


def folders_of(template: Mapping[str, Any], folder: Path) -> dict[str, Folders]:
    """Where the code and the layers of each function are, by logical id; ``folder`` is the template's."""
    shared: Mapping[str, Any] = (template.get("Globals") or {}).get("Function") or {}
    found = {}
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] != _FUNCTION:
            continue
        properties = {**shared, **resource.get("Properties", {})}
        layers = [*shared.get("Layers", []), *resource.get("Properties", {}).get("Layers", [])]
        found[logical_id] = Folders(
            code=(folder / properties["CodeUri"]).resolve(),
            handler=properties["Handler"],
            layers=tuple(_layer_folder(template, layer["Ref"], folder) for layer in layers if "Ref" in layer),
        )
    return found


def _layer_folder(template: Mapping[str, Any], logical_id: str, folder: Path) -> Path:
    content: Path = (folder / template["Resources"][logical_id]["Properties"]["ContentUri"]).resolve()
    built = content / "python"
    return built if built.is_dir() else content
