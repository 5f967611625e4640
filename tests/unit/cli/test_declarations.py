"""What simulate knows of the pipelines' definitions: --live, --definition, or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.pipelines import FakePipelines
from tests.unit.cli.conftest import HOME

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

TRIGGERS = """\
version: 1
triggers:
  - name: on-message
    event_pattern: {source: [app]}
    targets:
      - pipeline: churn-train
        parameters:
          Rows: $.detail.rows
          Mode: {value: $.detail.mode, default: full}
          Note: {value: $.detail.note, on_missing: omit}
      - pipeline: arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Churn-Score
        parameters: {Rows: "1"}
"""
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "id-1",
    "detail-type": "Message",
    "source": "app",
    "account": "123456789012",
    "time": "2026-03-01T12:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {"rows": "many"},
}
ROWS, MODE = {"Name": "Rows", "Type": "Integer"}, {"Name": "Mode", "EnumValues": ["delta"], "DefaultValue": "delta"}
DOCUMENT = {"Version": "2020-12-01", "Parameters": [ROWS, MODE, {"Name": "Lost"}, {"Name": "Note"}], "Steps": []}
ANSWER = {"PipelineName": "churn-train", "PipelineDefinition": json.dumps(DOCUMENT), "PipelineStatus": "Active"}
NOT_LOOKED_AT = "The pipelines' definitions were not looked at: --live or --definition does it.\n"


@pytest.fixture
def files(command_line: CommandLine) -> list[str]:
    """The arguments that name an event and its triggers."""
    command_line.pipelines = FakePipelines(home=HOME)
    event = command_line.file(json.dumps(EVENT), "event.json")
    return [event, "--triggers", command_line.file(TRIGGERS)]


def verdicts(decision: dict[str, Any]) -> list[tuple[str, str]]:
    return [(parameter["name"], parameter["verdict"]) for parameter in decision["parameters"]]


REFUSED = [
    ("Rows", "wrong-type"),
    ("Mode", "not-in-enum"),
    ("Note", "required-parameter"),
    ("Lost", "required-parameter"),
]


# --definition


@pytest.mark.parametrize("document", [DOCUMENT, ANSWER], ids=["definition", "DescribePipeline"])
@pytest.mark.parametrize(
    "pipeline", ["churn-train", "CHURN-TRAIN", "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"]
)
def test_a_definition_in_a_file_gives_every_parameter_its_verdict(
    command_line: CommandLine, files: list[str], document: dict[str, Any], pipeline: str
) -> None:
    file = command_line.file(json.dumps(document), "definition.json")
    answer = command_line.json("simulate", *files, "--definition", f"{pipeline}={file}")
    train, score = answer["result"]
    assert answer["exit_code"] == 5
    assert verdicts(train) == REFUSED
    assert [parameter["value"] for parameter in train["parameters"]] == ["many", "full", None, None]
    assert (train["outcome"], train["reason"], train["request"]) == ("rejected", "wrong-type", None)
    assert (score["outcome"], verdicts(score)) == ("start", [("Rows", "sent")])
    assert command_line.pipelines.calls == []


def test_the_text_names_the_pipelines_that_were_not_looked_at(command_line: CommandLine, files: list[str]) -> None:
    assert command_line.run("simulate", *files).stdout.endswith(NOT_LOOKED_AT)
    option = f"churn-train={command_line.file(json.dumps(DOCUMENT), 'd.json')}"
    result = command_line.run("simulate", *files, "--definition", option)
    assert result.stdout.endswith("Definitions were not looked at for: Churn-Score.\n")
    nothing = command_line.file(json.dumps({"Parameters": []}), "s.json")
    both = ["--definition", option, "--definition", f"churn-score={nothing}"]
    result = command_line.run("simulate", *files, *both)
    assert "not looked at" not in result.stdout
    assert "unknown-parameter" in result.stdout


def test_what_is_not_looked_at_is_not_told_where_nothing_would_start(command_line: CommandLine) -> None:
    event = command_line.file(json.dumps(EVENT | {"source": "other"}), "event.json")
    result = command_line.run("simulate", event, "--triggers", command_line.file(TRIGGERS))
    assert (result.exit_code, "not looked at" in result.stdout) == (3, False)


def test_the_json_does_not_tell_that_definitions_were_not_looked_at(
    command_line: CommandLine, files: list[str]
) -> None:
    document = command_line.json("simulate", *files)
    assert (document["problems"], document["warnings"]) == ([], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON: Expecting value (column 1)"),
        ("{", "is not JSON"),
        ("[]", "is no definition of a pipeline"),
        ("null", "is no definition of a pipeline"),
        ("{}", "is no definition of a pipeline"),
        ('{"PipelineDefinition": 5}', "is no definition of a pipeline"),
        ('{"PipelineDefinition": "{"}', "is not JSON"),
        ('{"Parameters": 5}', "is not a list"),
        ('{"Parameters": [{"Type": "String"}]}', "is not an object with a Name"),
        ('{"Parameters": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_definition_is_a_problem_with_its_name(
    command_line: CommandLine, files: list[str], text: str, reason: str
) -> None:
    file = command_line.file(text, "definition.json")
    answer = command_line.json("simulate", *files, "--definition", f"churn-train={file}")
    (problem,) = answer["problems"]
    assert (answer["exit_code"], answer["result"], problem["file"]) == (2, None, file)
    assert reason in problem["reason"]


def test_a_file_of_definitions_that_is_not_there_is_a_problem(command_line: CommandLine, files: list[str]) -> None:
    result = command_line.run("simulate", *files, "--definition", "churn-train=none.json")
    assert (result.exit_code, result.stderr) == (2, "none.json: cannot be read: No such file or directory\n")


@pytest.mark.parametrize("option", ["churn-train", "churn-train=", "=definition.json", "="])
def test_an_option_that_lacks_a_half_says_how_it_is_written(
    command_line: CommandLine, files: list[str], option: str
) -> None:
    (problem,) = command_line.json("simulate", *files, "--definition", option)["problems"]
    assert (problem["field"], problem["remedy"]) == ("--definition", "Write it as churn-train=definition.json")


def test_a_pipeline_that_no_trigger_starts_is_told_the_nearest(command_line: CommandLine, files: list[str]) -> None:
    file = command_line.file(json.dumps(DOCUMENT), "d.json")
    options = ["--definition", f"chrun-train={file}", "--definition", f"zzz={file}"]
    near, far = command_line.json("simulate", *files, *options)["problems"]
    assert near["reason"] == "no trigger starts a pipeline 'chrun-train'"
    assert near["remedy"] == "Did you mean churn-train?"
    assert far["remedy"] == ""


def test_a_definition_given_twice_is_a_problem_whatever_the_spelling(
    command_line: CommandLine, files: list[str]
) -> None:
    file = command_line.file(json.dumps(DOCUMENT), "d.json")
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn-score"
    options = ["--definition", f"churn-score={file}", "--definition", f"{arn}={file}"]
    (problem,) = command_line.json("simulate", *files, *options)["problems"]
    assert problem["reason"] == f"the definition of {arn} is given twice"


def test_a_file_may_have_an_equals_sign_in_its_name(command_line: CommandLine, files: list[str]) -> None:
    file = command_line.file(json.dumps(DOCUMENT), "a=b.json")
    assert command_line.json("simulate", *files, "--definition", f"churn-train={file}")["exit_code"] == 5


# --live


def test_live_asks_the_callers_account_once_for_each_pipeline(command_line: CommandLine, files: list[str]) -> None:
    command_line.pipelines.add("churn-train", Definition({"Rows": Declared("Integer"), "Mode": Declared()}))
    command_line.pipelines.add("arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Churn-Score")
    answer = command_line.json("simulate", files[0], *files, "--live")
    train, score = answer["result"][:2]
    assert train["pipeline_arn"] == "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
    assert verdicts(train) == [("Rows", "wrong-type"), ("Mode", "default sent"), ("Note", "left out")]
    assert verdicts(score) == [("Rows", "unknown-parameter")]
    assert len(command_line.pipelines.called("describe")) == 2
    assert answer["warnings"] == []
    assert command_line.pipelines.executions == []


def test_another_account_may_be_asked_about(command_line: CommandLine, files: list[str]) -> None:
    arn = command_line.pipelines.add("arn:aws:sagemaker:eu-central-1:444455556666:pipeline/churn-train")
    train = command_line.json("simulate", *files, "--live", "--account", "444455556666")["result"][0]
    assert (train["pipeline_arn"], train["reason"]) == (arn, "unknown-parameter")


def test_a_definition_in_a_file_goes_before_the_account(command_line: CommandLine, files: list[str]) -> None:
    file = command_line.file(json.dumps(DOCUMENT), "d.json")
    command_line.pipelines.add("arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Churn-Score")
    answer = command_line.json("simulate", *files, "--live", "--definition", f"churn-train={file}")
    assert verdicts(answer["result"][0]) == REFUSED
    assert len(command_line.pipelines.called("describe")) == 1


def test_pipelines_that_are_not_there_are_warned_of_once_and_decided_without_the_check(
    command_line: CommandLine, files: list[str]
) -> None:
    answer = command_line.json("simulate", files[0], *files, "--live")
    assert [(warning["field"], "churn-train" in warning["reason"]) for warning in answer["warnings"]] == [
        ("--live", True),
        ("--live", False),
    ]
    assert all("its parameters are not checked" in warning["reason"] for warning in answer["warnings"])
    assert answer["exit_code"] == 0
    assert "not looked at" not in command_line.run("simulate", *files, "--live").stdout


def test_who_may_not_describe_is_told_once(command_line: CommandLine, files: list[str]) -> None:
    denied = TransientError("denied-yet", "not authorized to perform sagemaker:DescribePipeline")
    command_line.pipelines.fail("describe", denied, denied)
    answer = command_line.json("simulate", *files, "--live")
    (warning,) = answer["warnings"]
    assert "sagemaker:DescribePipeline" in warning["remedy"]
    assert answer["exit_code"] == 0


def test_a_definition_that_cannot_be_read_is_a_warning(command_line: CommandLine, files: list[str]) -> None:
    broken = PermanentError("refused-by-sagemaker", "the definition cannot be read")
    command_line.pipelines.fail("describe", broken, broken)
    answer = command_line.json("simulate", *files, "--live")
    assert (answer["exit_code"], len(answer["warnings"])) == (0, 2)


def test_an_account_that_cannot_be_asked_now_is_an_error(command_line: CommandLine, files: list[str]) -> None:
    command_line.pipelines.fail("describe", TransientError("throttled", "Rate exceeded"))
    result = command_line.run("simulate", *files, "--live")
    assert (result.exit_code, "Rate exceeded" in result.stderr) == (1, True)


def test_the_check_is_made_where_the_stack_is(command_line: CommandLine, files: list[str]) -> None:
    command_line.run("apply", files[-1], "--yes")
    command_line.pipelines.add("churn-train", Definition({}))
    train = command_line.json("simulate", files[0], "--from-stack", "--live")["result"][0]
    assert verdicts(train)[0] == ("Rows", "unknown-parameter")
