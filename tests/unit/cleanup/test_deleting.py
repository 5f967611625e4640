"""What keeps a schedule though its pipeline is gone, and how long an answer about a pipeline is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline_triggers.cleanup.deleting import CHECKED_FOR, DELETES_A_CHECK
from pipeline_triggers.domain.orphans import Report
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from tests.fakes.estate import HERE, UNPACED, World, deleted, failed, kept, trigger_of

GONE = f"{HERE}abalonepipeline"
THROTTLED = TransientError("throttled", "Rate exceeded")
DENIED = TransientError("denied-yet", "AccessDeniedException")
WORDS = "ask Ada first [pipeline-triggers:protect]"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["event", "sweep"])
def clean_up(request: pytest.FixtureRequest, world: World) -> object:
    """Either way, with what was kept the same: the function gives the report."""
    return (lambda: world.on_deleted(GONE)) if request.param == "event" else world.two_sweeps


class TestProtection:
    def test_a_name_that_is_protected_stays(self, world: World, clean_up: object) -> None:
        world.set_policy(protected=("default/night*", "team/x"))
        world.schedules.add("nightly", GONE)
        world.schedules.add("weekly", GONE)
        report = _run(clean_up)
        assert (deleted(report), kept(report)) == ({"weekly"}, {"nightly": "protected-name"})
        assert world.schedules.names == {"nightly"}

    def test_a_group_that_is_protected_by_its_tag_stays(self, world: World, clean_up: object) -> None:
        world.schedules.group_tags["team"] = {"pipeline-triggers:protect": "true"}
        for name in "ab":
            world.schedules.add(name, GONE, group="team")
        world.schedules.add("c", GONE)
        report = _run(clean_up)
        assert (deleted(report), kept(report)) == ({"c"}, {"a": "protected-group", "b": "protected-group"})
        asked = [call["group_arn"] for call in world.schedules.called("tags")]
        assert sorted(asked) == [
            "arn:aws:scheduler:us-east-1:123456789012:schedule-group/default",
            "arn:aws:scheduler:us-east-1:123456789012:schedule-group/team",
        ], "once for each group"

    def test_a_description_with_the_words_stays(self, world: World, clean_up: object) -> None:
        world.schedules.add("nightly", GONE, Description=WORDS)
        world.schedules.add("weekly", GONE, Description="ask Ada first")
        report = _run(clean_up)
        assert (deleted(report), kept(report)) == ({"weekly"}, {"nightly": "protected-description"})
        assert world.store.definitions[GONE][0].document["Name"] == "weekly"

    @pytest.mark.parametrize("error", [THROTTLED, DENIED, PermanentError("refused-by-sagemaker", "no")])
    def test_a_group_whose_tags_cannot_be_read_stays(self, world: World, clean_up: object, error: AwsError) -> None:
        world.schedules.add("nightly", GONE)
        world.schedules.fail("tags", error)
        report = _run(clean_up)
        assert failed(report) == {"nightly": error.reason}
        assert world.schedules.names == {"nightly"}

    def test_what_is_protected_does_not_count_for_the_cap(self, world: World, clean_up: object) -> None:
        world.set_policy(protected=("default/p*",), max_deletes=1)
        for number in range(5):
            world.schedules.add(f"p{number}", GONE)
        world.schedules.add("nightly", GONE)
        report = _run(clean_up)
        assert deleted(report) == {"nightly"}
        assert not report.is_capped

    def test_what_a_description_protects_counts_for_the_cap_of_a_sweep_only_until_it_was_read(
        self, world: World
    ) -> None:
        world.set_policy(max_deletes=3)
        for number in range(3):
            world.schedules.add(f"p{number}", GONE, Description=WORDS)
        assert set(kept(world.two_sweeps()).values()) == {"protected-description"}
        for number in range(3):
            world.schedules.add(f"s{number}", GONE)
        report = world.two_sweeps()
        assert deleted(report) == {"s0", "s1", "s2"}
        assert len(world.schedules.called("get")) == 6, "those that are protected were read once"

    def test_a_description_that_was_changed_protects_no_more(self, world: World) -> None:
        world.schedules.add("nightly", GONE, Description=WORDS)
        world.two_sweeps()
        world.schedules.add("nightly", GONE)
        assert deleted(world.two_sweeps()) == {"nightly"}


class TestCap:
    def test_more_than_the_share_deletes_nothing(self, world: World) -> None:
        world.set_policy(max_deletes=1000, max_share=50)
        world.pipelines.add("alive")
        for number in range(41):
            world.schedules.add(f"o{number:02d}", GONE)
        for number in range(40):
            world.schedules.add(f"a{number:02d}", f"{HERE}alive")
        report = world.two_sweeps()
        assert report.is_capped
        assert report.kept_because == {"pipeline-exists": 40, "delete-cap": 41}
        assert world.schedules.called("delete") == []
        assert world.pipelines.called("absent") == []
        world.schedules.add("a40", f"{HERE}alive")
        assert len(world.sweep().deleted) == 41

    def test_schedules_that_start_no_pipeline_do_not_count_for_the_share(self, world: World) -> None:
        for number in range(21):
            world.schedules.add(f"o{number:02d}", GONE)
        for number in range(500):
            world.schedules.add(f"f{number:03d}", "arn:aws:lambda:us-east-1:123456789012:function:f")
        assert world.two_sweeps().is_capped

    def test_a_small_estate_may_lose_all_of_it(self, world: World) -> None:
        for number in range(20):
            world.schedules.add(f"o{number:02d}", GONE)
        assert len(world.two_sweeps().deleted) == 20

    def test_the_share_is_for_sweeps_and_not_for_one_pipeline(self, world: World) -> None:
        for number in range(100):
            world.schedules.add(f"o{number:02d}", GONE)
        assert len(world.on_deleted(GONE).deleted) == 100

    def test_the_cap_counts_the_orphans_of_all_slices(self, world: World) -> None:
        """A second invocation of the same sweep must not delete what the first was forbidden to."""
        world.set_policy(max_deletes=2)
        for name in "abc":
            world.schedules.add(name, f"{HERE}{name}")
        for _ in range(3):
            assert world.two_sweeps().is_capped
        assert world.schedules.names == {"a", "b", "c"}

    def test_a_rehearsal_says_when_a_sweep_would_be_refused(self, world: World) -> None:
        world.set_policy(max_deletes=1)
        for name in "ab":
            world.schedules.add(name, GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        report = world.cleaner.rehearsal().sweep(world.clock.now().replace(year=2027))
        assert kept(report) == {"a": "delete-cap", "b": "delete-cap"}


class TestBelief:
    def test_the_pipeline_is_asked_for_again_after_so_many_deletes(self, world: World) -> None:
        for number in range(DELETES_A_CHECK * 2 + 1):
            world.schedules.add(f"s{number:03d}", GONE)
        world.on_deleted(GONE)
        assert len(world.pipelines.called("absent")) == 1 + 3

    def test_the_pipeline_is_asked_for_again_after_so_long(self, world: World) -> None:
        for name in "abcd":
            world.schedules.add(name, GONE)
        delete = world.schedules.delete

        def slow(group: str, name: str) -> None:
            delete(group, name)
            world.clock.advance(seconds=CHECKED_FOR.total_seconds() / 2 + 0.1)
            if name == "b":
                world.pipelines.add("abalonepipeline")

        world.schedules.delete = slow  # type: ignore[method-assign]
        report = world.on_deleted(GONE)
        assert deleted(report) == {"a", "b"}
        assert kept(report) == {"c": "pipeline-exists", "d": "pipeline-exists"}

    def test_deletes_wait_for_their_turns(self) -> None:
        world = World(rates=replace(UNPACED, deletes=5))
        for name in "abcd":
            world.schedules.add(name, GONE)
        began = world.clock.now()
        world.on_deleted(GONE)
        assert (world.clock.now() - began).total_seconds() == pytest.approx(0.6)

    def test_a_trigger_that_starts_something_else_by_now_keeps_its_schedule(self, world: World) -> None:
        world.triggers.put(trigger_of("nightly", "abalonepipeline"))
        world.add_through_this_app("nightly", "nightly")
        absent = world.pipelines.absent

        def interfering(arn: str) -> bool:
            if len(world.pipelines.called("absent")) == 1:
                world.pipelines.add("other")
                world.triggers.put(trigger_of("nightly", "other"))
            return bool(absent(arn))

        world.pipelines.absent = interfering
        report = world.on_deleted(GONE)
        assert kept(report)["nightly"] == "changed"
        assert world.schedules.names == {"nightly"}

    def test_a_trigger_that_is_deleted_meanwhile_keeps_its_schedule(self, world: World) -> None:
        world.triggers.put(trigger_of("nightly", "abalonepipeline"))
        world.add_through_this_app("nightly", "nightly")
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        orphans = world.store.orphans

        def interfering() -> object:
            world.triggers.snapshots.append(Snapshot(2, ()))
            return orphans()

        world.store.orphans = interfering  # type: ignore[assignment]
        assert kept(world.sweep()) == {"nightly": "changed"}

    def test_a_schedule_that_is_written_in_the_moment_in_which_a_sweep_begins_stays(self, world: World) -> None:
        """It came too late for the list of the first invocation, and before the deletes of the second."""
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        world.schedules.fail("tags", THROTTLED)
        assert world.sweep().to_retry
        world.schedules.add("nightly", GONE)
        assert kept(world.sweep()) == {"nightly": "changed"}
        assert world.schedules.names == {"nightly"}


class TestParallel:
    def test_deletes_of_many_pipelines_go_on_at_once_and_each_is_told(self) -> None:
        world = World(rates=replace(UNPACED, at_once=8))
        world.set_policy(max_deletes=500, max_share=100)
        names = {f"s{number:03d}" for number in range(200)}
        for name in names:
            world.schedules.add(name, f"{HERE}p{name[-1]}")
        world.pipelines.add("p7")
        world.schedules.fail("delete", THROTTLED)
        report = world.two_sweeps()
        assert len(report.deleted) == 179
        assert len(report.failed) == 1
        assert report.kept_because == {"pipeline-exists": 20}
        assert len(world.sweep().deleted) == 1
        assert len(world.schedules.names) == 20


def test_the_memory_of_orphans_that_cannot_be_cleared_does_not_hide_what_was_deleted(world: World) -> None:
    world.schedules.add("nightly", GONE)
    world.clock.advance(hours=6)
    world.sweep()
    world.clock.advance(hours=6)
    world.store.fail("forget", TransientError("unavailable", "DynamoDB"))
    report = world.sweep()
    assert deleted(report) == {"nightly"}
    assert [it.error.reason for it in report.to_retry] == ["unavailable"]
    assert deleted(world.sweep()) == {"nightly"}, "gone, as it should be"
    assert world.store.seen == {}


def _run(clean_up: object) -> Report:
    assert callable(clean_up)
    report = clean_up()
    assert isinstance(report, Report)
    return report
