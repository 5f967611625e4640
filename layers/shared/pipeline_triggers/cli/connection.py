"""The way from the command line to a deployed stack: its trigger store, its parameters and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.adapters.stacks import Caller, Stack, Stacks
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.composition import scheduling
from pipeline_triggers.errors import InvalidInputError, Problem
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Manager

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.cli.settings import Settings
    from pipeline_triggers.domain.ports import Pipelines, Quarantine, Queues, TriggerStore
    from pipeline_triggers.scheduling import Scheduling

_REMEDY = "Write it as http://127.0.0.1:4555"


@dataclass(frozen=True)
class Connection:
    """What commands need of a stack. ``stack`` asks CloudFormation, the other callables ask STS: when called.

    ``pipelines`` are SageMaker's, with the rights of whoever works at the command line; they need no stack.
    ``scheduling`` asks for the stack when it needs its defaults, and once.
    """

    store: TriggerStore
    stack: Callable[[], Stack]
    caller: Callable[[], str]
    pipelines: Callable[[], Pipelines]
    queues: Queues
    quarantine: Quarantine
    scheduling: Callable[[], Scheduling]

    @property
    def manager(self) -> Manager:
        """The use case that reads the stack's triggers and writes revisions of them."""
        return Manager(self.store, self.caller, lambda: ScheduleKeeper(self.scheduling()))


def connect(settings: Settings) -> Connection:
    """Prepare the connection; nothing is called yet. The tables are named after the stack.

    Raises InvalidInputError for an endpoint that is no address, ConfigurationError for what AWS's own settings lack.
    """
    if settings.endpoint_url:
        _check_endpoint(settings.endpoint_url)
    clients = Clients(region=settings.region, endpoint_url=settings.endpoint_url, profile=settings.profile)
    caller = Caller(clients)
    return Connection(
        store=DynamoTriggerStore(clients, f"{settings.stack_name}-triggers", SystemClock()),
        stack=lambda: Stacks(clients).read(settings.stack_name),
        caller=caller,
        pipelines=lambda: SageMakerPipelines(clients, caller.home(), SystemClock()),
        queues=SqsQueues(clients),
        quarantine=DynamoQuarantine(clients, f"{settings.stack_name}-quarantine", SystemClock()),
        scheduling=lambda: scheduling(clients, settings.stack_name),
    )


def _check_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        # A port that is no number is found when it is read.
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInputError([Problem("--endpoint-url", f"{url!r} is no address", _REMEDY)])
