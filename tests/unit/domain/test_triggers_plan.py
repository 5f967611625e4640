"""What applying triggers changes: only inside a set."""

from __future__ import annotations

import pytest

from pipeline_triggers.domain.triggers import Plan, Snapshot, Trigger, plan
from pipeline_triggers.errors import InvalidTriggerError


def trigger(name: str, of_set: str = "churn", description: str = "") -> Trigger:
    document = {
        "name": name,
        "description": description,
        "event_pattern": {"source": ["aws.s3"]},
        "targets": [{"pipeline": "p", "parameters": {"A": "$.detail.a", "B": "x<$.id>"}}],
    }
    return Trigger.from_document(document, set=of_set)


CURRENT = Snapshot(7, (trigger("a"), trigger("other", "fraud"), trigger("b"), trigger("free", "")))


def test_triggers_are_sorted_into_added_changed_and_same() -> None:
    changed = trigger("b", description="new")
    planned = plan(CURRENT, [trigger("a"), changed, trigger("c")], set="churn", prune=False)
    assert planned == Plan(add=(trigger("c"),), change=(changed,), same=("a",), foreign=("other", "free"))


def test_without_prune_nothing_is_removed() -> None:
    assert plan(CURRENT, [], set="churn", prune=False).remove == ()


def test_prune_removes_what_the_set_has_and_the_file_has_not() -> None:
    planned = plan(CURRENT, [trigger("a")], set="churn", prune=True)
    assert planned.remove == ("b",)
    assert [t.name for t in planned.result(CURRENT)] == ["a", "other", "free"]


def test_prune_leaves_other_sets_and_triggers_without_a_set_alone() -> None:
    planned = plan(CURRENT, [], set="churn", prune=True)
    assert planned.remove == ("a", "b")
    assert planned.foreign == ("other", "free")


def test_prune_without_a_set_is_refused() -> None:
    with pytest.raises(InvalidTriggerError, match="no set is named"):
        plan(CURRENT, [], set="", prune=True)


def test_the_result_keeps_the_order_and_appends_what_is_new() -> None:
    changed = trigger("a", description="new")
    planned = plan(CURRENT, [trigger("z"), changed], set="churn", prune=False)
    assert planned.result(CURRENT) == (changed, *CURRENT.triggers[1:], trigger("z"))


def test_the_name_of_another_set_is_refused() -> None:
    with pytest.raises(InvalidTriggerError) as caught:
        plan(CURRENT, [trigger("other")], set="churn", prune=False)
    assert [(p.field, p.reason) for p in caught.value.problems] == [("other", "the name belongs to the set 'fraud'")]


def test_a_trigger_of_a_set_is_not_changed_by_a_file_without_one() -> None:
    with pytest.raises(InvalidTriggerError, match="belongs to the set 'churn'"):
        plan(CURRENT, [trigger("a", "")], set="", prune=False)


def test_a_trigger_without_a_set_may_be_taken_into_one() -> None:
    assert plan(CURRENT, [trigger("free")], set="churn", prune=False).change == (trigger("free"),)


def test_triggers_of_another_set_than_the_applied_one_are_refused() -> None:
    with pytest.raises(InvalidTriggerError, match="is of the set 'fraud', not 'churn'"):
        plan(CURRENT, [trigger("new", "fraud")], set="churn", prune=False)


def test_a_name_that_is_wanted_twice_is_refused() -> None:
    with pytest.raises(InvalidTriggerError, match="there twice"):
        plan(CURRENT, [trigger("n"), trigger("n")], set="churn", prune=False)


def test_applying_the_same_again_changes_nothing() -> None:
    wanted = [trigger("a"), trigger("n")]
    after = Snapshot(8, plan(CURRENT, wanted, set="churn", prune=True).result(CURRENT))
    again = plan(after, wanted, set="churn", prune=True)
    assert (again.add, again.change, again.remove) == ((), (), ())
    assert again.result(after) == after.triggers
