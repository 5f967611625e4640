"""The command "status"."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers import silence
from pipeline_triggers.cli.status import STUCK_QUEUES
from pipeline_triggers.domain.dead_letters import WORK_QUEUES
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.messages import Counts, Quarantined
from pipeline_triggers.domain.sweeps import Position
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import ConfigurationError, NotFoundError, PermanentError, TransientError
from tests.samples import rejected, start, trigger
from tests.unit.cli.conftest import ROOT

if TYPE_CHECKING:
    from pipeline_triggers.domain.sweeps import Phase
    from pipeline_triggers.domain.triggers import State
    from tests.unit.cli.conftest import CommandLine

PARTS = {"queues", "schedules", "quarantine", "contracts", "starts", "failures", "silent", "sweep"}
PIPELINE = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
GROUP = "pipeline-triggers"
DENIED = TransientError("ledger-unavailable", "AccessDeniedException", denied=True)


def status(command_line: CommandLine) -> dict[str, Any]:
    document = command_line.json("status")
    assert document["exit_code"] == 0
    result: dict[str, Any] = document["result"]
    return result


def quarantine(command_line: CommandLine, id_: str, reason: str, hours_ago: int = 0) -> None:
    received_at = command_line.quarantine.clock.now() - timedelta(hours=hours_ago)
    command_line.quarantine.put(Quarantined(id_, reason, "queue", received_at, "{}"))


def test_an_idle_stack_has_nothing_that_is_stuck(command_line: CommandLine) -> None:
    result = status(command_line)
    assert result["stack"] == "pipeline-triggers"
    assert result["attention"] == []
    assert result["triggers"] == {"revision": 0, "enabled": 0, "disabled": 0, "shadow": 0, "orphaned": []}
    assert (result["schedules"]["list"], result["quarantine"]["events"]) == ([], 0)
    assert (result["contracts"], result["starts"], result["failures"], result["sweep"]) == ([], [], [], None)
    assert result["silent"] == {"days": 30, "triggers": [], "looked_at": 0, "known": 0}
    assert "Nothing is stuck." in command_line.run("status").stdout


def test_every_queue_of_the_stack_is_counted_by_its_name(command_line: CommandLine) -> None:
    command_line.queues.held["blue-s3-event"] = Counts(waiting=1200, in_flight=7, delayed=30)
    queues = command_line.json("status", "--stack-name", "blue")["result"]["queues"]
    assert [each["queue"] for each in queues] == [*WORK_QUEUES, *STUCK_QUEUES]
    assert queues[0] == {"queue": "s3-event", "waiting": 1200, "in_flight": 7, "delayed": 30}


def test_the_queues_are_those_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for name in (*WORK_QUEUES, *STUCK_QUEUES):
        assert f"QueueName: !Sub ${{AWS::StackName}}-{name}\n" in template
    assert template.count("QueueName: !Sub") == len(WORK_QUEUES) + len(STUCK_QUEUES)


def test_work_that_waits_is_no_reason_to_worry(command_line: CommandLine) -> None:
    command_line.queues.held["pipeline-triggers-s3-event"] = Counts(100_000, 10, 5)
    assert status(command_line)["attention"] == []


@pytest.mark.parametrize("queue", ["dead-letter", "undelivered"])
@pytest.mark.parametrize("counts", [Counts(2, 0, 0), Counts(0, 2, 0), Counts(1, 0, 1)])
def test_what_is_stuck_is_told_with_what_to_do(command_line: CommandLine, queue: str, counts: Counts) -> None:
    command_line.queues.held[f"pipeline-triggers-{queue}"] = counts
    (told,) = status(command_line)["attention"]
    assert (told["field"], told["reason"]) == (queue, "has 2 messages")
    result = command_line.run("status")
    assert result.exit_code == 0
    assert f"{queue} has 2 messages. " in result.stdout
    assert "Nothing is stuck" not in result.stdout


def test_triggers_are_counted_by_state(command_line: CommandLine) -> None:
    states: list[State] = ["ENABLED", "ENABLED", "DISABLED", "SHADOW"]
    triggers = tuple(replace(trigger(f"t{number}"), state=state) for number, state in enumerate(states))
    command_line.store.write(Snapshot(0, triggers), expected_revision=0, by="ann")
    assert status(command_line)["triggers"] == {
        "revision": 1,
        "enabled": 2,
        "disabled": 1,
        "shadow": 1,
        "orphaned": [],
    }
    assert "4 triggers: 2 enabled, 1 disabled, 1 shadow, revision 1" in command_line.run("status").stdout


def test_the_quarantine_is_counted_by_reason_with_the_newest_of_each(command_line: CommandLine) -> None:
    quarantine(command_line, "1", "rate-cap", hours_ago=5)
    quarantine(command_line, "2", "rate-cap", hours_ago=2)
    quarantine(command_line, "3", "malformed-event", hours_ago=3)
    result = status(command_line)
    assert result["quarantine"] == {
        "events": 3,
        "reasons": [
            {"reason": "rate-cap", "events": 2, "newest": "2026-03-14T10:00:00+00:00"},
            {"reason": "malformed-event", "events": 1, "newest": "2026-03-14T09:00:00+00:00"},
        ],
    }
    (told,) = result["attention"]
    assert (told["field"], told["reason"]) == ("quarantine", "has 3 events")
    assert "rate-cap         2       2026-03-14 10:00" in command_line.run("status").stdout


def test_schedules_are_listed_the_next_one_first(command_line: CommandLine) -> None:
    add = command_line.schedules.add
    add("a-off", PIPELINE, group=GROUP, State="DISABLED", ScheduleExpression="cron(1 12 * * ? *)")
    add("b-late", PIPELINE, group=GROUP, ScheduleExpression="cron(0 18 * * ? *)")
    # 17:00 in New York is later than 18:00 in UTC.
    zone = "America/New_York"
    add("c-later", PIPELINE, group=GROUP, ScheduleExpression="cron(0 17 * * ? *)", ScheduleExpressionTimezone=zone)
    add("d-soon", PIPELINE, group=GROUP, ScheduleExpression="cron(5 12 * * ? *)")
    add("elsewhere", PIPELINE, group="other")
    schedules = status(command_line)["schedules"]
    assert (schedules["enabled"], schedules["disabled"]) == (3, 1)
    assert [each["name"] for each in schedules["list"]] == ["d-soon", "b-late", "c-later", "a-off"]
    assert schedules["list"][0]["next"] == "2026-03-14T12:05:00+00:00"


def test_of_many_schedules_the_first_ten_are_shown(command_line: CommandLine) -> None:
    for number in range(13):
        command_line.schedules.add(f"s-{number:02d}", PIPELINE, group=GROUP, ScheduleExpression="cron(5 12 * * ? *)")
    stdout = command_line.run("status").stdout
    assert ("s-09" in stdout, "s-10" in stdout) == (True, False)
    assert "and 3 more: see schedule list" in stdout
    assert len(status(command_line)["schedules"]["list"]) == 13


def test_it_fits_80_columns(command_line: CommandLine) -> None:
    command_line.queues.held["pipeline-triggers-dead-letter"] = Counts(123_456_789, 1, 1)
    command_line.queues.held["pipeline-triggers-undelivered"] = Counts(1, 1, 1)
    quarantine(command_line, "1", "malformed-event")
    command_line.schedules.add("n" * 64, PIPELINE, group=GROUP, ScheduleExpression="cron(0 3 ? JAN,FEB MON-FRI 2030)")
    stdout = command_line.run("status").stdout
    assert max(map(len, stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("fail", "part"),
    [
        (lambda it: it.queues.fail("counts", TransientError("denied-yet", "no sqs:GetQueueAttributes")), "queues"),
        (lambda it: it.queues.fail("counts", PermanentError("access-denied", "no")), "queues"),
        (lambda it: it.quarantine.fail("list", TransientError("unavailable", "no table")), "quarantine"),
        (lambda it: it.schedules.fail("page", TransientError("throttled", "slow down")), "schedules"),
        (lambda it: it.contracts.fail("broken", TransientError("unavailable", "no table")), "contracts"),
        (lambda it: it.contracts.fail("broken", TransientError("unavailable", "no", denied=True)), "contracts"),
        (lambda it: it.ledger.fail("of_state", TransientError("ledger-unavailable", "no table")), "starts"),
        (lambda it: it.cleanups.fail("position", TransientError("unavailable", "no table")), "sweep"),
        (lambda it: it.store.fail("revisions", TransientError("unavailable", "no table")), "silent"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_shown(command_line: CommandLine, fail: Any, part: str) -> None:
    fail(command_line)
    document = command_line.json("status")
    assert document["exit_code"] == 1
    (problem,) = document["problems"]
    assert problem["field"] == part
    assert PARTS - document["result"].keys() == {part}
    assert document["result"]["triggers"]["revision"] == 0


def test_when_a_part_cannot_be_read_it_does_not_say_that_nothing_is_stuck(command_line: CommandLine) -> None:
    command_line.queues.fail("counts", TransientError("denied-yet", "no"))
    assert "Nothing is stuck" not in command_line.run("status").stdout


@pytest.mark.parametrize("error", [NotFoundError("there is no stack"), ConfigurationError("no outputs")])
def test_a_stack_that_cloudformation_does_not_tell_of_costs_only_the_schedules(
    command_line: CommandLine, error: Exception
) -> None:
    command_line.delivered = error
    document = command_line.json("status")
    assert [problem["field"] for problem in document["problems"]] == ["schedules"]


def test_without_the_triggers_nothing_else_is_asked(command_line: CommandLine) -> None:
    command_line.store.failures.append(TransientError("unavailable", "no table"))
    result = command_line.run("status")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert command_line.queues.calls == []


@pytest.mark.parametrize(
    ("fail", "left_out"),
    [
        (lambda it: it.ledger.fail("of_state", DENIED, DENIED, DENIED), {"starts", "failures"}),
        (lambda it: it.cleanups.fail("position", DENIED), {"sweep"}),
        (lambda it: it.store.fail("revisions", DENIED), {"silent"}),
    ],
)
def test_what_only_operators_may_read_is_left_out_for_others_and_the_rest_counts(
    command_line: CommandLine, fail: Any, left_out: set[str]
) -> None:
    fail(command_line)
    document = command_line.json("status")
    assert (document["exit_code"], document["problems"]) == (0, [])
    assert {warning["field"] for warning in document["warnings"]} == left_out
    assert all("you may not read it" in warning["reason"] for warning in document["warnings"])
    assert all("OperatorPolicyArn" in warning["remedy"] for warning in document["warnings"])
    assert PARTS - document["result"].keys() == left_out


# broken contracts


def broken(command_line: CommandLine, *names: str, **declared: Declared) -> None:
    """The pipeline of triggers declares this since an hour, and was found broken then."""
    command_line.store.put(*map(trigger, names))
    command_line.clock.advance(hours=1)
    since = command_line.clock.now() - timedelta(hours=1)
    command_line.contracts.mark(PIPELINE, Definition(declared), since)


def test_a_trigger_that_its_pipeline_would_refuse_is_told_with_what_to_do(command_line: CommandLine) -> None:
    broken(command_line, "on-upload", Instance_type=Declared(), Table=Declared())
    result = status(command_line)
    (contract,) = result["contracts"]
    assert {key: contract[key] for key in ("pipeline", "trigger", "target", "since")} == {
        "pipeline": "churn-train",
        "trigger": "on-upload",
        "target": "churn-train",
        "since": "2026-03-14T12:00:00+00:00",
    }
    assert [problem["field"] for problem in contract["problems"]] == ["targets[0].parameters.Table"]
    (told,) = result["attention"]
    assert (told["field"], told["reason"]) == ("contracts", "are broken: churn-train would refuse on-upload")
    stdout = command_line.run("status").stdout
    assert "on-upload → churn-train would be refused by its pipeline, since 2026-03-14 12:00 UTC" in stdout.replace(
        "\n", " "
    )
    assert "targets[0].parameters.Table: is missing" in stdout
    assert "Nothing is stuck" not in stdout


def test_once_the_triggers_are_mended_the_contract_holds_though_the_mark_is_there_still(
    command_line: CommandLine,
) -> None:
    broken(command_line, "on-upload", Instance_type=Declared(enum=("ml.m5.xlarge",)))
    assert [it["trigger"] for it in status(command_line)["contracts"]] == ["on-upload"]
    command_line.store.put(trigger(value="ml.m5.xlarge"))
    result = status(command_line)
    assert (result["contracts"], result["attention"]) == ([], [])


def test_a_trigger_that_was_removed_is_not_broken(command_line: CommandLine) -> None:
    broken(command_line, "on-upload", Table=Declared())
    command_line.store.put()
    assert status(command_line)["contracts"] == []


def test_a_pipeline_that_is_gone_meanwhile_is_told_as_that_only(command_line: CommandLine) -> None:
    broken(command_line, "on-upload", Table=Declared())
    command_line.store.mark([PIPELINE], command_line.clock.now())
    result = status(command_line)
    assert (result["contracts"], len(result["triggers"]["orphaned"])) == ([], 1)
    assert [told["field"] for told in result["attention"]] == ["triggers"]


def test_a_pipeline_that_would_refuse_several_triggers_is_told_once(command_line: CommandLine) -> None:
    broken(command_line, "a", "b", Instance_type=Declared(), Table=Declared())
    result = status(command_line)
    assert [it["trigger"] for it in result["contracts"]] == ["a", "b"]
    assert [told["reason"] for told in result["attention"]] == ["are broken: churn-train would refuse a, b"]


def test_of_many_broken_contracts_ten_are_shown(command_line: CommandLine) -> None:
    broken(command_line, *(f"t-{number:02d}" for number in range(13)), Table=Declared())
    stdout = command_line.run("status").stdout
    assert ("t-09 → churn-train" in stdout, "t-10 → churn-train" in stdout) == (True, False)
    assert "and 3 more: --output json has all" in stdout
    result = status(command_line)
    assert len(result["contracts"]) == 13
    assert result["attention"][0]["reason"].endswith("t-08, t-09 and 3 more")


# last starts and failures


def has_started(command_line: CommandLine, key: str, name: str = "on-upload") -> None:
    command_line.ledger.clock = command_line.clock
    decision = replace(start(trigger=name, event_id=f"event-{key}", key=key), at=command_line.clock.now())
    command_line.ledger.acquire(decision, "worker", command_line.clock.now() + timedelta(minutes=1))
    command_line.ledger.complete(decision.token, "worker", f"{PIPELINE}/execution/exec{key}")
    command_line.clock.advance(minutes=1)


def was_refused(command_line: CommandLine, event_id: str, name: str = "on-upload") -> None:
    command_line.ledger.clock = command_line.clock
    decision = rejected("wrong-type", event_id=event_id, trigger=name)
    command_line.ledger.record(replace(decision, at=command_line.clock.now(), token=""))
    command_line.clock.advance(minutes=1)


def test_the_last_five_starts_are_listed_the_newest_first(command_line: CommandLine) -> None:
    for number in range(7):
        has_started(command_line, str(number))
    found = status(command_line)["starts"]
    assert [it["event_id"] for it in found] == [f"event-{number}" for number in (6, 5, 4, 3, 2)]
    assert found[0] == {
        "at": "2026-03-14T12:06:00+00:00",
        "trigger": "on-upload",
        "target": "churn-train",
        "event_id": "event-6",
        "pipeline_arn": start().pipeline_arn,
        "execution_arn": f"{PIPELINE}/execution/exec6",
    }
    stdout = command_line.run("status").stdout
    assert "2026-03-14 12:06  on-upload  churn-train  exec6" in stdout
    assert "exec1" not in stdout


def test_the_last_five_failures_are_listed_with_their_reasons(command_line: CommandLine) -> None:
    for number in range(7):
        was_refused(command_line, f"event-{number}")
    found = status(command_line)["failures"]
    assert [it["event_id"] for it in found] == [f"event-{number}" for number in (6, 5, 4, 3, 2)]
    assert {it["reason"] for it in found} == {"wrong-type"}
    assert "2026-03-14 12:06  on-upload  churn-train  wrong-type" in command_line.run("status").stdout


def test_no_more_of_the_ledger_is_read_than_is_shown(command_line: CommandLine) -> None:
    status(command_line)
    read = {(call["state"], call["at_most"]) for call in command_line.ledger.called("of_state")}
    assert read == {("STARTED", 5), ("REJECTED", 5)}


def test_that_nothing_happened_is_said(command_line: CommandLine) -> None:
    stdout = command_line.run("status").stdout
    assert "No start in the last 35 days" in stdout
    assert "No failure in the last 35 days" in stdout


# silent triggers


def test_triggers_that_have_started_nothing_for_long_are_named(command_line: CommandLine) -> None:
    command_line.store.clock = command_line.clock
    command_line.store.put(trigger("busy"), trigger("quiet"))
    command_line.clock.advance(days=40)
    has_started(command_line, "1", "busy")
    assert status(command_line)["silent"] == {"days": 30, "triggers": ["quiet"], "looked_at": 2, "known": 2}
    stdout = command_line.run("status").stdout
    assert "Of 2 triggers on events that have been enabled for 30 days, 1 has started" in stdout
    assert "  quiet" in stdout.splitlines()
    assert "Nothing is stuck." in stdout


def test_how_long_is_long_can_be_said_within_what_the_ledger_keeps(command_line: CommandLine) -> None:
    command_line.store.clock = command_line.clock
    command_line.store.put(trigger("quiet"))
    command_line.clock.advance(days=3)
    assert command_line.json("status", "--silent-days", "2")["result"]["silent"]["triggers"] == ["quiet"]
    assert command_line.json("status", "--silent-days", "4")["result"]["silent"]["known"] == 0
    assert command_line.run("status", "--silent-days", "35").exit_code == 2


def test_of_many_silent_triggers_ten_are_shown(command_line: CommandLine) -> None:
    command_line.store.clock = command_line.clock
    command_line.store.put(*(trigger(f"t-{number:02d}") for number in range(13)))
    command_line.clock.advance(days=40)
    stdout = command_line.run("status").stdout
    assert ("  t-09" in stdout, "  t-10" in stdout) == (True, False)
    assert "and 3 more: --output json names all" in stdout
    assert len(status(command_line)["silent"]["triggers"]) == 13


def test_when_there_are_too_many_to_ask_about_it_says_of_how_many_it_tells(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "MAX_ASKED", 2)
    command_line.store.clock = command_line.clock
    command_line.store.put(*(trigger(f"t-{number}") for number in range(5)))
    command_line.clock.advance(days=40)
    assert status(command_line)["silent"] == {"days": 30, "triggers": ["t-0", "t-1"], "looked_at": 2, "known": 5}
    stdout = command_line.run("status").stdout.replace("\n", " ")
    assert "Of the first 2 triggers on events that have been enabled for 30 days, of 5 in all" in stdout


# sweeps


def swept(command_line: CommandLine, phase: Phase, orphans: int | None = None, minutes_ago: int = 0) -> None:
    then = command_line.clock.now() - timedelta(minutes=minutes_ago)
    command_line.cleanups.last = Position("run", "message", then, then, "mark", phase, orphans=orphans)


def test_the_orphans_that_the_last_sweep_has_left_are_counted(command_line: CommandLine) -> None:
    swept(command_line, "done", orphans=3)
    assert status(command_line)["sweep"] == {"began": "2026-03-14T12:00:00+00:00", "state": "done", "orphans": 3}
    stdout = command_line.run("status").stdout.replace("\n", " ")
    assert "The sweep for orphans of 2026-03-14 12:00 UTC has left 3 orphans: cleanup sweep --dry-run" in stdout


@pytest.mark.parametrize(
    ("position", "state", "said"),
    [
        (("done", 0, 0), "done", "has left none"),
        (("look", None, 59), "under-way", "A sweep for orphans is under way since 2026-03-14 11:01 UTC"),
        (("look", None, 61), "interrupted", "of 2026-03-14 10:59 UTC has not come to its end"),
    ],
)
def test_how_the_last_sweep_stands_is_said(
    command_line: CommandLine, position: tuple[Phase, int | None, int], state: str, said: str
) -> None:
    swept(command_line, *position)
    assert status(command_line)["sweep"]["state"] == state
    assert said in command_line.run("status").stdout.replace("\n", " ")


def test_before_the_first_sweep_that_is_said(command_line: CommandLine) -> None:
    assert "No sweep has looked for orphans yet" in command_line.run("status").stdout


@pytest.mark.parametrize("columns", [80, 200])
def test_all_of_it_at_once_fits_the_terminal(
    command_line: CommandLine, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    command_line.store.clock = command_line.clock
    name = "n" * 64
    broken(command_line, name, "quiet", Table=Declared())
    command_line.clock.advance(days=40)
    has_started(command_line, "a-long-id-of-an-execution", name)
    was_refused(command_line, "event-1", name)
    swept(command_line, "done", orphans=1200)
    stdout = command_line.run("status").stdout
    assert max(map(len, stdout.splitlines())) <= columns
    assert {"Last starts", "Last failures"} <= set(stdout.splitlines())
