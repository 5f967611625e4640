"""The commands that write, read and change triggers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.errors import NotFoundError, PermanentError, StaleRevisionError, TransientError
from tests.unit.cli.conftest import DEFAULTS, HOME, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import CommandLine

FILE = """\
version: 1
set: churn
triggers:
  - name: on-upload
    event_pattern: {source: [aws.s3], detail-type: [Object Created]}
    targets:
      - pipeline: churn-train
        parameters:
          InstanceType: ml.m5.large
          Key: $.detail.object.key
          Uri: s3://<$.detail.bucket.name>/<$.detail.object.key>
          Note: {value: $.detail.note, on_missing: omit}
          Rows: {value: $.detail.rows, default: "1000"}
  - name: on-message
    event_pattern: {source: [aws.sns]}
    targets: [{pipeline: churn-score}]
"""
CHANGED = FILE.replace("ml.m5.large", "ml.m5.xlarge")
ONE = FILE[: FILE.index("  - name: on-message")]
SCHEDULED = """\
version: 1
set: churn
triggers:
  - name: nightly
    schedule_expression: cron(0 3 * * ? *)
    targets: [{pipeline: churn-train}]
"""
BROKEN = """\
version: 1
set: churn
triggers:
  - name: on-upload
    event_pattern: {source: []}
    targets:
      - pipeline: churn_train
