"""Keeping the schedules of triggers: made, changed and deleted with them, and nothing else touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults, parameters_of
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import InvalidInputError, InvalidTriggerError, NotFoundError, PermanentError
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Applied, Manager
from pipeline_triggers.scheduling import Scheduling
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.fakes.roles import FakeRoles
from tests.fakes.schedules import FakeSchedules
from tests.fakes.trigger_store import FakeTriggerStore

HOME = Home("aws", "123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:"
DEFAULTS = Defaults("stack", f"{ROLE}scheduler", f"{ROLE}queue", f"{QUEUE}stack-schedule", f"{QUEUE}stack-undelivered")
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"


def trigger(name: str = "nightly", pipeline: str = "churn-train", **changes: Any) -> Trigger:
    document = {
        "name": name,
        "set": "churn",
        "schedule_expression": "cron(0 3 * * ? *)",
        "targets": [{"pipeline": pipeline}],
        **changes,
    }
    return Trigger.from_document({key: value for key, value in document.items() if value is not None})


@dataclass
class Stack:
    """A stack in memory: its triggers and the schedules of the account."""

    store: FakeTriggerStore = field(default_factory=FakeTriggerStore)
    clock: FakeClock = field(default_factory=FakeClock)
    pipelines: FakePipelines = field(default_factory=FakePipelines)
    schedules: FakeSchedules = field(default_factory=lambda: FakeSchedules(made=["stack"]))

    @property
    def manager(self) -> Manager:
        """What applies triggers."""
        roles = FakeRoles()
        for role_arn in (DEFAULTS.role_arn, DEFAULTS.queue_role_arn):
            roles.add(role_arn, "scheduler.amazonaws.com")
        scheduling = Scheduling(self.schedules, self.pipelines, roles, self.clock, HOME, lambda: DEFAULTS)
        return Manager(self.store, lambda: "me", lambda: ScheduleKeeper(scheduling))

    def apply(self, *triggers: Trigger, prune: bool = False) -> Applied:
        """Apply triggers to the set of all of them."""
        return self.manager.apply(triggers, set="churn", prune=prune)

    def schedule(self, name: str = "nightly") -> dict[str, Any]:
        """The schedule of a trigger as it is now."""
        return dict(self.schedules.get("stack", name).document)


@pytest.fixture
def stack() -> Stack:
    """A stack whose pipelines exist."""
    made = Stack()
    made.pipelines.add("churn-train")
    made.pipelines.add("churn-score")
    return made


def outcomes(applied: Applied) -> list[tuple[str, str]]:
    return [(change.trigger, change.outcome) for change in applied.schedules]


def test_a_schedule_is_made_with_its_trigger(stack: Stack) -> None:
    applied = stack.apply(trigger(timezone="Europe/Berlin"))
    assert (applied.written, outcomes(applied)) == (True, [("nightly", "created")])
    made = stack.schedule()
    assert (made["Target"]["Arn"], made["ScheduleExpressionTimezone"]) == (f"{PIPELINE}churn-train", "Europe/Berlin")


def test_a_schedule_that_is_as_its_trigger_says_is_not_written_again(stack: Stack) -> None:
    stack.apply(trigger())
    before = stack.schedules.modified_at("nightly", "stack")
    stack.clock.sleep(60)
    applied = stack.apply(trigger())
    assert (applied.written, stack.schedules.modified_at("nightly", "stack")) == (False, before)


def test_a_schedule_that_somebody_changed_is_made_right_again_without_a_new_revision(stack: Stack) -> None:
    stack.apply(trigger())
    stack.manager.keeper().scheduling.set_state(["nightly"], "DISABLED")
    applied = stack.apply(trigger())
    assert (applied.written, applied.revision, outcomes(applied)) == (False, 1, [("nightly", "updated")])
    assert stack.schedule()["State"] == "ENABLED"


def test_a_schedule_changes_with_its_trigger_and_loses_what_the_trigger_does_not_say_any_more(stack: Stack) -> None:
    stack.apply(trigger(description="old", flexible_minutes=5, targets=[{"pipeline": "churn-train", "parameters": {}}]))
    applied = stack.apply(trigger(schedule_expression="cron(0 4 * * ? *)"))
    assert outcomes(applied) == [("nightly", "updated")]
    changed = stack.schedule()
    assert (changed["ScheduleExpression"], changed["FlexibleTimeWindow"]) == ("cron(0 4 * * ? *)", {"Mode": "OFF"})
    assert "Description" not in changed


def test_a_trigger_may_start_another_pipeline_from_now_on(stack: Stack) -> None:
    stack.apply(trigger())
    assert outcomes(stack.apply(trigger(pipeline="churn-score"))) == [("nightly", "updated")]
    assert stack.schedule()["Target"]["Arn"] == f"{PIPELINE}churn-score"


def test_a_trigger_may_change_from_one_way_to_the_other(stack: Stack) -> None:
    stack.apply(trigger())
    stack.apply(trigger(via="app"))
    target = stack.schedule()["Target"]
    assert (target["Arn"], target["RoleArn"]) == (DEFAULTS.queue_arn, DEFAULTS.queue_role_arn)
    assert '"trigger": "nightly"' in target["Input"]
    stack.apply(trigger())
    assert "Input" not in stack.schedule()["Target"]
    assert parameters_of(stack.schedule()["Target"]) == {}


def test_a_schedule_goes_with_its_trigger(stack: Stack) -> None:
    stack.apply(trigger(), trigger("weekly"))
    applied = stack.apply(trigger("weekly"), prune=True)
    assert ("nightly", "deleted") in outcomes(applied)
    assert stack.schedules.names == {"weekly"}


def test_a_schedule_goes_when_its_trigger_waits_for_events_from_now_on(stack: Stack) -> None:
    stack.apply(trigger())
    stack.apply(trigger(schedule_expression=None, event_pattern={"source": ["aws.s3"]}))
    assert stack.schedules.names == set()


def test_deleting_disabling_and_rolling_back_reach_the_schedule(stack: Stack) -> None:
    stack.apply(trigger())
    stack.manager.set_state(["nightly"], "DISABLED")
    assert stack.schedule()["State"] == "DISABLED"
    stack.manager.delete(["nightly"])
    assert stack.schedules.names == set()
    stack.manager.rollback(1)
    assert stack.schedule()["State"] == "ENABLED"


def test_only_the_schedules_of_triggers_that_change_are_looked_at(stack: Stack) -> None:
    stack.apply(trigger(), trigger("weekly"))
    stack.schedules.calls.clear()
    stack.manager.set_state(["weekly"], "DISABLED")
    assert {call.arguments.get("name") for call in stack.schedules.calls if call.method == "get"} == {"weekly"}


def test_a_schedule_of_the_name_that_starts_something_else_stops_the_change_before_it_begins(stack: Stack) -> None:
    stack.schedules.add("nightly", f"{PIPELINE}churn-score", group="stack")
    with pytest.raises(InvalidInputError, match="starts"):
        stack.apply(trigger())
    assert stack.store.revision() == 0


def test_a_schedule_that_somebody_else_made_of_the_name_stays_when_the_trigger_goes(stack: Stack) -> None:
    stack.apply(trigger())
    stack.schedules.add("nightly", f"{PIPELINE}churn-score", group="stack")
    applied = stack.manager.delete(["nightly"])
    (change,) = applied.schedules
    assert (change.outcome, change.problem) == (
        "left",
        "the schedule nightly starts something else than the trigger did",
    )
    assert stack.schedules.names == {"nightly"}


def test_a_problem_is_told_with_the_trigger_and_its_field_and_nothing_is_written(stack: Stack) -> None:
    past = trigger("once", schedule_expression="at(2001-01-01T00:00:00)")
    unknown = trigger(targets=[{"pipeline": "churn-train", "parameters": {"Mode": "x"}}])
    with pytest.raises(InvalidInputError) as caught:
        stack.apply(past, unknown)
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["once.schedule_expression", "nightly.targets[0].parameters.Mode"]
    assert (stack.store.revision(), stack.schedules.names) == (0, set())


def test_a_failed_schedule_stops_no_other_and_the_same_change_again_does_the_rest(stack: Stack) -> None:
    stack.schedules.fail("create", PermanentError("access-denied", "not permitted"))
    applied = stack.apply(trigger(), trigger("weekly"))
    assert (applied.written, outcomes(applied)) == (True, [("nightly", "failed"), ("weekly", "created")])
    again = stack.apply(trigger(), trigger("weekly"))
    assert (again.written, outcomes(again)) == (False, [("nightly", "created"), ("weekly", "same")])


def test_a_trigger_whose_pipeline_eventbridge_scheduler_starts_cannot_be_shadowed(stack: Stack) -> None:
    stack.apply(trigger())
    with pytest.raises(InvalidTriggerError, match=r"nightly\.state: SHADOW is not known to EventBridge Scheduler"):
        stack.manager.set_state(["nightly"], "SHADOW")


def test_a_plan_shows_what_will_become_of_schedules_and_changes_nothing(stack: Stack) -> None:
    stack.apply(trigger())
    wanted = [trigger("weekly")]
    proposal = stack.manager.preview(wanted, set="churn", prune=True)
    assert [(change.trigger, change.outcome) for change in proposal.schedules] == [
        ("weekly", "created"),
        ("nightly", "deleted"),
    ]
    assert stack.schedules.names == {"nightly"}


def test_deleting_a_trigger_whose_schedule_is_gone_already_is_fine(stack: Stack) -> None:
    stack.apply(trigger())
    stack.schedules.delete("stack", "nightly")
    assert stack.manager.delete(["nightly"]).schedules == ()
    with pytest.raises(NotFoundError):
        stack.manager.find("nightly")
