"""The quarantine and the dead-letter queues: looked through, sent on, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.dead_letters import DEAD_LETTER, UNDELIVERED
from pipeline_triggers.domain.messages import Quarantined, Received
from pipeline_triggers.errors import TransientError
from pipeline_triggers.redriving import DeadLetters, Handled, QuarantineKeeper, Selection
from tests.fakes.clock import NOON
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queues import FakeQueues

if TYPE_CHECKING:
    from collections.abc import Sequence

QUEUE = "arn:aws:sqs:eu-central-1:210987654321:pt-s3-event"
RULE = "arn:aws:events:eu-central-1:210987654321:rule/pt-s3-objects"
EVERYTHING = Selection()


@pytest.fixture
def quarantine() -> FakeQuarantine:
    return FakeQuarantine()


@pytest.fixture
def queues() -> FakeQueues:
    return FakeQueues()


@pytest.fixture
def keeper(quarantine: FakeQuarantine, queues: FakeQueues) -> QuarantineKeeper:
    return QuarantineKeeper(quarantine, queues)


@pytest.fixture
def letters(queues: FakeQueues) -> DeadLetters:
    return DeadLetters(queues, "pt")


def put(
    quarantine: FakeQuarantine, id_: str, *, queue: str = QUEUE, reason: str = "rate-cap", minutes: int = 0
) -> None:
    item = Quarantined(id_, reason, queue, NOON - timedelta(minutes=minutes), f'{{"id": "{id_}"}}', ("on-upload",))
    quarantine.put(item)


def undelivered(queues: FakeQueues, body: str = "{}", error: str = "NO_PERMISSIONS", minutes: int = 0) -> str:
    sent_at = NOON - timedelta(minutes=minutes)
    message = queues.add("pt-undelivered", body, sent_at=sent_at, RULE_ARN=RULE, TARGET_ARN=QUEUE, ERROR_CODE=error)
    return message.id


# quarantine


def test_a_redriven_event_is_in_its_queue_again_and_in_quarantine_no_more(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues
) -> None:
    put(quarantine, "1")
    assert list(keeper.redrive(["1"])) == [Handled("1", "redriven", QUEUE)]
    assert queues.sent == {QUEUE: ['{"id": "1"}']}
    assert quarantine.items == {}


def test_a_redriven_event_has_the_attributes_of_its_message_for_triggers_may_read_them(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues
) -> None:
    attributes = {"team": {"DataType": "String", "StringValue": "churn"}}
    put(quarantine, "1")
    quarantine.put(replace(quarantine.get("1"), attributes=attributes))
    list(keeper.redrive(["1"]))
    assert [call["attributes"] for call in queues.called("send")] == [attributes]


def test_to_redrive_again_finds_it_missing(keeper: QuarantineKeeper, quarantine: FakeQuarantine) -> None:
    put(quarantine, "1")
    list(keeper.redrive(["1"]))
    assert list(keeper.redrive(["1"])) == [Handled("1", "missing")]


def test_an_event_that_cannot_be_sent_stays_and_keeps_no_other_back(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues
) -> None:
    put(quarantine, "1")
    put(quarantine, "2")
    queues.fail("send", TransientError("throttled", "slow down"))
    first, second = keeper.redrive(["1", "2"])
    assert (first.outcome, second.outcome) == ("failed", "redriven")
    assert "slow down" in first.problem
    assert list(quarantine.items) == ["1"]


def test_an_event_that_was_sent_and_not_dropped_is_in_both_places_and_told(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues
) -> None:
    put(quarantine, "1")
    quarantine.fail("drop", TransientError("unavailable", "no table"))
    (handled,) = keeper.redrive(["1"])
    assert (handled.outcome, handled.is_done) == ("failed", False)
    assert "does no harm" in handled.problem
    assert (len(queues.sent[QUEUE]), list(quarantine.items)) == (1, ["1"])


def test_an_event_that_came_without_a_queue_stays_with_what_to_do(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues
) -> None:
    put(quarantine, "1", queue="")
    (handled,) = keeper.redrive(["1"])
    assert handled.outcome == "left"
    assert "quarantine show 1 --body" in handled.problem
    assert (queues.sent, list(quarantine.items)) == ({}, ["1"])


def test_a_dry_run_changes_nothing(keeper: QuarantineKeeper, quarantine: FakeQuarantine, queues: FakeQueues) -> None:
    put(quarantine, "1")
    assert list(keeper.redrive(["1", "2"], dry_run=True)) == [
        Handled("1", "would-redrive", QUEUE),
        Handled("2", "missing"),
    ]
    assert [handled.outcome for handled in keeper.drop(["1", "2"], dry_run=True)] == ["would-drop", "missing"]
    assert (queues.sent, list(quarantine.items)) == ({}, ["1"])


def test_dropping_reports_each(keeper: QuarantineKeeper, quarantine: FakeQuarantine) -> None:
    put(quarantine, "1")
    put(quarantine, "2")
    quarantine.fail("drop", TransientError("throttled", "slow down"))
    assert [handled.outcome for handled in keeper.drop(["1", "2"])] == ["failed", "dropped"]
    assert list(quarantine.items) == ["1"]


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (EVERYTHING, ["new", "late", "old"]),
        (Selection(reason="rate-cap"), ["new", "old"]),
        (Selection(trigger="on-upload"), ["new", "late", "old"]),
        (Selection(trigger="other"), []),
        (Selection(since=NOON - timedelta(minutes=30)), ["new", "late"]),
        (Selection(reason="rate-cap", since=NOON - timedelta(minutes=30)), ["new"]),
    ],
)
def test_events_are_selected_by_reason_trigger_and_time(
    keeper: QuarantineKeeper, quarantine: FakeQuarantine, selection: Selection, ids: list[str]
) -> None:
    put(quarantine, "old", minutes=60)
    put(quarantine, "late", reason="too-deep", minutes=30)
    put(quarantine, "new")
    assert [item.id for item in keeper.list(selection)] == ids


# dead-letter queues


def test_listing_gives_every_message_back(letters: DeadLetters, queues: FakeQueues) -> None:
    ids = {undelivered(queues, minutes=number) for number in range(25)}
    listed = letters.list(UNDELIVERED, EVERYTHING, limit=100)
    assert {letter.id for letter in listed} == ids
    assert [letter.sent_at for letter in listed] == sorted(letter.sent_at for letter in listed)
    assert queues.counts("pt-undelivered").waiting == 25


def test_no_more_are_taken_than_the_list_needs(letters: DeadLetters, queues: FakeQueues) -> None:
    for _ in range(25):
        undelivered(queues)
    assert len(letters.list(UNDELIVERED, EVERYTHING, limit=5)) == 5
    assert len(queues.called("receive")) == 1


def test_what_cannot_be_given_back_comes_back_by_itself(letters: DeadLetters, queues: FakeQueues) -> None:
    undelivered(queues)
    queues.fail("delay", TransientError("throttled", "slow down"))
    assert len(letters.list(UNDELIVERED, EVERYTHING, limit=5)) == 1


def test_messages_are_given_back_when_receiving_fails_in_between(letters: DeadLetters, queues: FakeQueues) -> None:
    for _ in range(10):
        undelivered(queues)
    queues.fail("receive", TransientError("throttled", "later"))
    with pytest.raises(TransientError):
        letters.list(UNDELIVERED, EVERYTHING, limit=50)
    assert queues.counts("pt-undelivered").waiting == 10


def test_a_redriven_message_is_where_it_belongs_and_here_no_more(letters: DeadLetters, queues: FakeQueues) -> None:
    id_ = undelivered(queues, '{"n": 1}')
    assert list(letters.redrive(UNDELIVERED, EVERYTHING)) == [Handled(id_, "redriven", "pt-s3-event")]
    assert queues.sent == {"pt-s3-event": ['{"n": 1}']}
    assert queues.counts("pt-undelivered").total == 0
    assert list(letters.redrive(UNDELIVERED, EVERYTHING)) == []


def test_what_a_function_failed_on_goes_back_with_its_attributes(letters: DeadLetters, queues: FakeQueues) -> None:
    queues.add("pt-dead-letter", "{}", source_arn=QUEUE, Kind="x", binary={"Raw": b"\x00"})
    (handled,) = letters.redrive(DEAD_LETTER, EVERYTHING)
    assert handled.outcome == "redriven"
    (sent,) = queues.called("send")
    assert set(sent["attributes"]) == {"Kind", "Raw"}


def test_only_the_messages_that_are_meant_are_redriven_and_the_others_given_back(
    letters: DeadLetters, queues: FakeQueues
) -> None:
    undelivered(queues, "old", minutes=60)
    undelivered(queues, "throttled", error="THROTTLING")
    wanted = undelivered(queues, "wanted")
    selection = Selection(reason="NO_PERMISSIONS", since=NOON - timedelta(minutes=30))
    assert [handled.id for handled in letters.redrive(UNDELIVERED, selection)] == [wanted]
    assert queues.sent == {"pt-s3-event": ["wanted"]}
    assert {message.body for message in queues.waiting["pt-undelivered"]} == {"old", "throttled"}


def test_a_dry_run_gives_everything_back(letters: DeadLetters, queues: FakeQueues) -> None:
    for _ in range(15):
        undelivered(queues)
    handled = list(letters.redrive(UNDELIVERED, EVERYTHING, dry_run=True))
    assert {one.outcome for one in handled} == {"would-redrive"}
    assert (len(handled), queues.sent, queues.counts("pt-undelivered").waiting) == (15, {}, 15)


def test_a_message_that_belongs_nowhere_stays_and_is_told(letters: DeadLetters, queues: FakeQueues) -> None:
    queues.add("pt-undelivered", '{"PipelineName": "p"}', SCHEDULE_ARN="arn:aws:scheduler:x:1:schedule/pt/n")
    (handled,) = letters.redrive(UNDELIVERED, EVERYTHING)
    assert (handled.outcome, handled.is_done) == ("left", False)
    assert queues.counts("pt-undelivered").waiting == 1


def test_a_message_that_cannot_be_sent_stays_and_keeps_no_other_back(letters: DeadLetters, queues: FakeQueues) -> None:
    undelivered(queues, "first")
    undelivered(queues, "second")
    queues.fail("send", TransientError("unavailable", "no"))
    assert [handled.outcome for handled in letters.redrive(UNDELIVERED, EVERYTHING)] == ["failed", "redriven"]
    assert [message.body for message in queues.waiting["pt-undelivered"]] == ["first"]


def test_a_message_is_deleted_only_after_it_was_sent(letters: DeadLetters, queues: FakeQueues) -> None:
    undelivered(queues)
    queues.fail("delete", TransientError("unavailable", "no"))
    (handled,) = letters.redrive(UNDELIVERED, EVERYTHING)
    assert (handled.outcome, len(queues.sent["pt-s3-event"])) == ("failed", 1)
    assert "does no harm" in handled.problem
    assert queues.counts("pt-undelivered").waiting == 1


def test_a_message_that_reappears_meanwhile_is_not_handled_twice(letters: DeadLetters, queues: FakeQueues) -> None:
    undelivered(queues, error="THROTTLING")
    handled = letters.redrive(UNDELIVERED, EVERYTHING, dry_run=True)
    next(handled)
    queues.waiting["pt-undelivered"] = list(queues.hidden["pt-undelivered"])
    assert list(handled) == []


class Reappearing(FakeQueues):
    """Queues in which everything that is hidden is visible again, once, before the second receipt."""

    def receive(self, queue: str, seconds: int) -> Sequence[Received]:
        """Those that reappear come first."""
        if len(self.called("receive")) == 1:
            self.waiting[queue] = [*self.hidden.pop(queue), *self.waiting[queue]]
        return super().receive(queue, seconds)


def test_messages_that_reappear_meanwhile_do_not_hide_those_behind_them() -> None:
    queues = Reappearing()
    for _ in range(10):
        undelivered(queues, error="THROTTLING")
    meant = undelivered(queues)
    handled = DeadLetters(queues, "pt").redrive(UNDELIVERED, Selection(reason="NO_PERMISSIONS"))
    assert [(one.id, one.outcome) for one in handled] == [(meant, "redriven")]


class Unhidden(FakeQueues):
    """Queues that hide nothing that was received."""

    def receive(self, queue: str, seconds: int) -> Sequence[Received]:
        """The same again and again."""
        self.waiting[queue] = [*self.waiting[queue], *self.hidden.pop(queue, [])]
        return super().receive(queue, seconds)


def test_a_queue_that_gives_the_same_messages_again_and_again_is_left_in_the_end() -> None:
    queues = Unhidden()
    for _ in range(25):
        undelivered(queues)
    handled = list(DeadLetters(queues, "pt").redrive(UNDELIVERED, EVERYTHING, dry_run=True))
    assert [one.outcome for one in handled] == ["would-redrive"] * 25
