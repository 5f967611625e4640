"""Use case: put, describe, list, switch and delete schedules.

Each schedule is read before it is written: what nobody mentions stays, what is as wanted is not written at all, and
what starts something else is never overwritten unless that is said. EventBridge Scheduler knows no conditional writes:
when somebody else wrote in between and the service notices, the schedule is read and judged again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf

from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.schedule_checks import is_one_time, is_over, parameter_problems, time_problems
from pipeline_triggers.domain.schedule_plans import (
    StartsPipeline,
    changed,
    created,
    is_same_target,
    is_universal,
    parameters_of,
    starts_pipeline,
    switched,
)
from pipeline_triggers.errors import (
    AwsError,
    InvalidInputError,
    NotFoundError,
    PermanentError,
    PipelineTriggersError,
    Problem,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ports import Clock, Pipelines, Roles, Schedules
    from pipeline_triggers.domain.schedule_plans import Defaults, Document, ScheduleState, WantedSchedule
    from pipeline_triggers.domain.scheduler import Schedule, ScheduleDefinition

SCHEDULER = "scheduler.amazonaws.com"
# The group that every account has.
DEFAULT_GROUP = "default"

Outcome = OneOf["created", "updated", "same", "failed"]


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one schedule. ``problem`` says why it ``failed``, ``warnings`` what could not be checked.

    ``arn`` is empty when a schedule that was to be made failed.
    """

    name: str
    group: str
    arn: str
    outcome: Outcome
    problem: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of one schedule that was to be deleted; ``problem`` says why it ``failed``."""

    name: str
    group: str
    outcome: OneOf["deleted", "missing", "failed"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done for one schedule: ``document`` is the request, None when there is nothing to do."""

    wanted: WantedSchedule
    existing: ScheduleDefinition | None
    document: Document | None
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What becomes of the schedule when the request succeeds."""
        if self.document is None:
            return "same"
        return "updated" if self.existing else "created"


@dataclass(frozen=True)
class Scheduling:
    """The schedules of this account and Region. ``defaults`` asks for what the stack has for new ones.

    Every method raises AwsError when what it must know before it acts cannot be had. What fails after that is told in
    the results, one for each schedule, in the order of what was asked for.
    """

    schedules: Schedules
    pipelines: Pipelines
    roles: Roles
    clock: Clock
    home: Home
    defaults: Callable[[], Defaults]

    def put(self, wanted: Sequence[WantedSchedule], *, replace: bool = False) -> Sequence[Put]:
        """Create or update schedules. All are checked before the first is written; a failed one stops no other.

        With ``replace`` a schedule of the name that starts something else is made anew from scratch. Raises
        InvalidInputError with every problem; their fields are the schedule's name and the field, such as
        ``nightly.schedule_expression``.
        """
        planner = self._planner(replace=replace)
        return [self._write(plan, planner) for plan in planner.plans(wanted)]

    def preview(self, wanted: Sequence[WantedSchedule], *, replace: bool = False) -> Sequence[Put]:
        """What ``put`` would do, with the same checks and errors."""
        return [
            Put(plan.wanted.name, plan.wanted.group, self._arn(plan), plan.outcome, warnings=plan.warnings)
            for plan in self._planner(replace=replace).plans(wanted)
        ]

    def describe(self, name: str, group: str | None = None) -> ScheduleDefinition:
        """One schedule whole, of a group or of the stack's. NotFoundError when there is none."""
        return self.schedules.get(group or self.defaults().group, name)

    def list(self, *, pipeline_arn: str | None = None, group: str | None = None) -> Iterator[ScheduleDefinition]:
        """The schedules of a group (without one: of the stack's), or those of all groups that start a pipeline.

        With both, those of the group that start the pipeline. Asked for page by page, as they are taken.
        """
        if group is not None:
            groups = iter([group])
        else:
            groups = iter([self.defaults().group]) if pipeline_arn is None else self.schedules.groups()
        for listed in self._listed(groups):
            if pipeline_arn is not None and not _may_start(listed, pipeline_arn):
                continue
            found = self.if_there(listed.group, listed.name)
            if found and (pipeline_arn is None or starts_pipeline(found.document, pipeline_arn, self.home)):
                yield found

    def set_state(self, names: Sequence[str], state: ScheduleState, group: str | None = None) -> Sequence[Put]:
        """Enable or disable schedules, and change nothing else.

        A one-time schedule whose time has passed is not enabled: AWS may fire it at once.
        """
        group = group or self.defaults().group
        return [self._switch(name, state, group) for name in names]

    def delete(
        self, names: Sequence[str], group: str | None = None, *, pipeline_arn: str | None = None
    ) -> Sequence[Deleted]:
        """Delete schedules; with ``pipeline_arn`` only those that start this pipeline."""
        group = group or self.defaults().group
        return [self._delete(name, group, pipeline_arn) for name in names]

    def _listed(self, groups: Iterator[str]) -> Iterator[Schedule]:
        for group in groups:
            token: str | None = None
            while True:
                page = self.schedules.page(group, token)
                yield from page.schedules
                token = page.token
                if token is None:
                    break

    def if_there(self, group: str, name: str) -> ScheduleDefinition | None:
        """One schedule whole; None when there is none."""
        try:
            return self.schedules.get(group, name)
        except NotFoundError:
            return None

    def _planner(self, *, replace: bool) -> _Planner:
        return _Planner(self, self.defaults(), replace=replace)

    def _write(self, plan: _Plan, planner: _Planner, *, lost: Outcome = "same", again: bool = True) -> Put:
        """Write one schedule; when somebody else came in between, once more (``again``) by what is there then.

        ``lost`` is what became of it when an earlier call, whose answer was lost, has left nothing to do.
        """
        try:
            arn = self._send(plan)
        except (AwsError, NotFoundError) as error:
            if not again or not _came_in_between(error, plan.existing):
                return _failed(plan, _told(error, plan.existing))
            lost = plan.outcome if _may_have_acted(error) else lost
        else:
            outcome = lost if plan.document is None else plan.outcome
            return Put(plan.wanted.name, plan.wanted.group, arn, outcome, warnings=plan.warnings)
        try:
            return self._write(planner.plan(plan.wanted), planner, lost=lost, again=False)
        except (AwsError, InvalidInputError) as error:
            return _failed(plan, str(error))

    def _send(self, plan: _Plan) -> str:
        if plan.document is None:
            return self._arn(plan)
        return self.schedules.update(plan.document) if plan.existing else self.schedules.create(plan.document)

    def _arn(self, plan: _Plan) -> str:
        """The ARN of a schedule, also of one that is not there yet."""
        at, wanted = self.home, plan.wanted
        made = f"arn:{at.partition}:scheduler:{at.region}:{at.account}:schedule/{wanted.group}/{wanted.name}"
        return _arn_of(plan.existing) or made

    def _switch(
        self, name: str, state: ScheduleState, group: str, *, lost: Outcome = "same", again: bool = True
    ) -> Put:
        """Switch one schedule; when somebody else came in between, once more as ``_write`` does."""
        existing: ScheduleDefinition | None = None
        try:
            existing = self.schedules.get(group, name)
            now = self.clock.now()
            document = switched(existing.document, state, now)
            if document is None:
                return Put(name, group, existing.arn, lost)
            if state == "ENABLED" and is_one_time(document) and is_over(document, now):
                said = f"{document['ScheduleExpression']} has passed, and AWS may fire it at once: put another time"
                return Put(name, group, existing.arn, "failed", said)
            return Put(name, group, self.schedules.update(document), "updated")
        except (AwsError, InvalidInputError, NotFoundError) as error:
            if not again or existing is None or not _came_in_between(error, existing):
                return Put(name, group, _arn_of(existing), "failed", _told(error, existing))
            lost = "updated" if _may_have_acted(error) else lost
        return self._switch(name, state, group, lost=lost, again=False)

    def _delete(self, name: str, group: str, pipeline_arn: str | None) -> Deleted:
        try:
            existing = self.schedules.get(group, name)
            if pipeline_arn is not None and not starts_pipeline(existing.document, pipeline_arn, self.home):
                said = f"it starts {existing.target_arn}, not {pipeline_arn}: it was not deleted"
                return Deleted(name, group, "failed", said)
            self.schedules.delete(group, name)
        except NotFoundError:
            return Deleted(name, group, "missing")
        except AwsError as error:
            return Deleted(name, group, "failed", str(error))
        return Deleted(name, group, "deleted")


