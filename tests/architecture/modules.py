"""The modules of the package and of the functions, and what each imports, read from their sources."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/shared"
PACKAGE = LAYER / "pipeline_triggers"
FUNCTIONS = ROOT / "functions"
NAME = "pipeline_triggers"


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """The part of the house that the module belongs to: ``domain``, ``adapters``, ``wiring``, ``functions``, ….

        The package's own ``__init__`` is the room ``__init__``.
        """
        if self.path.is_relative_to(FUNCTIONS):
            return "functions"
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The source, parsed."""
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def imports(self) -> frozenset[str]:
        """The full names of everything imported anywhere in the module, also for types and inside functions."""
        return frozenset(name for node in ast.walk(self.tree) for name in self._imported(node))

    @property
    def rooms(self) -> frozenset[str]:
        """The other rooms that the module imports from."""
        return frozenset(name.split(".")[1] for name in self.imports if name.startswith(NAME + ".")) - {self.room}

    @property
    def packages(self) -> frozenset[str]:
        """The top-level packages that the module imports, its own left out."""
        return frozenset(name.split(".")[0] for name in self.imports) - {NAME}

    def _imported(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            return [f"{self._origin(node)}.{alias.name}" for alias in node.names]
        return []

    def _origin(self, node: ast.ImportFrom) -> str:
        """The full name of what ``from … import`` imports from; dots in front are counted from this module."""
        if not node.level:
            return node.module or ""
        above = (NAME, *self.path.relative_to(PACKAGE).parts[:-1])
        return ".".join((*above[: len(above) + 1 - node.level], *([node.module] if node.module else [])))


def package_modules() -> list[Module]:
    """Every module of the package."""
    return [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]


def handlers() -> list[Module]:
    """The module of every Lambda function."""
    return [Module(path) for path in sorted(FUNCTIONS.glob("*/app.py"))]
