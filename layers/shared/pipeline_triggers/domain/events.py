"""The normalised event: EventBridge's envelope, the way it came, and the key of what happened."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.times import milliseconds
from pipeline_triggers.errors import MalformedEventError

# The source of this application's own events, and the one by which a schedule of it says that its time has come.
INTERNAL_SOURCE = "pipeline-triggers"
SCHEDULED_TIME_EVENT = "Scheduled Time"

ViaKind = Literal["sns", "sqs", "s3", "scheduler"]


@dataclass(frozen=True, slots=True)
class Via:
    """One envelope that an event came through.

    ``arn`` is the topic's or queue's, ``message_id`` the one that this envelope gave, ``attributes`` the message
    attributes by name (``{"env": "prod"}``).
    """

    kind: ViaKind
    arn: str
    message_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """The form that patterns and paths see."""
        return {"kind": self.kind, "arn": self.arn, "message_id": self.message_id, "attributes": dict(self.attributes)}


@dataclass(frozen=True)
class Event:
    """Something that happened, in EventBridge's envelope.

    ``envelope`` has ``version id source account time region resources detail-type detail`` and is never changed;
    ``via`` lists the envelopes that it came through, the outermost first.
    """

    envelope: Mapping[str, Any]
    via: tuple[Via, ...] = ()

    @classmethod
    def from_envelope(cls, envelope: Mapping[str, Any], via: tuple[Via, ...] = ()) -> Event:
        """Check what every event must have.

        ``source``, ``detail-type`` and ``id`` are texts that are not empty (an event id of nothing would make all such
        events one occurrence); ``account`` and ``region`` are texts, empty where the source does not say them. Raises
        MalformedEventError with the names of the fields that break this.
        """
        wrong = [name for name in ("source", "detail-type", "id") if not _text(envelope.get(name))]
        wrong += [name for name in ("account", "region") if not isinstance(envelope.get(name), str)]
        if wrong:
            told = "; ".join(f"{name} {_complaint(envelope, name)}" for name in wrong)
            raise MalformedEventError(f"not an EventBridge event: {told}")
        return cls(envelope, via)

    @property
    def id(self) -> str:
        """The event id: another delivery of the same event has the same, another report of the same occurrence not."""
        return str(self.envelope["id"])

    @property
    def source(self) -> str:
        """Who reports, such as ``aws.s3``."""
        return str(self.envelope["source"])

    @property
    def detail_type(self) -> str:
        """What is reported, such as ``Object Created``."""
        return str(self.envelope["detail-type"])

    @property
    def account(self) -> str:
        """12 digits, or empty: an S3 notification does not say it."""
        return str(self.envelope["account"])

    @property
    def region(self) -> str:
        """Such as ``us-east-1``."""
        return str(self.envelope["region"])

    @property
    def time(self) -> str:
        """When, as delivered: usually ISO 8601, in some SageMaker events milliseconds; empty when it is no text."""
        time = self.envelope.get("time")
        return time if isinstance(time, str) else ""

    @property
    def resources(self) -> tuple[str, ...]:
        """The ARNs that the event is about."""
        return tuple(arn for arn in _items(self.envelope.get("resources")) if isinstance(arn, str))

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the source says about it; empty when there is none."""
        detail = self.envelope.get("detail")
        return detail if isinstance(detail, Mapping) else {}

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """What patterns and paths see: the envelope with ``via``, a list of objects."""
        return {**self.envelope, "via": [via.to_document() for via in self.via]}

    @cached_property
    def occurrence(self) -> str:
        """The occurrence key, as ``occurrence_key()`` gives it."""
        return self.occurrence_key()

    def occurrence_key(self, *, secondary_status: bool = False) -> str:
        """What happened in the world, whichever event told of it: a canonical JSON array.

        It begins with source and detail-type; the rest is one row of ``_ROWS``. Where a row's fields are missing or
        cannot be read, account, Region and event id take their place: that may start twice, but loses nothing.
        ``secondary_status`` tells the phases of a job apart, for a trigger whose pattern reads them. A replay from an
        archive is an occurrence of its own: ``{"replay-name": …}`` ends the array.
        """
        row = _ROWS.get((self.source, self.detail_type)) or _OTHER_ROWS.get(self.source, _by_event_id)
        rest = row(self) or _by_event_id(self)
        if secondary_status and row is _job:
            rest = [*rest, _text(self.detail.get("SecondaryStatus"))]
        return self.key_of(*rest)

    def key_of(self, *rest: Any) -> str:
        """The canonical JSON array of an occurrence key; ``rest`` is what it says after source and detail-type."""
        replay = _text(self.envelope.get("replay-name"))
        return canonical([self.source, self.detail_type, *rest, *([{"replay-name": replay}] if replay else [])])


