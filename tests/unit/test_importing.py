"""Rules and schedules become triggers; what cannot is left out, and originals go only when a trigger does the same."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from pipeline_triggers.importing import Disabled, Imported, Importer
from pipeline_triggers.inspecting import EVENTS, SCHEDULER
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.queue_policies import FakeQueuePolicies
from tests.fakes.roles import FakeRoles
from tests.fakes.rule_book import FakeRuleBook
from tests.fakes.schedules import FakeSchedules

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
SCORE = ARN.replace("churn-train", "churn-score")
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
ROLE, SCHEDULER_ROLE = (f"arn:aws:iam::123456789012:role/{name}" for name in ("rules", "scheduler"))
PATTERN = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
DENIED, BROKEN = TransientError("denied-yet", "no"), TransientError("unavailable", "503")


def target(arn: str = ARN, id_: str = "train", **parameters: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    return {"Id": id_, "Arn": arn, "RoleArn": ROLE, "SageMakerPipelineParameters": {"PipelineParameterList": listed}}


@dataclass
class Account:
    """The pipelines churn-train and churn-score, roles that are trusted, and a stack named pt."""

    rules: FakeRuleBook = field(default_factory=FakeRuleBook)
    schedules: FakeSchedules = field(default_factory=lambda: FakeSchedules(page_size=2))
    pipelines: FakePipelines = field(default_factory=FakePipelines)
    roles: FakeRoles = field(default_factory=FakeRoles)
    policies: FakeQueuePolicies = field(default_factory=FakeQueuePolicies)
    triggers: tuple[Trigger, ...] = ()

    def __post_init__(self) -> None:
        for name in ("churn-train", "churn-score"):
            self.pipelines.add(name)
        self.roles.add(ROLE, EVENTS)
        self.roles.add(SCHEDULER_ROLE, SCHEDULER)

    @property
    def importer(self) -> Importer:
        return Importer(
            rules=self.rules,
            schedules=self.schedules,
            pipelines=self.pipelines,
            names=self.pipelines,
            roles=self.roles,
            policies=self.policies,
            clock=FakeClock(),
            home=HOME,
            stack="pt",
            snapshot=Snapshot(1, self.triggers),
        )

    def read(self, *pipelines: str) -> Imported:
        return self.importer.read(set="imported", pipelines=pipelines)

    def apply(self) -> Imported:
        """Read everything, and let the stack have the triggers."""
        imported = self.read()
        self.triggers = tuple(moved.trigger for moved in imported.moved)
        return imported


@pytest.fixture
def account() -> Account:
    return Account()


def names(imported: Imported) -> list[str]:
    return [moved.trigger.name for moved in imported.moved]


def codes(imported: Imported) -> list[list[str]]:
    return [[finding.code for finding in moved.findings] for moved in imported.moved]


# --- reading


def test_a_rule_becomes_a_trigger_with_its_description_tags_and_targets(account: Account) -> None:
    account.rules.add(
        "retrain",
        PATTERN,
        target(Key="$.detail.object.key", Mode="full"),
        target(SCORE, "score", Uri="s3://<$.detail.x>"),
        tags={"team": "churn", "aws:cloudformation:stack-name": "theirs", "odd": "a;b"},
        Description="On upload",
    )
    (moved,) = account.read().moved
    assert moved.original.label == "rule retrain (event bus default)"
    assert moved.trigger.to_document() == {
        "name": "retrain",
        "description": "On upload",
        "state": "ENABLED",
        "set": "imported",
        "tags": {"team": "churn"},
        "event_pattern": PATTERN,
        "targets": [
            {
                "id": "train",
                "pipeline": "churn-train",
                "parameters": {"Key": "$.detail.object.key", "Mode": "full"},
            },
            {"id": "score", "pipeline": "churn-score", "parameters": {"Uri": {"literal": "s3://<$.detail.x>"}}},
        ],
    }


def test_what_was_wrong_comes_first_and_each_finding_once(account: Account) -> None:
    account.rules.add("retrain", {"source": ["aws.sagemaker"], "detail": {"x": [1]}}, target(SCORE), State="DISABLED")
    account.pipelines.remove("churn-score")
    assert codes(account.read()) == [
        ["no-dead-letter-queue", "pipeline-gone", "disabled", "several-events", "long-retries"]
    ]


def test_a_scheduled_rule_goes_through_the_application(account: Account) -> None:
    account.rules.add("nightly", None, target(), ScheduleExpression="cron(0 3 * * ? *)")
    (moved,) = account.read().moved
    assert moved.trigger.schedule is not None
    assert (moved.trigger.schedule.expression, moved.trigger.schedule.via) == ("cron(0 3 * * ? *)", "app")


def test_rules_without_pipelines_are_passed_over(account: Account) -> None:
    account.rules.add("to-a-queue", PATTERN, {"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"})
    account.rules.add("to-nobody", PATTERN)
    assert account.read() == Imported()


def test_other_targets_of_a_rule_stay_with_it(account: Account) -> None:
    account.rules.add("both", PATTERN, target(), {"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"})
    (moved,) = account.read().moved
    assert [each.pipeline.name for each in moved.trigger.targets] == ["churn-train"]
    assert "it has other targets too" in moved.stays


def test_all_buses_and_all_pages_of_all_groups_are_read(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    account.rules.add("orders", {"source": ["shop"]}, target(), bus="own")
    for number in range(5):
        account.schedules.add(f"nightly-{number}", ARN)
    account.schedules.add("weekly", ARN, group="team")
    assert names(account.read()) == ["retrain", "orders", *(f"nightly-{number}" for number in range(5)), "weekly"]


def test_the_same_name_twice_gets_its_place_behind_it(account: Account) -> None:
    long = "x" * 64
    for name in ("same", long):
        account.rules.add(name, PATTERN, target())
        account.rules.add(name, PATTERN, target(), bus="aws.partner/shop")
        account.schedules.add(name, ARN)
        account.schedules.add(name, ARN, group="default-2")
    found = names(account.read())
    assert found[:4] == ["same", long, "same-aws.partner-shop", f"{'x' * 47}-aws.partner-shop"]
    assert found[4:] == ["same-default", f"{'x' * 56}-default", "same-default-2", f"{'x' * 54}-default-2"]
    assert all(len(name) <= 64 for name in found)


def test_names_that_still_collide_are_counted(account: Account) -> None:
    account.rules.add("a-default", PATTERN, target())
    account.rules.add("a", PATTERN, target())
    account.schedules.add("a", ARN)
    assert names(account.read()) == ["a-default", "a", "a-2"]


def test_schedules_of_the_stacks_own_triggers_are_no_originals(account: Account) -> None:
    own = {"name": "nightly", "schedule_expression": "rate(1 day)", "targets": [{"pipeline": "churn-train"}]}
    on_event = {"name": "retrain", "event_pattern": PATTERN, "targets": [{"pipeline": "churn-train"}]}
    account.triggers = (Trigger.from_document(own), Trigger.from_document(on_event))
    account.schedules.add("nightly", ARN, group="pt")
    account.schedules.add("nightly", ARN, group="team")
    account.schedules.add("retrain", ARN, group="pt")
    account.schedules.add("told", "arn:aws:sqs:us-east-1:123456789012:pt-schedule", group="pt")
    found = account.read()
    assert [moved.original.label for moved in found.moved] == [
        "schedule retrain (group pt)",
        "schedule nightly (group team)",
    ]


def test_a_schedule_of_the_stacks_group_becomes_the_triggers_own(account: Account) -> None:
    account.schedules.add("nightly", ARN, group="pt")
    (moved,) = account.read().moved
    assert moved.stays == "it becomes the trigger's own schedule when the file is applied"
    assert "adopted" in codes(account.read())[0]


def test_a_universal_target_is_found_by_its_input(account: Account) -> None:
    account.schedules.add("a", UNIVERSAL, Target={"Arn": UNIVERSAL, "Input": json.dumps({"PipelineName": ARN})})
    assert names(account.read("churn-train")) == ["a"]
    assert names(account.read("churn-score")) == []


def test_only_what_starts_the_wanted_pipelines_is_read(account: Account) -> None:
    account.rules.add("train", PATTERN, target())
    account.rules.add("score", PATTERN, target(SCORE))
    account.rules.add("both", PATTERN, target(), target(SCORE, "score"))
    account.schedules.add("nightly", ARN)
    assert names(account.read("Churn-Train")) == ["train", "both", "nightly"]
    assert names(account.read(SCORE)) == ["score", "both"]
    assert names(account.read("churn-train", "churn-score")) == ["train", "score", "both", "nightly"]


def test_a_schedule_that_is_deleted_while_it_is_read_is_passed_over(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.schedules.add("nightly", ARN)
    listed = account.schedules.page

    def page_then_delete(group: str, token: str | None = None) -> Any:
        found = listed(group, token)
        account.schedules.delete("default", "nightly")
        return found

    monkeypatch.setattr(account.schedules, "page", page_then_delete)
    assert account.read() == Imported()


def test_a_pipeline_in_lower_case_gets_its_own_name(account: Account) -> None:
    account.pipelines.add("Churn-Report")
    account.schedules.add("report", ARN.replace("churn-train", "churn-report"))
    (moved,) = account.read().moved
    assert moved.trigger.targets[0].pipeline.name == "Churn-Report"


@pytest.mark.parametrize(
    ("pattern", "parameters", "said"),
    [
        ({"source": ["aws.sagemaker"]}, {}, "admits the executions of churn-train itself"),
        ({"source": [{"unknown": 1}]}, {}, "no comparison operator"),
        (PATTERN, {"Key": "$..key"}, r"\.\."),
        (PATTERN, {"Mode": ""}, "is not accepted"),
    ],
)
def test_a_rule_that_no_trigger_can_be_is_left_out_with_the_reason(
    account: Account, pattern: Any, parameters: dict[str, str], said: str
) -> None:
    account.rules.add("odd", pattern, target(**parameters))
    account.rules.add("fine", PATTERN, target())
    found = account.read()
    assert names(found) == ["fine"]
    (left,) = found.left_out
    assert left.original.name == "odd"
    assert re.search(said, "; ".join(map(str, left.problems)))
    assert all(problem.line == 0 for problem in left.problems)
    assert left.findings[0].code == "no-dead-letter-queue"


def test_a_rule_with_a_pattern_and_a_schedule_is_left_out(account: Account) -> None:
    account.rules.add("both", PATTERN, target(), ScheduleExpression="rate(1 day)")
    assert "stands beside schedule_expression" in str(account.read().left_out[0].problems[0])


def test_a_schedule_that_no_trigger_can_be_is_left_out(account: Account) -> None:
    account.schedules.add("once", ARN, ScheduleExpression="at(2020-01-01T00:00:00)")
    (left,) = account.read().left_out
    assert "is over" in str(left.problems[0])


def test_tags_that_one_may_not_read_are_left_out_and_told(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target(), tags={"team": "churn"})
    account.rules.fail("tags", DENIED)
    found = account.read()
    assert found.moved[0].trigger.tags == {}
    assert found.unchecked == ("you may not read the tags of rules (events:ListTagsForResource)",)


@pytest.mark.parametrize("method", ["buses", "rules", "targets", "tags"])
def test_rules_that_cannot_be_read_are_an_error(account: Account, method: str) -> None:
    account.rules.add("retrain", PATTERN, target())
    account.rules.fail(method, BROKEN)
    with pytest.raises(AwsError, match="503"):
        account.read()


def test_progress_is_told_on_the_way(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    for number in range(3):
        account.schedules.add(f"nightly-{number}", ARN)
    told: list[tuple[str, int, int | None]] = []
    account.importer.read(set="s", progress=lambda *what: told.append(what))
    assert told == [
        ("event buses", 1, 1),
        ("rules", 1, 1),
        ("schedules", 2, None),
        ("schedules", 3, None),
        *(("schedules that start pipelines", number, 3) for number in (1, 2, 3)),
    ]


# --- disabling


def test_an_original_is_disabled_when_the_stack_has_its_trigger_and_nothing_else_changes(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    account.schedules.add("nightly", ARN, Description="At night", StartDate="2026-01-01T00:00:00+00:00")
    imported = account.apply()
    before = account.schedules.get("default", "nightly").document
    able, unable = account.importer.to_disable(imported)
    assert ([moved.original.name for moved in able], unable) == (["retrain", "nightly"], [])
    assert [account.importer.disable(moved).outcome for moved in able] == ["disabled", "disabled"]
    assert account.rules.state("retrain") == "DISABLED"
    after = account.schedules.get("default", "nightly").document
    assert (after["State"], after["Target"], after["Description"]) == (
        "DISABLED",
        {**before["Target"], **after["Target"]},
        "At night",
    )


def test_nothing_is_disabled_of_which_the_stack_has_no_trigger(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    able, unable = account.importer.to_disable(account.read())
    assert able == []
    assert [(moved.original.name, reason) for moved, reason in unable] == [
        ("retrain", "no enabled trigger of the stack does the same: apply the file first")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "DISABLED"},
        {"state": "SHADOW"},
        {"event_pattern": {"source": ["aws.s3"]}},
        {"targets": [{"pipeline": "churn-score"}]},
    ],
)
def test_a_trigger_that_does_something_else_is_not_enough(account: Account, change: dict[str, Any]) -> None:
    account.rules.add("retrain", PATTERN, target())
    imported = account.apply()
    account.triggers = tuple(Trigger.from_document({**each.to_document(), **change}) for each in account.triggers)
    assert account.importer.to_disable(imported)[0] == []


@pytest.mark.parametrize("change", [{"schedule_expression": "rate(2 days)"}, {"timezone": "Europe/Berlin"}])
def test_a_schedule_at_another_time_is_not_enough(account: Account, change: dict[str, Any]) -> None:
    account.schedules.add("nightly", ARN)
    imported = account.apply()
    account.triggers = tuple(Trigger.from_document({**each.to_document(), **change}) for each in account.triggers)
    assert account.importer.to_disable(imported)[0] == []


def test_a_trigger_that_was_renamed_and_starts_more_is_enough(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    imported = account.apply()
    targets = [{"pipeline": "churn-score"}, {"pipeline": ARN}]
    change = {"name": "another", "description": "x", "set": "mine", "targets": targets}
    account.triggers = tuple(Trigger.from_document({**each.to_document(), **change}) for each in account.triggers)
    assert [moved.original.name for moved in account.importer.to_disable(imported)[0]] == ["retrain"]


def test_what_has_other_targets_is_managed_or_off_already_is_kept(account: Account) -> None:
    queue = {"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    account.rules.add("shared", {"source": ["a"]}, target(), queue)
    account.rules.add("managed", {"source": ["b"]}, target(), ManagedBy="sagemaker.amazonaws.com")
    account.rules.add("off", {"source": ["c"]}, target(), State="DISABLED")
    able, unable = account.importer.to_disable(account.apply())
    assert able == []
    reasons = {moved.original.name: reason for moved, reason in unable}
    assert reasons["shared"].startswith("it has other targets too")
    assert reasons["managed"] == "sagemaker.amazonaws.com manages it"
    assert reasons["off"] == "is disabled already"


@pytest.mark.parametrize("services", [None, (EVENTS,)])
def test_a_schedule_whose_role_cannot_be_assumed_cannot_be_disabled_either(account: Account, services: Any) -> None:
    role = "arn:aws:iam::123456789012:role/old"
    account.schedules.add("nightly", ARN, Target={"Arn": ARN, "RoleArn": role})
    if services:
        account.roles.add(role, *services)
    able, unable = account.importer.to_disable(account.apply())
    assert able == []
    assert [reason for _, reason in unable] == ["starts nothing, and AWS changes no schedule without a role: delete it"]


def test_an_original_that_was_replaced_is_not_written_again(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    for moved in account.apply().moved:
        account.importer.disable(moved)
    found = account.read()
    assert (found.moved, [original.name for original in found.replaced]) == ((), ["retrain"])


def test_a_disabled_original_without_a_trigger_is_written_disabled(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target(), State="DISABLED")
    account.schedules.add("nightly", ARN, State="DISABLED")
    assert [moved.trigger.state for moved in account.read().moved] == ["DISABLED", "DISABLED"]


def test_what_is_gone_or_fails_is_told_and_raises_nothing(account: Account) -> None:
    account.rules.add("retrain", PATTERN, target())
    account.schedules.add("nightly", ARN)
    rule, schedule = account.apply().moved
    account.rules.fail("disable", PermanentError("refused-by-sagemaker", "managed"))
    assert account.importer.disable(rule) == Disabled(rule.original, "failed", "managed")
    account.rules.remove("retrain")
    assert account.importer.disable(rule) == Disabled(rule.original, "missing")
    account.schedules.fail("update", BROKEN)
    assert account.importer.disable(schedule) == Disabled(schedule.original, "failed", "503")
    account.schedules.delete("default", "nightly")
    assert account.importer.disable(schedule).outcome == "missing"


def test_a_schedule_that_is_off_by_now_is_not_written(account: Account) -> None:
    account.schedules.add("nightly", ARN)
    (moved,) = account.apply().moved
    account.schedules.add("nightly", ARN, State="DISABLED")
    assert account.importer.disable(moved).outcome == "disabled"
    assert account.schedules.called("update") == []
