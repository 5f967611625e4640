"""Every fault and race of the tables has tests, and the tests that they name exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.races import RACES

TESTS = Path(__file__).parents[1]
WANTED = {*(f"F{number}" for number in range(1, 39)), *(f"R{number}" for number in range(1, 22))}
ALL = CASES | RACES
NUMBER = re.compile(r"[FR][0-9]+")


def test_every_fault_and_every_race_is_in_a_table() -> None:
    assert set(ALL) == WANTED


@pytest.mark.parametrize("number", ALL)
def test_the_tests_of_a_fault_exist(number: str) -> None:
    assert ALL[number].tests
    for named in ALL[number].tests:
        file, _, name = named.partition("::")
        defined = {it.name for it in ast.walk(_parsed(file)) if isinstance(it, ast.FunctionDef)}
        assert name in defined if name else any(it.startswith("test_") for it in defined) or _is_a_machine(file), named


@pytest.mark.parametrize("file", sorted(path.name for path in Path(__file__).parent.glob("test_[fr]_*.py")))
def test_a_test_that_says_which_fault_it_is_about_is_in_the_table(file: str) -> None:
    for function in _parsed(f"faults/{file}").body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            (first, *_) = (ast.get_docstring(function) or "").partition(".")
            numbers = {word.strip(",:") for word in first.split() if NUMBER.fullmatch(word.strip(",:"))}
            assert numbers, f"{function.name} does not say which fault it is about"
            assert all(f"faults/{file}::{function.name}" in ALL[number].tests for number in numbers), function.name


def _parsed(file: str) -> ast.Module:
    return ast.parse((TESTS / file).read_text(encoding="utf-8"))


def _is_a_machine(file: str) -> bool:
    """Whether the tests of a file are those that a state machine goes through."""
    return any(isinstance(it, ast.ClassDef) and "RuleBasedStateMachine" in ast.unparse(it) for it in _parsed(file).body)
