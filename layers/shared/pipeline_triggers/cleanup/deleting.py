"""What seems to be orphaned → deleted, if its pipeline is absent at that moment and nothing protects it.

Between the question for the pipeline and a delete lies a moment in which the pipeline may be made again, for
DeleteSchedule knows no condition: therefore the definition of everything that is deleted is stored before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.cleanup.pacing import in_parallel
from pipeline_triggers.domain.cleanup_policy import protects_itself
from pipeline_triggers.domain.cleanup_records import KeptDefinition
from pipeline_triggers.domain.orphans import Failed, Orphan, Report, failed, folded, kept
from pipeline_triggers.domain.rule_targets import kept_definition
from pipeline_triggers.errors import AwsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pipeline_triggers.cleanup.estate import Estate, Run
    from pipeline_triggers.domain.orphans import KeptReason
    from pipeline_triggers.domain.rules import RuleTarget
    from pipeline_triggers.domain.scheduler import ScheduleDefinition

# That a pipeline is absent is believed for so many deletes, and for so long; then it is asked for again.
DELETES_A_CHECK = 50
CHECKED_FOR = timedelta(seconds=5)
# A list of schedules and GetSchedule may tell the same time to the second or more precisely.
PRECISION = timedelta(seconds=1)


@dataclass(frozen=True)
class Deleting:
    """The deletes of one run. Every method reports on each of the items that it is given."""

    estate: Estate
    run: Run

    def judge(self, orphans: Sequence[Orphan]) -> tuple[Report, list[Orphan]]:
        """Those whose pipelines are absent; and a report on the others."""
        groups = list(_by_key(orphans))
        refusals = in_parallel(lambda group: self.estate.refusal(group, self.run), groups, self.estate.rates.at_once)
        absent = [group for group, refusal in zip(groups, refusals, strict=True) if refusal is None]
        return Report.joined(filter(None, refusals)), [orphan for group in absent for orphan in group]

    def why_protected(self, orphan: Orphan, groups: dict[str, bool]) -> KeptReason | None:
        """What protects a schedule, as far as it shows without reading it; ``groups`` remembers what was asked.

        Raises AwsError when the tags of its group cannot be read.
        """
        if not orphan.is_schedule:
            return None
        if self.estate.policy.protects_name(orphan.group, orphan.name):
            return "protected-name"
        if orphan.protected:
            return "protected-description"
        if orphan.group not in groups:
            groups[orphan.group] = self.estate.is_protected_group(orphan.group)
        return "protected-group" if groups[orphan.group] else None

    def delete(self, orphans: Sequence[Orphan]) -> Report:
        """Delete those whose pipelines are still absent; an error of one does not hold up the others."""
        chunks = [
            group[first : first + DELETES_A_CHECK]
            for group in _by_key(orphans)
            for first in range(0, len(group), DELETES_A_CHECK)
        ]
        rates = self.estate.rates
        threads = rates.share(len(chunks))
        return Report.joined(in_parallel(lambda chunk: self._delete_chunk(chunk, threads), chunks, rates.at_once))

    def _delete_chunk(self, orphans: Sequence[Orphan], threads: int) -> Report:
        """Delete items of the same pipelines."""
        schedules = [orphan for orphan in orphans if orphan.is_schedule]
        targets = [orphan for orphan in orphans if not orphan.is_schedule]
        report = Report.joined([self._delete_schedules(schedules, threads), self._remove_targets(targets)])
        if self.run.id and report.deleted:
            try:
                self.estate.store.forget(report.deleted)
            except AwsError as error:
                # They are gone all the same, and the next sweep forgets them.
                report = replace(report, failed=(*report.failed, Failed("", error)))
        return report

    def _delete_schedules(self, orphans: Sequence[Orphan], threads: int) -> Report:
        reports: list[Report] = []
        checked_at: datetime | None = None
        for first in range(0, len(orphans), threads):
            now = self.estate.clock.now()
            if checked_at is None or now - checked_at > CHECKED_FOR:
                checked_at = now
                refusal = self.estate.refusal(orphans[first:], self.run)
                if refusal is not None:
                    return Report.joined([*reports, refusal])
            reports += in_parallel(self._delete_schedule, orphans[first : first + threads], threads)
        return Report.joined(reports)

    def _delete_schedule(self, orphan: Orphan) -> Report:
        try:
            self.estate.leave_time_for_a_step(self.run)
            definition = self.estate.definition(orphan.group, orphan.name)
            if self._is_changed(definition, orphan):
                return kept([orphan], "changed")
            if protects_itself(definition.document):
                return self._spare(orphan)
            if self.estate.is_rehearsal:
                return kept([orphan], "report-mode")
            self._keep(definition, orphan)
            self.estate.deletes.wait()
            self.estate.schedules.delete(orphan.group, orphan.name)
        except NotFoundError:
            # Somebody else was faster: it is gone, as it should be.
            return Report(deleted=(orphan.arn,))
        except AwsError as error:
            return failed([orphan], error)
        return Report(deleted=(orphan.arn,))

    def _is_changed(self, definition: ScheduleDefinition, orphan: Orphan) -> bool:
        """Whether a schedule is another one than was seen: it starts something else, or somebody has written it."""
        started = self.estate.started_by(definition)
        if not isinstance(started, tuple) or folded(started) != orphan.key:
            return True
        seen = orphan.modified_at or self.run.began
        return definition.modified_at > min(self.run.began, seen + PRECISION)

    def _keep(self, definition: ScheduleDefinition, orphan: Orphan) -> None:
        now = self.estate.clock.now()
        for pipeline in orphan.key:
            self.estate.store.keep(
                KeptDefinition(
                    kind="schedule",
                    arn=definition.arn,
                    pipeline_arn=pipeline,
                    document=definition.document,
                    deleted_at=now,
                    modified_at=definition.modified_at,
                ),
            )

    def _spare(self, orphan: Orphan) -> Report:
        """Keep a schedule whose description protects it; later sweeps know so without reading it."""
        if self.run.id:
            self.estate.store.remember([replace(orphan, protected=True)])
        return kept([orphan], "protected-description")

    def _remove_targets(self, orphans: Sequence[Orphan]) -> Report:
        """Take the targets from their rules, as far as they still are as they were seen."""
        if not orphans:
            return Report()
        refusal = self.estate.refusal(orphans, self.run)
        if refusal is not None:
            return refusal
        try:
            there = self._targets_now(orphans)
        except AwsError as error:
            return failed(orphans, error)
        gone = Report(deleted=tuple(orphan.arn for orphan in orphans if orphan.arn not in there))
        of_rules: dict[tuple[str, str], list[RuleTarget]] = defaultdict(list)
        for target in there.values():
            of_rules[target.bus, target.rule].append(target)
        return Report.joined([gone, *(self._remove_from_rule(targets) for targets in of_rules.values())])

    def _targets_now(self, orphans: Sequence[Orphan]) -> dict[str, RuleTarget]:
        wanted = {orphan.arn for orphan in orphans}
        spellings = dict.fromkeys(arn for orphan in orphans for arn in orphan.pipelines)
        found = (target for spelling in spellings for target in self.estate.rules.of_pipeline(spelling))
        return {target.arn: target for target in found if target.arn in wanted}

    def _remove_from_rule(self, targets: Sequence[RuleTarget]) -> Report:
        seen = [Orphan.of_target(target, self.run.began) for target in targets]
        if targets[0].managed_by:
            return kept(seen, "managed-rule")
        if self.estate.is_rehearsal:
            return kept(seen, "report-mode")
        try:
            for target in targets:
                self.estate.store.keep(kept_definition(target, self.estate.clock.now()))
            first = targets[0]
            refused = self.estate.rules.remove_targets(first.bus, first.rule, [target.id for target in targets])
        except AwsError as error:
            return failed(seen, error)
        return Report(
            deleted=tuple(target.arn for target in targets if target.id not in refused),
            failed=tuple(Failed(target.arn, refused[target.id]) for target in targets if target.id in refused),
        )


def _by_key(orphans: Sequence[Orphan]) -> Iterator[list[Orphan]]:
    """Those of the same pipelines together, in the order in which they come."""
    groups: dict[tuple[str, ...], list[Orphan]] = defaultdict(list)
    for orphan in orphans:
        groups[orphan.key].append(orphan)
    yield from groups.values()
