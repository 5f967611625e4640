"""What the trigger table on DynamoDB adds to its contract: chunks, races, damage and outages."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.items import to_item
from pipeline_triggers.adapters.orphan_marks import DynamoOrphanMarks
from pipeline_triggers.adapters.trigger_store import POINTER, DynamoTriggerStore
from pipeline_triggers.domain.revisions import Current
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import StaleRevisionError, TransientError
from tests.fakes.clock import FakeClock
from tests.samples import PIPELINE_ARN, trigger

TABLE = "test-triggers"
SINCE = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def store(clients: Clients) -> DynamoTriggerStore:
    return DynamoTriggerStore(clients, TABLE, FakeClock())


def large(name: str) -> Snapshot:
    """Triggers that compress badly: more than one chunk."""
    noise = random.Random(name)
    return Snapshot(0, tuple(trigger(f"{name}-{n}", value=noise.randbytes(512).hex()) for n in range(1200)))


def keys(clients: Clients) -> list[tuple[str, str]]:
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=TABLE, ProjectionExpression="pk, sk")
    return sorted((i["pk"]["S"], i["sk"]["S"]) for page in pages for i in page["Items"])


def test_many_triggers_are_kept_in_several_chunks(clients: Clients, store: DynamoTriggerStore) -> None:
    store.write(large("one"), expected_revision=0, by="ann")
    assert sum(sk.startswith("chunk#") for _, sk in keys(clients)) > 1
    assert store.load().by_name == large("one").by_name


def test_a_writer_that_loses_between_its_chunks_and_the_pointer_leaves_nothing(
    clients: Clients, store: DynamoTriggerStore
) -> None:
    rival = DynamoTriggerStore(Clients(region="us-east-1"), TABLE, FakeClock())

    def write_first(**_: Any) -> None:
        if rival.revision() == 0:
            rival.write(large("rival"), expected_revision=0, by="bob")

    clients.dynamodb.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", write_first)
    with pytest.raises(StaleRevisionError):
        store.write(large("mine"), expected_revision=0, by="ann")
    assert set(store.load().by_name) == set(large("rival").by_name)
    marks = {sk.split("#")[1] for _, sk in keys(clients) if sk.startswith("chunk#")}
    assert len(marks) == 1


def test_a_writer_that_died_before_the_pointer_hinders_nobody(clients: Clients, store: DynamoTriggerStore) -> None:
    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    clients.dynamodb.meta.events.register_first("provide-client-params.dynamodb.TransactWriteItems", die)
    with pytest.raises(KeyboardInterrupt):
        store.write(large("dead"), expected_revision=0, by="ann")
    other = DynamoTriggerStore(Clients(region="us-east-1"), TABLE, FakeClock())
    assert other.revision() == 0
    assert other.write(large("next"), expected_revision=0, by="bob") == 1
    assert set(other.load().by_name) == set(large("next").by_name)


def test_a_write_whose_answer_was_lost_inside_the_sdk_is_done(clients: Clients, store: DynamoTriggerStore) -> None:
    other = Clients(region="us-east-1").dynamodb
    clients.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: other.transact_write_items(**params) and None,
    )
    assert store.write(Snapshot(0, (trigger(),)), expected_revision=0, by="ann") == 1
    assert [t.name for t in store.load().triggers] == ["on-upload"]


def test_a_write_whose_answer_was_lost_may_have_acted(clients: Clients, store: DynamoTriggerStore) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    clients.dynamodb.meta.events.register("after-call.dynamodb.TransactWriteItems", lose)
    with pytest.raises(TransientError) as raised:
        store.write(Snapshot(0, (trigger(),)), expected_revision=0, by="ann")
    assert (raised.value.reason, raised.value.acted) == ("unavailable", True)
    assert store.revision() == 1


def test_a_damaged_revision_keeps_events_waiting_and_names_the_remedy(
    clients: Clients, store: DynamoTriggerStore
) -> None:
    store.write(large("one"), expected_revision=0, by="ann")
    chunk = next(sk for _, sk in keys(clients) if sk.startswith("chunk#"))
    clients.dynamodb.delete_item(TableName=TABLE, Key=to_item({"pk": "revision#1", "sk": chunk}))
    with pytest.raises(TransientError, match="roll back") as raised:
        store.load()
    assert raised.value.reason == "unavailable"


def test_a_revision_of_a_later_version_of_the_program_keeps_events_waiting(
    monkeypatch: pytest.MonkeyPatch, store: DynamoTriggerStore
) -> None:
    monkeypatch.setattr(Snapshot, "to_json", lambda _: '{"from": "the future"}')
    store.write(Snapshot(0, ()), expected_revision=0, by="ann")
    with pytest.raises(TransientError, match="update the stack") as raised:
        store.load()
    assert raised.value.reason == "unavailable"


def test_more_revisions_than_one_batch_are_listed(clients: Clients, store: DynamoTriggerStore) -> None:
    for number in range(103):
        store.write(Snapshot(0, ()), expected_revision=number, by=f"writer-{number}")
    assert [info.revision for info in store.revisions()] == list(range(103, 0, -1))


def test_a_table_that_cannot_be_reached_is_unavailable_whatever_the_cause(clients: Clients) -> None:
    lost = DynamoTriggerStore(clients, "no-such-table", FakeClock())
    for call in (lost.revision, lost.current, lost.load, lost.revisions, lambda: lost.load(3)):
        with pytest.raises(TransientError) as raised:
            call()
        assert raised.value.reason == "unavailable"


def test_the_revision_and_the_marks_are_read_in_one_consistent_call(
    clients: Clients, store: DynamoTriggerStore
) -> None:
    store.write(Snapshot(0, ()), expected_revision=0, by="ann")
    marks = DynamoOrphanMarks(clients, TABLE)
    marks.mark([PIPELINE_ARN], SINCE)
    asked: list[dict[str, Any]] = []
    clients.dynamodb.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
    assert store.current() == Current(1, {PIPELINE_ARN: SINCE})
    [call] = asked
    assert call["RequestItems"][TABLE]["ConsistentRead"] is True


def test_what_dynamodb_leaves_for_later_is_asked_for_again(clients: Clients, store: DynamoTriggerStore) -> None:
    """Read as it came, the triggers would seem to be none."""
    store.write(Snapshot(0, ()), expected_revision=0, by="ann")
    calls = 0

    def leave_the_pointer(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            parsed["Responses"] = {TABLE: []}
            parsed["UnprocessedKeys"] = {TABLE: {"Keys": [to_item(POINTER)], "ConsistentRead": True}}

    clients.dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_the_pointer)
    assert store.current().revision == 1
    assert calls == 2


def test_an_answer_without_the_items_is_no_empty_table(clients: Clients, store: DynamoTriggerStore) -> None:
    def lose(parsed: dict[str, Any], **_: Any) -> None:
        parsed.pop("Responses")

    clients.dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", lose)
    with pytest.raises(TransientError, match="without the items"):
        store.current()
