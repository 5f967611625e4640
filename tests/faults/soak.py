"""A soak: events at a steady pace, under faults, through the real functions on the embedded AWS.

``make soak``, or ``python -m tests.faults.soak --help``. Every event is offered to one of the four ways in; one in 20
reports what another one has reported, and one in 100 lacks a parameter. In the end each must have exactly one execution
or be in quarantine: else the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import moto.sqs.models
from moto.sqs.models import sqs_backends
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline_triggers.local.faults import Fault, FaultPlan, Faults
from pipeline_triggers.local.haste import Haste
from pipeline_triggers.local.stage import BUCKET, OWN_SOURCE, PIPELINES, Stage
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.sample_events import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Answer, Call

ROOT = Path(__file__).parents[2]
START = ("sagemaker", "StartPipelineExecution")
QUEUES = ("s3-event", "sns-event", "bus-event", "status-event")
PARAMETERS = {"MaxStartsPerHour": "100000"}
NAME = re.compile(r"soak-\d+")
OFFERING_THREADS = 4
# After the last start: a crash leaves a lease of a minute, and delays grow.
PATIENCE_SECONDS = 180


def default_plan(seconds: float) -> FaultPlan:
    """A little of everything all the time, and every five minutes half a second in which all starts are throttled.

    That is enough for a queue to grow: whoever is throttled leaves more time between starts, and each start shortens it
    by a few per cent only. The stack leaves no other time between starts here (StartInterval 0).
    """
    throttled = (
        Fault("throttle", *START, times=None, begins=begins, ends=begins + 0.5)
        for begins in (20.0 + 300.0 * number for number in range(int(seconds // 300) + 1))
    )
    return FaultPlan(
        *throttled,
        *_now_and_then("reset", *START, probability=0.005),
        *_now_and_then("server-error", *START, probability=0.003),
        *_now_and_then("crash", *START, probability=0.002),
        *_now_and_then("reset", "dynamodb", probability=0.002),
        *_now_and_then("server-error", "dynamodb", probability=0.001),
        *_now_and_then("crash", "dynamodb", on="local-ledger", probability=0.0003),
        Fault("malformed", *START, probability=0.002, times=None, acted=True),
        Fault("malformed", "dynamodb", probability=0.001, times=None),
        Fault("access-denied", *START, probability=0.002, times=None),
        Fault("refusal", *START, code="ConflictException", probability=0.002, times=None),
        Fault("forget-tokens", *START, probability=0.02, times=None),
        Fault("delay", *START, seconds=0.5, probability=0.01, times=None),
        Fault("throttle", "dynamodb", probability=0.001, times=None),
    )


PLANS: Mapping[str, Callable[[float], FaultPlan]] = {"default": default_plan, "none": lambda _seconds: FaultPlan()}


def _now_and_then(kind: Any, service: str, operation: str = "", **options: Any) -> tuple[Fault, Fault]:
    """Without end, before the call acts and after it."""
    before = Fault(kind, service, operation, times=None, acted=False, seed=1, **options)
    return before, Fault(kind, service, operation, times=None, acted=True, seed=2, **options)


@dataclass
class Witness:
    """An interceptor behind the faults: when each event was started first, and its executions."""

    started_at: dict[str, float] = field(default_factory=dict)
    executions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Note what a start has made."""
        answer = forward(call)
        if (call.service, call.operation) == START and answer.succeeded:
            name = NAME.findall(call.body.decode())[0]
            with self._lock:
                self.started_at.setdefault(name, time.monotonic())
                self.executions[name].add(answer.output()["PipelineExecutionArn"])
        return answer


