"""Hostile messages on their whole way through a worker, on fakes: read, decided, started or kept, in bounded time.

What a stranger writes is data. It goes to a parameter as it is, or to quarantine with a reason; it keeps no neighbour
in its batch back, and nothing of it becomes a line of the log, a display name, or a second event.
"""

from __future__ import annotations

import json
import re
import sys
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus

import pytest
from botocore.session import Session

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.invocation import Worker
from pipeline_triggers.sources.envelopes import MAX_BYTES
from tests.fakes.queues import FakeQueues
from tests.samples import sqs_batch
from tests.unit.sources.payloads import NOTICES, TRUSTED, UPLOADS, payload
from tests.unit.test_invocation import Context
from tests.unit.test_reacting import World, a_trigger

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pipeline_triggers.domain.executions import StartRequest

QUEUES = "arn:aws:sqs:us-east-1:123456789012:pt-"
KEYS = {
    "a line break": "in/a\nb.csv",
    "a forged line of the log": 'in/\r\n{"level":"INFO","message":"decision","outcome":"started"}\n.csv',
    "control characters": "in/\x00\x01\x07\x08\x0b\x1b[2J\x7f\x85\x9b31m.csv",
    "separators of Unicode": "in/\u2028\u2029\u202e\ufeff.csv",
    "per cent and plus": "in/100%+1%2B%25%zz%.csv",
    "emoji": "in/\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467.csv",
    "a path of a file system": "../../etc/passwd",
    "a path of an event": "$.detail.bucket.name",
    "a template": "<$.detail.bucket.name>\\<x>",
    "what CloudFormation and others replace": "${AWS::AccountId}{{secret}}%(name)s{0}$(id)`id`",
    "an ARN": "arn:aws:sagemaker:us-east-1:666666666666:pipeline/forged",
    "a number": "1e400",
    "JSON": '{"source":"aws.s3","detail-type":"Object Created"}',
    "markup and quotes": "in/[bold]'\"<&>--;#.csv",
    "blanks": "in/  a b \t .csv",
    "many characters": "in/" + "x" * 997,
}
PARAMETERS = {"Key": "$.detail.object.key", "Uri": "s3://<$.detail.bucket.name>/<$.detail.object.key>"}
DEEP = 100_000


def upload(key: str = "in/good.csv", **changes: Any) -> str:
    """An upload as EventBridge tells of it."""
    event = payload("s3-object-created")
    event["detail"]["object"] |= {"key": key, "sequencer": key.encode().hex()[:32]}
    return json.dumps(event | changes)


def notification(key: str) -> str:
    """The same as S3 itself tells of it, which encodes the key."""
    document = payload("s3-notification")
    [record] = document["Records"]
    record["s3"]["object"] |= {"key": quote_plus(key), "sequencer": key.encode().hex()[:32]}
    return json.dumps(document)


def carrying(value: str) -> str:
    """An upload with a further field, as it is written."""
    return upload("in/bad.csv").replace('"detail": {', f'"detail": {{"further": {value}, ', 1)


# What no service could carry on, or what is no event; with the reason that it gets.
UNREADABLE = {
    "NaN": (carrying("NaN"), "malformed-event"),
    "infinity": (carrying("[-Infinity]"), "malformed-event"),
    "a number beyond doubles": (carrying("1e400"), "malformed-event"),
    "a number of 5,000 digits": (carrying("1" + "0" * 5000), "malformed-event"),
    "half a surrogate pair": (carrying('"\\ud800"'), "malformed-event"),
    "a name that is half a surrogate pair": (carrying('{"\\udc00": 1}'), "malformed-event"),
    "arrays in arrays": (carrying("[" * DEEP + "]" * DEEP), "too-deep"),
    "objects in objects": (carrying('{"a":' * DEEP + "1" + "}" * DEEP), "too-deep"),
    "as many arrays as JSON's reader takes": (carrying("[" * 900 + "]" * 900), "too-deep"),
    "arrays that never end": ("[" * DEEP, "too-deep"),
    "more than a mebibyte": (json.dumps("x" * MAX_BYTES), "too-large"),
    "a number alone": ("0", "malformed-event"),
    "null": ("null", "malformed-event"),
    "no characters": ("", "malformed-event"),
    "a NUL": ("\x00", "malformed-event"),
    "a byte order mark": ("\ufeff{}", "malformed-event"),
    "two documents": ("{}{}", "malformed-event"),
    "an event that ends too early": (json.dumps(payload("s3-object-created"))[:-1], "malformed-event"),
    "an event with an empty id": (json.dumps(payload("s3-object-created") | {"id": ""}), "malformed-event"),
    "too many records": (json.dumps({"Records": [{}] * 1001}), "too-large"),
}
# With the envelope of SNS the one is too large, and the other one is whole JSON that means to be an event.
NO_TEXTS = ("more than a mebibyte", "an event with an empty id")


