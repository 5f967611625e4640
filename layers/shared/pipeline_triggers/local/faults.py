"""Faults of AWS, on purpose: which calls meet which fault, how often and when.

A plan is a list of faults; the first one that is due at a call acts. ``Faults`` stands as an interceptor before the
embedded AWS::

    plan = FaultPlan(
        Fault("throttle", "sagemaker", "StartPipelineExecution", times=20),
        Fault("reset", "dynamodb", "UpdateItem", on="local-ledger", acted=True, every=10, times=None),
        Fault("crash", "sagemaker", "StartPipelineExecution", probability=0.01, seed=1, times=None),
    )
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline_triggers.local.wire import Answer, error_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.local.proxy import Forward
    from pipeline_triggers.local.wire import Call

# throttle, access-denied: refused with the service's code. refusal: refused with ``code``. server-error: 500.
# reset: the connection closes without an answer. malformed: an answer of 200 that is no JSON. delay: ``seconds`` later.
# forget-tokens: SageMaker forgets all client request tokens. crash: the process that calls is killed.
Kind = Literal[
    "throttle", "access-denied", "refusal", "server-error", "reset", "malformed", "delay", "forget-tokens", "crash"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Those that may strike before the call acts or after it: in the others there is no difference, or no such case.
EITHER_WAY = frozenset({"server-error", "reset", "malformed", "delay", "crash"})

_THROTTLED = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "RequestThrottled"}
_NAMES = ("PipelineName", "PipelineExecutionArn", "QueueUrl", "TableName")
# A batch of DynamoDB has its tables as the keys of an object.
_BATCH = "RequestItems"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and the calls that meet it.

    The calls: those of ``service`` and ``operation`` to the table, queue or pipeline called ``on`` (empty counts for
    all), made by a function of the stack unless ``by_anybody``. Of these the first ``after`` pass; then each
    ``every``-th is struck with ``probability`` (drawn from ``seed``), at most ``times`` of them (None: without end).
    Only from ``begins`` to ``ends``, in seconds since the plan was taken up.

    ``acted``: the call has its effect all the same, only its answer is lost, late, broken or an error of the server.
    """

    kind: Kind
    service: str = ""
    operation: str = ""
    on: str = ""
    times: int | None = 1
    after: int = 0
    every: int = 1
    probability: float = 1.0
    seed: int = 0
    begins: float = 0.0
    ends: float = math.inf
    acted: bool = False
    seconds: float = 0.0
    code: str = ""
    by_anybody: bool = False

    def __post_init__(self) -> None:
        """Refuse what can never strike, or has no meaning: ValueError."""
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.acted and self.kind not in EITHER_WAY:
            raise ValueError(f"acted says something about {', '.join(sorted(EITHER_WAY))} only, not about {self.kind}")
        if (self.kind == "refusal") != bool(self.code):
            raise ValueError("refusal, and only refusal, needs the error code that the service gives")
        if (self.kind == "delay") != (self.seconds > 0):
            raise ValueError("delay, and only delay, needs seconds")
        if self.every < 1 or self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError("a fault strikes at least once: every and times are 1 or more, after 0 or more")
        if not 0 < self.probability <= 1 or not 0 <= self.begins < self.ends:
            raise ValueError("a fault has a probability above 0 and up to 1, and begins before it ends")

    def meets(self, call: Call) -> bool:
        """Whether this is one of its calls."""
        if self.service not in ("", call.service) or self.operation not in ("", call.operation):
            return False
        if not self.by_anybody and not trace_of(call):
            return False
        named = [call.input.get(name) for name in _NAMES] + list(call.input.get(_BATCH, ()))
        return not self.on or any(_is_called(each, self.on) for each in named)


@dataclass(frozen=True, slots=True, init=False)
class FaultPlan:
    """Faults in the order in which they are asked: the first that is due at a call acts."""

    faults: tuple[Fault, ...]

    def __init__(self, *faults: Fault) -> None:
        object.__setattr__(self, "faults", faults)


NO_FAULTS = FaultPlan()


