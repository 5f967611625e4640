"""A clock for several workers at once, on which hours pass in an instant and always in the same order."""

from __future__ import annotations

import heapq
import threading
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from tests.fakes.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class VirtualTime:
    """The port ``Clock`` for functions that ``run`` together, each in a thread of its own.

    Only one of them runs at any moment; the others sleep. When it goes to sleep or ends, the one whose time comes first
    goes on, and time jumps there. A run is therefore the same every time, however long the machine takes.
    """

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._sleepers: list[tuple[datetime, int, threading.Lock]] = []
        self._numbers = count()
        self._is_over = threading.Event()
        self._errors: list[BaseException] = []

    def now(self) -> datetime:
        """The moment until which everybody has slept."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let others go on for so many seconds."""
        until = self._now + timedelta(seconds=seconds)
        if not self._sleepers or until < self._sleepers[0][0]:
            self._now = until
            return
        woken = self._put_to_sleep(until)
        self._wake_next()
        woken.acquire()

    def run(self, *functions: Callable[[], object]) -> None:
        """Run all from now on, until each has ended; raises the first error of any."""
        threads = [threading.Thread(target=self._run, args=(it, self._put_to_sleep(self._now))) for it in functions]
        for thread in threads:
            thread.start()
        self._wake_next()
        self._is_over.wait()
        for thread in threads:
            thread.join()
        self._is_over.clear()
        if self._errors:
            raise self._errors[0]

    def _run(self, function: Callable[[], object], woken: threading.Lock) -> None:
        woken.acquire()
        try:
            function()
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._wake_next()

    def _put_to_sleep(self, until: datetime) -> threading.Lock:
        woken = threading.Lock()
        woken.acquire()
        heapq.heappush(self._sleepers, (until, next(self._numbers), woken))
        return woken

    def _wake_next(self) -> None:
        if not self._sleepers:
            self._is_over.set()
            return
        until, _, woken = heapq.heappop(self._sleepers)
        self._now = max(self._now, until)
        woken.release()
