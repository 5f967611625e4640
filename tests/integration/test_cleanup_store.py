"""The contract of the memory of clean-ups: the same tests over the fake and over the table in moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.cleanup_store import DynamoCleanupStore
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.items import from_item
from pipeline_triggers.domain.cleanup_records import Indexed, KeptDefinition
from pipeline_triggers.domain.orphans import Orphan
from pipeline_triggers.domain.sweeps import GroupLook, Position
from pipeline_triggers.errors import TransientError
from tests.fakes.cleanup_store import FakeCleanupStore
from tests.fakes.clock import FakeClock
from tests.integration.tables import create_table
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.ports import CleanupStore

ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"
TARGET = "arn:aws:events:us-east-1:123456789012:rule/bus/on-upload#1"
TABLE = "test-cleanup"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(aws_environment: None) -> Iterator[Clients]:
    with mock_aws():
        yield Clients(region="us-east-1")


@pytest.fixture
def dynamo(clients: Clients, clock: FakeClock) -> DynamoCleanupStore:
    return DynamoCleanupStore(clients, create_table(clients, "cleanup"), clock)


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> CleanupStore:
    if request.param == "fake":
        return FakeCleanupStore()
    found: CleanupStore = request.getfixturevalue("dynamo")
    return found


def definition(clock: FakeClock, **document: Any) -> KeptDefinition:
    now = clock.now()
    return KeptDefinition("schedule", ARN, PIPELINE_ARN, {"Name": "nightly", **document}, now, now)


def orphan(clock: FakeClock, name: str = "nightly", **fields: Any) -> Orphan:
    arn = ARN.replace("nightly", name)
    return replace(Orphan(arn, (PIPELINE_ARN, f"{PIPELINE_ARN}2"), clock.now(), clock.now(), "run-1"), **fields)


class TestDefinitions:
    def test_a_definition_is_kept_whole(self, store: CleanupStore, clock: FakeClock) -> None:
        large = definition(clock, Target={"Input": "naïve \u2028 " * 20_000})
        store.keep(large)
        assert list(store.kept()) == list(store.kept(PIPELINE_ARN.upper())) == [large]

    def test_the_same_definition_is_kept_once_with_the_time_of_the_last_attempt(
        self, store: CleanupStore, clock: FakeClock
    ) -> None:
        once = definition(clock)
        for _ in range(3):
            clock.advance(minutes=1)
            store.keep(replace(once, deleted_at=clock.now(), pipeline_arn=PIPELINE_ARN.upper().casefold()))
        assert [it.deleted_at for it in store.kept(PIPELINE_ARN)] == [clock.now()]

    def test_a_schedule_that_was_made_again_is_kept_again_and_comes_first(
        self, store: CleanupStore, clock: FakeClock
    ) -> None:
        for number in range(2):
            store.keep(definition(clock, Description=str(number)))
            clock.advance(minutes=1)
        assert [it.document["Description"] for it in store.kept(PIPELINE_ARN)] == ["1", "0"]

    def test_a_target_of_a_rule_is_kept_although_nobody_knows_when_it_was_made(
        self, store: CleanupStore, clock: FakeClock
    ) -> None:
        target = KeptDefinition("rule-target", TARGET, PIPELINE_ARN, {"Rule": "on-upload"}, clock.now())
        store.keep(target)
        assert list(store.kept(PIPELINE_ARN)) == [target]

    def test_what_was_kept_before_a_time_is_left_out(self, store: CleanupStore, clock: FakeClock) -> None:
        store.keep(definition(clock))
        clock.advance(hours=1)
        since = clock.now()
        store.keep(definition(clock, Description="new"))
        store.keep(replace(definition(clock), pipeline_arn=f"{PIPELINE_ARN}2"))
        assert [it.document.get("Description") for it in store.kept(PIPELINE_ARN, since)] == ["new"]
        assert len(list(store.kept(since=since))) == 2
        assert list(store.kept(f"{PIPELINE_ARN}3")) == []

    def test_a_definition_is_kept_for_90_days(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        dynamo.keep(definition(clock))
        [item] = map(from_item, clients.dynamodb.scan(TableName=TABLE)["Items"])
        assert item["expires_at"] == int((clock.now() + timedelta(days=90)).timestamp())
        assert (item["schedule_arn"], item["deleted_at"]) == (ARN, "2026-03-14T12:00:00.000000Z")
        clock.advance(days=90)
        assert list(dynamo.kept()) == list(dynamo.kept(PIPELINE_ARN)) == []


class TestOrphans:
    def test_orphans_are_remembered_until_they_are_forgotten(self, store: CleanupStore, clock: FakeClock) -> None:
        assert list(store.orphans()) == []
        store.keep(definition(clock))
        three = [orphan(clock, "a"), orphan(clock, "b", protected=True), orphan(clock, "c", arn=TARGET)]
        three[2] = replace(three[2], modified_at=None)
        store.remember(three)
        assert sorted(store.orphans(), key=lambda it: it.arn) == sorted(three, key=lambda it: it.arn)
        store.forget([three[1].arn, three[1].arn, "nobody"])
        assert {it.arn for it in store.orphans()} == {three[0].arn, TARGET}

    def test_some_of_many_are_asked_for(self, store: CleanupStore, clock: FakeClock) -> None:
        many = [orphan(clock, f"s{number}") for number in range(230)]
        store.remember(many)
        assert len(list(store.orphans())) == 230
        wanted = [it.arn for it in many[:120]]
        assert store.remembered([*wanted, "nobody"]) == {it.arn: it for it in many[:120]}
        assert store.remembered([]) == {}
        store.forget([it.arn for it in many])
        assert list(store.orphans()) == []

    def test_what_is_remembered_again_replaces_what_was(self, store: CleanupStore, clock: FakeClock) -> None:
        store.remember([orphan(clock)])
        again = orphan(clock, run="run-2", protected=True)
        store.remember([again])
        assert list(store.orphans()) == [again]

    def test_orphans_are_found_behind_many_definitions(self, dynamo: DynamoCleanupStore, clock: FakeClock) -> None:
        noise = "".join(str(hash((number, "x"))) for number in range(3_000))
        for number in range(20):
            dynamo.keep(replace(definition(clock, Description=noise), pipeline_arn=f"{PIPELINE_ARN}{number}"))
        dynamo.remember([orphan(clock)])
        assert list(dynamo.orphans()) == [orphan(clock)]

    def test_the_time_of_the_first_sight_alone_makes_an_orphan(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        item: Any = {"pk": {"S": f"orphan#{ARN}"}, "sk": {"S": "-"}, "first_seen": {"S": "2026-03-14T12:00:00.000000Z"}}
        clients.dynamodb.put_item(TableName=TABLE, Item=item)
        assert dynamo.remembered([ARN]) == {ARN: Orphan(ARN, (), clock.now())}


class TestPosition:
    def position(self, clock: FakeClock, mark: str, **fields: Any) -> Position:
        return replace(Position("run-1", "message", clock.now(), clock.now(), mark), **fields)

    def test_a_position_is_read_as_it_was_saved(self, store: CleanupStore, clock: FakeClock) -> None:
        assert store.position() is None
        groups = {"default": GroupLook("token", 3, 250, 1), "team": GroupLook(None, 1, 0, 0, done=True)}
        first = self.position(
            clock,
            "a",
            groups=groups,
            previous=("run-0", "run-a"),
            known_pages=4,
            phase="delete",
            noted_until=clock.now(),
        )
        assert store.save(first, replacing=None)
        assert store.position() == first

    def test_of_two_that_go_on_from_the_same_place_one_wins(self, store: CleanupStore, clock: FakeClock) -> None:
        first, mine, theirs = (self.position(clock, mark) for mark in "abc")
        assert store.save(first, replacing=None)
        assert store.save(mine, replacing=first)
        assert not store.save(theirs, replacing=first)
        assert not store.save(theirs, replacing=None)
        assert store.position() == mine

    def test_a_position_with_many_groups_fits(self, store: CleanupStore, clock: FakeClock) -> None:
        groups = {f"{number:03d}" + "g" * 61: GroupLook("t" * 2048, 1, 1) for number in range(500)}
        large = self.position(clock, "a", groups=groups)
        assert store.save(large, replacing=None)
        assert store.position() == large

    def test_a_saving_whose_answer_was_lost_counts(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        mine = self.position(clock, "a")
        assert dynamo.save(mine, replacing=None)
        assert dynamo.save(mine, replacing=None), "the same again, as the client repeats it"


class TestIndex:
    def test_the_schedules_of_a_pipeline_are_found(self, store: CleanupStore) -> None:
        folded = PIPELINE_ARN.casefold()
        its = [Indexed(folded, "default", "nightly"), Indexed(folded, "team", "a.b-c_d")]
        store.index([*its, Indexed(f"{folded}2", "default", "twin"), its[0]])
        assert list(store.indexed(PIPELINE_ARN.upper())) == its
        assert list(store.indexed("nobody")) == []

    def test_only_what_is_not_noted_is_written(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        written: list[int] = []
        clients.dynamodb.meta.events.register(
            "before-call.dynamodb.BatchWriteItem",
            lambda params, **_: written.append(params["body"].count(b"PutRequest")),
        )
        thirty = [Indexed(PIPELINE_ARN.casefold(), "default", f"s{number}") for number in range(30)]
        dynamo.index(thirty[:20])
        dynamo.index(thirty)
        assert written == [20, 10]
        clock.advance(days=16)
        dynamo.index(thirty)
        assert written == [20, 10, 25, 5], "half of their time is over"
        assert len(list(dynamo.indexed(PIPELINE_ARN))) == 30


class TestBatches:
    """DynamoDB may take only a part of a batch; moto takes all."""

    def unfinished(self, clients: Clients, operation: str, times: int) -> list[int]:
        """Let the first calls take nothing: the numbers of their requests or keys."""
        came: list[int] = []

        def leave(parsed: dict[str, Any], **_: Any) -> None:
            key = "UnprocessedItems" if operation == "BatchWriteItem" else "UnprocessedKeys"
            came.append(len(came))
            if len(came) <= times:
                parsed[key] = sent[-1]
                parsed["Responses"] = {}

        sent: list[Any] = []

        def note(params: dict[str, Any], **_: Any) -> None:
            sent.append(params["RequestItems"])

        clients.dynamodb.meta.events.register(f"provide-client-params.dynamodb.{operation}", note)
        clients.dynamodb.meta.events.register(f"after-call.dynamodb.{operation}", leave)
        return came

    def test_what_was_not_written_is_sent_again_after_a_pause(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        came = self.unfinished(clients, "BatchWriteItem", 2)
        dynamo.remember([orphan(clock)])
        assert (len(came), clock.slept) == (3, [0.05, 0.1])

    def test_what_was_not_read_is_asked_for_again(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        dynamo.remember([known := orphan(clock)])
        self.unfinished(clients, "BatchGetItem", 2)
        assert dynamo.remembered([known.arn]) == {known.arn: known}

    def test_a_table_that_writes_nothing_is_unavailable(
        self, dynamo: DynamoCleanupStore, clients: Clients, clock: FakeClock
    ) -> None:
        self.unfinished(clients, "BatchWriteItem", 99)
        with pytest.raises(TransientError, match="did not write") as raised:
            dynamo.remember([orphan(clock)])
        assert raised.value.reason == "unavailable"

    def test_a_table_that_reads_nothing_is_unavailable(self, dynamo: DynamoCleanupStore, clients: Clients) -> None:
        self.unfinished(clients, "BatchGetItem", 99)
        with pytest.raises(TransientError, match="did not read") as raised:
            dynamo.remembered([ARN])
        assert raised.value.reason == "unavailable"
