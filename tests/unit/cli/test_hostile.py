"""What a stranger has put into an event reaches no terminal as a command: control characters come out escaped.

Whoever may upload a file chooses its key, and whoever may publish chooses a message. Terminals obey what begins with an
escape character, and a carriage return writes over what a command has said before.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.reacting import Invocation, Message, Reactor
from pipeline_triggers.sources.envelopes import read
from tests.unit.cli.conftest import HOME, ROOT

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

# A colour, a title of the window, a line that was never said, C1's own CSI, text from right to left, rich's markup.
FORGED = "started  all is well"
COMMANDS = f"\x1b[31mred \x1b]0;title\x07 \r\n{FORGED} \x9b2J \u202egnp.exe \u2028 \x00 \x7f [bold]bold[/bold]"
QUEUE = "arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-s3-event"
PARAMETERS = {
    "Key": "$.detail.object.key",
    "Uri": "s3://<$.detail.bucket.name>/<$.detail.object.key>",
    "Tags": "$.detail.tags",
    "Rows": {"value": "$.detail.rows", "default": "1000"},
}
TRIGGER = {
    "name": "on-upload",
    "event_pattern": {"source": ["aws.s3"]},
    "targets": [{"pipeline": "churn-train", "parameters": PARAMETERS}],
}
# Another trigger that refuses what the first one takes, and quotes it.
STRICT = {
    "name": "on-small-upload",
    "event_pattern": {"source": ["aws.s3"]},
    "targets": [{"pipeline": "churn-train", "parameters": {"Key": {"value": "$.detail.object.key", "max_length": 3}}}],
}


def upload(**changes: Any) -> dict[str, Any]:
    """An event of S3 in which everything that is not AWS's own is hostile."""
    event: dict[str, Any] = json.loads((ROOT / "events/s3-object-created.json").read_text(encoding="utf-8"))
    event["detail"]["object"]["key"] = f"in/{COMMANDS}.csv"
    event["detail"]["tags"] = {COMMANDS: [COMMANDS]}
    event["detail"]["requester"] = COMMANDS
    return event | {"id": f"event {COMMANDS}"} | changes


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack that has started, refused and kept hostile events."""
    command_line.ledger.clock = command_line.pipelines.clock = command_line.quarantine.clock = command_line.clock
    command_line.pipelines.home = HOME
    command_line.pipelines.add("churn-train", Definition(dict.fromkeys(PARAMETERS, Declared(required=False))))
    command_line.store.put(*map(Trigger.from_document, (TRIGGER, STRICT)))
    for number, body in enumerate([json.dumps(upload()), json.dumps({"source": COMMANDS, COMMANDS: 1}), COMMANDS]):
        happen(command_line, body, number)
    command_line.queues.add(
        "pipeline-triggers-undelivered",
        COMMANDS,
        sent_at=command_line.clock.now(),
        RULE_ARN=COMMANDS,
        TARGET_ARN=QUEUE,
        ERROR_CODE=COMMANDS,
        ERROR_MESSAGE=COMMANDS,
    )
    return command_line


def happen(command_line: CommandLine, body: str, number: int) -> None:
    """Let the functions have met a message."""
    now = command_line.clock.now()
    reactor = Reactor(
        triggers=command_line.store,
        pipelines=command_line.pipelines,
        ledger=command_line.ledger,
        quarantine=command_line.quarantine,
        clock=command_line.clock,
        home=HOME,
        start_interval=0,
        max_starts_per_hour=1000,
    )
    message = Message(body, f"m-{number}", QUEUE, "receipt", now, now)
    reactor.react(read(body), message, Invocation("worker", now + timedelta(seconds=60)))


def test_the_stack_of_these_tests_has_started_one_event_and_kept_three_messages(command_line: CommandLine) -> None:
    assert len(command_line.pipelines.executions) == 1
    assert {item.reason for item in command_line.quarantine.items.values()} == {"constraint", "malformed-event"}
    assert len(command_line.quarantine.items) == 3


def event_file(command_line: CommandLine, content: str = "") -> str:
    return command_line.file(content or json.dumps(upload()), "event.json")


def trigger_file(command_line: CommandLine) -> str:
    return command_line.file(json.dumps({"version": 1, "triggers": [TRIGGER, STRICT]}), "triggers.yaml")


COMMAND_LINES = {
    "simulate": ["simulate", "EVENT", "--triggers", "TRIGGERS"],
    "simulate many": ["simulate", *["EVENT"] * 12, "--triggers", "TRIGGERS"],
    "simulate from the stack": ["simulate", "EVENT", "--from-stack"],
    "match": ["match", "EVENT", "--event-pattern", '{"detail": {"object": {"key": ["other"]}}}'],
    "history": ["history"],
    "explain an event": ["explain", f"event {COMMANDS}"],
    "explain a message": ["explain", "m-0"],
    "explain a file": ["explain", "EVENT"],
    "rerun": ["rerun", f"event {COMMANDS}", "--trigger", "on-upload", "--yes"],
    "quarantine list": ["quarantine", "list"],
    "quarantine show of a refusal": ["quarantine", "show", "m-0"],
    "quarantine show of what is no event": ["quarantine", "show", "m-1"],
    "quarantine show of what is no JSON": ["quarantine", "show", "m-2"],
    "quarantine redrive": ["quarantine", "redrive", "--all", "--dry-run"],
    "dlq list": ["dlq", "list"],
    "dlq redrive": ["dlq", "redrive", "--dry-run"],
    "status": ["status"],
}


# Those that show values of the event in lines of their own making: the body of a message that is no JSON has its own.
QUOTING = (
    "simulate",
    "simulate from the stack",
    "match",
    "history",
    "explain an event",
    "explain a message",
    "explain a file",
    "quarantine show of a refusal",
    "dlq list",
)


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("arguments", COMMAND_LINES.values(), ids=COMMAND_LINES)
def test_a_command_prints_no_control_characters_of_an_event(
    command_line: CommandLine, arguments: list[str], output: str
) -> None:
    files = {"EVENT": event_file(command_line), "TRIGGERS": trigger_file(command_line)}
    result = command_line.run(*(files.get(argument, argument) for argument in arguments), "--output", output)
    printed = result.stdout + result.stderr
    assert "unexpected" not in printed
    assert {character for character in printed if not character.isprintable()} == {"\n"}


@pytest.mark.parametrize("name", QUOTING)
def test_a_value_with_a_line_break_begins_no_line_of_its_own(command_line: CommandLine, name: str) -> None:
    files = {"EVENT": event_file(command_line), "TRIGGERS": trigger_file(command_line)}
    result = command_line.run(*(files.get(argument, argument) for argument in COMMAND_LINES[name]))
    assert "\\r\\n" in result.stdout.replace("\n", "").replace(" ", "")
    assert not any(line.startswith(FORGED) for line in result.stdout.splitlines())
