"""Whatever happens in whatever order: no schedule of a pipeline that exists goes, and no orphan stays.

A longer search: ``HYPOTHESIS_EXAMPLES=2000 .venv/bin/pytest tests/faults/test_state_machine_cleanup.py``.
"""

from __future__ import annotations

import copy
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.cleanup_invocation import CleanupWorker
from pipeline_triggers.domain.orphans import GRACE
from pipeline_triggers.errors import TransientError
from tests.fakes.estate import UNIVERSAL, World, trigger_of
from tests.fakes.pipelines import HOME
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queues import FakeQueues
from tests.fakes.sagemaker import FakeSageMaker
from tests.faults.stage import nothing_printed
from tests.sample_events import sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "60"))

# Two names of which one begins with the other.
PIPELINES = ("Abalone", "abalone2")
TRIGGERS = {
    "of-one": ("Abalone",),
    "of-two": ("abalone2", "Abalone"),
    "elsewhere": ("abalone2", "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/abalone"),
}
SAGEMAKER_ERRORS = ("ThrottlingException", "AccessDeniedException", "InternalFailure", "ValidationException")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong while a clean-up runs: SageMaker's next errors, and a call of a port that fails."""

    sagemaker: tuple[str, ...] = ()
    port: str = "store"
    after: int | None = None
    reason: str = "unavailable"
    acted: bool = False


NO_TROUBLE = Trouble()
TROUBLE = st.one_of(
    st.just(NO_TROUBLE),
    st.builds(Trouble, st.lists(st.sampled_from(SAGEMAKER_ERRORS), min_size=1, max_size=4).map(tuple)),
    st.builds(
        Trouble,
        st.just(()),
        st.sampled_from(["schedules", "store"]),
        st.integers(0, 12),
        st.sampled_from(["throttled", "unavailable", "denied-yet"]),
        st.booleans(),
    ),
)


class Context:
    """As much of Lambda's context as a worker asks for."""

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


