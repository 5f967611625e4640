"""What a run of ``make e2e`` says while it runs, with the seconds since it began, and what it sums up at its end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Transcript:
    """Lines for the reader, written at once; ``facts`` and ``left_out`` are said again at the end."""

    write: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    facts: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """A line with the time."""
        self.write(f"[{time.monotonic() - self.began:6.1f} s] {text}")

    def note(self, fact: str) -> None:
        """A line that is worth saying again at the end."""
        self.say(fact)
        self.facts.append(fact)

    def leave_out(self, what: str) -> None:
        """Something that does not run here, and why."""
        self.say(f"LEFT OUT: {what}")
        self.left_out.append(what)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Say what begins, and how long it took."""
        self.say(f"{title} …")
        began = time.monotonic()
        yield
        self.note(f"{title}: {time.monotonic() - began:.1f} s")
