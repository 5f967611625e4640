"""The dashboard and the saved queries: they look at what the stack has and at what the functions write."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from pipeline_triggers import observability
from pipeline_triggers.domain.decisions import Outcome
from pipeline_triggers.observability import BROKEN, CAPPED, COUNTED, NAMESPACE, RETRY_AGE
from tests.template.rendering import STACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.template.rendering import Rendered

WRITTEN = {*COUNTED.values(), BROKEN, CAPPED, RETRY_AGE, "EventToStartLatency", "SchedulesDeleted", "CleanupFailures"}
# What the functions write into each line of the log, and what Logs Insights adds.
FIELDS = {"message", "outcome", "reason", "trigger", "target", "event_id", "detail", "pipeline_arn", "execution_arn"}
ADDED = {"@timestamp", "arn"}


@pytest.fixture
def widgets(stack: Rendered) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(stack.properties("Dashboard")["DashboardBody"])["widgets"]
    return found


def _metrics(widgets: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for widget in widgets:
        for metric in widget["properties"].get("metrics", []):
            yield tuple(part for part in metric if isinstance(part, str))


def _queries(stack: Rendered, widgets: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from (it["QueryString"] for it in stack.of_type("AWS::Logs::QueryDefinition").values())
    yield from (it["properties"]["query"] for it in widgets if it["type"] == "log")


def test_it_shows_only_metrics_that_the_functions_write(widgets: list[Mapping[str, Any]]) -> None:
    shown = {name for namespace, name, *_ in _metrics(widgets) if namespace == f"{NAMESPACE}/{STACK}"}
    assert shown
    assert shown <= WRITTEN
    source = Path(observability.__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in WRITTEN)


def test_it_shows_every_queue(stack: Rendered, widgets: list[Mapping[str, Any]]) -> None:
    shown = {value for _, _, *rest in _metrics(widgets) for key, value in zip(rest[::2], rest[1::2], strict=True)}
    assert {queue["QueueName"] for queue in stack.of_type("AWS::SQS::Queue").values()} <= shown


def test_it_shows_every_function(stack: Rendered, widgets: list[Mapping[str, Any]]) -> None:
    shown = {(name, *rest) for namespace, name, *rest in _metrics(widgets) if namespace == "AWS/Lambda"}
    functions = {it["FunctionName"] for it in stack.of_type("AWS::Lambda::Function").values()}
    assert shown == {(name, "FunctionName", it) for name in ("Errors", "Duration") for it in functions}


def test_no_widget_covers_another(widgets: list[Mapping[str, Any]]) -> None:
    for one, other in combinations(widgets, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above, (one["properties"]["title"], other["properties"]["title"])
    assert max(it["x"] + it["width"] for it in widgets) <= 24


def test_queries_read_logs_of_the_stacks_functions(stack: Rendered, widgets: list[Mapping[str, Any]]) -> None:
    groups = {it["LogGroupName"] for it in stack.of_type("AWS::Logs::LogGroup").values()}
    for definition in stack.of_type("AWS::Logs::QueryDefinition").values():
        assert set(definition["LogGroupNames"]) <= groups
    for query in _queries(stack, widgets):
        assert set(re.findall(r"SOURCE '([^']*)'", query)) <= groups


def test_queries_name_fields_that_the_functions_write(stack: Rendered, widgets: list[Mapping[str, Any]]) -> None:
    for query in _queries(stack, widgets):
        named = re.findall(r"(?:fields|display) ([^|]*)", query)
        fields = {field.strip() for one in named for field in one.split(",")}
        assert fields <= FIELDS | ADDED
        outcomes = set(re.findall(r"outcome = '([a-z]+)'", query))
        assert outcomes <= set(get_args(Outcome))
