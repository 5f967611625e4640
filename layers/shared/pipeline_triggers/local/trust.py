"""Whether EventBridge Scheduler may assume a role of the embedded account, by the role's trust policy."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

from pipeline_triggers.local.wire import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

PRINCIPAL = "scheduler.amazonaws.com"
_ACTION = "sts:assumerole"
_WITH_WILDCARDS = frozenset({"stringlike", "arnequals", "arnlike"})


def is_trusted(role_arn: str, group_arn: str) -> bool:
    """Whether the role exists and trusts Scheduler for the schedules of a group.

    Scheduler assumes it on behalf of the group: conditions may ask for ``aws:SourceAccount``, and for the ARN of the
    schedule group as ``aws:SourceArn`` (Scheduler user guide, "Confused deputy prevention"). Conditions on anything
    else, or with other operators than those that compare strings and ARNs, do not hold.
    """
    documents = [role.assume_role_policy_document for role in _roles() if role.arn == role_arn]
    context = {"aws:sourceaccount": ACCOUNT, "aws:sourcearn": group_arn}
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed(_read(document)["Statement"])
        if _concerns(statement) and _holds(statement.get("Condition") or {}, context)
    }
    return effects == {"Allow"}


def _roles() -> list[Any]:
    return list(iam_backends[ACCOUNT]["aws"].roles.values())


def _read(document: Any) -> Mapping[str, Any]:
    """A policy; moto keeps that of a template as it is, and others as text."""
    policy: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return policy


def _concerns(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal") or {}
    services = ["*"] if principal == "*" else _listed(principal.get("Service", []))
    actions = [str(action).lower() for action in _listed(statement.get("Action", []))]
    return bool({PRINCIPAL, "*"} & set(services)) and any(fnmatchcase(_ACTION, action) for action in actions)


def _holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        key.lower() in context and _matches(operator.lower(), context[key.lower()], _listed(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _matches(operator: str, value: str, wanted: list[Any]) -> bool:
    if operator == "stringequals":
        return value in wanted
    return operator in _WITH_WILDCARDS and any(fnmatchcase(value, each) for each in wanted)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
