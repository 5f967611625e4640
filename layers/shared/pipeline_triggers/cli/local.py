"""Commands that run the whole application on this machine: ``demo`` and ``local up``."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline_triggers.cli import render
from pipeline_triggers.cli.settings import Answer, Command, CommandGroup, ExitCode, Settings
from pipeline_triggers.local.demo import Act, Seen, Tap, acts, perform
from pipeline_triggers.local.emulator import DEFAULT_PORT
from pipeline_triggers.local.follower import Follower
from pipeline_triggers.local.gateway import docker_gateway
from pipeline_triggers.local.stage import STACK, Lines, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pipeline_triggers.local.deployment import Deployment
    from pipeline_triggers.local.scheduler import Firing

template_option = click.option(
    "--template",
    type=click.Path(path_type=Path),
    default=Path("template.yaml"),
    show_default=True,
    help="The SAM template.",
)
triggers_option = click.option(
    "--triggers",
    type=click.Path(path_type=Path),
    default=Path("triggers.yaml"),
    show_default=True,
    help="The trigger file to apply.",
)


@click.group(cls=CommandGroup)
def local() -> None:
    """Run the whole application on this machine."""


@click.command(cls=Command)
@template_option
@triggers_option
@click.option("--events", type=click.Path(path_type=Path), default=Path("events"), help="The folder of sample events.")
@click.pass_obj
def demo(settings: Settings, template: Path, triggers: Path, events: Path) -> Answer:
    """See it work: events in, executions out, without an AWS account.

    Deploys the template to an embedded AWS, applies the triggers, lets things happen through the services' own APIs,
    and shows what started with which parameters and why, and what did not. Ends with 0 when everything became of the
    events that should.
    """
    began = time.monotonic()
    say = _silent if settings.json else render.to_console
    _quiet_libraries()
    lines = Lines()
    say(render.line(f"Starting an embedded AWS and deploying {template} to it …"))
    with Stage(template, port=0, on_log=lines.add) as stage:
        stage.furnish()
        applied = stage.apply(triggers)
        tap = Tap(stage)
        tap.open()
        say(_began(stage, applied.triggers, time.monotonic() - began))
        seen = []
        for number, act in enumerate(acts(events), 1):
            what = perform(act, stage, tap, lines)
            seen.append((act, what))
            say(_told(number, act, what))
        quarantined = [item_document(item) for item in stage.quarantine.list()]
        executions = stage.executions()
    say(_quarantine(quarantined))
    return _summary(seen, quarantined, executions, time.monotonic() - began)


@local.command(cls=Command)
@template_option
@triggers_option
@click.option("--port", type=int, default=DEFAULT_PORT, show_default=True, help="Where AWS listens, on 127.0.0.1.")
@click.option("--also-listen", multiple=True, help="A further address; the gateway of Docker's bridge is always one.")
@click.option("--empty", is_flag=True, help="Deploy only: no sample pipelines, no bucket, no triggers.")
@click.option("--no-poll", is_flag=True, help="Leave the queues alone: the functions run by sam local only.")
@click.option("--no-deploy", is_flag=True, help="Leave deploying to sam deploy, and run the functions that it uploads.")
def up(
    template: Path,
    triggers: Path,
    port: int,
    also_listen: Sequence[str],
    *,
    empty: bool,
    no_poll: bool,
    no_deploy: bool,
) -> Answer:
    """Deploy the template to an embedded AWS on this machine, and run it until Ctrl-C.

    The stack is named "local". With it come sample pipelines, the bucket raw-data and the triggers of the trigger file,
    unless --empty says otherwise. Schedules fire at their times; pipelines start and do nothing. The functions' log
    lines go to stdout.

    With --no-deploy the stack is yours to deploy: `sam deploy --config-env local`. What SAM uploads is what runs, and
    runs anew after each `sam deploy`.
    """
    if no_deploy and no_poll:
        raise click.UsageError("with --no-deploy there is nothing but polling to do: leave --no-poll out")
    _quiet_libraries()
    addresses = sorted({*also_listen, *filter(None, [docker_gateway()])})
    deployed = None if no_deploy else template
    with ExitStack() as running:
        stage = running.enter_context(
            Stage(
                deployed,
                port=port,
                also_listen=addresses,
                poll=not no_poll,
                on_log=_echo,
                on_fired=_tell_firing,
            ),
        )
        if not empty:
            stage.furnish()
        if no_deploy:
            running.enter_context(_follower(stage, None if empty else triggers))
            _say_how_to_deploy(stage)
        else:
            if not empty:
                stage.apply(triggers)
            render.to_console(_up(stage), stderr=True)
        _wait_for_ctrl_c()
    return Answer(result={"stack": STACK, "endpoint_url": stage.aws.url}, text=render.line("stopped"))


def _follower(stage: Stage, triggers: Path | None) -> Follower:
    """Runs what SAM deploys to the stage; a new stack gets the triggers of the file."""

    def tell(deployment: Deployment) -> None:
        if triggers and stage.store.revision() == 0:
            stage.apply(triggers)
        functions = ", ".join(function.logical_id for function in deployment.functions)
        render.to_console(render.line((f"Stack “{STACK}” runs: ", "bold green"), functions), stderr=True)

    def tell_failure(error: Exception) -> None:
        message = f"Stack “{STACK}” does not run: "
        render.to_console(render.line((message, "bold red"), f"{error} Mend it and deploy again."), stderr=True)

    return Follower(STACK, stage.aws.url, on_deployed=tell, on_failed=tell_failure, on_log=_echo)


def _silent(_text: RenderableType) -> None:
    pass


def _echo(_function: str, line: str) -> None:
    click.echo(line)


def _tell_firing(firing: Firing) -> None:
    why = f": {firing.error}" if firing.error else ""
    name = firing.schedule_arn.partition(":schedule/")[2]
    render.to_console(
        render.line((f"Schedule {name} ", "bold"), f"of {firing.at:%H:%M:%SZ}: {firing.outcome}{why}"), stderr=True
    )


def _wait_for_ctrl_c() -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()


def _quiet_libraries() -> None:
    """Werkzeug and moto log each request, and samtranslator each plugin."""
    for name in ("werkzeug", "moto", "samtranslator", "botocore"):
        logging.getLogger(name).setLevel(logging.ERROR)


def item_document(item: Any) -> dict[str, Any]:
    """An item of the quarantine for the answer."""
    return {
        "id": item.id,
        "reason": item.reason,
        "source_queue": item.source_queue.rpartition(":")[2],
        "triggers": list(item.triggers),
        "message": item.message,
    }


def _up(stage: Stage) -> RenderableType:
    url = stage.aws.url
    return render.indented(
        render.line(("Stack “local” runs at ", "bold"), (url, "bold green"), ". Ctrl-C stops it. Try, elsewhere:"),
        render.line(f"  pipeline-triggers --stack-name {STACK} --endpoint-url {url} list"),
        render.line(f"  aws --endpoint-url {url} s3 cp data.csv s3://raw-data/in/data.csv"),
        render.line("The credentials may be any, the Region is us-east-1. Schedules fire at their times."),
        by=0,
    )


def _say_how_to_deploy(stage: Stage) -> None:
    url = stage.aws.url
    environment = f"AWS_ENDPOINT_URL={url} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
    heading = render.line(("An AWS without a stack runs at ", "bold"), (url, "bold green"), ". Ctrl-C stops it.")
    render.to_console(heading, stderr=True)
    # Not through the console, which folds long lines: this one is to be copied.
    click.echo(f"After `make build`, elsewhere:\n  {environment} sam deploy --config-env local", err=True)


def _began(stage: Stage, triggers: Sequence[Any], seconds: float) -> RenderableType:
    functions = ", ".join(function.logical_id for function in stage.deployment.functions)
    return render.indented(
        render.line(f"Stack “{STACK}” is deployed and {len(triggers)} triggers are applied after {seconds:.1f} s."),
        render.line(f"Functions: {functions}"),
        by=0,
    )


def _told(number: int, act: Act, seen: Seen) -> RenderableType:
    parts: list[RenderableType] = [render.line(""), render.line((f"{number}. {act.title}", "bold"))]
    parts += [render.indented(part) for part in _entries(seen)]
    parts += [render.indented(part) for part in _mismatches(seen)]
    if seen.schedules:
        parts.append(render.indented(_schedules(seen)))
    if act.note:
        parts.append(render.indented(render.line(act.note)))
    if seen.wrong:
        parts.append(render.indented(render.line(("UNEXPECTED: ", "bold red"), seen.wrong)))
    return render.indented(*parts, by=0)


def _entries(seen: Seen) -> list[RenderableType]:
    told: list[RenderableType] = []
    outcomes = dict(seen.outcomes)
    for entry in seen.entries:
        outcome = outcomes.get(entry["trigger"], entry["outcome"])
        pipeline = entry["pipeline_arn"].rpartition("/")[2]
        style = render.STYLES.get(outcome, "")
        why = f": {entry['reason']}" if entry["reason"] else ""
        told.append(render.line((f"{outcome:<9}", style), f" {entry['trigger']} → {pipeline}{why}"))
        if entry["parameters"] and outcome != "duplicate":
            told.append(render.indented(_parameters(entry)))
    for trigger, outcome in sorted(seen.outcomes):
        if trigger not in {entry["trigger"] for entry in seen.entries}:
            told.append(render.line((f"{outcome:<9}", render.STYLES.get(outcome, "")), f" {trigger}"))
    return told


def _parameters(entry: Mapping[str, Any]) -> RenderableType:
    rows = [
        (
            parameter["name"],
            parameter["value"] if parameter["value"] is not None else parameter["reason"] or "(left out)",
            parameter["origin"],
            parameter["expression"] if parameter["origin"] != "static" else "",
        )
        for parameter in entry["parameters"]
    ]
    return render.table(["parameter", "value", "origin", "from"], rows)


def _mismatches(seen: Seen) -> list[RenderableType]:
    if not seen.mismatches:
        return []
    told = [render.line(("unmatched", "yellow"), " because")]
    return [*told, *(render.indented(render.line(f"{name}: {why}")) for name, why in seen.mismatches)]


def _schedules(seen: Seen) -> RenderableType:
    rows = [
        (it.name, it.pipeline, render.line((it.outcome, render.STYLES.get(it.outcome, "")))) for it in seen.schedules
    ]
    return render.table(["schedule", "pipeline", "outcome"], rows)


def _quarantine(items: Sequence[Mapping[str, Any]]) -> RenderableType:
    told = [
        part
        for item in items
        for part in (
            render.line((item["reason"], "bold red"), f"  from {item['source_queue']}  ", ", ".join(item["triggers"])),
            render.indented(render.cell(item["message"])),
        )
    ]
    heading = "In quarantine: what cannot start anything as it is, with its body and the reason"
    return render.indented(render.line(""), render.line((heading, "bold")), render.indented(*told), by=0)


def _summary(
    seen: Sequence[tuple[Act, Seen]],
    quarantined: Sequence[Mapping[str, Any]],
    executions: Sequence[Mapping[str, Any]],
    seconds: float,
) -> Answer:
    wrong = [(act, what) for act, what in seen if what.wrong]
    expected = sum(outcome == "started" for act, _ in seen for _, outcome in act.expected)
    said = "as they should be" if not wrong else f"{len(wrong)} NOT as they should be"
    text = render.indented(
        render.line(""),
        render.line(
            (f"{len(seen)} things happened, {said}. ", "bold green" if not wrong else "bold red"),
            f"{len(executions)} executions started ({expected} expected), {len(quarantined)} events in quarantine, "
            f"{seconds:.1f} s.",
        ),
        by=0,
    )
    failed = bool(wrong) or len(executions) != expected
    return Answer(
        result={
            "acts": [
                {
                    "title": act.title,
                    "outcomes": [list(pair) for pair in sorted(what.outcomes)],
                    "schedules": {it.name: it.outcome for it in what.schedules},
                    "wrong": what.wrong,
                }
                for act, what in seen
            ],
            "executions": list(executions),
            "quarantine": list(quarantined),
            "seconds": round(seconds, 1),
        },
        exit_code=ExitCode.FAILED if failed else ExitCode.DONE,
        text=text,
    )
