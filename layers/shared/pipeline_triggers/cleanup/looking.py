"""The first phase of a sweep: look at every schedule, page by page, and remember those whose pipeline is missing.

Here a pipeline counts as missing when SageMaker's list does not have it. That is enough to remember what starts it, and
not enough to delete anything: before that it is asked for by its ARN. Whatever stands in the list counts as there, also
when it was deleted a moment ago: the next sweep sees that.

Nothing that grows with the number of schedules is held in memory: a page is forgotten when it was judged.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pipeline_triggers.cleanup.estate import NOT_NOW, until_the_next_sweep
from pipeline_triggers.cleanup.marking import marks_of_all
from pipeline_triggers.cleanup.pacing import in_parallel
from pipeline_triggers.domain.cleanup_records import Indexed
from pipeline_triggers.domain.orphans import Orphan, Report, Tally, is_ripe, is_young, pipeline_at_home
from pipeline_triggers.domain.owners import UnknownTrigger
from pipeline_triggers.domain.sweeps import GroupLook
from pipeline_triggers.errors import AwsError, NotFoundError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline_triggers.cleanup.estate import Estate, Run
    from pipeline_triggers.domain.rules import RuleTarget
    from pipeline_triggers.domain.scheduler import Schedule, SchedulePage
    from pipeline_triggers.domain.sweeps import Position

# A crash costs the pages of so much time: they are looked at again.
SAVE_EVERY = timedelta(seconds=15)
# A token that the service refuses makes a group begin again, but not for ever.
MAX_RESTARTS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come; ``suspected`` counts what this invocation has seen without a pipeline."""

    phase: Literal["look", "delete"]
    groups: int
    groups_done: int
    pages: int
    schedules: int
    suspected: int


