"""Rules of EventBridge as trigger files: they move over as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline_triggers.documents import TriggerFile, load
from pipeline_triggers.errors import InvalidTriggerError

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn-train"
PIPELINE_SUB = "arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/p"
PATTERN = {"source": ["aws.s3"], "detail-type": ["Object Created"]}


def properties(**changes: Any) -> dict[str, Any]:
    whole = {
        "Name": "on-upload",
        "Description": "moved",
        "State": "DISABLED",
        "EventPattern": PATTERN,
        "Targets": [
            {
                "Id": "t1",
                "Arn": ARN,
                "SageMakerPipelineParameters": {
                    "PipelineParameterList": [
                        {"Name": "Instance_type", "Value": "ml.m5.4xlarge"},
                        {"Name": "Key", "Value": "$.detail.object.key"},
                    ],
                },
            },
        ],
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def resource(**changes: Any) -> dict[str, Any]:
    return {"Type": "AWS::Events::Rule", "Properties": properties(**changes)}


def read(document: dict[str, Any]) -> TriggerFile:
    return load(json.dumps(document, indent=1), file="rule.json")


def fields(document: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidTriggerError) as caught:
        read(document)
    assert all(problem.line > 0 for problem in caught.value.problems)
    return [problem.field for problem in caught.value.problems]


NORMAL = {
    "name": "on-upload",
    "description": "moved",
    "state": "DISABLED",
    "event_pattern": PATTERN,
    "targets": [
        {"id": "t1", "pipeline": ARN, "parameters": {"Instance_type": "ml.m5.4xlarge", "Key": "$.detail.object.key"}},
    ],
}


@pytest.mark.parametrize(
    "document",
    [
        properties(),
        resource(),
        {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Rule": resource()}},
        {"version": 1, "triggers": [properties()]},
        {"version": 1, "triggers": [resource()]},
        properties(EventPattern=json.dumps(PATTERN)),
        properties(Name=None, Rule="on-upload", EventBusName="default"),
    ],
)
def test_a_rule_is_the_same_trigger_however_it_is_spelt(document: dict[str, Any]) -> None:
    loaded = read(document)
    assert [trigger.to_document() for trigger in loaded.triggers] == [NORMAL]
    assert loaded.warnings == ()


def test_a_rule_in_a_trigger_file_belongs_to_its_set() -> None:
    assert read({"version": 1, "set": "churn", "triggers": [properties()]}).triggers[0].set == "churn"


def test_the_misspelt_keys_of_the_page_are_read_with_a_warning() -> None:
    target = {
        "Id": "t1",
        "Arn": ARN,
        "SageMakerPipelineParameter": {"SageMakerParameterList": [{"Name": "A", "Value": "1"}]},
    }
    loaded = read(properties(Targets=[target]))
    assert loaded.triggers[0].targets[0].to_document()["parameters"] == {"A": "1"}
    assert [(warning.field, warning.reason) for warning in loaded.warnings] == [
        ("Targets[0].SageMakerPipelineParameter", "is read as SageMakerPipelineParameters"),
        ("Targets[0].SageMakerPipelineParameter.SageMakerParameterList", "is read as PipelineParameterList"),
    ]


def test_what_the_application_supplies_itself_is_passed_over_with_a_warning() -> None:
    target = {
        "Id": "t1",
        "Arn": ARN,
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:111122223333:q"},
        "RetryPolicy": {"MaximumRetryAttempts": 3},
        "InputPath": "$.detail",
    }
    loaded = read(properties(Targets=[target], EventBusName="other", RoleArn="arn:aws:iam::111122223333:role/r"))
    assert loaded.triggers[0].targets[0].role_arn is None
    assert [warning.field for warning in loaded.warnings] == [
        "Targets[0].RoleArn",
        "Targets[0].DeadLetterConfig",
        "Targets[0].RetryPolicy",
        "Targets[0].InputPath",
        "EventBusName",
        "RoleArn",
    ]
    assert all(warning.file == "rule.json" and warning.line for warning in loaded.warnings)


def test_text_that_would_be_a_template_here_stays_a_literal_as_in_eventbridge() -> None:
    parameters = {"PipelineParameterList": [{"Name": "A", "Value": "x<$.detail.id>"}]}
    loaded = read(properties(Targets=[{"Id": "t", "Arn": ARN, "SageMakerPipelineParameters": parameters}]))
    assert loaded.triggers[0].targets[0].to_document()["parameters"] == {"A": {"literal": "x<$.detail.id>"}}
    assert [warning.reason for warning in loaded.warnings] == ["is sent as it is written, as EventBridge does"]


def test_a_schedule_expression_of_a_rule_is_a_schedule_in_utc() -> None:
    schedule = read(properties(EventPattern=None, ScheduleExpression="rate(5 minutes)")).triggers[0].schedule
    assert schedule is not None
    assert (schedule.expression, schedule.timezone) == ("rate(5 minutes)", "UTC")


def test_the_state_that_also_delivers_management_events_is_enabled() -> None:
    loaded = read(properties(State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"))
    assert loaded.triggers[0].state == "ENABLED"
    assert [warning.field for warning in loaded.warnings] == ["State"]


@pytest.mark.parametrize("tags", [[{"Key": "team", "Value": "churn"}], {"team": "churn"}])
def test_tags_of_a_rule_are_tags(tags: object) -> None:
    assert read(properties(Tags=tags)).triggers[0].tags == {"team": "churn"}


def test_a_rule_without_a_name_has_that_of_its_resource_in_a_template() -> None:
    loaded = read({"Resources": {"OnUpload": resource(Name=None)}})
    assert loaded.triggers[0].name == "OnUpload"


def test_other_resources_and_rules_of_a_template_are_passed_over() -> None:
    other = resource(Targets=[{"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:f"}])
    document = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Other": other, "Rule": resource()}}
    loaded = read(document)
    assert [trigger.name for trigger in loaded.triggers] == ["on-upload"]
    assert [warning.field for warning in loaded.warnings] == ["Resources.Other"]


def test_a_template_in_yaml_may_have_tags_where_nothing_is_read() -> None:
    text = f"""\
