"""Mistakes in trigger files: each is told with its line and field."""

from __future__ import annotations

import pytest

from pipeline_triggers.documents import load
from pipeline_triggers.documents.nodes import MAX_CHARACTERS
from pipeline_triggers.errors import InvalidTriggerError, Problem

# Line numbers of the table count in this text, after the replacement.
GOOD = """\
version: 1
set: churn
triggers:
  - name: first
    state: ENABLED
    event_pattern:
      source: [aws.s3]
      detail:
        object:
          size: [{numeric: [">", 0]}]
    targets:
      - pipeline: churn-train
        parameters:
          Key: $.detail.object.key
          Rows: {value: $.detail.rows, default: "1000"}
      - pipeline: churn-report
        parameters:
          - {Name: Key, Value: $.detail.object.key}
          - Name: Rows
            Value: "5"
  - name: second
    schedule_expression: rate(1 day)
    targets: [{pipeline: p}]
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidTriggerError) as caught:
        load(text, file="triggers.yaml")
    assert all(problem.file == "triggers.yaml" for problem in caught.value.problems)
    return list(caught.value.problems)


def test_the_text_is_good_before_it_is_damaged() -> None:
    assert len(load(GOOD).triggers) == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("version: 1", "version: 2", 1, "version"),
        ("version: 1", 'version: "1"', 1, "version"),
        ("version: 1\n", "", 1, "version"),
        ("set: churn", "set: a b", 2, "set"),
        ("set: churn", "set: [churn]", 2, "set"),
        ("set: churn", "set:", 2, "set"),
        ("set: churn", "sets: churn", 2, "sets"),
        ("triggers:", "trigger:", 3, "trigger"),
        ("- name: first\n    state", "- state", 4, "triggers[0].name"),
        ("name: first", "name: a/b", 4, "triggers[0].name"),
        ("name: first", "name:", 4, "triggers[0].name"),
        ("name: first", "name: {a: b}", 4, "triggers[0].name"),
        ("name: first", "name: !Sub first", 4, "triggers[0].name"),
        ("name: first", "name: {Ref: First}", 4, "triggers[0].name"),
        ("state: ENABLED", "state: on", 5, "triggers[0].state"),
        ("state: ENABLED", "stat: ENABLED", 5, "triggers[0].stat"),
        ("source: [aws.s3]", "source: 5", 7, "triggers[0].event_pattern.source"),
        ("[aws.s3]", "aws.s3", 7, "triggers[0].event_pattern.source"),
        ("[aws.s3]", "[]", 7, "triggers[0].event_pattern.source"),
        ("[aws.s3]", "[!Ref Source]", 7, "triggers[0].event_pattern.source[0]"),
        ('[">", 0]', '[">", many]', 10, "triggers[0].event_pattern.detail.object.size[0].numeric[1]"),
        ('[">", 0]', '[">", .nan]', 10, "triggers[0].event_pattern.detail.object.size[0].numeric[1]"),
        ('[">", 0]', '[">", 1e999]', 10, "triggers[0].event_pattern.detail.object.size[0].numeric[1]"),
        ("numeric", "numerical", 10, "triggers[0].event_pattern.detail.object.size[0].numerical"),
        ("pipeline: churn-train", "pipeline: churn_train", 12, "triggers[0].targets[0].pipeline"),
        ("pipeline: churn-train", "pipline: churn-train", 12, "triggers[0].targets[0].pipline"),
        ("pipeline: churn-train", "pipeline: !GetAtt P.Arn", 12, "triggers[0].targets[0].pipeline"),
        ("pipeline: churn-report", "pipeline: churn-train", 16, "triggers[0].targets[1].pipeline"),
        (
            "pipeline: churn-train",
            "pipeline: churn-train\n        parallelism: four",
            13,
            "triggers[0].targets[0].parallelism",
        ),
        ("Key: $.detail.object.key", "Key: $.detail[", 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", "Key:", 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", "Key: null", 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", 'Key: ""', 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", "Key: [a]", 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", "Key: !Ref Key", 14, "triggers[0].targets[0].parameters.Key"),
        ("Key: $.detail.object.key", "Key.1: x", 14, "triggers[0].targets[0].parameters.Key.1"),
        ("Key: $.detail.object.key", "Key[1: x", 14, "triggers[0].targets[0].parameters.Key[1"),
        ("default:", "defaults:", 15, "triggers[0].targets[0].parameters.Rows.defaults"),
        ("{Name: Key,", "{name: Key,", 18, "triggers[0].targets[1].parameters[0]"),
        ("Value: $.detail.object.key", "Value: $..key", 18, "triggers[0].targets[1].parameters[0]"),
        ("- Name: Rows", "- Name: Key", 19, "triggers[0].targets[1].parameters[1].Name"),
        ('Value: "5"', 'Value: ""', 20, "triggers[0].targets[1].parameters[1]"),
        ('Value: "5"', "Value: !Ref Rows", 20, "triggers[0].targets[1].parameters[1].Value"),
        ("name: second", "name: first", 21, "triggers[1].name"),
        ("rate(1 day)", "rate(1 week)", 22, "triggers[1].schedule_expression"),
        ("    schedule_expression: rate(1 day)\n", "", 21, "triggers[1].event_pattern"),
        ("[{pipeline: p}]", "[]", 23, "triggers[1].targets"),
        ("[{pipeline: p}]", "[p]", 23, "triggers[1].targets[0]"),
        ("[{pipeline: p}]", "{pipeline: p}", 23, "triggers[1].targets"),
        ("    targets: [{pipeline: p}]\n", "", 21, "triggers[1].targets"),
        ("- name: second", "- second:\n    name: second", 21, "triggers[1].second"),
    ],
)
def test_a_mistake_is_told_with_line_and_field(old: str, new: str, line: int, field: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    told = [(problem.line, problem.field) for problem in problems(text)]
    assert (line, field) in told
    if "pipline" not in new and "trigger:" not in new and "sets" not in new:
        assert len(told) == 1, told


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "is empty"),
        ("# only a comment\n", 0, "is empty"),
        ("version: 1\n\tset: x\n", 2, "\\t"),
        ("version: 1\ntriggers: [\n", 3, "is not YAML"),
        ("version: 1\nset: a: b\n", 2, "mapping values are not allowed"),
        ('version: 1\nset: "churn\n', 3, "is not YAML"),
        ("version: 1\nset: a\nversion: 1\n", 3, "the key 'version' is there twice (first in line 1)"),
        ("version: 1\ntriggers:\n- name: a\n  name: b\n", 4, "the key 'name' is there twice"),
        ('{"version": 1,\n "version": 1}', 2, "the key 'version' is there twice"),
        ("version: 1\n---\nversion: 1\n", 2, "second document"),
        ("version: 1\ntriggers:\n- &a [*a]\n", 3, "contains itself"),
        ("version: 1\nset: *a\n", 2, "has no anchor"),
        ("version: 1\n<<: {set: a}\n", 2, "merge key"),
        ("version: 1\n? [a]\n: b\n", 2, "key that is no text"),
        ("version: 1\nset: \x07\n", 2, "a character that YAML forbids"),
        ('version: 1\nset: "\\ud800"\n', 2, "surrogate"),
        ("version: 1\ntriggers: " + "[" * 200, 2, "nested more than 100 deep"),
        ("version: 1\n" + "#" * MAX_CHARACTERS, 0, "at most 5,000,000 are read"),
        ("- name: t\n", 1, "must be an object, not a list"),
        ("triggers", 1, "must be an object, not text"),
        ("name: t\ntargets: []\n", 1, "is a trigger outside of triggers:"),
        ("version: 1\ntriggers:\n", 2, "must be a list of triggers"),
        ("version: 1\ntriggers: {}\n", 2, "must be a list of triggers"),
        ("version: 1\ntriggers:\n- t\n", 3, "must be an object"),
    ],
)
def test_a_text_that_is_no_trigger_file_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    told = problems(text)
    assert [(problem.line, reason in problem.reason) for problem in told] == [(line, True)]


def test_a_billion_laughs_are_refused_quickly() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    told = problems("\n".join(lines))
    assert "stands for more than 500,000 values" in told[0].reason


def test_all_mistakes_of_a_file_are_told_in_the_order_of_their_lines() -> None:
    text = GOOD.replace("churn-train", "churn_train").replace("rate(1 day)", "daily").replace("ENABLED", "ON")
    assert [(problem.line, problem.field) for problem in problems(text)] == [
        (5, "triggers[0].state"),
        (12, "triggers[0].targets[0].pipeline"),
        (22, "triggers[1].schedule_expression"),
    ]


def test_a_problem_says_where_what_and_what_to_do() -> None:
    told = problems(GOOD.replace("state: ENABLED", "state: enabled"))
    assert [str(problem) for problem in told] == [
        "triggers.yaml:5: triggers[0].state: 'enabled' is not accepted. Did you mean ENABLED?",
    ]


def test_a_loop_is_told_at_the_pattern() -> None:
    text = (
        GOOD.replace("source: [aws.s3]", "source: [aws.sagemaker]")
        .replace("        object:\n", "")
        .replace(
            '          size: [{numeric: [">", 0]}]\n',
            "        currentPipelineExecutionStatus: [Failed]\n",
        )
    )
    assert [(problem.line, problem.field) for problem in problems(text)] == [
        (6, "triggers[0].event_pattern"),
        (6, "triggers[0].event_pattern"),
    ]


def test_a_problem_is_not_hidden_by_one_whose_field_begins_alike() -> None:
    text = GOOD.replace("Key: $.detail.object.key\n", "Key: $..a\n          Key2: !Ref Key\n", 1)
    assert [(problem.line, problem.field) for problem in problems(text)] == [
        (14, "triggers[0].targets[0].parameters.Key"),
        (15, "triggers[0].targets[0].parameters.Key2"),
    ]


def test_what_could_not_be_read_is_not_told_again_as_missing() -> None:
    text = GOOD.replace("name: first", "name: !Ref First").replace("[aws.s3]", "!Ref Sources")
    assert [(problem.line, problem.field) for problem in problems(text)] == [
        (4, "triggers[0].name"),
        (7, "triggers[0].event_pattern.source"),
    ]
