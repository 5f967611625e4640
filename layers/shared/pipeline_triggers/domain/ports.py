"""What the use cases need from outside, as Protocols. Adapters implement them on AWS, tests/fakes in memory.

Every method may raise PermanentError or TransientError (errors.py) with a reason of ``domain.decisions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import PipelineRef, StartRequest
    from pipeline_triggers.domain.ledger import Acquired, Busy, Capped, EntryState, Rejected, Started
    from pipeline_triggers.domain.triggers import Snapshot


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Pipelines(Protocol):
    """SageMaker Pipelines."""

    def describe(self, ref: PipelineRef, *, role_arn: str | None = None, fresh: bool = False) -> Definition:
        """The declared parameters of the pipeline, or of the version that ``ref`` names.

        Asked for with the rights of the role, if there is one; kept for some minutes for whoever asks, unless
        ``fresh``. Raises TransientError("pipeline-deleting") while SageMaker deletes the pipeline, PermanentError for a
        definition that cannot be read.
        """

    def start(self, request: StartRequest) -> str:
        """Start an execution and return its ARN. A TransientError with ``acted`` may have started it."""

    def find(self, request: StartRequest, since: datetime, until: datetime) -> str | None:
        """The ARN of the execution that carries the request's token and was created from ``since`` to ``until``.

        Its display name ends in the beginning of the token, whatever it begins with; its description has the token.
        """

    def absent(self, arn: str) -> bool:
        """Whether there is no such pipeline, for sure: SageMaker neither finds it nor lists it, in any case of letters.

        ``arn`` is of the stack's own account and Region. Raises when this cannot be said now:
        TransientError("pipeline-deleting") while SageMaker deletes it, TransientError("conflict") when its answers
        contradict one another, and whatever else keeps them from being had.
        """


@dataclass(frozen=True, slots=True)
class Execution:
    """How an execution of a pipeline stands.

    ``status`` is SageMaker's: Executing, Stopping, Stopped, Failed or Succeeded. Times are aware, None where SageMaker
    does not tell them; ``changed_at`` is when one that has ended did so.
    """

    arn: str
    status: str
    started_at: datetime | None = None
    changed_at: datetime | None = None
    failure_reason: str = ""


class Executions(Protocol):
    """The executions of SageMaker Pipelines."""

    def execution(self, arn: str, *, role_arn: str | None = None) -> Execution:
        """How an execution stands; asked for with the rights of the role, if there is one.

        TransientError("not-found-yet") when there is none.
        """


class Ledger(Protocol):
    """What was started for which occurrence. All writes but ``record`` are fenced by ``owner``."""

    def acquire(
        self,
        decision: Decision,
        owner: str,
        lease_until: datetime,
        *,
        message_id: str = "",
        cap: int | None = None,
    ) -> Acquired | Started | Busy | Rejected | Capped:
        """Try to become the one worker that may start ``decision.token``.

        ``message_id`` tells a redelivery of what was rejected from a redrive. The first attempt is counted for the
        trigger in the clock hour (UTC) before anything else is written: Capped when that would exceed ``cap`` (None:
        not counted). A worker that dies just then may leave a count too many, never one too few.

        Stores the request, unless an attempt of unknown outcome has left one: that is the one to be repeated.
        """

    def complete(self, token: str, owner: str, execution_arn: str) -> None:
        """The execution runs: this is never undone."""

    def reject(self, token: str, owner: str, reason: str, message: str = "") -> None:
        """The start was refused for good, until somebody redrives the event.

        What an earlier attempt may have done stays unknown.
        """

    def release(self, token: str, owner: str, reason: str) -> None:
        """The attempt certainly had no effect: the next one need not reconcile."""

    def record(self, decision: Decision, *, message_id: str = "") -> None:
        """Keep a decision that starts nothing (shadow, disabled, rejected before the start).

        It never replaces an entry that is started, that somebody attempts, or of which an attempt's outcome is unknown.
        """

    def history(self, trigger: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """The entries of one trigger, newest first."""

    def of_event(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """The entries that one event caused."""

    def of_state(self, state: EntryState, since: datetime) -> Iterator[Mapping[str, Any]]:
        """The entries of one state, of all triggers, newest first."""

    def of_execution(self, execution_arn: str) -> Sequence[Mapping[str, Any]]:
        """The entries that an execution was started for: one, or none."""

    def of_token(self, token: str) -> Mapping[str, Any] | None:
        """The entry of a token."""


class TriggerStore(Protocol):
    """The stack's triggers, as immutable revisions."""

    def revision(self) -> int:
        """The current revision: one consistent read; 0 when nothing was ever written."""

    def load(self, revision: int | None = None) -> Snapshot:
        """One revision (default: the current one). NotFoundError when there is none of that number."""

    def revisions(self) -> Sequence[RevisionInfo]:
        """What revisions there are, newest first."""

    def write(self, snapshot: Snapshot, *, expected_revision: int, by: str) -> int:
        """Write the triggers as revision ``expected_revision`` + 1 and make it current.

        Raises StaleRevisionError when the current revision is not ``expected_revision`` any more.
        """


