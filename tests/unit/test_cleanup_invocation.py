"""What Lambda hands to the clean-up and what it gets back, on fakes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline_triggers.cleanup.cleaner import SLICE
from pipeline_triggers.cleanup_invocation import CleanupWorker
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.errors import TransientError
from tests.fakes.estate import HERE, World, trigger_of
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queues import FakeQueues
from tests.samples import sqs_batch
from tests.unit.test_hostile import KEYS, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

THROTTLED = TransientError("throttled", "slow down")
DENIED = TransientError("denied-yet", "AccessDeniedException")
GONE = f"{HERE}churnreport"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:local-cleanup"


class Context:
    """As much of Lambda's context as a worker asks for."""

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


class Stage:
    """A worker on fakes; the pipeline of the sample does not exist and has a schedule, ``alive`` has one too."""

    def __init__(self) -> None:
        self.world = World()
        self.world.pipelines.add("alive")
        self.nightly = self.world.schedules.add("nightly", GONE)
        self.of_alive = self.world.schedules.add("of-alive", f"{HERE}alive")
        self.quarantine = FakeQuarantine(clock=self.world.clock)
        self.queues = FakeQueues()

    def answer(self, event: Any) -> dict[str, Any]:
        world = self.world
        worker = CleanupWorker(world.cleaner, world.watcher, self.quarantine, self.queues, world.clock, lambda _: None)
        return worker.answer(event, cast("LambdaContext", Context()))

    def batch(self, *bodies: str, minutes_ago: float = 0, receipt: int = 1) -> dict[str, Any]:
        then = self.world.clock.now() - timedelta(minutes=minutes_ago)
        return sqs_batch(*bodies, queue_arn=QUEUE_ARN, now=then, receipts=(receipt,) * len(bodies))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def report(event: Callable[[str], Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", event("cloudtrail-delete-pipeline"))


def test_a_bare_event_is_answered_with_the_report(stage: Stage, report: dict[str, Any]) -> None:
    assert stage.answer(report) == {"deleted": [stage.nightly], "kept": [], "failed": []}


def test_a_message_of_the_queue_is_done(stage: Stage, report: dict[str, Any]) -> None:
    assert stage.answer(stage.batch(json.dumps(report))) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"of-alive"}


def test_an_event_that_comes_twice_finds_nothing_the_second_time(stage: Stage, report: dict[str, Any]) -> None:
    assert stage.answer(stage.batch(json.dumps(report), json.dumps(report))) == {"batchItemFailures": []}
    assert stage.answer(report) == {"deleted": [], "kept": [], "failed": []}


@pytest.mark.parametrize("body", [body for body, _ in UNREADABLE.values()], ids=UNREADABLE)
def test_what_cannot_be_read_is_kept_and_harms_no_neighbour(stage: Stage, report: dict[str, Any], body: str) -> None:
    assert stage.answer(stage.batch(body, json.dumps(report))) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"of-alive"}


@pytest.mark.parametrize("name", [*KEYS.values(), "*", "alive/../churnreport", f"{GONE}*", "x" * 100_000])
def test_a_hostile_name_of_a_pipeline_deletes_nothing(stage: Stage, report: dict[str, Any], name: str) -> None:
    report["detail"] |= {"requestParameters": {"pipelineName": name}, "responseElements": None}
    assert stage.answer(stage.batch(json.dumps(report))) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"nightly", "of-alive"}


def test_a_sweep_event_starts_the_sweep(stage: Stage, event: Callable[[str], Any]) -> None:
    stage.world.clock.advance(hours=6)
    kept = [{"arn": stage.nightly, "reason": "seen-once"}, {"arn": stage.of_alive, "reason": "pipeline-exists"}]
    assert stage.answer(event("sweep")) == {"deleted": [], "kept": kept, "failed": []}
    stage.world.clock.advance(hours=6)
    assert stage.answer(stage.batch(json.dumps(event("sweep")))) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"of-alive"}


def each_page_takes(stage: Stage, seconds: float) -> None:
    page = stage.world.schedules.page

    def slow(group: str, token: str | None = None) -> Any:
        stage.world.clock.advance(seconds=seconds)
        return page(group, token)

    stage.world.schedules.page = slow  # type: ignore[method-assign]


def test_a_long_sweep_goes_back_into_its_queue_and_comes_again_at_once(
    stage: Stage, event: Callable[[str], Any]
) -> None:
    stage.world.schedules.page_size = 1
    each_page_takes(stage, SLICE.total_seconds() + 1)
    body = json.dumps(event("sweep"))
    for receipt in (1, 2):
        answer = stage.answer(stage.batch(body, receipt=receipt))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stage.answer(stage.batch(body, receipt=3)) == {"batchItemFailures": []}
    assert [(delay.receipt_handle, delay.seconds) for delay in stage.queues.delays] == [("r0", 0), ("r0", 0)]
    assert [call["token"] for call in stage.world.schedules.called("page")] == [None, "nightly", None]


