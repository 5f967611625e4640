"""SNS's subscriptions of queues: implements the port ``Topics``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.connections import Subscription, account_of
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sns import SNSClient

    from pipeline_triggers.adapters.clients import Clients

PROTOCOL = "sqs"
MISSING = frozenset({"NotFound", "NotFoundException"})
# SNS says so instead of an ARN until somebody has confirmed.
_PENDING = ("PendingConfirmation", "pending confirmation")


class SnsTopics:
    """The topics that the account may subscribe to."""

    def __init__(self, clients: Clients, account: str) -> None:
        self._clients = clients
        self._account = account

    def subscription(self, topic_arn: str, queue_arn: str) -> Subscription | None:
        """The subscription of a queue to a topic, of whatever account. NotFoundError when there is no such topic."""
        with readable(), _found(topic_arn):
            arn = next((arn for arn in self._of_queue(topic_arn, queue_arn)), None)
            return None if arn is None else self._whole(arn)

    def subscribe(self, topic_arn: str, queue_arn: str, attributes: Mapping[str, str]) -> Subscription:
        """Subscribe a queue to a topic."""
        with translated(), _found(topic_arn):
            answer = self._sns.subscribe(
                TopicArn=topic_arn,
                Protocol=PROTOCOL,
                Endpoint=queue_arn,
                Attributes=dict(attributes),
                ReturnSubscriptionArn=True,
            )
        return Subscription(answer["SubscriptionArn"], dict(attributes))

    def change(self, subscription_arn: str, attribute: str, value: str) -> None:
        """Set an attribute of a subscription; an empty value unsets it."""
        with translated(), _found(subscription_arn):
            self._sns.set_subscription_attributes(
                SubscriptionArn=subscription_arn, AttributeName=attribute, AttributeValue=value
            )

    def unsubscribe(self, subscription_arn: str) -> None:
        """Delete a subscription; one that is not there is fine."""
        with translated():
            try:
                self._sns.unsubscribe(SubscriptionArn=subscription_arn)
            except ClientError as error:
                if code_of(error) not in MISSING:
                    raise

    @property
    def _sns(self) -> SNSClient:
        return cast("SNSClient", self._clients.client("sns"))

    def _of_queue(self, topic_arn: str, queue_arn: str) -> Iterator[str]:
        """The ARNs of subscriptions. Who owns a topic may list it; others list what they have subscribed to."""
        is_own = account_of(topic_arn) == self._account
        page: dict[str, Any] = {"TopicArn": topic_arn} if is_own else {}
        while True:
            answer: Mapping[str, Any] = (
                self._sns.list_subscriptions_by_topic(**page) if is_own else self._sns.list_subscriptions(**page)
            )
            for found in answer["Subscriptions"]:
                if (found["TopicArn"], found["Protocol"], found["Endpoint"]) == (topic_arn, PROTOCOL, queue_arn):
                    yield found["SubscriptionArn"]
            if not answer.get("NextToken"):
                return
            page["NextToken"] = answer["NextToken"]

    def _whole(self, arn: str) -> Subscription:
        if arn in _PENDING:
            return Subscription("")
        return Subscription(arn, self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])


@contextmanager
def _found(arn: str) -> Iterator[None]:
    """Say in words that there is no such topic or subscription."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in MISSING:
            raise NotFoundError(f"there is no topic or subscription {arn}") from error
        raise
