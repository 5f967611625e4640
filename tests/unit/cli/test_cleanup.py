"""The commands of the clean-up, over a stack in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from pipeline_triggers.cli.cleanup_views import WHY, short_name
from pipeline_triggers.domain.orphans import KeptReason
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.clock import NOON
from tests.fakes.pipelines import FakePipelines
from tests.fakes.schedules import FakeSchedules
from tests.samples import trigger
from tests.unit.cli.conftest import HOME

if TYPE_CHECKING:
    from pipeline_triggers.domain.scheduler import SchedulePage
    from tests.unit.cli.conftest import CommandLine

HERE = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/"
GONE, THERE = f"{HERE}churn-train", f"{HERE}churn-score"
ARN = "arn:aws:scheduler:eu-central-1:210987654321:schedule/"
CRON = {"ScheduleExpression": "cron(0 3 * * ? *)"}


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack with two schedules of a pipeline that is gone, a day old, and one of a pipeline that is there."""
    command_line.schedules.clock = command_line.clock
    command_line.pipelines = FakePipelines(home=HOME, clock=command_line.clock)
    command_line.pipelines.add(THERE)
    command_line.schedules.add("nightly", GONE, **CRON)
    command_line.schedules.add("weekly", GONE.replace("churn", "Churn"), group="team", **CRON)
    command_line.schedules.add("scoring", THERE, **CRON)
    command_line.clock.advance(days=1)
    return command_line


def sweep(command_line: CommandLine, *options: str, problems: bool = False) -> dict[str, Any]:
    document = command_line.json("cleanup", "sweep", *options)
    assert (document["exit_code"], bool(document["problems"])) == ((1, True) if problems else (0, False))
    result: dict[str, Any] = document["result"]
    return result


def seen_before(command_line: CommandLine) -> CommandLine:
    """A sweep has seen the orphans an hour ago."""
    sweep(command_line, "--yes")
    command_line.clock.advance(hours=1)
    return command_line


# sweep


def test_what_a_sweep_sees_for_the_first_time_stays(command_line: CommandLine) -> None:
    result = sweep(command_line, "--yes")
    assert (result["deleted"], result["would_delete"], result["schedules"]) == ([], [], 3)
    assert sorted((it["arn"], it["reason"]) for it in result["kept"]) == [
        (f"{ARN}default/nightly", "seen-once"),
        (f"{ARN}default/scoring", "pipeline-exists"),
        (f"{ARN}team/weekly", "seen-once"),
    ]
    assert len(command_line.schedules.names) == 3


def test_what_two_sweeps_see_is_deleted(command_line: CommandLine) -> None:
    result = sweep(seen_before(command_line), "--yes")
    assert sorted(result["deleted"]) == [f"{ARN}default/nightly", f"{ARN}team/weekly"]
    assert command_line.schedules.names == {"scoring"}


def test_a_dry_run_shows_what_would_go_and_writes_nothing(command_line: CommandLine) -> None:
    seen_before(command_line)
    snapshot = Snapshot(0, (replace(trigger("on-upload")),))
    command_line.store.write(snapshot, expected_revision=0, by="ann")
    for fake in (command_line.cleanups, command_line.store, command_line.schedules, command_line.rules):
        fake.calls.clear()
    result = sweep(command_line, "--dry-run")
    assert sorted(result["would_delete"]) == [f"{ARN}default/nightly", f"{ARN}team/weekly"]
    assert (result["deleted"], result["dry_run"]) == ([], True)
    assert [it["reason"] for it in result["kept"]] == ["pipeline-exists"]
    assert len(command_line.schedules.names) == 3
    calls = [*command_line.cleanups.calls, *command_line.store.calls, *command_line.schedules.calls]
    written = {"keep", "remember", "forget", "save", "index", "mark", "revive", "write", "delete", "update", "create"}
    assert not written & {call.method for call in calls}
    assert not command_line.rules.called("remove_targets")


def test_a_dry_run_tells_people_what_would_go_and_why_the_rest_stays(command_line: CommandLine) -> None:
    seen_before(command_line).schedules.add("fresh", GONE, **CRON)
    lines = command_line.run("cleanup", "sweep", "--dry-run").stdout.splitlines()
    assert lines == [
        "Dry run: nothing is written.",
        "4 schedules that start pipelines looked at",
        "would delete 2",
        "  default/nightly",
        "  team/weekly",
        "1 stays: its pipeline does not exist, but it was made or changed in the last 15",
        "minutes",
        "  default/fresh",
        "1 stays: its pipeline exists",
    ]


