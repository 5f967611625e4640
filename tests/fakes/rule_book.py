"""The rules of EventBridge as they are defined, in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.rules import RuleDefinition
from pipeline_triggers.errors import NotFoundError
from tests.fakes.pipelines import HOME
from tests.fakes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_triggers.domain.executions import Home

DEFAULT_BUS = "default"


@dataclass
class FakeRuleBook(Recording):
    """The port ``RuleBook``; rules and their buses exist once they are added, beside the bus named default."""

    home: Home = HOME
    _rules: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _targets: dict[tuple[str, str], list[Mapping[str, Any]]] = field(default_factory=dict)
    _tags: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        pattern: Mapping[str, Any] | None = None,
        *targets: Mapping[str, Any],
        bus: str = DEFAULT_BUS,
        tags: Mapping[str, str] | None = None,
        **document: Any,
    ) -> str:
        """Make a rule; returns its ARN."""
        path = name if bus == DEFAULT_BUS else f"{bus}/{name}"
        arn = f"arn:{self.home.partition}:events:{self.home.region}:{self.home.account}:rule/{path}"
        of_pattern = {} if pattern is None else {"EventPattern": json.dumps(pattern)}
        whole = {"Name": name, "Arn": arn, "State": "ENABLED", "EventBusName": bus, **of_pattern, **document}
        self._rules[bus, name] = whole
        self._targets[bus, name] = list(targets)
        self._tags[bus, name] = tags or {}
        return arn

    def remove(self, name: str, bus: str = DEFAULT_BUS) -> None:
        """Delete a rule with its targets."""
        del self._rules[bus, name], self._targets[bus, name], self._tags[bus, name]

    def state(self, name: str, bus: str = DEFAULT_BUS) -> str:
        """Whether a rule is enabled."""
        return str(self._rules[bus, name]["State"])

    def buses(self) -> Iterator[str]:
        """The default one first."""
        with self.call("buses"):
            return iter(dict.fromkeys([DEFAULT_BUS, *(bus for bus, _ in self._rules)]))

    def rules(self, bus: str) -> Iterator[RuleDefinition]:
        """In the order in which they were added."""
        with self.call("rules", bus=bus):
            return iter([self._definition(*key) for key in self._rules if key[0] == bus])

    def rule(self, bus: str, name: str) -> RuleDefinition:
        """As it was added."""
        with self.call("rule", bus=bus, name=name):
            return self._definition(bus, name)

    def targets(self, rule: RuleDefinition) -> Sequence[Mapping[str, Any]]:
        """As they were added."""
        with self.call("targets", rule=rule):
            return tuple(self._targets.get((rule.bus, rule.name), ()))

    def tags(self, rule: RuleDefinition) -> Mapping[str, str]:
        """As they were added."""
        with self.call("tags", rule=rule):
            self._definition(rule.bus, rule.name)
            return self._tags[rule.bus, rule.name]

    def disable(self, rule: RuleDefinition) -> None:
        """Nothing but its state is changed."""
        with self.call("disable", rule=rule):
            self._definition(rule.bus, rule.name)
            self._rules[rule.bus, rule.name]["State"] = "DISABLED"

    def _definition(self, bus: str, name: str) -> RuleDefinition:
        if (bus, name) not in self._rules:
            raise NotFoundError(f"there is no rule {name} on the event bus {bus}")
        document = self._rules[bus, name]
        return RuleDefinition(document["Arn"], bus, name, dict(document))
