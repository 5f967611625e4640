"""The command "import": the file it writes, what it says, and what it disables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.documents import load
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import NotFoundError, TransientError
from tests.fakes.pipelines import FakePipelines
from tests.unit.cli.conftest import HOME

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

ARN = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
ROLE = "arn:aws:iam::210987654321:role/rules"
PATTERN = {"source": ["aws.s3"]}
SHORT = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5}
FILE = """\
# Rules and schedules of the account 210987654321 in eu-central-1 that start pipelines.
# Check it: pipeline-triggers lint FILE. Try it: pipeline-triggers simulate EVENT_FILE --triggers FILE.
# When it is applied and does what it should: pipeline-triggers import --disable-originals.
# Left out: rule loop (event bus default): EventPattern: admits the executions of churn-train itself (SageMaker Model
#   Building Pipeline Execution Status Change, currentPipelineExecutionStatus Executing): each would start the next.
#   Name the pipelines that are meant in detail.pipelineArn, or exclude this one with "anything-but"
version: 1
set: imported
triggers:

  # From the rule retrain (event bus default):
  # - wrong: has no dead-letter queue: an event that fails is dropped without a trace
  # - wrong: Uri: s3://$.detail.key is sent as it is written: a rule reads only a value that is a path as a whole. Was
  #   s3://<$.detail.key> meant?
  - name: retrain
    event_pattern:
      source: [aws.s3]
    targets:
      - pipeline: churn-train
        id: train
        parameters:
          Uri: s3://$.detail.key

  # From the schedule nightly (group default):
  # - wrong: has no dead-letter queue: a start that fails is dropped without a trace
  # - note: tries for 24 hours: an execution may start a day late
  - name: nightly
    schedule_expression: rate(1 day)
    targets:
      - pipeline: churn-train