@dataclass
class _Counted:
    """A fault with how many of its calls came and were struck."""

    fault: Fault
    draw: random.Random
    came: int = 0
    struck: int = 0

    def is_due(self, call: Call, passed: float) -> bool:
        """Count the call; ``passed`` seconds since the plan was taken up. True when it is to be struck."""
        fault = self.fault
        if not fault.begins <= passed < fault.ends or not fault.meets(call):
            return False
        self.came += 1
        if self.came <= fault.after or (self.came - fault.after) % fault.every:
            return False
        if fault.times is not None and self.struck >= fault.times:
            return False
        if fault.probability < 1 and self.draw.random() >= fault.probability:
            return False
        self.struck += 1
        return True


def _never_forgets() -> None:
    raise RuntimeError("forget-tokens needs attach(forget_tokens=…)")


def _never_kills(_trace: str) -> None:
    raise RuntimeError("crash needs attach(kill=…)")


@dataclass
class Faults:
    """The interceptor that injects the faults of a plan; the plan may be changed while calls come.

    ``injected`` counts what was done, by kind, service and operation. Safe to use from many threads.
    """

    plan: FaultPlan = NO_FAULTS
    now: Callable[[], float] = time.monotonic
    injected: Counter[tuple[Kind, str, str]] = field(default_factory=Counter)
    _forget_tokens: Callable[[], None] = _never_forgets
    _kill: Callable[[str], None] = _never_kills

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.follow(self.plan)

    def attach(self, *, forget_tokens: Callable[[], None], kill: Callable[[str], None]) -> None:
        """Name what forgets SageMaker's tokens, and what kills the process whose calls bear a trace id."""
        self._forget_tokens, self._kill = forget_tokens, kill

    def follow(self, plan: FaultPlan) -> None:
        """Take up another plan from its beginning."""
        with self._lock:
            self.plan, self._began = plan, self.now()
            self._counted = [_Counted(fault, random.Random(fault.seed)) for fault in plan.faults]  # noqa: S311 # nosec B311 # a plan repeats

    def strike(self, *faults: Fault) -> None:
        """Take up a plan of these faults; none: let every call pass."""
        self.follow(FaultPlan(*faults))

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Let the call pass, or do to it what the plan says."""
        fault = self._due(call)
        return forward(call) if fault is None else self._inject(fault, call, forward)

    def _due(self, call: Call) -> Fault | None:
        with self._lock:
            passed = self.now() - self._began
            for counted in self._counted:
                if counted.is_due(call, passed):
                    self.injected[counted.fault.kind, call.service, call.operation] += 1
                    return counted.fault
        return None

    def _inject(self, fault: Fault, call: Call, forward: Forward) -> Answer:
        match fault.kind:
            case "forget-tokens":
                self._forget_tokens()
                return forward(call)
            case "delay":
                return _late(fault, call, forward)
        if fault.acted:
            forward(call)
        if fault.kind == "crash":
            self._kill(trace_of(call))
        if fault.kind in ("crash", "reset"):
            raise ConnectionError(f"{fault.kind}: a fault of the plan")
        return _answer(fault, call)


def trace_of(call: Call) -> str:
    """The trace id of the invocation that made the call; empty when no function made it."""
    return str(call.environ.get("HTTP_X_AMZN_TRACE_ID", ""))


def _late(fault: Fault, call: Call, forward: Forward) -> Answer:
    """The answer, late; unless ``acted`` the call itself comes late, too."""
    if fault.acted:
        answer = forward(call)
        time.sleep(fault.seconds)
        return answer
    time.sleep(fault.seconds)
    return forward(call)


def _answer(fault: Fault, call: Call) -> Answer:
    if fault.kind == "malformed":
        return Answer(200, (("Content-Type", "text/html"),), b"<html><body>It works!</body></html>")
    status = 500 if fault.kind == "server-error" else 400
    code = {
        "throttle": _THROTTLED.get(call.service, "ThrottlingException"),
        "access-denied": "AccessDeniedException",
        "server-error": "InternalServerError",
    }.get(fault.kind, fault.code)
    return error_answer(code, f"{fault.kind}: a fault of the plan", status, in_xml=call.is_answered_in_xml)


def _is_called(name: Any, wanted: str) -> bool:
    """Whether a name, an ARN or a URL names this."""
    return str(name or "").rpartition("/")[2].casefold() == wanted.casefold()
