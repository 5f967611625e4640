"""Composition root of the tools that people use: the use cases of a deployed stack with their adapters.

The functions in Lambda have their own, ``wiring``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pipeline_triggers.adapters.buckets import S3Buckets
from pipeline_triggers.adapters.cleanup_store import DynamoCleanupStore
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.connections import DynamoConnections
from pipeline_triggers.adapters.orphan_marks import DynamoOrphanMarks
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.queue_policies import SqsPolicies
from pipeline_triggers.adapters.roles import IamRoles
from pipeline_triggers.adapters.rule_definitions import EventBridgeRuleBook
from pipeline_triggers.adapters.rules import EventBridgeRules
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.adapters.stacks import Caller, Stacks
from pipeline_triggers.adapters.topics import SnsTopics
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.cleanup import Cleaner, Estate
from pipeline_triggers.config import cleanup_policy
from pipeline_triggers.connecting import BucketConnecting, TopicConnecting
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Manager
from pipeline_triggers.restoring import Restorer
from pipeline_triggers.scheduling import Scheduling

if TYPE_CHECKING:
    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.domain.triggers import Snapshot
    from pipeline_triggers.importing import Importer


# Which variable of the clean-up function each parameter of the stack becomes, in template.yaml.
CLEANUP_PARAMETERS = {
    "CleanupMode": "CLEANUP_MODE",
    "MaxDeletes": "MAX_DELETES",
    "MaxDeleteShare": "MAX_DELETE_SHARE",
    "ProtectedSchedules": "PROTECTED_SCHEDULES",
    "RuleTargets": "CLEANUP_RULES",
}


def scheduling(clients: Clients, stack_name: str) -> Scheduling:
    """The schedules of the caller's account. The stack is asked for when its defaults are needed, and once."""
    home = Caller(clients).home()
    return Scheduling(
        schedules=EventBridgeSchedules(clients),
        pipelines=SageMakerPipelines(clients, home, SystemClock()),
        roles=IamRoles(clients),
        clock=SystemClock(),
        home=home,
        defaults=cache(lambda: Stacks(clients).read(stack_name).schedule_defaults),
    )


def manager(clients: Clients, stack_name: str) -> Manager:
    """The triggers of a stack, with their schedules. Nothing is called yet."""
    return Manager(
        store=DynamoTriggerStore(clients, f"{stack_name}-triggers", SystemClock()),
        caller=Caller(clients),
        keeper=lambda: ScheduleKeeper(scheduling(clients, stack_name)),
    )


def bucket_connecting(clients: Clients, stack_name: str) -> BucketConnecting:
    """The buckets that may send to a stack. The stack is asked for."""
    ends = Stacks(clients).read(stack_name).ends
    return BucketConnecting(
        buckets=S3Buckets(clients, ends.home.account),
        rules=EventBridgeRuleBook(clients),
        connections=DynamoConnections(clients, f"{stack_name}-triggers"),
        clock=SystemClock(),
        caller=Caller(clients),
        ends=ends,
    )


def topic_connecting(clients: Clients, stack_name: str) -> TopicConnecting:
    """The topics that may send to a stack. The stack is asked for."""
    ends = Stacks(clients).read(stack_name).ends
    return TopicConnecting(
        topics=SnsTopics(clients, ends.home.account),
        policies=SqsPolicies(clients),
        connections=DynamoConnections(clients, f"{stack_name}-triggers"),
        clock=SystemClock(),
        caller=Caller(clients),
        ends=ends,
    )


def cleaner(clients: Clients, stack_name: str) -> Cleaner:
    """The clean-up of a stack, which deletes what its parameters let it; the stack is asked for them."""
    stack, clock = Stacks(clients).read(stack_name), SystemClock()
    variables = {name: stack.parameters.get(key, "") for key, name in CLEANUP_PARAMETERS.items()}
    triggers_table = f"{stack_name}-triggers"
    return Cleaner(
        Estate(
            pipelines=SageMakerPipelines(clients, stack.home, clock),
            schedules=EventBridgeSchedules(clients),
            rules=EventBridgeRules(clients),
            triggers=DynamoTriggerStore(clients, triggers_table, clock),
            marks=DynamoOrphanMarks(clients, triggers_table),
            store=DynamoCleanupStore(clients, f"{stack_name}-cleanup", clock),
            clock=clock,
            home=stack.home,
            stack=stack_name,
            policy=cleanup_policy(variables),
        ),
    )


def restorer(clients: Clients, stack_name: str) -> Restorer:
    """What the clean-ups of a stack have kept."""
    clock = SystemClock()
    return Restorer(
        store=DynamoCleanupStore(clients, f"{stack_name}-cleanup", clock),
        schedules=EventBridgeSchedules(clients),
        rules=EventBridgeRules(clients),
        pipelines=SageMakerPipelines(clients, Caller(clients).home(), clock),
        clock=clock,
    )


def importer(clients: Clients, stack_name: str, snapshot: Snapshot) -> Importer:
    """The rules and schedules of the caller's account, beside the triggers of a stack, which need not be there."""
    from pipeline_triggers.importing import Importer  # noqa: PLC0415 - reads YAML, as no other use case here does

    home = Caller(clients).home()
    pipelines = SageMakerPipelines(clients, home, SystemClock())
    return Importer(
        rules=EventBridgeRuleBook(clients),
        schedules=EventBridgeSchedules(clients),
        pipelines=pipelines,
        names=pipelines,
        roles=IamRoles(clients),
        policies=SqsPolicies(clients),
        clock=SystemClock(),
        home=home,
        stack=stack_name,
        snapshot=snapshot,
    )
