"""REFERENCE.md: current, complete, and the same from the same sources."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import click
import pytest

from pipeline_triggers import observability
from pipeline_triggers.cli.reference import page
from pipeline_triggers.cli.reference.fields import described
from pipeline_triggers.cli.reference.markdown import plain, table
from pipeline_triggers.cli.reference.metrics import METRICS
from pipeline_triggers.cli.reference.stack import ALARM, read_template
from tests.command_lines import commands

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")
TEMPLATE = read_template(TEXT)
PAGE = page(TEXT)


def test_the_committed_reference_is_current() -> None:
    assert (ROOT / "REFERENCE.md").read_text(encoding="utf-8") == PAGE, "run make reference"


def test_its_first_line_says_how_it_is_made() -> None:
    assert "`make reference`" in PAGE.splitlines()[0]


@pytest.mark.parametrize(("field", "schema"), described())
def test_every_field_of_a_trigger_file_says_what_it_means(field: str, schema: dict[str, str]) -> None:
    assert schema.get("description")
    assert f"| `{field.partition('.')[2]}` |" in PAGE


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_every_parameter_of_the_template_is_there_once(name: str) -> None:
    assert PAGE.count(f"\n| `{name}` |") == 1
    assert plain(TEMPLATE["Parameters"][name]["Description"]) in PAGE


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_every_output_of_the_template_is_there(name: str) -> None:
    assert PAGE.count(f"\n| `{name}` |") == 1


def test_every_alarm_of_the_template_is_there() -> None:
    alarms = [one for one in TEMPLATE["Resources"].values() if one["Type"] == ALARM]
    assert alarms
    assert all(plain(one["Properties"]["AlarmDescription"]) in PAGE for one in alarms)


def test_a_parameter_that_the_console_does_not_group_is_not_forgotten() -> None:
    assert "`Lonely`" in page(
        TEXT.replace("Parameters:\n  BucketNames:", f"Parameters:\n  {LONELY}\n  BucketNames:", 1)
    )


LONELY = "Lonely: {Type: String, Default: x, Description: Of no group}"


def test_every_command_is_there_with_all_its_options() -> None:
    found = commands()
    assert len(found) > 40
    for path, command in found[1:]:
        section = PAGE.partition(f"\n### {path}\n")[2].partition("\n### ")[0]
        common = PAGE.partition("\n## Commands\n")[2].partition("\n### ")[0]
        for option in (one for one in command.params if isinstance(one, click.Option)):
            assert f"`{option.opts[0]}" in section + common or f", {option.opts[-1]}" in section


def counted() -> set[str]:
    """The names that the functions count by: those that ``add_metric`` and ``_count`` are given in the source."""
    found = set(observability.COUNTED.values())
    for node in ast.walk(ast.parse(inspect.getsource(observability))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "metrics.add_metric":
            written = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_count":
            written = [key for argument in node.args if isinstance(argument, ast.Dict) for key in argument.keys if key]
        else:
            continue
        for name in written:
            if isinstance(name, ast.Constant):
                found.add(str(name.value))
            elif isinstance(name, ast.Name) and name.id.isupper():
                found.add(getattr(observability, name.id))
    return found


def test_the_metrics_are_those_that_the_functions_count() -> None:
    assert counted() == set(METRICS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cron(0 3 * * ? *)", r"cron(0 3 \* \* ? \*)"),
        ("or <$.detail.id>", r"or \<$.detail.id>"),
        ("say `rate(1 * <x>)` *", r"say `rate(1 * <x>)` \*"),
        ("two\n   lines", "two lines"),
    ],
)
def test_a_text_shows_as_it_is_written(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |\n"
