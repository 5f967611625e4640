"""SNS's subscriptions of queues in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_triggers.domain.connections import Subscription
from pipeline_triggers.errors import NotFoundError
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class FakeTopics(Recording):
    """The port ``Topics``; topics exist once they are added."""

    _topics: list[str] = field(default_factory=list)
    _subscriptions: dict[tuple[str, str], Subscription] = field(default_factory=dict)
    _made: int = 0

    def add(self, topic_arn: str) -> None:
        """Make a topic."""
        self._topics.append(topic_arn)

    def subscription(self, topic_arn: str, queue_arn: str) -> Subscription | None:
        """The one of this queue."""
        with self.call("subscription", topic_arn=topic_arn, queue_arn=queue_arn):
            self._require(topic_arn)
            return self._subscriptions.get((topic_arn, queue_arn))

    def subscribe(self, topic_arn: str, queue_arn: str, attributes: Mapping[str, str]) -> Subscription:
        """With the attributes as they were given, and those that SNS adds."""
        with self.call("subscribe", topic_arn=topic_arn, queue_arn=queue_arn, attributes=attributes):
            self._require(topic_arn)
            self._made += 1
            made = Subscription(f"{topic_arn}:{self._made:08d}", {"RawMessageDelivery": "false", **attributes})
            self._subscriptions[topic_arn, queue_arn] = made
            return made

    def change(self, subscription_arn: str, attribute: str, value: str) -> None:
        """Set, or unset when the value is empty."""
        with self.call("change", subscription_arn=subscription_arn, attribute=attribute, value=value):
            key, found = self._of(subscription_arn)
            others = {name: old for name, old in found.attributes.items() if name != attribute}
            attributes = {**others, **({attribute: value} if value else {})}
            self._subscriptions[key] = Subscription(subscription_arn, attributes)

    def unsubscribe(self, subscription_arn: str) -> None:
        """Gone."""
        with self.call("unsubscribe", subscription_arn=subscription_arn):
            kept = {key: it for key, it in self._subscriptions.items() if it.arn != subscription_arn}
            self._subscriptions = kept

    def _require(self, topic_arn: str) -> None:
        if topic_arn not in self._topics:
            raise NotFoundError(f"there is no topic or subscription {topic_arn}")

    def _of(self, subscription_arn: str) -> tuple[tuple[str, str], Subscription]:
        for key, found in self._subscriptions.items():
            if found.arn == subscription_arn:
                return key, found
        raise NotFoundError(f"there is no topic or subscription {subscription_arn}")
