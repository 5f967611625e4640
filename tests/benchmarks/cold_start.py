"""Cold starts, side by side: an empty handler, one as most would write it by hand, and this application's.

All three run in AWS's runtime interface emulator under Python 3.13, from what ``sam build`` makes of them; the one by
hand has the same versions of its packages. Code is read-only, as in Lambda: byte code that is not there is made anew
at each start. AWS is the embedded one. It answers slowly beside the real one, so its time is measured and taken off.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.composition import manager
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.local.deployment import describe, folders_of, read_template
from pipeline_triggers.local.poller import lambda_environment
from pipeline_triggers.local.stage import STACK, Stage
from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.benchmarks.measuring import Table
from tests.e2e.commands import BIN, BUILD, ROOT, SCRATCH, environment
from tests.e2e.interface_emulator import emulated, runtime_client_folder, why_no_emulator
from tests.sample_events import sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Answer, Call

STARTS = 7
WARM_EVENTS = 30
MANY_TRIGGERS = 1000
COLUMNS = ("function", "first answer, ms", "of by hand", "the same, less the empty one", "warm, ms", "peak MB")
NOTE = (
    f"Medians of {STARTS} starts, and of {WARM_EVENTS} events after each, without AWS's own time; the three take "
    "turns, twice. By hand: boto3's client of SageMaker, Logger, Metrics, Tracer, data classes, jsonpath-ng; one call "
    "for each event. Ours: up to nine calls. What handling an event takes without the calls is in the subject handling."
)
SOURCES = Path(__file__).parent / "naive"
RIVALS = SCRATCH.parent / "benchmarks" / "naive"
SAME_VERSIONS = ("boto3", "botocore", "aws-lambda-powertools", "jsonpath-ng")


@dataclass
class Stopwatch:
    """An interceptor: how long AWS has taken to answer, in seconds, since it was asked last."""

    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Measure one call."""
        began = time.perf_counter()
        try:
            return forward(call)
        finally:
            with self._lock:
                self.seconds += time.perf_counter() - began

    def taken(self) -> float:
        """The seconds since the last time, and begin again."""
        with self._lock:
            seconds, self.seconds = self.seconds, 0.0
            return seconds


@dataclass(frozen=True)
class Rival:
    """A function that can be started: ``environment`` is all that its process gets."""

    name: str
    handler: str
    code: Path
    environment: Mapping[str, str]


@dataclass
class Figures:
    """What was measured of a rival: milliseconds with AWS's own time taken off, and megabytes."""

    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def tables() -> Iterator[Table]:
    """The table of cold starts; one that says why where they cannot be measured."""
    if why := why_no_emulator() or _why_not_built():
        yield Table("Cold start", ("left out",), ((why,),))
        return
    _build_rivals()
    stopwatch = Stopwatch()
    with Stage(BUILD / "template.yaml", port=0, poll=False, interceptors=(stopwatch,)) as stage:
        stage.furnish()
        stage.apply(ROOT / "triggers.yaml")
        few = _measured(_rivals(stage), stopwatch)
        manager(Clients(region=REGION, endpoint_url=stage.aws.url, session=_session()), STACK).apply(
            _many_triggers(), set="benchmark"
        )
        many = _measured(_rivals(stage), stopwatch)
    yield Table("Cold start", COLUMNS, (*_rows(few), *_rows(many, f", {MANY_TRIGGERS:,} triggers more")), NOTE)


def _why_not_built() -> str:
    return "" if (BUILD / "template.yaml").is_file() else "nothing is built: run `make build` before"


def _build_rivals() -> None:
    """What plain ``sam build`` makes of the handler by hand, and of one that does nothing."""
    pins = dict(
        line.split("==") for line in (ROOT / "layers/shared/requirements.txt").read_text().split() if "==" in line
    )
    pins["aws-lambda-powertools[tracer]"] = pins["aws-lambda-powertools"]
    wanted = "".join(f"{name}=={pins[name]}\n" for name in (*SAME_VERSIONS, "aws-lambda-powertools[tracer]"))
    shutil.rmtree(RIVALS, ignore_errors=True)
    shutil.copytree(SOURCES, RIVALS)
    (RIVALS / "requirements.txt").write_text(wanted)
    path = f"{BIN}:{os.environ['PATH']}"
    subprocess.run([str(BIN / "sam"), "build"], cwd=RIVALS, env=environment(PATH=path), capture_output=True, check=True)
    (RIVALS / "empty").mkdir()
    (RIVALS / "empty/index.py").write_text("def handler(event, context):\n    return {}\n")


