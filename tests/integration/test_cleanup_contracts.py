"""The contracts of the ports of the clean-up: the same tests over each fake and over the real adapter on moto."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.contract_marks import DynamoContractMarks
from pipeline_triggers.adapters.orphan_marks import DynamoOrphanMarks
from pipeline_triggers.adapters.rules import EventBridgeRules
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.domain.contracts import BrokenPipeline
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Snapshot
from pipeline_triggers.errors import NotFoundError
from tests.fakes.clock import FakeClock
from tests.fakes.contract_marks import FakeContractMarks
from tests.fakes.rules import ROLE, FakeRules
from tests.fakes.trigger_store import FakeTriggerStore
from tests.integration.tables import create_table
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_triggers.domain.ports import ContractMarks, OrphanMarks, Rules, TriggerStore
    from pipeline_triggers.domain.rules import RuleTarget

MIXED = PIPELINE_ARN.replace("churn-train", "Churn-Train")
OTHER = PIPELINE_ARN.replace("churn-train", "churn-train-2")
FIRST = Definition(
    {"Rows": Declared("Integer"), "Mode": Declared(required=False, default="full", enum=("full", "delta"))}
)
SECOND = Definition({})
# How the pipeline is targeted: by which rule, on which bus, with which ARNs.
RULES = (
    ("on-upload", "default", (PIPELINE_ARN, OTHER)),
    ("on-drift", "team", (MIXED,)),
    ("on-alarm", "team", (OTHER,)),
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(aws_environment: None) -> Iterator[Clients]:
    with mock_aws():
        yield Clients(region="us-east-1")


@pytest.fixture(params=["fake", "eventbridge"])
def rules(request: pytest.FixtureRequest) -> Rules:
    if request.param == "fake":
        fake = FakeRules()
        for rule, bus, arns in RULES:
            fake.add(rule, *arns, bus=bus)
        return fake
    clients = request.getfixturevalue("clients")
    events: Any = clients.client("events")
    events.create_event_bus(Name="team")
    for rule, bus, arns in RULES:
        events.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source": ["com.example"]}')
        targets = [{"Id": str(number), "Arn": arn, "RoleArn": ROLE} for number, arn in enumerate(arns, start=1)]
        events.put_targets(Rule=rule, EventBusName=bus, Targets=targets)
    return EventBridgeRules(clients)


@pytest.fixture(params=["fake", "dynamodb"])
def marks(request: pytest.FixtureRequest) -> OrphanMarks:
    if request.param == "fake":
        return FakeTriggerStore()
    clients = request.getfixturevalue("clients")
    return DynamoOrphanMarks(clients, create_table(clients, "triggers"))


@pytest.fixture(params=["fake", "dynamodb"])
def contracts(request: pytest.FixtureRequest) -> ContractMarks:
    if request.param == "fake":
        return FakeContractMarks()
    clients = request.getfixturevalue("clients")
    return DynamoContractMarks(clients, create_table(clients, "triggers"))


def told(targets: list[RuleTarget]) -> list[tuple[str, str, str, str]]:
    return sorted((target.bus, target.rule, target.id, target.pipeline_arn) for target in targets)


class TestRules:
    def test_the_targets_of_a_pipeline_are_found_on_the_default_bus_with_all_that_is_known(self, rules: Rules) -> None:
        [target] = rules.of_pipeline(PIPELINE_ARN)
        assert (target.bus, target.rule, target.id) == ("default", "on-upload", "1")
        assert target.rule_arn == "arn:aws:events:us-east-1:123456789012:rule/on-upload"
        assert target.arn == f"{target.rule_arn}#1"
        assert dict(target.document) == {"Id": "1", "Arn": PIPELINE_ARN, "RoleArn": ROLE}
        assert target.managed_by == ""

    def test_both_spellings_are_found_on_all_buses(self, rules: Rules) -> None:
        assert told(list(rules.of_pipeline(MIXED))) == [
            ("default", "on-upload", "1", PIPELINE_ARN),
            ("team", "on-drift", "1", MIXED),
        ]

    def test_a_rule_on_a_bus_has_the_bus_in_its_arn(self, rules: Rules) -> None:
        assert {target.rule_arn.partition(":rule/")[2] for target in rules.of_pipeline(MIXED)} == {
            "on-upload",
            "team/on-drift",
        }

    def test_a_pipeline_that_no_rule_starts_has_no_targets(self, rules: Rules) -> None:
        assert list(rules.of_pipeline(f"{PIPELINE_ARN}-3")) == []
        assert list(rules.of_pipeline(PIPELINE_ARN[:-1])) == []

    def test_all_targets_are_found_in_any_spelling(self, rules: Rules) -> None:
        assert told(list(rules.targets())) == [
            ("default", "on-upload", "1", PIPELINE_ARN),
            ("default", "on-upload", "2", OTHER),
            ("team", "on-alarm", "1", OTHER),
            ("team", "on-drift", "1", MIXED),
        ]

    def test_targets_that_are_removed_leave_the_others_and_the_rule(self, rules: Rules) -> None:
        assert rules.remove_targets("default", "on-upload", ["1"]) == {}
        assert rules.of_pipeline(PIPELINE_ARN) == []
        assert rules.target_ids("default", "on-upload") == {"2"}
        assert rules.remove_targets("default", "on-upload", ["2"]) == {}
        assert rules.target_ids("default", "on-upload") == frozenset()

    def test_to_remove_what_is_gone_is_fine(self, rules: Rules) -> None:
        assert rules.remove_targets("default", "on-upload", ["1", "9"]) == {}
        assert rules.remove_targets("default", "on-upload", ["1"]) == {}
        assert rules.remove_targets("default", "no-such-rule", ["1"]) == {}

    def test_a_target_that_was_removed_can_be_put_back_as_it_was(self, rules: Rules) -> None:
        before = rules.of_pipeline(PIPELINE_ARN)
        rules.remove_targets("default", "on-upload", ["1"])
        assert rules.put_targets("default", "on-upload", [before[0].document]) == {}
        assert rules.of_pipeline(PIPELINE_ARN) == before

    def test_a_rule_that_is_not_there_is_not_found(self, rules: Rules) -> None:
        with pytest.raises(NotFoundError, match="there is no rule gone on the event bus team"):
            rules.put_targets("team", "gone", [{"Id": "1", "Arn": PIPELINE_ARN}])
        with pytest.raises(NotFoundError, match="there is no rule gone on the event bus default"):
            rules.target_ids("default", "gone")


class TestOrphanMarks:
    def test_nothing_is_marked_at_first(self, marks: OrphanMarks) -> None:
        assert marks.marked() == {}

    def test_a_mark_has_its_first_time_and_no_case(self, marks: OrphanMarks, clock: FakeClock) -> None:
        since = clock.now()
        marks.mark([MIXED, MIXED, OTHER], since)
        marks.mark([PIPELINE_ARN], since + timedelta(hours=6))
        assert marks.marked() == {PIPELINE_ARN: since, OTHER: since}

    def test_a_pipeline_that_is_revived_is_marked_afresh_when_it_goes_again(
        self, marks: OrphanMarks, clock: FakeClock
    ) -> None:
        marks.mark([PIPELINE_ARN, OTHER], clock.now())
        marks.revive([MIXED, f"{PIPELINE_ARN}-9"])
        assert marks.marked() == {OTHER: clock.now()}
        later = clock.now() + timedelta(hours=1)
        marks.mark([PIPELINE_ARN], later)
        assert marks.marked() == {OTHER: clock.now(), PIPELINE_ARN: later}

    def test_no_pipelines_at_all_are_fine(self, marks: OrphanMarks, clock: FakeClock) -> None:
        marks.mark([], clock.now())
        marks.revive([])
        assert marks.marked() == {}

    @pytest.mark.parametrize("store_of", ["fake", "dynamodb"])
    def test_the_marks_stand_beside_the_revision(
        self, store_of: str, clock: FakeClock, request: pytest.FixtureRequest
    ) -> None:
        store: TriggerStore
        marks: OrphanMarks
        if store_of == "fake":
            store = marks = FakeTriggerStore(clock=clock)
        else:
            clients = request.getfixturevalue("clients")
            store = DynamoTriggerStore(clients, create_table(clients, "triggers"), clock)
            marks = DynamoOrphanMarks(clients, "test-triggers")
        assert (store.current().revision, store.current().orphaned) == (0, {})
        marks.mark([PIPELINE_ARN], clock.now())
        assert (store.current().revision, store.current().orphaned) == (0, {PIPELINE_ARN: clock.now()})
        store.write(Snapshot(0, ()), expected_revision=0, by="ann")
        assert (store.current().revision, store.current().orphaned) == (1, {PIPELINE_ARN: clock.now()})


class TestContractMarks:
    def test_nothing_is_broken_at_first(self, contracts: ContractMarks) -> None:
        assert list(contracts.broken()) == []

    def test_a_mark_has_what_the_pipeline_declares_and_no_case(
        self, contracts: ContractMarks, clock: FakeClock
    ) -> None:
        contracts.mark(OTHER, SECOND, clock.now())
        contracts.mark(MIXED, FIRST, clock.now())
        assert list(contracts.broken()) == [
            BrokenPipeline(PIPELINE_ARN, FIRST, clock.now()),
            BrokenPipeline(OTHER, SECOND, clock.now()),
        ]

    def test_a_mark_keeps_its_first_time_and_the_last_definition(
        self, contracts: ContractMarks, clock: FakeClock
    ) -> None:
        contracts.mark(PIPELINE_ARN, FIRST, clock.now())
        contracts.mark(MIXED, SECOND, clock.now() + timedelta(hours=6))
        assert list(contracts.broken()) == [BrokenPipeline(PIPELINE_ARN, SECOND, clock.now())]

    def test_mending_says_whether_anything_was_broken(self, contracts: ContractMarks, clock: FakeClock) -> None:
        contracts.mark(PIPELINE_ARN, FIRST, clock.now())
        contracts.mark(OTHER, FIRST, clock.now())
        assert contracts.mend(MIXED) is True
        assert contracts.mend(MIXED) is False
        assert [broken.arn for broken in contracts.broken()] == [OTHER]

    def test_what_breaks_again_has_a_new_time(self, contracts: ContractMarks, clock: FakeClock) -> None:
        contracts.mark(PIPELINE_ARN, FIRST, clock.now())
        contracts.mend(PIPELINE_ARN)
        later = clock.now() + timedelta(hours=1)
        contracts.mark(PIPELINE_ARN, FIRST, later)
        assert [broken.since for broken in contracts.broken()] == [later]
