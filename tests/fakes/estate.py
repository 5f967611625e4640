"""An account on fakes with everything that may be orphaned, and a cleaner for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.cleanup import Cleaner, Estate, Rates
from pipeline_triggers.domain.cleanup_policy import Policy
from pipeline_triggers.domain.owners import Owners
from pipeline_triggers.domain.schedule_plans import TellsTrigger
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.watching import Watcher
from tests.fakes.cleanup_store import FakeCleanupStore
from tests.fakes.clock import FakeClock
from tests.fakes.contract_marks import FakeContractMarks
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.rules import FakeRules
from tests.fakes.schedules import FakeSchedules
from tests.fakes.trigger_store import FakeTriggerStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.cleanup import Progress
    from pipeline_triggers.domain.orphans import Report

HERE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
STACK = "local"
QUEUE = Owners(HOME, STACK).queue_arn
# One call after another, as fast as they come: what happens is the same every time.
UNPACED = Rates(lists=1e9, reads=1e9, deletes=1e9, at_once=1)


@dataclass
class World:
    """A cleaner with fakes of everything around it. No pipeline exists; schedules are as old as ``clock`` says."""

    clock: FakeClock = field(default_factory=FakeClock)
    policy: Policy = field(default_factory=Policy)
    rates: Rates = UNPACED

    def __post_init__(self) -> None:
        self.pipelines: Any = FakePipelines(clock=self.clock)
        self.schedules = FakeSchedules(clock=self.clock, made=[STACK])
        self.rules = FakeRules()
        self.triggers = FakeTriggerStore(clock=self.clock)
        self.store = FakeCleanupStore()
        self.contracts = FakeContractMarks()

    def set_policy(self, **fields: Any) -> None:
        """Change what may be deleted."""
        self.policy = replace(self.policy, **fields)

    @property
    def cleaner(self) -> Cleaner:
        """A cleaner as a new process makes it."""
        return Cleaner(
            Estate(
                pipelines=self.pipelines,
                schedules=self.schedules,
                rules=self.rules,
                triggers=self.triggers,
                marks=self.triggers,
                store=self.store,
                clock=self.clock,
                home=HOME,
                stack=STACK,
                policy=self.policy,
                rates=self.rates,
            ),
        )

    @property
    def watcher(self) -> Watcher:
        """A watcher as a new process makes it."""
        return Watcher(
            pipelines=self.pipelines,
            snapshot=self.cleaner.estate.snapshot,
            contracts=self.contracts,
            orphans=self.triggers,
            clock=self.clock,
            home=HOME,
            a_second=1e9,
            at_once=1,
        )

    def on_deleted(self, pipeline: str, seconds: float = 300) -> Report:
        """The clean-up for one pipeline."""
        return self.cleaner.on_deleted(pipeline, self.clock.now() + timedelta(seconds=seconds))

    def sweep(
        self,
        seconds: float = 300,
        *,
        message_id: str = "sweep",
        progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        """One invocation of a sweep."""
        deadline = self.clock.now() + timedelta(seconds=seconds)
        return self.cleaner.sweep(deadline, message_id, progress=progress)

    def two_sweeps(self) -> Report:
        """After the grace, and a grace later."""
        self.clock.advance(minutes=16)
        self.sweep()
        self.clock.advance(minutes=16)
        return self.sweep()

    def add_universal(self, name: str, input_: str, group: str = "default") -> str:
        """A schedule that calls SageMaker itself; the input names the pipeline."""
        return self._add(name, UNIVERSAL, input_, group)

    def add_through_this_app(self, name: str, trigger: str, group: str = STACK) -> str:
        """A schedule that tells the stack's queue that the time of a trigger has come."""
        target: dict[str, Any] = {}
        TellsTrigger(QUEUE, trigger).written_into(target)
        return self._add(name, QUEUE, target["Input"], group)

    def _add(self, name: str, target_arn: str, input_: str, group: str) -> str:
        return self.schedules.add(name, target_arn, group=group, Target={"Arn": target_arn, "Input": input_})


def kept(report: Report) -> dict[str, str]:
    """Why schedules stay, by their names."""
    return {it.arn.rpartition("/")[2]: it.reason for it in report.kept}


def failed(report: Report) -> dict[str, str]:
    """Why schedules could not be cleaned up, by their names."""
    return {it.arn.rpartition("/")[2]: it.error.reason for it in report.failed}


def deleted(report: Report) -> set[str]:
    """The names of the schedules that are gone."""
    return {arn.rpartition("/")[2] for arn in report.deleted}


def trigger_of(name: str, *pipelines: str) -> Trigger:
    """A trigger that starts pipelines, named by name or ARN."""
    targets = [{"id": str(number), "pipeline": pipeline} for number, pipeline in enumerate(pipelines)]
    return Trigger.from_document({"name": name, "event_pattern": {"source": ["a"]}, "targets": targets})
