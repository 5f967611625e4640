"""The transform AWS::Serverless-2016-10-31, applied where CloudFormation applies it: before a stack or change set.

moto has no transforms. ``expand_transforms`` stands in front of it, so that ``sam deploy`` and other clients may send
the template as it is written. Like CloudFormation, it takes the code from where the template says that it was uploaded.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import boto3
from moto.cloudformation.models import cloudformation_backends
from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError  # type: ignore[import-untyped]

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.wire import ACCOUNT, REGION, error_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline_triggers.local.wire import Answer, Call

    Forward = Callable[[Call], Answer]

TRANSFORM = "AWS::Serverless-2016-10-31"

_OPERATIONS = frozenset({"CreateStack", "UpdateStack", "CreateChangeSet"})
# An empty list is sent as the field Parameters, without a value.
_PARAMETER_FIELD = re.compile(r"Parameters\.member\.(\d+)\.(ParameterKey|ParameterValue|UsePreviousValue)")


def expand_transforms(call: Call, forward: Forward) -> Answer:
    """Hand moto the expanded template, with a value for every parameter; all other calls pass unchanged."""
    if call.service != "cloudformation" or call.operation not in _OPERATIONS:
        return forward(call)
    try:
        answer = forward(_expanded(call))
    except ConfigurationError as error:
        return error_answer("ValidationError", str(error), in_xml=True)
    if not answer.succeeded and answer.body.startswith(b"{"):
        # moto lets the error of a resource through as that resource's service words it.
        return error_answer("ValidationError", str(json.loads(answer.body).get("message")), in_xml=True)
    return answer


def parameter_values(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """A value for every parameter of the template, given or default. ConfigurationError for unknown or missing ones."""
    declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters") or {}
    if unknown := sorted(given.keys() - declared.keys()):
        known = ", ".join(declared) or "none"
        raise ConfigurationError(f"the template has no parameter {', '.join(unknown)}; it has {known}")
    missing = sorted(name for name, about in declared.items() if name not in given and "Default" not in about)
    if missing:
        raise ConfigurationError(f"the template needs a value for {', '.join(missing)}")
    return {name: str(given.get(name, about.get("Default", ""))) for name, about in declared.items()}


def expand(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The template after the transform, its code where it was. ConfigurationError says why it cannot be expanded."""
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=REGION))
    try:
        expanded: dict[str, Any] = translator.translate(copy.deepcopy(dict(template)), dict(values))
    except Exception as error:
        raise ConfigurationError(f"the transform {TRANSFORM} failed: {_why(error)}") from error
    return expanded


def _expanded(call: Call) -> Call:
    text = call.input.get("TemplateBody") or _uploaded(call.input.get("TemplateURL", ""))
    template = _parsed(text)
    if TRANSFORM not in _transforms(template):
        return call
    values = parameter_values(template, _given(call, template))
    fields = {
        name: value
        for name, value in call.input.items()
        if name not in ("TemplateBody", "TemplateURL", "Parameters") and not _PARAMETER_FIELD.fullmatch(name)
    }
    for number, (name, value) in enumerate(values.items(), 1):
        fields[f"Parameters.member.{number}.ParameterKey"] = name
        fields[f"Parameters.member.{number}.ParameterValue"] = value
    return call.with_input({**fields, "TemplateBody": json.dumps(expand(template, values))})


def _uploaded(url: str) -> str:
    """The template at a path-style URL of S3, empty when there is none: moto then says so."""
    bucket, _, key = unquote(urlparse(url).path).lstrip("/").partition("/")
    if not key:
        return ""
    try:
        found = s3_backends[ACCOUNT]["aws"].get_object(bucket, key)
    except ServiceException:
        return ""
    return str(found.value.decode()) if found else ""


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        template = yaml_parse(text)
    except (ValueError, YAMLError):
        return {}  # moto answers to what is no template as CloudFormation does
    return template if isinstance(template, dict) else {}


def _transforms(template: Mapping[str, Any]) -> list[Any]:
    named = template.get("Transform") or []
    return named if isinstance(named, list) else [named]


def _given(call: Call, template: Mapping[str, Any]) -> dict[str, str]:
    """The values that the call has for the parameters; a value of before is looked up in the stack."""
    parameters: dict[str, dict[str, str]] = {}
    for field, value in call.input.items():
        if found := _PARAMETER_FIELD.fullmatch(field):
            parameters.setdefault(found[1], {})[found[2]] = value
    before = _values_of_before(call)
    given = {}
    for parameter in parameters.values():
        name = parameter.get("ParameterKey", "")
        if parameter.get("UsePreviousValue") != "true":
            given[name] = parameter.get("ParameterValue", "")
        elif name in before:
            given[name] = before[name]
        elif name in (template.get("Parameters") or {}):
            raise ConfigurationError(f"parameter {name} has no previous value")
    return given


def _values_of_before(call: Call) -> Mapping[str, str]:
    stacks = cloudformation_backends[ACCOUNT][call.region].stacks.values()
    named: list[Mapping[str, str]] = [stack.parameters for stack in stacks if stack.name == call.input.get("StackName")]
    return named[-1] if named else {}


def _why(error: Exception) -> str:
    causes = getattr(error, "causes", None) or [error]
    return "; ".join(str(getattr(cause, "message", cause)) for cause in causes)
