"""The composition root of the functions that take events: from the environment to the worker with its adapters."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.ledger import DynamoLedger
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.config import Settings
from pipeline_triggers.invocation import Worker
from pipeline_triggers.observability import logger
from pipeline_triggers.reacting import Reactor

if TYPE_CHECKING:
    from collections.abc import Mapping


def build_worker(environment: Mapping[str, str]) -> Worker:
    """Make a worker. Raises ConfigurationError when the environment lacks something."""
    settings = Settings.from_env(environment)
    clients = Clients(region=settings.home.region, endpoint_url=settings.endpoint_url, in_a_function=True)
    clock = SystemClock()
    reactor = Reactor(
        triggers=DynamoTriggerStore(clients, settings.triggers_table, clock),
        pipelines=SageMakerPipelines(clients, settings.home, clock),
        ledger=DynamoLedger(clients, settings.ledger_table, clock),
        quarantine=DynamoQuarantine(clients, settings.quarantine_table, clock),
        clock=clock,
        home=settings.home,
        start_interval=settings.start_interval,
        max_starts_per_hour=settings.max_starts_per_hour,
    )
    return Worker(reactor, SqsQueues(clients), clock, settings.trusted_topic_arns, clients.end_by)


def prepare() -> None:
    """Get the worker of this process ready while Lambda starts it; elsewhere do nothing.

    The first seconds of a process have a whole CPU, and what follows a share that goes with the function's memory.
    Whatever goes wrong is logged, and met again when the first event comes: then it is known whose failure it is.
    """
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        return
    try:
        worker().prepare()
    except Exception:
        logger.exception("not prepared for the first event")


@lru_cache(maxsize=1)
def worker() -> Worker:
    """The worker of this process: made once, kept while the function is warm."""
    return build_worker(os.environ)
