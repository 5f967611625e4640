"""S3 event notifications become EventBridge's S3 events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_triggers.errors import MalformedEventError
from pipeline_triggers.sources.s3 import event_of, is_notification, is_test_event
from tests.unit.sources.payloads import only_event, payload

if TYPE_CHECKING:
    from pipeline_triggers.domain.events import Event


def record(**changes: object) -> dict[str, Any]:
    """The record of events/s3-notification.json with other top-level fields."""
    return {**payload("s3-notification")["Records"][0], **changes}


def with_key(key: object) -> dict[str, Any]:
    changed = record()
    changed["s3"]["object"]["key"] = key
    return changed


def key_of(event: Event) -> object:
    return event.detail["object"]["key"]


def test_a_notification_has_the_envelope_of_an_eventbridge_event() -> None:
    event = event_of(record())
    told = only_event(payload("s3-object-created"))
    assert set(event.envelope) == set(told.envelope)
    for field in ("version", "source", "detail-type", "region", "resources"):
        assert event.envelope[field] == told.envelope[field]
    assert event.time == "2026-03-02T07:15:20.184Z"


def test_a_notification_has_the_detail_of_an_eventbridge_event() -> None:
    detail, told = event_of(record()).detail, only_event(payload("s3-object-created")).detail
    assert set(detail) == {*told, "notification"}
    assert {name: detail[name] for name in told if name != "requester"} == {
        name: told[name] for name in told if name != "requester"
    }
    assert detail["requester"] == "AWS:AROAEXAMPLEID:uploader"


def test_the_record_itself_stays_reachable() -> None:
    assert event_of(record()).detail["notification"] == record()


def test_the_account_is_not_guessed() -> None:
    assert event_of(record()).account == ""


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("in/2026/churn+rows%2Bv1.csv", "in/2026/churn rows+v1.csv"),
        ("red+flower.jpg", "red flower.jpg"),
        ("50%2525.csv", "50%25.csv"),
        ("a%2Fb", "a/b"),
        ("Stra%C3%9Fe.csv", "Straße.csv"),
        ("%E6%B8%AC%E8%A9%A6.csv", "測試.csv"),
        ("%F0%9F%9A%80", "🚀"),
        ("plain.csv", "plain.csv"),
        ("100%.csv", "100%.csv"),
        ("line%0Abreak", "line\nbreak"),
    ],
)
def test_a_key_is_decoded_once(encoded: str, key: str) -> None:
    assert key_of(event_of(with_key(encoded))) == key


@given(st.text(min_size=1, max_size=50).filter(lambda key: key.isprintable()))
@settings(max_examples=100)
def test_every_key_comes_through(key: str) -> None:
    assert key_of(event_of(with_key(quote_plus(key)))) == key


def test_a_key_of_eventbridge_is_not_decoded() -> None:
    told = payload("s3-object-created")
    told["detail"]["object"]["key"] = "a+b%2Bc.csv"
    assert key_of(only_event(told)) == "a+b%2Bc.csv"


def test_a_key_that_is_no_utf_8_is_refused_rather_than_changed() -> None:
    with pytest.raises(MalformedEventError, match="key is not URL-encoded UTF-8"):
        event_of(with_key("in/%FF.csv"))


@pytest.mark.parametrize(
    ("event_name", "detail_type", "told"),
    [
        ("ObjectCreated:Put", "Object Created", {"reason": "PutObject"}),
        ("ObjectCreated:Post", "Object Created", {"reason": "POST Object"}),
        ("ObjectCreated:Copy", "Object Created", {"reason": "CopyObject"}),
        ("ObjectCreated:CompleteMultipartUpload", "Object Created", {"reason": "CompleteMultipartUpload"}),
        ("ObjectCreated:New", "Object Created", {}),
        ("s3:ObjectCreated:Put", "Object Created", {"reason": "PutObject"}),
        ("ObjectRemoved:Delete", "Object Deleted", {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}),
        (
            "ObjectRemoved:DeleteMarkerCreated",
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
        ),
        (
            "LifecycleExpiration:Delete",
            "Object Deleted",
            {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"},
        ),
        (
            "LifecycleExpiration:DeleteMarkerCreated",
            "Object Deleted",
            {"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"},
        ),
        ("ObjectRestore:Post", "Object Restore Initiated", {}),
        ("ObjectRestore:Completed", "Object Restore Completed", {}),
        ("ObjectRestore:Delete", "Object Restore Expired", {}),
        ("ObjectTagging:Put", "Object Tags Added", {}),
        ("ObjectTagging:Delete", "Object Tags Deleted", {}),
        ("ObjectAcl:Put", "Object ACL Updated", {}),
        ("LifecycleTransition", "Object Storage Class Changed", {}),
        ("IntelligentTiering", "Object Access Tier Changed", {}),
        ("Replication:OperationFailedReplication", "Replication:OperationFailedReplication", {}),
        ("ReducedRedundancyLostObject", "ReducedRedundancyLostObject", {}),
    ],
)
def test_an_event_name_becomes_what_eventbridge_calls_it(event_name: str, detail_type: str, told: object) -> None:
    event = event_of(record(eventName=event_name))
    assert event.detail_type == detail_type
    assert {name: value for name, value in event.detail.items() if name in ("reason", "deletion-type")} == told


def test_the_fields_of_special_events_have_the_names_of_eventbridge() -> None:
    restored = {"lifecycleRestorationExpiryTime": "2026-03-09T00:00:00Z", "lifecycleRestoreStorageClass": "GLACIER"}
    detail = event_of(
        record(
            glacierEventData={"restoreEventData": restored},
            lifecycleEventData={"transitionEventData": {"destinationStorageClass": "GLACIER_IR"}},
            intelligentTieringEventData={"destinationAccessTier": "ARCHIVE_ACCESS"},
        ),
    ).detail
    assert detail["restore-expiry-time"] == "2026-03-09T00:00:00Z"
    assert detail["source-storage-class"] == "GLACIER"
    assert detail["destination-storage-class"] == "GLACIER_IR"
    assert detail["destination-access-tier"] == "ARCHIVE_ACCESS"


def test_what_a_record_does_not_say_is_absent_and_not_null() -> None:
    bare = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "responseElements": None,
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k", "versionId": None}},
    }
    event = event_of(bare)
    told = {"version": "0", "bucket": {"name": "b"}, "object": {"key": "k"}, "reason": "PutObject"}
    assert event.detail == {**told, "notification": bare}
    assert (event.region, event.time, event.resources) == ("", "", ("arn:aws:s3:::b",))


def test_the_bucket_keeps_the_arn_of_its_partition() -> None:
    chinese = record()
    chinese["s3"]["bucket"]["arn"] = "arn:aws-cn:s3:::raw-data"
    assert event_of(chinese).resources == ("arn:aws-cn:s3:::raw-data",)


def test_the_id_is_the_same_for_a_redelivery_and_another_for_another_record() -> None:
    assert event_of(record()).id == event_of(record()).id
    assert event_of(record()).id != event_of(with_key("other")).id


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.3", "2.10"])
def test_minor_versions_are_accepted(version: str) -> None:
    assert event_of(record(eventVersion=version)).source == "aws.s3"


@pytest.mark.parametrize("version", ["1.0", "3.0", "20.1", "", None, 2.1])
def test_another_major_version_is_refused(version: object) -> None:
    with pytest.raises(MalformedEventError, match=r"versions 2\.x are read"):
        event_of(record(eventVersion=version))


@pytest.mark.parametrize("key", [None, "", 7, ["k"]])
def test_a_record_without_a_key_is_refused(key: object) -> None:
    with pytest.raises(MalformedEventError, match=r"s3\.object\.key"):
        event_of(with_key(key))


@pytest.mark.parametrize("s3", [None, "x", {}, {"bucket": None}, {"bucket": {"name": ""}}])
def test_a_record_without_a_bucket_is_refused(s3: object) -> None:
    with pytest.raises(MalformedEventError, match=r"s3\.bucket\.name"):
        event_of(record(s3=s3))


def test_a_record_without_event_name_is_refused() -> None:
    with pytest.raises(MalformedEventError, match="eventName"):
        event_of(record(eventName=None))


def test_only_records_of_s3_make_a_notification() -> None:
    assert is_notification(payload("s3-notification"))
    assert not is_notification({"Records": []})
    assert not is_notification({"Records": [record(), {"eventSource": "aws:sqs"}]})
    assert not is_notification({"Records": "x"})


def test_the_test_event_is_known_by_its_service() -> None:
    assert is_test_event(payload("s3-test-event"))
    assert not is_test_event({"Event": "s3:TestEvent"})
