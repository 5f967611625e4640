"""What the use cases need from outside, as Protocols. Adapters implement them on AWS, tests/fakes in memory.

Every method may raise PermanentError or TransientError (errors.py) with a reason of ``domain.decisions``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.cleanup_records import Indexed, KeptDefinition
    from pipeline_triggers.domain.connections import Connected, Subscription
    from pipeline_triggers.domain.contracts import BrokenPipeline
    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.executions import Execution, PipelineRef, StartRequest
    from pipeline_triggers.domain.ledger import Acquired, Busy, Capped, EntryState, Rejected, Started
    from pipeline_triggers.domain.messages import Counts, Quarantined, Received
    from pipeline_triggers.domain.orphans import Orphan
    from pipeline_triggers.domain.revisions import Current, RevisionInfo
    from pipeline_triggers.domain.rules import RuleDefinition, RuleTarget
    from pipeline_triggers.domain.scheduler import ScheduleDefinition, SchedulePage
    from pipeline_triggers.domain.sweeps import Position
    from pipeline_triggers.domain.triggers import Snapshot
    from pipeline_triggers.errors import AwsError


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

    def listed(self) -> Iterator[str]:
        """The ARNs of all pipelines of the stack's own account and Region, asked for page by page, as they are taken.

        One that was made or deleted just now may be missing or still there: only ``absent`` says that there is none.
        """


class PipelineNames(Protocol):
    """SageMaker Pipelines, as far as names go: ARNs have them in lower case."""

    def name_of(self, arn: str) -> str | None:
        """The name of a pipeline of this account and Region, as it was given; None when SageMaker does not find it."""


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
        not counted). What is certainly not written does not count; a worker that dies just then leaves one too many.

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

    def history(self, trigger: str, since: datetime, *, at_most: int | None = None) -> Iterator[Mapping[str, Any]]:
        """The entries of one trigger, newest first; ``at_most`` so many, and no more are asked for."""

    def of_event(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """The entries that one event caused."""

    def of_state(
        self, state: EntryState, since: datetime, *, at_most: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The entries of one state, of all triggers, newest first; ``at_most`` as in ``history``."""

    def of_execution(self, execution_arn: str) -> Sequence[Mapping[str, Any]]:
        """The entries that an execution was started for: one, or none."""

    def of_token(self, token: str) -> Mapping[str, Any] | None:
        """The entry of a token."""


class TriggerStore(Protocol):
    """The stack's triggers, as immutable revisions."""

    def revision(self) -> int:
        """The current revision: one consistent read; 0 when nothing was ever written."""

    def current(self) -> Current:
        """The current revision and what is marked as orphaned, in one round trip of consistent reads."""

    def load(self, revision: int | None = None) -> Snapshot:
        """One revision (default: the current one). NotFoundError when there is none of that number."""

    def revisions(self) -> Sequence[RevisionInfo]:
        """What revisions there are, newest first."""

    def write(self, snapshot: Snapshot, *, expected_revision: int, by: str) -> int:
        """Write the triggers as revision ``expected_revision`` + 1 and make it current.

        Raises StaleRevisionError when the current revision is not ``expected_revision`` any more.
        """


class OrphanMarks(Protocol):
    """Which pipelines of this stack's triggers do not exist any more: their triggers are orphaned.

    Pipelines are named by ARN, in any case of letters. A mark is a hint to those who start pipelines, not a verdict: a
    pipeline that exists is started though it is marked.
    """

    def marked(self) -> Mapping[str, datetime]:
        """Since when each pipeline is marked, by its casefolded ARN."""

    def mark(self, pipeline_arns: Iterable[str], since: datetime) -> None:
        """Mark pipelines as absent; one that is marked already keeps its time."""

    def revive(self, pipeline_arns: Iterable[str]) -> None:
        """Take marks away; a pipeline without one is fine."""


class ContractMarks(Protocol):
    """Which pipelines of this stack would refuse what its triggers send.

    What such a pipeline declares is kept, so that whoever reads it compares it with the triggers as they are by then.
    Pipelines are named by ARN, in any case of letters.
    """

    def broken(self) -> Sequence[BrokenPipeline]:
        """Those that are marked, in the order of their ARNs."""

    def mark(self, pipeline_arn: str, definition: Definition, since: datetime) -> None:
        """Mark a pipeline; one that is marked already keeps its time and gets the definition."""

    def mend(self, pipeline_arn: str) -> bool:
        """Take a mark away; whether there was one."""


class Quarantine(Protocol):
    """Where events go that cannot start anything as they are; kept 90 days."""

    def put(self, item: Quarantined) -> None:
        """Keep an item; the same id again replaces it."""

    def list(self, reason: str | None = None) -> Iterator[Quarantined]:
        """The items without bodies, attributes and decisions, newest first, of one reason or of all."""

    def get(self, id: str) -> Quarantined:  # noqa: A002 - the field's word
        """One item with its body. NotFoundError when there is none."""

    def drop(self, id: str) -> None:  # noqa: A002 - the field's word
        """Delete an item; one that is not there is fine."""


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


class Schedules(Protocol):
    """EventBridge Scheduler, of this account and Region."""

    def groups(self) -> Iterator[str]:
        """The names of all schedule groups."""

    def page(self, group: str, token: str | None = None) -> SchedulePage:
        """A page of a group's schedules, the first without ``token``. A group that is not there has none."""

    def get(self, group: str, name: str) -> ScheduleDefinition:
        """One schedule whole. NotFoundError when there is none."""

    def tags(self, group_arn: str) -> Mapping[str, str]:
        """The tags of a schedule group; none when there is no such group."""

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


