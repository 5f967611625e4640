"""Predefined event patterns, from which ``new`` writes a first trigger file to be edited."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Predefined:
    """One kind of trigger: what it reacts to, and its event pattern and parameters as commented YAML.

    The YAML texts begin at the left margin; ``render`` indents them.
    """

    summary: str
    pattern: str
    parameters: str


PREDEFINED: Mapping[str, Predefined] = MappingProxyType(
    {
        "s3-upload": Predefined(
            "a file arrives in an S3 bucket (the bucket must send its events to EventBridge)",
            """\
source: [aws.s3]
detail-type: [Object Created]
detail:
  bucket: {name: [my-bucket]}                  # your bucket
  object:
    key: [{wildcard: "in/*.csv"}]              # which keys; suffix and prefix exist too
    size: [{numeric: [">", 0]}]                # no folder markers, no empty files
""",
            """\
InputUri: s3://<$.detail.bucket.name>/<$.detail.object.key>
""",
        ),
        "endpoint-status": Predefined(
            "a SageMaker endpoint goes into service or fails",
            """\
source: [aws.sagemaker]
detail-type: [SageMaker Endpoint State Change]
detail:
  EndpointName: [my-endpoint]                  # your endpoint
  EndpointStatus: [IN_SERVICE, FAILED]         # events write statuses in capitals
""",
            """\
EndpointName: $.detail.EndpointName
EndpointStatus: $.detail.EndpointStatus
""",
        ),
        "training-job": Predefined(
            "a training job ends",
            """\
source: [aws.sagemaker]
detail-type: [SageMaker Training Job State Change]
detail:
  TrainingJobName: [{prefix: my-job-}]         # beware of the jobs that the pipeline itself trains
  TrainingJobStatus: [Completed]               # Failed, Stopped
""",
            """\
TrainingJobName: $.detail.TrainingJobName
ModelOutput: {value: $.detail.OutputDataConfig.S3OutputPath, on_missing: omit}
""",
        ),
        "model-approval": Predefined(
            "a version of a model is approved in the model registry",
            """\
source: [aws.sagemaker]
detail-type: [SageMaker Model Package State Change]
detail:
  ModelPackageGroupName: [my-models]           # your model group
  ModelApprovalStatus: [Approved]              # Rejected, PendingManualApproval
  UpdatedModelPackageFields: [ModelApprovalStatus]   # only when the approval is what changed
""",
            """\
ModelPackageArn: $.detail.ModelPackageArn
""",
        ),
        "pipeline-finished": Predefined(
            "an execution of another pipeline succeeds",
            """\
source: [aws.sagemaker]
detail-type: [SageMaker Model Building Pipeline Execution Status Change]
detail:
  currentPipelineExecutionStatus: [Succeeded]  # Failed, Stopped
  # Another pipeline than the one below: executions must not start each other for ever.
  pipelineArn: [{equals-ignore-case: "arn:aws:sagemaker:us-east-1:123456789012:pipeline/another-pipeline"}]
""",
            """\
UpstreamExecution: $.detail.pipelineExecutionArn
""",
        ),
        "alarm": Predefined(
            "a CloudWatch alarm goes off, such as one on the drift of a model",
            """\
source: [aws.cloudwatch]
detail-type: [CloudWatch Alarm State Change]
detail:
  alarmName: [my-drift-alarm]                  # your alarm
  state: {value: [ALARM]}
""",
            """\
AlarmName: $.detail.alarmName
Reason: {value: $.detail.state.reason, on_missing: omit}
""",
        ),
        "sns": Predefined(
            "a message arrives in an SNS topic (the topic must be connected to the stack)",
            """\
source: [aws.sns]
detail-type: [Notification]
detail:
  TopicArn: [{suffix: ":my-topic"}]            # your topic
""",
            """\
Subject: {value: $.detail.Subject, default: no subject}
# A message that is JSON can be read by path:
# InputUri: $.detail.Message.uri
""",
        ),
    },
)


def render(kind: str, *, name: str, pipeline: str, set: str) -> str:  # noqa: A002 - the word of trigger files
    """A trigger file for one of the kinds of ``PREDEFINED``, with comments on what to edit.

    Raises NotFoundError, with the kinds that there are, for another one. What ``name``, ``pipeline`` and ``set`` may
    be is judged when the file is read.
    """
    if kind not in PREDEFINED:
        raise NotFoundError(f"there is no predefined pattern {kind!r}; there are {', '.join(PREDEFINED)}")
    chosen = PREDEFINED[kind]
    owner = f"set: {_quoted(set)}" if set else "# set: my-set"
    return f"""\
# Starts {_quoted(pipeline)} when {chosen.summary}.
# Check it:  pipeline-triggers lint FILE      Try it:  pipeline-triggers simulate EVENT_FILE --triggers FILE
version: 1
{owner.ljust(43)}# who owns these triggers: prune acts inside a set
triggers:
  - name: {_quoted(name)}
    state: ENABLED                             # SHADOW decides and records, and starts nothing
    event_pattern:                             # EventBridge's language, whole
{_indented(chosen.pattern, 6)}\
    targets:
      - pipeline: {_quoted(pipeline)}
        parameters:                            # names as the pipeline declares them; remove what it has not
{_indented(chosen.parameters, 10)}"""


def _indented(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}\n" for line in text.splitlines())


def _quoted(text: str) -> str:
    """A text as a YAML scalar on one line: in quotes when it is not plainly a word."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9/_-]*", text) and text.lower() != "null":
        return text
    return json.dumps(text)
