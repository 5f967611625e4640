"""Docker for a run: found, started, or installed where that may be done, and stopped again if it was started here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import DockerException

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.transcript import Transcript

_PACKAGES = ("docker.io", "iptables")
_START_SECONDS = 60
_APT_GET = ("apt-get", "--yes", "--quiet", "--option", "DPkg::Lock::Timeout=60")


class NoDockerError(Exception):
    """Docker cannot run here; the message says why."""


@contextmanager
def running_engine(transcript: Transcript, *, log: Path) -> Iterator[Any]:
    """A client of a Docker engine: the one that runs, else one that is started here and stopped at the end.

    Installs Debian's packages where there is no engine, if that can be done without asking. NoDockerError otherwise.
    """
    if client := _client():
        transcript.say(f"Docker {client.version()['Version']} runs already")
        with closing(client):
            yield client
        return
    _require_root()
    if not shutil.which("dockerd"):
        _install(transcript)
    daemon = _start(log)
    try:
        with transcript.step("Starting Docker"):
            client = _wait(daemon, log)
        with closing(client):
            yield client
    finally:
        transcript.say("Stopping Docker, which was started here")
        daemon.terminate()
        daemon.wait(timeout=60)


def _client() -> Any:
    """A client of the engine that runs, None when none answers."""
    if not _listens():
        return None
    try:
        client: Any = docker.from_env(timeout=300)
    except DockerException:
        return None
    try:
        client.ping()
    except DockerException:
        client.close()
        return None
    return client


def _listens() -> bool:
    """Whether somebody listens where Docker's engine would; docker-py would leave a socket open on finding nobody."""
    kind, _, path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    if kind != "unix":
        return True
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(path) == 0


def _require_root() -> None:
    if os.geteuid() != 0:
        raise NoDockerError("no Docker engine runs, and only root could start one: start Docker and run this again")


def _install(transcript: Transcript) -> None:
    if not shutil.which("apt-get"):
        raise NoDockerError("there is no Docker here, and no apt-get to install it with")
    with transcript.step("Installing Docker with apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # A package may try to start its service and fail in a container: what counts is whether dockerd is there.
        for command in (("update",), ("install", "--no-install-recommends", *_PACKAGES)):
            ran = subprocess.run(
                [*_APT_GET, *command],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if not shutil.which("dockerd"):
            raise NoDockerError(f"Docker could not be installed: {_last_line(ran.stdout)}")


def _start(log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own, so that Ctrl-C ends the tests first and they stop it.
        return subprocess.Popen(["dockerd"], stdout=output, stderr=output, start_new_session=True)


def _wait(daemon: subprocess.Popen[bytes], log: Path) -> Any:
    deadline = time.monotonic() + _START_SECONDS
    while daemon.poll() is None and time.monotonic() < deadline:
        if client := _client():
            return client
        time.sleep(0.2)
    raise NoDockerError(f"dockerd does not run here: {_last_line(log.read_text(errors='replace'))}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
