"""The graph as a drawing: SVG in three columns, written by hand, readable in every browser without anything else."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeVar
from unicodedata import east_asian_width

from pipeline_triggers.cli.render import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.domain.graph import Graph, TriggerNode

Key = TypeVar("Key")

# Everything in px. The three columns: where each begins, and how wide its boxes are.
MARGIN = 32
COLUMNS = ((MARGIN, 300), (432, 340), (872, 260))
WIDTH = 872 + 260 + MARGIN
TOP = 104
BOX, GAP = 46, 14
# A chain (a pipeline whose executions are a source) runs back below everything, each in a lane of its own.
LANE = 14

# The average width of a character in each kind of text: that of wide fonts, so that nothing runs out of its box where
# another one is there. Wide characters (of Chinese, emoji) count twice.
CHARACTER = {"title": 11.5, "name": 8.4, "note": 6.4}

_STYLE = """\
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    .title { font-size: 18px; font-weight: 600; fill: #12263f; }
    .head { font-size: 11px; font-weight: 600; letter-spacing: .08em; fill: #6b7684; }
    .name { font-size: 13px; font-weight: 600; fill: #12263f; }
    .note { font-size: 11px; fill: #566270; }
    .box { stroke-width: 1.25; }
    .source { fill: #e8f1fd; stroke: #2f6fc4; }
    .trigger { fill: #ffffff; stroke: #6b7684; }
    .shadow { fill: #f6effc; stroke: #8a4fc7; stroke-dasharray: 6 3; }
    .disabled { fill: #f1f2f4; stroke: #a3abb5; stroke-dasharray: 2 3; }
    .unreached { fill: #fdecec; stroke: #c93636; }
    .pipeline { fill: #e7f6ec; stroke: #2b8a4b; }
    .link { fill: none; stroke: #8a96a3; stroke-width: 1.4; }
    .faint { stroke: #c3cad2; stroke-dasharray: 4 3; }
    .chain { fill: none; stroke: #2b8a4b; stroke-width: 1.2; stroke-dasharray: 5 4; }"""

_ARROW = """\
<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
    <path d="M0 0.5 L7.5 4 L0 7.5 z" fill="#8a96a3"/></marker>"""


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of one column: its upper edge, its style, and its one or two lines of text."""

    column: int
    y: float
    style: str
    name: str
    note: str = ""

    @property
    def left(self) -> int:
        return COLUMNS[self.column][0]

    @property
    def right(self) -> int:
        return sum(COLUMNS[self.column])

    @property
    def middle(self) -> float:
        return self.y + BOX / 2

    def drawn(self) -> str:
        width = COLUMNS[self.column][1]
        radius = BOX / 2 if self.column == 0 else 7
        room = width - (36 if self.column == 0 else 24)
        x = self.left + (width - room) / 2
        title = escape(printable(f"{self.name}\u2002{self.note}".strip()))
        rect = f'x="{self.left}" y="{_px(self.y)}" width="{width}" height="{BOX}" rx="{_px(radius)}"'
        parts = [f'  <g><title>{title}</title><rect class="box {self.style}" {rect}/>']
        baseline = self.middle + (-3 if self.note else 5)
        parts.append(_text("name", x, baseline, shortened(self.name, room, CHARACTER["name"])))
        if self.note:
            parts.append(_text("note", x, self.middle + 13, shortened(self.note, room, CHARACTER["note"])))
        return "".join([*parts, "</g>"])


def svg(graph: Graph, title: str) -> str:
    """The drawing; ends with a line break."""
    triggers = {
        node.name: _Box(1, TOP + number * (BOX + GAP), _style_of(node), node.name, _note(node, graph))
        for number, node in enumerate(graph.triggers)
    }
    sources = {
        source: _Box(0, y, "source", source.label)
        for source, y in _beside(
            {source: [triggers[link.trigger].y for link in graph.links_of(source)] for source in graph.sources}
        ).items()
    }
    started = {
        node.id: [triggers[start.trigger].y for start in graph.starts if start.pipeline == node.id]
        for node in graph.pipelines
    }
    labels = {node.id: node.label for node in graph.pipelines}
    pipelines = {id_: _Box(2, y, "pipeline", labels[id_]) for id_, y in _beside(started).items()}
    boxes = [*sources.values(), *triggers.values(), *pipelines.values()]
    bottom = max((box.y + BOX for box in boxes), default=TOP)
    states = {node.name: node.state for node in graph.triggers}
    drawn = [
        _curve(sources[link.source], triggers[link.trigger], faint=states[link.trigger] != "ENABLED")
        for link in graph.links
    ]
    drawn += [
        _curve(triggers[start.trigger], pipelines[start.pipeline], faint=states[start.trigger] != "ENABLED")
        for start in graph.starts
    ]
    for number, (pipeline, source) in enumerate(graph.chains, 1):
        drawn.append(_chain(pipelines[pipeline.id], sources[source], bottom, number))
    height = bottom + len(graph.chains) * LANE + MARGIN
    return "\n".join([*_opening(title, height), *drawn, *(box.drawn() for box in boxes), "</svg>", ""])


def _opening(title: str, height: float) -> list[str]:
    heads = ("SOURCES", "TRIGGERS", "PIPELINES")
    size = f'width="{WIDTH}" height="{_px(height)}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_px(height)}" {size} role="img">',
        f"  <title>{escape(printable(title))}</title>",
        f"  <style>\n{_STYLE}\n  </style>",
        f"  <defs>{_ARROW}</defs>",
        f'  <rect {size} rx="10" fill="#fbfcfd"/>',
        f"  {_text('title', MARGIN, 46, shortened(title, WIDTH - 2 * MARGIN, CHARACTER['title']))}",
        *(f"  {_text('head', x + 2, TOP - 18, head)}" for (x, _), head in zip(COLUMNS, heads, strict=True)),
    ]


def _beside(wanted: Mapping[Key, Sequence[float]]) -> dict[Key, float]:
    """Where the boxes of a column stand: each as near as can be to the middle of what it is linked with.

    The sum of the squares of their distances is the least that there is (isotonic regression: boxes that would overlap
    are pooled, and stand around the middle of all that the pool is linked with).
    """
    middles = {key: sum(places) / len(places) for key, places in wanted.items()}
    ordered = sorted(middles, key=lambda key: middles[key])
    pools: list[tuple[float, int]] = []  # the sum of what the boxes of the pool want, and how many they are
    for number, key in enumerate(ordered):
        pool = (middles[key] - number * (BOX + GAP), 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1])
        pools.append(pool)
    places = [total / count for total, count in pools for _ in range(count)]
    return {
        key: max(place, TOP) + number * (BOX + GAP)
        for number, (key, place) in enumerate(zip(ordered, places, strict=True))
    }


def _style_of(node: TriggerNode) -> str:
    if node.problems:
        return "unreached"
    return {"SHADOW": "shadow", "DISABLED": "disabled"}.get(node.state, "trigger")


def _note(node: TriggerNode, graph: Graph) -> str:
    """The second line of a trigger: its state unless it is enabled, what is wrong, and what it waits for."""
    whens = dict.fromkeys(link.when for link in graph.links if link.trigger == node.name)
    parts = [
        "" if node.state == "ENABLED" else node.state,
        "no rule of the stack delivers this" if node.problems else "",
        "; ".join(filter(None, whens)),
    ]
    return " · ".join(filter(None, parts))


def _curve(begin: _Box, end: _Box, *, faint: bool) -> str:
    middle = _px((begin.right + end.left) / 2)
    y0, y1 = _px(begin.middle), _px(end.middle)
    path = f"M{begin.right} {y0} C{middle} {y0} {middle} {y1} {end.left - 1} {y1}"
    return f'  <path class="link{" faint" if faint else ""}" d="{path}" marker-end="url(#arrow)"/>'


def _chain(begin: _Box, end: _Box, bottom: float, number: int) -> str:
    """From a pipeline back to the source that its executions are: around on the right, below, around on the left."""
    lane, aside = bottom + number * LANE, MARGIN / 4 + number % 4 * MARGIN / 6
    right, left = begin.right + aside, end.left - aside
    path = (
        f"M{begin.right} {_px(begin.middle)} H{_px(right)} V{_px(lane)} H{_px(left)} V{_px(end.middle)} H{end.left - 2}"
    )
    return f'  <path class="chain" d="{path}" marker-end="url(#arrow)"/>'


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{_px(x)}" y="{_px(y)}">{escape(printable(text))}</text>'


def shortened(text: str, room: float, width: float) -> str:
    """A text that is no wider than ``room`` px, as far as that can be told without measuring.

    What was cut ends in an ellipsis. The whole is in the title of the box, which browsers show under the pointer.
    """
    widths = [width * (2 if east_asian_width(character) in "WF" else 1) for character in text]
    if sum(widths) <= room:
        return text
    used, kept = width, 0
    while used + widths[kept] <= room:
        used += widths[kept]
        kept += 1
    return f"{text[:kept].rstrip()}…"


def _px(number: float) -> str:
    """A number of px with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")
