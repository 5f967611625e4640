"""The process in which one function runs, as Lambda's runtime would run it: ``python -P worker.py``.

It imports the handler named by ``_HANDLER`` from ``LAMBDA_TASK_ROOT`` and the layers in ``PYTHONPATH``, says that it is
ready, then answers one JSON line with one JSON line. The lines travel on what were standard input and output; what the
function prints goes to standard error, so it cannot be taken for an answer.

Request   {"event": any, "request_id": text, "trace_id": text, "deadline": epoch seconds}
Answer    {"answer": any}, or {"error": {"errorType", "errorMessage", "stackTrace": [text]}}
Ready     {"ready": true}, or {"error": ...} when the handler cannot be imported

Imports nothing but the standard library, so that the function sees only its own dependencies.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Context:
    """The second argument of a handler, with the members of Lambda's context object."""

    aws_request_id: str
    deadline: float
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed, never negative."""
        return max(0, round((self.deadline - time.time()) * 1000))


def main() -> None:
    """Serve until standard input ends."""
    requests, answers = _take_over_standard_streams()
    try:
        handler = _import_handler(os.environ["_HANDLER"], os.environ["LAMBDA_TASK_ROOT"])
    except BaseException as error:
        _write(answers, {"error": _describe(error)})
        return
    _write(answers, {"ready": True})
    for line in requests:
        _write(answers, _invoke(handler, json.loads(line)))


def _take_over_standard_streams() -> tuple[TextIO, TextIO]:
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    return requests, answers


def _import_handler(name: str, code: str) -> Callable[[Any, Context], Any]:
    sys.path.insert(0, code)
    module, _, function = name.rpartition(".")
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module.replace("/", ".")), function)
    return handler


def _invoke(handler: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
    try:
        answer = handler(request["event"], _context(request))
    except BaseException as error:
        return {"error": _describe(error)}
    try:
        json.dumps(answer)
    except (TypeError, ValueError) as error:
        return {"error": {**_describe(error), "errorType": "Runtime.MarshalError"}}
    return {"answer": answer}


def _context(request: dict[str, Any]) -> Context:
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    return Context(
        aws_request_id=request["request_id"],
        deadline=request["deadline"],
        function_name=name,
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        invoked_function_arn=f"arn:aws:lambda:{os.environ['AWS_REGION']}:123456789012:function:{name}",
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
    )


def _describe(error: BaseException) -> dict[str, Any]:
    stack = traceback.format_exception(error)
    sys.stderr.write("".join(stack))
    return {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": stack}


def _write(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
