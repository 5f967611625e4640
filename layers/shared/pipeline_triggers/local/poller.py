"""Lambda's side of the event source mappings: receive from the queues, invoke the functions, delete what succeeded.

Each function runs in processes of its own (``worker``), and each of these handles one batch at a time. The rules for
batches are Lambda's (AWS Lambda Developer Guide, "Handling errors for an SQS event source"):

* No answer, an empty one, or one without failures: the whole batch succeeded and is deleted.
* ``batchItemFailures`` names messages, and the mapping has ReportBatchItemFailures: those stay, the others are deleted.
* An exception, a timeout, a crash, an answer that is no object, an identifier that is empty or unknown: all stay.

What stays becomes visible again when its visibility timeout ends; the poller never shortens it.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess  # nosec B404 # the functions run in processes of their own, without a shell
import sys
import threading
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from pipeline_triggers.errors import PipelineTriggersError
from pipeline_triggers.local import worker as worker_module
from pipeline_triggers.local.emulator import local_client
from pipeline_triggers.local.wire import ACCOUNT, ANY_SECRET, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from pipeline_triggers.local.deployment import Deployment, LocalFunction, QueueSource

_log = logging.getLogger(__name__)

_WAIT_SECONDS = 1
_PAUSE_AFTER_FAILURE = 0.5
_INIT_TIMEOUT = 60.0
_WORKER_FILE = Path(worker_module.__file__)
# What a function's process takes over from ours; everything else comes from the template and from Lambda.
_INHERITED = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE")


class FunctionError(PipelineTriggersError):
    """A function raised, crashed or took too long: ``error_type``, ``message``, and the lines of its traceback."""

    def __init__(self, function: str, error_type: str, message: str, stack: Sequence[str] = ()) -> None:
        self.function, self.error_type, self.message, self.stack = function, error_type, message, tuple(stack)
        super().__init__(f"{function}: {error_type}: {message}")


class Poller:
    """Polls the queues of a deployment and runs its functions.

    ``on_log(function name, line)`` gets each line that a function writes; it is called from other threads. So many
    batches of a queue as ``parallel`` says are handled at a time, but never more than the MaximumConcurrency of its
    mapping: one spares this machine, and keeps what happens in order.
    """

    def __init__(
        self,
        deployment: Deployment,
        endpoint_url: str,
        *,
        on_log: Callable[[str, str], None] | None = None,
        parallel: int = 1,
    ) -> None:
        self._deployment, self._endpoint_url, self._parallel = deployment, endpoint_url, parallel
        self._workers = {
            function.name: Worker(function, endpoint_url, on_log or (lambda _name, _line: None), processes=parallel)
            for function in deployment.functions
        }
        self._sources = [
            _Source(function, source, local_client("sqs", endpoint_url))
            for function in deployment.functions
            for source in function.sources
        ]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Start the functions' processes, all at once, then poll. FunctionError when a handler cannot be imported."""
        with ThreadPoolExecutor(max_workers=max(1, len(self._workers))) as pool:
            starts = [pool.submit(worker.start) for worker in self._workers.values()]
        try:
            for start in starts:
                start.result()
        except BaseException:
            self.stop()
            raise
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._poll, args=(source,), name=f"poll {source.name} {number}", daemon=True)
            for source in self._sources
            for number in range(min(self._parallel, source.source.max_concurrency))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Finish the batches at hand, then end the processes."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []
        for worker in self._workers.values():
            worker.stop()

    def invoke(self, function: LocalFunction | str, payload: Any, *, timeout: float | None = None) -> Any:
        """The function's answer to a bare event. FunctionError when it has none.

        ``timeout`` in seconds; as long as the template says unless it is given.
        """
        name = self._deployment.function(function).name if isinstance(function, str) else function.name
        return self._workers[name].invoke(payload, timeout=timeout)

    def kill(self, trace: str) -> None:
        """Kill the process whose calls bear this trace id, as a crash would: nothing in it runs after this returns."""
        for worker in self._workers.values():
            worker.kill(trace)

    def worker(self, function: str) -> Worker:
        """The processes of a function, by name or logical id."""
        return self._workers[self._deployment.function(function).name]

    def drain(self, timeout: float) -> int:
        """Wait until nothing is left to do now, and say how many messages wait for a later try.

        Nothing is left when no source queue has a visible message and no message is being handled. Messages that a
        function left for later, or that were sent with a delay, are the ones that wait. TimeoutError after ``timeout``
        seconds, naming the queues that are not empty.
        """
        deadline = time.monotonic() + timeout
        seen: list[_Look] | None = None
        while True:
            looks = [source.look() for source in self._sources]
            # A message handled between two looks may have put another one into a queue looked at before.
            if all(look.is_idle for look in looks) and looks == seen:
                return sum(look.waiting for look in looks)
            if time.monotonic() > deadline:
                raise TimeoutError(_not_drained(self._sources, looks, timeout))
            seen = looks
            time.sleep(0.05)

    def _poll(self, source: _Source) -> None:
        worker = self._workers[source.function.name]
        while not self._stopping.is_set():
            messages: list[dict[str, Any]] = []
            try:
                messages = source.receive()
                if messages:
                    source.settle(messages, _failed_ids(worker, source.source, messages))
            except (BotoCoreError, ClientError) as error:
                _log.warning("polling %s: %s", source.name, error)
                self._stopping.wait(_PAUSE_AFTER_FAILURE)
            finally:
                source.finished(len(messages))

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def sqs_event(source: QueueSource, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What Lambda passes to a function for a batch of messages."""
    return {"Records": [_record(source, message) for message in messages]}


def failed_messages(answer: Any, message_ids: Sequence[str]) -> set[str]:
    """The messages that stay in the queue after this answer, when the mapping has ReportBatchItemFailures."""
    everything = set(message_ids)
    if answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict):
        return everything
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return everything
    failed = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures]
    return everything if any(identifier not in everything for identifier in failed) else {str(name) for name in failed}


def _failed_ids(worker: Worker, source: QueueSource, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    message_ids = [message["MessageId"] for message in messages]
    try:
        answer = worker.invoke(sqs_event(source, messages))
    except FunctionError as error:
        _log.warning("%s; its %d messages stay in the queue", error, len(messages))
        return set(message_ids)
    return failed_messages(answer, message_ids) if source.report_failures else set()


def _record(source: QueueSource, message: Mapping[str, Any]) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source.queue_arn,
        "awsRegion": source.queue_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute


@dataclass(frozen=True, slots=True)
class _Look:
    """What a queue looked like at one moment; ``received`` counts the messages that were ever received from it."""

    visible: int
    invisible: int
    delayed: int
    handling: int
    left: int
    received: int

    @property
    def is_idle(self) -> bool:
        return self.visible == 0 and self.handling == 0 and self.invisible <= self.left

    @property
    def waiting(self) -> int:
        return self.invisible + self.delayed


class _Source:
    """One queue of one function, with the count of what is being handled and what was left for later."""

    def __init__(self, function: LocalFunction, source: QueueSource, sqs: Any) -> None:
        self.function, self.source, self._sqs = function, source, sqs
        self.name = source.queue_arn.rpartition(":")[2]
        self._lock = threading.Lock()
        self._handling = self._received = 0
        self._left: set[str] = set()

    def receive(self) -> list[dict[str, Any]]:
        """The next batch, empty after a short wait."""
        messages: list[dict[str, Any]] = self._sqs.receive_message(
            QueueUrl=self.source.queue_url,
            MaxNumberOfMessages=min(10, self.source.batch_size),
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        with self._lock:
            self._handling += len(messages)
            self._received += len(messages)
            self._left.difference_update(message["MessageId"] for message in messages)
        return messages

    def settle(self, messages: Sequence[Mapping[str, Any]], failed: set[str]) -> None:
        """Delete the messages that did not fail."""
        with self._lock:
            self._left |= failed
        done = [message for message in messages if message["MessageId"] not in failed]
        if not done:
            return
        entries = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(done)]
        answer = self._sqs.delete_message_batch(QueueUrl=self.source.queue_url, Entries=entries)
        for failure in answer.get("Failed", []):
            _log.warning("a handled message stays in %s: %s", self.name, failure.get("Message", failure["Code"]))

    def finished(self, count: int) -> None:
        """So many messages of this queue are not being handled any more."""
        with self._lock:
            self._handling -= count

    def look(self) -> _Look:
        """What the queue looks like now."""
        names = "ApproximateNumberOfMessages"
        counts = self._sqs.get_queue_attributes(
            QueueUrl=self.source.queue_url, AttributeNames=[names, f"{names}NotVisible", f"{names}Delayed"]
        )["Attributes"]
        visible, invisible, delayed = (int(counts[names + suffix]) for suffix in ("", "NotVisible", "Delayed"))
        with self._lock:
            return _Look(visible, invisible, delayed, self._handling, len(self._left), self._received)


def _not_drained(sources: Sequence[_Source], looks: Sequence[_Look], timeout: float) -> str:
    busy = (
        f"{source.name} has {look.visible} visible and {look.handling} being handled"
        for source, look in zip(sources, looks, strict=True)
        if not look.is_idle
    )
    return f"the queues were not empty after {timeout:g} s: {'; '.join(busy) or 'messages kept arriving'}"


class Worker:
    """The processes of one function, each with one invocation at a time.

    One is started when all that run are busy, up to ``processes``, and after a crash or a timeout, as Lambda does.
    """

    def __init__(
        self, function: LocalFunction, endpoint_url: str, on_log: Callable[[str, str], None], *, processes: int = 1
    ) -> None:
        self.function = function
        self._environment = lambda_environment(function, endpoint_url)
        self._on_log = on_log
        self._limit = processes
        self._free = threading.Semaphore(processes)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: dict[str, _Process] = {}

    def start(self) -> None:
        """Start a process and wait until the handler is imported. FunctionError when it cannot be."""
        with self._free:
            self._put_back(self._take())

    def invoke(self, event: Any, *, timeout: float | None = None) -> Any:
        """The handler's answer. FunctionError when it raised, crashed, or took longer than ``timeout`` seconds.

        The function's own timeout counts unless one is given. Calls of AWS that the handler makes bear the trace id of
        the invocation.
        """
        seconds = self.function.timeout if timeout is None else timeout
        with self._free:
            process = self._take()
            trace = _new_trace_id()
            with self._lock:
                self._busy[trace] = process
            try:
                process.send(
                    {
                        "event": event,
                        "request_id": str(uuid.uuid4()),
                        "trace_id": trace,
                        "deadline": time.time() + seconds,
                    }
                )
                return self._answer(process, seconds)["answer"]
            finally:
                with self._lock:
                    del self._busy[trace]
                self._put_back(process)

    def kill(self, trace: str = "") -> None:
        """End the processes at once, or the one whose invocation has this trace id, whatever it does.

        Its invocation fails, and the next one starts it again.
        """
        with self._lock:
            killed = [process for busy, process in self._busy.items() if trace in ("", busy)]
            killed += [] if trace else self._idle
        for process in killed:
            process.kill()

    def stop(self) -> None:
        """Wait for the invocations at hand, then end the processes."""
        for _ in range(self._limit):
            self._free.acquire()
        for process in self._idle:
            process.kill()
        self._idle = []
        self._free.release(self._limit)

    def process_ids(self) -> list[int]:
        """The ids of the processes that run."""
        with self._lock:
            return [process.pid for process in (*self._idle, *self._busy.values()) if not process.has_ended()]

    def _take(self) -> _Process:
        """A process that waits for an invocation."""
        with self._lock:
            process = self._idle.pop() if self._idle else None
        if process and not process.has_ended():
            return process
        if process:
            process.kill()
        process = _Process(self.function, self._environment, self._on_log)
        try:
            self._answer(process, _INIT_TIMEOUT)
        except FunctionError:
            process.kill()
            raise
        return process

    def _put_back(self, process: _Process) -> None:
        if process.has_ended():
            process.kill()
            return
        with self._lock:
            self._idle.append(process)

    def _answer(self, process: _Process, timeout: float) -> dict[str, Any]:
        name = self.function.name
        try:
            answer = process.receive(timeout)
        except TimeoutError:
            process.kill()
            raise FunctionError(name, "Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds") from None
        if answer is None:
            process.kill()
            raise FunctionError(name, "Runtime.ExitError", "the process ended without an answer", tuple(process.tail))
        if error := answer.get("error"):
            raise FunctionError(name, error["errorType"], error["errorMessage"], error["stackTrace"])
        return answer


@dataclass
class _Process:
    """A running worker process, its answers and its log read by threads so that it never blocks."""

    function: LocalFunction
    environment: Mapping[str, str]
    on_log: Callable[[str, str], None]
    tail: deque[str] = field(default_factory=partial(deque, maxlen=100))

    def __post_init__(self) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 - our own worker, with this interpreter
            [sys.executable, "-P", str(_WORKER_FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.environment),
            cwd=self.function.code,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._readers = [
            threading.Thread(target=target, name=f"{self.function.name} {target.__name__}", daemon=True)
            for target in (self._read_answers, self._read_log)
        ]
        for reader in self._readers:
            reader.start()

    def send(self, request: Mapping[str, Any]) -> None:
        """Pass a request; when the process has ended, the answer says so."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(request) + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            self._answers.put(None)

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next answer, None when the process ended without one. TimeoutError after ``timeout`` seconds."""
        try:
            return self._answers.get(timeout=timeout)
        except Empty:
            raise TimeoutError from None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    def has_ended(self) -> bool:
        """Whether the process cannot answer any more."""
        return self._popen.poll() is not None

    def kill(self) -> None:
        """End the process and wait for it; closes its pipes."""
        self._popen.kill()
        self._popen.wait()
        for reader in self._readers:
            reader.join()
        for pipe in filter(None, (self._popen.stdin, self._popen.stdout, self._popen.stderr)):
            with suppress(BrokenPipeError):  # a request that the process never read
                pipe.close()

    def _read_answers(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def _read_log(self) -> None:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            self.tail.append(line.rstrip("\n"))
            self.on_log(self.function.name, line.rstrip("\n"))


def _new_trace_id() -> str:
    """As Lambda makes one for each invocation; the SDK sends it with every call (X-Amzn-Trace-Id)."""
    root, parent = uuid.uuid4().hex[:24], uuid.uuid4().hex[:16]
    return f"Root=1-{int(time.time()):08x}-{root};Parent={parent};Sampled=0"


def lambda_environment(function: LocalFunction, endpoint_url: str) -> dict[str, str]:
    """The environment of a function's process: as Lambda sets it, then the template's, and never real AWS."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, function.layers)),
        **function.environment,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.code),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": ANY_SECRET,
        "AWS_SESSION_TOKEN": ANY_SECRET,
        "AWS_ENDPOINT_URL": endpoint_url,
    }