def test_a_bare_sweep_that_is_not_finished_raises_and_goes_on_when_it_is_repeated(
    stage: Stage, event: Callable[[str], Any]
) -> None:
    each_page_takes(stage, SLICE.total_seconds() + 1)
    with pytest.raises(TransientError, match="goes on where it has stopped"):
        stage.answer(event("sweep"))
    assert stage.answer(event("sweep"))["failed"] == []


def test_a_sweep_that_another_message_has_under_way_is_acknowledged(stage: Stage, event: Callable[[str], Any]) -> None:
    each_page_takes(stage, SLICE.total_seconds() + 1)
    body = json.dumps(event("sweep"))
    assert stage.answer(stage.batch(body))["batchItemFailures"]
    assert stage.answer(event("sweep")) == {
        "deleted": [],
        "kept": [{"arn": "", "reason": "sweep-under-way"}],
        "failed": [],
    }


def test_a_sweep_whose_queue_cannot_be_told_to_hurry_comes_again_all_the_same(
    stage: Stage, event: Callable[[str], Any]
) -> None:
    each_page_takes(stage, SLICE.total_seconds() + 1)
    stage.queues.fail("delay", THROTTLED)
    assert stage.answer(stage.batch(json.dumps(event("sweep"))))["batchItemFailures"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cloudtrail-delete-pipeline-failed", "call-failed"),
        ("cloudtrail-delete-pipeline-codepipeline", "other-event"),
        ("cloudtrail-delete-pipeline-other-account", "other-account"),
        ("cloudtrail-delete-pipeline-null-parameters", "no-pipeline-named"),
        ("s3-object-created", "other-event"),
        ("scheduled-time", "other-event"),
        ("sns-json", "other-event"),
    ],
)
def test_an_event_that_deletes_nothing_is_acknowledged_with_the_reason(
    stage: Stage, event: Callable[[str], Any], name: str, reason: str
) -> None:
    assert [kept["reason"] for kept in stage.answer(event(name))["kept"]] == [reason]
    assert stage.answer(stage.batch(json.dumps(event(name)))) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"nightly", "of-alive"}
    assert stage.world.schedules.calls == []
    assert stage.quarantine.items == {}


def test_an_sns_message_that_looks_like_a_deletion_is_not_believed(stage: Stage, report: dict[str, Any]) -> None:
    fields = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:forged", "MessageId": "1", "Message": json.dumps(report)}
    answer = stage.answer({"Type": "Notification", "Timestamp": "2026-03-02T00:00:00Z", **fields})
    assert [kept["reason"] for kept in answer["kept"]] == ["other-event"]
    assert stage.world.schedules.names == {"nightly", "of-alive"}


@pytest.mark.parametrize("body", ["not json", "{}", "null", "[]", '"text"', '{"source": "pipeline-triggers"}'])
def test_a_malformed_message_is_acknowledged_and_kept_in_quarantine(
    stage: Stage, report: dict[str, Any], body: str
) -> None:
    assert stage.answer(stage.batch(body, json.dumps(report))) == {"batchItemFailures": []}
    item = stage.quarantine.items["m0"]
    assert (item.body, item.reason, item.source_queue) == (body, "malformed-event", QUEUE_ARN)
    assert item.decisions == ({"deleted": [], "kept": [], "failed": [{"arn": "", "reason": "malformed-event"}]},)
    assert stage.world.schedules.names == {"of-alive"}


def test_a_malformed_bare_event_is_answered_and_kept_in_quarantine(stage: Stage) -> None:
    assert stage.answer({"hello": "world"})["failed"] == [{"arn": "", "reason": "malformed-event"}]
    assert len(stage.quarantine.items) == 1


