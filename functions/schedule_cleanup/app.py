"""Lambda handler for deleted pipelines and sweeps: no schedule is left that starts what no longer exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.observability import logger, metrics
from pipeline_triggers.wiring.cleanup import cleaner

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delete the schedules of pipelines that are gone; answer with partial batch failures, or the report."""
    return cleaner().answer(event, context)
