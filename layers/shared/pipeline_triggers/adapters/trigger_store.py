"""The trigger table in DynamoDB: implements the port ``TriggerStore``.

A revision is written in two steps: its data, in chunks that carry a mark of their own (so that two writers of the same
revision never mix), and then in one transaction the revision's entry, which names the mark, with the pointer to it. A
revision therefore exists if and only if it was current once; what a writer leaves behind that lost or died is
never read.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, translated
from pipeline_triggers.adapters.items import attribute, chunks_of, from_item, moment, pages_of, stamp, to_item
from pipeline_triggers.adapters.orphan_marks import KEY as MARKS
from pipeline_triggers.adapters.orphan_marks import marks_in
from pipeline_triggers.domain.revisions import Current, RevisionInfo
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import NotFoundError, PipelineTriggersError, StaleRevisionError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.domain.ports import Clock

POINTER = {"pk": "current", "sk": "-"}
# BatchGetItem answers at most 100 items.
BATCH = 100


class DynamoTriggerStore:
    """The triggers in the table ``<stack>-triggers``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str, clock: Clock) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock

    def revision(self) -> int:
        """The current revision: one consistent read; 0 when nothing was ever written."""
        with translated("unavailable"):
            pointer = self._read(POINTER)
        return int(pointer["revision"]) if pointer else 0

    def current(self) -> Current:
        """The current revision and what is marked as orphaned, in one round trip of consistent reads."""
        with translated("unavailable"):
            items = {item["pk"]["S"]: item for item in self._items([POINTER, MARKS], ConsistentRead=True)}
        pointer, marks = items.get(POINTER["pk"]), items.get(MARKS["pk"], {})
        return Current(from_item(pointer)["revision"] if pointer else 0, marks_in(marks))

    def load(self, revision: int | None = None) -> Snapshot:
        """One revision (default: the current one). NotFoundError when there is none of that number.

        Raises TransientError("unavailable") when the data is damaged, or in a form that this version of the program
        does not know: the events wait in their queue until somebody rolls back or updates the stack.
        """
        number = self.revision() if revision is None else revision
        if number == 0:
            return Snapshot(0, ())
        with translated("unavailable"):
            entry = self._read(_entry_key(number))
            if entry is None:
                raise NotFoundError(f"there is no revision {number} of the triggers")
            data = b"".join(self._chunks(number, entry["mark"]))
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise TransientError(
                "unavailable", f"revision {number} of the triggers is damaged: roll back to another one"
            )
        try:
            return Snapshot.from_json(zlib.decompress(data).decode(), number)
        except PipelineTriggersError as error:
            told = f"revision {number} of the triggers cannot be read by this version of the program ({error})"
            raise TransientError("unavailable", f"{told}: update the stack or roll back") from error

    def revisions(self) -> Sequence[RevisionInfo]:
        """What revisions there are, newest first."""
        current = self.revision()
        entries: list[dict[str, Any]] = []
        for newest in range(current, 0, -BATCH):
            entries += self._entries(range(newest, max(0, newest - BATCH), -1))
        return [
            RevisionInfo(
                revision=entry["revision"],
                at=moment(entry["at"]),
                by=entry["by"],
                triggers=entry["triggers"],
                current=entry["revision"] == current,
            )
            for entry in sorted(entries, key=lambda entry: int(entry["revision"]), reverse=True)
        ]

    def write(self, snapshot: Snapshot, *, expected_revision: int, by: str) -> int:
        """Write the triggers as revision ``expected_revision`` + 1 and make it current.

        Raises StaleRevisionError when the current revision is not ``expected_revision`` any more. After a
        TransientError with ``acted`` the revision may have been written: read again.
        """
        if self.revision() != expected_revision:
            raise _stale(expected_revision)
        number = expected_revision + 1
        mark = uuid.uuid4().hex
        data = zlib.compress(snapshot.to_json().encode())
        with translated("unavailable"):
            for sort_key, chunk in zip(_chunk_keys(mark, data), chunks_of(data), strict=True):
                item = to_item({"pk": f"revision#{number}", "sk": sort_key, "data": chunk})
                self._clients.dynamodb.put_item(TableName=self._table, Item=item)
            entry = {
                "revision": number,
                "at": stamp(self._clock.now()),
                "by": by,
                "triggers": len(snapshot.triggers),
                "mark": mark,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            try:
                self._make_current(entry, expected_revision)
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                if not self._is_mine(number, mark):
                    self._remove_chunks(number, mark, data)
                    raise _stale(expected_revision) from error
        return number

    def _make_current(self, entry: Mapping[str, Any], expected_revision: int) -> None:
        """The revision's entry and the pointer, both or neither."""
        pointer = {**POINTER, "revision": entry["revision"], "at": entry["at"], "by": entry["by"]}
        unchanged: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if expected_revision > 0:
            unchanged = {
                "ConditionExpression": "revision = :expected",
                "ExpressionAttributeValues": {":expected": attribute(expected_revision)},
            }
        new = {"ConditionExpression": "attribute_not_exists(pk)"}
        puts: Any = [
            {"Put": {"TableName": self._table, "Item": to_item({**_entry_key(entry["revision"]), **entry}), **new}},
            {"Put": {"TableName": self._table, "Item": to_item(pointer), **unchanged}},
        ]
        self._clients.dynamodb.transact_write_items(TransactItems=puts)

    def _is_mine(self, number: int, mark: str) -> bool:
        """Whether the revision is the one that this writer made, though its first answer was lost."""
        entry = self._read(_entry_key(number))
        return entry is not None and entry["mark"] == mark

    def _remove_chunks(self, number: int, mark: str, data: bytes) -> None:
        for sort_key in _chunk_keys(mark, data):
            key = to_item({"pk": f"revision#{number}", "sk": sort_key})
            self._clients.dynamodb.delete_item(TableName=self._table, Key=key)

    def _read(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        answer = self._clients.dynamodb.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def _chunks(self, number: int, mark: str) -> Iterator[bytes]:
        found = pages_of(
            self._clients.dynamodb.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :mark)",
            ExpressionAttributeValues={
                ":pk": attribute(f"revision#{number}"),
                ":mark": attribute(f"chunk#{mark}#"),
            },
            ConsistentRead=True,
        )
        return (bytes(fields["data"]) for fields in found)

    def _entries(self, numbers: range) -> Iterator[dict[str, Any]]:
        with translated("unavailable"):
            yield from map(from_item, self._items([_entry_key(number) for number in numbers]))

    def _items(self, keys: Sequence[Mapping[str, str]], **options: Any) -> Iterator[Mapping[str, Any]]:
        """Up to 100 items in one call, or in more when DynamoDB leaves some for later."""
        wanted: Any = {self._table: {"Keys": [to_item(key) for key in keys], **options}}
        while wanted:
            answer = self._clients.dynamodb.batch_get_item(RequestItems=wanted)
            if "Responses" not in answer:
                raise TransientError("unavailable", "an answer of DynamoDB without the items that were asked for")
            yield from answer["Responses"].get(self._table, [])
            wanted = answer.get("UnprocessedKeys")


def _entry_key(number: int) -> dict[str, str]:
    return {"pk": f"revision#{number}", "sk": "-"}


def _chunk_keys(mark: str, data: bytes) -> list[str]:
    return [f"chunk#{mark}#{number:04d}" for number in range(len(chunks_of(data)))]


def _stale(expected_revision: int) -> StaleRevisionError:
    told = f"the triggers are not at revision {expected_revision} any more: somebody else changed them"
    return StaleRevisionError(f"{told}. Read them again and repeat")