def test_a_message_comes_again_after_all_others_of_it_are_done(stage: Stage, report: dict[str, Any]) -> None:
    stage.world.schedules.add("weekly", GONE)
    stage.world.schedules.fail("delete", THROTTLED)
    answer = stage.answer(stage.batch(json.dumps(report)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert [(delay.queue_arn, delay.receipt_handle, delay.seconds > 0) for delay in stage.queues.delays] == [
        (QUEUE_ARN, "r0", True)
    ]
    assert stage.world.schedules.names == {"nightly", "of-alive"}
    assert stage.answer(stage.batch(json.dumps(report), receipt=2)) == {"batchItemFailures": []}
    assert stage.world.schedules.names == {"of-alive"}


def test_a_bare_event_that_must_be_tried_again_raises(stage: Stage, report: dict[str, Any]) -> None:
    stage.world.pipelines.fail("absent", THROTTLED)
    with pytest.raises(TransientError, match=r"1 to be tried again.*slow down"):
        stage.answer(report)


def test_a_message_that_fails_does_not_hold_up_its_neighbours(
    stage: Stage, report: dict[str, Any], event: Callable[[str], Any]
) -> None:
    stage.world.pipelines.fail("absent", THROTTLED)
    bodies = (json.dumps(report), json.dumps(event("cloudtrail-delete-pipeline-failed")), json.dumps(report))
    assert stage.answer(stage.batch(*bodies)) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stage.world.schedules.names == {"of-alive"}


def test_a_denial_is_waited_out_and_then_kept_in_quarantine(stage: Stage, report: dict[str, Any]) -> None:
    stage.world.pipelines.fail("absent", DENIED, DENIED)
    assert stage.answer(stage.batch(json.dumps(report), minutes_ago=14))["batchItemFailures"]
    assert stage.quarantine.items == {}
    assert stage.answer(stage.batch(json.dumps(report), minutes_ago=15)) == {"batchItemFailures": []}
    item = stage.quarantine.items["m0"]
    assert item.reason == "access-denied"
    assert item.decisions[0]["failed"] == [{"arn": stage.nightly, "reason": "access-denied"}]
    assert stage.world.schedules.names == {"nightly", "of-alive"}


def test_when_the_quarantine_cannot_be_written_the_message_comes_again(stage: Stage) -> None:
    stage.quarantine.fail("put", TransientError("unavailable", "DynamoDB"))
    assert stage.answer(stage.batch("not json")) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


@pytest.mark.parametrize(
    "method",
    ["groups", "page", "get", "delete"],
)
def test_whatever_call_fails_the_message_comes_again(stage: Stage, report: dict[str, Any], method: str) -> None:
    stage.world.schedules.fail(method, THROTTLED)
    assert stage.answer(stage.batch(json.dumps(report)))["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert stage.world.schedules.names == {"nightly", "of-alive"}


def with_a_trigger_that_the_pipeline_would_refuse(stage: Stage) -> None:
    """The pipeline of the sample update has got a parameter that its trigger does not send."""
    stage.world.pipelines.add("churn-score", Definition({"Table": Declared()}))
    stage.world.triggers.put(trigger_of("on-upload", "churn-score"))


@pytest.mark.parametrize("name", ["cloudtrail-update-pipeline", "cloudtrail-create-pipeline"])
def test_a_pipeline_that_was_changed_has_its_triggers_compared(
    stage: Stage, event: Callable[[str], Any], name: str
) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    (contract,) = stage.answer(event(name))["broken"]
    assert (contract["trigger"], contract["target"]) == ("on-upload", "0")
    assert stage.answer(stage.batch(json.dumps(event(name)))) == {"batchItemFailures": []}
    assert set(stage.world.contracts.marks) == {f"{HERE}churn-score"}
    assert stage.world.schedules.calls == [], "nothing is cleaned up"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cloudtrail-update-pipeline-failed", "call-failed"),
        ("cloudtrail-update-pipeline-null-parameters", "no-pipeline-named"),
    ],
)
def test_an_update_that_failed_or_names_no_pipeline_compares_nothing(
    stage: Stage, event: Callable[[str], Any], name: str, reason: str
) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    answer = stage.answer(event(name))
    assert ([kept["reason"] for kept in answer["kept"]], "broken" in answer) == ([reason], False)
    assert stage.world.pipelines.called("describe") == []


def test_an_update_that_cannot_be_looked_into_now_comes_again(stage: Stage, event: Callable[[str], Any]) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    stage.world.pipelines.fail("describe", THROTTLED)
    body = json.dumps(event("cloudtrail-update-pipeline"))
    assert stage.answer(stage.batch(body)) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stage.answer(stage.batch(body, receipt=2)) == {"batchItemFailures": []}
    assert set(stage.world.contracts.marks) == {f"{HERE}churn-score"}


def test_a_sweep_that_is_complete_compares_all_triggers_with_their_pipelines(
    stage: Stage, event: Callable[[str], Any]
) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    assert [it["trigger"] for it in stage.answer(event("sweep"))["broken"]] == ["on-upload"]


def test_a_sweep_that_is_not_finished_compares_nothing_yet(stage: Stage, event: Callable[[str], Any]) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    each_page_takes(stage, SLICE.total_seconds() + 1)
    body = json.dumps(event("sweep"))
    assert stage.answer(stage.batch(body))["batchItemFailures"]
    assert stage.world.pipelines.called("describe") == []
    stage.answer(event("sweep"))
    assert stage.world.pipelines.called("describe") == [], "another sweep is under way"
    stage.answer(stage.batch(body, receipt=2))
    assert len(stage.world.pipelines.called("describe")) == 1


def test_a_sweep_that_comes_again_compares_nothing_before(stage: Stage, event: Callable[[str], Any]) -> None:
    with_a_trigger_that_the_pipeline_would_refuse(stage)
    stage.world.schedules.fail("page", THROTTLED)
    assert stage.answer(stage.batch(json.dumps(event("sweep"))))["batchItemFailures"]
    assert stage.world.pipelines.called("describe") == []
