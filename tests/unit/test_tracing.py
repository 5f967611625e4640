from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import Session

from pipeline_triggers.tracing import CallTracer, Parent, current_parent, trace_decision

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:fc3b4ff1:0"
ENVIRONMENT = {"_X_AMZN_TRACE_ID": HEADER, "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}


class Daemon:
    """Receives what X-Ray's daemon would."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening

    def received(self) -> list[dict[str, Any]]:
        """The documents so far."""
        found: list[dict[str, Any]] = []
        while True:
            try:
                data = self._listening.recv(100_000)
            except BlockingIOError:
                return found
            preamble, _, document = data.partition(b"\n")
            assert json.loads(preamble) == {"format": "json", "version": 1}
            found.append(json.loads(document))


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
        yield Daemon(listening)


class _Service(BaseHTTPRequestHandler):
    """Answers every call of SQS with the status that the path names, such as /503."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = int(self.path.strip("/"))
        body = b'{"QueueUrl": "here"}' if status == 200 else b'{"__type": "Refused"}'
        self.send_response(status)
        self.send_header("x-amzn-RequestId", "request-1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Service) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def _ask_for_a_queue(url: str) -> None:
    session = Session()
    session.set_credentials("testing", "testing")
    config = Config(retries={"total_max_attempts": 1})
    client: Any = session.create_client("sqs", region_name="us-east-1", endpoint_url=url, config=config)
    CallTracer().follow(client)
    try:
        client.get_queue_url(QueueName="here")
    finally:
        client.close()


def test_the_parent_is_the_segment_that_lambda_names() -> None:
    assert current_parent(ENVIRONMENT) == Parent("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"_X_AMZN_TRACE_ID": HEADER},
        {**ENVIRONMENT, "_X_AMZN_TRACE_ID": ""},
        {**ENVIRONMENT, "_X_AMZN_TRACE_ID": HEADER.replace("Sampled=1", "Sampled=0")},
        {**ENVIRONMENT, "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"},
        {**ENVIRONMENT, "_X_AMZN_TRACE_ID": "nonsense"},
    ],
)
def test_an_invocation_that_is_not_sampled_has_no_parent(environment: dict[str, str]) -> None:
    assert current_parent(environment) is None


def test_a_decision_can_be_searched_for(daemon: Daemon) -> None:
    trace_decision({"trigger": "on-upload", "outcome": "started", "reason": ""})
    (document,) = daemon.received()
    assert document["annotations"] == {"trigger": "on-upload", "outcome": "started"}
    assert document["name"] == "decision"
    assert document["parent_id"] == "53995c3f42cd8ad8"
    assert document["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert len(document["id"]) == 16


def test_a_call_is_noted_with_its_operation_and_time(daemon: Daemon, service: str) -> None:
    _ask_for_a_queue(f"{service}/200")
    (document,) = daemon.received()
    assert (document["name"], document["namespace"]) == ("sqs", "aws")
    assert document["aws"] == {"operation": "GetQueueUrl", "request_id": "request-1", "retries": 0}
    assert document["http"] == {"response": {"status": 200}}
    assert 0 <= document["end_time"] - document["start_time"] < 60
    assert not {"error", "fault", "throttle"} & document.keys()


@pytest.mark.parametrize(
    ("status", "flags"),
    [(400, {"error": True}), (429, {"error": True, "throttle": True}), (503, {"fault": True})],
)
def test_a_refused_call_says_whose_fault_it_is(
    status: int, flags: dict[str, bool], daemon: Daemon, service: str
) -> None:
    with pytest.raises(ClientError):
        _ask_for_a_queue(f"{service}/{status}")
    (document,) = daemon.received()
    assert {name: document[name] for name in ("error", "fault", "throttle") if name in document} == flags


def test_a_call_without_an_answer_is_a_fault(daemon: Daemon) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(EndpointConnectionError):
        _ask_for_a_queue(url)
    (document,) = daemon.received()
    assert document["fault"] is True
    assert document["aws"] == {"operation": "GetQueueUrl"}
    assert document["cause"]["exceptions"][0]["type"] == "EndpointConnectionError"


def test_a_document_that_is_too_large_is_left_out(daemon: Daemon) -> None:
    trace_decision({"trigger": "x" * 70_000})
    assert daemon.received() == []


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:many", "127.0.0.1:0"])
def test_a_daemon_that_cannot_be_reached_holds_up_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    trace_decision({"trigger": "on-upload"})
