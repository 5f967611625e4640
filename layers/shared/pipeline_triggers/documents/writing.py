"""Writes a trigger file: triggers in their normal form as YAML that people like to read, with comments."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline_triggers.documents.nodes import Scalar, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline_triggers.domain.triggers import Trigger

WIDTH = 120
# What is easier to read, and to add to, on lines of its own.
_ALWAYS_BELOW = ("targets", "parameters")
# Plain scalars: what begins so and goes on so means nothing else in YAML, neither in a block nor between brackets.
_PLAIN = re.compile(r"[A-Za-z0-9_/$.(<](?:[A-Za-z0-9_/$.()<>|*?+=@;~^-]|:(?=[^\s,\[\]{}])| (?=[^\s#]))*", re.ASCII)


def trigger_file(
    set: str,  # noqa: A002 - the word of trigger files
    triggers: Sequence[tuple[Trigger, Sequence[str]]],
    heading: Sequence[str] = (),
) -> str:
    """A trigger file of one set, to which all triggers belong: each with comments above it, a heading above all.

    Reading the file gives the same triggers again.
    """
    lines = [*_comments(heading, ""), "version: 1", f"set: {scalar(set)}"]
    lines.append("triggers:" if triggers else "triggers: []")
    for trigger, comments in triggers:
        lines += ["", *_comments(comments, "  ")]
        block = list(_block(_document(trigger), "    "))
        lines += [f"  - {block[0].lstrip()}", *block[1:]]
    return "\n".join([*lines, ""])


def scalar(value: object) -> str:
    """A text, number, truth value or null as YAML: a text without quotes where it means itself without them."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and _means_itself(value):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _means_itself(text: str) -> bool:
    """Whether a text without quotes is read as a text: not as a number, a truth value, null or a merge key."""
    try:
        return text != "<<" and value_of(Scalar(text, 0, plain=True)) == text
    except ValueError:
        return False


def _document(trigger: Trigger) -> dict[str, Any]:
    """The normal form without what a reader of the file takes for granted."""
    document = trigger.to_document()
    document.pop("set", None)
    for key, usual in (("state", "ENABLED"), ("timezone", "UTC")):
        if document.get(key) == usual:
            del document[key]
    document["targets"] = [
        {"pipeline": target["pipeline"]}
        | {key: value for key, value in target.items() if not (key == "id" and value == read.pipeline.name)}
        for target, read in zip(document["targets"], trigger.targets, strict=True)
    ]
    return document


def _comments(texts: Sequence[str], margin: str) -> Iterator[str]:
    for text in texts:
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        wrapped = textwrap.wrap(shown, WIDTH - len(margin) - 2, subsequent_indent="  ", break_on_hyphens=False)
        yield from (f"{margin}# {line}" for line in wrapped)


def _block(document: Mapping[str, Any], margin: str) -> Iterator[str]:
    """An object, a key a line; what is short and flat stands behind its key, the rest below it."""
    for key, value in document.items():
        beginning = f"{margin}{scalar(key)}:"
        inline = f"{beginning} {_flow(value)}"
        if not value or (key not in _ALWAYS_BELOW and not _is_nested(value) and len(inline) <= WIDTH):
            yield inline
        elif isinstance(value, Mapping):
            yield beginning
            yield from _block(value, f"{margin}  ")
        elif isinstance(value, list):
            yield beginning
            yield from _items(value, f"{margin}  ")
        else:
            yield inline


def _items(values: Sequence[Any], margin: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *others = _block(value, f"{margin}  ")
            yield f"{margin}- {first.lstrip()}"
            yield from others
        else:
            yield f"{margin}- {_flow(value)}"


def _is_nested(value: object) -> bool:
    """Whether an object has objects or lists in it; lists of a pattern have flat objects at most."""
    inside = value.values() if isinstance(value, Mapping) else ()
    return any(isinstance(inner, Mapping | list) for inner in inside)


def _flow(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {_flow(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value)
