"""The contracts of the ports of "connect" and "import": the same tests over each fake and over the adapter on moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.adapters.buckets import S3Buckets
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.connections import DynamoConnections
from pipeline_triggers.adapters.queue_policies import SqsPolicies
from pipeline_triggers.adapters.rule_definitions import EventBridgeRuleBook
from pipeline_triggers.adapters.topics import SnsTopics
from pipeline_triggers.domain.connections import Connected
from pipeline_triggers.domain.rules import RuleDefinition
from pipeline_triggers.errors import NotFoundError
from pipeline_triggers.local.corrections import buckets_tell_that_they_send_events
from tests.fakes.buckets import FakeBuckets
from tests.fakes.clock import NOON
from tests.fakes.connections import FakeConnections
from tests.fakes.pipelines import HOME
from tests.fakes.queue_policies import FakeQueuePolicies, lets
from tests.fakes.rule_book import FakeRuleBook
from tests.fakes.topics import FakeTopics
from tests.integration.tables import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.adapters.clients import Clients as AnyClients
    from pipeline_triggers.domain.ports import Buckets, Connections, QueuePolicies, RuleBook, Topics

QUEUE = "arn:aws:sqs:us-east-1:123456789012:sns-event"
TOPIC = "arn:aws:sns:us-east-1:123456789012:uploads"
REDRIVE = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:undelivered"})
TO_THE_QUEUE: dict[str, Any] = {
    "QueueConfigurations": [
        {
            "Id": "uploads",
            "QueueArn": "arn:aws:sqs:us-east-1:123456789012:uploads",
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/a&b"}]}},
        }
    ]
}
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
PATTERN = {"source": ["aws.s3"]}
TARGET = {"Id": "train", "Arn": PIPELINE, "RoleArn": "arn:aws:iam::123456789012:role/rules"}


@pytest.fixture
def clients(aws_environment: None) -> Iterator[AnyClients]:
    from moto import mock_aws

    with mock_aws(), buckets_tell_that_they_send_events():
        yield Clients(region="us-east-1")


@pytest.fixture(params=["fake", "s3"])
def buckets(request: pytest.FixtureRequest) -> Buckets:
    """The bucket raw-data, with nothing that it notifies."""
    if request.param == "fake":
        fake = FakeBuckets()
        fake.add("raw-data")
        return fake
    clients = request.getfixturevalue("clients")
    clients.client("s3").create_bucket(Bucket="raw-data")
    return S3Buckets(clients, HOME.account)


def test_a_bucket_tells_its_region(buckets: Buckets) -> None:
    assert buckets.region("raw-data") == "us-east-1"


def test_a_bucket_that_is_not_there_is_not_found(buckets: Buckets) -> None:
    with pytest.raises(NotFoundError, match="there is no bucket other-data"):
        buckets.region("other-data")
    with pytest.raises(NotFoundError):
        buckets.notifications("other-data")
    with pytest.raises(NotFoundError):
        buckets.notify("other-data", {})


def test_a_new_bucket_notifies_nobody(buckets: Buckets) -> None:
    assert buckets.notifications("raw-data") == {}


def test_notifications_are_replaced_as_a_whole_and_read_as_they_were_written(buckets: Buckets) -> None:
    buckets.notify("raw-data", {**TO_THE_QUEUE, "EventBridgeConfiguration": {}})
    assert buckets.notifications("raw-data") == {**TO_THE_QUEUE, "EventBridgeConfiguration": {}}
    buckets.notify("raw-data", TO_THE_QUEUE)
    assert buckets.notifications("raw-data") == TO_THE_QUEUE
    buckets.notify("raw-data", {})
    assert buckets.notifications("raw-data") == {}


@pytest.fixture(params=["fake", "sns"])
def topics(request: pytest.FixtureRequest) -> Topics:
    """The topic uploads, without a subscription."""
    if request.param == "fake":
        fake = FakeTopics()
        fake.add(TOPIC)
        return fake
    clients = request.getfixturevalue("clients")
    clients.client("sns").create_topic(Name="uploads")
    clients.client("sqs").create_queue(QueueName="sns-event")
    return SnsTopics(clients, HOME.account)


def test_a_topic_without_a_subscription_has_none(topics: Topics) -> None:
    assert topics.subscription(TOPIC, QUEUE) is None


def test_a_topic_that_is_not_there_is_not_found(topics: Topics) -> None:
    with pytest.raises(NotFoundError, match=f"{TOPIC}s"):
        topics.subscription(f"{TOPIC}s", QUEUE)


def test_a_queue_is_subscribed_with_attributes_which_are_read_back(topics: Topics) -> None:
    made = topics.subscribe(TOPIC, QUEUE, {"RawMessageDelivery": "false", "RedrivePolicy": REDRIVE})
    found = topics.subscription(TOPIC, QUEUE)
    assert found is not None
    assert (found.arn, found.attributes["RawMessageDelivery"]) == (made.arn, "false")
    assert json.loads(found.attributes["RedrivePolicy"]) == json.loads(REDRIVE)
    assert topics.subscription(TOPIC, f"{QUEUE}2") is None


def test_an_attribute_is_changed_and_the_others_stay(topics: Topics) -> None:
    made = topics.subscribe(TOPIC, QUEUE, {"RawMessageDelivery": "true", "RedrivePolicy": REDRIVE})
    topics.change(made.arn, "RawMessageDelivery", "false")
    found = topics.subscription(TOPIC, QUEUE)
    assert found is not None
    assert found.attributes["RawMessageDelivery"] == "false"
    assert found.attributes["RedrivePolicy"] == REDRIVE


def test_a_subscription_is_deleted_and_may_be_deleted_again(topics: Topics) -> None:
    made = topics.subscribe(TOPIC, QUEUE, {})
    topics.unsubscribe(made.arn)
    assert topics.subscription(TOPIC, QUEUE) is None
    topics.unsubscribe(made.arn)


@pytest.fixture(params=["fake", "sqs"])
def policies(request: pytest.FixtureRequest) -> QueuePolicies:
    """The queue sns-event, which SNS may send to, and the queue bare, without a policy."""
    policy = lets("sns.amazonaws.com", QUEUE)
    bare = QUEUE.replace("sns-event", "bare")
    if request.param == "fake":
        fake = FakeQueuePolicies()
        fake.add(QUEUE, policy)
        fake.add(bare)
        return fake
    clients = request.getfixturevalue("clients")
    clients.sqs.create_queue(QueueName="sns-event", Attributes={"Policy": json.dumps(policy)})
    clients.sqs.create_queue(QueueName="bare")
    return SqsPolicies(clients)


def test_a_queues_policy_is_read_and_one_without_is_empty(policies: QueuePolicies) -> None:
    assert policies.of(QUEUE) == lets("sns.amazonaws.com", QUEUE)
    assert policies.of(QUEUE.replace("sns-event", "bare")) == {}


def test_a_queue_that_is_not_there_is_not_found(policies: QueuePolicies) -> None:
    with pytest.raises(NotFoundError, match="there is no queue arn:aws:sqs:us-east-1:123456789012:gone"):
        policies.of("arn:aws:sqs:us-east-1:123456789012:gone")


@pytest.fixture(params=["fake", "dynamodb"])
def connections(request: pytest.FixtureRequest) -> Connections:
    if request.param == "fake":
        return FakeConnections()
    clients = request.getfixturevalue("clients")
    return DynamoConnections(clients, create_table(clients, "triggers"))


@pytest.mark.parametrize(
    "connected",
    [
        Connected("bucket", "raw-data", "ann", NOON),
        Connected("topic", TOPIC, "ann", NOON, f"{TOPIC}:1", None),
        Connected("topic", TOPIC, "ann", NOON, f"{TOPIC}:1", {"RawMessageDelivery": "true", "RedrivePolicy": None}),
    ],
)
def test_what_was_connected_is_remembered_until_it_is_forgotten(connections: Connections, connected: Connected) -> None:
    assert connections.get(connected.kind, connected.name) is None
    connections.put(connected)
    assert connections.get(connected.kind, connected.name) == connected
    assert connections.get("bucket" if connected.kind == "topic" else "topic", connected.name) is None
    connections.forget(connected.kind, connected.name)
    assert connections.get(connected.kind, connected.name) is None
    connections.forget(connected.kind, connected.name)


@pytest.fixture(params=["fake", "events"])
def book(request: pytest.FixtureRequest) -> RuleBook:
    """The rule retrain on the default bus, and the rule orders on the bus own."""
    if request.param == "fake":
        fake = FakeRuleBook()
        fake.add("retrain", PATTERN, TARGET, tags={"team": "churn"}, Description="On upload")
        fake.add("orders", {"source": ["shop"]}, bus="own")
        return fake
    events = request.getfixturevalue("clients").client("events")
    events.put_rule(Name="retrain", EventPattern=json.dumps(PATTERN), Description="On upload")
    events.put_targets(Rule="retrain", Targets=[TARGET])
    arn = "arn:aws:events:us-east-1:123456789012:rule/retrain"
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "churn"}])
    events.create_event_bus(Name="own")
    events.put_rule(Name="orders", EventBusName="own", EventPattern=json.dumps({"source": ["shop"]}))
    return EventBridgeRuleBook(request.getfixturevalue("clients"))


def test_the_rules_of_all_buses_are_read_with_their_definition(book: RuleBook) -> None:
    assert list(book.buses()) == ["default", "own"]
    (retrain,) = book.rules("default")
    assert (retrain.bus, retrain.name) == ("default", "retrain")
    assert retrain.arn == "arn:aws:events:us-east-1:123456789012:rule/retrain"
    assert json.loads(retrain.document["EventPattern"]) == PATTERN
    assert (retrain.document["State"], retrain.document["Description"]) == ("ENABLED", "On upload")
    assert [rule.name for rule in book.rules("own")] == ["orders"]


def test_a_rule_is_read_by_name(book: RuleBook) -> None:
    rule = book.rule("own", "orders")
    assert (rule.bus, rule.name) == ("own", "orders")
    assert json.loads(rule.document["EventPattern"]) == {"source": ["shop"]}


def test_a_rules_targets_and_tags_are_read(book: RuleBook) -> None:
    rule = book.rule("default", "retrain")
    assert list(book.targets(rule)) == [TARGET]
    assert book.tags(rule) == {"team": "churn"}
    assert list(book.targets(book.rule("own", "orders"))) == []


def test_a_rule_that_is_not_there_is_not_found_and_has_no_targets(book: RuleBook) -> None:
    gone = RuleDefinition("arn:aws:events:us-east-1:123456789012:rule/gone", "default", "gone", {})
    with pytest.raises(NotFoundError, match="there is no rule gone on the event bus default"):
        book.rule("default", "gone")
    assert list(book.targets(gone)) == []
    with pytest.raises(NotFoundError):
        book.tags(gone)
    with pytest.raises(NotFoundError):
        book.disable(gone)


def test_a_rule_is_disabled_and_keeps_everything_else(book: RuleBook) -> None:
    before = book.rule("default", "retrain")
    book.disable(before)
    after = book.rule("default", "retrain")
    assert after.document == {**before.document, "State": "DISABLED"}
    assert list(book.targets(after)) == [TARGET]
