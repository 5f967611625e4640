"""The clean-up as its callers see it: for one pipeline that was deleted, or a sweep through everything."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.cleanup.deleting import Deleting
from pipeline_triggers.cleanup.estate import STEP_BUDGET, Run
from pipeline_triggers.cleanup.looking import Looking, Progress
from pipeline_triggers.cleanup.marking import marks_of_one
from pipeline_triggers.cleanup.rehearsing import UnwrittenMarks, UnwrittenStore
from pipeline_triggers.cleanup.searching import Searching
from pipeline_triggers.domain.orphans import Failed, Kept, Orphan, Report, Tally, is_ripe, kept, pipeline_at_home
from pipeline_triggers.domain.sweeps import GroupLook, Position
from pipeline_triggers.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pipeline_triggers.cleanup.estate import Estate
    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.orphans import KeptReason
    from pipeline_triggers.domain.rules import RuleTarget

# A sweep looks for so long at a time, so that events which came in the same batch get their turn.
SLICE = timedelta(minutes=2)
# So many orphans that are none any more are forgotten at a time.
FORGOTTEN_AT_ONCE = 500


@dataclass
class _Seen:
    """How many orphans a sweep has seen, counted while they are gone through."""

    orphans: int = 0


@dataclass(frozen=True)
class Cleaner:
    """Deletes the schedules of pipelines that do not exist any more.

    More than the policy allows in one run means that something is wrong: then nothing is deleted.
    """

    estate: Estate

    @property
    def home(self) -> Home:
        """Where the stack lives."""
        return self.estate.home

    def rehearsal(self) -> Cleaner:
        """The same cleaner, but it writes nothing, and keeps in memory what it would remember.

        What it would delete stays as ``report-mode``.
        """
        estate = self.estate
        return Cleaner(
            replace(
                estate,
                store=UnwrittenStore(estate.store),
                marks=UnwrittenMarks(estate.marks),
                is_rehearsal=True,
            ),
        )

    def on_deleted(self, pipeline_arn: str, deadline: datetime) -> Report:
        """Delete what starts a pipeline that is said to be deleted.

        Schedules are listed before the pipeline is looked up, so that one which is made meanwhile is seen.
        """
        run = Run(self.estate.clock.now(), deadline)
        pipeline = pipeline_at_home(pipeline_arn, self.home)
        if pipeline is None:
            return Report(kept=(Kept(pipeline_arn, "not-at-home"),))
        try:
            searching = Searching.of(self.estate, run, pipeline)
            found = searching.find()
        except AwsError as error:
            return Report(failed=(Failed(pipeline_arn, error),))
        left = Report(kept=tuple(Kept(unread.arn, "not-judged") for unread in found.unread))
        if not found.is_complete:
            left = Report(kept=(*left.kept, Kept(pipeline_arn, "left-to-the-sweep")))
        of_rules, targets = self._targets_of(pipeline_arn, found.orphans)
        # An item for the triggers themselves, which is judged with the others.
        triggers = [Orphan(pipeline_arn, (pipeline_arn,), run.began)] if searching.has_triggers else []
        orphans = [*found.orphans, *(Orphan.of_target(target, run.began) for target in targets), *triggers]
        deleting = Deleting(self.estate, run)
        refused, absent = deleting.judge(orphans)
        marked = self._mark(pipeline_arn, refused, absent, run) if triggers else Report()
        doomed = [orphan for orphan in absent if orphan.arn != pipeline_arn]
        return Report.joined([left, of_rules, refused, marked, self._delete_of_one(doomed, targets, deleting)])

    def sweep(
        self,
        deadline: datetime,
        message_id: str = "",
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        """Look for schedules whose pipeline does not exist, and delete those that were found so before.

        It does what there is time for, at most two minutes of looking. While the report says that it is unfinished, it
        has to be called again with the same ``message_id``. When another sweep is under way, it leaves that to do it.
        ``progress`` is told after each page, from several threads, one at a time.
        """
        reports: list[Report] = []
        try:
            position = self._taken_up(message_id)
            if position is None:
                return Report(kept=(Kept("", "sweep-under-way"),))
            run = Run(position.began, deadline, position.run)
            if position.phase == "look":
                until = min(self.estate.clock.now() + SLICE, deadline - STEP_BUDGET)
                looking = Looking(self.estate, run, position, until, progress)
                try:
                    position = looking.look()
                finally:
                    reports.append(looking.report())
                if position.phase == "look":
                    return replace(reports[0], unfinished=True)
            self._tell_of_deletes(position, progress)
            seen = _Seen()
            reports.append(self._delete_ripe(position, run, seen))
            if not reports[-1].to_retry:
                left = seen.orphans - len(reports[-1].deleted)
                self.estate.save(replace(position, phase="done", orphans=left), position)
        except AwsError as error:
            reports.append(Report(failed=(Failed("", error),)))
        return Report.joined(reports)

    def _taken_up(self, message_id: str) -> Position | None:
        """The position to go on from: of the sweep that is under way for the same message, or of a new one.

        None when another sweep is under way.
        """
        last = self.estate.store.position()
        now = self.estate.clock.now()
        if last is not None and last.is_under_way(now):
            return last if last.message == message_id else None
        groups = {name: GroupLook() for name in self.estate.schedules.groups()}
        first = Position(uuid.uuid4().hex, message_id, began=now, saved_at=now, mark="", groups=groups)
        return self.estate.save(first.after(last) if last else first, last)

    def _delete_ripe(self, position: Position, run: Run, seen: _Seen) -> Report:
        """Delete what this sweep and the one before saw as orphans, if that is not too much; forget what it saw not."""
        deleting = Deleting(self.estate, run)
        allowed = self.estate.policy.allowed(position.schedules)
        too_many: KeptReason = "delete-cap" if self.estate.policy.mode == "delete" else "report-mode"
        tally = Tally()
        doomed: list[Orphan] = []
        is_too_much = False
        for orphan in _unprotected(self._ripe(run, seen), deleting, tally):
            if len(doomed) < allowed:
                doomed.append(orphan)
            else:
                is_too_much = True
                tally.keep(orphan.arn, too_many)
        if is_too_much:
            for orphan in doomed:
                tally.keep(orphan.arn, too_many)
            return tally.report()
        refused, absent = deleting.judge(doomed)
        return Report.joined([tally.report(), refused, self._delete(absent, deleting)])

    def _ripe(self, run: Run, seen: _Seen) -> Iterator[Orphan]:
        """The orphans that may go; those that this sweep has not seen are forgotten on the way, the others counted."""
        stale: list[str] = []
        for orphan in self.estate.store.orphans():
            if orphan.run != run.id:
                stale.append(orphan.arn)
            else:
                seen.orphans += 1
                if is_ripe(orphan, run.began):
                    yield orphan
            if len(stale) == FORGOTTEN_AT_ONCE:
                self.estate.store.forget(stale)
                stale.clear()
        self.estate.store.forget(stale)

    def _delete(self, absent: Sequence[Orphan], deleting: Deleting) -> Report:
        if self.estate.policy.mode == "report":
            return kept(absent, "report-mode")
        return deleting.delete(absent)

    def _targets_of(self, pipeline_arn: str, schedules: Sequence[Orphan]) -> tuple[Report, list[RuleTarget]]:
        """The targets of rules that start the pipeline, in all spellings that are known of it."""
        spellings = dict.fromkeys([pipeline_arn, *(arn for schedule in schedules for arn in schedule.pipelines)])
        wanted = pipeline_arn.casefold()
        try:
            found = {
                target.arn: target
                for spelling in spellings
                if spelling.casefold() == wanted
                for target in self.estate.rules.of_pipeline(spelling)
            }
        except AwsError as error:
            return Report(failed=(Failed(pipeline_arn, error),)), []
        return Report(), list(found.values())

    def _mark(self, pipeline_arn: str, refused: Report, absent: Sequence[Orphan], run: Run) -> Report:
        is_absent = any(orphan.arn == pipeline_arn for orphan in absent)
        exists = Kept(pipeline_arn, "pipeline-exists") in refused.kept
        if not is_absent and not exists:
            return Report()
        try:
            return marks_of_one(self.estate, run, pipeline_arn, absent=is_absent)
        except AwsError as error:
            return Report(failed=(Failed(pipeline_arn, error),))

    def _delete_of_one(self, absent: Sequence[Orphan], targets: Sequence[RuleTarget], deleting: Deleting) -> Report:
        """Delete what an absent pipeline leaves behind, as far as nothing protects it, if that is not too much."""
        managed = {target.arn for target in targets if target.managed_by}
        tally = Tally()
        doomed: list[Orphan] = []
        for orphan in _unprotected(absent, deleting, tally):
            if orphan.arn in managed:
                tally.keep(orphan.arn, "managed-rule")
            elif not orphan.is_schedule and not self.estate.policy.removes_targets:
                tally.keep(orphan.arn, "rule-reported")
            else:
                doomed.append(orphan)
        if self.estate.policy.mode == "delete" and len(doomed) > self.estate.policy.max_deletes:
            return Report.joined([tally.report(), kept(doomed, "delete-cap")])
        return Report.joined([tally.report(), self._delete(doomed, deleting)])

    def _tell_of_deletes(self, position: Position, progress: Callable[[Progress], None] | None) -> None:
        if progress is not None:
            groups = len(position.groups)
            progress(Progress("delete", groups, groups, position.pages, position.schedules, 0))


def _unprotected(orphans: Iterable[Orphan], deleting: Deleting, tally: Tally) -> Iterator[Orphan]:
    """Those that nothing protects, as far as it shows without reading them; the others are told to the tally."""
    groups: dict[str, bool] = {}
    for orphan in orphans:
        try:
            reason = deleting.why_protected(orphan, groups)
        except AwsError as error:
            tally.fail(orphan.arn, error)
            continue
        if reason is None:
            yield orphan
        else:
            tally.keep(orphan.arn, reason)
