"""The ledger table in DynamoDB: implements the port ``Ledger``.

Every write of an entry gives it a new ``version`` and is made only if the entry still has the version that was read
(or, for complete, reject and release, still has the writer as its owner). A write whose answer was lost is thereby
known again, and a worker whose lease was taken over can change nothing: it gets TransientError("conflict").
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from pipeline_triggers.adapters.entries import (
    MAX_MESSAGE,
    RECORDED,
    checked_item,
    decision_fields,
    document_of,
    entry_of,
    index_key,
    key_without_token,
    request_fields,
)
from pipeline_triggers.adapters.failures import code_of, may_have_acted, translated
from pipeline_triggers.adapters.items import EPOCH, attribute, expiry, from_item, pages_of, stamp, to_item
from pipeline_triggers.domain.ledger import Acquired, Capped, judge
from pipeline_triggers.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.adapters.items import Item, Value
    from pipeline_triggers.domain.decisions import Decision
    from pipeline_triggers.domain.ledger import Busy, EntryState, Rejected, Started
    from pipeline_triggers.domain.ports import Clock

# So often the entry may change under a worker's hands before it gives up: each change is another worker's success.
ACQUIRE_TRIES = 5
COUNTER_RETENTION = timedelta(days=2)
# The indexes of the table, by the field that each is asked by.
INDEXES = {"by_trigger": "trigger", "by_event": "event_id", "by_execution": "execution_arn", "by_state": "state"}


class DynamoLedger:
    """The ledger in the table ``<stack>-ledger``. Every failure of DynamoDB is TransientError("ledger-unavailable")."""

    def __init__(self, clients: Clients, table: str, clock: Clock) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock

    def acquire(
        self,
        decision: Decision,
        owner: str,
        lease_until: datetime,
        *,
        message_id: str = "",
        cap: int | None = None,
    ) -> Acquired | Started | Busy | Rejected | Capped:
        """Try to become the one worker that may start ``decision.token``.

        Once an attempt ended without an answer, every later one is told so (``outcome_unknown``, with the request of
        that attempt and its window) until the start is complete; otherwise the decision's own request is stored, which
        after a change of configuration may have other parameters than that of an attempt without effect. Raises
        TransientError("conflict") when others change the entry again and again, PermanentError ("too-large") when the
        request does not fit into an item.
        """
        version = uuid.uuid4().hex
        tried: Acquired | None = None
        counted: datetime | None = None
        with translated("ledger-unavailable"):
            for _ in range(ACQUIRE_TRIES):
                stored = self._read(decision.token)
                if tried is not None and stored is not None and stored["version"] == version:
                    return tried  # the write that was refused had been made: its first answer was lost
                now = self._clock.now()
                found = judge(entry_of(stored), now, message_id=message_id, request=decision.request)
                if not isinstance(found, Acquired):
                    return found
                tried = found
                mine: dict[str, Value | None] = {
                    "owner": owner,
                    "lease_until": stamp(lease_until),
                    "attempt_until": stamp(lease_until),
                    "was_until": stamp(found.until or lease_until),
                    "message_id": message_id or None,
                    "version": version,
                }
                item = checked_item(self._attempt(decision, found, stored) | mine)
                if found.attempts == 1 and cap is not None and counted is None:
                    counted = self._count_start(decision.trigger, cap)
                    if counted is None:
                        return Capped()
                try:
                    if self._write_if_unchanged(item, stored):
                        return tried
                except (ClientError, BotoCoreError, TransientError) as error:
                    if counted is not None and not may_have_acted(error):
                        self._uncount_start(decision.trigger, counted)
                    raise
        raise TransientError("conflict", f"the ledger entry {decision.token} is changed by others again and again")

    def complete(self, token: str, owner: str, execution_arn: str) -> None:
        """The execution runs: this is never undone.

        Repeating it with the same ARN is fine, for whatever owner. Raises TransientError("conflict") with ``acted``
        when another worker has taken the lease over: that one finds the execution by its token.
        """
        changes: dict[str, Value] = {"state": "STARTED", "execution_arn": execution_arn, "attempt_open": False}
        stored = self._change(token, owner, changes, allowed=("ATTEMPTING",))
        if stored is None or (stored.get("state"), stored.get("execution_arn")) == ("STARTED", execution_arn):
            return
        raise TransientError("conflict", f"the ledger entry {token} has a new owner", acted=True)

    def reject(self, token: str, owner: str, reason: str, message: str = "") -> None:
        """The start was refused for good. What an earlier attempt may have done stays unknown.

        Raises TransientError("conflict") when the lease was taken over.
        """
        changes: dict[str, Value] = {"state": "REJECTED", "reason": reason, "message": message[:MAX_MESSAGE]}
        if self._change(token, owner, changes, allowed=("ATTEMPTING", "REJECTED"), restore_unknown=True) is not None:
            raise TransientError("conflict", f"the ledger entry {token} has a new owner")

    def release(self, token: str, owner: str, reason: str) -> None:
        """The attempt had no effect: the next one may begin at once and need not look for this one.

        What an earlier attempt may have done stays unknown. Raises TransientError("conflict") when the lease was taken
        over.
        """
        changes: dict[str, Value] = {"lease_until": stamp(EPOCH), "reason": reason}
        if self._change(token, owner, changes, allowed=("ATTEMPTING",), restore_unknown=True) is not None:
            raise TransientError("conflict", f"the ledger entry {token} has a new owner")

    def record(self, decision: Decision, *, message_id: str = "") -> None:
        """Keep a shadow, disabled or rejected decision; one that is or may be started already stays as it is.

        An attempt is open while somebody is at it, and for as long as its outcome is not known.
        """
        now = self._clock.now()
        fields = {
            **decision_fields(decision, now),
            **request_fields(decision),
            "pk": decision.token or key_without_token(decision),
            "state": RECORDED[decision.outcome],
            "reason": decision.reason or None,
            "message": decision.message[:MAX_MESSAGE],
            "message_id": message_id or None,
            "first_at": stamp(now),
            "attempts": 0,
            "version": uuid.uuid4().hex,
        }
        with translated("ledger-unavailable"):
            try:
                self._clients.dynamodb.put_item(
                    TableName=self._table,
                    Item=checked_item(fields),
                    ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now"
                    " OR NOT (#state = :started OR attempt_open = :open)",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={
                        ":started": {"S": "STARTED"},
                        ":open": {"BOOL": True},
                        ":now": {"N": str(expiry(now))},
                    },
                )
            except ClientError as error:
                if not _condition_failed(error):
                    raise

    def history(self, trigger: str, since: datetime, *, at_most: int | None = None) -> Iterator[Mapping[str, Any]]:
        """The entries of one trigger, newest first, as ``document_of`` shapes them; ``at_most`` so many are asked for.

        They come from an index: what was written in the last second or so may be missing.
        """
        values = {":key": trigger, ":since": stamp(since)}
        return self._query("by_trigger", "#key = :key AND #at >= :since", values, at_most)

    def of_event(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """The entries that one event caused, newest first, as ``document_of`` shapes them."""
        return list(self._query("by_event", "#key = :key", {":key": index_key(event_id)}))

    def of_state(
        self, state: EntryState, since: datetime, *, at_most: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The entries of one state, of all triggers, newest first; from an index, as in ``history``."""
        values = {":key": state, ":since": stamp(since)}
        return self._query("by_state", "#key = :key AND #at >= :since", values, at_most)

    def of_execution(self, execution_arn: str) -> Sequence[Mapping[str, Any]]:
        """The entries that an execution was started for: one, or none; from an index, as in ``history``."""
        return list(self._query("by_execution", "#key = :key", {":key": index_key(execution_arn)}))

    def of_token(self, token: str) -> Mapping[str, Any] | None:
        """The entry of a token."""
        with translated("ledger-unavailable"):
            stored = self._read(token)
        return document_of(stored) if stored and stored["expires_at"] > expiry(self._clock.now()) else None

    def _count_start(self, trigger: str, cap: int) -> datetime | None:
        """Count one start of the trigger in this clock hour (UTC), and return the hour; None when ``cap`` is reached.

        A count whose answer was lost may be counted twice: the cap is then met one start early.
        """
        if cap < 1:
            return None
        full_hour = self._clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        try:
            self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=_counter_key(trigger, full_hour),
                UpdateExpression="ADD starts :one SET expires_at = :expiry",
                ConditionExpression="attribute_not_exists(starts) OR starts < :cap",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":cap": {"N": str(cap)},
                    ":expiry": {"N": str(expiry(full_hour + COUNTER_RETENTION))},
                },
            )
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return None
        return full_hour

    def _uncount_start(self, trigger: str, full_hour: datetime) -> None:
        """Take one count back: a ledger that cannot be written for a while must not use up the hour."""
        self._clients.dynamodb.update_item(
            TableName=self._table,
            Key=_counter_key(trigger, full_hour),
            UpdateExpression="ADD starts :less",
            ExpressionAttributeValues={":less": {"N": "-1"}},
        )

    def _read(self, token: str) -> dict[str, Any] | None:
        answer = self._clients.dynamodb.get_item(TableName=self._table, Key=_key(token), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def _attempt(
        self,
        decision: Decision,
        found: Acquired,
        stored: Mapping[str, Any] | None,
    ) -> dict[str, Value | None]:
        """The entry of a new attempt; it keeps the request of an attempt whose outcome is unknown as it is."""
        assert decision.request is not None, "only a decision to start is acquired"
        now = self._clock.now()
        fields: dict[str, Value | None] = {
            **decision_fields(decision, now),
            **request_fields(decision),
            "pk": decision.token,
            "state": "ATTEMPTING",
            "attempts": found.attempts,
            "first_at": stamp(now),
            "attempt_at": stamp(found.since or now),
            "attempt_open": True,
            "was_unknown": found.outcome_unknown,
        }
        if stored is not None and (found.attempts > 1 or found.outcome_unknown):
            changed = stored.get("params_changed", False) or found.params_changed
            fields |= {"first_at": stored["first_at"], "params_changed": changed}
            if found.request is not None:
                fields |= {name: stored[name] for name in ("request", "parameters", "params_hash")}
        return fields

    def _write_if_unchanged(self, item: Item, stored: Mapping[str, Any] | None) -> bool:
        unchanged: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if stored is not None:
            unchanged = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": {"S": stored["version"]}},
            }
        try:
            self._clients.dynamodb.put_item(TableName=self._table, Item=item, **unchanged)
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return False
        return True

    def _change(
        self,
        token: str,
        owner: str,
        changes: Mapping[str, Value],
        *,
        allowed: Sequence[EntryState],
        restore_unknown: bool = False,
    ) -> dict[str, Any] | None:
        """Set fields if the entry is still the owner's; else give the entry as it is (empty when there is none).

        ``restore_unknown`` also makes the outcome as unknown as it was before this attempt, and the time in which an
        execution of unknown attempts can have been made as short.
        """
        changes = {**changes, "version": uuid.uuid4().hex}
        names = {f"#{name}": name for name in (*changes, "state", "owner")}
        sets = [f"#{name} = :{name}" for name in changes]
        if restore_unknown:
            before = {"attempt_open": "was_unknown", "attempt_until": "was_until"}
            names |= {f"#{name}": name for pair in before.items() for name in pair}
            sets += [f"#{name} = #{was}" for name, was in before.items()]
        states = {f":allowed{number}": attribute(state) for number, state in enumerate(allowed)}
        with translated("ledger-unavailable"):
            try:
                self._clients.dynamodb.update_item(
                    TableName=self._table,
                    Key=_key(token),
                    UpdateExpression="SET " + ", ".join(sets),
                    ConditionExpression=f"#owner = :owner AND #state IN ({', '.join(states)})",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={
                        **{f":{name}": attribute(value) for name, value in changes.items()},
                        **states,
                        ":owner": attribute(owner),
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if not _condition_failed(error):
                    raise
                return from_item(cast("dict[str, Any]", error.response.get("Item", {})))
        return None

    def _query(
        self, index: str, condition: str, values: Mapping[str, str], at_most: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        names = {"#key": INDEXES[index]}
        if "#at" in condition:
            names["#at"] = "at"
        limit: dict[str, Any] = {} if at_most is None else {"Limit": at_most}
        now = expiry(self._clock.now())
        with translated("ledger-unavailable"):
            found = pages_of(
                self._clients.dynamodb.query,
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={name: attribute(value) for name, value in values.items()},
                ScanIndexForward=False,
                **limit,
            )
            for fields in islice(found, at_most):
                if fields["expires_at"] > now:
                    yield document_of(fields)


def _key(token: str) -> Item:
    return to_item({"pk": token, "sk": "-"})


def _counter_key(trigger: str, full_hour: datetime) -> Item:
    return to_item({"pk": f"starts#{trigger}", "sk": stamp(full_hour)})


def _condition_failed(error: ClientError) -> bool:
    return code_of(error) == "ConditionalCheckFailedException"
