"""S3's notifications of buckets in memory."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import NotFoundError
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class FakeBuckets(Recording):
    """The port ``Buckets``; buckets exist once they are added."""

    _regions: dict[str, str] = field(default_factory=dict)
    _notifications: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, bucket: str, notifications: Mapping[str, Any] | None = None, *, region: str = "us-east-1") -> None:
        """Make a bucket, or replace its notifications."""
        self._regions[bucket] = region
        self._notifications[bucket] = copy.deepcopy(dict(notifications or {}))

    def region(self, bucket: str) -> str:
        """Where it was added."""
        with self.call("region", bucket=bucket):
            return self._regions[self._there(bucket)]

    def notifications(self, bucket: str) -> Mapping[str, Any]:
        """What was written last."""
        with self.call("notifications", bucket=bucket):
            return copy.deepcopy(self._notifications[self._there(bucket)])

    def notify(self, bucket: str, notifications: Mapping[str, Any]) -> None:
        """Everything is replaced."""
        with self.call("notify", bucket=bucket, notifications=notifications):
            self._notifications[self._there(bucket)] = copy.deepcopy(dict(notifications))

    def _there(self, bucket: str) -> str:
        if bucket not in self._regions:
            raise NotFoundError(f"there is no bucket {bucket}")
        return bucket
