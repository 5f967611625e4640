"""Use case: a pipeline is deleted or missing → no schedule is left that starts it.

A schedule is deleted only if SageMaker says at that moment that its pipeline does not exist (``Pipelines.absent``).
Between this question and the delete lies a moment in which the pipeline may be made again, for DeleteSchedule knows no
condition: therefore the definition of everything that is deleted is stored before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.domain.orphans import (
    Failed,
    Kept,
    Mode,
    Report,
    failed,
    is_ripe,
    is_young,
    kept,
    pipeline_at_home,
)
from pipeline_triggers.errors import AwsError, NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ports import CleanupStore, Clock, Pipelines, Schedule, Schedules

# Reading, storing and deleting one schedule must fit before the deadline, as must one page of a list.
STEP_BUDGET = timedelta(seconds=25)


@dataclass(frozen=True, slots=True)
class Run:
    """One clean-up: what changes after ``began`` is left alone, and after ``deadline`` nothing more is called."""

    began: datetime
    deadline: datetime


@dataclass(frozen=True)
class Cleaner:
    """Deletes the schedules of pipelines that do not exist any more.

    At most ``max_deletes`` in one run: when there is more to delete, something is wrong, and nothing is deleted. In the
    mode ``report`` nothing is deleted either.
    """

    pipelines: Pipelines
    schedules: Schedules
    store: CleanupStore
    clock: Clock
    home: Home
    mode: Mode
    max_deletes: int

    def on_deleted(self, pipeline_arn: str, deadline: datetime) -> Report:
        """Delete the schedules of a pipeline that is said to be deleted."""
        run = Run(self.clock.now(), deadline)
        pipeline = pipeline_at_home(pipeline_arn, self.home)
        if pipeline is None:
            return Report(kept=(Kept(pipeline_arn, "not-at-home"),))
        try:
            schedules = self._by_pipeline(run).get(pipeline, ())
        except AwsError as error:
            return Report(failed=(Failed(pipeline_arn, error),))
        return self._refusal(schedules, run) or self._clean_up([schedules], run)

    def sweep(self, deadline: datetime) -> Report:
        """Look for schedules whose pipeline does not exist, and delete those that were found so before.

        Schedules are listed before pipelines are looked up, so that a pipeline which is made meanwhile is seen. When
        they could not be listed, or what earlier sweeps saw could not be read or written, nothing is deleted.
        """
        run = Run(self.clock.now(), deadline)
        reports: list[Report] = []
        ripe: list[Sequence[Schedule]] = []
        try:
            by_pipeline = self._by_pipeline(run)
            seen = self.store.orphans()
            self._forget(seen.keys() - {schedule.arn for schedules in by_pipeline.values() for schedule in schedules})
            for schedules in by_pipeline.values():
                report, ripe_ones = self._look_at(schedules, seen, run)
                reports.append(report)
                ripe.append(ripe_ones)
        except AwsError as error:
            return Report.joined([*reports, Report(failed=(Failed("", error),))])
        return Report.joined([*reports, self._clean_up(ripe, run)])

    def _by_pipeline(self, run: Run) -> Mapping[str, Sequence[Schedule]]:
        """All schedules of this account and Region that target a pipeline of it, by casefolded ARN of the pipeline."""
        found: dict[str, dict[str, Schedule]] = defaultdict(dict)
        for schedule in self._listed(run):
            if pipeline := pipeline_at_home(schedule.target_arn, self.home):
                found[pipeline][schedule.arn] = schedule
        return {pipeline: tuple(schedules.values()) for pipeline, schedules in found.items()}

    def _listed(self, run: Run) -> Iterator[Schedule]:
        for group in self.schedules.groups():
            token: str | None = None
            while True:
                self._leave_time_for_a_step(run)
                page = self.schedules.page(group, token)
                yield from page.schedules
                token = page.token
                if token is None:
                    break

    def _look_at(
        self,
        schedules: Sequence[Schedule],
        seen: Mapping[str, datetime],
        run: Run,
    ) -> tuple[Report, Sequence[Schedule]]:
        """What a sweep keeps of one pipeline's schedules, and those that were orphans before and may go."""
        refusal = self._refusal(schedules, run)
        if refusal is not None:
            if refusal.kept:
                self._forget(seen.keys() & {schedule.arn for schedule in schedules})
            return refusal, ()
        young, waiting, ripe = [], [], []
        for schedule in schedules:
            first_seen = seen.get(schedule.arn)
            if is_young(schedule, run.began):
                young.append(schedule)
            elif is_ripe(schedule, first_seen, run.began):
                ripe.append(schedule)
            else:
                waiting.append(schedule)
                if first_seen is None or first_seen < schedule.modified_at:
                    self.store.remember(schedule.arn, run.began)
        return Report.joined([kept(young, "too-young"), kept(waiting, "seen-once")]), ripe

    def _forget(self, arns: Iterable[str]) -> None:
        for arn in arns:
            self.store.forget(arn)

    def _refusal(self, schedules: Sequence[Schedule], run: Run) -> Report | None:
        """None when the pipeline that the schedules target is absent now; else why they all stay.

        They may spell the pipeline's ARN in different ways: it must be absent under each.
        """
        try:
            self._leave_time_for_a_step(run)
            if all(self.pipelines.absent(arn) for arn in dict.fromkeys(schedule.target_arn for schedule in schedules)):
                return None
        except AwsError as error:
            return failed(schedules, error)
        return kept(schedules, "pipeline-exists")

    def _clean_up(self, of_pipelines: Sequence[Sequence[Schedule]], run: Run) -> Report:
        """Delete the schedules of pipelines that were found absent, if that is not too much for one run."""
        everything = [schedule for schedules in of_pipelines for schedule in schedules]
        if self.mode == "report":
            return kept(everything, "report-mode")
        if len(everything) > self.max_deletes:
            return kept(everything, "delete-cap")
        return Report.joined(self._delete_all(schedules, run) for schedules in of_pipelines if schedules)

    def _delete_all(self, schedules: Sequence[Schedule], run: Run) -> Report:
        """Delete the schedules of one pipeline, if it is still absent; an error of one does not hold up the others."""
        refusal = self._refusal(schedules, run)
        return refusal or Report.joined(self._delete(schedule, run) for schedule in schedules)

    def _delete(self, schedule: Schedule, run: Run) -> Report:
        try:
            self._leave_time_for_a_step(run)
            definition = self.schedules.get(schedule.group, schedule.name)
            pipeline = pipeline_at_home(definition.target_arn, self.home)
            if pipeline is None or pipeline != pipeline_at_home(schedule.target_arn, self.home):
                return kept([schedule], "changed")
            if definition.modified_at > run.began:
                return kept([schedule], "changed")
            self.store.keep(pipeline, definition)
            self.schedules.delete(schedule.group, schedule.name)
        except NotFoundError:
            # Somebody else was faster: it is gone, as it should be.
            return Report(deleted=(schedule.arn,))
        except AwsError as error:
            return failed([schedule], error)
        return Report(deleted=(schedule.arn,))

    def _leave_time_for_a_step(self, run: Run) -> None:
        if self.clock.now() + STEP_BUDGET > run.deadline:
            raise TransientError("deadline", "too little time is left for the rest of the clean-up")
