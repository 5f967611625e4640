"""Use case: look through what got stuck (the quarantine, the two dead-letter queues) and send it on its way again.

Sending again is always safe: the ledger knows what an occurrence has started. What was sent is removed afterwards, so
whatever goes wrong in between leaves the message in both places, and never in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline_triggers.domain.dead_letters import read_dead_letter
from pipeline_triggers.errors import AwsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pipeline_triggers.domain.dead_letters import DeadLetter
    from pipeline_triggers.domain.messages import Counts, Quarantined, Received
    from pipeline_triggers.domain.ports import Quarantine, Queues

# So long a message is hidden while it is only looked at. It is given back at once; if that fails, after this time.
LOOK_SECONDS = 30
# So long one is hidden while messages are sent on: those that stay are given back at the end.
REDRIVE_SECONDS = 300

# ``would-`` is a dry run's; "left" is what cannot be sent on, with the reason; "missing" what is not there any more.
HandledOutcome = Literal["redriven", "dropped", "would-redrive", "would-drop", "left", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of one event or message. ``queue`` is where it was sent, ``problem`` why it was left or failed."""

    id: str
    outcome: HandledOutcome
    queue: str = ""
    problem: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.outcome not in ("left", "failed")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of the quarantine, or messages of a dead-letter queue, are meant: all that fit what is given.

    ``reason`` is the reason of a quarantined event, or the ERROR_CODE of an undelivered message; ``since`` is when it
    was received, or first sent, at the earliest. ``trigger`` is for the quarantine only.
    """

    reason: str | None = None
    trigger: str | None = None
    since: datetime | None = None

    def takes(self, item: Quarantined) -> bool:
        """Whether a quarantined event is meant."""
        return (
            self.reason in (None, item.reason)
            and (self.trigger is None or self.trigger in item.triggers)
            and (self.since is None or item.received_at >= self.since)
        )

    def takes_letter(self, letter: DeadLetter) -> bool:
        """Whether a message of a dead-letter queue is meant."""
        return self.reason in (None, letter.error_code) and (self.since is None or letter.sent_at >= self.since)


@dataclass(frozen=True)
class QuarantineKeeper:
    """The events in quarantine: looked through, sent to their queues again, or dropped."""

    quarantine: Quarantine
    queues: Queues

    def list(self, selection: Selection) -> Iterator[Quarantined]:
        """The events that are meant, newest first, without their bodies. Raises AwsError when the table is not read."""
        for item in self.quarantine.list(selection.reason):
            if selection.since is not None and item.received_at < selection.since:
                return
            if selection.takes(item):
                yield item

    def redrive(self, ids: Iterable[str], *, dry_run: bool = False) -> Iterator[Handled]:
        """Send each event to the queue that it came from, then drop it. One that fails keeps no other back."""
        for id_ in ids:
            try:
                yield self._redrive(id_, dry_run=dry_run)
            except NotFoundError:
                yield Handled(id_, "missing")
            except AwsError as error:
                yield Handled(id_, "failed", problem=f"is still in quarantine: {error}")

    def drop(self, ids: Iterable[str], *, dry_run: bool = False) -> Iterator[Handled]:
        """Delete each event. One that fails keeps no other back."""
        for id_ in ids:
            try:
                if dry_run:
                    self.quarantine.get(id_)
                else:
                    self.quarantine.drop(id_)
                yield Handled(id_, "would-drop" if dry_run else "dropped")
            except NotFoundError:
                yield Handled(id_, "missing")
            except AwsError as error:
                yield Handled(id_, "failed", problem=str(error))

    def _redrive(self, id_: str, *, dry_run: bool) -> Handled:
        item = self.quarantine.get(id_)
        if not item.source_queue:
            save = f"save its body (quarantine show {id_} --body), invoke the function with it"
            return Handled(id_, "left", problem=f"it came without a queue: {save}, and drop it here")
        if dry_run:
            return Handled(id_, "would-redrive", item.source_queue)
        self.queues.send(item.source_queue, item.body, item.attributes)
        try:
            self.quarantine.drop(id_)
        except AwsError as error:
            told = f"was sent, but is still in quarantine too: {error}; to redrive it again does no harm"
            return Handled(id_, "failed", item.source_queue, told)
        return Handled(id_, "redriven", item.source_queue)


@dataclass(frozen=True)
class DeadLetters:
    """The stack's dead-letter queues. ``queue`` is ``dead-letter`` or ``undelivered``.

    SQS's own redrive (StartMessageMoveTask) serves only queues that are the dead-letter queue of another queue, and
    filters nothing: so messages are received, sent and deleted one by one.
    """

    queues: Queues
    stack: str

    def counts(self, queue: str) -> Counts:
        """How many messages a queue holds about now."""
        return self.queues.counts(f"{self.stack}-{queue}")

    def list(self, queue: str, selection: Selection, limit: int) -> list[DeadLetter]:
        """Up to ``limit`` messages that are meant, the oldest first.

        SQS shows messages only by handing them out: each is received, hidden from others for a moment, and given back.
        Nothing counts how often that happens, because nothing is moved out of a dead-letter queue for it.
        """
        seen: list[Received] = []
        found: list[DeadLetter] = []
        try:
            for message in self._receive(queue, LOOK_SECONDS):
                seen.append(message)
                letter = read_dead_letter(message, queue, self.stack)
                if selection.takes_letter(letter):
                    found.append(letter)
                if len(found) >= limit:
                    break
        finally:
            self._give_back(queue, seen)
        return sorted(found, key=lambda letter: letter.sent_at)

    def redrive(self, queue: str, selection: Selection, *, dry_run: bool = False) -> Iterator[Handled]:
        """Send each message that is meant to the queue where it belongs, then delete it here.

        One that fails, or belongs to no queue, stays and keeps no other back. Raises AwsError when nothing can be
        received any more.
        """
        kept: list[Received] = []
        try:
            for message in self._receive(queue, REDRIVE_SECONDS):
                letter = read_dead_letter(message, queue, self.stack)
                handled = (
                    self._handle(message, letter, queue, dry_run=dry_run) if selection.takes_letter(letter) else None
                )
                if handled is None or handled.outcome != "redriven":
                    kept.append(message)
                if handled is not None:
                    yield handled
        finally:
            self._give_back(queue, kept)

    def _handle(self, message: Received, letter: DeadLetter, queue: str, *, dry_run: bool) -> Handled:
        if not letter.queue:
            return Handled(letter.id, "left", problem=letter.hindrance)
        if dry_run:
            return Handled(letter.id, "would-redrive", letter.queue)
        try:
            self.queues.send(letter.queue, letter.body, letter.attributes)
        except AwsError as error:
            return Handled(letter.id, "failed", letter.queue, f"is still in {queue}: {error}")
        try:
            self.queues.delete(f"{self.stack}-{queue}", message.receipt_handle)
        except AwsError as error:
            told = f"was sent, but is still in {queue} too: {error}; to redrive it again does no harm"
            return Handled(letter.id, "failed", letter.queue, told)
        return Handled(letter.id, "redriven", letter.queue)

    def _receive(self, queue: str, seconds: int) -> Iterator[Received]:
        """Each message once, until the queue has no new ones.

        Of many messages the first come again while the last are still waiting: so it ends only when none come, or when
        more have come again in a row than there are.
        """
        seen: set[str] = set()
        again = 0
        while again <= len(seen) and (messages := self.queues.receive(f"{self.stack}-{queue}", seconds)):
            for message in messages:
                if message.id in seen:
                    again += 1
                    continue
                again = 0
                seen.add(message.id)
                yield message

    def _give_back(self, queue: str, messages: Iterable[Received]) -> None:
        for message in messages:
            try:
                self.queues.delay(f"{self.stack}-{queue}", message.receipt_handle, 0)
            except AwsError:
                return  # they come back by themselves when their time is over
