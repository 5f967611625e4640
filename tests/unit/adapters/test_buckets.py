"""What is asked of S3 about a bucket's notifications, and what of its answers can be written back."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber

from pipeline_triggers.adapters.buckets import S3Buckets
from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.errors import AwsError, ConfigurationError, NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
ASKED = {"Bucket": "raw-data", "ExpectedBucketOwner": ACCOUNT}
QUEUE = (
    "<QueueConfiguration><Id>x</Id><Queue>arn:aws:sqs:us-east-1:123456789012:q</Queue>"
    "<Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>Prefix</Name><Value>a&amp;b</Value></FilterRule>"
    "</S3Key></Filter></QueueConfiguration>"
)


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def s3(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.client("s3")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def buckets(clients: Clients) -> S3Buckets:
    return S3Buckets(clients, ACCOUNT)


def answering(clients: Clients, inside: str) -> None:
    """Let S3 answer GetBucketNotificationConfiguration with a document."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inside}</NotificationConfiguration>'
    )

    class Raw(BytesIO):
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.read()

    def answer(**_: Any) -> AWSResponse:
        raw: Any = Raw(body.encode())
        return AWSResponse("https://s3/", 200, {"x-amz-request-id": "1"}, raw)  # type: ignore[arg-type]

    clients.client("s3").meta.events.register("before-send.s3.GetBucketNotificationConfiguration", answer)


def test_the_region_is_asked_for_of_the_own_account_only(buckets: S3Buckets, s3: Stubber) -> None:
    s3.add_response("head_bucket", {"BucketRegion": "eu-west-1"}, ASKED)
    assert buckets.region("raw-data") == "eu-west-1"


def test_an_answer_without_a_region_is_of_the_clients_own(buckets: S3Buckets, s3: Stubber) -> None:
    s3.add_response("head_bucket", {}, ASKED)
    assert buckets.region("raw-data") == "us-east-1"


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("404", NotFoundError, "there is no bucket raw-data"),
        ("NoSuchBucket", NotFoundError, "there is no bucket raw-data"),
        ("403", TransientError, "belongs to another account"),
        ("AccessDenied", TransientError, "belongs to another account"),
        ("SlowDown", TransientError, "SlowDown"),
        ("MalformedXML", PermanentError, "MalformedXML"),
    ],
)
def test_a_failure_says_what_is_wrong_with_the_bucket(
    buckets: S3Buckets, s3: Stubber, code: str, kind: type[Exception], said: str
) -> None:
    s3.add_client_error("head_bucket", code)
    with pytest.raises(kind, match=said) as raised:
        buckets.region("raw-data")
    if isinstance(raised.value, AwsError) and "account" in said:
        assert raised.value.is_denied


@pytest.mark.parametrize("inside", ["", "<EventBridgeConfiguration/>", QUEUE, f"{QUEUE}<EventBridgeConfiguration/>"])
def test_what_botocore_knows_is_read(clients: Clients, buckets: S3Buckets, inside: str) -> None:
    answering(clients, inside)
    read = buckets.notifications("raw-data")
    assert ("EventBridgeConfiguration" in read) == ("EventBridge" in inside)
    assert ("QueueConfigurations" in read) == ("Queue" in inside)


@pytest.mark.parametrize(
    ("unknown", "named"),
    [
        ("<CarrierPigeonConfiguration/>", "/CarrierPigeonConfiguration"),
        (QUEUE.replace("<Id>", "<Priority>high</Priority><Id>"), "/QueueConfiguration/Priority: high"),
        (
            QUEUE.replace("</S3Key>", "</S3Key><S3Size><Above>5</Above></S3Size>"),
            "/QueueConfiguration/Filter/S3Size/Above: 5",
        ),
    ],
)
def test_what_botocore_would_drop_is_refused_and_named(
    clients: Clients, buckets: S3Buckets, unknown: str, named: str
) -> None:
    answering(clients, unknown)
    with pytest.raises(ConfigurationError, match="nothing was changed") as refused:
        buckets.notifications("raw-data")
    assert named in str(refused.value)


def test_an_answer_is_looked_at_once_however_often_it_is_asked(clients: Clients, buckets: S3Buckets) -> None:
    answering(clients, QUEUE)
    assert buckets.notifications("raw-data") == buckets.notifications("raw-data")


def test_notifications_are_written_without_validating_destinations_that_are_there_already(
    buckets: S3Buckets, s3: Stubber
) -> None:
    wanted: dict[str, Any] = {"EventBridgeConfiguration": {}}
    expected = {**ASKED, "NotificationConfiguration": wanted, "SkipDestinationValidation": True}
    s3.add_response("put_bucket_notification_configuration", {}, expected)
    buckets.notify("raw-data", wanted)
