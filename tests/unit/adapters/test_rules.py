"""What is asked of EventBridge about rules, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.rules import EventBridgeRules
from pipeline_triggers.errors import AwsError, NotFoundError, PermanentError, TransientError
from tests.samples import PIPELINE_ARN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RULE_ARN = "arn:aws:events:us-east-1:123456789012:rule/on-upload"
RULE = {"Name": "on-upload", "Arn": RULE_ARN, "EventBusName": "default"}
BUS = {"EventBusName": "default"}
BUSES = {"EventBuses": [{"Name": "default"}]}
TARGET = {"Id": "1", "Arn": PIPELINE_ARN}
QUEUE = {"Id": "2", "Arn": "arn:aws:sqs:us-east-1:123456789012:pipeline"}


@pytest.fixture
def clients() -> Clients:
    return Clients(region="us-east-1")


@pytest.fixture
def events(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.client("events")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def rules(clients: Clients) -> EventBridgeRules:
    return EventBridgeRules(clients)


def of_targets(**more: Any) -> dict[str, Any]:
    return {**BUS, "Rule": "on-upload", "Limit": 100, **more}


def test_every_page_of_every_list_is_read(events: Stubber, rules: EventBridgeRules) -> None:
    events.add_response("list_event_buses", {**BUSES, "NextToken": "b"}, {"Limit": 100})
    asked = {**BUS, "TargetArn": PIPELINE_ARN, "Limit": 100}
    events.add_response("list_rule_names_by_target", {"RuleNames": [], "NextToken": "r"}, asked)
    events.add_response("list_rule_names_by_target", {"RuleNames": ["on-upload"]}, {**asked, "NextToken": "r"})
    events.add_response("describe_rule", RULE, {**BUS, "Name": "on-upload"})
    events.add_response("list_targets_by_rule", {"Targets": [QUEUE], "NextToken": "t"}, of_targets())
    events.add_response("list_targets_by_rule", {"Targets": [TARGET]}, of_targets(NextToken="t"))
    events.add_response("list_event_buses", {"EventBuses": []}, {"Limit": 100, "NextToken": "b"})
    assert [target.id for target in rules.of_pipeline(PIPELINE_ARN)] == ["1"]


def test_a_list_that_repeats_itself_is_not_believed(events: Stubber, rules: EventBridgeRules) -> None:
    for asked in ({"Limit": 100}, {"Limit": 100, "NextToken": "again"}):
        events.add_response("list_event_buses", {"EventBuses": [], "NextToken": "again"}, asked)
    with pytest.raises(TransientError, match="repeats itself"):
        rules.of_pipeline(PIPELINE_ARN)


def test_a_rule_that_aws_manages_is_told_as_such(events: Stubber, rules: EventBridgeRules) -> None:
    events.add_response("list_event_buses", BUSES)
    events.add_response("list_rules", {"Rules": [{**RULE, "ManagedBy": "states.amazonaws.com"}]})
    events.add_response("list_targets_by_rule", {"Targets": [TARGET, QUEUE]})
    [target] = rules.targets()
    assert target.managed_by == "states.amazonaws.com"


@pytest.mark.parametrize("gone", ["describe_rule", "list_targets_by_rule"])
def test_a_rule_that_goes_while_it_is_read_has_no_targets(events: Stubber, rules: EventBridgeRules, gone: str) -> None:
    events.add_response("list_event_buses", BUSES)
    events.add_response("list_rule_names_by_target", {"RuleNames": ["on-upload"]})
    if gone == "list_targets_by_rule":
        events.add_response("describe_rule", RULE)
    events.add_client_error(gone, "ResourceNotFoundException")
    assert rules.of_pipeline(PIPELINE_ARN) == []


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("list_rule_names_by_target", lambda rules: rules.of_pipeline(PIPELINE_ARN)),
        ("list_rules", lambda rules: list(rules.targets())),
    ],
)
def test_a_bus_that_goes_while_it_is_read_has_no_rules(
    events: Stubber, rules: EventBridgeRules, operation: str, call: Callable[[EventBridgeRules], Any]
) -> None:
    events.add_response("list_event_buses", BUSES)
    events.add_client_error(operation, "ResourceNotFoundException")
    assert call(rules) == []


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("list_event_buses", lambda rules: rules.of_pipeline(PIPELINE_ARN)),
        ("list_event_buses", lambda rules: list(rules.targets())),
        ("list_targets_by_rule", lambda rules: rules.target_ids("default", "on-upload")),
        ("remove_targets", lambda rules: rules.remove_targets("default", "on-upload", ["1"])),
        ("put_targets", lambda rules: rules.put_targets("default", "on-upload", [TARGET])),
    ],
)
def test_what_may_not_be_asked_is_raised(
    events: Stubber, rules: EventBridgeRules, operation: str, call: Callable[[EventBridgeRules], Any]
) -> None:
    events.add_client_error(operation, "AccessDeniedException")
    with pytest.raises(TransientError) as raised:
        call(rules)
    assert raised.value.reason == "denied-yet"


def test_no_request_has_more_than_ten_targets(events: Stubber, rules: EventBridgeRules) -> None:
    ids = [str(number) for number in range(23)]
    for some in (ids[:10], ids[10:20], ids[20:]):
        asked = {**BUS, "Rule": "on-upload", "Ids": some}
        events.add_response("remove_targets", {"FailedEntryCount": 0, "FailedEntries": []}, asked)
    assert rules.remove_targets("default", "on-upload", ids) == {}
    documents = [{"Id": id_, "Arn": PIPELINE_ARN} for id_ in ids]
    for those in (documents[:10], documents[10:20], documents[20:]):
        wanted = {**BUS, "Rule": "on-upload", "Targets": those}
        events.add_response("put_targets", {"FailedEntryCount": 0, "FailedEntries": []}, wanted)
    assert rules.put_targets("default", "on-upload", documents) == {}


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("ConcurrentModificationException", TransientError, "conflict"),
        ("InternalException", TransientError, "unavailable"),
        ("ThrottlingException", TransientError, "throttled"),
        ("ManagedRuleException", PermanentError, "refused-by-sagemaker"),
    ],
)
def test_a_request_that_was_done_in_part_says_what_failed_and_why(
    events: Stubber, rules: EventBridgeRules, code: str, kind: type[AwsError], reason: str
) -> None:
    failed = {"TargetId": "2", "ErrorCode": code, "ErrorMessage": "said EventBridge"}
    for operation in ("remove_targets", "put_targets"):
        events.add_response(operation, {"FailedEntryCount": 1, "FailedEntries": [failed]})
    answers = (
        rules.remove_targets("default", "on-upload", ["1", "2"]),
        rules.put_targets("default", "on-upload", [TARGET, {"Id": "2", "Arn": PIPELINE_ARN}]),
    )
    for answer in answers:
        [(id_, error)] = answer.items()
        assert (id_, type(error), error.reason) == ("2", kind, reason)
        assert "said EventBridge" in str(error)


def test_a_target_that_was_gone_before_it_was_removed_did_not_fail(events: Stubber, rules: EventBridgeRules) -> None:
    failed = {"TargetId": "1", "ErrorCode": "ResourceNotFoundException"}
    events.add_response("remove_targets", {"FailedEntryCount": 1, "FailedEntries": [failed]})
    assert rules.remove_targets("default", "on-upload", ["1"]) == {}


def test_an_answer_that_does_not_say_what_failed_is_not_believed(events: Stubber, rules: EventBridgeRules) -> None:
    events.add_response("remove_targets", {})
    with pytest.raises(TransientError, match="cannot be read"):
        rules.remove_targets("default", "on-upload", ["1"])


def test_a_rule_that_is_gone_is_not_found_when_targets_are_put_back(events: Stubber, rules: EventBridgeRules) -> None:
    events.add_client_error("put_targets", "ResourceNotFoundException")
    with pytest.raises(NotFoundError):
        rules.put_targets("default", "on-upload", [TARGET])
