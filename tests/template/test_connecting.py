"""What "connect" reads of the stack is as the template makes it: its rule for S3, its queues, its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.adapters.stacks import Stack
from pipeline_triggers.domain.connections import takes_bucket
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.patterns import EventPattern
from pipeline_triggers.domain.queue_policies import verdict
from tests.template.rendering import ACCOUNT, FILLED, PARTITION, REGION, STACK

if TYPE_CHECKING:
    from pipeline_triggers.domain.connections import Ends
    from tests.template.rendering import Rendered

SNS = "sns.amazonaws.com"
OWN = f"arn:aws:sns:{REGION}:{ACCOUNT}:anything"
PARTNER = FILLED["TrustedTopicArns"].split(",")[1]


def ends(stack: Rendered) -> Ends:
    outputs = {name: str(output["Value"]) for name, output in stack.outputs.items()}
    return Stack(STACK, Home(PARTITION, ACCOUNT, REGION), Delivered(), outputs=outputs).ends


def test_the_outputs_name_the_queue_of_topics_and_its_dead_letter_queue(stack: Rendered) -> None:
    assert ends(stack).queue_arn == stack.arn("SnsEventQueue")
    assert ends(stack).dead_letter_arn == stack.arn("UndeliveredQueue")


def test_the_rule_of_buckets_has_the_name_that_is_looked_for(stack: Rendered) -> None:
    assert stack.properties("S3ObjectsRule")["Name"] == ends(stack).s3_rule


def test_without_names_of_buckets_the_rule_takes_every_bucket(empty: Rendered) -> None:
    assert takes_bucket(EventPattern(empty.properties("S3ObjectsRule")["EventPattern"]), "any-bucket")


def test_with_names_of_buckets_the_rule_takes_these_only(filled: Rendered) -> None:
    pattern = EventPattern(filled.properties("S3ObjectsRule")["EventPattern"])
    assert takes_bucket(pattern, "raw-data")
    assert not takes_bucket(pattern, "any-bucket")


@pytest.mark.parametrize("queue", ["SnsEventQueue", "UndeliveredQueue"])
@pytest.mark.parametrize(("topic", "trusted_only"), [(OWN, False), (PARTNER, True)])
def test_the_queues_take_topics_of_the_own_account_and_trusted_ones(
    empty: Rendered, filled: Rendered, queue: str, topic: str, trusted_only: bool
) -> None:
    for stack in (empty, filled):
        policy = stack.properties(f"{queue}Policy")["PolicyDocument"]
        judged = verdict(policy, queue_arn=stack.arn(queue), service=SNS, source_arn=topic)
        assert judged == ("refused" if trusted_only and stack is empty else "allowed")
