"""Rules and schedules of EventBridge that start pipelines, as they stand in an account, and what is silently wrong.

Neither service says when an event or a time starts nothing, or something else than was meant. What can be told from the
definitions alone is told here; whether pipelines, roles and queues exist is asked elsewhere (``importing``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf

from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.domain.rule_targets import is_pipeline
from pipeline_triggers.domain.schedule_plans import CONTEXT_ATTRIBUTES, is_universal, parameters_of
from pipeline_triggers.domain.templates import is_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.rules import RuleDefinition

Level = OneOf["wrong", "note"]

# What EventBridge and EventBridge Scheduler do where nobody says otherwise (their user guides, "Retry policy").
RETRY_SECONDS, RETRY_ATTEMPTS = 86400, 185

# The fields of every event; AWS's own events have no others.
_ENVELOPE = (
    "version", "id", "source", "account", "time", "region", "resources", "detail-type", "detail", "replay-name",
)  # fmt: skip
# Names of parameters in the target of a rule (service model of EventBridge, SageMakerPipelineParameterName); SageMaker
# itself also takes underscores.
_RULE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
# What EventBridge reads as a path (service model of Pipes; the user guide, "Amazon EventBridge input transformation").
_RULE_PATH = re.compile(r"\$(\.[\w/-]+(\[(\d+|\*)\])*)*", re.ASCII)
# A path that somebody has put into a text, with whatever was meant to mark it.
_EMBEDDED = re.compile(r"(?:\$\{|<|\{+)?(\$\.[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\])*)(?:>|\}+)?", re.ASCII)
_SCHEDULER_WORD = re.compile(r"<aws\.scheduler\.[^>]*>")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an original that its owner may not know: ``wrong`` loses or starts what it should not."""

    code: str
    text: str
    level: Level = "wrong"


@dataclass(frozen=True, slots=True)
class Original:
    """A rule or a schedule as it stands in the account. ``place`` is its event bus, or its schedule group."""

    kind: OneOf["rule", "schedule"]
    arn: str
    place: str
    name: str
    enabled: bool

    @property
    def label(self) -> str:
        """What it is called in sentences."""
        around = "event bus" if self.kind == "rule" else "group"
        return f"{self.kind} {self.name} ({around} {self.place})"


def starts_pipeline(target: Mapping[str, Any]) -> bool:
    """Whether the target of a rule is a pipeline."""
    return is_pipeline(str(target.get("Arn", ""))) or "SageMakerPipelineParameters" in target


def rule_findings(rule: RuleDefinition, targets: Sequence[Mapping[str, Any]], others: int) -> list[Finding]:
    """What is to be known about a rule: of its ``targets`` that are pipelines, and that it has ``others``."""
    document = rule.document
    found: list[Finding] = []
    if document.get("State") == "DISABLED":
        found.append(Finding("disabled", "is disabled and starts nothing", "note"))
    if document.get("ManagedBy"):
        found.append(Finding("managed", f"is managed by {document['ManagedBy']}, which alone changes it", "note"))
    if others:
        noun = (
            "a target that is no pipeline and stays"
            if others == 1
            else f"{others} targets that are no pipelines and stay"
        )
        found.append(Finding("other-targets", f"has {noun} with it", "note"))
    scheduled = "EventPattern" not in document
    if not scheduled and '"aws.sagemaker"' in document["EventPattern"]:
        said = "starts its pipelines once for each event, and SageMaker may send several about one change"
        found.append(Finding("several-events", said, "note"))
    for target in targets:
        named = f"target {target.get('Id', '')}: " if len(targets) > 1 else ""
        for finding in _target_findings(target, scheduled=scheduled):
            found.append(Finding(finding.code, f"{named}{finding.text}", finding.level))
    return found


def _target_findings(target: Mapping[str, Any], *, scheduled: bool) -> Iterator[Finding]:
    yield from _delivery_findings(target, "an event")
    if not target.get("RoleArn"):
        yield Finding("role-missing", "names no role: EventBridge has no right to start the pipeline")
    ignored = [key for key in ("Input", "InputPath", "InputTransformer") if target.get(key)]
    if ignored:
        yield Finding("input-ignored", f"has {' and '.join(ignored)}, which no pipeline gets: it gets parameters")
    parameters = parameters_of(target)
    for name, value in parameters.items():
        if not _RULE_NAME.fullmatch(name):
            said = (
                f"{name}: a rule's parameters have letters, digits and inner hyphens in their names, says EventBridge"
            )
            yield Finding("parameter-name", f"{said}: this one may never have been sent")
        yield from _rule_value_findings(name, value, scheduled=scheduled)
    if any(is_path(value) for value in parameters.values()):
        said = "what becomes of a path that finds nothing is not documented: it was seen to become an empty text, "
        yield Finding("missing-values", f"{said}which SageMaker refuses", "note")


