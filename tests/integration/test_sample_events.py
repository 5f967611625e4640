"""Every sample event through the real function of its source, on the embedded AWS, with the triggers of triggers.yaml.

The table (``tests.sample_events``) says what must become of each: a file of events/ that is not in it is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sample_events import BATCHES, CLEANUP, CLEANUP_REASONS, CLEANUPS, EVENTS, MATRIX, S3, sample, told

if TYPE_CHECKING:
    from pipeline_triggers.local.stage import Stage


def test_every_sample_event_is_in_the_table() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == MATRIX.keys() | BATCHES.keys() | CLEANUPS.keys()


@pytest.mark.parametrize("name", MATRIX)
def test_a_sample_event_has_the_outcome_that_the_table_says(stage: Stage, name: str) -> None:
    function, expected = MATRIX[name]
    decisions = stage.poller.invoke(function, sample(name))["decisions"]
    assert {(decision["trigger"], told(decision)) for decision in decisions} == expected


@pytest.mark.parametrize("name", BATCHES)
def test_a_sample_batch_leaves_no_message_in_its_queue(stage: Stage, name: str) -> None:
    assert stage.poller.invoke(BATCHES[name], sample(name)) == {"batchItemFailures": []}


@pytest.mark.parametrize("name", CLEANUPS)
def test_a_sample_for_the_clean_up_keeps_what_it_is_about_for_the_reason_that_the_table_says(
    stage: Stage, name: str
) -> None:
    report = stage.poller.invoke(CLEANUP, sample(name))
    assert {kept["reason"] for kept in report["kept"]} == CLEANUP_REASONS[name]
    assert (report["deleted"], report["failed"]) == ([], [])


def test_one_upload_that_is_reported_by_every_route_starts_one_execution(stage: Stage) -> None:
    """EventBridge, an S3 notification, SNS from a trusted topic, and SQS around these."""
    for name in ("s3-object-created", "s3-notification", "sqs-eventbridge-s3"):
        stage.poller.invoke(S3, sample(name))
    key = sample("s3-object-created")["detail"]["object"]["key"]
    started = [it for it in stage.executions() if it["parameters"].get("InputKey") == key]
    assert len(started) == 1
