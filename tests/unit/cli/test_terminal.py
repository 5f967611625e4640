"""The command in a terminal of its own: colours where they are wanted, and nothing but text where they are not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")

ROOT = Path(__file__).parents[3]
COMMAND = (
    *(sys.executable, "-m", "pipeline_triggers.cli"),
    *("simulate", str(ROOT / "events/s3-object-created.json"), "--triggers", str(ROOT / "triggers.yaml")),
)
# Select Graphic Rendition with a colour: 30 to 49 and 90 to 107. Bold and dim are none.
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;m]")


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100", **more}


def seen_in_a_terminal(**more: str) -> str:
    """What a terminal receives from the command, stdout and stderr."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**more)) as running:
            os.close(theirs)
            received = b"".join(iter(lambda: _next(ours), b""))
            assert running.wait(60) == 0
    finally:
        os.close(ours)
    return received.decode()


def _next(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def test_a_terminal_gets_colours() -> None:
    seen = seen_in_a_terminal(TERM="xterm-256color")
    assert COLOUR.search(seen)
    assert "would start" in seen


def test_with_no_color_a_terminal_gets_none() -> None:
    seen = seen_in_a_terminal(TERM="xterm-256color", NO_COLOR="1")
    assert not COLOUR.search(seen)
    assert "would start" in seen


def test_an_empty_no_color_says_nothing() -> None:
    assert COLOUR.search(seen_in_a_terminal(TERM="xterm-256color", NO_COLOR=""))


def test_a_dumb_terminal_gets_text_alone() -> None:
    seen = seen_in_a_terminal(TERM="dumb")
    assert "\x1b" not in seen
    assert "would start" in seen


def test_a_pipe_gets_text_alone() -> None:
    ran = subprocess.run(COMMAND, env=environment(TERM="xterm-256color"), capture_output=True, timeout=60, check=True)
    assert b"would start" in ran.stdout
    assert all(byte == ord("\n") or byte >= ord(" ") for byte in ran.stdout + ran.stderr)