"""
PATTERN = '{"source": ["aws.s3"]}'


# lint


def test_lint_accepts_the_demos_triggers_without_a_warning(command_line: CommandLine) -> None:
    document = command_line.json("lint", str(ROOT / "triggers.yaml"))
    assert (document["exit_code"], document["problems"], document["warnings"]) == (0, [], [])
    (content,) = document["result"]
    assert content["set"] == "demo"
    assert "retrain-on-upload" in content["triggers"]


def test_lint_needs_no_stack(command_line: CommandLine) -> None:
    command_line.delivered = AssertionError("asked for the stack")
    assert command_line.run("lint", command_line.file(FILE)).exit_code == 0
    assert command_line.store.calls == []


def test_lint_tells_every_problem_with_file_line_and_field(command_line: CommandLine) -> None:
    file = command_line.file(BROKEN)
    result = command_line.run("lint", file)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{file}:5: triggers[0].event_pattern")
    assert second.startswith(f"{file}:7: triggers[0].targets[0].pipeline: ")
    problems = command_line.json("lint", file)["problems"]
    assert [problem["line"] for problem in problems] == [5, 7]
    assert all(problem["reason"] for problem in problems)


def test_lint_tells_the_problems_of_all_files_at_once(command_line: CommandLine) -> None:
    one, two = command_line.file(BROKEN, "one.yaml"), command_line.file(BROKEN, "two.yaml")
    assert {p["file"] for p in command_line.json("lint", one, two)["problems"]} == {one, two}


def test_lint_finds_a_name_that_two_files_use(command_line: CommandLine) -> None:
    one, two = command_line.file(FILE, "one.yaml"), command_line.file(ONE, "two.yaml")
    document = command_line.json("lint", one, two)
    (problem,) = document["problems"]
    assert document["exit_code"] == 2
    assert (problem["file"], problem["line"], problem["field"]) == (two, 4, "on-upload")
    assert one in problem["reason"]


def test_lint_accepts_schedules(command_line: CommandLine) -> None:
    assert command_line.run("lint", command_line.file(SCHEDULED)).exit_code == 0


def test_lint_reads_stdin(command_line: CommandLine) -> None:
    assert command_line.run("lint", "-", input=FILE).exit_code == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"triggers: [",
        b"- just a list",
        b"nothing",
        b"version: 1\nset: x\ntriggers: {}",
        b"a: &a [*a]",
        b"\x00",
        b"[" * 5000,
    ],
)
def test_files_that_are_no_trigger_files_are_invalid_input(command_line: CommandLine, content: bytes) -> None:
    path = command_line.directory / "bad.yaml"
    path.write_bytes(content)
    for command in (["lint"], ["apply", "--yes"], ["apply", "--dry-run"]):
        result = command_line.run(*command, str(path))
        assert result.exit_code == 2
        assert result.stderr.startswith(str(path))
        assert "Traceback" not in result.stderr
    assert command_line.store.revision() == 0


def test_files_that_cannot_be_read_are_told_with_the_reason(command_line: CommandLine) -> None:
    missing = command_line.run("lint", "missing.yaml")
    assert (missing.exit_code, missing.stderr) == (2, "missing.yaml: cannot be read: No such file or directory\n")
    directory = command_line.run("lint", str(command_line.directory))
    assert directory.exit_code == 2
    assert "directory" in directory.stderr


# apply


def test_apply_shows_the_plan_and_writes_a_revision(command_line: CommandLine) -> None:
    result = command_line.run("apply", command_line.file(FILE), "--yes")
    assert result.exit_code == 0
    assert [t.name for t in command_line.store.load().triggers] == ["on-upload", "on-message"]
    assert "Written as revision 1." in result.stdout
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:3]] == [
        ["add", "on-upload"],
        ["add", "on-message"],
    ]


def test_apply_answers_with_add_change_remove_and_same(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    replaced = CHANGED.replace("on-message", "renamed")
    document = command_line.json("apply", command_line.file(replaced), "--yes", "--prune")
    assert document["result"] == {
        "add": ["renamed"],
        "change": [
            {
                "name": "on-upload",
                "fields": [
                    {
                        "field": "targets[0].parameters.InstanceType",
                        "before": "ml.m5.large",
                        "after": "ml.m5.xlarge",
                    },
                ],
            },
        ],
        "remove": ["on-message"],
        "same": [],
        "revision": 2,
        "written": True,
        "schedules": [],
    }


def test_apply_again_changes_nothing(command_line: CommandLine) -> None:
    file = command_line.file(FILE)
    command_line.run("apply", file, "--yes")
    result = command_line.run("apply", file)
    assert result.exit_code == 0
    assert "Nothing to change: revision 1 stays." in result.stdout
    assert command_line.store.revision() == 1


def test_apply_keeps_what_the_file_lacks_unless_it_prunes(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    command_line.run("apply", command_line.file(ONE), "--yes")
    assert "on-message" in command_line.store.load().by_name
    command_line.run("apply", command_line.file(ONE), "--yes", "--prune")
    assert "on-message" not in command_line.store.load().by_name


def test_a_dry_run_shows_the_plan_and_writes_nothing(command_line: CommandLine) -> None:
    document = command_line.json("apply", command_line.file(FILE), "--dry-run")
    assert document["result"]["add"] == ["on-upload", "on-message"]
    assert document["result"]["written"] is False
    assert command_line.store.revision() == 0


def test_without_a_terminal_apply_wants_yes_and_writes_nothing(command_line: CommandLine) -> None:
    result = command_line.run("apply", command_line.file(FILE), input="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert command_line.store.revision() == 0


@pytest.mark.parametrize(("typed", "exit_code", "revision"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_on_a_terminal_apply_asks(command_line: CommandLine, typed: str, exit_code: int, revision: int) -> None:
    command_line.interactive = True
    result = command_line.run("apply", command_line.file(FILE), input=typed)
    assert (result.exit_code, command_line.store.revision()) == (exit_code, revision)
    assert "on-upload" in result.stdout
    assert "Write this as a new revision?" in result.stderr


def test_the_question_leaves_the_json_answer_alone(command_line: CommandLine) -> None:
    command_line.interactive = True
    result = command_line.run("apply", command_line.file(FILE), "--output", "json", input="y\n")
    # The runner shows what is typed on stdout; the question and the plan are on stderr.
    typed, document = result.stdout.split("\n", 1)
    assert (typed.strip(), json.loads(document)["result"]["revision"]) == ("y", 1)
    assert "on-upload" in result.stderr


def test_several_files_of_one_set_are_applied_together(command_line: CommandLine) -> None:
    other = ONE.replace("on-upload", "second")
    command_line.run("apply", command_line.file(ONE, "1.yaml"), command_line.file(other, "2.yaml"), "--yes", "--prune")
    assert [t.name for t in command_line.store.load().triggers] == ["on-upload", "second"]
    assert command_line.store.revision() == 1


def test_files_of_several_sets_are_refused(command_line: CommandLine) -> None:
    other = ONE.replace("on-upload", "second").replace("set: churn", "set: fraud")
    one, two = command_line.file(ONE, "1.yaml"), command_line.file(other, "2.yaml")
    document = command_line.json("apply", one, two, "--yes")
    assert document["exit_code"] == 2
    assert (document["problems"][0]["file"], document["problems"][0]["field"]) == (two, "set")


def test_a_name_of_another_set_is_refused(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    result = command_line.run("apply", command_line.file(FILE.replace("set: churn", "set: fraud")), "--yes")
    assert result.exit_code == 2
    assert "churn" in result.stderr
    assert command_line.store.revision() == 1


def scheduled(command_line: CommandLine, **changes: str) -> str:
    """A file with a trigger that has a schedule, and the pipeline that it starts."""
    command_line.pipelines.add(f"arn:aws:sagemaker:{HOME.region}:{HOME.account}:pipeline/churn-train")
    command_line.roles.add(DEFAULTS.role_arn, "scheduler.amazonaws.com")
    text = SCHEDULED
    for old, new in changes.items():
        text = text.replace(old, new)
    return command_line.file(text)


def test_apply_makes_the_schedules_of_triggers(command_line: CommandLine) -> None:
    file = scheduled(command_line)
    planned = command_line.json("apply", file, "--dry-run")["result"]
    assert [(change["trigger"], change["outcome"]) for change in planned["schedules"]] == [("nightly", "created")]
    assert command_line.schedules.names == set()
    applied = command_line.run("apply", file, "--yes")
    assert applied.exit_code == 0
    assert "Schedule nightly created." in applied.stdout
    assert command_line.schedules.names == {"nightly"}


def test_apply_says_when_only_a_schedule_had_to_be_changed(command_line: CommandLine) -> None:
    file = scheduled(command_line)
    command_line.run("apply", file, "--yes")
    command_line.schedules.delete(DEFAULTS.group, "nightly")
    applied = command_line.run("apply", file, "--yes")
    assert "The triggers are as they shall be: revision 1 stays." in applied.stdout
    assert "Schedule nightly created." in applied.stdout
    again = command_line.run("apply", file, "--yes")
    assert "Nothing to change: revision 1 stays." in again.stdout


def test_a_problem_with_a_schedule_is_told_with_its_line_and_nothing_is_written(command_line: CommandLine) -> None:
    file = scheduled(command_line, **{"cron(0 3 * * ? *)": "at(2001-01-01T00:00:00)"})
    (problem,) = command_line.json("apply", file, "--yes")["problems"]
    assert (problem["file"], problem["line"]) == (file, 5)
    assert problem["field"] == "triggers[0].schedule_expression"
    assert command_line.store.revision() == 0


def test_a_schedule_that_failed_is_a_problem_with_what_to_do(command_line: CommandLine) -> None:
    file = scheduled(command_line)
    command_line.schedules.fail("create", PermanentError("access-denied", "not permitted"))
    document = command_line.json("apply", file, "--yes")
    assert (document["exit_code"], document["result"]["written"]) == (1, True)
    (problem,) = document["problems"]
    assert (problem["field"], problem["reason"]) == ("nightly", "schedule: not permitted")
    assert "apply or repeat the command" in problem["remedy"]


def test_describe_shows_when_a_trigger_fires_next(command_line: CommandLine) -> None:
    command_line.run("apply", scheduled(command_line), "--yes")
    shown = command_line.run("describe", "nightly").stdout
    assert "schedule: cron(0 3 * * ? *) in UTC" in shown
    assert "via: EventBridge Scheduler starts the pipeline itself" in shown
    assert " ".join(shown.split()).count("03:00 UTC") == 3


def test_apply_warns_when_no_rule_delivers_a_source(command_line: CommandLine) -> None:
    command_line.delivered = Delivered(default_bus_sources=("aws.ecr",))
    file = command_line.file(FILE.replace("aws.sns", "aws.glue"))
    document = command_line.json("apply", file, "--yes")
    assert document["exit_code"] == 0
    assert [(w["field"], "aws.glue" in w["reason"]) for w in document["warnings"]] == [("on-message", True)]


@pytest.mark.parametrize("error", [NotFoundError("no stack x"), TransientError("denied-yet", "AccessDenied")])
def test_when_delivery_cannot_be_checked_apply_says_so_and_goes_on(command_line: CommandLine, error: Exception) -> None:
    command_line.delivered = error
    document = command_line.json("apply", command_line.file(FILE), "--yes")
    assert document["exit_code"] == 0
    assert str(error) in document["warnings"][0]["reason"]
    assert command_line.store.revision() == 1


def test_when_others_keep_writing_apply_says_so_and_fails(command_line: CommandLine) -> None:
    command_line.store.fail("write", StaleRevisionError("changed"), StaleRevisionError("changed again"))
    result = command_line.run("apply", command_line.file(FILE), "--yes")
    assert (result.exit_code, result.stderr) == (1, "changed again\n")


# put


def test_put_creates_a_trigger_with_its_parameters(command_line: CommandLine) -> None:
    result = command_line.run(
        "put", "mine", "--event-pattern", PATTERN, "--pipeline", "churn-train", "--yes",
        "--parameter", "Key=$.detail.object.key", "--parameter", "Query=a=b", "--state", "SHADOW",
        "--description", "try it",
    )  # fmt: skip
    assert result.exit_code == 0
    assert command_line.store.load().by_name["mine"].to_document() == {
        "name": "mine",
        "description": "try it",
        "state": "SHADOW",
        "event_pattern": {"source": ["aws.s3"]},
        "targets": [
            {
                "id": "churn-train",
                "pipeline": "churn-train",
                "parameters": {"Key": "$.detail.object.key", "Query": "a=b"},
            },
        ],
    }


def test_put_reads_the_pattern_from_a_file(command_line: CommandLine) -> None:
    file = command_line.file(PATTERN, "pattern.json")
    assert command_line.run("put", "a", "--event-pattern", f"@{file}", "--pipeline", "p", "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["x", "--event-pattern", "{", "--pipeline", "p"], "--event-pattern"),
        (["x", "--event-pattern", "[]", "--pipeline", "p"], "--event-pattern"),
        (["x", "--event-pattern", '{"source": NaN}', "--pipeline", "p"], "--event-pattern"),
        (["x", "--event-pattern", '{"source": "aws.s3"}', "--pipeline", "p"], "--event-pattern source"),
        (["x", "--event-pattern", PATTERN, "--pipeline", "p_q"], "--pipeline"),
        (["x y", "--event-pattern", PATTERN, "--pipeline", "p"], "name"),
        (["x", "--event-pattern", PATTERN, "--pipeline", "p", "--set", "a b"], "--set"),
        (["x", "--event-pattern", PATTERN, "--pipeline", "p", "--parameter", "K"], "--parameter"),
        (["x", "--event-pattern", PATTERN, "--pipeline", "p", "--parameter", "=v"], "--parameter"),
        (["x", "--event-pattern", PATTERN, "--pipeline", "p", "--parameter", "K=$..x"], "--parameter K"),
        (
            ["x", "--event-pattern", PATTERN, "--pipeline", "p", "--parameter", "K=1", "--parameter", "K=2"],
            "--parameter",
        ),
    ],
)  # fmt: skip
def test_put_tells_bad_input_by_its_option(command_line: CommandLine, arguments: list[str], field: str) -> None:
    document = command_line.json("put", *arguments, "--yes")
    assert document["exit_code"] == 2
    assert [problem["field"] for problem in document["problems"]] == [field]
    assert command_line.store.revision() == 0


def test_put_tells_a_missing_pattern_file(command_line: CommandLine) -> None:
    document = command_line.json("put", "x", "--event-pattern", "@none.json", "--pipeline", "p", "--yes")
    assert (document["exit_code"], document["problems"][0]["file"]) == (2, "none.json")


def test_put_does_not_take_a_trigger_from_its_set(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    result = command_line.run("put", "on-upload", "--event-pattern", PATTERN, "--pipeline", "p", "--yes")
    assert result.exit_code == 2
    assert "churn" in result.stderr


def test_put_asks_unless_yes_is_given(command_line: CommandLine) -> None:
    assert command_line.run("put", "x", "--event-pattern", PATTERN, "--pipeline", "p").exit_code == 2
    assert command_line.store.revision() == 0


# list, describe


def test_list_shows_every_trigger_with_its_state(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    command_line.run("disable", "on-message")
    lines = command_line.run("list").stdout.splitlines()
    assert lines[0] == "2 triggers in pipeline-triggers, revision 2"
    assert lines[2].split() == ["on-upload", "ENABLED", "churn", "aws.s3", "churn-train"]
    assert lines[3].split() == ["on-message", "DISABLED", "churn", "aws.sns", "churn-score"]


def test_list_of_an_empty_stack_is_no_error(command_line: CommandLine) -> None:
    assert command_line.json("list")["result"] == {"revision": 0, "triggers": [], "orphaned": []}
    assert command_line.run("list").stdout == "0 triggers in pipeline-triggers, revision 0\n"


def test_describe_shows_pattern_targets_and_the_kind_of_each_parameter(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    document = command_line.json("describe", "on-upload")
    assert document["result"]["revision"] == 1
    assert document["result"]["trigger"]["event_pattern"]["source"] == ["aws.s3"]
    (target,) = document["result"]["targets"]
    assert [(p["name"], p["kind"], p["default"], p["on_missing"]) for p in target["parameters"]] == [
        ("InstanceType", "static", None, "fail"),
        ("Key", "dynamic", None, "fail"),
        ("Uri", "template", None, "fail"),
        ("Note", "dynamic", None, "omit"),
        ("Rows", "dynamic", "1000", "fail"),
    ]
    shown = command_line.run("describe", "on-upload").stdout
    for expected in ("ENABLED", "revision 1", '"source": ["aws.s3"]', "quarantine", "left out", "default 1000"):
        assert expected in shown


def test_describe_warns_when_the_stack_does_not_deliver_the_source(command_line: CommandLine) -> None:
    command_line.run("put", "x", "--event-pattern", '{"source": ["aws.glue"]}', "--pipeline", "p", "--yes")
    result = command_line.run("describe", "x")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: x: no rule of the stack delivers events of aws.glue")


def test_describe_of_an_unknown_trigger_fails_and_tells_the_nearest(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    result = command_line.run("describe", "on-uplaod")
    assert result.exit_code == 1
    assert "Did you mean on-upload?" in result.stderr


# enable, disable, shadow, delete


@pytest.mark.parametrize(("command", "state"), [("enable", "ENABLED"), ("disable", "DISABLED"), ("shadow", "SHADOW")])
def test_states_are_set_for_several_triggers(command_line: CommandLine, command: str, state: str) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    command_line.run("disable", "on-upload")
    command_line.run("shadow", "on-message")
    assert command_line.run(command, "on-upload", "on-message").exit_code == 0
    assert {t.state for t in command_line.store.load().triggers} == {state}


def test_a_state_that_the_next_apply_will_undo_is_warned_about(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    document = command_line.json("disable", "on-upload")
    assert [warning["field"] for warning in document["warnings"]] == ["on-upload"]
    assert "churn" in document["warnings"][0]["reason"]


def test_an_unknown_name_stops_the_whole_command(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    for command in (["disable"], ["delete", "--yes"]):
        result = command_line.run(*command, "on-upload", "nothing")
        assert (result.exit_code, "no trigger nothing" in result.stderr) == (1, True)
    assert command_line.store.revision() == 1


def test_delete_removes_triggers_and_asks_first(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    assert command_line.run("delete", "on-upload").exit_code == 2
    assert command_line.json("delete", "on-upload", "--yes")["result"]["remove"] == ["on-upload"]
    assert [t.name for t in command_line.store.load().triggers] == ["on-message"]


# revisions, rollback


def test_revisions_are_listed_newest_first_with_their_authors(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(ONE), "--yes")
    command_line.run("apply", command_line.file(FILE), "--yes")
    result = command_line.json("revisions")["result"]
    assert [(r["revision"], r["triggers"], r["current"]) for r in result] == [(2, 2, True), (1, 1, False)]
    assert result[0]["by"] == "arn:aws:iam::123456789012:user/ann"
    assert "current" in command_line.run("revisions").stdout


def test_rollback_writes_the_old_triggers_as_a_new_revision(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(ONE), "--yes")
    command_line.run("apply", command_line.file(FILE.replace("m5.large", "m5.xlarge")), "--yes")
    result = command_line.json("rollback", "1", "--yes")["result"]
    assert (result["revision"], result["remove"]) == (3, ["on-message"])
    assert command_line.store.load().triggers == command_line.store.load(1).triggers


def test_rollback_wants_yes_without_a_terminal(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(ONE), "--yes")
    command_line.run("apply", command_line.file(FILE), "--yes")
    assert command_line.run("rollback", "1").exit_code == 2
    assert command_line.store.revision() == 2


def test_rollback_to_an_unknown_revision_fails(command_line: CommandLine) -> None:
    result = command_line.run("rollback", "9", "--yes")
    assert (result.exit_code, "9" in result.stderr) == (1, True)


# new


def test_new_lists_its_kinds(command_line: CommandLine) -> None:
    kinds = command_line.json("new", "--list")["result"]
    assert {"s3-upload", "endpoint-status", "training-job", "model-approval", "alarm", "sns"} <= set(kinds)
    assert "s3-upload" in command_line.run("new", "--list").stdout


def test_what_new_writes_lints_clean_for_every_kind(command_line: CommandLine) -> None:
    for kind in command_line.json("new", "--list")["result"]:
        written = command_line.run("new", kind, "--pipeline", "churn-train", "--name", "mine", "--set", "churn")
        assert written.exit_code == 0
        (content,) = command_line.json("lint", "-", input=written.stdout)["result"]
        assert content == {"file": "-", "set": "churn", "triggers": ["mine"]}


def test_new_writes_a_file_but_never_over_another(command_line: CommandLine) -> None:
    arguments = ["new", "s3-upload", "--pipeline", "p", "--file", "mine.yaml"]
    assert command_line.json(*arguments)["result"]["file"] == "mine.yaml"
    before = (command_line.directory / "mine.yaml").read_text(encoding="utf-8")
    again = command_line.run(*arguments)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    assert (command_line.directory / "mine.yaml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing", "--pipeline", "p"],
        ["s3-upload"],
        ["s3-upload", "--pipeline", "p", "--file", "no/such/directory/f.yaml"],
    ],
)
def test_new_tells_what_is_missing_or_wrong(command_line: CommandLine, arguments: list[str]) -> None:
    document = command_line.json("new", *arguments)
    assert (document["exit_code"], len(document["problems"])) == (2, 1)


def test_hostile_names_in_a_file_cannot_write_to_the_terminal(command_line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(FILE.replace("on-upload", json.dumps("\x1b[2J[red]")), encoding="utf-8")
    result = command_line.run("lint", str(path))
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
