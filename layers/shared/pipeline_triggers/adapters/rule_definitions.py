"""The rules of EventBridge as they are defined: implements the port ``RuleBook``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pipeline_triggers.adapters.failures import readable, translated
from pipeline_triggers.adapters.rule_lists import existing, pages, pages_if_there
from pipeline_triggers.domain.rules import RuleDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_events import EventBridgeClient

    from pipeline_triggers.adapters.clients import Clients


class EventBridgeRuleBook:
    """The rules of this account and Region, on all event buses."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def buses(self) -> Iterator[str]:
        """The names of all event buses."""
        with readable():
            for bus in pages(self._events.list_event_buses, "EventBuses"):
                yield str(bus["Name"])

    def rules(self, bus: str) -> Iterator[RuleDefinition]:
        """The rules of an event bus; one that is not there has none."""
        with readable():
            for rule in pages_if_there(self._events.list_rules, "Rules", EventBusName=bus):
                yield _definition(bus, rule)

    def rule(self, bus: str, name: str) -> RuleDefinition:
        """One rule. NotFoundError when there is none."""
        with readable(), existing(bus, name):
            answer: Mapping[str, Any] = self._events.describe_rule(EventBusName=bus, Name=name)
            return _definition(bus, {key: value for key, value in answer.items() if key != "ResponseMetadata"})

    def targets(self, rule: RuleDefinition) -> Sequence[Mapping[str, Any]]:
        """The targets of a rule, as ListTargetsByRule answers them. A rule that is not there has none."""
        with readable():
            listed = pages_if_there(self._events.list_targets_by_rule, "Targets", EventBusName=rule.bus, Rule=rule.name)
            return tuple(listed)

    def tags(self, rule: RuleDefinition) -> Mapping[str, str]:
        """The tags of a rule."""
        with readable(), existing(rule.bus, rule.name):
            answer: Mapping[str, Any] = self._events.list_tags_for_resource(ResourceARN=rule.arn)
            return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}

    def disable(self, rule: RuleDefinition) -> None:
        """Disable a rule. NotFoundError when there is none."""
        with translated(), existing(rule.bus, rule.name):
            self._events.disable_rule(EventBusName=rule.bus, Name=rule.name)

    @property
    def _events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self._clients.client("events"))


def _definition(bus: str, rule: Mapping[str, Any]) -> RuleDefinition:
    return RuleDefinition(arn=rule["Arn"], bus=bus, name=rule["Name"], document=rule)
