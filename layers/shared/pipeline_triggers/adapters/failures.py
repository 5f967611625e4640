"""What an error of AWS or of the way to it means: transient or permanent, and why.

This is the only table of its kind. Codes are from the services' models and from the list of common errors of each API
reference; facts that were seen rather than documented are marked.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)
from botocore.parsers import ResponseParserError

from pipeline_triggers.errors import AwsError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.domain.decisions import TransientReason

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    },
)
# Quotas of what may exist or run at one time: SageMaker answers so when too many executions run.
LIMIT_EXCEEDED = frozenset({"ResourceLimitExceeded", "ServiceQuotaExceededException"})
CONFLICT = frozenset(
    {
        "ConcurrentModificationException",
        "ConflictException",
        "ResourceInUse",
        "ResourceInUseException",
        "TransactionConflictException",
    },
)
NOT_FOUND = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    },
)
# Also what a worker meets whose credentials have just run out or are not known everywhere yet.
DENIED = frozenset(
    {
        "AuthFailure",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "KmsAccessDenied",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    },
)
UNAVAILABLE = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    },
)
# Every code that is known, by what it means; whatever else begins with AccessDenied is denied too.
MEANINGS: Mapping[TransientReason, frozenset[str]] = {
    "throttled": THROTTLED,
    "limit-exceeded": LIMIT_EXCEEDED,
    "conflict": CONFLICT,
    "not-found-yet": NOT_FOUND,
    "denied-yet": DENIED,
    "unavailable": UNAVAILABLE,
}
# After these the request may have had its effect.
ACTED: frozenset[TransientReason] = frozenset({"unavailable"})
MAX_MESSAGE = 1000


def code_of(error: ClientError) -> str:
    """The error code that the service gave, such as ``ThrottlingException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translate(error: BaseException) -> AwsError:
    """Say what an error of botocore means for whoever waits for the call.

    ``acted`` of a TransientError is True whenever the request may have reached the service and had its effect: an
    answer that was lost, could not be read, or was a 5xx. An AwsError comes back as it is. Raises TypeError for an
    error that does not come from an AWS call.
    """
    if isinstance(error, AwsError):
        return error
    if isinstance(error, ClientError):
        return _of_answer(error.response, str(error)[:MAX_MESSAGE])
    if isinstance(error, BotoCoreError):
        return _of_the_way(error, str(error)[:MAX_MESSAGE])
    if isinstance(error, ResponseParserError):
        return TransientError("unavailable", f"an answer that cannot be read: {error}"[:MAX_MESSAGE], acted=True)
    raise TypeError(f"not an error of an AWS call: {type(error).__name__}") from error


def may_have_acted(error: BaseException) -> bool:
    """Whether a call that failed so may have had its effect."""
    meant = translate(error)
    return isinstance(meant, TransientError) and meant.acted


@contextmanager
def translated(always: TransientReason | None = None) -> Iterator[None]:
    """Turn errors of botocore inside the block into TransientError or PermanentError.

    ``always`` names the reason for every one of them: a table of ours that fails keeps the event in its queue, whatever
    the failure.
    """
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        meant = translate(error)
        if always is None:
            raise meant from error
        raise TransientError(always, str(meant), acted=may_have_acted(meant), denied=meant.is_denied) from error


@contextmanager
def readable() -> Iterator[None]:
    """As ``translated``, also for an answer that lacks something or is no such answer at all: it is asked for again.

    For calls on whose answer much depends: what is deleted, what is started. botocore, too, stumbles over such answers
    in these ways.
    """
    try:
        with translated():
            yield
    except (AttributeError, KeyError, TypeError) as error:
        raise TransientError("unavailable", f"an answer that cannot be read: {error!r}", acted=True) from error


def _of_answer(response: Mapping[str, Any], message: str) -> AwsError:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for reason, codes in MEANINGS.items():
        if code in codes:
            return TransientError(reason, message, acted=reason in ACTED)
    if code.startswith(("AccessDenied", "KMSAccessDenied")):
        return TransientError("denied-yet", message)
    if status >= 500:
        return TransientError("unavailable", message, acted=True)
    if status == 429:
        return TransientError("throttled", message)
    return PermanentError("refused-by-sagemaker", message)


def _of_the_way(error: BotoCoreError, message: str) -> AwsError:
    if isinstance(error, ParamValidationError):
        return PermanentError("refused-by-sagemaker", message)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | TokenRetrievalError):
        return TransientError("denied-yet", f"{message}: no usable AWS credentials")
    # Failures to connect come before the request is sent, but a TLS error may also come in the middle of an answer.
    never_sent = isinstance(error, BotocoreConnectionError) and not isinstance(error, SSLError)
    return TransientError("unavailable", message, acted=not never_sent)
