"""Use case: change the stack's triggers. Each change is planned, approved and written as one revision, or not at all.

Two people who write at the same time never mix: the second one's change is planned again on what the first one wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipeline_triggers.domain.triggers import Plan, Snapshot, Trigger, plan
from pipeline_triggers.errors import NotFoundError, StaleRevisionError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline_triggers.domain.ports import RevisionInfo, TriggerStore
    from pipeline_triggers.domain.triggers import State

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change before it is written: the triggers as they are, all of them as they shall be, and the plan between."""

    current: Snapshot
    wanted: tuple[Trigger, ...]
    plan: Plan

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
        return not (self.plan.add or self.plan.change or self.plan.remove)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change: ``revision`` is the current one now.

    ``written`` is False when there was nothing to change, or when the change was not approved.
    """

    proposal: Proposal
    revision: int
    written: bool


def approve_all(proposal: Proposal) -> bool:  # noqa: ARG001 - the signature of an approval
    """The approval that asks nobody."""
    return True


@dataclass(frozen=True)
class Manager:
    """Reads the stack's triggers and writes new revisions of them. ``caller`` names who writes, for the record.

    Every method may raise PermanentError or TransientError of the store. The writing ones take ``approve``, which is
    shown each proposal before it is written, and raise StaleRevisionError when others keep writing in between.
    """

    store: TriggerStore
    caller: Callable[[], str]

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
        return _of_set(self.current(), wanted, set, prune=prune)

    def apply(
        self,
        wanted: Sequence[Trigger],
        *,
        set: str,  # noqa: A002 - the word of trigger files
        prune: bool = False,
        approve: Callable[[Proposal], bool] = approve_all,
    ) -> Applied:
        """Make the triggers of a set what ``wanted`` says; with ``prune`` those of the set that it lacks are removed.

        Raises InvalidTriggerError when another set owns one of the names.
        """
        return self._change(self.current, lambda current: _of_set(current, wanted, set, prune=prune), approve)

    def set_state(
        self,
        names: Sequence[str],
        state: State,
        *,
        approve: Callable[[Proposal], bool] = approve_all,
    ) -> Applied:
        """Enable, disable or shadow triggers: all of them or, when one is missing, none (NotFoundError)."""

        def propose(current: Snapshot) -> Proposal:
            _require(names, current)
            return _difference(current, [replace(t, state=state) if t.name in names else t for t in current.triggers])

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
    ) -> Applied:
        """Read, propose, ask, write. When somebody else wrote in between: read, propose and ask again, once."""
        for attempt in range(1, ATTEMPTS + 1):
            proposal = propose(read())
            revision = proposal.current.revision
            if proposal.is_empty or not approve(proposal):
                break
            try:
                wanted = Snapshot(revision + 1, proposal.wanted)
                return Applied(
                    proposal,
                    self.store.write(wanted, expected_revision=revision, by=self.caller()),
                    written=True,
                )
            except StaleRevisionError:
                if attempt == ATTEMPTS:
                    raise
        return Applied(proposal, revision, written=False)


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


def _require(names: Sequence[str], snapshot: Snapshot) -> None:
    """Refuse names that are not there: all of them in one message, each with the nearest that is."""
    missing = [name for name in names if name not in snapshot.by_name]
    if missing:
        told = "; ".join(f"there is no trigger {name}. {_nearest(name, snapshot)}".rstrip(". ") for name in missing)
        raise NotFoundError(f"{told} (revision {snapshot.revision})")


def _nearest(name: str, snapshot: Snapshot) -> str:
    near = get_close_matches(name, snapshot.by_name, n=1)
    return f"Did you mean {near[0]}?" if near else ""