def derived_id(content: object) -> str:
    """An event id for what comes without one: a UUID that the same JSON content always gets."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, canonical(content)))


def lookup(document: object, *names: str) -> Any:
    """The value under ``names``, one inside the other; None when it is not there."""
    for name in names:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


_Row = Callable[[Event], list[Any] | None]


def _complete(*parts: object) -> list[Any] | None:
    """The parts of a key, or None when one is missing."""
    return None if any(part is None for part in parts) else list(parts)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _complaint(envelope: Mapping[str, Any], name: str) -> str:
    if name not in envelope:
        return "is missing"
    return "is empty" if envelope[name] == "" else f"is no text but {type(envelope[name]).__name__}"


def _resource(event: Event) -> str | None:
    return _text(event.resources[0]) if event.resources else None


def _sagemaker_arn(event: Event, name: str) -> str | None:
    """The ARN in the detail, else the first resource; casefolded, because AWS lower-cases SageMaker's ARNs in some
    places and not in others ("MyEndpoint" has the ARN "…:endpoint/myendpoint"). ARNs of other services are exact.
    """
    arn = _text(event.detail.get(name)) or _resource(event)
    return arn.casefold() if arn else None


def _by_event_id(event: Event) -> list[Any]:
    return [event.account, event.region, event.id]


def _s3_sequenced(event: Event) -> list[Any] | None:
    sequencer = _text(lookup(event.detail, "object", "sequencer"))
    return _s3_key(event, sequencer) if sequencer else _s3_unsequenced(event)


def _s3_unsequenced(event: Event) -> list[Any] | None:
    """By request: the sequencer, should one route have it, is not looked at, because the other would not."""
    return _s3_key(event, _text(event.detail.get("request-id")) or event.id)


def _s3_key(event: Event, distinguishing: str) -> list[Any] | None:
    bucket = _text(lookup(event.detail, "bucket", "name"))
    return _complete(bucket, _text(lookup(event.detail, "object", "key")), distinguishing)


def _sns(event: Event) -> list[Any] | None:
    return _complete(_text(event.detail.get("TopicArn")), _text(event.detail.get("MessageId")))


_JOBS = {
    "SageMaker Training Job State Change": "TrainingJob",
    "SageMaker Processing Job State Change": "ProcessingJob",
    "SageMaker Transform Job State Change": "TransformJob",
    "SageMaker HyperParameter Tuning Job State Change": "HyperParameterTuningJob",
}


def _job(event: Event) -> list[Any] | None:
    job = _JOBS[event.detail_type]
    status = _text(event.detail.get(f"{job}Status"))
    return _complete(_sagemaker_arn(event, f"{job}Arn"), status, milliseconds(event.detail.get("CreationTime")))


def _endpoint(event: Event) -> list[Any] | None:
    status = _text(event.detail.get("EndpointStatus"))
    return _complete(_sagemaker_arn(event, "EndpointArn"), status, milliseconds(event.detail.get("LastModifiedTime")))


def _endpoint_deployment(event: Event) -> list[Any] | None:
    """Without a pending summary (an update in place) the variants' own statuses tell the phase."""
    summary = event.detail.get("PendingDeploymentSummary")
    start = milliseconds(lookup(summary, "StartTime"))
    statuses = [_variant_statuses(lookup(document, "ProductionVariants")) for document in (summary, event.detail)]
    if start is None and not any(statuses):
        return None
    arn, status = _sagemaker_arn(event, "EndpointArn"), _text(event.detail.get("EndpointStatus"))
    known = _complete(arn, status)
    return [*known, start, *statuses] if known else None


