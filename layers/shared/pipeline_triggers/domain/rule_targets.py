"""Targets of EventBridge rules that start a pipeline: which targets do, and what is kept of one before it is removed.

Their rules belong to other people: a clean-up takes targets from them, and never deletes a rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline_triggers.domain.cleanup_records import KeptDefinition

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline_triggers.domain.rules import RuleTarget

_PIPELINE = re.compile(r"arn:[a-z-]+:sagemaker:[^:]*:[^:]*:pipeline/.+", re.IGNORECASE | re.ASCII)


def is_pipeline(target_arn: str) -> bool:
    """Whether the ARN of a target is that of a pipeline, of whatever account and however it is spelt."""
    return _PIPELINE.fullmatch(target_arn) is not None


def kept_definition(target: RuleTarget, deleted_at: datetime) -> KeptDefinition:
    """What is kept of a target before it is removed from its rule."""
    return KeptDefinition(
        kind="rule-target",
        arn=target.arn,
        pipeline_arn=target.pipeline_arn.casefold(),
        document={
            "Rule": target.rule,
            "EventBusName": target.bus,
            "RuleArn": target.rule_arn,
            "Target": target.document,
        },
        deleted_at=deleted_at,
    )
