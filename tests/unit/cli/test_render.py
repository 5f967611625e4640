"""How answers look: nothing from an event reaches the terminal as markup or as control characters."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipeline_triggers.cli import render
from pipeline_triggers.cli.settings import Answer, Settings
from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from rich.console import RenderableType


def printed(shown: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(shown, markup=False)
    return stream.getvalue()


def test_the_json_answer_has_the_contracts_shape(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer(
        result=[1],
        exit_code=2,
        problems=[Problem("a.b", "is wrong", "Mend it", file="f.yaml", line=3)],
        warnings=[Problem("", "mind this")],
    )
    assert render.show(answer, Settings(output="json")) == 2
    assert json.loads(capsys.readouterr().out) == {
        "exit_code": 2,
        "result": [1],
        "problems": [{"file": "f.yaml", "line": 3, "field": "a.b", "reason": "is wrong", "remedy": "Mend it"}],
        "warnings": [{"file": "", "line": 0, "field": "", "reason": "mind this", "remedy": ""}],
    }


def test_problems_and_warnings_are_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem("a.b", "is wrong", "Mend it", file="f.yaml", line=3)
    render.show(Answer(problems=[problem], warnings=[Problem("x", "mind this")]), Settings())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "warning: x: mind this\nf.yaml:3: a.b: is wrong. Mend it\n"


def test_a_problem_with_line_breaks_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    render.show(Answer(problems=[Problem("", "first\nsecond\x1b[31m")]), Settings())
    assert capsys.readouterr().err == "first\\nsecond\\x1b[31m\n"


def test_plain_text_is_printed_to_the_letter(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"# {'long ' * 40}[bold]\n"
    render.show(Answer(text=text), Settings())
    assert capsys.readouterr().out == text


@pytest.mark.parametrize("hostile", ["[bold red]x[/]", "[/]", ":smile:", "[link=http://evil]x[/link]", "\\[x]"])
def test_markup_in_a_value_is_shown_and_not_obeyed(hostile: str) -> None:
    assert hostile in printed(render.table(["value"], [[hostile]]))
    assert hostile in printed(render.line(hostile))


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "a\rb", "a\u202eb", "\x9b31m", "\x00", "\u2028", "\ud800"])
def test_control_characters_are_escaped(hostile: str) -> None:
    shown = printed(render.table(["value"], [[hostile]])) + printed(render.line(hostile))
    assert all(character.isprintable() or character == "\n" for character in shown)


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_whatever_a_value_is_the_output_is_printable_and_can_be_encoded(value: str) -> None:
    shown = printed(render.table(["value"], [[value]]))
    assert all(character.isprintable() or character == "\n" for character in shown)
    shown.encode()


def test_a_long_value_is_shortened_and_its_length_told() -> None:
    shown = render.cell("x" * 5000).plain
    assert len(shown) < 250
    assert "5,000 characters" in shown


@pytest.mark.parametrize("width", [40, 80, 120])
def test_tables_keep_to_the_width_and_lose_nothing(width: int) -> None:
    key = "in/" + "very-long-name-" * 8 + "end.csv"
    shown = printed(render.table(["one", "two"], [[key, "short"]]), width)
    assert all(len(line) <= width for line in shown.splitlines())
    column = "".join(line.split()[0] for line in shown.splitlines()[1:])
    assert key in column


def test_no_colours_and_no_trailing_spaces_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    render.show(Answer(text=render.table(["a", "b"], [["x", render.styled("start")]])), Settings())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_no_color_is_respected_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    no_color: str | None,
    coloured: bool,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    render.to_console(render.line(("good", "green")))
    assert ("\x1b[32m" in terminal.getvalue()) is coloured


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"t": [{"x": 1}]}, {"t": [{"x": 2}]}, [("t[0].x", 1, 2)]),
        ({"t": [1]}, {"t": [1, 2]}, [("t", [1], [1, 2])]),
    ],
)
def test_a_diff_names_the_fields_that_differ(before: Any, after: Any, rows: list[Any]) -> None:
    assert render.diff_rows(before, after) == rows


def test_a_document_in_lines_is_the_same_document() -> None:
    document = {"source": ["aws.s3"], "detail": {"empty": {}, "key": [{"prefix": "in/"}], "n": {"a": None}}}
    lines = render.json_lines(document)
    assert json.loads("\n".join(lines)) == document
    assert '  "source": ["aws.s3"],' in lines
