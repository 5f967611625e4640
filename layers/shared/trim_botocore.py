"""Leaves in botocore's data what the functions call: part of the layer's build, `python trim_botocore.py DATA`.

A client is made from the description of all operations of its service; SageMaker's has 3.6 MB. Reading them takes a
third of a cold start (`make bench SUBJECT=cold-start`). What is left is described as before: the operations of
operations.json with every shape that they use, in the newest version of each service's API.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPERATIONS = Path(__file__).with_name("operations.json")
NEEDED = ("service-2", "endpoint-rule-set-1")


def trim(data: Path, operations: Mapping[str, Iterable[str]]) -> None:
    """Remove from a folder of botocore's data what the operations, by service, do not need."""
    prefixes = set()
    for folder in filter(Path.is_dir, list(data.iterdir())):
        if folder.name not in operations:
            shutil.rmtree(folder)
            continue
        *older, newest = sorted(filter(Path.is_dir, folder.iterdir()))
        for version in older:
            shutil.rmtree(version)
        for file in list(newest.iterdir()):
            if file.name.partition(".")[0] not in NEEDED:
                file.unlink()
        model = newest / "service-2.json.gz"
        trimmed = trimmed_model(_read_packed(model), operations[folder.name])
        _write_packed(model, trimmed)
        prefixes.add(trimmed["metadata"]["endpointPrefix"])
    endpoints = data / "endpoints.json"
    endpoints.write_text(json.dumps(_trimmed_endpoints(json.loads(endpoints.read_text("utf-8")), prefixes)))


def trimmed_model(model: Mapping[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """A service's model with some of its operations, the shapes that they use, and without documentation.

    Raises KeyError for an operation that the service does not have.
    """
    kept = {name: model["operations"][name] for name in operations}
    shapes = {name: model["shapes"][name] for name in _reachable(_shapes_in(kept), model["shapes"])}
    trimmed = {**model, "operations": kept, "shapes": shapes}
    return {name: _without_documentation(value) for name, value in trimmed.items() if name != "documentation"}


def _reachable(names: Iterable[str], shapes: Mapping[str, Any]) -> set[str]:
    """These shapes, and all that they are made of."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _shapes_in(shapes[name])
    return found


def _shapes_in(document: Any) -> Iterator[str]:
    """The shapes that a part of a model refers to."""
    if isinstance(document, dict):
        # The members of a structure have names of their own, which may be "shape".
        if isinstance(document.get("shape"), str):
            yield document["shape"]
        for value in document.values():
            yield from _shapes_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from _shapes_in(value)


def _without_documentation(document: Any) -> Any:
    if isinstance(document, dict):
        return {
            name: _without_documentation(value)
            for name, value in document.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    if isinstance(document, list):
        return [_without_documentation(value) for value in document]
    return document


def _trimmed_endpoints(endpoints: Mapping[str, Any], prefixes: set[str]) -> dict[str, Any]:
    partitions = [
        {**partition, "services": {name: kept for name, kept in partition["services"].items() if name in prefixes}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _read_packed(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return document


def _write_packed(file: Path, document: Mapping[str, Any]) -> None:
    """Without time stamp, so that two builds of the same are the same."""
    file.write_bytes(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    trim(Path(sys.argv[1]), json.loads(OPERATIONS.read_text("utf-8")))
