"""How clean-ups are shown: what a sweep did or would do and why the rest stays, what was deleted, what was put back."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from pipeline_triggers.cli.filters import utc
from pipeline_triggers.cli.render import cell, indented, line, number_of, table
from pipeline_triggers.domain.orphans import GRACE
from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.cleanup_policy import Policy
    from pipeline_triggers.domain.cleanup_records import KeptDefinition
    from pipeline_triggers.domain.orphans import KeptReason, Report
    from pipeline_triggers.restoring import Restored

MINUTES = int(GRACE.total_seconds() // 60)
# Why something stays, in the order in which people are told.
WHY: Mapping[KeptReason, str] = {
    "report-mode": "the stack's CleanupMode is report: nothing is deleted",
    "delete-cap": "more than MaxDeletes or MaxDeleteShare allow in one run, so nothing was deleted",
    "seen-once": f"its pipeline does not exist: goes when a sweep sees that again, {MINUTES} minutes after the first",
    "too-young": f"its pipeline does not exist, but it was made or changed in the last {MINUTES} minutes",
    "rule-reported": "its pipeline does not exist, but the stack's RuleTargets or CleanupMode is report",
    "managed-rule": "its pipeline does not exist, but an AWS service manages the rule",
    "protected-group": "its pipeline does not exist, but its group's tag protects it",
    "protected-name": "its pipeline does not exist, but ProtectedSchedules names it",
    "protected-description": "its pipeline does not exist, but its description protects it",
    "no-such-trigger": "goes through this application and names a trigger that there is not",
    "changed": "somebody changed it meanwhile",
    "not-judged": "its pipeline is being deleted, or SageMaker's answers contradict each other",
    "pipeline-exists": "its pipeline exists",
}
WOULD_GO: KeptReason = "report-mode"
# So many are named for one reason; the JSON output has more.
MAX_NAMED = 20
# Of these nobody needs the names.
UNNAMED: frozenset[KeptReason] = frozenset({"pipeline-exists"})
_STYLES = {"restored": "green", "would-restore": "green", "left": "bold yellow", "failed": "bold red", "there": "dim"}


def sweep_document(report: Report, *, dry_run: bool) -> dict[str, Any]:
    """The JSON form of what a sweep did, or with ``dry_run`` of what it would do."""
    document = report.to_document()
    kept = document["kept"]
    return {
        **document,
        "kept": [it for it in kept if not (dry_run and it["reason"] == WOULD_GO)],
        "would_delete": [it["arn"] for it in kept if it["reason"] == WOULD_GO] if dry_run else [],
        "schedules": report.looked_at,
        "dry_run": dry_run,
    }


def problems_of(report: Report) -> list[Problem]:
    """What of a sweep somebody has to look at."""
    problems = [
        Problem(failed.arn, str(failed.error), "Sweep again: what is done stays done" if failed.is_transient else "")
        for failed in report.failed
    ]
    counted = report.kept_because
    if "sweep-under-way" in counted:
        problems.append(Problem("", "another sweep is under way", "Wait until it is done: an hour at the most"))
    if report.is_capped:
        said = f"{counted['delete-cap']:,} would be deleted, which is more than one run may: nothing was deleted"
        problems.append(Problem("", said, "If they are all to go, raise MaxDeletes or MaxDeleteShare of the stack"))
    return problems


def sweep_shown(report: Report, policy: Policy, *, dry_run: bool) -> Iterator[RenderableType]:
    """What a sweep did, or with ``dry_run`` what it would do, for people."""
    if dry_run:
        yield line(("Dry run: nothing is written.", "bold"))
    yield line(f"{number_of(report.looked_at, 'schedule')} that {_starts(report.looked_at)} pipelines looked at")
    named: dict[str, list[str]] = defaultdict(list)
    for kept in report.kept:
        named[kept.reason].append(kept.arn)
    counted = Counter(report.kept_because)
    would_go = counted.pop(WOULD_GO, 0) if dry_run and policy.mode == "delete" else 0
    if report.deleted:
        yield line((f"deleted {len(report.deleted):,}", "bold red"))
        yield from _names(report.deleted, len(report.deleted))
    if dry_run:
        yield line((f"would delete {would_go:,}", "bold red" if would_go else ""))
        yield from _names(named[WOULD_GO], would_go)
    for reason, why in WHY.items():
        if count := counted[reason]:
            yield line((f"{count:,} ", "bold"), f"{_stays(count)}: {why}")
            if reason not in UNNAMED:
                yield from _names(named[reason], count)
    if report.orphaned:
        verb = "would be marked" if dry_run else "are marked"
        yield line(f"triggers of {_pipelines(report.orphaned)} {verb} orphaned")
    if report.revived:
        verb = "would be revived" if dry_run else "are revived"
        yield line(f"triggers of {_pipelines(report.revived)} {verb}")


def kept_document(kept: KeptDefinition) -> dict[str, Any]:
    """The JSON form of something that was deleted, with its whole definition."""
    return {
        "kind": kept.kind,
        "arn": kept.arn,
        "name": short_name(kept.arn),
        "pipeline_arn": kept.pipeline_arn,
        "deleted_at": kept.deleted_at.isoformat(),
        "modified_at": kept.modified_at and kept.modified_at.isoformat(),
        "definition": dict(kept.document),
    }


def kept_shown(found: Sequence[KeptDefinition]) -> RenderableType:
    """What was deleted, a line each."""
    rows = [
        [utc(kept.deleted_at), cell(short_name(kept.arn), "bold"), _when(kept), kept.pipeline_arn.rpartition("/")[2]]
        for kept in found
    ]
    return table(["deleted (UTC)", "name", "when it fired", "pipeline"], rows)


def restored_document(one: Restored) -> dict[str, Any]:
    """The JSON form of what became of a kept definition."""
    return {
        "kind": one.kept.kind,
        "arn": one.kept.arn,
        "name": short_name(one.kept.arn),
        "pipeline_arn": one.kept.pipeline_arn,
        "outcome": one.outcome,
        "problem": one.problem,
    }


def restored_shown(results: Sequence[Restored]) -> RenderableType:
    """What became of each."""
    rows = [
        [cell(short_name(one.kept.arn), "bold"), cell(one.outcome, _STYLES[one.outcome]), one.problem]
        for one in results
    ]
    return table(["name", "", ""], rows)


def short_name(arn: str) -> str:
    """A schedule as ``group/name``, a target as ``rule [bus/]rule#id``, anything else by its ARN."""
    service, resource = arn.split(":")[2:3], arn.split(":", 5)[-1]
    if service == ["scheduler"]:
        return resource.removeprefix("schedule/")
    return resource.replace("/", " ", 1) if service == ["events"] else arn


def _when(kept: KeptDefinition) -> str:
    return str(kept.document["ScheduleExpression"]) if kept.kind == "schedule" else "on events"


def _names(arns: Sequence[str], count: int) -> Iterator[RenderableType]:
    for name in sorted(map(short_name, arns))[:MAX_NAMED]:
        yield indented(line(name))
    if count > MAX_NAMED:
        yield indented(line((f"and {count - MAX_NAMED:,} more", "dim")))


def _pipelines(arns: Sequence[str]) -> str:
    return ", ".join(arn.rpartition("/")[2] for arn in arns)


def _starts(count: int) -> str:
    return "starts" if count == 1 else "start"


def _stays(count: int) -> str:
    return "stays" if count == 1 else "stay"
