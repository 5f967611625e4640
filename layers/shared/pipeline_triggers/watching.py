"""Use case: a pipeline was made or updated → the triggers that start it are compared with what it declares now.

A trigger that the pipeline would refuse is known before the next event arrives. CloudTrail's report is the fast path;
after each sweep all pipelines of triggers are asked, because CloudTrail may not tell, or the triggers have changed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline_triggers.cleanup.estate import NOT_NOW, STEP_BUDGET, until_the_next_sweep
from pipeline_triggers.cleanup.pacing import Pace, in_parallel
from pipeline_triggers.domain.contracts import broken_contracts, parties
from pipeline_triggers.domain.orphans import Failed, Kept, Report, pipeline_at_home
from pipeline_triggers.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home, PipelineRef
    from pipeline_triggers.domain.ports import Clock, ContractMarks, OrphanMarks, Pipelines
    from pipeline_triggers.domain.triggers import Snapshot, Trigger

    # A target: its trigger, and its number there.
    Party = tuple[Trigger, int]


@dataclass(frozen=True)
class Watcher:
    """Compares triggers with the pipelines of the stack's home, and marks those that would refuse them.

    ``snapshot`` gives the triggers as they are now. At most so many pipelines are asked in a second, and at once.
    """

    pipelines: Pipelines
    snapshot: Callable[[], Snapshot]
    contracts: ContractMarks
    orphans: OrphanMarks
    clock: Clock
    home: Home
    a_second: float = 10
    at_once: int = 4

    def on_changed(self, pipeline_arn: str) -> Report:
        """Compare the triggers of a pipeline that is said to be made or updated with what it declares now.

        It exists, so its triggers are orphaned no more.
        """
        folded = pipeline_arn.casefold()
        try:
            its_parties = self._parties().get(folded, [])
            # Triggers that follow no declaration, because they name a version or are disabled, may be orphaned, too.
            is_orphaned = folded in self.orphans.marked()
            spelt = self._spelt(folded)
            if spelt is None or not (its_parties or is_orphaned):
                mended = (folded,) if self.contracts.mend(folded) else ()
                return Report(kept=(Kept(pipeline_arn, "no-trigger"),), mended=mended)
            report = self._compare(folded, its_parties, spelt)
            if not report.kept and is_orphaned:
                self.orphans.revive([folded])
                report = Report.joined([report, Report(revived=(folded,))])
        except AwsError as error:
            return Report(failed=(Failed(pipeline_arn, error),))
        return report

    def check_all(self, deadline: datetime) -> Report:
        """Compare the triggers of all pipelines, those that are marked first, as far as there is time.

        What cannot be asked now is left to the next time: nothing of this is worth holding up a sweep for.
        """
        try:
            found = self._parties()
            marked = [broken.arn for broken in self.contracts.broken()]
            idle = tuple(arn for arn in marked if arn not in found and self.contracts.mend(arn))
        except AwsError as error:
            return Report(failed=(Failed("", until_the_next_sweep(error)),))
        order = [*(arn for arn in marked if arn in found), *(arn for arn in found if arn not in marked)]
        reports = in_parallel(lambda arn: self._compare_in_time(arn, found[arn], deadline), order, self.at_once)
        return Report.joined([Report(mended=idle), *reports])

    def _spelt(self, folded: str) -> PipelineRef | None:
        """The pipeline as a trigger names it: SageMaker may not find it by the lower-cased name in an ARN."""
        named = (target.pipeline for trigger in self.snapshot().triggers for target in trigger.targets)
        of_it = (ref for ref in named if ref.arn_in(self.home).casefold() == folded)
        return next((replace(ref, version_id=None) for ref in of_it), None)

    def _parties(self) -> dict[str, list[Party]]:
        """The targets of each pipeline of the stack's home, by its casefolded ARN."""
        found: dict[str, list[Party]] = defaultdict(list)
        for trigger, number in parties(self.snapshot().triggers):
            arn = pipeline_at_home(trigger.targets[number].pipeline.arn_in(self.home), self.home)
            if arn is not None:
                found[arn].append((trigger, number))
        return dict(found)

    def _compare_in_time(self, arn: str, its_parties: Sequence[Party], deadline: datetime) -> Report:
        self._pace.wait()
        if self.clock.now() + STEP_BUDGET > deadline:
            return Report(kept=(Kept(arn, "not-judged"),))
        try:
            trigger, number = its_parties[0]
            return self._compare(arn, its_parties, trigger.targets[number].pipeline)
        except AwsError as error:
            if error.reason in NOT_NOW:
                return Report(kept=(Kept(arn, "not-judged"),))
            return Report(failed=(Failed(arn, until_the_next_sweep(error)),))

    def _compare(self, arn: str, its_parties: Sequence[Party], ref: PipelineRef) -> Report:
        """Compare, and mark or mend. Raises AwsError when the pipeline cannot be asked, or the mark not written."""
        try:
            definition = self.pipelines.describe(ref, fresh=True)
        except AwsError as error:
            if error.reason not in ("not-found-yet", "pipeline-deleting"):
                raise
            # What becomes of its triggers is the clean-up's.
            mended = (arn,) if self.contracts.mend(arn) else ()
            return Report(kept=(Kept(arn, "pipeline-gone"),), mended=mended)
        broken = tuple(broken_contracts(its_parties, definition))
        if broken:
            self.contracts.mark(arn, definition, self.clock.now())
            return Report(broken=broken)
        return Report(mended=(arn,) if self.contracts.mend(arn) else ())

    @cached_property
    def _pace(self) -> Pace:
        return Pace(self.a_second, self.clock)
