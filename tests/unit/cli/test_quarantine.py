"""The commands of the quarantine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import TransientError
from tests.fakes.clock import NOON
from tests.samples import rejected

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

QUEUE = "arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-s3-event"
HOSTILE = '{"id": "1", "note": "\\u001b[31mred\x07"}'


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack with three events in quarantine; the last one came without a queue."""
    for number, (reason, queue, hours) in enumerate(
        [("missing-parameter", QUEUE, 1), ("rate-cap", QUEUE, 3), ("malformed-event", "", 50)], 1
    ):
        command_line.quarantine.put(
            Quarantined(
                f"m-{number}",
                reason,
                queue,
                NOON - timedelta(hours=hours),
                HOSTILE,
                triggers=("on-upload",) if queue else (),
                decisions=(rejected(reason).to_document(),) if queue else (),
                message="the path finds nothing",
            )
        )
    return command_line


def ids(command_line: CommandLine, *options: str) -> list[str]:
    return [item["id"] for item in command_line.json("quarantine", "list", *options)["result"]]


def test_the_list_is_narrowed_by_reason_trigger_and_time(command_line: CommandLine) -> None:
    assert ids(command_line) == ["m-1", "m-2", "m-3"]
    assert ids(command_line, "--reason", "rate-cap") == ["m-2"]
    assert ids(command_line, "--trigger", "on-upload") == ["m-1", "m-2"]
    assert ids(command_line, "--since", "2h") == ["m-1"]
    assert ids(command_line, "--since", "2026-03-14T08:00Z") == ["m-1", "m-2"]
    assert ids(command_line, "--since", "2026-03-14") == ["m-1", "m-2"]


def test_the_list_tells_of_each_what_somebody_needs_to_choose(command_line: CommandLine) -> None:
    item = command_line.json("quarantine", "list")["result"][0]
    assert item == {
        "id": "m-1",
        "received_at": "2026-03-14T11:00:00+00:00",
        "reason": "missing-parameter",
        "triggers": ["on-upload"],
        "source_queue": QUEUE,
        "message": "the path finds nothing",
    }
    stdout = command_line.run("quarantine", "list").stdout
    assert "3 events in quarantine" in stdout
    assert "m-1  2026-03-14 11:00:00  missing-parameter" in stdout
    assert "on-upload; pipeline-triggers-s3-event" in stdout
    assert max(map(len, stdout.splitlines())) <= 80


@pytest.mark.parametrize("since", ["yesterday", "2x", "-1h", "", "99999999w", "999999w"])
def test_a_time_that_is_none_is_refused(command_line: CommandLine, since: str) -> None:
    document = command_line.json("quarantine", "list", "--since", since)
    assert (document["exit_code"], document["problems"][0]["field"]) == (2, "--since")


def test_an_unknown_reason_is_refused(command_line: CommandLine) -> None:
    assert command_line.json("quarantine", "list", "--reason", "bad-luck")["exit_code"] == 2


def test_show_has_the_body_to_the_letter_in_json_and_escaped_for_people(command_line: CommandLine) -> None:
    result = command_line.json("quarantine", "show", "m-1")["result"]
    assert (result["body"], result["decisions"][0]["reason"]) == (HOSTILE, "missing-parameter")
    stdout = command_line.run("quarantine", "show", "m-1").stdout
    assert "was refused  on-upload → churn-train" in stdout
    assert '"note"' in stdout
    assert "\x1b" not in stdout
    assert "\x07" not in stdout


def test_the_body_alone_is_what_came(command_line: CommandLine) -> None:
    assert command_line.run("quarantine", "show", "m-1", "--body").stdout == HOSTILE + "\n"


def test_what_is_not_there_cannot_be_shown(command_line: CommandLine) -> None:
    document = command_line.json("quarantine", "show", "m-9")
    assert (document["exit_code"], document["result"]) == (1, None)


