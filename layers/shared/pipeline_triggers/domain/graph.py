"""Sources → triggers → pipelines: what a set of triggers wires to what, out of their patterns and schedules alone.

A source is named as people speak of it: a bucket, a topic, an endpoint, an alarm, a schedule. What a pattern says
beside that (the kind of event, its keys, its statuses) stands at the link from the source to the trigger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Literal as OneOf

from pipeline_triggers.domain.delivery import undelivered
from pipeline_triggers.domain.loops import EXECUTION_CHANGE, STEP_CHANGE
from pipeline_triggers.domain.pattern_fields import MAX_NAMED, alternatives, described, limited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline_triggers.domain.delivery import Delivered
    from pipeline_triggers.domain.executions import Home, PipelineRef
    from pipeline_triggers.domain.pattern_fields import Alternative
    from pipeline_triggers.domain.triggers import State, Trigger

# In the order in which they are drawn.
Kind = OneOf["s3", "sns", "sagemaker", "alarm", "events", "schedule"]
KINDS: tuple[Kind, ...] = ("s3", "sns", "sagemaker", "alarm", "events", "schedule")


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from, or when: ``S3 bucket raw-data``, ``any endpoint``, ``cron(0 3 * * ? *) Europe/Berlin``.

    ``pipeline`` is the pipeline whose executions it tells of, by name, in lower case; empty for every other source.
    """

    kind: Kind
    label: str
    pipeline: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source that a trigger waits for, and for what of it (``Object Created, key in/*.csv``; may be empty)."""

    source: Source
    trigger: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class TriggerNode:
    """A trigger; ``problems`` say why nothing reaches it, as far as that is known."""

    name: str
    state: State
    set: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineNode:
    """A pipeline. ``id`` tells it from others; ``label`` is its name, with account and Region if they are others."""

    id: str
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Start:
    """A pipeline that a trigger starts: the pipeline's id."""

    trigger: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything in the order in which it is drawn: sources by kind and name, triggers by their first source."""

    sources: tuple[Source, ...]
    triggers: tuple[TriggerNode, ...]
    pipelines: tuple[PipelineNode, ...]
    links: tuple[Link, ...]
    starts: tuple[Start, ...]

    def links_of(self, source: Source) -> list[Link]:
        """The links that begin at a source, in the order of the triggers."""
        return [link for link in self.links if link.source == source]

    def pipelines_of(self, trigger: str) -> list[PipelineNode]:
        """The pipelines that a trigger starts."""
        named = {pipeline.id: pipeline for pipeline in self.pipelines}
        return [named[start.pipeline] for start in self.starts if start.trigger == trigger]

    @property
    def chains(self) -> list[tuple[PipelineNode, Source]]:
        """The pipelines whose executions are a source themselves, with that source."""
        return [
            (pipeline, source)
            for pipeline in self.pipelines
            for source in self.sources
            if source.pipeline and source.pipeline == pipeline.name.casefold()
        ]

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "sources": [{"kind": source.kind, "label": source.label} for source in self.sources],
            "triggers": [
                {"name": node.name, "state": node.state, "set": node.set, "problems": list(node.problems)}
                for node in self.triggers
            ],
            "pipelines": [{"id": node.id, "name": node.name, "label": node.label} for node in self.pipelines],
            "links": [{"source": link.source.label, "trigger": link.trigger, "when": link.when} for link in self.links],
            "starts": [{"trigger": start.trigger, "pipeline": start.pipeline} for start in self.starts],
        }


def graph_of(
    triggers: Sequence[Trigger],
    *,
    home: Home | None = None,
    delivered: Delivered | None = None,
) -> Graph:
    """The graph of some triggers.

    With ``home`` a pipeline is the same whether it is named by name or by ARN. With ``delivered`` triggers are marked
    that wait for events that no rule of the stack delivers.
    """
    links = [Link(source, trigger.name, when) for trigger in triggers for source, when in _merged(_sources_of(trigger))]
    sources = sorted({link.source for link in links}, key=lambda source: (KINDS.index(source.kind), source.label))
    places = {source: place for place, source in enumerate(sources)}
    first: dict[str, int] = {}
    for link in links:
        first[link.trigger] = min(places[link.source], first.get(link.trigger, places[link.source]))
    ordered = sorted(triggers, key=lambda trigger: first[trigger.name])
    links.sort(key=lambda link: first[link.trigger])
    pipelines: dict[str, PipelineNode] = {}
    starts: dict[Start, None] = {}
    for trigger in ordered:
        for target in trigger.targets:
            node = _pipeline(target.pipeline, home)
            pipelines.setdefault(node.id, node)
            starts[Start(trigger.name, node.id)] = None
    return Graph(
        sources=tuple(sources),
        triggers=tuple(
            TriggerNode(
                trigger.name,
                trigger.state,
                trigger.set,
                tuple(undelivered(trigger, delivered)) if delivered is not None else (),
            )
            for trigger in ordered
        ),
        pipelines=tuple(pipelines.values()),
        links=tuple(links),
        starts=tuple(starts),
    )


def _pipeline(ref: PipelineRef, home: Home | None) -> PipelineNode:
    if ref.arn is None:
        return PipelineNode(ref.arn_in(home).casefold() if home else ref.name, ref.name, ref.name)
    region, account = ref.arn.split(":")[3:5]
    is_here = home is not None and (region, account) == (home.region, home.account)
    label = ref.name if is_here else f"{ref.name} ({account}, {region})"
    return PipelineNode(ref.arn.casefold(), ref.name, label)


def _merged(found: Iterable[tuple[Source, str]]) -> Iterator[tuple[Source, str]]:
    """Each source once; what is waited for in several alternatives is joined."""
    whens: dict[Source, dict[str, None]] = {}
    for source, when in found:
        whens.setdefault(source, {})[when] = None
    for source, told in whens.items():
        # An alternative without a condition takes everything of the source.
        yield source, "" if "" in told else limited([*told], "; ")


def _sources_of(trigger: Trigger) -> Iterator[tuple[Source, str]]:
    if trigger.schedule is not None:
        zone = "" if trigger.schedule.timezone == "UTC" else f" {trigger.schedule.timezone}"
        yield Source("schedule", f"{trigger.schedule.expression}{zone}"), ""
    if trigger.pattern is not None:
        for alternative in alternatives(trigger.pattern):
            yield from _sources_of_alternative(alternative)


# ---------------------------------------------------------------------------------------------------------------------
# Naming the sources of a pattern


class _Known(NamedTuple):
    """How sources of a detail-type are named: the noun, the field of their name, the fields of what happens."""

    noun: str
    name: str
    happens: tuple[str, ...]


_SAGEMAKER: Mapping[str, _Known] = {
    "SageMaker Endpoint State Change": _Known("endpoint", "EndpointName", ("EndpointStatus",)),
    "SageMaker Endpoint Deployment State Change": _Known("endpoint", "EndpointName", ("EndpointStatus",)),
    "SageMaker Training Job State Change": _Known("training job", "TrainingJobName", ("TrainingJobStatus",)),
    "SageMaker Processing Job State Change": _Known("processing job", "ProcessingJobName", ("ProcessingJobStatus",)),
    "SageMaker Transform Job State Change": _Known("transform job", "TransformJobName", ("TransformJobStatus",)),
    "SageMaker HyperParameter Tuning Job State Change": _Known(
        "tuning job", "HyperParameterTuningJobName", ("HyperParameterTuningJobStatus",)
    ),
    "SageMaker Model Package State Change": _Known(
        "model group", "ModelPackageGroupName", ("ModelApprovalStatus", "ModelPackageStatus")
    ),
    EXECUTION_CHANGE: _Known("pipeline", "pipelineArn", ("currentPipelineExecutionStatus",)),
    STEP_CHANGE: _Known("pipeline", "pipelineArn", ("stepName", "currentStepStatus")),
}


def _sources_of_alternative(conditions: Alternative) -> Iterator[tuple[Source, str]]:
    for source in conditions.get(("source",), [{"exists": True}]):
        if source == "aws.s3":
            yield from _of_s3(conditions)
        elif source == "aws.sns":
            when = _wanted(conditions, ("detail", "Message"))
            for name in _values(conditions, ("detail", "TopicArn"), after=":"):
                yield Source("sns", _called("SNS topic", name)), when
        elif source == "aws.cloudwatch":
            when = _wanted(conditions, ("detail", "state", "value"))
            for name in _values(conditions, ("detail", "alarmName")):
                yield Source("alarm", _called("alarm", name)), when
        elif source == "aws.sagemaker":
            yield from _of_sagemaker(conditions)
        else:
            label = "any event" if source == {"exists": True} else f"events of {described(source)}"
            yield Source("events", label), _when(conditions)


def _of_s3(conditions: Alternative) -> Iterator[tuple[Source, str]]:
    parts = [_when(conditions)]
    keys = [described(entry) for entry in conditions.get(("detail", "object", "key"), [])]
    parts += [f"key {limited(keys)}"] if keys else []
    for name in _values(conditions, ("detail", "bucket", "name")):
        yield Source("s3", _called("S3 bucket", name)), ", ".join(filter(None, parts))


def _of_sagemaker(conditions: Alternative) -> Iterator[tuple[Source, str]]:
    for detail_type in conditions.get(("detail-type",), [""]):
        known = _SAGEMAKER.get(detail_type) if isinstance(detail_type, str) else None
        if known is None:
            told = described(detail_type) if detail_type else ""
            yield Source("sagemaker", "SageMaker"), told.removeprefix("SageMaker ")
            continue
        happens = [
            limited([described(entry) for entry in conditions[("detail", field)]])
            for field in known.happens
            if ("detail", field) in conditions
        ]
        for name in _values(conditions, ("detail", known.name), after=":pipeline/"):
            pipeline = name.casefold() if known.noun == "pipeline" else ""
            yield Source("sagemaker", _called(known.noun, name), pipeline), ", ".join(happens)


def _when(conditions: Alternative) -> str:
    """The detail-types that are wanted."""
    return limited([described(entry) for entry in conditions.get(("detail-type",), [])])


def _wanted(conditions: Alternative, at: tuple[str, ...]) -> str:
    """What is wanted of a field, or of the fields below it: ``model churn, action there``."""
    told = [
        f"{'.'.join(path[len(at) :])} {limited([described(entry) for entry in entries])}".strip()
        for path, entries in conditions.items()
        if path[: len(at)] == at
    ]
    return limited(told, ", ")


def _values(conditions: Alternative, path: tuple[str, ...], after: str = "") -> list[str]:
    """The values that a field is wanted to have, each by itself; one empty text when it does not matter.

    Of ARNs only what stands behind ``after``, if it is in them. Too many values become one text.
    """
    values = [described(entry) for entry in conditions.get(path, [])]
    if after:
        values = [value.rpartition(after)[2] for value in values]
    return [limited(values)] if len(values) > MAX_NAMED else values or [""]


def _called(noun: str, name: str) -> str:
    return f"{noun} {name}" if name else f"any {noun}"