@dataclass
class _Planner:
    """Decides what is to be done for each schedule; what it asks about pipelines, roles and groups it asks once."""

    scheduling: Scheduling
    defaults: Defaults
    replace: bool
    _definitions: dict[str, Definition | AwsError] = field(default_factory=dict)
    _distrusted: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    _groups: set[str] | None = None

    def plans(self, wanted: Sequence[WantedSchedule]) -> list[_Plan]:
        """What is to be done for each schedule. Raises InvalidInputError with everything that is wrong."""
        plans: list[_Plan] = []
        problems: list[Problem] = []
        seen: set[tuple[str, str]] = set()
        for each in wanted:
            if (each.group, each.name) in seen:
                said = f"is wanted twice in the group {each.group}"
                problems.append(Problem(f"{each.name}.name", said, "Give each schedule a name of its own"))
                continue
            seen.add((each.group, each.name))
            try:
                plans.append(self.plan(each))
            except InvalidInputError as error:
                problems += error.problems
        if problems:
            raise InvalidInputError(problems)
        return plans

    def plan(self, wanted: WantedSchedule) -> _Plan:
        """What is to be done for one schedule, by what is there now. Raises InvalidInputError, or AwsError."""
        now = self.scheduling.clock.now()
        existing = self.scheduling.if_there(wanted.group, wanted.name)
        kept = existing.document if existing and is_same_target(existing.document, wanted) else None
        if existing and kept is None and not self.replace:
            said = f"there is a schedule of this name in the group {wanted.group}, and it starts {existing.target_arn}"
            remedy = "Give another name, or say that it may be replaced (--replace, in Python replace=True)"
            raise InvalidInputError([Problem(f"{wanted.name}.name", said, remedy)])
        document = created(wanted, self.defaults, now) if kept is None else changed(kept, wanted, now)
        problems: list[Problem] = []
        if document is not None:
            problems += time_problems(document, kept, now)
            if problems and existing is None and _has_deleted_itself(wanted, document, now):
                return _Plan(wanted, None, None, ("it is over and was to delete itself then: nothing is made",))
        if existing is None:
            problems += self._group_problems(wanted.group)
        written: Mapping[str, Any] = (document or kept or {})["Target"]
        if kept is None or wanted.role_arn is not None:
            problems += self._role_problems(written["RoleArn"], wanted.group)
        warnings: tuple[str, ...] = ()
        if isinstance(wanted.target, StartsPipeline):
            found, warnings = self._pipeline_problems(wanted.target.pipeline_arn, parameters_of(written))
            problems += found
        if problems:
            raise InvalidInputError(replace(problem, field=f"{wanted.name}.{problem.field}") for problem in problems)
        return _Plan(wanted, existing, document, warnings)

    def _group_problems(self, group: str) -> list[Problem]:
        """Whether the group of a new schedule is there; nothing is said where one may not look."""
        if group in (DEFAULT_GROUP, self.defaults.group):
            return []
        if self._groups is None:
            try:
                self._groups = {*self.scheduling.schedules.groups()}
            except AwsError as error:
                if not error.is_denied:
                    raise
                self._groups = {group}
        if group in self._groups:
            return []
        remedy = f"Make it with: aws scheduler create-schedule-group --name {group}, or leave it out"
        return [Problem("group", f"there is no schedule group {group}", remedy)]

    def _role_problems(self, role_arn: str, group: str) -> list[Problem]:
        """Whether EventBridge Scheduler may assume the role for a schedule; nothing is said where one may not look."""
        if role_arn in (self.defaults.role_arn, self.defaults.queue_role_arn):
            if group == self.defaults.group:
                return []
            said = f"the stack's own role {role_arn} is trusted for schedules of the group {self.defaults.group} only"
            return [Problem("role_arn", said, "Give a role, or leave out the group")]
        account = role_arn.split(":")[4]
        if account != self.scheduling.home.account:
            said = (
                f"{role_arn} is of the account {account}: EventBridge Scheduler assumes roles of its own account only"
            )
            return [Problem("role_arn", said, f"Give a role of the account {self.scheduling.home.account}")]
        if role_arn not in self._distrusted:
            self._distrusted[role_arn] = self._why_distrusted(role_arn)
        return [Problem("role_arn", said, remedy) for said, remedy in self._distrusted[role_arn]]

    def _why_distrusted(self, role_arn: str) -> tuple[tuple[str, str], ...]:
        try:
            if self.scheduling.roles.trusts(role_arn, SCHEDULER):
                return ()
        except NotFoundError as error:
            return ((str(error), "Create it, or correct the ARN"),)
        except AwsError as error:
            if not error.is_denied:
                raise
            return ()
        remedy = f"Let its trust policy allow sts:AssumeRole to {SCHEDULER}"
        return ((f"EventBridge Scheduler may not assume {role_arn}", remedy),)

    def _pipeline_problems(
        self, pipeline_arn: str, parameters: Mapping[str, str]
    ) -> tuple[list[Problem], tuple[str, ...]]:
        """What the pipeline says to a start with these parameters; and what was not checked, and why."""
        answer = self._definition(pipeline_arn)
        if not isinstance(answer, AwsError):
            return parameter_problems(parameters, answer), ()
        if answer.reason == "not-found-yet":
            return [Problem("pipeline", f"there is no pipeline {pipeline_arn}", "Create it, or correct the name")], ()
        if answer.reason == "pipeline-deleting":
            remedy = "Wait until it is created again, or name another one"
            return [Problem("pipeline", f"the pipeline {pipeline_arn} is being deleted", remedy)], ()
        if answer.is_denied:
            said = f"you may not describe the pipeline {pipeline_arn}: it and its parameters were not checked"
            return [], (said,)
        if isinstance(answer, PermanentError):
            return [], (f"the pipeline {pipeline_arn} and its parameters were not checked: {answer}",)
        raise answer

    def _definition(self, pipeline_arn: str) -> Definition | AwsError:
        if pipeline_arn not in self._definitions:
            try:
                ref = PipelineRef.parse(pipeline_arn)
                self._definitions[pipeline_arn] = self.scheduling.pipelines.describe(ref, fresh=True)
            except AwsError as error:
                self._definitions[pipeline_arn] = error
        return self._definitions[pipeline_arn]