class CleanUps(RuleBasedStateMachine):
    """Pipelines, schedules, events, sweeps, faults and time, as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.schedules.page_size = 2
        self.world.set_policy(max_deletes=1000, max_share=100)
        self.sagemaker = FakeSageMaker()
        self.events: list[dict[str, Any]] = []
        # Since when each pipeline does not exist.
        self.gone: dict[str, datetime] = dict.fromkeys(map(str.casefold, PIPELINES), self.world.clock.now())
        # When the sweeps began that were not disturbed, since the last one that was.
        self.sweeps: list[datetime] = []
        # What was an orphan when a sweep began, or seemed to be one; and when the sweep that runs began.
        self.sights: list[tuple[datetime, set[str]]] = []
        self.sweeping: datetime | None = None
        self.wronged: list[str] = []
        self.world.triggers.put(*(trigger_of(name, *pipelines) for name, pipelines in TRIGGERS.items()))
        self._watch_deletes()

    @initialize(heeds_case=st.booleans(), lowers_arns=st.booleans())
    def choose_a_sagemaker(self, heeds_case: bool, lowers_arns: bool) -> None:
        """AWS does not say which of them it is."""
        self.sagemaker.heeds_case, self.sagemaker.lowers_arns = heeds_case, lowers_arns
        self.world.pipelines = SageMakerPipelines(cast("Any", self.sagemaker), HOME, self.world.clock)

    @rule(name=st.sampled_from(PIPELINES))
    def create_pipeline(self, name: str) -> None:
        """The first time, or again."""
        self.sagemaker.create(name)
        self.gone.pop(name.casefold(), None)

    @precondition(lambda self: self.sagemaker.names)
    @rule(data=st.data(), reported=st.booleans(), again=st.booleans())
    def delete_pipeline(self, data: st.DataObject, reported: bool, again: bool) -> None:
        """CloudTrail may report it, or not; it may be made again at once."""
        name = data.draw(st.sampled_from(sorted(self.sagemaker.names.values())))
        arn = self.sagemaker.delete(name)
        self.gone[name.casefold()] = self.world.clock.now()
        if reported:
            self.events.append(_deleted(name, arn))
        if again:
            self.create_pipeline(name)

    @rule(name=st.sampled_from(PIPELINES))
    def fail_to_delete_a_pipeline(self, name: str) -> None:
        """CloudTrail reports that somebody was not allowed to."""
        event = _deleted(name, self.sagemaker.arn(name))
        event["detail"] |= {"errorCode": "AccessDenied", "errorMessage": "no", "responseElements": None}
        self.events.append(event)

    @rule(
        name=st.sampled_from("ab"),
        group=st.sampled_from(["default", "local"]),
        pipeline=st.sampled_from(PIPELINES),
        spelling=st.sampled_from([str, str.lower, str.upper]),
        way=st.sampled_from(["own", "own", "by name", "by ARN"]),
    )
    def put_schedule(self, name: str, group: str, pipeline: str, spelling: Any, way: str) -> None:
        """Make a schedule, or change it."""
        named = self.sagemaker.arn(pipeline).rpartition("/")[0] + "/" + spelling(pipeline)
        match way:
            case "own":
                self.world.schedules.add(name, named, group=group)
            case "by name":
                self.world.add_universal(name, f'{{"PipelineName": "{spelling(pipeline)}"}}', group)
            case "by ARN":
                self.world.add_universal(name, f'{{"PipelineName": "{named}"}}', group)

    @rule(name=st.sampled_from("gh"), trigger=st.sampled_from([*TRIGGERS, "no-such"]))
    def put_schedule_through_this_app(self, name: str, trigger: str) -> None:
        """Make a schedule that tells a trigger, or change it."""
        self.world.add_through_this_app(name, trigger)

    @rule(name=st.sampled_from("abgh"), group=st.sampled_from(["default", "local"]))
    def delete_schedule(self, name: str, group: str) -> None:
        """Its owner does."""
        self.world.schedules._definitions.pop((group, name), None)

    @precondition(lambda self: self.events)
    @rule(data=st.data(), again=st.booleans(), trouble=TROUBLE)
    def deliver(self, data: st.DataObject, again: bool, trouble: Trouble) -> None:
        """An event arrives, sooner or later, in any order, perhaps once more later."""
        event = data.draw(st.sampled_from(self.events))
        if not again:
            self.events.remove(event)
        with self._in(trouble):
            self._answer(event)

    @rule(minutes=st.sampled_from([1, 16, 16, 360]), trouble=TROUBLE)
    def sweep(self, minutes: int, trouble: Trouble) -> None:
        """A sweep some time later, to its end."""
        self.world.clock.advance(minutes=minutes)
        with self._in(trouble):
            self._sweep()

    @rule(pages=st.integers(1, 6))
    def two_sweeps_at_once(self, pages: int) -> None:
        """While one sweep looks, another message asks for one."""
        page = self.world.schedules.page
        waiting = [pages]

        def interfering(group: str, token: str | None = None) -> Any:
            waiting[0] -= 1
            if waiting[0] == 0:
                self.world.sweep(message_id="another")
            return page(group, token)

        self.world.schedules.page = interfering  # type: ignore[method-assign]
        self._sweep()
        self.world.schedules.page = page  # type: ignore[method-assign]

    @rule(minutes=st.sampled_from([1, 10, 16, 360]))
    def pass_time(self, minutes: int) -> None:
        """Nothing happens for a while."""
        self.world.clock.advance(minutes=minutes)

    @precondition(lambda self: self.sagemaker.names)
    @rule(data=st.data(), how=st.sampled_from(["deleting", "unlisted", "as it should be"]))
    def linger(self, data: st.DataObject, how: str) -> None:
        """A pipeline is in the status Deleting for a while, or the list does not have it yet.

        Then only DescribePipeline knows that it exists. It cannot, if it heeds the case and ARNs are kept as they were
        written: nothing but the list would know the pipeline of a schedule that spells it in another way.
        """
        name = data.draw(st.sampled_from(sorted(self.sagemaker.names)))
        self.sagemaker.deleting.discard(name)
        self.sagemaker.unlisted.discard(name)
        if how == "deleting":
            self.sagemaker.deleting.add(name)
        elif how == "unlisted" and (self.sagemaker.lowers_arns or not self.sagemaker.heeds_case):
            self.sagemaker.unlisted.add(name)

    @invariant()
    def no_schedule_of_a_pipeline_that_exists_was_deleted(self) -> None:
        """By what was the truth at the moment of the delete; and sweeps delete nothing too early."""
        assert self.wronged == []

    @invariant()
    def no_orphan_survives_two_sweeps_after_its_grace(self) -> None:
        """The sweeps are a grace apart, and nothing disturbed them or one between them."""
        for name, orphaned_at in self._orphans().items():
            after = [began for began in self.sweeps if began >= orphaned_at + GRACE]
            assert not after or after[-1] - after[0] < GRACE, name

    def teardown(self) -> None:
        """In the end every orphan goes."""
        self._settle()
        for _ in range(3):
            self.world.clock.advance(hours=2)
            self._sweep()
        self.no_schedule_of_a_pipeline_that_exists_was_deleted()
        assert self._orphans() == {}

    def _settle(self) -> None:
        self.sagemaker.deleting.clear()
        self.sagemaker.unlisted.clear()

    @contextmanager
    def _in(self, trouble: Trouble) -> Iterator[None]:
        """Let things go wrong for a while."""
        fake = getattr(self.world, trouble.port)
        self.sagemaker.errors.extend(trouble.sagemaker)
        if trouble.after is not None:
            passing: list[Any] = [None] * trouble.after
            fake.failures.extend([*passing, TransientError(trouble.reason, "trouble", acted=trouble.acted)])
        yield
        self.sagemaker.errors.clear()
        fake.failures.clear()

    def _sweep(self) -> None:
        began = self.sweeping = self.world.clock.now()
        lingers = bool(self.sagemaker.deleting)
        self.sights.append((began, set(self._orphans(seemingly=True))))
        report = self.world.sweep()
        while report.unfinished:
            report = self.world.sweep()
        self.sweeping = None
        position = self.world.store.last
        is_own = position is not None and position.began == began and position.phase == "done"
        if not report.failed and not lingers and is_own:
            self.sweeps.append(began)
        else:
            self.sweeps.clear()

    def _answer(self, event: dict[str, Any]) -> None:
        queues, quarantine = FakeQueues(), FakeQuarantine(clock=self.world.clock)
        world = self.world
        worker = CleanupWorker(world.cleaner, world.watcher, quarantine, queues, world.clock, lambda _: None)
        with nothing_printed():
            try:
                worker.answer(event, cast("LambdaContext", Context()))
            except TransientError:
                self.events.append(event)

    def _orphans(self, *, seemingly: bool = False) -> dict[str, datetime]:
        """The schedules whose pipelines are all gone, and since when nobody has changed anything about it.

        ``seemingly``: those are among them of which the list does not have the pipelines yet.
        """
        found = {}
        gone = {**self.gone, **(dict.fromkeys(self.sagemaker.unlisted, self.world.clock.now()) if seemingly else {})}
        for (group, name), definition in self.world.schedules._definitions.items():
            started = self._started_by(definition.document)
            if started and all(pipeline in gone for pipeline in started):
                changed = [definition.modified_at, *(gone[pipeline] for pipeline in started)]
                found[f"{group}/{name}"] = max(changed)
        return found

    def _started_by(self, document: dict[str, Any] | Any) -> tuple[str, ...]:
        """The names of the pipelines that a schedule starts, casefolded, by a reading of the test's own."""
        target = document["Target"]
        if target["Arn"] == UNIVERSAL:
            return (target["Input"].split('"')[3].rpartition("/")[2].casefold(),)
        if ":sqs:" in target["Arn"]:
            trigger = next((name for name in TRIGGERS if f'"{name}"' in target["Input"]), "")
            started = TRIGGERS.get(trigger, ())
            return () if trigger == "elsewhere" else tuple(map(str.casefold, started))
        return (target["Arn"].rpartition("/")[2].casefold(),)

    def _was_seen_before(self, key: str, modified_at: datetime) -> bool:
        """Whether it was an orphan when a sweep began a grace ago, and was old enough."""
        until = (self.sweeping or self.world.clock.now()) - GRACE
        return any(modified_at <= began <= until and key in seen for began, seen in self.sights)

    def _watch_deletes(self) -> None:
        delete = self.world.schedules.delete

        def watched(group: str, name: str) -> None:
            definition = self.world.schedules._definitions.get((group, name))
            if definition is not None:
                started = self._started_by(definition.document)
                if not started or any(self.sagemaker.exists(pipeline) for pipeline in started):
                    self.wronged.append(f"{group}/{name}")
                elif self.sweeping and not self._was_seen_before(f"{group}/{name}", definition.modified_at):
                    self.wronged.append(f"{group}/{name}: too early")
            delete(group, name)

        self.world.schedules.delete = watched  # type: ignore[method-assign]


def _deleted(name: str, arn: str) -> dict[str, Any]:
    event: dict[str, Any] = copy.deepcopy(sample("cloudtrail-delete-pipeline"))
    event["detail"] |= {"requestParameters": {"pipelineName": name}, "responseElements": {"pipelineArn": arn}}
    return event


TestCleanUps: Any = CleanUps.TestCase
TestCleanUps.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
