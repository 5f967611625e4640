"""Which pipelines would refuse what triggers send, in the table of triggers: implements the port ``ContractMarks``.

    broken | CASEFOLDED PIPELINE ARN    {since, definition}

Each mark is an item of its own, because definitions may be large. Only the clean-up's function writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.adapters.failures import translated
from pipeline_triggers.adapters.items import attribute, moment, pack, pages_of, stamp, to_item, unpack
from pipeline_triggers.domain.contracts import BrokenPipeline
from pipeline_triggers.domain.definitions import Definition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.adapters.items import Item

PARTITION = "broken"


class DynamoContractMarks:
    """The marks in the table ``<stack>-triggers``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    def broken(self) -> Sequence[BrokenPipeline]:
        """Those that are marked, in the order of their ARNs."""
        with translated("unavailable"):
            found = pages_of(
                self._clients.dynamodb.query,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": attribute(PARTITION)},
                ConsistentRead=True,
            )
            return [_broken(fields) for fields in found]

    def mark(self, pipeline_arn: str, definition: Definition, since: datetime) -> None:
        """Mark a pipeline; one that is marked already keeps its time and gets the definition."""
        with translated("unavailable"):
            self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=_key(pipeline_arn),
                UpdateExpression="SET #since = if_not_exists(#since, :since), #definition = :definition",
                ExpressionAttributeNames={"#since": "since", "#definition": "definition"},
                ExpressionAttributeValues={
                    ":since": attribute(stamp(since)),
                    ":definition": attribute(pack(definition.to_json())),
                },
            )

    def mend(self, pipeline_arn: str) -> bool:
        """Take a mark away; whether there was one."""
        with translated("unavailable"):
            answer = self._clients.dynamodb.delete_item(
                TableName=self._table, Key=_key(pipeline_arn), ReturnValues="ALL_OLD"
            )
        return bool(answer.get("Attributes"))


def _key(pipeline_arn: str) -> Item:
    return to_item({"pk": PARTITION, "sk": pipeline_arn.casefold()})


def _broken(fields: dict[str, Any]) -> BrokenPipeline:
    return BrokenPipeline(fields["sk"], Definition.parse(unpack(fields["definition"])), moment(fields["since"]))
