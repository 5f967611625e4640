"""Schedules whose pipeline is gone: whose a schedule is, how long it is left alone, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.errors import InvalidInputError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.ports import Schedule
    from pipeline_triggers.errors import AwsError, MalformedEventError

# A sweep leaves alone what is younger than this, and what it sees as an orphan for the first time: some make the
# schedule before its pipeline, or replace a pipeline by deleting it and making it again.
GRACE = timedelta(minutes=15)

KeptReason = Literal[
    # Schedules.
    "pipeline-exists",
    "changed",  # since it was listed: it targets something else now, or somebody works on it
    "too-young",
    "seen-once",
    "report-mode",
    "delete-cap",
    # Events that delete nothing.
    "not-delete-pipeline",
    "call-failed",
    "other-account",
    "other-region",
    "no-pipeline-named",
    "not-at-home",
]
Mode = Literal["report", "delete"]


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays, and why: the ARN of a schedule; of an event the pipeline's ARN (empty: it names none)."""

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
    """What one clean-up did: ``deleted`` are the ARNs of schedules that are gone now."""

    deleted: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    failed: tuple[Failed, ...] = ()

    @classmethod
    def joined(cls, reports: Iterable[Report]) -> Report:
        """Several reports as one, in their order."""
        all_of_them = list(reports)
        return cls(
            deleted=tuple(arn for report in all_of_them for arn in report.deleted),
            kept=tuple(kept for report in all_of_them for kept in report.kept),
            failed=tuple(failed for report in all_of_them for failed in report.failed),
        )

    @property
    def is_capped(self) -> bool:
        """Whether nothing was deleted because it would have been too much."""
        return any(kept.reason == "delete-cap" for kept in self.kept)

    @property
    def to_retry(self) -> tuple[Failed, ...]:
        """What failed and is worth trying again."""
        return tuple(failed for failed in self.failed if failed.is_transient)

    @property
    def final(self) -> tuple[Failed, ...]:
        """What failed and would fail again."""
        return tuple(failed for failed in self.failed if not failed.is_transient)

    def to_document(self) -> dict[str, Any]:
        """The JSON form: ``{"deleted": [arn], "kept": [{arn, reason}], "failed": [{arn, reason}]}``."""
        return {
            "deleted": list(self.deleted),
            "kept": [{"arn": kept.arn, "reason": kept.reason} for kept in self.kept],
            "failed": [{"arn": failed.arn, "reason": failed.error.reason} for failed in self.failed],
        }


def kept(schedules: Iterable[Schedule], reason: KeptReason) -> Report:
    """The report on schedules that all stay for one reason."""
    return Report(kept=tuple(Kept(schedule.arn, reason) for schedule in schedules))


def failed(schedules: Iterable[Schedule], error: AwsError) -> Report:
    """The report on schedules that one error kept from being judged or deleted."""
    return Report(failed=tuple(Failed(schedule.arn, error) for schedule in schedules))


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


def is_young(schedule: Schedule, now: datetime) -> bool:
    """Whether it was made or changed within the grace."""
    return schedule.modified_at > now - GRACE


def is_ripe(schedule: Schedule, first_seen: datetime | None, now: datetime) -> bool:
    """Whether this sight of an orphan is the second one: of the same schedule, unchanged, a grace after the first."""
    return first_seen is not None and schedule.modified_at <= first_seen <= now - GRACE
