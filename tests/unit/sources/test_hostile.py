"""Hostile events on their whole way, from the text of a message to the values of parameters: read or refused.

The bodies are what an uploader or a publisher could send: as large as a message may be, as deep as a text can be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.parameters import Parameter, resolve
from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.domain.templates import parse_value
from pipeline_triggers.errors import MalformedEventError
from pipeline_triggers.sources.envelopes import MAX_BYTES, Malformed, read
from tests.unit.sources.payloads import NOTICES, only_event, only_malformed, payload

if TYPE_CHECKING:
    from pipeline_triggers.domain.events import Event

DEPTH = 100_000
DEEP = [
    "[" * DEPTH + "]" * DEPTH,
    '{"a":' * DEPTH + "1" + "}" * DEPTH,
    '[{"a":' * (DEPTH // 2) + "1" + "}]" * (DEPTH // 2),
    "[" * DEPTH,
    '{"a":' * DEPTH,
]
# Elements by the hundred thousand.
WIDE = {"numbers": "1", "objects": '{"n":1}', "arrays": "[1]", "texts": '"x"', "empty": "{}"}
SLOW_PATHS = [
    "$.detail.items[*]",
    "$.detail.items[" + ",".join("*" * 100) + "]",
    "$.detail.items[::-1,::-1,::-1]",
    "$.detail.items[?@.n > 3]",
    "$.detail.items[?@.n > 3 || @.n < 0 || @ == 'x' || !@.n]",
    "$.detail.items[?!(@.n > 3)].n",
    "$.detail.items[*][?@ == 2]",
    "$.detail.items[?@[?@ == 2]]",
    "$.detail.items[?@ == $.detail.items]",
    "$.detail.items[?$.detail.items == $.detail.twin]",
    "$[?$[?$[?$[?$[?@]]]]]",
]


def event_text(detail: str) -> str:
    """An EventBridge event with the detail as it is written."""
    return json.dumps({**payload("custom-event"), "detail": "?"}).replace('"?"', detail)


def wide_event(element: str, *, size: int = MAX_BYTES) -> str:
    """An event of that many bytes, nearly: all of it elements of one list."""
    room = size - len(event_text('{"items":[]}'))
    return event_text('{"items":[' + ",".join([element] * ((room + 1) // (len(element) + 1))) + "]}")


@pytest.mark.parametrize("body", DEEP, ids=["arrays", "objects", "both", "arrays, unclosed", "objects, unclosed"])
def test_a_body_of_a_hundred_thousand_levels_is_refused_and_does_not_end_the_interpreter(body: str) -> None:
    for text in (body, event_text(body)):
        assert only_malformed(text).reason in ("too-deep", "malformed-event")


@pytest.mark.parametrize("body", DEEP[:3], ids=["arrays", "objects", "both"])
def test_a_deep_text_in_an_sns_message_stays_a_text(body: str) -> None:
    envelope = {"Type": "Notification", "MessageId": "m-1", "TopicArn": NOTICES, "Message": body}
    event = only_event(json.dumps(envelope))
    [resolved] = resolve([Parameter("Message", parse_value("$.detail"))], event.envelope)
    assert resolved.reason == "value-too-long"


@pytest.mark.parametrize("element", WIDE.values(), ids=WIDE)
def test_a_wide_event_of_one_mebibyte_is_read_and_every_path_is_found_or_refused(element: str) -> None:
    text = wide_event(element)
    assert MAX_BYTES - 10 < len(text) <= MAX_BYTES
    event = only_event(text)
    for written in SLOW_PATHS:
        assert found_or_refused(written, event) in ("found", "too-large")


def found_or_refused(written: str, event: Event) -> str:
    try:
        JsonPath(written).find(event.envelope)
    except MalformedEventError as error:
        return error.reason
    return "found"


@pytest.mark.parametrize("element", WIDE.values(), ids=WIDE)
def test_parameters_of_a_wide_event_are_refused_with_the_reason(element: str) -> None:
    event = only_event(wide_event(element))
    parameters = [
        Parameter("All", parse_value("$.detail.items[*,*,*,*,*]"), default="none"),
        Parameter("Some", parse_value("x-<$.detail.items[?@.a == 1 || @.b == 2 || @.c == 3].d>"), on_missing="omit"),
        Parameter("Source", parse_value("$.source")),
    ]
    everything, some, source = resolve(parameters, event.envelope)
    assert (everything.reason, everything.value) == ("too-large", None)
    assert "$.detail.items" in everything.message
    assert (some.reason, some.value) == ("too-large", None)
    assert source.value == event.source


def test_paths_of_an_ordinary_size_are_found_in_the_largest_ordinary_event() -> None:
    event = only_event(wide_event('{"name":"x","size":12}', size=256 * 1024))
    found = JsonPath("$.detail.items[?@.size > 10 && @.name == 'x' && !(@.size > 12)].size").find(event.envelope)
    assert set(found) == {12}
    assert len(found) == len(event.detail["items"]) > 10_000


@pytest.mark.parametrize(
    "detail",
    ['{"n":' + "9" * 100_000 + "}", '{"n":1e99999}', '{"n":NaN}', '{"n":"\\ud800"}', '{"\\udfff":1}', "{", "\x00"],
)
def test_what_json_cannot_carry_on_is_refused_before_a_path_sees_it(detail: str) -> None:
    assert only_malformed(event_text(detail)).reason == "malformed-event"


@pytest.mark.parametrize("name", ["__class__", "__proto__", "$", "@", "$.source", "'", "\\", "\x00", "\U0010ffff", "*"])
def test_names_that_mean_something_elsewhere_are_only_names(name: str) -> None:
    event: dict[str, Any] = {**payload("custom-event"), "detail": {name: {name: "in"}}}
    envelope = only_event(json.dumps(event)).envelope
    quoted = json.dumps(name)
    assert JsonPath(f"$.detail[{quoted}][{quoted}]").find(envelope) == ["in"]
    assert JsonPath(f"$.detail[?@[{quoted}] == 'in'][{quoted}]").find(envelope) == ["in"]


def test_a_mebibyte_and_one_byte_is_refused_at_once() -> None:
    [found] = read(wide_event("1") + " " * 20)
    assert isinstance(found, Malformed)
    assert found.reason == "too-large"
