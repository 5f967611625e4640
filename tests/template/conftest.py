"""The template, rendered once for each set of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template import rendering

if TYPE_CHECKING:
    from tests.template.rendering import Rendered


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """The template as it is written."""
    return rendering.source()


@pytest.fixture(scope="session")
def expanded() -> dict[str, Any]:
    """The template after the SAM transform, intrinsics not resolved."""
    return rendering.expand(rendering.source())


@pytest.fixture(scope="session")
def empty(expanded: dict[str, Any]) -> Rendered:
    """The stack with every parameter at its default."""
    return rendering.render(expanded, {})


@pytest.fixture(scope="session")
def filled(expanded: dict[str, Any]) -> Rendered:
    """The stack with every parameter given."""
    return rendering.render(expanded, rendering.FILLED)


@pytest.fixture(scope="session", params=["empty", "filled"])
def stack(request: pytest.FixtureRequest) -> Rendered:
    """Each of the two: for what must hold whatever the parameters are."""
    rendered: Rendered = request.getfixturevalue(request.param)
    return rendered
