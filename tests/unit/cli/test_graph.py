"""The command "graph": a tree for people, Mermaid and SVG for documents, and bad input."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cli.graph_mermaid import mermaid
from pipeline_triggers.cli.graph_svg import BOX, GAP, shortened, svg
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.graph import graph_of
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import NotFoundError
from tests.architecture.modules import ROOT

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

FILE = str(ROOT / "triggers.yaml")
SVG = "{http://www.w3.org/2000/svg}"
TREE = """\
pipeline-triggers, revision 1
2 sources, 3 triggers, 2 pipelines

S3 bucket raw-data
├── retrain  Object Created
│   └── churn-train
└── watch SHADOW
    ├── churn-train
    └── churn-score

events of shop
└── orders DISABLED not delivered  Order
    └── churn-score

orders: no rule of the stack delivers events of shop: add it to the stack's
parameter DefaultBusSources, or name its event bus in EventBusName
"""


def trigger(name: str, pattern: Any, *pipelines: str, **more: Any) -> Trigger:
    targets = [{"pipeline": pipeline} for pipeline in pipelines]
    return Trigger.from_document({"name": name, "event_pattern": pattern, "targets": targets, **more})


def bucket(**more: Any) -> dict[str, Any]:
    return {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw-data"]}}, **more}


TRIGGERS = (
    trigger("retrain", bucket(**{"detail-type": ["Object Created"]}), "churn-train"),
    trigger("watch", bucket(), "churn-train", "churn-score", state="SHADOW"),
    trigger("orders", {"source": ["shop"], "detail-type": ["Order"]}, "churn-score", state="DISABLED"),
)


@pytest.fixture
def stack(command_line: CommandLine) -> CommandLine:
    command_line.store.write(Snapshot(0, TRIGGERS), expected_revision=0, by="ann")
    return command_line


def hostile() -> tuple[Trigger, ...]:
    """Names that would be markup, an end of a text, or a command to a terminal."""
    names = [
        '<script>alert("1")</script>',
        "a]] --> b",
        "\x1b[31mred",
        "[bold]x[/bold]",
        "&amp;`#",
        "\u202e",
        "💥" * 40,
    ]
    return tuple(
        trigger(f"t{number}", {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}, "churn-train")
        for number, name in enumerate(names)
    )


def test_the_stacks_graph_is_a_tree_that_says_what_is_not_delivered(stack: CommandLine) -> None:
    result = stack.run("graph")
    assert (result.exit_code, result.stdout, result.stderr) == (0, TREE, "")


def test_without_the_stack_delivery_is_not_judged_and_that_is_told(stack: CommandLine) -> None:
    stack.delivered = NotFoundError("there is no stack")
    result = stack.run("graph")
    assert (result.exit_code, "not delivered" in result.stdout) == (0, False)
    assert result.stderr == "warning: whether the stack delivers the events could not be checked: there is no stack\n"


def test_files_need_no_stack(command_line: CommandLine) -> None:
    command_line.delivered = AssertionError()
    result = command_line.run("graph", "--file", FILE)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [FILE, "9 sources, 11 triggers, 5 pipelines"][-2:]


def test_several_files_are_one_graph(command_line: CommandLine) -> None:
    one = command_line.file("version: 1\nset: a\ntriggers: []\n", "a.yaml")
    assert "11 triggers" in command_line.run("graph", "--file", one, "--file", FILE).stdout


def test_a_pipeline_whose_executions_start_more_says_so(command_line: CommandLine) -> None:
    arn = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
    finished = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {"pipelineArn": [arn], "currentPipelineExecutionStatus": ["Succeeded"]},
    }
    chained = (TRIGGERS[0], trigger("then", finished, "churn-score"))
    command_line.store.write(Snapshot(0, chained), expected_revision=0, by="ann")
    result = command_line.run("graph")
    assert "    └── churn-train its executions start more: see pipeline churn-train\n" in result.stdout
    drawing = command_line.run("graph", "--format", "mermaid").stdout
    assert "  p1 -.-> s2\n" in drawing
    assert 'class="chain"' in command_line.run("graph", "--format", "svg").stdout


def test_an_empty_stack_is_an_empty_graph(command_line: CommandLine) -> None:
    assert command_line.run("graph").stdout == "pipeline-triggers, revision 0\n0 sources, 0 triggers, 0 pipelines\n"
    for kind in ("mermaid", "svg"):
        assert command_line.run("graph", "--format", kind).exit_code == 0


def test_lines_fit_the_width_and_nothing_is_cut(stack: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    shown = stack.run("graph").stdout
    assert max(map(len, shown.splitlines())) <= 30
    assert "DefaultBusSources" in shown


@pytest.mark.parametrize("columns", ["80", "200"])
def test_colours_follow_no_color(stack: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in stack.run("graph").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3\d", stack.run("graph").stdout)


def test_the_json_has_nodes_and_links(stack: CommandLine) -> None:
    result = stack.json("graph")["result"]
    assert result["title"] == "pipeline-triggers, revision 1"
    assert [node["name"] for node in result["triggers"]] == ["retrain", "watch", "orders"]
    assert len(result["links"]) == 3
    assert stack.json("graph", "--format", "svg")["result"]["drawing"].startswith("<svg ")


def test_mermaid_has_a_node_for_each_thing_and_an_arrow_for_each_link(stack: CommandLine) -> None:
    lines = stack.run("graph", "--format", "mermaid").stdout.splitlines()
    assert lines[0] == "flowchart LR"
    assert '  s1(["S3 bucket raw-data"]):::source' in lines
    assert '  t2["watch, SHADOW"]:::shadow' in lines
    assert '  t3["orders, DISABLED"]:::unreached' in lines
    assert '  p2[["churn-score"]]:::pipeline' in lines
    assert '  s1 -->|"Object Created"| t1' in lines
    assert "  s1 --> t2" in lines
    assert "  t2 --> p1" in lines


def test_an_svg_is_written_to_a_file(stack: CommandLine) -> None:
    result = stack.run("graph", "--format", "svg", "--out", "graph.svg")
    assert result.stdout == "Wrote graph.svg: 2 sources, 3 triggers, 2 pipelines.\n"
    root = ET.fromstring((stack.directory / "graph.svg").read_text(encoding="utf-8"))
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == ["S3 bucket raw-data", "events of shop", "retrain", "watch", "orders", "churn-train", "churn-score"]
    assert len([path for path in root.iter(f"{SVG}path") if "link" in path.get("class", "")]) == 3 + 4


def test_boxes_of_a_column_do_not_overlap_and_lie_inside() -> None:
    many = tuple(
        trigger(
            f"t{number}",
            {"source": ["aws.s3"], "detail": {"bucket": {"name": [f"b-{number % 7}"]}}},
            f"p-{number % 11}",
        )
        for number in range(60)
    )
    root = ET.fromstring(svg(graph_of(many), "many"))
    columns: dict[str, list[float]] = {}
    for box in root.iter(f"{SVG}rect"):
        if "box" in box.get("class", ""):
            columns.setdefault(box.get("x", ""), []).append(float(box.get("y", "")))
    assert [len(ys) for ys in columns.values()] == [7, 60, 11]
    for ys in columns.values():
        ordered = sorted(ys)
        assert all(after - before >= BOX + GAP - 0.2 for before, after in pairwise(ordered))
        assert ordered[-1] + BOX <= float(root.get("height", ""))


def test_hostile_names_stay_names() -> None:
    graph = graph_of(hostile())
    drawing = svg(graph, "<&\x00>")
    root = ET.fromstring(drawing)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in drawing
    assert "\x1b" not in drawing + mermaid(graph)
    assert {line.count('"') for line in mermaid(graph).splitlines()} == {0, 2}
    assert "<" not in mermaid(graph)


def test_hostile_names_reach_no_terminal(command_line: CommandLine) -> None:
    command_line.store.write(Snapshot(0, hostile()), expected_revision=0, by="ann")
    shown = command_line.run("graph").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "S3 bucket [bold]x[/bold]" in shown


@pytest.mark.parametrize(
    ("text", "room", "short"),
    [
        ("abc", 100, "abc"),
        ("", 0, ""),
        ("a" * 100, 74.1, "aaaaaaaaa…"),
        ("木" * 10, 74.1, "木木木木…"),
        ("a b" * 9, 30, "a b…"),
    ],
)
def test_a_text_is_cut_where_its_box_ends(text: str, room: float, short: str) -> None:
    assert shortened(text, room, 7.4) == short


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x.txt"), "--out: is for drawings"),
        (("--format", "svg", "--out", "no/such/folder/x.svg"), "cannot be written: No such file or directory"),
        (("--format", "png"), "'png' is not one of"),
        (("--file", "no-such-file.yaml"), "no-such-file.yaml: cannot be read: No such file or directory"),
    ],
)
def test_bad_input_is_told(command_line: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    result = command_line.run("graph", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_file_with_mistakes_is_told_with_its_lines(command_line: CommandLine) -> None:
    path = command_line.file("version: 1\ntriggers:\n  - name: a\n")
    result = command_line.run("graph", "--file", path)
    assert (result.exit_code, f"{path}:3: triggers[0]" in result.stderr) == (2, True)


def test_what_the_stack_delivers_is_not_marked(stack: CommandLine) -> None:
    stack.delivered = Delivered(default_bus_sources=("shop",))
    assert "not delivered" not in stack.run("graph").stdout
