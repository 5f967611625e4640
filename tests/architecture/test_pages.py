"""The pages beside the code: their links lead somewhere, and they name no place of the machine they were written on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.modules import ROOT
from tests.architecture.test_sources import PLACES

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(ROOT.glob("*.md"))
LINK = re.compile(r"\]\((?P<file>[^)#\s:]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINKS = [
    pytest.param(page, link["file"], link["anchor"], id=f"{page.name}: {link[0][2:-1]}")
    for page in PAGES
    for link in LINK.finditer(CODE.sub("", page.read_text(encoding="utf-8")))
]


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page: small letters, hyphens for spaces, no signs."""
    return {re.sub(r"[^\w\- ]", "", found["text"].lower()).replace(" ", "-") for found in HEADING.finditer(text)}


def test_the_pages_are_there() -> None:
    assert {page.name for page in PAGES} >= {
        *("README.md", "CHANGELOG.md", "RECIPES.md", "REFERENCE.md", "DECISIONS.md"),
    }


@pytest.mark.parametrize(("page", "file", "anchor"), LINKS)
def test_a_link_leads_to_what_is_there(page: Path, file: str, anchor: str | None) -> None:
    target = page.parent / file if file else page
    assert target.exists()
    assert anchor is None or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_folder_of_somebodys_machine(page: Path) -> None:
    assert not PLACES.search(page.read_text(encoding="utf-8"))
