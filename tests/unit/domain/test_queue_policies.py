"""Whether a queue takes what a service sends, by its policy."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.domain.queue_policies import verdict

QUEUE = "arn:aws:sqs:us-east-1:123456789012:sns-event"
TOPIC = "arn:aws:sns:us-east-1:123456789012:uploads"
SNS = "sns.amazonaws.com"
ALLOW: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": SNS},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}
DENY = {**ALLOW, "Effect": "Deny"}
TLS = {**DENY, "Principal": "*", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def judged(*statements: Any) -> str:
    return verdict({"Statement": list(statements)}, queue_arn=QUEUE, service=SNS, source_arn=TOPIC)


def when(**condition: Any) -> dict[str, Any]:
    return {**ALLOW, "Condition": condition}


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW,
        {**ALLOW, "Action": ["sqs:ReceiveMessage", "SQS:Send*"]},
        {**ALLOW, "Action": "*"},
        {**ALLOW, "Resource": "*"},
        {**ALLOW, "Resource": ["arn:aws:sqs:*:123456789012:sns-*"]},
        {**ALLOW, "Principal": "*"},
        {**ALLOW, "Principal": {"AWS": "*"}},
        {**ALLOW, "Principal": {"Service": ["s3.amazonaws.com", SNS]}},
        {key: value for key, value in ALLOW.items() if key != "Resource"},
        when(ArnEquals={"aws:SourceArn": TOPIC}),
        when(ArnLike={"AWS:SourceArn": "arn:aws:sns:us-east-1:123456789012:*"}),
        when(ArnEquals={"aws:SourceArn": ["arn:aws:sns:us-east-1:1:x", TOPIC]}),
        when(StringEquals={"aws:SourceArn": TOPIC, "aws:SourceAccount": "123456789012"}),
        when(StringLike={"aws:SourceArn": "arn:aws:sns:*:upload?"}),
        when(ArnLikeIfExists={"aws:SourceArn": TOPIC}),
        when(Bool={"aws:SecureTransport": True}),
    ],
)
def test_a_statement_that_allows_it_does(statement: dict[str, Any]) -> None:
    assert judged(statement, TLS) == "allowed"


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW, "Principal": {"Service": "events.amazonaws.com"}},
        {**ALLOW, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {**ALLOW, "Action": "sqs:ReceiveMessage"},
        {**ALLOW, "Resource": f"{QUEUE}2"},
        {**ALLOW, "Effect": "allow"},
        {key: value for key, value in ALLOW.items() if key != "Principal"},
        when(ArnEquals={"aws:SourceArn": f"{TOPIC}2"}),
        when(StringEquals={"aws:SourceArn": "arn:aws:sns:*"}),
        when(StringEquals={"aws:SourceAccount": "210987654321"}),
        when(ArnEquals={"aws:SourceArn": TOPIC}, StringEquals={"aws:SourceAccount": "1"}),
        when(Bool={"aws:SecureTransport": "false"}),
        "nonsense",
    ],
)
def test_a_statement_that_is_about_something_else_allows_nothing(statement: Any) -> None:
    assert judged(statement, TLS) == "refused"


def test_a_policy_without_statements_refuses() -> None:
    assert verdict({}, queue_arn=QUEUE, service=SNS, source_arn=TOPIC) == "refused"


def test_a_denial_wins() -> None:
    assert judged(ALLOW, DENY) == "refused"
    assert judged(DENY, ALLOW) == "refused"


@pytest.mark.parametrize(
    "statement",
    [
        when(StringEquals={"aws:PrincipalOrgID": "o-1"}),
        when(StringNotEquals={"aws:SourceAccount": "1"}),
        when(Null={"aws:SourceArn": "false"}),
        {**ALLOW, "NotAction": "sqs:DeleteQueue"},
        {**ALLOW, "Condition": "nonsense"},
    ],
)
def test_what_cannot_be_judged_is_unclear(statement: dict[str, Any]) -> None:
    assert judged(statement) == "unclear"
    assert judged(ALLOW, {**statement, "Effect": "Deny"}) == "unclear"
    assert judged(ALLOW, statement) == "allowed"


def test_one_condition_that_does_not_hold_decides() -> None:
    mixed = when(StringEquals={"aws:PrincipalOrgID": "o-1", "aws:SourceAccount": "1"})
    assert judged(mixed) == "refused"


def test_brackets_in_a_policy_mean_themselves() -> None:
    assert judged(when(ArnLike={"aws:SourceArn": TOPIC.replace("uploads", "[u]ploads")})) == "refused"
