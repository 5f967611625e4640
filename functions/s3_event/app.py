"""Lambda handler for S3: EventBridge's object events, S3 notifications, alone or in SQS messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.observability import logger, metrics
from pipeline_triggers.wiring.events import prepare, worker

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

prepare()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start what the events are to start; answer with partial batch failures, or the decisions of a bare event."""
    return worker().answer(event, context)
