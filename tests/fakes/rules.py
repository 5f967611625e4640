"""The rules of EventBridge in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.rules import RuleTarget
from pipeline_triggers.errors import AwsError, NotFoundError, PermanentError
from tests.fakes.pipelines import HOME
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.domain.executions import Home

ROLE = "arn:aws:iam::123456789012:role/rules"
# What the service has in the ARNs of rules for its bus named default: nothing.
DEFAULT_BUS = "default"


@dataclass
class FakeRules(Recording):
    """The port ``Rules``; a rule exists once it is added. Targets that are no pipelines are left to the adapter.

    ``stuck`` are the ids of targets that the service will neither remove nor put, with its error.
    """

    home: Home = HOME
    stuck: dict[str, AwsError] = field(default_factory=dict)
    _managed_by: dict[tuple[str, str], str] = field(default_factory=dict)
    _targets: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def add(
        self,
        rule: str,
        *pipeline_arns: str,
        bus: str = DEFAULT_BUS,
        managed_by: str = "",
        **document: Any,
    ) -> tuple[RuleTarget, ...]:
        """Make a rule with a target for each pipeline, ids "1", "2" and so on; returns the targets."""
        self._managed_by[bus, rule] = managed_by
        self._targets[bus, rule] = {
            str(number): {"Id": str(number), "Arn": arn, "RoleArn": ROLE, **document}
            for number, arn in enumerate(pipeline_arns, start=1)
        }
        return tuple(self._of_rule(bus, rule))

    def remove(self, rule: str, bus: str = DEFAULT_BUS) -> None:
        """Delete a rule with its targets."""
        del self._targets[bus, rule]

    @property
    def ids(self) -> dict[tuple[str, str], list[str]]:
        """The ids of the targets of each rule, by bus and name."""
        return {key: list(targets) for key, targets in self._targets.items()}

    def of_pipeline(self, pipeline_arn: str) -> Sequence[RuleTarget]:
        """As the service does it: by the exact spelling, which is asked for as given and in lower case."""
        with self.call("of_pipeline", pipeline_arn=pipeline_arn):
            spellings = {pipeline_arn, pipeline_arn.lower()}
            return [target for target in self._all() if target.pipeline_arn in spellings]

    def targets(self) -> Iterator[RuleTarget]:
        """All of them."""
        with self.call("targets"):
            return iter(list(self._all()))

    def target_ids(self, bus: str, rule: str) -> frozenset[str]:
        """Those of the pipelines."""
        with self.call("target_ids", bus=bus, rule=rule):
            return frozenset(self._targets_of(bus, rule))

    def remove_targets(self, bus: str, rule: str, ids: Sequence[str]) -> Mapping[str, AwsError]:
        """Gone, but for those that are stuck; a managed rule lets none go."""
        with self.call("remove_targets", bus=bus, rule=rule, ids=ids):
            failed = self._refused(bus, rule, ids)
            for id_ in set(ids) - failed.keys():
                self._targets.get((bus, rule), {}).pop(id_, None)
            return failed

    def put_targets(self, bus: str, rule: str, documents: Sequence[Mapping[str, Any]]) -> Mapping[str, AwsError]:
        """There, but for those that are stuck; the rule must be there."""
        with self.call("put_targets", bus=bus, rule=rule, documents=documents):
            targets = self._targets_of(bus, rule)
            failed = self._refused(bus, rule, [document["Id"] for document in documents])
            for document in documents:
                if document["Id"] not in failed:
                    targets[document["Id"]] = document
            return failed

    def _targets_of(self, bus: str, rule: str) -> dict[str, Mapping[str, Any]]:
        if (bus, rule) not in self._targets:
            raise NotFoundError(f"there is no rule {rule} on the event bus {bus}")
        return self._targets[bus, rule]

    def _refused(self, bus: str, rule: str, ids: Sequence[str]) -> dict[str, AwsError]:
        if service := self._managed_by.get((bus, rule)):
            refusal = PermanentError("access-denied", f"the rule {rule} is managed by {service}")
            return dict.fromkeys(ids, refusal)
        return {id_: self.stuck[id_] for id_ in ids if id_ in self.stuck}

    def _all(self) -> Iterator[RuleTarget]:
        for bus, rule in self._targets:
            yield from self._of_rule(bus, rule)

    def _of_rule(self, bus: str, rule: str) -> Iterator[RuleTarget]:
        path = rule if bus == DEFAULT_BUS else f"{bus}/{rule}"
        arn = f"arn:{self.home.partition}:events:{self.home.region}:{self.home.account}:rule/{path}"
        for id_, document in self._targets[bus, rule].items():
            yield RuleTarget(arn, bus, rule, id_, document["Arn"], document, self._managed_by[bus, rule])
