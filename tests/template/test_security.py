"""What holds for every statement and every store of the expanded template, whoever adds one.

The scanners of ``make audit`` do not see these: checkov passes a role that may do everything, and a queue policy for
everybody, once they are written in a SAM template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.template.permissions import LISTS, TRACES
from tests.template.rendering import FILLED, as_list, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.template.rendering import Rendered

OWNER = {"AWS": "arn:aws:iam::111122223333:root"}
# Documents about who may use a resource, or assume a role; all others say what somebody may do.
OF_RESOURCES = {"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"}
TRUST = "AssumeRolePolicyDocument"
# The policy of a key that leaves the decision to IAM, as every key has it by default: without it nobody could change or
# delete the key. The only action that is a pattern.
OWNER_OF_THE_KEY = ("EventsTopicKey", "OwnerByIam")
START = "sagemaker:StartPipelineExecution"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document; ``kind`` is its resource's type and ``holder`` the logical id."""

    holder: str
    kind: str
    is_trust: bool
    content: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        return bool(self.content["Effect"] == "Allow")

    @property
    def is_of_identity(self) -> bool:
        """Whether it says what somebody may do."""
        return not self.is_trust and self.kind not in OF_RESOURCES

    @property
    def actions(self) -> set[str]:
        return set(as_list(self.content["Action"]))

    @property
    def resources(self) -> set[str]:
        return set(as_list(self.content["Resource"]))

    @property
    def services(self) -> set[str]:
        principal = self.content.get("Principal")
        return set(as_list(principal["Service"])) if isinstance(principal, dict) and "Service" in principal else set()

    @property
    def keys(self) -> set[str]:
        """The condition keys that it names."""
        return {key for conditions in self.content.get("Condition", {}).values() for key in conditions}


def every_statement(stack: Rendered) -> list[Statement]:
    """The statements of all policy documents, wherever in the resources they stand."""
    return [
        Statement(name, resource["Type"], is_trust, statement)
        for name, resource in stack.resources.items()
        for is_trust, document in _documents(resource.get("Properties", {}))
        for statement in statements(document)
    ]


def _documents(value: Any, *, is_trust: bool = False) -> Iterator[tuple[bool, Mapping[str, Any]]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield is_trust, value
            return
        for key, part in value.items():
            yield from _documents(part, is_trust=key == TRUST)
    elif isinstance(value, list):
        for part in value:
            yield from _documents(part)


def allowing(stack: Rendered) -> list[Statement]:
    return [statement for statement in every_statement(stack) if statement.allows]


def of_identities(stack: Rendered) -> list[Statement]:
    return [statement for statement in allowing(stack) if statement.is_of_identity]


def test_statements_of_every_kind_are_found(stack: Rendered) -> None:
    kinds = {(statement.kind, statement.is_trust) for statement in every_statement(stack)}
    of_identities_ = {("AWS::IAM::Role", False), ("AWS::IAM::Policy", False), ("AWS::IAM::ManagedPolicy", False)}
    assert kinds == {("AWS::IAM::Role", True), *of_identities_, *((kind, False) for kind in OF_RESOURCES)}


# --- what may be done ------------------------------------------------------------------------------------------------


def test_no_action_that_is_allowed_is_a_pattern(stack: Rendered) -> None:
    patterns = {
        (statement.holder, statement.content["Sid"]): statement.actions
        for statement in allowing(stack)
        if any(set("*?") & set(action) for action in statement.actions)
    }
    assert patterns == {OWNER_OF_THE_KEY: {"kms:*"}}


def test_nothing_is_allowed_by_leaving_something_out(stack: Rendered) -> None:
    for statement in every_statement(stack):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement.content), statement.holder


def test_any_resource_is_for_the_calls_only_that_iam_cannot_restrict(stack: Rendered) -> None:
    anywhere = [statement for statement in of_identities(stack) if "*" in statement.resources]
    assert set().union(*(statement.actions for statement in anywhere)) == {*LISTS, *TRACES}


def test_a_resource_that_is_named_names_its_service(stack: Rendered) -> None:
    for statement in of_identities(stack):
        for resource in statement.resources - {"*"}:
            services = {action.partition(":")[0] for action in statement.actions}
            assert {resource.split(":")[2]} == services - {"sts"} | ({"iam"} if "sts" in services else set())


# --- who may do it ---------------------------------------------------------------------------------------------------


def test_nobody_is_allowed_who_is_not_named(stack: Rendered) -> None:
    for statement in allowing(stack):
        if not statement.is_of_identity:
            assert statement.services or statement.content["Principal"] == OWNER, statement.holder


