"""Rules of EventBridge and their targets as it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """A target of an EventBridge rule that starts a pipeline.

    ``pipeline_arn`` is as the target writes it. ``document`` is the target as ListTargetsByRule answers it, and as
    PutTargets takes it again. ``managed_by`` is the AWS service whose rule it is, empty for a rule of people.
    """

    rule_arn: str
    bus: str
    rule: str
    id: str
    pipeline_arn: str
    document: Mapping[str, Any]
    managed_by: str = ""

    @property
    def arn(self) -> str:
        """What reports call it: the ARN of its rule and its id, for AWS gives targets no ARN."""
        return f"{self.rule_arn}#{self.id}"


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A rule of EventBridge: ``document`` is what ListRules tells of it."""

    arn: str
    bus: str
    name: str
    document: Mapping[str, Any]

    @property
    def is_enabled(self) -> bool:
        """Whether it delivers; it may do so for CloudTrail's reports of read-only calls, too."""
        return self.document.get("State") != "DISABLED"
