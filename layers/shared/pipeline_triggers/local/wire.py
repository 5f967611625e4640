"""Which AWS service and operation an HTTP request is, and how AWS words an error.

AWS protocols name the operation in different places: ``X-Amz-Target`` (json), the path ``/service/…/operation/…``
(smithy-rpc-v2-cbor), the form field ``Action`` (query), method and path (rest-json). The botocore service models know
which; S3 (rest-xml) is recognised as a service only, its operations are not.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode
from xml.sax.saxutils import escape  # nosec B406 # it parses nothing

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.parsers import RpcV2CBORParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, ServiceModel

ACCOUNT = "123456789012"
REGION = "us-east-1"
ANY_SECRET = "local"  # noqa: S105 # nosec B105 # the embedded AWS checks no credentials

_SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "eventbridge": "events"}
_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``service`` as botocore names it, ``operation`` (empty when not recognised), ``input`` as sent.

    ``environ`` is the WSGI environment without its body, which is ``body``.
    """

    service: str
    operation: str
    region: str
    input: Mapping[str, Any]
    body: bytes
    environ: Mapping[str, Any] = field(repr=False)

    @property
    def is_answered_in_xml(self) -> bool:
        """Whether the protocol of the request has answers in XML (query and rest-xml)."""
        return self._is_form or self.service == "s3"

    @property
    def _is_form(self) -> bool:
        return str(self.environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")

    def with_input(self, changed: Mapping[str, Any]) -> Call:
        """The same request with another input; for the json and query protocols, whose body is the input."""
        body = urlencode({"Action": self.operation, **changed}) if self._is_form else json.dumps(changed)
        return replace(self, input=changed, body=body.encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    def output(self) -> dict[str, Any]:
        """The body of an answer in a json protocol."""
        return cast(dict[str, Any], json.loads(self.body)) if self.body else {}

    def with_output(self, changed: Mapping[str, Any]) -> Answer:
        """The same answer with another body; for the json protocols."""
        body = json.dumps(changed).encode()
        headers = tuple((name, value) for name, value in self.headers if name.lower() != "content-length")
        return replace(self, body=body, headers=(*headers, ("Content-Length", str(len(body)))))

    def error(self) -> tuple[str, str]:
        """Code and message of a failed answer in a json protocol."""
        output = self.output()
        code = str(output.get("__type") or dict(self.headers).get("x-amzn-errortype") or "")
        return code.rpartition("#")[2].partition(":")[0], str(output.get("message") or output.get("Message") or "")


def json_answer(output: Mapping[str, Any], status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer of our own in the json protocols (SageMaker, EventBridge, Scheduler, DynamoDB, SQS, Lambda)."""
    body = json.dumps(output).encode()
    ours = (
        ("Content-Type", "application/x-amz-json-1.1"),
        ("Content-Length", str(len(body))),
        ("x-amzn-requestid", str(uuid.uuid4())),
    )
    return Answer(status, (*ours, *headers), body)


def error_answer(code: str, message: str, status: int = 400, *, in_xml: bool = False) -> Answer:
    """A refusal as AWS words it in the json protocols, or in the query and rest-xml protocols (``in_xml``)."""
    if in_xml:
        said = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        body = f"<ErrorResponse><Error>{said}</Error></ErrorResponse>".encode()
        return Answer(status, (("Content-Type", "text/xml"), ("Content-Length", str(len(body)))), body)
    output = {"__type": code, "message": message, "Message": message}
    return json_answer(output, status, (("x-amzn-errortype", code),))


class RefusedError(Exception):
    """A request is refused with this ``code`` and ``message``, in a json protocol."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)

    def answer(self) -> Answer:
        """What the client gets."""
        return error_answer(self.code, self.message)


@cache
def service_model(service: str) -> ServiceModel | None:
    """The botocore model of a service, or None when botocore has no service of that name."""
    try:
        return botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return None


def operation_model(service: str, operation: str) -> OperationModel | None:
    """The botocore model of an operation, or None when there is none of that name."""
    model = service_model(service)
    return model.operation_model(operation) if model and operation in model.operation_names else None


def read_call(environ: Mapping[str, Any], body: bytes) -> Call:
    """Recognise a request. A request that is no AWS call has an empty service and is passed on as it is."""
    scope = _CREDENTIAL_SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    region, signing_name = scope.groups() if scope else (REGION, "")
    service = _SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)
    operation, given = _read_operation(service, environ, body)
    return Call(service, operation, region, given, body, environ)


def json_call(service: str, operation: str, given: Mapping[str, Any], region: str = REGION) -> Call:
    """A call of our own, in the json protocol, as a client would send it."""
    model = service_model(service)
    assert model is not None, service
    body = json.dumps(given).encode()
    signing_name = model.signing_name
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": f"{signing_name}.{region}.amazonaws.com",
        "HTTP_X_AMZ_TARGET": f"{model.metadata['targetPrefix']}.{operation}",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=local/20000101/{region}/{signing_name}/aws4_request",
        "CONTENT_TYPE": f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return Call(service, operation, region, given, body, environ)


def _read_operation(service: str, environ: Mapping[str, Any], body: bytes) -> tuple[str, Mapping[str, Any]]:
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        return str(target).rpartition(".")[2], _json_object(body)
    path = str(environ.get("PATH_INFO", ""))
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return path.rpartition("/")[2], _cbor_object(body)
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return fields.pop("Action", ""), fields
    model = service_model(service) if service else None
    if model is None or model.metadata.get("protocol") != "rest-json":
        return "", {}
    for operation, path_pattern in _rest_operations(service).get(str(environ["REQUEST_METHOD"]), ()):
        if found := path_pattern.fullmatch(path):
            return operation, _rest_input(service, operation, found.groupdict(), environ, body)
    return "", {}


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}  # moto answers to what is not JSON as the service does
    return value if isinstance(value, dict) else {}


def _cbor_object(body: bytes) -> Mapping[str, Any]:
    if not body:
        return {}
    parser = RpcV2CBORParser()
    value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return value if isinstance(value, dict) else {}


@cache
def _rest_operations(service: str) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """By HTTP method: (operation, pattern of its path). Literal paths come before those with labels."""
    model = service_model(service)
    assert model is not None, service
    by_method: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name in sorted(model.operation_names, key=lambda n: model.operation_model(n).http["requestUri"].count("{")):
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", re.escape(path))
        by_method.setdefault(http["method"], []).append((name, re.compile(pattern + "/?")))
    return by_method


def _rest_input(
    service: str, operation: str, labels: Mapping[str, str], environ: Mapping[str, Any], body: bytes
) -> dict[str, Any]:
    model = operation_model(service, operation)
    assert model is not None, operation
    given: dict[str, Any] = dict(_json_object(body))
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    members = model.input_shape.members if model.input_shape else {}
    for name, shape in members.items():
        wire_name = shape.serialization.get("name", name)
        if shape.serialization.get("location") == "uri":
            given[name] = labels[wire_name]
        elif shape.serialization.get("location") == "querystring" and wire_name in query:
            values = query[wire_name]
            given[name] = values if shape.type_name == "list" else _scalar(values[0], shape.type_name)
    return given


def _scalar(text: str, type_name: str) -> object:
    if type_name in ("integer", "long") and text.lstrip("-").isdigit():
        return int(text)
    return text == "true" if type_name == "boolean" else text
