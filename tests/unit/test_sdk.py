"""The Python API over fakes: putting, describing, listing, switching and deleting triggers of a stack."""

from __future__ import annotations

import doctest
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest

import pipeline_triggers.sdk
import pipeline_triggers.sdk.stack
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import (
    InvalidInputError,
    NotFoundError,
    PartialFailureError,
    PermanentError,
    TransientError,
)
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Manager
from pipeline_triggers.scheduling import Scheduling
from pipeline_triggers.sdk import PipelineEventTrigger, PipelineSchedule, PipelineTriggers, Result
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.fakes.roles import FakeRoles
from tests.fakes.schedules import FakeSchedules
from tests.fakes.trigger_store import FakeTriggerStore

HOME = Home("aws", "123456789012", "us-east-1")
STACK = "pipeline-triggers"
ROLE = "arn:aws:iam::123456789012:role/app-scheduler"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:app-schedule"
UNDELIVERED = "arn:aws:sqs:us-east-1:123456789012:app-undelivered"
DEFAULTS = Defaults(STACK, ROLE, "arn:aws:iam::123456789012:role/app-queue", QUEUE, UNDELIVERED)
TRAIN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
REPORT = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-report"
SCHEDULES = "arn:aws:scheduler:us-east-1:123456789012:schedule"
EVENTS = f"arn:aws:pipeline-triggers:us-east-1:123456789012:{STACK}/trigger"
MINE = "arn:aws:iam::123456789012:role/mine"
PATTERN = {"source": ["aws.s3"]}
DENIED = TransientError("denied-yet", "AccessDeniedException")

NIGHTLY = PipelineSchedule(name="nightly", cron="0 3 * * ? *")
HOURLY = PipelineSchedule(name="hourly", rate=(1, "hour"))
PLAIN = PipelineEventTrigger("plain", PATTERN)
ON_UPLOAD = PipelineEventTrigger("on-upload", PATTERN, {"InputKey": "$.detail.object.key"})


@dataclass
class OfSageMaker:
    """Shaped and behaving as the SageMaker SDK's PipelineSchedule of versions 2 and 3."""

    name: str | None = None
    enabled: bool | None = True
    start_date: datetime | None = None
    at: datetime | None = None
    rate: tuple[int, str] | None = None
    cron: str | None = None


@dataclass
class World:
    """A stack with two pipelines and no triggers; the clock stands at noon of 14 March 2026."""

    clock: FakeClock = field(default_factory=FakeClock)
    schedules: FakeSchedules = field(init=False)
    pipelines: FakePipelines = field(init=False)
    roles: FakeRoles = field(default_factory=FakeRoles)
    store: FakeTriggerStore = field(default_factory=FakeTriggerStore)
    triggers: PipelineTriggers = field(init=False)

    def __post_init__(self) -> None:
        self.schedules = FakeSchedules(clock=self.clock, made=(STACK, "team"))
        self.pipelines = FakePipelines(clock=self.clock)
        declared = {"InputKey": Declared("String", required=False, default="-")}
        self.pipelines.add(TRAIN, Definition(declared))
        self.pipelines.add(REPORT)
        self.roles.add(MINE, "scheduler.amazonaws.com")
        self.triggers = PipelineTriggers(region="us-east-1")

    @property
    def scheduling(self) -> Scheduling:
        return Scheduling(self.schedules, self.pipelines, self.roles, self.clock, HOME, lambda: DEFAULTS)

    @property
    def manager(self) -> Manager:
        return Manager(self.store, lambda: MINE, lambda: ScheduleKeeper(self.scheduling))

    def document(self, name: str, group: str = STACK) -> dict[str, Any]:
        return dict(self.schedules.get(group, name).document)

    def stored(self) -> list[str]:
        return [trigger.name for trigger in self.store.load().triggers]

    def put(self, *triggers: Any, pipeline: Any = "churn-train", **options: Any) -> list[str]:
        return self.triggers.put_triggers(pipeline, triggers, **options)

    def refused(self, *triggers: Any, **options: Any) -> list[str]:
        """The fields that a put is refused for; nothing may have been written."""
        before = self.writes
        with pytest.raises(InvalidInputError) as raised:
            self.put(*triggers, **options)
        assert self.writes == before
        return [problem.field for problem in raised.value.problems]

    @property
    def writes(self) -> int:
        methods = [call.method for call in [*self.schedules.calls, *self.store.calls]]
        return sum(method in ("create", "update", "delete", "write") for method in methods)

    def scheduled(self, name: str, **fields: Any) -> None:
        """Let a trigger file have a trigger with a schedule of its own."""
        document = {"name": name, "schedule_expression": "rate(1 day)", "set": "churn", **fields}
        trigger = Trigger.from_document({"targets": [{"pipeline": "churn-train"}]} | document)
        self.manager.apply([trigger], set="churn")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(pipeline_triggers.sdk.stack, "scheduling", lambda *_: world.scheduling)
    monkeypatch.setattr(pipeline_triggers.sdk.stack, "manager", lambda *_: world.manager)
    return world


