"""What moto makes of CloudFormation's change sets and AWS makes differently; corrections, as in ``corrections``.

Clients such as ``sam deploy`` do not create stacks, they create change sets and execute them.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse

from pipeline_triggers.local.corrections import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


@contextmanager
def change_sets_without_changes_are_made_and_fail() -> Iterator[None]:
    """CreateChangeSet without a change makes a change set that is FAILED and says why. moto may refuse the call."""
    validate: Any = CloudFormationResponse._validate_different_update

    def only_of_update_stack(response: Any, parameters: Any, template: Any, stack: Any) -> None:
        if not response._get_param("ChangeSetName"):
            validate(response, parameters, template, stack)

    with replaced(CloudFormationResponse, "_validate_different_update", only_of_update_stack):
        yield


@contextmanager
def executed_change_sets_leave_their_mark_on_the_stack() -> Iterator[None]:
    """A stack has outputs, parameters and description of the change set that was executed last, and says if it failed.

    moto keeps those of the empty stack that the first change set began with, and answers a resource that cannot be made
    with an internal error; a client that repeats the call is told that all is well. Here the stack is CREATE_FAILED or
    UPDATE_FAILED then, as in AWS without rollback, and its last event has the reason.
    """

    def execute(backend: Any, change_set_name: str, stack_name: str | None = None) -> None:  # noqa: ARG001 - moto names it
        change_set = backend.describe_change_set(change_set_name)
        stack, kind = change_set.stack, change_set.change_set_type
        stack._add_stack_event(f"{kind}_IN_PROGRESS", resource_status_reason="User Initiated")
        resources_before = stack.resource_map._resource_json_map
        try:
            change_set.apply()
        except Exception as error:
            _log.exception("change set %s of stack %s failed", change_set.change_set_name, stack.name)
            stack.resource_map._resource_json_map = resources_before  # what was not changed is still to be changed
            change_set.execution_status, stack.status = "EXECUTE_FAILED", f"{kind}_FAILED"
            stack._add_stack_event(stack.status, resource_status_reason=repr(error))
            return
        stack.template, stack.parameters = change_set.template, change_set.parameters
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        stack.output_map = stack._create_output_map()
        change_set.execution_status, stack.status = "EXECUTE_COMPLETE", f"{kind}_COMPLETE"
        stack._add_stack_event(stack.status)

    with replaced(CloudFormationBackend, "execute_change_set", execute):
        yield


CORRECTIONS = (
    change_sets_without_changes_are_made_and_fail,
    executed_change_sets_leave_their_mark_on_the_stack,
)
