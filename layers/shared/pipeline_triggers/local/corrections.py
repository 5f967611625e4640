"""What moto makes inside and AWS makes differently: one small correction for each fact, applied and undone.

Each correction is a context manager named after the fact that it restores, and has a fidelity test that fails when
moto is right by itself: then the correction can go. What only a client sees is corrected in front of moto
(``pipelines``, ``limits``, ``emissions``), since the wire changes less often than moto's inside.
"""

from __future__ import annotations

import copy
import json
import logging
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock, local
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaBackend, LambdaFunction, LayerVersion
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.events.models import Rule, events_backends
from moto.events.utils import EventTemplateParser
from moto.s3 import notifications
from moto.s3.responses import S3Response
from moto.sagemaker.responses import SageMakerResponse
from moto.scheduler.models import scheduler_backends
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, SQSBackend, sqs_backends
from moto.sqs.responses import SQSResponse

from pipeline_triggers.local.wire import json_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline_triggers.local.wire import Answer, Call

    Forward = Callable[[Call], Answer]

_log = logging.getLogger(__name__)


@contextmanager
def corrected() -> Iterator[None]:
    """moto with every correction of this module."""
    with ExitStack() as applied:
        for correction in CORRECTIONS:
            applied.enter_context(correction())
        yield


# --- S3 ---------------------------------------------------------------------------------------------------------------


