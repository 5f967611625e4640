"""How decisions are shown: verdicts, where values are from, and that everything is readable at 80 columns."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from pipeline_triggers.cli.decisions import decision_document, decision_shown, verdict
from pipeline_triggers.domain.decisions import Decision
from pipeline_triggers.domain.definitions import Refusal
from pipeline_triggers.domain.parameters import Parameter, Resolved, resolve
from pipeline_triggers.domain.templates import parse_value

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/train"
LACKING = Refusal("Mode", "required-parameter", "it is not sent", "Add it")


def shown(*parameters: Resolved, width: int = 80, lacking: tuple[Refusal, ...] = (), **changes: Any) -> str:
    reason = next((p.reason or "" for p in parameters), "")
    decision = Decision(
        "e",
        "o",
        "rejected" if reason or lacking else "start",
        "t",
        "train",
        ARN,
        parameters=parameters,
        lacking=lacking,
    )
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(decision_shown(decision, **changes), markup=False)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def resolved(value: str, document: dict[str, Any], **how: Any) -> Resolved:
    return resolve([Parameter("Key", parse_value(value), **how)], document)[0]


def unfolded(text: str) -> str:
    """The text without the folds of lines."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(
    ("parameter", "word"),
    [
        (Resolved("P", "static", "x", None, "x"), "sent"),
        (Resolved("P", "default", "$.a", None, "x"), "default sent"),
        (Resolved("P", "dynamic", "$.a"), "left out"),
        (Resolved("P", "dynamic", "$.a", None, None, "missing-parameter", "m"), "missing-parameter"),
        (Resolved("P", "dynamic", "$.a", "x", "x", "wrong-type", "m"), "wrong-type"),
        (Resolved("P", "default", "$.a", None, "x", "not-in-enum", "m"), "not-in-enum"),
    ],
)
def test_each_parameter_has_a_verdict(parameter: Resolved, word: str) -> None:
    assert verdict(parameter) == word
    assert word in shown(parameter)
    assert word in shown(parameter, width=200)


def test_a_wide_terminal_gets_a_table() -> None:
    text = shown(resolved("$.rows", {"rows": 1}), resolved("$.no", {}, on_missing="omit"), width=100)
    rows = [line.split() for line in text.splitlines()][1:]
    assert rows == [
        ["parameter", "origin", "expression", "raw", "final", "verdict"],
        ["Key", "dynamic", "$.rows", "1", "1", "sent"],
        ["Key", "dynamic", "$.no", "nothing", "(not", "sent)", "left", "out"],
    ]


def test_the_table_is_given_up_as_soon_as_one_column_would_be_folded() -> None:
    parameters = (resolved("$.rows", {"rows": 123}), resolved("<$.rows>", {"rows": 1234567}))
    table = shown(*parameters, width=200)
    widest = max(len(line) for line in table.splitlines())
    assert shown(*parameters, width=widest).splitlines()[1:] == table.splitlines()[1:]
    assert "parameter" not in shown(*parameters, width=widest - 1)


def test_what_does_not_fit_into_columns_gets_a_line_for_each_fact() -> None:
    template = "s3://<$.bucket>/<$.key | dirname | lower>/out"
    text = shown(resolved(template, {"bucket": "raw-data", "key": "In/2026/a.csv"}))
    assert text.splitlines()[1:] == [
        "  Key  sent",
        "    from   template  s3://<$.bucket>/<$.key | dirname | lower>/out",
        '    raw    $.bucket → "raw-data"',
        '           $.key → "In/2026/a.csv" | dirname | lower',
        "    final  s3://raw-data/in/2026/out",
    ]


def test_a_path_that_stands_twice_is_shown_with_the_functions_of_each() -> None:
    text = shown(resolved("<$.k>/<$.k>/<$.k | upper>", {"k": "a"}))
    assert text.count('$.k → "a"') == 2
    assert '$.k → "a" | upper' in text


def test_a_template_shows_which_path_found_nothing() -> None:
    text = shown(resolved("<$.a>-<$.b>", {"a": 1}), width=60)
    assert "    raw    $.a → 1\n           $.b → nothing\n    final  (not sent)\n    why    $.b finds nothing" in text
    assert "missing-parameter" in text


def test_a_default_says_of_what_and_that_nothing_was_found() -> None:
    text = shown(resolved("$.detail.quite.a.long.path.into.the.event", {}, default="7"))
    assert "Key  default sent\n    from   default of  $.detail.quite.a.long.path.into.the.event\n" in text
    assert "    raw    nothing\n    final  7" in text


def test_text_and_number_look_different() -> None:
    long = "$.a_name_that_is_long_enough_for_lines_instead_of_columns"
    name = long[2:]
    assert "raw    1000\n" in shown(resolved(long, {name: 1000}))
    assert 'raw    ["1000"]\n' in shown(resolved(long, {name: ["1000"]}))
    assert "raw    the same text\n" in shown(resolved(long, {name: "1000"}))


def test_a_function_that_refuses_says_why() -> None:
    text = shown(resolved("<$.k | year>", {"k": "yesterday"}))
    assert "constraint" in text
    assert "the value is no time" in " ".join(text.split())


