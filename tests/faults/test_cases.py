"""Every fault of the table has tests, and the tests that it names exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults.cases import CASES

TESTS = Path(__file__).parents[1]
WANTED = {*(f"F{number}" for number in range(1, 30)), "F38"}


def test_every_fault_is_in_the_table() -> None:
    assert set(CASES) == WANTED


@pytest.mark.parametrize("number", CASES)
def test_the_tests_of_a_fault_exist(number: str) -> None:
    assert CASES[number].tests
    for named in CASES[number].tests:
        file, _, name = named.partition("::")
        defined = {it.name for it in ast.walk(_parsed(file)) if isinstance(it, ast.FunctionDef)}
        assert name in defined if name else any(it.startswith("test_") for it in defined), named


@pytest.mark.parametrize("file", sorted(path.name for path in Path(__file__).parent.glob("test_f_*.py")))
def test_a_test_that_says_which_fault_it_is_about_is_in_the_table(file: str) -> None:
    for function in _parsed(f"faults/{file}").body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            (first, *_) = (ast.get_docstring(function) or "").partition(".")
            numbers = {word.strip(",:") for word in first.split() if word.startswith("F")}
            assert numbers, f"{function.name} does not say which fault it is about"
            assert all(f"faults/{file}::{function.name}" in CASES[number].tests for number in numbers), function.name


def _parsed(file: str) -> ast.Module:
    return ast.parse((TESTS / file).read_text(encoding="utf-8"))
