"""Markdown: tables and paragraphs out of texts in which nothing is markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Code spans stay as they are; elsewhere these signs would be emphasis or HTML.
_CODE = re.compile(r"(`[^`]+`)")
_SIGNS = re.compile(r"([*<])")


def plain(text: str) -> str:
    """A text in one line that shows as it is written; what stands in backticks is code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") and len(part) > 1 else _SIGNS.sub(r"\\\1", part) for part in parts)


def code(text: str) -> str:
    """A code span."""
    return f"`{text}`"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. Its cells are Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n" for cells in lines)


def block(text: str) -> str:
    """Text to the letter."""
    return f"```\n{text.rstrip()}\n```\n"
