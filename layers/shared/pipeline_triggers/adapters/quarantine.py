"""The quarantine table in DynamoDB: implements the port ``Quarantine``.

The body, the attributes and the decisions are compressed together: into the item itself when they fit, else into
chunks, which carry a mark of their own so that two writers of the same id never mix.
"""

from __future__ import annotations

import base64
import heapq
import json
import uuid
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from pipeline_triggers.adapters.failures import translated
from pipeline_triggers.adapters.items import (
    MAX_CHUNK_BYTES,
    attribute,
    chunks_of,
    expiry,
    moment,
    pack,
    pages_of,
    stamp,
    to_item,
    unpack,
)
from pipeline_triggers.domain.decisions import PermanentReason, TransientReason
from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.adapters.items import Value
    from pipeline_triggers.domain.ports import Clock

RETENTION = timedelta(days=90)
REASONS: tuple[str, ...] = (*get_args(PermanentReason), *get_args(TransientReason))
MAX_MESSAGE = 2000
# Reading a page of the index should not read the bodies too.
HEADERS = "pk, reason, source_queue, received_at, triggers, message, expires_at"


class DynamoQuarantine:
    """The events in the table ``<stack>-quarantine``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str, clock: Clock) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock

    def put(self, item: Quarantined) -> None:
        """Keep an item; the same id again replaces it. Raises ValueError for a reason that ``decisions`` lacks."""
        if item.reason not in REASONS:
            raise ValueError(f"{item.reason!r} is no reason of a decision")
        whole = {"body": item.body, "decisions": list(item.decisions), "attributes": _to_json(item.attributes)}
        kept = zlib.compress(canonical(whole).encode())
        triggers = pack(canonical(list(item.triggers)))
        fits = len(kept) + len(triggers) <= MAX_CHUNK_BYTES
        mark = "" if fits else uuid.uuid4().hex
        expires_at = expiry(self._clock.now() + RETENTION)
        header: dict[str, Value | None] = {
            "pk": item.id,
            "sk": "-",
            "reason": item.reason,
            "source_queue": item.source_queue,
            "received_at": stamp(item.received_at),
            "triggers": triggers,
            "message": item.message[:MAX_MESSAGE],
            "mark": mark,
            "data": kept if fits else None,
            "expires_at": expires_at,
        }
        with translated("unavailable"):
            for number, chunk in enumerate([] if fits else chunks_of(kept)):
                fields: dict[str, Value | None] = {
                    "pk": item.id,
                    "sk": _chunk(mark, number),
                    "data": chunk,
                    "expires_at": expires_at,
                }
                self._clients.dynamodb.put_item(TableName=self._table, Item=to_item(fields))
            self._clients.dynamodb.put_item(TableName=self._table, Item=to_item(header))

    def list(self, reason: str | None = None) -> Iterator[Quarantined]:
        """The items without bodies, attributes and decisions, newest first, of one reason or of all.

        They come from an index: what was written in the last second or so may be missing.
        """
        wanted = REASONS if reason is None else (reason,)
        return heapq.merge(*map(self._of_reason, wanted), key=lambda item: item.received_at, reverse=True)

    def get(self, id: str) -> Quarantined:  # noqa: A002 - the field's word
        """One item with its body, attributes and decisions. NotFoundError when there is none."""
        with translated("unavailable"):
            held = {fields["sk"]: fields for fields in self._items_of(id)}
        header = held.get("-")
        if header is None or header["expires_at"] <= expiry(self._clock.now()):
            raise NotFoundError(f"there is nothing in quarantine with the id {id}")
        chunks = sorted(key for key in held if header["mark"] and key.startswith(_chunk(header["mark"])))
        data = header.get("data") or b"".join(held[key]["data"] for key in chunks)
        kept = json.loads(zlib.decompress(data))
        return replace(
            _item_of(header),
            body=kept["body"],
            decisions=tuple(kept["decisions"]),
            attributes=_from_json(kept["attributes"]),
        )

    def drop(self, id: str) -> None:  # noqa: A002 - the field's word
        """Delete an item; one that is not there is fine."""
        with translated("unavailable"):
            # The item itself goes last: while it is there, the chunks can be found again.
            for fields in sorted(self._items_of(id, "pk, sk"), key=lambda fields: str(fields["sk"]), reverse=True):
                key = to_item({"pk": id, "sk": fields["sk"]})
                self._clients.dynamodb.delete_item(TableName=self._table, Key=key)

    def _items_of(self, id_: str, projection: str | None = None) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": attribute(id_)},
            "ConsistentRead": True,
        }
        return self._query(query | ({"ProjectionExpression": projection} if projection else {}))

    def _of_reason(self, reason: str) -> Iterator[Quarantined]:
        query = {
            "IndexName": "by_reason",
            "KeyConditionExpression": "reason = :reason",
            "ExpressionAttributeValues": {":reason": attribute(reason)},
            "ProjectionExpression": HEADERS,
            "ScanIndexForward": False,
        }
        now = expiry(self._clock.now())
        with translated("unavailable"):
            for fields in self._query(query):
                if fields["expires_at"] > now:
                    yield _item_of(fields)

    def _query(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return pages_of(self._clients.dynamodb.query, TableName=self._table, **query)


def _item_of(fields: dict[str, Any]) -> Quarantined:
    return Quarantined(
        id=fields["pk"],
        reason=fields["reason"],
        source_queue=fields["source_queue"],
        received_at=moment(fields["received_at"]),
        body="",
        triggers=tuple(json.loads(unpack(fields["triggers"]))),
        message=fields["message"],
    )


def _to_json(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Attributes of a message, with their bytes in base64."""
    return {
        name: {key: base64.b64encode(it).decode() if isinstance(it, bytes) else it for key, it in attribute.items()}
        for name, attribute in attributes.items()
    }


def _from_json(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: base64.b64decode(it) if key == "BinaryValue" else it for key, it in attribute.items()}
        for name, attribute in attributes.items()
    }


def _chunk(mark: str, number: int | None = None) -> str:
    return f"chunk#{mark}#" if number is None else f"chunk#{mark}#{number:04d}"
