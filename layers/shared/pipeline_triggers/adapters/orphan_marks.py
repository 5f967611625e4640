"""Which pipelines of the triggers are gone, in the table of triggers: implements the port ``OrphanMarks``.

    orphaned | -    {CASEFOLDED PIPELINE ARN: since, ...}

It is one item, so that whoever starts pipelines reads it together with the pointer to the current revision. Each mark
is an attribute of its own: two clean-ups at once do not undo each other's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline_triggers.adapters.failures import translated
from pipeline_triggers.adapters.items import attribute, from_item, moment, stamp, to_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pipeline_triggers.adapters.clients import Clients

KEY = {"pk": "orphaned", "sk": "-"}
# More are not marked, so that the item stays small, which every message may read. What is not marked only waits longer
# before its events are refused.
MAX_MARKS = 500
# An update expression has at most 4 KB (DynamoDB's quota).
BATCH = 50


class DynamoOrphanMarks:
    """The marks in the table ``<stack>-triggers``. Every failure of DynamoDB is TransientError("unavailable")."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    def marked(self) -> Mapping[str, datetime]:
        """Since when each pipeline is marked, by its casefolded ARN."""
        with translated("unavailable"):
            answer = self._clients.dynamodb.get_item(TableName=self._table, Key=to_item(KEY), ConsistentRead=True)
        return marks_in(answer.get("Item", {}))

    def mark(self, pipeline_arns: Iterable[str], since: datetime) -> None:
        """Mark pipelines as absent; one that is marked already keeps its time. At most 500 are marked in all."""
        marked = self.marked()
        new = [arn for arn in _each_once(pipeline_arns) if arn not in marked]
        fitting = new[: max(0, MAX_MARKS - len(marked))]
        self._update(fitting, "SET ", "{0} = if_not_exists({0}, :since)", {":since": attribute(stamp(since))})

    def revive(self, pipeline_arns: Iterable[str]) -> None:
        """Take marks away; a pipeline without one is fine."""
        marked = self.marked()
        self._update([arn for arn in _each_once(pipeline_arns) if arn in marked], "REMOVE ", "{0}")

    def _update(
        self,
        arns: Sequence[str],
        verb: str,
        clause: str,
        values: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        more: Any = {"ExpressionAttributeValues": values} if values else {}
        for first in range(0, len(arns), BATCH):
            names = {f"#a{number}": arn for number, arn in enumerate(arns[first : first + BATCH])}
            with translated("unavailable"):
                self._clients.dynamodb.update_item(
                    TableName=self._table,
                    Key=to_item(KEY),
                    UpdateExpression=verb + ", ".join(clause.format(name) for name in names),
                    ExpressionAttributeNames=names,
                    **more,
                )


def marks_in(item: Mapping[str, Mapping[str, Any]]) -> Mapping[str, datetime]:
    """The marks that the item holds, as DynamoDB answers it; an empty item holds none."""
    return {name: moment(since) for name, since in from_item(item).items() if name not in KEY}


def _each_once(pipeline_arns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(arn.casefold() for arn in pipeline_arns))
