"""Constraints: what a trigger lets an event put into a parameter, whatever the pipeline itself would accept.

Who may upload a file chooses its key and its metadata. Where such a value becomes an instance type or a role's name,
the trigger says which values it takes::

    Instance: {value: $.detail.instance, enum: [ml.m5.large, ml.m5.xlarge]}
    Rows: {value: $.detail.rows, type: Integer, max_length: 9}
    Uri: {value: "s3://<$.detail.bucket.name>/<$.detail.object.key>", prefix: s3://raw-data/in/}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ParameterType = Literal["String", "Integer", "Boolean", "Float"]

# What SageMaker can read as a type of parameter. It is not documented: in doubt a value passes, and SageMaker judges.
_SHAPES: Mapping[ParameterType, re.Pattern[str]] = {
    "String": re.compile(r".*", re.DOTALL),
    "Integer": re.compile(r"[+-]?[0-9]+"),
    "Float": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "Boolean": re.compile(r"true|false", re.IGNORECASE),
}
EXAMPLES: Mapping[ParameterType, str] = {
    "String": "any text",
    "Integer": "such as 42",
    "Float": "such as 0.5",
    "Boolean": "True or False",
}


def is_of_type(text: str, type: ParameterType) -> bool:  # noqa: A002 - the word of pipeline definitions
    """Tell whether SageMaker can read a text as a value of the type."""
    return _SHAPES[type].fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Constraints:
    """What holds for the text that is sent; what is not set allows everything. ``max_length`` is in characters."""

    type: ParameterType | None = None
    enum: tuple[str, ...] = ()
    prefix: str = ""
    max_length: int | None = None

    def violation(self, text: str) -> str:
        """What the text violates, in words that follow it in a sentence; empty when it violates nothing."""
        if self.type is not None and not is_of_type(text, self.type):
            return f"is no {self.type} ({EXAMPLES[self.type]})"
        if self.enum and text not in self.enum:
            return f"is none of {', '.join(self.enum)}"
        if not text.startswith(self.prefix):
            return f"does not begin with {self.prefix}"
        if self.max_length is not None and len(text) > self.max_length:
            return f"has {len(text):,} characters, more than {self.max_length:,}"
        return ""

    def to_document(self) -> dict[str, Any]:
        """The normal form: these keys stand beside ``value``."""
        written = {
            "type": self.type,
            "enum": list(self.enum),
            "prefix": self.prefix,
            "max_length": self.max_length,
        }
        return {key: value for key, value in written.items() if value not in (None, [], "")}


UNCONSTRAINED = Constraints()
