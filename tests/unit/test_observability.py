"""Log lines and metrics of decisions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers import observability
from pipeline_triggers.domain.contracts import BrokenContract
from pipeline_triggers.domain.decisions import Decision
from pipeline_triggers.domain.orphans import Failed, Kept, Report
from pipeline_triggers.domain.parameters import Resolved
from pipeline_triggers.errors import MalformedEventError, Problem, TransientError
from pipeline_triggers.observability import count_events, logger, metrics, report, report_cleanup
from tests.fakes.clock import NOON
from tests.samples import rejected, start

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTED = replace(start(), outcome="started", execution_arn="arn:execution", at=NOON)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the logger writes."""
    stream = io.StringIO()
    handler: Any = logger.handlers[0]
    before, level = handler.stream, logger.log_level
    handler.stream = stream
    logger.setLevel("INFO")
    yield stream
    handler.stream = before
    logger.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def counted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The metrics that were printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_decision_is_one_line_with_who_what_and_why(log: io.StringIO) -> None:
    report(STARTED, message_id="m-1", sent_at=None)
    [line] = lines(log)
    assert line["level"] == "INFO"
    assert {
        "outcome": "started",
        "trigger": "on-upload",
        "target": "churn-train",
        "source": "aws.s3",
        "event_id": "event-1",
        "token": STARTED.token,
        "occurrence": STARTED.occurrence,
        "execution_arn": "arn:execution",
        "revision": 7,
        "message_id": "m-1",
    }.items() <= line.items()


def test_what_did_not_start_is_a_warning_with_reason_and_detail(log: io.StringIO) -> None:
    report(rejected(), message_id="m-1", sent_at=None)
    report(replace(start(), outcome="retry", reason="throttled", message="Rate exceeded"), message_id="m", sent_at=None)
    first, second = lines(log)
    assert (first["level"], first["reason"], first["detail"]) == (
        "WARNING",
        "missing-parameter",
        "the path finds nothing",
    )
    assert (second["level"], second["reason"], second["detail"]) == ("WARNING", "throttled", "Rate exceeded")


def test_no_parameter_values_are_logged_above_debug(log: io.StringIO) -> None:
    secret = start(parameters={"Password": "hunter2"})
    report(replace(secret, outcome="started"), message_id="m-1", sent_at=None)
    refused = replace(secret, outcome="rejected", reason="wrong-type", message="'hunter2' is no Integer")
    report(refused, message_id="m-1", sent_at=None)
    assert "hunter2" not in log.getvalue()


def test_a_refusal_names_the_parameter_and_the_path_that_made_the_value_and_not_the_value(log: io.StringIO) -> None:
    parameters = (
        Resolved("Key", "dynamic", "$.detail.key", "in/1.csv", "in/1.csv"),
        Resolved(
            "Unknown", "static", "hunter1", None, "hunter1", "unknown-parameter", "the pipeline does not declare it"
        ),
        Resolved("Rows", "dynamic", "$.detail.rows", "hunter2", "hunter2", "wrong-type", "'hunter2' is no Integer"),
    )
    message = "parameter Unknown: …; parameter Rows: 'hunter2' is no Integer"
    report(replace(rejected("unknown-parameter"), parameters=parameters, message=message), message_id="m", sent_at=None)
    [line] = lines(log)
    assert (line["trigger"], line["target"], line["reason"]) == ("on-upload", "churn-train", "unknown-parameter")
    assert line["refused"] == {"Unknown": "", "Rows": "$.detail.rows"}
    assert "hunter" not in log.getvalue()


def test_many_long_expressions_that_were_refused_are_cut(log: io.StringIO) -> None:
    parameters = tuple(Resolved(f"P{n}", "template", "x" * 4000, reason="constraint") for n in range(200))
    report(replace(rejected("constraint"), parameters=parameters), message_id="m", sent_at=None)
    assert len(log.getvalue()) < 25_000


def test_debug_shows_the_decision_in_full(log: io.StringIO) -> None:
    logger.setLevel("DEBUG")
    report(replace(start(parameters={"Name": "value-1"}), outcome="started"), message_id="m-1", sent_at=None)
    assert lines(log)[1]["decision"]["request"]["parameters"] == {"Name": "value-1"}


@pytest.mark.parametrize("hostile", ['\n{"level":"ERROR"}', "\r\x1b[31m\x00", "\u2028\x85\u2029", "\ud800", '"}'])
def test_hostile_text_stays_inside_its_line(log: io.StringIO, hostile: str) -> None:
    report(replace(STARTED, event_id=hostile), message_id="m-1", sent_at=None)
    assert log.getvalue().count("\n") == 1
    assert log.getvalue().strip().isascii()
    assert lines(log)[0]["event_id"] == hostile


