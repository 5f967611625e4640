"""The recipes: each trigger on its events, what the page says that is printed, and the commands that make it live."""

from __future__ import annotations

import json
import shlex

import pytest

from pipeline_triggers.documents import load
from pipeline_triggers.domain.delivery import Delivered, undelivered
from tests.command_lines import understand
from tests.recipes import ROOT, Recipe, recipes, run, session

RECIPES = recipes()
SESSIONS = [
    pytest.param(
        recipe, told, id=f"{recipe.file}: {told.partition(' --triggers')[0].removeprefix('$ pipeline-triggers ')}"
    )
    for recipe in RECIPES
    for told in recipe.sessions
]
of_each = pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.file for recipe in RECIPES])


def commands(recipe: Recipe) -> list[list[str]]:
    """What is typed to go live; a line that ends in a backslash, or inside quotes, goes on in the next."""
    found: list[list[str]] = []
    pending = ""
    for line in "".join(recipe.scripts).splitlines():
        pending += line.removesuffix("\\")
        try:
            words = shlex.split(pending)
        except ValueError:  # a quotation that goes on
            continue
        if not line.endswith("\\"):
            found.append(words)
            pending = ""
    assert not pending
    return found


def overrides(recipe: Recipe) -> dict[str, str]:
    """The parameters of the stack that the recipe sets."""
    flag = "--parameter-overrides"
    deploys = [words for words in commands(recipe) if words[:2] == ["sam", "deploy"]]
    pairs = [pair for words in deploys for pair in words[words.index(flag) + 1 :]]
    return dict(pair.split("=", 1) for pair in pairs)


def outcomes(recipe: Recipe) -> list[list[str]]:
    """What becomes of the events of each simulation."""
    answers = [json.loads(run((*arguments, "--output", "json"), recipe)[0]) for arguments in recipe.simulations]
    return [[decision["outcome"] for decision in answer["result"]] for answer in answers]


def test_the_recipes_that_were_asked_for_are_there() -> None:
    assert [recipe.file for recipe in RECIPES] == [
        *("new-data.yaml", "drift.yaml", "approved-model.yaml", "training-finished.yaml", "nightly.yaml"),
        "own-event.yaml",
    ]


@pytest.mark.parametrize(("recipe", "told"), SESSIONS)
def test_what_is_printed_is_what_the_page_shows(recipe: Recipe, told: str) -> None:
    assert session(told, recipe) == told, "run python -m tests.recipes, and read what has changed"


@of_each
def test_a_recipe_shows_an_event_that_starts_its_pipeline_and_one_that_does_not(recipe: Recipe) -> None:
    found = outcomes(recipe)
    assert ["start"] in found
    assert any("start" not in outcome for outcome in found)


@of_each
def test_a_trigger_file_is_accepted_without_a_warning(recipe: Recipe) -> None:
    loaded = load(recipe.triggers, file=recipe.file)
    assert loaded.warnings == ()
    assert len(loaded.triggers) == 1


@of_each
def test_the_parameters_of_the_stack_that_a_recipe_sets_let_its_events_through(recipe: Recipe) -> None:
    given = overrides(recipe)
    delivered = Delivered(
        buckets=tuple(filter(None, given.get("BucketNames", "").split(","))),
        default_bus_sources=tuple(filter(None, given.get("DefaultBusSources", "").split(","))),
    )
    [trigger] = load(recipe.triggers).triggers
    assert undelivered(trigger, delivered) == []


@of_each
def test_the_parameters_of_the_stack_that_a_recipe_sets_exist(recipe: Recipe) -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8").partition("\nConditions:")[0]
    assert all(f"\n  {name}:\n" in template for name in overrides(recipe))


@of_each
def test_the_commands_of_a_recipe_are_understood(recipe: Recipe) -> None:
    ours = [words[1:] for words in commands(recipe) if words[0] == "pipeline-triggers"]
    assert ["apply", recipe.file] in ours
    for words in ours:
        understand(words)
