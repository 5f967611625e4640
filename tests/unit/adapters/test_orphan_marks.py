"""What the marks on DynamoDB add to their contract: one small item, many at once, two writers, outages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.items import MAX_ITEM_BYTES, size_of, to_item
from pipeline_triggers.adapters.orphan_marks import KEY, MAX_MARKS, DynamoOrphanMarks
from pipeline_triggers.errors import TransientError

TABLE = "test-triggers"
SINCE = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def marks(clients: Clients) -> DynamoOrphanMarks:
    return DynamoOrphanMarks(clients, TABLE)


def arn(number: int) -> str:
    """A pipeline with a name as long as names may be."""
    return f"arn:aws-us-gov:sagemaker:us-gov-east-1:123456789012:pipeline/{number:04d}-{'x' * 251}"


def test_more_than_one_expression_holds_are_marked_and_revived(marks: DynamoOrphanMarks) -> None:
    arns = [arn(number) for number in range(120)]
    marks.mark(arns, SINCE)
    assert marks.marked() == dict.fromkeys(arns, SINCE)
    marks.revive(arns[:-1])
    assert marks.marked() == {arns[-1]: SINCE}


def test_the_item_stays_small_however_many_are_gone(clients: Clients, marks: DynamoOrphanMarks) -> None:
    marks.mark(map(arn, range(MAX_MARKS + 30)), SINCE)
    marks.mark([arn(9999)], SINCE)
    assert set(marks.marked()) == {arn(number) for number in range(MAX_MARKS)}
    answer: Any = clients.dynamodb.get_item(TableName=TABLE, Key=to_item(KEY))
    assert size_of(answer["Item"]) < MAX_ITEM_BYTES / 2


def test_what_changes_nothing_writes_nothing(clients: Clients, marks: DynamoOrphanMarks) -> None:
    marks.mark([arn(1)], SINCE)
    clients.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", _refuse)
    marks.mark([arn(1)], SINCE + timedelta(hours=1))
    marks.revive([arn(2)])
    assert marks.marked() == {arn(1): SINCE}


def test_two_that_mark_at_once_undo_nothing(clients: Clients, marks: DynamoOrphanMarks) -> None:
    """The other one marks between this one's read and its write."""
    other = DynamoOrphanMarks(Clients(region="us-east-1"), TABLE)

    def mark_first(**_: Any) -> None:
        other.mark([arn(1), arn(2)], SINCE)

    clients.dynamodb.meta.events.register_first("provide-client-params.dynamodb.UpdateItem", mark_first)
    marks.mark([arn(2), arn(3)], SINCE + timedelta(hours=1))
    assert marks.marked() == {arn(1): SINCE, arn(2): SINCE, arn(3): SINCE + timedelta(hours=1)}


def test_a_table_that_cannot_be_reached_is_unavailable(clients: Clients) -> None:
    lost = DynamoOrphanMarks(clients, "no-such-table")
    for call in (lost.marked, lambda: lost.mark([arn(1)], SINCE), lambda: lost.revive([arn(1)])):
        with pytest.raises(TransientError) as raised:
            call()
        assert raised.value.reason == "unavailable"


def _refuse(**_: Any) -> None:
    raise AssertionError("something was written")