def _variant_statuses(variants: object) -> list[Any]:
    """Name, status and its start, sorted. The start belongs to it: one deployment bakes more than once."""
    found = [
        [_text(lookup(variant, "VariantName")) or "", status, milliseconds(lookup(entry, "StartTime")) or 0]
        for variant in _items(variants)
        for entry in _items(lookup(variant, "VariantStatus"))
        if (status := _text(lookup(entry, "Status")))
    ]
    return sorted(found)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _model_package(event: Event) -> list[Any] | None:
    """Approval and life cycle are null where a package has none (one without a group has no approval)."""
    known = _complete(_sagemaker_arn(event, "ModelPackageArn"), _text(event.detail.get("ModelPackageStatus")))
    modified = milliseconds(event.detail.get("LastModifiedTime"))
    if known is None or modified is None:
        return None
    approval = _text(event.detail.get("ModelApprovalStatus"))
    stage = [_text(lookup(event.detail, "ModelLifeCycle", name)) for name in ("Stage", "StageStatus")]
    return [*known, approval, *stage, modified]


def _execution(event: Event) -> list[Any] | None:
    """The end is null while it runs."""
    arn = _text(event.detail.get("pipelineExecutionArn"))
    known = _complete(arn and arn.casefold(), _text(event.detail.get("currentPipelineExecutionStatus")))
    return [*known, milliseconds(event.detail.get("executionEndTime"))] if known else None


def _execution_step(event: Event) -> list[Any] | None:
    arn, step = _text(event.detail.get("pipelineExecutionArn")), _text(event.detail.get("stepName"))
    known = _complete(arn and arn.casefold(), step, _text(event.detail.get("currentStepStatus")))
    return [*known, milliseconds(event.detail.get("stepEndTime"))] if known else None


def _other_sagemaker(event: Event) -> list[Any] | None:
    arn = _resource(event)
    statuses = {name: value for name, value in event.detail.items() if name.endswith("Status") and _text(value)}
    return _complete(arn and arn.casefold(), statuses, milliseconds(event.detail.get("LastModifiedTime")))


def _alarm(event: Event) -> list[Any] | None:
    value = _text(lookup(event.detail, "state", "value"))
    return _complete(_resource(event), value, milliseconds(lookup(event.detail, "state", "timestamp")))


def _scheduled_rule(event: Event) -> list[Any] | None:
    return _complete(_resource(event), milliseconds(event.envelope.get("time")))


def _schedule(event: Event) -> list[Any] | None:
    scheduled = milliseconds(event.detail.get("scheduled_time"))
    return _complete(_text(event.detail.get("schedule_arn")), scheduled)


# What the key says after source and detail-type. AWS: "SageMaker AI may send multiple events to EventBridge for each
# state change", each with its own id; "duplicate event notifications for a specific object event have the same value
# for the sequencer key" (S3). What has no row is keyed by account, Region and event id.
_ROWS: Mapping[tuple[str, str], _Row] = {
    ("aws.s3", "Object Created"): _s3_sequenced,
    ("aws.s3", "Object Deleted"): _s3_sequenced,
    ("aws.s3", "Object Restore Initiated"): _s3_unsequenced,
    ("aws.s3", "Object Restore Completed"): _s3_unsequenced,
    ("aws.s3", "Object Restore Expired"): _s3_unsequenced,
    ("aws.s3", "Object Tags Added"): _s3_unsequenced,
    ("aws.s3", "Object Tags Deleted"): _s3_unsequenced,
    ("aws.s3", "Object ACL Updated"): _s3_unsequenced,
    ("aws.s3", "Object Storage Class Changed"): _s3_unsequenced,
    ("aws.s3", "Object Access Tier Changed"): _s3_unsequenced,
    ("aws.sns", "Notification"): _sns,
    **{("aws.sagemaker", detail_type): _job for detail_type in _JOBS},
    ("aws.sagemaker", "SageMaker Endpoint State Change"): _endpoint,
    ("aws.sagemaker", "SageMaker Endpoint Deployment State Change"): _endpoint_deployment,
    ("aws.sagemaker", "SageMaker Model Package State Change"): _model_package,
    ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change"): _execution,
    ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Step Status Change"): _execution_step,
    ("aws.cloudwatch", "CloudWatch Alarm State Change"): _alarm,
    ("aws.events", "Scheduled Event"): _scheduled_rule,
    (INTERNAL_SOURCE, SCHEDULED_TIME_EVENT): _schedule,
}
_OTHER_ROWS: Mapping[str, _Row] = {"aws.sagemaker": _other_sagemaker}
