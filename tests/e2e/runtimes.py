"""Two ways to run the built functions as Lambda does, each reached with boto3's own Lambda client.

* ``sam_local``: ``sam local start-lambda`` with warm containers, in Docker.
* ``emulator``: AWS's runtime interface emulator and client as processes, without Docker.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.deployment import describe, folders_of, read_template
from pipeline_triggers.local.poller import lambda_environment
from tests.e2e.commands import BIN, BUILD, in_background
from tests.e2e.interface_emulator import Function, emulated, free_port, listens
from tests.sample_events import TRUSTED_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # The answer of a function, by its logical id, to an event.
    Invoke = Callable[[str, Any], Any]


@contextmanager
def sam_local() -> Iterator[Invoke]:
    """``sam local start-lambda``: containers are made when first needed and kept. Settings are samconfig.toml's."""
    port = free_port()
    command = [str(BIN / "sam"), "local", "start-lambda", "--port", str(port), "--warm-containers", "LAZY"]
    with in_background(command, "start-lambda.log") as running:
        running.wait_for(lambda: listens(port), "start-lambda")
        functions = Function(port)
        yield lambda name, event: functions.answer(event, function=name)


@contextmanager
def emulator(endpoint_url: str, **variables: str) -> Iterator[Invoke]:
    """The runtime interface emulator: a process for each function, started when first needed, and kept.

    Environment, code and layers are those of the built template as the stack ``local`` at ``endpoint_url`` has it;
    ``variables`` are added.
    """
    template = read_template(BUILD / "template.yaml")
    deployment = describe("local", endpoint_url=endpoint_url, folders=folders_of(template, BUILD))
    with ExitStack() as running:

        @cache
        def started(logical_id: str) -> Function:
            function = deployment.function(logical_id)
            environment = {
                **lambda_environment(function, endpoint_url),
                "AWS_SAM_LOCAL": "true",
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
                "TRUSTED_TOPIC_ARNS": TRUSTED_TOPIC,
                **variables,
            }
            return running.enter_context(emulated(function.handler, function.code, environment, name=logical_id))

        yield lambda logical_id, event: started(logical_id).answer(event)
