"""Faults on purpose: which calls meet them, how often, and what the client sees."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from pipeline_triggers.local.emulator import LocalAws, local_client
from pipeline_triggers.local.faults import Fault, FaultPlan, Faults
from pipeline_triggers.local.haste import Haste
from pipeline_triggers.local.wire import Answer, json_answer, json_call
from tests.unit.local.support import Account, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.local.wire import Call

OK = json_answer({"ok": True})


class Clock:
    """Seconds that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def outcomes(faults: Faults, count: int, operation: str = "StartPipelineExecution", **given: str) -> str:
    """What so many calls meet: ``.`` for an answer as it should be, ``x`` for a fault."""
    call = json_call("sagemaker", operation, {"PipelineName": "churn", **given})
    return "".join("." if faults(call, lambda _: OK) is OK else "x" for _ in range(count))


def throttle(**options: Any) -> Fault:
    return Fault("throttle", by_anybody=True, **options)


@pytest.mark.parametrize(
    ("options", "met"),
    [
        ({}, "x....."),
        ({"times": 2}, "xx...."),
        ({"times": None}, "xxxxxx"),
        ({"after": 2}, "..x..."),
        ({"every": 3, "times": None}, "..x..x"),
        ({"after": 1, "every": 2, "times": 2}, "..x.x."),
        ({"service": "sagemaker", "operation": "StartPipelineExecution"}, "x....."),
        ({"service": "dynamodb"}, "......"),
        ({"operation": "DescribePipeline"}, "......"),
        ({"on": "churn"}, "x....."),
        ({"on": "hurn"}, "......"),
    ],
)
def test_a_fault_meets_as_many_calls_as_it_says(options: dict[str, Any], met: str) -> None:
    assert outcomes(Faults(FaultPlan(throttle(**options))), 6) == met


@pytest.mark.parametrize("name", ["arn:aws:sagemaker:us-east-1:123456789012:pipeline/Churn", "CHURN"])
def test_a_pipeline_is_known_by_its_arn_and_in_any_case(name: str) -> None:
    assert outcomes(Faults(FaultPlan(throttle(on="churn"))), 1, PipelineName=name) == "x"


def test_a_batch_is_known_by_its_tables() -> None:
    faults = Faults(FaultPlan(throttle(on="local-triggers")))
    for table, answered in (("local-ledger", True), ("local-triggers", False)):
        call = json_call("dynamodb", "BatchGetItem", {"RequestItems": {table: {"Keys": []}}})
        assert (faults(call, lambda _: OK) is OK) is answered


def test_a_fault_strikes_from_its_beginning_to_its_end() -> None:
    clock = Clock()
    faults = Faults(FaultPlan(throttle(times=None, begins=10, ends=20)), now=clock)
    met = []
    for clock.seconds in (0.0, 9.9, 10.0, 19.9, 20.0):
        met.append(outcomes(faults, 1))
    assert "".join(met) == "..xx."


def test_a_probability_is_drawn_from_its_seed() -> None:
    def drawn(seed: int) -> str:
        return outcomes(Faults(FaultPlan(throttle(times=None, probability=0.3, seed=seed))), 1000)

    assert drawn(1) == drawn(1) != drawn(2)
    assert 240 < drawn(1).count("x") < 360


def test_the_first_fault_that_is_due_acts_and_only_it_is_used_up() -> None:
    faults = Faults(FaultPlan(throttle(), Fault("access-denied", by_anybody=True)))
    call = json_call("sagemaker", "StartPipelineExecution", {})
    codes = [faults(call, lambda _: OK) for _ in range(3)]
    assert [answer.error()[0] if answer is not OK else "" for answer in codes] == [
        "ThrottlingException",
        "AccessDeniedException",
        "",
    ]
    assert faults.injected == Counter(
        {
            ("throttle", "sagemaker", "StartPipelineExecution"): 1,
            ("access-denied", "sagemaker", "StartPipelineExecution"): 1,
        }
    )


def test_a_plan_that_is_taken_up_begins_anew_and_none_lets_every_call_pass() -> None:
    faults = Faults(FaultPlan(throttle()))
    assert outcomes(faults, 2) == "x."
    faults.strike(throttle())
    assert outcomes(faults, 2) == "x."
    faults.strike(throttle())
    faults.strike()
    assert outcomes(faults, 2) == ".."


def test_only_calls_of_functions_are_met_unless_the_fault_says_otherwise() -> None:
    faults = Faults(FaultPlan(Fault("throttle", times=None)))
    call = json_call("sagemaker", "ListPipelines", {})
    assert faults(call, lambda _: OK) is OK
    assert faults(_of_a_function(call), lambda _: OK) is not OK


