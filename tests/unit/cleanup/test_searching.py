"""The schedules of one pipeline, found for an event: a small estate is looked through, of a large one it was noted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.cleanup_records import Indexed
from pipeline_triggers.domain.sweeps import EVENT_SCAN_PAGES, GroupLook, Position
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from tests.fakes.estate import HERE, UNPACED, World, deleted, failed, kept, trigger_of

if TYPE_CHECKING:
    from tests.fakes.recording import Recording

GONE = f"{HERE}abalonepipeline"
INPUT = '{"PipelineName": "AbalonePipeline"}'
THROTTLED = TransientError("throttled", "Rate exceeded")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def large() -> World:
    """As the last sweep found it, the account has more pages than an event looks through."""
    world = World()
    now = world.clock.now()
    look = GroupLook(pages=EVENT_SCAN_PAGES + 1, done=True)
    world.store.last = Position("run", "message", now, now, "mark", "done", {"default": look}).looked()
    world.store.last = replace(world.store.last, phase="done")
    return world


def note(world: World, name: str, group: str = "default", pipeline: str = GONE) -> None:
    world.store.noted.add(Indexed(pipeline, group, name))


class TestSmallEstate:
    def test_schedules_of_all_three_ways_go(self, world: World) -> None:
        world.triggers.put(trigger_of("on-upload", "abalonepipeline"), trigger_of("other", "other"))
        world.schedules.add("own", GONE)
        world.add_universal("universal", INPUT)
        world.add_through_this_app("on-upload", "on-upload")
        world.add_universal("of-other", '{"PipelineName": "other"}')
        world.add_through_this_app("other", "other")
        assert deleted(world.on_deleted(GONE)) == {"own", "universal", "on-upload"}
        assert world.schedules.names == {"of-other", "other"}

    def test_one_through_this_app_stays_while_another_pipeline_of_its_trigger_exists(self, world: World) -> None:
        world.triggers.put(trigger_of("both", "abalonepipeline", "other"))
        world.pipelines.add("other")
        world.add_through_this_app("both", "both")
        assert kept(world.on_deleted(GONE)) == {"both": "pipeline-exists"}
        world.pipelines.remove("other")
        assert deleted(world.on_deleted(GONE)) == {"both"}

    def test_schedules_through_this_app_are_read_only_when_a_trigger_starts_the_pipeline(self, world: World) -> None:
        world.triggers.put(trigger_of("other", "other"))
        world.add_through_this_app("other", "other")
        world.on_deleted(GONE)
        assert world.schedules.called("get") == []

    def test_one_that_cannot_be_read_and_may_be_anybodys_is_told_and_left(self, world: World) -> None:
        world.add_universal("a-secret", '{"PipelineName": "other"}')
        world.schedules.add("nightly", GONE)
        world.schedules.fail("get", TransientError("denied-yet", "AccessDeniedException"))
        report = world.on_deleted(GONE)
        assert deleted(report) == {"nightly"}
        assert kept(report) == {"a-secret": "not-judged"}
        assert report.failed == ()

    def test_a_service_that_takes_no_more_ends_the_search(self, world: World) -> None:
        world.add_universal("a", INPUT)
        world.schedules.fail("get", THROTTLED)
        report = world.on_deleted(GONE)
        assert [(it.arn, it.error.reason) for it in report.to_retry] == [(GONE, "throttled")]

    def test_groups_are_looked_through_at_once(self) -> None:
        world = World(rates=replace(UNPACED, at_once=4))
        names = {f"s{number:03d}" for number in range(60)}
        for name in names:
            world.schedules.add(name, GONE, group=f"g{name[-1]}")
        world.schedules.add("other", f"{HERE}other")
        assert deleted(world.on_deleted(GONE)) == names
        assert world.schedules.names == {"other"}

    @pytest.mark.parametrize(
        ("port", "method", "error"),
        [
            ("triggers", "revision", TransientError("unavailable", "DynamoDB")),
            ("store", "position", TransientError("unavailable", "DynamoDB")),
            ("schedules", "groups", PermanentError("refused-by-sagemaker", "no")),
        ],
    )
    def test_what_must_be_known_first_and_cannot_be_had_deletes_nothing(
        self, world: World, port: str, method: str, error: AwsError
    ) -> None:
        world.schedules.add("nightly", GONE)
        fake: Recording = getattr(world, port)
        fake.fail(method, error)
        report = world.on_deleted(GONE)
        assert failed(report) == {"abalonepipeline": error.reason}
        assert world.schedules.names == {"nightly"}


class TestLargeEstate:
    def test_what_was_noted_goes_and_the_rest_is_left_to_the_sweep(self, large: World) -> None:
        for name in ("noted", "new"):
            large.schedules.add(name, GONE)
        note(large, "noted")
        report = large.on_deleted(GONE)
        assert deleted(report) == {"noted"}
        assert kept(report) == {"abalonepipeline": "left-to-the-sweep"}
        assert [call["group"] for call in large.schedules.called("page")] == ["local"]

    def test_what_this_stack_made_since_is_found_in_its_own_group(self, large: World) -> None:
        large.schedules.add("new", GONE, group="local")
        assert deleted(large.on_deleted(GONE)) == {"new"}

    @pytest.mark.parametrize("case", ["gone", "changed", "of another"])
    def test_what_was_noted_is_looked_at_before_it_is_believed(self, large: World, case: str) -> None:
        if case == "changed":
            large.schedules.add("noted", f"{HERE}other")
        if case == "of another":
            large.add_universal("noted", '{"PipelineName": "other"}')
        note(large, "noted")
        report = large.on_deleted(GONE)
        assert kept(report) == {"abalonepipeline": "left-to-the-sweep"}
        assert report.deleted == ()
        assert large.schedules.called("delete") == []

    def test_of_its_own_group_not_more_is_read_than_of_a_small_estate(self, large: World) -> None:
        large.schedules.page_size = 1
        for number in range(EVENT_SCAN_PAGES + 5):
            large.schedules.add(f"s{number:04d}", f"{HERE}other", group="local")
        large.on_deleted(GONE)
        assert len(large.schedules.called("page")) == EVENT_SCAN_PAGES

    def test_a_large_estate_that_no_sweep_has_seen_is_looked_through_as_far_as_a_small_one(self, world: World) -> None:
        world.schedules.page_size = 1
        for number in range(EVENT_SCAN_PAGES + 5):
            world.schedules.add(f"s{number:04d}", GONE)
        world.set_policy(max_deletes=1000)
        report = world.on_deleted(GONE)
        assert len(report.deleted) == EVENT_SCAN_PAGES
        assert kept(report) == {"abalonepipeline": "left-to-the-sweep"}

    def test_a_large_estate_is_known_as_such_while_its_first_sweep_goes_on(self, world: World) -> None:
        now = world.clock.now()
        look = GroupLook("token", pages=EVENT_SCAN_PAGES + 1)
        world.store.last = Position("run", "message", now, now, "mark", "look", {"default": look})
        assert kept(world.on_deleted(GONE)) == {"abalonepipeline": "left-to-the-sweep"}

    def test_an_event_after_two_sweeps_finds_everything_without_the_scan(self) -> None:
        world = World()
        world.schedules.page_size = 1
        world.pipelines.add("abalonepipeline")
        names = {f"s{number:04d}" for number in range(EVENT_SCAN_PAGES + 1)}
        for name in names:
            world.schedules.add(name, GONE)
        world.two_sweeps()
        world.pipelines.remove("abalonepipeline")
        world.set_policy(max_deletes=1000)
        pages = len(world.schedules.called("page"))
        assert deleted(world.on_deleted(GONE)) == names
        assert len(world.schedules.called("page")) - pages == 1, "that of the stack's own group"
