"""Event patterns: how long an index of 1 to 100,000 of them takes for one event, beside the ways to do without one.

Five mixes of patterns, each with 2,000 events of its kind:

* exact: buckets with key prefixes (half), training jobs, endpoints, and a company's own events with numbers,
  anything-but and addresses. This is what most stacks look like.
* ends and ranges: all on the key and size of one bucket's objects.
* exact with 5 % hard ones: wildcards, address blocks, ranges, any case, $or.
* wildcards: nothing but ``*/model-N/*`` on one field.
* anything-but: nothing but anything-but and exists.
"""

from __future__ import annotations

import gc
import json
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from moto.events.models import EventPattern as MotoPattern

from pipeline_triggers.domain.pattern_index import PatternIndex
from pipeline_triggers.domain.patterns import EventPattern
from tests.benchmarks.measuring import Table, microseconds, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COUNTS = (1, 100, 1_000, 10_000, 100_000)
EVENTS = 2_000
# The ways without an index are tried with so many patterns, and with fewer events.
FEW_EVENTS = 20
MOST_FOR_MOTO = 1_000
SECONDS = 1.0
FEWEST_TO_WEIGH = 10_000

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Mix:
    """Patterns by number, and events by number that some of them want."""

    name: str
    pattern: Callable[[int], Document]
    event: Callable[[int], Document]


def _envelope(source: str, detail_type: str, detail: Document) -> Document:
    return {
        "version": "0",
        "id": "d5d8e6b9-8b1e-4b3c-9c0e-2a5f0d1c7b11",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-03-02T07:15:20Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{detail.get('bucket', {}).get('name', 'none')}"],
        "detail": detail,
    }


def _uploaded(bucket: str, key: str, size: int) -> Document:
    what = {"key": key, "size": size, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "0065FB77A03AD4478F"}
    detail = {"version": "0", "bucket": {"name": bucket}, "object": what, "request-id": "C3D13FE58DE4C810"}
    return _envelope("aws.s3", "Object Created", detail)


def _exact_pattern(number: int) -> Document:
    kind = number % 20
    if kind < 10:
        return {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [f"bucket-{number % 211}"]},
                "object": {"key": [{"prefix": f"in/{number}/"}]},
            },
        }
    if kind < 14:
        return {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Training Job State Change"],
            "detail": {"TrainingJobStatus": ["Completed"], "TrainingJobName": [{"prefix": f"train-{number}-"}]},
        }
    if kind < 17:
        return {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change"],
            "detail": {"EndpointName": [f"endpoint-{number}"], "EndpointStatus": ["IN_SERVICE", "FAILED"]},
        }
    return {
        "source": [f"com.example.team-{number % 50}"],
        "detail": {
            "table": [f"table-{number}"],
            "rows": [{"numeric": [">", 0, "<=", number + 1000]}],
            "state": [{"anything-but": ["draft", "broken"]}],
            "from": [{"cidr": "10.0.0.0/8"}],
        },
    }


def _exact_event(number: int) -> Document:
    kind = number % 20
    if kind < 10:
        return _uploaded(f"bucket-{number % 211}", f"in/{number}/part-000.csv", number)
    if kind < 14:
        detail = {"TrainingJobName": f"train-{number}-7", "TrainingJobStatus": "Completed", "CreationTime": 1772435720}
        return _envelope("aws.sagemaker", "SageMaker Training Job State Change", detail)
    if kind < 17:
        detail = {"EndpointName": f"endpoint-{number}", "EndpointStatus": "IN_SERVICE", "Tags": {}}
        return _envelope("aws.sagemaker", "SageMaker Endpoint State Change", detail)
    own = {"table": f"table-{number}", "rows": 17, "state": "ready", "from": "10.1.2.3"}
    return _envelope(f"com.example.team-{number % 50}", "Table Refreshed", own)


def _ends_pattern(number: int) -> Document:
    key: Document = {"prefix": f"in/{number:06d}/"} if number % 2 else {"suffix": f"-{number:06d}.csv"}
    low = (number * 37) % 1_000_000
    size = {"numeric": [">=", low, "<", low + 500]}
    return {"source": ["aws.s3"], "detail": {"bucket": {"name": ["raw"]}, "object": {"key": [key], "size": [size]}}}


