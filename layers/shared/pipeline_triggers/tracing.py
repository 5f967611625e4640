"""X-Ray: what a function did within one invocation, sent to the daemon that Lambda runs beside it.

Lambda makes the segment of the invocation (``Tracing: Active`` in the template). Here are its subsegments: one for each
call of AWS, and one for each decision, which can be searched for by its annotations ``trigger``, ``outcome`` and
``reason``. AWS's SDK for this takes longer to import than all the rest of a function.

A document is one UDP datagram (X-Ray Developer Guide, "Sending trace data to X-Ray", "X-Ray segment documents"). What
gets lost is lost: tracing never holds up a function.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda sets them: the first for each invocation, the second once, where tracing is on.
TRACE_HEADER = "_X_AMZN_TRACE_ID"
DAEMON_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"

_PREAMBLE = b'{"format":"json","version":1}\n'
MAX_BYTES = 64_000  # of a document, by the guide; a datagram has not much more either


@dataclass(frozen=True, slots=True)
class Parent:
    """The segment that a subsegment belongs to."""

    trace_id: str
    id: str


def current_parent(environment: Mapping[str, str]) -> Parent | None:
    """The segment of this invocation; None when it is not traced.

    The header is ``Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1``.
    """
    if DAEMON_ADDRESS not in environment:
        return None
    fields = dict(field.partition("=")[::2] for field in environment.get(TRACE_HEADER, "").split(";"))
    if fields.get("Sampled") != "1" or not fields.get("Root") or not fields.get("Parent"):
        return None
    return Parent(fields["Root"], fields["Parent"])


def subsegment(parent: Parent, name: str, began: float, ended: float, **more: Any) -> dict[str, Any]:
    """A subsegment as X-Ray wants it; times are seconds since 1970. ``more`` are fields such as ``annotations``."""
    return {
        "type": "subsegment",
        "id": secrets.token_hex(8),
        "trace_id": parent.trace_id,
        "parent_id": parent.id,
        "name": name,
        "start_time": began,
        "end_time": ended,
        **more,
    }


def trace_decision(annotations: Mapping[str, str]) -> None:
    """Note a decision that has just been made."""
    if parent := current_parent(os.environ):
        now = time.time()
        _send(subsegment(parent, "decision", now, now, annotations={k: v for k, v in annotations.items() if v}))


class CallTracer:
    """Notes each call of a botocore client; ``follow`` begins."""

    def follow(self, client: Any) -> None:
        """Note every call of this client from now on."""
        events = client.meta.events
        events.register("before-call", self._begin)
        events.register("after-call", self._end)
        events.register("after-call-error", self._fail)

    def _begin(self, context: dict[str, Any], **_: Any) -> None:
        context[_BEGAN] = time.time()

    def _end(self, model: Any, context: Mapping[str, Any], parsed: Mapping[str, Any], **_: Any) -> None:
        metadata = parsed.get("ResponseMetadata", {})
        status = metadata.get("HTTPStatusCode", 0)
        _note(
            model.service_model.service_name,
            context,
            {
                "aws": {
                    "operation": model.name,
                    "request_id": metadata.get("RequestId", ""),
                    "retries": metadata.get("RetryAttempts", 0),
                },
                "http": {"response": {"status": status}},
                **_flags(status),
            },
        )

    def _fail(self, context: Mapping[str, Any], event_name: str, exception: Exception, **_: Any) -> None:
        # after-call-error.dynamodb.GetItem
        _event, service, operation = event_name.split(".", 2)
        cause = {"exceptions": [{"id": secrets.token_hex(8), "type": type(exception).__name__}]}
        _note(service, context, {"aws": {"operation": operation}, "fault": True, "cause": cause})


_BEGAN = "pipeline_triggers_began"


def _note(service: str, context: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    if _BEGAN in context and (parent := current_parent(os.environ)):
        _send(subsegment(parent, service, context[_BEGAN], time.time(), namespace="aws", **fields))


def _flags(status: int) -> dict[str, bool]:
    """How X-Ray tells mistakes of the caller, throttling and failures of the service apart."""
    if status == 429:
        return {"error": True, "throttle": True}
    if 400 <= status < 500:
        return {"error": True}
    return {"fault": True} if status >= 500 else {}


def _send(document: Mapping[str, Any]) -> None:
    data = _PREAMBLE + json.dumps(document, separators=(",", ":")).encode()
    if len(data) > MAX_BYTES:
        return
    host, _, port = os.environ[DAEMON_ADDRESS].rpartition(":")
    with suppress(OSError, ValueError):
        _socket().sendto(data, (host, int(port)))


@cache
def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
