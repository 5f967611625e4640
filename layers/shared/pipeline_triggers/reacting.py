"""Use case: events → executions. One message is read, matched, resolved, checked, written to the ledger and started."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pipeline_triggers.domain.decisions import Decision, decide, orphaned_message
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.domain.ledger import Busy, Capped, Rejected, Started
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from pipeline_triggers.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline_triggers.domain.decisions import Outcome, PermanentReason
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import Home, StartRequest
    from pipeline_triggers.domain.ledger import Acquired
    from pipeline_triggers.domain.ports import Clock, Ledger, Pipelines, Quarantine, TriggerStore
    from pipeline_triggers.domain.triggers import Snapshot

# Re-creation of a pipeline and propagation of IAM settle within this time (design: two kinds of failure).
PATIENCE = timedelta(minutes=15)
# The clocks of SQS and of this worker may differ by so much.
CLOCK_MARGIN = timedelta(seconds=2)
# A target is begun only when so much time is left: acquiring its entry (a read, a count and a write) and the start fit
# even if every answer comes as late as it may (adapters/clients.py has the arithmetic). If only the completion does not
# fit any more, the next receipt of the message looks for the execution.
START_BUDGET = timedelta(seconds=38)
# The call that starts is made only when so much is left: it must not go on after the lease, when another may try.
CALL_BUDGET = timedelta(seconds=10)
# After these nothing more is called for the rest of an invocation: the next call would meet the same.
STOPPING_REASONS = frozenset({"throttled", "limit-exceeded", "ledger-unavailable", "deadline"})
# After these a worker leaves more time between its starts.
SLOWING_REASONS = frozenset({"throttled", "limit-exceeded"})
BECOMES_PERMANENT: dict[str, PermanentReason] = {"not-found-yet": "pipeline-not-found", "denied-yet": "access-denied"}
# Refusals by the check against what the pipeline declares.
CONTRACT_REASONS = frozenset({"unknown-parameter", "required-parameter", "wrong-type", "not-in-enum"})
# What keeps SageMaker from describing a pipeline is asked about again after so long: as long as a definition is kept.
UNDESCRIBED_FOR = timedelta(minutes=5)
MAX_DELAY_SECONDS = 900
# The first delay of a message that must come again, and of one that there was only no time for.
FIRST_DELAY_SECONDS = 30
FIRST_DELAY_OF_TIME_SECONDS = 5
# What is only interrupted, with its progress stored, comes again at once.
CONTINUES = "continues"
# How a worker slows down when it is throttled, and grows faster again with each start: about ten starts make up for one
# throttle, whatever the limit is, so that calls stay near 1.1 for each start. The least is for stacks whose workers
# leave no time between starts. No worker waits so long that an invocation would have no time left for the start.
SLOWER = 2.0
FASTER = 0.93
LEAST_SLOW_INTERVAL = 0.25
MOST_SLOW_INTERVAL = 15.0

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

    ``id`` is the same at every receipt, and another one after a redrive. A bare event (no queue) has no times: nothing
    redelivers it, so what may pass is judged at once. ``attributes`` are those of the SQS message, in the form of
    ``messages.Received``.
    """

    body: str
    id: str
    queue_arn: str = ""
    receipt_handle: str = ""
    sent_at: datetime | None = None
    first_received_at: datetime | None = None
    receive_count: int = 1
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def delivery(self) -> str:
        """What tells a redelivery from a redrive; empty for a bare event, which somebody sends again on purpose."""
        return self.id if self.queue_arn else ""


@dataclass
class Invocation:
    """One run of a worker: who it is, until when it may call, and why it stopped calling (empty while it goes on).

    ``undescribed`` are the pipelines that SageMaker would not describe, and why: in this run they are not asked for
    again.
    ``reread`` are those whose definition was read once more because of a refusal: in this run that is enough.
    """

    owner: str
    deadline: datetime
    stopped: str = ""
    undescribed: dict[PipelineKey, str] = field(default_factory=dict)
    reread: set[PipelineKey] = field(default_factory=set)

    def is_late(self, now: datetime, budget: timedelta = START_BUDGET) -> bool:
        """Whether too little time is left for a start."""
        return now + budget > self.deadline