def test_the_example_of_the_documentation_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    tests = doctest.DocTestFinder(recurse=False).find(pipeline_triggers.sdk)
    ran = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(tests[0])
    assert (ran.failed, ran.attempted) == (0, 7)


# Putting


def test_the_arns_are_in_the_order_of_the_triggers(world: World) -> None:
    assert world.put(HOURLY, ON_UPLOAD, NIGHTLY) == [
        f"{SCHEDULES}/{STACK}/hourly",
        f"{EVENTS}/on-upload",
        f"{SCHEDULES}/{STACK}/nightly",
    ]
    assert world.stored() == ["on-upload"]


@pytest.mark.parametrize("pipeline", ["churn-train", TRAIN, SimpleNamespace(name="churn-train")])
def test_a_pipeline_is_a_name_an_arn_or_an_object_with_a_name(world: World, pipeline: object) -> None:
    world.put(NIGHTLY, ON_UPLOAD, pipeline=pipeline)
    assert world.document("nightly")["Target"]["Arn"] == TRAIN
    assert world.store.load().triggers[0].targets[0].pipeline.arn_in(HOME) == TRAIN


def test_what_is_no_pipeline_is_refused(world: World) -> None:
    with pytest.raises(TypeError, match="not NoneType"):
        world.put(NIGHTLY, pipeline=None)
    with pytest.raises(InvalidInputError, match="neither the name nor the ARN"):
        world.put(NIGHTLY, pipeline="a b")


def test_objects_of_the_sagemaker_sdk_are_put_with_others(world: World) -> None:
    theirs = OfSageMaker(name="once", at=datetime(2030, 12, 13, 10, 15, 20), enabled=False)
    world.put(theirs, NIGHTLY)
    document = world.document("once")
    assert document["ScheduleExpression"] == "at(2030-12-13T10:15:20)"
    assert (document["State"], document["ScheduleExpressionTimezone"]) == ("DISABLED", "UTC")


def test_the_role_is_the_stacks_unless_one_is_given(world: World) -> None:
    world.put(NIGHTLY)
    world.put(HOURLY, role_arn=MINE)
    assert world.document("nightly")["Target"]["RoleArn"] == ROLE
    assert world.document("hourly")["Target"]["RoleArn"] == MINE


def test_a_group_may_be_given_for_all_and_for_one(world: World) -> None:
    own = PipelineSchedule(name="own", rate=(1, "day"), group_name="team")
    arns = world.put(own, NIGHTLY, group_name="default", role_arn=MINE)
    assert arns == [f"{SCHEDULES}/team/own", f"{SCHEDULES}/default/nightly"]


def test_sdk_1_an_unnamed_schedule_put_on_two_pipelines_is_two_schedules(world: World) -> None:
    for unnamed in (PipelineSchedule(rate=(1, "day")), OfSageMaker(rate=(1, "day"))):
        first = world.put(unnamed, pipeline="churn-train")
        second = world.put(unnamed, pipeline="churn-report")
        assert first != second
        targets = [world.document(arn.rpartition("/")[2])["Target"]["Arn"] for arn in (*first, *second)]
        assert targets == [TRAIN, REPORT]