"""


def target(id_: str = "train", **parameters: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    given = {"SageMakerPipelineParameters": {"PipelineParameterList": listed}} if listed else {}
    return {"Id": id_, "Arn": ARN, "RoleArn": ROLE, "RetryPolicy": SHORT, **given}


@pytest.fixture
def account(command_line: CommandLine) -> CommandLine:
    """A rule, a schedule, and a rule that would start itself for ever."""
    command_line.pipelines = FakePipelines(home=HOME)
    command_line.pipelines.add("churn-train")
    command_line.roles.add(ROLE, "events.amazonaws.com")
    command_line.roles.add("arn:aws:iam::123456789012:role/scheduler", "scheduler.amazonaws.com")
    # What pipelines declare is not what these tests are about.
    command_line.pipelines.fail("describe", *[TransientError("denied-yet", "no")] * 20)
    command_line.rule_book.add("retrain", PATTERN, target(Uri="s3://$.detail.key"))
    command_line.rule_book.add("loop", {"source": ["aws.sagemaker"]}, target())
    command_line.schedules.add("nightly", ARN)
    return command_line


def apply(account: CommandLine) -> None:
    """Let the stack have the triggers."""
    text = account.json("import")["result"]["text"]
    account.store.write(Snapshot(0, load(text).triggers), expected_revision=0, by="ann")


def test_the_file_is_shown_with_what_was_wrong_as_comments_and_warnings(account: CommandLine) -> None:
    result = account.run("import")
    assert (result.exit_code, result.stdout) == (0, FILE)
    assert "warning: rule retrain (event bus default): has no dead-letter queue" in result.stderr
    assert "warning: rule loop (event bus default): is left out: EventPattern: admits the executions" in result.stderr
    assert "tries for 24 hours" not in result.stderr  # notes are in the file


def test_the_file_that_is_shown_has_no_mistakes(account: CommandLine) -> None:
    file = account.file(account.run("import").stdout)
    result = account.run("lint", file)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_new_file_is_written_and_the_findings_are_a_report(account: CommandLine) -> None:
    result = account.run("import", "--file", "found.yaml")
    assert result.exit_code == 0
    assert Path("found.yaml").read_text(encoding="utf-8") == FILE
    lines = result.stdout.splitlines()
    assert lines[0] == "2 rules and 1 schedule that start pipelines: 2 triggers, 1 left out, 3 with"
    assert "rule retrain (event bus default)" in lines
    assert "  wrong  has no dead-letter queue: an event that fails is dropped without a" in lines
    assert "rule loop (event bus default) is left out" in lines
    assert lines[-1] == "Wrote found.yaml. Next: lint it, try it with simulate, apply it."
    assert max(map(len, lines)) <= 80


def test_a_file_that_is_there_is_not_replaced(account: CommandLine) -> None:
    account.file("mine", "found.yaml")
    result = account.run("import", "--file", "found.yaml")
    assert (result.exit_code, result.stderr) == (2, "found.yaml: --file: exists already. Choose another name\n")
    assert Path("found.yaml").read_text(encoding="utf-8") == "mine"
    assert account.rule_book.calls == []


def test_where_nothing_starts_pipelines_no_file_is_written(command_line: CommandLine) -> None:
    result = command_line.run("import", "--file", "found.yaml")
    assert result.exit_code == 0
    assert "0 rules and 0 schedules" in result.stdout
    assert not Path("found.yaml").exists()
    assert load(command_line.run("import").stdout).triggers == ()


def test_the_json_has_the_triggers_the_findings_and_the_text(account: CommandLine) -> None:
    result = account.json("import", "--set", "mine")["result"]
    assert (result["file"], load(result["text"]).set) == (None, "mine")
    assert [each["trigger"]["name"] for each in result["imported"]] == ["retrain", "nightly"]
    assert result["imported"][0]["findings"][0]["code"] == "no-dead-letter-queue"
    assert [(each["name"], each["problems"][0]["field"]) for each in result["left_out"]] == [("loop", "EventPattern")]
    assert result["replaced"] == []


def test_only_what_starts_a_pipeline_is_written(account: CommandLine) -> None:
    assert load(account.run("import", "--pipeline", "churn-score").stdout).triggers == ()
    assert len(load(account.run("import", "--pipeline", ARN).stdout).triggers) == 2


def test_a_name_that_was_taken_says_which_trigger_it_is(account: CommandLine) -> None:
    account.schedules.add("retrain", ARN)
    stdout = account.run("import", "--file", "found.yaml").stdout
    assert "schedule retrain (group default) → trigger retrain-default" in stdout


def test_what_the_stack_does_not_deliver_is_a_warning(account: CommandLine) -> None:
    account.rule_book.add("orders", {"source": ["shop"]}, target(), bus="own")
    stderr = account.run("import").stderr
    assert "warning: orders: no rule of the stack delivers events of shop" in stderr
    assert "warning: orders: its events come from the event bus own, which the stack does not listen to" in stderr
    account.parameters = {"EventBusName": "own"}
    assert "which the stack does not listen to" not in account.run("import").stderr


def test_without_a_stack_everything_is_read_with_a_warning(account: CommandLine) -> None:
    account.delivered = NotFoundError("there is no stack")
    account.store.fail("load", TransientError("unavailable", "no table"))
    result = account.run("import")
    assert (result.exit_code, len(load(result.stdout).triggers)) == (0, 2)
    assert "warning: the triggers of the stack pipeline-triggers could not be read" in result.stderr
    assert "warning: whether the stack delivers the events could not be checked: there is no stack" in result.stderr


def test_what_one_may_not_look_at_is_a_warning(account: CommandLine) -> None:
    account.pipelines.fail("absent", TransientError("denied-yet", "no"))
    assert "warning: you may not look whether pipelines exist (sagemaker:ListPipelines)" in account.run("import").stderr


def test_rules_that_cannot_be_read_are_an_error(account: CommandLine) -> None:
    account.rule_book.fail("buses", TransientError("denied-yet", "AccessDenied: events:ListEventBuses"))
    result = account.run("import")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "events:ListEventBuses" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "a b"), "--set: 'a b' is no name of a set"),
        (("--pipeline", "a b"), "--pipeline: 'a b' is neither the name nor the ARN of a pipeline"),
        (("--file", "no/such/folder/x.yaml"), "--file: cannot be written: No such file or directory"),
    ],
)
def test_bad_input_is_told(account: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    result = account.run("import", *arguments)
    assert (result.exit_code, result.stdout, said in result.stderr) == (2, "", True)


def test_hostile_texts_of_originals_reach_no_terminal_and_stay_comments(account: CommandLine) -> None:
    account.rule_book.add("odd", PATTERN, target(Uri="x $.detail.a\n- name: \x1b[31mevil"), Description="a\nb")
    result = account.run("import")
    assert "\x1b" not in result.stdout + result.stderr
    assert [trigger.name for trigger in load(result.stdout).triggers] == ["retrain", "odd", "nightly"]
    report = account.run("import", "--file", "found.yaml")
    assert "\x1b" not in report.stdout


# --- --disable-originals


def test_nothing_is_disabled_before_the_file_is_applied(account: CommandLine) -> None:
    result = account.run("import", "--disable-originals", "--yes")
    assert result.exit_code == 0
    assert "no enabled trigger of the stack does" in result.stdout
    assert account.rule_book.state("retrain") == "ENABLED"


def test_originals_are_shown_asked_about_and_disabled(account: CommandLine) -> None:
    apply(account)
    account.interactive = True
    result = account.run("import", "--disable-originals", input="y\n")
    assert result.exit_code == 0
    assert "disable  rule retrain (event bus default)  trigger retrain" in result.stdout
    assert "kept     rule loop (event bus default)     no trigger can do the same" in result.stdout
    assert "Disable 2 originals? [y/N]" in result.stderr
    told = " ".join(result.stdout.split())
    assert "aws events enable-rule --name retrain --event-bus-name default" in told
    assert "pipeline-triggers schedule enable nightly --group default" in told
    assert account.rule_book.state("retrain") == "DISABLED"
    assert account.schedules.get("default", "nightly").document["State"] == "DISABLED"
    assert result.stdout.count("disable  rule retrain") == 1


def test_without_approval_nothing_is_disabled(account: CommandLine) -> None:
    apply(account)
    account.interactive = True
    assert account.run("import", "--disable-originals", input="n\n").exit_code == 1
    account.interactive = False
    assert account.run("import", "--disable-originals").exit_code == 2
    assert account.rule_book.state("retrain") == "ENABLED"


def test_the_json_of_disabling_says_what_became_of_each(account: CommandLine) -> None:
    apply(account)
    account.rule_book.fail("disable", TransientError("throttled", "slow down"))
    document = account.json("import", "--disable-originals", "--yes")
    assert document["exit_code"] == 1
    outcomes = {each["arn"].rpartition("/")[2]: each["outcome"] for each in document["result"]["disabled"]}
    assert outcomes == {"retrain": "failed", "nightly": "disabled"}
    assert document["problems"][0]["reason"] == "was not disabled: slow down"


def test_what_was_disabled_is_not_written_again(account: CommandLine) -> None:
    apply(account)
    account.run("import", "--disable-originals", "--yes")
    assert load(account.run("import").stdout).triggers == ()
    replaced = account.json("import")["result"]["replaced"]
    assert [arn.rpartition("/")[2] for arn in replaced] == ["retrain", "nightly"]
    again = account.run("import", "--disable-originals")
    assert (again.exit_code, again.stdout.count("a trigger of the")) == (0, 2)


def test_disabling_needs_the_stacks_triggers(account: CommandLine) -> None:
    account.store.fail("load", TransientError("unavailable", "no table"))
    assert account.run("import", "--disable-originals", "--yes").exit_code == 1


def test_nothing_to_disable_is_no_question(command_line: CommandLine) -> None:
    result = command_line.run("import", "--disable-originals")
    assert (result.exit_code, result.stdout) == (0, "No rules and no schedules start pipelines.\n")


def test_the_text_in_json_is_the_file(account: CommandLine) -> None:
    assert json.loads(account.run("import", "--output", "json").stdout)["result"]["text"] == FILE