@dataclass
class Looking:
    """One invocation's part of the look, from a position on. ``until`` is when it stops, between two pages."""

    estate: Estate
    run: Run
    position: Position
    until: datetime
    progress: Callable[[Progress], None] | None = None
    tally: Tally = field(default_factory=Tally)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _error: AwsError | None = None
    _suspected: int = 0
    _threads: int = 1
    _existing: frozenset[str] = frozenset()
    _marks: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self._groups = dict(self.position.groups)
        self._looked_at_before = self.position.schedules
        self._snapshot = self.estate.snapshot()

    def look(self) -> Position:
        """Look until everything was seen, or time is up; the position says which.

        Raises AwsError when it cannot go on now; what was looked at until then is saved.
        """
        self._existing = frozenset(arn.casefold() for arn in self.estate.pipelines.listed())
        waiting = self._waiting()
        self._threads = self.estate.rates.share(len(waiting))
        in_parallel(self._look_through, waiting, self.estate.rates.at_once)
        self._save()
        if self._error is not None:
            raise self._error
        if not self._waiting():
            self._look_at_rules()
            self._look_at_triggers()
            self._save(looked=True)
        return self.position

    def report(self) -> Report:
        """What stays, as far as it can be said now."""
        counted = replace(self.tally.report(), looked_at=self.position.schedules - self._looked_at_before)
        return Report.joined([counted, self._marks])

    def _waiting(self) -> list[str]:
        return [name for name, look in self._groups.items() if not look.done]

    def _look_through(self, group: str) -> None:
        """Look at the pages of one group; the first error of any group stops all."""
        try:
            while not self._groups[group].done and not self._is_over():
                self._look_at(group)
        except AwsError as error:
            self._error = self._error or error

    def _is_over(self) -> bool:
        return self._error is not None or self.estate.clock.now() >= self.until

    def _look_at(self, group: str) -> None:
        """Look at the next page of a group."""
        look = self._groups[group]
        self.estate.leave_time_for_a_step(self.run)
        try:
            page = self.estate.page(group, look.token)
        except PermanentError:
            if look.token is None or look.restarts == MAX_RESTARTS:
                raise
            # The token has expired: only the service knows for how long it is good.
            self._groups[group] = GroupLook(restarts=look.restarts + 1)
            return
        starting = self._judge(page)
        with self._lock:
            self._groups[group] = replace(
                look,
                token=page.token,
                pages=look.pages + 1,
                schedules=look.schedules + starting,
                done=page.token is None,
            )
            self._tell()
            if self.estate.clock.now() - self.position.saved_at >= SAVE_EVERY:
                self._save()

    def _judge(self, page: SchedulePage) -> int:
        """Remember the orphans of a page; returns how many of its schedules start pipelines of this home."""
        must_be_read = any(self.estate.must_be_read(schedule) for schedule in page.schedules)
        found = in_parallel(self._pipelines_of, page.schedules, self._threads if must_be_read else 1)
        starting = [(schedule, started) for schedule, started in zip(page.schedules, found, strict=True) if started]
        old = [each for each in starting if not self._any_exists(each[1]) and not is_young(each[0], self.run.began)]
        now = self.estate.clock.now()  # not the beginning of the sweep, which may have been interrupted for long
        orphans = self._remember([Orphan.of_schedule(*each, now, self.run.id) for each in old])
        self._note(starting)
        ripe = {orphan.arn: is_ripe(orphan, self.run.began) for orphan in orphans}
        with self._lock:
            self._suspected += len(orphans)
            for schedule, pipelines in starting:
                if self._any_exists(pipelines):
                    self.tally.keep(schedule.arn, "pipeline-exists")
                elif schedule.arn not in ripe:
                    self.tally.keep(schedule.arn, "too-young")
                elif not ripe[schedule.arn]:
                    self.tally.keep(schedule.arn, "seen-once")
        return len(starting)

    def _note(self, starting: Sequence[tuple[Schedule, tuple[str, ...]]]) -> None:
        """In a large estate, note whose the schedules are."""
        due = [
            Indexed(pipeline.casefold(), schedule.group, schedule.name)
            for schedule, pipelines in starting
            if self.position.must_note(schedule.modified_at)
            for pipeline in pipelines
        ]
        if due:
            self.estate.store.index(due)

    def _pipelines_of(self, schedule: Schedule) -> tuple[str, ...]:
        """The pipelines that a schedule starts; it is read where the list does not tell."""
        if not self.estate.must_be_read(schedule):
            return (schedule.target_arn,) if self.estate.owners.way(schedule.target_arn) else ()
        try:
            definition = self.estate.definition(schedule.group, schedule.name)
        except NotFoundError:
            return ()
        except AwsError as error:
            if error.reason in NOT_NOW:
                raise
            with self._lock:
                self.tally.fail(schedule.arn, until_the_next_sweep(error))
            return ()
        started = self.estate.owners.pipelines(definition.document, lambda: self._snapshot)
        if isinstance(started, UnknownTrigger):
            with self._lock:
                self.tally.keep(schedule.arn, "no-such-trigger")
            return ()
        return started

    def _any_exists(self, pipelines: Sequence[str]) -> bool:
        return any(pipeline.casefold() in self._existing for pipeline in pipelines)

    def _remember(self, seen_now: Sequence[Orphan]) -> list[Orphan]:
        """Remember orphans with the time when they were seen first, if they have been orphans ever since."""
        if not seen_now:
            return []
        before = self.estate.store.remembered([orphan.arn for orphan in seen_now])
        orphans = [self._as_before(orphan, before.get(orphan.arn)) for orphan in seen_now]
        self.estate.store.remember(orphans)
        return orphans

    def _as_before(self, orphan: Orphan, before: Orphan | None) -> Orphan:
        """An orphan that the last complete sweep saw too, unchanged, keeps what was known of it."""
        if before is None or before.run not in ("", self.run.id, *self.position.previous):
            return orphan
        if orphan.modified_at is not None and orphan.modified_at > before.first_seen:
            return orphan
        return replace(orphan, first_seen=before.first_seen, protected=before.protected)

    def _look_at_rules(self) -> None:
        """Remember the targets of rules whose pipeline is missing; where they are not to be removed, tell of them."""
        try:
            missing = [target for target in self.estate.rules.targets() if self._is_missing(target)]
            absent = {arn for arn in {target.pipeline_arn for target in missing} if self._is_absent(arn)}
        except AwsError as error:
            if error.reason in NOT_NOW:
                raise
            self.tally.fail("", until_the_next_sweep(error))
            return
        removable: list[RuleTarget] = []
        for target in missing:
            if target.pipeline_arn not in absent:
                continue
            if target.managed_by:
                self.tally.keep(target.arn, "managed-rule")
            elif not self.estate.policy.removes_targets:
                self.tally.keep(target.arn, "rule-reported")
            else:
                removable.append(target)
        now = self.estate.clock.now()
        for orphan in self._remember([Orphan.of_target(it, now, self.run.id) for it in removable]):
            # What is ripe is judged when everything was looked at.
            if not is_ripe(orphan, self.run.began):
                self.tally.keep(orphan.arn, "seen-once")

    def _is_missing(self, target: RuleTarget) -> bool:
        pipeline = pipeline_at_home(target.pipeline_arn, self.estate.home)
        return pipeline is not None and pipeline not in self._existing

    def _is_absent(self, pipeline_arn: str) -> bool:
        """Whether a pipeline is absent for sure."""
        self.estate.leave_time_for_a_step(self.run)
        try:
            return self.estate.pipelines.absent(pipeline_arn)
        except AwsError as error:
            if error.reason in NOT_NOW:
                raise
            self.tally.keep(pipeline_arn, "not-judged")
            return False

    def _look_at_triggers(self) -> None:
        try:
            self._marks = marks_of_all(self.estate, self.run, self._snapshot, self._existing, self._is_absent)
        except AwsError as error:
            if error.reason in NOT_NOW:
                raise
            self.tally.fail("", until_the_next_sweep(error))

    def _save(self, *, looked: bool = False) -> None:
        """Save how far the look has come. Raises SweepLostError when somebody else did so meanwhile."""
        with self._lock:
            here = replace(self.position, groups=dict(self._groups))
            self.position = self.estate.save(here.looked() if looked else here, self.position)

    def _tell(self) -> None:
        if self.progress is None:
            return
        looks = self._groups.values()
        self.progress(
            Progress(
                phase="look",
                groups=len(looks),
                groups_done=sum(look.done for look in looks),
                pages=sum(look.pages for look in looks),
                schedules=sum(look.schedules for look in looks),
                suspected=self._suspected,
            ),
        )
