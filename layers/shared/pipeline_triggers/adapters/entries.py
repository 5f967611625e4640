"""The entries of the ledger table: from decisions to items, and from items to what people and ``judge`` read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.adapters.items import (
    EPOCH,
    MAX_ITEM_BYTES,
    expiry,
    moment,
    pack,
    size_of,
    stamp,
    to_item,
    unpack,
)
from pipeline_triggers.domain.executions import StartRequest, canonical, token_of
from pipeline_triggers.domain.ledger import RETENTION, Entry
from pipeline_triggers.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.adapters.items import Item, Value
    from pipeline_triggers.domain.decisions import Decision, Outcome
    from pipeline_triggers.domain.ledger import EntryState

MAX_MESSAGE = 2000
# Keys of an index have at most 2,048 bytes (DynamoDB's quota); ids of senders may be longer.
MAX_KEY_BYTES = 1024
RECORDED: Mapping[Outcome, EntryState] = {"shadow": "SHADOW", "disabled": "DISABLED", "rejected": "REJECTED"}
OUTCOMES: Mapping[EntryState, Outcome] = {
    "ATTEMPTING": "retry",
    "STARTED": "started",
    "REJECTED": "rejected",
    "SHADOW": "shadow",
    "DISABLED": "disabled",
}


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An entry for people: the keys of ``Decision.to_document`` and ``state attempts first_at params_changed``.

    The outcome of an entry that is being attempted is ``retry``. Raw values of parameters that are long are left out.
    """
    return {
        "event_id": fields.get("event_id", ""),
        "occurrence": fields.get("occurrence", ""),
        "outcome": OUTCOMES[fields["state"]],
        "trigger": fields.get("trigger", ""),
        "target": fields.get("target", ""),
        "pipeline_arn": fields.get("pipeline_arn", ""),
        "reason": fields.get("reason", ""),
        "message": fields.get("message", ""),
        "parameters": json.loads(unpack(fields.get("parameters", "[]"))),
        "request": json.loads(unpack(fields["request"])) if "request" in fields else None,
        "token": fields["pk"],
        "execution_arn": fields.get("execution_arn", ""),
        "revision": fields.get("revision", 0),
        "at": moment(fields["at"]).isoformat(),
        "state": fields["state"],
        "attempts": fields.get("attempts", 0),
        "first_at": moment(fields["first_at"]).isoformat(),
        "params_changed": fields.get("params_changed", False),
    }


def decision_fields(decision: Decision, now: datetime) -> dict[str, Value | None]:
    """The fields that say what was decided. Index keys must not be empty, so empty texts are left out."""
    return {
        "sk": "-",
        "trigger": decision.trigger or None,
        "target": decision.target or None,
        "pipeline_arn": decision.pipeline_arn or None,
        "occurrence": decision.occurrence,
        "event_id": index_key(decision.event_id) or None,
        "at": stamp(decision.at or now),
        "revision": decision.revision,
        "parameters": pack(canonical([resolved.to_document() for resolved in decision.parameters])),
        "expires_at": expiry(now + RETENTION),
    }


def request_fields(decision: Decision) -> dict[str, Value | None]:
    """The request as it is repeated: its parameters keep their order."""
    if decision.request is None:
        return {}
    document = json.dumps(decision.request.to_document(), separators=(",", ":"))
    return {"request": pack(document), "params_hash": decision.request.parameters_hash}


def checked_item(fields: Mapping[str, Value | None]) -> Item:
    """The item of an entry. Raises PermanentError("too-large") when DynamoDB would refuse it for its size."""
    item = to_item(fields)
    if size_of(item) > MAX_ITEM_BYTES:
        raise PermanentError("too-large", "the start with its parameters is larger than an item of the ledger may be")
    return item


def entry_of(fields: Mapping[str, Any] | None) -> Entry | None:
    """What ``judge`` needs to know of an entry."""
    if fields is None:
        return None
    return Entry(
        state=fields["state"],
        owner=fields.get("owner", ""),
        lease_until=moment(fields.get("lease_until", stamp(EPOCH))),
        attempts=fields["attempts"],
        attempt_open=fields.get("attempt_open", False),
        attempt_at=moment(fields.get("attempt_at", fields["first_at"])),
        expires_at=datetime.fromtimestamp(fields["expires_at"], UTC),
        request=StartRequest.from_document(json.loads(unpack(fields["request"]))) if "request" in fields else None,
        execution_arn=fields.get("execution_arn", ""),
        attempt_until=moment(fields["attempt_until"]) if "attempt_until" in fields else None,
        message_id=fields.get("message_id", ""),
        reason=fields.get("reason", ""),
        message=fields.get("message", ""),
    )


def index_key(text: str) -> str:
    """A text as a key of an index: itself, or its hash when it is too long."""
    return text if len(text.encode(errors="replace")) <= MAX_KEY_BYTES else f"sha256:{token_of('', '', '', text)}"


def key_without_token(decision: Decision) -> str:
    """The key of a decision that got no token, because it has no occurrence."""
    return token_of(decision.trigger, decision.target, decision.pipeline_arn, f"event {decision.event_id}")
