"""What commands read: trigger files, event files, and JSON in an option. What is wrong is told with its place."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from pipeline_triggers.errors import InvalidInputError, InvalidTriggerError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from pipeline_triggers.documents import TriggerFile

STDIN = "-"
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON value of an event file, and its place: ``events.json``, ``events.json[3]`` or ``events.jsonl:4``."""

    place: str
    value: Any


def read_text(file: str) -> str:
    """The text of a file (``-`` is stdin). Raises InvalidInputError with the file and the reason."""
    try:
        with _opened(file) as opened:
            raw = opened.read()
    except OSError as error:
        raise _unreadable(file, error) from error
    return _decoded(raw, file)


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == STDIN else Path(file).open("rb")


def _unreadable(file: str, error: OSError) -> InvalidInputError:
    return InvalidInputError([Problem("", f"cannot be read: {error.strerror or error}", file=file)])


def _decoded(raw: bytes, file: str, line: int = 0) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem("", f"is not UTF-8 (byte {error.start + 1})", "Save it as UTF-8", file=file, line=line)
        raise InvalidInputError([problem]) from error


def trigger_files(files: Sequence[str]) -> list[tuple[str, TriggerFile]]:
    """Read trigger files that belong together: the problems of all of them are raised at once."""
    from pipeline_triggers.documents import load  # noqa: PLC0415 - the YAML parser is not needed by every command

    loaded: list[tuple[str, TriggerFile]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            loaded.append((file, load(read_text(file), file=file)))
        except InvalidInputError as error:
            problems += error.problems
    problems += _defined_twice(loaded)
    if problems:
        raise InvalidTriggerError(problems)
    return loaded


def _defined_twice(loaded: Sequence[tuple[str, TriggerFile]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for file, content in loaded:
        for trigger in content.triggers:
            if trigger.name in first:
                yield Problem(
                    trigger.name,
                    f"the trigger is in {first[trigger.name]} already",
                    "Names are unique in the stack: remove or rename one of the two",
                    file=file,
                    line=content.place_of(trigger.name).line,
                )
            first.setdefault(trigger.name, file)


def payloads(file: str) -> Iterator[Payload | Problem]:
    """The events or Lambda payloads of a file: one JSON document, a JSON list of them, or one on each line.

    Lines are read one by one, however many there are; one that is no JSON is a Problem with its number, and the others
    follow. Raises InvalidInputError, with the place, for a file that cannot be read or is no JSON from its beginning.
    """
    try:
        with _opened(file) as lines:
            yield from _payloads(file, iter(lines))
    except OSError as error:
        raise _unreadable(file, error) from error


def _payloads(file: str, lines: Iterator[bytes]) -> Iterator[Payload | Problem]:
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip(_BLANK))
    first = next(numbered, None)
    if first is None:
        raise InvalidInputError([Problem("", "is empty", "It should hold events as JSON", file=file)])
    second = next(numbered, None)
    if second is not None and isinstance(_payload(file, *first), Payload):
        for number, line in chain([first, second], numbered):
            yield _payload(file, number, line)
        return
    # Blank lines are kept, so that the line of an error is that of the file.
    before = [b"\n" * (first[0] - 1), first[1]]
    between = [] if second is None else [b"\n" * (second[0] - first[0] - 1), second[1]]
    value = parse_json(_decoded(b"".join([*before, *between, *lines]), file), file=file)
    if isinstance(value, list):
        yield from (Payload(f"{file}[{index}]", item) for index, item in enumerate(value))
    else:
        yield Payload(file, value)


def _payload(file: str, number: int, line: bytes) -> Payload | Problem:
    """What a line holds."""
    try:
        return Payload(f"{file}:{number}", parse_json(_decoded(line, file, number), file=file, line=number))
    except InvalidInputError as error:
        return error.problems[0]


def parse_json(text: str, *, file: str = "", line: int = 0, field: str = "") -> Any:
    """Read strict JSON. Raises InvalidInputError with the place of what is wrong."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        found = f"is not JSON: {error.msg} (column {error.colno})"
        problem = Problem(field, found, "", file=file, line=line or (error.lineno if file else 0))
    except RecursionError:
        problem = Problem(field, "is nested too deeply to be read", file=file, line=line)
    except ValueError as error:
        problem = Problem(field, f"is not JSON: {error}", file=file, line=line)
    raise InvalidInputError([problem])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def json_option(value: str, field: str) -> Any:
    """The JSON of an option that is given in place or as ``@file``."""
    if value.startswith("@"):
        return parse_json(read_text(value[1:]), file=value[1:])
    return parse_json(value, field=field)


def in_option(error: InvalidInputError, option: str) -> InvalidInputError:
    """The same problems, as those of an option."""
    return InvalidInputError(replace(problem, field=f"{option} {problem.field}".strip()) for problem in error.problems)
