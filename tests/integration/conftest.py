"""The embedded AWS with the real template, pipelines and triggers, made once for each file of tests that uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.local.stage import Lines, Stage
from tests.sample_events import TRUSTED_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def lines() -> Lines:
    """What the functions have logged."""
    return Lines()


@pytest.fixture(scope="module")
def stage(lines: Lines) -> Iterator[Stage]:
    """The stack, deployed, with the sample pipelines and the triggers of triggers.yaml; its functions run."""
    parameters = {"TrustedTopicArns": TRUSTED_TOPIC}
    with Stage(ROOT / "template.yaml", port=0, on_log=lines.add, parameters=parameters) as stage:
        stage.furnish()
        stage.apply(ROOT / "triggers.yaml")
        yield stage
