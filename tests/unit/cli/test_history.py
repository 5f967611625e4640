"""The commands "history", "explain" and "rerun"."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.executions import Execution
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import NotFoundError, TransientError
from tests.fakes.clock import NOON
from tests.samples import PIPELINE_ARN, rejected, start, trigger
from tests.unit.cli.conftest import ROOT

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

SAMPLE = ROOT / "events/s3-object-created.json"
OTHER = ROOT / "events/custom-event.json"
LEASE = timedelta(seconds=60)


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack with one trigger, at the time of the ledger."""
    command_line.ledger.clock = command_line.clock
    command_line.pipelines.clock = command_line.clock
    command_line.pipelines.add(PIPELINE_ARN)
    command_line.store.put(trigger())
    return command_line


def started(command_line: CommandLine, *, name: str = "on-upload", event_id: str = "event-1", key: str = "1") -> str:
    """Something that has started; the ARN of its execution."""
    decision = replace(start(trigger=name, event_id=event_id, key=key), revision=1)
    assert decision.request is not None
    arn = command_line.pipelines.start(decision.request)
    command_line.ledger.acquire(decision, "worker", command_line.clock.now() + LEASE)
    command_line.ledger.complete(decision.token, "worker", arn)
    command_line.clock.advance(minutes=1)
    return arn


def sample_id() -> str:
    event: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return str(event["id"])


# history


def test_history_has_what_happened_the_newest_first(command_line: CommandLine) -> None:
    arn = started(command_line)
    command_line.ledger.record(rejected(trigger="other", event_id="event-2"))
    document = command_line.json("history")
    assert [(it["event_id"], it["outcome"], it["state"]) for it in document["result"]] == [
        ("event-2", "rejected", "REJECTED"),
        ("event-1", "started", "STARTED"),
    ]
    assert document["result"][1]["execution_arn"] == arn
    stdout = command_line.run("history").stdout
    assert "2 on record since 24h" in stdout
    assert "missing-parameter" in stdout
    assert arn.rpartition("/")[2] in stdout
    assert max(map(len, stdout.splitlines())) <= 80