@dataclass(frozen=True, slots=True)
class RevisionInfo:
    """One revision of the triggers: who wrote it and when."""

    revision: int
    at: datetime
    by: str
    triggers: int
    current: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One event that cannot start anything as it is, with its original body."""

    id: str
    reason: str
    source_queue: str
    received_at: datetime
    body: str
    triggers: tuple[str, ...] = ()
    decisions: tuple[Mapping[str, Any], ...] = field(default=())
    message: str = ""


class Quarantine(Protocol):
    """Where events go that cannot start anything as they are; kept 90 days."""

    def put(self, item: Quarantined) -> None:
        """Keep an item; the same id again replaces it."""

    def list(self, reason: str | None = None) -> Iterator[Quarantined]:
        """The items without their bodies, newest first, of one reason or of all."""

    def get(self, id: str) -> Quarantined:  # noqa: A002 - the field's word
        """One item with its body. NotFoundError when there is none."""

    def drop(self, id: str) -> None:  # noqa: A002 - the field's word
        """Delete an item; one that is not there is fine."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The messages of a queue, as SQS counts them: approximately, and a minute or so late.

    ``waiting`` can be received, ``in_flight`` were received and may come back, ``delayed`` wait for their time.
    """

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All messages that the queue holds."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was received and is hidden from others for a while.

    ``sent_at`` is when it was sent first: a dead-letter queue keeps that time. ``source_arn`` is the queue that SQS
    moved it from, empty for a message that was sent here. ``attributes`` are the message's own, as SQS writes them:
    ``{"ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"}}``.
    """

    id: str
    receipt_handle: str
    body: str
    sent_at: datetime
    source_arn: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self, attribute: str) -> str:
        """The text of an attribute; empty when there is none."""
        return str(self.attributes.get(attribute, {}).get("StringValue", ""))


class Queues(Protocol):
    """SQS."""

    def delay(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Let a message reappear after so many seconds (ChangeMessageVisibility)."""

    def send(self, queue: str, body: str, attributes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Send a body to a queue, by name or ARN, with attributes in the form of ``Received``."""

    def receive(self, queue: str, seconds: int) -> Sequence[Received]:
        """Up to ten messages of a queue, by name or ARN, hidden for so many seconds; none when it has none now."""

    def delete(self, queue: str, receipt_handle: str) -> None:
        """Delete a message that was received; one that is gone is fine."""

    def counts(self, queue: str) -> Counts:
        """How many messages a queue, by name or ARN, has about now."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as a list tells of it; ``modified_at`` is when it was made or last changed, aware."""

    arn: str
    group: str
    name: str
    target_arn: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """One page of a schedule group; ``token`` asks for the next one, None when there is none."""

    schedules: Sequence[Schedule]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduleDefinition:
    """A schedule whole: ``document`` is what GetSchedule answers, as JSON, with times in ISO 8601."""

    arn: str
    target_arn: str
    modified_at: datetime
    document: Mapping[str, Any]


class Schedules(Protocol):
    """EventBridge Scheduler, of this account and Region."""

    def groups(self) -> Iterator[str]:
        """The names of all schedule groups."""

    def page(self, group: str, token: str | None = None) -> SchedulePage:
        """A page of a group's schedules, the first without ``token``. A group that is not there has none."""

    def get(self, group: str, name: str) -> ScheduleDefinition:
        """One schedule whole. NotFoundError when there is none."""

    def create(self, document: Mapping[str, Any]) -> str:
        """Make a schedule and return its ARN; ``document`` is the CreateSchedule request as JSON, times in ISO 8601.

        TransientError("conflict") when there is one of that name in that group, NotFoundError when there is no group.
        """

    def update(self, document: Mapping[str, Any]) -> str:
        """Change a schedule and return its ARN; ``document`` is the UpdateSchedule request, in the form of ``create``.

        What it leaves out gets the service's default. NotFoundError when there is no such schedule,
        TransientError("conflict") while somebody else changes it.
        """

    def delete(self, group: str, name: str) -> None:
        """Delete a schedule; one that is not there is fine."""


class Roles(Protocol):
    """IAM roles of this account."""

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether a role lets a service assume it, by what its trust policy says without regard to conditions.

        ``service`` is a principal such as ``scheduler.amazonaws.com``. NotFoundError when there is no such role,
        PermanentError("access-denied") when one may not look.
        """


class CleanupStore(Protocol):
    """What clean-ups remember: the schedules that they deleted, for 90 days, and the orphans that they have seen."""

    def keep(self, pipeline_arn: str, definition: ScheduleDefinition) -> None:
        """Keep the definition of a schedule that is going to be deleted; the same again changes only the time.

        ``pipeline_arn`` is the pipeline that it started, casefolded.
        """

    def orphans(self) -> Mapping[str, datetime]:
        """When each schedule that is remembered as an orphan was first seen as one, by its ARN."""

    def remember(self, schedule_arn: str, first_seen: datetime) -> None:
        """A schedule was seen as an orphan for the first time."""

    def forget(self, schedule_arn: str) -> None:
        """A schedule is no orphan any more, or gone; one that is not remembered is fine."""
