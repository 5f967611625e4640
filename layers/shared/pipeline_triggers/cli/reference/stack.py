"""The reference of the stack, out of template.yaml: its parameters, outputs and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.cli.reference.markdown import code, plain, table
from pipeline_triggers.documents.nodes import Mapping, Node, Scalar, read

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

ALARM = "AWS::CloudWatch::Alarm"


def read_template(text: str) -> Document:
    """The template as plain objects, lists and texts; intrinsic functions lose their names."""
    document: Document = _plain_of(read(text, "template.yaml"))
    return document


def stack(template: Document) -> str:
    """The section on the stack."""
    parts = [
        "## The stack\n",
        "### Parameters\n",
        "For `sam deploy --parameter-overrides`, or the questions of `sam deploy --guided`.\n",
    ]
    for label, names in _groups(template):
        parts += [
            f"**{label}**\n",
            table(
                ["parameter", "is", "default", "meaning"],
                (_parameter(name, template["Parameters"][name]) for name in names),
            ),
        ]
    parts += [
        "### Outputs\n",
        table(
            ["output", "meaning"],
            ([code(name), plain(about["Description"])] for name, about in template["Outputs"].items()),
        ),
        "### Alarms\n",
        "Each is sent to `AlarmTopicArn`, where that is given.\n",
        table(["alarm", "what it means, and what to do"], _alarms(template)),
    ]
    return "\n".join(parts)


def _groups(template: Document) -> Iterator[tuple[str, list[str]]]:
    """The parameters as the console groups them; those of no group come last."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    left = dict.fromkeys(template["Parameters"])
    for group in groups:
        for name in group["Parameters"]:
            left.pop(name)
        yield group["Label"]["default"], group["Parameters"]
    if left:
        yield "Other", list(left)


def _parameter(name: str, about: Document) -> list[str]:
    default = about.get("Default")
    shown = "required" if default is None else code(default) if default else "empty"
    return [code(name), _allowed(about), shown, plain(about["Description"])]


def _allowed(about: Document) -> str:
    if "AllowedValues" in about:
        return ", ".join(code(value) for value in about["AllowedValues"])
    if "MinValue" in about:
        return f"number, {about['MinValue']} to {int(about['MaxValue']):,}"
    kind = {"CommaDelimitedList": "list", "Number": "number"}.get(about["Type"], "text")
    return f"{kind}; {plain(about['ConstraintDescription'])}" if "ConstraintDescription" in about else kind


def _alarms(template: Document) -> Iterator[list[str]]:
    for resource in template["Resources"].values():
        if resource["Type"] == ALARM:
            about = resource["Properties"]
            name = about["AlarmName"].replace("${AWS::StackName}", "<stack>")
            yield [code(name), plain(about["AlarmDescription"])]


def _plain_of(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return {key.text: _plain_of(value) for key, value in node.entries}
    return [_plain_of(item) for item in node.items]
