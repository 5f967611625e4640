"""Starting, stopping and reaching the embedded AWS."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.emulator import DEFAULT_PORT, LocalAws, local_client
from pipeline_triggers.local.wire import Answer, Call, error_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.local.proxy import Forward
    from tests.unit.local.support import Account


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_it_listens_on_loopback_at_a_fixed_port_unless_told_otherwise() -> None:
    assert LocalAws().url == f"http://127.0.0.1:{DEFAULT_PORT}"
    assert DEFAULT_PORT == 4555


def test_a_taken_port_is_named_with_the_remedy(taken_port: int) -> None:
    with pytest.raises(ConfigurationError) as error:
        LocalAws(port=taken_port).start()
    assert f"port {taken_port} is taken" in str(error.value)
    assert "choose another port" in str(error.value)


def test_after_a_failed_start_another_start_works(taken_port: int) -> None:
    with pytest.raises(ConfigurationError):
        LocalAws(port=taken_port).start()
    with LocalAws(port=0) as running:
        assert running.client("sqs").list_queues()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        LocalAws(port=0, host="192.0.2.1").start()


def test_one_process_has_one_embedded_aws(aws: Account) -> None:
    with pytest.raises(ConfigurationError, match="already runs in this process"):
        LocalAws(port=0).start()


def test_it_starts_empty_each_time() -> None:
    for _ in range(2):
        with LocalAws(port=0) as running:
            assert "QueueUrls" not in running.client("sqs").list_queues()
            running.client("sqs").create_queue(QueueName="q")


def test_nothing_answers_after_the_stop() -> None:
    with LocalAws(port=0) as running:
        client = running.client("sqs", retries={"total_max_attempts": 1})
        client.list_queues()
    with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
        client.list_queues()


def test_the_port_can_be_used_again_after_the_stop() -> None:
    with LocalAws(port=0) as running:
        running.client("sqs").list_queues()
    with LocalAws(port=running.port) as again:
        assert again.port == running.port


def test_it_also_listens_on_other_addresses() -> None:
    with LocalAws(port=0, also_listen=["127.0.0.2"]) as running:
        running.client("sqs").create_queue(QueueName="q")
        other = local_client("sqs", f"http://127.0.0.2:{running.port}")
        assert other.get_queue_url(QueueName="q")["QueueUrl"] == f"http://127.0.0.2:{running.port}/123456789012/q"


def test_the_account_and_region_are_the_documented_ones(aws: Account) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert aws.queue("q")[1] == "arn:aws:sqs:us-east-1:123456789012:q"


def test_a_connection_stays_open_for_the_next_call(aws: Account) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    ports = []
    for _ in range(2):
        connection.request("GET", "/moto-api/data.json")
        connection.getresponse().read()
        ports.append(connection.sock.getsockname()[1])
    connection.close()
    assert ports[0] == ports[1]


def test_an_object_comes_back_as_it_was_put(aws: Account) -> None:
    aws.bucket()
    body = bytes(range(256)) * 4096
    aws.client("s3").put_object(Bucket="raw-data", Key="a", Body=body)
    assert aws.client("s3").head_object(Bucket="raw-data", Key="a")["ContentLength"] == len(body)
    assert aws.client("s3").get_object(Bucket="raw-data", Key="a")["Body"].read() == body


def test_a_chunked_request_is_read_whole(aws: Account) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    aws.bucket()
    connection.request("PUT", "/raw-data/chunked", body=iter([b"12", b"345"]), encode_chunked=True)
    assert connection.getresponse().read() == b""
    connection.close()
    assert aws.client("s3").get_object(Bucket="raw-data", Key="chunked")["Body"].read() == b"12345"


def seen_by_an_interceptor(use: Any) -> list[tuple[str, str, Any]]:
    """Service, operation and input of the calls that ``use`` makes with a LocalAws."""
    seen: list[tuple[str, str, Any]] = []

    def note(call: Call, forward: Forward) -> Answer:
        seen.append((call.service, call.operation, call.input))
        return forward(call)

    with LocalAws(port=0, interceptors=[note]) as running:
        use(running)
    return seen


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        ("sagemaker", "list_pipelines", ("sagemaker", "ListPipelines", {})),
        ("dynamodb", "list_tables", ("dynamodb", "ListTables", {})),
        ("sns", "list_topics", ("sns", "ListTopics", {"Version": "2010-03-31"})),
        ("cloudwatch", "describe_alarms", ("cloudwatch", "DescribeAlarms", {})),
        ("scheduler", "list_schedule_groups", ("scheduler", "ListScheduleGroups", {})),
        ("lambda", "list_functions", ("lambda", "ListFunctions", {})),
        ("s3", "list_buckets", ("s3", "", {})),
    ],
)
def test_an_interceptor_sees_service_operation_and_input(service: str, call: str, expected: Any) -> None:
    assert seen_by_an_interceptor(lambda aws: getattr(aws.client(service), call)()) == [expected]


def test_an_interceptor_sees_the_parts_of_a_path_and_a_query() -> None:
    def use(running: LocalAws) -> None:
        with pytest.raises(ClientError):
            running.client("scheduler").get_schedule(Name="a.b", GroupName="g")
        running.client("scheduler").list_schedules(MaxResults=7)

    assert seen_by_an_interceptor(use) == [
        ("scheduler", "GetSchedule", {"Name": "a.b", "GroupName": "g"}),
        ("scheduler", "ListSchedules", {"MaxResults": 7}),
    ]


def test_an_interceptor_may_refuse_before_the_call_acts() -> None:
    def throttle(call: Call, forward: Forward) -> Answer:
        return (
            error_answer("ThrottlingException", "Rate exceeded") if call.operation == "CreateQueue" else forward(call)
        )

    with LocalAws(port=0, interceptors=[throttle]) as running:
        sqs = running.client("sqs", retries={"total_max_attempts": 1})
        with pytest.raises(ClientError, match="Rate exceeded"):
            sqs.create_queue(QueueName="q")
        assert "QueueUrls" not in sqs.list_queues()


def test_an_interceptor_may_lose_the_answer_after_the_call_acted() -> None:
    def lose(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        if call.operation == "CreateQueue":
            raise ConnectionResetError
        return answer

    with LocalAws(port=0, interceptors=[lose]) as running:
        sqs = running.client("sqs", retries={"total_max_attempts": 1})
        with pytest.raises(ConnectionClosedError):
            sqs.create_queue(QueueName="q")
        assert len(sqs.list_queues()["QueueUrls"]) == 1


def test_the_first_interceptor_is_the_outermost() -> None:
    order = []

    def named(name: str) -> Any:
        def interceptor(call: Call, forward: Forward) -> Answer:
            order.append(name)
            return forward(call)

        return interceptor

    with LocalAws(port=0, interceptors=[named("first"), named("second")]) as running:
        running.client("sqs").list_queues()
    assert order == ["first", "second"]


@pytest.mark.parametrize("service", ["sqs", "sns"])
def test_a_failure_inside_is_an_error_that_the_client_understands(service: str) -> None:
    def fail(_call: Call, _forward: Forward) -> Answer:
        raise LookupError("inside")

    with LocalAws(port=0, interceptors=[fail]) as running:
        client = running.client(service, retries={"total_max_attempts": 1})
        with pytest.raises(ClientError, match="InternalFailure"):
            client.list_queues() if service == "sqs" else client.list_topics()


def test_a_body_that_is_no_json_is_left_to_moto(aws: Account) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    headers = {
        "X-Amz-Target": "AWSEvents.PutEvents",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=1/20260101/us-east-1/events/aws4_request",
    }
    connection.request("POST", "/", body=b"{", headers=headers)
    assert connection.getresponse().status >= 400
    connection.close()


def test_cloudwatch_is_understood_in_cbor_too() -> None:
    from pipeline_triggers.local.wire import read_call

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/service/GraniteServiceVersion20100801/operation/SetAlarmState",
        "HTTP_SMITHY_PROTOCOL": "rpc-v2-cbor",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=1/20260101/us-east-1/monitoring/aws4_request",
        "CONTENT_TYPE": "application/cbor",
    }
    call = read_call(environ, b"\xa1\x69AlarmName\x65drift")
    assert (call.service, call.operation, call.input) == ("cloudwatch", "SetAlarmState", {"AlarmName": "drift"})
    assert json.dumps(call.input)
