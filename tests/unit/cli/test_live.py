"""The check against the pipelines at the command line: lint, apply and put with --live, and describe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.errors import TransientError

if TYPE_CHECKING:
    from pipeline_triggers.cli.connection import Connection
    from pipeline_triggers.cli.settings import Settings
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
          Key: $.detail.object.key
          Mode: fast
          Rows: {value: $.detail.rows, default: "1000", type: Integer}
          Note:
            value: $.detail.note
            on_missing: omit
  - name: on-message
    event_pattern: {source: [aws.sns]}
    targets:
      - {pipeline: churn-train, id: again, parameters: {Key: a, Mode: full}}
      - pipeline: churn-score
"""
AS_RULE = """\
Resources:
  Upload:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.s3]}
      Targets:
        - Id: train
          Arn: arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train
          SageMakerPipelineParameters:
            PipelineParameterList:
              - Name: Key
                Value: $.detail.object.key
              - Name: Mode
                Value: fast
"""
MODE = Declared("String", required=False, default="full", enum=("full", "delta"))
KEY, NOTE = Declared("String"), Declared("String", required=False, default="-")
ROWS = Declared("Integer", required=False, default=1000)
DEFINITION = Definition({"Key": KEY, "Mode": MODE, "Rows": ROWS, "Note": NOTE})
FINE = FILE.replace("Mode: fast", "Mode: full")
DENIED = TransientError("denied-yet", "not authorized to perform sagemaker:DescribePipeline")
PUT = ("put", "x", "--event-pattern", '{"source": ["aws.s3"]}', "--pipeline", "churn-train", "--live", "--yes")


@pytest.fixture(autouse=True)
def existing(command_line: CommandLine) -> None:
    """The pipelines of the trigger file, as they are declared."""
    command_line.pipelines.add("churn-train", DEFINITION)
    command_line.pipelines.add("churn-score")


def places(document: dict[str, Any], kind: str = "problems") -> list[tuple[int, str]]:
    return [(problem["line"], problem["field"]) for problem in document[kind]]


@pytest.mark.parametrize("command", [("lint",), ("apply", "--yes"), ("apply", "--dry-run")])
def test_triggers_that_fit_their_pipelines_pass(command_line: CommandLine, command: tuple[str, ...]) -> None:
    document = command_line.json(*command, "--live", command_line.file(FINE))
    assert (document["exit_code"], document["problems"], places(document, "warnings")) == (0, [], [])
    assert len(command_line.pipelines.called("describe")) == 2


@pytest.mark.parametrize("command", [("lint",), ("apply", "--yes"), ("apply", "--dry-run")])
def test_what_the_pipeline_refuses_is_told_with_file_line_and_field(
    command_line: CommandLine, command: tuple[str, ...]
) -> None:
    file = command_line.file(FILE)
    document = command_line.json(*command, "--live", file)
    assert (document["exit_code"], document["result"]) == (2, None)
    assert places(document) == [(10, "triggers[0].targets[0].parameters.Mode")]
    (problem,) = document["problems"]
    assert problem["file"] == file
    assert problem["reason"] == "'fast' is none of the values that the pipeline declares"
    assert command_line.store.revision() == 0


@pytest.mark.parametrize("command", [("lint",), ("apply", "--yes")])
def test_without_live_nothing_is_asked_of_sagemaker(command_line: CommandLine, command: tuple[str, ...]) -> None:
    assert command_line.run(*command, command_line.file(FILE)).exit_code == 0
    assert command_line.pipelines.calls == []


def test_a_missing_parameter_is_told_where_the_parameters_are(command_line: CommandLine) -> None:
    command_line.pipelines.add("churn-train", Definition({**DEFINITION.parameters, "Lost": KEY}))
    command_line.pipelines.add("churn-score", Definition({"Lost": KEY}))
    document = command_line.json("lint", "--live", command_line.file(FINE))
    assert places(document) == [
        (8, "triggers[0].targets[0].parameters.Lost"),
        (18, "triggers[1].targets[0].parameters.Lost"),
        (19, "triggers[1].targets[1].parameters.Lost"),
    ]


