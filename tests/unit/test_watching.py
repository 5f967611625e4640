"""Pipelines that were changed: which triggers they would refuse, and when that is marked and when no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.orphans import Kept
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.estate import HERE, World

if TYPE_CHECKING:
    from pipeline_triggers.domain.orphans import Report

ARN = f"{HERE}churn-train"
OTHER = f"{HERE}churn-score"
THROTTLED = TransientError("throttled", "Rate exceeded")
DENIED = TransientError("denied-yet", "AccessDeniedException")
ROWS, NOTHING = Definition({"Rows": Declared("Integer")}), Definition({})
# What "on-upload" does not send.
MORE = Definition({"Rows": Declared("Integer"), "Table": Declared()})


@pytest.fixture
def world() -> World:
    """A pipeline that takes what its trigger sends."""
    world = World()
    world.pipelines.add("churn-train", ROWS)
    world.triggers.put(trigger("on-upload"))
    return world


def trigger(name: str, *pipelines: str, state: str = "ENABLED", rows: str = "5", **target: Any) -> Trigger:
    targets = [
        {"id": f"t{number}", "pipeline": pipeline, "parameters": {"Rows": rows}, **target}
        for number, pipeline in enumerate(pipelines or ("churn-train",))
    ]
    return Trigger.from_document({"name": name, "state": state, "event_pattern": {"source": ["a"]}, "targets": targets})


def broken(report: Report) -> list[tuple[str, str, list[str]]]:
    return [(it.trigger, it.target, [problem.field for problem in it.problems]) for it in report.broken]


def check_all(world: World, seconds: float = 300) -> Report:
    return world.watcher.check_all(world.clock.now() + timedelta(seconds=seconds))


class TestAnUpdate:
    def test_a_pipeline_that_takes_what_its_triggers_send_is_not_marked(self, world: World) -> None:
        report = world.watcher.on_changed(ARN)
        assert report.to_document() == {"deleted": [], "kept": [], "failed": []}
        assert world.contracts.marks == {}

    def test_a_required_parameter_that_nobody_sends_breaks_the_contract(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        report = world.watcher.on_changed(ARN)
        assert broken(report) == [("on-upload", "t0", ["targets[0].parameters.Table"])]
        (mark,) = world.contracts.broken()
        assert (mark.arn, mark.definition, mark.since) == (ARN, MORE, world.clock.now())

    def test_the_report_says_what_is_wrong_and_what_to_do(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        (contract,) = world.watcher.on_changed(ARN).to_document()["broken"]
        assert (contract["pipeline"], contract["trigger"], contract["target"]) == ("churn-train", "on-upload", "t0")
        (problem,) = contract["problems"]
        assert problem["field"] == "targets[0].parameters.Table"
        assert "declares no default" in problem["reason"]
        assert problem["remedy"]

    def test_the_definition_is_read_anew_because_the_event_is_about_its_change(self, world: World) -> None:
        world.watcher.on_changed(ARN)
        assert [call["fresh"] for call in world.pipelines.called("describe")] == [True]

    def test_an_update_back_takes_the_mark_away(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        world.watcher.on_changed(ARN)
        world.pipelines.add("churn-train", ROWS)
        report = world.watcher.on_changed(ARN)
        assert (report.broken, report.mended) == ((), (ARN,))
        assert world.contracts.marks == {}
        assert world.watcher.on_changed(ARN).mended == (), "it was not marked any more"

    def test_what_stays_broken_keeps_its_time_and_gets_the_latest_definition(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        since = world.clock.now()
        world.watcher.on_changed(ARN)
        world.clock.advance(hours=1)
        world.pipelines.add("churn-train", NOTHING)
        assert broken(world.watcher.on_changed(ARN)) == [("on-upload", "t0", ["targets[0].parameters.Rows"])]
        (mark,) = world.contracts.broken()
        assert (mark.definition, mark.since) == (NOTHING, since)

    @pytest.mark.parametrize("spelling", ["Churn-Train", f"{HERE}CHURN-train"])
    def test_triggers_are_found_however_they_spell_the_pipeline(self, world: World, spelling: str) -> None:
        world.triggers.put(trigger("on-upload", spelling))
        world.pipelines.add("churn-train", MORE)
        assert [it.trigger for it in world.watcher.on_changed(ARN).broken] == ["on-upload"]

    def test_every_target_of_the_pipeline_is_told_and_no_other(self, world: World) -> None:
        world.pipelines.add("churn-score", MORE)
        world.triggers.put(
            trigger("both", "churn-score", "churn-train"), trigger("fine"), trigger("score", "churn-score")
        )
        found = broken(world.watcher.on_changed(OTHER))
        assert [(name, target) for name, target, _ in found] == [("both", "t0"), ("score", "t0")]

    def test_a_shadow_trigger_is_compared_and_a_disabled_one_is_not(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        world.triggers.put(trigger("shadow", state="SHADOW"), trigger("off", state="DISABLED"))
        assert [it.trigger for it in world.watcher.on_changed(ARN).broken] == ["shadow"]

    def test_a_target_that_names_a_version_is_left_alone(self, world: World) -> None:
        world.pipelines.add("churn-train", ROWS, version=1)
        world.pipelines.add("churn-train", MORE, version=2)
        world.triggers.put(trigger("pinned", version_id=1))
        assert world.watcher.on_changed(ARN).kept == (Kept(ARN, "no-trigger"),)

    def test_a_pipeline_that_no_trigger_starts_is_not_asked(self, world: World) -> None:
        report = world.watcher.on_changed(OTHER)
        assert report.kept == (Kept(OTHER, "no-trigger"),)
        assert world.pipelines.calls == []

    def test_the_mark_of_a_pipeline_that_no_trigger_starts_any_more_is_taken_away(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        world.watcher.on_changed(ARN)
        world.triggers.put()
        assert world.watcher.on_changed(ARN).mended == (ARN,)

    def test_a_pipeline_of_another_account_is_none_of_ours(self, world: World) -> None:
        foreign = ARN.replace("123456789012", "210987654321")
        world.triggers.put(trigger("abroad", foreign))
        assert world.watcher.on_changed(ARN).kept == (Kept(ARN, "no-trigger"),)

    @pytest.mark.parametrize("deleting", [True, False])
    def test_a_pipeline_that_is_gone_by_now_has_no_contract(self, world: World, deleting: bool) -> None:
        world.pipelines.add("churn-train", MORE)
        world.watcher.on_changed(ARN)
        if deleting:
            world.pipelines.begin_deleting("churn-train")
        else:
            world.pipelines.remove("churn-train")
        report = world.watcher.on_changed(ARN)
        assert (report.kept, report.mended, report.failed) == ((Kept(ARN, "pipeline-gone"),), (ARN,), ())
        assert world.contracts.marks == {}

    def test_a_pipeline_that_was_made_again_has_its_triggers_revived(self, world: World) -> None:
        world.triggers.mark([ARN], world.clock.now())
        assert world.watcher.on_changed(ARN).revived == (ARN,)
        assert world.triggers.orphaned == {}

    @pytest.mark.parametrize(("state", "target"), [("ENABLED", {"version_id": 3}), ("DISABLED", {})])
    def test_so_have_those_that_follow_no_declaration(self, world: World, state: str, target: dict[str, Any]) -> None:
        world.triggers.put(trigger("on-upload", state=state, **target))
        world.triggers.mark([ARN], world.clock.now())
        assert world.watcher.on_changed(ARN).revived == (ARN,)
        assert world.triggers.orphaned == {}

    def test_the_pipeline_is_asked_for_as_a_trigger_spells_it(self, world: World) -> None:
        world.triggers.put(trigger("on-upload", "Churn-Train", version_id=3))
        world.triggers.mark([ARN], world.clock.now())
        world.watcher.on_changed(ARN)
        asked = [call["ref"] for call in world.pipelines.called("describe")]
        assert [(ref.name, ref.version_id) for ref in asked] == [("Churn-Train", None)]

    def test_those_are_not_revived_when_the_pipeline_is_gone_again(self, world: World) -> None:
        world.triggers.put(trigger("on-upload", version_id=3))
        world.triggers.mark([ARN], world.clock.now())
        world.pipelines.remove("churn-train")
        assert world.watcher.on_changed(ARN).kept == (Kept(ARN, "pipeline-gone"),)
        assert set(world.triggers.orphaned) == {ARN}

    def test_one_that_is_made_again_otherwise_is_revived_and_broken(self, world: World) -> None:
        world.triggers.mark([ARN], world.clock.now())
        world.pipelines.add("churn-train", MORE)
        report = world.watcher.on_changed(ARN)
        assert (len(report.broken), report.revived) == (1, (ARN,))

    def test_one_that_is_gone_again_stays_orphaned(self, world: World) -> None:
        world.triggers.mark([ARN], world.clock.now())
        world.pipelines.remove("churn-train")
        assert world.watcher.on_changed(ARN).revived == ()
        assert set(world.triggers.orphaned) == {ARN}

    @pytest.mark.parametrize("error", [THROTTLED, DENIED, PermanentError("refused-by-sagemaker", "no JSON")])
    def test_what_cannot_be_asked_fails_and_changes_no_mark(self, world: World, error: Exception) -> None:
        world.pipelines.add("churn-train", MORE)
        world.watcher.on_changed(ARN)
        world.pipelines.fail("describe", error)
        report = world.watcher.on_changed(ARN)
        assert [(failed.arn, failed.error) for failed in report.failed] == [(ARN, error)]
        assert set(world.contracts.marks) == {ARN}

    @pytest.mark.parametrize("method", ["mark", "mend"])
    def test_a_mark_that_cannot_be_written_fails(self, world: World, method: str) -> None:
        if method == "mark":
            world.pipelines.add("churn-train", MORE)
        world.contracts.fail(method, TransientError("unavailable", "DynamoDB"))
        assert [it.error.reason for it in world.watcher.on_changed(ARN).to_retry] == ["unavailable"]

    def test_triggers_that_cannot_be_read_fail(self, world: World) -> None:
        world.triggers.fail("revision", TransientError("unavailable", "DynamoDB"))
        assert [it.error.reason for it in world.watcher.on_changed(ARN).to_retry] == ["unavailable"]


class TestAfterASweep:
    def test_a_change_that_nobody_reported_is_found(self, world: World) -> None:
        world.pipelines.add("churn-score", MORE)
        world.triggers.put(trigger("fine"), trigger("score", "churn-score"))
        assert [it.trigger for it in check_all(world).broken] == ["score"]
        assert set(world.contracts.marks) == {OTHER}

    def test_what_is_still_broken_is_told_again(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        assert [len(check_all(world).broken) for _ in range(2)] == [1, 1]

    def test_triggers_that_were_mended_take_the_mark_away(self, world: World) -> None:
        world.pipelines.add("churn-train", Definition({"Rows": Declared("Integer", enum=("7",))}))
        world.watcher.on_changed(ARN)
        world.triggers.put(trigger("on-upload", rows="7"))
        assert check_all(world).mended == (ARN,)
        assert world.contracts.marks == {}

    def test_the_mark_of_a_pipeline_that_no_trigger_starts_any_more_is_taken_away(self, world: World) -> None:
        world.pipelines.add("churn-train", MORE)
        world.watcher.on_changed(ARN)
        world.triggers.put()
        assert check_all(world).mended == (ARN,)

    def test_each_pipeline_is_asked_once(self, world: World) -> None:
        world.triggers.put(trigger("a"), trigger("b", "Churn-Train"), trigger("c", ARN))
        check_all(world)
        assert len(world.pipelines.called("describe")) == 1

    def test_those_that_are_marked_come_first_and_the_rest_as_far_as_there_is_time(self, world: World) -> None:
        world.pipelines.add("churn-score", MORE)
        world.triggers.put(trigger("fine"), trigger("score", "churn-score"))
        world.watcher.on_changed(OTHER)
        describe = world.pipelines.describe

        def slow(*arguments: Any, **options: Any) -> Definition:
            world.clock.advance(seconds=10)
            found: Definition = describe(*arguments, **options)
            return found

        world.pipelines.describe = slow
        report = check_all(world, seconds=30)
        assert [it.trigger for it in report.broken] == ["score"]
        assert report.kept == (Kept(ARN, "not-judged"),)

    def test_one_pipeline_that_cannot_be_asked_now_holds_nothing_up(self, world: World) -> None:
        world.pipelines.add("churn-score", MORE)
        world.triggers.put(trigger("fine"), trigger("score", "churn-score"))
        world.pipelines.fail("describe", THROTTLED)
        report = check_all(world)
        assert (report.kept, len(report.broken), report.failed) == ((Kept(ARN, "not-judged"),), 1, ())

    def test_one_that_may_not_be_asked_is_told_and_not_tried_again(self, world: World) -> None:
        world.pipelines.fail("describe", DENIED)
        report = check_all(world)
        assert [(it.arn, it.error.reason) for it in report.final] == [(ARN, "access-denied")]
        assert report.to_retry == ()

    def test_marks_that_cannot_be_read_are_told_and_not_tried_again(self, world: World) -> None:
        world.contracts.fail("broken", TransientError("unavailable", "DynamoDB"))
        report = check_all(world)
        assert [it.error.reason for it in report.final] == ["unavailable"]
        assert report.to_retry == ()

    def test_pipelines_are_asked_at_a_pace(self, world: World) -> None:
        names = [f"p{number}" for number in range(5)]
        for name in names:
            world.pipelines.add(name, ROWS)
        world.triggers.put(*(trigger(name, name) for name in names))
        began = world.clock.now()
        replace(world.watcher, a_second=2).check_all(began + timedelta(seconds=300))
        assert world.clock.now() - began == timedelta(seconds=2)