def test_sdk_2_two_unnamed_schedules_in_one_call_are_two(world: World) -> None:
    arns = world.put(PipelineSchedule(rate=(1, "day")), PipelineSchedule(cron="0 3 * * ? *"))
    assert len(set(arns)) == len(world.schedules.names) == 2


def test_sdk_2_a_name_that_is_wanted_twice_is_refused(world: World) -> None:
    assert world.refused(NIGHTLY, NIGHTLY) == ["nightly.name"]
    assert world.refused(NIGHTLY, PipelineEventTrigger("nightly", PATTERN)) == ["nightly.name"]
    assert world.refused(ON_UPLOAD, ON_UPLOAD) == ["on-upload.name"]


def test_sdk_3_an_unnamed_schedule_of_a_pipeline_with_a_long_name_can_be_put(world: World) -> None:
    world.pipelines.add("p" * 256)
    (arn,) = world.put(PipelineSchedule(rate=(1, "day")), pipeline="p" * 256)
    assert len(arn.rpartition("/")[2]) == 64


def test_sdk_4_an_update_keeps_what_is_not_mentioned(world: World) -> None:
    world.put(PipelineSchedule("nightly", cron="0 3 * * ? *", timezone="Europe/Berlin", parameters={"InputKey": "a"}))
    world.put(PipelineSchedule("nightly", cron="0 4 * * ? *"))
    document = world.document("nightly")
    assert document["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert document["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "InputKey", "Value": "a"}
    ]


def test_the_time_of_an_at_is_in_utc_also_where_the_schedule_had_another_zone(world: World) -> None:
    world.put(PipelineSchedule("x", cron="0 3 * * ? *", timezone="Europe/Berlin"))
    world.put(PipelineSchedule("x", at=datetime(2030, 7, 1, 8)))
    assert world.triggers.describe_trigger("x")["Schedule_Next_Times"] == ["2030-07-01T08:00:00+00:00"]


def test_sdk_5_what_starts_something_else_is_not_overwritten(world: World) -> None:
    world.put(NIGHTLY, PLAIN, pipeline="churn-report")
    assert world.refused(NIGHTLY) == ["nightly.name"]
    assert world.refused(PLAIN) == ["plain.name"]
    world.put(NIGHTLY, PLAIN, replace=True)
    assert world.document("nightly")["Target"]["Arn"] == TRAIN
    assert [str(target.pipeline) for target in world.store.load().triggers[0].targets] == ["churn-train"]


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    arns = world.put(NIGHTLY, ON_UPLOAD)
    before = world.writes
    assert world.put(NIGHTLY, ON_UPLOAD) == arns
    assert world.writes == before


def test_sdk_8_what_fails_stops_no_other_and_every_result_is_told(world: World) -> None:
    world.schedules.fail("create", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError, match="1 of 3 failed: nightly: no") as raised:
        world.put(ON_UPLOAD, NIGHTLY, HOURLY)
    assert raised.value.results == (
        Result("on-upload", f"{EVENTS}/on-upload", "created"),
        Result("nightly", "", "failed", "no"),
        Result("hourly", f"{SCHEDULES}/{STACK}/hourly", "created"),
    )


def test_sdk_8_schedules_are_told_when_the_event_triggers_fail(world: World) -> None:
    world.store.fail("write", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError) as raised:
        world.put(ON_UPLOAD, NIGHTLY)
    assert [(result.name, result.outcome) for result in raised.value.results] == [
        ("on-upload", "failed"),
        ("nightly", "created"),
    ]


