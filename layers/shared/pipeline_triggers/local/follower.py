"""``Follower``: runs the functions of a stack that somebody else deploys, such as ``sam deploy``."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from pipeline_triggers.errors import PipelineTriggersError
from pipeline_triggers.local.artifacts import fetch
from pipeline_triggers.local.deployment import COMPLETE, describe
from pipeline_triggers.local.emulator import local_client
from pipeline_triggers.local.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pipeline_triggers.local.deployment import Deployment

_PAUSE = 0.5


class Follower:
    """Waits for a stack, runs the code that was uploaded with it, and runs it anew after each deployment.

    ``on_deployed`` is told of each deployment once its functions run, ``on_failed`` why one does not run or could not
    be looked for; what ran before has ended then, and the next deployment is tried. ``on_log`` as in ``Poller``. All
    are called from other threads.
    """

    def __init__(
        self,
        stack_name: str,
        endpoint_url: str,
        *,
        on_deployed: Callable[[Deployment], None],
        on_failed: Callable[[Exception], None],
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self._stack_name, self._endpoint_url = stack_name, endpoint_url
        self._on_deployed, self._on_failed, self._on_log = on_deployed, on_failed, on_log
        self._cloudformation = local_client("cloudformation", endpoint_url)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"follow {stack_name}", daemon=True)
        self._poller: Poller | None = None
        self._seen: Any = None

    def __enter__(self) -> Self:
        """Begin to wait for the stack."""
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """End the functions."""
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        with TemporaryDirectory(prefix="pipeline-triggers-") as folder:
            while not self._stopping.wait(_PAUSE):
                try:
                    self._look(Path(folder))
                except (PipelineTriggersError, BotoCoreError, ClientError) as error:
                    self._on_failed(error)
            self._end()

    def _look(self, folder: Path) -> None:
        found = self._deployed()
        if found == self._seen:
            return
        self._seen = found
        self._end()
        if found is None:
            return
        folders = fetch(self._stack_name, endpoint_url=self._endpoint_url, into=folder)
        deployment = describe(self._stack_name, endpoint_url=self._endpoint_url, folders=folders)
        self._poller = Poller(deployment, self._endpoint_url, on_log=self._on_log).start()
        self._on_deployed(deployment)

    def _deployed(self) -> Any:
        """What tells one deployment of the stack from the next; None as long as there is none."""
        stacks = self._cloudformation.describe_stacks()["Stacks"]
        for stack in stacks:
            if stack["StackName"] == self._stack_name and stack["StackStatus"] in COMPLETE:
                template = self._cloudformation.get_template(StackName=self._stack_name, TemplateStage="Processed")
                return stack["StackId"], template["TemplateBody"], stack.get("Parameters")
        return None

    def _end(self) -> None:
        if self._poller:
            self._poller.stop()
            self._poller = None
