"""The command "graph": what starts what, as a tree for the terminal, a Mermaid flowchart or an SVG drawing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from pipeline_triggers.cli.inputs import trigger_files
from pipeline_triggers.cli.render import line, number_of, styled
from pipeline_triggers.cli.settings import Answer, Command, Settings
from pipeline_triggers.domain.graph import graph_of
from pipeline_triggers.errors import AwsError, ConfigurationError, InvalidInputError, NotFoundError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pipeline_triggers.domain.graph import Graph, Link, TriggerNode

FORMATS = ("text", "mermaid", "svg")


@dataclass(frozen=True, slots=True)
class _Read:
    """A graph with what it is called, and what could not be found out about it."""

    graph: Graph
    title: str
    warnings: Sequence[Problem] = ()


@click.command(cls=Command)
@click.option(
    "--file", "files", multiple=True, metavar="FILE", help="Of trigger files instead of the stack, without AWS."
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to draw it."
)
@click.option("--out", metavar="FILE", help="Write the drawing to a file, replacing it.")
@click.pass_obj
def graph(settings: Settings, *, files: tuple[str, ...], format_: str, out: str | None) -> Answer:
    """Show what starts what: sources, triggers, pipelines.

    Of a stack it also shows which triggers wait for events that no rule of the stack delivers.
    """
    if out is not None and format_ == "text":
        raise InvalidInputError([Problem("--out", "is for drawings", "Give --format svg or --format mermaid")])
    read = _of_files(files) if files else _of_stack(settings)
    result = {"title": read.title, **read.graph.to_document()}
    if format_ == "text":
        return Answer(result=result, warnings=read.warnings, text=Group(*_shown(read)))
    drawing = _drawn(read, format_)
    if out is None:
        return Answer(result=result | {"drawing": drawing}, warnings=read.warnings, text=drawing)
    try:
        Path(out).write_text(drawing, encoding="utf-8")
    except OSError as error:
        problem = Problem("--out", f"cannot be written: {error.strerror}", file=out)
        raise InvalidInputError([problem]) from error
    return Answer(
        result=result | {"file": out},
        warnings=read.warnings,
        text=line("Wrote ", (out, "bold"), f": {_counted(read)}."),
    )


def _of_files(files: tuple[str, ...]) -> _Read:
    loaded = trigger_files(files)
    triggers = [trigger for _, content in loaded for trigger in content.triggers]
    warnings = [warning for _, content in loaded for warning in content.warnings]
    return _Read(graph_of(triggers), ", ".join(files), warnings)


def _of_stack(settings: Settings) -> _Read:
    """The stack's triggers. Where CloudFormation does not tell what is delivered, that is left out."""
    connection = settings.connection
    snapshot = connection.store.load()
    title = f"{settings.stack_name}, revision {snapshot.revision}"
    try:
        stack = connection.stack()
    except (AwsError, NotFoundError, ConfigurationError) as error:
        told = Problem("", f"whether the stack delivers the events could not be checked: {error}")
        return _Read(graph_of(snapshot.triggers), title, [told])
    return _Read(graph_of(snapshot.triggers, home=stack.home, delivered=stack.delivered), title)


def _drawn(read: _Read, format_: str) -> str:
    if format_ == "mermaid":
        from pipeline_triggers.cli.graph_mermaid import mermaid  # noqa: PLC0415 - one of two

        return mermaid(read.graph)
    from pipeline_triggers.cli.graph_svg import svg  # noqa: PLC0415 - one of two

    return svg(read.graph, read.title)


def _counted(read: _Read) -> str:
    graph = read.graph
    counts = [(graph.sources, "source"), (graph.triggers, "trigger"), (graph.pipelines, "pipeline")]
    return ", ".join(number_of(len(nodes), noun) for nodes, noun in counts)


def _shown(read: _Read) -> list[RenderableType]:
    """A tree for each source; then what nothing reaches."""
    shown: list[RenderableType] = [line((read.title, "bold")), line(_counted(read))]
    nodes = {node.name: node for node in read.graph.triggers}
    chained = {pipeline.id: source.label for pipeline, source in read.graph.chains}
    for source in read.graph.sources:
        tree = Tree(line((source.label, "bold cyan")), guide_style="dim")
        for link in read.graph.links_of(source):
            branch = tree.add(_trigger(nodes[link.trigger], link))
            for pipeline in read.graph.pipelines_of(link.trigger):
                goes_on = chained.get(pipeline.id, "")
                more = (f" its executions start more: see {goes_on}", "dim") if goes_on else ""
                branch.add(line((pipeline.label, "green"), more))
        shown += [line(""), tree]
    told = [line((f"{node.name}: ", "bold red"), problem) for node in nodes.values() for problem in node.problems]
    return [*shown, *([line(""), *told] if told else [])]


def _trigger(node: TriggerNode, link: Link) -> Text:
    text = Text(overflow="fold")
    text.append_text(line((node.name, "bold" if node.state == "ENABLED" else "")))
    if node.state != "ENABLED":
        text.append(" ").append_text(styled(node.state))
    if node.problems:
        text.append(" not delivered", "red")
    if link.when:
        text.append_text(line((f"  {link.when}", "dim")))
    return text
