"""What the layer leaves of botocore's data: enough for every call of the functions, and described as before."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.session import Session

from tests.template.rendering import ROOT, as_list, statements

if TYPE_CHECKING:
    from types import ModuleType

    from botocore.client import BaseClient

    from tests.template.rendering import Rendered

LAYER = ROOT / "layers/shared"
DATA = Path(botocore.__file__).parent / "data"
OPERATIONS: dict[str, list[str]] = json.loads((LAYER / "operations.json").read_text("utf-8"))
EVERY_OPERATION = [(service, name) for service, names in OPERATIONS.items() for name in names]


@pytest.fixture(scope="module")
def trimmer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trim_botocore", LAYER / "trim_botocore.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trimmed(trimmer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data as the layer has it, made of a few services more."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for name in (*OPERATIONS, "batch"):
        shutil.copytree(DATA / name, data / name)
    for file in DATA.glob("*.json"):
        shutil.copy(file, data)
    trimmer.trim(data, OPERATIONS)
    return data


def _client(service: str, data: Path, region: str) -> BaseClient:
    session = Session()
    session.set_credentials("testing", "testing")
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    client: BaseClient = session.create_client(service, region_name=region)
    return client


def _description(client: BaseClient, operation: str) -> Any:
    """All that botocore knows of an operation: its own entry and the shapes that it can reach."""
    model = client.meta.service_model
    wanted = model.operation_model(operation)
    return {
        "http": wanted.http,
        "idempotent": list(wanted.idempotent_members),
        "input": _shape(wanted.input_shape, ()),
        "output": _shape(wanted.output_shape, ()),
        "errors": sorted(shape.name for shape in wanted.error_shapes),
        "metadata": model.metadata,
    }


def _shape(shape: Any, above: tuple[str, ...]) -> Any:
    if shape is None or shape.name in above:
        return shape and shape.name
    within = (*above, shape.name)
    return {
        "name": shape.name,
        "type": shape.type_name,
        "metadata": shape.metadata,
        "serialization": shape.serialization,
        "members": {name: _shape(member, within) for name, member in getattr(shape, "members", {}).items()},
        "parts": [_shape(getattr(shape, part, None), within) for part in ("member", "key", "value")],
    }


@pytest.mark.parametrize(("service", "operation"), EVERY_OPERATION)
def test_an_operation_is_described_as_in_botocore(trimmed: Path, service: str, operation: str) -> None:
    ours, theirs = _client(service, trimmed, "eu-central-1"), _client(service, DATA, "eu-central-1")
    assert _description(ours, operation) == _description(theirs, operation)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("service", OPERATIONS)
def test_a_client_goes_to_the_same_endpoint(trimmed: Path, service: str, region: str) -> None:
    ours, theirs = _client(service, trimmed, region), _client(service, DATA, region)
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url


def test_no_other_operation_is_left(trimmed: Path) -> None:
    for service, names in OPERATIONS.items():
        assert sorted(_client(service, trimmed, "us-east-1").meta.service_model.operation_names) == sorted(names)


def test_no_other_service_is_left(trimmed: Path) -> None:
    with pytest.raises(UnknownServiceError):
        _client("batch", trimmed, "us-east-1")


def test_an_operation_that_the_service_does_not_have_is_an_error(trimmer: ModuleType) -> None:
    model = Loader().load_service_model("sts", "service-2")
    with pytest.raises(KeyError, match="AssumeRoll"):
        trimmer.trimmed_model(model, ["AssumeRoll"])


def test_a_member_that_is_called_shape_is_no_reference(trimmer: ModuleType) -> None:
    model = {
        "metadata": {},
        "operations": {"Draw": {"name": "Draw", "input": {"shape": "Drawing"}}},
        "shapes": {
            "Drawing": {"type": "structure", "members": {"shape": {"shape": "Name"}}},
            "Name": {"type": "string"},
            "Other": {"type": "string"},
        },
    }
    assert set(trimmer.trimmed_model(model, ["Draw"])["shapes"]) == {"Drawing", "Name"}


def test_the_layer_has_every_operation_that_its_code_calls() -> None:
    left_out = _left_out_of_the_layer()
    sources = [
        path
        for path in (LAYER / "pipeline_triggers").rglob("*.py")
        if not {*path.relative_to(LAYER / "pipeline_triggers").parts} & left_out
    ]
    called = set().union(*map(_methods_called, sources))
    loader = Loader()
    for service, names in OPERATIONS.items():
        known = loader.load_service_model(service, "service-2")["operations"]
        wanted = {name for name in known if xform_name(name) in called}
        # Some services have operations of the same name: such a call is another's.
        of_others = {name for other, those in OPERATIONS.items() if other != service for name in those}
        assert wanted == set(names) | (wanted & (ONLY_FOR_PEOPLE | of_others)), service


def test_the_layer_has_every_service_that_a_role_lets_its_function_use(filled: Rendered) -> None:
    policies = [policy for role in filled.of_type("AWS::IAM::Role").values() for policy in role["Policies"]]
    policies += filled.of_type("AWS::IAM::Policy").values()
    given = [statement for policy in policies for statement in statements(policy["PolicyDocument"])]
    services = {action.partition(":")[0] for statement in given for action in as_list(statement["Action"])}
    # Lambda itself writes the logs, and the X-Ray daemon the traces.
    assert services - {"logs", "xray"} == set(OPERATIONS)


# Adapters have these for the command line and the SDK; no function reaches them.
ONLY_FOR_PEOPLE = frozenset(
    (
        "CreateSchedule",
        "UpdateSchedule",
        "DisableRule",
        "PutTargets",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "GetCallerIdentity",
    )
)


def _left_out_of_the_layer() -> set[str]:
    (line,) = re.findall(r"^NOT_IN_LAMBDA := (.*)$", (LAYER / "Makefile").read_text("utf-8"), re.MULTILINE)
    return set(line.split())


def _methods_called(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    # Also methods that are handed on to be called.
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # Methods of one word are mostly others': re.search, list.index.
    return {name for name in names if "_" in name or name in ("query", "scan")}
