"""The triggers whose pipelines are gone: marked as orphaned, and revived when their pipelines exist again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_triggers.domain.orphans import Report, pipeline_at_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline_triggers.cleanup.estate import Estate, Run
    from pipeline_triggers.domain.triggers import Snapshot


def pipelines_of_triggers(estate: Estate, snapshot: Snapshot) -> dict[str, str]:
    """The pipelines of this home that triggers start: ARNs as the triggers spell them, by the casefolded ARN."""
    arns = (target.pipeline.arn_in(estate.home) for trigger in snapshot.triggers for target in trigger.targets)
    return {arn.casefold(): arn for arn in arns if pipeline_at_home(arn, estate.home)}


def marks_of_all(
    estate: Estate,
    run: Run,
    snapshot: Snapshot,
    existing: frozenset[str],
    is_absent: Callable[[str], bool],
) -> Report:
    """Mark the pipelines of triggers that are absent, and take away the marks of the others.

    ``existing`` are the pipelines that SageMaker lists, casefolded. One of which it cannot be said whether it is absent
    stays as it is.
    """
    named = pipelines_of_triggers(estate, snapshot)
    absent = [folded for folded, arn in named.items() if folded not in existing and is_absent(arn)]
    marked = estate.marks.marked()
    idle = [folded for folded in marked if folded in existing or folded not in named]
    return _report(estate, run, [folded for folded in absent if folded not in marked], idle)


def marks_of_one(estate: Estate, run: Run, pipeline: str, *, absent: bool) -> Report:
    """Mark a pipeline that triggers start, when it is absent, and take its mark away when it exists."""
    folded = pipeline.casefold()
    is_marked = folded in estate.marks.marked()
    if absent:
        return _report(estate, run, [] if is_marked else [folded], [])
    return _report(estate, run, [], [folded] if is_marked else [])


def _report(estate: Estate, run: Run, orphaned: Iterable[str], revived: Iterable[str]) -> Report:
    report = Report(orphaned=tuple(orphaned), revived=tuple(revived))
    if report.orphaned:
        estate.marks.mark(report.orphaned, run.began)
    if report.revived:
        estate.marks.revive(report.revived)
    return report
