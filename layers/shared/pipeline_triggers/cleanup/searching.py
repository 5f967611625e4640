"""The schedules of one pipeline, found for an event about it.

A small estate is looked through. In a large one, what the sweeps have noted is taken, and the stack's own group, where
schedules may have been made since; the next sweep sees to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline_triggers.cleanup.estate import NOT_NOW
from pipeline_triggers.cleanup.marking import pipelines_of_triggers
from pipeline_triggers.cleanup.pacing import in_parallel
from pipeline_triggers.domain.orphans import Orphan, folded
from pipeline_triggers.domain.sweeps import EVENT_SCAN_PAGES
from pipeline_triggers.errors import AwsError, NotFoundError

if TYPE_CHECKING:
    from pipeline_triggers.cleanup.estate import Estate, Run
    from pipeline_triggers.domain.scheduler import Schedule

# So many are read before it is looked whether there is time for more.
READ_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Unread:
    """A schedule of which only reading it could say whose it is, and which cannot be read."""

    arn: str


@dataclass(frozen=True, slots=True)
class Found:
    """The schedules that start a pipeline, those that may do so, and whether all of the account were looked at."""

    orphans: list[Orphan]
    unread: list[Unread]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Searched:
    """What a part of the account has, and whether all of it was looked at."""

    found: list[Orphan | Unread]
    is_complete: bool


@dataclass(frozen=True)
class Searching:
    """The search for the schedules of one pipeline; ``pipeline`` is its casefolded ARN."""

    estate: Estate
    run: Run
    pipeline: str
    # Whether a trigger starts it: then schedules that go through this application may do so, too.
    has_triggers: bool

    @classmethod
    def of(cls, estate: Estate, run: Run, pipeline: str) -> Searching:
        """A search by the triggers as they are now."""
        return cls(estate, run, pipeline, pipeline in pipelines_of_triggers(estate, estate.snapshot()))

    def find(self) -> Found:
        """Look for them. Raises AwsError when not all that should be looked at could be."""
        position = self.estate.store.position()
        is_large = position is not None and position.is_large
        rates = self.estate.rates
        groups = [self.estate.stack] if is_large else list(self.estate.schedules.groups())
        threads = rates.share(len(groups))
        searched = in_parallel(lambda group: self._in_group(group, threads), groups, rates.at_once)
        if is_large:
            searched.append(_Searched(self._noted(), is_complete=False))
        judged = {each.arn: each for part in searched for each in part.found}.values()
        return Found(
            orphans=[each for each in judged if isinstance(each, Orphan)],
            unread=[each for each in judged if isinstance(each, Unread)],
            is_complete=all(part.is_complete for part in searched),
        )

    def _in_group(self, group: str, threads: int) -> _Searched:
        """Those of one group, of which not more pages are read than an estate has that is looked through."""
        found: list[Orphan | Unread] = []
        token: str | None = None
        for _ in range(EVENT_SCAN_PAGES):
            self.estate.leave_time_for_a_step(self.run)
            page = self.estate.page(group, token)
            must_be_read = any(self.estate.must_be_read(schedule) for schedule in page.schedules)
            judged = in_parallel(self._judged, page.schedules, threads if must_be_read else 1)
            found += filter(None, judged)
            token = page.token
            if token is None:
                break
        return _Searched(found, is_complete=token is None)

    def _judged(self, schedule: Schedule) -> Orphan | Unread | None:
        """The schedule, if it starts the pipeline; it is read where the list does not tell."""
        match self.estate.owners.way(schedule.target_arn):
            case None:
                return None
            case "pipeline":
                is_its = schedule.target_arn.casefold() == self.pipeline
                return Orphan.of_schedule(schedule, (schedule.target_arn,), self.run.began) if is_its else None
            case "app" if not self.has_triggers:
                return None
        return self._read(schedule.group, schedule.name)

    def _noted(self) -> list[Orphan | Unread]:
        """Those that sweeps have noted, each looked at now."""
        found: list[Orphan | Unread] = []
        noted = self.estate.store.indexed(self.pipeline)
        while some := list(islice(noted, READ_AT_A_TIME)):
            self.estate.leave_time_for_a_step(self.run)
            judged = in_parallel(lambda it: self._read(it.group, it.name), some, self.estate.rates.at_once)
            found += filter(None, judged)
        return found

    def _read(self, group: str, name: str) -> Orphan | Unread | None:
        """The schedule, if it is there and starts the pipeline."""
        try:
            definition = self.estate.definition(group, name)
        except NotFoundError:
            return None
        except AwsError as error:
            if error.reason in NOT_NOW:
                raise
            return Unread(self.estate.schedule_arn(group, name))
        started = self.estate.started_by(definition)
        if not isinstance(started, tuple) or self.pipeline not in folded(started):
            return None
        return Orphan.of_schedule(definition, started, self.run.began)
