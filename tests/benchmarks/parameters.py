"""What parameters cost: one path of each kind, and ten parameters of one event, beside plain jsonpath-ng."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonpath_ng.ext.parser import parse as parse_with_jsonpath_ng

from pipeline_triggers.domain.parameters import Parameter, resolve
from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.domain.templates import parse_value
from tests.benchmarks.measuring import Table, median, microseconds, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENT = Path(__file__).parents[2] / "events/s3-object-created.json"
COLUMNS = ("", "here µs", "parsed once µs", "times", "parsed each time µs", "times")

# Paths as they are written here, and the same ones as jsonpath-ng reads them. The lists have 20 elements.
PATHS = {
    "$.detail.object.key": "$.detail.object.key",
    "$.detail.a.b.c.d.e.f": "$.detail.a.b.c.d.e.f",
    "$.detail.items[*].name": "$.detail.items[*].name",
    "$.detail.items[?@.size > 15].name": "$.detail.items[?(@.size > 15)].name",
    "$.detail.items[?!(@.size <= 15)].name": "$.detail.items[?(@.size > 15)].name",
}

PARAMETERS = (
    ("Bucket", "$.detail.bucket.name"),
    ("Key", "$.detail.object.key"),
    ("Size", "$.detail.object.size"),
    ("VersionId", "$.detail.object['version-id']"),
    ("Account", "$.account"),
    ("Input", "s3://<$.detail.bucket.name>/<$.detail.object.key>"),
    ("RunName", "run-<$.id>"),
    ("Output", "s3://models/<$.account>/<$.detail.object.etag>/"),
    ("InstanceType", "ml.m5.xlarge"),
    ("Epochs", "10"),
)
# The paths in them, those of templates included.
THEIR_PATHS = (
    "$.detail.bucket.name",
    "$.detail.object.key",
    "$.detail.object.size",
    "$.detail.object['version-id']",
    "$.account",
    "$.detail.bucket.name",
    "$.detail.object.key",
    "$.id",
    "$.account",
    "$.detail.object.etag",
)


def tables() -> Iterator[Table]:
    """Paths one by one; then ten parameters."""
    told = f"Medians. Python {platform.python_version()}; beside: jsonpath-ng {version('jsonpath-ng')}"
    found = tuple(_row_of_path(path, theirs) for path, theirs in PATHS.items())
    yield Table("Finding what a path names", COLUMNS, found, f"{told}.")
    read = tuple((path, microseconds(median(_reading(path)))) for path in PATHS)
    yield Table("Reading a path, once for each trigger", ("", "here µs"), read, f"{told}.")
    note = f"{told}, which only finds what the paths name; here values, templates and conversions are made."
    yield Table("Ten parameters of one event: five paths, three templates, two static", COLUMNS, (_row_of_ten(),), note)


def _row_of_path(text: str, theirs: str) -> tuple[str, ...]:
    event, path, parsed = _event(), JsonPath(text), parse_with_jsonpath_ng(theirs)
    if path.find(event) != [match.value for match in parsed.find(event)]:
        raise AssertionError(f"{text} and jsonpath-ng's {theirs} find different values")
    return _row(
        text,
        lambda: path.find(event),
        lambda: parsed.find(event),
        lambda: parse_with_jsonpath_ng(theirs).find(event),
    )


def _row_of_ten() -> tuple[str, ...]:
    event = _event()
    parameters = tuple(Parameter(name, parse_value(text)) for name, text in PARAMETERS)
    theirs = [parse_with_jsonpath_ng(path) for path in THEIR_PATHS]
    return _row(
        "ten parameters",
        lambda: resolve(parameters, event),
        lambda: [path.find(event) for path in theirs],
        lambda: [parse_with_jsonpath_ng(path).find(event) for path in THEIR_PATHS],
    )


def _row(what: str, here: Callable[[], Any], once: Callable[[], Any], each_time: Callable[[], Any]) -> tuple[str, ...]:
    ours, parsed, unparsed = median(here), median(once), median(each_time)
    return (
        what,
        microseconds(ours),
        microseconds(parsed),
        times(parsed, ours),
        microseconds(unparsed),
        times(unparsed, ours),
    )


def _reading(text: str) -> Callable[[], JsonPath]:
    return lambda: JsonPath(text)


def _event() -> dict[str, Any]:
    """The sample of an upload, with a list and a deep place beside it."""
    event: dict[str, Any] = json.loads(EVENT.read_text(encoding="utf-8"))
    event["detail"]["items"] = [{"name": f"part-{number}", "size": number} for number in range(20)]
    event["detail"]["a"] = {"b": {"c": {"d": {"e": {"f": "deep"}}}}}
    return event
