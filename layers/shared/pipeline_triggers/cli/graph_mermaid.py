"""The graph as a Mermaid flowchart, which GitHub, GitLab and many wikis draw where it stands in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_triggers.cli.render import printable

if TYPE_CHECKING:
    from pipeline_triggers.domain.graph import Graph

# What means something in a quoted text of Mermaid, as its entity codes. "#" begins one, so it comes first.
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}

_CLASSES = """\
  classDef source fill:#e8f1fd,stroke:#2f6fc4,color:#12263f
  classDef trigger fill:#ffffff,stroke:#6b7684,color:#12263f
  classDef shadow fill:#f6effc,stroke:#8a4fc7,color:#12263f,stroke-dasharray:5 3
  classDef disabled fill:#f1f2f4,stroke:#a3abb5,color:#6b7684,stroke-dasharray:2 3
  classDef unreached fill:#fdecec,stroke:#c93636,color:#7a1616
  classDef pipeline fill:#e7f6ec,stroke:#2b8a4b,color:#12263f"""


def mermaid(graph: Graph) -> str:
    """The flowchart, from left to right; ends with a line break."""
    sources = {source: f"s{number}" for number, source in enumerate(graph.sources, 1)}
    triggers = {node.name: f"t{number}" for number, node in enumerate(graph.triggers, 1)}
    pipelines = {node.id: f"p{number}" for number, node in enumerate(graph.pipelines, 1)}
    lines = ["flowchart LR"]
    lines += [f"  {id_}([{_quoted(source.label)}]):::source" for source, id_ in sources.items()]
    for node in graph.triggers:
        style = "unreached" if node.problems else {"ENABLED": "trigger"}.get(node.state, node.state.lower())
        label = node.name if node.state == "ENABLED" else f"{node.name}, {node.state}"
        lines.append(f"  {triggers[node.name]}[{_quoted(label)}]:::{style}")
    lines += [f"  {pipelines[node.id]}[[{_quoted(node.label)}]]:::pipeline" for node in graph.pipelines]
    for link in graph.links:
        told = f"|{_quoted(link.when)}|" if link.when else ""
        lines.append(f"  {sources[link.source]} -->{told} {triggers[link.trigger]}")
    lines += [f"  {triggers[start.trigger]} --> {pipelines[start.pipeline]}" for start in graph.starts]
    lines += [f"  {pipelines[pipeline.id]} -.-> {sources[source]}" for pipeline, source in graph.chains]
    return "\n".join([*lines, _CLASSES, ""])


def _quoted(text: str) -> str:
    """A text that Mermaid shows as it is."""
    return f'"{"".join(_ENTITIES.get(character, character) for character in printable(text))}"'
