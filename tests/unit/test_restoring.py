"""Putting back what clean-ups have deleted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.cleanup_records import KeptDefinition
from pipeline_triggers.domain.rule_targets import kept_definition
from pipeline_triggers.errors import PermanentError, TransientError
from pipeline_triggers.restoring import Restored, Restorer
from tests.fakes.cleanup_store import FakeCleanupStore
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.fakes.rules import FakeRules
from tests.fakes.schedules import ROLE, FakeSchedules
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.rules import RuleTarget

OTHER_ARN = f"{PIPELINE_ARN}-2"
RATE = {"ScheduleExpression": "rate(1 day)"}
CRON = {"ScheduleExpression": "cron(0 3 * * ? *)"}


@dataclass
class Scene:
    """A restorer over fakes; the pipelines exist (again)."""

    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.store = FakeCleanupStore()
        self.schedules = FakeSchedules(clock=self.clock, made=("team",))
        self.rules = FakeRules()
        self.pipelines = FakePipelines(clock=self.clock)
        self.pipelines.add(PIPELINE_ARN)
        self.pipelines.add(OTHER_ARN)
        self.restorer = Restorer(self.store, self.schedules, self.rules, self.pipelines, self.clock)

    def deleted(self, name: str, pipeline_arn: str = PIPELINE_ARN, group: str = "default", **document: Any) -> str:
        """Make a schedule, keep it as a clean-up does, and delete it; its ARN."""
        arn = self.schedules.add(name, pipeline_arn, group=group, **{**CRON, **document})
        whole = self.schedules.get(group, name)
        self.store.keep(
            KeptDefinition("schedule", arn, pipeline_arn, whole.document, self.clock.now(), whole.modified_at)
        )
        self.schedules.delete(group, name)
        return arn

    def removed(self, rule: str = "on-upload", **changes: Any) -> RuleTarget:
        """Make a rule, keep its target, and remove that."""
        target = self.rules.add(rule, PIPELINE_ARN, **changes)[0]
        self.store.keep(kept_definition(target, self.clock.now()))
        self.rules.remove_targets(target.bus, target.rule, [target.id])
        return target

    def restore(self, *, dry_run: bool = False, **wanted: Any) -> list[Restored]:
        """Restore what is kept."""
        return list(self.restorer.restore(self.restorer.latest(**wanted), dry_run=dry_run))

    def outcomes(self, *, dry_run: bool = False, **wanted: Any) -> list[str]:
        """What became of each."""
        return [one.outcome for one in self.restore(dry_run=dry_run, **wanted)]

    def written(self) -> list[str]:
        """The calls that changed something since the arrangement."""
        schedules = [call.method for call in self.schedules.calls if call.method in ("create", "update")]
        return schedules + [call.method for call in self.rules.calls if call.method == "put_targets"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def without_times(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of GetSchedule's answer nobody but the service can set."""
    return {key: value for key, value in document.items() if key not in ("CreationDate", "LastModificationDate")}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"State": "DISABLED", "Description": "every night", "ScheduleExpressionTimezone": "Europe/Berlin"},
        {"ScheduleExpression": "at(2030-01-01T00:00:00)", "ActionAfterCompletion": "DELETE"},
        {"EndDate": (NOON + timedelta(days=90)).isoformat(), "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1"},
        {
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
                "RoleArn": ROLE,
                "Input": '{"PipelineName": "churn-train"}',
                "RetryPolicy": {"MaximumRetryAttempts": 3},
                "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dlq"},
            }
        },
    ],
)
def test_a_schedule_comes_back_with_an_identical_definition(scene: Scene, document: dict[str, Any]) -> None:
    defaults = {"ScheduleExpressionTimezone": "UTC", "ActionAfterCompletion": "NONE"}
    target = {
        "Arn": PIPELINE_ARN,
        "RoleArn": ROLE,
        "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Rows", "Value": "5"}]},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1},
    }
    scene.deleted("nightly", group="team", **{**defaults, "Target": target, **document})
    [before] = [kept.document for kept in scene.restorer.history()]
    scene.clock.advance(days=2)
    assert scene.outcomes() == ["restored"]
    assert without_times(scene.schedules.get("team", "nightly").document) == without_times(before)


