"""What the stack's rules deliver to its triggers, and which triggers wait for events that no rule delivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.triggers import Trigger

# Detail-types that the template's rules select, by source: the beginning, which for alarms is the whole.
ALWAYS_DELIVERED: Mapping[str, str] = {
    "aws.s3": "Object ",
    "aws.sagemaker": "SageMaker ",
    "aws.cloudwatch": "CloudWatch Alarm State Change",
    "aws.sns": "",
    "pipeline-triggers": "",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the parameters of the stack let through.

    ``buckets`` empty means every bucket that sends to EventBridge; ``default_bus_sources`` are further sources of the
    default event bus; ``custom_bus`` says that the stack listens to an event bus of its own too.
    """

    buckets: tuple[str, ...] = ()
    default_bus_sources: tuple[str, ...] = ()
    custom_bus: bool = False


def undelivered(trigger: Trigger, delivered: Delivered) -> list[str]:
    """What the trigger's pattern asks for exactly and no rule of the stack delivers, one sentence each.

    Sources that are written as prefixes, wildcards and the like are not judged. Neither are events that come inside
    SNS messages from a trusted topic, so this is a warning and no error.
    """
    if trigger.pattern is None:
        return []
    said = [
        sentence
        for branch in _branches(trigger.pattern.document)
        for source in _exact(branch.get("source"))
        for sentence in _judge(source, branch, delivered)
    ]
    return list(dict.fromkeys(said))


def _branches(pattern: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pattern once for each alternative of a top-level ``$or``, merged with what stands beside it."""
    alternatives = pattern.get("$or")
    rest = {key: value for key, value in pattern.items() if key != "$or"}
    if not isinstance(alternatives, list | tuple):
        yield rest
        return
    for alternative in alternatives:
        yield from _branches({**rest, **alternative})


def _exact(values: object) -> Sequence[str]:
    """The plain strings of a pattern's list of values."""
    return [value for value in values if isinstance(value, str)] if isinstance(values, list | tuple) else []


def _judge(source: str, branch: Mapping[str, Any], delivered: Delivered) -> Iterator[str]:
    if source in delivered.default_bus_sources or (delivered.custom_bus and not source.startswith("aws.")):
        return
    beginning = ALWAYS_DELIVERED.get(source)
    if beginning is None:
        yield f"no rule of the stack delivers events of {source}: {_remedy(source)}"
        return
    for detail_type in _exact(branch.get("detail-type")):
        if not detail_type.startswith(beginning):
            yield f"no rule of the stack delivers {detail_type!r} of {source}: {_remedy(source)}"
    if source == "aws.s3" and delivered.buckets:
        for bucket in _buckets(branch):
            if bucket not in delivered.buckets:
                yield f"no rule of the stack delivers events of the bucket {bucket}: add it to BucketNames"


def _remedy(source: str) -> str:
    if source.startswith("aws."):
        return "add it to the stack's parameter DefaultBusSources"
    return "add it to the stack's parameter DefaultBusSources, or name its event bus in EventBusName"


def _buckets(branch: Mapping[str, Any]) -> Sequence[str]:
    """The bucket names that ``detail.bucket.name`` lists exactly."""
    found: object = branch
    for key in ("detail", "bucket", "name"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return _exact(found)