def test_a_dry_run_reads_what_would_go_and_knows_what_its_description_protects(command_line: CommandLine) -> None:
    command_line.schedules.add("precious", GONE, Description="[pipeline-triggers:protect] ask ann", **CRON)
    command_line.rules.add("on-drift", GONE, bus="team")
    command_line.policy = replace(command_line.policy, rule_targets="remove")
    command_line.clock.advance(days=1)
    # This sweep is the first to see it, so nobody has read its description yet.
    result = sweep(seen_before(command_line), "--dry-run")
    assert {it["arn"]: it["reason"] for it in result["kept"]}[f"{ARN}default/precious"] == "protected-description"
    assert sorted(map(short_name, result["would_delete"])) == ["default/nightly", "rule team/on-drift#1", "team/weekly"]
    assert command_line.rules.ids == {("team", "on-drift"): ["1"]}
    assert command_line.cleanups.called("keep") == []


def test_a_sweep_tells_people_what_it_deleted(command_line: CommandLine) -> None:
    lines = seen_before(command_line).run("cleanup", "sweep", "--yes").stdout.splitlines()
    assert lines[:4] == [
        "3 schedules that start pipelines looked at",
        "deleted 2",
        "  default/nightly",
        "  team/weekly",
    ]


def test_the_mode_of_the_stack_holds_for_the_command_line_too(command_line: CommandLine) -> None:
    command_line.policy = replace(command_line.policy, mode="report")
    result = sweep(seen_before(command_line), "--yes")
    assert [it["reason"] for it in result["kept"]].count("report-mode") == 2
    assert "2 stay: the stack's CleanupMode is report" in command_line.run("cleanup", "sweep", "--yes").stdout
    assert "would delete 0" in command_line.run("cleanup", "sweep", "--dry-run").stdout
    assert len(command_line.schedules.names) == 3


def test_more_than_the_stack_allows_is_a_problem_and_deletes_nothing(command_line: CommandLine) -> None:
    command_line.policy = replace(command_line.policy, max_deletes=1)
    sweep(seen_before(command_line), "--yes", problems=True)
    stderr = command_line.run("cleanup", "sweep", "--yes").stderr
    assert "2 would be deleted, which is more than one run may: nothing was deleted" in stderr
    assert len(command_line.schedules.names) == 3


def test_a_sweep_asks_before_it_deletes(command_line: CommandLine) -> None:
    assert seen_before(command_line).run("cleanup", "sweep").exit_code == 2
    command_line.interactive = True
    result = command_line.run("cleanup", "sweep", input="n\n")
    assert (result.exit_code, len(command_line.schedules.names)) == (1, 3)
    assert command_line.run("cleanup", "sweep", input="y\n").exit_code == 0
    assert command_line.schedules.names == {"scoring"}


def test_what_failed_is_told_and_the_next_sweep_finishes(command_line: CommandLine) -> None:
    seen_before(command_line).schedules.fail("delete", TransientError("throttled", "slow down"))
    document = command_line.json("cleanup", "sweep", "--yes")
    assert (document["exit_code"], len(document["result"]["deleted"])) == (1, 1)
    [problem] = document["problems"]
    assert problem["reason"] == "slow down"
    assert problem["remedy"].startswith("Sweep again")
    sweep(command_line, "--yes")
    assert command_line.schedules.names == {"scoring"}


def test_what_will_fail_again_names_no_remedy_of_repeating(command_line: CommandLine) -> None:
    seen_before(command_line).schedules.fail("delete", PermanentError("access-denied", "may not"))
    document = command_line.json("cleanup", "sweep", "--yes")
    assert [(it["reason"], it["remedy"]) for it in document["problems"]] == [("may not", "")]


def test_a_sweep_of_somebody_else_is_left_to_them(command_line: CommandLine) -> None:
    cleaner = command_line._cleaner()
    command_line.schedules.fail("page", TransientError("throttled", "slow down"))
    cleaner.sweep(command_line.clock.now() + timedelta(minutes=5), "somebody else's")
    document = command_line.json("cleanup", "sweep", "--yes")
    assert (document["exit_code"], document["problems"][0]["reason"]) == (1, "another sweep is under way")
    assert sweep(command_line, "--dry-run")["schedules"] == 3


