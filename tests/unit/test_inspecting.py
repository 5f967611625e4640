"""What only AWS can tell about a target: pipelines, roles, dead-letter queues, declared parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import AwsError, TransientError
from pipeline_triggers.inspecting import EVENTS, SCHEDULER, Inspector
from tests.fakes.pipelines import HOME, FakePipelines
from tests.fakes.queue_policies import FakeQueuePolicies, lets
from tests.fakes.roles import FakeRoles

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"
ROLE = "arn:aws:iam::123456789012:role/rules"
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
RULE = "arn:aws:events:us-east-1:123456789012:rule/retrain"
DENIED, BROKEN = TransientError("denied-yet", "no"), TransientError("unavailable", "503")
SOUND: dict[str, Any] = {"Arn": f"{PREFIX}churn-train", "RoleArn": ROLE, "DeadLetterConfig": {"Arn": DEAD}}


@dataclass
class Account:
    """The pipeline Churn-Train, a role that EventBridge may assume, and a dead-letter queue that takes its events."""

    pipelines: FakePipelines = field(default_factory=FakePipelines)
    roles: FakeRoles = field(default_factory=FakeRoles)
    policies: FakeQueuePolicies = field(default_factory=FakeQueuePolicies)

    def __post_init__(self) -> None:
        self.pipelines.add("Churn-Train", Definition({"Rows": Declared("Integer", required=False)}))
        self.roles.add(ROLE, EVENTS)
        self.policies.add(DEAD, lets(EVENTS, DEAD, RULE))
        self.inspector = Inspector(self.pipelines, self.pipelines, self.roles, self.policies, HOME)

    def of_rule(self, **target: Any) -> list[str]:
        return [f"{it.code}: {it.text}" for it in self.inspector.target({**SOUND, **target}, RULE)]

    def of_schedule(self, **target: Any) -> list[str]:
        return [it.code for it in self.inspector.target({**SOUND, **target})]


@pytest.fixture
def account() -> Account:
    return Account()


def trigger(pipeline: str = "Churn-Train", **parameters: Any) -> Trigger:
    targets = [{"pipeline": pipeline, "parameters": parameters}]
    return Trigger.from_document({"name": "t", "event_pattern": {"source": ["x"]}, "targets": targets})


def test_a_sound_target_has_no_findings(account: Account) -> None:
    assert account.of_rule() == []


def test_a_pipeline_that_does_not_exist_is_wrong(account: Account) -> None:
    assert account.of_rule(Arn=f"{PREFIX}gone") == ["pipeline-gone: the pipeline gone does not exist"]
    account.pipelines.begin_deleting("Churn-Train")
    assert account.of_rule() == ["pipeline-gone: the pipeline churn-train is being deleted"]


def test_a_pipeline_elsewhere_is_not_asked_for(account: Account) -> None:
    (said,) = account.of_rule(Arn=SOUND["Arn"].replace("us-east-1", "eu-west-1"))
    assert said.startswith("other-home: ")
    assert account.pipelines.called("absent") == []


def test_what_is_no_pipeline_is_left_to_whoever_reads_it(account: Account) -> None:
    assert account.of_rule(Arn="arn:aws:sqs:us-east-1:123456789012:q") == []


def test_a_role_that_is_gone_or_does_not_trust_the_service_is_wrong(account: Account) -> None:
    account.roles.add(ROLE, SCHEDULER)
    assert account.of_rule() == [
        "role-not-trusted: its role rules does not trust events.amazonaws.com, which must assume it"
    ]
    assert account.of_rule(RoleArn=f"{ROLE}-2") == ["role-gone: its role rules-2 does not exist"]
    assert account.of_schedule() == []


def test_a_schedules_role_must_trust_scheduler(account: Account) -> None:
    assert account.of_schedule() == ["role-not-trusted"]


def test_a_role_of_another_account_and_no_role_are_not_asked_for(account: Account) -> None:
    assert account.of_rule(RoleArn="arn:aws:iam::210987654321:role/theirs") == []
    assert account.of_rule(RoleArn="") == []
    assert account.of_rule(RoleArn="nonsense") == []
    assert account.roles.calls == []


def test_a_dead_letter_queue_that_is_gone_or_refuses_loses_what_fails(account: Account) -> None:
    account.policies.add(DEAD, {})
    (said,) = account.of_rule()
    assert said.startswith("dead-letter-queue-refuses: its dead-letter queue dead refuses what EventBridge sends")
    (said,) = account.of_rule(DeadLetterConfig={"Arn": f"{DEAD}-2"})
    assert said.startswith("dead-letter-queue-gone: its dead-letter queue dead-2 does not exist")


def test_a_dead_letter_queue_of_a_schedule_need_not_name_anybody(account: Account) -> None:
    account.roles.add(ROLE, SCHEDULER)
    account.policies.add(DEAD, {})
    assert account.of_schedule() == []
    assert account.of_schedule(DeadLetterConfig={"Arn": f"{DEAD}-2"}) == ["dead-letter-queue-gone"]


def test_each_thing_is_asked_for_once(account: Account) -> None:
    for _ in range(3):
        account.of_rule()
    assert len(account.pipelines.called("absent")) == 1
    assert len(account.roles.called("trusts")) == 1
    assert len(account.policies.called("of")) == 1


def test_what_one_may_not_look_at_is_left_out_and_told_once(account: Account) -> None:
    account.pipelines.fail("absent", DENIED)
    account.roles.fail("trusts", DENIED)
    account.policies.fail("of", DENIED)
    assert account.of_rule() == []
    assert account.inspector.unchecked == [
        "you may not look whether pipelines exist (sagemaker:ListPipelines)",
        "you may not look at roles (iam:GetRole)",
        "you may not look at dead-letter queues (sqs:GetQueueAttributes)",
    ]


@pytest.mark.parametrize("method", ["absent", "trusts", "of"])
def test_what_fails_otherwise_is_raised(account: Account, method: str) -> None:
    fake: Any = {"absent": account.pipelines, "trusts": account.roles, "of": account.policies}[method]
    fake.fail(method, BROKEN)
    with pytest.raises(AwsError, match="503"):
        account.of_rule()


def test_parameters_that_the_pipeline_does_not_take_are_wrong(account: Account) -> None:
    found = [it.text for it in account.inspector.contract(trigger(Rows="many", Colour="blue"))]
    assert [text.partition(":")[0] for text in found] == ["Rows", "Colour"]
    assert all(text.endswith("SageMaker refuses the start") for text in found)


def test_of_a_pipeline_that_is_not_there_nothing_is_said_about_parameters(account: Account) -> None:
    assert list(account.inspector.contract(trigger("gone", Colour="blue"))) == []


def test_a_pipeline_that_one_may_not_describe_is_told(account: Account) -> None:
    account.pipelines.fail("describe", DENIED)
    assert list(account.inspector.contract(trigger(Colour="blue"))) == []
    assert "you may not describe the pipeline" in account.inspector.unchecked[0]


def test_a_pipelines_name_is_spelt_as_it_was_given(account: Account) -> None:
    (target,) = account.inspector.spelt(trigger("churn-train")).targets
    assert (target.pipeline.name, target.id) == ("Churn-Train", "Churn-Train")


def test_an_id_of_its_own_stays(account: Account) -> None:
    named = Trigger.from_document(
        {"name": "t", "event_pattern": {"source": ["x"]}, "targets": [{"pipeline": "churn-train", "id": "one"}]}
    )
    assert account.inspector.spelt(named).targets[0].id == "one"


@pytest.mark.parametrize("pipeline", ["gone", f"{PREFIX}churn-train"])
def test_a_pipeline_that_is_gone_or_named_by_arn_keeps_its_spelling(account: Account, pipeline: str) -> None:
    assert account.inspector.spelt(trigger(pipeline)) == trigger(pipeline)


def test_a_name_that_cannot_be_asked_for_stays_and_is_told(account: Account) -> None:
    account.pipelines.fail("name_of", DENIED)
    assert account.inspector.spelt(trigger("churn-train")) == trigger("churn-train")
    assert account.inspector.unchecked == ["you may not describe pipelines (sagemaker:DescribePipeline)"]
