"""The JSON Schema of trigger files."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from pipeline_triggers.cli.predefined import PREDEFINED, render
from pipeline_triggers.documents import json_schema
from pipeline_triggers.documents.schema import SCHEMA_FILE, schema_text

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
TRIGGER: dict[str, Any] = {"name": "t", "event_pattern": {"source": ["x"]}, "targets": [{"pipeline": "p"}]}


def file_with(**changes: Any) -> dict[str, Any]:
    trigger = {key: value for key, value in (TRIGGER | changes).items() if value is not None}
    return {"version": 1, "set": "churn", "triggers": [trigger]}


def with_target(**target: Any) -> dict[str, Any]:
    return file_with(targets=[{"pipeline": "p", **target}])


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m pipeline_triggers.documents"


@pytest.mark.parametrize("kind", PREDEFINED)
def test_predefined_files_are_valid(kind: str) -> None:
    text = render(kind, name="t", pipeline="churn-train", set="churn")
    VALIDATOR.validate(YAML(typ="safe", pure=True).load(text))


@pytest.mark.parametrize(
    "document",
    [
        file_with(),
        file_with(event_pattern=None, schedule_expression="rate(1 day)", timezone="Europe/Berlin"),
        file_with(tags={"team": "é"}, state="SHADOW", max_starts_per_hour=5, occurrence_key="$.id"),
        with_target(
            parameters={"A": "x", "B": 5, "C": True, "D": {"value": "$.a", "default": 1}, "E": {"literal": "$"}}
        ),
        with_target(parameters=[{"Name": "A", "Value": "$.a"}]),
        with_target(version_id=1, parallelism=2, role_arn="arn:aws:iam::111122223333:role/r", display_name="a-b"),
        {"version": 1, "triggers": [{"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {}, "Targets": []}}]}
        | {"triggers": [{"EventPattern": "{}", "Targets": [{"Id": "t", "Arn": "x"}]}]},
        {"EventPattern": {"source": ["x"]}, "Targets": [{"Id": "t", "Arn": "x"}]},
        {"Resources": {}},
    ],
)
def test_what_is_accepted_is_valid(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"version": 2, "triggers": []},
        {"version": 1},
        file_with(name=None),
        file_with(name="a b"),
        file_with(state="ON"),
        file_with(unknown=1),
        file_with(targets=[]),
        file_with(event_pattern=None),
        file_with(schedule_expression="rate(1 day)"),
        file_with(max_starts_per_hour=0),
        with_target(parameters={"A": None}),
        with_target(parameters={"A": {"value": "$.a", "literal": "x"}}),
        with_target(parameters={"A b": "x"}),
        with_target(parameters={"A": {"default": "x"}}),
        with_target(parameters=[{"Name": "A"}]),
        with_target(parallelism="2"),
        with_target(role_arn="r"),
    ],
)
def test_what_is_refused_is_not_valid(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)


def test_the_schema_is_plain_json() -> None:
    assert json.loads(schema_text()) == json_schema()
