"""The demo's acts: what happens in the world, through the services' own APIs, and what must become of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipeline_triggers.domain.decisions import explain_unmatched
from pipeline_triggers.domain.events import Event
from pipeline_triggers.local.stage import BUCKET, OWN_SOURCE, SCHEDULED, STACK, Lines, Stage
from pipeline_triggers.sources.envelopes import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipeline_triggers.domain.patterns import Mismatch

TAP = "demo-tap"
KEY = "in/2026/churn rows+v1.csv"
ROLE = "arn:aws:iam::123456789012:role/demo"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
DRAIN_SECONDS = 20
# The pipeline that the demo deletes.
DOOMED = "ChurnReport"
# The trigger whose schedule fires, and when: in the night in which Berlin's clocks were set back.
NIGHTLY = "score-yesterday"
NIGHT = datetime(2026, 10, 25, 5, tzinfo=ZoneInfo("Europe/Berlin"))
# The executions that the demo starts report their own status: no trigger of the demo listens to that.
NOISE = "SageMaker Model Building Pipeline"


@dataclass(frozen=True)
class Act:
    """Something that happens, and what must become of it.

    ``expected`` are (trigger, outcome) pairs; no pair: no trigger matches. ``deletes`` are the names of the schedules
    that must go, and all others must stay; None when it is not about schedules.
    """

    title: str
    happen: Callable[[Stage, Tap], None]
    expected: frozenset[tuple[str, str]]
    note: str = ""
    deletes: frozenset[str] | None = None


@dataclass(frozen=True)
class Seen:
    """What became of an act.

    ``entries`` are ledger documents of what matched, ``mismatches`` say for each trigger that is for this kind of event
    why one that matched nothing did not, ``outcomes`` are the (trigger, outcome) pairs that the functions logged,
    ``schedules`` say of each what became of it, if the act is about schedules, and ``wrong`` says how all that differs
    from what was expected (empty when it does not).
    """

    entries: Sequence[Mapping[str, Any]]
    mismatches: Sequence[tuple[str, Mismatch]]
    outcomes: frozenset[tuple[str, str]]
    schedules: Sequence[Scheduled] = ()
    wrong: str = ""


@dataclass(frozen=True)
class Scheduled:
    """A schedule, the name of its pipeline, and what became of it: deleted or kept."""

    name: str
    pipeline: str
    outcome: str


@dataclass
class Tap:
    """A queue of the demo's own that gets a copy of every event, to tell afterwards why it matched nothing."""

    stage: Stage
    kept: dict[str, str] = field(default_factory=dict)
    _told: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Make the queue, with a rule on the default bus and a subscription to the stack's topic."""
        sqs, events, sns = (self.stage.client(name) for name in ("sqs", "events", "sns"))
        url = sqs.create_queue(QueueName=TAP)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=TAP, EventPattern=json.dumps({"source": [{"prefix": ""}]}))
        events.put_targets(Rule=TAP, Targets=[{"Id": TAP, "Arn": arn}])
        sns.subscribe(TopicArn=topic_arn(self.stage), Protocol="sqs", Endpoint=arn)
        self._sqs, self._url = sqs, url

    def take(self) -> list[Event]:
        """The events since the last time, without the executions' own; their bodies stay in ``kept`` by source."""
        bodies, self._told = self._told, []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        events = []
        for body in bodies:
            for event in read(body):
                if isinstance(event, Event) and not event.detail_type.startswith(NOISE):
                    events.append(event)
                    self.kept.setdefault(event.detail_type, body)
        return events

    def tell(self, body: str) -> None:
        """Take notice of what goes straight to a queue of the stack."""
        self._told.append(body)


def topic_arn(stage: Stage) -> str:
    """The topic that the template makes."""
    return stage.deployment.outputs["EventsTopicArn"]


