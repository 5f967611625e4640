"""How clients are made: settings, caches and roles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from samtranslator.yaml_helper import yaml_parse

from pipeline_triggers.adapters.clients import IN_A_FUNCTION, OTHERS_IN_A_FUNCTION, Clients, Limits
from pipeline_triggers.errors import ConfigurationError, TransientError
from pipeline_triggers.reacting import CALL_BUDGET, MOST_SLOW_INTERVAL, START_BUDGET
from tests.fakes.clock import FakeClock
from tests.integration.tables import TEMPLATE

ROLE = "arn:aws:iam::210987654321:role/starter"


def test_a_client_is_made_once_for_each_service_and_region() -> None:
    clients = Clients(region="us-east-1")
    assert clients.sqs is clients.sqs
    assert clients.sagemaker() is clients.sagemaker("us-east-1")
    assert clients.sagemaker("eu-west-1") is not clients.sagemaker()
    assert clients.sagemaker("eu-west-1").meta.region_name == "eu-west-1"


@pytest.mark.parametrize(("in_a_function", "connect", "read"), [(False, 3, 10), (True, 1, 3)])
def test_calls_give_up_in_time_and_sooner_in_a_function(in_a_function: bool, connect: int, read: int) -> None:
    clients = Clients(region="us-east-1", in_a_function=in_a_function)
    for client in (clients.dynamodb, clients.sqs, clients.sts):
        config: Any = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (connect, read)
        assert config.retries == {"total_max_attempts": 2, "mode": "standard"}


@pytest.mark.parametrize("in_a_function", [False, True])
def test_sagemaker_is_called_once_only(in_a_function: bool) -> None:
    config: Any = Clients(region="us-east-1", in_a_function=in_a_function).sagemaker().meta.config
    assert config.retries["total_max_attempts"] == 1


def test_the_longest_call_is_all_attempts_and_the_pauses_between_them() -> None:
    assert Limits(connect=1, read=3, attempts=1).longest == 4
    assert Limits(connect=1, read=3, attempts=2).longest == 9
    assert Limits(connect=1, read=3, attempts=3).longest == 15


def test_a_start_whose_every_answer_is_late_fits_into_the_time_that_a_worker_keeps_for_it() -> None:
    ledger, sagemaker = OTHERS_IN_A_FUNCTION.longest, IN_A_FUNCTION["sagemaker"].longest
    acquire = 3 * ledger  # a read, a count and a write
    assert timedelta(seconds=acquire + sagemaker) <= START_BUDGET
    assert timedelta(seconds=sagemaker) <= CALL_BUDGET


def test_a_worker_at_its_slowest_still_starts_one_execution_in_an_invocation() -> None:
    globals_: Any = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    timeout = globals_["Globals"]["Function"]["Timeout"]
    slowest = max(MOST_SLOW_INTERVAL, globals_["Parameters"]["StartInterval"]["MaxValue"])
    assert slowest + START_BUDGET.total_seconds() < timeout


def test_a_batch_that_meets_no_trouble_fits_into_an_invocation() -> None:
    template: Any = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    mapping = template["Resources"]["S3EventFunction"]["Properties"]["Events"]["Queue"]["Properties"]
    interval = template["Parameters"]["StartInterval"]["Default"]
    a_start = 0.5
    needed = mapping["BatchSize"] * (interval + a_start)
    assert needed + START_BUDGET.total_seconds() < template["Globals"]["Function"]["Timeout"]


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "sts", "sagemaker", "scheduler"])
def test_a_call_that_might_go_on_after_the_deadline_is_refused_and_not_sent(service: str) -> None:
    clock = FakeClock()
    nowhere = "http://127.0.0.1:1"
    clients = Clients(region="us-east-1", endpoint_url=nowhere, clock=clock, in_a_function=True)
    longest = IN_A_FUNCTION.get(service, OTHERS_IN_A_FUNCTION).longest
    operations: dict[str, tuple[str, dict[str, Any]]] = {
        "dynamodb": ("list_tables", {"TableNames": []}),
        "sqs": ("list_queues", {}),
        "sts": ("get_caller_identity", {}),
        "sagemaker": ("list_pipelines", {"PipelineSummaries": []}),
        "scheduler": ("list_schedules", {"Schedules": []}),
    }
    operation, answer = operations[service]
    client = clients.client(service)
    with Stubber(client) as stub:
        stub.add_response(operation, answer)
        clients.end_by(clock.now() + timedelta(seconds=longest))
        getattr(client, operation)()
    clock.advance(seconds=0.001)
    with pytest.raises(TransientError) as raised:
        getattr(client, operation)()
    assert (raised.value.reason, raised.value.acted) == ("deadline", False)


def test_a_process_that_nobody_ends_may_take_its_time() -> None:
    clients = Clients(region="us-east-1")
    with Stubber(clients.dynamodb) as stub:
        stub.add_response("list_tables", {"TableNames": []})
        assert clients.dynamodb.list_tables()["TableNames"] == []


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
