"""Rules of EventBridge, as its interface tells them, read as triggers: by the reader of rules in trigger files."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline_triggers import documents
from pipeline_triggers.documents.spellings import PARAMETERS_KEY
from pipeline_triggers.domain import limits
from pipeline_triggers.domain.imported_schedules import short_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.executions import Home
    from pipeline_triggers.domain.triggers import Trigger
    from pipeline_triggers.errors import Problem

_OF_THE_RULE = ("Description", "State", "EventPattern", "ScheduleExpression")


def trigger_of_rule(
    rule: Mapping[str, Any],
    targets: Sequence[Mapping[str, Any]],
    tags: Mapping[str, str],
    home: Home,
    *,
    name: str,
    set: str,  # noqa: A002 - the word of trigger files
) -> tuple[Trigger, tuple[Problem, ...]]:
    """The trigger that does what a rule does for those ``targets`` of it that are pipelines, and warnings.

    ``rule`` is what ListRules tells of it, ``targets`` what ListTargetsByRule does. The role, dead-letter queue and
    retries of a target have nothing to act on here; whoever reports on the rule speaks of them. Raises
    InvalidTriggerError for what a trigger cannot say, with the fields as the rule calls them.
    """
    document: dict[str, Any] = {"Name": name, **{key: rule[key] for key in _OF_THE_RULE if rule.get(key)}}
    document["Targets"] = [
        {
            "Id": target["Id"],
            "Arn": short_pipeline(target["Arn"], home),
            **({PARAMETERS_KEY: target[PARAMETERS_KEY]} if target.get(PARAMETERS_KEY) else {}),
        }
        for target in targets
    ]
    kept = {
        key: value for key, value in tags.items() if limits.TAG_KEY.accepts(key) and limits.TAG_VALUE.accepts(value)
    }
    if kept:
        document["Tags"] = [{"Key": key, "Value": value} for key, value in kept.items()]
    read = documents.load(json.dumps(document))
    return replace(read.triggers[0], set=set), read.warnings