class _Sequencer:
    """Hexadecimal numbers that grow with every write, 18 digits as S3's have."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:018X}"


_sequencer = _Sequencer()
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
}
_DELETION_TYPES = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}


@contextmanager
def s3_events_say_which_write_they_report() -> Iterator[None]:
    """EventBridge events and notifications of one write share a sequencer that grows with each write, and a request id.

    moto gives every EventBridge event the same id, sequencer and request id, names ``eTag`` what AWS names ``etag``,
    fills ``version-id`` where there is none, and sends it to every bus; its notifications have no sequencer.
    """
    write = local()
    send_event: Any = notifications.send_event
    notification: Any = notifications._get_s3_event

    def send(account_id: str, event_name: str, bucket: Any, key: Any) -> None:
        write.sequencer, write.request_id = _sequencer.next(), uuid.uuid4().hex[:16].upper()
        send_event(account_id, event_name, bucket, key)

    def notify(event_name: str, bucket: Any, key: Any, notification_id: str) -> Any:
        message = notification(event_name, bucket, key, notification_id)
        for record in message["Records"]:
            record["userIdentity"] = {"principalId": f"AWS:{bucket.account_id}"}
            record["requestParameters"] = {"sourceIPAddress": "127.0.0.1"}
            record["responseElements"] = {"x-amz-request-id": write.request_id, "x-amz-id-2": write.request_id}
            record["s3"]["bucket"]["ownerIdentity"] = {"principalId": bucket.account_id}
            record["s3"]["object"]["sequencer"] = write.sequencer
            if bucket.is_versioned:
                record["s3"]["object"]["versionId"] = key.version_id
        return message

    def send_to_event_bridge(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        event: Any = _s3_event(account_id, bucket, event_name.removeprefix("s3:"), key)
        event["detail-type"] = notifications._detail_type(event_name)
        event["detail"]["object"]["sequencer"] = write.sequencer
        event["detail"]["request-id"] = write.request_id
        for rule in list(events_backends[account_id][bucket.region_name].event_buses["default"].rules.values()):
            rule.send_to_targets(event)

    with (
        replaced(notifications, "send_event", send),
        replaced(notifications, "_get_s3_event", notify),
        replaced(notifications, "_send_event_bridge_message", send_to_event_bridge),
    ):
        yield


@contextmanager
def uploads_are_not_reported_as_tagging() -> Iterator[None]:
    """Only PutObjectTagging makes a tagging event. moto makes one for every upload, with or without tags."""
    calls = local()
    tag: Any = S3Response.put_object_tagging
    send_event: Any = notifications.send_event

    def put_object_tagging(response: Any) -> Any:
        calls.is_tagging = True
        try:
            return tag(response)
        finally:
            calls.is_tagging = False

    def send(account_id: str, event_name: str, bucket: Any, key: Any) -> None:
        by_the_way = event_name == "s3:ObjectTagging:Put" and not getattr(calls, "is_tagging", False)
        if not by_the_way:
            send_event(account_id, event_name, bucket, key)

    with replaced(S3Response, "put_object_tagging", put_object_tagging), replaced(notifications, "send_event", send):
        yield


@contextmanager
def buckets_tell_that_they_send_events() -> Iterator[None]:
    """GetBucketNotificationConfiguration tells that a bucket sends its events to EventBridge. moto leaves that out."""
    answer_without: Any = S3Response.get_bucket_notification

    def get_bucket_notification(response: Any) -> Any:
        status, headers, body = answer_without(response)
        configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
        if configuration is not None and configuration.event_bridge is not None:
            end = "</NotificationConfiguration>"
            told = f"<EventBridgeConfiguration/>{end}"
            body = f"{body.removesuffix('/>')}>{told}" if body.endswith("/>") else body.replace(end, told)
        return status, headers, body

    with replaced(S3Response, "get_bucket_notification", get_bucket_notification):
        yield


def _s3_event(account_id: str, bucket: Any, name: str, key: Any) -> dict[str, Any]:
    written: dict[str, Any] = {"key": key.name}
    if name in _DELETION_TYPES:
        reason: dict[str, Any] = {"deletion-type": _DELETION_TYPES[name]}
    else:
        written |= {"size": key.size, "etag": key.etag.replace('"', "")}
        reason = {}
    if name in _REASONS:
        reason["reason"] = _REASONS[name]
    if bucket.is_versioned:
        written["version-id"] = key.version_id
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.s3",
        "account": account_id,
        "time": time.time(),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": written,
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            **reason,
        },
    }


# --- EventBridge ------------------------------------------------------------------------------------------------------


@contextmanager
def targets_receive_the_whole_event() -> Iterator[None]:
    """A target without a transformer receives the event as it is.

    moto builds it anew from a template that has no ``account``, and that a quote in a string makes broken JSON.
    """
    parse: Any = EventTemplateParser.parse

    def whole(input_template: str | None, input_paths_map: Mapping[str, str], event: Mapping[str, Any]) -> Any:
        if not input_template:
            return {name: value for name, value in copy.deepcopy(dict(event)).items() if name != "ingestion-time"}
        named = {
            **event,
            "time": iso_time(event["time"]),
            "ingestion-time": iso_time(event.get("ingestion-time", time.time())),
        }
        return parse(input_template, input_paths_map, named)

    with replaced(EventTemplateParser, "parse", staticmethod(whole)):
        yield


@contextmanager
def rules_deliver_to_each_target_by_itself() -> Iterator[None]:
    """A disabled rule and a rule without a pattern deliver nothing; a target that cannot be reached harms no other.

    moto ignores a rule's state, lets a scheduled rule match every event, and fails PutEvents when a target cannot be
    delivered to. Such an event goes to the target's dead-letter queue, when it has one.
    """
    send_to_targets = Rule.send_to_targets

    def send(rule: Any, event: Any, transform_input: bool = True) -> None:
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            return
        for target in list(rule.targets):
            alone = copy.copy(rule)
            alone.targets = [target]
            try:
                send_to_targets(alone, event, transform_input)
            except Exception as error:
                _dead_letter(rule, target, event, error)

    with replaced(Rule, "send_to_targets", send):
        yield


def _dead_letter(rule: Any, target: Mapping[str, Any], event: Mapping[str, Any], error: Exception) -> None:
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        _log.warning("rule %s could not deliver to %s, the event is lost: %r", rule.name, target["Arn"], error)
        return
    attributes = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_CODE": "NO_RESOURCE"}
    body = {name: value for name, value in event.items() if name != "ingestion-time"} | {
        "time": iso_time(event["time"])
    }
    _, _, _, region, account, queue = arn.split(":")
    sqs_backends[account][region].send_message(
        queue_name=queue,
        message_body=json.dumps(body),
        message_attributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


# --- SQS and Lambda ---------------------------------------------------------------------------------------------------


@contextmanager
def queues_are_safe_for_concurrent_calls() -> Iterator[None]:
    """No message is lost or received twice because calls overlap.

    moto deletes by building a new list while another thread may append to the old one, and lets two receivers take a
    message that neither has marked yet.
    """
    delete, receive = Queue.delete_message, SQSBackend.receive_message

    def delete_alone(queue: Any, receipt_handle: str) -> None:
        with queue._messages_lock:
            delete(queue, receipt_handle)

    def receive_alone(
        backend: Any, queue_name: str, count: int, wait_seconds_timeout: int, visibility_timeout: int, *more: Any
    ) -> list[Any]:
        queue = backend.get_queue(queue_name)
        ends = time.monotonic() + (wait_seconds_timeout or 0)
        while True:
            with queue._messages_lock:
                messages: list[Any] = receive(backend, queue_name, count, 0, visibility_timeout, *more)
            left = ends - time.monotonic()
            if messages or left <= 0:
                return messages
            queue.wait_for_messages(min(left, 0.2))  # a message may become visible without being sent: look again

    with (
        replaced(Queue, "delete_message", delete_alone),
        replaced(SQSBackend, "receive_message", receive_alone),
    ):
        yield


@contextmanager
def dead_letters_name_the_queue_that_they_are_from() -> Iterator[None]:
    """A message that was moved to a dead-letter queue has the attribute DeadLetterQueueSourceArn.

    moto moves it and does not say from where.
    """
    add, receive = Queue.add_message, SQSResponse.receive_message
    name = "DeadLetterQueueSourceArn"

    def add_with_its_source(queue: Any, message: Any) -> None:
        if (before := getattr(message, "queue_arn", queue.queue_arn)) != queue.queue_arn:
            message.source_arn = before
        message.queue_arn = queue.queue_arn
        add(queue, message)

    def receive_with_source(response: Any) -> ActionResult:
        asked = {*response._get_param("AttributeNames", []), *response._get_param("MessageSystemAttributeNames", [])}
        answer = receive(response)
        result: Any = answer.result
        if asked & {"All", name}:
            held = response.sqs_backend.get_queue(response._get_queue_name())._messages
            sources = {message.id: source for message in held if (source := getattr(message, "source_arn", None))}
            for message in result.get("Messages", []):
                if message["MessageId"] in sources:
                    message.setdefault("Attributes", {})[name] = sources[message["MessageId"]]
        return answer

    with (
        replaced(Queue, "add_message", add_with_its_source),
        replaced(SQSResponse, "receive_message", receive_with_source),
    ):
        yield


@contextmanager
def event_source_mappings_are_polled_by_the_poller() -> Iterator[None]:
    """A mapping of a queue is kept and listed, and nothing else: ``poller`` does Lambda's work.

    moto would run the function in Docker as soon as a message is sent.
    """
    create = LambdaBackend.create_event_source_mapping

    def create_only(backend: Any, spec: dict[str, Any]) -> Any:
        mapping = create(backend, spec)
        for queue in sqs_backends[backend.account_id][backend.region_name].queues.values():
            queue.lambda_event_source_mappings.clear()
        return mapping

    with replaced(LambdaBackend, "create_event_source_mapping", create_only):
        yield


@contextmanager
def functions_of_templates_have_their_layers() -> Iterator[None]:
    """A reference to a layer version is its ARN, and a function that a template makes has the template's layers.

    moto makes such functions without layers, and fails to update them.
    """
    create: Any = LambdaFunction.create_from_cloudformation_json

    def with_layers(resource_name: str, cloudformation_json: dict[str, Any], *more: Any, **named: Any) -> Any:
        function = create(resource_name, cloudformation_json, *more, **named)
        function.update_configuration({"Layers": cloudformation_json["Properties"].get("Layers", [])})
        return function

    with (
        replaced(LayerVersion, "physical_resource_id", property(lambda layer_version: layer_version.arn)),
        replaced(LambdaFunction, "create_from_cloudformation_json", staticmethod(with_layers)),
    ):
        yield


# --- SageMaker --------------------------------------------------------------------------------------------------------


@contextmanager
def endpoints_can_be_updated() -> Iterator[None]:
    """UpdateEndpoint exists. moto has no such operation."""

    def update_endpoint(response: Any) -> ActionResult:
        backend = response.sagemaker_backend
        name, config_name = response._get_param("EndpointName"), response._get_param("EndpointConfigName")
        backend.describe_endpoint(name)
        config = backend.describe_endpoint_config(config_name)
        endpoint = backend.endpoints[name]
        endpoint.endpoint_config_name = config_name
        endpoint.production_variants = endpoint._process_production_variants(config["ProductionVariants"])
        endpoint.last_modified_time = utcnow()
        return ActionResult({"EndpointArn": endpoint.arn})

    with replaced(SageMakerResponse, "update_endpoint", update_endpoint):
        yield


# --- CloudFormation ---------------------------------------------------------------------------------------------------


@dataclass
class _Made:
    """A resource as moto's CloudFormation wants it."""

    physical_resource_id: str
    attributes: Mapping[str, str]

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes[name]


