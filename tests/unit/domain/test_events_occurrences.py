"""Occurrence keys, row for row: what happened, whichever event told of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.events import Event

EVENTS = Path(__file__).parents[3] / "events"
ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn-endpoint"
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train/execution/p4jn9xou8a8s"
JOBS = {
    "SageMaker Training Job State Change": "TrainingJob",
    "SageMaker Processing Job State Change": "ProcessingJob",
    "SageMaker Transform Job State Change": "TransformJob",
    "SageMaker HyperParameter Tuning Job State Change": "HyperParameterTuningJob",
}


def sample(name: str, **detail: object) -> dict[str, Any]:
    """events/NAME.json with other values in its detail."""
    envelope: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {**envelope, "detail": {**envelope["detail"], **detail}}


def sagemaker(detail_type: str, detail: dict[str, Any], *resources: str) -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "aws.sagemaker",
        "detail-type": detail_type,
        "account": "123456789012",
        "region": "us-east-1",
        "resources": list(resources),
        "detail": detail,
    }


def key(envelope: dict[str, Any], *, secondary_status: bool = False) -> list[Any]:
    """The key without source and detail-type."""
    found = json.loads(Event.from_envelope(envelope).occurrence_key(secondary_status=secondary_status))
    assert found[:2] == [envelope["source"], envelope["detail-type"]]
    return list(found[2:])


def by_event_id(envelope: dict[str, Any]) -> list[Any]:
    return [envelope["account"], envelope["region"], envelope["id"]]


def without(envelope: dict[str, Any], field: str) -> dict[str, Any]:
    return {**envelope, "detail": {name: value for name, value in envelope["detail"].items() if name != field}}


def test_an_object_is_keyed_by_bucket_key_and_sequencer() -> None:
    assert key(sample("s3-object-created")) == ["raw-data", "in/2026/churn rows+v1.csv", "0065FB77A03AD4478F"]


def test_creation_and_deletion_are_two_occurrences() -> None:
    created, deleted = (Event.from_envelope(sample(f"s3-object-{what}")) for what in ("created", "deleted"))
    assert created.occurrence != deleted.occurrence


def test_an_overwrite_is_another_occurrence() -> None:
    again = sample("s3-object-created", object={"key": "in/2026/churn rows+v1.csv", "sequencer": "0065FB77A03AD44790"})
    assert key(again) != key(sample("s3-object-created"))


def test_tags_are_keyed_by_bucket_key_and_request() -> None:
    assert key(sample("s3-object-tags-added")) == ["raw-data", "in/2026/churn rows+v1.csv", "189F19CB7FB1B6A4"]


def test_tags_are_keyed_by_request_even_when_one_route_gives_a_sequencer() -> None:
    tags = sample("s3-object-tags-added", object={"key": "in/2026/churn rows+v1.csv", "sequencer": "00AA"})
    assert key(tags) == key(sample("s3-object-tags-added"))


def test_without_sequencer_an_object_is_keyed_by_request() -> None:
    created = sample("s3-object-created", object={"key": "k"})
    assert key(created) == ["raw-data", "k", "SW5MRVMJG8NG1GMZ"]


def test_without_sequencer_and_request_an_object_is_keyed_by_event_id() -> None:
    created = without(sample("s3-object-created", object={"key": "k"}), "request-id")
    assert key(created) == ["raw-data", "k", created["id"]]


@pytest.mark.parametrize("broken", [{"bucket": {}}, {"bucket": None}, {"object": {"sequencer": "1"}}, {"object": []}])
def test_an_object_without_bucket_or_key_is_keyed_by_event_id(broken: dict[str, Any]) -> None:
    envelope = sample("s3-object-created", **broken)
    assert key(envelope) == by_event_id(envelope)


def test_an_s3_event_that_has_no_row_is_keyed_by_event_id() -> None:
    envelope = {**sample("s3-object-created"), "detail-type": "Replication:OperationFailedReplication"}
    assert key(envelope) == by_event_id(envelope)


def test_a_notification_is_keyed_by_topic_and_message() -> None:
    envelope = {**sample("custom-event"), "source": "aws.sns", "detail-type": "Notification"}
    envelope["detail"] = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:Topic", "MessageId": "m-1"}
    assert key(envelope) == ["arn:aws:sns:us-east-1:123456789012:Topic", "m-1"]


@pytest.mark.parametrize(("detail_type", "job"), JOBS.items())
def test_a_job_is_keyed_by_arn_status_and_creation(detail_type: str, job: str) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:Job/X"
    detail = {f"{job}Arn": arn, f"{job}Status": "Completed", "CreationTime": "1583831889050", "LastModifiedTime": 1}
    assert key(sagemaker(detail_type, detail)) == [arn.lower(), "Completed", 1583831889050]


def test_the_phases_of_a_job_are_one_occurrence_unless_the_secondary_status_counts() -> None:
    training, downloading = (
        sample("training-job-in-progress", SecondaryStatus="Training"),
        sample("training-job-in-progress"),
    )
    assert key(training) == key(downloading)
    assert key(training, secondary_status=True) == [*key(training), "Training"]
    assert key(downloading, secondary_status=True) == [*key(downloading), "Downloading"]


def test_the_secondary_status_of_what_is_no_job_does_not_count() -> None:
    envelope = sample("endpoint-status-failed", SecondaryStatus="Training")
    assert key(envelope, secondary_status=True) == key(envelope)


def test_a_job_without_creation_time_is_keyed_by_event_id() -> None:
    envelope = without(sample("training-job-completed"), "CreationTime")
    assert key(envelope) == by_event_id(envelope)


def test_a_job_without_its_arn_is_keyed_by_its_resource() -> None:
    assert key(without(sample("training-job-completed"), "TrainingJobArn")) == key(sample("training-job-completed"))


def test_an_endpoint_is_keyed_by_arn_status_and_modification() -> None:
    assert key(sample("endpoint-status-in-service")) == [ENDPOINT, "IN_SERVICE", 1772438594287]


def test_several_events_for_one_change_of_an_endpoint_are_one_occurrence() -> None:
    again = sample(
        "endpoint-status-in-service",
        EndpointArn="arn:aws:sagemaker:us-east-1:123456789012:endpoint/Churn-Endpoint",
        LastModifiedTime="1772438594287",
    )
    again |= {"id": "another", "time": "2026-03-02T08:03:15Z"}
    assert key(again) == key(sample("endpoint-status-in-service"))


def test_an_endpoint_that_is_in_service_again_is_another_occurrence() -> None:
    again = sample("endpoint-status-in-service", LastModifiedTime=1772438594288)
    assert key(again) != key(sample("endpoint-status-in-service"))


@pytest.mark.parametrize("field", ["EndpointStatus", "LastModifiedTime"])
def test_an_endpoint_without_status_or_modification_is_keyed_by_event_id(field: str) -> None:
    envelope = without(sample("endpoint-status-in-service"), field)
    assert key(envelope) == by_event_id(envelope)


def test_a_deployment_is_keyed_by_its_start_and_the_statuses_of_its_variants() -> None:
    baking = ["AllTraffic", "Baking", 1772438712181]
    assert key(sample("endpoint-deployment")) == [ENDPOINT, "UPDATING", 1772438700181, [baking], []]


def test_a_deployment_in_place_is_keyed_by_the_statuses_of_its_variants() -> None:
    status = {"Status": "Updating", "StartTime": 1635195269181}
    envelope = without(
        sample("endpoint-deployment", ProductionVariants=[{"VariantName": "A", "VariantStatus": [status]}]),
        "PendingDeploymentSummary",
    )
    assert key(envelope) == [ENDPOINT, "UPDATING", None, [], [["A", "Updating", 1635195269181]]]


def test_the_order_of_variants_does_not_matter() -> None:
    variants = [{"VariantName": name, "VariantStatus": [{"Status": "Baking", "StartTime": 1}]} for name in "AB"]
    there = sample("endpoint-deployment", ProductionVariants=variants)
    assert key(there) == key(sample("endpoint-deployment", ProductionVariants=variants[::-1]))


def test_a_deployment_bakes_twice_as_two_occurrences() -> None:
    envelope = sample("endpoint-deployment")
    later = json.loads(json.dumps(envelope).replace("1772438712181", "1772439999999"))
    assert key(envelope) != key(later)


@pytest.mark.parametrize("variants", [None, 7, [], ["x"], [{"VariantStatus": 7}], [{"VariantStatus": [None, {}]}]])
def test_a_deployment_that_says_no_phase_is_keyed_by_event_id(variants: object) -> None:
    envelope = without(sample("endpoint-deployment", ProductionVariants=variants), "PendingDeploymentSummary")
    assert key(envelope) == by_event_id(envelope)


def test_a_model_package_is_keyed_by_all_its_statuses_and_its_modification() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/12"
    expected = [arn, "Completed", "Approved", "Development", "Approved", 1772443867000]
    assert key(sample("model-package-approved")) == expected


def test_a_model_package_without_approval_has_null_in_its_place() -> None:
    envelope = sample("model-package-pending", ModelApprovalStatus=None)
    assert key(envelope)[2:5] == [None, None, None]


def test_a_model_package_without_modification_is_keyed_by_event_id() -> None:
    envelope = without(sample("model-package-pending"), "LastModifiedTime")
    assert key(envelope) == by_event_id(envelope)


def test_an_execution_is_keyed_by_arn_status_and_end() -> None:
    assert key(sample("pipeline-execution-succeeded")) == [EXECUTION, "Succeeded", 1772437870000]


def test_an_execution_that_runs_has_no_end() -> None:
    running = sample("pipeline-execution-succeeded", currentPipelineExecutionStatus="Executing", executionEndTime=None)
    assert key(running) == [EXECUTION, "Executing", None]


def test_an_execution_without_status_is_keyed_by_event_id() -> None:
    envelope = without(sample("pipeline-execution-succeeded"), "currentPipelineExecutionStatus")
    assert key(envelope) == by_event_id(envelope)


def test_a_step_is_keyed_by_execution_name_status_and_end() -> None:
    assert key(sample("pipeline-step-succeeded")) == [EXECUTION, "train", "Succeeded", 1772437509000]


@pytest.mark.parametrize("field", ["pipelineExecutionArn", "stepName", "currentStepStatus"])
def test_a_step_that_lacks_a_field_is_keyed_by_event_id(field: str) -> None:
    envelope = without(sample("pipeline-step-succeeded"), field)
    assert key(envelope) == by_event_id(envelope)


def test_other_events_of_sagemaker_are_keyed_by_resource_every_status_and_modification() -> None:
    detail = {"ModelCardStatus": "Draft", "ReviewStatus": "Open", "LastModifiedTime": "2022-12-03T00:09:44.893854735Z"}
    envelope = sagemaker("SageMaker Model Card State Change", detail, "arn:aws:sagemaker:us-east-1:1:model-card/Card")
    statuses = {"ModelCardStatus": "Draft", "ReviewStatus": "Open"}
    assert key(envelope) == ["arn:aws:sagemaker:us-east-1:1:model-card/card", statuses, 1670026184893]


def test_other_events_of_sagemaker_without_modification_are_keyed_by_event_id() -> None:
    envelope = sagemaker("SageMaker Image State Change", {"ImageStatus": "Creating"}, "arn:image")
    assert key(envelope) == by_event_id(envelope)


def test_an_alarm_is_keyed_by_arn_state_and_its_time() -> None:
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:churn-model-drift"
    assert key(sample("alarm-drift")) == [arn, "ALARM", 1772438680989]


def test_the_case_of_an_alarms_name_counts() -> None:
    shouting = {**sample("alarm-drift"), "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:CHURN"]}
    assert key(shouting)[0].endswith(":CHURN")


def test_an_alarm_without_state_is_keyed_by_event_id() -> None:
    envelope = without(sample("alarm-drift"), "state")
    assert key(envelope) == by_event_id(envelope)


def test_a_scheduled_rule_is_keyed_by_rule_and_time() -> None:
    rule = "arn:aws:events:us-east-1:123456789012:rule/nightly-churn"
    assert key(sample("scheduled-rule")) == [rule, 1772420400000]


def test_a_schedule_of_this_application_is_keyed_by_schedule_and_time() -> None:
    envelope = {**sample("scheduled-time"), "id": "any", "account": "", "region": ""}
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/pipeline-triggers/nightly"
    assert key(envelope) == [arn, 1772416800000]


def test_anything_else_is_keyed_by_account_region_and_event_id() -> None:
    envelope = sample("custom-event")
    assert key(envelope) == ["123456789012", "us-east-1", "d5db4f84-8aa3-cc8b-8193-9e709209f711"]


def test_a_replay_is_an_occurrence_of_its_own() -> None:
    replay = {"replay-name": "features-after-the-fix"}
    assert key(sample("custom-event-replayed")) == [*key(sample("custom-event")), replay]
    replayed = {**sample("s3-object-created"), **replay}
    assert key(replayed) == [*key(sample("s3-object-created")), replay]


def test_the_occurrence_is_the_key_without_secondary_status() -> None:
    event = Event.from_envelope(sample("training-job-in-progress"))
    assert event.occurrence == event.occurrence_key()


def test_the_key_is_canonical() -> None:
    event = Event.from_envelope(sample("custom-event"))
    arr = '["com.example.features","Feature Table Refreshed","123456789012","us-east-1"'
    assert event.occurrence == f'{arr},"d5db4f84-8aa3-cc8b-8193-9e709209f711"]'


ROWS = [path.stem for path in EVENTS.glob("*.json") if '"detail-type"' in path.read_text(encoding="utf-8")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=200)
def test_whatever_stands_in_a_field_every_event_has_a_key(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([row for row in ROWS if not row.startswith(("sns-", "sqs-", "broken-body"))]))
    envelope = {"id": "e-1", "account": "", "region": "", **sample(name)}
    for field in data.draw(st.lists(st.sampled_from(sorted(envelope["detail"]) or ["x"]), max_size=3)):
        envelope["detail"][field] = data.draw(JSON)
    envelope["resources"] = data.draw(JSON)
    event = Event.from_envelope(envelope)
    found = json.loads(event.occurrence_key(secondary_status=data.draw(st.booleans())))
    assert found[:2] == [event.source, event.detail_type]
    assert len(found) >= 4
