"""The table of failures, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from pipeline_triggers.adapters.failures import MAX_MESSAGE, MEANINGS, readable, translate, translated
from pipeline_triggers.errors import AwsError, PermanentError, TransientError

URL = "https://api.sagemaker.us-east-1.amazonaws.com/"


def answered(code: str, status: int = 400, message: str = "said AWS") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "StartPipelineExecution")


def seen(error: BaseException) -> tuple[type[AwsError], str, bool]:
    meant = translate(error)
    return type(meant), meant.reason, getattr(meant, "acted", False)


TABLE = {
    "throttled": """BandwidthLimitExceeded KMS.ThrottlingException KmsThrottled LimitExceededException
        PriorRequestNotComplete ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled
        RequestThrottledException SlowDown ThrottledException Throttling ThrottlingException TooManyRequestsException
        TransactionInProgressException""",
    "limit-exceeded": "ResourceLimitExceeded ServiceQuotaExceededException",
    "conflict": """ConcurrentModificationException ConflictException ResourceInUse ResourceInUseException
        TransactionConflictException""",
    "not-found-yet": """AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist ResourceNotFound
        ResourceNotFoundException""",
    "denied-yet": """AuthFailure AuthorizationError ExpiredToken ExpiredTokenException IncompleteSignature
        InvalidClientTokenId InvalidSignatureException KmsAccessDenied MissingAuthenticationToken NotAuthorized
        OptInRequired RequestExpired SignatureDoesNotMatch UnauthorizedOperation UnrecognizedClientException""",
    "unavailable": """InternalError InternalException InternalFailure InternalServerError InternalServerException
        RequestTimeout RequestTimeoutException ServiceUnavailable ServiceUnavailableException""",
}
ROWS = [(reason, code) for reason, codes in TABLE.items() for code in codes.split()]


def test_every_row_of_the_table_is_tested() -> None:
    assert {reason: set(codes.split()) for reason, codes in TABLE.items()} == MEANINGS


@pytest.mark.parametrize("status", [400, 503])
@pytest.mark.parametrize(("reason", "code"), ROWS)
def test_a_code_means_the_same_whatever_the_status(reason: str, code: str, status: int) -> None:
    assert seen(answered(code, status)) == (TransientError, reason, reason == "unavailable")


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("SomethingNew", 429, "throttled"),
        ("AccessDenied", 403, "denied-yet"),
        ("AccessDeniedException", 400, "denied-yet"),
        ("KMSAccessDeniedException", 400, "denied-yet"),
    ],
)
def test_what_is_in_no_row_is_told_by_its_status_or_its_beginning(code: str, status: int, reason: str) -> None:
    assert seen(answered(code, status)) == (TransientError, reason, False)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalFailure", 500),
        ("InternalServerError", 500),
        ("InternalFailure", 400),
        ("ServiceUnavailable", 503),
        ("RequestTimeout", 400),
        ("504", 504),
        ("SomethingNew", 599),
        ("", 500),
    ],
)
def test_a_failure_of_the_service_may_have_acted(code: str, status: int) -> None:
    assert seen(answered(code, status)) == (TransientError, "unavailable", True)


@pytest.mark.parametrize(
    ("code", "status"),
    [("ValidationException", 400), ("ValidationError", 400), ("SomethingNew", 400), ("404", 404), ("", 0)],
)
def test_any_other_answer_is_a_refusal_for_good(code: str, status: int) -> None:
    assert seen(answered(code, status)) == (PermanentError, "refused-by-sagemaker", False)


def test_parameters_that_botocore_refuses_are_refused_for_good() -> None:
    assert seen(ParamValidationError(report="Invalid length")) == (PermanentError, "refused-by-sagemaker", False)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ProxyConnectionError(proxy_url=URL),
    ],
)
def test_a_connection_that_was_never_made_did_nothing(error: Exception) -> None:
    assert seen(error) == (TransientError, "unavailable", False)


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        SSLError(endpoint_url=URL, error=OSError("record layer failure")),
        HTTPClientError(error="reset by peer"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ResponseParserError("not JSON"),
    ],
)
def test_an_answer_that_was_lost_may_have_acted(error: Exception) -> None:
    assert seen(error) == (TransientError, "unavailable", True)


@pytest.mark.parametrize("error", [NoCredentialsError(), CredentialRetrievalError(provider="sso", error_msg="gone")])
def test_credentials_that_cannot_be_had_are_denied_for_now(error: Exception) -> None:
    assert seen(error) == (TransientError, "denied-yet", False)


def test_the_message_says_what_aws_said_and_is_bounded() -> None:
    assert "said AWS" in str(translate(answered("ValidationException")))
    assert len(str(translate(answered("ValidationException", message="x" * 10_000)))) == MAX_MESSAGE


def test_an_error_that_is_translated_already_stays_as_it_is() -> None:
    error = TransientError("in-progress", "busy")
    assert translate(error) is error


def test_an_error_of_the_program_is_not_an_error_of_aws() -> None:
    with pytest.raises(TypeError, match="KeyError"):
        translate(KeyError("bug"))
    with pytest.raises(KeyError), translated():
        raise KeyError("bug")


def test_a_block_raises_the_translation_and_keeps_the_cause() -> None:
    cause = answered("ThrottlingException")
    with pytest.raises(TransientError) as raised, translated():
        raise cause
    assert raised.value.reason == "throttled"
    assert raised.value.__cause__ is cause


def test_a_block_with_one_reason_for_all_makes_even_refusals_transient() -> None:
    with pytest.raises(TransientError) as raised, translated("ledger-unavailable"):
        raise answered("ValidationException")
    assert (raised.value.reason, raised.value.acted) == ("ledger-unavailable", False)
    with pytest.raises(TransientError) as raised, translated("ledger-unavailable"):
        raise ReadTimeoutError(endpoint_url=URL)
    assert (raised.value.reason, raised.value.acted) == ("ledger-unavailable", True)


@pytest.mark.parametrize(("code", "is_denied"), [("AccessDeniedException", True), ("ValidationException", False)])
def test_with_one_reason_for_all_it_can_still_be_told_whether_a_permission_is_missing(
    code: str, is_denied: bool
) -> None:
    with pytest.raises(TransientError) as raised, translated("ledger-unavailable"):
        raise answered(code)
    assert (raised.value.reason, raised.value.is_denied) == ("ledger-unavailable", is_denied)


@pytest.mark.parametrize("error", [KeyError("Schedules"), TypeError("None"), AttributeError("get")])
def test_an_answer_that_lacks_something_is_asked_for_again(error: Exception) -> None:
    with pytest.raises(TransientError, match="cannot be read") as raised, readable():
        raise error
    assert (raised.value.reason, raised.value.acted) == ("unavailable", True)


def test_what_is_readable_is_translated_too() -> None:
    with pytest.raises(TransientError) as raised, readable():
        raise answered("ThrottlingException")
    assert raised.value.reason == "throttled"
    with pytest.raises(ZeroDivisionError), readable():
        raise ZeroDivisionError
