"""The marks of pipelines that would refuse triggers, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline_triggers.domain.contracts import BrokenPipeline
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline_triggers.domain.definitions import Definition


@dataclass
class FakeContractMarks(Recording):
    """The port ``ContractMarks``; ``marks`` by casefolded ARN."""

    marks: dict[str, BrokenPipeline] = field(default_factory=dict)

    def broken(self) -> Sequence[BrokenPipeline]:
        """By ARN."""
        with self.call("broken"):
            return [self.marks[arn] for arn in sorted(self.marks)]

    def mark(self, pipeline_arn: str, definition: Definition, since: datetime) -> None:
        """Each keeps its first time."""
        with self.call("mark", pipeline_arn=pipeline_arn, definition=definition, since=since):
            new = BrokenPipeline(pipeline_arn.casefold(), definition, since)
            self.marks[new.arn] = replace(self.marks.get(new.arn, new), definition=definition)

    def mend(self, pipeline_arn: str) -> bool:
        """Gone."""
        with self.call("mend", pipeline_arn=pipeline_arn):
            return self.marks.pop(pipeline_arn.casefold(), None) is not None
