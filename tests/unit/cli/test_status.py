"""The command "status"."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cli.status import STUCK_QUEUES
from pipeline_triggers.domain.dead_letters import WORK_QUEUES
from pipeline_triggers.domain.ports import Counts, Quarantined
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import ConfigurationError, NotFoundError, PermanentError, TransientError
from tests.samples import trigger
from tests.unit.cli.conftest import ROOT

if TYPE_CHECKING:
    from pipeline_triggers.domain.triggers import State
    from tests.unit.cli.conftest import CommandLine

PIPELINE = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
GROUP = "pipeline-triggers"


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
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_shown(command_line: CommandLine, fail: Any, part: str) -> None:
    fail(command_line)
    document = command_line.json("status")
    assert document["exit_code"] == 1
    (problem,) = document["problems"]
    assert problem["field"] == part
    assert {"queues", "schedules", "quarantine"} - document["result"].keys() == {part}
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