def test_sdk_9_everything_is_checked_before_the_first_is_written(world: World) -> None:
    unknown = PipelineSchedule("late", rate=(1, "day"), parameters={"Nothing": "x"})
    past = OfSageMaker("past", at=datetime(2020, 1, 1))
    odd = PipelineEventTrigger("odd", PATTERN, {"Other": "x"})
    fields = world.refused(NIGHTLY, ON_UPLOAD, unknown, past, odd)
    assert fields == ["odd.targets[0].parameters.Other", "late.parameters.Nothing", "past.at"]


def test_sdk_9_what_is_no_trigger_is_told_with_the_others_before_anything_is_asked(world: World) -> None:
    executions = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
    }
    loop = PipelineEventTrigger("loop", executions)
    assert world.refused(NIGHTLY, object(), OfSageMaker(rate=(0, "day")), OfSageMaker("x"), loop) == [
        "triggers[1]",
        "triggers[2].rate",
        "x",
        "loop.event_pattern",
    ]
    assert world.schedules.calls == []


@pytest.mark.parametrize("triggers", ["nightly", NIGHTLY, {"nightly": NIGHTLY}, None])
def test_triggers_are_a_list(world: World, triggers: Any) -> None:
    with pytest.raises(TypeError, match="list of triggers"):
        world.triggers.put_triggers("churn-train", triggers)


def test_no_triggers_are_refused(world: World) -> None:
    assert world.refused() == ["triggers"]


def test_problems_are_those_of_the_arguments(world: World) -> None:
    over = PipelineSchedule("over", rate=(1, "day"), end_date=datetime(2026, 1, 1))
    assert world.refused(over) == ["over.end_date"]
    assert world.refused(NIGHTLY, role_arn="role") == ["role_arn"]
    assert world.refused(NIGHTLY, group_name="nowhere", role_arn=MINE) == ["nightly.group_name"]


def test_a_pipeline_that_is_not_there_is_refused(world: World) -> None:
    assert world.refused(NIGHTLY, ON_UPLOAD, pipeline="churn-trian") == [
        "on-upload.targets[0].pipeline",
        "nightly.pipeline",
    ]


def test_what_cannot_be_checked_is_a_warning(world: World) -> None:
    world.pipelines.fail("describe", DENIED, DENIED, DENIED)
    with pytest.warns(UserWarning, match="may not describe the pipeline"):
        world.put(ON_UPLOAD, NIGHTLY)
    assert world.stored() == ["on-upload"]


def test_a_schedule_that_the_sagemaker_sdk_made_is_not_doubled(world: World) -> None:
    world.schedules.add("nightly", TRAIN)
    assert world.refused(NIGHTLY) == ["nightly.group_name"]
    assert world.put(NIGHTLY, group_name="default") == [f"{SCHEDULES}/default/nightly"]


def test_an_unnamed_schedule_that_the_sagemaker_sdk_made_is_not_doubled_but_others_are_put_beside_it(
    world: World,
) -> None:
    world.schedules.add("churn-train", TRAIN, ScheduleExpression="rate(1 day)")
    (field,) = world.refused(OfSageMaker(rate=(1, "day")))
    assert field.endswith(".group_name")
    assert len(world.put(OfSageMaker(rate=(2, "days")))) == 1


def test_a_schedule_of_the_sagemaker_sdk_stands_in_no_way_when_it_starts_nothing_of_this(world: World) -> None:
    world.schedules.add("nightly", REPORT)
    world.schedules.add("hourly", TRAIN, State="DISABLED")
    world.put(NIGHTLY, HOURLY)
    assert len(world.schedules.names) == 2


def test_one_who_may_not_look_into_the_default_group_goes_on(world: World) -> None:
    world.schedules.fail("get", DENIED)
    assert world.put(NIGHTLY) == [f"{SCHEDULES}/{STACK}/nightly"]


def test_one_who_may_not_read_the_stacks_triggers_can_work_with_schedules(world: World) -> None:
    world.store.fail("load", *[DENIED] * 5)
    world.put(NIGHTLY)
    assert world.triggers.describe_trigger("nightly")["Schedule_State"] == "ENABLED"
    assert [each["Trigger_Name"] for each in world.triggers.list_triggers()] == ["nightly"]
    world.triggers.disable_trigger("nightly")
    assert [result.outcome for result in world.triggers.delete_triggers(["nightly"])] == ["deleted"]