@dataclass
class Source:
    """Offers events, each with a name of its own; ``offered_at`` are those that can be started."""

    stage: Stage
    offered_at: dict[str, float] = field(default_factory=dict)
    reports: int = 0
    poison: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._clients = {service: self.stage.client(service) for service in ("s3", "sns", "events", "sqs")}
        self._topic = self.stage.deployment.outputs["EventsTopicArn"]
        self._status_queue = self._clients["sqs"].get_queue_url(QueueName="local-status-event")["QueueUrl"]
        self._training_job = sample("training-job-completed")

    def offer(self, number: int) -> None:
        """The next event, by one way in after the other."""
        name = f"soak-{number}"
        is_poison = number % 100 == 2
        if is_poison:
            self.poison.add(name)
        else:
            self.offered_at[name] = time.monotonic()
        match number % 4:
            case 0:
                self._clients["s3"].put_object(Bucket=BUCKET, Key=f"in/{name}.csv", Body=b"1")
            case 1:
                self._clients["sns"].publish(
                    TopicArn=self._topic, Message=json.dumps({"model": "churn", "action": name})
                )
            case 2:
                table = {"note": name} if is_poison else {"table": name}
                self._put({**table, "rows": 5, "partition": {"date": "2026-03-14"}})
            case _:
                for report in range(2 if number % 20 == 3 else 1):
                    self._report_training_job(name, report)
                    self.reports += report

    def _put(self, detail: Mapping[str, Any]) -> None:
        entry = {"Source": OWN_SOURCE, "DetailType": "Feature Table Refreshed", "Detail": json.dumps(detail)}
        self._clients["events"].put_events(Entries=[entry])

    def _report_training_job(self, name: str, report: int) -> None:
        job = self._training_job
        arn = job["detail"]["TrainingJobArn"].replace("churn-train-2026-03-02", f"churn-{name}")
        detail = {**job["detail"], "TrainingJobName": f"churn-{name}", "TrainingJobArn": arn}
        event = {**job, "id": f"{name}-{report}", "resources": [arn], "detail": detail}
        self._clients["sqs"].send_message(QueueUrl=self._status_queue, MessageBody=json.dumps(event))


@dataclass
class Duplicates:
    """Counts the decisions that found their execution running already."""

    count: int = 0

    def add(self, _function: str, line: str) -> None:
        """A line of a function's log."""
        if '"message":"decision"' in line and '"outcome":"duplicate"' in line:
            self.count += 1


@dataclass(frozen=True)
class Result:
    """What a soak has found; ages and times in seconds."""

    rows: tuple[tuple[str, str], ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


def _shorten_visibility(stage: Stage, factor: float) -> None:
    sqs = stage.client("sqs")
    for name in QUEUES:
        url = sqs.get_queue_url(QueueName=f"local-{name}")["QueueUrl"]
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        seconds = max(1, round(int(before["VisibilityTimeout"]) / factor))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})


def _quarantined(stage: Stage) -> set[str]:
    bodies = (stage.quarantine.get(item.id).body for item in stage.quarantine.list())
    return {name for body in bodies for name in NAME.findall(body)[:1]}


def _in_queues() -> set[str]:
    """The events that wait in a queue, visible or not, or in the dead-letter queue."""
    queues = sqs_backends[ACCOUNT][REGION].queues
    held = [message for queue in (*QUEUES, "dead-letter") for message in queues[f"local-{queue}"]._messages]
    return {name for message in held for name in NAME.findall(message.body)[:1]}


def _count_of_executions(stage: Stage, pipeline: str) -> int:
    pages = stage.client("sagemaker").get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
    return sum(len(page["PipelineExecutionSummaries"]) for page in pages)


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB: of the function that has most, and of the process with moto and this program."""

    function: float
    aws: float


def _memory(stage: Stage) -> Memory:
    functions = stage.deployment.functions
    processes = [id_ for function in functions for id_ in stage.poller.worker(function.name).process_ids()]
    return Memory(max(map(_resident_megabytes, processes), default=0.0), _resident_megabytes("self"))


def _resident_megabytes(process: int | str) -> float:
    """Linux only; elsewhere 0."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def _quantile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] if sorted_values else 0.0


@contextmanager
def quick_clock_of_queues() -> Iterator[None]:
    """moto's queues ask for the time for each message again and again, in a way that takes long: here a shorter one."""
    with mock.patch.object(moto.sqs.models, "unix_time_millis", new=_milliseconds):
        yield


def _milliseconds() -> float:
    return time.time() * 1000


