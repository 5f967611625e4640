"""An embedded AWS, and moto alone, for tests of the room ``local``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from pipeline_triggers.local.emulator import LocalAws
from pipeline_triggers.local.proxy import Listener, Moto
from tests.unit.local.support import Account

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws() -> Iterator[Account]:
    """The embedded AWS, empty."""
    with LocalAws(port=0) as running:
        yield Account(running.url)


@pytest.fixture
def bare_moto() -> Iterator[Account]:
    """moto without corrections and without interceptors, empty."""
    BackendDict.reset()
    reset_model_data()
    listener = Listener(Moto(), "127.0.0.1", 0)
    yield Account(f"http://127.0.0.1:{listener.port}")
    listener.stop()
    BackendDict.reset()
    reset_model_data()