def _ends_event(number: int) -> Document:
    return _uploaded("raw", f"in/{number:06d}/x-{number:06d}.csv", (number * 37) % 1_000_000 + 100)


def _hard_pattern(number: int) -> Document:
    if number % 20:
        return _exact_pattern(number)
    kind = number // 20 % 5
    fields: list[Document] = [
        {"detail": {"object": {"key": [{"wildcard": f"*/run-{number}/*.csv"}]}}},
        {"detail": {"from": [{"cidr": f"172.{number // 256 % 256}.{number % 256}.0/24"}]}},
        {"detail": {"object": {"size": [{"numeric": [">", number * 1000, "<", number * 1000 + 400]}]}}},
        {"detail": {"EndpointName": [{"equals-ignore-case": f"ENDPOINT-{number}"}]}},
        {"$or": [{"detail": {"table": [f"other-{number}"]}}, {"detail": {"bucket": {"name": [f"extra-{number}"]}}}]},
    ]
    return fields[kind]


def _wildcard_pattern(number: int) -> Document:
    return {"detail": {"object": {"key": [{"wildcard": f"*/model-{number}/*"}]}}}


def _wildcard_event(number: int) -> Document:
    return _uploaded("models", f"teams/churn/model-{number}/artifact.tar.gz", number)


_FIELDS = 40


def _but_pattern(number: int) -> Document:
    first, second, third = number % _FIELDS, (number * 7 + 1) % _FIELDS, (number * 11 + 3) % _FIELDS
    detail: Document = {f"f{third}": [{"exists": False}]}
    detail[f"f{second}"] = [{"anything-but": [f"v{number % 7}", f"v{number % 5}"]}]
    detail[f"f{first}"] = [{"exists": True}]
    detail["always"] = [{"anything-but": [f"w{number}", "usual"]}]
    return {"detail": detail}


def _but_event(number: int) -> Document:
    chosen = random.Random(number)
    detail = {f"f{field}": f"v{chosen.randrange(9)}" for field in chosen.sample(range(_FIELDS), 6)}
    return _envelope("com.example", "Any", {**detail, "always": "usual" if number % 50 else "w1"})


MIXES = (
    Mix("exact", _exact_pattern, _exact_event),
    Mix("ends and ranges", _ends_pattern, _ends_event),
    Mix("exact, 5 % hard", _hard_pattern, _exact_event),
    Mix("wildcards", _wildcard_pattern, _wildcard_event),
    Mix("anything-but", _but_pattern, _but_event),
)


def tables() -> Iterator[Table]:
    """Speed and memory by mix and number of patterns; then arrays, and a cold start."""
    for mix in MIXES:
        yield Table(
            f"Matching one event against many patterns: {mix.name}",
            (
                "patterns",
                "check, s",
                "build, s",
                "MB",
                "µs",
                "events/s",
                "x json.loads",
                "x 1 pattern",
                "scan, µs",
                "moto, µs",
            ),
            tuple(_rows(mix)),
            "Medians over events that are parsed already. x json.loads: beside parsing the same event. Scan: the same "
            f"patterns asked one after the other, and moto's matcher, up to {MOST_FOR_MOTO:,}. In a process of "
            "its own: check is to read patterns that are new, build to make the index of patterns that were checked "
            "when they were stored, as a function does; MB is what both add.",
        )
    yield Table(
        "An event with an array of objects against four conditions below it",
        ("objects", "ms", "ms for 1,000"),
        tuple(_array_row(size) for size in (500, 1_000, 2_000, 4_000)),
        "The conditions must be met by one element; no element meets all of them.",
    )


