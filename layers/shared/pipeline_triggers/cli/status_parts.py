"""What "status" tells from the stack's tables: broken contracts, last starts and failures, silent triggers, sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.cli.render import cell, indented, line, number_of, table
from pipeline_triggers.domain.contracts import broken_contracts, parties
from pipeline_triggers.domain.ledger import RETENTION
from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from pipeline_triggers.cli.connection import Connection
    from pipeline_triggers.domain.contracts import BrokenContract
    from pipeline_triggers.domain.records import Record
    from pipeline_triggers.domain.revisions import Current
    from pipeline_triggers.domain.sweeps import Position
    from pipeline_triggers.domain.triggers import Snapshot
    from pipeline_triggers.silence import Silence

BROKEN = (
    "Their next events would go to quarantine. Change the triggers (lint --live compares them with their pipelines) or "
    "update the pipelines"
)
# So many broken contracts, starts, failures and silent triggers are shown.
MAX_BROKEN = 10
LAST = 5
MAX_SILENT = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the answer, and what of it somebody should look at."""

    name: str
    result: Any
    shown: Sequence[RenderableType]
    attention: Sequence[Problem] = ()


def contracts(connection: Connection, snapshot: Snapshot, current: Current) -> Part:
    """The triggers that their pipelines would refuse.

    The triggers count as they are now, and the pipelines as they were when they were looked at last, after an update or
    a sweep. What is orphaned meanwhile is told as that.
    """
    found = [
        (contract, broken.since)
        for broken in connection.contracts.broken()
        if broken.arn not in current.orphaned
        for contract in broken_contracts(
            (party for party in parties(snapshot.triggers) if party[0].targets[party[1]].pipeline.means(broken.arn)),
            broken.definition,
        )
    ]
    triggers = _first([contract.trigger for contract, _ in found])
    pipelines = _first([contract.pipeline for contract, _ in found])
    shown = [part for contract, since in found[:MAX_BROKEN] for part in _contract(contract, since)]
    if len(found) > MAX_BROKEN:
        shown += [line(""), line((f"and {len(found) - MAX_BROKEN:,} more: --output json has all", "dim"))]
    return Part(
        "contracts",
        [{**contract.to_document(), "since": since.isoformat()} for contract, since in found],
        shown,
        [Problem("contracts", f"are broken: {pipelines} would refuse {triggers}", BROKEN)] if found else (),
    )


def starts(connection: Connection) -> Part:
    """The last executions that triggers have started."""
    found = _latest(connection, "STARTED")
    rows = [[_time(it.at), *_of(it), it.decision.execution_arn.rpartition("/")[2]] for it in found]
    return Part(
        "starts",
        [
            {**_document(it), "pipeline_arn": it.decision.pipeline_arn, "execution_arn": it.decision.execution_arn}
            for it in found
        ],
        _table("Last starts", ["started (UTC)", "trigger", "target", "execution"], rows, "No start"),
    )


def failures(connection: Connection) -> Part:
    """The last events that were refused for a trigger."""
    found = _latest(connection, "REJECTED")
    rows = [[_time(it.at), *_of(it), cell(it.decision.reason, "red")] for it in found]
    return Part(
        "failures",
        [{**_document(it), "reason": it.decision.reason, "message": it.decision.message} for it in found],
        _table("Last failures", ["refused (UTC)", "trigger", "target", "reason"], rows, "No failure"),
    )


def silent(connection: Connection, snapshot: Snapshot, days: int) -> Part:
    """The triggers on events that have been enabled for so many days and have started nothing."""
    found = connection.listener.silence(snapshot, connection.clock.now() - timedelta(days=days))
    return Part(
        "silent",
        {"days": days, "triggers": list(found.triggers), "looked_at": found.looked_at, "known": found.known},
        [line(""), *_silence(found, days)] if found.known else [],
    )


def sweep(connection: Connection) -> Part:
    """How the last sweep went, and how many orphans it has left: schedules, and targets of rules."""
    position = connection.cleanups.position()
    if position is None:
        told = [line("No sweep has looked for orphans yet")]
        return Part("sweep", None, [line(""), *told])
    state = _state(position, connection.clock.now())
    result = {"began": position.began.isoformat(), "state": state, "orphans": position.orphans}
    return Part("sweep", result, [line(""), line(_sweep(position, state))])


def _latest(connection: Connection, state: Any) -> list[Record]:
    return connection.history.latest(state, connection.clock.now() - RETENTION, LAST)


def _document(record: Record) -> dict[str, Any]:
    decision = record.decision
    return {
        "at": record.at.isoformat(),
        "trigger": decision.trigger,
        "target": decision.target,
        "event_id": decision.event_id,
    }


def _of(record: Record) -> list[object]:
    return [cell(record.decision.trigger, "bold"), record.decision.target]


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> list[RenderableType]:
    if not rows:
        return [line(""), line(f"{nothing} in the last {RETENTION.days} days")]
    return [line(""), line(title), table(headings, rows)]


def _contract(contract: BrokenContract, since: datetime) -> Iterator[RenderableType]:
    yield line("")
    told = f" would be refused by its pipeline, since {_time(since)} UTC:"
    yield line((contract.trigger, "bold"), " → ", (contract.target, "bold"), told)
    for problem in contract.problems:
        yield indented(line((problem.field, "red"), f": {problem.reason}. {problem.remedy}"))


def _first(names: Sequence[str]) -> str:
    """The first of some names, each once, and how many more there are."""
    once = list(dict.fromkeys(names))
    more = f" and {len(once) - MAX_BROKEN:,} more" if len(once) > MAX_BROKEN else ""
    return ", ".join(once[:MAX_BROKEN]) + more


def _silence(found: Silence, days: int) -> Iterator[RenderableType]:
    of = f"{number_of(found.looked_at, 'trigger')} on events that {_have(found.looked_at)} been enabled for {days} days"
    if found.looked_at < found.known:
        of = f"the first {of}, of {found.known:,} in all"
    if not found.triggers:
        yield line(f"Of {of}, each has started something since")
        return
    yield line(f"Of {of}, {len(found.triggers):,} {_have(len(found.triggers))} started nothing since:")
    shown = [line(name) for name in found.triggers[:MAX_SILENT]]
    if len(found.triggers) > MAX_SILENT:
        shown.append(line((f"and {len(found.triggers) - MAX_SILENT:,} more: --output json names all", "dim")))
    yield indented(*shown)


def _state(position: Position, now: datetime) -> str:
    if position.phase == "done":
        return "done"
    return "under-way" if position.is_under_way(now) else "interrupted"


def _sweep(position: Position, state: str) -> str:
    began = f"{_time(position.began)} UTC"
    if state == "under-way":
        return f"A sweep for orphans is under way since {began}"
    if state == "interrupted":
        return f"The sweep for orphans of {began} has not come to its end: the next one begins again"
    if not position.orphans:
        return f"The sweep for orphans of {began} has left none"
    left = number_of(position.orphans, "orphan")
    return f"The sweep for orphans of {began} has left {left}: cleanup sweep --dry-run says which, and why"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
