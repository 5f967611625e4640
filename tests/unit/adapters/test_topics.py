"""What is asked of SNS about the subscriptions of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.topics import SnsTopics
from pipeline_triggers.domain.connections import Subscription
from pipeline_triggers.errors import NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN, FOREIGN = (f"arn:aws:sns:us-east-1:{account}:uploads" for account in ("123456789012", "210987654321"))
QUEUE = "arn:aws:sqs:us-east-1:123456789012:sns-event"
ATTRIBUTES = {"RawMessageDelivery": "false"}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def sns(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.client("sns")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def topics(clients: Clients) -> SnsTopics:
    return SnsTopics(clients, "123456789012")


def listed(topic: str = OWN, endpoint: str = QUEUE, protocol: str = "sqs", arn: str = "") -> dict[str, Any]:
    found = {"SubscriptionArn": arn or f"{topic}:1", "Owner": "123456789012", "Protocol": protocol}
    return {**found, "Endpoint": endpoint, "TopicArn": topic}


def test_the_subscriptions_of_an_own_topic_are_listed_by_topic_on_all_pages(topics: SnsTopics, sns: Stubber) -> None:
    others = [listed(endpoint=f"{QUEUE}2"), listed(endpoint="https://example.com", protocol="https")]
    sns.add_response("list_subscriptions_by_topic", {"Subscriptions": others, "NextToken": "2"}, {"TopicArn": OWN})
    sns.add_response("list_subscriptions_by_topic", {"Subscriptions": [listed()]}, {"TopicArn": OWN, "NextToken": "2"})
    sns.add_response("get_subscription_attributes", {"Attributes": ATTRIBUTES}, {"SubscriptionArn": f"{OWN}:1"})
    assert topics.subscription(OWN, QUEUE) == Subscription(f"{OWN}:1", ATTRIBUTES)


def test_a_topic_of_another_account_is_looked_for_among_ones_own_subscriptions(topics: SnsTopics, sns: Stubber) -> None:
    sns.add_response("list_subscriptions", {"Subscriptions": [listed(), listed(FOREIGN)]}, {})
    sns.add_response("get_subscription_attributes", {"Attributes": ATTRIBUTES}, {"SubscriptionArn": f"{FOREIGN}:1"})
    assert topics.subscription(FOREIGN, QUEUE) == Subscription(f"{FOREIGN}:1", ATTRIBUTES)


def test_a_subscription_that_waits_to_be_confirmed_has_no_arn(topics: SnsTopics, sns: Stubber) -> None:
    waiting = listed(arn="PendingConfirmation")
    sns.add_response("list_subscriptions_by_topic", {"Subscriptions": [waiting]}, {"TopicArn": OWN})
    assert topics.subscription(OWN, QUEUE) == Subscription("")


def test_a_queue_is_subscribed_with_its_attributes_at_once(topics: SnsTopics, sns: Stubber) -> None:
    expected = {
        "TopicArn": OWN,
        "Protocol": "sqs",
        "Endpoint": QUEUE,
        "Attributes": ATTRIBUTES,
        "ReturnSubscriptionArn": True,
    }
    sns.add_response("subscribe", {"SubscriptionArn": f"{OWN}:1"}, expected)
    assert topics.subscribe(OWN, QUEUE, ATTRIBUTES).arn == f"{OWN}:1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NotFound", NotFoundError), ("AuthorizationError", TransientError), ("InvalidParameter", PermanentError)],
)
def test_a_failure_is_told(topics: SnsTopics, sns: Stubber, code: str, kind: type[Exception]) -> None:
    sns.add_client_error("list_subscriptions_by_topic", code)
    with pytest.raises(kind):
        topics.subscription(OWN, QUEUE)


def test_a_subscription_that_is_gone_need_not_be_deleted(topics: SnsTopics, sns: Stubber) -> None:
    sns.add_client_error("unsubscribe", "NotFound")
    topics.unsubscribe(f"{OWN}:1")


def test_any_other_failure_to_delete_is_told(topics: SnsTopics, sns: Stubber) -> None:
    sns.add_client_error("unsubscribe", "AuthorizationError")
    with pytest.raises(TransientError):
        topics.unsubscribe(f"{OWN}:1")
