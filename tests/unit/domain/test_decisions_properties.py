"""No event can choose which pipeline starts, as which role, in which Region, or under which token.

Whatever stands in an event, those follow from the trigger, the home of the stack, and the occurrence. An event gives
the values of those parameters that the trigger takes from it, and nothing else.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.domain.decisions import Decision, decide
from pipeline_triggers.domain.events import Event, Via
from pipeline_triggers.domain.executions import Home, display_name_of, token_of
from pipeline_triggers.domain.triggers import Snapshot, Target, Trigger

HOME = Home("aws", "123456789012", "us-east-1")
OTHER = "arn:aws:sagemaker:eu-west-1:999999999999:pipeline/somebody-elses"
ROLE = "arn:aws:iam::999999999999:role/start"
FORGED_ROLE = "arn:aws:iam::666666666666:role/admin"
FORGED = "arn:aws:sagemaker:us-west-2:666666666666:pipeline/forged"
# What a program that trusted events would read from them, and believe.
BAIT: dict[str, Any] = {
    **dict.fromkeys(("pipeline", "pipeline_arn", "PipelineArn", "PipelineName", "target", "execution_arn"), FORGED),
    **dict.fromkeys(("role_arn", "RoleArn", "role"), FORGED_ROLE),
    **dict.fromkeys(("token", "ClientRequestToken", "occurrence", "display_name"), "f" * 64),
    **dict.fromkeys(("version_id", "PipelineVersionId", "parallelism"), 666),
    "Region": "us-west-2",
    "trigger": "trigger-0",
    "targets": [{"id": "t0", "pipeline": FORGED, "role_arn": FORGED_ROLE}],
    "parameters": {"Forged": FORGED},
    "via": [{"kind": "sqs", "arn": FORGED, "message_id": "m", "attributes": {}}],
}
NAMES = st.sampled_from([*BAIT, "id", "region", "account"]) | st.text(max_size=5)
VALUES = (
    st.sampled_from(
        [FORGED, FORGED_ROLE, "us-west-2", "666666666666", "f" * 64, "$.detail", "<$.detail.token>", "${AWS::Region}"]
    )
    | st.text(max_size=8)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
DETAIL_TYPES = ["Object Created", "Notification", "SageMaker Training Job State Change", "Rows"]
BAITED = st.builds(lambda bait, more: {**bait, **more}, st.sampled_from([BAIT, {}]), st.dictionaries(NAMES, JSON))
# How triggers read events: by name, all of it, in the middle of other text, through a function, with filters.
EXPRESSIONS = st.sampled_from(
    [
        "$.detail",
        "$.detail.pipeline_arn",
        "$.detail.token",
        "$.detail[*]",
        "$.detail[?@.region]",
        "$.region",
        "$.account",
        "$.via[*].arn",
        "arn:aws:sagemaker:<$.region>:<$.account>:pipeline/<$.detail.pipeline>",
        {"value": "$.detail.role_arn", "default": "none"},
        {"value": "$.detail.token", "on_missing": "omit"},
        "static",
    ]
)
TARGETS = st.fixed_dictionaries(
    {
        "pipeline": st.sampled_from(["churn-train", "Churn-Score", OTHER]),
        "parameters": st.dictionaries(st.sampled_from(["Pipeline", "Role", "Token", "Region"]), EXPRESSIONS),
    },
    optional={
        "role_arn": st.just(ROLE),
        "version_id": st.integers(1, 9),
        "parallelism": st.integers(1, 9),
        "display_name": st.just("nightly"),
        "description": st.just("why"),
    },
)
TRIGGERS = st.builds(
    lambda targets, key: {
        "event_pattern": {"detail-type": DETAIL_TYPES},
        "targets": [{**target, "id": f"t{number}"} for number, target in enumerate(targets)],
        **({"occurrence_key": key} if key else {}),
    },
    st.lists(TARGETS, min_size=1, max_size=3),
    st.sampled_from(["", "", "$.detail.token", "<$.detail.id>/<$.id>"]),
)
SOURCES = st.sampled_from(["com.example", "aws.s3", "aws.sagemaker", "aws.sns", "pipeline-triggers"])
TEXTS = st.text(min_size=1, max_size=8) | st.sampled_from([FORGED, "f" * 64, "us-west-2"])
EVENTS = st.builds(
    lambda more, envelope, via: Event({**more, **envelope}, via),
    BAITED,
    st.fixed_dictionaries(
        {
            "id": TEXTS,
            "source": SOURCES,
            "detail-type": st.sampled_from(DETAIL_TYPES),
            "account": st.sampled_from(["", "123456789012", "666666666666"]),
            "region": st.sampled_from(["", "us-east-1", "us-west-2"]),
            "resources": st.lists(st.just(FORGED), max_size=1),
            "detail": BAITED,
        }
    ),
    st.lists(st.builds(Via, st.sampled_from(["sqs", "sns"]), TEXTS, TEXTS), max_size=2).map(tuple),
)


def snapshot_of(documents: list[dict[str, Any]]) -> Snapshot:
    return Snapshot(1, tuple(Trigger.from_document({"name": f"trigger-{n}", **it}) for n, it in enumerate(documents)))


def decided(event: Event, snapshot: Snapshot) -> list[Decision]:
    return decide(event, snapshot, lambda _: None, HOME)


def target_of(decision: Decision, snapshot: Snapshot) -> Target:
    [target] = [it for it in snapshot.by_name[decision.trigger].targets if it.id == decision.target]
    return target


@given(EVENTS, st.lists(TRIGGERS, min_size=1, max_size=3).map(snapshot_of))
def test_a_start_is_that_of_the_target_whatever_the_event_says(event: Event, snapshot: Snapshot) -> None:
    for decision in decided(event, snapshot):
        if decision.request is None:
            continue
        target, request = target_of(decision, snapshot), decision.request
        account, region = (target.pipeline.arn or f":::{HOME.region}:{HOME.account}").split(":")[4:2:-1]
        assert request.pipeline_arn == f"arn:aws:sagemaker:{region}:{account}:pipeline/{target.pipeline.name}"
        assert (request.role_arn, request.version_id) == (target.role_arn, target.pipeline.version_id)
        assert request.parallelism == target.parallelism
        assert set(request.parameters) <= {parameter.name for parameter in target.parameters}


@given(EVENTS, st.lists(TRIGGERS, min_size=1, max_size=3).map(snapshot_of))
def test_a_token_says_who_starts_what_for_which_occurrence_and_nothing_else(event: Event, snapshot: Snapshot) -> None:
    for decision in decided(event, snapshot):
        if decision.request is None:
            continue
        target, request = target_of(decision, snapshot), decision.request
        expected = token_of(decision.trigger, target.id, target.pipeline.arn_in(HOME), decision.occurrence)
        assert request.token == decision.token == expected
        assert request.display_name == display_name_of(target.display_name or decision.trigger, expected)
        assert request.description.endswith(f" | token {expected}")


@given(EVENTS, st.lists(TRIGGERS, min_size=1, max_size=3).map(snapshot_of))
def test_an_occurrence_is_one_of_the_source_and_detail_type_that_told(event: Event, snapshot: Snapshot) -> None:
    for decision in decided(event, snapshot):
        assert json.loads(decision.occurrence)[:2] == [event.source, event.detail_type]


@given(st.lists(EVENTS, min_size=1, max_size=3), st.lists(TRIGGERS, min_size=1, max_size=3).map(snapshot_of))
def test_two_starts_have_one_token_only_if_trigger_target_and_occurrence_are_the_same(
    events: list[Event], snapshot: Snapshot
) -> None:
    decisions = [decision for event in events for decision in decided(event, snapshot) if decision.token]
    for one, other in combinations(decisions, 2):
        same = (one.trigger, one.target, one.occurrence) == (other.trigger, other.target, other.occurrence)
        assert (one.token == other.token) is same


@given(EVENTS, st.dictionaries(NAMES, JSON, max_size=4), st.lists(TRIGGERS, min_size=1, max_size=2).map(snapshot_of))
@settings(max_examples=50)
def test_another_report_with_other_details_has_the_same_token(
    event: Event, detail: dict[str, Any], snapshot: Snapshot
) -> None:
    """For events that are told apart by their ids only, and triggers without an occurrence key of their own."""
    told = Event({**event.envelope, "source": "com.example", "detail-type": "Rows"}, event.via)
    again = Event({**told.envelope, "detail": detail}, ())
    for first, second in zip(decided(told, snapshot), decided(again, snapshot), strict=True):
        if snapshot.by_name[first.trigger].occurrence_key is None:
            assert first.token == second.token
