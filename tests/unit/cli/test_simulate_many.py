"""simulate with many events: the summary, the examples, and files of lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cli import inputs
from tests.unit.cli.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.unit.cli.conftest import CommandLine

DEMO = ["--triggers", str(ROOT / "triggers.yaml")]
CUSTOM: dict[str, Any] = json.loads((ROOT / "events" / "custom-event.json").read_text(encoding="utf-8"))


def events(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [CUSTOM | {"id": f"id-{number}"} | changes for number in range(count)]


def lines(command_line: CommandLine, documents: Iterable[Any], name: str = "events.jsonl") -> str:
    return command_line.file("".join(json.dumps(document) + "\n" for document in documents), name)


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the table whose first heading is given, without its headings."""
    found = text[text.index(f"  {heading} ") :].split("\n\n", maxsplit=1)[0].splitlines()[1:]
    return [row.split() for row in found if row.startswith("  ")]


def test_the_summary_counts_outcomes_reasons_triggers_and_occurrences(command_line: CommandLine) -> None:
    documents = [*events(30), *events(5), *events(3, id="lost", detail={}), *events(2, source="other"), {"a": 1}]
    result = command_line.run("simulate", lines(command_line, documents), *DEMO)
    assert result.exit_code == 2
    assert result.stdout.startswith("41 events, 33 distinct occurrences\n")
    assert table(result.stdout, "outcome") == [
        ["start", "30"],
        ["duplicate", "5"],
        ["rejected", "missing-parameter", "3"],
        ["unmatched", "2"],
        ["rejected", "malformed-event", "1"],
    ]
    assert "trigger                   start  duplicate  rejected\n" in result.stdout
    assert table(result.stdout, "trigger")[0] == ["refresh-on-feature-table", "30", "5", "3"]


def test_of_more_than_20_events_only_the_first_of_each_kind_of_refusal_is_shown(command_line: CommandLine) -> None:
    documents = [*events(25), *events(3, id="lost", detail={}), {"a": 1}, {"b": 1}]
    file = lines(command_line, documents)
    text = command_line.run("simulate", file, *DEMO).stdout
    assert "The first refusal of each kind" in text
    unfolded = text.replace("\n", "")
    assert [number for number in range(1, 31) if f"{file}:{number} " in unfolded] == [26, 29]
    assert text.count("missing-parameter") == 1 + 3
    assert "would start" not in text


@pytest.mark.parametrize(("count", "is_shown"), [(20, True), (21, False)])
def test_up_to_20_events_are_shown_one_by_one(command_line: CommandLine, count: int, is_shown: bool) -> None:
    text = command_line.run("simulate", lines(command_line, events(count)), *DEMO).stdout
    assert text.count("would start") == (count if is_shown else 0)
    assert f"{count} events, {count} distinct occurrences" in text


@pytest.mark.parametrize("option", ["-v", "--verbose"])
def test_verbose_shows_every_event_and_then_the_summary(command_line: CommandLine, option: str) -> None:
    documents = [*events(25), *events(1, id="lost", detail={})]
    text = command_line.run("simulate", lines(command_line, documents), *DEMO, option).stdout
    assert text.count("would start") == 25
    assert text.index("26 events") > text.rindex("would go to quarantine")
    assert "The first refusal" not in text


def test_the_json_has_every_decision_and_its_place(command_line: CommandLine) -> None:
    file = lines(command_line, events(25))
    result = command_line.json("simulate", file, *DEMO, "-v")["result"]
    assert [decision["place"] for decision in result] == [f"{file}:{number}" for number in range(1, 26)]


def test_the_keys_of_the_json_do_not_change(command_line: CommandLine) -> None:
    documents = [*events(1), *events(1, source="other")]
    started, unmatched = command_line.json("simulate", lines(command_line, documents), *DEMO)["result"]
    assert list(started) == [
        "event_id",
        "occurrence",
        "outcome",
        "trigger",
        "target",
        "pipeline_arn",
        "reason",
        "message",
        "parameters",
        "request",
        "token",
        "execution_arn",
        "revision",
        "at",
        "place",
    ]
    assert list(unmatched) == [*started, "mismatches"]
    keys = ["name", "origin", "expression", "raw", "value", "verdict", "reason", "message"]
    assert [list(parameter) for parameter in started["parameters"]] == [keys] * 5


def test_many_triggers_are_listed_up_to_20_by_how_much_they_do(command_line: CommandLine) -> None:
    triggers = [
        {"name": f"t{number}", "event_pattern": {"source": [f"s{number}"]}, "targets": [{"pipeline": "p"}]}
        for number in range(25)
    ]
    documents = [e for number in range(25) for e in events(1 if number < 24 else 2, source=f"s{number}")]
    file = command_line.file(json.dumps({"version": 1, "triggers": triggers}), "many.yaml")
    text = command_line.run("simulate", lines(command_line, documents), "--triggers", file).stdout
    rows = table(text, "trigger")
    assert rows[0] == ["t24", "2"]
    assert len([row for row in rows if row[0].startswith("t")]) == 20
    assert "and 5 more triggers" in text


def test_kinds_of_refusal_beyond_20_are_counted(command_line: CommandLine) -> None:
    triggers = [
        {
            "name": f"t{number}",
            "event_pattern": {"source": [f"s{number}"]},
            "targets": [{"pipeline": "p", "parameters": {"A": "$.detail.no"}}],
        }
        for number in range(23)
    ]
    file = command_line.file(json.dumps({"version": 1, "triggers": triggers}), "many.yaml")
    documents = [e for number in range(23) for e in events(1, source=f"s{number}")]
    text = command_line.run("simulate", lines(command_line, documents), "--triggers", file).stdout
    assert text.count("would go to quarantine") == 20
    assert "and 3 more kinds of refusal" in text


