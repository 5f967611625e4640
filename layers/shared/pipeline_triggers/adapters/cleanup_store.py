"""The clean-up table in DynamoDB: implements the port ``CleanupStore``.

    deleted#PIPELINE_ARN   | AT#ARN         {kind, schedule_arn, deleted_at, modified_at, definition, expires_at}
    orphan#ARN             | -              {pipelines, first_seen, modified_at, run, protected}
    schedules#PIPELINE_ARN | GROUP/NAME     {expires_at}
    sweep                  | position       {mark, position}

A definition is found under the time when its schedule was last changed: however often a delete is repeated, it is
kept once, and a schedule that was made again and deleted again is kept twice.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, translated
from pipeline_triggers.adapters.items import (
    attribute,
    expiry,
    from_item,
    moment,
    pack,
    pages_of,
    stamp,
    to_item,
    unpack,
)
from pipeline_triggers.domain.cleanup_records import Indexed, KeptDefinition
from pipeline_triggers.domain.executions import canonical
from pipeline_triggers.domain.orphans import Orphan
from pipeline_triggers.domain.sweeps import Position
from pipeline_triggers.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.adapters.items import Item
    from pipeline_triggers.domain.ports import Clock

RETENTION = timedelta(days=90)
# What the index has seen no more for so long is forgotten; it is noted again when half of the time is over.
INDEXED_FOR = timedelta(days=30)
DELETED, ORPHAN, SCHEDULES = "deleted#", "orphan#", "schedules#"
POSITION = {"pk": "sweep", "sk": "position"}
# BatchWriteItem takes at most 25 requests, BatchGetItem at most 100 keys.
WRITES, READS = 25, 100
# DynamoDB may take only a part of a batch; the rest is sent again, each time after twice the pause.
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.05


class DynamoCleanupStore:
    """The table ``<stack>-cleanup``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str, clock: Clock) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock

    def keep(self, definition: KeptDefinition) -> None:
        """Keep what is going to be deleted; the same state of the same schedule again changes only the time."""
        at = definition.modified_at or definition.deleted_at
        item = to_item(
            {
                "pk": f"{DELETED}{definition.pipeline_arn.casefold()}",
                "sk": f"{stamp(at)}#{definition.arn}",
                "kind": definition.kind,
                "schedule_arn": definition.arn if definition.kind == "schedule" else None,
                "deleted_at": stamp(definition.deleted_at),
                "modified_at": stamp(definition.modified_at) if definition.modified_at else None,
                "definition": pack(canonical(definition.document)),
                "expires_at": expiry(definition.deleted_at + RETENTION),
            },
        )
        with translated("unavailable"):
            self._clients.dynamodb.put_item(TableName=self._table, Item=item)

    def kept(self, pipeline_arn: str | None = None, since: datetime | None = None) -> Iterator[KeptDefinition]:
        """What was kept since then: of one pipeline, in any case of letters, newest first; else of all, in no order."""
        items = self._query(f"{DELETED}{pipeline_arn.casefold()}") if pipeline_arn else self._scan(DELETED)
        now = expiry(self._clock.now())
        found = (_kept(item) for item in items if item["expires_at"] > now)
        wanted = (each for each in found if since is None or each.deleted_at >= since)
        return iter(sorted(wanted, key=_deleted_at, reverse=True)) if pipeline_arn else wanted

    def orphans(self) -> Iterator[Orphan]:
        """All orphans that are remembered, asked for page by page, as they are taken."""
        return map(_orphan, self._scan(ORPHAN, ConsistentRead=True))

    def remembered(self, arns: Sequence[str]) -> Mapping[str, Orphan]:
        """Those of these schedules and targets that are remembered as orphans, by their ARN."""
        found = map(_orphan, self._get([_orphan_key(arn) for arn in arns]))
        return {orphan.arn: orphan for orphan in found}

    def remember(self, orphans: Sequence[Orphan]) -> None:
        """These were seen as orphans; what was remembered of them before is replaced."""
        self._put(
            {
                **_orphan_key(orphan.arn),
                "pipelines": " ".join(orphan.pipelines),
                "first_seen": stamp(orphan.first_seen),
                "modified_at": orphan.modified_at and stamp(orphan.modified_at),
                "run": orphan.run,
                "protected": orphan.protected,
            }
            for orphan in orphans
        )

    def forget(self, arns: Sequence[str]) -> None:
        """These are no orphans any more, or gone; one that is not remembered is fine."""
        self._write([{"DeleteRequest": {"Key": to_item(_orphan_key(arn))}} for arn in dict.fromkeys(arns)])

    def position(self) -> Position | None:
        """How far the latest sweep has come: one consistent read; None when there was none."""
        with translated("unavailable"):
            answer = self._clients.dynamodb.get_item(TableName=self._table, Key=to_item(POSITION), ConsistentRead=True)
        if "Item" not in answer:
            return None
        return Position.from_document(json.loads(unpack(from_item(answer["Item"])["position"])))

    def save(self, position: Position, *, replacing: Position | None) -> bool:
        """Save how far a sweep has come; False, and nothing is saved, when somebody saved after ``replacing``."""
        item = {**POSITION, "mark": position.mark, "position": pack(canonical(position.to_document()))}
        unchanged: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
        if replacing is not None:
            unchanged = {
                "ConditionExpression": "mark = :mark",
                "ExpressionAttributeValues": {":mark": attribute(replacing.mark)},
            }
        with translated("unavailable"):
            try:
                self._clients.dynamodb.put_item(TableName=self._table, Item=to_item(item), **unchanged)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                # The answer to a first attempt may have been lost.
                saved = self.position()
                return saved is not None and saved.mark == position.mark
        return True

    def index(self, schedules: Sequence[Indexed]) -> None:
        """Note whose schedules these are; what is noted already is not written again, until it is about to expire."""
        keys = {(f"{SCHEDULES}{it.pipeline_arn.casefold()}", f"{it.group}/{it.name}") for it in schedules}
        now = self._clock.now()
        due = expiry(now + INDEXED_FOR / 2)
        noted = self._get([{"pk": pk, "sk": sk} for pk, sk in sorted(keys)])
        fresh = {(item["pk"], item["sk"]) for item in noted if item["expires_at"] > due}
        expires_at = expiry(now + INDEXED_FOR)
        self._put({"pk": pk, "sk": sk, "expires_at": expires_at} for pk, sk in sorted(keys - fresh))

    def indexed(self, pipeline_arn: str) -> Iterator[Indexed]:
        """The schedules that were noted as one pipeline's, in any case of letters. They may have changed since."""
        folded = pipeline_arn.casefold()
        for item in self._query(f"{SCHEDULES}{folded}"):
            group, _, name = item["sk"].partition("/")
            yield Indexed(folded, group, name)

    def _scan(self, beginning: str, **how: Any) -> Iterator[dict[str, Any]]:
        """All items of a kind."""
        with translated("unavailable"):
            yield from pages_of(
                self._clients.dynamodb.scan,
                TableName=self._table,
                FilterExpression="begins_with(pk, :beginning)",
                ExpressionAttributeValues={":beginning": attribute(beginning)},
                **how,
            )

    def _query(self, pk: str) -> Iterator[dict[str, Any]]:
        """All items of a partition."""
        with translated("unavailable"):
            yield from pages_of(
                self._clients.dynamodb.query,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": attribute(pk)},
            )

    def _get(self, keys: Sequence[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
        """Those of these items that there are."""
        for first in range(0, len(keys), READS):
            wanted: Any = {self._table: {"Keys": [to_item(key) for key in keys[first : first + READS]]}}
            for attempt in range(ATTEMPTS):
                self._pause(attempt)
                with translated("unavailable"):
                    answer = self._clients.dynamodb.batch_get_item(RequestItems=wanted)
                yield from map(from_item, answer["Responses"].get(self._table, []))
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
            else:
                raise TransientError("unavailable", "DynamoDB did not read all of a batch")

    def _put(self, items: Iterable[Mapping[str, Any]]) -> None:
        self._write([{"PutRequest": {"Item": to_item(item)}} for item in items])

    def _write(self, requests: Sequence[Mapping[str, Mapping[str, Item]]]) -> None:
        for first in range(0, len(requests), WRITES):
            wanted: Any = {self._table: requests[first : first + WRITES]}
            for attempt in range(ATTEMPTS):
                self._pause(attempt)
                with translated("unavailable"):
                    answer = self._clients.dynamodb.batch_write_item(RequestItems=wanted)
                wanted = answer.get("UnprocessedItems")
                if not wanted:
                    break
            else:
                raise TransientError("unavailable", "DynamoDB did not write all of a batch")

    def _pause(self, attempt: int) -> None:
        if attempt:
            self._clock.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))


def _orphan_key(arn: str) -> dict[str, str]:
    return {"pk": f"{ORPHAN}{arn}", "sk": "-"}


def _orphan(item: Mapping[str, Any]) -> Orphan:
    """An orphan as it is stored; ``first_seen`` alone is enough."""
    return Orphan(
        arn=item["pk"].removeprefix(ORPHAN),
        pipelines=tuple(item.get("pipelines", "").split()),
        first_seen=moment(item["first_seen"]),
        modified_at=moment(item["modified_at"]) if "modified_at" in item else None,
        run=item.get("run", ""),
        protected=item.get("protected", False),
    )


def _kept(item: Mapping[str, Any]) -> KeptDefinition:
    return KeptDefinition(
        kind=item["kind"],
        arn=item["sk"].partition("#")[2],
        pipeline_arn=item["pk"].removeprefix(DELETED),
        document=json.loads(unpack(item["definition"])),
        deleted_at=moment(item["deleted_at"]),
        modified_at=moment(item["modified_at"]) if "modified_at" in item else None,
    )


def _deleted_at(definition: KeptDefinition) -> datetime:
    return definition.deleted_at
