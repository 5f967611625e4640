"""The limits of the service models: required members, lengths, ranges, patterns, enums.

botocore sends what is too long, out of pattern or too many, and moto accepts it; AWS does not. An input is walked along
its shape, and a violation is answered as AWS answers it: ``ValidationException``, every violation in one message.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.wire import error_answer, operation_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import Shape

    from pipeline_triggers.local.wire import Answer, Call

LIMITED_SERVICES = frozenset({"events", "sagemaker", "scheduler"})

# Unicode classes that Java has and `re` has not, each as the nearest class that admits no less.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{M}": r"\u0300-\u036f",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{Alnum}": "A-Za-z0-9",
    r"\p{P}": r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u205e",
    r"\p{S}": r"$+<=>^`|~\u00a2-\u00b4\u2070-\u2bff",
    r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]": r"[\u0020-\U0010FFFF\t]",
}


_EXPECTED: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


class WrongTypeError(Exception):
    """A member has another JSON type than its shape: botocore never sends this, other clients may."""


def enforce_limits(call: Call, forward: Callable[[Call], Answer]) -> Answer:
    """An interceptor: refuses inputs that the service model of EventBridge, SageMaker or Scheduler does not allow."""
    if call.service not in LIMITED_SERVICES:
        return forward(call)
    model = operation_model(call.service, call.operation)
    try:
        found = list(violations(model.input_shape, call.input)) if model and model.input_shape else []
    except WrongTypeError as error:
        return error_answer("SerializationException", str(error))
    if not found:
        return forward(call)
    errors = "error" if len(found) == 1 else "errors"
    return error_answer("ValidationException", f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """What in ``value`` breaks the limits of ``shape``, in the words of AWS; ``path`` is the place of ``value``."""
    expected = _EXPECTED.get(shape.type_name)
    if expected and not isinstance(value, expected):
        raise WrongTypeError(f"'{path}' is not a {shape.type_name}")
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _size(shape, value, path, len(value))
            for number, item in enumerate(value, start=1):
                yield from violations(shape.member, item, f"{path}.{number}.member")  # type: ignore[attr-defined]
        case "map":
            yield from _size(shape, value, path, len(value))
            for key, item in value.items():
                yield from violations(shape.key, key, f"{path}.key")  # type: ignore[attr-defined]
                yield from violations(shape.value, item, f"{path}.{key}.member")  # type: ignore[attr-defined]
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _range(shape, value, path)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    for name, member in shape.members.items():  # type: ignore[attr-defined]
        here = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
        if value.get(name) is not None:
            yield from violations(member, value[name], here)
        elif name in shape.required_members:
            yield f"Value null at '{here}' failed to satisfy constraint: Member must not be null"


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, value, path, len(value))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _size(shape: Shape, value: Any, path: str, size: int) -> Iterator[str]:
    if size > shape.metadata.get("max", size):
        yield _violation(value, path, f"Member must have length less than or equal to {shape.metadata['max']}")
    if size < shape.metadata.get("min", size):
        yield _violation(value, path, f"Member must have length greater than or equal to {shape.metadata['min']}")


def _range(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if value > shape.metadata.get("max", value):
        yield _violation(value, path, f"Member must have value less than or equal to {shape.metadata['max']}")
    if value < shape.metadata.get("min", value):
        yield _violation(value, path, f"Member must have value greater than or equal to {shape.metadata['min']}")


def _violation(value: Any, path: str, constraint: str) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    flags = re.UNICODE if r"\p{" in pattern else re.ASCII
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    pattern = re.sub(r"\$\{\d+,\d+\}$", "", pattern)  # Java may repeat the end; the length stands in the model too
    return re.compile(pattern, flags)
