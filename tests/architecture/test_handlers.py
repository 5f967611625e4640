"""Lambda handlers only wire, and load nothing that serves the command line or the laptop."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from pipeline_triggers import documents
from pipeline_triggers.domain.triggers import Snapshot
from tests.architecture.modules import LAYER, ROOT, Module, handlers

# boto3 is not loaded either: botocore alone makes the same clients in less time.
NOT_IN_LAMBDA = (
    "pipeline_triggers.cli",
    "pipeline_triggers.documents",
    "pipeline_triggers.domain.ports",  # only types
    "pipeline_triggers.local",
    "pipeline_triggers.managing",
    "pipeline_triggers.sdk",
    "aws_xray_sdk",
    "boto3",
    "click",
    "jsonschema",
    "moto",
    "pydantic",
    "rich",
    "ruamel",
    "samtranslator",
    "werkzeug",
)
ONLY_SCHEDULES = (
    "pipeline_triggers.domain.cron",
    "pipeline_triggers.domain.schedule_forms",
    "pipeline_triggers.domain.schedule_plans",
    "pipeline_triggers.domain.schedules",
    "zoneinfo",
)
ONLY_CLEANUP = (
    "pipeline_triggers.adapters.cleanup_store",
    "pipeline_triggers.adapters.rules",
    "pipeline_triggers.adapters.schedules",
    "pipeline_triggers.cleanup",
    "pipeline_triggers.cleanup_invocation",
    "pipeline_triggers.domain.orphans",
    "pipeline_triggers.domain.sweeps",
    "pipeline_triggers.watching",
)
BRANCHES = (ast.If, ast.IfExp, ast.Try, ast.For, ast.While, ast.Match, ast.With)


def test_there_are_handlers() -> None:
    assert {module.path.parent.name for module in handlers()} >= {
        "s3_event",
        "sns_event",
        "endpoint_status",
        "bus_event",
        "schedule_cleanup",
    }


@pytest.mark.parametrize("module", handlers(), ids=str)
def test_a_handler_has_at_most_30_lines(module: Module) -> None:
    assert len(module.text.splitlines()) <= 30


@pytest.mark.parametrize("module", handlers(), ids=str)
def test_a_handler_has_no_branches(module: Module) -> None:
    branches = [node for node in ast.walk(module.tree) if isinstance(node, BRANCHES) and not _only_types(node)]
    assert not branches


def _only_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("module", handlers(), ids=str)
def test_a_handler_module_defines_one_function_which_is_called_handler(module: Module) -> None:
    defined = [node for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert [node.name for node in defined] == ["handler"]


@pytest.mark.parametrize("module", handlers(), ids=str)
def test_importing_a_handler_loads_nothing_that_is_not_for_lambda(module: Module) -> None:
    loaded = _loaded_by(module)
    assert "pipeline_triggers.wiring" in loaded
    assert not _among(NOT_IN_LAMBDA, loaded)


@pytest.mark.parametrize("module", [one for one in handlers() if one.path.parent.name != "schedule_cleanup"], ids=str)
def test_a_handler_of_events_loads_nothing_of_the_clean_up(module: Module) -> None:
    assert not _among(ONLY_CLEANUP, _loaded_by(module))


@pytest.mark.parametrize("module", [one for one in handlers() if one.path.parent.name != "schedule_cleanup"], ids=str)
def test_a_handler_of_events_loads_nothing_of_schedules_before_it_needs_it(module: Module) -> None:
    assert not _among(ONLY_SCHEDULES, _loaded_by(module))


def test_stored_triggers_are_loaded_without_what_only_schedule_expressions_need() -> None:
    file = documents.load((ROOT / "triggers.yaml").read_text(encoding="utf-8"))
    triggers = Snapshot(1, tuple(file.triggers)).to_json()
    program = f"from pipeline_triggers.domain.triggers import Snapshot; Snapshot.from_json({triggers!r}, 1)"
    assert "schedule_expression" in triggers
    assert not _among(ONLY_SCHEDULES, _loaded(program, str(LAYER)))


def _among(names: tuple[str, ...], loaded: list[str]) -> list[str]:
    return [one for one in loaded for name in names if one == name or one.startswith(name + ".")]


def _loaded_by(module: Module) -> list[str]:
    return _loaded("import app; app.handler", f"{module.path.parent}:{LAYER}")


def _loaded(program: str, path: str) -> list[str]:
    """What a fresh interpreter has loaded after it ran a program, with Lambda's variables and no others."""
    environment = {
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "local",
    }
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}; import json, sys; print(json.dumps(sorted(sys.modules)))"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    names: list[str] = json.loads(ran.stdout)
    return names
