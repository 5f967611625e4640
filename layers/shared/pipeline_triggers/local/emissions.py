"""The events that AWS services put on the default event bus and moto's services do not.

SageMaker (endpoint, training job, model package, pipeline execution), CloudWatch alarms, and CloudTrail's records of
calls that make, update and delete pipelines. They are put on the bus behind the public refusal: a client that puts an
event whose source begins with ``aws.`` is refused per entry, as EventBridge does.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.wire import ACCOUNT, json_answer, json_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline_triggers.local.wire import Answer, Call

    Forward = Callable[[Call], Answer]

_REFUSED_ENTRY = {
    "ErrorCode": "NotAuthorizedForSourceException",
    "ErrorMessage": "Not authorized for the source.",
}
# CloudTrail leaves out requestParameters that are longer (its user guide, "CloudTrail record contents").
MAX_REQUEST_PARAMETERS = 100 * 1024
_TIMES = ("CreationTime", "LastModifiedTime", "TrainingStartTime", "TrainingEndTime")
_ENDPOINT_FIELDS = ("EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", *_TIMES)
_TRAINING_JOB_FIELDS = (
    "TrainingJobName",
    "TrainingJobArn",
    "TrainingJobStatus",
    "SecondaryStatus",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ModelArtifacts",
    "ResourceConfig",
    "StoppingCondition",
    *_TIMES,
)
_MODEL_PACKAGE_FIELDS = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "InferenceSpecification",
    "MetadataProperties",
    *_TIMES,
)


def refuse_aws_sources(call: Call, forward: Forward) -> Answer:
    """An interceptor: PutEvents refuses each entry whose source begins with ``aws.``; the others are put."""
    if (call.service, call.operation) != ("events", "PutEvents"):
        return forward(call)
    entries = list(call.input.get("Entries") or ())
    refused = [number for number, entry in enumerate(entries) if str(entry.get("Source", "")).startswith("aws.")]
    if not refused:
        return forward(call)
    allowed = [entry for number, entry in enumerate(entries) if number not in refused]
    answer = forward(call.with_input({**call.input, "Entries": allowed})) if allowed else json_answer({})
    if not answer.succeeded:
        return answer
    results = answer.output().get("Entries", [])
    for number in refused:
        results.insert(number, dict(_REFUSED_ENTRY))
    return answer.with_output(
        {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}
    )


class Emissions:
    """An interceptor: after certain calls it puts the event that the service would emit on the default bus."""

    def __init__(self) -> None:
        self._seen_executions: set[str] = set()
        self._lock = Lock()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Answer the call, and emit what follows from it before the client sees the answer."""
        match (call.service, call.operation):
            case ("cloudwatch", "SetAlarmState"):
                return _set_alarm_state(call, forward)
            case ("sagemaker", "CreatePipeline" | "UpdatePipeline" | "DeletePipeline"):
                answer = forward(call)
                _emit(forward, _cloudtrail_record(call, answer))
                return answer
            case ("sagemaker", operation):
                answer = forward(call)
                if answer.succeeded:
                    self._emit_sagemaker(operation, call, answer.output(), forward)
                return answer
        return forward(call)

    def _emit_sagemaker(self, operation: str, call: Call, output: Mapping[str, Any], forward: Forward) -> None:
        match operation:
            case "CreateEndpoint" | "UpdateEndpoint":
                name = {"EndpointName": call.input["EndpointName"]}
                _emit(forward, _endpoint_event(call, _ask(forward, "sagemaker", "DescribeEndpoint", name)))
            case "CreateTrainingJob":
                name = {"TrainingJobName": call.input["TrainingJobName"]}
                _emit(forward, _training_job_event(call, _ask(forward, "sagemaker", "DescribeTrainingJob", name)))
            case "CreateModelPackage" | "UpdateModelPackage":
                name = {"ModelPackageName": output["ModelPackageArn"]}
                _emit(forward, _model_package_event(call, _ask(forward, "sagemaker", "DescribeModelPackage", name)))
            case "StartPipelineExecution":
                arn = output["PipelineExecutionArn"]
                with self._lock:
                    is_new = arn not in self._seen_executions
                    self._seen_executions.add(arn)
                if is_new:
                    for event in _execution_events(call, arn):
                        _emit(forward, event)


def _endpoint_event(call: Call, described: Mapping[str, Any]) -> dict[str, Any]:
    detail = _detail(described, _ENDPOINT_FIELDS)
    detail["EndpointStatus"] = _upper_snake(described["EndpointStatus"])
    detail["Tags"] = _tags(call)
    return _event("aws.sagemaker", "SageMaker Endpoint State Change", [described["EndpointArn"]], detail)


def _training_job_event(call: Call, described: Mapping[str, Any]) -> dict[str, Any]:
    detail = _detail(described, _TRAINING_JOB_FIELDS)
    detail["Tags"] = _tags(call)
    return _event("aws.sagemaker", "SageMaker Training Job State Change", [described["TrainingJobArn"]], detail)


