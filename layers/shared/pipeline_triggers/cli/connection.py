"""The way from the command line to a deployed stack: its trigger store, its parameters and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline_triggers.adapters.cleanup_store import DynamoCleanupStore
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.contract_marks import DynamoContractMarks
from pipeline_triggers.adapters.ledger import DynamoLedger
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.queues import SqsQueues
from pipeline_triggers.adapters.stacks import Caller, Stack, Stacks
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.composition import bucket_connecting, cleaner, importer, restorer, scheduling, topic_connecting
from pipeline_triggers.errors import InvalidInputError, Problem
from pipeline_triggers.explaining import Explainer, History
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Manager
from pipeline_triggers.redriving import DeadLetters, QuarantineKeeper
from pipeline_triggers.rerunning import Rerunner
from pipeline_triggers.silence import Listener

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.cleanup import Cleaner
    from pipeline_triggers.cli.settings import Settings
    from pipeline_triggers.connecting import BucketConnecting, TopicConnecting
    from pipeline_triggers.domain.ports import (
        CleanupStore,
        Clock,
        ContractMarks,
        Executions,
        Ledger,
        Pipelines,
        Quarantine,
        Queues,
        TriggerStore,
    )
    from pipeline_triggers.domain.triggers import Snapshot
    from pipeline_triggers.importing import Importer
    from pipeline_triggers.restoring import Restorer
    from pipeline_triggers.scheduling import Scheduling

_REMEDY = "Write it as http://127.0.0.1:4555"


@dataclass(frozen=True)
class Connection:
    """What commands need of the stack ``name``.

    ``stack`` asks CloudFormation, the other callables ask STS: when called. ``pipelines`` and ``executions`` are
    SageMaker's, with the rights of whoever works at the command line; they need no stack.
    ``scheduling`` asks for the stack when it needs its defaults, and once. ``buckets``, ``topics`` and ``cleaner``
    ask for it.
    """

    name: str
    store: TriggerStore
    stack: Callable[[], Stack]
    caller: Callable[[], str]
    pipelines: Callable[[], Pipelines]
    executions: Callable[[], Executions]
    queues: Queues
    quarantine: Quarantine
    ledger: Ledger
    contracts: ContractMarks
    cleanups: CleanupStore
    clock: Clock
    scheduling: Callable[[], Scheduling]
    buckets: Callable[[], BucketConnecting]
    topics: Callable[[], TopicConnecting]
    importer: Callable[[Snapshot], Importer]
    cleaner: Callable[[], Cleaner]
    restorer: Callable[[], Restorer]

    @property
    def manager(self) -> Manager:
        """The use case that reads the stack's triggers and writes revisions of them."""
        return Manager(self.store, self.caller, lambda: ScheduleKeeper(self.scheduling()))

    @property
    def quarantine_keeper(self) -> QuarantineKeeper:
        """The use case that looks through the quarantine, redrives and drops."""
        return QuarantineKeeper(self.quarantine, self.queues)

    @property
    def dead_letters(self) -> DeadLetters:
        """The use case that looks through the dead-letter queues and redrives them."""
        return DeadLetters(self.queues, self.name)

    @property
    def history(self) -> History:
        """The use case that reads what is on record."""
        return History(self.ledger)

    @property
    def listener(self) -> Listener:
        """The use case that finds triggers that have started nothing for long."""
        return Listener(self.ledger, self.store)

    @property
    def explainer(self) -> Explainer:
        """The use case that says of records what became of them."""
        return Explainer(self.executions(), self.store, self.quarantine)

    @property
    def rerunner(self) -> Rerunner:
        """The use case that starts again on purpose."""
        return Rerunner(self.ledger, self.pipelines(), self.clock, self.caller)


def connect(settings: Settings) -> Connection:
    """Prepare the connection; nothing is called yet. The tables are named after the stack.

    Raises InvalidInputError for an endpoint that is no address, ConfigurationError for what AWS's own settings lack.
    """
    if settings.endpoint_url:
        _check_endpoint(settings.endpoint_url)
    clients = Clients(region=settings.region, endpoint_url=settings.endpoint_url, profile=settings.profile)
    caller, clock = Caller(clients), SystemClock()

    def sagemaker() -> SageMakerPipelines:
        return SageMakerPipelines(clients, caller.home(), clock)

    return Connection(
        name=settings.stack_name,
        store=DynamoTriggerStore(clients, f"{settings.stack_name}-triggers", clock),
        stack=lambda: Stacks(clients).read(settings.stack_name),
        caller=caller,
        pipelines=sagemaker,
        executions=sagemaker,
        queues=SqsQueues(clients),
        quarantine=DynamoQuarantine(clients, f"{settings.stack_name}-quarantine", clock),
        ledger=DynamoLedger(clients, f"{settings.stack_name}-ledger", clock),
        contracts=DynamoContractMarks(clients, f"{settings.stack_name}-triggers"),
        cleanups=DynamoCleanupStore(clients, f"{settings.stack_name}-cleanup", clock),
        clock=clock,
        scheduling=lambda: scheduling(clients, settings.stack_name),
        cleaner=lambda: cleaner(clients, settings.stack_name),
        restorer=lambda: restorer(clients, settings.stack_name),
        buckets=lambda: bucket_connecting(clients, settings.stack_name),
        topics=lambda: topic_connecting(clients, settings.stack_name),
        importer=lambda snapshot: importer(clients, settings.stack_name, snapshot),
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
