"""Use case: keep the schedules of the stack's triggers in EventBridge Scheduler as the triggers say.

A trigger with a schedule has one of its own name in the stack's schedule group. It is made, changed and deleted with
the trigger, and only while it is what the trigger made of it: a schedule of that name that starts something else stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from pipeline_triggers.domain.schedule_plans import is_same_target
from pipeline_triggers.domain.wanted_schedules import wanted_schedule_of
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.schedule_plans import WantedSchedule
    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.triggers import Trigger
    from pipeline_triggers.errors import Problem
    from pipeline_triggers.scheduling import Put, Scheduling

# Fields of a schedule that a trigger's target gives it.
_OF_THE_TARGET = ("parameters", "pipeline", "role_arn")


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """What becomes of the schedule of a trigger. ``left`` is one that starts something else; ``problem`` says why."""

    trigger: str
    outcome: OneOf["created", "updated", "same", "deleted", "left", "failed"]
    problem: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Triggers before and after a change, of those that it may concern; None where there is none."""

    before: Trigger | None
    after: Trigger | None


@dataclass(frozen=True)
class ScheduleKeeper:
    """The schedules of triggers. Both methods raise AwsError when what must be known first cannot be had."""

    scheduling: Scheduling

    def preview(self, differences: Sequence[Difference]) -> list[ScheduleChange]:
        """What ``keep`` would do.

        Raises InvalidInputError with every problem; their fields are the trigger's name and the field in the trigger.
        """
        return self._keep(differences, dry_run=True)

    def keep(self, differences: Sequence[Difference]) -> list[ScheduleChange]:
        """Make the schedules what the triggers say; a failed one stops no other. Raises as ``preview`` does."""
        return self._keep(differences, dry_run=False)

    def _keep(self, differences: Sequence[Difference], *, dry_run: bool) -> list[ScheduleChange]:
        wanted = [self._wanted(each.after) for each in differences if each.after and each.after.schedule]
        own = {each.after.name for each in differences if each.after and self._has_its_own(each)}
        put = self.scheduling.preview if dry_run else self.scheduling.put
        try:
            # What the trigger itself made may start another pipeline from now on.
            results = [
                *put([each for each in wanted if each.name in own], replace=True),
                *put([each for each in wanted if each.name not in own]),
            ]
        except InvalidInputError as error:
            raise InvalidInputError(_in_the_trigger(problem, wanted) for problem in error.problems) from error
        order = [each.name for each in wanted]
        results.sort(key=lambda result: order.index(result.name))
        return [*map(_change, results), *self._delete(differences, dry_run=dry_run)]

    def _delete(self, differences: Sequence[Difference], *, dry_run: bool) -> Iterator[ScheduleChange]:
        """Delete the schedules of triggers that have none any more."""
        for each in differences:
            if each.before is None or each.before.schedule is None or (each.after and each.after.schedule):
                continue
            name = each.before.name
            existing = self._existing(name)
            if existing is None:
                continue
            if not is_same_target(existing.document, self._wanted(each.before)):
                yield ScheduleChange(name, "left", f"the schedule {name} starts something else than the trigger did")
            elif dry_run:
                yield ScheduleChange(name, "deleted")
            else:
                for deleted in self.scheduling.delete([name]):
                    yield ScheduleChange(name, "failed" if deleted.problem else "deleted", deleted.problem)

    def _has_its_own(self, difference: Difference) -> bool:
        """Whether a trigger that starts something else from now on has made the schedule of its name.

        Where it goes on to start the same, nothing has to be replaced, and nothing is read.
        """
        before, after = difference.before, difference.after
        if not (before and before.schedule and after and after.schedule):
            return False
        if self._wanted(before).target.arn == self._wanted(after).target.arn:
            return False
        existing = self._existing(before.name)
        return existing is not None and is_same_target(existing.document, self._wanted(before))

    def _existing(self, name: str) -> ScheduleDefinition | None:
        return self.scheduling.if_there(self.scheduling.defaults().group, name)

    def _wanted(self, trigger: Trigger) -> WantedSchedule:
        return wanted_schedule_of(trigger, self.scheduling.home, self.scheduling.defaults())


def _change(put: Put) -> ScheduleChange:
    return ScheduleChange(put.name, put.outcome, put.problem, put.warnings)


def _in_the_trigger(problem: Problem, wanted: Sequence[WantedSchedule]) -> Problem:
    """A problem with a field of a schedule, ``nightly.parameters.Mode``, as one with the field of its trigger."""
    for schedule in wanted:
        beginning = f"{schedule.name}."
        field = problem.field.removeprefix(beginning)
        if problem.field.startswith(beginning) and field.startswith(_OF_THE_TARGET):
            return replace(problem, field=f"{beginning}targets[0].{field}")
    return problem
