"""The events that the embedded AWS puts on the default bus by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.unit.local.support import ROLE, start

if TYPE_CHECKING:
    from tests.unit.local.support import Account


def pipeline(aws: Account, events: str) -> str:
    """A pipeline, whose making was reported already."""
    arn = aws.pipeline()
    assert len(aws.received(events)) == 1
    return arn


@pytest.fixture
def events(aws: Account) -> str:
    """The URL of a queue that receives every event of SageMaker and CloudWatch."""
    return aws.queue_of_rule({"source": ["aws.sagemaker", "aws.cloudwatch"]})


def endpoint(aws: Account) -> None:
    sagemaker = aws.client("sagemaker")
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    for name in ("one", "two"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="Churn", EndpointConfigName="one", Tags=[{"Key": "team", "Value": "ml"}])


def test_a_new_endpoint_is_reported_in_service(aws: Account, events: str) -> None:
    endpoint(aws)
    (event,) = aws.received(events)
    assert event["detail-type"] == "SageMaker Endpoint State Change"
    assert event["resources"] == [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/Churn"]
    detail = event["detail"]
    assert (detail["EndpointName"], detail["EndpointConfigName"]) == ("Churn", "one")
    assert detail["EndpointStatus"] == "IN_SERVICE"
    assert detail["Tags"] == {"team": "ml"}
    assert detail["CreationTime"] > 1_600_000_000_000  # milliseconds


def test_an_updated_endpoint_is_reported_with_a_later_time(aws: Account, events: str) -> None:
    endpoint(aws)
    aws.client("sagemaker").update_endpoint(EndpointName="Churn", EndpointConfigName="two")
    created, updated = (event["detail"] for event in aws.received(events))
    assert updated["EndpointConfigName"] == "two"
    assert updated["LastModifiedTime"] > created["LastModifiedTime"]


def test_a_refused_endpoint_is_not_reported(aws: Account, events: str) -> None:
    with pytest.raises(ClientError):
        aws.client("sagemaker").create_endpoint(EndpointName="Churn", EndpointConfigName="missing")
    assert aws.received(events) == []


def test_a_training_job_is_reported_completed(aws: Account, events: str) -> None:
    aws.client("sagemaker").create_training_job(
        TrainingJobName="job",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    (event,) = aws.received(events)
    assert event["detail-type"] == "SageMaker Training Job State Change"
    assert event["resources"] == [event["detail"]["TrainingJobArn"]]
    assert (event["detail"]["TrainingJobName"], event["detail"]["TrainingJobStatus"]) == ("job", "Completed")


def test_a_model_package_is_reported_when_registered_and_when_approved(aws: Account, events: str) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arn = sagemaker.create_model_package(ModelPackageGroupName="churn", ModelApprovalStatus="PendingManualApproval")[
        "ModelPackageArn"
    ]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    registered, approved = aws.received(events)
    assert registered["detail-type"] == approved["detail-type"] == "SageMaker Model Package State Change"
    assert registered["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert approved["detail"]["ModelApprovalStatus"] == "Approved"
    assert approved["detail"]["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert approved["detail"]["ModelPackageVersion"] == 1


def test_an_execution_is_reported_executing_then_succeeded(aws: Account, events: str) -> None:
    arn = pipeline(aws, events)
    execution = start(aws, "Churn-Train", PipelineExecutionDisplayName="by-hand")
    executing, succeeded = aws.received(events)
    assert executing["detail-type"] == "SageMaker Model Building Pipeline Execution Status Change"
    assert executing["resources"] == succeeded["resources"] == [arn, execution]
    assert executing["detail"]["currentPipelineExecutionStatus"] == "Executing"
    assert "executionEndTime" not in executing["detail"]
    assert succeeded["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert succeeded["detail"]["currentPipelineExecutionStatus"] == "Succeeded"
    assert succeeded["detail"]["pipelineExecutionDisplayName"] == "by-hand"
    assert succeeded["detail"]["executionEndTime"]


def test_a_repeated_start_is_not_reported_again(aws: Account, events: str) -> None:
    pipeline(aws, events)
    start(aws, "Churn-Train")
    start(aws, "Churn-Train")
    assert len(aws.received(events)) == 2


def alarm(aws: Account) -> Any:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="drift",
        AlarmDescription="the data drifts",
        Namespace="churn",
        MetricName="psi",
        Dimensions=[{"Name": "feature", "Value": "age"}],
        Period=60,
        Statistic="Average",
        EvaluationPeriods=1,
        Threshold=0.2,
        ComparisonOperator="GreaterThanThreshold",
    )
    return cloudwatch


def test_an_alarm_that_changes_its_state_is_reported_with_both_states(aws: Account, events: str) -> None:
    alarm(aws).set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="0.3 > 0.2", StateReasonData="{}")
    (event,) = aws.received(events)
    assert (event["source"], event["detail-type"]) == ("aws.cloudwatch", "CloudWatch Alarm State Change")
    assert event["resources"] == [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:drift"]
    detail = event["detail"]
    assert detail["alarmName"] == "drift"
    assert detail["previousState"]["value"] == "OK"
    assert (detail["state"]["value"], detail["state"]["reason"]) == ("ALARM", "0.3 > 0.2")
    assert detail["state"]["timestamp"].endswith("+0000")
    assert detail["configuration"]["description"] == "the data drifts"
    metric = detail["configuration"]["metrics"][0]["metricStat"]["metric"]
    assert metric == {"namespace": "churn", "name": "psi", "dimensions": {"feature": "age"}}


def test_an_alarm_that_stays_in_its_state_is_not_reported(aws: Account, events: str) -> None:
    alarm(aws).set_alarm_state(AlarmName="drift", StateValue="OK", StateReason="still fine")
    assert aws.received(events) == []


def test_a_missing_alarm_is_not_reported(aws: Account, events: str) -> None:
    with pytest.raises(ClientError):
        aws.client("cloudwatch").set_alarm_state(AlarmName="missing", StateValue="ALARM", StateReason="r")
    assert aws.received(events) == []


def test_a_deleted_pipeline_is_recorded_by_cloudtrail(aws: Account, events: str) -> None:
    arn = pipeline(aws, events)
    aws.client("sagemaker").delete_pipeline(PipelineName="Churn-Train", ClientRequestToken="t" * 32)
    (event,) = aws.received(events)
    assert (event["source"], event["detail-type"]) == ("aws.sagemaker", "AWS API Call via CloudTrail")
    assert event["resources"] == []
    detail = event["detail"]
    assert (detail["eventSource"], detail["eventName"]) == ("sagemaker.amazonaws.com", "DeletePipeline")
    assert detail["requestParameters"]["pipelineName"] == "Churn-Train"
    assert detail["responseElements"] == {"pipelineArn": arn}
    assert "errorCode" not in detail
    assert detail["recipientAccountId"] == ACCOUNT


def test_pipelines_that_are_made_and_updated_are_recorded_by_cloudtrail(aws: Account, events: str) -> None:
    arn = aws.pipeline()
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": []})
    aws.client("sagemaker").update_pipeline(PipelineName="Churn-Train", PipelineDefinition=definition)
    made, updated = (event["detail"] for event in aws.received(events))
    assert (made["eventName"], updated["eventName"]) == ("CreatePipeline", "UpdatePipeline")
    assert updated["requestParameters"] == {"pipelineName": "Churn-Train", "pipelineDefinition": definition}
    assert made["responseElements"]["pipelineArn"] == updated["responseElements"]["pipelineArn"] == arn


def test_request_parameters_that_are_too_long_are_left_out(aws: Account, events: str) -> None:
    arn = pipeline(aws, events)
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [], "Metadata": {"x": "y" * 200_000}})
    aws.client("sagemaker").update_pipeline(PipelineName="Churn-Train", PipelineDefinition=definition)
    (updated,) = (event["detail"] for event in aws.received(events))
    assert (updated["requestParameters"], updated["responseElements"]["pipelineArn"]) == (None, arn)


def test_a_failed_update_is_recorded_with_its_error(aws: Account, events: str) -> None:
    with pytest.raises(ClientError):
        aws.client("sagemaker").update_pipeline(PipelineName="missing", PipelineDefinition="{}")
    (event,) = aws.received(events)
    assert (event["detail"]["eventName"], event["detail"]["errorCode"]) == ("UpdatePipeline", "ResourceNotFound")


def test_a_failed_deletion_is_recorded_with_its_error(aws: Account, events: str) -> None:
    with pytest.raises(ClientError):
        aws.client("sagemaker").delete_pipeline(PipelineName="missing", ClientRequestToken="t" * 32)
    (event,) = aws.received(events)
    assert event["detail"]["errorCode"] == "ResourceNotFound"
    assert event["detail"]["errorMessage"]
    assert event["detail"]["responseElements"] is None


def test_clients_may_not_put_events_of_aws(aws: Account, events: str) -> None:
    entry = {"DetailType": "d", "Detail": "{}"}
    entries = [{"Source": "aws.sagemaker", **entry}, {"Source": "own", **entry}, {"Source": "aws.s3", **entry}]
    answer = aws.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        "NotAuthorizedForSourceException",
        None,
        "NotAuthorizedForSourceException",
    ]
    assert aws.received(events) == []


def test_only_events_of_aws_is_refused_too(aws: Account) -> None:
    answer = aws.client("events").put_events(Entries=[{"Source": "aws.x", "DetailType": "d", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 1
