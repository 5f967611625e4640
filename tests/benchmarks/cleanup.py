"""What a clean-up costs in calls, seconds and memory: accounts of a thousand to a million schedules.

The real adapters call a service that answers after 20 ms (``estate_service``); each account is measured in a process of
its own, of which the memory is told. ``python -m tests.benchmarks.cleanup SCHEDULES GROUPS`` measures one.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from pipeline_triggers.adapters.cleanup_store import DynamoCleanupStore
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.orphan_marks import DynamoOrphanMarks
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.rules import EventBridgeRules
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.cleanup import Cleaner, Estate, Rates
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.orphans import Orphan
from pipeline_triggers.domain.sweeps import GroupLook, Position
from tests.benchmarks.estate_service import GONE, ORPHANS, PAGE, STACK
from tests.benchmarks.measuring import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/shared"), str(ROOT)])}
MILLISECONDS = 20
# The size of an account, and in how many groups its schedules are.
ACCOUNTS = ((1_000, 1), (100_000, 1), (100_000, 10), (1_000_000, 10))
COLUMNS = ("schedules", "groups", "ListSchedules", "others", "seconds", "at 40/s", "invocations", "peak MB")
AS_FAST_AS_IT_GOES = Rates(lists=1e6, reads=1e6, deletes=1e6)


def tables() -> Iterator[Table]:
    """Sweeps, then events."""
    measured = [(*account, _in_a_process(*account)) for account in ACCOUNTS]
    sweeps = tuple(
        (
            f"{schedules:,}",
            str(groups),
            f"{found['sweep']['ListSchedules']:,}",
            f"{_others(found['sweep']):,}",
            f"{found['sweep_seconds']:.1f}",
            f"{found['sweep']['ListSchedules'] / Rates().lists:,.0f}",
            str(found["invocations"]),
            f"{found['peak_mb']:.0f}",
        )
        for schedules, groups, found in measured
    )
    note = (
        f"Every call takes {MILLISECONDS} ms, 8 at once; a sweep deletes {ORPHANS} orphans and reads 1,000 pipelines. "
        "seconds: as fast as it goes; at 40/s: what the listing takes at the pace of 40 pages a second that is the "
        "default. Above 20,000 schedules a sweep also keeps the index: every ten days it reads it for each page."
    )
    yield Table("A sweep", COLUMNS, sweeps, note)
    events = tuple(
        (
            f"{schedules:,}",
            str(groups),
            f"{found['event']['ListSchedules']:,}",
            f"{_others(found['event']):,}",
            f"{found['event_seconds']:.1f}",
        )
        for schedules, groups, found in measured
    )
    note = f"A pipeline with {ORPHANS} schedules. Above 20,000 schedules they come from the index."
    yield Table("An event about a deleted pipeline", COLUMNS[:5], events, note)


def measure(schedules: int, groups: int, milliseconds: int = MILLISECONDS) -> dict[str, Any]:
    """The cost of a sweep, and of an event, in this process."""
    with _service(schedules, groups, milliseconds) as url:
        estate = _estate(url)
        _was_swept_before(estate, schedules, groups)
        counts = Counter(_counts(url))
        began, invocations, deleted = time.perf_counter(), 1, 0
        while (report := _sweep(estate)).unfinished:
            invocations += 1
        deleted += len(report.deleted)
        sweep_seconds = time.perf_counter() - began
        swept = Counter(_counts(url)) - counts
    with _service(schedules, groups, milliseconds) as url:
        estate = _estate(url)
        _was_swept_before(estate, schedules, groups)
        counts = Counter(_counts(url))
        began = time.perf_counter()
        event = Cleaner(estate).on_deleted(GONE, estate.clock.now() + timedelta(seconds=300))
        event_seconds = time.perf_counter() - began
        evented = Counter(_counts(url)) - counts
    failed = [*report.failed, *event.failed]
    if deleted != ORPHANS or len(event.deleted) != ORPHANS or failed:
        raise AssertionError(f"{deleted} and {len(event.deleted)} were deleted, and these failed: {failed}")
    return {
        "sweep": swept,
        "sweep_seconds": sweep_seconds,
        "invocations": invocations,
        "event": evented,
        "event_seconds": event_seconds,
        "peak_mb": _peak_mb(),
    }


def _sweep(estate: Estate) -> Any:
    return Cleaner(estate).sweep(estate.clock.now() + timedelta(seconds=300), "bench")


def _in_a_process(schedules: int, groups: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.cleanup", str(schedules), str(groups)]
    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@contextmanager
def _service(schedules: int, groups: int, milliseconds: int) -> Iterator[str]:
    """The account behind HTTP, in another process; gives its URL."""
    command = [sys.executable, "-m", "tests.benchmarks.estate_service", *map(str, (schedules, groups, milliseconds))]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(running.stdout.readline())}"
        finally:
            running.stdin.close()
            running.wait()


def _estate(url: str) -> Estate:
    session = Session()
    session.set_credentials("testing", "testing")
    clients = Clients(region="us-east-1", endpoint_url=url, session=session)
    home, clock = Home("aws", "123456789012", "us-east-1"), SystemClock()
    return Estate(
        pipelines=SageMakerPipelines(clients, home, clock),
        schedules=EventBridgeSchedules(clients),
        rules=EventBridgeRules(clients),
        triggers=DynamoTriggerStore(clients, "triggers", clock),
        marks=DynamoOrphanMarks(clients, "triggers"),
        store=DynamoCleanupStore(clients, "cleanup", clock),
        clock=clock,
        home=home,
        stack=STACK,
        rates=AS_FAST_AS_IT_GOES,
    )


def _was_swept_before(estate: Estate, schedules: int, groups: int) -> None:
    """Leave what a sweep six hours ago left: how large the account is, and the orphans that it saw."""
    then = datetime.now(UTC) - timedelta(hours=6)
    looks = {f"g{number}": GroupLook(pages=schedules // groups // PAGE, done=True) for number in range(groups)}
    pages = sum(look.pages for look in looks.values())
    last = Position("before", "before", then, then, "before", groups=looks, known_pages=pages).looked()
    estate.store.save(replace(last, phase="done"), replacing=None)
    arns = [f"arn:aws:scheduler:us-east-1:123456789012:schedule/g0/s{number}" for number in range(ORPHANS)]
    estate.store.remember([Orphan(arn, (GONE,), then, then - timedelta(days=1), "before") for arn in arns])


def _counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/counts") as answer:
        found: dict[str, int] = json.load(answer)
    return found


def _peak_mb() -> float:
    """The most memory that this process had. On Linux getrusage counts that of the process which started it, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    (line,) = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _others(counts: dict[str, int]) -> int:
    return sum(counts.values()) - counts["ListSchedules"]


if __name__ == "__main__":
    json.dump(measure(*map(int, sys.argv[1:])), sys.stdout)
