"""What the ledger has on record about a start: the decision, and how far it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.decisions import Decision
from pipeline_triggers.domain.executions import (
    MAX_DESCRIPTION,
    TOKEN_SUFFIX,
    StartRequest,
    canonical,
    display_name_of,
    one_line,
    token_of,
)
from pipeline_triggers.domain.parameters import Resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.ledger import EntryState

RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class Record:
    """An entry of the ledger. ``document`` is how the ledger gives it: ``Decision.to_document`` and more.

    ``params_changed`` says that an attempt had other parameters than the one before.
    """

    document: Mapping[str, Any]
    decision: Decision
    state: EntryState
    attempts: int
    first_at: datetime
    params_changed: bool

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Record:
        """Read an entry as the ledger gives it."""
        return cls(
            document=document,
            decision=decision_of(document),
            state=document["state"],
            attempts=document["attempts"],
            first_at=datetime.fromisoformat(document["first_at"]),
            params_changed=document["params_changed"],
        )

    @property
    def at(self) -> datetime:
        """When it was decided."""
        return self.decision.at or self.first_at

    @property
    def rerun_of(self) -> str:
        """The occurrence that it repeats on purpose; empty for what happened by itself."""
        return _repeated(self.decision.occurrence)


def decision_of(document: Mapping[str, Any]) -> Decision:
    """The decision that a document tells of: of the ledger, or of the quarantine, where what is not said is empty."""
    request, at = document.get("request"), document.get("at")
    return Decision(
        event_id=document.get("event_id", ""),
        occurrence=document.get("occurrence", ""),
        outcome=document.get("outcome", "rejected"),
        trigger=document.get("trigger", ""),
        target=document.get("target", ""),
        pipeline_arn=document.get("pipeline_arn", ""),
        reason=document.get("reason", ""),
        message=document.get("message", ""),
        parameters=tuple(Resolved(**parameter) for parameter in document.get("parameters", ())),
        request=StartRequest.from_document(request) if request else None,
        token=document.get("token", ""),
        execution_arn=document.get("execution_arn", ""),
        revision=document.get("revision", 0),
        at=datetime.fromisoformat(at) if at else None,
    )


def rerun_of(record: Record, unique: str, by: str) -> Decision:
    """The decision to start once more what a record has started, or would have: with the same parameters.

    It is an occurrence of its own, ``["rerun", the old one, unique]``, so that the old start stays what it was; a rerun
    of a rerun names the first occurrence. ``by`` is who wants it. ValueError when the record has no request.
    """
    old = record.decision
    if old.request is None:
        raise ValueError("the record has no request that could be repeated")
    occurrence = canonical([RERUN, record.rerun_of or old.occurrence, unique])
    token = token_of(old.trigger, old.target, old.pipeline_arn, occurrence)
    request = replace(
        old.request,
        token=token,
        display_name=display_name_of(old.request.display_name[: -TOKEN_SUFFIX - 1], token),
        description=_description(f"rerun of {old.execution_arn or old.token} by {by} | ", old.request, token),
    )
    return replace(
        old,
        occurrence=occurrence,
        outcome="start",
        reason="",
        message="",
        request=request,
        token=token,
        execution_arn="",
        at=None,
    )


def _description(told: str, request: StartRequest, token: str) -> str:
    """What stood there, with who repeats it before, and the new token instead of the old one behind."""
    before = request.description.removesuffix(f" | token {request.token}")
    line = one_line(told) + before
    tail = f" | token {token}"
    return line[: MAX_DESCRIPTION - len(tail)] + tail


def _repeated(occurrence: str) -> str:
    try:
        parts = json.loads(occurrence)
    except ValueError:
        return ""
    is_rerun = isinstance(parts, list) and len(parts) == 3 and parts[0] == RERUN
    return str(parts[1]) if is_rerun else ""
