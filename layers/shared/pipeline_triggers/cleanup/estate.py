"""What clean-ups look at and act on: the ports, how fast they may be called, and questions that several parts ask."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline_triggers.cleanup.pacing import Pace
from pipeline_triggers.domain.cleanup_policy import Policy, protects_group
from pipeline_triggers.domain.orphans import failed, kept
from pipeline_triggers.domain.owners import Owners
from pipeline_triggers.errors import AwsError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.orphans import Orphan, Report
    from pipeline_triggers.domain.owners import UnknownTrigger
    from pipeline_triggers.domain.ports import (
        CleanupStore,
        Clock,
        OrphanMarks,
        Pipelines,
        Rules,
        Schedules,
        TriggerStore,
    )
    from pipeline_triggers.domain.scheduler import Schedule, ScheduleDefinition, SchedulePage
    from pipeline_triggers.domain.sweeps import Position
    from pipeline_triggers.domain.triggers import Snapshot

# Reading, storing and deleting one schedule must fit before the deadline, as must one page of a list.
STEP_BUDGET = timedelta(seconds=25)
# Who meets one of these had better come back later: the next call would meet it too.
NOT_NOW = frozenset({"throttled", "unavailable", "deadline"})


class SweepLostError(TransientError):
    """Somebody else goes on with this sweep."""

    def __init__(self) -> None:
        super().__init__("in-progress", "another invocation goes on with this sweep")


def until_the_next_sweep(error: AwsError) -> PermanentError:
    """An error as it counts for a sweep: the next one tries again."""
    return PermanentError("access-denied" if error.is_denied else error.reason, str(error))


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls a second may begin, and how many at the same time.

    EventBridge Scheduler's quota of ListSchedules was seen as 50 a second; those of GetSchedule and DeleteSchedule are
    1,000 in large Regions and less in others. They are the account's: others call too.
    """

    lists: float = 40
    reads: float = 200
    deletes: float = 100
    at_once: int = 8

    def share(self, parts: int) -> int:
        """How many calls each of so many parts that run at the same time may make at once."""
        return max(1, self.at_once // max(1, parts))


@dataclass(frozen=True, slots=True)
class Run:
    """One clean-up: what changes after ``began`` is left alone, and after ``deadline`` nothing more is called.

    ``id`` is that of a sweep.
    """

    began: datetime
    deadline: datetime
    id: str = ""


@dataclass(frozen=True)
class Estate:
    """Everything that may be orphaned, in the account and Region of a stack; ``stack`` is its schedule group's name.

    In a rehearsal nothing is deleted, though the policy may say so.
    """

    pipelines: Pipelines
    schedules: Schedules
    rules: Rules
    triggers: TriggerStore
    marks: OrphanMarks
    store: CleanupStore
    clock: Clock
    home: Home
    stack: str
    policy: Policy = field(default_factory=Policy)
    rates: Rates = field(default_factory=Rates)
    is_rehearsal: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _snapshots: dict[int, Snapshot] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def owners(self) -> Owners:
        """Says whose a schedule is."""
        return Owners(self.home, self.stack)

    @cached_property
    def deletes(self) -> Pace:
        """To be waited for before each delete."""
        return Pace(self.rates.deletes, self.clock)

    def page(self, group: str, token: str | None) -> SchedulePage:
        """A page of a group's schedules."""
        self._lists.wait()
        page = self.schedules.page(group, token)
        if token is not None and page.token == token:
            raise TransientError("unavailable", f"the list of schedules of the group {group} repeats itself")
        return page

    def must_be_read(self, schedule: Schedule) -> bool:
        """Whether a schedule may start pipelines, and a list of schedules does not tell which."""
        return self.owners.way(schedule.target_arn) in ("universal", "app")

    def definition(self, group: str, name: str) -> ScheduleDefinition:
        """One schedule whole. NotFoundError when there is none."""
        self._reads.wait()
        return self.schedules.get(group, name)

    def started_by(self, definition: ScheduleDefinition) -> tuple[str, ...] | UnknownTrigger:
        """The pipelines that a schedule starts, by the triggers as they are now."""
        return self.owners.pipelines(definition.document, self.snapshot)

    def snapshot(self) -> Snapshot:
        """The stack's triggers as they are now: one read, and a larger one when they have changed."""
        with self._lock:
            revision = self.triggers.revision()
            if self._snapshots.get(revision) is None:
                self._snapshots.clear()
                self._snapshots[revision] = self.triggers.load(revision)
            return self._snapshots[revision]

    def refusal(self, orphans: Sequence[Orphan], run: Run) -> Report | None:
        """None when all the pipelines that these start are absent now; else why they all stay.

        They start the same pipelines, and may spell them in different ways: they must be absent under each.
        """
        try:
            self.leave_time_for_a_step(run)
            spellings = dict.fromkeys(arn for orphan in orphans for arn in orphan.pipelines)
            if spellings and all(self.pipelines.absent(arn) for arn in spellings):
                return None
        except AwsError as error:
            return failed(orphans, error)
        return kept(orphans, "pipeline-exists")

    def is_protected_group(self, group: str) -> bool:
        """Whether a schedule group protects what is in it."""
        return protects_group(self.schedules.tags(self._arn(f"schedule-group/{group}")))

    def schedule_arn(self, group: str, name: str) -> str:
        """The ARN of a schedule."""
        return self._arn(f"schedule/{group}/{name}")

    def save(self, position: Position, replacing: Position | None) -> Position:
        """Save how far a sweep has come, with a mark of its own. Raises SweepLostError when somebody else saved."""
        marked = replace(position, saved_at=self.clock.now(), mark=uuid.uuid4().hex)
        if not self.store.save(marked, replacing=replacing):
            raise SweepLostError
        return marked

    def leave_time_for_a_step(self, run: Run) -> None:
        """Raise TransientError("deadline") when too little time is left for another step."""
        if self.clock.now() + STEP_BUDGET > run.deadline:
            raise TransientError("deadline", "too little time is left for the rest of the clean-up")

    def _arn(self, resource: str) -> str:
        return f"arn:{self.home.partition}:scheduler:{self.home.region}:{self.home.account}:{resource}"

    @cached_property
    def _lists(self) -> Pace:
        return Pace(self.rates.lists, self.clock)

    @cached_property
    def _reads(self) -> Pace:
        return Pace(self.rates.reads, self.clock)
