"""Trigger files: what is read, and in which spellings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.documents import TriggerFile, load
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidTriggerError, Problem

DESIGN = """\
version: 1
set: churn                                 # who owns these triggers
triggers:
  - name: retrain-on-upload
    description: Retrain when a CSV lands
    state: ENABLED
    tags: {team: churn}
    event_pattern:
      source: [aws.s3]
      detail-type: [Object Created]
      detail: {bucket: {name: [raw-data]}, object: {key: [{prefix: in/}], size: [{numeric: [">", 0]}]}}
    targets:
      - pipeline: churn-train
        id: churn-train
        parameters:
          Instance_type: ml.m5.4xlarge
          InputKey: $.detail.object.key
          InputUri: s3://<$.detail.bucket.name>/<$.detail.object.key>
          Rows: {value: $.detail.rows, default: "1000"}
          Note: {value: $.detail.note, on_missing: omit}
          Price: {literal: "$.99"}
"""


def file_with(parameters: str) -> str:
    lines = "".join(f"          {line}\n" for line in parameters.splitlines())
    head = DESIGN[: DESIGN.index("          Instance_type")]
    return head + lines


def sent(parameters: str) -> dict[str, Any]:
    """The parameters of a file in their normal form."""
    target = load(file_with(parameters)).triggers[0].targets[0]
    return dict(target.to_document()["parameters"])


def test_the_file_of_the_documentation_is_read() -> None:
    read = load(DESIGN, file="triggers.yaml")
    expected = Trigger.from_document(
        {
            "name": "retrain-on-upload",
            "description": "Retrain when a CSV lands",
            "tags": {"team": "churn"},
            "event_pattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": ["raw-data"]},
                    "object": {"key": [{"prefix": "in/"}], "size": [{"numeric": [">", 0]}]},
                },
            },
            "targets": [
                {
                    "pipeline": "churn-train",
                    "parameters": {
                        "Instance_type": "ml.m5.4xlarge",
                        "InputKey": "$.detail.object.key",
                        "InputUri": "s3://<$.detail.bucket.name>/<$.detail.object.key>",
                        "Rows": {"value": "$.detail.rows", "default": "1000"},
                        "Note": {"value": "$.detail.note", "on_missing": "omit"},
                        "Price": {"literal": "$.99"},
                    },
                },
            ],
        },
        set="churn",
    )
    assert read == TriggerFile("churn", (expected,))
    assert read.place_of("retrain-on-upload").line == 4


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("012", "012"),
        ("1.10", "1.10"),
        ("NO", "NO"),
        ("off", "off"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2030-01-01", "2030-01-01"),
        ("true", "true"),
        ("True", "True"),
        (".inf", ".inf"),
        ("=", "="),
        ("9" * 600, "9" * 600),
        ('"012"', "012"),
        ("'it''s'", "it's"),
        ('"null"', "null"),
        ('"\\ud83d\\ude00"', "😀"),
        ("!!str 012", "012"),
        ("|\n  a\n  b", "a\nb\n"),
        (">-\n  a\n  b", "a b"),
    ],
)
def test_scalars_of_parameters_are_sent_as_written(written: str, value: str) -> None:
    assert sent(f"A: {written}") == {"A": value}


def test_defaults_and_literals_are_sent_as_written_too() -> None:
    assert sent("A: {value: $.a, default: 012}\nB: {literal: NO}") == {
        "A": {"value": "$.a", "default": "012"},
        "B": "NO",
    }


def test_the_values_of_an_enum_are_texts_as_written() -> None:
    assert sent("A: {value: $.a, enum: [1.10, NO, 012], max_length: 4}") == {
        "A": {"value": "$.a", "enum": ["1.10", "NO", "012"], "max_length": 4},
    }


def test_other_texts_need_no_quotes_either() -> None:
    read = load(DESIGN.replace("retrain-on-upload", "012").replace("team: churn", "team: 1.0")).triggers[0]
    assert (read.name, read.tags) == ("012", {"team": "1.0"})


def test_event_patterns_are_read_by_the_core_schema_of_yaml() -> None:
    pattern = "{source: [x], detail: {a: [1, 1.5, true, null, NO, 012, 0o14, 0x1F, '1', 1e3]}}"
    text = f"version: 1\ntriggers:\n- name: t\n  event_pattern: {pattern}\n  targets: [{{pipeline: p}}]\n"
    read = load(text).triggers[0].pattern
    assert read is not None
    assert read.document["detail"]["a"] == [1, 1.5, True, None, "NO", 12, 12, 31, "1", 1000.0]


def test_eventbridges_list_of_parameters_is_the_same_as_an_object() -> None:
    listed = '- {Name: A, Value: 012}\n- Name: B\n  Value: x<$.b>\n- {"Name": "C", "Value": "$.c"}'
    assert sent(listed) == {"A": "012", "B": "x<$.b>", "C": "$.c"}


def test_json_is_read_too() -> None:
    document = {
        "version": 1,
        "triggers": [
            {"name": "t", "event_pattern": {"source": ["x"]}, "targets": [{"pipeline": "p", "parameters": {"A": 5}}]},
        ],
    }
    for indent in (None, 2, "\t"):
        target = load(json.dumps(document, indent=indent)).triggers[0].targets[0]
        assert target.to_document()["parameters"] == {"A": "5"}


def test_anchors_and_aliases_may_be_used_with_moderation() -> None:
    text = DESIGN.replace("parameters:\n", "parameters: &common\n") + (
        "      - {pipeline: other, parameters: *common}\n"
    )
    first, second = load(text).triggers[0].targets
    assert first.parameters == second.parameters


def test_numbers_are_numbers_where_numbers_are_meant() -> None:
    text = DESIGN.replace("        id:", "        version_id: 3\n        parallelism: 4\n        id:")
    target = load(text.replace("    state:", "    max_starts_per_hour: 5\n    state:")).triggers[0].targets[0]
    assert (target.pipeline.version_id, target.parallelism) == (3, 4)


def test_a_schedule_is_read_with_its_times_without_quotes() -> None:
    text = (
        "version: 1\ntriggers:\n- name: nightly\n  schedule_expression: cron(0 3 * * ? *)\n  timezone: Europe/Berlin\n"
        "  start: 2030-01-01T00:00:00+01:00\n  targets: [{pipeline: p}]\n"
    )
    assert load(text).triggers[0].to_document() == {
        "name": "nightly",
        "state": "ENABLED",
        "schedule_expression": "cron(0 3 * * ? *)",
        "timezone": "Europe/Berlin",
        "start": "2030-01-01T00:00:00+01:00",
        "targets": [{"id": "p", "pipeline": "p"}],
    }


def test_a_file_without_triggers_is_an_empty_set() -> None:
    assert load("version: 1\nset: churn\ntriggers: []\n") == TriggerFile("churn", ())


def test_the_document_of_a_trigger_is_read_back_from_a_file() -> None:
    trigger = load(DESIGN).triggers[0]
    written = {"version": 1, "triggers": [trigger.to_document()]}
    assert load(json.dumps(written)).triggers == (trigger,)


def test_five_thousand_triggers_are_read() -> None:
    items = "".join(
        f"- name: t{n}\n  event_pattern: {{source: [x]}}\n  targets: [{{pipeline: p}}]\n" for n in range(500)
    )
    assert len(load("version: 1\ntriggers:\n" + items).triggers) == 500


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        load(text, file="f.yaml")
    except InvalidTriggerError as error:
        return error.problems
    return ()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(DESIGN)), st.integers(0, 12), st.text("ab:-{}[]&*!|>'\"#%@`\n\t ,?$<\\\x00é😀", max_size=6))
def test_a_damaged_file_is_read_or_refused_with_file_and_line(position: int, length: int, damage: str) -> None:
    text = DESIGN[:position] + damage + DESIGN[position + length :]
    for problem in problems_of(text):
        assert problem.file == "f.yaml"
        assert problem.reason
        assert 0 <= problem.line <= text.count("\n") + 2


def test_a_field_of_a_trigger_has_its_place_in_the_file() -> None:
    read = load(DESIGN)
    lines = DESIGN.splitlines()
    for field, written in {
        "targets[0].parameters.Rows": "Rows:",
        "targets[0].parameters.Rows.default": "Rows:",
        "targets[0].parameters.NotWritten": "parameters:",
        "targets[0].version_id": "- pipeline: churn-train",
        "event_pattern": "event_pattern:",
    }.items():
        place = read.place_of("retrain-on-upload", field)
        assert place.field == f"triggers[0].{field}"
        assert written in lines[place.line - 1]