def perform(act: Act, stage: Stage, tap: Tap, lines: Lines) -> Seen:
    """Let an act happen, wait until the functions are done with it, and collect what became of it."""
    lines.take()
    before = stage.schedules()
    act.happen(stage, tap)
    stage.poller.drain(DRAIN_SECONDS)
    after = stage.schedules()
    events = tap.take()
    outcomes = frozenset(
        (line.get("trigger", ""), line["outcome"]) for line in decisions_in(lines) if line["outcome"] != "unmatched"
    )
    found = [(event, stage.ledger.of_event(event.id)) for event in events]
    entries = [entry for _, caused in found for entry in caused]
    snapshot = stage.store.load()
    mismatches = [
        pair
        for event, caused in found
        if not caused
        for pair in explain_unmatched(event, snapshot)
        if pair[1].path not in ("source", "detail-type")
    ]
    schedules = [
        Scheduled(name, pipeline, "kept" if name in after else "deleted") for name, pipeline in sorted(before.items())
    ]
    wrong = [_difference(act.expected, outcomes), _wrong_schedules(act.deletes or frozenset(), schedules)]
    return Seen(
        entries,
        mismatches,
        outcomes,
        schedules=schedules if act.deletes is not None else (),
        wrong="; ".join(filter(None, wrong)),
    )


def decisions_in(lines: Lines) -> list[dict[str, Any]]:
    """The decisions that the functions logged since the last time."""
    parsed = [_json(line) for _, line in lines.take()]
    return [line for line in parsed if line.get("message") == "decision"]


def _json(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _difference(expected: frozenset[tuple[str, str]], seen: frozenset[tuple[str, str]]) -> str:
    missing = [f"{trigger or 'the event'} should be {outcome}" for trigger, outcome in sorted(expected - seen)]
    extra = [f"{trigger or 'the event'} was {outcome}" for trigger, outcome in sorted(seen - expected)]
    return "; ".join(missing + extra)


def _wrong_schedules(expected: frozenset[str], schedules: Sequence[Scheduled]) -> str:
    wrong = [it for it in schedules if (it.outcome == "deleted") != (it.name in expected)]
    return "; ".join(f"schedule {it.name} was {it.outcome}" for it in wrong)


def acts(events: Path) -> list[Act]:
    """What happens in the demo, in order; sample payloads come from the folder ``events``."""

    def sample(name: str) -> Any:
        return json.loads((events / f"{name}.json").read_text(encoding="utf-8"))

    def upload(stage: Stage, _: Tap) -> None:
        stage.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"customer,churned\n1,0\n")

    def upload_elsewhere(stage: Stage, _: Tap) -> None:
        stage.client("s3").put_object(Bucket=BUCKET, Key="docs/readme.txt", Body=b"not data")

    def delete(stage: Stage, _: Tap) -> None:
        stage.client("s3").delete_object(Bucket=BUCKET, Key=KEY)

    def publish(stage: Stage, _: Tap) -> None:
        message = {"model": "churn", "action": "score", "param": {"value": "ml.m5.2xlarge"}, "max_rows": 5000.0}
        stage.client("sns").publish(TopicArn=topic_arn(stage), Subject="please", Message=json.dumps(message))

    def put_own_event(stage: Stage, name: str) -> None:
        event = sample(name)
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        answer = stage.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer

    def redeliver(stage: Stage, tap: Tap) -> None:
        sqs = stage.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{STACK}-s3-event")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=tap.kept["Object Created"])

    def broken_body(stage: Stage, _: Tap) -> None:
        sqs = stage.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{STACK}-bus-event")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=sample("broken-body")["Records"][0]["body"])

    return [
        Act(
            f"A file is uploaded: s3://{BUCKET}/{KEY}",
            upload,
            frozenset({("retrain-on-upload", "started"), ("score-each-upload", "shadow")}),
        ),
        Act(f"A file is uploaded where no trigger looks: s3://{BUCKET}/docs/readme.txt", upload_elsewhere, frozenset()),
        Act("An SNS message asks for scores", publish, frozenset({("score-on-sns-request", "started")})),
        Act(
            "An endpoint is created and comes into service",
            _create_endpoint,
            frozenset({("evaluate-when-endpoint-in-service", "started")}),
        ),
        Act("A training job completes", _train, frozenset({("evaluate-after-training", "started")})),
        Act("A model package waits for approval", _create_model_package, frozenset()),
        Act("The model package is approved", _approve, frozenset({("deploy-approved-model", "started")})),
        Act("A drift alarm goes off", _alarm, frozenset({("retrain-on-drift", "started")})),
        Act(
            f"An application puts its own event: {OWN_SOURCE}",
            lambda stage, _: put_own_event(stage, "custom-event"),
            frozenset({("refresh-on-feature-table", "started")}),
        ),
        Act("The file is deleted", delete, frozenset({("retrain-on-deletion", "disabled")})),
        Act(
            "The first upload's event is delivered a second time",
            redeliver,
            frozenset({("retrain-on-upload", "duplicate"), ("score-each-upload", "shadow")}),
            note="nothing starts twice: the ledger knows the occurrence",
        ),
        Act(
            f"It is {NIGHT:%H:%M} in Berlin: the schedule {NIGHTLY} fires",
            _fire,
            frozenset({(NIGHTLY, "started")}),
        ),
        Act(
            "The schedule tells the same time once more",
            _fire,
            frozenset({(NIGHTLY, "duplicate")}),
            note="a time of a schedule starts once, however often it is told",
        ),
        Act(
            "An event lacks what a parameter needs",
            lambda stage, _: put_own_event(stage, "broken-missing-fields"),
            frozenset({("refresh-on-feature-table", "rejected")}),
        ),
        Act("A message is not even JSON", broken_body, frozenset({("", "rejected")})),
        Act(
            "Somebody deletes a pipeline that does not exist: Churn",
            _fail_to_delete,
            frozenset(),
            note="the call failed, so all schedules stay",
            deletes=frozenset(),
        ),
        Act(
            f"A pipeline is deleted: {DOOMED}",
            lambda stage, _: stage.client("sagemaker").delete_pipeline(PipelineName=DOOMED),
            frozenset(),
            note="its schedules go with it, and those of other pipelines stay, however similar their names",
            deletes=frozenset(SCHEDULED[DOOMED]),
        ),
    ]


