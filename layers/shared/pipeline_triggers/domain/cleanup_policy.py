"""What a clean-up may delete: its mode, the cap, and what is protected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.orphans import Mode

RuleTargets = Literal["report", "remove"]

# Schedules themselves have no tags (EventBridge Scheduler tags groups only), so there are three ways to protect one.
PROTECTING_TAG = ("pipeline-triggers:protect", "true")
PROTECTING_WORDS = "[pipeline-triggers:protect]"
# group/name, with * for any text and ? for any character: IAM reads its resources in the same way.
NAME_PATTERN = re.compile(r"[0-9A-Za-z_.*?-]+/[0-9A-Za-z_.*?-]+", re.ASCII)

# So many schedules may go whatever their share is: of four, two are half.
FREE_OF_SHARE = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """What clean-ups of a stack may delete.

    At most ``max_deletes`` in one run, and in a sweep at most ``max_share`` percent of the schedules that start
    pipelines. ``protected`` are patterns of ``group/name``. In the mode ``report`` nothing is deleted;
    ``rule_targets`` says whether the targets of people's rules are removed or only reported.
    """

    mode: Mode = "delete"
    max_deletes: int = 200
    max_share: int = 50
    protected: tuple[str, ...] = ()
    rule_targets: RuleTargets = "report"

    @property
    def removes_targets(self) -> bool:
        """Whether targets of rules are removed at all."""
        return self.mode == "delete" and self.rule_targets == "remove"

    def allowed(self, looked_at: int) -> int:
        """How much a sweep may delete that has looked at so many schedules which start pipelines."""
        return min(self.max_deletes, max(FREE_OF_SHARE, looked_at * self.max_share // 100))

    def protects_name(self, group: str, name: str) -> bool:
        """Whether one of the patterns names this schedule."""
        return any(fnmatchcase(f"{group}/{name}", pattern) for pattern in self.protected)


def protects_group(tags: Mapping[str, str]) -> bool:
    """Whether the tags of a schedule group protect what is in it."""
    name, value = PROTECTING_TAG
    return tags.get(name, "").casefold() == value


def protects_itself(document: Mapping[str, Any]) -> bool:
    """Whether the description of a schedule, as GetSchedule answers it, protects it."""
    return PROTECTING_WORDS in str(document.get("Description") or "").casefold()
