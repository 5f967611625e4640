"""The loopback HTTP server of the embedded AWS: every request passes interceptors on its way to moto.

An interceptor takes a call and the way onwards, and gives an answer::

    def slow_starts(call: Call, forward: Forward) -> Answer:
        if call.operation == "StartPipelineExecution":
            time.sleep(1)                      # before: the call has not acted yet
        answer = forward(call)                 # left out: the call never acts
        return answer                          # changed: the client sees another answer

An interceptor that raises ``ConnectionError`` makes the server close the connection without an answer: before
``forward`` the call has not acted, after it the answer is lost. This is where faults are injected.
"""

from __future__ import annotations

import errno
import io
import logging
import socket
import threading
from collections import defaultdict
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.wire import Answer, error_answer, read_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from wsgiref.types import WSGIApplication

    from werkzeug.serving import BaseWSGIServer

    from pipeline_triggers.local.wire import Call

    Forward: TypeAlias = Callable[[Call], Answer]
    Interceptor: TypeAlias = Callable[[Call, Forward], Answer]

_log = logging.getLogger(__name__)

# moto's SQS is made safe for concurrent calls by a correction, and its long polls must not hold up the other calls.
_CONCURRENT_SERVICES = frozenset({"sqs"})


class _Applications(DomainDispatcherApplication):
    """moto's services by host; moto would look through its folders for each call."""

    @cache  # noqa: B019 - there is one, and few hosts
    def get_backend_for_host(self, host: str | None) -> Any:
        return super().get_backend_for_host(host)


class Moto:
    """moto as a function from call to answer, one call to a service at a time: its conditions are not atomic."""

    application: WSGIApplication = _Applications(create_backend_app)

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    def __call__(self, call: Call) -> Answer:
        """Let moto act on the call."""
        if call.service in _CONCURRENT_SERVICES:
            return self._run(call)
        with self._locks[call.service]:
            return self._run(call)

    def _run(self, call: Call) -> Answer:
        environ = dict(call.environ)
        environ["wsgi.input"] = io.BytesIO(call.body)
        environ["CONTENT_LENGTH"] = str(len(call.body))
        started: list[tuple[int, tuple[tuple[str, str], ...]]] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], Any]:
            started.append((int(status.split(" ", 1)[0]), tuple(headers)))
            return written.append

        chunks = self.application(environ, start_response)
        try:
            written.extend(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started[-1]
        return Answer(status, headers, b"".join(written))


def intercepted(moto: Forward, interceptors: Sequence[Interceptor]) -> Forward:
    """moto behind interceptors; the first is the outermost."""
    forward = moto
    for interceptor in reversed(interceptors):
        forward = partial(_pass, interceptor, forward)
    return forward


class Listener:
    """An HTTP server on one address that answers calls; ``port`` 0 takes any free port, which ``port`` then says."""

    def __init__(self, answer: Forward, host: str, port: int) -> None:
        self._connections: set[socket.socket] = set()
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "connections": self._connections})
        with _bound_socket(host, port) as bound:
            self._server: BaseWSGIServer = make_server(
                host, port, Moto.application, threaded=True, request_handler=handler, fd=bound.fileno()
            )
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="embedded AWS", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, release the port and close the connections that clients still hold open."""
        self._server.shutdown()
        self._thread.join()
        for connection in tuple(self._connections):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(MotoRequestHandler):
    """HTTP/1.1 on connections that stay open (werkzeug closes them after each answer), silent about each call."""

    answer: Forward
    connections: set[socket.socket]
    protocol_version = "HTTP/1.1"
    # Headers and body leave together, when the answer is complete.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        self.connections.discard(self.connection)
        super().finish()

    def handle_expect_100(self) -> bool:
        """Let the client send its body."""
        is_expected = super().handle_expect_100()
        self.wfile.flush()
        return is_expected

    def run_wsgi(self) -> None:
        """Answer one request; ConnectionError from an interceptor closes the connection without an answer."""
        self.environ = self.make_environ()
        call = read_call(self.environ, _read_body(self.environ))
        try:
            answer = self.answer(call)
        except ConnectionError:
            self.close_connection = True
            return
        except Exception:
            _log.exception("the embedded AWS failed at %s %s", self.command, self.path)
            message = "the embedded AWS failed, its log says why"
            answer = error_answer("InternalFailure", message, 500, in_xml=call.is_answered_in_xml)
        self.send_response_only(answer.status)
        for name, value in _framed(answer, self.command):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()


def _framed(answer: Answer, method: str) -> Iterator[tuple[str, str]]:
    """The headers, with the length that a connection that stays open needs."""
    yield from answer.headers
    has_length = any(name.lower() == "content-length" for name, _ in answer.headers)
    if not has_length and answer.status not in (204, 304) and method != "HEAD":
        yield "Content-Length", str(len(answer.body))


def _bound_socket(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise ConfigurationError(_why_not_listening(host, port, error)) from error
    return bound


def _pass(interceptor: Interceptor, forward: Forward, call: Call) -> Answer:
    return interceptor(call, forward)


def _read_body(environ: Mapping[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    return bytes(stream.read(int(environ.get("CONTENT_LENGTH") or 0)))


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"the embedded AWS cannot listen on {host}:{port}: port {port} is taken. "
            "Stop what uses it (perhaps another `pipeline-triggers local up`), or choose another port"
        )
    return f"the embedded AWS cannot listen on {host}:{port}: {error.strerror}. Choose another address or port"
