"""Whatever reaches a function becomes events, or is named as malformed without keeping its neighbours back."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.events import Event, Via
from pipeline_triggers.errors import MalformedEventError
from pipeline_triggers.sources.envelopes import MAX_RECORDS, Malformed, parse_json, read, via_of_record
from tests.unit.sources.payloads import EVENTS, NOTICES, TRUSTED, UPLOADS, names, only_event, only_malformed, payload

QUEUE = "arn:aws:sqs:us-east-1:123456789012:pipeline-triggers-s3-event"
SNS_QUEUE = "arn:aws:sqs:us-east-1:123456789012:pipeline-triggers-sns-event"
BROKEN = {"broken-not-an-event": 1, "broken-body": 1, "sqs-several-messages": 1}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def in_sqs(*bodies: object, queue: str = QUEUE) -> dict[str, Any]:
    same = {"eventSource": "aws:sqs", "eventSourceARN": queue}
    return {"Records": [{**same, "messageId": f"m-{at}", "body": it} for at, it in enumerate(bodies)]}


def in_sns(message: str, topic: str = UPLOADS) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": message})


# --- the samples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_every_sample_is_read_and_only_the_broken_ones_are_malformed(name: str) -> None:
    found = read(payload(name), trusted_topics=TRUSTED)
    assert sum(isinstance(it, Malformed) for it in found) == BROKEN.get(name, 0)
    assert bool(found) == (name != "s3-test-event")


@pytest.mark.parametrize("name", names())
def test_a_sample_means_the_same_as_text_and_as_mapping(name: str) -> None:
    text = (EVENTS / f"{name}.json").read_text(encoding="utf-8")
    assert read(text, trusted_topics=TRUSTED) == read(payload(name), trusted_topics=TRUSTED)


@pytest.mark.parametrize("name", names())
def test_reading_changes_nothing(name: str) -> None:
    given_payload = payload(name)
    for it in read(given_payload, trusted_topics=TRUSTED):
        assert isinstance(it, Malformed) or (it.document and it.occurrence)
    assert given_payload == payload(name)


@pytest.mark.parametrize("name", names())
def test_a_redelivery_has_the_same_events_with_the_same_ids(name: str) -> None:
    first, second = (read(payload(name), trusted_topics=TRUSTED) for _ in range(2))
    assert [getattr(it, "id", "") for it in first] == [getattr(it, "id", "") for it in second]
    assert first == second


# --- envelopes in envelopes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["s3-notification", "sqs-eventbridge-s3", "sqs-sns-s3", "sns-s3-notification"])
def test_one_upload_is_one_occurrence_by_every_route(name: str) -> None:
    assert only_event(payload(name)).occurrence == only_event(payload("s3-object-created")).occurrence


def test_the_way_is_listed_from_the_outermost_envelope() -> None:
    event = only_event(payload("sqs-sns-s3"))
    assert [(via.kind, via.arn, via.message_id) for via in event.via] == [
        (
            "sqs",
            "arn:aws:sqs:us-east-1:123456789012:pipeline-triggers-sns-event",
            "2e1424d4-f796-459a-8184-9c92662be6da",
        ),
        ("sns", UPLOADS, "dc1e94d9-56c5-5e96-808d-cc7f68faa162"),
    ]


def test_the_body_of_a_message_continues_the_way_that_is_given() -> None:
    record = payload("sqs-sns-s3")["Records"][0]
    [event] = read(record["body"], via=(via_of_record(record),), trusted_topics=TRUSTED)
    assert event == only_event(payload("sqs-sns-s3"))


def test_records_of_a_message_are_one_event_each() -> None:
    body = json.dumps(payload("s3-notification-several-records"))
    found = read(in_sqs(body), trusted_topics=TRUSTED)
    assert len(found) == 3
    assert all(isinstance(it, Event) for it in found)


def test_a_notification_of_s3_alone_in_a_message_is_read() -> None:
    assert only_event(in_sqs(json.dumps(payload("s3-notification")))).source == "aws.s3"


@pytest.mark.parametrize("name", ["s3-object-created", "s3-notification", "alarm-direct", "sns-s3-notification"])
@pytest.mark.parametrize("again", [0, 1], ids=["json", "json as text"])
def test_what_comes_to_the_queue_of_sns_without_its_envelope_is_refused_with_what_to_do(name: str, again: int) -> None:
    body = json.dumps(payload(name))
    for _ in range(again):
        body = json.dumps(body)
    malformed = only_malformed(in_sqs(body, queue=SNS_QUEUE))
    assert malformed.reason == "malformed-event"
    assert "raw message delivery" in malformed.message


def test_what_a_function_is_handed_as_the_body_of_a_message_of_that_queue_is_refused_too() -> None:
    way = (Via("sqs", SNS_QUEUE, "m-1"),)
    [found] = read(json.dumps(payload("s3-object-created")), via=way, trusted_topics=TRUSTED)
    assert isinstance(found, Malformed)


def test_what_is_an_event_and_an_envelope_of_sns_at_once_counts_as_the_envelope_there() -> None:
    both = payload("s3-object-created") | json.loads(in_sns("hello", NOTICES))
    event = only_event(in_sqs(json.dumps(both), queue=SNS_QUEUE))
    assert (event.source, event.detail["TopicArn"]) == ("aws.sns", NOTICES)


def test_an_envelope_of_sns_in_the_queue_of_sns_is_opened() -> None:
    body = in_sns(json.dumps(payload("s3-notification")))
    assert only_event(in_sqs(body, queue=SNS_QUEUE)).source == "aws.s3"


def test_json_text_inside_json_text_is_opened() -> None:
    text = json.dumps(json.dumps(payload("custom-event")))
    assert only_event(in_sqs(text)).source == "com.example.features"


def test_six_envelopes_are_opened_and_the_seventh_is_too_deep() -> None:
    body = json.dumps(payload("custom-event"))
    for _ in range(5):
        body = json.dumps(in_sqs(body))
    assert len(only_event(in_sqs(body)).via) == 6
    malformed = only_malformed(in_sqs(json.dumps(in_sqs(body))))
    assert malformed.reason == "too-deep"
    assert "more than 6 envelopes" in malformed.message


# --- nothing to report -----------------------------------------------------------------------------------------------


def test_the_test_event_of_s3_is_acknowledged_wherever_it_stands() -> None:
    test_event = json.dumps(payload("s3-test-event"))
    in_queues = (in_sqs(test_event), in_sqs(test_event, queue=SNS_QUEUE), in_sqs(in_sns(test_event, NOTICES)))
    for content in (test_event, in_sns(test_event), *in_queues):
        assert read(content, trusted_topics=TRUSTED) == []


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_handshake_of_sns_is_acknowledged(kind: str) -> None:
    handshake = {
        "Type": kind,
        "TopicArn": NOTICES,
        "Token": "t",
        "Message": "You have chosen to subscribe",
        "MessageId": "m",
    }
    assert read(in_sqs(json.dumps(handshake))) == []


# --- good and bad side by side ---------------------------------------------------------------------------------------


def test_a_bad_message_keeps_no_neighbour_back() -> None:
    first, second, third = read(payload("sqs-several-messages"))
    assert isinstance(first, Event)
    assert isinstance(third, Event)
    assert second == Malformed(
        "malformed-event", "Records[1].body is not JSON: Expecting value (character 1)", position=1
    )


def test_a_bad_record_keeps_no_neighbour_back() -> None:
    notification = payload("s3-notification-several-records")
    del notification["Records"][1]["s3"]["object"]["key"]
    found = read(in_sqs(in_sns(json.dumps(notification))), trusted_topics=TRUSTED)
    assert [type(it) for it in found] == [Event, Malformed, Event]
    assert isinstance(found[1], Malformed)
    assert found[1].position == 1
    assert found[1].message.startswith("Records[0].body.Message.Records[1] is an S3 notification whose s3.object.key")


@pytest.mark.parametrize(
    ("record", "seen"),
    [
        (None, "null"),
        ("text", "no object but of type str"),
        ({"eventSource": "aws:kinesis"}, "a record of 'aws:kinesis'"),
        ({"eventSource": 7}, "a record of 7"),
        ({"eventSource": "aws:sqs"}, "an SQS message whose body is missing"),
        ({"eventSource": "aws:sqs", "body": {"a": 1}}, "an SQS message whose body is missing or no text"),
        ({"EventSource": "aws:sns"}, "an SNS record whose Sns is missing"),
        ({"EventSource": "aws:sns", "Sns": "text"}, "an SNS record whose Sns is missing or no object"),
        ({"eventSource": "aws:s3"}, "an S3 notification of version None"),
        ({}, "an empty object"),
    ],
)
def test_a_record_that_is_none_is_named_with_what_was_seen(record: object, seen: str) -> None:
    message = only_malformed({"Records": [record]}).message
    assert message.startswith(f"Records[0] is {seen}")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"Records": []},
        {"Records": None},
        {"Records": {"0": 1}},
        {"table": "x"},
        "[]",
        "7",
        "null",
        '"text"',
        "",
        " ",
    ],
)
def test_what_is_no_event_is_malformed_and_says_what_was_seen(content: Any) -> None:
    malformed = only_malformed(content)
    assert malformed.reason == "malformed-event"
    assert malformed.message.startswith(("the payload is ", "(text) is "))
    assert malformed.position == 0


def test_what_is_accepted_is_said() -> None:
    message = only_malformed(payload("broken-not-an-event")).message
    assert "an object with the fields table, rows" in message
    assert "accepted are EventBridge events, S3 notifications, SNS notifications, and SQS messages" in message


def test_a_message_for_people_stays_short_whatever_was_sent() -> None:
    assert len(only_malformed({f"{at}" * 5000: at for at in range(500)}).message) < 1000
    assert len(only_malformed({"Records": [{"eventSource": "x" * 100_000}]}).message) < 300


@pytest.mark.parametrize("content", [None, 7, b"{}", [], ["x"], object()])
def test_a_payload_of_another_type_is_malformed(content: Any) -> None:
    assert only_malformed(content).reason == "malformed-event"


@pytest.mark.parametrize("value", [b"bytes", {1: "x"}, float("nan"), 10**400, (1,), {"a": {1, 2}}, "\ud800"])
def test_a_mapping_that_is_no_json_is_malformed(value: object) -> None:
    event = {**payload("custom-event"), "detail": {"value": value}}
    assert only_malformed(event).reason == "malformed-event"


def test_a_mapping_that_contains_itself_is_too_deep() -> None:
    event = payload("custom-event")
    event["detail"]["again"] = [event, event]
    assert only_malformed(event).reason == "too-deep"


def test_a_mapping_may_be_a_hundred_levels_deep_and_no_more() -> None:
    event = payload("custom-event")
    assert isinstance(only_event({**event, "detail": {"deep": json.loads(nested(98))}}), Event)
    assert only_malformed({**event, "detail": {"deep": json.loads(nested(99))}}).reason == "too-deep"


# --- via_of_record ---------------------------------------------------------------------------------------------------


def test_message_attributes_are_given_by_name() -> None:
    record = payload("sqs-eventbridge-s3")["Records"][0]
    record["messageAttributes"] = {
        "RULE_ARN": {"stringValue": "arn:rule", "dataType": "String"},
        "raw": {"binaryValue": "YWJj", "dataType": "Binary"},
    }
    expected = Via("sqs", QUEUE, "059f36b4-87a3-44ab-83d2-661975830a7d", {"RULE_ARN": "arn:rule", "raw": "YWJj"})
    assert via_of_record(record) == expected


@pytest.mark.parametrize("record", [{}, {"messageAttributes": None}, {"messageId": 7, "messageAttributes": [1]}])
def test_what_a_message_does_not_say_is_empty(record: dict[str, Any]) -> None:
    assert via_of_record(record) == Via("sqs", "", "", {})


# --- parse_json ------------------------------------------------------------------------------------------------------


def test_json_is_read() -> None:
    assert parse_json('{"a": [1, 2.5, null, true, "é"]}') == {"a": [1, 2.5, None, True, "é"]}


def test_the_last_of_two_equal_names_wins() -> None:
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{'a': 1}",
        "[1,]",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        '{"a": -1e999}',
        '{"a": {"b": NaN}}',
        "1" + "0" * 400,
        "1" * 5000,
        '"\\ud800"',
        '{"\\udc00": 1}',
        '["\ud800"]',
        "\ufeff{}",
        '"\x00"',
    ],
)
def test_what_not_everybody_reads_as_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedEventError) as caught:
        parse_json(text)
    assert caught.value.reason == "malformed-event"


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert parse_json('"\\ud83d\\ude80"') == "🚀"


def test_a_hundred_levels_are_read_and_one_more_is_too_deep() -> None:
    assert parse_json(nested(100))
    for text in (nested(101), '{"a":' * 101 + "1" + "}" * 101):
        with pytest.raises(MalformedEventError) as caught:
            parse_json(text)
        assert caught.value.reason == "too-deep"


@pytest.mark.parametrize("text", [nested(100_000), "[" * 100_000, '{"a":' * 100_000, "[{}," * 100_000])
def test_a_hundred_thousand_levels_are_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(MalformedEventError) as caught:
        parse_json(text)
    assert caught.value.reason == "too-deep"
    assert time.monotonic() - begun < 2


def test_one_mebibyte_is_read_and_a_byte_more_is_too_large() -> None:
    text = '"' + "a" * (1024 * 1024 - 2) + '"'
    assert parse_json(text)
    with pytest.raises(MalformedEventError) as caught:
        parse_json(text + " ")
    assert caught.value.reason == "too-large"


def test_the_size_is_that_in_bytes() -> None:
    with pytest.raises(MalformedEventError) as caught:
        parse_json('"' + "測" * 400_000 + '"')
    assert caught.value.reason == "too-large"


def test_reasons_survive_the_envelopes() -> None:
    large = "x" * (1024 * 1024 + 1)
    found = read(in_sqs(nested(200), large, json.dumps(payload("custom-event"))))
    assert [getattr(it, "reason", "") for it in found] == ["too-deep", "too-large", ""]


# --- nothing raises --------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = (
    st.sampled_from(["Records", "eventSource", "EventSource", "body", "Sns", "messageAttributes"])
    | st.sampled_from(["s3", "bucket", "object", "key", "name", "eventName", "eventVersion", "Event", "Service"])
    | st.sampled_from(["Type", "TopicArn", "Message", "MessageId", "MessageAttributes", "alarmArn", "alarmData"])
    | st.sampled_from(["source", "detail-type", "id", "account", "region", "detail", "schedule_arn"])
)
VALUES = (
    SCALARS
    | st.sampled_from(["aws:sqs", "aws:sns", "aws:s3", "2.1", "ObjectCreated:Put", "%ff", "Notification", UPLOADS])
    | st.sampled_from(["pipeline-triggers", "Scheduled Time", "s3:TestEvent", "Amazon S3", "SubscriptionConfirmation"])
    | st.sampled_from(['{"Records":[{}]}', "[", '"\\ud800"'])
)
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


def assert_sound(found: list[Event | Malformed]) -> None:
    for position, it in enumerate(found):
        if isinstance(it, Malformed):
            assert it.reason in ("malformed-event", "too-deep", "too-large")
            assert it.position == position
            assert it.message.encode()
        else:
            assert it.id
            assert it.occurrence
            json.dumps(it.document, allow_nan=False).encode()


@given(DOCUMENTS)
@settings(max_examples=400)
def test_no_document_raises(document: Any) -> None:
    assert_sound(read(document, trusted_topics=TRUSTED))


@given(st.text() | DOCUMENTS.map(json.dumps))
@settings(max_examples=200)
def test_no_text_raises(text: str) -> None:
    assert_sound(read(text, trusted_topics=TRUSTED))


@given(st.sampled_from(names()), st.data())
@settings(max_examples=300)
def test_no_damage_to_a_sample_raises(name: str, data: st.DataObject) -> None:
    damaged = copy.deepcopy(payload(name))
    place: Any = damaged
    while isinstance(place, dict | list) and place:
        at = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[at], dict | list) or not place[at] or data.draw(st.integers(0, 3)) == 0:
            place[at] = data.draw(VALUES)
            break
        place = place[at]
    assert_sound(read(damaged, trusted_topics=TRUSTED))


def test_a_message_with_too_many_records_is_one_malformed_part() -> None:
    record = {"eventSource": "aws:s3"}
    assert len(read({"Records": [record] * MAX_RECORDS})) == MAX_RECORDS
    malformed = only_malformed(in_sqs(json.dumps({"Records": [record] * (MAX_RECORDS + 1)})))
    assert malformed.reason == "too-large"
    assert "Records[0].body is a list of more than 1,000 records" in malformed.message
