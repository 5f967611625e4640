"""The clean-up for real: DeletePipeline, CloudTrail's report, the rule, the queue, the function, and the schedules.

The function runs against the embedded AWS behind ``Faults``, which stands for a SageMaker and a Scheduler that answer
in other ways.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.scheduler.models import scheduler_backends

from pipeline_triggers.adapters.items import from_item, unpack
from pipeline_triggers.composition import manager
from pipeline_triggers.domain.schedule_plans import TellsTrigger
from pipeline_triggers.local.poller import FunctionError
from pipeline_triggers.local.stage import STACK, Stage, definition_of, scheduler_role
from pipeline_triggers.local.wire import ACCOUNT, REGION, Answer, error_answer, json_answer
from tests.fakes.estate import trigger_of
from tests.integration.conftest import ROOT
from tests.sample_events import CLEANUP, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.stage import Lines
    from pipeline_triggers.local.wire import Call

ROLE = "arn:aws:iam::123456789012:role/scheduler"
HERE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/"
DRAIN_SECONDS = 30
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"


class Faults:
    """An interceptor that answers in place of the services, as often as it is told to."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Callable[[Call, Forward], Answer]]] = defaultdict(list)

    def __call__(self, call: Call, forward: Forward) -> Answer:
        waiting = self._answers[call.operation]
        return waiting.pop(0)(call, forward) if waiting else forward(call)

    @contextmanager
    def answering(self, operation: str, *answers: Answer | Callable[[Call, Forward], Answer]) -> Iterator[None]:
        """The next calls of an operation get these answers; then everything is as before."""
        self._answers[operation] = [
            answer if not isinstance(answer, Answer) else (lambda _call, _forward, it=answer: it)  # type: ignore[misc]
            for answer in answers
        ]
        yield
        del self._answers[operation]


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def stage(lines: Lines, faults: Faults) -> Iterator[Stage]:
    with Stage(ROOT / "template.yaml", port=0, on_log=lines.add, interceptors=[faults]) as stage:
        scheduler_role(stage.client("iam"))
        yield stage


class Account:
    """Pipelines and schedules with names of their own in each test."""

    _numbers = count(1)

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sagemaker, self.scheduler = stage.client("sagemaker"), stage.client("scheduler")
        self.pipeline = f"Abalone{next(self._numbers)}x"
        self.arn = f"{HERE}{self.pipeline.lower()}"

    def create_pipeline(self, name: str = "") -> str:
        name = name or self.pipeline
        made = self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=definition_of({}),
            RoleArn=ROLE,
            ClientRequestToken=f"create-{name}".ljust(32, "-"),
        )
        return str(made["PipelineArn"])

    def schedule(self, name: str, target: str = "", group: str = "default", **fields: Any) -> str:
        """A schedule as the SageMaker SDK makes it, unless ``fields`` of its target say otherwise."""
        self.scheduler.create_schedule(
            Name=f"{self.pipeline}-{name}",
            GroupName=group,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target or self.arn, "RoleArn": ROLE, **(fields or {"SageMakerPipelineParameters": {}})},
            State="ENABLED",
            StartDate=datetime.now(UTC),
        )
        return name

    @property
    def names(self) -> set[str]:
        """The schedules of this test, in all groups."""
        pages = self.scheduler.get_paginator("list_schedules").paginate(NamePrefix=f"{self.pipeline}-")
        return {it["Name"].removeprefix(f"{self.pipeline}-") for page in pages for it in page["Schedules"]}

    def clear(self) -> None:
        """Delete the schedules of this test: whatever must be read to know whose it is, every clean-up reads."""
        for group in scheduler_backends[ACCOUNT][REGION].schedule_groups.values():
            for name in [name for name in group.schedules if name.startswith(f"{self.pipeline}-")]:
                del group.schedules[name]

    def event(self) -> dict[str, Any]:
        """CloudTrail's report that this test's pipeline was deleted."""
        event: dict[str, Any] = sample("cloudtrail-delete-pipeline")
        event["detail"] |= {
            "requestParameters": {"pipelineName": self.pipeline},
            "responseElements": {"pipelineArn": self.arn},
        }
        return event

    def clean_up(self) -> dict[str, Any]:
        report: dict[str, Any] = self.stage.poller.invoke(CLEANUP, self.event())
        return report

    def definitions(self) -> dict[str, Any]:
        """What the clean-up table keeps of this test's pipeline, by schedule ARN."""
        answer = self.stage.client("dynamodb").query(
            TableName="local-cleanup",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"deleted#{self.arn}"}},
        )
        items = [from_item(item) for item in answer["Items"]]
        return {item["schedule_arn"]: json.loads(unpack(item["definition"])) for item in items}