Resources:
  Role: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: !Sub 'x-${{AWS::StackName}}'}}}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.s3]}}
      Targets:
        - {{Id: t, Arn: '{ARN}', RoleArn: !GetAtt Role.Arn}}
"""
    assert load(text).triggers[0].name == "Rule"


def test_targets_that_are_no_pipelines_stay_with_eventbridge() -> None:
    function = {"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:f"}
    loaded = read(properties(Targets=[function, {"Id": "t1", "Arn": ARN}]))
    assert [target.id for target in loaded.triggers[0].targets] == ["t1"]
    assert [(warning.field, warning.reason) for warning in loaded.warnings] == [
        ("Targets[0]", "is no pipeline and is passed over"),
    ]


def test_a_target_whose_arn_is_filled_in_later_and_that_has_no_parameters_is_passed_over() -> None:
    function = {"Id": "f", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}
    loaded = read(properties(Targets=[{"Id": "t1", "Arn": ARN}, function]))
    assert [warning.field for warning in loaded.warnings] == ["Targets[1]"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (resource(Name=None), "Properties.name"),
        (resource(Name={"Ref": "Name"}), "Properties.Name"),
        (resource(State="ON"), "Properties.State"),
        (resource(EventPattern={"source": "aws.s3"}), "Properties.EventPattern.source"),
        (resource(ScheduleExpression="rate(1 day)"), "Properties.EventPattern"),
        (resource(Targets=[]), "Properties.Targets"),
        (resource(Targets="t"), "Properties.Targets"),
        (resource(Targets=[{"Id": "t"}]), "Properties.Targets[0].Arn"),
        (resource(Targets=["t"]), "Properties.Targets[0]"),
        (resource(Targets=[{"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:1:function:f"}]), "Properties.Targets"),
        (
            resource(Targets=[{"Id": "t", "Arn": {"Fn::Sub": PIPELINE_SUB}}, {"Id": "u", "Arn": ARN}]),
            "Properties.Targets[0].Arn",
        ),
        (resource(Targets=[{"Id": "a b", "Arn": ARN}]), "Properties.Targets[0].Id"),
        (resource(Targets=[{"Id": "t", "Arn": ARN}] * 2), "Properties.Targets[1].Id"),
        (resource(Targets=[{"Id": "t", "Arn": ARN, "Parameters": {}}]), "Properties.Targets[0].Parameters"),
        (resource(Target=[]), "Properties.Target"),
        (resource(Tags=[{"Name": "a"}]), "Properties.Tags[0]"),
        ({"Type": "AWS::SNS::Topic", "Properties": properties()}, ""),
        ({"Type": "AWS::Events::Rule", "Properties": []}, "Properties"),
        ({"Resources": {}}, "Resources"),
        ({"Resources": []}, "Resources"),
        ({"version": 1, "triggers": [resource(State="ON")]}, "triggers[0].Properties.State"),
        ({"Resources": {"R": resource(State="ON")}}, "Resources.R.Properties.State"),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_the_field_as_it_is_spelt(document: dict[str, Any], field: str) -> None:
    assert field in fields(document)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ([], ""),
        ({"PipelineParameterLists": []}, ".PipelineParameterLists"),
        ({"PipelineParameterList": {"A": "1"}}, ".PipelineParameterList"),
        ({"PipelineParameterList": [{"Name": "A"}]}, ".PipelineParameterList[0]"),
        ({"PipelineParameterList": [{"Name": "A", "Value": "$.a["}]}, ".PipelineParameterList[0]"),
        ({"PipelineParameterList": [{"Name": "A", "Value": ""}]}, ".PipelineParameterList[0]"),
        ({"PipelineParameterList": [{"Name": None, "Value": "x"}]}, ".PipelineParameterList[0].Name"),
        ({"PipelineParameterList": [{"Name": "A", "Value": "x"}] * 2}, ".PipelineParameterList[1].Name"),
    ],
)
def test_a_mistake_in_the_parameters_of_a_rule_is_told_with_its_field(parameters: object, field: str) -> None:
    target = {"Id": "t", "Arn": ARN, "SageMakerPipelineParameters": parameters}
    assert fields(properties(Targets=[target])) == [f"Targets[0].SageMakerPipelineParameters{field}"]
