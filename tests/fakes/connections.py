"""What was connected to the stack, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from pipeline_triggers.domain.connections import Connected


@dataclass
class FakeConnections(Recording):
    """The port ``Connections``."""

    _known: dict[tuple[str, str], Connected] = field(default_factory=dict)

    def get(self, kind: Literal["bucket", "topic"], name: str) -> Connected | None:
        """What was put last."""
        with self.call("get", kind=kind, name=name):
            return self._known.get((kind, name))

    def put(self, connected: Connected) -> None:
        """Replaces what was known."""
        with self.call("put", connected=connected):
            self._known[connected.kind, connected.name] = connected

    def forget(self, kind: Literal["bucket", "topic"], name: str) -> None:
        """Gone."""
        with self.call("forget", kind=kind, name=name):
            self._known.pop((kind, name), None)