class Stage:
    """A worker with a trigger for uploads, whose parameters have the key."""

    def __init__(self) -> None:
        self.world = World()
        self.put({"source": ["aws.s3"], "detail-type": ["Object Created"]}, PARAMETERS)
        self.worker = Worker(self.world.reactor, FakeQueues(), self.world.clock, TRUSTED, lambda _: None)

    def put(self, pattern: dict[str, Any], parameters: dict[str, Any]) -> None:
        """Make this the one trigger."""
        self.world.pipelines.add("churn-score", Definition(dict.fromkeys(parameters, Declared(required=False))))
        target = {"pipeline": "churn-score", "parameters": parameters}
        self.world.triggers.put(a_trigger(event_pattern=pattern, targets=[target]))

    def answer(self, *bodies: str, queue: str = "s3-event") -> dict[str, Any]:
        """What a batch of messages is answered with."""
        batch = sqs_batch(*bodies, queue_arn=QUEUES + queue, now=self.world.clock.now())
        return self.worker.answer(batch, cast("LambdaContext", Context()))

    @property
    def started(self) -> list[StartRequest]:
        return self.world.pipelines.started

    @property
    def keys(self) -> list[str]:
        return [request.parameters["Key"] for request in self.started]

    @property
    def kept(self) -> dict[str, str]:
        """The reasons in quarantine, by message."""
        return {id_: item.reason for id_, item in self.world.quarantine.items.items()}


@pytest.fixture
def stage() -> Stage:
    return Stage()


ROUTES = {"EventBridge": upload, "S3": notification}


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_sent_as_it_is_whatever_it_looks_like(stage: Stage, route: Callable[[str], str], key: str) -> None:
    assert stage.answer(route(key)) == {"batchItemFailures": []}
    [request] = stage.started
    assert request.parameters == {"Key": key, "Uri": f"s3://raw-data/{key}"}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_key_that_is_too_long_with_what_stands_before_it_is_kept_and_not_cut(
    stage: Stage, route: Callable[[str], str]
) -> None:
    assert stage.answer(route("x" * 1024)) == {"batchItemFailures": []}
    assert (stage.started, stage.kept) == ([], {"m0": "value-too-long"})


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_both_routes_of_an_upload_have_one_token_whatever_its_key_is(stage: Stage, key: str) -> None:
    stage.answer(upload(key), notification(key))
    assert len(stage.started) == 1


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS)
def test_whatever_an_event_says_sagemaker_takes_the_request(stage: Stage, text: str) -> None:
    """Its service model has the limits and patterns; a pattern's dot is no line break of any kind there."""
    told = {"id": f"id {text}", "source": f"com.{text}", "detail-type": text}
    stage.put({"source": [{"prefix": "com."}]}, {"Key": "$.detail.object.key"})
    stage.answer(upload(text, **told))
    [request] = stage.started
    shape: Any = Session().get_service_model("sagemaker").operation_model("StartPipelineExecution").input_shape
    for name, value in (
        ("PipelineName", request.pipeline_arn),
        ("PipelineExecutionDisplayName", request.display_name),
        ("PipelineExecutionDescription", request.description),
    ):
        limits = shape.members[name].metadata
        assert limits["min"] <= len(value) <= limits["max"]
        assert re.fullmatch(limits["pattern"].replace(".*", "[^\n\r\x85\u2028\u2029]*"), value)
    assert request.description.isprintable()


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS)
def test_whatever_an_event_says_each_line_of_the_log_is_one_that_this_program_wrote(
    stage: Stage,
    log: io.StringIO,
    text: str,
) -> None:
    stage.put({"source": [{"prefix": "com."}]}, {"Key": "$.detail.object.key"})
    stage.answer(upload(text, id=f"id {text}", source=f"com.{text}"), upload(f"{text}-2", source="com.unwanted"), text)
    assert log.getvalue().isascii()
    lines = log.getvalue().split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    messages = [json.loads(line)["message"] for line in lines]
    assert messages.count("decision") == len(messages) == 3


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_kept_as_it_came_and_its_neighbours_start(stage: Stage, body: str, reason: str) -> None:
    assert stage.answer(upload("in/before.csv"), body, upload("in/after.csv")) == {"batchItemFailures": []}
    assert stage.kept == {"m1": reason}
    assert stage.world.quarantine.items["m1"].body == body
    assert stage.keys == ["in/before.csv", "in/after.csv"]


@pytest.mark.parametrize("name", [name for name in UNREADABLE if name not in NO_TEXTS])
def test_in_a_message_of_a_trusted_topic_it_is_only_a_text(stage: Stage, name: str) -> None:
    stage.put({"source": ["aws.sns"]}, {"Id": "$.detail.MessageId"})
    answer = stage.answer(from_topic(UNREADABLE[name][0], UPLOADS), queue="sns-event")
    assert answer == {"batchItemFailures": []}
    assert [request.parameters for request in stage.started] == [{"Id": "m-1"}]


