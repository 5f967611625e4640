"""IAM roles: implements the port ``Roles``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import code_of, readable
from pipeline_triggers.errors import NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_triggers.adapters.clients import Clients

MISSING = "NoSuchEntity"
ASSUME = "sts:assumerole"


class IamRoles:
    """The roles of this account."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether a role lets a service assume it, by what its trust policy says without regard to conditions.

        A statement that denies it counts when it has no condition. NotFoundError when there is no such role,
        PermanentError("access-denied") when one may not look, TransientError for what is worth trying again.
        """
        try:
            with readable():
                effects = [_effect(each) for each in self._statements(role_arn) if _concerns(each, service)]
        except TransientError as error:
            if error.reason == "denied-yet":
                raise PermanentError("access-denied", str(error)) from error
            raise
        return "Allow" in effects and "Deny" not in effects

    def _statements(self, role_arn: str) -> list[Mapping[str, Any]]:
        """The statements of the trust policy, which botocore has decoded."""
        name = role_arn.rpartition("/")[2]
        try:
            role = self._clients.client("iam").get_role(RoleName=name)["Role"]
        except ClientError as error:
            if code_of(error) == MISSING:
                raise NotFoundError(f"there is no role {name} in this account") from error
            raise
        if role["Arn"] != role_arn:
            raise NotFoundError(f"there is no role {role_arn}: the one of that name is {role['Arn']}")
        return list(_listed(role["AssumeRolePolicyDocument"]["Statement"]))


def _concerns(statement: Mapping[str, Any], service: str) -> bool:
    """Whether a statement is about this service and about assuming the role."""
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else list(_listed(principal.get("Service", [])))
    actions = [str(action).lower() for action in _listed(statement.get("Action", []))]
    return any(each in (service, "*") for each in services) and any(fnmatchcase(ASSUME, each) for each in actions)


def _effect(statement: Mapping[str, Any]) -> str:
    """Allow, Deny, or nothing for a denial that holds only under a condition."""
    effect = str(statement.get("Effect", ""))
    return "" if effect == "Deny" and statement.get("Condition") else effect


def _listed(value: Any) -> Iterator[Any]:
    """The values of an element that IAM writes as one value or as a list of them."""
    yield from value if isinstance(value, list) else [value]
