"""The options of ``local up`` that do not go together; that it works is shown by the integration and e2e tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine


def test_without_deploying_and_without_polling_there_is_nothing_to_do(command_line: CommandLine) -> None:
    result = command_line.run("local", "up", "--no-deploy", "--no-poll")
    assert result.exit_code == 2
    assert "leave --no-poll out" in result.stderr
