"""Which triggers wait for events that no rule of the stack delivers."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.domain.delivery import Delivered, undelivered
from pipeline_triggers.domain.triggers import Trigger


def waiting_for(pattern: dict[str, Any], delivered: Delivered | None = None) -> list[str]:
    document = {"name": "t", "event_pattern": pattern, "targets": [{"pipeline": "p"}]}
    return undelivered(Trigger.from_document(document), delivered or Delivered())


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"], "detail-type": ["Object Created", "Object Deleted"]},
        {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]},
        {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]},
        {"source": ["aws.sns"]},
        {"source": ["pipeline-triggers"], "detail-type": ["Sweep"]},
        {"source": ["aws.s3"]},
    ],
)
def test_what_the_stack_always_delivers_is_not_warned_about(pattern: dict[str, Any]) -> None:
    assert waiting_for(pattern) == []


def test_a_source_that_no_rule_delivers_is_told_with_the_remedy() -> None:
    (said,) = waiting_for({"source": ["aws.glue"]})
    assert "aws.glue" in said
    assert "DefaultBusSources" in said


def test_each_source_of_a_list_is_judged_for_itself() -> None:
    said = waiting_for({"source": ["aws.glue", "aws.s3", "com.example"]})
    assert [sentence.split(":")[0] for sentence in said] == [
        "no rule of the stack delivers events of aws.glue",
        "no rule of the stack delivers events of com.example",
    ]


def test_a_listed_source_is_delivered_with_every_detail_type() -> None:
    delivered = Delivered(default_bus_sources=("aws.glue", "aws.cloudwatch"))
    assert waiting_for({"source": ["aws.glue"]}, delivered) == []
    assert waiting_for({"source": ["aws.cloudwatch"], "detail-type": ["Anything"]}, delivered) == []


@pytest.mark.parametrize(
    ("source", "detail_type"),
    [
        ("aws.s3", "AWS API Call via CloudTrail"),
        ("aws.sagemaker", "AWS API Call via CloudTrail"),
        ("aws.cloudwatch", "CloudWatch Alarm Configuration Change"),
    ],
)
def test_a_detail_type_outside_the_rules_is_told(source: str, detail_type: str) -> None:
    (said,) = waiting_for({"source": [source], "detail-type": [detail_type]})
    assert detail_type in said


def test_a_bucket_outside_the_list_is_told_and_an_empty_list_means_every_bucket() -> None:
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw-data", "other"]}}}
    assert waiting_for(pattern) == []
    (said,) = waiting_for(pattern, Delivered(buckets=("raw-data",)))
    assert "bucket other" in said
    assert "BucketNames" in said


def test_an_own_bus_may_deliver_any_source_but_those_of_aws() -> None:
    delivered = Delivered(custom_bus=True)
    assert waiting_for({"source": ["com.example.features"]}, delivered) == []
    assert len(waiting_for({"source": ["aws.glue"]}, delivered)) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": [{"prefix": "com."}]},
        {"detail-type": ["Scheduled Event"]},
        {"detail": {"status": ["done"]}},
        {"source": [{"anything-but": "aws.sagemaker"}]},
    ],
)
def test_patterns_without_an_exact_source_are_not_warned_about(pattern: dict[str, Any]) -> None:
    assert waiting_for(pattern) == []


def test_each_alternative_of_an_or_is_judged_with_what_stands_beside_it() -> None:
    pattern = {
        "$or": [{"source": ["aws.glue"]}, {"source": ["aws.s3"], "detail-type": ["Object Created"]}],
        "account": ["123456789012"],
    }
    (said,) = waiting_for(pattern)
    assert "aws.glue" in said


def test_the_same_sentence_is_said_once() -> None:
    pattern = {
        "source": ["aws.glue"],
        "$or": [{"account": ["123456789012"]}, {"region": ["us-east-1"]}],
    }
    assert len(waiting_for(pattern)) == 1


def test_a_schedule_waits_for_nothing() -> None:
    document = {"name": "t", "schedule_expression": "rate(1 day)", "targets": [{"pipeline": "p"}]}
    assert undelivered(Trigger.from_document(document), Delivered()) == []