def test_a_crash_kills_the_process_of_the_invocation_before_the_call_acts_or_after_it() -> None:
    happened: list[str] = []

    def forward(_call: Call) -> Answer:
        happened.append("acted")
        return OK

    faults = Faults(FaultPlan(Fault("crash"), Fault("crash", acted=True)))
    faults.attach(forget_tokens=lambda: None, kill=lambda trace: happened.append(f"killed {trace}"))
    for _ in range(2):
        with pytest.raises(ConnectionError):
            faults(_of_a_function(json_call("sagemaker", "ListPipelines", {})), forward)
    assert happened == ["killed Root=1", "acted", "killed Root=1"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "earthquake"}, "there is no fault 'earthquake'"),
        ({"kind": "throttle", "acted": True}, "acted says something about crash, delay"),
        ({"kind": "refusal"}, "needs the error code"),
        ({"kind": "throttle", "code": "Slow"}, "needs the error code"),
        ({"kind": "delay"}, "needs seconds"),
        ({"kind": "reset", "seconds": 1.0}, "needs seconds"),
        ({"kind": "reset", "times": 0}, "at least once"),
        ({"kind": "reset", "every": 0}, "at least once"),
        ({"kind": "reset", "after": -1}, "at least once"),
        ({"kind": "reset", "probability": 0.0}, "probability"),
        ({"kind": "reset", "probability": 1.1}, "probability"),
        ({"kind": "reset", "begins": 2.0, "ends": 2.0}, "begins before it ends"),
    ],
)
def test_a_fault_that_can_never_strike_or_means_nothing_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fault(**fault)


@pytest.mark.parametrize("kind", ["forget-tokens", "crash"])
def test_a_fault_that_needs_something_attached_says_so(kind: Any) -> None:
    faults = Faults(FaultPlan(Fault(kind, by_anybody=True)))
    with pytest.raises(RuntimeError, match="attach"):
        outcomes(faults, 1)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def aws(faults: Faults) -> Iterator[Account]:
    """The embedded AWS behind faults, with a pipeline."""
    with LocalAws(port=0, interceptors=[faults]) as running:
        faults.attach(forget_tokens=running.pipelines.forget_tokens, kill=lambda _trace: None)
        account = Account(running.url)
        account.pipeline("churn")
        yield account


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize("kind", ["reset", "server-error", "malformed", "crash"])
def test_a_call_has_acted_or_not_whatever_the_client_sees(aws: Account, faults: Faults, kind: Any, acted: bool) -> None:
    faults.strike(Fault(kind, "sagemaker", "StartPipelineExecution", acted=acted, by_anybody=True))
    with pytest.raises((BotoCoreError, ClientError, KeyError)):
        start(aws, "churn")
    assert len(_executions(aws)) == acted
    start(aws, "churn")
    assert len(_executions(aws)) == 1


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault("throttle", by_anybody=True), "ThrottlingException", 400),
        (Fault("access-denied", by_anybody=True), "AccessDeniedException", 400),
        (Fault("server-error", by_anybody=True), "InternalServerError", 500),
        (Fault("refusal", by_anybody=True, code="ConflictException"), "ConflictException", 400),
    ],
)
def test_a_refusal_is_one_of_the_service(aws: Account, faults: Faults, fault: Fault, code: str, status: int) -> None:
    faults.strike(fault)
    with pytest.raises(ClientError) as error:
        start(aws, "churn")
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert _executions(aws) == []


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("dynamodb", "list_tables", "ProvisionedThroughputExceededException"),
        ("sqs", "list_queues", "RequestThrottled"),
        ("sns", "list_topics", "ThrottlingException"),
    ],
)
def test_each_service_has_its_own_word_for_a_throttle(
    aws: Account, faults: Faults, service: str, operation: str, code: str
) -> None:
    faults.strike(Fault("throttle", service, by_anybody=True))
    with pytest.raises(ClientError, match=code):
        getattr(aws.client(service), operation)()


def test_forgotten_tokens_start_again(aws: Account, faults: Faults) -> None:
    faults.strike(Fault("forget-tokens", "sagemaker", "StartPipelineExecution", after=1, by_anybody=True))
    first, second, third = (start(aws, "churn") for _ in range(3))
    assert first != second == third


@pytest.mark.parametrize("acted", [False, True])
def test_a_delay_makes_the_client_give_up_or_wait(aws: Account, faults: Faults, acted: bool) -> None:
    hasty = local_client("sagemaker", aws.url, retries={"total_max_attempts": 1}, read_timeout=0.2)
    faults.strike(Fault("delay", "sagemaker", "StartPipelineExecution", seconds=0.6, acted=acted, by_anybody=True))
    with pytest.raises(BotoCoreError, match="Read timeout"):
        hasty.start_pipeline_execution(PipelineName="churn", ClientRequestToken="t" * 64)
    assert len(_executions(aws)) == acted
    time.sleep(0.6)
    assert len(_executions(aws)) == 1


@pytest.mark.parametrize(("asked", "seconds"), [(900, 90), (15, 2), (1, 1), (0, 0)])
def test_haste_shortens_the_time_for_which_a_message_is_put_back(asked: int, seconds: int) -> None:
    seen: list[Call] = []

    def forward(call: Call) -> Answer:
        seen.append(call)
        return OK

    given = {"QueueUrl": "u", "ReceiptHandle": "r", "VisibilityTimeout": asked}
    Haste(10)(json_call("sqs", "ChangeMessageVisibility", given), forward)
    assert seen[0].input == {**given, "VisibilityTimeout": seconds}


def test_haste_lets_other_calls_pass() -> None:
    call = json_call("sqs", "SendMessage", {"DelaySeconds": 900})
    assert Haste(10)(call, lambda passed: OK if passed is call else json_answer({})) is OK


def _of_a_function(call: Call) -> Call:
    return replace(call, environ={**call.environ, "HTTP_X_AMZN_TRACE_ID": "Root=1"})


def _executions(aws: Account) -> list[Any]:
    found: list[Any] = aws.client("sagemaker").list_pipeline_executions(PipelineName="churn")[
        "PipelineExecutionSummaries"
    ]
    return found
