"""What was connected to the stack, in its trigger table: implements the port ``Connections``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from pipeline_triggers.adapters.failures import translated
from pipeline_triggers.adapters.items import from_item, moment, stamp, to_item
from pipeline_triggers.domain.connections import Connected

if TYPE_CHECKING:
    from pipeline_triggers.adapters.clients import Clients

# The items have this partition key; their sort key says what was connected: bucket#raw-data.
CONNECTED = "connected"


class DynamoConnections:
    """What ``connect`` did, in the table ``<stack>-triggers``."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    def get(self, kind: Literal["bucket", "topic"], name: str) -> Connected | None:
        """What is known about a bucket, by name, or a topic, by ARN; None when ``connect`` did nothing to it."""
        with translated():
            answer = self._clients.dynamodb.get_item(
                TableName=self._table, Key=to_item(_key(kind, name)), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        return Connected(
            kind=kind,
            name=name,
            by=item["by"],
            at=moment(item["at"]),
            subscription_arn=item.get("subscription_arn", ""),
            before=json.loads(item["before"]),
        )

    def put(self, connected: Connected) -> None:
        """Remember what was done."""
        item = {
            **_key(connected.kind, connected.name),
            "by": connected.by,
            "at": stamp(connected.at),
            "subscription_arn": connected.subscription_arn,
            "before": json.dumps(connected.before),
        }
        with translated():
            self._clients.dynamodb.put_item(TableName=self._table, Item=to_item(item))

    def forget(self, kind: Literal["bucket", "topic"], name: str) -> None:
        """It was undone; what is not known is fine."""
        with translated():
            self._clients.dynamodb.delete_item(TableName=self._table, Key=to_item(_key(kind, name)))


def _key(kind: str, name: str) -> dict[str, str]:
    return {"pk": CONNECTED, "sk": f"{kind}#{name}"}
