"""Shell completion: what the shell is told to ask, and the answers, which load neither AWS nor other commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.cli.completion import SHELLS, VARIABLE
from pipeline_triggers.cli.main import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import CommandLine

BASH = shutil.which("bash")


def completed(*words: str, directory: Path | None = None) -> list[str]:
    """What click answers a bash that completes the last of the words: kind and value of each proposal."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        VARIABLE: "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline_triggers.cli"],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_a_shell_asks_this_command(command_line: CommandLine, shell: str) -> None:
    result = command_line.run("completion", shell)
    assert result.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in result.stdout
    assert "%(" not in result.stdout


def test_the_script_is_in_the_json_answer_to_the_letter(command_line: CommandLine) -> None:
    text = command_line.run("completion", "bash").stdout
    assert command_line.json("completion", "bash")["result"]["script"].strip("\n") + "\n" == text


def test_another_shell_is_invalid_input(command_line: CommandLine) -> None:
    result = command_line.run("completion", "tcsh")
    assert result.exit_code == 2
    assert "fish" in result.stderr


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_bash_completes_a_command_with_the_script(command_line: CommandLine, tmp_path: Path) -> None:
    assert BASH is not None
    (tmp_path / "completion.bash").write_text(command_line.run("completion", "bash").stdout, encoding="utf-8")
    (tmp_path / "pipeline-triggers").write_text(
        f'#!{BASH}\nPYTHONPATH="{os.pathsep.join(sys.path)}" exec "{sys.executable}" -m pipeline_triggers.cli "$@"\n',
        encoding="utf-8",
    )
    (tmp_path / "pipeline-triggers").chmod(0o700)
    program = (
        "source completion.bash\n"
        "COMP_WORDS=(pipeline-triggers sched) COMP_CWORD=1; COMPREPLY=()\n"
        'asked=$(complete -p pipeline-triggers | sed "s/.*-F \\([^ ]*\\).*/\\1/")\n'
        '"$asked" pipeline-triggers\n'
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    ran = subprocess.run(
        [BASH, "--norc", "--noprofile", "-c", program],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("schedule\n", "")


def test_every_command_is_completed() -> None:
    assert completed("pipeline-triggers", "") == [f"plain,{name}" for name, _, _ in COMMANDS]


@pytest.mark.parametrize(
    ("words", "proposals"),
    [
        (["si"], ["plain,simulate"]),
        (["--st"], ["plain,--stack-name"]),
        (["schedule", "p"], ["plain,preview", "plain,put"]),
        (["schedule", "put", "--remove"], ["plain,--remove-parameter"]),
        (["simulate", "ev"], ["file,ev"]),
        (["simulate", "e.json", "--triggers", "tri"], ["file,tri"]),
        (["explain", "ev"], ["file,ev"]),
        (["new", "s3"], ["plain,s3-upload"]),
        (["graph", "--format", "m"], ["plain,mermaid"]),
        (["quarantine", "list", "--reason", "missing"], ["plain,missing-parameter"]),
        (["schedule", "preview", "--timezone", "Europe/Berl"], ["plain,Europe/Berlin"]),
        (["describe", "retrain"], []),
    ],
)
def test_a_word_is_completed(words: list[str], proposals: list[str]) -> None:
    assert completed("pipeline-triggers", *words) == proposals


def test_behind_a_misspelt_command_the_commands_are_proposed_and_nothing_fails() -> None:
    assert "plain,put" in completed("pipeline-triggers", "schedule", "no-such-command", "")


def test_completing_a_command_imports_no_command(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from pipeline_triggers.cli.main import cli\n"
        "try:\n    cli.main([])\n"
        "except SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    words = {"COMP_WORDS": "pipeline-triggers s", "COMP_CWORD": "1", VARIABLE: "bash_complete"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **words},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "plain,simulate" in ran.stdout.split()
    loaded = set(json.loads(ran.stderr))
    assert not loaded & {"rich", "boto3", "botocore", "moto", "ruamel.yaml", "pipeline_triggers.cli.triggers"}
