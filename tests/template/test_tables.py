"""The tables: keys, indexes and what keeps their content safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.template.rendering import Rendered

TABLES = {
    "TriggersTable": "pt-triggers",
    "LedgerTable": "pt-ledger",
    "QuarantineTable": "pt-quarantine",
    "CleanupTable": "pt-cleanup",
}
ALL = {"ProjectionType": "ALL"}
# Each index with its keys and what it holds of an item.
INDEXES: dict[str, dict[str, tuple[list[str], dict[str, Any]]]] = {
    "TriggersTable": {},
    "LedgerTable": {
        "by_trigger": (["trigger", "at"], ALL),
        "by_event": (["event_id", "at"], ALL),
        "by_execution": (["execution_arn"], ALL),
        "by_state": (["state", "at"], ALL),
    },
    "QuarantineTable": {
        "by_reason": (
            ["reason", "received_at"],
            # Everything but the body and the decisions, which are large.
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["source_queue", "triggers", "message", "expires_at"]},
        ),
    },
    "CleanupTable": {},
}


def _keys(schema: list[Mapping[str, str]]) -> list[str]:
    assert [key["KeyType"] for key in schema] == ["HASH", "RANGE"][: len(schema)]
    return [key["AttributeName"] for key in schema]


def test_the_tables_are_those_of_the_contract(stack: Rendered) -> None:
    names = {name: table["TableName"] for name, table in stack.of_type("AWS::DynamoDB::Table").items()}
    assert names == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_generic_keys(table: str, stack: Rendered) -> None:
    assert _keys(stack.properties(table)["KeySchema"]) == ["pk", "sk"]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_all_its_indexes(table: str, stack: Rendered) -> None:
    indexes = stack.properties(table).get("GlobalSecondaryIndexes", [])
    assert {index["IndexName"]: (_keys(index["KeySchema"]), index["Projection"]) for index in indexes} == INDEXES[table]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_declares_the_attributes_of_its_keys_as_strings_and_no_others(table: str, stack: Rendered) -> None:
    declared = stack.properties(table)["AttributeDefinitions"]
    keys = {"pk", "sk"}.union(*(keys for keys, _ in INDEXES[table].values()))
    assert {attribute["AttributeName"]: attribute["AttributeType"] for attribute in declared} == dict.fromkeys(
        keys, "S"
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_table_forgets_by_expires_at_is_paid_by_use_backed_up_and_encrypted(table: str, stack: Rendered) -> None:
    properties = stack.properties(table)
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_outlives_the_stack_unless_creating_the_stack_failed(table: str, stack: Rendered) -> None:
    assert stack.resources[table]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack.resources[table]["UpdateReplacePolicy"] == "Retain"


def test_deletion_protection_follows_its_parameter(empty: Rendered, filled: Rendered) -> None:
    for table in TABLES:
        assert empty.properties(table)["DeletionProtectionEnabled"] == "false"
        assert filled.properties(table)["DeletionProtectionEnabled"] == "true"
