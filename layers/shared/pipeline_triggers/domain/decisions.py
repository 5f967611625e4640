"""decide(event, triggers): what is to be done for one event, target by target, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pipeline_triggers.domain.definitions import check
from pipeline_triggers.domain.executions import Provenance, StartRequest, display_name_of, token_of
from pipeline_triggers.domain.parameters import Parameter, resolve
from pipeline_triggers.domain.scheduled_times import QUEUE_SUFFIX, is_credible, is_scheduled_time, with_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline_triggers.domain.definitions import Definition, Refusal
    from pipeline_triggers.domain.events import Event
    from pipeline_triggers.domain.executions import Home, PipelineRef
    from pipeline_triggers.domain.parameters import Resolved
    from pipeline_triggers.domain.patterns import Mismatch
    from pipeline_triggers.domain.triggers import Snapshot, Target, Trigger

Outcome = Literal["start", "started", "duplicate", "shadow", "disabled", "unmatched", "rejected", "retry"]
PermanentReason = Literal[
    "malformed-event",
    "too-deep",
    "too-large",
    "missing-parameter",
    "empty-value",
    "value-too-long",
    "too-many-parameters",
    "constraint",
    "no-occurrence-key",
    "rate-cap",
    "unknown-parameter",
    "required-parameter",
    "wrong-type",
    "not-in-enum",
    "pipeline-not-found",
    "pipeline-orphaned",
    "access-denied",
    "refused-by-sagemaker",
]
TransientReason = Literal[
    "throttled",
    "unavailable",
    "limit-exceeded",
    "conflict",
    "pipeline-deleting",
    "not-found-yet",
    "denied-yet",
    "ledger-unavailable",
    "in-progress",
    "deadline",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was concluded for one event and one target of one trigger (no trigger: the event matched none).

    ``reason`` says why an outcome is rejected or retry, or why a shadow would be rejected; ``message`` is for people.
    ``parameters`` that are refused have a reason of their own, also when only the check against the pipeline refuses
    their value; ``lacking`` are those that the pipeline requires and the target does not have. ``request`` is what will
    be or was sent; ``at`` is when it was concluded (None while only planned).
    """

    event_id: str
    occurrence: str
    outcome: Outcome
    trigger: str = ""
    target: str = ""
    pipeline_arn: str = ""
    reason: str = ""
    message: str = ""
    parameters: tuple[Resolved, ...] = ()
    lacking: tuple[Refusal, ...] = ()
    request: StartRequest | None = None
    token: str = ""
    execution_arn: str = ""
    revision: int = 0
    at: datetime | None = None

    def to_document(self) -> dict[str, Any]:
        """The JSON form that handlers answer with, the CLI prints and the quarantine keeps."""
        return {
            "event_id": self.event_id,
            "occurrence": self.occurrence,
            "outcome": self.outcome,
            "trigger": self.trigger,
            "target": self.target,
            "pipeline_arn": self.pipeline_arn,
            "reason": self.reason,
            "message": self.message,
            "parameters": [resolved.to_document() for resolved in self.parameters],
            "request": self.request.to_document() if self.request else None,
            "token": self.token,
            "execution_arn": self.execution_arn,
            "revision": self.revision,
            "at": self.at.isoformat() if self.at else None,
        }


def decide(
    event: Event,
    snapshot: Snapshot,
    definition_of: Callable[[PipelineRef], Definition | None],
    home: Home,
    is_orphaned: Callable[[PipelineRef], bool] = lambda _: False,
) -> list[Decision]:
    """Conclude what one event starts: one decision for each target of each trigger that it matches.

    ``definition_of`` gives what a pipeline declares, or None when that is not known: then SageMaker does the check.
    ``is_orphaned`` tells whether a pipeline is known not to exist any more. An event that matches nothing gives one
    decision with the outcome ``unmatched``.
    """
    triggers = [snapshot.by_name[name] for name in matching(event, snapshot)]
    if not triggers:
        message = _scheduled_in_vain(event) if is_scheduled_time(event) else ""
        return [Decision(event.id, event.occurrence, "unmatched", message=message, revision=snapshot.revision)]
    return [
        replace(
            _decide_target(
                _as_seen_by(trigger, event),
                trigger,
                target,
                definition_of,
                home,
                is_orphaned=is_orphaned,
            ),
            revision=snapshot.revision,
        )
        for trigger in triggers
        for target in trigger.targets
    ]


def matching(event: Event, snapshot: Snapshot) -> list[str]:
    """The names of the triggers that an event is for: by pattern, or by name for the stack's own schedules."""
    if is_scheduled_time(event):
        named = snapshot.by_name.get(str(event.detail.get("trigger")))
        return [named.name] if named and named.schedule and is_credible(event) else []
    return snapshot.index.match(event.document)


