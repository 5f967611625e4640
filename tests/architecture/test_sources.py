"""What holds for every source file: it says what it is about, and names no place of the machine it was written on."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.modules import PACKAGE, ROOT, Module, handlers, package_modules

if TYPE_CHECKING:
    from pathlib import Path

MODULES = [*package_modules(), *handlers()]
PLACES = re.compile(r"(?<![\w.~$)}])/(?:home|root|tmp|Users)(?:/|\b)")
TEXTS = [
    *sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".json"}),
    *(module.path for module in handlers()),
    *sorted((ROOT / "events").glob("*.json")),
    *(ROOT / name for name in ("template.yaml", "samconfig.toml", "pyproject.toml", "Makefile", ".ci/run")),
    ROOT / "layers/shared/Makefile",
    ROOT / "layers/shared/requirements.txt",
]


def _said(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_says_in_its_first_line_what_it_is_about(module: Module) -> None:
    docstring = ast.get_docstring(module.tree, clean=False)
    assert docstring is not None, "give it a docstring"
    assert docstring.splitlines()[0].strip(), "the first line of the docstring is empty"


def test_no_two_modules_say_the_same() -> None:
    first_lines = [(ast.get_docstring(module.tree) or "").split("\n")[0] for module in package_modules()]
    assert len(set(first_lines)) == len(first_lines)


@pytest.mark.parametrize("path", TEXTS, ids=_said)
def test_a_file_names_no_folder_of_somebodys_machine(path: Path) -> None:
    assert not PLACES.search(path.read_text(encoding="utf-8"))