@pytest.mark.parametrize("kind", ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"])
def test_a_service_may_send_to_a_queue_or_topic_only_for_the_sources_that_are_named(kind: str, stack: Rendered) -> None:
    for statement in allowing(stack):
        if statement.kind == kind and statement.services:
            assert "aws:SourceArn" in statement.keys, (statement.holder, statement.content["Sid"])


def test_a_source_is_of_this_account_or_named_as_trusted(stack: Rendered) -> None:
    """The ARN of a bucket names no account: then the account stands beside it."""
    trusted = set(FILLED["TrustedTopicArns"].split(","))
    for statement in allowing(stack):
        if "aws:SourceArn" not in statement.keys or statement.is_trust:
            continue
        conditions = statement.content["Condition"]
        sources = {arn for operator in conditions.values() for arn in as_list(operator.get("aws:SourceArn", [])) if arn}
        foreign = {arn for arn in sources - trusted if arn.split(":")[4] != "111122223333"}
        assert not foreign or conditions["StringEquals"] == {"aws:SourceAccount": "111122223333"}, statement.holder


def test_every_queue_and_topic_has_a_policy(stack: Rendered) -> None:
    queues = {queue["QueueName"] for queue in stack.of_type("AWS::SQS::Queue").values()}
    topics = {stack.arn(topic) for topic in stack.of_type("AWS::SNS::Topic")}
    assert {it for policy in stack.of_type("AWS::SQS::QueuePolicy").values() for it in policy["Queues"]} == queues
    assert {it for policy in stack.of_type("AWS::SNS::TopicPolicy").values() for it in policy["Topics"]} == topics


# --- starts ----------------------------------------------------------------------------------------------------------


def test_whoever_may_start_may_start_the_pipelines_of_the_parameter_only(filled: Rendered) -> None:
    starting = [statement for statement in of_identities(filled) if START in statement.actions]
    assert {statement.holder for statement in starting} == {"StartPipelinesPolicy", "SchedulerRole", "OperatorPolicy"}
    for statement in starting:
        assert statement.resources == {FILLED["PipelineArnPattern"]}


def test_without_the_parameter_they_are_those_of_this_account_and_region(empty: Rendered) -> None:
    starting = [statement for statement in of_identities(empty) if START in statement.actions]
    assert {resource for statement in starting for resource in statement.resources} == {
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*"
    }


def test_arns_of_pipelines_are_in_lower_case_as_sagemaker_writes_them(stack: Rendered) -> None:
    for statement in of_identities(stack):
        if any(action.startswith("sagemaker:") for action in statement.actions):
            assert {resource for resource in statement.resources if resource != resource.lower()} == set()


def test_whoever_may_start_passes_no_role(stack: Rendered) -> None:
    starting = {statement.holder for statement in of_identities(stack) if START in statement.actions}
    # The policy of the functions is attached to their roles.
    starting |= {role for policy in stack.of_type("AWS::IAM::Policy").values() for role in policy["Roles"]}
    passing = {statement.holder for statement in of_identities(stack) if "iam:PassRole" in statement.actions}
    assert len(starting) > 3
    assert not starting & passing


def test_a_role_is_passed_to_the_service_only_that_needs_it_and_is_one_of_the_stack(stack: Rendered) -> None:
    roles = {stack.arn(role) for role in stack.of_type("AWS::IAM::Role")}
    for statement in of_identities(stack):
        if "iam:PassRole" in statement.actions:
            assert statement.resources <= roles
            assert statement.content["Condition"] == {
                "StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}
            }


# --- at rest ---------------------------------------------------------------------------------------------------------


def test_every_queue_is_encrypted_at_rest(stack: Rendered) -> None:
    unencrypted = [
        name for name, it in stack.of_type("AWS::SQS::Queue").items() if it.get("SqsManagedSseEnabled") is not True
    ]
    assert unencrypted == []


def test_every_topic_is_encrypted_with_a_key_of_the_stack(stack: Rendered) -> None:
    keys = {stack.arn(key) for key in stack.of_type("AWS::KMS::Key")}
    assert {topic.get("KmsMasterKeyId") for topic in stack.of_type("AWS::SNS::Topic").values()} == keys


def test_every_key_is_changed_by_itself_once_a_year(stack: Rendered) -> None:
    assert all(key.get("EnableKeyRotation") is True for key in stack.of_type("AWS::KMS::Key").values())


def test_the_key_of_the_topic_lets_the_services_use_it_that_publish(stack: Rendered) -> None:
    [statement] = [it for it in allowing(stack) if it.kind == "AWS::KMS::Key" and it.services]
    assert statement.services == {"cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"}
    assert statement.actions == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_every_table_is_encrypted_at_rest(stack: Rendered) -> None:
    settings = [table.get("SSESpecification") for table in stack.of_type("AWS::DynamoDB::Table").values()]
    assert settings == [{"SSEEnabled": True}] * len(settings)


def test_every_table_can_be_brought_back_to_each_second_of_the_last_weeks(stack: Rendered) -> None:
    tables = stack.of_type("AWS::DynamoDB::Table").values()
    settings = [table.get("PointInTimeRecoverySpecification") for table in tables]
    assert settings == [{"PointInTimeRecoveryEnabled": True}] * len(settings)
