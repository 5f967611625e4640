"""decide: from an event and the triggers to what is to be done, with reasons."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.domain.decisions import Decision, decide, explain_unmatched
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.executions import Home, PipelineRef
from pipeline_triggers.domain.triggers import Snapshot, Trigger

HOME = Home("aws", "123456789012", "us-east-1")
PATTERN = {"source": ["com.example.features"], "detail": {"table": ["churn"]}}


def happened(**changes: Any) -> Event:
    envelope = {
        "version": "0",
        "id": "event-1",
        "source": "com.example.features",
        "detail-type": "Feature Table Refreshed",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-01-02T03:04:05Z",
        "resources": [],
        "detail": {"table": "churn", "rows": 120000},
    }
    return Event.from_envelope({**envelope, **changes})


def trigger(name: str = "refresh", **changes: Any) -> Trigger:
    document = {
        "name": name,
        "event_pattern": PATTERN,
        "targets": [{"pipeline": "churn-features", "parameters": {"Rows": "$.detail.rows", "Mode": "full"}}],
    }
    merged = {**document, **changes}
    return Trigger.from_document({key: value for key, value in merged.items() if value is not None})


def unknown(_: PipelineRef) -> None:
    return None


def only(decisions: list[Decision]) -> Decision:
    assert len(decisions) == 1
    return decisions[0]


def test_an_event_that_matches_starts_its_target_with_resolved_parameters() -> None:
    decision = only(decide(happened(), Snapshot(7, (trigger(),)), unknown, HOME))
    assert decision.outcome == "start"
    assert decision.revision == 7
    assert decision.request is not None
    assert decision.request.parameters == {"Rows": "120000", "Mode": "full"}
    assert decision.request.pipeline_arn.endswith(":123456789012:pipeline/churn-features")
    assert decision.request.token == decision.token


def test_an_event_that_matches_nothing_gives_one_unmatched_decision() -> None:
    decision = only(decide(happened(source="other"), Snapshot(3, (trigger(),)), unknown, HOME))
    assert (decision.outcome, decision.trigger, decision.revision) == ("unmatched", "", 3)


def test_the_first_clause_that_failed_is_told_for_each_trigger() -> None:
    told = explain_unmatched(happened(detail={"table": "sales"}), Snapshot(1, (trigger(),)))
    assert [name for name, _ in told] == ["refresh"]
    assert "detail.table" in str(told[0][1])


def test_every_target_of_every_matching_trigger_gets_its_decision() -> None:
    two = trigger("b", targets=[{"pipeline": "x"}, {"pipeline": "y"}])
    decisions = decide(happened(), Snapshot(1, (trigger("a"), two)), unknown, HOME)
    assert [(d.trigger, d.target) for d in decisions] == [("a", "churn-features"), ("b", "x"), ("b", "y")]
    assert len({d.token for d in decisions}) == 3


def test_a_missing_parameter_is_refused_without_touching_the_other_targets() -> None:
    bad = {"pipeline": "x", "parameters": {"Lost": "$.detail.nothing"}}
    decisions = decide(happened(), Snapshot(1, (trigger(targets=[bad, {"pipeline": "y"}]),)), unknown, HOME)
    assert [(d.outcome, d.reason) for d in decisions] == [("rejected", "missing-parameter"), ("start", "")]
    assert "$.detail.nothing" in decisions[0].message
    assert decisions[0].request is None


def test_a_shadow_trigger_decides_but_does_not_start() -> None:
    decision = only(decide(happened(), Snapshot(1, (trigger(state="SHADOW"),)), unknown, HOME))
    assert decision.outcome == "shadow"
    assert decision.request is not None


def orphaned(ref: PipelineRef) -> bool:
    return ref.name == "churn-features"


def test_an_event_for_a_pipeline_that_is_gone_is_rejected_and_nothing_is_asked_of_it() -> None:
    def asked(ref: PipelineRef) -> None:
        raise AssertionError(f"{ref} was described")

    decision = only(decide(happened(), Snapshot(1, (trigger(),)), asked, HOME, orphaned))
    assert (decision.outcome, decision.reason, decision.request) == ("rejected", "pipeline-orphaned", None)
    assert decision.pipeline_arn in decision.message


def test_a_target_whose_pipeline_is_gone_does_not_touch_the_other_targets() -> None:
    both = trigger(targets=[{"pipeline": "churn-features"}, {"pipeline": "y"}])
    decisions = decide(happened(), Snapshot(1, (both,)), unknown, HOME, orphaned)
    assert [(d.outcome, d.reason) for d in decisions] == [("rejected", "pipeline-orphaned"), ("start", "")]


@pytest.mark.parametrize(
    ("state", "outcome", "reason"), [("SHADOW", "shadow", "pipeline-orphaned"), ("DISABLED", "disabled", "")]
)
def test_what_starts_nothing_is_not_rejected_for_a_pipeline_that_is_gone(state: str, outcome: str, reason: str) -> None:
    decision = only(decide(happened(), Snapshot(1, (trigger(state=state),)), unknown, HOME, orphaned))
    assert (decision.outcome, decision.reason) == (outcome, reason)


def test_a_disabled_trigger_is_told_but_not_resolved() -> None:
    decision = only(decide(happened(), Snapshot(1, (trigger(state="DISABLED"),)), unknown, HOME))
    assert (decision.outcome, decision.parameters, decision.request) == ("disabled", (), None)


def test_a_parameter_that_the_pipeline_does_not_declare_is_refused() -> None:
    definition = Definition({"Rows": Declared("Integer")})
    decision = only(decide(happened(), Snapshot(1, (trigger(),)), lambda _: definition, HOME))
    assert (decision.outcome, decision.reason) == ("rejected", "unknown-parameter")
    assert "Mode" in decision.message


def test_what_cannot_even_be_sent_is_told_before_anything_is_checked_against_the_pipeline() -> None:
    bad = {"pipeline": "x", "parameters": {"Rows": "many", "Lost": "$.detail.nothing"}}
    definition = Definition({"Rows": Declared("Integer"), "Lost": Declared(), "Other": Declared()})
    decision = only(decide(happened(), Snapshot(1, (trigger(targets=[bad]),)), lambda _: definition, HOME))
    assert (decision.outcome, decision.reason) == ("rejected", "missing-parameter")
    assert [p.reason for p in decision.parameters] == [None, "missing-parameter"]


def test_a_parameter_that_only_the_pipeline_refuses_says_so_itself() -> None:
    definition = Definition({"Rows": Declared("Boolean"), "Mode": Declared(), "Lost": Declared()})
    decision = only(decide(happened(), Snapshot(1, (trigger(),)), lambda _: definition, HOME))
    assert (decision.outcome, decision.reason) == ("rejected", "wrong-type")
    assert [(p.name, p.value, p.reason) for p in decision.parameters] == [
        ("Rows", "120000", "wrong-type"),
        ("Mode", "full", None),
    ]
    rows, lost = decision.message.split("; parameter ")
    assert rows.startswith("parameter Rows: '120000' (from '$.detail.rows') is no Boolean")
    assert lost.startswith("Lost: it is not sent")


def test_the_occurrence_key_of_the_trigger_replaces_the_built_in_one() -> None:
    keyed = Snapshot(1, (trigger(occurrence_key="$.detail.rows"),))
    first = only(decide(happened(), keyed, unknown, HOME))
    again = only(decide(happened(id="event-2"), keyed, unknown, HOME))
    assert first.token == again.token
    assert first.occurrence == '["com.example.features","Feature Table Refreshed","120000"]'


def test_a_replay_is_an_occurrence_of_its_own_also_under_an_occurrence_key_of_the_trigger() -> None:
    keyed = Snapshot(1, (trigger(occurrence_key="$.detail.rows"),))
    replayed = only(decide(happened(**{"replay-name": "after-the-fix"}), keyed, unknown, HOME))
    assert replayed.token != only(decide(happened(), keyed, unknown, HOME)).token
    ending = '"120000",{"replay-name":"after-the-fix"}]'
    assert replayed.occurrence == f'["com.example.features","Feature Table Refreshed",{ending}'


def test_an_occurrence_key_that_finds_nothing_is_refused() -> None:
    keyed = Snapshot(1, (trigger(occurrence_key="$.detail.nothing"),))
    decision = only(decide(happened(), keyed, unknown, HOME))
    assert (decision.outcome, decision.reason) == ("rejected", "no-occurrence-key")


def test_a_retry_after_a_change_of_parameters_has_the_same_token() -> None:
    before = only(decide(happened(), Snapshot(1, (trigger(),)), unknown, HOME))
    changed = trigger(targets=[{"pipeline": "churn-features", "parameters": {"Rows": "7"}}])
    after = only(decide(happened(), Snapshot(2, (changed,)), unknown, HOME))
    assert before.token == after.token


TRAINING: dict[str, Any] = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Training Job State Change",
    "detail": {
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/j",
        "TrainingJobStatus": "InProgress",
        "CreationTime": 1583831889050,
    },
}


@pytest.mark.parametrize(("reads_it", "occurrences"), [(True, 2), (False, 1)])
def test_the_secondary_status_makes_an_occurrence_only_where_the_pattern_reads_it(
    reads_it: bool, occurrences: int
) -> None:
    pattern: dict[str, Any] = {"detail-type": ["SageMaker Training Job State Change"]}
    if reads_it:
        pattern["detail"] = {"SecondaryStatus": [{"exists": True}]}
    snapshot = Snapshot(1, (trigger(event_pattern=pattern, targets=[{"pipeline": "x"}]),))
    tokens = set()
    for status in ("Downloading", "Training"):
        event = happened(**{**TRAINING, "detail": {**TRAINING["detail"], "SecondaryStatus": status}})
        tokens.add(only(decide(event, snapshot, unknown, HOME)).token)
    assert len(tokens) == occurrences


def test_a_scheduled_time_is_for_the_trigger_that_it_names_and_no_other() -> None:
    nightly = trigger(
        "nightly", event_pattern=None, schedule_expression="cron(0 3 * * ? *)", targets=[{"pipeline": "x"}]
    )
    event = happened(
        source="pipeline-triggers",
        **{"detail-type": "Scheduled Time"},
        detail={"trigger": "nightly", "schedule_arn": "arn:s", "scheduled_time": "2026-01-02T03:00:00Z"},
    )
    decision = only(decide(event, Snapshot(1, (nightly, trigger())), unknown, HOME))
    assert (decision.outcome, decision.trigger) == ("start", "nightly")


def test_a_scheduled_time_cannot_start_a_trigger_with_an_event_pattern() -> None:
    event = happened(source="pipeline-triggers", **{"detail-type": "Scheduled Time"}, detail={"trigger": "refresh"})
    decision = only(decide(event, Snapshot(1, (trigger(),)), unknown, HOME))
    assert decision.outcome == "unmatched"
