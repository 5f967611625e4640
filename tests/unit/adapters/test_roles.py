"""What is asked of IAM about a role, and what its trust policy means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.roles import IamRoles
from pipeline_triggers.errors import AwsError, NotFoundError, PermanentError, TransientError
from tests.fakes.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEDULER = "scheduler.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/teams/ml/scheduler"
ALLOW = {"Effect": "Allow", "Principal": {"Service": SCHEDULER}, "Action": "sts:AssumeRole"}
ONLY_HERE = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def iam(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.client("iam")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(*statements: Any, arn: str = ROLE, policy: object = None) -> dict[str, Any]:
    """GetRole's answer as IAM gives it: with the policy quoted, as of a URL."""
    role = {"Arn": arn, "RoleName": "scheduler", "RoleId": "A" * 20, "Path": "/teams/ml/", "CreateDate": NOON}
    document = quote(json.dumps({"Statement": list(statements)} if policy is None else policy))
    return {"Role": role | {"AssumeRolePolicyDocument": document}}


def trusts(clients: Clients, iam: Stubber, *statements: dict[str, Any], policy: object = None) -> bool:
    iam.add_response("get_role", answer(*statements, policy=policy), {"RoleName": "scheduler"})
    return IamRoles(clients).trusts(ROLE, SCHEDULER)


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW,
        ALLOW | {"Principal": {"Service": ["sagemaker.amazonaws.com", SCHEDULER]}},
        ALLOW | {"Action": ["sts:TagSession", "sts:AssumeRole"]},
        ALLOW | {"Action": "sts:assumerole"},
        ALLOW | {"Action": "sts:*"},
        ALLOW | {"Action": "*"},
        ALLOW | {"Principal": "*"},
        ALLOW | {"Principal": {"Service": "*"}},
        ALLOW | {"Condition": ONLY_HERE},
    ],
)
def test_a_statement_that_allows_the_service_to_assume_the_role_is_trust(
    clients: Clients, iam: Stubber, statement: dict[str, Any]
) -> None:
    assert trusts(clients, iam, {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:TagSession"}, statement)


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW | {"Principal": {"Service": "sagemaker.amazonaws.com"}},
        ALLOW | {"Principal": {"Service": "notscheduler.amazonaws.com"}},
        ALLOW | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        ALLOW | {"Principal": {"Federated": SCHEDULER}},
        ALLOW | {"Action": "sts:AssumeRoleWithWebIdentity"},
        ALLOW | {"Action": "sts:TagSession"},
        ALLOW | {"Effect": "Deny"},
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
    ],
)
def test_any_other_statement_is_none(clients: Clients, iam: Stubber, statement: dict[str, Any]) -> None:
    assert not trusts(clients, iam, statement)


def test_a_denial_counts_more_than_what_is_allowed_unless_it_has_a_condition(clients: Clients, iam: Stubber) -> None:
    deny = ALLOW | {"Effect": "Deny"}
    assert not trusts(clients, iam, ALLOW, deny)
    assert trusts(clients, iam, ALLOW, deny | {"Condition": ONLY_HERE})
    assert trusts(clients, iam, ALLOW, deny | {"Principal": {"Service": "sagemaker.amazonaws.com"}})


def test_a_policy_may_have_one_statement_without_a_list(clients: Clients, iam: Stubber) -> None:
    assert trusts(clients, iam, policy={"Version": "2012-10-17", "Statement": ALLOW})


def test_a_role_that_is_not_there_is_not_found(clients: Clients, iam: Stubber) -> None:
    iam.add_client_error("get_role", "NoSuchEntity", http_status_code=404)
    with pytest.raises(NotFoundError, match="no role scheduler"):
        IamRoles(clients).trusts(ROLE, SCHEDULER)


def test_a_role_of_that_name_under_another_path_is_another_role(clients: Clients, iam: Stubber) -> None:
    other = "arn:aws:iam::123456789012:role/scheduler"
    iam.add_response("get_role", answer(ALLOW, arn=other), {"RoleName": "scheduler"})
    with pytest.raises(NotFoundError, match=other):
        IamRoles(clients).trusts(ROLE, SCHEDULER)


def test_one_who_may_not_look_is_told_so_for_good(clients: Clients, iam: Stubber) -> None:
    iam.add_client_error("get_role", "AccessDenied", http_status_code=403)
    with pytest.raises(PermanentError) as raised:
        IamRoles(clients).trusts(ROLE, SCHEDULER)
    assert raised.value.reason == "access-denied"


@pytest.mark.parametrize(("code", "reason"), [("Throttling", "throttled"), ("ServiceFailure", "unavailable")])
def test_another_error_is_told_apart(clients: Clients, iam: Stubber, code: str, reason: str) -> None:
    iam.add_client_error("get_role", code, http_status_code=500)
    with pytest.raises(AwsError) as raised:
        IamRoles(clients).trusts(ROLE, SCHEDULER)
    assert raised.value.reason == reason


@pytest.mark.parametrize("policy", [{"Version": "2012-10-17"}, "Allow", [], {"Statement": [7]}, {"Statement": "x"}])
def test_a_policy_that_cannot_be_read_is_asked_for_again(clients: Clients, iam: Stubber, policy: object) -> None:
    with pytest.raises(TransientError) as raised:
        trusts(clients, iam, policy=policy)
    assert raised.value.reason == "unavailable"


def test_a_policy_that_trusts_nobody_is_one(clients: Clients, iam: Stubber) -> None:
    assert not trusts(clients, iam)
