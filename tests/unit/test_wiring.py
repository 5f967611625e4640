"""What a function does before its first event, and where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline_triggers.wiring import events

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

IN_LAMBDA = "AWS_LAMBDA_RUNTIME_API"


@pytest.fixture(autouse=True)
def _no_worker_before_and_after() -> Iterator[None]:
    events.worker.cache_clear()
    yield
    events.worker.cache_clear()


def test_outside_of_lambda_a_handler_can_be_imported_without_any_setting(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.delenv(IN_LAMBDA, raising=False)
    monkeypatch.delenv("TRIGGERS_TABLE", raising=False)
    events.prepare()
    assert log.getvalue() == ""


def test_in_lambda_what_keeps_a_function_from_being_prepared_is_logged_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.setenv(IN_LAMBDA, "127.0.0.1:9001")
    monkeypatch.delenv("TRIGGERS_TABLE", raising=False)
    events.prepare()
    line = json.loads(log.getvalue())
    assert (line["level"], line["message"]) == ("ERROR", "not prepared for the first event")
    assert "TRIGGERS_TABLE" in line["exception"]
