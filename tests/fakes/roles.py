"""IAM roles in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_triggers.errors import NotFoundError
from tests.fakes.recording import Recording


@dataclass
class FakeRoles(Recording):
    """The port ``Roles``; roles exist once they are added, with the services that they trust."""

    _trusted: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, role_arn: str, *services: str) -> None:
        """Make a role, or change whom it trusts."""
        self._trusted[role_arn] = services

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether the service is one of those that the role was added with."""
        with self.call("trusts", role_arn=role_arn, service=service):
            if role_arn not in self._trusted:
                raise NotFoundError(f"there is no role {role_arn.rpartition('/')[2]} in this account")
            return service in self._trusted[role_arn]
