"""The policies of queues in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import NotFoundError
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping


def lets(service: str, queue_arn: str, source_arn: str = "*") -> dict[str, Any]:
    """A policy that lets a service send to a queue on behalf of what an ARN with ``*`` in it means."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": source_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass
class FakeQueuePolicies(Recording):
    """The port ``QueuePolicies``; queues exist once they are added."""

    _policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def add(self, queue_arn: str, policy: Mapping[str, Any] | None = None) -> None:
        """Make a queue, or give it another policy."""
        self._policies[queue_arn] = policy or {}

    def of(self, queue_arn: str) -> Mapping[str, Any]:
        """As it was added."""
        with self.call("of", queue_arn=queue_arn):
            if queue_arn not in self._policies:
                raise NotFoundError(f"there is no queue {queue_arn}")
            return self._policies[queue_arn]