@pytest.mark.parametrize(("columns", "is_table"), [("80", False), ("200", True)])
def test_history_is_a_table_where_there_is_room_and_else_two_lines_each(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: str, is_table: bool
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    arn = started(command_line, event_id="event-with-an-id-of-36-characters-xyz")
    shown = command_line.run("history").stdout.splitlines()
    assert len(shown) == 3
    assert shown[1].startswith("decided (UTC)") == is_table
    assert "event-with-an-id-of-36-characters-xyz" in shown[-1]
    assert arn.rpartition("/")[2] in shown[-1]


def test_history_is_narrowed_by_trigger_state_and_time(command_line: CommandLine) -> None:
    started(command_line)
    started(command_line, name="other", event_id="event-2")
    command_line.clock.advance(hours=30)
    command_line.ledger.record(rejected(event_id="event-3"))

    def ids(*options: str) -> list[str]:
        return [it["event_id"] for it in command_line.json("history", *options)["result"]]

    assert ids() == ["event-3"]
    assert ids("--since", "2d") == ["event-3", "event-2", "event-1"]
    assert ids("--since", "2d", "--trigger", "other") == ["event-2"]
    assert ids("--since", "2d", "--state", "STARTED") == ["event-2", "event-1"]
    assert ids("--since", "2026-03-15") == ["event-3"]


def test_history_says_when_there_is_more_than_it_shows(command_line: CommandLine) -> None:
    for number in range(3):
        started(command_line, event_id=f"event-{number}", key=str(number))
    document = command_line.json("history", "--limit", "2")
    assert [it["event_id"] for it in document["result"]] == ["event-2", "event-1"]
    assert document["warnings"][0]["reason"] == "there are more than 2"
    assert command_line.json("history", "--limit", "3")["warnings"] == []


def test_an_empty_history_is_no_failure(command_line: CommandLine) -> None:
    result = command_line.run("history")
    assert (result.exit_code, result.stdout) == (0, "0 on record since 24h\n")


def test_a_ledger_that_cannot_be_read_is_told(command_line: CommandLine) -> None:
    command_line.ledger.failures.append(TransientError("ledger-unavailable", "no table"))
    document = command_line.json("history")
    assert (document["exit_code"], document["problems"][0]["reason"]) == (1, "no table")


# explain


@pytest.mark.parametrize("by", ["event", "execution"])
def test_explain_tells_everything_about_a_start(command_line: CommandLine, by: str) -> None:
    arn = started(command_line)
    command_line.pipelines.ended[arn] = Execution(arn, "Failed", NOON, NOON, "step Train: out of memory")
    document = command_line.json("explain", arn if by == "execution" else "event-1")
    assert document["exit_code"] == 0
    (told,) = document["result"]
    assert (told["outcome"], told["recorded"], told["revision"], told["trigger_since"]) == ("started", True, 1, "same")
    assert told["execution"] == {
        "arn": arn,
        "status": "Failed",
        "started_at": "2026-03-14T12:00:00+00:00",
        "changed_at": "2026-03-14T12:00:00+00:00",
        "failure_reason": "step Train: out of memory",
    }
    (parameter,) = told["parameters"]
    assert (
        parameter["origin"],
        parameter["expression"],
        parameter["raw"],
        parameter["value"],
        parameter["verdict"],
    ) == (
        "dynamic",
        "$.x",
        "1",
        "1",
        "sent",
    )
    stdout = command_line.run("explain", "event-1").stdout
    for part in (
        "started  on-upload → churn-train",
        arn[:60],
        "Failed at 2026-03-14 12:00:00 UTC: step Train",
        "dynamic",
    ):
        assert part in stdout
    assert "1: the trigger is the same now" in stdout
    assert max(map(len, stdout.splitlines())) <= 80


def test_explain_tells_why_nothing_started(command_line: CommandLine) -> None:
    command_line.ledger.record(rejected("missing-parameter"))
    document = command_line.json("explain", "event-1")
    assert (document["exit_code"], document["result"][0]["reason"]) == (5, "missing-parameter")
    stdout = command_line.run("explain", "event-1").stdout
    assert "was refused  on-upload → churn-train" in stdout
    assert "missing-parameter: the path finds nothing" in stdout


def test_an_execution_that_cannot_be_described_leaves_the_rest(command_line: CommandLine) -> None:
    started(command_line)
    command_line.pipelines.fail("execution", TransientError("denied-yet", "not allowed"))
    result = command_line.run("explain", "event-1")
    assert (result.exit_code, "not known: not allowed" in result.stdout) == (0, True)


@pytest.mark.parametrize("what", ["event-9", f"{PIPELINE_ARN}/execution/abc"])
def test_what_is_not_on_record_ends_with_3_and_says_where_it_may_be(command_line: CommandLine, what: str) -> None:
    document = command_line.json("explain", what)
    assert (document["exit_code"], document["result"]) == (3, [])
    assert (
        f"nothing is on record about {'' if 'arn' in what else 'the event '}{what}" in document["problems"][0]["reason"]
    )
    assert "35 days" in document["problems"][0]["remedy"]
    assert ("newest 500" in document["problems"][0]["remedy"]) is ("arn" not in what)


def test_an_event_that_only_the_quarantine_knows_is_found_there(command_line: CommandLine) -> None:
    decision = rejected("malformed-event", trigger="").to_document() | {"event_id": "m-1"}
    item = Quarantined("m-1", "malformed-event", "queue", NOON, "{", decisions=(decision,), message="not JSON")
    command_line.quarantine.put(item)
    document = command_line.json("explain", "m-1")
    assert document["exit_code"] == 2
    (told,) = document["result"]
    assert (told["recorded"], told["quarantine"]["id"], told["reason"]) == (False, "m-1", "malformed-event")
    assert "In quarantine:" in command_line.run("explain", "m-1").stdout


def test_an_event_of_a_file_that_is_on_record_is_told_from_there(command_line: CommandLine) -> None:
    started(command_line, event_id=sample_id())
    document = command_line.json("explain", str(SAMPLE))
    (told,) = document["result"]
    assert (document["exit_code"], told["recorded"], told["outcome"]) == (0, True, "started")
    assert told["place"] == str(SAMPLE)


def test_an_event_of_a_file_without_record_is_decided_again(command_line: CommandLine) -> None:
    document = command_line.json("explain", str(SAMPLE))
    (told,) = document["result"]
    assert (document["exit_code"], told["recorded"], told["outcome"], told["revision"]) == (0, False, "start", 1)
    assert [(it["name"], it["value"]) for it in told["parameters"]] == [("Instance_type", "ml.m5.large")]
    stdout = command_line.run("explain", str(SAMPLE)).stdout
    assert "Nothing is on record. Decided again by revision 1" in stdout
    assert command_line.pipelines.executions == []
    assert command_line.ledger.entries == {}


def test_the_revision_that_decides_again_can_be_chosen(command_line: CommandLine) -> None:
    command_line.store.put(trigger(value="ml.p5.48xlarge"))

    def value(*options: str) -> str:
        (told,) = command_line.json("explain", str(SAMPLE), *options)["result"]
        return str(told["parameters"][0]["value"])

    assert (value(), value("--revision", "1")) == ("ml.p5.48xlarge", "ml.m5.large")
    assert command_line.json("explain", str(SAMPLE), "--revision", "9")["exit_code"] == 1


def test_with_a_revision_an_event_on_record_is_decided_again_too(command_line: CommandLine) -> None:
    started(command_line, event_id=sample_id())
    told = command_line.json("explain", str(SAMPLE), "--revision", "1")["result"]
    assert [(it["recorded"], it["outcome"]) for it in told] == [(True, "started"), (False, "start")]


def test_a_revision_is_no_use_without_the_event(command_line: CommandLine) -> None:
    document = command_line.json("explain", "event-1", "--revision", "1")
    assert (document["exit_code"], document["problems"][0]["field"]) == (2, "--revision")


def test_an_occurrence_that_another_event_told_of_is_found(command_line: CommandLine) -> None:
    (planned,) = command_line.json("explain", str(SAMPLE))["result"]
    decision = replace(
        start(event_id="the-first"), occurrence=planned["occurrence"], token=planned["token"], revision=1
    )
    command_line.ledger.acquire(decision, "worker", command_line.clock.now() + LEASE)
    (told,) = command_line.json("explain", str(SAMPLE))["result"]
    assert (told["recorded"], told["event_id"]) == (True, "the-first")
    assert "Another event has told of the same occurrence" in command_line.run("explain", str(SAMPLE)).stdout


def test_an_event_that_matches_nothing_and_one_that_is_none_are_told(command_line: CommandLine) -> None:
    file = command_line.file(json.dumps([json.loads(OTHER.read_text(encoding="utf-8")), 7]), "e.json")
    document = command_line.json("explain", file)
    assert [(it["outcome"], it["reason"]) for it in document["result"]] == [
        ("unmatched", ""),
        ("rejected", "malformed-event"),
    ]
    assert document["exit_code"] == 2


def test_events_come_from_stdin_too(command_line: CommandLine) -> None:
    document = command_line.json("explain", "-", input=SAMPLE.read_bytes())
    assert document["result"][0]["outcome"] == "start"


def test_a_stack_that_is_not_there_is_told(command_line: CommandLine) -> None:
    command_line.delivered = NotFoundError("there is no stack")
    assert command_line.json("explain", str(SAMPLE))["exit_code"] == 1


# rerun


@pytest.mark.parametrize("by", ["event", "execution"])
def test_rerun_starts_again_and_names_the_old_occurrence(command_line: CommandLine, by: str) -> None:
    arn = started(command_line)
    document = command_line.json("rerun", arn if by == "execution" else "event-1", "--yes")
    assert document["exit_code"] == 0
    told = document["result"]
    assert (told["outcome"], told["execution_arn"]) == ("started", command_line.pipelines.executions[1].arn)
    assert told["rerun_of"] == start(key="1").occurrence
    first, second = command_line.pipelines.started
    assert (first.parameters, first.token) != (second.parameters, second.token)
    assert first.parameters == second.parameters
    assert "rerun of" in second.description
    assert "user/ann" in second.description


def test_a_dry_run_starts_and_records_nothing(command_line: CommandLine) -> None:
    started(command_line)
    result = command_line.run("rerun", "event-1", "--dry-run")
    assert (result.exit_code, "would start again  on-upload → churn-train" in result.stdout) == (0, True)
    assert (len(command_line.pipelines.executions), len(command_line.ledger.entries)) == (1, 1)


@pytest.mark.parametrize(("answer", "executions"), [("y\n", 2), ("n\n", 1)])
def test_somebody_who_is_there_is_asked(command_line: CommandLine, answer: str, executions: int) -> None:
    started(command_line)
    command_line.interactive = True
    result = command_line.run("rerun", "event-1", input=answer)
    assert "Start churn-train once more?" in result.stderr
    assert len(command_line.pipelines.executions) == executions


def test_nobody_is_asked_where_nobody_is(command_line: CommandLine) -> None:
    started(command_line)
    assert command_line.json("rerun", "event-1")["exit_code"] == 2
    assert len(command_line.pipelines.executions) == 1


def test_of_several_targets_one_is_chosen(command_line: CommandLine) -> None:
    started(command_line)
    started(command_line, name="other")
    document = command_line.json("rerun", "event-1", "--yes")
    assert (document["exit_code"], "2 starts are on record" in document["problems"][0]["reason"]) == (2, True)
    document = command_line.json("rerun", "event-1", "--trigger", "other", "--target", "churn-train", "--yes")
    assert (document["exit_code"], document["result"]["trigger"]) == (0, "other")


def test_what_is_not_on_record_cannot_be_run_again(command_line: CommandLine) -> None:
    assert command_line.json("rerun", "event-9", "--yes")["exit_code"] == 3


def test_what_was_refused_by_sagemaker_is_run_again_with_a_warning(command_line: CommandLine) -> None:
    command_line.ledger.acquire(start(), "worker", command_line.clock.now() + LEASE)
    command_line.ledger.reject(start().token, "worker", "access-denied")
    document = command_line.json("rerun", "event-1", "--yes")
    assert (document["exit_code"], document["result"]["outcome"]) == (0, "started")
    assert "still be in quarantine" in document["warnings"][0]["reason"]


def test_a_rerun_of_which_nobody_knows_whether_it_started_is_named_by_the_next(command_line: CommandLine) -> None:
    started(command_line)
    command_line.clock.advance(minutes=1)
    command_line.pipelines.fail("start", *[TransientError("unavailable", "no answer", acted=True)] * 3)
    assert command_line.json("rerun", "event-1", "--yes")["exit_code"] == 1
    document = command_line.json("rerun", "event-1", "--yes")
    assert (document["exit_code"], document["result"]["outcome"]) == (0, "started")
    assert command_line.pipelines.started[1].display_name in document["warnings"][0]["reason"]


def test_a_start_that_fails_is_told(command_line: CommandLine) -> None:
    started(command_line)
    command_line.pipelines.fail("start", TransientError("throttled", "slow down"))
    document = command_line.json("rerun", "event-1", "--yes")
    assert (document["exit_code"], document["problems"][0]["reason"]) == (1, "slow down")
