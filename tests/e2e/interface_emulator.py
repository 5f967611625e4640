"""AWS's runtime interface emulator and client as processes: one function as Lambda runs it, without Docker.

The emulator comes with SAM. It starts the function's process when the first event arrives.
"""

from __future__ import annotations

import json
import platform
import shutil
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import samcli.local.rapid
from botocore.config import Config

from tests.e2e.commands import BIN, SCRATCH, in_background
from tests.e2e.standin import runtime_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.commands import Background

_PROGRAMS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64", "arm64": "aws-lambda-rie-arm64"}


class FunctionFailedError(Exception):
    """A function raised; ``error`` is what Lambda says of it: errorType, errorMessage, stackTrace."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.error = error
        super().__init__(f"{error['errorType']}: {error['errorMessage']}")


class Function:
    """A function that runs behind an endpoint of Lambda's Invoke, at a port of this machine."""

    def __init__(self, port: int, running: Background | None = None) -> None:
        session = boto3.session.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
        )
        config = Config(retries={"total_max_attempts": 1}, read_timeout=120)
        self._client = session.client("lambda", endpoint_url=f"http://127.0.0.1:{port}", config=config)
        self.running = running

    def answer(self, event: Any, *, function: str = "function") -> Any:
        """The function's answer to an event. FunctionFailedError when it raises."""
        response = self._client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        with response["Payload"] as payload:
            answer = json.loads(payload.read())
        if isinstance(answer, dict) and "errorType" in answer:
            raise FunctionFailedError(answer)
        return answer


@contextmanager
def emulated(handler: str, code: Path, environment: Mapping[str, str], *, name: str) -> Iterator[Function]:
    """A function in the emulator. ``environment`` is all that its process gets; ``name`` is its log's."""
    modules = environment.get("PYTHONPATH", "").split(":")
    given = {**environment, "PYTHONPATH": ":".join(filter(None, [*modules, str(runtime_client_folder())]))}
    port, api_port = free_port(), free_port()
    command = [
        str(_program()),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        # -S: nothing of this virtual environment may be imported.
        *(str(BIN / "python3.13"), "-S", "-m", "awslambdaric", handler),
    ]
    with in_background(command, f"{name}.log", cwd=code, env=given) as running:
        running.wait_for(lambda: listens(port), "emulator")
        yield Function(port, running)


def why_no_emulator() -> str:
    """Why the emulator cannot run here, empty when it can."""
    if sys.platform != "linux" or platform.machine() not in _PROGRAMS:
        return f"AWS's runtime interface emulator is a program for Linux, not for {sys.platform} {platform.machine()}"
    return ""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody answers at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def runtime_client_folder() -> Path:
    """The folder with AWS's runtime interface client, where modules can be imported from."""
    folder = SCRATCH / "runtime-client"
    for name, path in runtime_client().items():
        target = folder / name
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return folder


def _program() -> Path:
    (folder,) = samcli.local.rapid.__path__
    return Path(folder) / _PROGRAMS[platform.machine()]