def test_long_ids_are_cut(log: io.StringIO) -> None:
    report(replace(STARTED, event_id="x" * 100_000), message_id="m-1", sent_at=None)
    assert len(log.getvalue()) < 5000


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("started", "Started"),
        ("duplicate", "Duplicate"),
        ("retry", "Retried"),
        ("rejected", "Quarantined"),
        ("unmatched", "Unmatched"),
    ],
)
def test_an_outcome_is_counted_in_all_and_by_source_and_outcome(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], outcome: Any, name: str
) -> None:
    report(replace(start(), outcome=outcome), message_id="m-1", sent_at=None)
    [metric] = counted(capsys)
    [declared] = metric["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "PipelineTriggers"
    assert declared["Dimensions"] == [[], ["source", "outcome"]]
    assert declared["Metrics"] == [{"Name": name, "Unit": "Count"}]
    assert (metric["source"], metric["outcome"], metric[name]) == ("aws.s3", outcome, [1.0])


@pytest.mark.parametrize("outcome", ["shadow", "disabled", "start"])
def test_what_is_only_recorded_is_not_counted(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], outcome: Any
) -> None:
    report(replace(start(), outcome=outcome), message_id="m-1", sent_at=None)
    assert counted(capsys) == []
    assert len(lines(log)) == 1


@pytest.mark.parametrize(("seconds", "milliseconds"), [(2.5, 2500.0), (-1, 0.0)])
def test_the_way_from_event_to_start_is_measured(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], seconds: float, milliseconds: float
) -> None:
    report(STARTED, message_id="m-1", sent_at=NOON - timedelta(seconds=seconds))
    [metric] = counted(capsys)
    assert metric["EventToStartLatency"] == [milliseconds]


def test_a_duplicate_or_a_bare_event_has_no_latency(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    report(STARTED, message_id="m-1", sent_at=None)
    report(replace(STARTED, outcome="duplicate"), message_id="m-1", sent_at=NOON)
    assert not any("EventToStartLatency" in metric for metric in counted(capsys))


def test_events_are_counted_once_however_many_targets_they_have(capsys: pytest.CaptureFixture[str]) -> None:
    count_events([STARTED, replace(STARTED, target="other"), replace(STARTED, event_id="event-2")])
    metrics_seen = counted(capsys)
    assert [metric["EventsReceived"] for metric in metrics_seen] == [[1.0], [1.0]]
    assert metrics_seen[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["source"]]


@pytest.mark.parametrize("occurrence", ["", "not json", "[]", "{}", "[1]", '[" "]', '["\\n"]', "7", "null"])
def test_an_event_without_a_readable_source_is_counted_as_unknown_or_escaped(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], occurrence: str
) -> None:
    report(Decision("e", occurrence, "rejected", reason="malformed-event"), message_id="m-1", sent_at=None)
    [metric] = counted(capsys)
    assert metric["source"] in ("unknown", "other")


@pytest.mark.parametrize(
    ("source", "trigger", "dimension"),
    [
        ("com.example.features", "", "other"),
        ("com.example.features", "on-features", "com.example.features"),
        ("aws.s3", "", "aws.s3"),
        ("aws", "", "other"),
    ],
)
def test_a_source_that_no_trigger_wants_is_no_dimension_of_its_own_unless_it_is_aws_own(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], source: str, trigger: str, dimension: str
) -> None:
    unmatched = Decision("e", json.dumps([source, "Any"]), "unmatched", trigger=trigger)
    report(unmatched, message_id="m-1", sent_at=None)
    count_events([unmatched])
    assert {metric["source"] for metric in counted(capsys)} == {dimension}
    assert lines(log)[0]["source"] == source


def test_a_function_that_counted_nothing_prints_nothing_and_warns_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    @metrics.log_metrics
    def handler(event: dict[str, Any], context: object) -> str:
        return "done"

    assert handler({}, object()) == "done"
    assert capsys.readouterr().out == ""


def test_the_name_of_the_service_is_no_dimension(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "from pipeline_triggers.observability import report\n"
        "from pipeline_triggers.domain.decisions import Decision\n"
        "report(Decision('e', '', 'started'), message_id='m', sent_at=None)\n"
    )
    layer = str(observability.__file__).rsplit("/", 2)[0]
    environment = {"POWERTOOLS_SERVICE_NAME": "s3-event", "PYTHONPATH": layer}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    line, metric = map(json.loads, printed.stdout.splitlines())
    assert line["service"] == "s3-event"
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["source", "outcome"]]
    assert "service" not in metric