def test_problems_inside_a_parameter_are_told_at_their_own_line(command_line: CommandLine) -> None:
    declared = {**DEFINITION.parameters, "Rows": Declared("Boolean"), "Note": KEY}
    command_line.pipelines.add("churn-train", Definition(declared))
    document = command_line.json("lint", "--live", command_line.file(FINE))
    inside = "triggers[0].targets[0].parameters"
    assert places(document)[:2] == [(11, f"{inside}.Rows.default"), (11, f"{inside}.Rows.type")]
    assert places(document, "warnings") == [(14, f"{inside}.Note.on_missing")]


def test_a_rule_of_cloudformation_is_told_in_its_own_words(command_line: CommandLine) -> None:
    document = command_line.json("lint", "--live", command_line.file(AS_RULE))
    (place,) = places(document)
    list_of_it = "Resources.Upload.Properties.Targets[0].SageMakerPipelineParameters.PipelineParameterList"
    assert place == (14, f"{list_of_it}[1]")


def test_the_problems_of_all_files_are_told_with_their_files(command_line: CommandLine) -> None:
    one = command_line.file(FILE, "one.yaml")
    two = command_line.file(FILE.replace("name: on-", "name: two-"), "two.yaml")
    assert [problem["file"] for problem in command_line.json("lint", "--live", one, two)["problems"]] == [one, two]


def test_a_pipeline_that_is_not_there_is_a_problem_of_its_line(command_line: CommandLine) -> None:
    command_line.pipelines.remove("churn-score")
    document = command_line.json("apply", "--live", "--yes", command_line.file(FINE))
    assert (document["exit_code"], places(document)) == (2, [(19, "triggers[1].targets[1].pipeline")])
    assert "there is no pipeline churn-score in this account and Region" in document["problems"][0]["reason"]


@pytest.mark.parametrize("command", [("lint",), ("apply", "--yes")])
def test_who_may_not_describe_is_warned_once_and_nothing_stops(
    command_line: CommandLine, command: tuple[str, ...]
) -> None:
    command_line.pipelines.fail("describe", DENIED, DENIED)
    document = command_line.json(*command, "--live", command_line.file(FILE))
    assert document["exit_code"] == 0
    (warning,) = document["warnings"]
    assert "churn-train, churn-score" in warning["reason"]
    assert "sagemaker:DescribePipeline" in warning["remedy"]


def test_a_check_that_could_not_be_made_writes_nothing(command_line: CommandLine) -> None:
    command_line.pipelines.fail("describe", TransientError("throttled", "Rate exceeded"))
    result = command_line.run("apply", "--live", "--yes", command_line.file(FINE))
    assert (result.exit_code, "Rate exceeded" in result.stderr) == (1, True)
    assert command_line.store.revision() == 0


def test_put_tells_problems_as_those_of_its_options(command_line: CommandLine) -> None:
    document = command_line.json(*PUT, "--parameter", "Kye=a", "--parameter", "Mode=fast")
    assert document["exit_code"] == 2
    assert [problem["field"] for problem in document["problems"]] == [
        "--parameter Kye",
        "--parameter Mode",
        "--parameter Key",
    ]
    assert command_line.store.revision() == 0
    assert command_line.run(*PUT, "--parameter", "Key=a").exit_code == 0
    assert command_line.store.revision() == 1


def test_put_tells_of_a_pipeline_that_is_not_there(command_line: CommandLine) -> None:
    command_line.pipelines.remove("churn-train")
    (problem,) = command_line.json(*PUT)["problems"]
    assert problem["field"] == "--pipeline"


# describe


