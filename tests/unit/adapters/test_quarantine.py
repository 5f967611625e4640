"""What the quarantine on DynamoDB adds to its contract: large bodies and outages."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import FakeClock
from tests.integration.tables import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "test-quarantine"


@pytest.fixture
def clients(aws_environment: None) -> Iterator[Clients]:
    with mock_aws():
        clients = Clients(region="us-east-1")
        create_table(clients, "quarantine")
        yield clients


@pytest.fixture
def quarantine(clients: Clients) -> DynamoQuarantine:
    return DynamoQuarantine(clients, TABLE, FakeClock())


def item(body: str = "{}") -> Quarantined:
    return Quarantined("m-1", "malformed-event", "queue", FakeClock().now(), body)


def noise(size: int) -> str:
    """Text that compresses to about half its size."""
    return random.Random(size).randbytes(size // 2).hex()


def test_the_largest_message_of_sqs_comes_back(clients: Clients, quarantine: DynamoQuarantine) -> None:
    body = noise(1_048_576)
    quarantine.put(item(body))
    assert quarantine.get("m-1").body == body
    assert clients.dynamodb.scan(TableName=TABLE, Select="COUNT")["Count"] > 2
    assert [listed.id for listed in quarantine.list()] == ["m-1"]


def test_many_decisions_and_triggers_fit_too(quarantine: DynamoQuarantine) -> None:
    many = replace(
        item(),
        triggers=tuple(f"trigger-{n}" for n in range(5000)),
        decisions=tuple({"trigger": f"trigger-{n}", "message": noise(200)} for n in range(5000)),
    )
    quarantine.put(many)
    assert quarantine.get("m-1") == many


def test_a_large_item_that_is_replaced_does_not_mix_with_the_old_one(quarantine: DynamoQuarantine) -> None:
    quarantine.put(item(noise(1_000_000)))
    quarantine.put(item(noise(900_000)))
    assert quarantine.get("m-1").body == noise(900_000)
    quarantine.put(item("small"))
    assert quarantine.get("m-1").body == "small"


def test_two_writers_of_one_large_item_do_not_mix(clients: Clients, quarantine: DynamoQuarantine) -> None:
    mine, rivals = replace(item(noise(1_000_000)), message="mine"), replace(item(noise(900_000)), message="rival's")
    rival = DynamoQuarantine(Clients(region="us-east-1"), TABLE, FakeClock())

    def come_between(params: dict[str, Any], **_: Any) -> None:
        if params["Item"]["sk"] == {"S": "-"}:
            rival.put(rivals)

    clients.dynamodb.meta.events.register("provide-client-params.dynamodb.PutItem", come_between)
    quarantine.put(mine)
    assert quarantine.get("m-1") == mine


def test_dropping_a_large_item_leaves_nothing(clients: Clients, quarantine: DynamoQuarantine) -> None:
    quarantine.put(item(noise(1_000_000)))
    quarantine.put(item(noise(900_000)))
    quarantine.drop("m-1")
    assert clients.dynamodb.scan(TableName=TABLE, Select="COUNT")["Count"] == 0


def test_a_reason_that_no_list_would_show_is_refused(quarantine: DynamoQuarantine) -> None:
    with pytest.raises(ValueError, match="just because"):
        quarantine.put(replace(item(), reason="just because"))


def test_a_long_message_is_cut(quarantine: DynamoQuarantine) -> None:
    quarantine.put(replace(item(), message="x" * 100_000))
    assert len(quarantine.get("m-1").message) == 2000


def test_a_table_that_cannot_be_reached_is_unavailable(clients: Clients) -> None:
    lost = DynamoQuarantine(clients, "no-such-table", FakeClock())
    for call in (
        lambda: lost.put(item()),
        lambda: list(lost.list()),
        lambda: lost.get("m-1"),
        lambda: lost.drop("m-1"),
    ):
        with pytest.raises(TransientError) as raised:
            call()
        assert raised.value.reason == "unavailable"
