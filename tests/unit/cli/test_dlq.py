"""The commands of the dead-letter queues."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.errors import TransientError
from tests.fakes.clock import NOON

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

ARN = "arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-"
RULE = "arn:aws:events:eu-central-1:210987654321:rule/pipeline-triggers-s3-objects"
DEAD, UNDELIVERED = "pipeline-triggers-dead-letter", "pipeline-triggers-undelivered"


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack whose functions failed on one message, with one event that a rule and one that a schedule gave up."""
    add = command_line.queues.add
    add(DEAD, '{"n": 1}', source_arn=f"{ARN}bus-event", sent_at=NOON - timedelta(days=7))
    add(
        UNDELIVERED,
        '{"n": 2, "\x1b": 1}',
        sent_at=NOON - timedelta(hours=3),
        RULE_ARN=RULE,
        TARGET_ARN=f"{ARN}s3-event",
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="not allowed",
    )
    add(
        UNDELIVERED,
        json.dumps({"PipelineName": "churn-train"}),
        SCHEDULE_ARN="arn:aws:scheduler:eu-central-1:210987654321:schedule/pipeline-triggers/nightly",
        ERROR_CODE="ResourceNotFound",
    )
    return command_line


def test_the_list_tells_why_each_message_is_there_and_where_it_belongs(command_line: CommandLine) -> None:
    dead, undelivered = command_line.json("dlq", "list")["result"]
    assert (dead["queue"], dead["waiting"], undelivered["queue"], undelivered["waiting"]) == (
        "dead-letter",
        1,
        "undelivered",
        2,
    )
    (message,) = dead["messages"]
    assert (message["source"], message["queue"]) == (f"{ARN}bus-event", "pipeline-triggers-bus-event")
    assert message["sent_at"] == "2026-03-07T12:00:00+00:00"
    of_rule, of_schedule = undelivered["messages"]
    assert (of_rule["origin"], of_rule["source"], of_rule["error_code"]) == ("rule", RULE, "NO_PERMISSIONS")
    assert (of_schedule["origin"], of_schedule["queue"]) == ("schedule", "")
    assert "by hand" in of_schedule["hindrance"]


def test_the_list_for_people_fits_80_columns_and_has_no_control_characters(command_line: CommandLine) -> None:
    stdout = command_line.run("dlq", "list").stdout
    assert "dead-letter: 1 waiting, 0 in flight, 1 listed" in stdout
    assert "NO_PERMISSIONS not allowed" in stdout
    assert "stays: the schedule could not start churn-train" in stdout
    assert "\x1b" not in stdout
    assert max(map(len, stdout.splitlines())) <= 80


def test_after_the_list_every_message_can_be_received_again(command_line: CommandLine) -> None:
    command_line.run("dlq", "list")
    assert command_line.queues.counts(UNDELIVERED).waiting == 2
    assert command_line.queues.counts(DEAD).waiting == 1


def test_the_list_is_narrowed_by_queue_reason_and_time(command_line: CommandLine) -> None:
    (only,) = command_line.json("dlq", "list", "--queue", "dead-letter")["result"]
    assert only["queue"] == "dead-letter"
    (only,) = command_line.json("dlq", "list", "--reason", "NO_PERMISSIONS")["result"]
    assert [message["error_code"] for message in only["messages"]] == ["NO_PERMISSIONS"]
    dead, undelivered = command_line.json("dlq", "list", "--since", "1h")["result"]
    assert (len(dead["messages"]), len(undelivered["messages"])) == (0, 1)
    assert len(command_line.json("dlq", "list", "--limit", "1")["result"][1]["messages"]) == 1


def test_messages_without_a_reason_cannot_be_narrowed_by_it(command_line: CommandLine) -> None:
    document = command_line.json("dlq", "redrive", "--queue", "dead-letter", "--reason", "X", "--yes")
    assert (document["exit_code"], document["problems"][0]["field"]) == (2, "--reason")


def test_redrive_sends_each_where_it_belongs_and_tells_what_stays(command_line: CommandLine) -> None:
    document = command_line.json("dlq", "redrive", "--yes")
    assert [(item["outcome"], item["queue"]) for item in document["result"]] == [
        ("redriven", "pipeline-triggers-bus-event"),
        ("redriven", "pipeline-triggers-s3-event"),
        ("left", ""),
    ]
    assert (document["exit_code"], len(document["problems"])) == (1, 1)
    assert command_line.queues.sent["pipeline-triggers-bus-event"] == ['{"n": 1}']
    assert command_line.queues.counts(UNDELIVERED).waiting == 1


def test_redrive_can_be_narrowed(command_line: CommandLine) -> None:
    document = command_line.json("dlq", "redrive", "--reason", "NO_PERMISSIONS", "--since", "1d", "--yes")
    assert (document["exit_code"], [item["outcome"] for item in document["result"]]) == (0, ["redriven"])
    assert command_line.queues.counts(DEAD).waiting == 1


def test_a_dry_run_changes_nothing(command_line: CommandLine) -> None:
    document = command_line.json("dlq", "redrive", "--dry-run")
    assert [item["outcome"] for item in document["result"]] == ["would-redrive", "would-redrive", "left"]
    assert command_line.queues.sent == {}
    assert command_line.queues.counts(UNDELIVERED).waiting == 2


@pytest.mark.parametrize(("answer", "code", "sent"), [("y\n", 1, 2), ("n\n", 1, 0)])
def test_somebody_who_is_there_is_asked(command_line: CommandLine, answer: str, code: int, sent: int) -> None:
    command_line.interactive = True
    result = command_line.run("dlq", "redrive", input=answer)
    assert "Redrive about 3 messages of dead-letter and undelivered?" in result.stderr
    assert (result.exit_code, len(command_line.queues.sent)) == (code, sent)


def test_what_stops_it_is_told_with_what_was_done_before(command_line: CommandLine) -> None:
    # The first queue is done; then nothing can be received any more.
    receive = TransientError("denied-yet", "no sqs:ReceiveMessage")
    command_line.queues.held[DEAD] = command_line.queues.counts(DEAD)
    command_line.run("dlq", "redrive", "--queue", "dead-letter", "--yes")
    command_line.queues.fail("receive", receive)
    document = command_line.json("dlq", "redrive", "--queue", "undelivered", "--yes")
    assert document["exit_code"] == 1
    assert "stopped after 0: no sqs:ReceiveMessage" in document["problems"][0]["reason"]


def test_empty_queues_have_nothing_to_redrive(command_line: CommandLine) -> None:
    command_line.queues.waiting.clear()
    result = command_line.run("dlq", "redrive", "--yes")
    assert (result.exit_code, result.stdout) == (0, "There is nothing to redrive.\n")