def _fail_to_delete(stage: Stage, _: Tap) -> None:
    sagemaker = stage.client("sagemaker")
    try:
        sagemaker.delete_pipeline(PipelineName="Churn")
    except sagemaker.exceptions.ResourceNotFound:
        return
    raise AssertionError("the pipeline Churn was deleted, and should not exist")


def _fire(stage: Stage, tap: Tap) -> None:
    schedule = stage.client("scheduler").get_schedule(GroupName=STACK, Name=NIGHTLY)
    detail = {"trigger": NIGHTLY, "schedule_arn": schedule["Arn"], "scheduled_time": f"{NIGHT.astimezone(UTC):%FT%TZ}"}
    tap.tell(json.dumps({"source": "pipeline-triggers", "detail-type": "Scheduled Time", "detail": detail}))
    firing = stage.scheduler.fire(schedule, NIGHT)
    assert firing.outcome == "delivered", firing


def _create_endpoint(stage: Stage, _: Tap) -> None:
    sagemaker = stage.client("sagemaker")
    sagemaker.create_model(ModelName="churn", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "all", "ModelName": "churn", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="churn-endpoint-config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="churn-endpoint", EndpointConfigName="churn-endpoint-config")


def _train(stage: Stage, _: Tap) -> None:
    stage.client("sagemaker").create_training_job(
        TrainingJobName="churn-2026-11",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def _create_model_package(stage: Stage, _: Tap) -> None:
    sagemaker = stage.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/churn-2026-11/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def _approve(stage: Stage, _: Tap) -> None:
    sagemaker = stage.client("sagemaker")
    packages = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]
    sagemaker.update_model_package(
        ModelPackageArn=packages[0]["ModelPackageArn"],
        ModelApprovalStatus="Approved",
    )


def _alarm(stage: Stage, _: Tap) -> None:
    cloudwatch = stage.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="churn-feature-drift",
        Namespace="aws/sagemaker/Endpoints/data-metrics",
        MetricName="feature_baseline_drift_age",
        Statistic="Maximum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=0.2,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="churn-feature-drift", StateValue="ALARM", StateReason="0.31 > 0.2")