class Rules(Protocol):
    """The rules of EventBridge on all event buses of this account and Region."""

    def of_pipeline(self, pipeline_arn: str) -> Sequence[RuleTarget]:
        """The targets that start one pipeline, whoever's rules they are.

        EventBridge looks targets up by their exact ARN: it is asked for the ARN as given and in lower case. A target
        with another spelling is found by ``targets`` alone.
        """

    def targets(self) -> Iterator[RuleTarget]:
        """All targets that start pipelines, in any spelling: a call for each bus and for each rule."""

    def target_ids(self, bus: str, rule: str) -> frozenset[str]:
        """The ids of all targets of a rule, whatever they are. NotFoundError when there is no such rule."""

    def remove_targets(self, bus: str, rule: str, ids: Sequence[str]) -> Mapping[str, AwsError]:
        """Take targets from a rule; returns what failed, by id. A target or rule that is not there is fine.

        Raises only when EventBridge could not be asked at all.
        """

    def put_targets(self, bus: str, rule: str, documents: Sequence[Mapping[str, Any]]) -> Mapping[str, AwsError]:
        """Give targets to a rule, in the form of ``RuleTarget.document``; returns what failed, by id.

        One with the same id is replaced. NotFoundError when there is no such rule.
        """


class CleanupStore(Protocol):
    """What clean-ups remember: what they deleted (for 90 days), the orphans that they saw, how far a sweep has come."""

    def keep(self, definition: KeptDefinition) -> None:
        """Keep what is going to be deleted; the same state of the same schedule again changes only the time."""

    def kept(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Iterator[KeptDefinition]:
        """What was kept since then: of one pipeline, in any case of letters, newest first; else of all, in no order."""

    def orphans(self) -> Iterator[Orphan]:
        """All orphans that are remembered, asked for page by page, as they are taken."""

    def remembered(self, arns: Sequence[str]) -> Mapping[str, Orphan]:
        """Those of these schedules and targets that are remembered as orphans, by their ARN."""

    def remember(self, orphans: Sequence[Orphan]) -> None:
        """These were seen as orphans; what was remembered of them before is replaced."""

    def forget(self, arns: Sequence[str]) -> None:
        """These are no orphans any more, or gone; one that is not remembered is fine."""

    def position(self) -> Position | None:
        """How far the latest sweep has come: one consistent read; None when there was none."""

    def save(self, position: Position, *, replacing: Position | None) -> bool:
        """Save how far a sweep has come; False, and nothing is saved, when somebody saved after ``replacing``."""

    def index(self, schedules: Sequence[Indexed]) -> None:
        """Note whose schedules these are; what is noted already is not written again, until it is about to expire."""

    def indexed(self, pipeline_arn: str) -> Iterator[Indexed]:
        """The schedules that were noted as one pipeline's, in any case of letters. They may have changed since."""


class Buckets(Protocol):
    """S3, as far as notifications of buckets go."""

    def region(self, bucket: str) -> str:
        """The Region of a bucket of this account. NotFoundError when there is none that this account owns."""

    def notifications(self, bucket: str) -> Mapping[str, Any]:
        """The notifications of a bucket, as GetBucketNotificationConfiguration answers them.

        ConfigurationError when the answer holds something that ``notify`` could not write back.
        """

    def notify(self, bucket: str, notifications: Mapping[str, Any]) -> None:
        """Replace the notifications of a bucket, in the form of ``notifications``."""


class Topics(Protocol):
    """SNS, as far as subscriptions of queues go."""

    def subscription(self, topic_arn: str, queue_arn: str) -> Subscription | None:
        """The subscription of a queue to a topic, of whatever account. NotFoundError when there is no such topic."""

    def subscribe(self, topic_arn: str, queue_arn: str, attributes: Mapping[str, str]) -> Subscription:
        """Subscribe a queue to a topic."""

    def change(self, subscription_arn: str, attribute: str, value: str) -> None:
        """Set an attribute of a subscription; an empty value unsets it."""

    def unsubscribe(self, subscription_arn: str) -> None:
        """Delete a subscription; one that is not there is fine."""


class QueuePolicies(Protocol):
    """Who may send to the queues of SQS."""

    def of(self, queue_arn: str) -> Mapping[str, Any]:
        """The policy of a queue; without one an empty document. NotFoundError when there is no such queue."""


class Connections(Protocol):
    """What was connected to the stack by ``connect``, so that it can be undone."""

    def get(self, kind: Literal["bucket", "topic"], name: str) -> Connected | None:
        """What is known about a bucket, by name, or a topic, by ARN; None when ``connect`` did nothing to it."""

    def put(self, connected: Connected) -> None:
        """Remember what was done."""

    def forget(self, kind: Literal["bucket", "topic"], name: str) -> None:
        """It was undone; what is not known is fine."""


class RuleBook(Protocol):
    """The rules of EventBridge as they are defined, of this account and Region."""

    def buses(self) -> Iterator[str]:
        """The names of all event buses."""

    def rules(self, bus: str) -> Iterator[RuleDefinition]:
        """The rules of an event bus."""

    def rule(self, bus: str, name: str) -> RuleDefinition:
        """One rule. NotFoundError when there is none."""

    def targets(self, rule: RuleDefinition) -> Sequence[Mapping[str, Any]]:
        """The targets of a rule, as ListTargetsByRule answers them. A rule that is not there has none."""

    def tags(self, rule: RuleDefinition) -> Mapping[str, str]:
        """The tags of a rule."""

    def disable(self, rule: RuleDefinition) -> None:
        """Disable a rule. NotFoundError when there is none."""
