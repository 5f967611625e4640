"""A clock that stands still until a test, or a sleeper, moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """The port ``Clock``; ``slept`` are the seconds of every sleep."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The time that the test has set."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Pass time at once."""
        self.slept.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, **duration: float) -> None:
        """Move on: ``advance(minutes=5)``."""
        self._now += timedelta(**duration)
