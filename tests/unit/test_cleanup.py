"""The cleaner on fakes: which schedules go with their pipeline, and everything that must make it keep them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.cleanup import STEP_BUDGET
from pipeline_triggers.domain.orphans import GRACE, Orphan
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from tests.fakes.estate import HERE, World, deleted, failed, kept
from tests.fakes.pipelines import FakePipelines

if TYPE_CHECKING:
    from collections.abc import Callable

GONE = f"{HERE}abalonepipeline"
THROTTLED = TransientError("throttled", "Rate exceeded")
# What may be between the cleaner and a certain answer.
UNSURE = [
    THROTTLED,
    TransientError("unavailable", "500"),
    TransientError("denied-yet", "AccessDeniedException"),
    TransientError("conflict", "listed, but not found"),
    TransientError("pipeline-deleting", "Deleting"),
    PermanentError("refused-by-sagemaker", "ValidationException"),
]


@dataclass
class Interfering(FakePipelines):
    """SageMaker, while somebody does something right after a certain answer about a pipeline (counted from 1)."""

    after: int = 1
    happens: Callable[[], Any] = lambda: None

    def absent(self, arn: str) -> bool:
        answer = super().absent(arn)
        if len(self.called("absent")) == self.after:
            self.happens()
        return answer


@pytest.fixture
def world() -> World:
    return World()


class TestOnDeleted:
    def test_the_schedules_of_a_deleted_pipeline_are_deleted(self, world: World) -> None:
        arn = world.schedules.add("nightly", GONE)
        report = world.on_deleted(GONE)
        assert report.to_document() == {"deleted": [arn], "kept": [], "failed": []}
        assert world.schedules.names == set()

    def test_a_pipeline_without_schedules_needs_no_question(self, world: World) -> None:
        world.schedules.add("other", f"{HERE}other")
        assert world.on_deleted(GONE).to_document() == {"deleted": [], "kept": [], "failed": []}
        assert world.pipelines.called("absent") == []

    def test_schedules_of_all_groups_and_all_pages_are_found(self, world: World) -> None:
        world.schedules.page_size = 3
        names = {f"s{number:02d}" for number in range(20)}
        for name in names:
            world.schedules.add(name, GONE, group="default" if name < "s12" else "team")
        assert deleted(world.on_deleted(GONE)) == names

    @pytest.mark.parametrize(
        "target",
        [
            f"{HERE}abalonepipeline2",
            f"{HERE}xabalonepipeline",
            f"{HERE}abalone",
            f"{GONE}/execution/1",
            GONE.replace("us-east-1", "eu-west-1"),
            GONE.replace("123456789012", "210987654321"),
            GONE.replace("arn:aws:", "arn:aws-cn:"),
            GONE.replace(":pipeline/", ":processing-job/"),
            GONE.replace("k", "\u212a"),  # the Kelvin sign, which casefolds to k
            "arn:aws:lambda:us-east-1:123456789012:function:abalonepipeline",
            "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
            "abalonepipeline",
            "",
        ],
    )
    def test_schedules_of_other_pipelines_and_other_targets_stay(self, world: World, target: str) -> None:
        world.schedules.add("other", target)
        world.schedules.add("nightly", GONE)
        assert deleted(world.on_deleted(GONE)) == {"nightly"}
        assert world.schedules.names == {"other"}

    @pytest.mark.parametrize("said", [GONE, f"{HERE}AbalonePipeline", GONE.upper().replace("AWS", "aws")])
    def test_arns_are_the_same_whatever_their_case(self, world: World, said: str) -> None:
        for number, target in enumerate((GONE, f"{HERE}AbalonePipeline", f"{HERE}ABALONEPIPELINE")):
            world.schedules.add(f"s{number}", target)
        assert deleted(world.on_deleted(said)) == {"s0", "s1", "s2"}

    def test_a_pipeline_must_be_absent_under_every_spelling_of_its_schedules(self, world: World) -> None:
        world.schedules.add("a", GONE)
        world.schedules.add("b", f"{HERE}AbalonePipeline")
        world.on_deleted(GONE)
        asked = [call["arn"] for call in world.pipelines.called("absent")]
        assert set(asked) == {GONE, f"{HERE}AbalonePipeline"}

    @pytest.mark.parametrize(
        "elsewhere",
        [
            GONE.replace("us-east-1", "eu-west-1"),
            GONE.replace("123456789012", "210987654321"),
            GONE.replace("arn:aws:", "arn:aws-us-gov:"),
            "nonsense",
            "",
        ],
    )
    def test_a_pipeline_of_another_account_region_or_partition_is_not_ours(self, world: World, elsewhere: str) -> None:
        world.schedules.add("nightly", GONE)
        world.schedules.add("theirs", elsewhere)
        report = world.on_deleted(elsewhere)
        assert [(it.arn, it.reason) for it in report.kept] == [(elsewhere, "not-at-home")]
        assert world.schedules.names == {"nightly", "theirs"}
        assert world.schedules.called("page") == []

    def test_a_pipeline_that_was_made_again_keeps_its_schedules(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.pipelines.add("AbalonePipeline")
        assert kept(world.on_deleted(GONE)) == {"nightly": "pipeline-exists"}
        assert world.schedules.names == {"nightly"}

    def test_a_pipeline_that_is_made_again_just_before_the_deletes_keeps_its_schedules(self, world: World) -> None:
        pipelines = Interfering(clock=world.clock)
        pipelines.happens = lambda: pipelines.add("abalonepipeline")
        world.pipelines = pipelines
        world.schedules.add("nightly", GONE)
        assert kept(world.on_deleted(GONE)) == {"nightly": "pipeline-exists"}
        assert world.schedules.names == {"nightly"}

    @pytest.mark.parametrize("question", [1, 2])
    @pytest.mark.parametrize("error", UNSURE, ids=lambda error: error.reason)
    def test_whatever_makes_it_unsure_that_the_pipeline_is_absent_keeps_everything(
        self, world: World, error: AwsError, question: int
    ) -> None:
        world.pipelines = pipelines = Interfering(clock=world.clock)
        if question == 1:
            pipelines.fail("absent", error)
        else:
            pipelines.happens = lambda: pipelines.fail("absent", error)
        world.schedules.add("a", GONE)
        world.schedules.add("b", GONE)
        report = world.on_deleted(GONE)
        assert failed(report) == {"a": error.reason, "b": error.reason}
        assert bool(report.to_retry) == isinstance(error, TransientError)
        assert world.schedules.names == {"a", "b"}
        assert world.schedules.called("delete") == []

    def test_the_pipeline_is_asked_for_again_right_before_the_deletes(self, world: World) -> None:
        world.schedules.add("a", GONE)
        world.schedules.add("b", GONE)
        world.on_deleted(GONE)
        assert len(world.pipelines.called("absent")) == 2

    @pytest.mark.parametrize("method", ["groups", "page"])
    def test_a_list_that_cannot_be_read_deletes_nothing(self, world: World, method: str) -> None:
        world.schedules.page_size = 1
        world.schedules.add("a", GONE)
        world.schedules.fail(method, THROTTLED)
        report = world.on_deleted(GONE)
        assert [(it.arn, it.error.reason) for it in report.failed] == [(GONE, "throttled")]
        assert world.schedules.names == {"a"}

    def test_a_definition_is_stored_before_its_schedule_is_deleted(self, world: World) -> None:
        world.schedules.add("nightly", GONE, Description="every night")
        world.store.fail("keep", TransientError("unavailable", "DynamoDB"))
        assert failed(world.on_deleted(GONE)) == {"nightly": "unavailable"}
        assert world.schedules.names == {"nightly"}
        assert deleted(world.on_deleted(GONE)) == {"nightly"}
        (definition,) = world.store.definitions[GONE]
        assert definition.document["Description"] == "every night"

    def test_a_definition_is_stored_once_however_often_its_delete_is_repeated(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.schedules.fail("delete", THROTTLED, THROTTLED)
        for _ in range(3):
            world.on_deleted(GONE)
            world.clock.advance(minutes=5)
        assert len(world.store.definitions[GONE]) == 1

    def test_one_that_cannot_be_deleted_does_not_hold_up_the_others(self, world: World) -> None:
        for number in range(50):
            world.schedules.add(f"s{number:02d}", GONE)
        world.schedules.fail("delete", THROTTLED)
        report = world.on_deleted(GONE)
        assert len(report.deleted) == 49
        assert failed(report) == {"s00": "throttled"}
        assert report.to_retry
        assert deleted(world.on_deleted(GONE)) == {"s00"}
        assert world.on_deleted(GONE).to_document() == {"deleted": [], "kept": [], "failed": []}

    @pytest.mark.parametrize("method", ["get", "delete"])
    def test_a_schedule_that_somebody_else_deletes_meanwhile_is_gone_as_it_should_be(
        self, world: World, method: str
    ) -> None:
        world.schedules.add("nightly", GONE)
        if method == "get":
            pipelines = Interfering(clock=world.clock, after=2)
            pipelines.happens = lambda: world.schedules.delete("default", "nightly")
            world.pipelines = pipelines
        else:
            # The answer is lost, and the redelivered message finds nothing left.
            world.schedules.fail("delete", TransientError("unavailable", "lost", acted=True))
            assert failed(world.on_deleted(GONE)) == {"nightly": "unavailable"}
        report = world.on_deleted(GONE)
        assert report.failed == ()
        assert deleted(report) == ({"nightly"} if method == "get" else set())

    @pytest.mark.parametrize("error", [THROTTLED, PermanentError("refused-by-sagemaker", "ValidationException")])
    def test_one_that_cannot_be_read_is_not_deleted(self, world: World, error: AwsError) -> None:
        world.schedules.add("nightly", GONE)
        world.schedules.fail("get", error)
        assert failed(world.on_deleted(GONE)) == {"nightly": error.reason}
        assert world.schedules.names == {"nightly"}

    def test_a_schedule_that_targets_something_else_by_now_stays(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        pipelines = Interfering(clock=world.clock, after=2)
        pipelines.happens = lambda: world.schedules.add("nightly", f"{HERE}other")
        world.pipelines = pipelines
        assert kept(world.on_deleted(GONE)) == {"nightly": "changed"}
        assert world.schedules.names == {"nightly"}

    def test_a_schedule_that_is_changed_during_the_clean_up_stays(self, world: World) -> None:
        world.schedules.add("nightly", GONE)

        def change() -> None:
            world.clock.advance(seconds=2)
            world.schedules.add("nightly", GONE, ScheduleExpression="rate(2 days)")

        world.pipelines = Interfering(clock=world.clock, after=2, happens=change)
        assert kept(world.on_deleted(GONE)) == {"nightly": "changed"}
        assert world.schedules.names == {"nightly"}

    def test_more_than_the_cap_deletes_nothing(self, world: World) -> None:
        world.set_policy(max_deletes=2)
        for name in "abc":
            world.schedules.add(name, GONE)
        report = world.on_deleted(GONE)
        assert kept(report) == dict.fromkeys("abc", "delete-cap")
        assert report.is_capped
        assert world.schedules.called("delete") == []

    def test_as_many_as_the_cap_are_deleted(self, world: World) -> None:
        world.set_policy(max_deletes=2)
        for name in "ab":
            world.schedules.add(name, GONE)
        assert not world.on_deleted(GONE).is_capped
        assert world.schedules.names == set()

    def test_schedules_of_a_pipeline_that_exists_do_not_count_for_the_cap(self, world: World) -> None:
        world.set_policy(max_deletes=1)
        world.pipelines.add("abalonepipeline")
        for name in "ab":
            world.schedules.add(name, GONE)
        assert kept(world.on_deleted(GONE)) == dict.fromkeys("ab", "pipeline-exists")

    def test_in_report_mode_nothing_is_deleted(self, world: World) -> None:
        world.set_policy(mode="report")
        world.set_policy(max_deletes=1)
        for name in "ab":
            world.schedules.add(name, GONE)
        assert kept(world.on_deleted(GONE)) == dict.fromkeys("ab", "report-mode")
        assert world.schedules.called("delete") == []
        assert world.store.definitions == {}

    def test_without_time_left_nothing_is_begun(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        report = world.on_deleted(GONE, seconds=STEP_BUDGET.total_seconds() - 1)
        assert [it.error.reason for it in report.to_retry] == ["deadline"]
        assert world.schedules.names == {"nightly"}

    def test_what_does_not_fit_before_the_deadline_comes_again(self, world: World) -> None:
        for name in "abc":
            world.schedules.add(name, GONE)
        slow = world.schedules.delete

        def delete(group: str, name: str) -> None:
            world.clock.advance(seconds=10)
            slow(group, name)

        world.schedules.delete = delete  # type: ignore[method-assign]
        report = world.on_deleted(GONE, seconds=STEP_BUDGET.total_seconds() + 15)
        assert (deleted(report), failed(report)) == ({"a", "b"}, {"c": "deadline"})


class TestSweep:
    def test_an_orphan_is_deleted_when_it_is_seen_the_second_time(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(minutes=16)
        assert kept(world.sweep()) == {"nightly": "seen-once"}
        world.clock.advance(minutes=16)
        assert deleted(world.sweep()) == {"nightly"}

    def test_schedules_of_pipelines_that_exist_stay(self, world: World) -> None:
        world.pipelines.add("alive")
        world.schedules.add("of-alive", f"{HERE}alive")
        world.schedules.add("orphan", GONE)
        report = world.two_sweeps()
        assert (deleted(report), kept(report)) == ({"orphan"}, {"of-alive": "pipeline-exists"})

    def test_other_targets_are_nobodys_orphans(self, world: World) -> None:
        world.schedules.add("function", "arn:aws:lambda:us-east-1:123456789012:function:abalone")
        world.schedules.add("far", GONE.replace("us-east-1", "eu-west-1"))
        assert world.two_sweeps().to_document() == {"deleted": [], "kept": [], "failed": []}
        assert world.pipelines.called("absent") == []

    def test_all_schedules_are_listed_before_any_pipeline_is_looked_up(self, world: World) -> None:
        world.schedules.page_size = 1
        for number in range(3):
            world.schedules.add(f"s{number}", f"{HERE}p{number}")
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        order: list[str] = []
        absent, page = world.pipelines.absent, world.schedules.page
        world.pipelines.absent = lambda arn: order.append("absent") or absent(arn)  # type: ignore[func-returns-value]
        world.schedules.page = lambda *a: order.append("page") or page(*a)  # type: ignore[method-assign,func-returns-value]
        world.sweep()
        assert order[:4] == ["page", "page", "page", "page"], "three of the default group, the last one's empty group"
        assert set(order[4:]) == {"absent"}

    def test_pipelines_that_are_listed_are_not_asked_for_one_by_one(self, world: World) -> None:
        world.pipelines.add("alive")
        for number in range(10):
            world.schedules.add(f"s{number}", f"{HERE}alive")
        world.two_sweeps()
        assert world.pipelines.called("absent") == []
        assert len(world.pipelines.called("listed")) == 2

    def test_a_pipeline_that_is_missing_from_the_list_alone_loses_nothing(self, world: World) -> None:
        """It may have been made after the list was read, or the list may not know it yet."""
        world.pipelines.add("abalonepipeline")
        world.pipelines.listed = lambda: iter(())
        world.schedules.add("nightly", GONE)
        assert kept(world.two_sweeps()) == {"nightly": "pipeline-exists"}
        assert world.schedules.names == {"nightly"}

    @pytest.mark.parametrize("minutes", [0, 14])
    def test_a_young_schedule_is_left_alone_and_not_counted_as_seen(self, world: World, minutes: int) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(minutes=minutes)
        assert kept(world.sweep()) == {"nightly": "too-young"}
        assert world.store.seen == {}

    def test_a_schedule_that_was_changed_just_now_is_left_alone(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        world.schedules.add("nightly", GONE)
        assert kept(world.sweep()) == {"nightly": "too-young"}

    def test_the_second_sight_counts_only_a_grace_after_the_first(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(minutes=16)
        world.sweep()
        world.clock.advance(minutes=14)
        assert kept(world.sweep()) == {"nightly": "seen-once"}
        world.clock.advance(minutes=1)
        assert deleted(world.sweep()) == {"nightly"}

    def test_a_changed_schedule_must_be_seen_twice_again(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(minutes=1)
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        assert kept(world.sweep()) == {"nightly": "seen-once"}
        world.clock.advance(hours=6)
        assert deleted(world.sweep()) == {"nightly"}

    def test_a_pipeline_that_exists_in_between_makes_its_schedules_be_seen_afresh(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.pipelines.add("abalonepipeline")
        world.clock.advance(hours=6)
        assert kept(world.sweep()) == {"nightly": "pipeline-exists"}
        assert world.store.seen == {}
        world.pipelines.remove("abalonepipeline")
        world.clock.advance(hours=6)
        assert kept(world.sweep()) == {"nightly": "seen-once"}

    def test_a_schedule_that_is_gone_is_forgotten(self, world: World) -> None:
        arn = world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        assert set(world.store.seen) == {arn}
        world.schedules.delete("default", "nightly")
        world.sweep()
        assert world.store.seen == {}

    def test_a_schedule_that_was_deleted_is_forgotten_by_the_next_sweep(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.two_sweeps()
        world.sweep()
        assert world.store.seen == {}

    @pytest.mark.parametrize("error", UNSURE, ids=lambda error: error.reason)
    def test_a_pipeline_that_cannot_be_judged_keeps_its_schedules_and_what_was_seen(
        self, world: World, error: AwsError
    ) -> None:
        world.schedules.add("a", f"{HERE}first")
        world.schedules.add("b", f"{HERE}second")
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        world.pipelines.fail("absent", error)
        report = world.sweep()
        assert (failed(report), deleted(report)) == ({"a": error.reason}, {"b"})
        assert [arn.rpartition("/")[2] for arn in world.store.seen] == ["a"]
        assert deleted(world.sweep()) == {"a"}

    def test_a_pipeline_that_is_made_again_after_it_was_judged_keeps_its_schedules(self, world: World) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        pipelines = Interfering(clock=world.clock)
        pipelines.happens = lambda: pipelines.add("abalonepipeline")
        world.pipelines = pipelines
        assert kept(world.sweep()) == {"nightly": "pipeline-exists"}

    @pytest.mark.parametrize(
        ("where", "method"), [("schedules", "groups"), ("schedules", "page"), ("store", "orphans")]
    )
    def test_what_cannot_be_read_deletes_and_forgets_nothing(self, world: World, where: str, method: str) -> None:
        world.schedules.add("nightly", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        getattr(world, where).fail(method, THROTTLED)
        report = world.sweep()
        assert [(it.arn, it.error.reason) for it in report.to_retry] == [("", "throttled")]
        assert world.schedules.names == {"nightly"}
        assert len(world.store.seen) == 1

    @pytest.mark.parametrize("method", ["remember", "forget"])
    def test_what_cannot_be_remembered_deletes_nothing(self, world: World, method: str) -> None:
        world.schedules.add("ripe", GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.schedules.add("new", f"{HERE}second")
        world.store.seen["gone"] = Orphan("gone", (GONE,), world.clock.now())
        world.clock.advance(hours=6)
        world.store.fail(method, TransientError("unavailable", "DynamoDB"))
        assert [it.error.reason for it in world.sweep().to_retry] == ["unavailable"]
        assert world.schedules.names == {"ripe", "new"}

    def test_more_orphans_than_the_cap_of_all_pipelines_delete_nothing(self, world: World) -> None:
        world.set_policy(max_deletes=2)
        for name in "abc":
            world.schedules.add(name, f"{HERE}{name}")
        report = world.two_sweeps()
        assert kept(report) == dict.fromkeys("abc", "delete-cap")
        assert report.is_capped
        assert world.schedules.called("delete") == []
        world.set_policy(max_deletes=3)
        assert deleted(world.sweep()) == set("abc")

    def test_only_what_would_be_deleted_counts_for_the_cap(self, world: World) -> None:
        world.set_policy(max_deletes=1)
        world.pipelines.add("alive")
        world.schedules.add("orphan", GONE)
        for number in range(5):
            world.schedules.add(f"s{number}", f"{HERE}alive")
        assert deleted(world.two_sweeps()) == {"orphan"}

    def test_in_report_mode_orphans_are_shown_and_stay(self, world: World) -> None:
        world.set_policy(mode="report")
        world.schedules.add("nightly", GONE)
        assert kept(world.two_sweeps()) == {"nightly": "report-mode"}
        assert world.schedules.called("delete") == []

    def test_two_sweeps_at_once_do_no_harm(self, world: World) -> None:
        for name in "ab":
            world.schedules.add(name, GONE)
        world.clock.advance(hours=6)
        world.sweep()
        world.clock.advance(hours=6)
        other = world.cleaner
        until = world.clock.now() + timedelta(minutes=5)
        pipelines = Interfering(clock=world.clock, after=2, happens=lambda: other.sweep(until, "another"))
        world.pipelines = pipelines
        report = world.sweep()
        assert report.failed == ()
        assert deleted(report) == {"a", "b"}
        assert world.schedules.names == set()


@settings(max_examples=60, deadline=None)
@given(
    exists=st.sets(st.sampled_from(["a", "b", "c"])),
    targets=st.lists(st.sampled_from(["a", "A", "b", "B", "c", "bb", "x-a"]), max_size=12),
    failures=st.lists(st.sampled_from([None, *UNSURE]), max_size=8),
    deleted_pipeline=st.sampled_from(["a", "b", "c"]),
)
def test_no_schedule_of_a_pipeline_that_exists_is_ever_deleted(
    exists: set[str], targets: list[str], failures: list[AwsError | None], deleted_pipeline: str
) -> None:
    world = World()
    for name in exists:
        world.pipelines.add(name)
    for number, target in enumerate(targets):
        world.schedules.add(f"{number}-{target}", f"{HERE}{target}")
    for failure in failures:
        world.pipelines.failures.extend([failure] if failure else [])
        world.on_deleted(f"{HERE}{deleted_pipeline}")
        world.sweep()
        world.clock.advance(minutes=GRACE.total_seconds() / 60)
    must_stay = {f"{number}-{target}" for number, target in enumerate(targets) if target.casefold() in exists}
    assert must_stay <= world.schedules.names
