"""How much work the wildcards of one field can make: EventBridge refuses rules with too much of it.

aws/event-ruler follows, for one value, every beginning of every wildcard that the value read so far could be. The most
that there can be at once is the complexity of the list (event-ruler, MachineComplexityEvaluator); above 10 EventBridge
says that the rule is too complex. The beginnings of ``a*b`` are, quotes included, ``"``, ``"a``, ``"a*``, ``"a*b`` and
``"a*b"``; once ``"ab`` is read, two of them fit: ``"a*`` and ``"a*b``. A wildcard that is written twice counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_COMPLEXITY = 10
# More ways to read a value than any list of so small a complexity is known to have.
MAX_READINGS = 20_000

_STAR = -1
_OTHER = -2
_QUOTE = ord('"')

# Of each wildcard, by its number: how many of its tokens the value read so far fits.
_Reading: TypeAlias = frozenset[tuple[int, int]]


def is_too_complex(wildcards: Iterable[Sequence[str]]) -> bool:
    """Say whether EventBridge would refuse these wildcards in one list; each is the texts between its stars."""
    tokens = [_tokens(parts) for parts in {*map(tuple, wildcards)}]
    if len(tokens) > MAX_COMPLEXITY:
        return True
    if sum(map(_most_of_one, tokens)) <= MAX_COMPLEXITY:
        return False
    alphabet = {token for one in tokens for token in one if token != _STAR} | {_OTHER}
    first: _Reading = frozenset(each for number, one in enumerate(tokens) for each in _beginnings(number, 1, one))
    seen, todo = {first}, [first]
    while todo:
        reading = todo.pop()
        if len(reading) > MAX_COMPLEXITY or len(seen) > MAX_READINGS:
            return True
        for byte in alphabet:
            following = _after(reading, byte, tokens)
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return False


def _tokens(parts: Sequence[str]) -> list[int]:
    """A quote, the bytes of the texts with a star between two of them, and a quote."""
    tokens = [_QUOTE]
    for place, part in enumerate(parts):
        tokens += [_STAR] if place else []
        tokens += part.encode("utf-8", "surrogatepass")
    return [*tokens, _QUOTE]


def _most_of_one(tokens: Sequence[int]) -> int:
    """A bound that is soon found: each star, and of each text those beginnings that are one another's ends."""
    most = tokens.count(_STAR)
    text: list[int] = []
    for token in [*tokens, _STAR]:
        if token != _STAR:
            text.append(token)
        else:
            most += _most_nested(text)
            text = []
    return most


def _most_nested(text: Sequence[int]) -> int:
    """The length of the longest chain of beginnings of a text, of which each ends with the one before it."""
    # The longest beginning that each beginning ends with, as Knuth, Morris and Pratt find it, and the chain there.
    border = [0] * (len(text) + 1)
    nested = [0] * (len(text) + 1)
    for length in range(1, len(text) + 1):
        before = border[length - 1]
        while length > 1 and before and text[before] != text[length - 1]:
            before = border[before]
        border[length] = before + 1 if length > 1 and text[before] == text[length - 1] else 0
        nested[length] = nested[border[length]] + 1
    return max(nested)


def _after(reading: _Reading, byte: int, tokens: Sequence[Sequence[int]]) -> _Reading:
    """The beginnings that fit once one more byte is read."""
    following: set[tuple[int, int]] = set()
    for number, count in reading:
        of_this = tokens[number]
        if of_this[count - 1] == _STAR:
            following.add((number, count))
        if count < len(of_this) and of_this[count] == byte:
            following.update(_beginnings(number, count + 1, of_this))
    return frozenset(following)


def _beginnings(number: int, count: int, tokens: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The beginning with so many tokens, and the one with the star after them: it fits nothing, too."""
    yield number, count
    if count < len(tokens) and tokens[count] == _STAR:
        yield number, count + 1
