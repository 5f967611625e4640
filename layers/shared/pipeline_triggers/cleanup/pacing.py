"""Many calls at once, and not too many in a second."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pipeline_triggers.domain.ports import Clock

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Pace:
    """Lets at most so many calls a second begin, of however many threads."""

    def __init__(self, a_second: float, clock: Clock) -> None:
        self._interval = timedelta(seconds=1 / a_second)
        self._clock = clock
        self._next: datetime | None = None
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may begin."""
        with self._lock:
            now = self._clock.now()
            turn = now if self._next is None else max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._clock.sleep((turn - now).total_seconds())


def in_parallel(function: Callable[[Item], Outcome], items: Iterable[Item], threads: int) -> list[Outcome]:
    """What the function says of each item, in their order; one after another when there is one thread.

    An error of one item is raised when the others are done.
    """
    if threads == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [future.result() for future in [pool.submit(function, item) for item in items]]
