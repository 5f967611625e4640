"""Items by intervals of numbers: which intervals a number is in, in time that follows the answer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, MutableMapping
from typing import Any, TypeAlias

# From a number to a number, both included.
Interval: TypeAlias = tuple[float, float]


class Intervals(MutableMapping[Interval, Any]):
    """A dictionary of intervals that can also be asked for those around a number."""

    __slots__ = ("_items", "_tree")

    def __init__(self) -> None:
        self._items: dict[Interval, Any] = {}
        # Made when somebody asks, of the intervals that there are then.
        self._tree: _Tree | None = None

    def around(self, number: float) -> list[Any]:
        """The items of the intervals that a number is in; NaN is in none."""
        if not self._items or number != number:  # noqa: PLR0124 - only NaN is not itself
            return []
        if self._tree is None:
            self._tree = _Tree(list(self._items))
        return [self._items[interval] for interval in self._tree.around(number)]

    def __getitem__(self, interval: Interval) -> Any:
        return self._items[interval]

    def __setitem__(self, interval: Interval, item: Any) -> None:
        if interval not in self._items:
            self._tree = None
        self._items[interval] = item

    def __delitem__(self, interval: Interval) -> None:
        del self._items[interval]
        self._tree = None

    def __iter__(self) -> Iterator[Interval]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class _Tree:
    """Intervals around a centre, sorted by both ends, and a tree of those on each side of it."""

    __slots__ = ("_above", "_below", "_by_high", "_by_low", "_centre", "_highs", "_lows")

    def __init__(self, intervals: list[Interval]) -> None:
        ends = sorted(end for interval in intervals for end in interval)
        self._centre = ends[len(ends) // 2]
        here = [one for one in intervals if one[0] <= self._centre <= one[1]]
        below = [one for one in intervals if one[1] < self._centre]
        above = [one for one in intervals if one[0] > self._centre]
        self._by_low = sorted(here, key=lambda one: one[0])
        self._by_high = sorted(here, key=lambda one: one[1])
        self._lows = [low for low, _ in self._by_low]
        self._highs = [high for _, high in self._by_high]
        self._below = _Tree(below) if below else None
        self._above = _Tree(above) if above else None

    def around(self, number: float) -> list[Interval]:
        found: list[Interval] = []
        tree: _Tree | None = self
        while tree is not None:
            if number < tree._centre:
                found += tree._by_low[: bisect_right(tree._lows, number)]
                tree = tree._below
            else:
                found += tree._by_high[bisect_left(tree._highs, number) :]
                tree = tree._above
        return found
