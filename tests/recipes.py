"""The recipes of RECIPES.md, and what their commands print; ``python -m tests.recipes`` writes that into the page."""

from __future__ import annotations

import re
import shlex
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from pipeline_triggers.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "RECIPES.md"
PROMPT = "$ "
EXIT_CODE = "echo $?"
_BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Recipe:
    """One section of the page: its trigger file, what is typed to try it, and what is typed to go live."""

    title: str
    file: str
    triggers: str
    sessions: tuple[str, ...]
    scripts: tuple[str, ...]

    @property
    def simulations(self) -> tuple[tuple[str, ...], ...]:
        """The arguments of each ``pipeline-triggers`` that is tried."""
        begin = f"{PROMPT}pipeline-triggers "
        typed = [line for session in self.sessions for line in session.splitlines() if line.startswith(begin)]
        return tuple(tuple(shlex.split(line.removeprefix(begin))) for line in typed)


def recipes() -> list[Recipe]:
    """The numbered sections of the page."""
    sections = re.split(r"^## (?=\d)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [_recipe(section) for section in sections]


def _recipe(section: str) -> Recipe:
    blocks = [(block["kind"], block["text"]) for block in _BLOCK.finditer(section)]
    [triggers] = [text for kind, text in blocks if kind == "yaml"]
    return Recipe(
        title=section.partition("\n")[0],
        file=triggers.partition("\n")[0].removeprefix("# "),
        triggers=triggers,
        sessions=tuple(text for kind, text in blocks if kind == "console"),
        scripts=tuple(text for kind, text in blocks if kind == "sh"),
    )


def run(arguments: tuple[str, ...], recipe: Recipe) -> tuple[str, int]:
    """What a command prints, 80 columns wide, beside the trigger file and the sample events, and its exit code."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(recipe.file).write_text(recipe.triggers, encoding="utf-8")
        Path("events").symlink_to(ROOT / "events")
        result = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(cli, list(arguments))
    return result.output, result.exit_code


def session(typed: str, recipe: Recipe) -> str:
    """A session as it looks today: what is typed in it, each time followed by what is printed."""
    return "".join(_lines(typed, recipe))


def _lines(typed: str, recipe: Recipe) -> Iterator[str]:
    code = 0
    for line in typed.splitlines():
        if not line.startswith(PROMPT):
            continue
        yield f"{line}\n"
        if line == f"{PROMPT}{EXIT_CODE}":
            yield f"{code}\n"
        else:
            printed, code = run(tuple(shlex.split(line.removeprefix(PROMPT))[1:]), recipe)
            yield printed.rstrip("\n") + "\n"


def current() -> str:
    """The page with what is printed today."""
    text = PAGE.read_text(encoding="utf-8")
    for recipe in recipes():
        for told in recipe.sessions:
            text = text.replace(f"```console\n{told}```", f"```console\n{session(told, recipe)}```", 1)
    return text


if __name__ == "__main__":
    PAGE.write_text(current(), encoding="utf-8")