def test_a_report_of_a_clean_up_is_shown_too(command_line: CommandLine) -> None:
    report: dict[str, list[str]] = {"deleted": [], "kept": [], "failed": []}
    command_line.quarantine.put(Quarantined("m-7", "conflict", QUEUE, NOON, "{", decisions=(report,), message="no"))
    result = command_line.run("quarantine", "show", "m-7")
    assert (result.exit_code, "conflict" in result.stdout) == (0, True)


def test_redrive_sends_and_drops_the_events_that_are_named(command_line: CommandLine) -> None:
    document = command_line.json("quarantine", "redrive", "m-1", "m-1", "--yes")
    assert document["exit_code"] == 0
    assert document["result"] == [{"id": "m-1", "outcome": "redriven", "queue": QUEUE, "problem": ""}]
    assert command_line.queues.sent == {QUEUE: [HOSTILE]}
    again = command_line.json("quarantine", "redrive", "m-1", "--yes")
    assert (again["exit_code"], again["result"][0]["outcome"]) == (0, "missing")


def test_redrive_of_all_tells_what_stays_and_ends_with_1(command_line: CommandLine) -> None:
    document = command_line.json("quarantine", "redrive", "--all", "--yes")
    assert [item["outcome"] for item in document["result"]] == ["redriven", "redriven", "left"]
    assert document["exit_code"] == 1
    (problem,) = document["problems"]
    assert problem["field"] == "m-3"
    assert "without a queue" in problem["reason"]


def test_filters_narrow_all(command_line: CommandLine) -> None:
    document = command_line.json("quarantine", "redrive", "--all", "--reason", "rate-cap", "--yes")
    assert [item["id"] for item in document["result"]] == ["m-2"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("m-1", "--all"), ("--reason", "rate-cap"), ("m-1", "--reason", "rate-cap"), ("m-1", "--since", "2h")],
)
@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_what_is_meant_must_be_clear(command_line: CommandLine, command: str, arguments: tuple[str, ...]) -> None:
    assert command_line.json("quarantine", command, *arguments, "--yes")["exit_code"] == 2
    assert (len(command_line.quarantine.items), command_line.queues.sent) == (3, {})


@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("n\n", 3)])
def test_somebody_who_is_there_is_asked(command_line: CommandLine, answer: str, left: int) -> None:
    command_line.interactive = True
    result = command_line.run("quarantine", "drop", "m-1", input=answer)
    assert "Delete 1 event for good?" in result.stderr
    assert len(command_line.quarantine.items) == left


def test_nobody_is_asked_where_nobody_is(command_line: CommandLine) -> None:
    assert command_line.json("quarantine", "redrive", "--all")["exit_code"] == 2
    assert len(command_line.quarantine.items) == 3


def test_a_dry_run_asks_nobody_and_changes_nothing(command_line: CommandLine) -> None:
    result = command_line.run("quarantine", "redrive", "--all", "--since", "5h", "--dry-run")
    assert result.exit_code == 0
    assert "2 would-redrive" in result.stdout
    assert (len(command_line.quarantine.items), command_line.queues.sent) == (3, {})


def test_one_that_fails_keeps_no_other_back(command_line: CommandLine) -> None:
    command_line.queues.fail("send", TransientError("throttled", "slow down"))
    document = command_line.json("quarantine", "redrive", "m-1", "m-2", "--yes")
    assert [item["outcome"] for item in document["result"]] == ["failed", "redriven"]
    assert (document["exit_code"], document["problems"][0]["field"]) == (1, "m-1")


def test_nothing_to_do_is_no_failure(command_line: CommandLine) -> None:
    result = command_line.run("quarantine", "redrive", "--all", "--trigger", "other")
    assert (result.exit_code, result.stdout) == (0, "There is nothing to redrive.\n")


def test_on_a_terminal_a_bar_shows_the_progress_beside_the_output(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = command_line.run("quarantine", "redrive", "m-1", "m-2", "--yes", "--output", "json")
    assert "Redriving" in result.stderr
    assert "100%" in result.stderr
    assert len(json.loads(result.stdout)["result"]) == 2


def test_without_a_terminal_there_is_no_progress_bar(command_line: CommandLine) -> None:
    result = command_line.run("quarantine", "drop", "--all", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.dumps(result.stdout).count("dropped") == 4