def _rivals(stage: Stage) -> list[Rival]:
    url = stage.aws.url
    built = describe(STACK, endpoint_url=url, folders=folders_of(read_template(BUILD / "template.yaml"), BUILD))
    ours = built.function("S3EventFunction")
    given = {**lambda_environment(ours, url), "AWS_SAM_LOCAL": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    plain = {name: text for name, text in given.items() if name not in ours.environment and name != "PYTHONPATH"}
    by_hand = {
        **plain,
        "AWS_ENDPOINT_URL": url,
        "PIPELINE": "churn-train",
        "POWERTOOLS_SERVICE_NAME": "naive",
        "POWERTOOLS_METRICS_NAMESPACE": "Naive",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    return [
        Rival("empty handler", "index.handler", RIVALS / "empty", plain),
        Rival("by hand", "app.handler", RIVALS / ".aws-sam/build/Naive", by_hand),
        Rival("ours", ours.handler, ours.code, given),
    ]


def _measured(rivals: Sequence[Rival], stopwatch: Stopwatch) -> dict[str, Figures]:
    """Every rival's figures, one start of each after the other, so that all meet the same noise."""
    subprocess.run([str(BIN / "python3.13"), "-m", "compileall", "-q", str(runtime_client_folder())], check=True)
    figures: defaultdict[str, Figures] = defaultdict(Figures)
    numbers = count()
    for _ in range(STARTS):
        for rival in rivals:
            with emulated(rival.handler, rival.code, rival.environment, name="cold-start") as function:
                found = figures[rival.name]
                for place in range(WARM_EVENTS + 1):
                    event = _event(next(numbers))
                    stopwatch.taken()
                    began = time.perf_counter()
                    function.answer(event)
                    took = (time.perf_counter() - began - stopwatch.taken()) * 1000
                    (found.warm if place else found.first).append(took)
                found.megabytes.append(_peak_megabytes(rival))
    return dict(figures)


def _session() -> Session:
    session = Session()
    session.set_credentials(ACCOUNT, "local", "local")
    return session


def _event(number: int) -> dict[str, Any]:
    event = sample("s3-object-created")
    wanted = {**event["detail"]["object"], "key": f"in/cold-{time.time_ns()}-{number}.csv"}
    return {**event, "id": f"{number}", "detail": {**event["detail"], "object": wanted}}


def _peak_megabytes(rival: Rival) -> float:
    """The most resident memory that the function's process has had."""
    for process in Path("/proc").iterdir():
        try:
            is_it = process.name.isdigit() and (process / "cwd").resolve() == rival.code.resolve()
            if (
                is_it
                and b"awslambdaric" in (process / "cmdline").read_bytes()
                and b"rie" not in (process / "comm").read_bytes()
            ):
                return int(re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())[1]) / 1024  # type: ignore[index]
        except OSError:
            continue
    return 0.0


def _many_triggers() -> list[Trigger]:
    return [
        Trigger.from_document(
            {
                "name": f"many-{number}",
                "event_pattern": {
                    "source": ["aws.s3"],
                    "detail": {
                        "bucket": {"name": [f"bucket-{number % 97}"]},
                        "object": {"key": [{"prefix": f"p{number}/"}]},
                    },
                },
                "targets": [{"pipeline": "churn-train", "parameters": {"InputUri": "$.detail.object.key"}}],
            },
            set="benchmark",
        )
        for number in range(MANY_TRIGGERS)
    ]


def _rows(figures: Mapping[str, Figures], of_ours: str = "") -> Iterator[tuple[str, ...]]:
    empty, by_hand = (statistics.median(figures[name].first) for name in ("empty handler", "by hand"))
    for name, found in figures.items():
        first = statistics.median(found.first)
        yield (
            name + (of_ours if name == "ours" else ""),
            f"{first:,.0f}",
            f"{first / by_hand:.0%}",
            f"{(first - empty) / (by_hand - empty):.0%}" if name != "empty handler" else "-",
            f"{statistics.median(found.warm):.1f}",
            f"{max(found.megabytes):.0f}",
        )