class Soak:
    """One run on a stage: offer, wait until all is done, count."""

    def __init__(self, options: argparse.Namespace, console: Console) -> None:
        self._options, self._console = options, console
        self._faults, self._witness, self._duplicates = Faults(), Witness(), Duplicates()
        self._largest_age = self._settling = 0.0

    def run(self) -> Result:
        """All of it."""
        options = self._options
        with (
            quick_clock_of_queues(),
            Stage(
                ROOT / "template.yaml",
                port=0,
                on_log=self._duplicates.add,
                parameters=PARAMETERS,
                interceptors=(self._witness, Haste(options.haste)),
                faults=self._faults,
                parallel=options.parallel,
            ) as stage,
        ):
            stage.furnish()
            stage.apply(ROOT / "triggers.yaml")
            _shorten_visibility(stage, options.haste)
            source, before = Source(stage), _memory(stage)
            self._faults.follow(PLANS[options.plan](options.seconds))
            self._offer(source)
            self._wait(source)
            return self._result(source, (before, _memory(stage)))

    def _offer(self, source: Source) -> None:
        """Offer for the given time, at the given pace or as near to it as can be."""
        began = told_at = time.monotonic()
        offers: list[Future[None]] = []
        with ThreadPoolExecutor(OFFERING_THREADS) as pool:
            while (now := time.monotonic()) < began + self._options.seconds:
                offers.append(pool.submit(source.offer, len(offers)))
                if now >= told_at + 10:
                    told_at = now
                    self._look(source, now - began)
                time.sleep(max(0.0, began + len(offers) * self._options.every_ms / 1000 - time.monotonic()))
        for offer in offers:
            offer.result()

    def _wait(self, source: Source) -> None:
        """Wait until no message is left, or nothing has been started for too long."""
        began = moved_at = time.monotonic()
        started = -1
        while time.monotonic() < moved_at + PATIENCE_SECONDS:
            if started != (started := len(self._witness.started_at)):
                moved_at = time.monotonic()
            try:
                if source.stage.poller.drain(0.5) == 0:
                    break
            except TimeoutError:  # there is still something to do
                self._look(source, self._options.seconds + time.monotonic() - began)
            time.sleep(5)
        self._settling = time.monotonic() - began

    def _look(self, source: Source, seconds: float) -> None:
        """Say how far it is, and note how long the event waits that has waited longest."""
        waiting = [at for name, at in list(source.offered_at.items()) if name not in self._witness.started_at]
        self._largest_age = max([self._largest_age, *(time.monotonic() - at for at in waiting)])
        self._console.print(
            f"{seconds:4.0f} s  {len(source.offered_at)} offered, {len(waiting)} of them not started yet"
        )

    def _result(self, source: Source, memory: Sequence[Memory]) -> Result:
        executions, quarantined = self._witness.executions, _quarantined(source.stage)
        unsettled = (source.offered_at.keys() | source.poison) - executions.keys() - quarantined
        left = unsettled & _in_queues()
        lost = sorted(unsettled - left)
        doubled = sorted(name for name, arns in executions.items() if len(arns) > 1)
        listed = sum(_count_of_executions(source.stage, name) for name in PIPELINES)
        if listed != sum(map(len, executions.values())):
            doubled.append(f"SageMaker lists {listed} executions")
        waits = sorted(at - source.offered_at[name] for name, at in self._witness.started_at.items())
        injected = self._faults.injected
        crashes = sum(count for (kind, *_), count in injected.items() if kind == "crash")
        rows = (
            ("offered", f"{len(source.offered_at) + len(source.poison)}, and {source.reports} again"),
            ("faults", f"{injected.total()}, {crashes} of them crashes"),
            ("started", str(len(executions))),
            ("duplicates (found started)", str(self._duplicates.count)),
            ("quarantined", f"{len(quarantined)}, of which {len(quarantined & source.poison)} lack a parameter"),
            ("still in a queue", str(len(left))),
            ("lost", str(len(lost))),
            ("doubled", str(len(doubled))),
            ("offer to start, p50", f"{_quantile(waits, 0.5):.2f} s"),
            ("offer to start, p99", f"{_quantile(waits, 0.99):.2f} s"),
            ("largest age in a queue", f"{max([self._largest_age, *waits]):.1f} s"),
            ("until the queues were empty", f"{self._settling:.0f} s"),
            ("memory of a function, start and end", " and ".join(f"{it.function:.0f} MB" for it in memory)),
            ("memory of the embedded AWS, start and end", " and ".join(f"{it.aws:.0f} MB" for it in memory)),
        )
        return Result(rows, tuple(lost), tuple(doubled))


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 1 when an event was lost or started twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for how long to offer (600)")
    parser.add_argument("--every-ms", type=float, default=50, help="milliseconds from one event to the next (50)")
    parser.add_argument("--plan", choices=sorted(PLANS), default="default", help="the faults (default)")
    parser.add_argument("--haste", type=float, default=10, help="by what delays of messages are divided (10)")
    parser.add_argument("--parallel", type=int, default=2, help="batches of a queue at a time, at most (2)")
    options = parser.parse_args(arguments)
    console = Console()
    result = Soak(options, console).run()
    table = Table(
        title=f"{options.seconds:g} s, an event every {options.every_ms:g} ms, plan {options.plan}, "
        f"delays divided by {options.haste:g}",
        title_justify="left",
        box=box.SIMPLE,
        show_header=False,
    )
    for row in result.rows:
        table.add_row(*row)
    console.print(table)
    for what, names in (("Lost", result.lost), ("Started twice", result.doubled)):
        if names:
            console.print(f"{what}: {', '.join(names[:20])}", style="bold red")
    return 1 if result.lost or result.doubled else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