def _model_package_event(call: Call, described: Mapping[str, Any]) -> dict[str, Any]:
    detail = _detail(described, _MODEL_PACKAGE_FIELDS)
    detail["Tags"] = _tags(call)
    if call.operation == "UpdateModelPackage":
        detail["UpdatedModelPackageFields"] = [name for name in call.input if name != "ModelPackageArn"]
    return _event("aws.sagemaker", "SageMaker Model Package State Change", [described["ModelPackageArn"]], detail)


def _execution_events(call: Call, execution_arn: str) -> list[dict[str, Any]]:
    pipeline_arn = execution_arn.partition("/execution/")[0]
    now = _iso(time.time())
    named = {
        "pipelineExecutionDisplayName": call.input.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": call.input.get("PipelineExecutionDescription"),
    }
    executing = {name: value for name, value in named.items() if value} | {
        "currentPipelineExecutionStatus": "Executing",
        "executionStartTime": now,
        "pipelineArn": pipeline_arn,
        "pipelineExecutionArn": execution_arn,
    }
    succeeded = {
        **executing,
        "currentPipelineExecutionStatus": "Succeeded",
        "previousPipelineExecutionStatus": "Executing",
        "executionEndTime": now,
    }
    detail_type = "SageMaker Model Building Pipeline Execution Status Change"
    resources = [pipeline_arn, execution_arn]
    return [_event("aws.sagemaker", detail_type, resources, detail) for detail in (executing, succeeded)]


def _set_alarm_state(call: Call, forward: Forward) -> Answer:
    before = _alarm(call, forward)
    answer = forward(call)
    after = _alarm(call, forward) if answer.succeeded else None
    if before and after and before["StateValue"] != after["StateValue"]:
        detail = {
            "alarmName": after["AlarmName"],
            "configuration": {"description": after.get("AlarmDescription") or "", "metrics": _alarm_metrics(after)},
            "previousState": _alarm_state(before),
            "state": _alarm_state(after),
        }
        _emit(forward, _event("aws.cloudwatch", "CloudWatch Alarm State Change", [after["AlarmArn"]], detail))
    return answer


def _alarm(call: Call, forward: Forward) -> dict[str, Any] | None:
    found = _ask(forward, "cloudwatch", "DescribeAlarms", {"AlarmNames": [call.input.get("AlarmName")]})
    alarms: list[dict[str, Any]] = found.get("MetricAlarms") or []
    return alarms[0] if alarms else None


def _alarm_state(alarm: Mapping[str, Any]) -> dict[str, Any]:
    state = {
        "value": alarm["StateValue"],
        "reason": alarm.get("StateReason") or "",
        "timestamp": datetime.fromtimestamp(alarm["StateUpdatedTimestamp"], UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        + "+0000",
    }
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _alarm_metrics(alarm: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not alarm.get("MetricName"):
        return []
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or ()},
    }
    statistic = {"metric": metric, "period": alarm.get("Period"), "stat": alarm.get("Statistic")}
    return [{"id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"])), "metricStat": statistic, "returnData": True}]


def _cloudtrail_record(call: Call, answer: Answer) -> dict[str, Any]:
    """CloudTrail's record of a call, made as facts about other SageMaker records say; failed calls are recorded too."""
    now = _iso(time.time())
    detail: dict[str, Any] = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/local/developer",
            "accountId": ACCOUNT,
        },
        "eventTime": now,
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": call.region,
        "sourceIPAddress": str(call.environ.get("REMOTE_ADDR", "127.0.0.1")),
        "userAgent": str(call.environ.get("HTTP_USER_AGENT", "")),
        "requestParameters": _request_parameters(call),
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    if answer.succeeded:
        detail["responseElements"] = {_lower_first(name): value for name, value in answer.output().items()}
    else:
        detail["errorCode"], detail["errorMessage"] = answer.error()
    return _event("aws.sagemaker", "AWS API Call via CloudTrail", [], detail)


def _request_parameters(call: Call) -> dict[str, Any] | None:
    """What the call was given; nothing at all when that is too long, as a pipeline's definition may be."""
    given = {_lower_first(name): value for name, value in call.input.items()}
    return given if len(json.dumps(given)) <= MAX_REQUEST_PARAMETERS else None


def _event(source: str, detail_type: str, resources: Iterable[str], detail: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of PutEvents."""
    return {
        "Source": source,
        "DetailType": detail_type,
        "Resources": list(resources),
        "Detail": json.dumps(detail),
        "Time": time.time(),
    }


def _emit(forward: Forward, entry: Mapping[str, Any]) -> None:
    _ask(forward, "events", "PutEvents", {"Entries": [entry]})


def _ask(forward: Forward, service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    answer = forward(json_call(service, operation, given))
    if not answer.succeeded:
        raise RuntimeError(f"{service} {operation} failed inside the embedded AWS: {answer.body.decode()}")
    return answer.output()


def _detail(described: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The named members; times in epoch milliseconds, as SageMaker's events have them."""
    chosen = {name: described[name] for name in names if described.get(name) is not None}
    return {name: round(value * 1000) if name in _TIMES else value for name, value in chosen.items()}


def _tags(call: Call) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.input.get("Tags") or ()}


def _upper_snake(status: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
