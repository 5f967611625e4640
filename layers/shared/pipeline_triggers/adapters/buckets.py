"""S3's notifications of buckets: implements the port ``Buckets``."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 # for what botocore has parsed with it already
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from botocore.serialize import create_serializer

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.errors import ConfigurationError, NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client

    from pipeline_triggers.adapters.clients import Clients

# HeadBucket has no body, so that its errors have the HTTP status for a code.
MISSING = frozenset({"404", "NoSuchBucket", "NotFound"})

FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})


class S3Buckets:
    """The buckets of one account: every call fails for a bucket that another account owns."""

    def __init__(self, clients: Clients, account: str) -> None:
        self._clients = clients
        self._account = account

    def region(self, bucket: str) -> str:
        """The Region of a bucket of this account. NotFoundError when there is none that this account owns."""
        with translated(), _found(bucket):
            answer = self._s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=self._account)
        region: str = answer.get("BucketRegion") or self._s3.meta.region_name
        return region

    def notifications(self, bucket: str) -> Mapping[str, Any]:
        """The notifications of a bucket, as GetBucketNotificationConfiguration answers them.

        botocore drops what it does not know out of an answer, and what is written replaces everything. So the answer is
        compared with what would be written: ConfigurationError when something would be lost.
        """
        bodies: list[bytes] = []

        def remember(response_dict: Mapping[str, Any], **_: Any) -> None:
            bodies.append(response_dict["body"])

        event = "before-parse.s3.GetBucketNotificationConfiguration"
        events = self._s3.meta.events
        events.register(event, remember)
        try:
            with readable(), _found(bucket):
                answer = self._s3.get_bucket_notification_configuration(
                    Bucket=bucket, ExpectedBucketOwner=self._account
                )
        finally:
            events.unregister(event, remember)
        notifications = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        _refuse_losses(bucket, bodies[-1], self._written(bucket, notifications))
        return notifications

    def notify(self, bucket: str, notifications: Mapping[str, Any]) -> None:
        """Replace the notifications of a bucket, in the form of ``notifications``.

        S3 does not validate the destinations: they are there already, and one that is broken must not keep the others
        from being written back as they are.
        """
        with translated(), _found(bucket):
            self._s3.put_bucket_notification_configuration(
                Bucket=bucket,
                NotificationConfiguration=cast("Any", notifications),
                ExpectedBucketOwner=self._account,
                SkipDestinationValidation=True,
            )

    @property
    def _s3(self) -> S3Client:
        return cast("S3Client", self._clients.client("s3"))

    def _written(self, bucket: str, notifications: Mapping[str, Any]) -> bytes:
        """The body of the request that would write these notifications."""
        model = self._s3.meta.service_model
        serializer = create_serializer(model.metadata["protocol"], include_validation=False)
        request = {"Bucket": bucket, "NotificationConfiguration": notifications}
        operation = model.operation_model("PutBucketNotificationConfiguration")
        body: bytes = serializer.serialize_to_request(request, operation)["body"]
        return body


@contextmanager
def _found(bucket: str) -> Iterator[None]:
    """Say in words that there is no such bucket, or none that one may see: S3 does not tell whose it is."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in MISSING:
            raise NotFoundError(f"there is no bucket {bucket}") from error
        if code_of(error) in FORBIDDEN:
            said = f"the bucket {bucket} belongs to another account, or you may not look at it"
            raise TransientError("denied-yet", said) from error
        raise


def _refuse_losses(bucket: str, read: bytes, written: bytes) -> None:
    """Raise ConfigurationError when what was read has something that is not in what would be written."""
    lost = _elements(read) - _elements(written)
    if lost:
        named = ", ".join(sorted(lost))
        said = f"the notifications of the bucket {bucket} have what cannot be written back ({named})"
        raise ConfigurationError(f"{said}: nothing was changed. Update boto3, or change them with other tools")


def _elements(body: bytes) -> Counter[str]:
    """The elements of a document that say something, by their path: those right below the root, and every text."""
    found: Counter[str] = Counter()
    todo = [("", ET.fromstring(body))] if body.strip() else []  # noqa: S314 # nosec B314 # botocore has parsed it
    while todo:
        path, element = todo.pop()
        text = (element.text or "").strip()
        if text and not len(element):
            found[f"{path}: {text}"] += 1
        elif path.count("/") == 1:
            found[path] += 1
        todo += [(f"{path}/{child.tag.rpartition('}')[2]}", child) for child in element]
    return found
