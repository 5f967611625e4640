"""How the benchmarks measure, and what they show."""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 7
SECONDS_A_RUN = 0.02


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one subject. ``note`` says what a reader has to know to compare them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def median(call: Callable[[], object]) -> float:
    """The median of the microseconds that a call takes, over 7 runs of at least 20 ms each."""
    call()
    calls = 1
    while (took := _run(call, calls)) < SECONDS_A_RUN:
        calls = max(calls * 2, int(calls * SECONDS_A_RUN / max(took, 1e-9)))
    return statistics.median(_run(call, calls) for _ in range(RUNS)) / calls * 1_000_000


def _run(call: Callable[[], object], calls: int) -> float:
    collecting = gc.isenabled()
    gc.disable()
    try:
        began = perf_counter()
        for _ in range(calls):
            call()
        return perf_counter() - began
    finally:
        if collecting:
            gc.enable()


def microseconds(figure: float) -> str:
    """For a table: three digits that say something."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def times(figure: float, beside: float) -> str:
    """For a table: how many times ``beside`` the figure is."""
    return f"{figure / beside:,.1f}"