def test_a_rate_comes_back_in_its_rhythm(scene: Scene) -> None:
    scene.deleted("daily", **RATE)
    scene.clock.advance(days=2, hours=5)
    assert scene.outcomes() == ["restored"]
    assert scene.schedules.get("default", "daily").document["StartDate"] == "2026-03-17T12:00:00+00:00"


def test_a_target_comes_back_to_its_rule_as_it_was(scene: Scene) -> None:
    target = scene.removed(bus="team", Input='{"a": 1}')
    assert scene.outcomes() == ["restored"]
    assert scene.rules.of_pipeline(PIPELINE_ARN) == [target]


def test_what_was_deleted_twice_comes_back_as_it_was_last(scene: Scene) -> None:
    for description in ("first", "second"):
        scene.deleted("nightly", Description=description)
        scene.clock.advance(hours=1)
    assert scene.outcomes() == ["restored"]
    assert scene.schedules.get("default", "nightly").document["Description"] == "second"


def test_a_schedule_that_is_there_again_is_left_alone(scene: Scene) -> None:
    scene.deleted("nightly")
    scene.schedules.add("nightly", "arn:aws:sqs:us-east-1:123456789012:other", Description="somebody's new one")
    assert scene.outcomes() == ["there"]
    assert scene.written() == []


def test_a_target_id_that_is_taken_again_is_left_alone(scene: Scene) -> None:
    scene.removed()
    scene.rules.add("on-upload", OTHER_ARN)
    assert scene.outcomes() == ["there"]
    assert scene.rules.of_pipeline(OTHER_ARN)


def test_to_restore_twice_does_no_harm(scene: Scene) -> None:
    scene.deleted("nightly")
    scene.removed()
    assert scene.outcomes() == ["restored", "restored"]
    before = scene.schedules.get("default", "nightly")
    assert scene.outcomes() == ["there", "there"]
    assert scene.schedules.get("default", "nightly") == before


def test_a_dry_run_looks_at_everything_and_writes_nothing(scene: Scene) -> None:
    scene.deleted("nightly")
    scene.deleted("gone", group="team")
    scene.removed()
    scene.schedules.add("gone", PIPELINE_ARN, group="team")
    assert sorted(scene.outcomes(dry_run=True)) == ["there", "would-restore", "would-restore"]
    assert scene.written() == []


@pytest.mark.parametrize("kind", ["schedule", "rule-target"])
def test_what_starts_a_pipeline_that_is_gone_is_left_with_the_reason(scene: Scene, kind: str) -> None:
    if kind == "schedule":
        scene.deleted("nightly")
    else:
        scene.removed()
    scene.pipelines.remove(PIPELINE_ARN)
    [one] = scene.restore()
    assert (one.outcome, one.is_done) == ("left", False)
    assert one.problem == "there is no pipeline churn-train: make it first, or this is an orphan again"
    assert scene.written() == []


def test_a_schedule_that_starts_several_pipelines_comes_back_once_when_one_of_them_exists(scene: Scene) -> None:
    """As one through this application may: it is kept for each of them."""
    scene.deleted("nightly")
    [kept] = scene.restorer.history()
    scene.store.keep(replace(kept, pipeline_arn=OTHER_ARN))
    scene.pipelines.remove(PIPELINE_ARN)
    assert scene.outcomes(pipeline_arn=PIPELINE_ARN) == ["left"]
    assert scene.outcomes(dry_run=True, pipeline_arn=OTHER_ARN) == ["would-restore"]
    assert scene.outcomes() == ["restored"]


def test_each_pipeline_is_asked_about_once(scene: Scene) -> None:
    for number in range(3):
        scene.deleted(f"nightly-{number}")
        scene.deleted(f"other-{number}", OTHER_ARN)
    assert scene.outcomes() == ["restored"] * 6
    assert len(scene.pipelines.called("absent")) == 2


