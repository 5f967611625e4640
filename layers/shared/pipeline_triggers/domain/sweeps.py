"""How far a sweep has come: what one invocation of the function leaves for the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Phase = Literal["look", "delete", "done"]

# A sweep of which nothing was heard for so long has ended without saying so. Its message comes again after 15 minutes
# at the latest, or after the queue's visibility timeout of 30.
ABANDONED_AFTER = timedelta(hours=1)
MAX_ABANDONED = 10
# An estate of more pages (of 100 schedules) than this is not looked through for one event. Sweeps note whose its
# schedules are instead: those that were made or changed since the last one did so, and all of them now and then,
# because notes expire. The clock of EventBridge Scheduler may be behind.
EVENT_SCAN_PAGES = 200
ALL_ARE_NOTED_EVERY = timedelta(days=10)
CLOCK_MARGIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class GroupLook:
    """How far a schedule group was looked through.

    ``token`` asks for the next page; ``schedules`` counts those that start pipelines of this home. ``restarts`` is how
    often the group was begun again because a token was refused.
    """

    token: str | None = None
    pages: int = 0
    schedules: int = 0
    restarts: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """How far a sweep has come.

    ``run`` is its own; ``message`` is the message that it goes on with. Whoever saves a position gives it another
    ``mark``, by which two that go on at once are told apart. ``previous`` are the runs before it whose orphans still
    count as seen: the last that looked at everything, and those after it that were abandoned. ``known_pages`` is how
    many pages of schedules the last complete look found (None: there was none yet). ``noted_until`` is when the last
    look began that noted whose the schedules are, and ``all_noted_at`` the last that noted all of them. ``orphans``
    is how many it has seen and not deleted, once it is done.
    """

    run: str
    message: str
    began: datetime
    saved_at: datetime
    mark: str
    phase: Phase = "look"
    groups: Mapping[str, GroupLook] = field(default_factory=dict)
    previous: tuple[str, ...] = ()
    known_pages: int | None = None
    noted_until: datetime | None = None
    all_noted_at: datetime | None = None
    orphans: int | None = None

    @property
    def pages(self) -> int:
        """How many pages were looked at until now."""
        return sum(group.pages for group in self.groups.values())

    @property
    def schedules(self) -> int:
        """How many schedules that start pipelines were looked at until now."""
        return sum(group.schedules for group in self.groups.values())

    @property
    def is_large(self) -> bool:
        """Whether there are too many schedules to be looked through for one event."""
        return max(self.known_pages or 0, self.pages) > EVENT_SCAN_PAGES

    def is_under_way(self, now: datetime) -> bool:
        """Whether somebody still goes on with it."""
        return self.phase != "done" and now - self.saved_at < ABANDONED_AFTER

    def looked(self) -> Position:
        """The same, when everything was looked at."""
        return replace(
            self,
            phase="delete",
            known_pages=self.pages,
            noted_until=self.began if self.is_noting else None,
            all_noted_at=self.began if self._notes_all else self.all_noted_at if self.is_noting else None,
        )

    @property
    def is_noting(self) -> bool:
        """Whether this look notes whose the schedules are; it is settled before it begins."""
        return (self.known_pages or 0) > EVENT_SCAN_PAGES

    def must_note(self, modified_at: datetime) -> bool:
        """Whether a schedule that was made or changed then is to be noted."""
        if not self.is_noting:
            return False
        return self._notes_all or self.noted_until is None or modified_at > self.noted_until - CLOCK_MARGIN

    @property
    def _notes_all(self) -> bool:
        is_due = self.all_noted_at is None or self.began - self.all_noted_at >= ALL_ARE_NOTED_EVERY
        return self.is_noting and is_due

    @property
    def seen_by(self) -> tuple[str, ...]:
        """The runs whose orphans count as seen for the next one."""
        return (*self.previous, self.run)[-MAX_ABANDONED:] if self.phase == "look" else (self.run,)

    def after(self, last: Position) -> Position:
        """The same as the next one after another sweep, with what that knew."""
        return replace(
            self,
            previous=last.seen_by,
            known_pages=last.known_pages,
            noted_until=last.noted_until,
            all_noted_at=last.all_noted_at,
        )

    def abandoned(self) -> Position:
        """The same, as if nothing had been heard of it for long."""
        return replace(self, saved_at=self.saved_at - ABANDONED_AFTER)

    def to_document(self) -> dict[str, Any]:
        """The stored form, as JSON."""
        return {
            "run": self.run,
            "message": self.message,
            "began": self.began.isoformat(),
            "saved_at": self.saved_at.isoformat(),
            "mark": self.mark,
            "phase": self.phase,
            "groups": {
                name: [look.token, look.pages, look.schedules, look.restarts, look.done]
                for name, look in self.groups.items()
            },
            "previous": list(self.previous),
            "known_pages": self.known_pages,
            "noted_until": self.noted_until and self.noted_until.isoformat(),
            "all_noted_at": self.all_noted_at and self.all_noted_at.isoformat(),
            "orphans": self.orphans,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Position:
        """Read the stored form back."""
        fields = {
            **document,
            "began": datetime.fromisoformat(document["began"]),
            "saved_at": datetime.fromisoformat(document["saved_at"]),
            "groups": {name: GroupLook(*look) for name, look in document["groups"].items()},
            "previous": tuple(document["previous"]),
            "noted_until": _time(document["noted_until"]),
            "all_noted_at": _time(document["all_noted_at"]),
        }
        return cls(**fields)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
