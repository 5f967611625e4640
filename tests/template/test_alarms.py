"""Alarms: whoever is told by one finds in the README what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.template.rendering import ROOT, STACK

if TYPE_CHECKING:
    from tests.template.rendering import Rendered

ALARMS = "AWS::CloudWatch::Alarm"


def test_the_readme_says_for_each_alarm_what_to_do(stack: Rendered) -> None:
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in row.split(" | ")[0].replace("`", "").removeprefix("| ").split(", ")}
    names = {alarm["AlarmName"].removeprefix(f"{STACK}-") for alarm in stack.of_type(ALARMS).values()}
    assert names <= told
