"""The tables of design contracts, made in moto: keys, and the indexes that the adapters read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline_triggers.adapters.clients import Clients

INDEXES: dict[str, dict[str, tuple[str, ...]]] = {
    "ledger": {
        "by_trigger": ("trigger", "at"),
        "by_event": ("event_id", "at"),
        "by_execution": ("execution_arn",),
        "by_state": ("state", "at"),
    },
    "quarantine": {"by_reason": ("reason", "received_at")},
    "triggers": {},
}


def create_table(clients: Clients, name: str) -> str:
    """Make the table ``<stack>-<name>`` of a stack called ``test`` and return its name."""
    indexes = INDEXES[name]
    attributes = {"pk", "sk", *(key for keys in indexes.values() for key in keys)}
    more: dict[str, Any] = {}
    if indexes:
        more["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _schema(keys), "Projection": {"ProjectionType": "ALL"}}
            for index, keys in indexes.items()
        ]
    clients.dynamodb.create_table(
        TableName=f"test-{name}",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
        KeySchema=_schema(("pk", "sk")),
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    return f"test-{name}"


def _schema(keys: tuple[str, ...]) -> Any:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
