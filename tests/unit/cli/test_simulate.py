"""The commands that try events: simulate and match."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.cli.settings import ExitCode
from pipeline_triggers.cli.simulate import exit_code_of
from pipeline_triggers.domain.decisions import Decision
from tests.samples import triggers_on_events
from tests.unit.cli.conftest import ROOT

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

DEMO = ["--triggers", str(ROOT / "triggers.yaml")]


def event_file(name: str) -> str:
    return str(ROOT / "events" / f"{name}.json")


def custom(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "events" / "custom-event.json").read_text(encoding="utf-8"))
    return document | changes


def outcomes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(decision["trigger"], decision["outcome"]) for decision in document["result"]]


# simulate


@pytest.mark.parametrize(
    ("event", "trigger"),
    [
        ("s3-object-created", "retrain-on-upload"),
        ("s3-notification", "retrain-on-upload"),
        ("sqs-eventbridge-s3", "retrain-on-upload"),
        ("sns-json", "score-on-sns-request"),
        ("sqs-sns-json", "score-on-sns-request"),
        ("endpoint-status-in-service", "evaluate-when-endpoint-in-service"),
        ("training-job-completed", "evaluate-after-training"),
        ("model-package-approved", "deploy-approved-model"),
        ("alarm-drift", "retrain-on-drift"),
        ("custom-event", "refresh-on-feature-table"),
    ],
)
def test_the_demos_triggers_react_to_the_sample_events(command_line: CommandLine, event: str, trigger: str) -> None:
    document = command_line.json("simulate", event_file(event), *DEMO)
    assert document["exit_code"] == 0
    assert [name for name, outcome in outcomes(document) if outcome == "start"] == [trigger]


def test_an_upload_shows_static_dynamic_template_and_default_parameters(command_line: CommandLine) -> None:
    document = command_line.json("simulate", event_file("s3-object-created"), *DEMO)
    first = document["result"][0]
    assert [(p["name"], p["origin"], p["value"]) for p in first["parameters"]] == [
        ("InstanceType", "static", "ml.m5.xlarge"),
        ("InputKey", "dynamic", "in/2026/churn rows+v1.csv"),
        ("InputUri", "template", "s3://raw-data/in/2026/churn rows+v1.csv"),
        ("MaxRows", "default", "100000"),
    ]
    assert first["pipeline_arn"] == "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
    assert first["request"]["token"] == first["token"]
    assert outcomes(document)[1] == ("score-each-upload", "shadow")


def test_an_integer_is_sent_as_its_digits_and_a_null_note_is_left_out(command_line: CommandLine) -> None:
    (decision,) = command_line.json("simulate", event_file("custom-event"), *DEMO)["result"]
    sent = {parameter["name"]: parameter["value"] for parameter in decision["parameters"]}
    assert sent == {
        "Table": "customer_features",
        "Rows": "120000",
        "Partition": "dt=2026-03-01",
        "Note": None,
        "Discount": "$.99",
    }


def test_the_text_shows_what_would_start_and_the_verdict_of_each_parameter(command_line: CommandLine) -> None:
    result = command_line.run("simulate", event_file("custom-event"), *DEMO)
    assert "would start  refresh-on-feature-table → churn-features" in result.stdout
    assert "Rows       sent\n      from   dynamic  $.detail.rows\n      raw    120000\n" in result.stdout
    assert "Note       left out\n" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_a_missing_parameter_is_told_with_exit_code_5(command_line: CommandLine) -> None:
    result = command_line.run("simulate", event_file("broken-missing-fields"), *DEMO)
    assert result.exit_code == 5
    assert "would go to quarantine" in result.stdout
    assert "missing-parameter" in result.stdout
    (decision,) = command_line.json("simulate", event_file("broken-missing-fields"), *DEMO)["result"]
    assert (decision["outcome"], decision["reason"], decision["request"]) == ("rejected", "missing-parameter", None)


def test_an_event_that_matches_nothing_says_why_for_each_trigger(command_line: CommandLine) -> None:
    document = command_line.json("simulate", event_file("alarm-ok"), *DEMO)
    assert document["exit_code"] == 3
    (decision,) = document["result"]
    assert decision["outcome"] == "unmatched"
    why = {mismatch["trigger"]: mismatch for mismatch in decision["mismatches"]}
    assert why["retrain-on-drift"] == {
        "trigger": "retrain-on-drift",
        "path": "detail.state.value",
        "wanted": '"ALARM"',
        "found": '"OK"',
    }
    assert why["retrain-on-upload"]["path"] == "source"
    shown = command_line.run("simulate", event_file("alarm-ok"), *DEMO).stdout
    assert "matches no trigger" in shown
    assert "detail.state.value" in shown


def test_a_disabled_trigger_starts_nothing(command_line: CommandLine) -> None:
    document = command_line.json("simulate", event_file("s3-object-deleted"), *DEMO)
    assert (document["exit_code"], outcomes(document)) == (3, [("retrain-on-deletion", "disabled")])


def test_what_is_no_event_is_invalid_input_and_the_others_are_decided(command_line: CommandLine) -> None:
    document = command_line.json("simulate", event_file("broken-not-an-event"), event_file("custom-event"), *DEMO)
    assert document["exit_code"] == 2
    first, second = document["result"]
    assert (first["outcome"], first["reason"]) == ("rejected", "malformed-event")
    assert second["outcome"] == "start"


def test_the_same_occurrence_twice_is_a_duplicate(command_line: CommandLine) -> None:
    twice = command_line.file(json.dumps([custom(), custom()]), "twice.json")
    document = command_line.json("simulate", twice, *DEMO)
    assert [outcome for _, outcome in outcomes(document)] == ["start", "duplicate"]
    assert "twice.json[0]" in document["result"][1]["message"]


def test_a_file_may_hold_a_list_or_lines_of_events(command_line: CommandLine) -> None:
    events = [custom(id=f"id-{number}") for number in range(3)]
    listed = command_line.file(json.dumps(events), "list.json")
    lines = command_line.file("\n".join(json.dumps(e) for e in events) + "\n\n", "lines.jsonl")
    expected = [("refresh-on-feature-table", "start")] * 3
    assert outcomes(command_line.json("simulate", listed, *DEMO)) == expected
    assert outcomes(command_line.json("simulate", lines, *DEMO)) == expected


def test_many_events_end_with_a_summary_by_outcome(command_line: CommandLine) -> None:
    result = command_line.run("simulate", event_file("custom-event"), event_file("alarm-ok"), *DEMO)
    tail = result.stdout[result.stdout.index("2 events") :].splitlines()
    assert [line.split() for line in tail if line][:-1] == [
        ["2", "events,", "2", "distinct", "occurrences"],
        ["outcome", "reason", "decisions"],
        ["start", "1"],
        ["unmatched", "1"],
        ["trigger", "start"],
        ["refresh-on-feature-table", "1"],
    ]


def test_events_are_read_from_stdin(command_line: CommandLine) -> None:
    document = command_line.json("simulate", "-", *DEMO, input=json.dumps(custom()))
    assert document["exit_code"] == 0


def test_a_test_event_of_s3_starts_nothing(command_line: CommandLine) -> None:
    result = command_line.run("simulate", event_file("s3-test-event"), *DEMO)
    assert result.exit_code == 3
    assert "No events" in result.stdout


def test_aws_events_inside_sns_count_only_from_trusted_topics(command_line: CommandLine) -> None:
    event = event_file("sns-s3-notification")
    assert command_line.json("simulate", event, *DEMO)["exit_code"] == 3
    topic = json.loads((ROOT / "events" / "sns-s3-notification.json").read_text(encoding="utf-8"))
    arn = topic["Records"][0]["Sns"]["TopicArn"]
    assert command_line.json("simulate", event, *DEMO, "--trusted-topic", arn)["exit_code"] == 0


def test_account_and_region_complete_the_pipelines_arn(command_line: CommandLine) -> None:
    arguments = ["simulate", event_file("custom-event"), *DEMO, "--account", "111122223333", "--region", "cn-north-1"]
    (decision,) = command_line.json(*arguments)["result"]
    assert decision["pipeline_arn"] == "arn:aws-cn:sagemaker:cn-north-1:111122223333:pipeline/churn-features"


def test_from_stack_uses_the_stacks_triggers_home_and_trusted_topics(command_line: CommandLine) -> None:
    command_line.run("apply", command_line.file(triggers_on_events()), "--yes")
    (decision,) = command_line.json("simulate", event_file("custom-event"), "--from-stack")["result"]
    assert decision["revision"] == 1
    assert decision["pipeline_arn"] == "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-features"
    event = json.loads((ROOT / "events" / "sns-s3-notification.json").read_text(encoding="utf-8"))
    command_line.trusted = (event["Records"][0]["Sns"]["TopicArn"],)
    assert command_line.json("simulate", event_file("sns-s3-notification"), "--from-stack")["exit_code"] == 0


def test_triggers_come_from_triggers_yaml_when_nothing_is_said(command_line: CommandLine) -> None:
    assert command_line.run("simulate", event_file("custom-event")).stderr.startswith("triggers.yaml: cannot be read")
    command_line.file((ROOT / "triggers.yaml").read_text(encoding="utf-8"))
    assert command_line.run("simulate", event_file("custom-event")).exit_code == 0


def test_nothing_is_written_and_no_stack_is_asked(command_line: CommandLine) -> None:
    command_line.delivered = AssertionError("asked for the stack")
    command_line.run("simulate", event_file("custom-event"), *DEMO)
    assert command_line.store.calls == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"not json",
        b'{"a": NaN}',
        b"\xff\xff",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"id": 1}\n{broken\n',
    ],
)
@pytest.mark.parametrize("command", ["simulate", "match"])
def test_event_files_that_are_no_json_are_invalid_input(
    command_line: CommandLine,
    command: str,
    content: bytes,
) -> None:
    path = command_line.directory / "event.json"
    path.write_bytes(content)
    result = command_line.run(command, str(path), *DEMO)
    assert result.exit_code == 2
    assert result.stderr.startswith(str(path))
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    ["null", "1", '"text"', "[1, null]", "{}", '{"Records": []}', '{"Records": [null]}'],
)
def test_json_that_is_no_event_is_told_as_malformed(command_line: CommandLine, content: str) -> None:
    document = command_line.json("simulate", command_line.file(content, "event.json"), *DEMO)
    assert document["exit_code"] == 2
    assert {decision["reason"] for decision in document["result"]} == {"malformed-event"}


def test_a_broken_line_is_told_with_its_number(command_line: CommandLine) -> None:
    file = command_line.file(f"{json.dumps(custom())}\n\n{{broken\n", "events.jsonl")
    (problem,) = command_line.json("simulate", file, *DEMO)["problems"]
    assert (problem["file"], problem["line"]) == (file, 3)


@pytest.mark.parametrize("account", ["123", "12345678901a", "\u0661" * 12, ""])
def test_an_account_has_12_digits(command_line: CommandLine, account: str) -> None:
    document = command_line.json("simulate", event_file("custom-event"), *DEMO, "--account", account)
    assert (document["exit_code"], document["problems"][0]["field"]) == (2, "--account")


def test_values_from_events_reach_the_terminal_neither_as_markup_nor_as_control_characters(
    command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    hostile = custom(detail={"table": "\x1b[2J[red]x[/red]", "rows": 1, "partition": {"date": "\u202e"}})
    result = command_line.run("simulate", command_line.file(json.dumps(hostile), "e.json"), *DEMO)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[red]x[/red]" in result.stdout


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (Decision("e", "", "start", "t"), ExitCode.DONE),
        (Decision("e", "", "started", "t"), ExitCode.DONE),
        (Decision("e", "", "shadow", "t"), ExitCode.DONE),
        (Decision("e", "", "shadow", "t", reason="missing-parameter"), ExitCode.REFUSED),
        (Decision("e", "", "disabled", "t"), ExitCode.UNMATCHED),
        (Decision("e", "", "unmatched"), ExitCode.UNMATCHED),
        (Decision("e", "", "duplicate", "t"), ExitCode.DUPLICATE),
        (Decision("e", "", "rejected", reason="malformed-event"), ExitCode.INVALID),
        (Decision("e", "", "rejected", reason="too-deep"), ExitCode.INVALID),
        (Decision("e", "", "rejected", "t", reason="value-too-long"), ExitCode.REFUSED),
        (Decision("e", "", "rejected", "t", reason="malformed-event"), ExitCode.REFUSED),
        (Decision("e", "", "rejected", "t", reason="no-occurrence-key"), ExitCode.FAILED),
        (Decision("e", "", "retry", "t", reason="throttled"), ExitCode.FAILED),
    ],
)
def test_each_outcome_has_its_exit_code(decision: Decision, code: ExitCode) -> None:
    assert exit_code_of(decision) == code


# match


def test_match_says_yes_with_exit_code_0(command_line: CommandLine) -> None:
    pattern = '{"source": ["com.example.features"]}'
    document = command_line.json("match", event_file("custom-event"), "--event-pattern", pattern)
    assert document["exit_code"] == 0
    assert document["result"] == [{"event_id": custom()["id"], "trigger": "", "matches": True, "mismatch": None}]


def test_match_says_no_with_the_first_clause_that_failed(command_line: CommandLine) -> None:
    pattern = '{"source": ["com.example.features"], "detail": {"rows": [{"numeric": [">", 1000000]}]}}'
    document = command_line.json("match", event_file("custom-event"), "--event-pattern", pattern)
    assert document["exit_code"] == 3
    (verdict,) = document["result"]
    assert (verdict["matches"], verdict["mismatch"]["path"], verdict["mismatch"]["found"]) == (
        False,
        "detail.rows",
        "120000",
    )
    shown = command_line.run("match", event_file("custom-event"), "--event-pattern", pattern)
    assert "detail.rows" in shown.stdout


def test_match_against_triggers_names_those_that_match(command_line: CommandLine) -> None:
    document = command_line.json("match", event_file("alarm-drift"), *DEMO)
    assert document["exit_code"] == 0
    assert [v["trigger"] for v in document["result"] if v["matches"]] == ["retrain-on-drift"]
    assert "matches retrain-on-drift" in command_line.run("match", event_file("alarm-drift"), *DEMO).stdout


@pytest.mark.parametrize("pattern", ["{", "{}", "[]", '{"source": "x"}', '{"source": [{"no-such": 1}]}', "@none.json"])
def test_match_refuses_a_bad_pattern(command_line: CommandLine, pattern: str) -> None:
    document = command_line.json("match", event_file("custom-event"), "--event-pattern", pattern)
    assert (document["exit_code"], document["result"]) == (2, None)


def test_match_refuses_what_is_no_event(command_line: CommandLine) -> None:
    result = command_line.run("match", event_file("broken-not-an-event"), *DEMO)
    assert result.exit_code == 2
    assert event_file("broken-not-an-event") in result.stderr
