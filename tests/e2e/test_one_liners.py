"""README.md's lines of ``sam local invoke``, as they stand there, against ``pipeline-triggers local up``."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.local.deployment import read_template
from tests.e2e.commands import BUILD, ROOT, local_up, run
from tests.e2e.world import World
from tests.sample_events import BATCHES, CLEANUP_REASONS, CLEANUPS, MATRIX, told

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = ".venv/bin/sam local invoke"
ONE_LINERS = [
    line.partition("  #")[0].strip()
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    if line.strip().startswith(COMMAND)
]
OWN_ACCOUNT = "999999999999"


@pytest.fixture(scope="module")
def world(docker_engine: None) -> Iterator[World]:
    """The embedded AWS as the README starts it."""
    with local_up():
        yield World()


def function_and_event(line: str) -> tuple[str, str]:
    """The function and the sample that a line names."""
    found = re.fullmatch(rf"{re.escape(COMMAND)} (\w+) -e events/([\w-]+)\.json", line)
    assert found, f"`{line}` does more than invoke a function with a sample event"
    return found[1], found[2]


def test_the_readme_has_a_line_for_each_function() -> None:
    resources = read_template(BUILD / "template.yaml")["Resources"]
    functions = {name for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::Function"}
    assert {function_and_event(line)[0] for line in ONE_LINERS} == functions


@pytest.mark.parametrize("line", ONE_LINERS)
def test_a_line_of_the_readme_does_what_the_table_says(world: World, line: str) -> None:
    _, event = function_and_event(line)
    before = world.schedules()
    answer = answer_of(line)
    if event in BATCHES:
        assert answer == {"batchItemFailures": []}
    elif event in CLEANUPS:
        assert (answer["deleted"], answer["failed"]) == ([], [])
        assert {kept["reason"] for kept in answer["kept"]} == CLEANUP_REASONS[event]
        assert world.schedules() == before
    else:
        assert {(decision["trigger"], told(decision)) for decision in answer["decisions"]} == MATRIX[event][1]
        ours = world.executions()
        assert all(it["execution_arn"] in ours for it in answer["decisions"] if it["outcome"] == "started")


def test_the_account_of_the_developers_own_credentials_does_not_matter(world: World) -> None:
    """SAM asks STS for it, and would hand it to the function."""
    line = f"{COMMAND} EndpointStatusFunction -e events/model-package-approved.json"
    with own_account() as url:
        answer = answer_of(
            line, AWS_ENDPOINT_URL_STS=url, AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="secret"
        )
    (decision,) = answer["decisions"]
    assert decision["execution_arn"] in world.executions()
    assert OWN_ACCOUNT not in decision["pipeline_arn"]


def test_a_function_without_an_endpoint_refuses_the_real_account(docker_engine: None) -> None:
    line = f"{COMMAND} S3EventFunction -e events/s3-object-created.json --parameter-overrides StartInterval=0"
    answer = answer_of(line)
    assert answer["errorType"] == "ConfigurationError"
    assert "would call the real AWS account" in answer["errorMessage"]


def answer_of(line: str, **environment: str) -> Any:
    """What the function answered: SAM writes it as the last line of its output."""
    ran = run(line, **environment)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.strip().splitlines()[-1])


@contextmanager
def own_account() -> Iterator[str]:
    """The URL of an STS that says whose credentials these are: an account that is not the embedded one."""
    server = HTTPServer(("127.0.0.1", 0), _Sts)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Sts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer GetCallerIdentity, whatever was asked."""
        self.rfile.read(int(self.headers["Content-Length"]))
        identity = f"<Arn>arn:aws:iam::{OWN_ACCOUNT}:user/me</Arn><UserId>me</UserId><Account>{OWN_ACCOUNT}</Account>"
        result = f"<GetCallerIdentityResult>{identity}</GetCallerIdentityResult>"
        body = f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""