def test_a_summary_of_long_names_fits_80_columns(command_line: CommandLine) -> None:
    triggers = [{"name": "t" * 64, "event_pattern": {"source": ["a"]}, "targets": [{"pipeline": "p" * 200}]}]
    file = command_line.file(json.dumps({"version": 1, "triggers": triggers}), "many.yaml")
    documents = [*events(30, source="a"), *events(3, source="a")]
    text = command_line.run("simulate", lines(command_line, documents), "--triggers", file).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "duplicate" in text


# files


def test_a_line_that_is_no_json_is_a_problem_and_the_others_are_decided(command_line: CommandLine) -> None:
    good = [json.dumps(event) for event in events(3)]
    file = command_line.file("\n".join([good[0], "{broken", "", good[1], '{"a": NaN}', good[2], "[" * 100_000]), "e")
    document = command_line.json("simulate", file, *DEMO)
    assert document["exit_code"] == 2
    assert [(problem["file"], problem["line"]) for problem in document["problems"]] == [(file, 2), (file, 5), (file, 7)]
    assert [decision["place"] for decision in document["result"]] == [f"{file}:1", f"{file}:4", f"{file}:6"]


def test_a_line_that_is_not_utf_8_is_a_problem(command_line: CommandLine) -> None:
    path = command_line.directory / "events.jsonl"
    path.write_bytes(json.dumps(CUSTOM).encode() + b"\n\xff\xfe\n" + json.dumps(CUSTOM).encode())
    document = command_line.json("simulate", str(path), *DEMO)
    (problem,) = document["problems"]
    assert (problem["line"], problem["reason"]) == (2, "is not UTF-8 (byte 1)")
    assert len(document["result"]) == 2


def test_of_many_broken_lines_20_are_told_and_the_others_counted(command_line: CommandLine) -> None:
    file = command_line.file(json.dumps(CUSTOM) + "\n" + "{broken\n" * 50, "events.jsonl")
    result = command_line.run("simulate", file, *DEMO)
    assert result.stderr.count("is not JSON") == 20
    assert result.stderr.endswith("\n30 more lines are not JSON\n")
    assert result.exit_code == 2


@pytest.mark.parametrize("content", ["", "\n \t\r\n"])
def test_an_empty_file_is_told_as_such(command_line: CommandLine, content: str) -> None:
    file = command_line.file(content, "empty.json")
    result = command_line.run("simulate", file, *DEMO)
    assert (result.exit_code, result.stderr) == (2, f"{file}: is empty. It should hold events as JSON\n")


def test_an_empty_list_has_no_events(command_line: CommandLine) -> None:
    result = command_line.run("simulate", command_line.file("[]", "none.json"), *DEMO)
    assert result.exit_code == 3
    assert result.stdout.startswith("No events")


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n", " \n\t\n"])
def test_lines_may_end_in_every_way(command_line: CommandLine, separator: str) -> None:
    path = command_line.directory / "events.jsonl"
    path.write_bytes(separator.join(map(json.dumps, events(3))).encode())
    assert len(command_line.json("simulate", str(path), *DEMO)["result"]) == 3


def test_unicode_line_separators_inside_a_text_do_not_end_a_line(command_line: CommandLine) -> None:
    documents = [event | {"detail": CUSTOM["detail"] | {"table": "a\u2028b\x85ü"}} for event in events(2)]
    text = "\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    result = command_line.json("simulate", command_line.file(text, "events.jsonl"), *DEMO)["result"]
    assert [decision["parameters"][0]["value"] for decision in result] == ["a\u2028b\x85ü"] * 2


@pytest.mark.parametrize("before", ["", "\n\n"])
def test_a_document_over_many_lines_is_one_document_and_errors_have_their_line(
    command_line: CommandLine, before: str
) -> None:
    text = json.dumps(CUSTOM, indent=2).replace("{\n", "{\n\n", 1)
    assert command_line.json("simulate", command_line.file(before + text, "e.json"), *DEMO)["exit_code"] == 0
    broken = command_line.file(before + text.replace('"id":', '"id"'), "e.json")
    (problem,) = command_line.json("simulate", broken, *DEMO)["problems"]
    assert problem["line"] == before.count("\n") + 1 + text.splitlines().index(f'  "id": "{CUSTOM["id"]}",')


def test_a_byte_order_mark_is_passed_over(command_line: CommandLine) -> None:
    path = command_line.directory / "events.jsonl"
    for documents in (events(1), events(2)):
        path.write_bytes(b"\xef\xbb\xbf" + "\n".join(map(json.dumps, documents)).encode())
        assert len(command_line.json("simulate", str(path), *DEMO)["result"]) == len(documents)


def test_lines_are_read_only_as_they_are_needed(command_line: CommandLine) -> None:
    file = lines(command_line, [{"a": 1}] * 3)
    payloads = inputs.payloads(file)
    assert next(payloads) == inputs.Payload(f"{file}:1", {"a": 1})
    (command_line.directory / "events.jsonl").unlink()
    assert len(list(payloads)) == 2


def test_match_stops_at_a_broken_line(command_line: CommandLine) -> None:
    file = command_line.file(json.dumps(CUSTOM) + "\n{broken\n", "events.jsonl")
    document = command_line.json("match", file, *DEMO)
    assert (document["exit_code"], document["result"], document["problems"][0]["line"]) == (2, None, 2)
