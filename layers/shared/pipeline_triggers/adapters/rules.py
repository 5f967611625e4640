"""The rules of EventBridge: implements the port ``Rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable, translate
from pipeline_triggers.domain.ports import RuleTarget
from pipeline_triggers.domain.rule_targets import is_pipeline
from pipeline_triggers.errors import NotFoundError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_events import EventBridgeClient

    from pipeline_triggers.adapters.clients import Clients
    from pipeline_triggers.errors import AwsError

# Of every list, from the service model.
MAX_RESULTS = 100
# Of RemoveTargets and PutTargets (API reference; the model allows 100).
MAX_ENTRIES = 10
MISSING = "ResourceNotFoundException"


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
                for rule in self._on_bus(self._events.list_rules, "Rules", bus):
                    yield from self._targets(bus, rule)

    def target_ids(self, bus: str, rule: str) -> frozenset[str]:
        """The ids of all targets of a rule, whatever they are. NotFoundError when there is no such rule."""
        with readable():
            try:
                return frozenset(str(target["Id"]) for target in self._documents(bus, rule))
            except ClientError as error:
                if code_of(error) == MISSING:
                    raise _no_rule(bus, rule) from error
                raise

    def remove_targets(self, bus: str, rule: str, ids: Sequence[str]) -> Mapping[str, AwsError]:
        """Take targets from a rule; returns what failed, by id. A target or rule that is not there is fine."""
        failed: dict[str, AwsError] = {}
        for first in range(0, len(ids), MAX_ENTRIES):
            some = list(ids[first : first + MAX_ENTRIES])
            with readable():
                try:
                    answer: Mapping[str, Any] = self._events.remove_targets(EventBusName=bus, Rule=rule, Ids=some)
                except ClientError as error:
                    if code_of(error) == MISSING:
                        return failed
                    raise
                failed |= _failed(answer, "RemoveTargets")
        return failed

    def put_targets(self, bus: str, rule: str, documents: Sequence[Mapping[str, Any]]) -> Mapping[str, AwsError]:
        """Give targets to a rule; returns what failed, by id. NotFoundError when there is no such rule."""
        failed: dict[str, AwsError] = {}
        for first in range(0, len(documents), MAX_ENTRIES):
            some: Any = list(documents[first : first + MAX_ENTRIES])
            with readable():
                try:
                    answer: Mapping[str, Any] = self._events.put_targets(EventBusName=bus, Rule=rule, Targets=some)
                except ClientError as error:
                    if code_of(error) == MISSING:
                        raise _no_rule(bus, rule) from error
                    raise
                failed |= _failed(answer, "PutTargets")
        return failed

    @property
    def _events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self._clients.client("events"))

    def _buses(self) -> Iterator[str]:
        for bus in self._pages(self._events.list_event_buses, "EventBuses"):
            yield str(bus["Name"])

    def _rules_with(self, bus: str, target_arns: Sequence[str]) -> Sequence[str]:
        """The names of the rules of a bus that have one of these targets, each once."""
        found = (
            str(name)
            for arn in target_arns
            for name in self._on_bus(self._events.list_rule_names_by_target, "RuleNames", bus, TargetArn=arn)
        )
        return tuple(dict.fromkeys(found))

    def _of_rule(self, bus: str, name: str) -> Iterator[RuleTarget]:
        try:
            rule: Mapping[str, Any] = self._events.describe_rule(EventBusName=bus, Name=name)
        except ClientError as error:
            if code_of(error) == MISSING:
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
            if code_of(error) != MISSING:
                raise

    def _documents(self, bus: str, rule: str) -> Iterator[Mapping[str, Any]]:
        yield from self._pages(self._events.list_targets_by_rule, "Targets", EventBusName=bus, Rule=rule)

    def _on_bus(self, operation: Callable[..., Any], member: str, bus: str, **request: Any) -> Iterator[Any]:
        """What a list has of a bus; nothing when somebody has deleted the bus meanwhile."""
        try:
            yield from self._pages(operation, member, EventBusName=bus, **request)
        except ClientError as error:
            if code_of(error) != MISSING:
                raise

    def _pages(self, operation: Callable[..., Any], member: str, **request: Any) -> Iterator[Any]:
        page: dict[str, Any] = {}
        while True:
            answer = operation(Limit=MAX_RESULTS, **request, **page)
            yield from answer.get(member, ())
            token = answer.get("NextToken")
            if not token:
                return
            if token == page.get("NextToken"):
                raise TransientError("unavailable", f"a list of {member} of EventBridge that repeats itself")
            page = {"NextToken": token}


def _failed(answer: Mapping[str, Any], operation: str) -> Mapping[str, AwsError]:
    """What an answer says of the targets that it was not done for; one that is not there any more is no failure."""
    if not answer["FailedEntryCount"]:
        return {}
    return {
        entry["TargetId"]: translate(
            ClientError({"Error": {"Code": entry["ErrorCode"], "Message": entry.get("ErrorMessage", "")}}, operation)
        )
        for entry in answer["FailedEntries"]
        if (operation, entry["ErrorCode"]) != ("RemoveTargets", MISSING)
    }


def _no_rule(bus: str, rule: str) -> NotFoundError:
    return NotFoundError(f"there is no rule {rule} on the event bus {bus}")
