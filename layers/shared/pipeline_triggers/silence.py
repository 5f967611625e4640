"""Use case: which triggers have started nothing for long, though they could have.

The ledger is asked about each trigger by itself, and only about those that the latest starts of all do not show.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.domain.ports import Ledger, TriggerStore
    from pipeline_triggers.domain.triggers import Snapshot

# So many starts, the latest of all triggers, are read first: busy triggers are among them.
LATEST = 200
# So many triggers are asked about by themselves, and so many at a time.
MAX_ASKED = 1000
AT_ONCE = 8
# So many latest entries of one trigger are read first; where all of them failed, up to so many.
OF_ONE = 10
MAX_OF_ONE = 1000


@dataclass(frozen=True, slots=True)
class Silence:
    """The ``triggers`` that have started nothing since then, out of ``looked_at``.

    ``known`` are all that could have: enabled, on events, and so already then. Schedules that start their pipelines
    themselves leave no record, so triggers with a schedule are left out.
    """

    since: datetime
    triggers: tuple[str, ...] = ()
    looked_at: int = 0
    known: int = 0


@dataclass(frozen=True)
class Listener:
    """Asks the ledger. Every method may raise AwsError, and NotFoundError when a revision is gone."""

    ledger: Ledger
    store: TriggerStore

    def silence(self, current: Snapshot, since: datetime) -> Silence:
        """Which of the triggers have started nothing since a time."""
        then = self._as_of(since, current)
        names = [name for name in _on_events(current) if name in then]
        if not names:
            return Silence(since)
        latest = self.ledger.of_state("STARTED", since, at_most=LATEST)
        started = {str(entry["trigger"]) for entry in latest}
        unheard = [name for name in names if name not in started]
        asked = unheard[:MAX_ASKED]
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            heard = list(pool.map(lambda name: self._has_started(name, since), asked))
        silent = tuple(name for name, has_started in zip(asked, heard, strict=True) if not has_started)
        return Silence(since, silent, looked_at=len(names) - len(unheard) + len(asked), known=len(names))

    def _as_of(self, time: datetime, current: Snapshot) -> frozenset[str]:
        """The triggers on events that were enabled at a time."""
        revision = next((info.revision for info in self.store.revisions() if info.at <= time), 0)
        then = current if revision == current.revision else self.store.load(revision) if revision else None
        return frozenset(_on_events(then)) if then else frozenset()

    def _has_started(self, trigger: str, since: datetime) -> bool:
        latest = list(self.ledger.history(trigger, since, at_most=OF_ONE))
        has_started = any(map(_is_start, latest))
        if has_started or len(latest) < OF_ONE:
            return has_started
        return any(map(_is_start, islice(self.ledger.history(trigger, since), MAX_OF_ONE)))


def _is_start(entry: Mapping[str, Any]) -> bool:
    return bool(entry["state"] == "STARTED")


def _on_events(snapshot: Snapshot) -> list[str]:
    return [trigger.name for trigger in snapshot.triggers if trigger.state == "ENABLED" and trigger.pattern]