CLEANED = Report(
    deleted=("arn:a", "arn:b"),
    kept=(Kept("arn:c", "pipeline-exists"), Kept("arn:d", "too-young")),
    failed=(Failed("arn:e", TransientError("throttled", "Rate exceeded")),),
)


def test_a_clean_up_is_a_line_for_each_schedule_that_was_not_simply_kept_and_one_for_all(log: io.StringIO) -> None:
    report_cleanup(CLEANED, message_id="m-1")
    *each, total = lines(log)
    told = [(line["level"], line["outcome"], line["arn"], line.get("reason", "")) for line in each]
    assert told == [
        ("INFO", "deleted", "arn:a", ""),
        ("INFO", "deleted", "arn:b", ""),
        ("INFO", "kept", "arn:d", "too-young"),
        ("WARNING", "failed", "arn:e", "throttled"),
    ]
    assert each[-1]["detail"] == "Rate exceeded"
    assert (total["message"], total["deleted"], total["failed"]) == ("cleanup done", 2, 1)
    assert total["kept"] == {"pipeline-exists": 1, "too-young": 1}
    assert {line["message_id"] for line in [*each, total]} == {"m-1"}


def test_a_clean_up_is_counted_without_dimensions(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    report_cleanup(CLEANED, message_id="m-1")
    [metric] = counted(capsys)
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]
    counts = {name: metric[name] for name in metric if name[0].isupper()}
    assert counts == {"SchedulesDeleted": [2], "SchedulesKept": [2], "CleanupFailures": [1]}


def test_a_clean_up_that_finds_nothing_counts_nothing(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    report_cleanup(Report(), message_id="m-1")
    assert counted(capsys) == []
    assert [line["message"] for line in lines(log)] == ["cleanup done"]


def test_too_much_to_delete_is_an_error_and_counted(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    report_cleanup(Report(kept=(Kept("arn:a", "delete-cap"), Kept("arn:b", "delete-cap"))), message_id="m-1")
    [error] = [line for line in lines(log) if line["level"] == "ERROR"]
    assert (error["schedules"], "MaxDeletes" in error["message"]) == (2, True)
    assert counted(capsys)[0]["CleanupCapped"] == [1]


def test_what_stays_and_is_not_named_is_counted(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(kept=(Kept("arn:a", "pipeline-exists"),), unlisted={"pipeline-exists": 41}, looked_at=50)
    report_cleanup(report, message_id="m-1")
    [total] = lines(log)
    assert (total["kept"], total["looked_at"]) == ({"pipeline-exists": 42}, 50)
    assert counted(capsys)[0]["SchedulesKept"] == [42]


def test_pipelines_whose_triggers_are_orphaned_or_revived_are_named(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    report_cleanup(Report(orphaned=("arn:a",), revived=("arn:b",), unfinished=True), message_id="m-1")
    told = [(line["message"], line.get("outcome"), line.get("arn")) for line in lines(log)]
    assert told == [
        ("cleanup", "orphaned", "arn:a"),
        ("cleanup", "revived", "arn:b"),
        ("cleanup goes on", None, None),
    ]


def test_contracts_that_are_broken_are_warnings_and_counted_and_quote_no_value(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem("targets[0].parameters.Rows", "'hunter2' is no Integer", "Send another")
    broken = BrokenContract("churn-train", "on-upload", "train", (problem,))
    report_cleanup(Report(broken=(broken, broken), mended=("arn:b",)), message_id="m-1")
    first, _, mended, total = lines(log)
    assert {key: first[key] for key in ("level", "message", "outcome", "trigger", "target", "arn", "refused")} == {
        "level": "WARNING",
        "message": "contract",
        "outcome": "broken",
        "trigger": "on-upload",
        "target": "train",
        "arn": "churn-train",
        "refused": ["targets[0].parameters.Rows"],
    }
    assert (mended["message"], mended["outcome"], mended["arn"]) == ("contract", "mended", "arn:b")
    assert total["message"] == "cleanup done"
    assert "hunter2" not in log.getvalue()
    [metric] = counted(capsys)
    assert metric["ContractsBroken"] == [2]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_a_pipeline_that_no_trigger_starts_is_not_worth_a_line(log: io.StringIO) -> None:
    report_cleanup(Report(kept=(Kept("arn:a", "no-trigger"),)), message_id="m-1")
    assert [line["message"] for line in lines(log)] == ["cleanup done"]


def test_a_message_that_goes_to_quarantine_is_counted_and_not_quoted(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    report_cleanup(Report(failed=(Failed("", MalformedEventError("an object with hunter2")),)), message_id="m-1")
    assert counted(capsys)[0]["Quarantined"] == [1]
    assert "hunter2" not in log.getvalue()
