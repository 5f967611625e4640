"""What is left when its pipeline is gone: how it is remembered, how long it is left alone, and what became of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.errors import InvalidInputError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pipeline_triggers.domain.contracts import BrokenContract
    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.rules import RuleTarget
    from pipeline_triggers.domain.scheduler import Schedule, ScheduleDefinition
    from pipeline_triggers.errors import AwsError, MalformedEventError

# A sweep leaves alone what is younger than this, and what it sees as an orphan for the first time: some make the
# schedule before its pipeline, or replace a pipeline by deleting it and making it again.
GRACE = timedelta(minutes=15)
# So many of those that stay for one reason are named in a report; the others are counted. An estate may have a million.
MAX_NAMED = 1000

KeptReason = Literal[
    # Schedules.
    "pipeline-exists",
    "no-such-trigger",  # it goes through this application and names a trigger that there is not
    "changed",  # since it was listed: it targets something else now, or somebody works on it
    "too-young",
    "seen-once",
    "protected-group",
    "protected-name",
    "protected-description",
    "report-mode",
    "delete-cap",
    # Targets of rules.
    "managed-rule",
    "rule-reported",
    # Pipelines.
    "not-judged",  # it is being deleted, or SageMaker contradicts itself; of a schedule: it cannot be read
    "left-to-the-sweep",  # not all schedules were looked at: there are too many for one event
    # Sweeps.
    "sweep-under-way",
    # Events after which nothing is done.
    "other-event",  # not CloudTrail's report of a call about a pipeline
    "call-failed",
    "other-account",
    "other-region",
    "no-pipeline-named",
    "not-at-home",
    # Contracts of triggers with their pipelines.
    "no-trigger",  # starts this pipeline
    "pipeline-gone",  # before it could be asked what it declares
]
Mode = Literal["report", "delete"]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A schedule, or a target of a rule, whose pipelines seem to be gone.

    ``arn`` is the schedule's, or ``RuleTarget.arn``; ``pipelines`` are the ARNs of what it starts, each as it is
    written there: it is an orphan when all are absent. ``modified_at`` is when a schedule was made or last changed.
    ``first_seen`` and ``run`` say when a sweep saw it so first, and which one did last. One that is ``protected`` was
    found to be so by its description.
    """

    arn: str
    pipelines: tuple[str, ...]
    first_seen: datetime
    modified_at: datetime | None = None
    run: str = ""
    protected: bool = False

    @classmethod
    def of_schedule(
        cls,
        schedule: Schedule | ScheduleDefinition,
        pipelines: tuple[str, ...],
        first_seen: datetime,
        run: str = "",
    ) -> Orphan:
        """A schedule, listed or whole."""
        return cls(schedule.arn, pipelines, first_seen, schedule.modified_at, run)

    @classmethod
    def of_target(cls, target: RuleTarget, first_seen: datetime, run: str = "") -> Orphan:
        """A target of a rule."""
        return cls(target.arn, (target.pipeline_arn,), first_seen, None, run)

    @property
    def key(self) -> tuple[str, ...]:
        """What orphans of the same pipelines have in common."""
        return folded(self.pipelines)

    @property
    def is_schedule(self) -> bool:
        """Whether it is a schedule; else it is a target of a rule."""
        return self.arn.split(":")[2:3] == ["scheduler"]

    @property
    def group(self) -> str:
        """The group of a schedule."""
        return self.arn.split("/")[1]

    @property
    def name(self) -> str:
        """The name of a schedule."""
        return self.arn.split("/")[2]


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays, and why.

    ``arn`` is that of a schedule, a rule's target or a pipeline; of an event the pipeline's ARN, empty when it names
    none; of a sweep it is empty.
    """

    arn: str
    reason: KeptReason


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that could not be cleaned up: the ARN of a schedule or pipeline (empty: all), and the error."""

    arn: str
    error: AwsError | MalformedEventError

    @property
    def is_transient(self) -> bool:
        """Whether it is worth trying again."""
        return isinstance(self.error, TransientError)


