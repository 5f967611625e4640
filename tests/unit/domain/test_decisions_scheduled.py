"""decide, for the events of this application's own schedules: who may send them, and the window that they bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.decisions import Decision, decide
from pipeline_triggers.domain.events import Event, Via
from pipeline_triggers.domain.executions import Home, PipelineRef
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.sources.envelopes import read, via_of_record

HOME = Home("aws", "123456789012", "us-east-1")
SAMPLE = json.loads((Path(__file__).parents[3] / "events/scheduled-time.json").read_text(encoding="utf-8"))
# As whoever forges one would write it: complete, so that a trusted topic's message with it is opened.
COMPLETE = {"id": "e-1", "account": "123456789012", "region": "us-east-1", **SAMPLE}
TOPIC = "arn:aws:sns:us-east-1:123456789012:trusted"
WINDOW = {
    "Start": {"value": "$.detail.window_start", "on_missing": "omit"},
    "End": {"value": "$.detail.window_end", "on_missing": "omit"},
}


def queue(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:123456789012:pipeline-triggers-{name}"


def nightly(**changes: Any) -> Trigger:
    document = {
        "name": "nightly",
        "schedule_expression": "cron(0 3 * * ? *)",
        "timezone": "Europe/Berlin",
        "via": "app",
        "targets": [{"pipeline": "churn-train", "parameters": WINDOW}],
    }
    merged = {**document, **changes}
    return Trigger.from_document({key: value for key, value in merged.items() if value is not None})


def every_hour(**changes: Any) -> Trigger:
    return nightly(schedule_expression="rate(1 hour)", timezone=None, **changes)


def document(**detail: Any) -> dict[str, Any]:
    """The sample event, with other values in its detail."""
    return {**SAMPLE, "detail": {**SAMPLE["detail"], **detail}}


def only_event(payload: Any, *via: Via) -> Event:
    (event,) = read(payload, via=via, trusted_topics=frozenset({TOPIC}))
    assert isinstance(event, Event)
    return event


def unknown(_: PipelineRef) -> None:
    return None


def decided(event: Event, *triggers: Trigger) -> Decision:
    (decision,) = decide(event, Snapshot(1, triggers or (nightly(),)), unknown, HOME)
    return decision


def sent(decision: Decision) -> dict[str, str]:
    """The parameters that the pipeline is started with."""
    assert decision.request is not None, decision
    return dict(decision.request.parameters)


def window(trigger: Trigger, scheduled_time: str) -> tuple[str | None, str | None]:
    """The two ends of the window of a scheduled time; None for one that is missing."""
    parameters = sent(decided(only_event(document(scheduled_time=scheduled_time)), trigger))
    return parameters.get("Start"), parameters.get("End")


def in_sqs(name: str, payload: Any) -> dict[str, Any]:
    """A message of a queue as Lambda hands it over."""
    return {
        "eventSource": "aws:sqs",
        "eventSourceARN": queue(name),
        "messageId": "m-1",
        "body": json.dumps(payload),
    }


def in_sns(payload: Any) -> dict[str, Any]:
    """The envelope that SNS puts around a message in an SQS body; the topic is trusted."""
    return {"Type": "Notification", "TopicArn": TOPIC, "MessageId": "n-1", "Message": json.dumps(payload)}


def from_queue(name: str, payload: Any) -> Event:
    """What the function reads of a message of a queue."""
    record = in_sqs(name, payload)
    return only_event(record["body"], via_of_record(record))


# Who may send them.


def test_a_scheduled_time_from_the_schedule_queue_starts_its_trigger() -> None:
    decision = decided(from_queue("schedule", SAMPLE))
    assert (decision.outcome, decision.trigger) == ("start", "nightly")


def test_a_bare_scheduled_time_is_from_whoever_may_invoke_the_function() -> None:
    assert decided(only_event(SAMPLE)).outcome == "start"


def test_the_decision_has_the_id_of_the_event_and_the_occurrence_of_the_schedule() -> None:
    event = from_queue("schedule", SAMPLE)
    decision = decided(event)
    assert decision.event_id == event.id
    assert json.loads(decision.occurrence)[:3] == [
        "pipeline-triggers",
        "Scheduled Time",
        SAMPLE["detail"]["schedule_arn"],
    ]


def test_the_same_time_by_another_message_is_the_same_start() -> None:
    assert decided(from_queue("schedule", SAMPLE)).token == decided(only_event(SAMPLE)).token


@pytest.mark.parametrize("name", ["s3-event", "status-event", "bus-event", "cleanup", "schedule-dlq"])
def test_a_scheduled_time_from_another_queue_matches_nothing_and_says_why(name: str) -> None:
    decision = decided(from_queue(name, SAMPLE))
    assert (decision.outcome, decision.trigger) == ("unmatched", "")
    assert "only from the stack's queue …-schedule" in decision.message


def test_a_record_of_the_schedule_queue_written_into_another_queues_message_is_not_believed() -> None:
    forged = {"Records": [in_sqs("schedule", SAMPLE)]}
    assert decided(from_queue("bus-event", forged)).outcome == "unmatched"


def test_a_message_of_a_trusted_topic_is_opened_and_not_believed() -> None:
    event = from_queue("sns-event", in_sns(COMPLETE))
    assert [via.kind for via in event.via] == ["sqs", "sns"]
    decision = decided(event)
    assert (decision.outcome, event.detail_type) == ("unmatched", "Scheduled Time")


def test_a_record_of_the_schedule_queue_in_a_trusted_topics_message_is_not_even_opened() -> None:
    forged = {"Records": [in_sqs("schedule", SAMPLE)]}
    event = from_queue("sns-event", in_sns(forged))
    assert event.source == "aws.sns"
    assert decided(event).outcome == "unmatched"


def test_a_message_of_a_topic_that_invokes_the_function_directly_is_not_believed() -> None:
    record = {"EventSource": "aws:sns", "Sns": in_sns(COMPLETE)}
    event = only_event({"Records": [record]})
    assert [via.kind for via in event.via] == ["sns"]
    assert decided(event).outcome == "unmatched"


def test_envelopes_inside_the_schedule_queue_are_not_of_a_schedule() -> None:
    assert decided(from_queue("schedule", in_sns(COMPLETE))).outcome == "unmatched"
    assert decided(from_queue("schedule", {"Records": [in_sqs("schedule", SAMPLE)]})).outcome == "unmatched"


@pytest.mark.parametrize("kind", ["sns", "s3", "scheduler"])
def test_only_a_queue_can_be_the_schedule_queue(kind: Any) -> None:
    event = only_event(SAMPLE, Via(kind, queue("schedule"), "m-1"))
    assert decided(event).outcome == "unmatched"


def test_a_via_that_the_event_itself_claims_is_not_looked_at() -> None:
    claimed = {**SAMPLE, "via": [{"kind": "sqs", "arn": queue("schedule"), "message_id": "m", "attributes": {}}]}
    assert decided(from_queue("bus-event", claimed)).outcome == "unmatched"


@given(names=st.lists(st.sampled_from(["bus-event", "schedule", "status-event"]), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_however_records_are_nested_only_the_schedule_queue_alone_counts(names: list[str]) -> None:
    payload: Any = SAMPLE
    for name in reversed(names[1:]):
        payload = {"Records": [in_sqs(name, payload)]}
    believed = decided(from_queue(names[0], payload)).outcome == "start"
    assert believed == (names == ["schedule"])


@pytest.mark.parametrize("name", ["gone", "", None, 7, ["nightly"], {"nightly": 1}, "x" * 5000])
def test_a_trigger_that_is_not_there_is_told(name: object) -> None:
    decision = decided(from_queue("schedule", document(trigger=name)))
    assert decision.outcome == "unmatched"
    assert decision.message.startswith("there is no trigger ")
    assert len(decision.message) < 120


def test_an_event_pattern_never_takes_a_scheduled_time() -> None:
    pattern = {"source": ["pipeline-triggers"]}
    greedy = nightly(name="greedy", schedule_expression=None, timezone=None, via=None, event_pattern=pattern)
    for event in (only_event(SAMPLE), from_queue("bus-event", SAMPLE), only_event(document(trigger="greedy"))):
        assert decided(event, greedy).outcome == "unmatched"


def test_only_scheduled_times_are_told_why_they_match_nothing() -> None:
    assert decided(only_event({**SAMPLE, "detail-type": "Something", "id": "e-1", "account": "", "region": ""})) == (
        Decision("e-1", '["pipeline-triggers","Something","","","e-1"]', "unmatched", revision=1)
    )


@pytest.mark.parametrize("state", ["DISABLED", "SHADOW"])
def test_a_scheduled_trigger_that_starts_nothing_decides_all_the_same(state: str) -> None:
    assert decided(from_queue("schedule", SAMPLE), nightly(state=state)).outcome == state.lower()


# The window.


@pytest.mark.parametrize(
    ("scheduled_time", "start"),
    [
        ("2026-03-02T02:00:00Z", "2026-03-01T02:00:00Z"),
        ("2026-03-28T02:00:00Z", "2026-03-27T02:00:00Z"),
        # The clocks are set forward on 29 March: a night of 23 hours.
        ("2026-03-29T01:00:00Z", "2026-03-28T02:00:00Z"),
        ("2026-03-30T01:00:00Z", "2026-03-29T01:00:00Z"),
        # And back on 25 October: a night of 25 hours.
        ("2026-10-25T02:00:00Z", "2026-10-24T01:00:00Z"),
        ("2026-10-26T02:00:00Z", "2026-10-25T02:00:00Z"),
    ],
)
def test_the_window_of_a_cron_begins_at_its_time_before_in_its_zone(scheduled_time: str, start: str) -> None:
    assert window(nightly(), scheduled_time) == (start, scheduled_time)


def test_a_night_without_the_time_is_in_the_window_of_the_next() -> None:
    half_past_two = nightly(schedule_expression="cron(30 2 * * ? *)")
    assert window(half_past_two, "2026-03-30T00:30:00Z") == ("2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z")


def test_a_night_with_the_time_twice_ends_one_window_at_the_first() -> None:
    half_past_two = nightly(schedule_expression="cron(30 2 * * ? *)")
    assert window(half_past_two, "2026-10-26T01:30:00Z") == ("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")


@pytest.mark.parametrize("seconds", ["01", "43", "59.999"])
def test_a_cron_that_fires_within_its_minute_has_the_window_of_the_minute(seconds: str) -> None:
    ends = window(nightly(), f"2026-03-02T02:00:{seconds}Z")
    assert ends == ("2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z")


def test_the_window_of_a_rate_is_its_interval_to_the_second() -> None:
    assert window(every_hour(), "2022-03-22T18:59:43Z") == ("2022-03-22T17:59:43Z", "2022-03-22T18:59:43Z")


def test_days_of_a_rate_have_24_hours_whatever_the_clocks_do() -> None:
    daily = nightly(schedule_expression="rate(1 day)")
    assert window(daily, "2026-03-29T02:00:00Z") == ("2026-03-28T02:00:00Z", "2026-03-29T02:00:00Z")


def test_a_time_of_another_offset_is_brought_to_utc() -> None:
    assert window(nightly(), "2026-03-02T03:00:00+01:00") == ("2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z")


def test_a_one_time_schedule_has_no_time_before() -> None:
    once = nightly(schedule_expression="at(2026-03-02T03:00:00)")
    assert window(once, "2026-03-02T02:00:00Z") == (None, "2026-03-02T02:00:00Z")
    assert window(once, "2026-03-02T02:00:43Z") == (None, "2026-03-02T02:00:43Z")


def test_the_first_time_after_a_crons_start_has_no_time_before() -> None:
    started = nightly(start="2026-03-01T12:00:00Z")
    assert window(started, "2026-03-02T02:00:00Z") == (None, "2026-03-02T02:00:00Z")
    assert window(started, "2026-03-03T02:00:00Z") == ("2026-03-02T02:00:00Z", "2026-03-03T02:00:00Z")


@pytest.mark.parametrize("second", ["00", "17"])
def test_the_first_time_of_a_rate_is_its_start_and_has_no_time_before(second: str) -> None:
    started = every_hour(start="2026-03-02T02:00:17Z")
    assert window(started, f"2026-03-02T02:00:{second}Z") == (None, f"2026-03-02T02:00:{second}Z")
    assert window(started, f"2026-03-02T03:00:{second}Z") == (
        f"2026-03-02T02:00:{second}Z",
        f"2026-03-02T03:00:{second}Z",
    )


@pytest.mark.parametrize("time", ["soon", "2026-13-01T00:00:00Z", "9999999999999999", "0001-01-01T00:00:00Z", "9" * 15])
def test_a_time_that_cannot_be_read_has_no_window_and_still_starts(time: str) -> None:
    assert window(nightly(), time) == window(every_hour(), time) == (None, None)


def test_a_zone_that_is_not_known_here_leaves_the_start_of_the_window_open() -> None:
    # A stored trigger is not judged again: its zone may be one that only the writer's system knew.
    stored = json.loads(Snapshot(1, (nightly(),)).to_json())
    stored["triggers"][0]["timezone"] = "Mars/Olympus"
    (trigger,) = Snapshot.from_json(json.dumps(stored), 1).triggers
    assert window(trigger, "2026-03-02T02:00:00Z") == (None, "2026-03-02T02:00:00Z")


def test_a_window_that_the_event_claims_is_replaced() -> None:
    claims = {"window_start": "1970-01-01T00:00:00Z", "window_end": "2199-01-01T00:00:00Z"}
    once = nightly(schedule_expression="at(2026-03-02T03:00:00)")
    assert sent(decided(only_event(document(**claims)))) == {
        "Start": "2026-03-01T02:00:00Z",
        "End": "2026-03-02T02:00:00Z",
    }
    assert sent(decided(only_event(document(**claims)), once)) == {"End": "2026-03-02T02:00:00Z"}


def test_a_missing_start_of_the_window_is_refused_like_any_missing_value() -> None:
    once = nightly(
        schedule_expression="at(2026-03-02T03:00:00)",
        targets=[{"pipeline": "churn-train", "parameters": {"Start": "$.detail.window_start"}}],
    )
    decision = decided(from_queue("schedule", SAMPLE), once)
    assert (decision.outcome, decision.reason) == ("rejected", "missing-parameter")


def test_templates_and_occurrence_keys_see_the_window() -> None:
    by_day = nightly(
        occurrence_key="$.detail.window_start",
        targets=[{"pipeline": "x", "parameters": {"Range": "<$.detail.window_start>/<$.detail.window_end>"}}],
    )
    decision = decided(from_queue("schedule", SAMPLE), by_day)
    assert sent(decision) == {"Range": "2026-03-01T02:00:00Z/2026-03-02T02:00:00Z"}
    assert "2026-03-01T02:00:00Z" in decision.occurrence


def test_the_event_itself_stays_as_it_came() -> None:
    event = from_queue("schedule", SAMPLE)
    before = json.dumps(event.document)
    decided(event)
    assert json.dumps(event.document) == before


@given(hours=st.integers(0, 20_000))
@settings(max_examples=40, deadline=None)
def test_the_windows_of_a_rate_join(hours: int) -> None:
    at = f"{2024 + hours // 8760}-{1 + hours % 12:02d}-{1 + hours % 28:02d}T{hours % 23:02d}:15:09Z"
    start, end = window(every_hour(), at)
    assert end == at
    assert start is not None
    assert window(every_hour(), end.replace(f"T{hours % 23:02d}", f"T{hours % 23 + 1:02d}"))[0] == end