def test_other_failures_of_the_store_are_told(world: World) -> None:
    world.store.fail("load", TransientError("unavailable", "try later"))
    with pytest.raises(TransientError):
        world.put(NIGHTLY)


def test_a_name_is_not_a_schedules_and_an_event_triggers(world: World) -> None:
    world.put(NIGHTLY, ON_UPLOAD)
    assert world.refused(PipelineSchedule("on-upload", rate=(1, "day"))) == ["on-upload.name"]
    assert world.refused(PipelineEventTrigger("nightly", PATTERN)) == ["nightly.name"]


def test_the_schedule_of_a_trigger_file_is_not_changed_from_here(world: World) -> None:
    world.scheduled("nightly")
    assert world.refused(NIGHTLY) == ["nightly.name"]
    assert world.refused(PipelineEventTrigger("nightly", PATTERN), set="churn") == ["nightly.name"]


def test_event_triggers_belong_to_the_set_that_is_given(world: World) -> None:
    world.put(ON_UPLOAD, set="churn")
    assert world.triggers.describe_trigger("on-upload")["Trigger_Set"] == "churn"
    assert world.refused(ON_UPLOAD) == ["on-upload"]


# Describing and listing


def test_sdk_10_11_and_12_a_schedule_is_described_whole_with_times_in_utc(world: World) -> None:
    world.schedules.add(
        "tokyo",
        TRAIN,
        group=STACK,
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Asia/Tokyo",
        StartDate="2024-01-01T09:00:00+09:00",
        EndDate="2026-03-16T09:00:00+09:00",
    )
    assert world.triggers.describe_trigger(trigger_name="tokyo") == {
        "Trigger_Name": "tokyo",
        "Trigger_Type": "PipelineSchedule",
        "Schedule_Arn": f"{SCHEDULES}/{STACK}/tokyo",
        "Schedule_Expression": "cron(0 3 * * ? *)",
        "Schedule_State": "ENABLED",
        "Schedule_Start_Date": "2024-01-01T00:00:00+00:00",
        "Schedule_Role": "arn:aws:iam::123456789012:role/scheduler",
        "Schedule_Group": STACK,
        "Schedule_Timezone": "Asia/Tokyo",
        "Schedule_End_Date": "2026-03-16T00:00:00+00:00",
        "Schedule_Description": None,
        "Schedule_Target": TRAIN,
        "Schedule_Input": None,
        "Schedule_Parameters": {},
        "Schedule_Dead_Letter_Queue": None,
        "Schedule_Maximum_Event_Age_In_Seconds": None,
        "Schedule_Maximum_Retry_Attempts": None,
        "Schedule_Flexible_Window_Minutes": 0,
        "Schedule_Delete_After_Run": False,
        "Schedule_Kms_Key": None,
        "Schedule_Next_Times": ["2026-03-15T03:00:00+09:00", "2026-03-16T03:00:00+09:00"],
    }


def test_everything_that_a_schedule_was_put_with_is_described(world: World) -> None:
    schedule = PipelineSchedule(
        "once",
        at=datetime(2030, 1, 1, 8),
        timezone="Europe/Berlin",
        parameters={"InputKey": "a"},
        maximum_event_age_in_seconds=600,
        maximum_retry_attempts=3,
        flexible_window_minutes=15,
        description="the first",
        delete_after_run=True,
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/mine",
    )
    world.put(schedule)
    told = world.triggers.describe_trigger("once")
    assert told["Schedule_Parameters"] == {"InputKey": "a"}
    assert told["Schedule_Dead_Letter_Queue"] == UNDELIVERED
    assert (told["Schedule_Maximum_Event_Age_In_Seconds"], told["Schedule_Maximum_Retry_Attempts"]) == (600, 3)
    assert (told["Schedule_Flexible_Window_Minutes"], told["Schedule_Delete_After_Run"]) == (15, True)
    assert (told["Schedule_Description"], told["Schedule_Kms_Key"]) == ("the first", schedule.kms_key_arn)
    assert told["Schedule_Next_Times"] == ["2030-01-01T08:00:00+01:00"]


