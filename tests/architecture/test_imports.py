"""Imports point one way: errors ← domain ← {sources, adapters, config} ← wiring ← functions, cli, sdk, local."""

from __future__ import annotations

import re
import sys

import pytest

from tests.architecture.modules import LAYER, PACKAGE, Module, handlers, package_modules

MODULES = [*package_modules(), *handlers()]

# Use cases know ports, not adapters.
USE_CASE = {"domain", "errors", "observability"}
USE_CASES = {
    *("reacting", "managing", "keeping", "checking", "cleanup", "scheduling"),
    *("explaining", "redriving", "rerunning", "restoring"),
    *("connecting", "importing", "inspecting", "silence", "watching"),
}

# The rooms that each room may import from. A new room belongs here, with as little as it needs.
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "errors": set(),
    "domain": {"errors"},
    "sources": {"domain", "errors"},
    "tracing": set(),
    "adapters": {"domain", "errors", "tracing"},
    "config": {"domain", "errors"},
    "observability": {"domain", "errors", "tracing"},
    **dict.fromkeys(USE_CASES, USE_CASE),
    # The schedules of triggers follow the triggers.
    "keeping": USE_CASE | {"scheduling"},
    "managing": USE_CASE | {"keeping"},
    # Rules and schedules of others become triggers as those in a trigger file do.
    "importing": USE_CASE | {"documents", "inspecting"},
    "inspecting": USE_CASE | {"checking"},
    # It asks for many pipelines after a sweep, at the pace and with the errors of one.
    "watching": USE_CASE | {"cleanup"},
    # One Lambda invocation: payload in, use case, answer out.
    "invocation": USE_CASE | USE_CASES | {"sources"},
    "cleanup_invocation": USE_CASE | USE_CASES | {"invocation", "sources"},
    # What people's tools need of a deployed stack.
    "composition": USE_CASE | USE_CASES | {"adapters", "config"},
    "wiring": USE_CASE | USE_CASES | {"adapters", "cleanup_invocation", "config", "invocation", "sources"},
    "functions": {"observability", "wiring"},
    "documents": {"domain", "errors"},
    "sdk": USE_CASE | USE_CASES | {"adapters", "composition", "config", "documents", "sources"},
    "cli": USE_CASE
    | USE_CASES
    | {"adapters", "composition", "config", "documents", "local", "sdk", "sources", "wiring"},
    "local": USE_CASE
    | USE_CASES
    | {"adapters", "composition", "config", "documents", "invocation", "sources", "wiring"},
}

# What each room may import from outside, besides the standard library.
POWERTOOLS = {"aws_lambda_powertools"}
AWS = {"boto3", "botocore"}
OUTSIDE: dict[str, set[str]] = {
    "domain": {"jsonpath_ng"},
    "adapters": AWS,
    "observability": POWERTOOLS,
    "invocation": POWERTOOLS,
    "cleanup_invocation": POWERTOOLS,
    "functions": POWERTOOLS,
    "documents": {"ruamel"},
    "cli": {"click", "rich"},
    "local": AWS | {"moto", "samtranslator", "werkzeug", "yaml"},
}
ONLY_TYPES_OF_AWS = re.compile(r"mypy_boto3_[a-z0-9]+")


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_belongs_to_a_room_that_is_known_here(module: Module) -> None:
    assert module.room in MAY_IMPORT, f"add {module.room} to MAY_IMPORT, with the rooms that it may import from"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_one_way(module: Module) -> None:
    assert not module.rooms - MAY_IMPORT.get(module.room, set())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_room_uses_only_its_own_packages_from_outside(module: Module) -> None:
    foreign = {name for name in module.packages if name not in sys.stdlib_module_names}
    if OUTSIDE.get(module.room, set()) >= AWS:
        foreign = {name for name in foreign if not ONLY_TYPES_OF_AWS.fullmatch(name)}
    assert not foreign - OUTSIDE.get(module.room, set())


@pytest.mark.parametrize("module", [one for one in MODULES if one.room == "domain"], ids=str)
def test_the_domain_reads_no_clock_no_environment_and_no_files(module: Module) -> None:
    assert not module.packages & {"os", "pathlib", "random", "secrets", "socket", "subprocess", "time"}
    assert not re.search(r"\b(datetime\.now|datetime\.utcnow|date\.today|open|uuid1|uuid4)\(", module.text)


def test_no_room_is_forgotten_in_the_arrows() -> None:
    named = {room for allowed in MAY_IMPORT.values() for room in allowed}
    assert named <= set(MAY_IMPORT)


def test_the_arrows_have_no_circle() -> None:
    above: dict[str, set[str]] = {room: set(allowed) - {room} for room, allowed in MAY_IMPORT.items()}
    for use_case in USE_CASES:
        above[use_case] -= USE_CASES
    while free := {room for room, allowed in above.items() if not allowed}:
        above = {room: allowed - free for room, allowed in above.items() if room not in free}
    assert not above


def test_the_layer_leaves_out_exactly_what_no_function_imports() -> None:
    makefile = (LAYER / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^NOT_IN_LAMBDA := (.+)$", makefile, re.MULTILINE)
    assert listed is not None
    left_out = set(listed[1].split())
    assert all((PACKAGE / name).exists() for name in left_out), "the layer's Makefile leaves out what is not there"
    rooms = {module.room for module in package_modules()}
    sources = {name.removesuffix(".py") for name in left_out if not name.endswith(".json")}
    assert sources == rooms - _reachable(handlers()) - {"__init__"}


def _reachable(start: list[Module]) -> set[str]:
    """The rooms that some modules import, and those that these import, and so on."""
    found: set[str] = set()
    todo = {room for module in start for room in module.rooms}
    while todo:
        found |= todo
        todo = {room for module in package_modules() if module.room in todo for room in module.rooms} - found
    return found
