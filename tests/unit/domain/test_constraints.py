"""Constraints: what events may put into a parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.constraints import UNCONSTRAINED, Constraints, ParameterType, is_of_type


@pytest.mark.parametrize(
    ("constraints", "text", "said"),
    [
        (Constraints(type="Integer"), "-12", ""),
        (Constraints(type="Integer"), "12.0", "is no Integer (such as 42)"),
        (Constraints(type="Integer"), "12\n", "is no Integer (such as 42)"),
        (Constraints(type="Integer"), "١٢", "is no Integer (such as 42)"),
        (Constraints(type="Float"), "1e-7", ""),
        (Constraints(type="Float"), "nan", "is no Float (such as 0.5)"),
        (Constraints(type="Boolean"), "True", ""),
        (Constraints(type="Boolean"), "1", "is no Boolean (True or False)"),
        (Constraints(type="String"), "any\nthing", ""),
        (Constraints(enum=("ml.m5.large", "ml.m5.xlarge")), "ml.m5.xlarge", ""),
        (Constraints(enum=("ml.m5.large",)), "ml.p5.48xlarge", "is none of ml.m5.large"),
        (Constraints(enum=("a",)), "A", "is none of a"),
        (Constraints(prefix="s3://raw-data/in/"), "s3://raw-data/in/a", ""),
        (Constraints(prefix="s3://raw-data/in/"), "s3://raw-data-2/in/a", "does not begin with s3://raw-data/in/"),
        (Constraints(max_length=3), "äöü", ""),
        (Constraints(max_length=3), "abcd", "has 4 characters, more than 3"),
    ],
)
def test_a_violation_is_told_in_words(constraints: Constraints, text: str, said: str) -> None:
    assert constraints.violation(text) == said


def test_every_constraint_must_hold() -> None:
    both = Constraints(prefix="ml.", max_length=5)
    assert [bool(both.violation(text)) for text in ("ml.m5", "ml.m5.large", "x")] == [False, True, True]


@given(st.text())
def test_without_constraints_every_text_is_allowed(text: str) -> None:
    assert UNCONSTRAINED.violation(text) == ""


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_python_writes_for_a_type_is_of_that_type(integer: int, number: float, boolean: bool) -> None:
    kinds: list[tuple[object, ParameterType]] = [(integer, "Integer"), (number, "Float"), (boolean, "Boolean")]
    assert all(is_of_type(str(value), kind) for value, kind in kinds)
