"""The rules of EventBridge as they are defined: implements the port ``RuleBook``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translated
from pipeline_triggers.domain.ports import RuleDefinition
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_events import EventBridgeClient

    from pipeline_triggers.adapters.clients import Clients

# Of every list, from the service model.
MAX_RESULTS = 100
MISSING = "ResourceNotFoundException"


class EventBridgeRuleBook:
    """The rules of this account and Region, on all event buses."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def buses(self) -> Iterator[str]:
        """The names of all event buses."""
        for bus in self._pages(self._events.list_event_buses, "EventBuses", Limit=MAX_RESULTS):
            yield str(bus["Name"])

    def rules(self, bus: str) -> Iterator[RuleDefinition]:
        """The rules of an event bus; one that is not there has none."""
        for rule in self._pages(self._events.list_rules, "Rules", EventBusName=bus, Limit=MAX_RESULTS):
            yield _definition(bus, rule)

    def rule(self, bus: str, name: str) -> RuleDefinition:
        """One rule. NotFoundError when there is none."""
        with readable(), _found(bus, name):
            answer: Mapping[str, Any] = self._events.describe_rule(EventBusName=bus, Name=name)
            return _definition(bus, {key: value for key, value in answer.items() if key != "ResponseMetadata"})

    def targets(self, rule: RuleDefinition) -> Sequence[Mapping[str, Any]]:
        """The targets of a rule, as ListTargetsByRule answers them. A rule that is not there has none."""
        asked = {"EventBusName": rule.bus, "Rule": rule.name, "Limit": MAX_RESULTS}
        return tuple(self._pages(self._events.list_targets_by_rule, "Targets", **asked))

    def tags(self, rule: RuleDefinition) -> Mapping[str, str]:
        """The tags of a rule."""
        with readable(), _found(rule.bus, rule.name):
            answer: Mapping[str, Any] = self._events.list_tags_for_resource(ResourceARN=rule.arn)
            return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}

    def disable(self, rule: RuleDefinition) -> None:
        """Disable a rule. NotFoundError when there is none."""
        with translated(), _found(rule.bus, rule.name):
            self._events.disable_rule(EventBusName=rule.bus, Name=rule.name)

    @property
    def _events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self._clients.client("events"))

    def _pages(self, call: Callable[..., Any], key: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
        """The entries of a list, page by page; none when what they are of is not there."""
        while True:
            with readable():
                try:
                    answer: Mapping[str, Any] = call(**asked)
                except ClientError as error:
                    if code_of(error) == MISSING:
                        return
                    raise
                entries = list(answer[key])
            yield from entries
            if not answer.get("NextToken"):
                return
            asked["NextToken"] = answer["NextToken"]


def _definition(bus: str, rule: Mapping[str, Any]) -> RuleDefinition:
    return RuleDefinition(arn=rule["Arn"], bus=bus, name=rule["Name"], document=rule)


@contextmanager
def _found(bus: str, name: str) -> Iterator[None]:
    """Say in words that there is no such rule."""
    try:
        yield
    except ClientError as error:
        if code_of(error) == MISSING:
            raise NotFoundError(f"there is no rule {name} on the event bus {bus}") from error
        raise