def _has_deleted_itself(wanted: WantedSchedule, document: Document, now: datetime) -> bool:
    """Whether a schedule that is all there is to it (of a trigger file) is missing because it is over."""
    return wanted.complete and bool(wanted.delete_after_run) and is_over(document, now)


def _may_start(listed: Schedule, pipeline_arn: str) -> bool:
    """Whether it is worth reading a schedule: lists tell its target only, not what a universal target is to start."""
    return listed.target_arn.casefold() == pipeline_arn.casefold() or is_universal(listed.target_arn)


def _came_in_between(error: PipelineTriggersError, existing: ScheduleDefinition | None) -> bool:
    """Whether the schedule may not be as it was read any more, by somebody else or by a call whose answer was lost."""
    if isinstance(error, NotFoundError):
        return existing is not None  # else it is the group that is not there
    conflict = isinstance(error, TransientError) and error.reason == "conflict"
    return conflict or _may_have_acted(error)


def _may_have_acted(error: PipelineTriggersError) -> bool:
    return isinstance(error, TransientError) and error.acted


def _told(error: PipelineTriggersError, existing: ScheduleDefinition | None) -> str:
    """Why a schedule was not written, for people."""
    if _may_have_acted(error) or not _came_in_between(error, existing):
        return str(error)
    return f"somebody else changes it at the same time: try again ({error})"


def _failed(plan: _Plan, problem: str) -> Put:
    return Put(plan.wanted.name, plan.wanted.group, _arn_of(plan.existing), "failed", problem, plan.warnings)


def _arn_of(existing: ScheduleDefinition | None) -> str:
    return "" if existing is None else existing.arn