def test_an_interrupted_sweep_goes_on_when_it_is_begun_again(command_line: CommandLine) -> None:
    command_line.schedules.fail("page", TransientError("throttled", "slow down"))
    sweep(command_line, "--yes", problems=True)
    assert sweep(command_line, "--yes")["schedules"] == 3


@dataclass
class SlowSchedules(FakeSchedules):
    """Each page takes a minute."""

    def page(self, group: str, token: str | None = None) -> SchedulePage:
        self.clock.advance(minutes=1)
        return super().page(group, token)


def test_a_sweep_goes_on_until_everything_was_looked_at(command_line: CommandLine) -> None:
    command_line.schedules = SlowSchedules(clock=command_line.clock, home=HOME, page_size=1)
    for number in range(8):
        command_line.schedules.add(f"s-{number}", THERE, **CRON)
    for option in ("--dry-run", "--yes"):
        assert sweep(command_line, option)["schedules"] == 8


def test_targets_of_rules_are_told_by_rule_and_id(command_line: CommandLine) -> None:
    command_line.rules.add("on-drift", GONE, bus="team")
    shown = seen_before(command_line).run("cleanup", "sweep", "--dry-run").stdout
    assert "1 stays: its pipeline does not exist, but the stack's RuleTargets or CleanupMode" in shown
    assert "  rule team/on-drift#1" in shown.splitlines()


def test_triggers_that_a_sweep_marks_are_told(command_line: CommandLine) -> None:
    command_line.store.write(Snapshot(0, (trigger("on-upload"),)), expected_revision=0, by="ann")
    assert (
        "triggers of churn-train would be marked orphaned" in command_line.run("cleanup", "sweep", "--dry-run").stdout
    )
    assert "triggers of churn-train are marked orphaned" in command_line.run("cleanup", "sweep", "--yes").stdout
    command_line.pipelines.add(GONE)
    assert "triggers of churn-train are revived" in command_line.run("cleanup", "sweep", "--yes").stdout


def test_every_reason_why_something_stays_has_words(command_line: CommandLine) -> None:
    """But for those of events, which no sweep has, and of what is no schedule and no target."""
    elsewhere = {
        "sweep-under-way",
        "left-to-the-sweep",
        "other-event",
        "call-failed",
        "other-account",
        "other-region",
        "no-pipeline-named",
        "not-at-home",
        "no-trigger",
        "pipeline-gone",
    }
    assert set(WHY) == set(get_args(KeptReason)) - elsewhere


def test_many_names_are_cut_and_counted(command_line: CommandLine) -> None:
    for number in range(30):
        command_line.schedules.add(f"s-{number:02d}", GONE, **CRON)
    lines = command_line.run("cleanup", "sweep", "--dry-run").stdout.splitlines()
    assert "30 stay: its pipeline does not exist, but it was made or changed in the last 15" in lines
    assert "  default/s-19" in lines
    assert "  default/s-20" not in lines
    assert "  and 10 more" in lines


# history


def deleted(command_line: CommandLine) -> CommandLine:
    """The orphans were deleted, and one target of a rule removed."""
    command_line.policy = replace(command_line.policy, rule_targets="remove")
    command_line.rules.add("on-drift", GONE, bus="team")
    sweep(seen_before(command_line), "--yes")
    assert command_line.schedules.names == {"scoring"}
    assert command_line.rules.ids == {("team", "on-drift"): []}
    return command_line


def test_the_history_has_the_whole_definition_of_everything(command_line: CommandLine) -> None:
    before = command_line.schedules.get("default", "nightly")
    listed = deleted(command_line).json("cleanup", "history")["result"]
    [nightly] = [it for it in listed if it["name"] == "default/nightly"]
    assert nightly == {
        "kind": "schedule",
        "arn": f"{ARN}default/nightly",
        "name": "default/nightly",
        "pipeline_arn": GONE,
        "deleted_at": (NOON + timedelta(days=1, hours=1)).isoformat(),
        "modified_at": NOON.isoformat(),
        "definition": dict(before.document),
    }
    assert sorted(it["name"] for it in listed) == ["default/nightly", "rule team/on-drift#1", "team/weekly"]


