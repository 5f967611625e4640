"""Composition root of the tools that people use: the use cases of a deployed stack with their adapters.

The functions in Lambda have their own, ``wiring``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.adapters.roles import IamRoles
from pipeline_triggers.adapters.schedules import EventBridgeSchedules
from pipeline_triggers.adapters.stacks import Caller, Stacks
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.keeping import ScheduleKeeper
from pipeline_triggers.managing import Manager
from pipeline_triggers.scheduling import Scheduling

if TYPE_CHECKING:
    from pipeline_triggers.adapters.clients import Clients


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
