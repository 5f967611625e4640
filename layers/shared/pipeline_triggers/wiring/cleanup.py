"""The composition root of the clean-up: from the environment to the worker with its adapters."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline_triggers.adapters.cleanup_store import DynamoCleanupStore
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.contract_marks import DynamoContractMarks
from pipeline_triggers.adapters.orphan_marks import DynamoOrphanMarks
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.adapters.rules import EventBridgeRules
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.cleanup import Cleaner, Estate
from pipeline_triggers.cleanup_invocation import CleanupWorker
from pipeline_triggers.config import CleanupSettings
from pipeline_triggers.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Mapping


def build_cleaner(environment: Mapping[str, str]) -> CleanupWorker:
    """Make a clean-up worker. Raises ConfigurationError when the environment lacks something."""
    settings = CleanupSettings.from_env(environment)
    clients = Clients(region=settings.home.region, endpoint_url=settings.endpoint_url, in_a_function=True)
    clock = SystemClock()
    estate = Estate(
        pipelines=SageMakerPipelines(clients, settings.home, clock),
        schedules=EventBridgeSchedules(clients),
        rules=EventBridgeRules(clients),
        triggers=DynamoTriggerStore(clients, settings.triggers_table, clock),
        marks=DynamoOrphanMarks(clients, settings.triggers_table),
        store=DynamoCleanupStore(clients, settings.cleanup_table, clock),
        clock=clock,
        home=settings.home,
        stack=settings.schedule_group,
        policy=settings.policy,
    )
    watcher = Watcher(
        pipelines=estate.pipelines,
        snapshot=estate.snapshot,
        contracts=DynamoContractMarks(clients, settings.triggers_table),
        orphans=estate.marks,
        clock=clock,
        home=settings.home,
    )
    quarantine = DynamoQuarantine(clients, settings.quarantine_table, clock)
    return CleanupWorker(Cleaner(estate), watcher, quarantine, SqsQueues(clients), clock, clients.end_by)


@lru_cache(maxsize=1)
def cleaner() -> CleanupWorker:
    """The clean-up worker of this process: made once, kept while the function is warm."""
    return build_cleaner(os.environ)
