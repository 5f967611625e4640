"""REFERENCE.md: current, complete, and the same from the same sources."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import click
import pytest

from pipeline_triggers import observability
from pipeline_triggers.cli.reference import page
from pipeline_triggers.cli.reference.fields import described
from pipeline_triggers.cli.reference.markdown import plain, table
from pipeline_triggers.cli.reference.metrics import METRICS
from pipeline_triggers.cli.reference.stack import ALARM, read_template
from pipeline_triggers.domain.decisions import Outcome
from pipeline_triggers.domain.orphans import Failed, Kept, Report
from pipeline_triggers.errors import TransientError
from tests.command_lines import commands
from tests.fakes.clock import NOON
from tests.samples import start

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


def test_the_metrics_are_those_that_the_functions_count(capsys: pytest.CaptureFixture[str]) -> None:
    started = replace(start(), at=NOON)
    decisions = [replace(started, outcome=outcome) for outcome in get_args(Outcome)]
    for decision in decisions:
        observability.report(decision, message_id="m", sent_at=NOON - timedelta(seconds=1))
    observability.count_events(decisions)
    observability.measure_retry_age(NOON, NOON)
    failed = Failed("arn:b", TransientError("throttled", "no"))
    for kept in (Kept("arn:a", "pipeline-exists"), Kept("arn:a", "delete-cap")):
        cleanup = Report(deleted=("arn:c",), kept=(kept,), failed=(failed,))
        observability.report_cleanup(cleanup, message_id="m")
    counted = set()
    for line in capsys.readouterr().out.splitlines():
        for directive in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", []):
            counted |= {metric["Name"] for metric in directive["Metrics"]}
    assert counted == set(METRICS)


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