def test_sdk_10_a_rate_without_a_start_counts_from_when_it_was_made(world: World) -> None:
    world.put(HOURLY)
    world.clock.advance(minutes=90)
    told = world.triggers.describe_trigger(name="hourly")
    assert told["Schedule_Start_Date"] is None
    assert told["Schedule_Next_Times"][0] == datetime(2026, 3, 14, 14, tzinfo=UTC).isoformat()


def test_next_times_are_none_when_disabled_and_none_known_when_not_understood(world: World) -> None:
    world.schedules.add("off", TRAIN, group=STACK, State="DISABLED")
    world.schedules.add("odd", TRAIN, group=STACK, ScheduleExpression="every(full moon)")
    assert world.triggers.describe_trigger("off")["Schedule_Next_Times"] == []
    assert world.triggers.describe_trigger("odd")["Schedule_Next_Times"] is None


def test_an_event_trigger_is_described(world: World) -> None:
    world.put(ON_UPLOAD)
    assert world.triggers.describe_trigger("on-upload") == {
        "Trigger_Name": "on-upload",
        "Trigger_Type": "PipelineEventTrigger",
        "Trigger_Arn": f"{EVENTS}/on-upload",
        "Trigger_State": "ENABLED",
        "Trigger_Description": None,
        "Trigger_Set": None,
        "Trigger_Tags": {},
        "Trigger_Event_Pattern": PATTERN,
        "Trigger_Occurrence_Key": None,
        "Trigger_Max_Starts_Per_Hour": None,
        "Trigger_Targets": [
            {"id": "churn-train", "pipeline": "churn-train", "parameters": {"InputKey": "$.detail.object.key"}}
        ],
    }


def test_describe_takes_one_name(world: World) -> None:
    for arguments in ({}, {"trigger_name": "x", "name": "x"}):
        with pytest.raises(TypeError, match="trigger_name or name"):
            world.triggers.describe_trigger(**arguments)


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError, match="no schedule x in the group pipeline-triggers, and the stack"):
        world.triggers.describe_trigger("x")
    with pytest.raises(NotFoundError, match=r"no schedule x in the group team$"):
        world.triggers.describe_trigger("x", group_name="team")


def test_sdk_13_the_triggers_of_a_pipeline_are_found(world: World) -> None:
    world.schedules.add("by-sagemaker", TRAIN.lower())
    world.put(NIGHTLY, ON_UPLOAD)
    world.put(HOURLY, PipelineEventTrigger("other", PATTERN), pipeline="churn-report")
    names = [each["Trigger_Name"] for each in world.triggers.list_triggers("churn-train")]
    assert names == ["by-sagemaker", "nightly", "on-upload"]
    everything = [each["Trigger_Name"] for each in world.triggers.list_triggers()]
    assert everything == ["hourly", "nightly", "on-upload", "other"]


def test_the_triggers_of_a_pipeline_include_those_that_a_schedule_starts_through_the_application(world: World) -> None:
    world.scheduled("told", via="app")
    assert [each["Trigger_Name"] for each in world.triggers.list_triggers("churn-train")] == ["told"]
    assert [each["Trigger_Name"] for each in world.triggers.list_triggers()] == ["told"]


# Switching and deleting


def test_triggers_are_disabled_and_enabled(world: World) -> None:
    world.put(NIGHTLY, ON_UPLOAD)
    for name, key in (("nightly", "Schedule_State"), ("on-upload", "Trigger_State")):
        world.triggers.disable_trigger(name)
        assert world.triggers.describe_trigger(name)[key] == "DISABLED"
        world.triggers.enable_trigger(name)
        assert world.triggers.describe_trigger(name)[key] == "ENABLED"