def test_a_static_value_that_looks_like_a_path_is_not_read_as_one() -> None:
    text = shown(Resolved("Key", "static", "$.[", None, "$.["))
    assert ("static" in text, "raw    " in text) == (True, False)


def test_a_value_that_only_the_pipeline_refuses_is_shown_with_the_reason() -> None:
    refused = resolved("$.rows", {"rows": "many"})._replace(reason="wrong-type", message="parameter Key: no Integer")
    text = shown(refused, width=100)
    assert "many" in text
    assert "wrong-type" in text
    assert "Key: no Integer" in text
    assert "parameter Key" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_parameter_that_lacks_has_its_entry(width: int) -> None:
    text = shown(resolved("$.rows", {"rows": 1}), lacking=(LACKING,), width=width)
    (row,) = [line for line in text.splitlines() if "Mode" in line and "required-parameter" in line]
    assert "it is not sent. Add it" in text
    assert "not in the target" in text
    assert row.strip().startswith("Mode")


def test_a_refusal_that_is_about_no_parameter_is_told_below_the_heading() -> None:
    decision = Decision("e", "o", "rejected", "t", "x", ARN, "no-occurrence-key", "there is no id")
    file = io.StringIO()
    Console(file=file, width=80).print(decision_shown(decision))
    assert file.getvalue().split("\n")[:2] == [
        "would go to quarantine  t → train (target x)",
        "  no-occurrence-key: there is no id".ljust(80),
    ]


def test_commands_about_the_past_have_words_of_their_own() -> None:
    assert shown(spoken={"start": "started"}).startswith("started  t → train")
    assert shown(spoken={}).startswith("start  t → train")


@pytest.mark.parametrize("width", [80, 100, 300])
def test_nothing_that_can_be_sent_is_cut(width: int) -> None:
    value = "".join(f"{number:04}/" for number in range(204)) + "end."
    assert len(value) == 1024
    text = shown(
        resolved("$.key", {"key": value}),
        resolved("<$.key>", {"key": value}),
        resolved(f"<$['{'n' * 240}']>", {"n" * 240: "x"}),
        width=width,
    )
    assert unfolded(text).count(value) >= 2
    assert "n" * 240 in unfolded(text)
    assert max(map(len, text.splitlines())) <= width


def test_a_huge_raw_value_is_shown_by_its_beginning_and_its_length() -> None:
    text = shown(resolved("$.data", {"data": ["x" * 100_000]}))
    assert len(text) < 5_000
    assert "(100,004 characters)" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 400])
def test_hostile_text_is_neither_markup_nor_control(width: int) -> None:
    hostile = "\x1b[2J[red]x[/red]\r\n\u202e\ud800"
    text = shown(resolved("$.k", {"k": hostile}), resolved("<$.k>!", {"k": hostile}), width=width)
    assert "[red]x[/red]" in text
    assert not {"\x1b", "\r", "\u202e", "\ud800"} & set(text)
    assert "\\u202e" in text


def test_wide_characters_stay_inside_80_columns() -> None:
    text = shown(resolved("$.k", {"k": "数据" * 100}), resolved("s3://<$.k>/é", {"k": "数据🎉" * 60}))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert unfolded(text).count("数据" * 100) == 1


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True), min_size=1, max_size=4),
    value=st.text(max_size=600),
    template=st.sampled_from(["$.v", "a<$.v>b", "<$.v | upper>/<$.w>", "plain"]),
)
def test_every_decision_fits_80_columns(names: list[str], value: str, template: str) -> None:
    parameters = [Parameter(name, parse_value(template)) for name in names]
    text = shown(*resolve(parameters, {"v": value, "w": value}))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert all(unfolded(name) in unfolded(text) for name in names)


# JSON


def test_the_json_has_what_the_table_has() -> None:
    parameters = (resolved("<$.k | stem>!", {"k": "in/a.csv"}),)
    document = decision_document(Decision("e", "o", "rejected", "t", parameters=parameters, lacking=(LACKING,)))
    assert document["parameters"] == [
        {
            "name": "Key",
            "origin": "template",
            "expression": "<$.k | stem>!",
            "raw": {"$.k": "in/a.csv"},
            "value": "a!",
            "verdict": "sent",
            "reason": None,
            "message": "",
        },
        {
            "name": "Mode",
            "origin": None,
            "expression": "",
            "raw": None,
            "value": None,
            "verdict": "required-parameter",
            "reason": "required-parameter",
            "message": "parameter Mode: it is not sent. Add it",
        },
    ]


def test_the_json_has_long_raw_values_whole() -> None:
    (parameter,) = decision_document(
        Decision("e", "o", "start", parameters=(resolved("<$.k | suffix>", {"k": "x" * 900 + ".csv"}),))
    )["parameters"]
    assert parameter["raw"] == {"$.k": "x" * 900 + ".csv"}


def test_everything_else_in_the_json_is_the_decisions_own_document() -> None:
    decision = Decision("e", "o", "start", parameters=(resolved("x", {}),))
    assert decision_document(decision).keys() == decision.to_document().keys()
    without = decision.to_document() | {"parameters": []}
    assert decision_document(decision) | {"parameters": []} == without
