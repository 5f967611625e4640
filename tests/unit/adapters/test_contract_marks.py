"""What the marks of broken contracts on DynamoDB add to their contract: many, large ones, outages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.contract_marks import DynamoContractMarks
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import FakeClock
from tests.samples import PIPELINE_ARN, trigger

TABLE = "test-triggers"
SINCE = datetime(2026, 3, 14, 12, tzinfo=UTC)
LARGE = Definition({f"Parameter{number}": Declared(enum=("v" * 1000, "w" * 1000)) for number in range(200)})


@pytest.fixture
def marks(clients: Clients) -> DynamoContractMarks:
    return DynamoContractMarks(clients, TABLE)


def test_more_marks_than_an_answer_holds_are_all_read(clients: Clients, marks: DynamoContractMarks) -> None:
    def two_at_a_time(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 2

    arns = [f"{PIPELINE_ARN}-{number}" for number in range(5)]
    for arn in arns:
        marks.mark(arn, Definition({}), SINCE)
    clients.dynamodb.meta.events.register("before-parameter-build.dynamodb.Query", two_at_a_time)
    assert [broken.arn for broken in marks.broken()] == arns


def test_a_large_definition_comes_back_whole(marks: DynamoContractMarks) -> None:
    marks.mark(PIPELINE_ARN, LARGE, SINCE)
    (broken,) = marks.broken()
    assert broken.definition == LARGE


def test_the_triggers_themselves_are_not_touched(clients: Clients, marks: DynamoContractMarks) -> None:
    store = DynamoTriggerStore(clients, TABLE, FakeClock())
    store.write(Snapshot(0, (trigger("on-upload"),)), expected_revision=0, by="ann")
    marks.mark(PIPELINE_ARN, LARGE, SINCE)
    assert (store.current().revision, store.current().orphaned) == (1, {})
    marks.mend(PIPELINE_ARN)
    assert [each.name for each in store.load().triggers] == ["on-upload"]


@pytest.mark.parametrize("call", ["broken", "mark", "mend"])
def test_every_failure_is_worth_trying_again(aws_environment: None, call: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "broken": (),
        "mark": (PIPELINE_ARN, Definition({}), SINCE),
        "mend": (PIPELINE_ARN,),
    }
    with mock_aws():
        marks = DynamoContractMarks(Clients(region="us-east-1"), "no-such-table")
        with pytest.raises(TransientError) as raised:
            getattr(marks, call)(*arguments[call])
    assert raised.value.reason == "unavailable"
