"""What is asked of EventBridge about rules, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.rule_definitions import EventBridgeRuleBook
from pipeline_triggers.domain.rules import RuleDefinition
from pipeline_triggers.errors import NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:events:us-east-1:123456789012:rule/own/retrain"
LISTED = {"Name": "retrain", "Arn": ARN, "State": "ENABLED", "EventPattern": "{}", "EventBusName": "own"}
RULE = RuleDefinition(ARN, "own", "retrain", LISTED)
TARGET = {"Id": "1", "Arn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def events(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.client("events")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def book(clients: Clients) -> EventBridgeRuleBook:
    return EventBridgeRuleBook(clients)


def test_buses_come_from_all_pages(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_response("list_event_buses", {"EventBuses": [{"Name": "default"}], "NextToken": "2"}, {"Limit": 100})
    events.add_response("list_event_buses", {"EventBuses": [{"Name": "own"}]}, {"Limit": 100, "NextToken": "2"})
    assert list(book.buses()) == ["default", "own"]


def test_rules_come_from_all_pages_and_know_their_bus(book: EventBridgeRuleBook, events: Stubber) -> None:
    asked = {"EventBusName": "own", "Limit": 100}
    events.add_response("list_rules", {"Rules": [LISTED], "NextToken": "2"}, asked)
    events.add_response("list_rules", {"Rules": []}, {**asked, "NextToken": "2"})
    assert list(book.rules("own")) == [RULE]


def test_targets_come_from_all_pages(book: EventBridgeRuleBook, events: Stubber) -> None:
    asked = {"EventBusName": "own", "Rule": "retrain", "Limit": 100}
    events.add_response("list_targets_by_rule", {"Targets": [TARGET], "NextToken": "2"}, asked)
    events.add_response("list_targets_by_rule", {"Targets": [{**TARGET, "Id": "2"}]}, {**asked, "NextToken": "2"})
    assert [target["Id"] for target in book.targets(RULE)] == ["1", "2"]


def test_the_rules_of_a_bus_that_is_gone_are_none(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_client_error("list_rules", "ResourceNotFoundException")
    assert list(book.rules("gone")) == []


def test_a_rule_is_described_without_what_is_only_of_the_answer(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_response("describe_rule", LISTED, {"EventBusName": "own", "Name": "retrain"})
    assert book.rule("own", "retrain") == RULE


def test_tags_are_an_object(book: EventBridgeRuleBook, events: Stubber) -> None:
    answer = {"Tags": [{"Key": "team", "Value": "churn"}]}
    events.add_response("list_tags_for_resource", answer, {"ResourceARN": ARN})
    assert book.tags(RULE) == {"team": "churn"}


def test_a_rule_is_disabled_by_its_bus_and_name(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_response("disable_rule", {}, {"EventBusName": "own", "Name": "retrain"})
    book.disable(RULE)


def test_a_rule_that_is_gone_is_told_in_words(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_client_error("disable_rule", "ResourceNotFoundException")
    with pytest.raises(NotFoundError, match="there is no rule retrain on the event bus own"):
        book.disable(RULE)


def test_any_other_failure_is_told(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_client_error("list_rules", "AccessDeniedException")
    with pytest.raises(TransientError) as raised:
        list(book.rules("own"))
    assert raised.value.is_denied


def test_an_answer_without_rules_cannot_be_read(book: EventBridgeRuleBook, events: Stubber) -> None:
    events.add_response("list_rules", {}, {"EventBusName": "own", "Limit": 100})
    with pytest.raises(TransientError, match="cannot be read"):
        list(book.rules("own"))