def test_what_cannot_be_said_of_a_pipeline_fails_and_keeps_no_other_back(scene: Scene) -> None:
    scene.deleted("nightly")
    scene.deleted("other", OTHER_ARN)
    scene.pipelines.fail("absent", TransientError("throttled", "slow down"))
    found = scene.restore()
    assert sorted((one.outcome, one.problem) for one in found) == [("failed", "slow down"), ("restored", "")]


@pytest.mark.parametrize(
    "document",
    [
        {"ScheduleExpression": "at(2026-03-14T13:00:00)"},
        {"EndDate": (NOON + timedelta(hours=1)).isoformat()},
    ],
)
def test_what_would_never_fire_again_is_left(scene: Scene, document: dict[str, Any]) -> None:
    scene.deleted("nightly", **document)
    scene.clock.advance(hours=2)
    [one] = scene.restore()
    assert (one.outcome, one.problem) == ("left", "its time has passed, so it would never fire again")


def test_an_expression_that_only_the_service_understands_is_put_back(scene: Scene) -> None:
    scene.deleted("nightly", ScheduleExpression="every(blue moon)")
    assert scene.outcomes() == ["restored"]


def test_a_group_or_rule_that_is_gone_is_named(scene: Scene) -> None:
    scene.deleted("nightly", group="team")
    scene.removed()
    scene.rules.remove("on-upload")
    scene.schedules._groups.remove("team")
    told = {one.kept.kind: (one.outcome, one.problem) for one in scene.restore()}
    assert told == {
        "schedule": ("left", "there is no schedule group team: make it first"),
        "rule-target": ("left", "there is no rule on-upload on the event bus default: make it first"),
    }


def test_somebody_who_was_faster_is_no_failure(scene: Scene) -> None:
    scene.deleted("nightly")
    [kept] = scene.restorer.latest()
    there = scene.schedules

    class Faster(FakeSchedules):
        def create(self, document: Mapping[str, Any]) -> str:
            there.add("nightly", PIPELINE_ARN, Description="faster")
            return there.create(document)

        def get(self, group: str, name: str) -> Any:
            return there.get(group, name)

    restorer = Restorer(scene.store, Faster(), scene.rules, scene.pipelines, scene.clock)
    [one] = restorer.restore([kept])
    assert one.outcome == "there"
    assert there.get("default", "nightly").document["Description"] == "faster"


@pytest.mark.parametrize("error", [TransientError("conflict", "busy"), PermanentError("refused-by-sagemaker", "no")])
def test_a_schedule_that_is_refused_fails_and_keeps_no_other_back(scene: Scene, error: Exception) -> None:
    scene.deleted("nightly")
    scene.deleted("weekly")
    scene.schedules.fail("create", error)
    assert sorted(scene.outcomes()) == ["failed", "restored"]


def test_a_target_that_is_refused_says_why(scene: Scene) -> None:
    scene.removed()
    scene.rules.stuck["1"] = TransientError("conflict", "somebody changes the rule")
    [one] = scene.restore()
    assert (one.outcome, one.problem) == ("failed", "somebody changes the rule")


def test_history_is_newest_first_and_narrowed_by_pipeline_and_time(scene: Scene) -> None:
    for name, arn in (("one", PIPELINE_ARN), ("two", OTHER_ARN), ("three", PIPELINE_ARN)):
        scene.deleted(name, arn)
        scene.clock.advance(hours=1)

    def names(pipeline_arn: str | None = None, since: datetime | None = None) -> list[str]:
        return [str(kept.document["Name"]) for kept in scene.restorer.history(pipeline_arn, since)]

    assert names() == ["three", "two", "one"]
    assert names(PIPELINE_ARN.upper()) == ["three", "one"]
    assert names(since=NOON + timedelta(hours=1)) == ["three", "two"]
    assert names(OTHER_ARN, NOON + timedelta(hours=2)) == []


def test_only_what_is_asked_for_comes_back(scene: Scene) -> None:
    scene.deleted("nightly")
    scene.deleted("other", OTHER_ARN)
    assert scene.outcomes(pipeline_arn=OTHER_ARN) == ["restored"]
    assert scene.schedules.names == {"other"}
