"""Use case: events → executions. One message is read, matched, resolved, checked, written to the ledger and started."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pipeline_triggers.domain.decisions import Decision, decide
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.ledger import Busy, Started
from pipeline_triggers.domain.ports import Quarantined
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from pipeline_triggers.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline_triggers.domain.decisions import Outcome, PermanentReason
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import Home, PipelineRef, StartRequest
    from pipeline_triggers.domain.ledger import Acquired
    from pipeline_triggers.domain.ports import Clock, Ledger, Pipelines, Quarantine, TriggerStore
    from pipeline_triggers.domain.triggers import Snapshot

# Re-creation of a pipeline and propagation of IAM settle within this time (design: two kinds of failure).
PATIENCE = timedelta(minutes=15)
# The clocks of SQS and of this worker may differ by so much.
CLOCK_MARGIN = timedelta(seconds=2)
# A start with its ledger calls must fit before the deadline, at the clients' timeouts for an answer that is late once.
START_BUDGET = timedelta(seconds=25)
# After these nothing more is called for the rest of an invocation: the next call would meet the same.
STOPPING_REASONS = frozenset({"throttled", "limit-exceeded", "ledger-unavailable", "deadline"})
BECOMES_PERMANENT: dict[str, PermanentReason] = {"not-found-yet": "pipeline-not-found", "denied-yet": "access-denied"}
# Refusals by the check against what the pipeline declares.
CONTRACT_REASONS = frozenset({"unknown-parameter", "required-parameter", "wrong-type", "not-in-enum"})
# What keeps SageMaker from describing a pipeline is asked about again after so long: as long as a definition is kept.
UNDESCRIBED_FOR = timedelta(minutes=5)
MAX_DELAY_SECONDS = 900

# A pipeline, or a version of one: ``PipelineRef.key_in``.
PipelineKey: TypeAlias = tuple[str, int | None]


class Malformed(Protocol):
    """A part of a payload that no source could read."""

    @property
    def reason(self) -> str:
        """malformed-event, too-deep or too-large."""

    @property
    def message(self) -> str:
        """What was seen and what is accepted."""


@dataclass(frozen=True, slots=True)
class Message:
    """One payload as it was delivered: the text that a quarantine keeps, and when and by which queue it came.

    A bare event (no queue) has no times: nothing redelivers it, so what may pass is judged at once.
    """

    body: str
    id: str
    queue_arn: str = ""
    receipt_handle: str = ""
    sent_at: datetime | None = None
    first_received_at: datetime | None = None
    receive_count: int = 1


@dataclass
class Invocation:
    """One run of a worker: who it is, until when it may call, and why it stopped calling (empty while it goes on).

    ``undescribed`` are the pipelines that SageMaker would not describe: in this run they are not asked for again.
    ``reread`` are those whose definition was read once more because of a refusal: in this run that is enough.
    """

    owner: str
    deadline: datetime
    stopped: str = ""
    undescribed: set[PipelineKey] = field(default_factory=set)
    reread: set[PipelineKey] = field(default_factory=set)

    def is_late(self, now: datetime) -> bool:
        """Whether too little time is left for a start."""
        return now + START_BUDGET > self.deadline


@dataclass
class Snapshots:
    """The current triggers, read again only when they might be older than the message that they serve."""

    store: TriggerStore
    clock: Clock
    _snapshot: Snapshot | None = None
    _validated_at: datetime | None = None

    def for_message(self, message: Message) -> Snapshot:
        """A snapshot that was the current one after the message was sent: no event meets triggers older than itself."""
        if self._snapshot and self._is_newer_than(message):
            return self._snapshot
        validated_at = self.clock.now()
        revision = self.store.revision()
        if self._snapshot is None or self._snapshot.revision != revision:
            self._snapshot = self.store.load(revision)
        self._validated_at = validated_at
        return self._snapshot

    def _is_newer_than(self, message: Message) -> bool:
        if self._validated_at is None or message.sent_at is None:
            return False
        return self._validated_at >= message.sent_at + CLOCK_MARGIN


@dataclass
class Declarations:
    """What pipelines declare, as far as SageMaker says it to this worker.

    What will keep it from being said (no permission, a definition that cannot be read) is told once for each pipeline,
    and again only when it was said in between; for five minutes nobody asks again. The pipelines start all the same:
    SageMaker itself then checks the request.
    """

    pipelines: Pipelines
    clock: Clock
    home: Home
    _told: set[PipelineKey] = field(default_factory=set)
    _ask_again_at: dict[PipelineKey, datetime] = field(default_factory=dict)

    def of(
        self,
        ref: PipelineRef,
        role_arn: str | None,
        invocation: Invocation,
        *,
        fresh: bool = False,
    ) -> Definition | None:
        """What a pipeline declares; None when it cannot be said now."""
        key, now = ref.key_in(self.home), self.clock.now()
        if invocation.stopped or invocation.is_late(now) or key in invocation.undescribed:
            return None
        if key in self._ask_again_at and now < self._ask_again_at[key]:
            return None
        try:
            definition = self.pipelines.describe(ref, role_arn=role_arn, fresh=fresh)
        except AwsError as error:
            invocation.undescribed.add(key)
            self._note(ref, role_arn, error)
            return None
        self._told.discard(key)
        return definition

    def _note(self, ref: PipelineRef, role_arn: str | None, error: AwsError) -> None:
        key = ref.key_in(self.home)
        about: dict[str, Any] = {
            "pipeline": str(ref),
            "version": ref.version_id,
            "reason": error.reason,
            "detail": str(error),
        }
        is_denied = error.reason == "denied-yet"
        if not is_denied and not isinstance(error, PermanentError):
            logger.info("pipeline not described", **about)
            return
        self._ask_again_at[key] = self.clock.now() + UNDESCRIBED_FOR
        if key in self._told:
            return
        self._told.add(key)
        whose = role_arn or "the role of this function"
        permit = f"Give {whose} sagemaker:DescribePipeline for the pipeline"
        remedy = permit if is_denied else "Correct the definition of the pipeline"
        logger.warning("parameters are not checked before the start", **about, remedy=remedy)


@dataclass
class Pacer:
    """At most one start each ``interval`` seconds, for this worker."""

    clock: Clock
    interval: float
    _last: datetime | None = None

    def wait(self) -> None:
        """Sleep until the next start may be made."""
        if self._last is not None:
            passed = (self.clock.now() - self._last).total_seconds()
            if passed < self.interval:
                self.clock.sleep(self.interval - passed)
        self._last = self.clock.now()


@dataclass
class Reactor:
    """Turns events into executions: exactly one for each occurrence and target, or a reason."""

    triggers: TriggerStore
    pipelines: Pipelines
    ledger: Ledger
    quarantine: Quarantine
    clock: Clock
    home: Home
    start_interval: float
    max_starts_per_hour: int
    snapshots: Snapshots = field(init=False)
    declarations: Declarations = field(init=False)
    pacer: Pacer = field(init=False)

    def __post_init__(self) -> None:
        self.snapshots = Snapshots(self.triggers, self.clock)
        self.declarations = Declarations(self.pipelines, self.clock, self.home)
        self.pacer = Pacer(self.clock, self.start_interval)

    def react(self, items: Sequence[Event | Malformed], message: Message, invocation: Invocation) -> list[Decision]:
        """Decide on every event of a message and start what is to start.

        Permanent failures are in quarantine when this returns. A decision with the outcome ``retry`` means that the
        message must come again; what is done by then is found done. Raises TransientError when too little time is left
        to begin, the triggers could not be read or the quarantine could not be written: then too the message must come
        again.
        """
        if invocation.is_late(self.clock.now()):
            raise TransientError("deadline", "too little time is left for this message")
        snapshot = self.snapshots.for_message(message)
        decisions = [
            replace(decision, at=self.clock.now())
            for item in items
            for decision in self._react_to(item, snapshot, message, invocation)
        ]
        if rejected := [decision for decision in decisions if decision.outcome == "rejected"]:
            self._put_in_quarantine(rejected, message)
        return decisions

    def _react_to(
        self,
        item: Event | Malformed,
        snapshot: Snapshot,
        message: Message,
        invocation: Invocation,
    ) -> list[Decision]:
        if not isinstance(item, Event):
            return [Decision(message.id, "", "rejected", reason=item.reason, message=item.message)]

        def definition_of(ref: PipelineRef) -> Definition | None:
            return self.declarations.of(ref, snapshot.start_roles.get(ref), invocation)

        planned = decide(item, snapshot, definition_of, self.home)
        if self._reread(planned, snapshot, invocation):
            planned = decide(item, snapshot, definition_of, self.home)
        return [self._carry_out(decision, snapshot, message, invocation) for decision in planned]

    def _carry_out(
        self,
        decision: Decision,
        snapshot: Snapshot,
        message: Message,
        invocation: Invocation,
    ) -> Decision:
        if decision.outcome == "unmatched":
            return decision
        if not invocation.stopped and invocation.is_late(self.clock.now()):
            invocation.stopped = "deadline"
        if invocation.stopped:
            return replace(decision, outcome="retry", reason=invocation.stopped, message="stopped calling for now")
        try:
            if decision.outcome == "start":
                return self._start(decision, snapshot, message, invocation)
            self.ledger.record(decision)
        except AwsError as error:
            return self._failed(decision, error, invocation)
        return decision

    def _start(
        self,
        decision: Decision,
        snapshot: Snapshot,
        message: Message,
        invocation: Invocation,
    ) -> Decision:
        found = self.ledger.acquire(decision, invocation.owner, invocation.deadline)
        if isinstance(found, Started):
            return replace(decision, outcome="duplicate", execution_arn=found.execution_arn)
        if isinstance(found, Busy):
            raise TransientError("in-progress", f"another worker is at it until {found.until.isoformat()}")
        try:
            if found.attempts == 1:
                self._count_against_the_cap(decision, snapshot)
            request, execution_arn = self._start_or_find(decision, found)
        except AwsError as error:
            final = final_error(error, message, self.clock.now())
            if isinstance(final, PermanentError):
                self.ledger.reject(decision.token, invocation.owner, final.reason)
            elif isinstance(final, TransientError) and not final.acted:
                self.ledger.release(decision.token, invocation.owner, final.reason)
            raise final from error
        self.ledger.complete(decision.token, invocation.owner, execution_arn)
        return replace(decision, outcome="started", execution_arn=execution_arn, request=request)

    def _start_or_find(self, decision: Decision, found: Acquired) -> tuple[StartRequest, str]:
        """Start; after an attempt of unknown outcome look for its execution first, else repeat that very request."""
        request = decision.request
        assert request is not None, "decide gives every start its request"
        if found.outcome_unknown and found.request is not None and found.since is not None:
            request = found.request
            if execution_arn := self.pipelines.find(request, found.since):
                return request, execution_arn
        self.pacer.wait()
        return request, self.pipelines.start(request)

    def _failed(self, decision: Decision, error: AwsError, invocation: Invocation) -> Decision:
        if error.reason in STOPPING_REASONS:
            invocation.stopped = error.reason
        outcome: Outcome = "rejected" if isinstance(error, PermanentError) else "retry"
        return replace(decision, outcome=outcome, reason=error.reason, message=str(error))

    def _count_against_the_cap(self, decision: Decision, snapshot: Snapshot) -> None:
        cap = snapshot.by_name[decision.trigger].max_starts_per_hour or self.max_starts_per_hour
        if not self.ledger.count_start(decision.trigger, self.clock.now(), cap):
            told = f"trigger {decision.trigger} has started {cap} executions in this hour (UTC)"
            raise PermanentError("rate-cap", f"{told}; raise max_starts_per_hour if that is meant to be, then redrive")

    def _reread(self, planned: Sequence[Decision], snapshot: Snapshot, invocation: Invocation) -> bool:
        """Read once more what the pipelines declare that would refuse a start, each once in an invocation.

        They may have been updated since their definition was kept: a refusal must not rest on that. Tells whether any
        was read.
        """
        refused = {
            target.pipeline.key_in(self.home): target.pipeline
            for decision in planned
            if decision.reason in CONTRACT_REASONS
            for target in snapshot.by_name[decision.trigger].targets
            if target.id == decision.target
        }
        again = {key: ref for key, ref in refused.items() if key not in invocation.reread}
        invocation.reread.update(again)
        for ref in again.values():
            self.declarations.of(ref, snapshot.start_roles.get(ref), invocation, fresh=True)
        return bool(again)

    def _put_in_quarantine(self, rejected: Sequence[Decision], message: Message) -> None:
        self.quarantine.put(
            Quarantined(
                id=message.id,
                reason=rejected[0].reason,
                source_queue=message.queue_arn,
                received_at=message.first_received_at or self.clock.now(),
                body=message.body,
                triggers=tuple(dict.fromkeys(decision.trigger for decision in rejected if decision.trigger)),
                decisions=tuple(decision.to_document() for decision in rejected),
                message="; ".join(dict.fromkeys(map(_with_its_target, rejected))),
            ),
        )


def _with_its_target(decision: Decision) -> str:
    """What was said about a decision, with the trigger and the target that it is about, if any."""
    if not decision.trigger:
        return decision.message
    return f"trigger {decision.trigger}, target {decision.target}: {decision.message}"


def final_error(error: AwsError, message: Message, now: datetime) -> AwsError:
    """The error as it counts now: what did not settle in time is permanent."""
    waited_since = message.first_received_at
    patience_is_over = waited_since is None or now - waited_since >= PATIENCE
    if error.reason in BECOMES_PERMANENT and patience_is_over:
        return PermanentError(BECOMES_PERMANENT[error.reason], str(error))
    return error


def delay_seconds(receive_count: int, reason: str, jitter: Callable[[], float] = random.random) -> int:
    """When a message should come again: growing with its receipts, with jitter, at most 900 s.

    What only ran out of time comes again soon.
    """
    if reason == "deadline":
        return round(5 * jitter())
    grown = min(MAX_DELAY_SECONDS, 30 << min(receive_count - 1, 10))
    return max(1, min(MAX_DELAY_SECONDS, round(grown * (0.5 + jitter() / 2))))
