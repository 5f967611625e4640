"""Use case: rules and schedules that start pipelines, as triggers, with what was silently wrong with them.

Nothing is changed but what ``disable`` is asked to disable: originals of which the stack has a trigger that does the
same. What cannot be a trigger is left out, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from typing import Literal as OneOf

from pipeline_triggers.documents.originals import trigger_of_rule
from pipeline_triggers.domain.imported_schedules import pipeline_of, short_pipeline, trigger_of_schedule
from pipeline_triggers.domain.originals import (
    Finding,
    Original,
    rule_findings,
    schedule_findings,
    starts_pipeline,
)
from pipeline_triggers.domain.rule_targets import is_pipeline
from pipeline_triggers.domain.schedule_plans import is_universal
from pipeline_triggers.domain.schedule_plans import switched as switched_schedule
from pipeline_triggers.errors import AwsError, InvalidInputError, NotFoundError
from pipeline_triggers.inspecting import Inspector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ports import (
        Clock,
        PipelineNames,
        Pipelines,
        QueuePolicies,
        Roles,
        RuleBook,
        Schedules,
    )
    from pipeline_triggers.domain.rules import RuleDefinition
    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.triggers import Snapshot, Target, Trigger
    from pipeline_triggers.errors import Problem

MAX_NAME = 64
# What is wrong with a schedule that UpdateSchedule refuses to change: it validates the role of the target.
_UNCHANGEABLE = frozenset({"role-gone", "role-not-trusted"})

# What is being looked at, how many of it are done, and of how many (None: that is not known yet).
Progress: TypeAlias = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """An original and the trigger that does the same; ``findings`` say what is to be known about the original.

    ``stays`` says why the original cannot simply be disabled: it is empty when it can.
    """

    original: Original
    trigger: Trigger
    findings: tuple[Finding, ...] = ()
    stays: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An original that no trigger can do the same as, and why."""

    original: Original
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """All originals.

    ``replaced`` are those that are disabled, while a trigger of the stack does the same: they are moved already, and a
    trigger like them would be disabled too. ``unchecked`` says what could not be looked at.
    """

    moved: tuple[Moved, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    replaced: tuple[Original, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disabled:
    """What became of an original that was to be disabled; ``problem`` says why it failed."""

    original: Original
    outcome: OneOf["disabled", "missing", "failed"]
    problem: str = ""


@dataclass(frozen=True)
class Importer:
    """The rules and schedules of this account and Region.

    ``snapshot`` are the triggers of the stack named ``stack``: their own schedules are no originals.
    """

    rules: RuleBook
    schedules: Schedules
    pipelines: Pipelines
    names: PipelineNames
    roles: Roles
    policies: QueuePolicies
    clock: Clock
    home: Home
    stack: str
    snapshot: Snapshot

    def read(self, *, set: str, pipelines: Collection[str] = (), progress: Progress | None = None) -> Imported:  # noqa: A002 - the word of trigger files
        """The rules with a pipeline as a target, on all event buses, and the schedules that start one, in all groups.

        ``pipelines`` are names or ARNs: with them only what starts one of these. The triggers belong to ``set``.
        Raises AwsError when EventBridge, Scheduler or SageMaker cannot be asked.
        """
        inspector = Inspector(self.pipelines, self.names, self.roles, self.policies, self.home)
        wanted = frozenset(short_pipeline(name, self.home).casefold() for name in pipelines)
        reading = _Reading(self, inspector, set, wanted, progress or _silent)
        found = [*reading.rules(), *reading.schedules()]
        moved = [each for each in found if isinstance(each, Moved)]
        replaced = [each for each in moved if not each.original.enabled and self._has_the_same(each.trigger)]
        return Imported(
            tuple(each for each in moved if each not in replaced),
            tuple(each for each in found if isinstance(each, LeftOut)),
            tuple(each.original for each in replaced),
            tuple(inspector.unchecked),
        )

    def to_disable(self, imported: Imported) -> tuple[list[Moved], list[tuple[Moved, str]]]:
        """Which originals can be disabled now, and which cannot, with the reason.

        An original goes only when the stack has an enabled trigger that waits for the same and starts the same.
        """
        able: list[Moved] = []
        unable: list[tuple[Moved, str]] = []
        for moved in imported.moved:
            if not moved.original.enabled:
                unable.append((moved, "is disabled already"))
            elif moved.stays:
                unable.append((moved, moved.stays))
            elif moved.original.kind == "schedule" and _UNCHANGEABLE.intersection(it.code for it in moved.findings):
                unable.append((moved, "starts nothing, and AWS changes no schedule without a role: delete it"))
            elif not self._has_the_same(moved.trigger):
                unable.append((moved, "no enabled trigger of the stack does the same: apply the file first"))
            else:
                able.append(moved)
        return able, unable

    def _has_the_same(self, imported: Trigger) -> bool:
        """Whether an enabled trigger of the stack does the same."""
        return any(_does_the_same(trigger, imported, self.home) for trigger in self.snapshot.triggers)

    def disable(self, moved: Moved) -> Disabled:
        """Disable one original, and change nothing else about it."""
        original = moved.original
        try:
            if original.kind == "rule":
                self.rules.disable(self.rules.rule(original.place, original.name))
            else:
                definition = self.schedules.get(original.place, original.name)
                request = switched_schedule(definition.document, "DISABLED", self.clock.now())
                if request is not None:
                    self.schedules.update(request)
        except NotFoundError:
            return Disabled(original, "missing")
        except AwsError as error:
            return Disabled(original, "failed", str(error))
        return Disabled(original, "disabled")


def _silent(_what: str, _done: int, _total: int | None) -> None:
    """Nobody watches."""


@dataclass
class _Reading:
    """One look at everything."""

    importer: Importer
    inspector: Inspector
    of_set: str
    wanted: frozenset[str]
    progress: Progress
    names: set[str] = field(default_factory=set)
    looked_at: int = 0

    # --- rules

    def rules(self) -> Iterator[Moved | LeftOut]:
        book = self.importer.rules
        buses = list(book.buses())
        listed: list[RuleDefinition] = []
        for number, bus in enumerate(buses, 1):
            listed += book.rules(bus)
            self.progress("event buses", number, len(buses))
        for number, rule in enumerate(listed, 1):
            self.progress("rules", number, len(listed))
            targets = book.targets(rule)
            starting = [target for target in targets if starts_pipeline(target)]
            if starting and self._is_wanted(starting):
                yield self._rule(rule, starting, len(targets) - len(starting))

    def _rule(self, rule: RuleDefinition, targets: Sequence[Mapping[str, Any]], others: int) -> Moved | LeftOut:
        original = Original("rule", rule.arn, rule.bus, rule.name, rule.is_enabled)
        findings = rule_findings(rule, targets, others)
        for target in targets:
            findings += self.inspector.target(target, rule.arn)
        try:
            name = self._name(rule.name, rule.bus)
            trigger, warnings = trigger_of_rule(
                rule.document, targets, self._tags(rule), self.importer.home, name=name, set=self.of_set
            )
        except InvalidInputError as error:
            return _left_out(original, error, findings)
        trigger = self.inspector.spelt(trigger)
        findings += [Finding("reading", str(warning), "note") for warning in warnings]
        findings += self.inspector.contract(trigger)
        stays = ""
        if rule.document.get("ManagedBy"):
            stays = f"{rule.document['ManagedBy']} manages it"
        elif others:
            stays = "it has other targets too, which would get nothing any more: remove the pipelines from it by hand"
        return Moved(original, trigger, _distinct(findings), stays)

    def _tags(self, rule: RuleDefinition) -> Mapping[str, str]:
        try:
            return self.importer.rules.tags(rule)
        except AwsError as error:
            self.inspector.deny(error, "you may not read the tags of rules (events:ListTagsForResource)")
            return {}
        except NotFoundError:
            return {}

    # --- schedules

    def schedules(self) -> Iterator[Moved | LeftOut]:
        found = [each for group in list(self.importer.schedules.groups()) for each in self._starting(group)]
        for number, (group, name) in enumerate(found, 1):
            self.progress("schedules that start pipelines", number, len(found))
            try:
                definition = self.importer.schedules.get(group, name)
            except NotFoundError:
                continue  # it was deleted in between
            if self._is_wanted([definition.document["Target"]]):
                yield self._schedule(definition, group)

    def _starting(self, group: str) -> Iterator[tuple[str, str]]:
        """The schedules of a group that start a pipeline themselves, but for those of the stack's own triggers."""
        token: str | None = None
        while True:
            page = self.importer.schedules.page(group, token)
            self.looked_at += len(page.schedules)
            self.progress("schedules", self.looked_at, None)
            for schedule in page.schedules:
                starts = is_pipeline(schedule.target_arn) or is_universal(schedule.target_arn)
                if starts and not self._is_own(group, schedule.name):
                    yield group, schedule.name
            token = page.token
            if token is None:
                return

    def _is_own(self, group: str, name: str) -> bool:
        """Whether a schedule is that of a trigger of the stack."""
        trigger = self.importer.snapshot.by_name.get(name)
        return group == self.importer.stack and trigger is not None and trigger.schedule is not None

    def _schedule(self, definition: ScheduleDefinition, group: str) -> Moved | LeftOut:
        document = definition.document
        name = str(document["Name"])
        original = Original("schedule", definition.arn, group, name, document.get("State", "ENABLED") == "ENABLED")
        findings = [*schedule_findings(document), *self.inspector.target(document["Target"])]
        try:
            trigger = trigger_of_schedule(
                document, self.importer.home, self.importer.clock.now(), name=self._name(name, group), set=self.of_set
            )
        except InvalidInputError as error:
            return _left_out(original, error, findings)
        trigger = self.inspector.spelt(trigger)
        findings += self.inspector.contract(trigger)
        stays = ""
        if group == self.importer.stack and trigger.name == name:
            stays = "it becomes the trigger's own schedule when the file is applied"
            findings.append(Finding("adopted", stays, "note"))
        return Moved(original, trigger, _distinct(findings), stays)

    # --- what both have

    def _is_wanted(self, targets: Sequence[Mapping[str, Any]]) -> bool:
        """Whether one of some targets starts a pipeline that was asked for."""
        named = {pipeline_of(target, self.importer.home).casefold() for target in targets}
        return not self.wanted or not self.wanted.isdisjoint(named)

    def _name(self, name: str, place: str) -> str:
        """A name for a trigger that no other original has: the original's, else one with its place behind it."""
        candidates = [name, _ending(name, f"-{place}"), *(_ending(name, f"-{number}") for number in range(2, 10_000))]
        chosen = next(candidate for candidate in candidates if candidate not in self.names)
        self.names.add(chosen)
        return chosen


def _ending(name: str, end: str) -> str:
    """A name with an end behind it, cut so that the whole is no longer than names of triggers are."""
    legal = re.sub(r"[^0-9A-Za-z._-]", "-", end)[:MAX_NAME]
    return f"{name[: MAX_NAME - len(legal)]}{legal}"


def _left_out(original: Original, error: InvalidInputError, findings: Sequence[Finding]) -> LeftOut:
    """The lines of problems are of the document that was put together for reading."""
    return LeftOut(original, tuple(replace(problem, line=0) for problem in error.problems), _distinct(findings))


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each finding once; what is wrong comes first."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.level == "note"))


def _does_the_same(live: Trigger, imported: Trigger, home: Home) -> bool:
    """Whether a trigger of the stack waits for the same as an imported one, and starts at least the same."""
    if live.state != "ENABLED" or live.pattern != imported.pattern:
        return False
    when = [each.schedule and (each.schedule.expression, each.schedule.timezone) for each in (live, imported)]
    started = _pipelines(live.targets, home)
    return when[0] == when[1] and _pipelines(imported.targets, home) <= started


def _pipelines(targets: Sequence[Target], home: Home) -> set[str]:
    return {target.pipeline.arn_in(home).casefold() for target in targets}
