"""Use case: start once more, on purpose, what has started before or should have.

A rerun is an occurrence of its own, which names the old one. It goes through the ledger as every start does, so it is
on record, but not through the limits that protect from what nobody meant: the pace and the cap of an hour.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_triggers.domain.ledger import Acquired
from pipeline_triggers.domain.records import rerun_of
from pipeline_triggers.errors import AwsError, InvalidInputError, Problem, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.ports import Clock, Ledger, Pipelines
    from pipeline_triggers.domain.records import Record

# A start and its repetitions end within this time, at the timeouts of the clients.
LEASE = timedelta(minutes=2)
# After a lost answer the same request is sent again: SageMaker knows it by its token.
TRIES = 3
PAUSE_SECONDS = 2


@dataclass(frozen=True)
class Rerunner:
    """Starts again. ``caller`` names who does it, for the description of the execution."""

    ledger: Ledger
    pipelines: Pipelines
    clock: Clock
    caller: Callable[[], str]

    def plan(self, record: Record) -> Decision:
        """What ``start`` will start. Each plan is a new occurrence: carried out twice, a plan starts once."""
        return replace(rerun_of(record, uuid.uuid4().hex, self.caller()), at=self.clock.now())

    def start(self, planned: Decision) -> Decision:
        """Start what was planned.

        Raises AwsError when it did not start; a TransientError with ``acted`` when that is not known: its message has
        the display name by which the execution would be found.
        """
        assert planned.request is not None, "a plan has its request"
        owner = f"rerun/{uuid.uuid4().hex}"
        found = self.ledger.acquire(planned, owner, self.clock.now() + LEASE)
        if not isinstance(found, Acquired):
            raise TransientError("conflict", "this very rerun was carried out already")
        try:
            execution_arn = self._start(planned)
        except AwsError as error:
            if not (isinstance(error, TransientError) and error.acted):
                # Nothing comes back by itself to try again, so the record does not say so.
                self.ledger.reject(planned.token, owner, error.reason, str(error))
            raise
        try:
            self.ledger.complete(planned.token, owner, execution_arn)
        except AwsError as error:
            told = f"{execution_arn} has started, but this could not be recorded: {error}"
            raise TransientError(error.reason, told, acted=True) from error
        return replace(planned, outcome="started", execution_arn=execution_arn)

    def _start(self, planned: Decision) -> str:
        assert planned.request is not None
        for _ in range(TRIES - 1):
            try:
                return self.pipelines.start(planned.request)
            except TransientError as error:
                if not error.acted:
                    raise
            self.clock.sleep(PAUSE_SECONDS)
        try:
            return self.pipelines.start(planned.request)
        except AwsError as error:
            told = f"it may have started all the same: look for the execution {planned.request.display_name}"
            raise TransientError(error.reason, f"{error}; {told}", acted=True) from error


def is_left(record: Record) -> bool:
    """Whether this is a rerun of which nobody knows whether it started: nothing comes back by itself to find out."""
    return record.state == "ATTEMPTING" and bool(record.rerun_of)


def chosen(records: Sequence[Record], trigger: str | None, target: str | None) -> Record:
    """The one record to run again: the newest, if all that fit are of one trigger and target.

    Raises InvalidInputError when they are not, when none fits, or when what fits cannot be run again: it was refused
    before there was anything to send, or it is being attempted now. Reruns that were left do not count.
    """
    fitting = [
        record
        for record in records
        if trigger in (None, record.decision.trigger) and target in (None, record.decision.target)
        if not is_left(record)
    ]
    pairs = sorted({(record.decision.trigger, record.decision.target) for record in fitting or records})
    listed = ", ".join(f"--trigger {name} --target {id_}" for name, id_ in pairs)
    if not fitting:
        raise InvalidInputError([Problem("", "nothing on record is of this trigger and target", f"There is {listed}")])
    if len(pairs) > 1:
        raise InvalidInputError([Problem("", f"{len(pairs)} starts are on record", f"Choose one: {listed}")])
    newest = max(fitting, key=lambda record: record.at)
    if newest.state == "ATTEMPTING":
        said = "it is being attempted: it comes again by itself until it has started or is refused"
        raise InvalidInputError([Problem("", said, "See explain, and status for what is stuck")])
    if newest.decision.request is None:
        reason = newest.decision.reason or newest.decision.outcome
        said = f"it had nothing to send ({reason})"
        raise InvalidInputError([Problem("", said, "Mend what the reason names, then quarantine redrive")])
    return newest