def test_the_history_is_narrowed_by_pipeline_and_time(command_line: CommandLine) -> None:
    deleted(command_line)
    command_line.clock.advance(days=3)

    def count(*options: str) -> int:
        return len(command_line.json("cleanup", "history", *options)["result"])

    assert count() == 3
    assert count("--pipeline", "churn-train") == count("--pipeline", "Churn-TRAIN") == count("--pipeline", GONE) == 3
    assert count("--pipeline", "churn-score") == 0
    assert (count("--since", "2d"), count("--since", "4d")) == (0, 3)


def test_the_history_is_for_people_too(command_line: CommandLine) -> None:
    shown = deleted(command_line).run("cleanup", "history").stdout
    assert shown.startswith("3 definitions kept\n")
    assert "2026-03-15 13:00:00  default/nightly" in shown
    assert "cron(0 3 * * ? *)" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert command_line.run("cleanup", "history", "--pipeline", "other").stdout == "0 definitions kept\n"


@pytest.mark.parametrize("command", ["history", "restore"])
@pytest.mark.parametrize(("option", "value"), [("--pipeline", "not a pipeline!"), ("--since", "yesterday")])
def test_an_option_that_makes_no_sense_is_refused(
    command_line: CommandLine, command: str, option: str, value: str
) -> None:
    assert command_line.json("cleanup", command, option, value)["exit_code"] == 2


# restore


def test_everything_comes_back_when_the_pipeline_does(command_line: CommandLine) -> None:
    deleted(command_line).pipelines.add(GONE)
    document = command_line.json("cleanup", "restore", "--pipeline", "churn-train", "--yes")
    assert (document["exit_code"], {it["outcome"] for it in document["result"]}) == (0, {"restored"})
    assert command_line.schedules.names == {"scoring", "nightly", "weekly"}
    assert command_line.rules.ids == {("team", "on-drift"): ["1"]}
    again = command_line.json("cleanup", "restore", "--since", "1d", "--yes")
    assert {it["outcome"] for it in again["result"]} == {"there"}


def test_what_cannot_come_back_is_a_problem_with_the_reason(command_line: CommandLine) -> None:
    result = deleted(command_line).run("cleanup", "restore", "--since", "1d", "--yes")
    assert result.exit_code == 1
    assert f"{ARN}default/nightly: there is no pipeline churn-train: make it first" in result.stderr
    assert command_line.schedules.names == {"scoring"}


def test_a_dry_run_of_a_restore_writes_nothing(command_line: CommandLine) -> None:
    deleted(command_line).pipelines.add(GONE)
    document = command_line.json("cleanup", "restore", "--since", "1d", "--dry-run")
    assert {it["outcome"] for it in document["result"]} == {"would-restore"}
    assert command_line.schedules.names == {"scoring"}


def test_a_restore_says_what_and_asks(command_line: CommandLine) -> None:
    deleted(command_line).pipelines.add(GONE)
    document = command_line.json("cleanup", "restore")
    assert (document["exit_code"], "say what to put back" in document["problems"][0]["reason"]) == (2, True)
    assert command_line.run("cleanup", "restore", "--since", "1d").exit_code == 2
    command_line.interactive = True
    refused = command_line.run("cleanup", "restore", "--since", "1d", input="n\n")
    assert (refused.exit_code, command_line.schedules.names) == (1, {"scoring"})
    assert "Put back 3 definitions?" in refused.stderr


def test_nothing_to_restore_is_said_and_not_asked_about(command_line: CommandLine) -> None:
    assert command_line.run("cleanup", "restore", "--since", "1d").stdout == "There is nothing to restore.\n"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{ARN}default/nightly", "default/nightly"),
        ("arn:aws:events:eu-central-1:210987654321:rule/on-drift#1", "rule on-drift#1"),
        ("arn:aws:events:eu-central-1:210987654321:rule/team/on-drift#a/b#c", "rule team/on-drift#a/b#c"),
        (GONE, GONE),
        ("", ""),
    ],
)
def test_names_are_short_and_say_what_they_name(arn: str, name: str) -> None:
    assert short_name(arn) == name
