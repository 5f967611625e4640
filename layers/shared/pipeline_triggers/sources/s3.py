"""S3 event notifications → EventBridge's S3 events.

A record of a notification says what EventBridge's ``aws.s3`` event says, under other names; after this one pattern
serves both routes, and both give one occurrence key. The shapes are those of the S3 user guide: "Event message
structure" and "Supported event types" for notifications, "EventBridge event message structure" for events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from pipeline_triggers.domain.events import Event, Via, derived_id, lookup
from pipeline_triggers.errors import MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT_SOURCE = "aws:s3"
MAJOR_VERSION = "2"

_DELETED = "Object Deleted"
_MARKER, _PERMANENT = "Delete Marker Created", "Permanently Deleted"

# eventName → EventBridge's detail-type and what its detail says about the way it happened.
_EVENT_NAMES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
    "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
    "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "ObjectRemoved:Delete": (_DELETED, {"reason": "DeleteObject", "deletion-type": _PERMANENT}),
    "ObjectRemoved:DeleteMarkerCreated": (_DELETED, {"reason": "DeleteObject", "deletion-type": _MARKER}),
    "LifecycleExpiration:Delete": (_DELETED, {"reason": "Lifecycle Expiration", "deletion-type": _PERMANENT}),
    "LifecycleExpiration:DeleteMarkerCreated": (_DELETED, {"reason": "Lifecycle Expiration", "deletion-type": _MARKER}),
    "ObjectRestore:Post": ("Object Restore Initiated", {}),
    "ObjectRestore:Completed": ("Object Restore Completed", {}),
    "ObjectRestore:Delete": ("Object Restore Expired", {}),
    "ObjectTagging:Put": ("Object Tags Added", {}),
    "ObjectTagging:Delete": ("Object Tags Deleted", {}),
    "ObjectAcl:Put": ("Object ACL Updated", {}),
    "LifecycleTransition": ("Object Storage Class Changed", {}),
    "IntelligentTiering": ("Object Access Tier Changed", {}),
}
# For members of a family that S3 may add.
_FAMILIES = {"ObjectCreated": "Object Created", "ObjectRemoved": _DELETED, "LifecycleExpiration": _DELETED}

# EventBridge's name → where the notification's record has the value.
_OBJECT_FIELDS = {"size": "size", "etag": "eTag", "version-id": "versionId", "sequencer": "sequencer"}
_DETAIL_FIELDS = {
    "request-id": ("responseElements", "x-amz-request-id"),
    "requester": ("userIdentity", "principalId"),
    "source-ip-address": ("requestParameters", "sourceIPAddress"),
    "restore-expiry-time": ("glacierEventData", "restoreEventData", "lifecycleRestorationExpiryTime"),
    "source-storage-class": ("glacierEventData", "restoreEventData", "lifecycleRestoreStorageClass"),
    "destination-storage-class": ("lifecycleEventData", "transitionEventData", "destinationStorageClass"),
    "destination-access-tier": ("intelligentTieringEventData", "destinationAccessTier"),
}


def is_test_event(document: Mapping[str, Any]) -> bool:
    """Whether this is what S3 sends once when a notification is configured: it reports nothing."""
    return document.get("Event") == "s3:TestEvent" and document.get("Service") == "Amazon S3"


def is_notification(document: Mapping[str, Any]) -> bool:
    """Whether all its records are S3's; S3 sends no others."""
    records = document.get("Records")
    return (
        isinstance(records, list) and bool(records) and all(lookup(it, "eventSource") == EVENT_SOURCE for it in records)
    )


def event_of(record: Mapping[str, Any], via: tuple[Via, ...] = ()) -> Event:
    """The EventBridge event of one record of a notification.

    The key is decoded once, as form fields are (``red+flower.jpg`` is ``red flower.jpg``). ``account`` is empty: a
    record names no account, and the queue's or topic's need not be the bucket's. ``requester`` is the principal id,
    where EventBridge gives the account. Event names that EventBridge does not report (replication, lost objects) are
    the detail-type themselves. The id depends on the record alone, so that a redelivery has it too. The record itself,
    with all that has no name in EventBridge, is ``detail.notification``.

    Raises MalformedEventError for another major version, and for a record without event name, bucket or key.
    """
    _check_version(record)
    detail_type, circumstances = _meaning(_required(record, "eventName"))
    bucket = _required(record, "s3", "bucket", "name")
    key = _decoded(_required(record, "s3", "object", "key"))
    arn, region, time = (lookup(record, *path) for path in (("s3", "bucket", "arn"), ("awsRegion",), ("eventTime",)))
    detail = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, **_present(record, {name: ("s3", "object", at) for name, at in _OBJECT_FIELDS.items()})},
        **_present(record, _DETAIL_FIELDS),
        **circumstances,
        "notification": record,
    }
    envelope = {
        "version": "0",
        "id": derived_id(record),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": "",
        "time": time if isinstance(time, str) else "",
        "region": region if isinstance(region, str) else "",
        "resources": [arn if isinstance(arn, str) else f"arn:aws:s3:::{bucket}"],
        "detail": detail,
    }
    return Event.from_envelope(envelope, via)


def _check_version(record: Mapping[str, Any]) -> None:
    version = record.get("eventVersion")
    if not isinstance(version, str) or version.split(".")[0] != MAJOR_VERSION:
        raise MalformedEventError(f"an S3 notification of version {version!r:.40}; versions {MAJOR_VERSION}.x are read")


def _meaning(event_name: str) -> tuple[str, Mapping[str, str]]:
    name = event_name.removeprefix("s3:")
    if known := _EVENT_NAMES.get(name):
        return known
    return _FAMILIES.get(name.split(":")[0], name), {}


def _required(record: Mapping[str, Any], *names: str) -> str:
    value = lookup(record, *names)
    if isinstance(value, str) and value:
        return value
    raise MalformedEventError(f"an S3 notification whose {'.'.join(names)} is missing, empty or no text")


def _decoded(key: str) -> str:
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        raise MalformedEventError(f"an S3 notification whose key is not URL-encoded UTF-8: {key!r:.100}") from None


def _present(record: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    found = {name: lookup(record, *path) for name, path in fields.items()}
    return {name: value for name, value in found.items() if value is not None}
