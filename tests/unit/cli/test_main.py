"""The command as a whole: help, common options, answers, errors and exit codes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from pipeline_triggers.cli.examples import EXAMPLES
from pipeline_triggers.cli.main import COMMANDS, REMEDIES
from pipeline_triggers.cli.settings import ExitCode, most_important
from pipeline_triggers.errors import PermanentError, TransientError
from tests.command_lines import commands, understand

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine


def test_the_help_lists_every_command(command_line: CommandLine) -> None:
    result = command_line.run("--help")
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.stdout for name, _, _ in COMMANDS)


def test_the_help_loads_neither_rich_nor_aws_nor_the_local_run() -> None:
    heavy = ["rich", "botocore", "boto3", "moto", "samtranslator", "ruamel.yaml", "jsonpath_ng"]
    program = (
        "import sys\n"
        "from pipeline_triggers.cli.main import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ran.stderr.strip() == "[]"


@pytest.mark.parametrize("name", [name for name, module, _ in COMMANDS if module != "local"])
def test_every_command_has_its_help(command_line: CommandLine, name: str) -> None:
    result = command_line.run(name, "--help")
    assert result.exit_code == 0
    assert f"Usage: pipeline-triggers {name}" in result.stdout


def test_a_misspelt_command_is_told_the_nearest_one(command_line: CommandLine) -> None:
    result = command_line.run("simulat")
    assert result.exit_code == 2
    assert result.stderr == "there is no command 'simulat'. Did you mean 'simulate'?\n"


def test_a_misspelt_command_of_a_group_is_told_the_nearest_one(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "preveiw")
    assert result.exit_code == 2
    assert result.stderr == "there is no command 'preveiw'. Did you mean 'preview'?\n"


def test_a_command_that_is_like_no_other_is_told_where_the_help_is(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "xyz")
    assert result.stderr == "there is no command 'xyz'. See pipeline-triggers schedule --help\n"


@pytest.mark.parametrize("group", [[], ["schedule"], ["connect"]])
def test_without_a_command_the_help_is_shown(command_line: CommandLine, group: list[str]) -> None:
    result = command_line.run(*group)
    assert result.exit_code == 0
    assert result.stdout == command_line.run(*group, "--help").stdout


def test_the_help_of_a_group_says_in_full_what_its_commands_do_in_their_order(command_line: CommandLine) -> None:
    shown = command_line.run("schedule", "--help").stdout
    assert "..." not in shown.partition("Commands:")[2]
    assert shown.index("\n  put ") < shown.index("\n  describe ")


ALL = commands()


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path or "pipeline-triggers" for path, _ in ALL])
def test_a_command_says_in_one_sentence_what_it_does(path: str, command: click.Command) -> None:
    first = (command.help or "").split("\n\n")[0].replace("\n", " ").strip()
    assert re.fullmatch(r"[A-Z].+[.]", first)
    assert len(first) <= 130


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path or "pipeline-triggers" for path, _ in ALL])
def test_every_option_has_its_help(path: str, command: click.Command) -> None:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.opts for option in options if not option.help] == []


@pytest.mark.parametrize("path", [path for path, _ in ALL])
def test_the_help_fits_80_columns(command_line: CommandLine, path: str) -> None:
    shown = command_line.run(*path.split(), "--help").stdout
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_every_example_is_of_a_command_that_there_is() -> None:
    assert set(EXAMPLES) <= {path for path, _ in ALL}
    for path, examples in EXAMPLES.items():
        assert all(f"{example} ".startswith(f"{path} ".lstrip()) for example in examples)


@pytest.mark.parametrize("example", [example for examples in EXAMPLES.values() for example in examples])
def test_an_example_is_a_command_line_that_is_understood(example: str) -> None:
    understand(shlex.split(example))


def test_a_long_example_goes_on_in_lines_that_a_shell_joins_again(command_line: CommandLine) -> None:
    examples = command_line.run("schedule", "put", "--help").stdout.partition("Examples:\n")[2]
    assert all(len(line) <= 80 for line in examples.splitlines())
    joined = examples.replace(" \\\n", " ").splitlines()
    assert [shlex.split(line) for line in joined] == [
        ["pipeline-triggers", *shlex.split(example)] for example in EXAMPLES["schedule put"]
    ]


def test_examples_stand_at_the_end_of_the_help(command_line: CommandLine) -> None:
    shown = command_line.run("rollback", "--help").stdout
    assert shown.endswith("\nExamples:\n  pipeline-triggers rollback 12\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-thing"],
        ["list", "--no-such-option"],
        ["list", "surplus"],
        ["list", "--output", "xml"],
        ["--output", "xml", "list"],
        ["rollback", "one"],
        ["rollback", "0"],
        ["rollback"],
        ["lint"],
        ["put", "name"],
        ["put", "name", "--event-pattern", "{}", "--pipeline", "p", "--state", "ON"],
        ["simulate", "e.json", "--triggers", "t.yaml", "--from-stack"],
        ["match", "e.json", "--event-pattern", "{}", "--from-stack"],
    ],
)
def test_a_wrong_command_line_is_invalid_input_told_in_one_line(
    command_line: CommandLine,
    arguments: list[str],
) -> None:
    result = command_line.run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_a_wrong_command_line_is_told_as_json_too(command_line: CommandLine) -> None:
    result = command_line.run("list", "--no-such-option", "--output", "json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem == {
        "file": "",
        "line": 0,
        "field": "",
        "reason": "No such option: --no-such-option",
        "remedy": "See pipeline-triggers list --help",
    }


def test_output_may_stand_before_or_after_the_command(command_line: CommandLine) -> None:
    before = command_line.run("--output", "json", "list")
    after = command_line.run("list", "--output", "json")
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_the_common_options_reach_the_connection_from_both_places(command_line: CommandLine) -> None:
    command_line.run("--stack-name", "one", "--region", "eu-west-1", "list", "--stack-name", "two", "--profile", "ops")
    settings = command_line.settings
    assert (settings.stack_name, settings.region, settings.profile) == ("two", "eu-west-1", "ops")


def test_stack_and_endpoint_come_from_the_environment(
    command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIPELINE_TRIGGERS_STACK", "from-environment")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4555")
    command_line.run("list")
    assert command_line.settings.stack_name == "from-environment"
    assert command_line.settings.endpoint_url == "http://127.0.0.1:4555"


def test_an_option_wins_over_the_environment(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_TRIGGERS_STACK", "from-environment")
    command_line.run("list", "--stack-name", "given")
    assert command_line.settings.stack_name == "given"


def test_a_failed_aws_call_is_one_line_with_a_remedy_and_exit_code_1(command_line: CommandLine) -> None:
    command_line.store.fail("load", TransientError("denied-yet", "AccessDenied on GetItem."))
    result = command_line.run("list")
    assert result.exit_code == 1
    assert result.stderr == f"AccessDenied on GetItem. {REMEDIES['denied-yet']}\n"


def test_a_failure_without_a_known_remedy_is_told_as_it_is(command_line: CommandLine) -> None:
    command_line.store.fail("load", PermanentError("refused-by-sagemaker", "no"))
    result = command_line.run("list")
    assert (result.exit_code, result.stderr) == (1, "no\n")


def test_a_defect_is_one_line_without_a_traceback(command_line: CommandLine) -> None:
    command_line.store.fail("load", KeyError("first\nsecond"))
    result = command_line.run("list")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "unexpected KeyError" in result.stderr
    assert "--debug" in result.stderr


def test_debug_shows_where_a_defect_came_from(command_line: CommandLine) -> None:
    command_line.store.fail("load", KeyError("x"))
    assert isinstance(command_line.run("list", "--debug").exception, KeyError)


def test_of_many_decisions_the_most_important_exit_code_counts() -> None:
    ordered = [
        ExitCode.INVALID,
        ExitCode.FAILED,
        ExitCode.REFUSED,
        ExitCode.DONE,
        ExitCode.DUPLICATE,
        ExitCode.UNMATCHED,
    ]
    for position in range(len(ordered)):
        assert most_important(reversed(ordered[position:])) == ordered[position]
    assert most_important([]) == ExitCode.UNMATCHED
