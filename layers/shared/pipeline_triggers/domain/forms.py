"""Reading a plain document field by field: every problem is collected with its field, none stops the reading."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Text:
    """What a text may look like: the rule in words, its length, and a pattern (if any) that it matches as a whole."""

    rule: str
    maximum: int
    minimum: int = 1
    pattern: str = ""

    def accepts(self, text: str) -> bool:
        """Tell whether a text keeps the rule."""
        shaped = not self.pattern or re.fullmatch(self.pattern, text) is not None
        return self.minimum <= len(text) <= self.maximum and shaped


def json_object(text: object) -> Mapping[str, Any]:
    """The JSON object that a text is; an empty one for anything else."""
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}


def join(parent: str, key: str) -> str:
    """The name of a field inside another: ``targets[0]`` and ``id`` are ``targets[0].id``."""
    return f"{parent}{'' if not parent or key.startswith('[') else '.'}{key}"


def suggestion(word: str, known: Collection[str], otherwise: str = "") -> str:
    """A remedy for a word that is not known: the known one that was probably meant, else ``otherwise``."""
    plain = {_plain(candidate): candidate for candidate in known}
    near = get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    return f"Did you mean {plain[near[0]]}?" if near else otherwise


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


class Form:
    """One object of a document, whose fields are taken one by one."""

    def __init__(self, document: Mapping[str, Any], problems: list[Problem], field: str = "") -> None:
        self.document, self.problems, self.field = document, problems, field

    def refuse(self, key: str, reason: str, remedy: str = "") -> None:
        """Note a problem with a field (the object itself when ``key`` is empty)."""
        self.problems.append(Problem(field=join(self.field, key) if key else self.field, reason=reason, remedy=remedy))

    def adopt(self, key: str, error: InvalidInputError) -> None:
        """Note the problems of an error that a parser raised for a field; their own fields lie inside it."""
        for problem in error.problems:
            self.refuse(join(key, problem.field) if problem.field else key, problem.reason, problem.remedy)

    def only(self, known: Collection[str]) -> None:
        """Refuse the keys that are not known."""
        for key in self.document:
            if key not in known:
                remedy = suggestion(str(key), known, f"Known here: {', '.join(sorted(known))}")
                self.refuse(str(key), "is not known here", remedy)

    def has(self, key: str) -> bool:
        """Tell whether a key was written."""
        return key in self.document

    def text(self, key: str, shape: Text, *, required: bool = False) -> str | None:
        """A text that keeps a rule, or None when it is not there or was refused."""
        if key not in self.document:
            if required:
                self.refuse(key, "is missing", f"It {shape.rule}")
            return None
        value = self.document[key]
        if not isinstance(value, str):
            self.refuse(key, f"must be text, not {kind_of(value)}", f"It {shape.rule}")
            return None
        if not shape.accepts(value) or not _encodable(value):
            self.refuse(key, f"{shown(value)} is not accepted", f"It {shape.rule}")
            return None
        return value

    def texts(self, key: str, shape: Text) -> tuple[str, ...]:
        """A list of one text or more that keep a rule and differ; an empty one when it is not there or was refused."""
        value = self.document.get(key)
        if key not in self.document:
            return ()
        if not isinstance(value, list | tuple) or not value:
            self.refuse(key, f"must be a list of texts, not {'empty' if value in ([], ()) else kind_of(value)}")
            return ()
        items = {f"{key}[{number}]": item for number, item in enumerate(value)}
        inside = Form(items, self.problems, self.field)
        read = [inside.text(name, shape) for name in items]
        if len(set(map(repr, value))) < len(value):
            self.refuse(key, "names a value twice", "Remove one of the two")
        return tuple(text for text in read if text is not None)

    def number(self, key: str, minimum: int = 1, maximum: int | None = None) -> int | None:
        """An integer of at least ``minimum`` (and at most ``maximum``), or None: it is not there or was refused."""
        value = self.document.get(key)
        if key not in self.document:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= (maximum or value):
            return value
        bounds = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum:,}"
        self.refuse(key, f"must be an integer {bounds}, not {shown(value)}")
        return None

    def flag(self, key: str) -> bool | None:
        """True or False, or None when it is not there or was refused."""
        value = self.document.get(key)
        if key in self.document and not isinstance(value, bool):
            self.refuse(key, f"must be true or false, not {shown(value)}")
            return None
        return value

    def choice(self, key: str, options: Collection[str], default: str) -> str:
        """One of some words; the default when it is not there or was refused."""
        value = self.document.get(key, default)
        if value not in options:
            remedy = suggestion(str(value), options, f"Write one of {', '.join(options)}")
            self.refuse(key, f"{shown(value)} is not accepted", remedy)
            return default
        return str(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object; an empty one when it is not there or was refused."""
        value = self.document.get(key, {})
        if not isinstance(value, Mapping):
            self.refuse(key, f"must be an object of names and values, not {kind_of(value)}")
            return {}
        return value

    def forms(self, key: str) -> list[Form]:
        """The objects of a list, each to be read by itself; those that are none are refused and passed over."""
        value = self.document.get(key, [])
        if not isinstance(value, list | tuple):
            self.refuse(key, f"must be a list of objects, not {kind_of(value)}")
            return []
        for number, item in enumerate(value):
            if not isinstance(item, Mapping):
                self.refuse(f"{key}[{number}]", f"must be an object, not {kind_of(item)}")
        return [
            Form(item, self.problems, join(self.field, f"{key}[{number}]"))
            for number, item in enumerate(value)
            if isinstance(item, Mapping)
        ]


def shown(value: object) -> str:
    """A value as messages quote it: in full when it is short."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text):,} characters)"


def kind_of(value: object) -> str:
    """What a value is called in messages."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool | int | float):
        return f"{shown(value)} (write it in quotes)"
    kinds: dict[type, str] = {str: "text", list: "a list", tuple: "a list"}
    return "an object" if isinstance(value, Mapping) else kinds.get(type(value), type(value).__name__)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
