"""Use case: compare triggers with their pipelines before any event: whether they exist and would accept the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_triggers.domain.contracts import Findings, compare
from pipeline_triggers.errors import AwsError, PermanentError, Problem

if TYPE_CHECKING:
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import PipelineRef
    from pipeline_triggers.domain.ports import Pipelines
    from pipeline_triggers.domain.triggers import Target, Trigger


@dataclass
class Checker:
    """Compares triggers with what their pipelines declare; each pipeline, or version of one, is asked for once."""

    pipelines: Pipelines
    _answers: dict[tuple[PipelineRef, str | None], Definition | AwsError] = field(default_factory=dict)
    _denied: dict[str, None] = field(default_factory=dict)

    def check(self, trigger: Trigger) -> Findings:
        """What is wrong with a trigger for certain: with its pipelines and with the parameters that it gives them.

        Raises AwsError when SageMaker cannot be asked now (throttled, unavailable). A pipeline that nobody may describe
        is not that: its check is left out, and ``left_out`` tells.
        """
        found = [self.check_target(target, f"targets[{number}]") for number, target in enumerate(trigger.targets)]
        return Findings(
            tuple(problem for findings in found for problem in findings.problems),
            tuple(warning for findings in found for warning in findings.warnings),
        )

    def check_target(self, target: Target, at: str) -> Findings:
        """What is wrong with one target, which is the field ``at`` of its trigger. Raises AwsError as ``check``."""
        answer = self._ask(target)
        if not isinstance(answer, AwsError):
            return compare(target, answer, at)
        if answer.reason == "not-found-yet":
            said = f"there is no pipeline {_named(target.pipeline)} in this account and Region"
            if target.pipeline.arn is not None:
                said = f"there is no pipeline {_named(target.pipeline)}"
            return Findings((Problem(f"{at}.pipeline", said, "Create it, or correct the name"),))
        if answer.reason == "pipeline-deleting":
            said = f"the pipeline {target.pipeline} is being deleted"
            return Findings((Problem(f"{at}.pipeline", said, "Wait until it is created again, or name another one"),))
        if answer.is_denied:
            self._denied[_named(target.pipeline)] = None
            return Findings()
        if isinstance(answer, PermanentError):
            return Findings(warnings=(Problem(f"{at}.pipeline", f"was not checked: {answer}"),))
        raise answer

    def declared(self, target: Target) -> Definition | None:
        """What the target's pipeline declares; None when SageMaker does not say it."""
        answer = self._ask(target)
        return None if isinstance(answer, AwsError) else answer

    @property
    def left_out(self) -> tuple[Problem, ...]:
        """One warning about all pipelines that were not checked because nobody may describe them; none if all were."""
        if not self._denied:
            return ()
        said = f"the check is left out for {', '.join(self._denied)}: you may not describe the pipeline"
        return (Problem("", said, "Ask for the permission sagemaker:DescribePipeline"),)

    def _ask(self, target: Target) -> Definition | AwsError:
        """Ask with the rights of whoever calls; where these do not do, with those of the target's role."""
        answer = self._asked(target.pipeline, None)
        if target.role_arn is not None and isinstance(answer, AwsError) and answer.is_denied:
            return self._asked(target.pipeline, target.role_arn)
        return answer

    def _asked(self, ref: PipelineRef, role_arn: str | None) -> Definition | AwsError:
        key = (ref, role_arn)
        if key not in self._answers:
            try:
                self._answers[key] = self.pipelines.describe(ref, role_arn=role_arn)
            except AwsError as error:
                self._answers[key] = error
        return self._answers[key]


def _named(ref: PipelineRef) -> str:
    return str(ref) if ref.version_id is None else f"{ref} (version {ref.version_id})"
