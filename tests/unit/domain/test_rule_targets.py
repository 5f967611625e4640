"""Which targets of rules are pipelines, and what is kept of one."""

from __future__ import annotations

import pytest

from pipeline_triggers.domain.cleanup_records import KeptDefinition
from pipeline_triggers.domain.rule_targets import is_pipeline, kept_definition
from pipeline_triggers.domain.rules import RuleTarget
from tests.fakes.clock import NOON
from tests.samples import PIPELINE_ARN


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (PIPELINE_ARN, True),
        (PIPELINE_ARN.upper(), True),
        (PIPELINE_ARN.replace("arn:aws:", "arn:aws-cn:"), True),
        (f"{PIPELINE_ARN}/execution/abc", True),
        ("arn:aws:sqs:us-east-1:123456789012:pipeline/churn", False),
        ("arn:aws:codepipeline:us-east-1:123456789012:churn", False),
        ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/pipeline/x", False),
        ("arn:aws:sagemaker:us-east-1:123456789012:pipeline/", False),
        (f" {PIPELINE_ARN}", False),
        ("", False),
    ],
)
def test_a_target_is_a_pipeline_by_its_arn(arn: str, expected: bool) -> None:
    assert is_pipeline(arn) is expected


def test_what_is_kept_of_a_target_is_enough_to_put_it_back() -> None:
    arn = PIPELINE_ARN.replace("churn", "Churn")
    document = {"Id": "1", "Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/r"}
    rule_arn = "arn:aws:events:us-east-1:123456789012:rule/team/on-upload"
    target = RuleTarget(rule_arn, "team", "on-upload", "1", arn, document)
    assert kept_definition(target, NOON) == KeptDefinition(
        kind="rule-target",
        arn=f"{rule_arn}#1",
        pipeline_arn=PIPELINE_ARN,
        document={"Rule": "on-upload", "EventBusName": "team", "RuleArn": rule_arn, "Target": document},
        deleted_at=NOON,
    )
