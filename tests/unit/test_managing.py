"""Changing the stack's triggers: every change is one revision, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import InvalidTriggerError, NotFoundError, StaleRevisionError, TransientError
from pipeline_triggers.managing import Manager, Proposal
from tests.fakes.trigger_store import FakeTriggerStore

if TYPE_CHECKING:
    from pipeline_triggers.keeping import ScheduleKeeper

ME = "arn:aws:iam::123456789012:user/ann"


def trigger(name: str, *, of_set: str = "churn", pipeline: str = "churn-train") -> Trigger:
    document = {
        "name": name,
        "event_pattern": {"source": ["aws.s3"]},
        "targets": [{"pipeline": pipeline}],
        **({"set": of_set} if of_set else {}),
    }
    return Trigger.from_document(document)


def no_keeper() -> ScheduleKeeper:
    """What keeps schedules is asked for only where triggers have some."""
    raise AssertionError("no trigger here has a schedule")


def manager_of(*triggers: Trigger) -> tuple[Manager, FakeTriggerStore]:
    store = FakeTriggerStore()
    if triggers:
        store.put(*triggers)
    return Manager(store, lambda: ME, no_keeper), store


def names(store: FakeTriggerStore) -> list[str]:
    return [trigger.name for trigger in store.load().triggers]


class SomebodyElse:
    """An approval during which another person writes, the first ``times``."""

    def __init__(self, store: FakeTriggerStore, times: int) -> None:
        self.store, self.times = store, times
        self.proposals: list[Proposal] = []

    def __call__(self, proposal: Proposal) -> bool:
        self.proposals.append(proposal)
        if len(self.proposals) <= self.times:
            theirs = trigger(f"theirs-{len(self.proposals)}", of_set="other")
            self.store.put(*self.store.snapshots[-1].triggers if self.store.snapshots else (), theirs)
        return True


def test_apply_writes_the_triggers_of_a_set_as_one_revision_in_the_name_of_the_caller() -> None:
    manager, store = manager_of()
    applied = manager.apply([trigger("a"), trigger("b")], set="churn")
    assert (applied.revision, applied.written, names(store)) == (1, True, ["a", "b"])
    assert store.revisions()[0].by == ME


def test_apply_of_what_is_there_already_writes_nothing_and_asks_nobody() -> None:
    manager, store = manager_of(trigger("a"))
    asked = SomebodyElse(store, times=0)
    applied = manager.apply([trigger("a")], set="churn", approve=asked)
    assert (applied.revision, applied.written, store.revision(), asked.proposals) == (1, False, 1, [])


def test_apply_keeps_triggers_that_the_file_lacks_unless_it_prunes() -> None:
    manager, store = manager_of(trigger("a"), trigger("b"))
    manager.apply([trigger("b", pipeline="other")], set="churn")
    assert names(store) == ["a", "b"]
    applied = manager.apply([trigger("b", pipeline="other")], set="churn", prune=True)
    assert names(store) == ["b"]
    assert [removed.name for removed in applied.proposal.removed] == ["a"]


def test_prune_leaves_the_triggers_of_other_sets_alone() -> None:
    manager, store = manager_of(trigger("theirs", of_set="fraud"), trigger("mine"))
    manager.apply([trigger("new")], set="churn", prune=True)
    assert names(store) == ["theirs", "new"]


def test_apply_refuses_a_name_that_another_set_owns_and_writes_nothing() -> None:
    manager, store = manager_of(trigger("a", of_set="fraud"))
    with pytest.raises(InvalidTriggerError, match="fraud"):
        manager.apply([trigger("a"), trigger("b")], set="churn")
    assert store.revision() == 1


def test_what_is_not_approved_is_not_written() -> None:
    manager, store = manager_of(trigger("a"))
    applied = manager.apply([trigger("b")], set="churn", approve=lambda _: False)
    assert (applied.written, applied.revision, store.revision()) == (False, 1, 1)


def test_preview_changes_nothing() -> None:
    manager, store = manager_of(trigger("a"))
    proposal = manager.preview([trigger("a", pipeline="other"), trigger("b")], set="churn")
    assert [(before.name, after.name) for before, after in proposal.changes] == [("a", "a")]
    assert [added.name for added in proposal.plan.add] == ["b"]
    assert store.revision() == 1


def test_when_somebody_else_wrote_in_between_the_change_is_planned_and_approved_again() -> None:
    manager, store = manager_of(trigger("a"))
    others = SomebodyElse(store, times=1)
    applied = manager.apply([trigger("b")], set="churn", approve=others)
    assert names(store) == ["a", "theirs-1", "b"]
    assert (applied.revision, len(others.proposals)) == (3, 2)
    assert "theirs-1" in others.proposals[1].current.by_name


def test_when_others_keep_writing_it_gives_up_and_says_so() -> None:
    manager, store = manager_of(trigger("a"))
    with pytest.raises(StaleRevisionError):
        manager.delete(["a"], approve=SomebodyElse(store, times=2))
    assert "a" in names(store)


def test_a_conflict_that_another_writer_made_is_found_on_the_second_reading() -> None:
    manager, store = manager_of()

    def take_the_name(_: Proposal) -> bool:
        store.put(trigger("a", of_set="fraud"))
        return True

    with pytest.raises(InvalidTriggerError, match="fraud"):
        manager.apply([trigger("a")], set="churn", approve=take_the_name)
    assert store.load().by_name["a"].set == "fraud"


@pytest.mark.parametrize("state", ["DISABLED", "SHADOW"])
def test_a_state_is_set_for_all_that_are_named_in_one_revision(state: str) -> None:
    manager, store = manager_of(trigger("a"), trigger("b"), trigger("c"))
    manager.set_state(["a", "c"], state)  # type: ignore[arg-type]
    assert [t.state for t in store.load().triggers] == [state, "ENABLED", state]
    assert store.revision() == 2


def test_setting_the_state_that_is_set_already_writes_nothing() -> None:
    manager, store = manager_of(trigger("a"))
    assert not manager.set_state(["a"], "ENABLED").written
    assert store.revision() == 1


def test_a_missing_name_stops_the_change_of_all_and_the_nearest_is_told() -> None:
    manager, store = manager_of(trigger("retrain"), trigger("b"))
    with pytest.raises(NotFoundError, match=r"no trigger retrian. Did you mean retrain\?"):
        manager.set_state(["b", "retrian"], "DISABLED")
    with pytest.raises(NotFoundError, match="no trigger x; there is no trigger y"):
        manager.delete(["b", "x", "y"])
    assert store.revision() == 1


def test_delete_removes_only_what_is_named() -> None:
    manager, store = manager_of(trigger("a"), trigger("b"))
    manager.delete(["a"])
    assert names(store) == ["b"]


def test_rollback_writes_an_earlier_content_as_a_new_revision_whatever_the_sets() -> None:
    first = [trigger("a"), trigger("b", of_set="fraud")]
    manager, store = manager_of(*first)
    store.put(replace(first[0], state="DISABLED"), trigger("c"))
    applied = manager.rollback(1)
    assert (applied.revision, store.load()) == (3, Snapshot(3, tuple(first)))
    plan = applied.proposal.plan
    assert ([t.name for t in plan.add], [t.name for t in plan.change], plan.remove) == (["b"], ["a"], ("c",))


def test_rollback_to_a_revision_that_never_was_is_an_error() -> None:
    manager, store = manager_of(trigger("a"))
    with pytest.raises(NotFoundError, match="7"):
        manager.rollback(7)
    assert store.revision() == 1


class UnreadableStore(FakeTriggerStore):
    """A store whose current revision is damaged; the earlier ones are fine."""

    def load(self, revision: int | None = None) -> Snapshot:
        if revision is None:
            raise TransientError("unavailable", "revision 2 is damaged")
        return super().load(revision)


def test_rollback_works_when_the_current_revision_cannot_be_read() -> None:
    store = UnreadableStore()
    store.put(trigger("a"))
    store.put(trigger("damaged"))
    assert Manager(store, lambda: ME, no_keeper).rollback(1).revision == 3
    assert store.snapshots[-1].triggers == (trigger("a"),)


def test_rollback_does_not_go_on_when_the_table_cannot_be_reached() -> None:
    store = UnreadableStore()
    store.put(trigger("a"))
    store.put(trigger("b"))
    store.fail("revision", TransientError("unavailable", "no connection"))
    with pytest.raises(TransientError, match="no connection"):
        Manager(store, lambda: ME, no_keeper).rollback(1)
    assert len(store.snapshots) == 2


def test_find_gives_a_trigger_with_its_revision() -> None:
    manager, _ = manager_of(trigger("a"))
    assert manager.find("a") == (trigger("a"), 1)
    with pytest.raises(NotFoundError, match="no trigger b"):
        manager.find("b")


def test_an_empty_stack_has_no_triggers_and_no_revisions() -> None:
    manager, _ = manager_of()
    assert manager.current() == Snapshot(0, ())
    assert manager.revisions() == []
