"""What takes hours or thousands of messages, in virtual time: long throttling, and poison among many (F1, F26)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.faults.stage import PIPELINES, Stage, nothing_printed

# As in template.yaml.
MAX_RECEIVE_COUNT = 600


@pytest.fixture
def stage() -> Stage:
    stage = Stage(max_receive_count=MAX_RECEIVE_COUNT)
    for poller in stage.pollers:
        poller.worker.reactor.max_starts_per_hour = 10_000
    stage.set_trigger()
    return stage


def test_a_start_that_is_throttled_twenty_times_is_made_once(stage: Stage) -> None:
    """F1."""
    event_id = stage.offer()
    with nothing_printed():
        for receipts in range(1, 21):
            stage.faults.throttled_until = stage.later(3600)
            _work_when_visible(stage)
            assert [held.receive_count for held in stage.queue.held.values()] == [receipts]
        stage.settle()
    assert (len(stage.executions_of(event_id)), stage.doubled(), stage.queue.dead) == (len(PIPELINES), [], [])


def test_an_hour_of_throttling_costs_few_receipts_and_then_everything_is_started_once(stage: Stage) -> None:
    """F1."""
    events = [stage.offer() for _ in range(50)]
    began = stage.clock.now()
    stage.faults.throttled_until = stage.later(3700)
    with nothing_printed():
        while stage.clock.now() < began + timedelta(hours=1):
            _work_when_visible(stage)
        receipts = [held.receive_count for held in stage.queue.held.values()]
        stage.settle()
    assert (len(receipts), max(receipts) < MAX_RECEIVE_COUNT // 10) == (50, True)
    assert [len(stage.executions_of(event_id)) for event_id in events] == [len(PIPELINES)] * 50
    assert (stage.doubled(), stage.queue.dead) == ([], [])
    assert (stage.clock.now() - began).total_seconds() < 2 * 3600


def test_a_poison_message_among_a_thousand_is_kept_when_it_is_first_received_and_the_others_start(stage: Stage) -> None:
    """F26."""
    good = [stage.offer() for _ in range(500)]
    stage.queue.send('{"source": "com.example"')
    poison = stage.offer(rows=None)
    good += [stage.offer() for _ in range(500)]
    with nothing_printed():
        for _ in range(1000):
            if stage.queue.next_at() is None:
                break
            stage.work(0)
    assert sorted(item.reason for item in stage.quarantine.items.values()) == ["malformed-event", "missing-parameter"]
    assert all(len(stage.executions_of(event_id)) == len(PIPELINES) for event_id in good)
    assert stage.queue.most_receipts == 1
    assert json.loads(stage.offered[poison].body)["detail"] == {}


def _work_when_visible(stage: Stage) -> None:
    """Let time pass until a message is visible, and a worker have it."""
    next_at = stage.queue.next_at()
    assert next_at is not None
    stage.clock.advance(seconds=max(0.0, (next_at - stage.clock.now()).total_seconds()))
    stage.work(0)
