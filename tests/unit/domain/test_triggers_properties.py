"""Whatever a trigger is, its document makes the same trigger."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.functions import FUNCTIONS
from pipeline_triggers.domain.triggers import Snapshot, Trigger
from pipeline_triggers.errors import InvalidTriggerError, Problem

words = st.text("abcXYZ019", min_size=1, max_size=8)
lines = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
paths = st.sampled_from(["$", "$.a", "$.detail['a > b']", "$[0]", "$.detail.items[*].id"])
templates = st.tuples(st.sampled_from(["", "s3://", r"\<", r"\\", "a > ", "<"]), paths.filter(lambda p: p != "$")).map(
    lambda parts: f"{parts[0]}<{parts[1]}>/{parts[0]}",
)
piped = st.builds(
    lambda path, functions: "<" + " | ".join([path, *functions]) + ">",
    paths.filter(lambda path: path != "$"),
    st.lists(st.sampled_from(sorted(FUNCTIONS)), min_size=1, max_size=3),
)
constraints: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={"type": st.just("String"), "prefix": st.just("a"), "max_length": st.integers(20, 1024)},
)
literals = st.one_of(lines, st.sampled_from(["$", "$.99", "<$.a", r"\<$.a", "<$[0]>", "$["]))
parameters = st.one_of(
    literals.map(lambda text: {"literal": text}),
    paths,
    templates,
    st.fixed_dictionaries({"value": st.one_of(paths, templates), "default": literals}),
    st.fixed_dictionaries({"value": st.one_of(paths, templates), "on_missing": st.sampled_from(["fail", "omit"])}),
    st.builds(lambda value, more: {"value": value, "enum": ["a", "ab"], **more}, st.one_of(paths, piped), constraints),
)
pipelines = st.one_of(words, words.map(lambda name: f"arn:aws-cn:sagemaker:cn-north-1:111122223333:pipeline/{name}"))
targets: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"pipeline": pipelines},
    optional={
        "id": words,
        "version_id": st.integers(1, 10**9),
        "parallelism": st.integers(1, 100),
        "display_name": words,
        "description": lines,
        "role_arn": words.map(lambda name: f"arn:aws:iam::111122223333:role/{name}"),
        "parameters": st.dictionaries(words, parameters, max_size=4),
    },
)


def _id(target: dict[str, Any]) -> str:
    return str(target.get("id") or target["pipeline"].rpartition("/")[2])


def problems_of(document: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        Trigger.from_document(document)
    except InvalidTriggerError as error:
        return error.problems
    return ()


starts = st.one_of(
    st.dictionaries(words, st.lists(words, min_size=1, max_size=2), min_size=1, max_size=3).map(
        lambda detail: {"event_pattern": {"source": ["custom"], "detail": detail}},
    ),
    st.fixed_dictionaries(
        {
            "schedule_expression": st.sampled_from(["rate(1 day)", "at(2030-01-01T00:00:00)", "cron(0 3 * * ? *)"]),
            "via": st.just("app"),
        },
        optional={
            "flexible_minutes": st.integers(1, 1440),
            "delete_after_run": st.just(value=True),
            "dead_letter_arn": words.map(lambda name: f"arn:aws:sqs:us-east-1:111122223333:{name}".replace(".", "_")),
            "max_age_seconds": st.integers(60, 86400),
            "max_attempts": st.integers(0, 185),
            "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
            "start": st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
        },
    ),
)
heads: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": words, "targets": st.lists(targets, min_size=1, max_size=3, unique_by=_id)},
    optional={
        "state": st.sampled_from(["ENABLED", "DISABLED", "SHADOW"]),
        "description": lines,
        "tags": st.dictionaries(words, words, max_size=3),
        "set": words,
        "occurrence_key": st.one_of(paths, templates),
        "max_starts_per_hour": st.integers(1, 10**6),
    },
)
documents = st.builds(lambda head, start: head | start, heads, starts)


@settings(max_examples=100, deadline=None)
@given(documents)
def test_a_document_made_of_a_trigger_makes_the_same_trigger(document: dict[str, Any]) -> None:
    trigger = Trigger.from_document(document)
    stored = json.loads(json.dumps(trigger.to_document()))
    assert Trigger.from_document(stored) == trigger
    assert Snapshot.from_json(Snapshot(1, (trigger,)).to_json(), 1).triggers == (trigger,)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    [
        "name",
        "set",
        "state",
        "tags",
        "event_pattern",
        "targets",
        "occurrence_key",
        "description",
        "start",
        "timezone",
        "schedule_expression",
        "max_starts_per_hour",
    ],
)


@settings(max_examples=100, deadline=None)
@given(documents, st.dictionaries(keys, anything, min_size=1, max_size=2))
def test_a_document_with_anything_in_it_is_read_or_refused_with_problems(
    document: dict[str, Any],
    damage: dict[str, Any],
) -> None:
    assert all(problem.field and problem.reason for problem in problems_of(document | damage))


@settings(max_examples=100, deadline=None)
@given(documents, st.sampled_from(["pipeline", "id", "parameters", "role_arn", "version_id", "display_name"]), anything)
def test_a_target_with_anything_in_it_is_read_or_refused_with_problems(
    document: dict[str, Any],
    key: str,
    damage: Any,
) -> None:
    first, *others = document["targets"]
    damaged = document | {"targets": [first | {key: damage}, *others]}
    assert all(problem.field and problem.reason for problem in problems_of(damaged))
