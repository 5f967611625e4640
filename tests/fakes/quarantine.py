"""The quarantine in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.errors import NotFoundError
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.messages import Quarantined


@dataclass
class FakeQuarantine(Recording):
    """The port ``Quarantine``; ``items`` by id."""

    clock: FakeClock = field(default_factory=FakeClock)
    items: dict[str, Quarantined] = field(default_factory=dict)
    _expires_at: dict[str, datetime] = field(default_factory=dict)

    def put(self, item: Quarantined) -> None:
        """Keep or replace."""
        with self.call("put", item=item):
            self.items[item.id] = item
            self._expires_at[item.id] = self.clock.now() + timedelta(days=90)

    def list(self, reason: str | None = None) -> Iterator[Quarantined]:
        """Newest first, without bodies, attributes and decisions."""
        with self.call("list", reason=reason):
            found = [item for item in self.items.values() if reason in (None, item.reason) and self._lives(item.id)]
            newest_first = sorted(found, key=lambda item: item.received_at, reverse=True)
            return iter([replace(item, body="", attributes={}, decisions=()) for item in newest_first])

    def get(self, id: str) -> Quarantined:  # noqa: A002 - the port's word
        """Whole."""
        with self.call("get", id=id):
            if id not in self.items or not self._lives(id):
                raise NotFoundError(f"there is nothing in quarantine with the id {id}")
            return self.items[id]

    def drop(self, id: str) -> None:  # noqa: A002 - the port's word
        """Gone."""
        with self.call("drop", id=id):
            self.items.pop(id, None)

    def _lives(self, id_: str) -> bool:
        return self._expires_at[id_] > self.clock.now()