@pytest.mark.parametrize("name", ["key", "source"])
def test_of_names_that_stand_twice_the_last_counts_for_the_pattern_and_for_the_parameter(
    stage: Stage, name: str
) -> None:
    stage.put({"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "in/"}]}}}, PARAMETERS)
    first, last = {"key": ("other/x.csv", "in/x.csv"), "source": ("com.example", "aws.s3")}[name]
    body = upload("in/x.csv")
    written = f'"{name}": "{last}"'
    assert written in body
    stage.answer(body.replace(written, f'"{name}": "{first}", {written}'))
    stage.answer(body.replace(written, f'{written}, "{name}": "{first}"'))
    assert stage.keys == ["in/x.csv"]


@pytest.mark.parametrize("name", ["", "__proto__", "constructor", "__class__", "$", "*", "detail", "\x00", "\ufeff"])
def test_a_name_that_means_something_elsewhere_is_an_ordinary_one(stage: Stage, name: str) -> None:
    stage.put({"source": ["aws.s3"]}, {"Key": f"$.detail[{json.dumps(name)}]"})
    event = payload("s3-object-created")
    event["detail"][name] = "found"
    assert stage.answer(json.dumps(event)) == {"batchItemFailures": []}
    assert stage.keys == ["found"]


# --- forged ----------------------------------------------------------------------------------------------------------


def from_topic(message: str, topic: str) -> str:
    """The envelope of SNS around a message, as it is in the queue."""
    return json.dumps({"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": message})


FORGED = upload("in/forged.csv")


@pytest.mark.parametrize("message", [FORGED, notification("in/forged.csv"), from_topic(FORGED, UPLOADS)])
def test_an_event_of_aws_that_anybody_may_publish_starts_nothing_of_aws(stage: Stage, message: str) -> None:
    assert stage.answer(from_topic(message, NOTICES), queue="sns-event") == {"batchItemFailures": []}
    assert (stage.started, stage.kept) == ([], {})


@pytest.mark.parametrize("body", [FORGED, notification("in/forged.csv"), json.dumps(FORGED)])
def test_an_event_of_aws_that_a_topic_sends_raw_starts_nothing_and_is_kept(stage: Stage, body: str) -> None:
    answer = stage.answer(from_topic(upload(), UPLOADS), body, queue="sns-event")
    assert answer == {"batchItemFailures": []}
    assert stage.keys == ["in/good.csv"]
    assert stage.kept == {"m1": "malformed-event"}


def test_an_event_of_a_bus_opens_no_envelope_that_it_carries(stage: Stage) -> None:
    """EventBridge refuses sources that begin with aws. from everybody but AWS; what is inside is not looked at."""
    inside = {**json.loads(notification("in/forged.csv")), **json.loads(from_topic(FORGED, UPLOADS))}
    body = json.dumps({**inside, **json.loads(upload()), "source": "com.evil", "detail": json.loads(FORGED)})
    assert stage.answer(body, queue="bus-event") == {"batchItemFailures": []}
    assert (stage.started, stage.kept) == ([], {})


def test_an_event_cannot_say_itself_which_way_it_came(stage: Stage) -> None:
    stage.put({"via": {"arn": [UPLOADS]}}, {"Arn": "$.via[*].arn"})
    forged = [{"kind": "sns", "arn": UPLOADS, "message_id": "m", "attributes": {}}]
    stage.answer(upload(via=forged))
    assert stage.started == []


# --- bounded ---------------------------------------------------------------------------------------------------------

ELEMENTS = {"objects": '{"a":{}}', "arrays": "[[]]", "texts": '"\\u00e9"', "numbers": "0.5", "empty texts": '""'}
# What each of these does with an event depends on all of it.
GREEDY = {
    "All": {"value": "$.detail.items", "on_missing": "omit"},
    "Some": {"value": "$.detail.items[?@.a == 1 || @ == 'x']", "default": "none"},
    "Text": {"value": "<$.detail.items[*]>/<$>", "on_missing": "omit"},
}


def wide(element: str, size: int) -> str:
    """An event with so many bytes: nearly all of it elements of one array."""
    event = {**payload("s3-object-created"), "detail": "?"}
    text = json.dumps(event)
    count = (size - len(text) - 12) // (len(element) + 1)
    return text.replace('"?"', '{"items":[' + ",".join([element] * count) + "]}")


@pytest.mark.parametrize("element", [ELEMENTS["objects"], ELEMENTS["arrays"]], ids=["objects", "arrays"])
def test_a_message_of_a_mebibyte_takes_less_than_a_quarter_of_a_functions_memory(stage: Stage, element: str) -> None:
    stage.put({"source": ["aws.s3"], "detail": {"items": {"a": [{"exists": False}]}}}, GREEDY)
    body = wide(element, MAX_BYTES)
    tracemalloc.start()
    try:
        stage.answer(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize("element", ELEMENTS.values(), ids=ELEMENTS)
def test_four_times_the_event_is_at_most_five_times_the_work(stage: Stage, element: str) -> None:
    stage.put({"source": ["aws.s3"], "detail": {"items": {"a": [{"exists": False}]}}}, GREEDY)
    small, large = (work(partial(stage.answer, wide(element, size))) for size in (16_000, 64_000))
    assert large < 5 * small


def work(run: Callable[[], object]) -> int:
    """How many lines of Python a call runs: the same on every machine."""
    lines = 0

    def count(_frame: object, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines
