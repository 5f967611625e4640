"""The tables of template.yaml, made in moto."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from pipeline_triggers.adapters.clients import Clients

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
LOGICAL_IDS = {
    "triggers": "TriggersTable",
    "ledger": "LedgerTable",
    "quarantine": "QuarantineTable",
    "cleanup": "CleanupTable",
}
KEYS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_table(clients: Clients, name: str) -> str:
    """Make the table ``<stack>-<name>`` of a stack called ``test``, keys and indexes as declared; returns its name."""
    declared = _resources()[LOGICAL_IDS[name]]["Properties"]
    assert declared["TableName"] == {"Fn::Sub": "${AWS::StackName}-" + name}
    wanted: Any = {key: declared[key] for key in KEYS if key in declared}
    clients.dynamodb.create_table(TableName=f"test-{name}", **wanted)
    return f"test-{name}"


@lru_cache(maxsize=1)
def _resources() -> dict[str, Any]:
    resources: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
    return resources