def explain_unmatched(event: Event, snapshot: Snapshot) -> list[tuple[str, Mismatch]]:
    """Why each trigger with a pattern does not match the event: its first clause that failed."""
    mismatches = [(t.name, t.pattern.explain(event.document)) for t in snapshot.triggers if t.pattern is not None]
    return [(name, mismatch) for name, mismatch in mismatches if mismatch is not None]


def orphaned_message(pipeline_arn: str) -> str:
    """What to say of an event whose pipeline is gone."""
    return f"the pipeline {pipeline_arn} does not exist any more; when it does again, redrive"


def _scheduled_in_vain(event: Event) -> str:
    """Why a "Scheduled Time" event starts nothing."""
    if not is_credible(event):
        return f"a scheduled time counts only from the stack's queue …{QUEUE_SUFFIX}, and this one came another way"
    return f"there is no trigger {event.detail.get('trigger')!s:.64} that has a schedule"


def _as_seen_by(trigger: Trigger, event: Event) -> Event:
    return with_window(event, trigger.schedule) if trigger.schedule else event


def _decide_target(
    event: Event,
    trigger: Trigger,
    target: Target,
    definition_of: Callable[[PipelineRef], Definition | None],
    home: Home,
    *,
    is_orphaned: Callable[[PipelineRef], bool],
) -> Decision:
    occurrence, refusal = _occurrence(event, trigger)
    pipeline_arn = target.pipeline.arn_in(home)
    token = token_of(trigger.name, target.id, pipeline_arn, occurrence)
    decision = Decision(
        event_id=event.id,
        occurrence=occurrence,
        outcome="disabled" if trigger.state == "DISABLED" else "rejected",
        trigger=trigger.name,
        target=target.id,
        pipeline_arn=pipeline_arn,
        token=token,
    )
    if trigger.state == "DISABLED":
        return decision
    if refusal:
        return replace(decision, reason="no-occurrence-key", message=refusal)
    if is_orphaned(target.pipeline):
        outcome: Outcome = "shadow" if trigger.state == "SHADOW" else "rejected"
        return replace(decision, outcome=outcome, reason="pipeline-orphaned", message=orphaned_message(pipeline_arn))
    definition = definition_of(target.pipeline)
    parameters, lacking = _checked(resolve(target.parameters, event.document, definition), definition)
    refused = [(p.reason, p.message) for p in parameters if p.reason]
    refused += [(refusal.reason, refusal.message) for refusal in lacking]
    reason, message = (refused[0][0], "; ".join(said for _, said in refused)) if refused else ("", "")
    return replace(
        decision,
        outcome="shadow" if trigger.state == "SHADOW" else "rejected" if reason else "start",
        reason=reason,
        message=message,
        parameters=parameters,
        lacking=lacking,
        request=None if reason else _request(event, trigger, target, parameters, token=token, home=home),
    )


def _occurrence(event: Event, trigger: Trigger) -> tuple[str, str]:
    """The occurrence key, and what is wrong with it ("" when nothing is)."""
    if trigger.occurrence_key is None:
        secondary = trigger.pattern is not None and trigger.pattern.reads("detail", "SecondaryStatus")
        return event.occurrence_key(secondary_status=secondary), ""
    key = resolve([Parameter("occurrence_key", trigger.occurrence_key)], event.document)[0]
    return event.key_of(key.value or event.id), "" if key.value else key.message


def _checked(
    resolved: Sequence[Resolved],
    definition: Definition | None,
) -> tuple[tuple[Resolved, ...], tuple[Refusal, ...]]:
    """The parameters, with what the pipeline would refuse about them, and the refusals of those that lack.

    Nothing is checked while a parameter cannot even be sent.
    """
    if definition is None or any(parameter.reason for parameter in resolved):
        return tuple(resolved), ()
    refusals = {refusal.parameter: refusal for refusal in check(resolved, definition)}
    marked = [
        parameter._replace(reason=refusal.reason, message=refusal.message)
        if (refusal := refusals.pop(parameter.name, None))
        else parameter
        for parameter in resolved
    ]
    return tuple(marked), tuple(refusals.values())


def _request(
    event: Event,
    trigger: Trigger,
    target: Target,
    parameters: Sequence[Resolved],
    *,
    token: str,
    home: Home,
) -> StartRequest:
    provenance = Provenance(
        trigger=trigger.name,
        target=target.id,
        event_id=event.id,
        source=event.source,
        detail_type=event.detail_type,
        token=token,
        note=target.description,
    )
    return StartRequest(
        pipeline_arn=target.pipeline.arn_in(home),
        parameters={p.name: p.value for p in parameters if p.value is not None},
        token=token,
        display_name=display_name_of(target.display_name or trigger.name, token),
        description=provenance.to_description(),
        version_id=target.pipeline.version_id,
        parallelism=target.parallelism,
        role_arn=target.role_arn,
    )
