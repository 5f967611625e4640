"""DynamoDB items as plain mappings: the attribute types, times and large texts that the three tables use."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Value = str | int | bool | bytes
Item = dict[str, Any]

# An item has at most 400 KB, names and keys included (DynamoDB's quota): larger data goes into chunks.
MAX_CHUNK_BYTES = 350 * 1024
MAX_ITEM_BYTES = 390 * 1024
# A partition key has at most 2,048 bytes, a sort key 1,024; longer texts are packed above this size.
MAX_PLAIN_BYTES = 64 * 1024

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_item(fields: Mapping[str, Value | None]) -> Item:
    """The item as DynamoDB's API writes it; fields that are None are left out.

    Lone surrogates, which UTF-8 cannot carry, become question marks.
    """
    return {name: attribute(value) for name, value in fields.items() if value is not None}


def attribute(value: Value) -> dict[str, Any]:
    """One attribute value: a string S, a number N, a boolean BOOL or bytes B."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    return {"S": value.encode(errors="replace").decode()}


def from_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of an item that ``to_item`` made."""
    return {name: int(held["N"]) if "N" in held else next(iter(held.values())) for name, held in item.items()}


def pages_of(operation: Callable[..., Any], **request: Any) -> Iterator[dict[str, Any]]:
    """The fields of all items that a Query or Scan finds; a page is asked for when the one before is used up."""
    page: dict[str, Any] = {}
    while True:
        answer = operation(**request, **page)
        yield from map(from_item, answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def size_of(item: Mapping[str, Mapping[str, Any]]) -> int:
    """About how many bytes DynamoDB counts for an item."""
    total = 0
    for name, held in item.items():
        value = next(iter(held.values()))
        total += len(name) + (len(value) if isinstance(value, bytes) else len(str(value).encode(errors="replace")))
    return total


def pack(text: str) -> str | bytes:
    """A text as it is while it is small, so that it can be read in the console; compressed when it is large."""
    data = text.encode()
    return text if len(data) <= MAX_PLAIN_BYTES else zlib.compress(data)


def unpack(packed: str | bytes) -> str:
    """The text that was packed."""
    return packed if isinstance(packed, str) else zlib.decompress(packed).decode()


def chunks_of(data: bytes) -> list[bytes]:
    """The data in parts that fit into items, in order; at least one."""
    return [data[start : start + MAX_CHUNK_BYTES] for start in range(0, len(data), MAX_CHUNK_BYTES)] or [b""]


def stamp(moment: datetime) -> str:
    """A time as text that sorts as time does: UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The time that was stamped."""
    return datetime.fromisoformat(text)


def expiry(moment_: datetime) -> int:
    """Epoch seconds, as DynamoDB's time to live wants them."""
    return int(moment_.timestamp())