@pytest.fixture
def account(stage: Stage) -> Account:
    return Account(stage)


def test_a_deleted_pipeline_loses_its_schedules_and_the_others_keep_theirs(account: Account) -> None:
    """250 schedules over pages and groups: mixed case, a prefix twin, other pipelines and other targets."""
    twin, other = account.create_pipeline(f"{account.pipeline}2"), account.create_pipeline(f"other{account.pipeline}")
    account.create_pipeline()
    spellings = (account.arn, f"{HERE}{account.pipeline}", f"{HERE}{account.pipeline.upper()}")
    its: list[tuple[str, dict[str, Any]]] = [(spelling, {}) for spelling in spellings]
    its += [(UNIVERSAL, {"Input": json.dumps({"PipelineName": named})}) for named in (account.pipeline, account.arn)]
    others: list[tuple[str, dict[str, Any]]] = [
        (twin, {}),
        (other, {}),
        (account.arn.replace(REGION, "eu-west-1"), {}),
        (account.arn.replace(ACCOUNT, "210987654321"), {}),
        (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{account.pipeline.lower()}", {"Input": account.arn}),
        (UNIVERSAL, {"Input": json.dumps({"PipelineName": twin})}),
        (UNIVERSAL, {"Input": json.dumps({"PipelineName": "<aws.scheduler.execution-id>"})}),
        (f"{UNIVERSAL[:-22]}:stopPipelineExecution", {"Input": json.dumps({"PipelineName": account.pipeline})}),
    ]
    groups = ["default", "default", "default", f"{account.pipeline}-a", f"{account.pipeline}-b"]
    for group in groups[3:]:
        account.scheduler.create_schedule_group(Name=group)
    goes, stays, of_others = set(), set(), cycle(others)
    for number in range(250):
        group = groups[number % 5]
        if number % 3 == 0:
            target, fields = its[number // 3 % len(its)]
            goes.add(account.schedule(f"goes-{number}", target, group, **fields))
        else:
            target, fields = next(of_others)
            stays.add(account.schedule(f"stays-{number}", target, group, **fields))
    assert account.names == goes | stays
    account.sagemaker.delete_pipeline(PipelineName=account.pipeline)
    account.stage.poller.drain(DRAIN_SECONDS)
    assert account.names == stays
    assert {arn.partition("-goes-")[2] for arn in account.definitions()} == {
        name.removeprefix("goes-") for name in goes
    }
    account.clear()


def test_the_whole_definition_is_stored(account: Account) -> None:
    account.schedule("nightly")
    whole = account.scheduler.get_schedule(Name=f"{account.pipeline}-nightly")
    account.clean_up()
    (kept,) = account.definitions().values()
    told = {key: value for key, value in whole.items() if key != "ResponseMetadata"}
    assert kept.keys() == told.keys()
    assert {key: kept[key] for key in ("Arn", "Target", "ScheduleExpression", "FlexibleTimeWindow", "State")} == {
        key: told[key] for key in ("Arn", "Target", "ScheduleExpression", "FlexibleTimeWindow", "State")
    }
    assert datetime.fromisoformat(kept["StartDate"]) == told["StartDate"]


def test_a_deletion_that_fails_changes_nothing(account: Account, lines: Lines) -> None:
    account.schedule("nightly")
    lines.take()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        account.sagemaker.delete_pipeline(PipelineName=account.pipeline)
    account.stage.poller.drain(DRAIN_SECONDS)
    assert account.names == {"nightly"}
    assert lines.take() == [], "the rule lets no failed call through"


def test_a_pipeline_that_was_made_again_keeps_its_schedules(account: Account) -> None:
    account.create_pipeline()
    account.schedule("nightly")
    report = account.clean_up()
    assert [kept["reason"] for kept in report["kept"]] == ["pipeline-exists"]
    assert account.names == {"nightly"}


THROTTLED = error_answer("ThrottlingException", "Rate exceeded")
DENIED = error_answer("AccessDeniedException", "not authorized", 403)
# What is no clear "ResourceNotFound".
WRONG_ANSWERS = {
    "throttled": THROTTLED,
    "denied": DENIED,
    "internal": error_answer("InternalFailure", "", 500),
    "invalid": error_answer("ValidationException", "no"),
    "another not found": error_answer("ResourceNotFoundException", "no", 404),
    "garbage": Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), b"<html>"),
    "garbage error": Answer(400, (("Content-Type", "application/x-amz-json-1.1"),), b"<html>"),
    "empty": json_answer({}),
    "null": Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), b"null"),
}
WRONG_LISTS = WRONG_ANSWERS | {
    "not found": error_answer("ResourceNotFound", "no"),
    "null list": json_answer({"PipelineSummaries": None}),
    "list of nulls": json_answer({"PipelineSummaries": [None]}),
    "list of nothing": json_answer({"PipelineSummaries": [{}]}),
    "list of texts": json_answer({"PipelineSummaries": ["x"]}),
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_a_describe_that_does_not_say_not_found_deletes_nothing(account: Account, faults: Faults, wrong: str) -> None:
    account.schedule("nightly")
    with faults.answering("DescribePipeline", WRONG_ANSWERS[wrong]):
        assert deleted_by(account) == []
    assert account.names == {"nightly"}


@pytest.mark.parametrize("wrong", WRONG_LISTS)
def test_a_list_that_cannot_be_trusted_deletes_nothing(account: Account, faults: Faults, wrong: str) -> None:
    account.schedule("nightly")
    with faults.answering("ListPipelines", WRONG_LISTS[wrong]):
        assert deleted_by(account) == []
    assert account.names == {"nightly"}


def test_a_connection_that_breaks_deletes_nothing(account: Account, faults: Faults) -> None:
    def reset(_call: Call, _forward: Forward) -> Answer:
        raise ConnectionError

    account.schedule("nightly")
    for operation in ("DescribePipeline", "ListPipelines", "GetSchedule"):
        with faults.answering(operation, *[reset] * 1000):
            assert deleted_by(account) == []
    assert account.names == {"nightly"}


def test_a_list_that_contradicts_describe_deletes_nothing(account: Account, faults: Faults) -> None:
    account.schedule("nightly")
    listed = json_answer({"PipelineSummaries": [{"PipelineArn": f"{HERE}{account.pipeline}"}]})
    with faults.answering("ListPipelines", listed), pytest.raises(FunctionError, match="lists the pipeline"):
        account.clean_up()
    assert account.names == {"nightly"}


def test_a_describe_that_heeds_the_case_deletes_nothing(account: Account, faults: Faults) -> None:
    """Describe finds ``Abalone``, not ``abalone``; the list has the name as it was given."""
    whole = f"{HERE}{account.pipeline}"
    account.schedule("nightly")
    missing = error_answer("ResourceNotFound", "no such pipeline")
    found = json_answer({"PipelineArn": whole, "PipelineStatus": "Active"})
    listed = json_answer({"PipelineSummaries": [{"PipelineArn": whole}]})
    with faults.answering("ListPipelines", listed), faults.answering("DescribePipeline", missing, found):
        report = account.clean_up()
    assert [kept["reason"] for kept in report["kept"]] == ["pipeline-exists"]
    assert account.names == {"nightly"}


def test_a_pipeline_that_is_being_deleted_is_waited_for(account: Account, faults: Faults) -> None:
    account.schedule("nightly")
    deleting = json_answer({"PipelineArn": account.arn, "PipelineStatus": "Deleting"})
    with faults.answering("DescribePipeline", deleting), pytest.raises(FunctionError, match="being deleted"):
        account.clean_up()
    assert account.names == {"nightly"}


def test_a_pipeline_that_is_made_again_between_question_and_deletes_keeps_its_schedules(
    account: Account, faults: Faults
) -> None:
    def made_again(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        account.create_pipeline()
        return answer

    account.schedule("nightly")
    with faults.answering("ListPipelines", made_again):
        report = account.clean_up()
    assert [kept["reason"] for kept in report["kept"]] == ["pipeline-exists"]
    assert account.names == {"nightly"}


@pytest.mark.parametrize("wrong", ["throttled", "denied", "internal", "garbage", "empty", "null"])
@pytest.mark.parametrize("operation", ["ListScheduleGroups", "ListSchedules", "GetSchedule"])
def test_a_scheduler_that_cannot_be_read_deletes_nothing(
    account: Account, faults: Faults, operation: str, wrong: str
) -> None:
    account.schedule("nightly")
    with faults.answering(operation, *[WRONG_ANSWERS[wrong]] * 1000):  # for whoever asks, and again
        assert deleted_by(account) == []
    assert account.names == {"nightly"}


def test_one_schedule_that_cannot_be_deleted_does_not_hold_up_the_others(account: Account, faults: Faults) -> None:
    def throttled_for_one(call: Call, forward: Forward) -> Answer:
        return THROTTLED if call.input["Name"].endswith("-s16") else forward(call)

    names = {account.schedule(f"s{number:02d}") for number in range(50)}
    with faults.answering("DeleteSchedule", *[throttled_for_one] * 100), pytest.raises(FunctionError):
        account.clean_up()
    assert account.names == {"s16"}
    assert len(account.definitions()) == len(names)
    assert len(account.clean_up()["deleted"]) == 1
    assert account.names == set()
    assert len(account.definitions()) == len(names)


def test_a_schedule_that_is_gone_already_is_deleted(account: Account, faults: Faults) -> None:
    account.schedule("nightly")
    gone = error_answer("ResourceNotFoundException", "Schedule nightly does not exist.", 404)
    with faults.answering("DeleteSchedule", gone):
        assert len(account.clean_up()["deleted"]) == 1
    with faults.answering("GetSchedule", gone):
        assert len(account.clean_up()["deleted"]) == 1


def test_a_table_that_fails_keeps_the_schedule(account: Account, faults: Faults) -> None:
    account.schedule("nightly")
    broken = error_answer("InternalServerError", "", 500)
    with faults.answering("PutItem", broken, broken):
        assert deleted_by(account) == []
    assert account.names == {"nightly"}


def test_an_orphan_whose_deletion_nobody_reported_is_swept_away(account: Account) -> None:
    """The pipeline was deleted and CloudTrail did not tell: two sweeps, with time in between."""
    account.create_pipeline(f"{account.pipeline}2")
    account.schedule("orphan")
    account.schedule("alive", f"{account.arn}2")
    assert reasons_of_sweep(account) == {"orphan": "too-young", "alive": "pipeline-exists"}
    _make_older(account, hours=12)
    assert reasons_of_sweep(account) == {"orphan": "seen-once", "alive": "pipeline-exists"}
    assert reasons_of_sweep(account) == {"orphan": "seen-once", "alive": "pipeline-exists"}
    _make_first_sight_older(account, "orphan", hours=6)
    queue = account.stage.deployment.outputs["CleanupQueueUrl"]
    account.stage.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(sample("sweep")))
    account.stage.poller.drain(DRAIN_SECONDS)
    assert account.names == {"alive"}


def test_schedules_through_this_app_go_with_the_pipeline_of_their_trigger(account: Account) -> None:
    trigger = f"{account.pipeline}-nightly"
    manager(account.stage._clients(), STACK).apply([trigger_of(trigger, account.pipeline)], set="", prune=False)
    for name, told in (("through", trigger), ("lost", "no-such")):
        target: dict[str, Any] = {}
        queue = account.stage.deployment.outputs["ScheduleQueueArn"]
        TellsTrigger(queue, told).written_into(target)
        account.schedule(name, queue, STACK, **target)
    report = account.clean_up()
    assert account.names == {"lost"}
    assert report["orphaned"] == [account.arn]
    account.create_pipeline()
    account.stage.poller.drain(DRAIN_SECONDS)
    assert account.arn not in account.stage.store.current().orphaned, "CloudTrail has reported that it was made"


@pytest.mark.parametrize("way", ["tag", "description"])
def test_what_is_protected_stays(account: Account, way: str) -> None:
    group = f"{account.pipeline}-protected"
    account.scheduler.create_schedule_group(
        Name=group, Tags=[{"Key": "pipeline-triggers:protect", "Value": "true"}] if way == "tag" else []
    )
    account.schedule("nightly", group=group)
    if way == "description":
        whole = account.scheduler.get_schedule(Name=f"{account.pipeline}-nightly", GroupName=group)
        kept = {key: whole[key] for key in ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
        account.scheduler.update_schedule(**kept, Description="[pipeline-triggers:protect]")
    report = account.clean_up()
    reason = "protected-group" if way == "tag" else "protected-description"
    assert [it["reason"] for it in report["kept"] if account.pipeline in it["arn"]] == [reason]
    assert account.names == {"nightly"}


def test_a_rule_that_targets_the_pipeline_is_reported(account: Account) -> None:
    events = account.stage.client("events")
    events.put_rule(Name=account.pipeline, EventPattern='{"source": ["example"]}')
    events.put_targets(Rule=account.pipeline, Targets=[{"Id": "1", "Arn": account.arn, "RoleArn": ROLE}])
    report = account.clean_up()
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{account.pipeline}#1"
    assert {"arn": rule, "reason": "rule-reported"} in report["kept"]
    assert len(events.list_targets_by_rule(Rule=account.pipeline)["Targets"]) == 1


def test_a_sweep_goes_on_where_another_invocation_has_stopped(account: Account, faults: Faults) -> None:
    """The first one is throttled in the middle; the second reads only the groups that are left."""
    groups = [f"{account.pipeline}-{number}" for number in range(12)]
    for group in groups:
        account.scheduler.create_schedule_group(Name=group)
    seen: list[str] = []

    def throttled_later(call: Call, forward: Forward) -> Answer:
        seen.append(str(call.input["GroupName"]))
        return THROTTLED if len(seen) > 9 else forward(call)

    with faults.answering("ListSchedules", *[throttled_later] * 1000), pytest.raises(FunctionError):
        account.stage.poller.invoke(CLEANUP, sample("sweep"))
    first, seen[:] = set(seen[:9]), []

    def noted(call: Call, forward: Forward) -> Answer:
        seen.append(str(call.input["GroupName"]))
        return forward(call)

    with faults.answering("ListSchedules", *[noted] * 1000):
        account.stage.poller.invoke(CLEANUP, sample("sweep"))
    assert set(groups) <= first | set(seen)
    assert len(first & set(seen)) <= 1, "all but the large default group have one page"


def test_a_message_that_nobody_can_read_goes_to_quarantine(account: Account) -> None:
    queue = account.stage.deployment.outputs["CleanupQueueUrl"]
    account.stage.client("sqs").send_message(QueueUrl=queue, MessageBody="{not json")
    assert account.stage.poller.drain(DRAIN_SECONDS) == 0
    kept = [(it.reason, it.source_queue.rpartition(":")[2]) for it in account.stage.quarantine.list()]
    assert ("malformed-event", "local-cleanup") in kept


def deleted_by(account: Account) -> list[str]:
    """What a clean-up deletes; nothing when it fails."""
    try:
        report = account.clean_up()
    except FunctionError as error:
        if "to be tried again" not in str(error):
            raise
        return []
    deleted: list[str] = report["deleted"]
    return deleted


def reasons_of_sweep(account: Account) -> dict[str, str]:
    report = account.stage.poller.invoke(CLEANUP, sample("sweep"))
    mark = f"/{account.pipeline}-"
    return {kept["arn"].partition(mark)[2]: kept["reason"] for kept in report["kept"] if mark in kept["arn"]}


def _make_older(account: Account, *, hours: float) -> None:
    for group in scheduler_backends[ACCOUNT][REGION].schedule_groups.values():
        for schedule in group.schedules.values():
            if schedule.name.startswith(f"{account.pipeline}-"):
                schedule.creation_date -= hours * 3600
                schedule.last_modified_date -= hours * 3600


def _make_first_sight_older(account: Account, name: str, *, hours: float) -> None:
    dynamodb = account.stage.client("dynamodb")
    key = {"pk": {"S": f"orphan#arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{account.pipeline}-{name}"}}
    key["sk"] = {"S": "-"}
    first_seen = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="microseconds")
    dynamodb.put_item(TableName="local-cleanup", Item={**key, "first_seen": {"S": first_seen}})
