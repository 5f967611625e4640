"""How schedules are shown: when they fire next, in their zone and in UTC, what they start, and all their settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from rich.text import Text

from pipeline_triggers.cli.render import cell, line, styled, table
from pipeline_triggers.domain.events import INTERNAL_SOURCE
from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.domain.schedule_plans import coming_times, is_universal, parameters_of, zone_of
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.scheduler import ScheduleDefinition
    from pipeline_triggers.domain.schedules import Occurrence

NOTES = {
    "skipped": "skipped: the clocks are set forward over it",
    "repeated": "the clocks show it twice: fires the first time",
}

StartKind = Literal["pipeline", "trigger", "universal", "other"]


@dataclass(frozen=True, slots=True)
class Starts:
    """What a schedule starts.

    A ``pipeline`` by Scheduler's own target, a ``trigger`` of this application by a message to its queue, a pipeline by
    the ``universal`` target, or something ``other``. ``name`` is the pipeline's name or ARN, the trigger's name, or the
    ARN of the target.
    """

    kind: StartKind
    name: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Starts:
        """Read it from GetSchedule's answer."""
        target = document["Target"]
        arn: str = target["Arn"]
        told = json_object(target.get("Input"))
        if is_universal(arn):
            return cls("universal", str(told.get("PipelineName", "")) or arn)
        if ":sagemaker:" in arn and ":pipeline/" in arn:
            return cls("pipeline", arn)
        trigger = json_object(told.get("detail")).get("trigger")
        if told.get("source") == INTERNAL_SOURCE and isinstance(trigger, str):
            return cls("trigger", trigger)
        return cls("other", arn)

    @property
    def short(self) -> str:
        """For a column of a list: the pipeline's name, or what else it is."""
        match self.kind:
            case "pipeline":
                return self.name.rpartition("/")[2]
            case "universal":
                return f"{self.name.rpartition('/')[2]} (universal target)"
            case "trigger":
                return f"trigger {self.name}"
            case "other":
                return self.name

    @property
    def sentence(self) -> str:
        """For the description of one schedule."""
        match self.kind:
            case "pipeline":
                return f"{self.name}, directly"
            case "universal":
                return f"{self.name}, by the universal target of StartPipelineExecution"
            case "trigger":
                return f"the trigger {self.name}, through the application"
            case "other":
                return f"{self.name}: no pipeline"


@dataclass(frozen=True, slots=True)
class Coming:
    """The next times of a schedule. ``problem`` says why they could not be worked out."""

    times: Sequence[Occurrence]
    timezone: str
    problem: str = ""

    @classmethod
    def of(cls, definition: ScheduleDefinition, now: datetime, count: int) -> Coming:
        """The next times of a schedule as it is: none when it is disabled."""
        document = definition.document
        if document.get("State", "ENABLED") != "ENABLED":
            return cls((), zone_of(document))
        return cls.of_document(document, now, count, made_at=definition.modified_at)

    @classmethod
    def of_document(cls, document: Mapping[str, Any], now: datetime, count: int, *, made_at: datetime) -> Coming:
        """The next times of GetSchedule's answer. A rate without a start counts from ``made_at``."""
        zone = zone_of(document)
        try:
            return cls(coming_times(document, now, count, made_at=made_at), zone)
        except InvalidInputError as error:
            return cls((), zone, str(error))

    @property
    def first(self) -> datetime | None:
        """The next time at which it fires."""
        return next((found.time for found in self.times if found.fires), None)

    @property
    def shown(self) -> RenderableType:
        """The next time for a column of a list."""
        if self.problem:
            return Text("unknown", style="yellow")
        return Text("none", style="dim") if self.first is None else cell(_minute(self.first))

    def to_document(self) -> list[dict[str, Any]]:
        """The JSON form."""
        return [occurrence_document(found) for found in self.times]


def occurrence_document(found: Occurrence) -> dict[str, Any]:
    """The JSON form of a time. One that daylight saving skips is no time in UTC."""
    return {
        "time": found.time.isoformat() if found.fires else found.time.replace(tzinfo=None).isoformat(),
        "utc": found.time.astimezone(UTC).isoformat() if found.fires else None,
        "weekday": f"{found.time:%A}",
        "fires": found.fires,
        "note": found.note,
    }


def times_table(times: Sequence[Occurrence], timezone: str) -> RenderableType:
    """Times in their zone and in UTC, with what daylight saving does to them."""
    local = timezone != "UTC"
    rows = [
        [
            Text(f"{found.time:%a}", style="" if found.fires else "dim"),
            *([Text(_local(found), style="" if found.fires else "dim")] if local else []),
            _minute(found.time.astimezone(UTC)) if found.fires else Text("-", style="dim"),
            Text(NOTES.get(found.note, ""), style="yellow"),
        ]
        for found in times
    ]
    return table(["", *([timezone] if local else []), "UTC", ""], rows)


