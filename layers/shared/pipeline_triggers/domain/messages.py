"""Messages of queues, and what is kept of those that could start nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One event that cannot start anything as it is, with its original body.

    ``attributes`` are those of the SQS message, in the form of ``Received``: triggers may read them.
    """

    id: str
    reason: str
    source_queue: str
    received_at: datetime
    body: str
    triggers: tuple[str, ...] = ()
    decisions: tuple[Mapping[str, Any], ...] = field(default=())
    message: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """The messages of a queue, as SQS counts them: approximately, and a minute or so late.

    ``waiting`` can be received, ``in_flight`` were received and may come back, ``delayed`` wait for their time.
    """

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All messages that the queue holds."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was received and is hidden from others for a while.

    ``sent_at`` is when it was sent first: a dead-letter queue keeps that time. ``source_arn`` is the queue that SQS
    moved it from, empty for a message that was sent here. ``attributes`` are the message's own, as SQS writes them:
    ``{"ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"}}``.
    """

    id: str
    receipt_handle: str
    body: str
    sent_at: datetime
    source_arn: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self, attribute: str) -> str:
        """The text of an attribute; empty when there is none."""
        return str(self.attributes.get(attribute, {}).get("StringValue", ""))
