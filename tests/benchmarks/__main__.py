"""The benchmarks of ``make bench``: ``python -m tests.benchmarks [SUBJECT …]`` prints the tables of all or some.

A subject is a module with ``tables()``; a new one is added to SUBJECTS. Machines differ and are noisy: compare what
stands in one table.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as Drawn

from tests.benchmarks import cleanup, cold_start, handling, parameters, patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.benchmarks.measuring import Table

SUBJECTS: Mapping[str, Callable[[], Iterable[Table]]] = {
    "cleanup": cleanup.tables,
    "cold-start": cold_start.tables,
    "handling": handling.tables,
    "parameters": parameters.tables,
    "patterns": patterns.tables,
}


def main(wanted: list[str]) -> int:
    """Print the tables of the subjects; 2 when there is none of a name."""
    unknown = [name for name in wanted if name not in SUBJECTS]
    if unknown:
        sys.stderr.write(f"There is no subject {', '.join(unknown)}. There are: {', '.join(SUBJECTS)}\n")
        return 2
    console = Console()
    console.width = max(console.width, 110)
    for name in wanted or SUBJECTS:
        for table in SUBJECTS[name]():
            console.print(_drawn(table))
            console.print(table.note)
            console.print()
    return 0


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE)
    first, *others = table.columns
    drawn.add_column(first, no_wrap=True)
    for column in others:
        drawn.add_column(column, justify="right")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
