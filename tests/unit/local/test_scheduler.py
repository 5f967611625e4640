"""Schedules of the embedded AWS fire at their times and call their targets."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.scheduler.models import scheduler_backends

from pipeline_triggers.local.emulator import LocalAws
from pipeline_triggers.local.scheduler import MOST_RETRIES, Firing, Scheduler
from pipeline_triggers.local.wire import ACCOUNT, REGION, Answer, error_answer
from tests.unit.local.support import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Call

ARN = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/s"
PIPELINES = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
TELLS = {
    "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:told",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduler",
    "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
}
DEAD = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"}}
YEAR = datetime(2096, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Refusals:
    """An interceptor that refuses the next starts, and keeps what was asked for."""

    def __init__(self) -> None:
        self.left = 0
        self.asked: list[dict[str, str]] = []

    def __call__(self, call: Call, forward: Forward) -> Answer:
        if call.operation != "StartPipelineExecution":
            return forward(call)
        self.asked.append({each["Name"]: each["Value"] for each in call.input["PipelineParameters"]})
        if self.left:
            self.left -= 1
            return error_answer("ThrottlingException", "Rate exceeded")
        return forward(call)


@pytest.fixture(scope="module")
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture(scope="module")
def account(refusals: Refusals) -> Iterator[Account]:
    """An account with the pipeline ``churn`` and the queues ``told`` and ``dead``."""
    with LocalAws(port=0, interceptors=[refusals]) as running:
        account = Account(running.url)
        account.role()
        account.pipeline("churn", {"Name": "At", "Type": "String", "DefaultValue": "-"})
        account.queue("told")
        account.queue("dead")
        yield account


class Clock:
    """The schedule ``s`` of the account, and the scheduler that fires it."""

    def __init__(self, account: Account, refusals: Refusals) -> None:
        self.account, self.refusals = account, refusals
        self.client = account.client("scheduler")
        self.scheduler = Scheduler(account.url)

    def put(self, expression: str, target: dict[str, Any] | None = None, *, again: bool = False, **more: Any) -> None:
        """Create the schedule, or update it; it tells the queue ``told`` unless the target is another one."""
        (self.client.update_schedule if again else self.client.create_schedule)(
            Name="s",
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={key: value for key, value in {**TELLS, **(target or {})}.items() if value is not None},
            **more,
        )

    def until(self, now: datetime) -> list[str]:
        """The times that fire until a moment, and reach their target."""
        fired = self.scheduler.fire_due(now)
        assert {firing.outcome for firing in fired} <= {"delivered"}
        return [f"{firing.at:%Y-%m-%dT%H:%M:%SZ}" for firing in fired]

    def exists(self) -> bool:
        return bool(self.client.list_schedules()["Schedules"])

    def bodies(self, queue: str = "told") -> list[Any]:
        return self.account.received(f"{self.account.url}/{ACCOUNT}/{queue}")

    def dead_letter(self) -> tuple[str, dict[str, str]]:
        """Body and attributes of the one message in the queue ``dead``."""
        sqs, url = self.account.client("sqs"), f"{self.account.url}/{ACCOUNT}/dead"
        (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)[
            "Messages"
        ]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        return message["Body"], attributes

    def executions(self) -> int:
        pages = self.account.client("sagemaker").list_pipeline_executions(PipelineName="churn")
        return len(pages["PipelineExecutionSummaries"])


@pytest.fixture
def clock(account: Account, refusals: Refusals) -> Iterator[Clock]:
    clock = Clock(account, refusals)
    refusals.asked.clear()
    yield clock
    if clock.exists():
        clock.client.delete_schedule(Name="s")
    clock.bodies()


def starts(
    pipeline: str = "churn", *, dead_letter: bool = True, retries: int = 185, **parameters: str
) -> dict[str, Any]:
    """A target that starts a pipeline."""
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    target: dict[str, Any] = {
        "Arn": f"{PIPELINES}{pipeline}",
        "SageMakerPipelineParameters": {"PipelineParameterList": listed},
        "RetryPolicy": {"MaximumRetryAttempts": retries},
    }
    return target | (DEAD if dead_letter else {})


def test_a_cron_fires_once_at_each_of_its_times(clock: Clock) -> None:
    clock.put("cron(0 3 1 1 ? 2096-2098)")
    assert clock.until(YEAR + timedelta(hours=2, minutes=59)) == []
    assert clock.until(YEAR + 3 * HOUR) == ["2096-01-01T03:00:00Z"]
    assert clock.until(YEAR + 3 * HOUR) == []
    assert clock.until(YEAR.replace(year=2099)) == ["2097-01-01T03:00:00Z", "2098-01-01T03:00:00Z"]
    assert sorted(body["at"][:4] for body in clock.bodies()) == ["2096", "2097", "2098"]


def test_times_are_those_of_the_time_zone(clock: Clock) -> None:
    clock.put("cron(0 3 1 1,7 ? 2096)", ScheduleExpressionTimezone="Europe/Berlin")
    assert clock.until(YEAR.replace(year=2097)) == ["2096-01-01T02:00:00Z", "2096-07-01T01:00:00Z"]


def test_nothing_fires_before_the_start_or_after_the_end(clock: Clock) -> None:
    clock.put("cron(0 0 1 1 ? *)", StartDate=YEAR.replace(year=2095, month=2), EndDate=YEAR.replace(year=2097))
    assert clock.until(YEAR.replace(year=2099)) == ["2096-01-01T00:00:00Z", "2097-01-01T00:00:00Z"]


def test_a_rate_counts_from_its_start(clock: Clock) -> None:
    clock.put("rate(2 hours)", StartDate=YEAR)
    expected = ["2096-01-01T00:00:00Z", "2096-01-01T02:00:00Z", "2096-01-01T04:00:00Z"]
    assert clock.until(YEAR + 5 * HOUR) == expected


def test_a_rate_without_a_start_counts_from_its_creation(clock: Clock) -> None:
    clock.put("rate(1 hour)")
    made = clock.client.get_schedule(Name="s")["CreationDate"].astimezone(UTC).replace(microsecond=0)
    assert clock.until(made + HOUR - timedelta(seconds=1)) == []
    assert clock.until(made + HOUR) == [f"{made + HOUR:%Y-%m-%dT%H:%M:%SZ}"]


def test_a_one_time_schedule_fires_once_and_stays(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)")
    assert clock.until(YEAR + 4 * HOUR) == ["2096-01-01T03:00:00Z"]
    assert clock.until(YEAR + 5 * HOUR) == []
    assert clock.exists()


@pytest.mark.parametrize("expression", ["at(2096-01-01T03:00:00)", "cron(0 3 1 1 ? 2095-2096)"])
def test_a_schedule_is_deleted_after_its_last_time_when_that_is_asked(clock: Clock, expression: str) -> None:
    clock.put(expression, ActionAfterCompletion="DELETE")
    assert clock.until(YEAR - HOUR) in ([], ["2095-01-01T03:00:00Z"])
    assert clock.exists()
    assert clock.until(YEAR + 4 * HOUR) == ["2096-01-01T03:00:00Z"]
    assert not clock.exists()


def test_a_time_that_had_passed_when_the_schedule_was_made_does_not_fire(clock: Clock) -> None:
    clock.put("at(2020-01-01T00:00:00)")
    assert clock.until(YEAR) == []


def test_a_disabled_schedule_does_not_fire(clock: Clock) -> None:
    clock.put("cron(0 * 1 1 ? 2096)", State="DISABLED")
    assert clock.until(YEAR.replace(month=2)) == []


def test_what_passed_while_a_schedule_was_disabled_is_not_made_up_for(clock: Clock) -> None:
    clock.put("cron(0 * 1 1 ? 2096)", State="DISABLED")
    clock.until(YEAR + 10 * HOUR)
    clock.put("cron(0 * 1 1 ? 2096)", again=True)
    of_moto: Any = scheduler_backends[ACCOUNT][REGION].get_schedule("default", "s")
    of_moto.last_modified_date = (YEAR + 20 * HOUR).timestamp()
    assert clock.until(YEAR + 21 * HOUR) == ["2096-01-01T21:00:00Z"]


def test_a_changed_schedule_fires_at_its_new_times(clock: Clock) -> None:
    clock.put("cron(0 3 1 1 ? 2096)")
    assert clock.until(YEAR) == []
    clock.put("cron(0 5 1 1 ? 2096)", again=True)
    assert clock.until(YEAR + 4 * HOUR) == []
    assert clock.until(YEAR + 5 * HOUR) == ["2096-01-01T05:00:00Z"]


def test_a_deleted_schedule_does_not_fire(clock: Clock) -> None:
    clock.put("cron(0 3 1 1 ? 2096)")
    clock.until(YEAR)
    clock.client.delete_schedule(Name="s")
    assert clock.until(YEAR + 4 * HOUR) == []


def test_the_context_attributes_are_filled_in_wherever_they_stand(clock: Clock) -> None:
    attributes = ("schedule-arn", "scheduled-time", "attempt-number", "execution-id")
    text = " ".join(f"<aws.scheduler.{name}>" for name in attributes)
    clock.put("at(2096-01-01T03:00:00)", {"Input": json.dumps([text, "<aws.scheduler.unknown> & $.x"])})
    clock.until(YEAR + 4 * HOUR)
    ((filled, other),) = clock.bodies()
    arn, time, attempt, execution = filled.split(" ")
    assert (arn, time, attempt) == (ARN, "2096-01-01T03:00:00Z", "1")
    assert len(execution) == 36
    assert other == "<aws.scheduler.unknown> & $.x"


def test_a_queue_without_an_input_gets_the_notification_of_the_service(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", {"Input": None})
    clock.until(YEAR + 4 * HOUR)
    (told,) = clock.bodies()
    assert (told["source"], told["detail-type"], told["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert (told["time"], told["resources"]) == ("2096-01-01T03:00:00Z", [ARN])


def test_a_pipeline_starts_with_the_parameters_of_the_schedule(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", starts(At="at <aws.scheduler.scheduled-time>"))
    before = clock.executions()
    assert clock.until(YEAR + 4 * HOUR) == ["2096-01-01T03:00:00Z"]
    assert clock.executions() == before + 1
    assert clock.refusals.asked == [{"At": "at 2096-01-01T03:00:00Z"}]


def test_the_universal_target_starts_the_pipeline_that_its_input_names(clock: Clock) -> None:
    parameters = [{"Name": "At", "Value": "<aws.scheduler.scheduled-time>"}]
    given = {"PipelineName": "churn", "PipelineParameters": parameters}
    clock.put("at(2096-01-01T03:00:00)", {"Arn": UNIVERSAL, "Input": json.dumps(given)})
    before = clock.executions()
    clock.until(YEAR + 4 * HOUR)
    assert clock.executions() == before + 1
    assert clock.refusals.asked == [{"At": "2096-01-01T03:00:00Z"}]


@pytest.mark.parametrize(
    ("text", "code"), [("no JSON", "JSONDecodeError"), ("[]", "ValueError"), ('{"No": 1}', "ParamValidationError")]
)
def test_an_input_of_the_universal_target_that_is_no_request_goes_to_the_dead_letter_queue(
    clock: Clock, text: str, code: str
) -> None:
    clock.put("at(2096-01-01T03:00:00)", {"Arn": UNIVERSAL, "Input": text, **DEAD})
    (firing,) = clock.scheduler.fire_due(YEAR + 4 * HOUR)
    assert firing.outcome == "dead-letter"
    body, attributes = clock.dead_letter()
    assert body == text
    assert attributes["ERROR_CODE"] == code


def test_a_target_that_fails_is_tried_again_with_the_next_attempt_number(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", starts(At="<aws.scheduler.attempt-number>"))
    clock.refusals.left = MOST_RETRIES
    assert clock.until(YEAR + 4 * HOUR) == ["2096-01-01T03:00:00Z"]
    assert [asked["At"] for asked in clock.refusals.asked] == ["1", "2", "3"]


def test_a_schedule_without_retries_is_tried_once(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", starts(retries=0))
    clock.refusals.left = 1
    (firing,) = clock.scheduler.fire_due(YEAR + 4 * HOUR)
    assert (firing.outcome, len(clock.refusals.asked)) == ("dead-letter", 1)
    assert clock.dead_letter()[1]["RETRY_ATTEMPTS"] == "0"


def test_what_cannot_be_delivered_is_in_the_dead_letter_queue_with_the_reason(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", starts("gone", At="x"))
    (firing,) = clock.scheduler.fire_due(YEAR + 4 * HOUR)
    said = f"Pipeline '{PIPELINES}gone' does not exist."
    assert (firing.schedule_arn, firing.at, firing.outcome) == (ARN, YEAR + 3 * HOUR, "dead-letter")
    assert said in firing.error
    body, attributes = clock.dead_letter()
    assert json.loads(body) == {
        "PipelineName": f"{PIPELINES}gone",
        "PipelineParameters": [{"Name": "At", "Value": "x"}],
    }
    assert len(attributes.pop("EXECUTION_ID")) == 36
    assert said in attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "ERROR_CODE": "ResourceNotFound",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(MOST_RETRIES),
        "SCHEDULED_TIME": "2096-01-01T03:00:00Z",
        "SCHEDULE_ARN": ARN,
        "TARGET_ARN": f"{PIPELINES}gone",
    }


@pytest.mark.parametrize("dead_letter", [{}, {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing"}}])
def test_what_cannot_even_reach_a_dead_letter_queue_is_lost_and_the_log_says_so(
    clock: Clock, dead_letter: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    clock.put("at(2096-01-01T03:00:00)", starts("gone", dead_letter=False) | dead_letter)
    (firing,) = clock.scheduler.fire_due(YEAR + 4 * HOUR)
    assert firing.outcome == "lost"
    assert f"schedule {ARN} at 2096-01-01T03:00:00Z could not call its target and is lost" in caplog.text


def test_a_queue_that_does_not_exist_is_a_failure_too(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)", {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing", **DEAD})
    clock.scheduler.fire_due(YEAR + 4 * HOUR)
    body, attributes = clock.dead_letter()
    assert json.loads(body)["MessageBody"] == '{"at": "2096-01-01T03:00:00Z"}'
    assert attributes["ERROR_CODE"].endswith("NonExistentQueue")


def test_a_target_that_is_not_known_here_is_skipped_and_said_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    clock.put("cron(0 3 1 1 ? 2096-2097)", {"Arn": function})
    fired = clock.scheduler.fire_due(YEAR.replace(year=2098))
    assert [firing.outcome for firing in fired] == ["skipped", "skipped"]
    assert caplog.text.count(function) == 1


def test_a_schedule_can_be_fired_out_of_its_time(clock: Clock) -> None:
    clock.put("at(2096-01-01T03:00:00)")
    firing = clock.scheduler.fire(clock.client.get_schedule(Name="s"), YEAR)
    assert firing == Firing(ARN, YEAR, "delivered")
    assert clock.bodies() == [{"at": "2096-01-01T00:00:00Z"}]


def test_by_the_clock_what_is_due_fires_and_a_failure_inside_is_logged_and_no_end(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline_triggers.local.scheduler._TICK_SECONDS", 0.01)
    asked, told, done = [], [], threading.Event()

    def fire_due(now: datetime) -> list[Firing]:
        asked.append(now)
        if len(asked) == 1:
            raise RuntimeError("moto changed")
        return [Firing(ARN, now, "delivered")]

    def on_fired(firing: Firing) -> None:
        told.append(firing)
        done.set()

    monkeypatch.setattr(clock.scheduler, "fire_due", fire_due)
    with caplog.at_level(logging.ERROR), clock.scheduler.running(on_fired):
        assert done.wait(5)
    assert "moto changed" in caplog.text
    assert abs(told[0].at - datetime.now(UTC)) < timedelta(seconds=10)
    assert not [thread.name for thread in threading.enumerate() if thread.name == "EventBridge Scheduler"]