def _rows(mix: Mix) -> Iterator[tuple[str, ...]]:
    alone = _index([EventPattern(mix.pattern(0))], [])
    for count in COUNTS:
        step = max(1, count // EVENTS)
        # Half of the events are wanted by a pattern.
        numbers = [(place * step) % (2 * count) for place in range(EVENTS)]
        events = [mix.event(number) for number in numbers]
        texts = [json.dumps(event) for event in events]
        documents = [mix.pattern(number) for number in range(count)]
        index = _index(map(EventPattern, documents), _sources(documents))
        for event in events:
            index.match(event)
            alone.match(event)
        matching, one, loading = _each((index.match, events), (alone.match, events), (json.loads, texts))
        scan, moto = _without_index(documents, events)
        yield (
            f"{count:,}",
            *_weighed(mix, count),
            microseconds(matching),
            f"{1_000_000 / matching:,.0f}",
            times(matching, loading),
            times(matching, one),
            scan,
            moto,
        )


def _index(patterns: Iterable[EventPattern], sources: Iterable[str]) -> PatternIndex:
    """The index of patterns, with all that is made when the first events come."""
    index = PatternIndex({f"trigger-{number}": pattern for number, pattern in enumerate(patterns)})
    for source in sources:
        index.match({"source": source})
    return index


def _sources(documents: Iterable[Document]) -> set[str]:
    return {source for document in documents for source in document.get("source", ["any"])}


def _weighed(mix: Mix, count: int) -> tuple[str, str, str]:
    # A process that has done other work would fill memory that it had freed, and look for garbage in all it has.
    if count < FEWEST_TO_WEIGH:
        return "-", "-", "-"
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        checking, building, megabytes = process.submit(_built, MIXES.index(mix), count).result()
    return f"{checking:.2f}", f"{building:.2f}", f"{megabytes:,.0f}"


def _built(mix: int, count: int) -> tuple[float, float, float]:
    """The seconds that checking patterns and making their index take, and the megabytes that both add."""
    pattern = MIXES[mix].pattern
    sources = _sources(map(pattern, range(count)))
    gc.collect()
    gc.freeze()  # moto, which a function does not have
    before = _resident_megabytes()
    began = perf_counter()
    patterns = [EventPattern(pattern(number)) for number in range(count)]
    checked = perf_counter()
    index = _index(patterns, sources)
    built = perf_counter()
    del patterns
    gc.collect()
    added = _resident_megabytes() - before
    del index
    return checked - began, built - checked, added


def _resident_megabytes() -> float:
    status = Path("/proc/self/statm")  # Linux only; elsewhere 0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6 if status.exists() else 0.0


def _each(*calls: tuple[Callable[[Any], object], list[Any]]) -> list[float]:
    """The medians, over rounds that take turns, of the microseconds that each call takes with one of its arguments."""
    rounds: list[list[float]] = []
    gc.disable()
    try:
        until = perf_counter() + SECONDS
        while perf_counter() < until or len(rounds) < 3:
            rounds.append([_once(call, arguments) for call, arguments in calls])
    finally:
        gc.enable()
    return [sorted(taken)[len(rounds) // 2] for taken in zip(*rounds, strict=True)]


def _without_index(documents: list[Document], events: list[Document]) -> tuple[str, str]:
    few = list(islice(cycle(events), FEW_EVENTS))
    if len(documents) > MOST_FOR_MOTO:
        return "-", "-"
    patterns = [EventPattern(document) for document in documents]
    for pattern in patterns:
        pattern.matches(events[0])
    scan = _once(lambda event: [pattern for pattern in patterns if pattern.matches(event)], few)
    theirs = [MotoPattern(json.dumps(document), document) for document in documents]
    shorter = few[: max(2, FEW_EVENTS * 100 // len(documents))]
    moto = _once(lambda event: [pattern for pattern in theirs if _by_moto(pattern, event)], shorter)
    return microseconds(scan), microseconds(moto)


def _by_moto(pattern: Any, event: Document) -> bool:
    try:
        return bool(pattern.matches_event(event))
    except (KeyError, NotImplementedError, TypeError, ValueError):  # what it does not know
        return False


def _once(call: Callable[[Any], object], arguments: list[Any]) -> float:
    began = perf_counter()
    for argument in arguments:
        call(argument)
    return (perf_counter() - began) / len(arguments) * 1_000_000


def _array_row(size: int) -> tuple[str, ...]:
    wanted = {"a": [1], "b": [1], "c": [{"exists": False}], "d": [{"prefix": "x"}]}
    index = PatternIndex({"one": EventPattern({"detail": {"items": wanted}})})
    items = [{"a": place % 2, "b": (place + 1) % 2, "d": "x"} for place in range(size)]
    took = _each((index.match, [_envelope("com.example", "Many", {"items": items})]))[0] / 1000
    return f"{size:,}", f"{took:.2f}", f"{took * 1000 / size:.2f}"
