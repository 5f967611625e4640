"""The loop guard, which finds patterns that admit the execution events of a pipeline that they start.

EventBridge cannot tell, and each run would start the next for ever. The guard makes the events that SageMaker would
emit for the pipeline, in every status, and asks the pattern. What the events cannot know (account, Region, names of
steps) is taken from the pattern itself, so that a pattern that names them is judged by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.executions import Home, display_name_of
from pipeline_triggers.domain.patterns import EventPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.executions import PipelineRef

EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
STEP_CHANGE = "SageMaker Model Building Pipeline Execution Step Status Change"
_ENDED = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")
_STATUSES = ("Executing", "Stopping", *_ENDED)
_STEP_STATUSES = ("Starting", "Executing", "Succeeded", "Failed", "Stopping", "Stopped")
_STEP_TYPES = (
    "Training",
    "Processing",
    "Transform",
    "Tuning",
    "Model",
    "RegisterModel",
    "Condition",
    "Lambda",
    "Callback",
)

# A pattern of 4,096 characters cannot name many; the bound keeps a hostile one from costing minutes.
_MAX_CANDIDATES = 500
_ANYWHERE = Home("aws", "123456789012", "us-east-1")
_ARN = re.compile(r"arn:(aws[a-z-]*):sagemaker:([a-z0-9-]+):(\d{12}):")


def admitted(pattern: EventPattern, pipeline: PipelineRef, display_name: str) -> str:
    """Describe an event of the pipeline's own executions that the pattern admits; empty when there is none.

    ``display_name`` is the prefix that the target gives its executions.
    """
    document = pattern.document
    head: dict[str, Any] = {key: document[key] for key in ("source", "detail-type") if key in document}
    details = {EXECUTION_CHANGE: list(_executions(display_name)), STEP_CHANGE: list(_steps(document))}
    for detail_type, candidates in details.items():
        if head and not EventPattern(head).matches({"source": "aws.sagemaker", "detail-type": detail_type}):
            continue
        for home, arn in islice(_arns(pipeline, document), _MAX_CANDIDATES):
            for detail, said in candidates:
                if pattern.matches(_event(home, arn, detail_type, detail)):
                    return f"{detail_type}, {said}"
    return ""


def _arns(pipeline: PipelineRef, document: Mapping[str, Any]) -> Iterator[tuple[Home, str]]:
    """Where the pipeline may live, and its ARN in each spelling that SageMaker may report (it lower-cases some)."""
    for home in [_home_of(pipeline.arn)] if pipeline.arn else _homes(document):
        arn = pipeline.arn_in(home)
        as_in_pattern = (text for text in _texts(document) if text.casefold() == arn.casefold())
        yield from ((home, spelling) for spelling in dict.fromkeys([arn, arn.lower(), *as_in_pattern]))


def _home_of(arn: str) -> Home:
    _, partition, _, region, account, _ = arn.split(":", 5)
    return Home(partition, account, region)


def _homes(document: Mapping[str, Any]) -> list[Home]:
    """The accounts and Regions that the pattern speaks of: those of its ARNs, and those that it wants."""
    named = [Home(found[1], found[3], found[2]) for text in _texts(document) for found in _ARN.finditer(text)]
    accounts = [text for text in _texts_under(document, "account") if re.fullmatch(r"\d{12}", text, re.ASCII)]
    regions = [text for text in _texts_under(document, "region") if re.fullmatch(r"[a-z0-9-]+", text)]
    if not named or accounts or regions:
        base = named[0] if named else _ANYWHERE
        pairs = product([*accounts, base.account], [*regions, base.region])
        named += [Home(base.partition, account, region) for account, region in pairs]
    return list(dict.fromkeys(named))


def _event(home: Home, arn: str, detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    execution = f"{arn}/execution/0a1b2c3d4e5f"
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": detail_type,
        "source": "aws.sagemaker",
        "account": home.account,
        "time": "2030-01-01T00:00:00Z",
        "region": home.region,
        "resources": [arn, execution],
        "detail": {**detail, "pipelineArn": arn, "pipelineExecutionArn": execution},
        "via": [],
    }


def _executions(display_name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The details of execution status changes, each with its status in words."""
    for status, previous in product(_STATUSES, (None, *_STATUSES)):
        yield (
            {
                "pipelineExecutionDisplayName": display_name_of(display_name, "0" * 64),
                "pipelineExecutionDescription": f"trigger {display_name}",
                "currentPipelineExecutionStatus": status,
                "previousPipelineExecutionStatus": previous,
                "executionStartTime": "2030-01-01T00:00:00Z",
                **({"executionEndTime": "2030-01-01T01:00:00Z"} if status in _ENDED else {}),
            },
            f"currentPipelineExecutionStatus {status}",
        )


def _steps(document: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The details of step status changes, each with its status in words."""
    names = list(_texts_under(document, "stepName")) or ["Train"]
    kinds = list(_texts_under(document, "stepType")) or list(_STEP_TYPES)
    for status, name, kind in islice(product(_STEP_STATUSES, names, kinds), _MAX_CANDIDATES):
        yield (
            {
                "metadata": {},
                "stepName": name,
                "stepType": kind,
                "currentStepStatus": status,
                "previousStepStatus": "Starting",
                "stepStartTime": "2030-01-01T00:00:00Z",
                "stepEndTime": "2030-01-01T01:00:00Z",
                "failureReason": "",
                "cacheHitResult": {},
            },
            f"currentStepStatus {status}",
        )


def _texts(value: object) -> Iterator[str]:
    """All texts inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _texts_under(value: object, key: str) -> Iterator[str]:
    """All texts inside the values that stand under a key, wherever it is."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner) if name == key else _texts_under(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_under(inner, key)
