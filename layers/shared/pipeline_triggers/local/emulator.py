"""``LocalAws``: moto with its corrections behind the proxy, started and stopped as one."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local import changesets, event_patterns, schedules
from pipeline_triggers.local.corrections import cloudformation_makes_what_moto_skips, corrected
from pipeline_triggers.local.emissions import Emissions, refuse_aws_sources
from pipeline_triggers.local.limits import enforce_limits
from pipeline_triggers.local.pipelines import Pipelines
from pipeline_triggers.local.proxy import Listener, Moto, intercepted
from pipeline_triggers.local.transform import expand_transforms
from pipeline_triggers.local.wire import ACCOUNT, ANY_SECRET, REGION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from pipeline_triggers.local.proxy import Interceptor

DEFAULT_PORT = 4555

# moto's state belongs to the process: two embedded AWS in one process would be one account.
_running = Lock()
_making_clients = Lock()


class LocalAws:
    """An AWS account on this machine: account 123456789012, us-east-1, empty when it starts.

    ``port`` 0 takes any free port. ``also_listen`` names further addresses of this machine, on the same port, such as
    the gateway of Docker's bridge, through which containers reach it. ``interceptors`` stand before everything else,
    the first outermost: faults are injected there. One per process: ConfigurationError if another runs, or if the port
    is taken.
    """

    def __init__(
        self,
        port: int = DEFAULT_PORT,
        host: str = "127.0.0.1",
        *,
        also_listen: Sequence[str] = (),
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        self.host, self.port = host, port
        self.pipelines = Pipelines()
        self._also_listen, self._interceptors = tuple(also_listen), tuple(interceptors)
        self._started = ExitStack()

    @property
    def url(self) -> str:
        """The endpoint URL for boto3, the AWS CLI and the functions."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Start with an empty account, and listen."""
        if not _running.acquire(blocking=False):
            raise ConfigurationError("an embedded AWS already runs in this process: stop it first, or use that one")
        with ExitStack() as starting:
            starting.callback(_running.release)
            moto = Moto()
            _forget_everything()
            starting.callback(_forget_everything)
            starting.enter_context(corrected())
            for correction in (*changesets.CORRECTIONS, *event_patterns.CORRECTIONS, *schedules.CORRECTIONS):
                starting.enter_context(correction())
            starting.enter_context(cloudformation_makes_what_moto_skips(moto))
            inside = (
                refuse_aws_sources,
                Emissions(),
                enforce_limits,
                expand_transforms,
                self.pipelines,
                schedules.Schedules(),
            )
            answer = intercepted(moto, (*self._interceptors, *inside))
            for address in (self.host, *self._also_listen):
                listener = Listener(answer, address, self.port)
                starting.callback(listener.stop)
                self.port = listener.port
            self._started = starting.pop_all()
        return self

    def stop(self) -> None:
        """Stop listening, undo the corrections and forget the account."""
        self._started.close()

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client of this account; ``config`` as botocore's Config takes it."""
        return local_client(service, self.url, **config)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def local_client(service: str, endpoint_url: str, **config: Any) -> Any:
    """A boto3 client of an embedded AWS at ``endpoint_url``, with credentials that nobody else accepts."""
    with _making_clients:  # a session makes one client at a time
        session: Any = _session()
        return session.client(service, endpoint_url=endpoint_url, config=Config(**config))


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key=ANY_SECRET, region_name=REGION)


def _forget_everything() -> None:
    BackendDict.reset()
    reset_model_data()
