"""The triggers of a deployed stack in Python: put, described, listed, switched and deleted."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.checking import Checker
from pipeline_triggers.composition import manager, scheduling
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.schedule_forms import wanted_schedule
from pipeline_triggers.domain.schedule_plans import MAX_SCHEDULE_NAME, starts_pipeline
from pipeline_triggers.errors import (
    AwsError,
    InvalidInputError,
    NotFoundError,
    PartialFailureError,
    PipelineTriggersError,
    Problem,
    Result,
)
from pipeline_triggers.sdk.descriptions import Described, described_event_trigger, described_schedule
from pipeline_triggers.sdk.objects import PipelineEventTrigger, PipelineSchedule, adopted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.schedule_plans import ScheduleState, WantedSchedule
    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.triggers import Trigger
    from pipeline_triggers.managing import Applied, Manager
    from pipeline_triggers.scheduling import Scheduling

# The schedule group that the SageMaker SDK uses: it knows no other.
SAGEMAKER_GROUP = "default"

Pipeline: TypeAlias = Any


class PipelineTriggers:
    """The schedules and the event triggers of one deployed stack. Nothing is called before a method is.

    ``session`` is a boto3 or botocore session, or a SageMaker session, whose credentials are used; ``region`` and
    ``profile`` default to what the AWS configuration says. Every method raises AwsError when AWS refuses what must be
    known first, ConfigurationError when there is no Region or the stack is of another version.

    In the methods a ``pipeline`` is a name, an ARN, or an object with a ``name`` such as the SageMaker SDK's.
    ``group_name`` is the schedule group of schedules outside the stack's own: those that the SageMaker SDK makes are in
    ``default``.
    """

    def __init__(
        self,
        stack_name: str = "pipeline-triggers",
        *,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        session: Any = None,
    ) -> None:
        self.stack_name = stack_name
        self._clients = Clients(region, endpoint_url, profile, session=_botocore_session(session))

    def put_triggers(
        self,
        pipeline: Pipeline,
        triggers: Sequence[Any],
        role_arn: str | None = None,
        *,
        replace: bool = False,
        group_name: str | None = None,
        set: str = "",  # noqa: A002 - the word of trigger files
    ) -> list[str]:
        """Create or update triggers of a pipeline, and return their ARNs in the order of ``triggers``.

        ``triggers`` are ``PipelineSchedule`` (this module's or the SageMaker SDK's) and ``PipelineEventTrigger``. What
        is as wanted is not written. ``role_arn`` is assumed by EventBridge Scheduler, by default the stack's scheduler
        role. ``set`` owns the event triggers. Without ``replace`` a trigger of that name that starts something else is
        not touched.

        All are checked before the first is written: InvalidInputError with every problem. When one cannot be written
        the others still are: PartialFailureError, with the results of all. What cannot be checked is a warning.
        """
        asked = _Asked.read(triggers, _pipeline(pipeline), set)
        wanted = self._wanted(asked, role_arn, group_name)
        warned: list[str] = []
        if asked.events:
            warned += self._check_events(asked, wanted, replace=replace)
        results: dict[str, Result] = {}
        if wanted:
            with asked.in_arguments(wanted):
                put = self._scheduling.put(wanted, replace=replace)
            warned += (f"{each.name}: {warning}" for each in put for warning in each.warnings)
            results |= {each.name: Result(each.name, each.arn, each.outcome, each.problem) for each in put}
        if asked.events:
            results |= self._apply(asked.events, set)
        for warning in warned:
            warnings.warn(warning, stacklevel=2)
        return [each.arn for each in _without_failures([results[name] for name in asked.names(wanted)])]

    def describe_trigger(
        self, trigger_name: str | None = None, *, name: str | None = None, group_name: str | None = None
    ) -> Described:
        """One trigger. ``name`` is another word for ``trigger_name``. NotFoundError when there is none.

        A schedule has the SageMaker SDK's keys (``Schedule_Arn``, ``_Expression``, ``_State``, ``_Start_Date``,
        ``_Role``) and more of the kind; what a schedule does not have is None. Times are ISO 8601 with their offset, in
        UTC but for ``Schedule_Next_Times``, which are in the schedule's time zone.
        """
        if (trigger_name is None) == (name is None):
            raise TypeError("describe_trigger needs the name of a trigger: trigger_name or name, and not both")
        asked = trigger_name if name is None else name
        assert asked is not None, "one of the two is there"
        found = self._event_trigger(asked, group_name)
        return self._told(self._schedule(asked, group_name)) if found is None else self._told_event(found)

    def list_triggers(self, pipeline: Pipeline = None) -> list[Described]:
        """The triggers of the stack, or those of one pipeline, as ``describe_trigger`` tells of them.

        Those of a pipeline include the schedules of all groups that start it. Without the right to read the stack's
        triggers only schedules are listed.
        """
        arn = None if pipeline is None else _pipeline(pipeline).arn_in(self._scheduling.home)
        schedules = list(self._scheduling.list(pipeline_arn=arn))
        events = [each for each in self._stored().values() if arn is None or arn.casefold() in self._started(each)]
        listed = {schedule.arn for schedule in schedules}
        if any(each.schedule for each in events):
            # The schedule of a trigger may send to a queue of the stack instead: then no schedule names the pipeline.
            group = self._scheduling.defaults().group
            kept = (self._scheduling.if_there(group, each.name) for each in events if each.schedule)
            schedules += [schedule for schedule in kept if schedule and schedule.arn not in listed]
        return [*map(self._told, schedules), *(self._told_event(each) for each in events if not each.schedule)]

    def delete_triggers(
        self, trigger_names: Sequence[str], pipeline: Pipeline = None, *, group_name: str | None = None
    ) -> list[Result]:
        """Delete triggers by name, and tell what became of each: ``deleted``, or ``missing`` when there is none.

        With ``pipeline`` only triggers that start it. When one cannot be deleted, or starts something else, the others
        still are: PartialFailureError, with the results of all.
        """
        if isinstance(trigger_names, str):
            raise TypeError("trigger_names is a list of names")
        names = list(dict.fromkeys(trigger_names))
        arn = None if pipeline is None else _pipeline(pipeline).arn_in(self._scheduling.home)
        stored = self._stored() if group_name is None else {}
        mine = [stored[name] for name in names if name in stored]
        results = self._delete_stored(mine, arn)
        others = [name for name in names if name not in stored]
        for each in self._scheduling.delete(others, group_name, pipeline_arn=arn) if others else ():
            results[each.name] = Result(each.name, "", each.outcome, each.problem)
        return _without_failures([results[name] for name in names])

    def enable_trigger(self, trigger_name: str, *, group_name: str | None = None) -> None:
        """Let a trigger start its pipeline. NotFoundError when there is none, PartialFailureError when it fails."""
        self._switch(trigger_name, "ENABLED", group_name)

    def disable_trigger(self, trigger_name: str, *, group_name: str | None = None) -> None:
        """Let a trigger start nothing, and keep it. Errors as ``enable_trigger``."""
        self._switch(trigger_name, "DISABLED", group_name)

    @cached_property
    def _scheduling(self) -> Scheduling:
        return scheduling(self._clients, self.stack_name)

    @cached_property
    def _manager(self) -> Manager:
        return manager(self._clients, self.stack_name)

    def _wanted(self, asked: _Asked, role_arn: str | None, group_name: str | None) -> list[WantedSchedule]:
        """The schedules for this pipeline. Raises InvalidInputError with what can be judged without the pipeline."""
        problems: list[Problem] = []
        wanted: list[WantedSchedule] = []
        for given in asked.schedules:
            document = given.to_document() | {"pipeline": str(asked.pipeline), "role_arn": role_arn}
            document["group"] = document["group"] or group_name
            try:
                wanted.append(wanted_schedule(document, self._scheduling.home, self._scheduling.defaults().group))
            except InvalidInputError as error:
                problems += given.in_arguments(error)
        if not problems:
            names = asked.names(wanted)
            for name in dict.fromkeys(name for name in names if names.count(name) > 1):
                problems.append(Problem(f"{name}.name", "is wanted twice", "Give each trigger a name of its own"))
            stored = self._stored() if wanted else {}
            for each, given in zip(wanted, asked.schedules, strict=True):
                problems += self._rivals(each, given.name, asked.pipeline.name, stored)
        if problems:
            raise InvalidInputError(dict.fromkeys(problems))
        return wanted

    def _rivals(
        self, wanted: WantedSchedule, given_name: str | None, pipeline_name: str, stored: Mapping[str, Trigger]
    ) -> Iterator[Problem]:
        """What there is of the name and must not be confused with the schedule.

        A trigger of the stack, which keeps its own schedule; and what the SageMaker SDK would have made of the same
        trigger, in its own group: beside it the pipeline would start twice.
        """
        if wanted.group == self._scheduling.defaults().group and wanted.name in stored:
            remedy = "Change or delete that one, or give another name"
            yield Problem(f"{wanted.name}.name", f"the stack {self.stack_name} has a trigger of this name", remedy)
        if wanted.group == SAGEMAKER_GROUP or len(given_name or pipeline_name) > MAX_SCHEDULE_NAME:
            return
        twin = self._if_readable(SAGEMAKER_GROUP, given_name or pipeline_name)
        if twin is None or not self._starts_the_same(twin, wanted):
            return
        # That SDK calls a schedule without a name after its pipeline: it may be quite another one.
        is_same = given_name is not None or twin.document["ScheduleExpression"] == wanted.expression
        if is_same and self._if_readable(wanted.group, wanted.name) is None:
            said = f"{twin.arn} starts this pipeline already, as the SageMaker SDK makes it: both would start it"
            named = f'name="{twin.document["Name"]}" and group_name="{SAGEMAKER_GROUP}"'
            remedy = f"Give {named} to change that one, or disable or delete it first"
            yield Problem(f"{wanted.name}.group_name", said, remedy)

    def _starts_the_same(self, twin: ScheduleDefinition, wanted: WantedSchedule) -> bool:
        enabled = twin.document.get("State", "ENABLED") == "ENABLED"
        return enabled and starts_pipeline(twin.document, wanted.target.arn, self._scheduling.home)

    def _check_events(self, asked: _Asked, wanted: list[WantedSchedule], *, replace: bool) -> list[str]:
        """Raise what ``put`` and ``apply`` would refuse, before either writes. Tells what could not be checked."""
        problems: list[Problem] = []
        warned: list[str] = []
        checker, before = Checker(self._scheduling.pipelines), self._manager.current().by_name
        for event in asked.events:
            found = checker.check(event)
            problems += (_of(event, problem) for problem in found.problems)
            warned += (str(_of(event, warning)) for warning in found.warnings)
            there = before.get(event.name)
            if there is None and self._if_readable(self._scheduling.defaults().group, event.name):
                problems.append(Problem(f"{event.name}.name", "is that of a schedule", "Give another name"))
            if there and not replace and (there.schedule or self._started(there) != self._started(event)):
                said = "there is a trigger of this name, and it is a schedule or starts something else"
                problems.append(Problem(f"{event.name}.name", said, "Give another name, or say replace=True"))
        try:
            self._manager.preview(asked.events, set=asked.set)
        except InvalidInputError as error:
            problems += error.problems
        try:
            with asked.in_arguments(wanted):
                self._scheduling.preview(wanted, replace=replace)
        except InvalidInputError as error:
            problems += error.problems
        if problems:
            raise InvalidInputError(problems)
        return [*warned, *map(str, checker.left_out)]

    def _apply(self, events: Sequence[Trigger], set: str) -> dict[str, Result]:  # noqa: A002
        """Write the event triggers: all of them or none."""
        arns = {event.name: self._arn(event.name) for event in events}
        try:
            applied = self._manager.apply(events, set=set)
        except PipelineTriggersError as error:
            return {name: Result(name, "", "failed", str(error)) for name in arns}
        added = {trigger.name for trigger in applied.proposal.plan.add}
        changed = {trigger.name for trigger in applied.proposal.plan.change}
        outcomes = {name: "created" if name in added else "updated" if name in changed else "same" for name in arns}
        done = {name: Result(name, arn, outcomes[name]) for name, arn in arns.items()}
        return done | _failed_schedules(applied)

    def _delete_stored(self, triggers: list[Trigger], pipeline_arn: str | None) -> dict[str, Result]:
        """Delete triggers of the stack, with the schedules that they made."""
        results: dict[str, Result] = {}
        todo = []
        for trigger in triggers:
            if pipeline_arn is not None and self._started(trigger) != {pipeline_arn.casefold()}:
                said = f"it starts {', '.join(sorted(self._started(trigger)))}, not {pipeline_arn} alone: not deleted"
                results[trigger.name] = Result(trigger.name, self._arn(trigger.name), "failed", said)
            else:
                todo.append(trigger.name)
        if todo:
            try:
                applied = self._manager.delete(todo)
                results |= {name: Result(name, "", "deleted") for name in todo} | _failed_schedules(applied)
            except PipelineTriggersError as error:
                results |= {name: Result(name, self._arn(name), "failed", str(error)) for name in todo}
        return results

    def _switch(self, name: str, state: ScheduleState, group_name: str | None) -> None:
        if group_name is None and name in self._stored():
            applied = self._manager.set_state([name], state)
            _without_failures(list(_failed_schedules(applied).values()))
            return
        self._schedule(name, group_name)
        results = [
            Result(each.name, each.arn, each.outcome, each.problem)
            for each in self._scheduling.set_state([name], state, group_name)
        ]
        _without_failures(results)

    def _stored(self) -> Mapping[str, Trigger]:
        """The stack's triggers by name; none for those who may work with schedules only."""
        try:
            return self._manager.current().by_name
        except AwsError as error:
            if error.is_denied:
                return {}
            raise

    def _if_readable(self, group: str, name: str) -> ScheduleDefinition | None:
        """A schedule; None when there is none, or when one may not look."""
        try:
            return self._scheduling.if_there(group, name)
        except AwsError as error:
            if error.is_denied:
                return None
            raise

    def _event_trigger(self, name: str, group_name: str | None) -> Trigger | None:
        found = self._stored().get(name) if group_name is None else None
        return found if found and found.schedule is None else None

    def _schedule(self, name: str, group_name: str | None) -> ScheduleDefinition:
        group = group_name or self._scheduling.defaults().group
        try:
            return self._scheduling.describe(name, group)
        except NotFoundError as error:
            beside = "" if group_name else f", and the stack {self.stack_name} has no trigger of that name"
            raise NotFoundError(f"there is no schedule {name} in the group {group}{beside}") from error

    def _started(self, trigger: Trigger) -> set[str]:
        """The ARNs of the pipelines that a trigger starts, casefolded: SageMaker lower-cases their names."""
        return {target.pipeline.arn_in(self._scheduling.home).casefold() for target in trigger.targets}

    def _arn(self, name: str) -> str:
        at = self._scheduling.home
        return f"arn:{at.partition}:pipeline-triggers:{at.region}:{at.account}:{self.stack_name}/trigger/{name}"

    def _told(self, definition: ScheduleDefinition) -> Described:
        return described_schedule(definition, self._scheduling.clock.now())

    def _told_event(self, trigger: Trigger) -> Described:
        return described_event_trigger(trigger, self._arn(trigger.name))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What ``put_triggers`` was given for one pipeline; ``order`` has the event triggers and None for each schedule."""

    pipeline: PipelineRef
    set: str
    schedules: Sequence[PipelineSchedule]
    order: Sequence[Trigger | None]

    @classmethod
    def read(cls, triggers: Iterable[Any], pipeline: PipelineRef, set: str) -> _Asked:  # noqa: A002
        """Raises InvalidInputError when there is none, or when some are none; TypeError for what is no list."""
        if isinstance(triggers, str | Mapping) or not isinstance(triggers, Iterable):
            raise TypeError(f"triggers is a list of triggers, not {type(triggers).__name__}")
        schedules: list[PipelineSchedule] = []
        order: list[Trigger | None] = []
        problems: list[Problem] = []
        for number, trigger in enumerate(triggers):
            try:
                if isinstance(trigger, PipelineEventTrigger):
                    order.append(trigger.to_trigger(str(pipeline), set))
                else:
                    schedules.append(adopted(trigger))
                    order.append(None)
            except InvalidInputError as error:
                named = getattr(trigger, "name", None)
                at = named if isinstance(named, str) else f"triggers[{number}]"
                problems += (replace(each, field=f"{at}.{each.field}".rstrip(".")) for each in error.problems)
        if not (order or problems):
            problems.append(Problem("triggers", "there is none", "Give at least one"))
        if problems:
            raise InvalidInputError(problems)
        return cls(pipeline, set, schedules, order)

    @property
    def events(self) -> Sequence[Trigger]:
        """The event triggers."""
        return [each for each in self.order if each is not None]

    def names(self, wanted: Sequence[WantedSchedule]) -> list[str]:
        """The names of all in their order; ``wanted`` are the schedules."""
        schedules = iter(wanted)
        return [next(schedules).name if each is None else each.name for each in self.order]

    @contextmanager
    def in_arguments(self, wanted: Sequence[WantedSchedule]) -> Iterator[None]:
        """Tell the problems with fields of ``wanted`` as problems with the arguments that gave them."""
        try:
            yield
        except InvalidInputError as error:
            given = {each.name: mine for each, mine in zip(wanted, self.schedules, strict=True)}
            raise InvalidInputError(_of_argument(problem, given) for problem in error.problems) from error


def _of_argument(problem: Problem, given: Mapping[str, PipelineSchedule]) -> Problem:
    """A problem whose field begins with the name of a schedule, with the argument that the field stands for."""
    for name, mine in given.items():
        if problem.field.startswith(f"{name}."):
            (said,) = mine.in_arguments(InvalidInputError([problem]), name)
            return said
    return problem


def _pipeline(pipeline: Pipeline) -> PipelineRef:
    named = pipeline if isinstance(pipeline, str) else getattr(pipeline, "name", None)
    if not isinstance(named, str):
        raise TypeError(f"a pipeline is a name, an ARN or an object with a name, not {type(pipeline).__name__}")
    return PipelineRef.parse(named)


def _botocore_session(session: Any) -> Any:
    """The botocore session inside a boto3 or SageMaker session."""
    session = getattr(session, "boto_session", session)
    return getattr(session, "_session", session)


def _without_failures(results: list[Result]) -> list[Result]:
    if any(result.outcome == "failed" for result in results):
        raise PartialFailureError(results)
    return results


def _failed_schedules(applied: Applied) -> dict[str, Result]:
    """The triggers that were written, but not their schedules."""
    return {
        change.trigger: Result(change.trigger, "", "failed", change.problem)
        for change in applied.schedules
        if change.outcome == "failed"
    }


def _of(trigger: Trigger, problem: Problem) -> Problem:
    return replace(problem, field=f"{trigger.name}.{problem.field}")