def test_the_trigger_of_a_file_is_switched_with_its_schedule(world: World) -> None:
    world.scheduled("nightly")
    world.triggers.disable_trigger("nightly")
    assert world.document("nightly")["State"] == world.store.load().triggers[0].state == "DISABLED"


def test_a_switch_that_fails_is_told(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.triggers.enable_trigger("nightly")
    world.put(NIGHTLY)
    world.schedules.fail("update", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError, match="nightly: no"):
        world.triggers.disable_trigger("nightly")


def test_sdk_14_triggers_are_deleted_and_a_missing_one_is_told(world: World) -> None:
    world.put(NIGHTLY, ON_UPLOAD)
    results = world.triggers.delete_triggers(["on-upload", "never-made", "nightly", "nightly"])
    assert [(result.name, result.outcome) for result in results] == [
        ("on-upload", "deleted"),
        ("never-made", "missing"),
        ("nightly", "deleted"),
    ]
    assert (world.stored(), world.schedules.names) == ([], set())


def test_sdk_14_with_a_pipeline_only_what_starts_it_is_deleted(world: World) -> None:
    world.put(NIGHTLY, PLAIN, pipeline="churn-report")
    world.put(HOURLY)
    with pytest.raises(PartialFailureError) as raised:
        world.triggers.delete_triggers(["nightly", "plain", "hourly"], pipeline="churn-train")
    assert [result.outcome for result in raised.value.results] == ["failed", "failed", "deleted"]
    assert (world.stored(), world.schedules.names) == (["plain"], {"nightly"})
    world.triggers.delete_triggers(["nightly", "plain"], pipeline=REPORT)
    assert (world.stored(), world.schedules.names) == ([], set())


def test_a_group_is_that_of_schedules_only(world: World) -> None:
    world.put(ON_UPLOAD)
    world.schedules.add("on-upload", TRAIN, group="team")
    results = world.triggers.delete_triggers(["on-upload"], group_name="team")
    assert [result.outcome for result in results] == ["deleted"]
    assert world.stored() == ["on-upload"]


def test_the_trigger_of_a_file_is_deleted_with_its_schedule(world: World) -> None:
    world.scheduled("nightly")
    world.triggers.delete_triggers(["nightly"])
    assert (world.stored(), world.schedules.names) == ([], set())


def test_a_trigger_that_cannot_be_deleted_is_told_with_the_others(world: World) -> None:
    world.put(NIGHTLY, ON_UPLOAD)
    world.store.fail("write", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError) as raised:
        world.triggers.delete_triggers(["on-upload", "nightly"])
    assert [result.outcome for result in raised.value.results] == ["failed", "deleted"]


def test_the_schedule_of_a_trigger_that_cannot_follow_it_is_told(world: World) -> None:
    world.scheduled("nightly")
    world.schedules.fail("update", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError, match="nightly: no"):
        world.triggers.disable_trigger("nightly")
    world.schedules.fail("delete", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError, match="nightly: no"):
        world.put(PipelineEventTrigger("nightly", PATTERN), set="churn", replace=True)
    world.scheduled("weekly")
    world.schedules.fail("delete", PermanentError("access-denied", "no"))
    with pytest.raises(PartialFailureError, match="weekly: no"):
        world.triggers.delete_triggers(["weekly"])


def test_names_are_a_list(world: World) -> None:
    with pytest.raises(TypeError, match="list"):
        world.triggers.delete_triggers("nightly")


# Sessions


def test_a_boto3_session_brings_its_credentials_and_its_region() -> None:
    session = boto3.Session("me", "secret", "token", region_name="eu-west-1")
    for given in (session, SimpleNamespace(boto_session=session), session._session):
        client = PipelineTriggers(session=given)._clients.sts
        assert client.meta.region_name == "eu-west-1"
        assert client._request_signer._credentials.access_key == "me"  # type: ignore[attr-defined]


def test_making_it_calls_nothing() -> None:
    PipelineTriggers("no-such-stack", session=botocore.session.Session())
