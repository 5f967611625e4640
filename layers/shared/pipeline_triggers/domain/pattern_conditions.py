"""Conditions of event patterns on one value of an event: what each operator accepts.

Where EventBridge's User Guide ("Comparison operators for use in event patterns") is silent they follow aws/event-ruler,
the engine that AWS publishes. Conditions are plain data, so that an index can be made of them.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Number: TypeAlias = int | float


class Condition(Protocol):
    """A condition on a leaf of an event: text, a number, true, false or null."""

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf meets it."""


@dataclass(frozen=True, slots=True)
class Exact:
    """The value itself; numbers by value, and true is not 1."""

    value: str | Number | bool | None

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf is this value."""
        if is_number(self.value):
            return is_number(value) and bool(value == self.value)
        return type(value) is type(self.value) and value == self.value


@dataclass(frozen=True, slots=True)
class Prefix:
    """Text that begins so."""

    text: str

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf begins so."""
        return isinstance(value, str) and value.startswith(self.text)


@dataclass(frozen=True, slots=True)
class Suffix:
    """Text that ends so."""

    text: str

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf ends so."""
        return isinstance(value, str) and value.endswith(self.text)


@dataclass(frozen=True, slots=True)
class PrefixInAnyCase:
    """Text that begins so, in any case of letters."""

    text: str

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf begins so."""
        return isinstance(value, str) and _end_in_any_case(self.text, value) is not None


@dataclass(frozen=True, slots=True)
class SuffixInAnyCase:
    """Text that ends so, in any case of letters."""

    text: str

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf ends so."""
        return isinstance(value, str) and _ends_in_any_case(self.text, value)


@dataclass(frozen=True, slots=True)
class EqualInAnyCase:
    """This text, in any case of letters."""

    text: str

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf is this text."""
        return isinstance(value, str) and _end_in_any_case(self.text, value) == len(value)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Text with any text between these parts: one more than there are wildcards."""

    parts: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf has all parts, in order and apart. Linear in the value: nothing is tried twice."""
        first, last = self.parts[0], self.parts[-1]
        if not isinstance(value, str) or not value.startswith(first):
            return False
        if len(self.parts) == 1:
            return value == first
        place, end = len(first), len(value) - len(last)
        if end < place or not value.endswith(last):
            return False
        for part in self.parts[1:-1]:
            found = value.find(part, place, end)
            if found < 0:
                return False
            place = found + len(part)
        return True


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds, each of which may belong to it; infinity where there is none."""

    low: Number
    low_included: bool
    high: Number
    high_included: bool

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf is such a number."""
        if not is_number(value):
            return False
        above = value > self.low or (self.low_included and value == self.low)
        return above and (value < self.high or (self.high_included and value == self.high))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Text that spells an IP address from ``first`` to ``last``, as integers; ``version`` is 4 or 6."""

    version: int
    first: int
    last: int

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf spells such an address."""
        found = address(value) if isinstance(value, str) else None
        return found is not None and found.version == self.version and self.first <= int(found) <= self.last


@dataclass(frozen=True, slots=True)
class Exists:
    """Any leaf."""

    def accepts(self, _value: Any) -> bool:
        """Say that a leaf is there."""
        return True


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """Any leaf but these texts or numbers; they are all of one kind."""

    values: frozenset[Any]

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf is none of them."""
        return isinstance(value, bool) or value not in self.values


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Any leaf that meets none of these conditions."""

    conditions: tuple[Condition, ...]

    def accepts(self, value: Any) -> bool:
        """Say whether a leaf meets none."""
        return not any(condition.accepts(value) for condition in self.conditions)


def is_number(value: Any) -> bool:
    """Say whether a JSON value is a number: ``true`` is none, though Python counts it among them."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def at_least(bound: Number, *, included: bool) -> Range:
    """Numbers from a bound on."""
    return Range(bound, included, math.inf, True)


def at_most(bound: Number, *, included: bool) -> Range:
    """Numbers up to a bound."""
    return Range(-math.inf, True, bound, included)


_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)


def address(text: str) -> Address | None:
    """The address that a text spells, by event-ruler's idea of spelling: leading zeros are decimal, no dots in IPv6."""
    if len(text) <= 64 and _IPV4.fullmatch(text):
        numbers = [int(part) for part in text.split(".")]
        return ipaddress.IPv4Address(bytes(numbers)) if max(numbers) <= 255 else None
    if len(text) <= 64 and _IPV6.fullmatch(text):
        try:
            found = ipaddress.IPv6Address(text)
        except ValueError:
            return None
        return found.ipv4_mapped or found
    return None


def _spellings(character: str) -> tuple[str, ...]:
    return tuple({character.lower(), character.upper()})


def _end_in_any_case(text: str, value: str) -> int | None:
    """Where ``text`` ends when ``value`` begins with it in any case; None when it does not.

    As in event-ruler each character of the pattern stands for its lower and its upper form, which may have another
    length (``ß`` and ``SS``); ``k`` does not stand for the Kelvin sign, though that has ``k`` as its lower form.
    """
    if text.isascii():
        start = value[: len(text)]
        return len(text) if start.isascii() and start.lower() == text.lower() else None
    place = 0
    for character in text:
        spelling = next((each for each in _spellings(character) if value.startswith(each, place)), None)
        if spelling is None:
            return None
        place += len(spelling)
    return place


def _ends_in_any_case(text: str, value: str) -> bool:
    """Whether ``value`` ends with ``text`` in any case."""
    place = len(value)
    for character in reversed(text):
        spelling = next((each for each in _spellings(character) if value.endswith(each, 0, place)), None)
        if spelling is None:
            return False
        place -= len(spelling)
    return True
