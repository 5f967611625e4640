"""The sample payloads of events/, and what the tests of the sources do with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline_triggers.domain.events import Event
from pipeline_triggers.sources.envelopes import Malformed, read

EVENTS = Path(__file__).parents[3] / "events"
# The topic of the samples that carries events of AWS; the samples' other topic is ml-notices.
UPLOADS = "arn:aws:sns:us-east-1:123456789012:ml-data-uploads"
NOTICES = "arn:aws:sns:us-east-1:123456789012:ml-notices"
TRUSTED = frozenset({UPLOADS})


def payload(name: str) -> Any:
    """A fresh copy of events/NAME.json."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """The names of all samples."""
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def only_event(content: str | dict[str, Any], *, trusted: frozenset[str] = TRUSTED) -> Event:
    """The one event in there."""
    [found] = read(content, trusted_topics=trusted)
    assert isinstance(found, Event), found
    return found


def only_malformed(content: str | dict[str, Any]) -> Malformed:
    """The one thing in there that cannot be read."""
    [found] = read(content, trusted_topics=TRUSTED)
    assert isinstance(found, Malformed), found
    return found
