"""How clients are made: settings, caches and roles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.errors import ConfigurationError
from tests.fakes.clock import FakeClock

ROLE = "arn:aws:iam::210987654321:role/starter"


def test_a_client_is_made_once_for_each_service_and_region() -> None:
    clients = Clients(region="us-east-1")
    assert clients.sqs is clients.sqs
    assert clients.sagemaker() is clients.sagemaker("us-east-1")
    assert clients.sagemaker("eu-west-1") is not clients.sagemaker()
    assert clients.sagemaker("eu-west-1").meta.region_name == "eu-west-1"


def test_calls_give_up_in_time_and_sagemaker_is_called_once_only() -> None:
    clients = Clients(region="us-east-1")
    config: Any = clients.dynamodb.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
    assert clients.sagemaker().meta.config.retries["total_max_attempts"] == 1  # type: ignore[attr-defined]


def test_an_empty_endpoint_is_none() -> None:
    assert Clients(region="us-east-1", endpoint_url="").sqs.meta.endpoint_url.endswith(".amazonaws.com")


def test_an_endpoint_is_used_for_every_service() -> None:
    clients = Clients(region="us-east-1", endpoint_url="http://localhost:4555")
    assert clients.sqs.meta.endpoint_url == "http://localhost:4555"
    assert clients.dynamodb.meta.endpoint_url == "http://localhost:4555"


@pytest.mark.parametrize(("endpoint", "used"), [("http://localhost:4555", True), ("", False)])
def test_the_endpoint_of_the_environment_is_used_unless_it_is_empty(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, used: bool
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert (Clients(region="us-east-1").sqs.meta.endpoint_url == "http://localhost:4555") is used


def test_no_region_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigurationError, match="--region"):
        _ = Clients().sqs


def test_a_profile_that_does_not_exist_is_told_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"nobody.*--profile"):
        _ = Clients(region="us-east-1", profile="nobody").sqs


def test_a_role_is_assumed_once_until_shortly_before_its_credentials_expire() -> None:
    clock = FakeClock()
    clients = Clients(region="us-east-1", clock=clock)
    with Stubber(clients.sts) as sts:
        for hours in (1, 2):
            sts.add_response(
                "assume_role",
                {
                    "Credentials": {
                        "AccessKeyId": f"{hours}" * 16,
                        "SecretAccessKey": "secret",
                        "SessionToken": "token",
                        "Expiration": clock.now() + timedelta(hours=hours),
                    },
                },
                {"RoleArn": ROLE, "RoleSessionName": "pipeline-triggers"},
            )
        first = clients.assumed(ROLE)
        clock.advance(minutes=54)
        assert clients.assumed(ROLE) is first
        clock.advance(minutes=1)
        assert clients.assumed(ROLE) is not first
        sts.assert_no_pending_responses()
