"""The normalised event: what it must have, and what patterns and paths see of it."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from pipeline_triggers.domain.events import Event, Via, derived_id, lookup
from pipeline_triggers.errors import MalformedEventError

ENVELOPE: dict[str, Any] = {
    "version": "0",
    "id": "d5db4f84-8aa3-cc8b-8193-9e709209f711",
    "detail-type": "Feature Table Refreshed",
    "source": "com.example.features",
    "account": "123456789012",
    "time": "2026-03-02T06:00:05Z",
    "region": "us-east-1",
    "resources": ["arn:aws:glue:us-east-1:123456789012:table/features"],
    "detail": {"table": "customer_features"},
}
QUEUE = Via("sqs", "arn:aws:sqs:us-east-1:123456789012:q", "m-1", {"env": "prod"})


def test_an_event_gives_the_fields_of_its_envelope() -> None:
    event = Event.from_envelope(ENVELOPE)
    assert (event.id, event.source, event.detail_type) == (ENVELOPE["id"], ENVELOPE["source"], ENVELOPE["detail-type"])
    assert (event.account, event.region, event.time) == ("123456789012", "us-east-1", "2026-03-02T06:00:05Z")
    assert event.resources == ("arn:aws:glue:us-east-1:123456789012:table/features",)
    assert event.detail == {"table": "customer_features"}


@pytest.mark.parametrize("field", ["id", "source", "detail-type", "account", "region"])
def test_a_field_that_every_event_has_is_named_when_it_is_missing(field: str) -> None:
    envelope = {name: value for name, value in ENVELOPE.items() if name != field}
    with pytest.raises(MalformedEventError, match=f"{field} is missing") as caught:
        Event.from_envelope(envelope)
    assert caught.value.reason == "malformed-event"


@pytest.mark.parametrize("field", ["id", "source", "detail-type"])
def test_an_empty_id_source_or_detail_type_is_refused(field: str) -> None:
    with pytest.raises(MalformedEventError, match=f"{field} is empty"):
        Event.from_envelope({**ENVELOPE, field: ""})


@pytest.mark.parametrize("field", ["id", "source", "detail-type", "account", "region"])
@pytest.mark.parametrize("value", [None, 1, ["aws.s3"], {}])
def test_a_field_that_is_no_text_is_refused(field: str, value: object) -> None:
    with pytest.raises(MalformedEventError, match=f"{field} is no text"):
        Event.from_envelope({**ENVELOPE, field: value})


def test_every_field_that_is_wrong_is_named() -> None:
    with pytest.raises(MalformedEventError, match="source is missing; detail-type is missing; id is missing"):
        Event.from_envelope({"account": "", "region": ""})


def test_account_and_region_may_be_empty() -> None:
    assert Event.from_envelope({**ENVELOPE, "account": "", "region": ""}).account == ""


def test_time_resources_and_detail_of_another_type_are_nothing() -> None:
    event = Event.from_envelope({**ENVELOPE, "time": 1583831889050, "resources": "arn", "detail": "text"})
    assert (event.time, event.resources, event.detail) == ("", (), {})


def test_resources_that_are_no_texts_are_left_out() -> None:
    assert Event.from_envelope({**ENVELOPE, "resources": [None, "arn:b", 3]}).resources == ("arn:b",)


def test_the_document_is_the_envelope_with_the_way_it_came() -> None:
    event = Event.from_envelope(ENVELOPE, (QUEUE,))
    way = [{"kind": "sqs", "arn": QUEUE.arn, "message_id": "m-1", "attributes": {"env": "prod"}}]
    assert event.document == {**ENVELOPE, "via": way}


def test_the_document_of_an_event_that_came_directly_has_an_empty_way() -> None:
    assert Event.from_envelope(ENVELOPE).document["via"] == []


def test_nothing_that_was_given_is_changed() -> None:
    given = copy.deepcopy(ENVELOPE)
    event = Event.from_envelope(given, (QUEUE,))
    assert event.document is event.document
    assert event.occurrence
    assert given == ENVELOPE


def test_an_event_cannot_be_changed() -> None:
    event = Event.from_envelope(ENVELOPE)
    with pytest.raises(FrozenInstanceError):
        event.envelope = {}  # type: ignore[misc]


def test_a_derived_id_depends_on_the_content_alone() -> None:
    assert derived_id({"a": 1, "b": 2}) == derived_id({"b": 2, "a": 1})
    assert derived_id({"a": 1}) != derived_id({"a": "1"})


def test_looking_up_what_is_not_there_finds_nothing() -> None:
    assert lookup({"a": {"b": 1}}, "a", "b") == 1
    assert lookup({"a": {"b": 1}}, "a", "c") is None
    assert lookup({"a": "text"}, "a", "b") is None
    assert lookup(None, "a") is None
