"""The clean-up table in DynamoDB: implements the port ``CleanupStore``.

    deleted#PIPELINE_ARN | MODIFIED_AT#SCHEDULE_ARN   {schedule_arn, deleted_at, definition, expires_at}
    orphan#SCHEDULE_ARN  | -                          {first_seen}

A definition is found under the time when its schedule was last changed: however often a delete is repeated, it is
kept once, and a schedule that was made again and deleted again is kept twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline_triggers.adapters.failures import translated
from pipeline_triggers.adapters.items import attribute, expiry, from_item, moment, pack, stamp, to_item
from pipeline_triggers.domain.executions import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.domain.ports import Clock, ScheduleDefinition

RETENTION = timedelta(days=90)
ORPHAN = "orphan#"


class DynamoCleanupStore:
    """The table ``<stack>-cleanup``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str, clock: Clock) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock

    def keep(self, pipeline_arn: str, definition: ScheduleDefinition) -> None:
        """Keep the definition of a schedule that is going to be deleted; the same again changes only the time."""
        now = self._clock.now()
        item = to_item(
            {
                "pk": f"deleted#{pipeline_arn.casefold()}",
                "sk": f"{stamp(definition.modified_at)}#{definition.arn}",
                "schedule_arn": definition.arn,
                "deleted_at": stamp(now),
                "definition": pack(canonical(definition.document)),
                "expires_at": expiry(now + RETENTION),
            },
        )
        with translated("unavailable"):
            self._clients.dynamodb.put_item(TableName=self._table, Item=item)

    def orphans(self) -> Mapping[str, datetime]:
        """When each schedule that is remembered as an orphan was first seen as one, by its ARN."""
        found: dict[str, datetime] = {}
        page: dict[str, Any] = {}
        while True:
            with translated("unavailable"):
                answer = self._clients.dynamodb.scan(
                    TableName=self._table,
                    FilterExpression="begins_with(pk, :orphan)",
                    ExpressionAttributeValues={":orphan": attribute(ORPHAN)},
                    ProjectionExpression="pk, first_seen",
                    ConsistentRead=True,
                    **page,
                )
            for fields in map(from_item, answer["Items"]):
                found[fields["pk"].removeprefix(ORPHAN)] = moment(fields["first_seen"])
            if "LastEvaluatedKey" not in answer:
                return found
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def remember(self, schedule_arn: str, first_seen: datetime) -> None:
        """A schedule was seen as an orphan for the first time."""
        item = to_item({**_key(schedule_arn), "first_seen": stamp(first_seen)})
        with translated("unavailable"):
            self._clients.dynamodb.put_item(TableName=self._table, Item=item)

    def forget(self, schedule_arn: str) -> None:
        """A schedule is no orphan any more, or gone; one that is not remembered is fine."""
        with translated("unavailable"):
            self._clients.dynamodb.delete_item(TableName=self._table, Key=to_item(_key(schedule_arn)))


def _key(schedule_arn: str) -> dict[str, str]:
    return {"pk": f"{ORPHAN}{schedule_arn}", "sk": "-"}