@dataclass
class Snapshots:
    """The current triggers, read again only when they might be older than the message that they serve.

    ``orphaned`` is since when which pipelines are marked as gone, by casefolded ARN, read together with them.
    """

    store: TriggerStore
    clock: Clock
    orphaned: Mapping[str, datetime] = field(default_factory=dict)
    _snapshot: Snapshot | None = None
    _validated_at: datetime | None = None

    def for_message(self, message: Message) -> Snapshot:
        """A snapshot that was the current one after the message was sent: no event meets triggers older than itself."""
        if self._snapshot and self._is_newer_than(message):
            return self._snapshot
        return self.read()

    def read(self) -> Snapshot:
        """The current snapshot, whatever was known before."""
        validated_at = self.clock.now()
        current = self.store.current()
        if self._snapshot is None or self._snapshot.revision != current.revision:
            self._snapshot = self.store.load(current.revision)
        self.orphaned = current.orphaned
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
            invocation.undescribed[key] = error.reason
            self._note(ref, role_arn, error)
            return None
        self._told.discard(key)
        return definition

    def is_missing(self, ref: PipelineRef, role_arn: str | None, invocation: Invocation) -> bool:
        """Whether SageMaker says in this invocation that it does not find a pipeline; False when it says nothing."""
        self.of(ref, role_arn, invocation)
        return invocation.undescribed.get(ref.key_in(self.home)) == "not-found-yet"

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
    """At most one start each ``interval`` seconds, for this worker; fewer for as long as SageMaker throttles it.

    Other workers share the same limit, and nobody knows how many: each doubles its interval when it is throttled and
    shortens it a little with each start, so that together they keep just below the limit.
    """

    clock: Clock
    interval: float
    _slow: float = 0.0
    _last: datetime | None = None

    def ready_at(self) -> datetime:
        """When the next start may be made."""
        now = self.clock.now()
        if self._last is None:
            return now
        return max(now, self._last + timedelta(seconds=max(self.interval, self._slow)))

    def wait(self) -> None:
        """Sleep until the next start may be made."""
        seconds = (self.ready_at() - self.clock.now()).total_seconds()
        if seconds > 0:
            self.clock.sleep(seconds)
        self._last = self.clock.now()

    def started(self) -> None:
        """A start was made."""
        self._slow *= FASTER

    def throttled(self) -> None:
        """A start was refused for its pace."""
        wanted = max(LEAST_SLOW_INTERVAL, SLOWER * max(self.interval, self._slow))
        self._slow = min(MOST_SLOW_INTERVAL, wanted)


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

    def prepare(self) -> None:
        """Do what the first event would wait for: read the triggers, index them, connect to SageMaker.

        Raises AwsError when the triggers cannot be read; the first event then reads them itself.
        """
        snapshot = self.snapshots.read()
        snapshot.index.take_in()
        started = [trigger for trigger in snapshot.triggers if trigger.state == "ENABLED" and trigger.pattern]
        if started:
            pipeline = started[0].targets[0].pipeline
            nobody = Invocation(owner="", deadline=self.clock.now() + 2 * START_BUDGET)
            self.declarations.of(pipeline, snapshot.start_roles.get(pipeline), nobody)

    def react(self, items: Sequence[Event | Malformed], message: Message, invocation: Invocation) -> list[Decision]:
        """Decide on every event of a message and start what is to start.

        What is rejected is in quarantine when this returns. A decision with the outcome ``retry`` means that the
        message must come again: what is done by then is found done, and what was rejected is found rejected. When the
        quarantine cannot be written, that is the outcome of all that was to go there. Raises TransientError when too
        little time is left to begin, or the triggers could not be read: then nothing was done.
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
            try:
                self._put_in_quarantine(rejected, message)
            except AwsError as error:
                return [_not_quarantined(decision, error) for decision in decisions]
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

        def is_orphaned(ref: PipelineRef) -> bool:
            return self._is_orphaned(ref, snapshot.start_roles.get(ref), invocation)

        planned = decide(item, snapshot, definition_of, self.home, is_orphaned)
        if self._reread(planned, snapshot, invocation):
            planned = decide(item, snapshot, definition_of, self.home, is_orphaned)
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
        if not invocation.stopped and invocation.is_late(self.pacer.ready_at()):
            invocation.stopped = "deadline"
        if invocation.stopped:
            return replace(decision, outcome="retry", reason=invocation.stopped, message="stopped calling for now")
        try:
            if decision.outcome == "start":
                return self._start(decision, snapshot, message, invocation)
            self.ledger.record(decision, message_id=message.delivery)
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
        cap = snapshot.by_name[decision.trigger].max_starts_per_hour or self.max_starts_per_hour
        found = self.ledger.acquire(
            decision,
            invocation.owner,
            invocation.deadline,
            message_id=message.delivery,
            cap=cap,
        )
        if isinstance(found, Started):
            return replace(decision, outcome="duplicate", execution_arn=found.execution_arn)
        if isinstance(found, Busy):
            raise TransientError("in-progress", f"another worker is at it until {found.until.isoformat()}")
        if isinstance(found, Rejected):
            return replace(decision, outcome="rejected", reason=found.reason, message=found.message)
        if isinstance(found, Capped):
            capped = replace(decision, outcome="rejected", reason="rate-cap", message=_over_the_cap(decision, cap))
            self.ledger.record(capped, message_id=message.delivery)
            return capped
        return self._attempt(decision, found, message, invocation)

    def _attempt(self, decision: Decision, found: Acquired, message: Message, invocation: Invocation) -> Decision:
        """Start what was acquired, or say in the ledger what became of the attempt."""
        try:
            request, execution_arn = self._start_or_find(decision, found, invocation)
        except AwsError as error:
            final = self._final(error, decision, message)
            if isinstance(final, PermanentError):
                self.ledger.reject(decision.token, invocation.owner, final.reason, str(final))
            elif isinstance(final, TransientError) and not final.acted:
                self.ledger.release(decision.token, invocation.owner, final.reason)
            raise final from error
        self.ledger.complete(decision.token, invocation.owner, execution_arn)
        told = _changed_parameters(request, decision) if found.params_changed else ""
        return replace(decision, outcome="started", execution_arn=execution_arn, request=request, message=told)

    def _start_or_find(
        self,
        decision: Decision,
        found: Acquired,
        invocation: Invocation,
    ) -> tuple[StartRequest, str]:
        """Start; after an attempt of unknown outcome look for its execution first, else repeat that very request."""
        request = found.request or decision.request
        assert request is not None, "decide gives every start its request"
        if found.outcome_unknown:
            assert found.since is not None, "the ledger keeps when an attempt of unknown outcome began"
            assert found.until is not None, "and when its lease ended"
            if execution_arn := self._find(request, found.since, found.until):
                return request, execution_arn
        self.pacer.wait()
        if invocation.is_late(self.clock.now(), CALL_BUDGET):
            raise TransientError("deadline", "too little time is left for the start itself")
        try:
            execution_arn = self.pipelines.start(request)
        except AwsError as error:
            if error.reason in SLOWING_REASONS:
                self.pacer.throttled()
            raise
        self.pacer.started()
        return request, execution_arn

    def _find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """The execution of an earlier attempt. However it fails, to look for it has no effect."""
        try:
            return self.pipelines.find(request, since, until)
        except TransientError as error:
            raise TransientError(error.reason, str(error)) from error

    def _failed(self, decision: Decision, error: AwsError, invocation: Invocation) -> Decision:
        if error.reason in STOPPING_REASONS:
            invocation.stopped = error.reason
        outcome: Outcome = "rejected" if isinstance(error, PermanentError) else "retry"
        return replace(decision, outcome=outcome, reason=error.reason, message=str(error))

    def _is_orphaned(self, ref: PipelineRef, role_arn: str | None, invocation: Invocation) -> bool:
        """Whether a pipeline is marked as gone for longer than one waits, and SageMaker does not find it now either.

        The mark alone refuses nothing: a pipeline that was made again starts at once, whatever its mark says.
        """
        arn = ref.arn_in(self.home)
        return self._is_marked(arn) and self.declarations.is_missing(PipelineRef.parse(arn), role_arn, invocation)

    def _is_marked(self, pipeline_arn: str) -> bool:
        """Whether a pipeline is marked as gone, and was so before anybody would wait for it to be made again."""
        since = self.snapshots.orphaned.get(pipeline_arn.casefold())
        return since is not None and self.clock.now() - since >= PATIENCE

    def _final(self, error: AwsError, decision: Decision, message: Message) -> AwsError:
        """The error of a start as it counts now: nobody waits for a pipeline that has been gone for long."""
        if error.reason == "not-found-yet" and self._is_marked(decision.pipeline_arn):
            return PermanentError("pipeline-orphaned", orphaned_message(decision.pipeline_arn))
        return final_error(error, message, self.clock.now())

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
                attributes=message.attributes,
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


def _over_the_cap(decision: Decision, cap: int) -> str:
    told = f"trigger {decision.trigger} has started {cap} executions in this hour (UTC)"
    return f"{told}; raise max_starts_per_hour if that is meant to be, then redrive"


def _changed_parameters(sent: StartRequest, decision: Decision) -> str:
    """What to say when the configuration changed between two attempts of one start."""
    told = "the parameters are not those of an earlier attempt, because the trigger was changed in between"
    if sent == decision.request:
        return f"{told}; that attempt had no effect, so the new ones were sent"
    return f"{told}; what that attempt did was not known, so it was repeated with its own"


def _not_quarantined(decision: Decision, error: AwsError) -> Decision:
    """A decision that stands, but whose message must come again because the quarantine could not be written."""
    if decision.outcome != "rejected":
        return decision
    told = f"rejected ({decision.reason}), but the quarantine could not be written: {error}"
    return replace(decision, outcome="retry", reason=error.reason, message=told)


def final_error(error: AwsError, message: Message, now: datetime) -> AwsError:
    """The error as it counts now: what did not settle in time is permanent."""
    waited_since = message.first_received_at
    patience_is_over = waited_since is None or now - waited_since >= PATIENCE
    if error.reason in BECOMES_PERMANENT and patience_is_over:
        return PermanentError(BECOMES_PERMANENT[error.reason], str(error))
    return error


def delay_seconds(receive_count: int, reason: str, jitter: Callable[[], float] = random.random) -> int:
    """When a message should come again: growing with its receipts, with jitter, at most 900 s.

    What there was only no time for comes again soon; but it too waits longer and longer, so that a message to which
    fresher ones are preferred again and again has used up its receipts after days, not hours.
    """
    if reason == CONTINUES:
        return 0
    first = FIRST_DELAY_OF_TIME_SECONDS if reason == "deadline" else FIRST_DELAY_SECONDS
    grown = min(MAX_DELAY_SECONDS, first << min(receive_count - 1, 10))
    return max(1, min(MAX_DELAY_SECONDS, round(grown * (0.5 + jitter() / 2))))