@dataclass(frozen=True)
class _ResourceType:
    """A type that moto's CloudFormation skips with a warning, as the class that moto expects for a type."""

    name: str
    name_property: str
    make: Callable[[str, dict[str, Any], str, str], _Made]
    unmake: Callable[[str, str, str], None] = lambda _name, _account, _region: None

    def cloudformation_type(self) -> str:
        return self.name

    def cloudformation_name_type(self) -> str:
        return self.name_property

    def has_cfn_attr(self, attr: str) -> bool:
        return attr in ("Arn",)

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> _Made:
        return self.make(resource_name, cloudformation_json["Properties"], account_id, region_name)

    def update_from_cloudformation_json(
        self,
        original_resource: _Made,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> _Made:
        self.unmake(original_resource.physical_resource_id, account_id, region_name)
        return self.make(new_resource_name, cloudformation_json["Properties"], account_id, region_name)

    def delete_from_cloudformation_json(
        self, resource_name: str, _cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        self.unmake(resource_name, account_id, region_name)


def _queue_policy(name: str, properties: dict[str, Any], account: str, region: str) -> _Made:
    for url in properties["Queues"]:
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        sqs_backends[account][region].set_queue_attributes(url.rpartition("/")[2], policy)
    return _Made(name, {})


def _topic_policy(name: str, properties: dict[str, Any], account: str, region: str) -> _Made:
    for arn in properties["Topics"]:
        sns_backends[account][region].set_topic_attribute(arn, "policy", json.dumps(properties["PolicyDocument"]))
    return _Made(name, {})


def _subscription(_name: str, properties: dict[str, Any], account: str, region: str) -> _Made:
    backend = sns_backends[account][region]
    subscription = backend.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
    for attribute in ("RawMessageDelivery", "FilterPolicyScope", "FilterPolicy", "RedrivePolicy", "DeliveryPolicy"):
        if (value := properties.get(attribute)) is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            # moto takes the text "false" of RawMessageDelivery for true, and an absent one for false.
            if text != "false":
                backend.set_subscription_attributes(subscription.arn, attribute, text)
    return _Made(subscription.arn, {"Arn": subscription.arn})


def _remove_subscription(arn: str, account: str, region: str) -> None:
    sns_backends[account][region].unsubscribe(arn)


def _schedule_group(_name: str, properties: dict[str, Any], account: str, region: str) -> _Made:
    group = scheduler_backends[account][region].create_schedule_group(properties["Name"], properties.get("Tags") or [])
    return _Made(group.name, {"Arn": group.arn})


def _remove_schedule_group(name: str, account: str, region: str) -> None:
    scheduler_backends[account][region].delete_schedule_group(name)


def _alarm_type(moto: Forward) -> _ResourceType:
    """Alarms are put through moto's API: the properties are the call's members."""

    def call(operation: str, given: Mapping[str, Any], region: str) -> None:
        answer = moto(json_call("cloudwatch", operation, given, region))
        if not answer.succeeded:
            raise ValueError(f"{operation}: {answer.body.decode()}")

    def make(name: str, properties: dict[str, Any], account: str, region: str) -> _Made:
        alarm_name = properties.get("AlarmName", name)
        call("PutMetricAlarm", {**properties, "AlarmName": alarm_name}, region)
        return _Made(alarm_name, {"Arn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm_name}"})

    def unmake(name: str, _account: str, region: str) -> None:
        call("DeleteAlarms", {"AlarmNames": [name]}, region)

    return _ResourceType("AWS::CloudWatch::Alarm", "AlarmName", make, unmake)


def _saved_query(name: str, properties: dict[str, Any], _account: str, _region: str) -> _Made:
    """moto keeps no saved queries: the stack has them, and nobody can ask for them."""
    return _Made(properties.get("Name", name), {})


@contextmanager
def cloudformation_makes_what_moto_skips(moto: Forward) -> Iterator[None]:
    """Queue and topic policies, subscriptions, alarms, schedule groups and saved queries of a template are made.

    moto skips them with a warning.
    """
    made = [
        _ResourceType("AWS::SQS::QueuePolicy", "", _queue_policy),
        _ResourceType("AWS::SNS::TopicPolicy", "", _topic_policy),
        _ResourceType("AWS::SNS::Subscription", "", _subscription, _remove_subscription),
        _ResourceType("AWS::Scheduler::ScheduleGroup", "Name", _schedule_group, _remove_schedule_group),
        _ResourceType("AWS::Logs::QueryDefinition", "Name", _saved_query),
        _alarm_type(moto),
    ]
    types, by_name = parsing.get_model_list(), parsing.get_model_map()
    skipped = [kind for kind in made if kind.name not in by_name]
    types.extend(skipped)  # type: ignore[arg-type]
    by_name.update({kind.name: kind for kind in skipped})  # type: ignore[misc]
    try:
        yield
    finally:
        for kind in skipped:
            types.remove(kind)  # type: ignore[arg-type]
            del by_name[kind.name]


@contextmanager
def list_items_without_a_value_are_left_out() -> Iterator[None]:
    """``AWS::NoValue`` in a list leaves nothing. moto leaves null, which is no policy statement."""
    clean = parsing.clean_json

    def cleaned(template: Any, resources: Any) -> Any:
        value = clean(template, resources)
        return [item for item in value if item is not None] if isinstance(template, list) else value

    with replaced(parsing, "clean_json", cleaned):
        yield


@contextmanager
def lists_of_parameters_are_told_as_given() -> Iterator[None]:
    """DescribeStacks tells a CommaDelimitedList as its text, ``a,b``. moto tells a Python list, ``['a', 'b']``."""
    listed = vars(Stack)["parameter_list"].fget

    def told(stack: Any) -> list[dict[str, Any]]:
        return [
            {**it, "ParameterValue": ",".join(map(str, it["ParameterValue"]))}
            if isinstance(it["ParameterValue"], list)
            else it
            for it in listed(stack)
        ]

    with replaced(Stack, "parameter_list", property(told)):
        yield


CORRECTIONS = (
    s3_events_say_which_write_they_report,
    uploads_are_not_reported_as_tagging,
    buckets_tell_that_they_send_events,
    targets_receive_the_whole_event,
    rules_deliver_to_each_target_by_itself,
    queues_are_safe_for_concurrent_calls,
    dead_letters_name_the_queue_that_they_are_from,
    event_source_mappings_are_polled_by_the_poller,
    functions_of_templates_have_their_layers,
    endpoints_can_be_updated,
    list_items_without_a_value_are_left_out,
    lists_of_parameters_are_told_as_given,
)


@contextmanager
def replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """``replacement`` under ``name`` in a module or class, whether or not there was something before."""
    had, original = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        if had:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


def iso_time(moment: str | float) -> str:
    """A time of moto's, in seconds since 1970, as events have it."""
    return datetime.fromtimestamp(float(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
