"""What the ledger on DynamoDB adds to its contract: lost answers, races, limits and outages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.items import from_item
from pipeline_triggers.adapters.ledger import ACQUIRE_TRIES, DynamoLedger
from pipeline_triggers.domain.ledger import Acquired, Busy, Capped, Started
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.clock import FakeClock
from tests.integration.tables import create_table
from tests.samples import start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEASE = timedelta(seconds=60)
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train/execution/abc"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(aws_environment: None) -> Iterator[Clients]:
    with mock_aws():
        clients = Clients(region="us-east-1")
        create_table(clients, "ledger")
        yield clients


@pytest.fixture
def ledger(clients: Clients, clock: FakeClock) -> DynamoLedger:
    return DynamoLedger(clients, "test-ledger", clock)


def before(clients: Clients, operation: str, act: Callable[[dict[str, Any]], object], times: int = 1) -> None:
    """Do something just before the next calls of an operation, with their parameters."""
    left = [act] * times

    def hook(params: dict[str, Any], **_: Any) -> None:
        if left:
            left.pop()(params)

    clients.dynamodb.meta.events.register(f"provide-client-params.dynamodb.{operation}", hook)


def test_an_acquire_whose_answer_was_lost_inside_the_sdk_is_not_its_own_rival(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    # The SDK repeats a call after a lost answer: the repetition meets what the first call wrote.
    other = Clients(region="us-east-1").dynamodb
    before(clients, "PutItem", lambda params: other.put_item(**params))
    assert ledger.acquire(start(), "a", clock.now() + LEASE) == Acquired(attempts=1)


def test_a_repeated_write_of_a_later_attempt_is_known_too(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    began = clock.now()
    ledger.acquire(start(), "a", clock.now() + LEASE)
    clock.advance(seconds=61)
    other = Clients(region="us-east-1").dynamodb
    before(clients, "PutItem", lambda params: other.put_item(**params))
    found = ledger.acquire(start(), "b", clock.now() + LEASE)
    assert found == Acquired(2, outcome_unknown=True, request=start().request, since=began, until=began + LEASE)


def test_moves_whose_answer_was_lost_inside_the_sdk_are_done(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    other = Clients(region="us-east-1").dynamodb
    before(clients, "UpdateItem", lambda params: other.update_item(**params), times=3)
    ledger.acquire(start(), "a", clock.now() + LEASE)
    ledger.release(start().token, "a", "throttled")
    ledger.acquire(start(), "b", clock.now() + LEASE)
    ledger.reject(start().token, "b", "access-denied")
    ledger.acquire(start(), "c", clock.now() + LEASE)
    ledger.complete(start().token, "c", EXECUTION)
    assert ledger.acquire(start(), "d", clock.now() + LEASE) == Started(EXECUTION)


def test_a_rival_that_comes_between_read_and_write_wins(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    rival = DynamoLedger(Clients(region="us-east-1"), "test-ledger", clock)
    until = clock.now() + LEASE
    before(clients, "PutItem", lambda _: rival.acquire(start(), "rival", until))
    assert ledger.acquire(start(), "a", until) == Busy(until)


def test_rivals_that_come_between_again_and_again_end_in_a_conflict(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    rival = DynamoLedger(Clients(region="us-east-1"), "test-ledger", clock)

    def come_and_go(_: dict[str, Any]) -> None:
        rival.acquire(start(), "rival", clock.now() + LEASE)
        rival.release(start().token, "rival", "throttled")

    before(clients, "PutItem", come_and_go, times=ACQUIRE_TRIES)
    with pytest.raises(TransientError) as raised:
        ledger.acquire(start(), "a", clock.now() + LEASE)
    assert raised.value.reason == "conflict"


def test_a_table_that_cannot_be_reached_keeps_the_event_in_its_queue(clients: Clients, clock: FakeClock) -> None:
    lost = DynamoLedger(clients, "no-such-table", clock)
    calls: list[Callable[[], object]] = [
        lambda: lost.acquire(start(), "a", clock.now()),
        lambda: lost.complete("t", "a", EXECUTION),
        lambda: lost.reject("t", "a", "access-denied"),
        lambda: lost.release("t", "a", "throttled"),
        lambda: list(lost.history("t", clock.now())),
        lambda: lost.of_event("e"),
    ]
    for call in calls:
        with pytest.raises(TransientError) as raised:
            call()
        assert raised.value.reason == "ledger-unavailable"


def test_a_complete_whose_answer_is_lost_may_have_acted(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    ledger.acquire(start(), "a", clock.now() + LEASE)

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    clients.dynamodb.meta.events.register("after-call.dynamodb.UpdateItem", lose)
    with pytest.raises(TransientError) as raised:
        ledger.complete(start().token, "a", EXECUTION)
    assert (raised.value.reason, raised.value.acted) == ("ledger-unavailable", True)
    assert ledger.acquire(start(), "b", clock.now() + LEASE) == Started(EXECUTION)


def test_the_largest_request_that_sagemaker_accepts_is_kept_and_comes_back(
    ledger: DynamoLedger, clock: FakeClock
) -> None:
    large = start(parameters={f"Parameter-{n}": f"s3://bucket/{n:06d}/" * 64 for n in range(200)})
    ledger.acquire(large, "a", clock.now() + LEASE)
    clock.advance(seconds=61)
    found = ledger.acquire(large, "b", clock.now() + LEASE)
    assert isinstance(found, Acquired)
    assert found.request == large.request


def test_a_request_that_no_item_can_hold_is_refused_for_good(ledger: DynamoLedger, clock: FakeClock) -> None:
    hostile = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(1024))
    values = {f"P{n}": "".join(chr(0x4E00 + (ord(c) * (n + 3)) % 20000) for c in hostile) for n in range(200)}
    with pytest.raises(PermanentError) as raised:
        ledger.acquire(start(parameters=values), "a", clock.now() + LEASE, cap=1)
    assert raised.value.reason == "too-large"
    # Nor is it counted: it will never be started.
    assert ledger.acquire(start(), "a", clock.now() + LEASE, cap=1) == Acquired(attempts=1)


def test_an_entry_has_the_fields_of_the_contract(clients: Clients, ledger: DynamoLedger, clock: FakeClock) -> None:
    ledger.acquire(start(), "a", clock.now() + LEASE)
    ledger.complete(start().token, "a", EXECUTION)
    [item] = clients.dynamodb.scan(TableName="test-ledger")["Items"]
    fields = from_item(item)
    contract = (
        "pk sk state owner lease_until attempts first_at trigger target pipeline_arn occurrence event_id at request "
        "params_hash execution_arn revision expires_at"
    )
    assert set(contract.split()) <= set(fields)
    assert fields["expires_at"] == int((clock.now() + timedelta(days=35)).timestamp())
    assert fields["sk"] == "-"


def test_a_rival_that_comes_between_costs_one_count_and_not_more(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    rival = DynamoLedger(Clients(region="us-east-1"), "test-ledger", clock)

    def come_and_go(_: dict[str, Any]) -> None:
        rival.acquire(start(), "rival", clock.now() + LEASE)
        rival.reject(start().token, "rival", "access-denied")

    before(clients, "PutItem", come_and_go, times=2)
    assert ledger.acquire(start(), "a", clock.now() + LEASE, cap=2) == Acquired(attempts=1)
    assert ledger.acquire(start(key="2"), "a", clock.now() + LEASE, cap=2) == Acquired(attempts=1)
    assert ledger.acquire(start(key="3"), "a", clock.now() + LEASE, cap=2) == Capped()


@pytest.mark.parametrize(
    ("code", "left"),
    [("ProvisionedThroughputExceededException", 3), ("AccessDeniedException", 3), ("InternalServerError", 1)],
)
def test_what_was_certainly_not_written_does_not_count_against_the_cap(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock, code: str, left: int
) -> None:
    def refuse(_: dict[str, Any]) -> None:
        raise ClientError({"Error": {"Code": code}}, "PutItem")

    before(clients, "PutItem", refuse, times=2)
    for _ in range(2):
        with pytest.raises(TransientError):
            ledger.acquire(start(), "a", clock.now() + LEASE, cap=3)
    found = [ledger.acquire(start(key=str(n)), "a", clock.now() + LEASE, cap=3) for n in range(4)]
    assert found == [Acquired(attempts=1)] * left + [Capped()] * (4 - left)


def test_what_there_is_no_time_to_write_does_not_count_against_the_cap(
    clients: Clients, ledger: DynamoLedger, clock: FakeClock
) -> None:
    def be_late(_: dict[str, Any]) -> None:
        raise TransientError("deadline", "too little time is left for another call")

    before(clients, "PutItem", be_late)
    with pytest.raises(TransientError) as raised:
        ledger.acquire(start(), "a", clock.now() + LEASE, cap=1)
    assert raised.value.reason == "deadline"
    assert ledger.acquire(start(), "a", clock.now() + LEASE, cap=1) == Acquired(attempts=1)


def test_a_counter_is_kept_for_two_days(clients: Clients, ledger: DynamoLedger, clock: FakeClock) -> None:
    clock.advance(minutes=17)
    ledger.acquire(start(), "a", clock.now() + LEASE, cap=3)
    items = map(from_item, clients.dynamodb.scan(TableName="test-ledger")["Items"])
    [fields] = [item for item in items if item["pk"].startswith("starts#")]
    assert (fields["pk"], fields["sk"], fields["starts"]) == ("starts#on-upload", "2026-03-14T12:00:00.000000Z", 1)
    assert fields["expires_at"] == int((clock.now() + timedelta(days=2, minutes=-17)).timestamp())


def test_a_long_history_is_read_page_by_page(ledger: DynamoLedger, clock: FakeClock) -> None:
    began = clock.now()
    # Each entry takes some 60 KB and a page of DynamoDB 1 MB.
    for number in range(30):
        clock.advance(seconds=1)
        ledger.acquire(start(key=f"{number}", parameters={"P": f"{number:04d}" * 7500}), "a", clock.now() + LEASE)
    assert len(list(ledger.history("on-upload", began))) == 30
