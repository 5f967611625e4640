"""The first phase of a sweep: pages, groups and positions, and what is remembered on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cleanup import Progress, Rates, cleaner
from pipeline_triggers.cleanup.looking import MAX_RESTARTS, SAVE_EVERY
from pipeline_triggers.domain.orphans import MAX_NAMED
from pipeline_triggers.domain.sweeps import ABANDONED_AFTER, EVENT_SCAN_PAGES
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from tests.fakes.estate import HERE, UNPACED, World, deleted, failed, kept, trigger_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.domain.orphans import Report
    from pipeline_triggers.domain.scheduler import SchedulePage

GONE = f"{HERE}abalonepipeline"
THROTTLED = TransientError("throttled", "Rate exceeded")
DENIED = TransientError("denied-yet", "AccessDeniedException")


@pytest.fixture
def world() -> World:
    """Pages of two, and everything old enough."""
    world = World()
    world.schedules.page_size = 2
    return world


def fill(world: World, number: int, pipeline: str = GONE, group: str = "default") -> set[str]:
    names = {f"s{index:04d}" for index in range(number)}
    for name in names:
        world.schedules.add(name, pipeline, group=group)
    return names


def before_page(world: World, number: int, happens: Callable[[], object]) -> None:
    """Let something happen, once, before the page of that number, counted from 1."""
    page = world.schedules.page
    waiting = [happens]

    def interfering(group: str, token: str | None = None) -> SchedulePage:
        if len(world.schedules.called("page")) + 1 == number and waiting:
            waiting.pop()()
        return page(group, token)

    world.schedules.page = interfering  # type: ignore[method-assign]


def until_done(world: World, **options: Any) -> list[Report]:
    reports = [world.sweep(**options)]
    while reports[-1].unfinished:
        reports.append(world.sweep(**options))
        assert len(reports) < 100
    return reports


def each_page_takes(world: World, seconds: float) -> None:
    page = world.schedules.page

    def slow(group: str, token: str | None = None) -> SchedulePage:
        world.clock.advance(seconds=seconds)
        return page(group, token)

    world.schedules.page = slow  # type: ignore[method-assign]


class TestSlices:
    def test_a_sweep_goes_on_where_it_stopped(self, world: World) -> None:
        fill(world, 20)
        world.clock.advance(hours=6)
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        reports = until_done(world)
        assert [report.unfinished for report in reports] == [True, True, False]
        asked = [call["token"] for call in world.schedules.called("page") if call["group"] == "default"]
        assert len(asked) == len(set(asked)) == 10, "no page is looked at twice"
        assert sum(report.looked_at for report in reports) == 20
        assert sum(list(kept(report).values()).count("seen-once") for report in reports) == 20

    def test_nothing_is_deleted_before_everything_was_looked_at(self, world: World) -> None:
        names = fill(world, 12)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        first = world.sweep()
        assert (first.unfinished, first.deleted) == (True, ())
        assert world.schedules.called("delete") == []
        assert deleted(until_done(world)[-1]) == names

    def test_what_is_young_counts_from_the_beginning_of_the_sweep(self, world: World) -> None:
        names = sorted(fill(world, 12))
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        assert world.sweep().unfinished
        world.schedules.add(names[0], GONE)
        reports = until_done(world)
        assert kept(reports[-1])[names[0]] == "changed"
        assert deleted(reports[-1]) == set(names[1:])

    def test_a_slice_leaves_time_for_a_step_before_the_deadline(self, world: World) -> None:
        fill(world, 20)
        each_page_takes(world, 10)
        report = world.sweep(60)
        assert report.unfinished
        assert report.failed == ()

    def test_groups_are_looked_through_at_once(self) -> None:
        world = World(rates=replace(UNPACED, at_once=4))
        groups = [f"g{number}" for number in range(6)]
        for group in groups:
            fill(world, 250, group=group)
        world.pipelines.add("alive")
        world.schedules.add("of-alive", f"{HERE}alive")
        world.set_policy(max_deletes=5000, max_share=100)
        report = world.two_sweeps()
        assert len(report.deleted) == 1500
        assert kept(report) == {"of-alive": "pipeline-exists"}
        assert world.schedules.names == {"of-alive"}

    def test_a_group_that_fails_stops_the_others_and_what_was_seen_is_saved(self, world: World) -> None:
        fill(world, 6, group="a")
        fill(world, 6, group="b")
        world.clock.advance(hours=6)
        before_page(world, 6, lambda: world.schedules.fail("page", THROTTLED))
        report = world.sweep()
        assert [it.error.reason for it in report.to_retry] == ["throttled"]
        assert world.store.last is not None
        assert {name: look.pages for name, look in world.store.last.groups.items() if look.pages} == {
            "default": 1,
            "local": 1,
            "a": 3,
        }
        world.sweep()
        assert len(world.schedules.called("page")) == 1 + 1 + 3 + 1 + 3
        assert len(world.store.seen) == 12

    def test_a_crash_costs_the_pages_since_the_last_saving(self, world: World) -> None:
        fill(world, 20)
        world.clock.advance(hours=6)
        each_page_takes(world, SAVE_EVERY.total_seconds() / 2)

        class Killed(BaseException):
            pass

        def die() -> None:
            raise Killed

        before_page(world, 8, die)
        with pytest.raises(Killed):
            world.sweep()
        assert world.store.last is not None
        assert 4 <= world.store.last.groups["default"].pages < 7
        until_done(world)
        assert len(world.store.seen) == 20

    def test_progress_is_told_page_by_page(self, world: World) -> None:
        fill(world, 5)
        world.schedules.add("of-alive", f"{HERE}alive", group="team")
        world.pipelines.add("alive")
        world.clock.advance(hours=6)
        told: list[Progress] = []
        world.sweep(progress=told.append)
        assert told == [
            Progress("look", 3, 0, 1, 2, 2),
            Progress("look", 3, 0, 2, 4, 4),
            Progress("look", 3, 1, 3, 5, 5),
            Progress("look", 3, 2, 4, 5, 5),
            Progress("look", 3, 3, 5, 6, 5),
            Progress("delete", 3, 3, 5, 6, 0),
        ]

    def test_an_orphan_was_seen_when_it_was_looked_at_and_not_when_the_sweep_began(self, world: World) -> None:
        """A sweep that was interrupted for long goes on; the next one follows at once."""
        world.pipelines.add("abalonepipeline")
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.pipelines.fail("listed", THROTTLED)
        assert world.sweep().to_retry
        world.clock.advance(minutes=20)
        world.pipelines.remove("abalonepipeline")
        assert kept(world.sweep()) == {"nightly": "seen-once"}
        assert kept(world.sweep()) == {"nightly": "seen-once"}
        world.clock.advance(minutes=15)
        assert deleted(world.sweep()) == {"nightly"}


class TestTokens:
    def test_an_expired_token_begins_the_group_again(self, world: World) -> None:
        names = sorted(fill(world, 6))
        world.clock.advance(hours=6)
        world.schedules.expired = {names[3]}
        before_page(world, 4, world.schedules.expired.clear)
        report = world.sweep()
        assert report.failed == ()
        assert world.store.last is not None
        look = world.store.last.groups["default"]
        assert (look.pages, look.schedules, look.restarts) == (3, 6, 1), "counted once"
        assert len(world.store.seen) == 6

    def test_a_group_is_not_begun_again_for_ever(self, world: World) -> None:
        names = sorted(fill(world, 6))
        world.schedules.expired = {names[1]}
        report = world.sweep()
        assert [it.error.reason for it in report.final] == ["refused-by-sagemaker"]
        assert len([call for call in world.schedules.called("page") if call["token"] is None]) == 1 + MAX_RESTARTS

    def test_a_first_page_that_is_refused_is_no_matter_of_tokens(self, world: World) -> None:
        world.schedules.fail("page", PermanentError("refused-by-sagemaker", "ValidationException"))
        report = world.sweep()
        assert len(report.final) == 1
        assert len(world.schedules.called("page")) == 1

    def test_a_list_that_repeats_itself_is_not_followed_for_ever(self, world: World) -> None:
        names = sorted(fill(world, 6))
        page = world.schedules.page
        world.schedules.page = lambda group, token=None: replace(page(group, token), token=names[1])  # type: ignore[method-assign]
        report = world.sweep()
        assert [it.error.reason for it in report.to_retry] == ["unavailable"]


class TestTwoSweeps:
    def test_another_message_does_not_disturb_a_sweep_that_is_under_way(self, world: World) -> None:
        fill(world, 20)
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        assert world.sweep(message_id="first").unfinished
        before = world.store.last
        report = world.sweep(message_id="second")
        assert [(it.arn, it.reason) for it in report.kept] == [("", "sweep-under-way")]
        assert not report.unfinished
        assert not report.failed
        assert world.store.last == before

    def test_a_sweep_that_was_abandoned_is_begun_anew(self, world: World) -> None:
        fill(world, 20)
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        assert world.sweep(message_id="first").unfinished
        world.clock.advance(seconds=ABANDONED_AFTER.total_seconds())
        assert world.sweep(message_id="second").unfinished
        assert world.store.last is not None
        assert world.store.last.message == "second"

    def test_after_an_abandoned_look_the_last_complete_one_counts(self, world: World) -> None:
        """The orphan was seen by the first sweep; the second stopped before it came to it; the third sees it again."""
        world.pipelines.add("alive")
        for number in range(20):
            world.schedules.add(f"a{number:02d}", f"{HERE}alive")
        world.schedules.add("orphan", GONE)
        world.clock.advance(hours=6)
        world.sweep(message_id="first")
        world.clock.advance(hours=6)
        page = world.schedules.page
        each_page_takes(world, cleaner.SLICE.total_seconds() / 4)
        assert world.sweep(message_id="second").unfinished
        world.schedules.page = page  # type: ignore[method-assign]
        world.clock.advance(hours=6)
        assert deleted(world.sweep(message_id="third")) == {"orphan"}

    def test_an_orphan_that_an_abandoned_look_saw_last_is_not_new(self, world: World) -> None:
        world.schedules.add("orphan", GONE)
        world.clock.advance(hours=6)
        world.sweep(message_id="first")
        world.clock.advance(hours=6)
        world.rules.fail("targets", THROTTLED)
        assert world.sweep(message_id="second").to_retry
        assert world.store.seen
        world.clock.advance(hours=6)
        assert deleted(world.sweep(message_id="third")) == {"orphan"}

    def test_of_two_that_begin_at_once_one_gives_way(self, world: World) -> None:
        fill(world, 4)
        world.clock.advance(hours=6)
        groups = world.schedules.groups
        other: list[Report] = []

        def interfering() -> Any:
            world.schedules.groups = groups  # type: ignore[method-assign]
            other.append(world.sweep(message_id="other"))
            return groups()

        world.schedules.groups = interfering  # type: ignore[method-assign]
        report = world.sweep(message_id="mine")
        assert [it.error.reason for it in report.to_retry] == ["in-progress"]
        assert other[0].looked_at == 4
        assert world.store.last is not None
        assert world.store.last.message == "other"

    def test_a_message_that_is_delivered_twice_at_once_does_no_harm(self, world: World) -> None:
        names = fill(world, 8)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        other: list[Report] = []
        before_page(world, 8, lambda: other.append(world.sweep()))
        report = world.sweep()
        assert [it.error.reason for it in report.to_retry] == ["in-progress"], "it comes again, and finds it done"
        assert deleted(other[0]) == names
        assert world.sweep().to_document() == {"deleted": [], "kept": [], "failed": []}


class TestWhatIsToldOfThoseThatStay:
    def test_the_usual_is_named_up_to_a_number_and_then_counted(self) -> None:
        world = World()
        world.pipelines.add("alive")
        fill(world, MAX_NAMED + 5, f"{HERE}alive")
        report = world.sweep()
        assert len(report.kept) == MAX_NAMED
        assert report.unlisted == {"pipeline-exists": 5}
        assert report.kept_because == {"pipeline-exists": MAX_NAMED + 5}
        assert report.to_document()["unlisted"] == {"pipeline-exists": 5}

    def test_more_than_the_cap_are_counted_too(self) -> None:
        world = World()
        fill(world, MAX_NAMED + 5)
        report = world.two_sweeps()
        assert report.is_capped
        assert (len(report.kept), dict(report.unlisted)) == (MAX_NAMED, {"delete-cap": 5})
        assert world.schedules.called("delete") == []


class TestHowManyOrphansASweepLeaves:
    def left(self, world: World) -> int | None:
        assert world.store.last is not None
        assert world.store.last.phase == "done"
        return world.store.last.orphans

    def test_those_that_were_seen_once_are_left(self, world: World) -> None:
        fill(world, 3)
        world.schedules.add("alive", f"{HERE}alive")
        world.pipelines.add("alive")
        world.clock.advance(minutes=16)
        world.sweep()
        assert self.left(world) == 3

    def test_those_that_are_deleted_are_not(self, world: World) -> None:
        fill(world, 3)
        world.two_sweeps()
        assert self.left(world) == 0

    def test_those_that_are_protected_are(self, world: World) -> None:
        world.set_policy(protected=("default/keep",))
        world.schedules.add("keep", GONE)
        fill(world, 3)
        world.two_sweeps()
        assert self.left(world) == 1

    @pytest.mark.parametrize("policy", [{"max_deletes": 2}, {"mode": "report"}])
    def test_those_that_may_not_be_deleted_are(self, world: World, policy: dict[str, Any]) -> None:
        world.set_policy(**policy)
        fill(world, 3)
        world.two_sweeps()
        assert self.left(world) == 3

    def test_those_that_are_none_any_more_are_not(self, world: World) -> None:
        fill(world, 3)
        world.clock.advance(minutes=16)
        world.sweep()
        world.pipelines.add(GONE)
        world.clock.advance(minutes=16)
        world.sweep()
        assert self.left(world) == 0


class TestSchedulesThatMustBeRead:
    def test_universal_targets_and_those_through_this_app_are_orphans_too(self, world: World) -> None:
        world.triggers.put(trigger_of("nightly", "abalonepipeline"), trigger_of("alive", "alive"))
        world.pipelines.add("alive")
        world.add_universal("by-name", '{"PipelineName": "AbalonePipeline"}')
        world.add_universal("by-arn", f'{{"PipelineName": "{GONE}"}}')
        world.add_universal("of-alive", '{"PipelineName": "alive"}')
        world.add_through_this_app("nightly", "nightly")
        world.add_through_this_app("alive", "alive")
        report = world.two_sweeps()
        assert deleted(report) == {"by-name", "by-arn", "nightly"}
        assert kept(report) == {"of-alive": "pipeline-exists", "alive": "pipeline-exists"}

    def test_one_of_a_trigger_with_two_pipelines_goes_when_both_are_gone(self, world: World) -> None:
        world.triggers.put(trigger_of("both", "a", "b"))
        world.pipelines.add("b")
        world.add_through_this_app("both", "both")
        assert kept(world.two_sweeps()) == {"both": "pipeline-exists"}
        world.pipelines.remove("b")
        assert deleted(world.two_sweeps()) == {"both"}

    def test_one_whose_trigger_is_not_there_is_reported_and_stays(self, world: World) -> None:
        world.add_through_this_app("lost", "no-such")
        for _ in range(3):
            assert kept(world.two_sweeps()) == {"lost": "no-such-trigger"}
        assert world.schedules.names == {"lost"}

    def test_one_that_is_gone_when_it_is_read_is_nobodys(self, world: World) -> None:
        world.add_universal("gone", '{"PipelineName": "a"}')
        page = world.schedules.page
        listed = page("default")
        world.schedules.delete("default", "gone")
        world.schedules.page = lambda group, token=None: listed if group == "default" else page(group, token)  # type: ignore[method-assign]
        assert world.sweep().to_document() == {"deleted": [], "kept": [], "failed": []}

    @pytest.mark.parametrize("error", [DENIED, PermanentError("refused-by-sagemaker", "ValidationException")])
    def test_one_that_cannot_be_read_does_not_hold_up_the_others(self, world: World, error: AwsError) -> None:
        world.add_universal("a-secret", '{"PipelineName": "a"}')
        world.schedules.add("orphan", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        world.schedules.fail("get", error)
        report = world.sweep()
        assert deleted(report) == {"orphan"}
        assert list(failed(report)) == ["a-secret"]
        assert report.to_retry == (), "the next sweep tries it again"

    def test_a_service_that_takes_no_more_stops_the_look(self, world: World) -> None:
        world.add_universal("a", '{"PipelineName": "a"}')
        world.add_universal("b", '{"PipelineName": "b"}')
        world.clock.advance(hours=6)
        world.schedules.fail("get", THROTTLED)
        assert [it.error.reason for it in world.sweep().to_retry] == ["throttled"]
        assert kept(world.sweep()) == {"a": "seen-once", "b": "seen-once"}


class TestIndex:
    def large(self) -> World:
        world = World()
        world.schedules.page_size = 1
        world.pipelines.add("alive")
        fill(world, EVENT_SCAN_PAGES + 1, f"{HERE}alive")
        return world

    def test_of_a_small_estate_nothing_is_noted(self, world: World) -> None:
        fill(world, 10)
        world.two_sweeps()
        assert world.store.called("index") == []

    def test_of_a_large_one_it_is_noted_whose_the_schedules_are(self) -> None:
        world = self.large()
        world.triggers.put(trigger_of("nightly", "Churn-Train"))
        world.add_through_this_app("nightly", "nightly")
        world.add_universal("universal", '{"PipelineName": "Churn-Train"}')
        world.schedules.add("other", "arn:aws:lambda:us-east-1:123456789012:function:f")
        world.two_sweeps()
        by_pipeline = {(it.pipeline_arn, it.group, it.name) for it in world.store.noted}
        assert (f"{HERE}churn-train", "local", "nightly") in by_pipeline
        assert (f"{HERE}churn-train", "default", "universal") in by_pipeline
        assert (f"{HERE}alive", "default", "s0000") in by_pipeline
        assert len(by_pipeline) == EVENT_SCAN_PAGES + 3

    def test_after_that_only_what_was_made_or_changed_is_noted(self) -> None:
        world = self.large()
        world.two_sweeps()
        world.store.calls.clear()
        world.clock.advance(hours=6)
        world.schedules.add("new", f"{HERE}alive")
        world.sweep()
        assert [[it.name for it in call["schedules"]] for call in world.store.called("index")] == [["new"]]

    def test_a_table_that_does_not_note_it_stops_the_look(self) -> None:
        world = self.large()
        world.sweep()
        world.store.fail("index", TransientError("unavailable", "DynamoDB"))
        assert [it.error.reason for it in world.sweep().to_retry] == ["unavailable"]
        assert not world.sweep().failed


def test_a_look_waits_for_its_turns() -> None:
    world = World(rates=Rates(lists=4, reads=10, deletes=5, at_once=1))
    world.schedules.page_size = 1
    fill(world, 4)
    world.add_universal("universal", '{"PipelineName": "a"}')
    began = world.clock.now()
    world.sweep()
    assert world.clock.now() - began == timedelta(seconds=5 * 0.25), "six pages in two groups, the first one at once"
