"""The rules of EventBridge: implements the port ``Rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import readable, translate
from pipeline_triggers.adapters.rule_lists import existing, is_missing, pages, pages_if_there
from pipeline_triggers.domain.rule_targets import is_pipeline
from pipeline_triggers.domain.rules import RuleTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_events import EventBridgeClient

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.errors import AwsError

# Of RemoveTargets and PutTargets (API reference; the model allows 100).
MAX_ENTRIES = 10


class EventBridgeRules:
    """The rules of this account and Region, on all event buses."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of_pipeline(self, pipeline_arn: str) -> Sequence[RuleTarget]:
        """The targets that start one pipeline, under the ARN as given and in lower case.

        A call for each bus and spelling, and two for each rule that is found.
        """
        spellings = tuple(dict.fromkeys((pipeline_arn, pipeline_arn.lower())))
        with readable():
            return [
                target
                for bus in self._buses()
                for rule in self._rules_with(bus, spellings)
                for target in self._of_rule(bus, rule)
                if target.pipeline_arn in spellings
            ]

    def targets(self) -> Iterator[RuleTarget]:
        """All targets that start pipelines, in any spelling: a call for each bus and for each rule."""
        with readable():
            for bus in self._buses():
                for rule in pages_if_there(self._events.list_rules, "Rules", EventBusName=bus):
                    yield from self._targets(bus, rule)

    def target_ids(self, bus: str, rule: str) -> frozenset[str]:
        """The ids of all targets of a rule, whatever they are. NotFoundError when there is no such rule."""
        with readable(), existing(bus, rule):
            return frozenset(str(target["Id"]) for target in self._documents(bus, rule))

    def remove_targets(self, bus: str, rule: str, ids: Sequence[str]) -> Mapping[str, AwsError]:
        """Take targets from a rule; returns what failed, by id. A target or rule that is not there is fine."""
        failed: dict[str, AwsError] = {}
        for first in range(0, len(ids), MAX_ENTRIES):
            some = list(ids[first : first + MAX_ENTRIES])
            with readable():
                try:
                    answer: Mapping[str, Any] = self._events.remove_targets(EventBusName=bus, Rule=rule, Ids=some)
                except ClientError as error:
                    if is_missing(error):
                        return failed
                    raise
                failed |= _failed(answer, "RemoveTargets")
        return failed

    def put_targets(self, bus: str, rule: str, documents: Sequence[Mapping[str, Any]]) -> Mapping[str, AwsError]:
        """Give targets to a rule; returns what failed, by id. NotFoundError when there is no such rule."""
        failed: dict[str, AwsError] = {}
        for first in range(0, len(documents), MAX_ENTRIES):
            some: Any = list(documents[first : first + MAX_ENTRIES])
            with readable(), existing(bus, rule):
                answer: Mapping[str, Any] = self._events.put_targets(EventBusName=bus, Rule=rule, Targets=some)
                failed |= _failed(answer, "PutTargets")
        return failed

    @property
    def _events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self._clients.client("events"))

    def _buses(self) -> Iterator[str]:
        for bus in pages(self._events.list_event_buses, "EventBuses"):
            yield str(bus["Name"])

    def _rules_with(self, bus: str, target_arns: Sequence[str]) -> Sequence[str]:
        """The names of the rules of a bus that have one of these targets, each once."""
        found = (
            str(name)
            for arn in target_arns
            for name in pages_if_there(
                self._events.list_rule_names_by_target, "RuleNames", EventBusName=bus, TargetArn=arn
            )
        )
        return tuple(dict.fromkeys(found))

    def _of_rule(self, bus: str, name: str) -> Iterator[RuleTarget]:
        try:
            rule: Mapping[str, Any] = self._events.describe_rule(EventBusName=bus, Name=name)
        except ClientError as error:
            if is_missing(error):
                return
            raise
        yield from self._targets(bus, rule)

    def _targets(self, bus: str, rule: Mapping[str, Any]) -> Iterator[RuleTarget]:
        """The targets of a rule that are pipelines; none when somebody has deleted the rule meanwhile."""
        try:
            for target in self._documents(bus, rule["Name"]):
                if is_pipeline(target["Arn"]):
                    yield RuleTarget(
                        rule_arn=rule["Arn"],
                        bus=bus,
                        rule=rule["Name"],
                        id=target["Id"],
                        pipeline_arn=target["Arn"],
                        document=target,
                        managed_by=rule.get("ManagedBy", ""),
                    )
        except ClientError as error:
            if not is_missing(error):
                raise

    def _documents(self, bus: str, rule: str) -> Iterator[Mapping[str, Any]]:
        yield from pages(self._events.list_targets_by_rule, "Targets", EventBusName=bus, Rule=rule)


def _failed(answer: Mapping[str, Any], operation: str) -> Mapping[str, AwsError]:
    """What an answer says of the targets that it was not done for; one that is not there any more is no failure."""
    if not answer["FailedEntryCount"]:
        return {}
    return {
        entry["TargetId"]: translate(
            ClientError({"Error": {"Code": entry["ErrorCode"], "Message": entry.get("ErrorMessage", "")}}, operation)
        )
        for entry in answer["FailedEntries"]
        if (operation, entry["ErrorCode"]) != ("RemoveTargets", "ResourceNotFoundException")
    }
