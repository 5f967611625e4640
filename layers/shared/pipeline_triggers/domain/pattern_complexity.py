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

# Of each wildcard, by its number: how many of its tokens the value read so far fits.
_Reading: TypeAlias = frozenset[tuple[int, int]]


def is_too_complex(wildcards: Iterable[Sequence[str]]) -> bool:
    """Say whether EventBridge would refuse these wildcards in one list; each is the texts between its stars."""
    texts_of_each = {_texts(parts) for parts in wildcards}
    # Soon told: each star, and of each text those beginnings that are one another's ends, is more than can be at once.
    if sum(len(texts) - 1 + sum(map(_most_nested, texts)) for texts in texts_of_each) <= MAX_COMPLEXITY:
        return False
    tokens = [_tokens(texts) for texts in texts_of_each]
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


def _texts(parts: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes of the texts between the stars, with a quote before the first and after the last."""
    texts = [part.encode("utf-8", "surrogatepass") for part in parts]
    texts[0] = b'"' + texts[0]
    texts[-1] += b'"'
    return tuple(texts)


def _tokens(texts: Sequence[bytes]) -> list[int]:
    """The bytes of the texts, with a star between two of them."""
    tokens = [*texts[0]]
    for text in texts[1:]:
        tokens += [_STAR, *text]
    return tokens


def _most_nested(text: bytes) -> int:
    """The length of the longest chain of beginnings of a text, of which each ends with the one before it."""
    # For each beginning the longest shorter one that it ends with, as Knuth, Morris and Pratt find it.
    borders, nested = [-1], [0]
    for byte in text:
        border = borders[-1]
        while border >= 0 and text[border] != byte:
            border = borders[border]
        borders.append(border + 1)
        nested.append(nested[border + 1] + 1)
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
