"""What tests of several use cases share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the functions' logger writes."""
    handler: Any = logger.handlers[0]
    before = handler.stream
    handler.stream = io.StringIO()
    yield handler.stream
    handler.stream = before