@dataclass(frozen=True, slots=True)
class Report:
    """What one clean-up did: ``deleted`` are the ARNs of schedules and rules' targets that are gone now.

    ``unlisted`` counts, by reason, what stays and is not named in ``kept``. ``orphaned`` and ``revived`` are the
    pipelines of triggers that were marked as gone, or not any more. ``broken`` are the targets of triggers that their
    pipelines would refuse, ``mended`` the pipelines of which that is not so any more. A sweep that is ``unfinished``
    has to go on; ``looked_at`` is how many schedules it has looked at.
    """

    deleted: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    failed: tuple[Failed, ...] = ()
    unlisted: Mapping[KeptReason, int] = field(default_factory=dict)
    orphaned: tuple[str, ...] = ()
    revived: tuple[str, ...] = ()
    broken: tuple[BrokenContract, ...] = ()
    mended: tuple[str, ...] = ()
    unfinished: bool = False
    looked_at: int = 0

    @classmethod
    def joined(cls, reports: Iterable[Report]) -> Report:
        """Several reports as one, in their order; it is unfinished when one of them is."""
        all_of_them = list(reports)
        return cls(
            deleted=tuple(arn for report in all_of_them for arn in report.deleted),
            kept=tuple(kept for report in all_of_them for kept in report.kept),
            failed=tuple(failed for report in all_of_them for failed in report.failed),
            unlisted=dict(sum((Counter(report.unlisted) for report in all_of_them), Counter())),
            orphaned=tuple(arn for report in all_of_them for arn in report.orphaned),
            revived=tuple(arn for report in all_of_them for arn in report.revived),
            broken=tuple(contract for report in all_of_them for contract in report.broken),
            mended=tuple(arn for report in all_of_them for arn in report.mended),
            unfinished=any(report.unfinished for report in all_of_them),
            looked_at=sum(report.looked_at for report in all_of_them),
        )

    @property
    def kept_because(self) -> Mapping[KeptReason, int]:
        """How many stay, by reason, those included that are not named."""
        return dict(Counter(kept.reason for kept in self.kept) + Counter(self.unlisted))

    @property
    def is_capped(self) -> bool:
        """Whether nothing was deleted because it would have been too much."""
        return "delete-cap" in self.kept_because

    @property
    def to_retry(self) -> tuple[Failed, ...]:
        """What failed and is worth trying again."""
        return tuple(failed for failed in self.failed if failed.is_transient)

    @property
    def final(self) -> tuple[Failed, ...]:
        """What failed and would fail again."""
        return tuple(failed for failed in self.failed if not failed.is_transient)

    def to_document(self) -> dict[str, Any]:
        """The JSON form: ``{"deleted": [arn], "kept": [{arn, reason}], "failed": [{arn, reason}]}``.

        Only where there are some: ``"unlisted": {reason: number}``, ``"orphaned": [arn]``, ``"revived": [arn]``,
        ``"broken": [{pipeline, trigger, target, problems: [{field, reason, remedy}]}]``, ``"mended": [arn]``.
        """
        more = {
            "unlisted": dict(self.unlisted),
            "orphaned": list(self.orphaned),
            "revived": list(self.revived),
            "broken": [contract.to_document() for contract in self.broken],
            "mended": list(self.mended),
        }
        return {
            "deleted": list(self.deleted),
            "kept": [{"arn": kept.arn, "reason": kept.reason} for kept in self.kept],
            "failed": [{"arn": failed.arn, "reason": failed.error.reason} for failed in self.failed],
            **{name: value for name, value in more.items() if value},
        }


class Tally:
    """Counts what stays, and names the first of each reason: its size does not grow with the estate."""

    def __init__(self) -> None:
        self._named: list[Kept] = []
        self._counts: Counter[KeptReason] = Counter()
        self._failed: list[Failed] = []

    def keep(self, arn: str, reason: KeptReason) -> None:
        """It stays, for this reason."""
        if self._counts[reason] < MAX_NAMED:
            self._named.append(Kept(arn, reason))
        self._counts[reason] += 1

    def fail(self, arn: str, error: AwsError) -> None:
        """It could not be judged."""
        self._failed.append(Failed(arn, error))

    def report(self) -> Report:
        """What was counted until now."""
        unlisted = {reason: count - MAX_NAMED for reason, count in self._counts.items() if count > MAX_NAMED}
        return Report(kept=tuple(self._named), failed=tuple(self._failed), unlisted=unlisted)


def kept(items: Iterable[Orphan], reason: KeptReason) -> Report:
    """The report on schedules and targets that all stay for one reason."""
    return Report(kept=tuple(Kept(item.arn, reason) for item in items))


def failed(items: Iterable[Orphan], error: AwsError) -> Report:
    """The report on schedules and targets that one error kept from being judged or deleted."""
    return Report(failed=tuple(Failed(item.arn, error) for item in items))


def pipeline_at_home(arn: str, home: Home) -> str | None:
    """The casefolded ARN when it is a pipeline's of the stack's own account and Region, else None.

    SageMaker lower-cases the names in pipeline ARNs, and whoever makes a schedule may write them as they like: two
    ARNs are the same pipeline's when they are equal casefolded and whole.
    """
    folded = arn.casefold()
    if not arn.isascii() or not folded.startswith(f"arn:{home.partition}:sagemaker:{home.region}:{home.account}:"):
        return None
    try:
        return PipelineRef.parse(folded).arn
    except InvalidInputError:
        return None


def folded(pipelines: Iterable[str]) -> tuple[str, ...]:
    """ARNs of pipelines without their spelling and order: equal for the same pipelines."""
    return tuple(sorted({arn.casefold() for arn in pipelines}))


def is_young(schedule: Schedule, now: datetime) -> bool:
    """Whether it was made or changed within the grace."""
    return schedule.modified_at > now - GRACE


def is_ripe(orphan: Orphan, now: datetime) -> bool:
    """Whether it is seen for the second time: unchanged, and a grace after the first."""
    if orphan.first_seen > now - GRACE:
        return False
    return orphan.modified_at is None or orphan.modified_at <= orphan.first_seen
