"""EventBridge's lists, page after page, and what it means when something is not there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of
from pipeline_triggers.errors import NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of every list, from the service model.
MAX_RESULTS = 100


def is_missing(error: ClientError) -> bool:
    """Whether the service says that what it was asked about does not exist."""
    return code_of(error) == "ResourceNotFoundException"


def pages(operation: Callable[..., Any], member: str, **request: Any) -> Iterator[Any]:
    """The entries of a list. KeyError when an answer has none."""
    page: dict[str, Any] = {}
    while True:
        answer = operation(Limit=MAX_RESULTS, **request, **page)
        yield from answer[member]
        token = answer.get("NextToken")
        if not token:
            return
        if token == page.get("NextToken"):
            raise TransientError("unavailable", f"a list of {member} of EventBridge that repeats itself")
        page = {"NextToken": token}


def pages_if_there(operation: Callable[..., Any], member: str, **request: Any) -> Iterator[Any]:
    """The entries of a list; none when what they are of is not there, or not any more."""
    try:
        yield from pages(operation, member, **request)
    except ClientError as error:
        if not is_missing(error):
            raise


@contextmanager
def existing(bus: str, rule: str) -> Iterator[None]:
    """Say in words that there is no such rule: NotFoundError."""
    try:
        yield
    except ClientError as error:
        if is_missing(error):
            raise NotFoundError(f"there is no rule {rule} on the event bus {bus}") from error
        raise