def _rule_value_findings(name: str, value: str, *, scheduled: bool) -> Iterator[Finding]:
    """What the value of a rule's parameter does that it does not seem to do."""
    if is_path(value):
        first = re.match(r"\$\.([\w-]+)", value)
        if not _RULE_PATH.fullmatch(value):
            said = f"{name}: EventBridge reads dots, indices and *, and finds nothing by {value}"
            yield Finding("path-unsupported", said)
        elif first and first[1] not in _ENVELOPE:
            yield Finding("path-nowhere", f"{name}: {value} finds nothing: no event has a field {first[1]}")
        elif first and first[1] == "detail" and scheduled:
            yield Finding("path-nowhere", f"{name}: {value} finds nothing: the event of a schedule has an empty detail")
    elif _EMBEDDED.search(value):
        said = f"{name}: {value} is sent as it is written: a rule reads only a value that is a path as a whole"
        yield Finding("not-a-path", f"{said}. Was {as_template(value)} meant?")
    elif _SCHEDULER_WORD.search(value):
        yield Finding("not-filled-in", f"{name}: {value} is sent as it is written: only schedules fill that in")
    elif not value:
        yield Finding("empty-value", f"{name}: is empty, which SageMaker refuses")


def as_template(value: str) -> str:
    """A text in which somebody has put paths, as a template of this application would write it."""
    return _EMBEDDED.sub(r"<\1>", value)


def schedule_findings(document: Mapping[str, Any]) -> list[Finding]:
    """What is to be known about a schedule, as GetSchedule answers it, that starts a pipeline itself."""
    return list(_schedule_findings(document))


def _schedule_findings(document: Mapping[str, Any]) -> Iterator[Finding]:
    target = document["Target"]
    if document.get("State", "ENABLED") == "DISABLED":
        yield Finding("disabled", "is disabled and starts nothing", "note")
    yield from _delivery_findings(target, "a start")
    if (
        str(document.get("ScheduleExpression", "")).startswith("at(")
        and document.get("ActionAfterCompletion") != "DELETE"
    ):
        yield Finding("stays", "stays in the account when its time has passed", "note")
    for name, value in pipeline_parameters(target).items():
        if is_path(value) or _EMBEDDED.search(value):
            yield Finding("not-a-path", f"{name}: {value} is sent as it is written: schedules read no paths")
        for word in _SCHEDULER_WORD.findall(value):
            if word not in CONTEXT_ATTRIBUTES:
                said = f"{name}: {word} is sent as it is written: there are {', '.join(CONTEXT_ATTRIBUTES)}"
                yield Finding("not-filled-in", said)
    if is_universal(str(target["Arn"])):
        yield from _token_findings(json_object(target.get("Input")).get("ClientRequestToken"))


def _token_findings(token: object) -> Iterator[Finding]:
    """What the client request token of a universal target makes of repetitions."""
    if not isinstance(token, str) or "<aws.scheduler.execution-id>" in token:
        yield Finding("no-token", "may start the pipeline twice for one time: no token tells a repeated attempt")
    elif "<aws.scheduler.scheduled-time>" not in token:
        said = "has one ClientRequestToken for all times: SageMaker takes each further start for a repetition"
        yield Finding("fixed-token", said)


def pipeline_parameters(target: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that a schedule's target gives to its pipeline, whichever kind of target it is."""
    if not is_universal(str(target["Arn"])):
        return parameters_of(target)
    listed = json_object(target.get("Input")).get("PipelineParameters")
    pairs = listed if isinstance(listed, list) else []
    return {
        str(pair["Name"]): str(pair["Value"])
        for pair in pairs
        if isinstance(pair, Mapping) and {"Name", "Value"} <= pair.keys()
    }


def _delivery_findings(target: Mapping[str, Any], lost: str) -> Iterator[Finding]:
    """What becomes of what cannot be delivered at once."""
    if not dead_letter_arn(target):
        yield Finding("no-dead-letter-queue", f"has no dead-letter queue: {lost} that fails is dropped without a trace")
    policy = target.get("RetryPolicy") or {}
    attempts = policy.get("MaximumRetryAttempts", RETRY_ATTEMPTS)
    if attempts == 0:
        yield Finding("no-retries", f"does not try again: one throttled call loses {lost}")
    elif policy.get("MaximumEventAgeInSeconds", RETRY_SECONDS) >= RETRY_SECONDS and attempts >= RETRY_ATTEMPTS:
        yield Finding("long-retries", "tries for 24 hours: an execution may start a day late", "note")


def dead_letter_arn(target: Mapping[str, Any]) -> str:
    """The dead-letter queue of a target; empty when it has none."""
    return str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
