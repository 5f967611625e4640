"""Every error that this package raises, the ``Problem`` that describes bad input, and the ``Result`` of one of several.

PipelineTriggersError
├── InvalidInputError           what a person wrote is wrong: carries problems
│   ├── InvalidPatternError     an event pattern: path and reason
│   ├── InvalidPathError        a JSONPath: position and reason
│   ├── InvalidScheduleError    a schedule expression: field and reason
│   └── InvalidTriggerError     a trigger or a trigger file: one problem or many
├── MalformedEventError         an event that cannot be understood (permanent)
├── ConfigurationError          the environment lacks something, or has it wrong
├── StaleRevisionError          somebody else wrote triggers in between
├── NotFoundError               what was asked for does not exist
├── PartialFailureError         of several things some failed: carries the results of all
└── AwsError                    an AWS call failed
    ├── PermanentError          the same call will fail again: reason for the quarantine
    └── TransientError          worth trying again: reason, and whether the call may have acted
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in what a person wrote, with the place and what to do.

    ``file`` is empty when the text came from elsewhere; ``line`` is 1-based, 0 when not known; ``field`` is a dotted
    path such as ``triggers[0].targets[1].parameters.Rows``.
    """

    field: str
    reason: str
    remedy: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line or "") if part)
        said = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{place + ': ' if place else ''}{said}{'. ' + self.remedy if self.remedy else ''}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one of several things that were asked for.

    ``outcome`` is created, updated, same, deleted, missing or failed; ``problem`` says why it failed. ``arn`` is empty
    when there is nothing that has one.
    """

    name: str
    arn: str
    outcome: str
    problem: str = ""


class PipelineTriggersError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""


class InvalidInputError(PipelineTriggersError):
    """What a person wrote is wrong; ``problems`` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class InvalidPatternError(InvalidInputError):
    """An event pattern that EventBridge would refuse: ``path`` inside the pattern and ``reason``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__([Problem(field=path, reason=reason)])


class InvalidPathError(InvalidInputError):
    """A JSONPath that is not accepted: 0-based ``position`` in the text and ``reason``."""

    def __init__(self, position: int, reason: str) -> None:
        self.position, self.reason = position, reason
        super().__init__([Problem(field="", reason=f"{reason} (at character {position + 1})")])


class InvalidScheduleError(InvalidInputError):
    """A schedule expression that EventBridge Scheduler would refuse: ``field`` and ``reason``."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__([Problem(field=field, reason=reason)])


class InvalidTriggerError(InvalidInputError):
    """A trigger, or a file of triggers, with one problem or many."""


class MalformedEventError(PipelineTriggersError):
    """An event that cannot be understood as it is: ``reason`` is malformed-event, too-deep or too-large.

    Of one value it may also be constraint: the trigger does not allow it.
    """

    def __init__(self, message: str, reason: str = "malformed-event") -> None:
        self.reason = reason
        super().__init__(message)


class ConfigurationError(PipelineTriggersError):
    """The environment lacks something that is needed, or has it wrong."""


class StaleRevisionError(PipelineTriggersError):
    """The triggers were changed by somebody else since they were read: read again and repeat."""


class NotFoundError(PipelineTriggersError):
    """What was asked for by name does not exist."""


class PartialFailureError(PipelineTriggersError):
    """Of several things that were asked for some failed: ``results`` tells of each, in the order of the asking."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.results: tuple[Result, ...] = tuple(results)
        failed = [f"{result.name}: {result.problem}" for result in self.results if result.outcome == "failed"]
        super().__init__(f"{len(failed)} of {len(self.results)} failed: {'; '.join(failed)}")


class AwsError(PipelineTriggersError):
    """An AWS call failed: ``reason`` is one of the reasons of ``domain.decisions``."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)

    @property
    def is_denied(self) -> bool:
        """Whether a permission is missing, for now or for good."""
        return self.reason in ("denied-yet", "access-denied")


class PermanentError(AwsError):
    """The same call would fail again."""


class TransientError(AwsError):
    """Worth trying again later. ``acted`` says whether the failed call may have had its effect (a lost answer).

    ``denied`` says that a permission is missing where the reason is another one.
    """

    def __init__(self, reason: str, message: str, *, acted: bool = False, denied: bool = False) -> None:
        self.acted = acted
        self.denied = denied
        super().__init__(reason, message)

    @property
    def is_denied(self) -> bool:
        """Whether a permission is missing, for now or for good."""
        return self.denied or super().is_denied
