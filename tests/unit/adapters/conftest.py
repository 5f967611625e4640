"""What tests of several adapters share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from tests.integration.tables import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clients(aws_environment: None) -> Iterator[Clients]:
    """Clients of a moto that has the table of triggers."""
    with mock_aws():
        clients = Clients(region="us-east-1")
        create_table(clients, "triggers")
        yield clients
