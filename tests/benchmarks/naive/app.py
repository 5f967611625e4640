"""The rival of the benchmark of cold starts: the handler that most would write by hand for one bucket and pipeline."""

import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext
from jsonpath_ng.ext import parse

logger = Logger()
metrics = Metrics()
tracer = Tracer()
sagemaker = boto3.client("sagemaker")
key = parse("$.detail.object.key")


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
@event_source(data_class=EventBridgeEvent)
def handler(event: EventBridgeEvent, context: LambdaContext) -> dict[str, str]:
    """Start the pipeline with the key of the file."""
    (found,) = key.find(event.raw_event)
    answer = sagemaker.start_pipeline_execution(
        PipelineName=os.environ["PIPELINE"],
        PipelineParameters=[{"Name": "InputUri", "Value": found.value}],
    )
    logger.info("started", extra={"execution": answer["PipelineExecutionArn"]})
    metrics.add_metric(name="Started", unit="Count", value=1)
    return {"execution": answer["PipelineExecutionArn"]}
