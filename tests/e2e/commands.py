"""This project's commands and SAM's, run as a user runs them: in the project's folder, without any AWS settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
BUILD = ROOT / ".aws-sam/build"
SCRATCH = ROOT / ".local/e2e"


def environment(**more: str) -> dict[str, str]:
    """What a command gets from here: nothing of AWS, unless ``more`` says so."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return {**kept, "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true", **more}


def run(command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell in the project's folder; ``more`` is added to the environment."""
    return subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


class Background:
    """A command that runs until it is stopped, and what it has written so far."""

    def __init__(self, command: list[str], log: Path, *, cwd: Path, env: Mapping[str, str]) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # Its own session: Ctrl-C ends the tests, and they stop it.
            self._process = subprocess.Popen(
                command, cwd=cwd, env=dict(env), stdout=output, stderr=output, start_new_session=True
            )

    def written(self) -> str:
        """Its output so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, happened: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
        """Wait until something has happened. AssertionError, with the output, if it ends before or takes too long."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.written()}"
            assert time.monotonic() < deadline, f"no {what} after {seconds:g} s:\n{self.written()}"
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as Ctrl-C does; kill it if it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        killing = threading.Timer(30, self._process.kill)
        killing.start()
        self._process.wait()
        killing.cancel()


@contextmanager
def in_background(
    command: list[str], log: str, *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Iterator[Background]:
    """A command that runs meanwhile; its output is kept under ``.local/e2e``."""
    running = Background(command, SCRATCH / log, cwd=cwd, env=environment() if env is None else env)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def local_up(*options: str, log: str = "local-up.log", ready: str = "Ctrl-C stops it") -> Iterator[Background]:
    """``pipeline-triggers local up`` with its fixed port, which SAM's settings in samconfig.toml name."""
    with in_background([str(BIN / "pipeline-triggers"), "local", "up", *options], log) as running:
        running.wait_for(lambda: ready in running.written(), "embedded AWS")
        yield running
