"""A trigger file that was written reads as the same triggers, and like one that somebody has written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline_triggers.documents import load, nodes
from pipeline_triggers.documents.drafts import Notes, Place
from pipeline_triggers.documents.writing import WIDTH, scalar, trigger_file
from pipeline_triggers.domain.triggers import Trigger
from tests.architecture.modules import ROOT

# YAML has no lone surrogates, and its reader refuses most control characters that are not escaped.
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = st.one_of(st.booleans(), st.integers(-(10**6), 10**6), TEXT)
HARD = (
    *(
        "",
        " ",
        "null",
        "~",
        "NO",
        "012",
        "0x1F",
        "1.10",
        "1e3",
        ".5",
        "true",
        ".inf",
        "+1",
        "0o7",
        "2030-01-01",
        "9" * 500,
    ),
    *(
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "- a",
        "-",
        "? a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "[a]",
        "{a}",
        "a, b",
        "a]",
    ),
    *("'a'", '"a"', "a\nb", "a\tb", "\u2028", "\x7f", "é", "\U0001f600", "<<", "a ", " a", "---", "...", "=", "|", ">"),
    *("$.detail['a']", "s3://<$.a | stem>/x", "cron(0 6 ? * MON *)", "a\\b", "<$.time | date>", "a\\", "\\<$.a>"),
)


def read(text: str) -> Any:
    return Notes("").plain(nodes.read(text), Place("", 0))


@given(TEXT)
@settings(max_examples=100)
@example("a\x85b")
def test_any_text_is_written_so_that_it_reads_the_same(text: str) -> None:
    for document in (f"key: {scalar(text)}\n", f"key: [{scalar(text)}, x]\n", f"{{{scalar(text)}: x}}\n"):
        found = read(document)
        assert found == {text: "x"} or found["key"] in (text, [text, "x"])


@pytest.mark.parametrize("text", HARD)
def test_a_text_that_yaml_would_read_otherwise_reads_the_same(text: str) -> None:
    assert read(f"key: {scalar(text)}") == {"key": text}
    assert read(f"key: {{{scalar(text)}: [{scalar(text)}]}}") == {"key": {text: [text]}}


@pytest.mark.parametrize(
    "text",
    [
        *("churn-train", "Object Created", "ml.m5.xlarge", "in/*.csv", "a|b", "Europe/Berlin", "cron(0 6 ? * MON *)"),
        *("$.detail.object.key", "s3://<$.detail.bucket.name>/<$.detail.object.key>", "2030-01-31T08:00:00+00:00"),
    ],
)
def test_plain_texts_have_no_quotes(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(("value", "written"), [(1, "1"), (True, "true"), (None, "null"), (1.5, "1.5"), ("1", '"1"')])
def test_values_are_written_by_their_type(value: object, written: str) -> None:
    assert scalar(value) == written


def demo() -> tuple[Trigger, ...]:
    return load((ROOT / "triggers.yaml").read_text(encoding="utf-8")).triggers


def test_the_demos_triggers_are_written_so_that_they_read_the_same() -> None:
    text = trigger_file("demo", [(trigger, ()) for trigger in demo()])
    assert load(text).triggers == demo()
    assert max(map(len, text.splitlines())) <= WIDTH


def test_what_a_reader_takes_for_granted_is_left_out() -> None:
    trigger = Trigger.from_document(
        {
            "name": "retrain",
            "set": "churn",
            "state": "ENABLED",
            "event_pattern": {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}}},
            "targets": [{"pipeline": "churn-train", "id": "churn-train", "parameters": {"Key": "$.detail.object.key"}}],
        }
    )
    assert trigger_file("churn", [(trigger, ["Retrains.", "- why"])], ["About this file."]) == (
        "# About this file.\n"
        "version: 1\n"
        "set: churn\n"
        "triggers:\n"
        "\n"
        "  # Retrains.\n"
        "  # - why\n"
        "  - name: retrain\n"
        "    event_pattern:\n"
        "      source: [aws.s3]\n"
        "      detail:\n"
        "        bucket:\n"
        "          name: [raw]\n"
        "    targets:\n"
        "      - pipeline: churn-train\n"
        "        parameters:\n"
        "          Key: $.detail.object.key\n"
    )


def test_a_long_list_is_written_an_entry_a_line() -> None:
    names = [f"bucket-number-{number}" for number in range(20)]
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [*names, {"prefix": "x-"}]}}}
    trigger = Trigger.from_document({"name": "a", "event_pattern": pattern, "targets": [{"pipeline": "p"}]}, set="s")
    text = trigger_file("s", [(trigger, ())])
    assert "            - bucket-number-7\n" in text
    assert "            - prefix: x-\n" in text
    assert load(text).triggers == (trigger,)


def test_a_comment_cannot_end_its_line() -> None:
    text = trigger_file("s", [], ["one\ntriggers: [x]", "\x1b[31m " + "long " * 60])
    assert load(text).triggers == ()
    assert all(line.startswith("#") and len(line) <= WIDTH for line in text.splitlines()[:-3])
    assert "\\x1b" in text


def test_no_triggers_are_a_file_without_triggers() -> None:
    assert load(trigger_file("s", [])).triggers == ()


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_-]{1,10}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        max_size=4,
    ),
    st.dictionaries(
        TEXT.filter(lambda key: "." not in key and key not in ("", "$or")),
        st.lists(VALUES, min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
)
@settings(max_examples=40)
def test_any_trigger_is_written_so_that_it_reads_the_same(parameters: dict[str, str], pattern: dict[str, Any]) -> None:
    literal = {name: {"literal": value} for name, value in parameters.items()}
    trigger = Trigger.from_document(
        {
            "name": "NO",
            "description": "a: b # c",
            "tags": {"a b": "012"},
            "event_pattern": {"detail": pattern},
            "targets": [{"pipeline": "p", "parameters": literal}],
        },
        set="s",
    )
    assert load(trigger_file("s", [(trigger, ())])).triggers == (trigger,)
