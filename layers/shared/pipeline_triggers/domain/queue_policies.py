"""Whether a queue's policy lets an AWS service send to it on behalf of a rule or topic, as far as the policy tells.

A queue that refuses what is sent to it loses it without a word: EventBridge and SNS do not try again what they may not.
The rules are those of IAM's policy language, in the part that policies of queues use: services as principals, globs in
actions and resources, and conditions on the source's ARN and account. What else a statement says is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from typing import Literal as OneOf

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = OneOf["allowed", "refused", "unclear"]
# Whether something holds; None when that cannot be said.
Holds: TypeAlias = bool | None

_SEND = "sqs:sendmessage"
# Operators of conditions that compare text, and whether * and ? stand for other characters in what they compare with.
_OPERATORS = {"arnequals": True, "arnlike": True, "stringlike": True, "stringequals": False, "bool": False}
_NEGATED = ("NotPrincipal", "NotAction", "NotResource")


def verdict(policy: Mapping[str, Any], *, queue_arn: str, service: str, source_arn: str) -> Verdict:
    """Whether ``service`` (``sns.amazonaws.com``) may send to a queue on behalf of the rule or topic ``source_arn``.

    A policy without statements refuses: a service has no right of its own. ``unclear`` when it depends on what is not
    judged here.
    """
    held: dict[str, set[Holds]] = {"Allow": set(), "Deny": set()}
    for statement in _listed(policy.get("Statement", [])):
        if isinstance(statement, Mapping) and statement.get("Effect") in held:
            held[statement["Effect"]].add(_holds(statement, queue_arn, service, source_arn))
    if True in held["Deny"] or not held["Allow"] - {False}:
        return "refused"
    return "allowed" if True in held["Allow"] and None not in held["Deny"] else "unclear"


def _holds(statement: Mapping[str, Any], queue_arn: str, service: str, source_arn: str) -> Holds:
    """Whether a statement is about what the service sends to this queue, and its conditions are met."""
    if any(key in statement for key in _NEGATED):
        return None
    actions = [str(action).lower() for action in _listed(statement.get("Action", []))]
    resources = [str(resource) for resource in _listed(statement.get("Resource", "*"))]
    is_meant = (
        any(each in (service, "*") for each in _services(statement.get("Principal")))
        and any(_matches(action, _SEND) for action in actions)
        and any(_matches(resource, queue_arn) for resource in resources)
    )
    return is_meant and _all_of(_conditions(statement.get("Condition") or {}, source_arn))


def _services(principal: object) -> list[str]:
    """The services of a principal; ``*`` for everybody."""
    if not isinstance(principal, Mapping):
        return ["*"] if principal == "*" else []
    everybody = "*" in _listed(principal.get("AWS", []))
    return ["*"] if everybody else [str(service) for service in _listed(principal.get("Service", []))]


def _conditions(conditions: object, source_arn: str) -> Iterator[Holds]:
    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4], "aws:securetransport": "true"}
    for operator, keys in conditions.items() if isinstance(conditions, Mapping) else [("", {"": ""})]:
        kind = str(operator).lower().removesuffix("ifexists")
        for key, wanted in keys.items() if isinstance(keys, Mapping) else [("", "")]:
            fact = facts.get(str(key).lower())
            if fact is None or kind not in _OPERATORS:
                yield None
                continue
            values = [str(value).lower() if kind == "bool" else str(value) for value in _listed(wanted)]
            yield any(_matches(value, fact) for value in values) if _OPERATORS[kind] else fact in values


def _all_of(held: Iterator[Holds]) -> Holds:
    all_held = list(held)
    if False in all_held:
        return False
    return None if None in all_held else True


def _matches(glob: str, text: str) -> bool:
    """Whether a text matches a glob, in which ``*`` and ``?`` stand for any text and any character."""
    pattern = "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in glob)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def _listed(value: Any) -> Iterator[Any]:
    """The values of an element that IAM writes as one value or as a list of them."""
    yield from value if isinstance(value, list) else [value]