def schedule_document(definition: ScheduleDefinition, now: datetime, count: int) -> dict[str, Any]:
    """The JSON form of a schedule: what Scheduler tells, what it starts, and its next times."""
    starts, coming = Starts.of(definition.document), Coming.of(definition, now, count)
    return {
        "schedule": dict(definition.document),
        "starts": {"kind": starts.kind, "name": starts.name},
        "parameters": parameters_of(definition.document["Target"]),
        "next": coming.to_document(),
        "next_problem": coming.problem,
    }


def list_document(definition: ScheduleDefinition, now: datetime) -> dict[str, Any]:
    """The JSON form of a schedule in a list."""
    document = definition.document
    starts, coming = Starts.of(document), Coming.of(definition, now, 1)
    return {
        "name": document["Name"],
        "group": document["GroupName"],
        "arn": definition.arn,
        "state": document.get("State", "ENABLED"),
        "schedule_expression": document["ScheduleExpression"],
        "timezone": zone_of(document),
        "starts": {"kind": starts.kind, "name": starts.name},
        "next": coming.first and coming.first.isoformat(),
        "next_problem": coming.problem,
    }


def list_table(definitions: Sequence[ScheduleDefinition], now: datetime, *, groups: bool = False) -> RenderableType:
    """Schedules as a table; ``groups`` shows the group of each."""
    rows = []
    for definition in definitions:
        document = definition.document
        zone = zone_of(document)
        when = f"{document['ScheduleExpression']}{'' if zone == 'UTC' else f' {zone}'}"
        rows.append(
            [
                cell(document["Name"], "bold"),
                *([document["GroupName"]] if groups else []),
                styled(document.get("State", "ENABLED")),
                when,
                Starts.of(document).short,
                Coming.of(definition, now, 1).shown,
            ]
        )
    return table(["name", *(["group"] if groups else []), "state", "when", "starts", "next"], rows)


def described(definition: ScheduleDefinition, now: datetime, count: int) -> list[RenderableType]:
    """Everything about one schedule."""
    document = definition.document
    target = document["Target"]
    coming = Coming.of(definition, now, count)
    settings = [
        ("arn", definition.arn),
        ("description", document.get("Description", "")),
        ("when", document["ScheduleExpression"]),
        ("time zone", zone_of(document)),
        ("start", document.get("StartDate", "")),
        ("end", document.get("EndDate", "")),
        ("window", _window(document.get("FlexibleTimeWindow", {}))),
        ("when over", "deletes itself" if document.get("ActionAfterCompletion") == "DELETE" else "stays"),
        ("starts", Starts.of(document).sentence),
        ("role", target.get("RoleArn", "")),
        ("dead-letter queue", (target.get("DeadLetterConfig") or {}).get("Arn", "")),
        ("retries", _retries(target.get("RetryPolicy") or {})),
        ("KMS key", document.get("KmsKeyArn", "")),
        ("created", document.get("CreationDate", "")),
        ("changed", document.get("LastModificationDate", "")),
    ]
    dead_letter = "none: what cannot be started is lost"
    rows: list[list[object]] = [
        [Text(name, style="dim"), value or Text(dead_letter, style="yellow")]
        for name, value in settings
        if value or name == "dead-letter queue"
    ]
    title = line((document["Name"], "bold"), "  ").append_text(styled(document.get("State", "ENABLED")))
    title.append(f"  in the group {document['GroupName']}", "dim")
    shown = table(["", ""], rows)
    shown.show_header = False
    parts: list[RenderableType] = [title, shown]
    parameters = parameters_of(target)
    if parameters:
        parts += [line(""), table(["parameter", "value"], parameters.items())]
    return [*parts, line(""), *coming_shown(coming, document.get("State", "ENABLED"))]


def coming_shown(coming: Coming, state: str = "ENABLED") -> list[RenderableType]:
    """The next times, or why there are none."""
    if coming.problem:
        return [line(("The next times are not known: ", "yellow"), coming.problem)]
    if state != "ENABLED":
        return [line("It is disabled: it does not fire.")]
    if not coming.times:
        return [line(("It does not fire any more.", "yellow"))]
    return [times_table(coming.times, coming.timezone)]


def _window(window: Mapping[str, Any]) -> str:
    if window.get("Mode") != "FLEXIBLE":
        return ""
    return f"flexible: within {window.get('MaximumWindowInMinutes')} minutes of its time"


def _retries(policy: Mapping[str, Any]) -> str:
    """Scheduler's own defaults hold for what a schedule does not say: 185 attempts in 24 hours."""
    attempts = policy.get("MaximumRetryAttempts", 185)
    return f"up to {attempts}, within {policy.get('MaximumEventAgeInSeconds', 86400)} seconds" if attempts else "none"


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _local(found: Occurrence) -> str:
    """With the offset, which tells the two times of a repeated hour apart; a skipped time has none."""
    if not found.fires:
        return _minute(found.time)
    offset = f"{found.time:%z}"
    return f"{_minute(found.time)} {offset[:3]}:{offset[3:5]}"
