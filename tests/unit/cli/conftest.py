"""The command line over fakes: a stack in memory, and a runner that says what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pipeline_triggers.adapters.stacks import Stack
from pipeline_triggers.cleanup import Cleaner, Estate
from pipeline_triggers.cli.connection import Connection
from pipeline_triggers.cli.main import cli
from pipeline_triggers.cli.settings import Settings
from pipeline_triggers.connecting import BucketConnecting, TopicConnecting
from pipeline_triggers.domain.cleanup_policy import Policy
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults
from pipeline_triggers.importing import Importer
from pipeline_triggers.restoring import Restorer
from pipeline_triggers.scheduling import Scheduling
from tests.fakes.buckets import FakeBuckets
from tests.fakes.cleanup_store import FakeCleanupStore
from tests.fakes.clock import FakeClock
from tests.fakes.connections import FakeConnections
from tests.fakes.contract_marks import FakeContractMarks
from tests.fakes.estate import UNPACED
from tests.fakes.ledger import FakeLedger
from tests.fakes.pipelines import FakePipelines
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.queue_policies import FakeQueuePolicies
from tests.fakes.queues import FakeQueues
from tests.fakes.roles import FakeRoles
from tests.fakes.rule_book import FakeRuleBook
from tests.fakes.rules import FakeRules
from tests.fakes.schedules import FakeSchedules
from tests.fakes.topics import FakeTopics
from tests.fakes.trigger_store import FakeTriggerStore

if TYPE_CHECKING:
    from click.testing import Result

    from pipeline_triggers.domain.triggers import Snapshot

ROOT = Path(__file__).parents[3]
HOME = Home("aws", "210987654321", "eu-central-1")
DEFAULTS = Defaults(
    group="pipeline-triggers",
    role_arn="arn:aws:iam::210987654321:role/pipeline-triggers-scheduler",
    queue_role_arn="arn:aws:iam::210987654321:role/pipeline-triggers-schedule-queue",
    queue_arn="arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-schedule",
    dead_letter_arn="arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-undelivered",
)

OUTPUTS = {
    "SnsEventQueueArn": "arn:aws:sqs:eu-central-1:210987654321:pipeline-triggers-sns-event",
    "UndeliveredQueueArn": DEFAULTS.dead_letter_arn,
}


@dataclass
class CommandLine:
    """Runs commands against one stack. ``delivered`` may be an error that asking for the stack raises."""

    directory: Path
    store: FakeTriggerStore = field(default_factory=FakeTriggerStore)
    pipelines: FakePipelines = field(default_factory=FakePipelines)
    queues: FakeQueues = field(default_factory=FakeQueues)
    quarantine: FakeQuarantine = field(default_factory=FakeQuarantine)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    contracts: FakeContractMarks = field(default_factory=FakeContractMarks)
    clock: FakeClock = field(default_factory=FakeClock)
    schedules: FakeSchedules = field(default_factory=lambda: FakeSchedules(home=HOME, made=(DEFAULTS.group, "team")))
    roles: FakeRoles = field(default_factory=FakeRoles)
    rules: FakeRules = field(default_factory=lambda: FakeRules(home=HOME))
    cleanups: FakeCleanupStore = field(default_factory=FakeCleanupStore)
    policy: Policy = field(default_factory=Policy)
    buckets: FakeBuckets = field(default_factory=FakeBuckets)
    topics: FakeTopics = field(default_factory=FakeTopics)
    policies: FakeQueuePolicies = field(default_factory=FakeQueuePolicies)
    rule_book: FakeRuleBook = field(default_factory=lambda: FakeRuleBook(home=HOME))
    connections: FakeConnections = field(default_factory=FakeConnections)
    delivered: Delivered | Exception = field(default_factory=Delivered)
    trusted: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    interactive: bool = False
    settings: Settings = field(default_factory=Settings)

    def run(self, *arguments: str, input: str | bytes | None = None) -> Result:  # noqa: A002 - click's word
        """Run a command; the result has exit_code, stdout and stderr."""
        self.settings = Settings(connect=self._connect, interactive=lambda: self.interactive)
        return _runner().invoke(cli, list(arguments), obj=self.settings, input=input)

    def json(self, *arguments: str, input: str | bytes | None = None) -> dict[str, Any]:  # noqa: A002
        """Run a command with ``--output json``; its exit code and the document's must agree."""
        result = self.run(*arguments, "--output", "json", input=input)
        document: dict[str, Any] = json.loads(result.stdout)
        assert document["exit_code"] == result.exit_code
        return document

    def file(self, text: str, name: str = "triggers.yaml") -> str:
        """Write a file and give its path."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _connect(self, settings: Settings) -> Connection:
        return Connection(
            name=settings.stack_name,
            store=self.store,
            stack=self._stack,
            caller=lambda: "arn:aws:iam::123456789012:user/ann",
            pipelines=lambda: self.pipelines,
            executions=lambda: self.pipelines,
            queues=self.queues,
            quarantine=self.quarantine,
            ledger=self.ledger,
            contracts=self.contracts,
            cleanups=self.cleanups,
            clock=self.clock,
            scheduling=self._scheduling,
            buckets=lambda: self._connecting(BucketConnecting, buckets=self.buckets, rules=self.rule_book),
            topics=lambda: self._connecting(TopicConnecting, topics=self.topics, policies=self.policies),
            importer=self._importer,
            cleaner=self._cleaner,
            restorer=lambda: Restorer(self.cleanups, self.schedules, self.rules, self.pipelines, self.clock),
        )

    def _cleaner(self) -> Cleaner:
        return Cleaner(
            Estate(
                pipelines=self.pipelines,
                schedules=self.schedules,
                rules=self.rules,
                triggers=self.store,
                marks=self.store,
                store=self.cleanups,
                clock=self.clock,
                home=HOME,
                stack=DEFAULTS.group,
                policy=self.policy,
                rates=UNPACED,
            ),
        )

    def _connecting(self, use_case: Any, **ports: Any) -> Any:
        ends = self._stack().ends
        return use_case(connections=self.connections, clock=self.clock, caller=lambda: "ann", ends=ends, **ports)

    def _importer(self, snapshot: Snapshot) -> Importer:
        return Importer(
            rules=self.rule_book,
            schedules=self.schedules,
            pipelines=self.pipelines,
            names=self.pipelines,
            roles=self.roles,
            policies=self.policies,
            clock=self.clock,
            home=HOME,
            stack=DEFAULTS.group,
            snapshot=snapshot,
        )

    def _scheduling(self) -> Scheduling:
        clock = self.schedules.clock
        return Scheduling(self.schedules, self.pipelines, self.roles, clock, HOME, self._schedule_defaults)

    def _schedule_defaults(self) -> Defaults:
        self._stack()
        return DEFAULTS

    def _stack(self) -> Stack:
        if isinstance(self.delivered, Exception):
            raise self.delivered
        return Stack("pipeline-triggers", HOME, self.delivered, self.trusted, OUTPUTS, self.parameters)


def _runner() -> CliRunner:
    """A runner that keeps stdout and stderr apart: click 8.2 always does, 8.1 when asked."""
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    return CliRunner(**apart)


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A stack without triggers; files are written to an empty directory, which is the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    stack = CommandLine(tmp_path)
    stack.roles.add("arn:aws:iam::210987654321:role/mine", "scheduler.amazonaws.com")
    return stack
