"""What else starts a pipeline that is gone: rules of EventBridge, and the triggers of this application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from tests.fakes.estate import HERE, World, deleted, failed, kept, trigger_of

if TYPE_CHECKING:
    from pipeline_triggers.domain.orphans import Report

GONE = f"{HERE}abalonepipeline"
THROTTLED = TransientError("throttled", "Rate exceeded")
DENIED = TransientError("denied-yet", "AccessDeniedException")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["event", "sweep"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def clean_up(world: World, way: str) -> Report:
    return world.on_deleted(GONE) if way == "event" else world.two_sweeps()


class TestRules:
    def test_targets_of_rules_are_reported(self, world: World, way: str) -> None:
        world.rules.add("on-upload", GONE, f"{HERE}alive")
        world.rules.add("other", f"{HERE}alive", bus="features")
        world.pipelines.add("alive")
        report = clean_up(world, way)
        assert kept(report) == {"on-upload#1": "rule-reported"}
        assert world.rules.ids == {("default", "on-upload"): ["1", "2"], ("features", "other"): ["1"]}

    @pytest.mark.parametrize("spelling", [GONE, f"{HERE}AbalonePipeline", f"{HERE}ABALONEpipeline"])
    def test_a_sweep_removes_them_in_any_spelling_when_told_to(self, world: World, spelling: str) -> None:
        world.set_policy(rule_targets="remove")
        (target, _) = world.rules.add("on-upload", spelling, f"{HERE}alive", bus="features")
        world.pipelines.add("alive")
        assert world.two_sweeps().deleted == (target.arn,)
        assert world.rules.ids == {("features", "on-upload"): ["2"]}
        (kept_definition,) = world.store.definitions[GONE]
        assert (kept_definition.kind, kept_definition.document["Target"]["Arn"]) == ("rule-target", spelling)

    def test_an_event_removes_those_in_the_spellings_that_it_knows(self, world: World) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("lower", GONE)
        world.rules.add("mixed", f"{HERE}AbalonePipeline")
        world.rules.add("unknown", f"{HERE}ABALONEpipeline")
        world.schedules.add("nightly", f"{HERE}AbalonePipeline")
        report = world.on_deleted(GONE)
        assert deleted(report) == {"nightly", "lower#1", "mixed#1"}
        assert world.rules.ids[("default", "unknown")] == ["1"]

    def test_a_target_must_be_seen_twice_by_sweeps(self, world: World) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE)
        assert kept(world.sweep()) == {"on-upload#1": "seen-once"}
        world.clock.advance(minutes=16)
        assert deleted(world.sweep()) == {"on-upload#1"}

    def test_managed_rules_are_never_touched(self, world: World, way: str) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("AutoRule", GONE, managed_by="autoscaling.amazonaws.com")
        assert kept(clean_up(world, way)) == {"AutoRule#1": "managed-rule"}
        assert world.rules.called("remove_targets") == []

    def test_a_rule_that_became_managed_meanwhile_is_not_touched(self, world: World) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE)
        world.sweep()
        world.clock.advance(hours=6)
        orphans = world.store.orphans

        def interfering() -> object:
            world.rules.add("on-upload", GONE, managed_by="autoscaling.amazonaws.com")
            return orphans()

        world.store.orphans = interfering  # type: ignore[assignment]
        assert kept(world.sweep()) == {"on-upload#1": "managed-rule"}
        assert world.rules.called("remove_targets") == []

    def test_a_target_that_points_elsewhere_by_now_stays(self, world: World) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE)
        world.sweep()
        world.clock.advance(hours=6)
        orphans = world.store.orphans

        def interfering() -> object:
            world.rules.add("on-upload", f"{HERE}other")
            return orphans()

        world.store.orphans = interfering  # type: ignore[assignment]
        assert world.sweep().failed == ()
        assert world.rules.ids == {("default", "on-upload"): ["1"]}

    def test_in_report_mode_they_are_reported_whatever_else_is_said(self, world: World, way: str) -> None:
        world.set_policy(mode="report", rule_targets="remove")
        world.rules.add("on-upload", GONE)
        assert kept(clean_up(world, way)) == {"on-upload#1": "rule-reported"}
        assert world.rules.called("remove_targets") == []

    def test_the_pipeline_must_be_absent_for_sure(self, world: World, way: str) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE)
        world.pipelines.add("abalonepipeline")
        world.pipelines.listed = lambda: iter(())
        clean_up(world, way)
        assert world.rules.called("remove_targets") == []

    def test_a_pipeline_that_is_being_deleted_is_told(self, world: World) -> None:
        world.rules.add("on-upload", GONE)
        world.pipelines.fail("absent", TransientError("pipeline-deleting", "Deleting"))
        assert kept(world.sweep()) == {"abalonepipeline": "not-judged"}

    def test_one_target_that_cannot_be_removed_does_not_hold_up_the_others(self, world: World, way: str) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE, GONE)
        world.rules.add("second", GONE)
        world.rules.stuck["2"] = THROTTLED
        report = clean_up(world, way)
        assert deleted(report) == {"on-upload#1", "second#1"}
        assert failed(report) == {"on-upload#2": "throttled"}

    def test_they_count_for_the_cap(self, world: World, way: str) -> None:
        world.set_policy(rule_targets="remove", max_deletes=1)
        world.rules.add("on-upload", GONE)
        world.schedules.add("nightly", GONE)
        report = clean_up(world, way)
        assert kept(report) == {"nightly": "delete-cap", "on-upload#1": "delete-cap"}
        assert world.rules.called("remove_targets") == []

    @pytest.mark.parametrize("error", [DENIED, PermanentError("refused-by-sagemaker", "no")])
    def test_rules_that_cannot_be_read_do_not_hold_up_schedules(self, world: World, way: str, error: AwsError) -> None:
        world.schedules.add("nightly", GONE)
        method = "of_pipeline" if way == "event" else "targets"
        world.rules.fail(method, error, error)
        report = clean_up(world, way)
        assert deleted(report) == {"nightly"}
        assert len(report.failed) == 1

    def test_rules_that_are_throttled_stop_a_sweep_which_then_goes_on(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.rules.fail("targets", THROTTLED)
        assert [it.error.reason for it in world.sweep().to_retry] == ["throttled"]
        pages = len(world.schedules.called("page"))
        assert world.sweep().failed == ()
        assert len(world.schedules.called("page")) == pages, "the groups were looked at"

    def test_the_definition_is_kept_before_a_target_is_removed(self, world: World) -> None:
        world.set_policy(rule_targets="remove")
        world.rules.add("on-upload", GONE)
        world.store.fail("keep", TransientError("unavailable", "DynamoDB"))
        assert failed(world.on_deleted(GONE)) == {"on-upload#1": "unavailable"}
        assert world.rules.ids == {("default", "on-upload"): ["1"]}


class TestMarks:
    def test_a_pipeline_of_triggers_that_is_gone_is_marked(self, world: World, way: str) -> None:
        world.triggers.put(trigger_of("on-upload", "AbalonePipeline", "alive"))
        world.pipelines.add("alive")
        report = clean_up(world, way)
        assert set(world.triggers.orphaned) == {GONE}
        if way == "event":
            assert report.orphaned == (GONE,)
            assert report.to_document() == {"deleted": [], "kept": [], "failed": [], "orphaned": [GONE]}

    def test_it_is_marked_once_with_the_time_of_the_first_sight(self, world: World) -> None:
        world.triggers.put(trigger_of("on-upload", GONE))
        began = world.clock.now()
        assert world.sweep().orphaned == (GONE,)
        world.clock.advance(hours=6)
        assert world.sweep().orphaned == ()
        assert world.triggers.orphaned == {GONE: began}

    def test_it_is_revived_when_it_exists_again(self, world: World, way: str) -> None:
        world.triggers.put(trigger_of("on-upload", GONE))
        world.sweep()
        world.pipelines.add("AbalonePipeline")
        world.clock.advance(hours=6)
        report = world.on_deleted(GONE) if way == "event" else world.sweep()
        assert report.revived == (GONE,)
        assert world.triggers.orphaned == {}

    def test_a_mark_that_no_trigger_needs_any_more_is_taken_away(self, world: World) -> None:
        world.triggers.put(trigger_of("on-upload", GONE))
        world.sweep()
        world.triggers.put()
        assert world.sweep().revived == (GONE,)

    @pytest.mark.parametrize("reason", ["pipeline-deleting", "conflict"])
    def test_while_it_is_not_sure_marks_stay_as_they_are(self, world: World, reason: str) -> None:
        world.triggers.put(trigger_of("on-upload", GONE), trigger_of("other", "other"))
        world.triggers.orphaned[GONE] = world.clock.now()
        world.pipelines.fail("absent", *[TransientError(reason, "not sure")] * 2)
        report = world.sweep()
        assert set(world.triggers.orphaned) == {GONE}
        assert kept(report) == {"abalonepipeline": "not-judged", "other": "not-judged"}

    def test_pipelines_of_other_accounts_are_not_judged(self, world: World) -> None:
        world.triggers.put(trigger_of("abroad", GONE.replace("123456789012", "210987654321")))
        world.sweep()
        assert world.triggers.orphaned == {}
        assert world.pipelines.called("absent") == []

    def test_a_pipeline_that_no_trigger_starts_is_not_marked(self, world: World, way: str) -> None:
        world.triggers.put(trigger_of("other", "other"))
        world.pipelines.add("other")
        world.schedules.add("nightly", GONE)
        clean_up(world, way)
        assert world.triggers.orphaned == {}

    @pytest.mark.parametrize("method", ["marked", "mark"])
    def test_marks_that_cannot_be_written_do_not_hold_up_an_event(self, world: World, method: str) -> None:
        world.triggers.put(trigger_of("on-upload", GONE))
        world.schedules.add("nightly", GONE)
        world.triggers.fail(method, TransientError("unavailable", "DynamoDB"))
        report = world.on_deleted(GONE)
        assert deleted(report) == {"nightly"}
        assert failed(report) == {"abalonepipeline": "unavailable"}
        assert world.on_deleted(GONE).orphaned == (GONE,)
