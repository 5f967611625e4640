"""Use case: change the stack's triggers. Each change is planned, approved and written as one revision, or not at all.

Two people who write at the same time never mix: the second one's change is planned again on what the first one wrote.
The schedules of triggers follow once the revision is written. Where one of them fails the revision stays, and the same
change once more does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipeline_triggers.domain.triggers import Plan, Snapshot, Trigger, plan
from pipeline_triggers.errors import InvalidTriggerError, NotFoundError, StaleRevisionError, TransientError
from pipeline_triggers.keeping import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline_triggers.domain.ports import TriggerStore
    from pipeline_triggers.domain.revisions import RevisionInfo
    from pipeline_triggers.domain.triggers import State
    from pipeline_triggers.keeping import ScheduleChange, ScheduleKeeper

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change before it is written: the triggers as they are, all of them as they shall be, and the plan between.

    ``schedules`` is what will become of the schedules of the triggers that it concerns.
    """

    current: Snapshot
    wanted: tuple[Trigger, ...]
    plan: Plan
    schedules: tuple[ScheduleChange, ...] = ()

    @property
    def changes(self) -> list[tuple[Trigger, Trigger]]:
        """The triggers that change, as they are and as they shall be."""
        return [(self.current.by_name[trigger.name], trigger) for trigger in self.plan.change]

    @property
    def removed(self) -> list[Trigger]:
        """The triggers that shall be no more."""
        return [self.current.by_name[name] for name in self.plan.remove]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.is_current and all(change.outcome in ("same", "left") for change in self.schedules)

    @property
    def is_current(self) -> bool:
        """Whether the triggers are as they shall be already."""
        return not (self.plan.add or self.plan.change or self.plan.remove)

    def differences(self, names: Collection[str]) -> list[Difference]:
        """The triggers before and after, of those that the plan changes and of ``names``, where one has a schedule."""
        after = {trigger.name: trigger for trigger in self.wanted}
        changed = [*(t.name for t in self.plan.add), *(t.name for t in self.plan.change), *self.plan.remove]
        pairs = [
            Difference(self.current.by_name.get(name), after.get(name)) for name in dict.fromkeys([*changed, *names])
        ]
        return [pair for pair in pairs if any(each and each.schedule for each in (pair.before, pair.after))]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change: ``revision`` is the current one now.

    ``written`` is False when no trigger was to change, or when the change was not approved. ``schedules`` is what
    became of the triggers' schedules.
    """

    proposal: Proposal
    revision: int
    written: bool
    schedules: tuple[ScheduleChange, ...] = ()


def approve_all(proposal: Proposal) -> bool:  # noqa: ARG001 - the signature of an approval
    """The approval that asks nobody."""
    return True


@dataclass(frozen=True)
class Manager:
    """Reads the stack's triggers and writes new revisions of them. ``caller`` names who writes, for the record.

    ``keeper`` keeps the schedules of triggers; it is asked for only when a change concerns such triggers.

    Every method may raise PermanentError or TransientError of the store. The writing ones take ``approve``, which is
    shown each proposal before it is written, and raise StaleRevisionError when others keep writing in between.
    """

    store: TriggerStore
    caller: Callable[[], str]
    keeper: Callable[[], ScheduleKeeper]

    def current(self) -> Snapshot:
        """The triggers as they are now."""
        return self.store.load()

    def find(self, name: str) -> tuple[Trigger, int]:
        """One trigger and the revision that it was read from. NotFoundError when there is none of that name."""
        snapshot = self.current()
        _require([name], snapshot)
        return snapshot.by_name[name], snapshot.revision

    def revisions(self) -> Sequence[RevisionInfo]:
        """What revisions there are, newest first."""
        return self.store.revisions()

    def preview(self, wanted: Sequence[Trigger], *, set: str, prune: bool = False) -> Proposal:  # noqa: A002
        """What ``apply`` would do, and the same errors."""
        proposal = _of_set(self.current(), wanted, set, prune=prune)
        return self._with_schedules(proposal, [trigger.name for trigger in wanted])

    def apply(
        self,
        wanted: Sequence[Trigger],
        *,
        set: str,  # noqa: A002 - the word of trigger files
        prune: bool = False,
        approve: Callable[[Proposal], bool] = approve_all,
    ) -> Applied:
        """Make the triggers of a set what ``wanted`` says; with ``prune`` those of the set that it lacks are removed.

        Raises InvalidTriggerError when another set owns one of the names, InvalidInputError when a schedule cannot be
        as wanted (its fields begin with the trigger's name).
        """
        names = [trigger.name for trigger in wanted]
        return self._change(self.current, lambda current: _of_set(current, wanted, set, prune=prune), approve, names)

    def set_state(
        self,
        names: Sequence[str],
        state: State,
        *,
        approve: Callable[[Proposal], bool] = approve_all,
    ) -> Applied:
        """Enable, disable or shadow triggers: all of them or, when one is missing, none (NotFoundError).

        Raises InvalidTriggerError for a trigger that cannot have the state.
        """

        def propose(current: Snapshot) -> Proposal:
            _require(names, current)
            return _difference(current, [_switched(t, state) if t.name in names else t for t in current.triggers])

        return self._change(self.current, propose, approve)

    def delete(self, names: Sequence[str], *, approve: Callable[[Proposal], bool] = approve_all) -> Applied:
        """Delete triggers: all of them or, when one is missing, none (NotFoundError)."""

        def propose(current: Snapshot) -> Proposal:
            _require(names, current)
            return _difference(current, [t for t in current.triggers if t.name not in names])

        return self._change(self.current, propose, approve)

    def rollback(self, revision: int, *, approve: Callable[[Proposal], bool] = approve_all) -> Applied:
        """Write the triggers of an earlier revision as a new one. NotFoundError when there is none of that number.

        Works also when the current revision cannot be read: then every trigger counts as added.
        """
        earlier = self.store.load(revision)
        return self._change(
            self._current_or_unreadable,
            lambda current: _difference(current, earlier.triggers),
            approve,
        )

    def _current_or_unreadable(self) -> Snapshot:
        try:
            return self.current()
        except TransientError:
            # A revision that is damaged, or of a newer version of this program: its number is all that is needed.
            return Snapshot(self.store.revision(), ())

    def _change(
        self,
        read: Callable[[], Snapshot],
        propose: Callable[[Snapshot], Proposal],
        approve: Callable[[Proposal], bool],
        names: Sequence[str] = (),
    ) -> Applied:
        """Read, propose, ask, write. When somebody else wrote in between: read, propose and ask again, once.

        ``names`` are triggers whose schedules are looked after even if the triggers themselves do not change.
        """
        for attempt in range(1, ATTEMPTS + 1):
            proposal = self._with_schedules(propose(read()), names)
            revision = proposal.current.revision
            if proposal.is_empty or not approve(proposal):
                break
            try:
                if not proposal.is_current:
                    wanted = Snapshot(revision + 1, proposal.wanted)
                    revision = self.store.write(wanted, expected_revision=revision, by=self.caller())
                differences = proposal.differences(names)
                kept = self.keeper().keep(differences) if differences else []
                return Applied(proposal, revision, written=not proposal.is_current, schedules=tuple(kept))
            except StaleRevisionError:
                if attempt == ATTEMPTS:
                    raise
        return Applied(proposal, revision, written=False)

    def _with_schedules(self, proposal: Proposal, names: Sequence[str]) -> Proposal:
        differences = proposal.differences(names)
        if not differences:
            return proposal
        return replace(proposal, schedules=tuple(self.keeper().preview(differences)))


def _of_set(current: Snapshot, wanted: Sequence[Trigger], set: str, *, prune: bool) -> Proposal:  # noqa: A002
    planned = plan(current, wanted, set=set, prune=prune)
    return Proposal(current, planned.result(current), planned)


def _difference(current: Snapshot, wanted: Sequence[Trigger]) -> Proposal:
    """All triggers of the stack against all that shall be, whatever their sets."""
    before, names = current.by_name, {trigger.name for trigger in wanted}
    planned = Plan(
        add=tuple(trigger for trigger in wanted if trigger.name not in before),
        change=tuple(trigger for trigger in wanted if before.get(trigger.name, trigger) != trigger),
        remove=tuple(name for name in before if name not in names),
        same=tuple(trigger.name for trigger in wanted if before.get(trigger.name) == trigger),
    )
    return Proposal(current, tuple(wanted), planned)


def _switched(trigger: Trigger, state: State) -> Trigger:
    """The trigger in another state, judged as a trigger that was written so."""
    try:
        return Trigger.from_document(replace(trigger, state=state).to_document())
    except InvalidTriggerError as error:
        problems = (replace(problem, field=f"{trigger.name}.{problem.field}") for problem in error.problems)
        raise InvalidTriggerError(problems) from error


def _require(names: Sequence[str], snapshot: Snapshot) -> None:
    """Refuse names that are not there: all of them in one message, each with the nearest that is."""
    missing = [name for name in names if name not in snapshot.by_name]
    if missing:
        told = "; ".join(f"there is no trigger {name}. {_nearest(name, snapshot)}".rstrip(". ") for name in missing)
        raise NotFoundError(f"{told} (revision {snapshot.revision})")


def _nearest(name: str, snapshot: Snapshot) -> str:
    near = get_close_matches(name, snapshot.by_name, n=1)
    return f"Did you mean {near[0]}?" if near else ""
