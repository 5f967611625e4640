"""Use case: put back what clean-ups have deleted, and say what that was.

What is there (again) is left alone, so it is safe to repeat, and what was about to be deleted but never was does no
harm. What starts a pipeline that does not exist is not put back: the next sweeps would delete it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline_triggers.domain.schedule_checks import is_over
from pipeline_triggers.domain.schedule_plans import restored
from pipeline_triggers.errors import AwsError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.cleanup_records import KeptDefinition
    from pipeline_triggers.domain.ports import CleanupStore, Clock, Pipelines, Rules, Schedules

# "there" is what nobody needs to put back, "left" what cannot be put back now, with the reason.
RestoreOutcome = Literal["restored", "would-restore", "there", "left", "failed"]


@dataclass(frozen=True, slots=True)
class Restorable:
    """A schedule or target as it was when it was deleted last, and the pipelines that it starts, casefolded."""

    kept: KeptDefinition
    pipelines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one kept definition; ``problem`` says why it was left or failed."""

    kept: KeptDefinition
    outcome: RestoreOutcome
    problem: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.outcome not in ("left", "failed")


@dataclass(frozen=True)
class Restorer:
    """What clean-ups have kept: looked through, and put back."""

    store: CleanupStore
    schedules: Schedules
    rules: Rules
    pipelines: Pipelines
    clock: Clock

    def history(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Sequence[KeptDefinition]:
        """What was deleted since then, of one pipeline or of all, newest first. AwsError when it cannot be read."""
        return sorted(self.store.kept(pipeline_arn, since), key=lambda kept: kept.deleted_at, reverse=True)

    def latest(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Sequence[Restorable]:
        """The same, each schedule and target once: as it was when it was deleted last.

        A schedule that goes through this application may start several pipelines; it is kept for each of them.
        """
        found: dict[str, list[KeptDefinition]] = {}
        for kept in self.history(pipeline_arn, since):
            of_arn = found.setdefault(kept.arn, [kept])
            if kept is not of_arn[0] and (kept.modified_at, kept.deleted_at) == (
                of_arn[0].modified_at,
                of_arn[0].deleted_at,
            ):
                of_arn.append(kept)
        return [Restorable(of_arn[0], tuple(kept.pipeline_arn for kept in of_arn)) for of_arn in found.values()]

    def restore(self, definitions: Iterable[Restorable], *, dry_run: bool = False) -> Iterator[Restored]:
        """Put each back. One that fails keeps no other back.

        With ``dry_run`` everything is looked at and nothing is written.
        """
        absent: dict[str, bool] = {}
        for wanted in definitions:
            try:
                yield self._restore(wanted, absent, dry_run=dry_run)
            except NotFoundError as error:
                yield Restored(wanted.kept, "left", f"{error}: make it first")
            except AwsError as error:
                yield Restored(wanted.kept, "failed", str(error))

    def _restore(self, wanted: Restorable, absent: dict[str, bool], *, dry_run: bool) -> Restored:
        """Put one back. NotFoundError when its schedule group or its rule is gone."""
        kept = wanted.kept
        is_schedule = kept.kind == "schedule"
        if self._has_schedule(kept) if is_schedule else self._has_target(kept):
            return Restored(kept, "there")
        if hindrance := self._hindrance(wanted, absent):
            return Restored(kept, "left", hindrance)
        if dry_run:
            return Restored(kept, "would-restore")
        return self._create(kept) if is_schedule else self._put(kept)

    def _hindrance(self, wanted: Restorable, absent: dict[str, bool]) -> str:
        """Why it should not be put back; empty when it should. ``absent`` remembers what was asked."""
        for pipeline in wanted.pipelines:
            if pipeline not in absent:
                absent[pipeline] = self.pipelines.absent(pipeline)
        if all(absent[pipeline] for pipeline in wanted.pipelines):
            named = ", ".join(arn.rpartition("/")[2] for arn in wanted.pipelines)
            return f"there is no pipeline {named}: make it first, or this is an orphan again"
        if wanted.kept.kind == "schedule" and self._is_over(wanted.kept):
            return "its time has passed, so it would never fire again"
        return ""

    def _is_over(self, kept: KeptDefinition) -> bool:
        try:
            return is_over(kept.document, self.clock.now())
        except InvalidInputError:
            return False  # an expression that only the service understands

    def _has_schedule(self, kept: KeptDefinition) -> bool:
        try:
            self.schedules.get(kept.document["GroupName"], kept.document["Name"])
        except NotFoundError:
            return False
        return True

    def _has_target(self, kept: KeptDefinition) -> bool:
        """Whether the rule has a target of that id: also one that starts something else by now is left alone."""
        ids = self.rules.target_ids(kept.document["EventBusName"], kept.document["Rule"])
        return kept.document["Target"]["Id"] in ids

    def _create(self, kept: KeptDefinition) -> Restored:
        try:
            self.schedules.create(restored(kept.document, self.clock.now()))
        except AwsError as error:
            if error.reason == "conflict" and self._has_schedule(kept):
                return Restored(kept, "there")  # somebody was faster
            raise
        return Restored(kept, "restored")

    def _put(self, kept: KeptDefinition) -> Restored:
        document = kept.document
        failed = self.rules.put_targets(document["EventBusName"], document["Rule"], [document["Target"]])
        if failed:
            return Restored(kept, "failed", "; ".join(map(str, failed.values())))
        return Restored(kept, "restored")
