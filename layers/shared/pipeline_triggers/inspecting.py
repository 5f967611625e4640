"""Use case: what only AWS can tell about the target of a rule or schedule: whether what it names exists and lets it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline_triggers.checking import Checker
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.imported_schedules import pipeline_of
from pipeline_triggers.domain.originals import Finding, dead_letter_arn
from pipeline_triggers.domain.orphans import pipeline_at_home
from pipeline_triggers.domain.queue_policies import verdict
from pipeline_triggers.errors import AwsError, InvalidInputError, NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ports import PipelineNames, Pipelines, QueuePolicies, Roles
    from pipeline_triggers.domain.triggers import Target, Trigger

EVENTS, SCHEDULER = "events.amazonaws.com", "scheduler.amazonaws.com"


@dataclass
class Inspector:
    """Asks about pipelines, roles and dead-letter queues, each once.

    What one may not look at is left out, and ``unchecked`` tells. Every other failure is raised as AwsError.
    """

    pipelines: Pipelines
    names: PipelineNames
    roles: Roles
    policies: QueuePolicies
    home: Home
    _answers: dict[tuple[str, ...], Finding | None] = field(default_factory=dict)
    _denied: dict[str, None] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _checker: Checker = field(init=False)

    def __post_init__(self) -> None:
        self._checker = Checker(self.pipelines)

    @property
    def unchecked(self) -> list[str]:
        """What could not be looked at, in words."""
        return [*self._denied, *(problem.reason for problem in self._checker.left_out)]

    def deny(self, error: AwsError, said: str) -> None:
        """Note what one may not look at; raises whatever else went wrong."""
        if not error.is_denied:
            raise error
        self._denied[said] = None

    def target(self, target: Mapping[str, Any], rule_arn: str = "") -> Iterator[Finding]:
        """What is wrong around a target: of the rule ``rule_arn``, else of a schedule."""
        service = EVENTS if rule_arn else SCHEDULER
        pipeline, role_arn, queue_arn = (
            pipeline_of(target, self.home),
            str(target.get("RoleArn") or ""),
            dead_letter_arn(target),
        )
        found = [
            self._once(self._pipeline, pipeline) if pipeline else None,
            self._once(self._role, role_arn, service) if role_arn else None,
            self._once(self._queue, queue_arn, rule_arn) if queue_arn else None,
        ]
        yield from filter(None, found)

    def spelt(self, trigger: Trigger) -> Trigger:
        """The trigger with its pipelines' names as they were given: in the ARNs of originals they may be lower-cased.

        Whether SageMaker finds a pipeline by a name in another case is not documented.
        """
        return replace(trigger, targets=tuple(map(self._spelt, trigger.targets)))

    def _spelt(self, target: Target) -> Target:
        name = target.pipeline.name
        if target.pipeline.arn is not None:
            return target
        if name not in self._names:
            try:
                self._names[name] = self.names.name_of(target.pipeline.arn_in(self.home)) or name
            except AwsError as error:
                self.deny(error, "you may not describe pipelines (sagemaker:DescribePipeline)")
                self._names[name] = name
        spelt = self._names[name]
        is_same = spelt.casefold() == name.casefold()
        own_id = target.id if target.id != name else spelt
        return replace(target, id=own_id, pipeline=replace(target.pipeline, name=spelt)) if is_same else target

    def contract(self, trigger: Trigger) -> Iterator[Finding]:
        """What the pipelines' declarations say about the parameters; nothing of pipelines that are not there."""
        for problem in self._checker.check(trigger).problems:
            if not problem.field.endswith(".pipeline"):
                parameter = problem.field.partition(".parameters.")[2]
                yield Finding("contract", f"{parameter}: {problem.reason}: SageMaker refuses the start")

    def _once(self, ask: Callable[..., Finding | None], *about: str) -> Finding | None:
        key = (ask.__name__, *about)
        if key not in self._answers:
            self._answers[key] = ask(*about)
        return self._answers[key]

    def _pipeline(self, pipeline: str) -> Finding | None:
        try:
            arn = PipelineRef.parse(pipeline).arn_in(self.home)
        except InvalidInputError:
            return None  # whoever reads it as a trigger says what is wrong
        if pipeline_at_home(arn, self.home) is None:
            said = f"the pipeline {pipeline} is of another account or Region, and EventBridge starts none of these"
            return Finding("other-home", f"{said}: a trigger does, with a role_arn")
        try:
            is_absent = self.pipelines.absent(arn)
        except TransientError as error:
            if error.reason == "pipeline-deleting":
                return Finding("pipeline-gone", f"the pipeline {pipeline} is being deleted")
            self.deny(error, "you may not look whether pipelines exist (sagemaker:ListPipelines)")
            return None
        return Finding("pipeline-gone", f"the pipeline {pipeline} does not exist") if is_absent else None

    def _role(self, role_arn: str, service: str) -> Finding | None:
        name = role_arn.rpartition("/")[2]
        if role_arn.split(":")[4:5] != [self.home.account]:
            return None
        try:
            if self.roles.trusts(role_arn, service):
                return None
        except NotFoundError:
            return Finding("role-gone", f"its role {name} does not exist")
        except AwsError as error:
            self.deny(error, "you may not look at roles (iam:GetRole)")
            return None
        return Finding("role-not-trusted", f"its role {name} does not trust {service}, which must assume it")

    def _queue(self, queue_arn: str, rule_arn: str) -> Finding | None:
        name = queue_arn.rpartition(":")[2]
        try:
            policy = self.policies.of(queue_arn)
        except NotFoundError:
            said = f"its dead-letter queue {name} does not exist: what fails is dropped without a trace"
            return Finding("dead-letter-queue-gone", said)
        except AwsError as error:
            self.deny(error, "you may not look at dead-letter queues (sqs:GetQueueAttributes)")
            return None
        # Scheduler sends with its role, which the policy need not name.
        if rule_arn and verdict(policy, queue_arn=queue_arn, service=EVENTS, source_arn=rule_arn) == "refused":
            said = f"its dead-letter queue {name} refuses what EventBridge sends: what fails is dropped without a trace"
            return Finding("dead-letter-queue-refuses", said)
        return None
