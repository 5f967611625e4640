"""Whose a schedule is: the pipelines that it starts, by whichever of three ways.

* EventBridge Scheduler's own target for pipelines: its ``Target.Arn`` is the pipeline.
* Scheduler's universal target, ``arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution``: its input names the
  pipeline, by name or ARN. Lists of schedules do not show the input.
* Through this application: the target is the stack's schedule queue, and the input names a trigger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.events import INTERNAL_SOURCE, SCHEDULED_TIME_EVENT
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.domain.orphans import pipeline_at_home
from pipeline_triggers.domain.scheduled_times import QUEUE_SUFFIX
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.triggers import Snapshot, Trigger

Way = Literal["pipeline", "universal", "app"]


@dataclass(frozen=True, slots=True)
class UnknownTrigger:
    """A schedule goes through this application, and there is no trigger of the name that it tells."""

    name: str


@dataclass(frozen=True, slots=True)
class Owners:
    """Says whose the schedules of an account and Region are. ``stack`` is the name of the stack's schedule group."""

    home: Home
    stack: str

    @property
    def queue_arn(self) -> str:
        """The queue that schedules of this application send to."""
        return f"arn:{self.home.partition}:sqs:{self.home.region}:{self.home.account}:{self.stack}{QUEUE_SUFFIX}"

    def way(self, target_arn: str) -> Way | None:
        """The way by which a schedule with this target starts pipelines; None when it starts none of this home."""
        if target_arn == self.queue_arn:
            return "app"
        universal = f"arn:{self.home.partition}:scheduler:::aws-sdk:sagemaker:startpipelineexecution"
        if target_arn.isascii() and target_arn.casefold() == universal:
            return "universal"
        return "pipeline" if pipeline_at_home(target_arn, self.home) else None

    def pipelines(
        self, document: Mapping[str, Any], triggers: Callable[[], Snapshot]
    ) -> tuple[str, ...] | UnknownTrigger:
        """The ARNs of the pipelines that a schedule starts, each as it is written there, from what GetSchedule answers.

        Empty when it starts none, or one that is not of this home: it is not for us to say whether that exists.
        ``triggers`` is asked only about a schedule that goes through this application.
        """
        target = document["Target"]
        match self.way(str(target["Arn"])):
            case "pipeline":
                return (str(target["Arn"]),)
            case "universal":
                return self._at_home((_arn(_named(target.get("Input")), self.home),))
            case "app":
                return self._of_trigger(target, triggers())
        return ()

    def of_trigger(self, trigger: Trigger) -> tuple[str, ...]:
        """The pipelines of a trigger's targets; empty when one of them is not of this home."""
        return self._at_home(tuple(target.pipeline.arn_in(self.home) for target in trigger.targets))

    def _of_trigger(self, target: Mapping[str, Any], snapshot: Snapshot) -> tuple[str, ...] | UnknownTrigger:
        event = json_object(target.get("Input"))
        if (event.get("source"), event.get("detail-type")) != (INTERNAL_SOURCE, SCHEDULED_TIME_EVENT):
            return ()
        name = json_object(event.get("detail")).get("trigger")
        trigger = snapshot.by_name.get(name) if isinstance(name, str) else None
        return self.of_trigger(trigger) if trigger else UnknownTrigger(str(name))

    def _at_home(self, arns: tuple[str, ...]) -> tuple[str, ...]:
        return arns if all(pipeline_at_home(arn, self.home) for arn in arns) else ()


def _named(text: object) -> object:
    """The pipeline that the input of a universal target names; None when it names none, or several.

    Which of several names the service takes is not known.
    """
    try:
        fields = json.loads(text, object_pairs_hook=_Fields) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, _Fields):
        return None
    named = [(name, value) for name, value in fields if name.casefold() == "pipelinename"]
    return named[0][1] if [name for name, _ in named] == ["PipelineName"] else None


class _Fields(list[tuple[str, Any]]):
    """A JSON object as it is written, repetitions included."""


def _arn(named: object, home: Home) -> str:
    """The ARN of a pipeline that is named by name or ARN; empty when it is neither."""
    try:
        return PipelineRef.parse(named).arn_in(home) if isinstance(named, str) else ""
    except InvalidInputError:
        return ""
