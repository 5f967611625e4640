"""Putting, listing, switching and deleting schedules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import (
    Defaults,
    StartsPipeline,
    TellsTrigger,
    WantedSchedule,
    created,
    name_for,
    parameters_of,
)
from pipeline_triggers.errors import (
    AwsError,
    InvalidInputError,
    NotFoundError,
    PermanentError,
    TransientError,
)
from pipeline_triggers.scheduling import Deleted, Put, Scheduling
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.fakes.roles import FakeRoles
from tests.fakes.schedules import FakeSchedules

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Home("aws", "123456789012", "us-east-1")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:app-schedule"
DEFAULTS = Defaults(
    group="app",
    role_arn="arn:aws:iam::123456789012:role/app-scheduler",
    queue_role_arn="arn:aws:iam::123456789012:role/app-schedule-queue",
    queue_arn=QUEUE,
    dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:app-undelivered",
)
TRAIN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
REPORT = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-report"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
MINE = "arn:aws:iam::123456789012:role/mine"
NIGHTLY = WantedSchedule("nightly", "app", "cron(0 3 * * ? *)", StartsPipeline(TRAIN))
HOURLY = replace(NIGHTLY, name="hourly", expression="rate(1 hour)")
ONCE = replace(NIGHTLY, name="once", expression="at(2026-04-01T00:00:00)")
CONFLICT = TransientError("conflict", "ConflictException")
DENIED = TransientError("denied-yet", "AccessDeniedException")


@dataclass
class World:
    """The use case over fakes: two pipelines, of which one has parameters; the groups default, app and team."""

    clock: FakeClock = field(default_factory=FakeClock)
    schedules: FakeSchedules = field(init=False)
    pipelines: FakePipelines = field(init=False)
    roles: FakeRoles = field(default_factory=FakeRoles)

    def __post_init__(self) -> None:
        self.schedules = FakeSchedules(clock=self.clock, made=("app", "team"))
        self.pipelines = FakePipelines(clock=self.clock)
        self.pipelines.add(TRAIN, DEFINITION)
        self.pipelines.add(REPORT)
        self.roles.add(MINE, "scheduler.amazonaws.com")

    @property
    def use_case(self) -> Scheduling:
        return Scheduling(self.schedules, self.pipelines, self.roles, self.clock, HOME, lambda: DEFAULTS)

    def put(self, *wanted: WantedSchedule, replace: bool = False) -> list[Put]:
        return list(self.use_case.put(wanted, replace=replace))

    def document(self, name: str, group: str = "app") -> dict[str, Any]:
        return dict(self.schedules.get(group, name).document)

    @property
    def writes(self) -> list[str]:
        return [call.method for call in self.schedules.calls if call.method in ("create", "update", "delete")]

    def meanwhile(self, method: str, act: Callable[[], object], *, times: int = 1) -> None:
        """Let somebody else act just before calls of a method."""
        original, left = getattr(self.schedules, method), [times]

        def called(*arguments: Any) -> Any:
            if left[0] > 0:
                left[0] -= 1
                act()
            return original(*arguments)

        setattr(self.schedules, method, called)


DEFINITION = Definition(
    {
        "Rows": Declared("Integer", required=False, default=1),
        "Mode": Declared("String", required=False, default="full", enum=("full", "delta")),
        "Time": Declared("String", required=False, default=""),
    }
)


@pytest.fixture
def world() -> World:
    return World()


def with_parameters(**parameters: str) -> WantedSchedule:
    return replace(NIGHTLY, target=StartsPipeline(TRAIN, parameters))


def problems(world: World, *wanted: WantedSchedule, replace: bool = False) -> list[str]:
    """The fields that are refused; nothing may have been written, and a preview says the same."""
    before = list(world.writes)
    with pytest.raises(InvalidInputError) as raised:
        world.put(*wanted, replace=replace)
    with pytest.raises(InvalidInputError) as previewed:
        world.use_case.preview(wanted, replace=replace)
    assert previewed.value.problems == raised.value.problems
    assert world.writes == before
    return [problem.field for problem in raised.value.problems]


# Creating and updating


def test_a_schedule_that_is_not_there_is_created(world: World) -> None:
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/app/nightly"
    assert world.put(NIGHTLY) == [Put("nightly", "app", arn, "created")]
    assert world.document("nightly")["Target"]["RoleArn"] == DEFAULTS.role_arn


def test_a_schedule_that_is_there_is_updated(world: World) -> None:
    [made] = world.put(NIGHTLY)
    assert world.put(replace(NIGHTLY, description="new")) == [replace(made, outcome="updated")]
    assert world.document("nightly")["Description"] == "new"


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    [made] = world.put(NIGHTLY)
    world.clock.advance(days=3)
    assert world.put(NIGHTLY) == [replace(made, outcome="same")]
    assert world.writes == ["create"]


def test_a_schedule_may_tell_a_trigger_of_this_application(world: World) -> None:
    [told] = world.put(replace(NIGHTLY, target=TellsTrigger(QUEUE, "nightly")))
    assert told.outcome == "created"
    assert world.document("nightly")["Target"]["RoleArn"] == DEFAULTS.queue_role_arn
    assert world.pipelines.calls == []


def test_what_becomes_of_several_is_told_in_their_order(world: World) -> None:
    world.put(HOURLY, NIGHTLY)
    changed = replace(NIGHTLY, description="x")
    puts = world.put(ONCE, HOURLY, changed)
    assert [(put.name, put.outcome) for put in puts] == [
        ("once", "created"),
        ("hourly", "same"),
        ("nightly", "updated"),
    ]


def test_a_preview_tells_the_same_and_writes_nothing(world: World) -> None:
    world.put(NIGHTLY, HOURLY)
    wanted = [ONCE, NIGHTLY, replace(HOURLY, description="x")]
    previewed = world.use_case.preview(wanted)
    assert world.writes == ["create", "create"]
    assert world.put(*wanted) == previewed


def test_the_stack_is_asked_for_its_defaults_once(world: World) -> None:
    asked = []

    def defaults() -> Defaults:
        asked.append(1)
        return DEFAULTS

    replace(world.use_case, defaults=defaults).put([NIGHTLY, HOURLY, ONCE])
    assert len(asked) == 1


# The defects of the SageMaker SDK (its put_triggers, describe_trigger and delete_triggers)


def test_sdk_2_two_schedules_of_one_name_in_one_call_are_refused(world: World) -> None:
    assert problems(world, NIGHTLY, HOURLY, replace(HOURLY, name="nightly")) == ["nightly.name"]
    assert [put.outcome for put in world.put(NIGHTLY, replace(NIGHTLY, group="team", role_arn=MINE))] == ["created"] * 2


def test_sdk_3_the_name_that_a_long_pipeline_name_gives_is_short_enough(world: World) -> None:
    arn = world.pipelines.add("p" * 256)
    [made] = world.put(replace(NIGHTLY, name=name_for("p" * 256, "rate(1 day)"), target=StartsPipeline(arn)))
    assert (made.outcome, len(made.name)) == ("created", 64)


def test_sdk_4_an_update_keeps_what_it_does_not_mention(world: World) -> None:
    world.put(
        replace(
            with_parameters(Rows="5"),
            timezone="Asia/Tokyo",
            end=NOON + timedelta(days=900),
            description="old",
            flexible_minutes=5,
            dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:mine",
            max_attempts=3,
            kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/a",
            delete_after_run=True,
        )
    )
    before = world.document("nightly")
    world.put(replace(NIGHTLY, expression="cron(0 4 * * ? *)"))
    assert world.document("nightly") == before | {"ScheduleExpression": "cron(0 4 * * ? *)"}


def test_sdk_5_a_schedule_that_starts_something_else_is_not_overwritten(world: World) -> None:
    world.schedules.add("nightly", REPORT, group="app")
    world.schedules.add("hourly", "arn:aws:lambda:us-east-1:123456789012:function:other", group="app")
    assert problems(world, NIGHTLY, HOURLY) == ["nightly.name", "hourly.name"]


def test_a_schedule_that_starts_something_else_is_made_from_scratch_when_that_is_said(world: World) -> None:
    world.schedules.add("nightly", REPORT, group="app", Description="of the report", State="DISABLED")
    assert [put.outcome for put in world.put(NIGHTLY, replace=True)] == ["updated"]
    document = world.document("nightly")
    assert (document["Target"]["Arn"], document["State"], document.get("Description")) == (TRAIN, "ENABLED", None)


def test_replace_keeps_what_is_not_mentioned_of_a_schedule_that_starts_the_same(world: World) -> None:
    world.put(replace(NIGHTLY, description="old"))
    world.put(replace(NIGHTLY, timezone="Asia/Tokyo"), replace=True)
    assert world.document("nightly")["Description"] == "old"


def test_sdk_6_a_rate_is_not_anchored_anew_by_putting_it_again(world: World) -> None:
    wanted = replace(HOURLY, start=NOON + timedelta(minutes=17))
    world.put(wanted)
    world.clock.advance(days=3)
    assert [put.outcome for put in world.put(wanted)] == ["same"]
    world.put(replace(wanted, description="x"))
    assert world.document("hourly")["StartDate"] == "2026-03-17T12:17:00+00:00"


def test_sdk_6_a_start_that_is_long_past_can_be_put_again_and_again(world: World) -> None:
    long_ago = replace(HOURLY, start=NOON - timedelta(days=40, minutes=7))
    assert [put.outcome for put in world.put(long_ago)] == ["created"]
    assert world.document("hourly")["StartDate"] == "2026-03-14T12:53:00+00:00"
    world.clock.advance(days=1)
    assert [put.outcome for put in world.put(long_ago)] == ["same"]


def test_sdk_7_two_who_create_at_once_both_succeed(world: World) -> None:
    other = replace(NIGHTLY, description="by the other", state="DISABLED")
    world.meanwhile("create", lambda: _create(world, other))
    [put] = world.put(replace(NIGHTLY, description="by me"))
    assert put.outcome == "updated"
    document = world.document("nightly")
    assert (document["Description"], document["State"]) == ("by me", "DISABLED")


def test_two_who_create_the_same_at_once_write_it_once(world: World) -> None:
    world.meanwhile("create", lambda: _create(world, NIGHTLY))
    assert [put.outcome for put in world.put(NIGHTLY)] == ["same"]


def test_what_another_created_meanwhile_is_not_overwritten_when_it_starts_something_else(world: World) -> None:
    world.meanwhile("create", lambda: world.schedules.add("nightly", REPORT, group="app"))
    [put] = world.put(NIGHTLY)
    assert put.outcome == "failed"
    assert "starts arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-report" in put.problem
    assert world.document("nightly")["Target"]["Arn"] == REPORT


def test_what_another_deleted_meanwhile_is_created(world: World) -> None:
    world.put(NIGHTLY)
    world.meanwhile("update", lambda: world.schedules.delete("app", "nightly"))
    assert [put.outcome for put in world.put(replace(NIGHTLY, description="x"))] == ["created"]


def test_an_update_that_conflicts_is_done_once_more_on_what_is_there_then(world: World) -> None:
    world.put(NIGHTLY)
    world.meanwhile("update", lambda: world.schedules.add("nightly", TRAIN, group="app", State="DISABLED"))
    world.schedules.fail("update", CONFLICT)
    assert [put.outcome for put in world.put(replace(NIGHTLY, description="x"))] == ["updated"]
    assert world.document("nightly")["State"] == "DISABLED"


def test_a_schedule_that_others_keep_changing_fails_with_a_clear_word(world: World) -> None:
    [made] = world.put(NIGHTLY)
    world.schedules.fail("update", CONFLICT, CONFLICT)
    said = "somebody else changes it at the same time: try again (ConflictException)"
    assert world.put(replace(NIGHTLY, description="x")) == [replace(made, outcome="failed", problem=said)]
    assert len(world.schedules.called("update")) == 2


def test_sdk_8_a_schedule_that_fails_does_not_stop_the_others_and_each_is_told(world: World) -> None:
    world.schedules.fail("create", PermanentError("refused-by-sagemaker", "no such key"))
    failed, made = world.put(NIGHTLY, HOURLY)
    assert failed == Put("nightly", "app", "", "failed", "no such key")
    assert made.outcome == "created"
    assert world.schedules.names == {"hourly"}


def test_sdk_9_everything_is_checked_before_the_first_is_written(world: World) -> None:
    wrong = replace(HOURLY, target=StartsPipeline(f"{TRAIN}-2"))
    assert problems(world, NIGHTLY, wrong, replace(ONCE, expression="at(2026-01-01T00:00:00)")) == [
        "hourly.pipeline",
        "once.schedule_expression",
    ]


def test_sdk_10_and_12_a_schedule_without_a_start_is_described_whole(world: World) -> None:
    world.put(with_parameters(Rows="5"))
    document = world.use_case.describe("nightly").document
    assert "StartDate" not in document
    assert (document["GroupName"], document["ScheduleExpressionTimezone"]) == ("app", "UTC")
    assert parameters_of(document["Target"]) == {"Rows": "5"}
    assert document["Target"]["DeadLetterConfig"] == {"Arn": DEFAULTS.dead_letter_arn}


def test_sdk_13_the_schedules_of_a_pipeline_are_found_in_all_groups(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.add("by-hand", TRAIN.upper())
    world.schedules.add("report", REPORT)
    world.schedules.add("by-api", UNIVERSAL, Target={"Arn": UNIVERSAL, "Input": '{"PipelineName": "churn-train"}'})
    world.schedules.add("other-api", UNIVERSAL, Target={"Arn": UNIVERSAL, "Input": '{"PipelineName": "churn"}'})
    names = [found.document["Name"] for found in world.use_case.list(pipeline_arn=TRAIN)]
    assert names == ["by-api", "by-hand", "nightly"]


def test_sdk_14_a_schedule_that_starts_something_else_is_not_deleted_with_a_pipelines(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.add("report", REPORT, group="app")
    deleted = world.use_case.delete(["report", "gone", "nightly"], pipeline_arn=TRAIN)
    assert [(each.name, each.outcome) for each in deleted] == [
        ("report", "failed"),
        ("gone", "missing"),
        ("nightly", "deleted"),
    ]
    assert REPORT in deleted[0].problem
    assert world.schedules.names == {"report"}


def test_sdk_16_an_expression_that_the_service_would_refuse_is_refused_before(world: World) -> None:
    wrong = [
        replace(NIGHTLY, name=name, expression=text) for name, text in (("a", "cron(banana)"), ("b", "rate(0 weeks)"))
    ]
    assert problems(world, *wrong) == ["a.schedule_expression", "b.schedule_expression"]
    assert problems(world, replace(NIGHTLY, timezone="Mars/Base")) == ["nightly.timezone"]


# When it never fires


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (replace(ONCE, expression="at(2026-03-14T11:59:00)"), "once.schedule_expression"),
        (replace(ONCE, expression="at(2026-03-14T12:00:59)"), "once.schedule_expression"),
        (replace(ONCE, expression="at(2026-03-14T12:30:00)", timezone="Europe/Berlin"), "once.schedule_expression"),
        (replace(ONCE, expression="at(2026-03-29T02:30:00)", timezone="Europe/Berlin"), "once.schedule_expression"),
        (replace(NIGHTLY, expression="cron(0 3 * * ? 2020)"), "nightly.schedule_expression"),
        (replace(NIGHTLY, end=NOON), "nightly.end"),
        (replace(NIGHTLY, end=NOON + timedelta(hours=1)), "nightly.schedule_expression"),
        (replace(NIGHTLY, start=NOON + timedelta(days=9), end=NOON + timedelta(days=9)), "nightly.end"),
        (replace(NIGHTLY, start=NOON + timedelta(days=9), end=NOON + timedelta(days=8)), "nightly.end"),
        (
            replace(NIGHTLY, start=NOON + timedelta(days=9), end=NOON + timedelta(days=9, hours=5)),
            "nightly.schedule_expression",
        ),
    ],
)
def test_a_new_schedule_that_never_fires_is_refused(world: World, wanted: WantedSchedule, field: str) -> None:
    assert problems(world, wanted) == [field]


def test_a_one_time_schedule_ignores_start_and_end_as_the_service_does(world: World) -> None:
    wanted = replace(ONCE, start=NOON + timedelta(days=900), end=NOON + timedelta(days=1))
    assert [put.outcome for put in world.put(wanted)] == ["created"]


def test_a_schedule_that_is_over_can_still_be_described_but_not_moved_into_the_past_or_enabled(world: World) -> None:
    world.put(replace(ONCE, state="DISABLED"), replace(NIGHTLY, end=NOON + timedelta(days=2)))
    world.clock.advance(days=100)
    described = [replace(ONCE, description="x"), replace(NIGHTLY, description="x")]
    assert [put.outcome for put in world.put(*described)] == ["updated", "updated"]
    assert problems(world, replace(ONCE, expression="at(2026-04-02T00:00:00)")) == ["once.schedule_expression"]
    assert problems(world, replace(ONCE, state="ENABLED")) == ["once.schedule_expression"]
    assert problems(world, replace(NIGHTLY, expression="cron(0 4 * * ? *)")) == ["nightly.end"]
    assert problems(world, replace(NIGHTLY, end=NOON + timedelta(days=3))) == ["nightly.end"]


def test_a_change_is_judged_in_the_zone_that_stays(world: World) -> None:
    world.put(replace(ONCE, timezone="Asia/Tokyo"))
    assert problems(world, replace(ONCE, expression="at(2026-03-14T15:00:00)")) == ["once.schedule_expression"]


def test_of_a_trigger_file_a_one_time_schedule_that_has_deleted_itself_is_not_made_again(world: World) -> None:
    whole = replace(ONCE, complete=True, delete_after_run=True)
    world.clock.advance(days=100)
    [put] = world.put(whole)
    assert (put.outcome, put.warnings) == ("same", ("it is over and was to delete itself then: nothing is made",))
    assert world.writes == []
    assert problems(world, replace(whole, delete_after_run=False)) == ["once.schedule_expression"]
    assert problems(world, replace(whole, complete=False)) == ["once.schedule_expression"]


# Pipelines and their parameters


def test_an_unknown_pipeline_and_one_that_is_being_deleted_are_refused(world: World) -> None:
    world.pipelines.begin_deleting(REPORT)
    unknown = replace(NIGHTLY, target=StartsPipeline(f"{TRAIN}-2"))
    assert problems(world, unknown, replace(HOURLY, target=StartsPipeline(REPORT))) == [
        "nightly.pipeline",
        "hourly.pipeline",
    ]


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"Rows": "many"}, ["Rows"]),
        ({"Mode": "none"}, ["Mode"]),
        ({"Unknown": "1", "Rows": "x"}, ["Unknown", "Rows"]),
        ({"Rows": "<aws.scheduler.scheduled-time>"}, ["Rows"]),
        ({"Rows": "1<aws.scheduler.attempt-number>"}, ["Rows"]),
        ({"Nope": "<aws.scheduler.scheduled-time>"}, ["Nope"]),
    ],
)
def test_parameters_that_the_pipeline_refuses_are_told(
    world: World, parameters: dict[str, str], fields: list[str]
) -> None:
    assert problems(world, with_parameters(**parameters)) == [f"nightly.parameters.{name}" for name in fields]


@pytest.mark.parametrize(
    "parameters",
    [
        {"Rows": "5", "Mode": "delta"},
        {"Time": "<aws.scheduler.scheduled-time>"},
        {"Time": "run-<aws.scheduler.execution-id>-<aws.scheduler.attempt-number>"},
        {"Mode": "<aws.scheduler.schedule-arn>"},
        {"Rows": "<aws.scheduler.attempt-number>"},
    ],
)
def test_values_that_scheduler_fills_in_are_accepted_as_text(world: World, parameters: dict[str, str]) -> None:
    assert [put.outcome for put in world.put(with_parameters(**parameters))] == ["created"]


def test_a_parameter_that_the_pipeline_requires_must_be_there(world: World) -> None:
    world.pipelines.add(REPORT, Definition({"Key": Declared()}))
    wanted = replace(NIGHTLY, target=StartsPipeline(REPORT))
    assert problems(world, wanted) == ["nightly.parameters.Key"]
    world.put(replace(wanted, target=StartsPipeline(REPORT, {"Key": "<aws.scheduler.scheduled-time>"})))
    assert [put.outcome for put in world.put(wanted)] == ["same"]
    gone = replace(wanted, target=StartsPipeline(REPORT, removed=("Key",)))
    assert problems(world, gone) == ["nightly.parameters.Key"]


def test_one_who_may_not_describe_the_pipeline_goes_on_with_a_warning(world: World) -> None:
    world.pipelines.fail("describe", DENIED)
    [put] = world.put(NIGHTLY)
    assert put.outcome == "created"
    assert put.warnings == (f"you may not describe the pipeline {TRAIN}: it and its parameters were not checked",)


def test_a_definition_that_cannot_be_read_is_a_warning(world: World) -> None:
    world.pipelines.fail("describe", PermanentError("refused-by-sagemaker", "is not JSON"))
    [put] = world.put(NIGHTLY)
    assert (put.outcome, put.warnings[0].endswith("not checked: is not JSON")) == ("created", True)


def test_a_pipeline_is_asked_for_once_and_afresh(world: World) -> None:
    world.put(NIGHTLY, HOURLY, ONCE)
    assert [call["fresh"] for call in world.pipelines.called("describe")] == [True]


@pytest.mark.parametrize(("port", "method"), [("schedules", "get"), ("pipelines", "describe"), ("roles", "trusts")])
def test_nothing_is_written_when_what_must_be_known_cannot_be_had(world: World, port: str, method: str) -> None:
    getattr(world, port).fail(method, TransientError("throttled", "slow down"))
    with pytest.raises(AwsError, match="slow down"):
        world.put(HOURLY, replace(NIGHTLY, role_arn=MINE))
    assert world.writes == []


# Roles and groups


def test_a_role_that_scheduler_may_not_assume_is_refused(world: World) -> None:
    world.roles.add(MINE, "sagemaker.amazonaws.com")
    assert problems(world, replace(NIGHTLY, role_arn=MINE)) == ["nightly.role_arn"]


@pytest.mark.parametrize("role", ["arn:aws:iam::123456789012:role/none", "arn:aws:iam::999999999999:role/mine"])
def test_a_role_that_is_not_there_or_of_another_account_is_refused(world: World, role: str) -> None:
    assert problems(world, replace(NIGHTLY, role_arn=role)) == ["nightly.role_arn"]


def test_one_who_may_not_look_at_the_role_goes_on(world: World) -> None:
    world.roles.fail("trusts", PermanentError("access-denied", "no iam:GetRole"))
    assert [put.outcome for put in world.put(replace(NIGHTLY, role_arn=MINE))] == ["created"]


def test_the_stacks_own_role_is_not_looked_at_and_only_for_its_group(world: World) -> None:
    world.put(NIGHTLY, replace(HOURLY, role_arn=DEFAULTS.role_arn))
    assert world.roles.calls == []
    assert problems(world, replace(NIGHTLY, group="team")) == ["nightly.role_arn"]
    assert problems(world, replace(NIGHTLY, group="team", role_arn=DEFAULTS.role_arn)) == ["nightly.role_arn"]


def test_the_role_of_a_schedule_that_is_there_is_not_judged_when_nobody_mentions_it(world: World) -> None:
    world.schedules.add("nightly", TRAIN, group="team")
    assert [put.outcome for put in world.put(replace(NIGHTLY, group="team"))] == ["updated"]
    assert world.roles.calls == []


def test_a_role_that_is_mentioned_is_judged_also_for_a_schedule_that_is_there(world: World) -> None:
    world.put(NIGHTLY)
    world.roles.add(MINE, "sagemaker.amazonaws.com")
    assert problems(world, replace(NIGHTLY, role_arn=MINE)) == ["nightly.role_arn"]


def test_groups_are_not_listed_for_a_schedule_that_is_there(world: World) -> None:
    world.schedules.add("nightly", TRAIN, group="team")
    world.put(replace(NIGHTLY, group="team"))
    assert world.schedules.called("groups") == []


def test_a_group_that_is_not_there_is_refused(world: World) -> None:
    wanted = replace(NIGHTLY, group="nobody", role_arn=MINE)
    assert problems(world, wanted, replace(wanted, name="b"), replace(wanted, name="c", group="team")) == [
        "nightly.group",
        "b.group",
    ]


def test_one_who_may_not_list_groups_is_told_of_a_missing_one_by_the_service(world: World) -> None:
    world.schedules.fail("groups", DENIED)
    [put] = world.put(replace(NIGHTLY, group="nobody", role_arn=MINE))
    assert (put.outcome, put.problem) == ("failed", "there is no schedule group nobody")


# Answers that are lost


def test_a_create_whose_answer_was_lost_is_told_as_created(world: World) -> None:
    world.schedules.fail("create", TransientError("unavailable", "no answer", acted=True))
    assert [put.outcome for put in world.put(NIGHTLY)] == ["created"]
    assert world.writes == ["create"]


def test_an_update_whose_answer_was_lost_is_told_as_updated(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.fail("update", TransientError("unavailable", "no answer", acted=True))
    assert [put.outcome for put in world.put(replace(NIGHTLY, description="x"))] == ["updated"]
    assert world.writes == ["create", "update"]


def test_when_the_service_cannot_be_asked_again_the_schedule_failed(world: World) -> None:
    world.schedules.fail("create", CONFLICT)
    world.schedules.fail("get", NotFoundError("none"), TransientError("unavailable", "gone"))
    assert world.put(NIGHTLY) == [Put("nightly", "app", "", "failed", "gone")]


# Listing and describing


def test_the_schedules_of_the_stacks_group_are_listed_whole(world: World) -> None:
    world.put(NIGHTLY, HOURLY)
    world.schedules.add("other", TRAIN)
    found = list(world.use_case.list())
    assert [each.document["ScheduleExpression"] for each in found] == ["rate(1 hour)", "cron(0 3 * * ? *)"]
    assert [each.document["Name"] for each in world.use_case.list(group="default")] == ["other"]
    assert list(world.use_case.list(group="nobody")) == []


def test_all_pages_are_listed_and_one_that_goes_meanwhile_is_left_out(world: World) -> None:
    world.schedules.page_size = 2
    for number in range(5):
        world.schedules.add(f"s{number}", TRAIN, group="app")
    listing = world.use_case.list()
    assert next(listing).document["Name"] == "s0"
    world.schedules.delete("app", "s1")
    assert [each.document["Name"] for each in listing] == ["s2", "s3", "s4"]


def test_the_schedules_of_a_pipeline_may_be_those_of_one_group(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.add("other", TRAIN)
    assert [each.document["Name"] for each in world.use_case.list(pipeline_arn=TRAIN, group="default")] == ["other"]


def test_a_schedule_that_is_not_there_is_not_found(world: World) -> None:
    world.schedules.add("nightly", TRAIN)
    with pytest.raises(NotFoundError, match="nightly in the group app"):
        world.use_case.describe("nightly")
    assert world.use_case.describe("nightly", "default").target_arn == TRAIN


# Switching and deleting


def test_schedules_are_switched_each_with_its_result(world: World) -> None:
    world.put(NIGHTLY, replace(HOURLY, state="DISABLED"))
    puts = world.use_case.set_state(["nightly", "gone", "hourly"], "DISABLED")
    assert [put.outcome for put in puts] == ["updated", "failed", "same"]
    assert puts[1] == Put("gone", "app", "", "failed", "there is no schedule gone in the group app")
    assert world.document("nightly")["State"] == "DISABLED"


def test_a_switch_keeps_everything_else(world: World) -> None:
    world.put(replace(with_parameters(Rows="5"), timezone="Asia/Tokyo", description="d", flexible_minutes=5))
    before = world.document("nightly")
    world.use_case.set_state(["nightly"], "DISABLED")
    assert world.document("nightly") == before | {"State": "DISABLED"}


def test_a_one_time_schedule_whose_time_has_passed_is_not_enabled(world: World) -> None:
    world.put(replace(ONCE, state="DISABLED"))
    world.clock.advance(days=100)
    [put] = world.use_case.set_state(["once"], "ENABLED")
    assert put.outcome == "failed"
    assert "has passed, and AWS may fire it at once" in put.problem
    assert world.document("once")["State"] == "DISABLED"


def test_a_one_time_schedule_whose_time_has_passed_may_be_disabled(world: World) -> None:
    world.put(ONCE)
    world.clock.advance(days=100)
    assert [put.outcome for put in world.use_case.set_state(["once"], "DISABLED")] == ["updated"]


def test_a_switch_that_conflicts_is_done_once_more(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.fail("update", CONFLICT)
    assert [put.outcome for put in world.use_case.set_state(["nightly"], "DISABLED")] == ["updated"]
    world.schedules.fail("update", CONFLICT, CONFLICT)
    [put] = world.use_case.set_state(["nightly"], "ENABLED")
    assert (put.outcome, "somebody else" in put.problem) == ("failed", True)


def test_a_switch_whose_answer_was_lost_is_told_as_done(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.fail("update", TransientError("unavailable", "no answer", acted=True))
    assert [put.outcome for put in world.use_case.set_state(["nightly"], "DISABLED")] == ["updated"]


def test_schedules_are_deleted_each_with_its_result(world: World) -> None:
    world.put(NIGHTLY, HOURLY)
    world.schedules.fail("delete", PermanentError("refused-by-sagemaker", "no"))
    assert world.use_case.delete(["nightly", "gone", "hourly", "hourly"]) == [
        Deleted("nightly", "app", "failed", "no"),
        Deleted("gone", "app", "missing"),
        Deleted("hourly", "app", "deleted"),
        Deleted("hourly", "app", "missing"),
    ]


def test_a_schedule_is_deleted_in_its_group_only(world: World) -> None:
    world.put(NIGHTLY)
    world.schedules.add("nightly", TRAIN)
    world.use_case.delete(["nightly"], "default")
    assert world.use_case.describe("nightly").document["GroupName"] == "app"


def _create(world: World, wanted: WantedSchedule) -> None:
    """Somebody else makes a schedule, past the method that is being watched."""
    FakeSchedules.create(world.schedules, created(wanted, DEFAULTS, world.clock.now()))
