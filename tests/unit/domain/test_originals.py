"""What is silently wrong with rules and schedules, as far as their definitions tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline_triggers.domain.originals import (
    Finding,
    Original,
    as_template,
    dead_letter_arn,
    pipeline_parameters,
    rule_findings,
    schedule_findings,
    starts_pipeline,
)
from pipeline_triggers.domain.rules import RuleDefinition

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
DEAD = {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}}
SHORT = {"RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5}}
SOUND = {"Id": "train", "Arn": ARN, "RoleArn": "arn:aws:iam::123456789012:role/rules", **DEAD, **SHORT}


def parameters(**values: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in values.items()]
    return {"SageMakerPipelineParameters": {"PipelineParameterList": listed}}


def of_rule(*targets: Any, others: int = 0, pattern: Any = None, **document: Any) -> list[Finding]:
    asked = {} if "ScheduleExpression" in document else {"EventPattern": json.dumps(pattern or {"source": ["aws.s3"]})}
    rule = RuleDefinition(
        "arn:rule", "default", "retrain", {"Name": "retrain", "State": "ENABLED", **asked, **document}
    )
    return rule_findings(rule, targets or [SOUND], others)


def of_schedule(**document: Any) -> list[Finding]:
    target = {**SOUND, **document.pop("target", {})}
    return schedule_findings({"ScheduleExpression": "rate(1 day)", "State": "ENABLED", "Target": target, **document})


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.level) for finding in findings]


def test_a_sound_rule_has_no_findings() -> None:
    assert of_rule({**SOUND, **parameters(Mode="full")}) == []


def test_a_sound_schedule_has_no_findings() -> None:
    assert of_schedule(target=parameters(Mode="full", At="<aws.scheduler.scheduled-time>")) == []


def test_a_rule_without_a_dead_letter_queue_loses_what_fails() -> None:
    (finding,) = of_rule({**SOUND, "DeadLetterConfig": {}})
    assert codes([finding]) == [("no-dead-letter-queue", "wrong")]
    assert finding.text == "has no dead-letter queue: an event that fails is dropped without a trace"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, [("long-retries", "note")]),
        ({}, [("long-retries", "note")]),
        ({"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}, [("long-retries", "note")]),
        ({"MaximumRetryAttempts": 0}, [("no-retries", "wrong")]),
        ({"MaximumEventAgeInSeconds": 600}, []),
        ({"MaximumRetryAttempts": 10}, []),
    ],
)
def test_retries_are_judged(policy: Any, expected: list[tuple[str, str]]) -> None:
    assert codes(of_rule({**SOUND, "RetryPolicy": policy})) == expected
    assert codes(of_schedule(target={"RetryPolicy": policy})) == expected


def test_a_target_without_a_role_starts_nothing() -> None:
    assert codes(of_rule({key: value for key, value in SOUND.items() if key != "RoleArn"})) == [
        ("role-missing", "wrong")
    ]


@pytest.mark.parametrize("key", ["Input", "InputPath", "InputTransformer"])
def test_input_that_no_pipeline_gets_is_told(key: str) -> None:
    (finding,) = of_rule({**SOUND, key: "$.detail"})
    assert finding.text == f"has {key}, which no pipeline gets: it gets parameters"


@pytest.mark.parametrize("name", ["Instance_type", "_Mode", "Mode_", "Mode-", "-Mode"])
def test_a_name_that_a_rules_target_refuses_is_wrong(name: str) -> None:
    (finding,) = of_rule({**SOUND, **parameters(**{name: "x"})})
    assert codes([finding]) == [("parameter-name", "wrong")]
    assert finding.text.startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["Mode", "a", "Instance-Type", "a--b", "9"])
def test_a_name_that_a_rules_target_accepts_is_not(name: str) -> None:
    assert of_rule({**SOUND, **parameters(**{name: "x"})}) == []


@pytest.mark.parametrize(
    "value", ["$.detail.object.key", "$.detail.items[0].id", "$.detail.items[*]", "$.time", "$", "$.detail.a/b-c_d"]
)
def test_a_path_that_eventbridge_reads_has_only_the_note_about_what_is_missing(value: str) -> None:
    assert codes(of_rule({**SOUND, **parameters(Key=value)})) == [("missing-values", "note")]


@pytest.mark.parametrize(
    "value", ["$.detail['key']", "$['detail']", "$.detail..key", "$.detail[?@.a]", "$.detail.a[-1]", "$.detail.a[0:2]",
              "$.detail.a b", "$.détail"]
)  # fmt: skip
def test_a_path_that_eventbridge_does_not_read_is_wrong(value: str) -> None:
    found = of_rule({**SOUND, **parameters(Key=value)})
    assert codes(found)[0] == ("path-unsupported", "wrong")
    assert value in found[0].text


@pytest.mark.parametrize("value", ["$.Detail.key", "$.key", "$.detail-Type", "$.Records[0].s3"])
def test_a_path_that_no_event_has_is_wrong(value: str) -> None:
    assert codes(of_rule({**SOUND, **parameters(Key=value)}))[0] == ("path-nowhere", "wrong")


def test_the_detail_of_a_scheduled_event_is_empty() -> None:
    (wrong, _) = of_rule({**SOUND, **parameters(Key="$.detail.key")}, ScheduleExpression="rate(1 day)")
    assert codes([wrong]) == [("path-nowhere", "wrong")]
    assert "has an empty detail" in wrong.text
    assert codes(of_rule({**SOUND, **parameters(At="$.time")}, ScheduleExpression="rate(1 day)")) == [
        ("missing-values", "note")
    ]


@pytest.mark.parametrize(
    ("value", "template"),
    [
        ("s3://$.detail.bucket.name/$.detail.object.key", "s3://<$.detail.bucket.name>/<$.detail.object.key>"),
        ("s3://<$.detail.bucket.name>/x", "s3://<$.detail.bucket.name>/x"),
        ("s3://{$.detail.bucket.name}/x", "s3://<$.detail.bucket.name>/x"),
        ("s3://${$.detail.bucket.name}/x", "s3://<$.detail.bucket.name>/x"),
        ("s3://{{$.detail.items[0].id}}", "s3://<$.detail.items[0].id>"),
        (" $.detail.key", " <$.detail.key>"),
    ],
)
def test_a_path_inside_a_text_is_sent_as_it_is_written(value: str, template: str) -> None:
    (finding,) = of_rule({**SOUND, **parameters(Uri=value)})
    assert codes([finding]) == [("not-a-path", "wrong")]
    assert finding.text.endswith(f"Was {template} meant?")
    assert as_template(value) == template


@pytest.mark.parametrize("value", ["costs $5", "US$.99", "a.b", "$5.00", "<b>", "plain"])
def test_a_text_that_only_has_a_dollar_in_it_is_a_text(value: str) -> None:
    assert of_rule({**SOUND, **parameters(Uri=value)}) == []


def test_what_only_schedules_fill_in_is_wrong_in_a_rule() -> None:
    (finding,) = of_rule({**SOUND, **parameters(At="<aws.scheduler.scheduled-time>")})
    assert codes([finding]) == [("not-filled-in", "wrong")]


def test_an_empty_value_is_refused_by_sagemaker() -> None:
    assert codes(of_rule({**SOUND, **parameters(Mode="")})) == [("empty-value", "wrong")]


def test_a_disabled_managed_or_shared_rule_is_noted() -> None:
    found = of_rule(State="DISABLED", ManagedBy="sagemaker.amazonaws.com", others=2)
    assert codes(found) == [("disabled", "note"), ("managed", "note"), ("other-targets", "note")]
    assert "2 targets that are no pipelines and stay" in found[2].text
    assert "a target that is no pipeline and stays" in of_rule(others=1)[0].text


def test_a_rule_for_events_of_sagemaker_may_start_several_times() -> None:
    assert codes(of_rule(pattern={"source": ["aws.sagemaker"]})) == [("several-events", "note")]


def test_of_several_targets_each_is_named() -> None:
    found = of_rule({**SOUND, "Id": "a"}, {**SOUND, "Id": "b", "DeadLetterConfig": None})
    assert [finding.text.partition(" ")[0:3:2] for finding in found] == [
        ("target", "b: has no dead-letter queue: an event that fails is dropped without a trace")
    ]


def test_a_schedule_without_a_dead_letter_queue_loses_what_fails() -> None:
    (finding,) = of_schedule(target={"DeadLetterConfig": None})
    assert finding.text == "has no dead-letter queue: a start that fails is dropped without a trace"


def test_a_disabled_schedule_is_noted() -> None:
    assert codes(of_schedule(State="DISABLED")) == [("disabled", "note")]


@pytest.mark.parametrize(
    ("action", "expected"), [("NONE", [("stays", "note")]), ("DELETE", []), (None, [("stays", "note")])]
)
def test_a_schedule_for_one_time_stays_unless_it_deletes_itself(action: Any, expected: list[tuple[str, str]]) -> None:
    assert codes(of_schedule(ScheduleExpression="at(2030-01-01T00:00:00)", ActionAfterCompletion=action)) == expected


@pytest.mark.parametrize("value", ["$.detail.key", "s3://$.detail.key", "$"])
def test_schedules_read_no_paths(value: str) -> None:
    assert codes(of_schedule(target=parameters(Key=value))) == [("not-a-path", "wrong")]


def test_a_word_that_scheduler_does_not_know_is_sent_as_it_is() -> None:
    (finding,) = of_schedule(target=parameters(At="<aws.scheduler.time>"))
    assert codes([finding]) == [("not-filled-in", "wrong")]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("<aws.scheduler.schedule-arn>-<aws.scheduler.scheduled-time>", []),
        ("always-the-same-token-always-the-same", [("fixed-token", "wrong")]),
        ("<aws.scheduler.execution-id>", [("no-token", "wrong")]),
        (None, [("no-token", "wrong")]),
        (5, [("no-token", "wrong")]),
    ],
)
def test_the_token_of_a_universal_target_is_judged(token: Any, expected: list[tuple[str, str]]) -> None:
    request = {"PipelineName": "churn-train", "ClientRequestToken": token}
    assert codes(of_schedule(target={"Arn": UNIVERSAL, "Input": json.dumps(request)})) == expected


@pytest.mark.parametrize(
    "given", ["", "not json", "[]", "{}", '{"PipelineParameters": 5}', '{"PipelineParameters": [5, {}]}']
)
def test_a_universal_target_with_an_odd_input_has_no_parameters(given: str) -> None:
    assert pipeline_parameters({"Arn": UNIVERSAL, "Input": given}) == {}


def test_the_parameters_of_a_universal_target_are_in_its_input() -> None:
    request = {"PipelineParameters": [{"Name": "Mode", "Value": "full"}]}
    assert pipeline_parameters({"Arn": UNIVERSAL, "Input": json.dumps(request)}) == {"Mode": "full"}


@pytest.mark.parametrize(
    ("target", "starts"),
    [
        ({"Arn": ARN}, True),
        ({"Arn": ARN.upper()}, True),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}, False),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "SageMakerPipelineParameters": {}}, True),
        ({}, False),
    ],
)
def test_a_target_is_a_pipeline_by_its_arn_or_by_its_parameters(target: dict[str, Any], starts: bool) -> None:
    assert starts_pipeline(target) is starts


@pytest.mark.parametrize("target", [{}, {"DeadLetterConfig": None}, {"DeadLetterConfig": {}}])
def test_a_target_may_have_no_dead_letter_queue(target: dict[str, Any]) -> None:
    assert dead_letter_arn(target) == ""


def test_an_original_is_called_by_its_kind_name_and_place() -> None:
    assert Original("rule", "arn", "default", "retrain", True).label == "rule retrain (event bus default)"
    assert Original("schedule", "arn", "team", "nightly", True).label == "schedule nightly (group team)"