def described(command_line: CommandLine, file: str = FILE, name: str = "on-upload") -> dict[str, Any]:
    """The only target of a trigger, as ``describe`` has it."""
    command_line.run("apply", command_line.file(file), "--yes")
    document = command_line.json("describe", name)
    assert document["exit_code"] == 0
    target: dict[str, Any] = document["result"]["targets"][0]
    return target


def test_describe_shows_what_the_pipeline_declares_beside_each_parameter(command_line: CommandLine) -> None:
    target = described(command_line)
    assert {p["name"]: p["declared"] for p in target["parameters"]} == {
        "Key": {"type": "String", "required": True, "default": None, "enum": []},
        "Mode": {"type": "String", "required": False, "default": "full", "enum": ["full", "delta"]},
        "Rows": {"type": "Integer", "required": False, "default": 1000, "enum": []},
        "Note": {"type": "String", "required": False, "default": "-", "enum": []},
    }
    assert [problem["field"] for problem in target["problems"]] == ["targets[0].parameters.Mode"]


def test_describe_shows_the_constraints(command_line: CommandLine) -> None:
    written = "Key: {value: $.detail.object.key, enum: [in/a, in/b], prefix: in/, max_length: 1000}"
    target = described(command_line, FILE.replace("Key: $.detail.object.key", written))
    assert target["parameters"][0]["constraints"] == {"enum": ["in/a", "in/b"], "prefix": "in/", "max_length": 1000}
    shown = " ".join(command_line.run("describe", "on-upload").stdout.split())
    assert "constraints" in shown
    for word in ("in/a,", "begins", "1,000"):
        assert word in shown


def test_describe_has_a_row_for_what_the_trigger_does_not_give(command_line: CommandLine) -> None:
    command_line.pipelines.add("churn-score", Definition({"Lost": KEY, "Rows": ROWS}))
    command_line.run("apply", command_line.file(FILE), "--yes")
    target = command_line.json("describe", "on-message")["result"]["targets"][1]
    assert [(p["name"], p["kind"], p["value"]) for p in target["parameters"]] == [
        ("Lost", None, None),
        ("Rows", None, None),
    ]
    shown = command_line.run("describe", "on-message").stdout
    assert "missing!" in shown
    assert "default of the pipeline" in shown
    assert "problem: targets[1].parameters.Lost: is missing" in shown


def test_describe_marks_a_parameter_that_the_pipeline_does_not_know(command_line: CommandLine) -> None:
    command_line.pipelines.add("churn-train", Definition({"Mode": MODE}))
    assert described(command_line)["parameters"][0]["declared"] is None
    assert command_line.run("describe", "on-upload").stdout.count("unknown!") == 3


def test_describe_of_what_may_not_be_described_shows_the_triggers_own_table(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    command_line.pipelines.fail("describe", DENIED, DENIED)
    result = command_line.run("describe", "on-message")
    assert result.exit_code == 0
    assert len([line for line in result.stderr.splitlines() if "churn-train" in line]) == 1
    assert "pipeline declares" not in result.stdout
    assert "full" in result.stdout


@pytest.mark.parametrize("failing", ["identity", "pipelines"])
def test_describe_works_when_nothing_can_be_asked(
    command_line: CommandLine, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    error = TransientError("unavailable", "nobody listens")
    if failing == "pipelines":
        command_line.pipelines.fail("describe", error)
    else:
        connect = command_line._connect

        def without_identity(settings: Settings) -> Connection:
            def fail() -> Any:
                raise error

            return replace(connect(settings), pipelines=fail)

        monkeypatch.setattr(command_line, "_connect", without_identity)
    document = command_line.json("describe", "on-upload")
    assert document["exit_code"] == 0
    assert [w["reason"] for w in document["warnings"] if "nobody listens" in w["reason"]]
    assert {p["declared"] for p in document["result"]["targets"][0]["parameters"]} == {None}


def test_describe_fits_80_columns(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(FILE), "--yes")
    assert max(map(len, command_line.run("describe", "on-upload").stdout.splitlines())) <= 80
