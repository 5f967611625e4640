"""What all fakes share: they record their calls, and fail when they are told to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Call:
    """One call of a method."""

    method: str
    arguments: dict[str, Any]


@dataclass(kw_only=True)
class Recording:
    """``calls`` in order; ``failures`` are raised by the next calls of any method, one each.

    A TransientError with ``acted`` is raised after the call had its effect (a lost answer), any other error before.
    """

    calls: list[Call] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    _failures_of: dict[str, list[Exception]] = field(default_factory=dict)

    def fail(self, method: str, *errors: Exception) -> None:
        """Let the next calls of one method fail, one error each."""
        self._failures_of.setdefault(method, []).extend(errors)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of the calls of one method."""
        return [call.arguments for call in self.calls if call.method == method]

    @contextmanager
    def call(self, method: str, **arguments: Any) -> Iterator[None]:
        """Record a call; the block is its effect."""
        self.calls.append(Call(method, arguments))
        waiting = self._failures_of.get(method) or self.failures
        failure = waiting.pop(0) if waiting else None
        acted = isinstance(failure, TransientError) and failure.acted
        if failure is not None and not acted:
            raise failure
        yield
        if failure is not None:
            raise failure
