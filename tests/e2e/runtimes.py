"""Two ways to run the built functions as Lambda does, each reached with boto3's own Lambda client.

* ``sam_local``: ``sam local start-lambda`` with warm containers, in Docker.
* ``emulator``: AWS's runtime interface emulator and client as processes, without Docker. The emulator comes with SAM.
"""

from __future__ import annotations

import json
import platform
import shutil
import socket
import sys
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import samcli.local.rapid
from botocore.config import Config

from pipeline_triggers.local.deployment import describe, folders_of, read_template
from pipeline_triggers.local.poller import lambda_environment
from tests.e2e.commands import BIN, BUILD, SCRATCH, in_background
from tests.e2e.standin import runtime_client
from tests.sample_events import TRUSTED_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    # The answer of a function, by its logical id, to an event.
    Invoke = Callable[[str, Any], Any]

_EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64", "arm64": "aws-lambda-rie-arm64"}


class FunctionFailedError(Exception):
    """A function raised; ``error`` is what Lambda says of it: errorType, errorMessage, stackTrace."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.error = error
        super().__init__(f"{error['errorType']}: {error['errorMessage']}")


@contextmanager
def sam_local() -> Iterator[Invoke]:
    """``sam local start-lambda``: containers are made when first needed and kept. Settings are samconfig.toml's."""
    port = _free_port()
    command = [str(BIN / "sam"), "local", "start-lambda", "--port", str(port), "--warm-containers", "LAZY"]
    with in_background(command, "start-lambda.log") as running:
        running.wait_for(lambda: _listens(port), "start-lambda")
        client = _lambda_client(port)
        yield lambda function, event: _answer(client, function, event)


@contextmanager
def emulator(endpoint_url: str, **variables: str) -> Iterator[Invoke]:
    """The runtime interface emulator: a process for each function, started when first needed, and kept.

    Environment, code and layers are those of the built template as the stack ``local`` at ``endpoint_url`` has it;
    ``variables`` are added.
    """
    template = read_template(BUILD / "template.yaml")
    deployment = describe("local", endpoint_url=endpoint_url, folders=folders_of(template, BUILD))
    modules = _runtime_client_folder()
    with ExitStack() as running:

        @cache
        def started(logical_id: str) -> Any:
            function = deployment.function(logical_id)
            given = {
                **lambda_environment(function, endpoint_url),
                "AWS_SAM_LOCAL": "true",
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
                "TRUSTED_TOPIC_ARNS": TRUSTED_TOPIC,
                **variables,
            }
            given["PYTHONPATH"] += f":{modules}"
            port, api_port = _free_port(), _free_port()
            command = [
                str(_emulator_file()),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{api_port}"),
                # -S: nothing of this virtual environment may be imported.
                *(str(BIN / "python3.13"), "-S", "-m", "awslambdaric", function.handler),
            ]
            process = running.enter_context(in_background(command, f"{logical_id}.log", cwd=function.code, env=given))
            process.wait_for(lambda: _listens(port), "emulator")
            return _lambda_client(port)

        # The emulator knows one function, by this name.
        yield lambda logical_id, event: _answer(started(logical_id), "function", event)


def why_no_emulator() -> str:
    """Why the emulator cannot run here, empty when it can."""
    if sys.platform != "linux" or platform.machine() not in _EMULATORS:
        return f"AWS's runtime interface emulator is a program for Linux, not for {sys.platform} {platform.machine()}"
    return ""


def _emulator_file() -> Path:
    (folder,) = samcli.local.rapid.__path__
    return Path(folder) / _EMULATORS[platform.machine()]


def _runtime_client_folder() -> Path:
    folder = SCRATCH / "runtime-client"
    shutil.rmtree(folder, ignore_errors=True)
    for name, path in runtime_client().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    return folder


def _lambda_client(port: int) -> Any:
    session = boto3.session.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1")
    config = Config(retries={"total_max_attempts": 1}, read_timeout=120)
    return session.client("lambda", endpoint_url=f"http://127.0.0.1:{port}", config=config)


def _answer(client: Any, function: str, event: Any) -> Any:
    response = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    with response["Payload"] as payload:
        answer = json.loads(payload.read())
    if isinstance(answer, dict) and "errorType" in answer:
        raise FunctionFailedError(answer)
    return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
